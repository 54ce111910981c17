/* fnscope db info|prune|reprice|verify|dump: upkeep of the store. */
#include "cli/commands.h"

#include "cli/common.h"
#include "cli/reprice.h"
#include "core/base/safe_text.h"
#include "core/base/timefmt.h"

/* --- info --- */

static void number_row(struct table *t, const char *name, uint64_t v)
{
    table_row(t);
    table_text(t, 0, str_from(name));
    table_i64(t, 1, (int64_t)v);
}

static void time_row(struct table *t, const char *name, int64_t t_ns)
{
    table_row(t);
    table_text(t, 0, str_from(name));
    if (t_ns != 0)
        cli_time_cell(t, 1, t_ns);
}

static int db_info(struct cli *c, struct store *s, struct err *e)
{
    static const struct table_column columns[] = {{.name = "item"},
                                                  {.name = "value", .is_right = true}};
    struct ingest_status st;
    struct table t;

    if (request_status(s, c->arena, &st, e) != OK)
        return EXIT_FAILED;
    table_init(&t, c->arena, columns, ARRAY_LEN(columns), "fnscope.db", 1);
    table_row(&t);
    table_text(&t, 0, STR("path"));
    table_text(&t, 1, store_path(s));
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
        {"schema_version", (uint64_t)st.schema_version},
        {"day_files", st.day_files},
        {"bytes_on_disk", st.bytes_on_disk},
        {"functions", st.functions},
        {"streams", st.streams},
        {"invocations", st.invocations},
        {"open_invocations", st.open_invocations},
        {"unpriced_invocations", st.unpriced},
        {"log_events", st.log_events},
        {"log_bytes", st.log_bytes},
        {"chunk_bytes", st.chunk_bytes},
        {"repeats_dropped", st.counts.repeats},
        {"quarantined", st.counts.quarantined},
        {"generation", st.generation},
    };
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        number_row(&t, numbers[i].name, numbers[i].value);
    time_row(&t, "first_event", st.first_ns);
    time_row(&t, "last_event", st.last_ns);
    time_row(&t, "last_commit", st.last_commit_ns);
    cli_print_table(c, &t);
    return EXIT_DONE;
}

/* --- prune, reprice --- */

/* What was done: the sentence for people, the numbers for programs. */
static int say_done(struct cli *c, const struct table_column *columns, const uint64_t *numbers,
                    size_t n, struct str sentence)
{
    struct table t;

    if (c->settings->format == TABLE_TEXT) {
        buf_addf(&c->out, STR_FMT "\n", STR_ARG(sentence));
        return EXIT_DONE;
    }
    table_init(&t, c->arena, columns, n, "fnscope.db_done", 1);
    table_row(&t);
    for (size_t i = 0; i < n; i++)
        table_i64(&t, i, (int64_t)numbers[i]);
    cli_print_table(c, &t);
    return EXIT_DONE;
}

static int db_prune(struct cli *c, struct store *s, struct err *e)
{
    int64_t before = c->settings->until_ns;
    uint64_t days = 0;

    if (before == 0 && c->settings->retention_ns > 0)
        before = clock_now(&c->clock) - c->settings->retention_ns;
    if (before == 0) {
        err_set(e, ERR_USAGE,
                "db prune removes nothing without an age: give --retention 30d or --until DATE");
        return EXIT_USAGE;
    }
    if (store_prune(s, before, &days, e) != OK)
        return EXIT_FAILED;
    static const struct table_column columns[] = {{.name = "days_removed"}};
    return say_done(c, columns, &days, 1,
                    arena_printf(c->arena, "%llu day%s removed", (unsigned long long)days,
                                 plural(days, "", "s")));
}

static int db_reprice(struct cli *c, struct store *s, struct err *e)
{
    uint64_t changed = 0;

    if (reprice(c, s, &changed, e) != OK)
        return EXIT_FAILED;
    static const struct table_column columns[] = {{.name = "invocations_priced"}};
    return say_done(c, columns, &changed, 1,
                    arena_printf(c->arena, "%llu invocation%s priced anew",
                                 (unsigned long long)changed, plural(changed, "", "s")));
}

/* --- move --- */

struct db_settings {
    struct str to_region, to_account, to_function;
};

#define AT(member) offsetof(struct db_settings, member)

/* clang-format off */
static const struct opt_def db_defs[] = {
    { .flag = "to-region", .type = OPT_STRING, .offset = AT(to_region), .value_name = "REGION",
      .help = "move: the region the functions are in" },
    { .flag = "to-account", .type = OPT_STRING, .offset = AT(to_account), .value_name = "ID",
      .help = "move: the account they are in" },
    { .flag = "to-function", .type = OPT_STRING, .offset = AT(to_function), .value_name = "NAME",
      .help = "move: the function's name" },
    { 0 },
};
/* clang-format on */

static enum status check_target(struct cli *c, struct store *s, struct err *e)
{
    AUTO(cli_cost_clear) struct cli_cost cost = {0};
    const struct db_settings *set = c->options;

    if (set->to_region.n == 0 && set->to_account.n == 0 && set->to_function.n == 0)
        return err_set(e, ERR_USAGE,
                       "db move: say where to: --to-region, --to-account or --to-function");
    if (c->settings->function.n == 0)
        return err_set(e, ERR_USAGE, "db move: say which function: -f NAME");
    enum status status = cli_cost_open(c, s, &cost, e);
    return status == OK ? cli_check_region(c, cost.book, set->to_region, "--to-region", e) : status;
}

