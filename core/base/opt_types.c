/* The option types: reading and printing one value. */
#include "core/base/opt_types.h"

#include <string.h>

#include "core/base/timefmt.h"

/* --- bool --- */

static enum status parse_bool(const struct opt_value_ctx *ctx, const struct opt_def *d,
                              struct str text, void *field, struct err *e)
{
    static const struct {
        struct str word;
        bool value;
    } words[] = {
        {STR_INIT("true"), true}, {STR_INIT("yes"), true},    {STR_INIT("on"), true},
        {STR_INIT("1"), true},    {STR_INIT("false"), false}, {STR_INIT("no"), false},
        {STR_INIT("off"), false}, {STR_INIT("0"), false},
    };

    UNUSED(ctx);
    UNUSED(d);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq_nocase(text, words[i].word)) {
            memcpy(field, &words[i].value, sizeof(bool));
            return OK;
        }
    return err_set(e, ERR_USAGE, "\"" STR_FMT "\" is neither true nor false", STR_ARG(text));
}

static void print_bool(const struct opt_def *d, const void *field, struct buf *out)
{
    bool v;

    UNUSED(d);
    memcpy(&v, field, sizeof(v));
    buf_add_z(out, v ? "true" : "false");
}

/* --- numbers --- */

static enum status parse_int(const struct opt_value_ctx *ctx, const struct opt_def *d,
                             struct str text, void *field, struct err *e)
{
    int64_t v;

    UNUSED(ctx);
    if (!str_to_i64(text, &v))
        return err_set(e, ERR_USAGE, "\"" STR_FMT "\" is no whole number", STR_ARG(text));
    if ((d->min != 0 || d->max != 0) && (v < d->min || v > d->max))
        return err_set(e, ERR_USAGE, "%lld is out of range: %lld to %lld", (long long)v,
                       (long long)d->min, (long long)d->max);
    memcpy(field, &v, sizeof(v));
    return OK;
}

static void print_int(const struct opt_def *d, const void *field, struct buf *out)
{
    int64_t v;

    UNUSED(d);
    memcpy(&v, field, sizeof(v));
    buf_addf(out, "%lld", (long long)v);
}

static enum status parse_size(const struct opt_value_ctx *ctx, const struct opt_def *d,
                              struct str text, void *field, struct err *e)
{
    uint64_t v = 0;

    UNUSED(ctx);
    UNUSED(d);
    if (size_parse(text, &v, e) != OK)
        return ERR_USAGE;
    memcpy(field, &v, sizeof(v));
    return OK;
}

static enum status parse_memory(const struct opt_value_ctx *ctx, const struct opt_def *d,
                                struct str text, void *field, struct err *e)
{
    uint64_t v = 0;

    UNUSED(ctx);
    if (memory_parse(text, &v, e) != OK)
        return ERR_USAGE;
    if (d->max != 0 && (v < (uint64_t)d->min || v > (uint64_t)d->max))
        return err_set(e, ERR_USAGE, "\"" STR_FMT "\" is out of range: %lldMB to %lldMB",
                       STR_ARG(text), (long long)(d->min >> 20), (long long)(d->max >> 20));
    memcpy(field, &v, sizeof(v));
    return OK;
}

static void print_size(const struct opt_def *d, const void *field, struct buf *out)
{
    uint64_t v;

    UNUSED(d);
    memcpy(&v, field, sizeof(v));
    buf_addf(out, "%lluB", (unsigned long long)v);
}

static enum status parse_duration(const struct opt_value_ctx *ctx, const struct opt_def *d,
                                  struct str text, void *field, struct err *e)
{
    int64_t v;

    UNUSED(ctx);
    UNUSED(d);
    if (duration_parse(text, &v, e) != OK)
        return ERR_USAGE;
    memcpy(field, &v, sizeof(v));
    return OK;
}

static void print_duration(const struct opt_def *d, const void *field, struct buf *out)
{
    static const struct {
        int64_t ns;
        const char *unit;
    } units[] = {{NS_PER_DAY, "d"}, {NS_PER_HOUR, "h"}, {NS_PER_MIN, "m"},
                 {NS_PER_SEC, "s"}, {NS_PER_MS, "ms"},  {1, "ns"}};
    int64_t v;
    size_t i = 0;

    UNUSED(d);
    memcpy(&v, field, sizeof(v));
    while (i + 1 < ARRAY_LEN(units) && v % units[i].ns != 0)
        i++;
    buf_addf(out, "%lld%s", (long long)(v / units[i].ns), v == 0 ? "s" : units[i].unit);
}

