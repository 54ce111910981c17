/* fnscope sql QUERY: plain read-only SQL over everything stored (fnscope-schema(7)). */
#include "cli/commands.h"

#include <stdio.h>

#include "cli/common.h"
#include "core/base/file.h"
#include "core/base/safe_text.h"

#define SQL_MAX_BYTES (1u << 20)

struct collect {
    struct cli *cli;
    struct table table;
    bool has_head;
};

static enum status add_row(void *ctx, size_t n, const char *const *names,
                           const struct sql_cell *cells, struct err *e)
{
    struct collect *k = ctx;
    struct arena *a = k->cli->arena;

    UNUSED(e);
    if (!k->has_head) {
        struct table_column *columns = arena_new(a, struct table_column, n);
        for (size_t i = 0; i < n; i++)
            columns[i] = (struct table_column){.name = arena_strz(a, str_from(names[i])),
                                               .title = arena_strz(a, str_from(names[i])),
                                               .is_right = cells && cells[i].is_number};
        table_init(&k->table, a, columns, n, "fnscope.sql", 1);
        k->has_head = true;
    }
    if (!cells) /* a result without rows still has columns */
        return OK;
    table_row(&k->table);
    for (size_t i = 0; i < n; i++) {
        if (cells[i].is_null)
            continue;
        bool is_finite = str_find_char(cells[i].text, 'I') == cells[i].text.n; /* "Inf", "-Inf" */
        if (cells[i].is_number && is_finite)
            table_number(&k->table, i, arena_str(a, cells[i].text), (struct str){0});
        else
            table_text(&k->table, i, arena_str(a, cells[i].text));
    }
    return OK;
}

/* The query is the word, or standard input when the word is "-". */
static enum status query_text(struct cli *c, struct buf *b, struct err *e)
{
    if (!str_eq(c->words.items[0], STR("-"))) {
        buf_add_str(b, c->words.items[0]);
        return OK;
    }
    return file_read("/dev/stdin", b, e);
}

static bool is_missing_name(const struct err *e)
{
    static const struct str words[] = {STR_INIT("no such column"), STR_INIT("no such table")};
    struct str text = str_from(e->msg);

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_find(text, words[i]) < text.n)
            return true;
    return false;
}

/* The names there are, below the message. */
static int explain(struct str sql, struct err *e)
{
    AUTO(buf_clear) struct buf message = {.max = 4096}, help = {.max = 64 << 10};

    safe_text(&message, str_from(e->msg), SAFE_KEEP_NONE);
    store_sql_help(sql, &help);
    fprintf(stderr, "fnscope: " STR_FMT "\n" STR_FMT "See fnscope-schema(7).\n",
            STR_ARG(buf_str(&message)), STR_ARG(buf_str(&help)));
    *e = (struct err){0};
    return EXIT_USAGE;
}

static int run_sql(struct cli *c, struct err *e)
{
    AUTO(buf_clear) struct buf text = {.max = SQL_MAX_BYTES};
    AUTO(cli_close_store) struct store *s = NULL;
    struct collect k = {.cli = c};

    if (cli_want_words(c, 1, 1, e) != OK)
        return EXIT_USAGE;
    if (query_text(c, &text, e) != OK || cli_open_store(c, true, &s, e) != OK)
        return EXIT_FAILED;
    enum status st = store_sql(s, buf_str(&text), add_row, &k, e);
    if (st == ERR_USAGE && is_missing_name(e))
        return explain(buf_str(&text), e);
    if (st != OK)
        return st == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
    if (k.has_head)
        cli_print_table(c, &k.table);
    return EXIT_DONE;
}

const struct command cmd_sql = {
    .unused = cli_without_filter,
    .name = "sql",
    .summary = "run read-only SQL over invocations, log_lines, costs, functions",
    .usage = "QUERY|-",
    .description =
        "Opens the store read-only and runs one SQLite query over the tables invocations, "
        "log_lines, costs, functions, rollup_hour, rollup_day and quarantine, and what a collector "
        "adds: metric_points, queues, sources, alerts, alert_episodes, alert_messages, silences; "
        "fnscope-schema(7) describes their columns. With - the query comes from standard input.",
    .examples =
        "fnscope sql 'select function, count(*) from invocations group by 1'\tcount by function\n"
        "fnscope sql \"select * from log_lines where body like '%refused%' limit 5\"\tany text\n",
    .run = run_sql,
};