static int db_move(struct cli *c, struct store *s, struct err *e)
{
    const struct db_settings *set = c->options;
    const struct fn_filter which = cli_filter(c);
    const struct fn_ref to = {
        .account = set->to_account, .region = set->to_region, .name = set->to_function};
    struct moved_fns n = {0};
    enum status status = check_target(c, s, e);

    if (status == OK)
        status = store_move_fns(s, &which, &to, &n, e);
    if (status == OK && n.found == 0)
        status = err_set(e, ERR_USAGE, "db move: no function \"" STR_FMT "\" is stored",
                         STR_ARG(which.name_glob));
    if (status == OK)
        status = reprice_moved(c, s, e);
    if (status != OK)
        return status == ERR_USAGE || status == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
    static const struct table_column columns[] = {{.name = "functions_found"},
                                                  {.name = "functions_moved"}};
    const uint64_t numbers[] = {n.found, n.moved};
    return say_done(c, columns, numbers, ARRAY_LEN(columns),
                    arena_printf(c->arena, "%zu of %zu function%s moved and priced anew", n.moved,
                                 n.found, plural(n.found, "", "s")));
}

/* --- verify, dump --- */

struct findings {
    struct cli *cli;
    struct table table; /* of machine formats */
    uint64_t n;
};

static void on_finding(void *ctx, struct str file, struct str what)
{
    struct findings *f = ctx;

    f->n++;
    if (f->cli->settings->format != TABLE_TEXT) {
        table_row(&f->table);
        table_text(&f->table, 0, arena_str(f->cli->arena, file));
        table_text(&f->table, 1, arena_str(f->cli->arena, what));
        return;
    }
    safe_text(&f->cli->out, file, SAFE_KEEP_NONE);
    buf_add_z(&f->cli->out, ": ");
    safe_text(&f->cli->out, what, SAFE_KEEP_NONE);
    buf_add_c(&f->cli->out, '\n');
}

static int db_verify(struct cli *c, struct store *s, struct err *e)
{
    static const struct table_column columns[] = {{.name = "file"}, {.name = "finding"}};
    struct findings f = {.cli = c};

    table_init(&f.table, c->arena, columns, ARRAY_LEN(columns), "fnscope.findings", 1);
    if (store_verify(s, on_finding, &f, e) != OK)
        return EXIT_FAILED;
    if (c->settings->format != TABLE_TEXT)
        cli_print_table(c, &f.table);
    else if (f.n == 0)
        buf_add_z(&c->out, "everything is in order\n");
    return f.n > 0 ? EXIT_CONDITION : EXIT_DONE;
}

static int db_dump(struct cli *c, struct store *s, struct err *e)
{
    if (cli_own_form(c, "db dump", "lines to compare; fnscope sql has more formats", e) != OK)
        return EXIT_USAGE;
    return store_dump(s, &c->out, e) == OK ? EXIT_DONE : EXIT_FAILED;
}

static const struct {
    const char *name;
    bool is_read_only;
    int (*run)(struct cli *c, struct store *s, struct err *e);
} actions[] = {
    {"info", true, db_info},  {"prune", false, db_prune},  {"reprice", false, db_reprice},
    {"move", false, db_move}, {"verify", true, db_verify}, {"dump", true, db_dump},
};

/* Waiting for a collector takes for ever. */
static enum status open_for(struct cli *c, size_t action, struct store **out, struct err *e)
{
    struct err own = {0};
    enum status status = cli_open_as_stored(c, actions[action].is_read_only, out, &own);

    if (status == ERR_AGAIN)
        return err_set(e, status,
                       "%s; db %s beside a collector: stop it first, start it again afterwards",
                       own.msg, actions[action].name);
    *e = own;
    return status;
}

static int run_db(struct cli *c, struct err *e)
{
    AUTO(cli_close_store) struct store *s = NULL;

    if (cli_want_words(c, 1, 1, e) != OK)
        return EXIT_USAGE;
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (!str_eq(c->words.items[0], str_from(actions[i].name)))
            continue;
        if (open_for(c, i, &s, e) != OK)
            return EXIT_FAILED;
        return actions[i].run(c, s, e);
    }
    err_set(e, ERR_USAGE, "db: \"" STR_FMT "\" is none of info, prune, reprice, move, verify, dump",
            STR_ARG(c->words.items[0]));
    return EXIT_USAGE;
}

const struct command cmd_db = {
    .name = "db",
    .summary = "look after the store: info, prune, reprice, move, verify, dump",
    .usage = "info|prune|reprice|move|verify|dump",
    .description =
        "info says what the store holds and how large it is. prune removes whole UTC days older "
        "than --retention or before --until. reprice prices everything stored anew: after the "
        "configuration (functions:, cost:) or the price book changed, until when every command "
        "shows the stored prices and says so. move corrects what an import was told: the functions "
        "that pass -f, --region and --account get another region, account or name (--to-region, "
        "--to-account, --to-function), keep all that is stored of them and are priced anew; what "
        "is imported later as they were called before is theirs too; a name that is taken is "
        "refused. verify reads every file: what has a checksum or is "
        "written twice must agree (lines and their counts and identities, invocations and their "
        "sums and request ids), and no attempt may stand there twice; exit status 3 when it found "
        "something. dump prints "
        "everything in a canonical order, so that two stores can be compared.",
    .examples = "fnscope db info\thow much is there\n"
                "fnscope db prune --retention 30d\tkeep a month\n"
                "fnscope db move -f mail --to-region eu-west-1\timport was told another region\n"
                "fnscope db verify\tis everything readable and consistent\n",
    .options = db_defs,
    .options_size = sizeof(struct db_settings),
    .run = run_db,
};
