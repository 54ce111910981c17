/* What two sources of one account and region would both read. */
#include "collector/aws/aws_source.h"

/* Matches one byte of any name: a class is taken for any byte. */
static size_t glob_unit(struct str glob)
{
    size_t close = glob.p[0] == '[' ? str_find_char(str_skip(glob, 1), ']') + 2 : 1;

    return close <= glob.n ? close : 1;
}

static bool is_any_byte(struct str glob)
{
    return glob.p[0] == '?' || glob_unit(glob) > 1;
}

static bool begins_with_star(struct str glob)
{
    return glob.n > 0 && glob.p[0] == '*';
}

static bool can_be_one_byte(struct str a, struct str b)
{
    return a.p[0] == b.p[0] || is_any_byte(a) || is_any_byte(b);
}

/* `rest` follows a star: is there a place in b where it fits? */
static bool meets_somewhere(struct str rest, struct str b)
{
    while (b.n > 0 && !aws_globs_meet(rest, b))
        b = str_skip(b, glob_unit(b));
    return b.n > 0 || aws_globs_meet(rest, b);
}

bool aws_globs_meet(struct str a, struct str b)
{
    while (a.n > 0 && b.n > 0 && !begins_with_star(a) && !begins_with_star(b)) {
        if (!can_be_one_byte(a, b))
            return false;
        a = str_skip(a, glob_unit(a));
        b = str_skip(b, glob_unit(b));
    }
    if (begins_with_star(a))
        return meets_somewhere(str_skip(a, 1), b);
    if (begins_with_star(b))
        return meets_somewhere(str_skip(b, 1), a);
    return a.n == 0 && b.n == 0;
}

/* An empty list is one of `fallback` alone. */
static bool lists_meet(const struct opt_list *a, const struct opt_list *b, struct str fallback)
{
    for (size_t i = 0; i < (a->count > 0 ? a->count : 1); i++)
        for (size_t k = 0; k < (b->count > 0 ? b->count : 1); k++)
            if (aws_globs_meet(a->count > 0 ? a->items[i] : fallback,
                               b->count > 0 ? b->items[k] : fallback))
                return true;
    return false;
}

struct str aws_overlap(const struct source *a, const struct source *b, struct arena *arena)
{
    const struct aws_options *p = a->options, *q = b->options;
    unsigned of_a = PARTS_ALL, of_b = PARTS_ALL;

    if (aws_find_parts(a, &of_a, NULL) != OK || aws_find_parts(b, &of_b, NULL) != OK)
        return (struct str){0};
    const unsigned both = of_a & of_b;
    const struct {
        bool is_shared;
        const char *what;
    } rows[] = {
        {(both & PART_LOGS) != 0 &&
             lists_meet(&p->log_groups, &q->log_groups, STR("/aws/lambda/*")),
         "logs"},
        {(both & PART_QUEUES) != 0 && lists_meet(&p->queues, &q->queues, STR("*")), "queues"},
        {(both & PART_METRICS) != 0, "metrics"},
        {(both & PART_TRACES) != 0 && str_eq(p->trace_filter, q->trace_filter), "traces"},
    };
    AUTO(buf_clear) struct buf text = {.max = 256};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].is_shared)
            buf_addf(&text, "%s%s", text.n > 0 ? ", " : "", rows[i].what);
    return arena_str(arena, buf_str(&text));
}