static enum status parse_time(const struct opt_value_ctx *ctx, const struct opt_def *d,
                              struct str text, void *field, struct err *e)
{
    int64_t v;

    UNUSED(d);
    if (time_parse_human(text, ctx->now_ns, &v, e) != OK)
        return ERR_USAGE;
    memcpy(field, &v, sizeof(v));
    return OK;
}

static void print_time(const struct opt_def *d, const void *field, struct buf *out)
{
    int64_t v;

    UNUSED(d);
    memcpy(&v, field, sizeof(v));
    if (v != 0)
        time_format(out, v, 0);
}

/* --- text --- */

static enum status parse_string(const struct opt_value_ctx *ctx, const struct opt_def *d,
                                struct str text, void *field, struct err *e)
{
    struct str copy = arena_str(ctx->arena, text);

    UNUSED(d);
    UNUSED(e);
    memcpy(field, &copy, sizeof(copy));
    return OK;
}

static void print_string(const struct opt_def *d, const void *field, struct buf *out)
{
    struct str v;

    UNUSED(d);
    memcpy(&v, field, sizeof(v));
    buf_add_str(out, v);
}

static enum status bad_choice(const struct opt_def *d, struct str text, struct err *e)
{
    AUTO(buf_clear) struct buf known = {.max = 4096};
    struct str near = opt_suggest(text, d->choices);

    for (size_t i = 0; d->choices[i]; i++)
        buf_addf(&known, "%s%s", i ? ", " : "", d->choices[i]);
    if (near.n > 0)
        return err_set(e, ERR_USAGE, "\"" STR_FMT "\" is none of %s; did you mean \"" STR_FMT "\"?",
                       STR_ARG(text), known.p, STR_ARG(near));
    return err_set(e, ERR_USAGE, "\"" STR_FMT "\" is none of %s", STR_ARG(text), known.p);
}

static enum status parse_choice(const struct opt_value_ctx *ctx, const struct opt_def *d,
                                struct str text, void *field, struct err *e)
{
    UNUSED(ctx);
    for (int i = 0; d->choices[i]; i++)
        if (str_eq_nocase(text, str_from(d->choices[i]))) {
            memcpy(field, &i, sizeof(i));
            return OK;
        }
    return bad_choice(d, text, e);
}

static void print_choice(const struct opt_def *d, const void *field, struct buf *out)
{
    int v;

    memcpy(&v, field, sizeof(v));
    buf_add_z(out, d->choices[v]);
}

/* Appends; who gives a list anew empties it first. */
static enum status parse_list(const struct opt_value_ctx *ctx, const struct opt_def *d,
                              struct str text, void *field, struct err *e)
{
    struct opt_list list;

    UNUSED(d);
    UNUSED(e);
    memcpy(&list, field, sizeof(list));
    struct str *items = arena_new(ctx->arena, struct str, list.count + 1);
    if (list.count > 0)
        memcpy(items, list.items, list.count * sizeof(*items));
    items[list.count] = arena_str(ctx->arena, text);
    list = (struct opt_list){items, list.count + 1};
    memcpy(field, &list, sizeof(list));
    return OK;
}

static void print_list(const struct opt_def *d, const void *field, struct buf *out)
{
    struct opt_list list;

    UNUSED(d);
    memcpy(&list, field, sizeof(list));
    for (size_t i = 0; i < list.count; i++) {
        buf_add_z(out, i ? "," : "");
        buf_add_str(out, list.items[i]);
    }
}

const struct opt_type_ops opt_types[] = {
    [OPT_BOOL] = {NULL, parse_bool, print_bool},
    [OPT_INT] = {"N", parse_int, print_int},
    [OPT_SIZE] = {"SIZE", parse_size, print_size},
    [OPT_MEMORY] = {"SIZE", parse_memory, print_size},
    [OPT_DURATION] = {"DURATION", parse_duration, print_duration},
    [OPT_TIME] = {"TIME", parse_time, print_time},
    [OPT_STRING] = {"TEXT", parse_string, print_string},
    [OPT_CHOICE] = {"WORD", parse_choice, print_choice},
    [OPT_LIST] = {"TEXT", parse_list, print_list},
};
