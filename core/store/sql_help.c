/* What there is to ask for: told when a person's SQL names what is not there. */
#include "core/store/sql_tables.h"

#include <ctype.h>

static bool is_letter(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* As a word, not as part of another. */
static bool names_table(struct str sql, struct str table)
{
    for (size_t at = 0; at < sql.n;) {
        at += str_find(str_skip(sql, at), table);
        bool is_open = at > 0 && at < sql.n && is_letter(sql.p[at - 1]);
        size_t end = at + table.n;
        if (at < sql.n && !is_open && (end >= sql.n || !is_letter(sql.p[end])))
            return true;
        at++;
    }
    return false;
}

/* "create table x(a int, b text)" -> "a, b" */
static void add_columns(struct buf *out, const struct sql_table *t)
{
    struct str rest = str_from(t->schema);

    rest = str_skip(rest, str_find_char(rest, '(') + 1);
    rest = str_sub(rest, 0, str_rfind_char(rest, ')'));
    while (rest.n > 0) {
        struct str column = str_trim(str_cut(&rest, ','));
        buf_add_str(out, str_cut(&column, ' '));
        buf_add_z(out, rest.n > 0 ? ", " : "\n");
    }
}

void store_sql_help(struct str sql, struct buf *out)
{
    bool is_named = false;

    for (size_t i = 0; sql_tables[i]; i++) {
        if (!names_table(sql, str_from(sql_tables[i]->name)))
            continue;
        is_named = true;
        buf_addf(out, "%s has ", sql_tables[i]->name);
        add_columns(out, sql_tables[i]);
    }
    for (size_t i = 0; !is_named && sql_tables[i]; i++)
        buf_addf(out, "%s%s%s", i == 0 ? "there are " : ", ", sql_tables[i]->name,
                 sql_tables[i + 1] ? "" : "\n");
}
