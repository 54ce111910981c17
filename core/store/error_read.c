/* Errors by fingerprint: failed attempts of one function, outcome, error type and folded message.
 * Two passes: the failed attempts, then the lines that may be theirs, each given to the attempt
 * that ran in its environment at its time. An attempt's message is its first line of the highest
 * level. */
#include <stdlib.h>
#include <string.h>

#include "core/base/timefmt.h"
#include "core/model/log_text.h"
#include "core/store/store_private.h"

#define SAMPLE_BYTES ((size_t)400)
/* Attempts whose message is looked up. More than these say nothing new: they are counted for the
 * group of their type that came first. */
#define MAX_ATTEMPTS ((size_t)100000)

struct attempt {
    const struct origin *origin;
    uint32_t fn_id;
    enum outcome outcome;
    struct str id, error_type, text;
    enum severity severity; /* of text */
    bool is_named;          /* text names error_type */
    int64_t start_ns, end_ns, duration_ns;
    uint64_t memory_bytes, used_bytes;
};

struct attempts {
    struct arena *arena;
    struct attempt *rows;
    size_t n, cap;
    struct map overflow; /* kind of attempt -> how many more there were */
};

struct groups {
    struct arena *arena;
    struct map index;
    struct error_row *rows;
    size_t n, cap;
};

/* --- the failed attempts --- */

static bool is_failed(enum outcome o)
{
    return o != OUTCOME_OK && o != OUTCOME_UNKNOWN;
}

static struct str kind_key(struct arena *a, uint32_t fn_id, enum outcome o, struct str type)
{
    return arena_printf(a, "%u/%d/" STR_FMT, fn_id, (int)o, STR_ARG(type));
}

static enum status add_attempt(void *ctx, uint32_t fn_id, const struct invocation *inv,
                               struct err *e)
{
    struct attempts *all = ctx;

    UNUSED(e);
    if (!is_failed(inv->outcome))
        return OK;
    if (all->n == MAX_ATTEMPTS) {
        struct str key = kind_key(all->arena, fn_id, inv->outcome, inv->error_type);
        ++*map_put(&all->overflow, key, NULL);
        return OK;
    }
    all->rows = arena_grow(all->arena, all->rows, all->n, &all->cap, sizeof(*all->rows));
    all->rows[all->n++] =
        (struct attempt){.origin = inv->origin,
                         .fn_id = fn_id,
                         .outcome = inv->outcome,
                         .id = arena_str(all->arena, inv->id),
                         .error_type = inv->error_type,
                         .severity = SEVERITY_WARN,
                         .start_ns = inv->start_ns,
                         .end_ns = inv->start_ns + inv->duration_ns + inv->init_ns + NS_PER_SEC,
                         .duration_ns = inv->duration_ns,
                         .memory_bytes = inv->memory_bytes,
                         .used_bytes = inv->max_memory_bytes};
    return OK;
}

/* --- their messages --- */

static int compare_places(uint32_t fn_id, struct str instance, int64_t start_ns,
                          const struct attempt *y)
{
    if (fn_id != y->fn_id)
        return fn_id < y->fn_id ? -1 : 1;
    int c = str_cmp(instance, y->origin->instance);
    return c != 0 ? c : (start_ns > y->start_ns) - (start_ns < y->start_ns);
}

static int compare_attempts(const void *a, const void *b)
{
    const struct attempt *x = a, *y = b;
    int c = compare_places(x->fn_id, x->origin->instance, x->start_ns, y);

    return c != 0 ? c : str_cmp(x->id, y->id);
}

/* The attempt that ran where and when the line was written; NULL: none that failed. Where requests
 * overlap, only one that the line names. */
static struct attempt *attempt_of(struct attempts *all, const struct log_line *line)
{
    enum { LOOK_BACK = 64 };
    size_t from = 0, to = all->n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (compare_places(line->fn_id, line->origin->instance, line->time_ns, &all->rows[middle]) <
            0)
            to = middle;
        else
            from = middle + 1;
    }
    for (size_t i = from; i > 0 && from - i < LOOK_BACK; i--) {
        struct attempt *at = &all->rows[i - 1];
        if (at->fn_id != line->fn_id || !str_eq(at->origin->instance, line->origin->instance))
            break;
        bool is_named = line->invocation_id.n == 0 || str_eq(line->invocation_id, at->id);
        if (is_named && line->time_ns <= at->end_ns)
            return at;
    }
    return NULL;
}

/* "TypeError: no such thing", Java's "no such thing: java.lang.X": the type stands beside. */
static struct str without_type(struct str text, struct str type)
{
    const size_t n = type.n, rest = text.n - (text.n > n + 2 ? n + 2 : text.n);

    if (n > 0 && str_starts(text, type) && str_starts(str_skip(text, n), STR(": ")))
        return str_skip(text, n + 2);
    if (n > 0 && rest > 0 && str_ends(text, type) && str_starts(str_skip(text, rest), STR(": ")))
        return str_sub(text, 0, rest);
    return text;
}

/* The line that says most: the first one of the highest level, application lines only; before all
 * others one that names the error's type, for that is what the message is shown beside. */
static enum status better_line(void *ctx, const struct log_line *line, struct err *e)
{
    struct attempts *all = ctx;
    struct attempt *at = line->kind == RECORD_APP ? attempt_of(all, line) : NULL;

    UNUSED(e);
    if (at == NULL)
        return OK;
    const bool is_named =
        at->error_type.n > 0 && str_find(line->body, at->error_type) < line->body.n;
    if (is_named == at->is_named ? line->severity <= at->severity : !is_named)
        return OK;
    at->is_named = is_named;
    at->severity = line->severity;
    struct str text = log_headline(line->body, all->arena);
    at->text = arena_str(all->arena, str_sub(without_type(text, at->error_type), 0, SAMPLE_BYTES));
    return OK;
}

static enum status find_messages(struct store *s, const struct error_request *want,
                                 struct attempts *all, struct err *e)
{
    struct log_request q = {.range = {INT64_MAX, INT64_MIN},
                            .fn = want->fn,
                            .fn_id = want->fn_id,
                            .min_severity = SEVERITY_ERROR};

    for (size_t i = 0; i < all->n; i++) {
        const struct attempt *at = &all->rows[i];
        q.range.since_ns = at->start_ns < q.range.since_ns ? at->start_ns : q.range.since_ns;
        q.range.until_ns = at->end_ns > q.range.until_ns ? at->end_ns : q.range.until_ns;
    }
    if (all->n > 1)
        qsort(all->rows, all->n, sizeof(*all->rows), compare_attempts);
    return all->n == 0 ? OK : request_logs(s, &q, better_line, all, e);
}

/* --- groups --- */

/* What the platform's figures say where no line says it. */
static struct str sample_of_figures(struct arena *a, const struct attempt *at)
{
    AUTO(buf_clear) struct buf took = {.max = 64};

    if (at->outcome == OUTCOME_OOM && at->memory_bytes > 0)
        return arena_printf(a, "used %llu of %llu MB", (unsigned long long)(at->used_bytes >> 20),
                            (unsigned long long)(at->memory_bytes >> 20));
    if (at->outcome != OUTCOME_TIMEOUT || at->duration_ns <= 0)
        return (struct str){0};
    duration_format(&took, at->duration_ns);
    return arena_printf(a, "stopped after %s", took.p);
}

/* The group of the attempt, made when it is the first of it. */
static struct error_row *group_of(struct groups *g, const struct attempt *at)
{
    bool is_new;
    struct str kind = kind_key(g->arena, at->fn_id, at->outcome, at->error_type);
    struct str fold = log_fingerprint(at->text, g->arena);
    struct str key = arena_printf(g->arena, STR_FMT "\n" STR_FMT, STR_ARG(kind), STR_ARG(fold));
    uint64_t *index = map_put(&g->index, key, &is_new);

    if (!is_new)
        return &g->rows[*index];
    *index = g->n;
    g->rows = arena_grow(g->arena, g->rows, g->n, &g->cap, sizeof(*g->rows));
    g->rows[g->n] = (struct error_row){.fn = *at->origin->fn,
                                       .fn_id = at->fn_id,
                                       .outcome = at->outcome,
                                       .error_type = at->error_type,
                                       .first_ns = at->start_ns,
                                       .last_ns = INT64_MIN};
    return &g->rows[g->n++];
}

static void add_to_group(struct groups *g, const struct attempt *at)
{
    struct error_row *row = group_of(g, at);

    row->count++;
    row->first_ns = at->start_ns < row->first_ns ? at->start_ns : row->first_ns;
    if (at->start_ns < row->last_ns)
        return;
    row->last_ns = at->start_ns;
    row->sample_id = at->id;
    row->sample = at->text.n > 0 ? at->text : sample_of_figures(g->arena, at);
}

/* Each kind's further attempts count for its first group. */
static void add_overflow(struct groups *g, struct map *overflow)
{
    for (size_t i = 0; i < g->n; i++) {
        struct error_row *row = &g->rows[i];
        struct str key = kind_key(g->arena, row->fn_id, row->outcome, row->error_type);
        uint64_t *more = map_get(overflow, key);
        if (more == NULL)
            continue;
        row->count += *more;
        *more = 0;
    }
}

static int compare_groups(const void *a, const void *b)
{
    const struct error_row *x = a, *y = b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    if (x->fn_id != y->fn_id)
        return x->fn_id < y->fn_id ? -1 : 1;
    if (x->outcome != y->outcome)
        return x->outcome < y->outcome ? -1 : 1;
    int c = str_cmp(x->error_type, y->error_type);
    return c != 0 ? c : str_cmp(x->sample, y->sample);
}

static void make_groups(struct groups *g, struct attempts *all)
{
    for (size_t i = 0; i < all->n; i++)
        add_to_group(g, &all->rows[i]);
    add_overflow(g, &all->overflow);
    map_clear(&g->index);
    if (g->n > 1)
        qsort(g->rows, g->n, sizeof(*g->rows), compare_groups);
}

enum status request_errors(struct store *s, const struct error_request *want, struct arena *a,
                           struct error_rows *out, struct err *e)
{
    struct attempts all = {.arena = a};
    struct groups g = {.arena = a};
    struct inv_request q = {.range = want->range, .fn = want->fn, .fn_id = want->fn_id};

    for (int i = 0; i < OUTCOMES; i++)
        if (is_failed((enum outcome)i))
            q.outcome_mask |= 1u << i;
    enum status status = request_scan(s, &q, add_attempt, &all, e);
    if (status == OK)
        status = find_messages(s, want, &all, e);
    if (status == OK) {
        make_groups(&g, &all);
        out->rows = arena_grow(a, g.rows, g.n, &g.cap, sizeof(*g.rows));
        out->n = want->limit > 0 && g.n > want->limit ? want->limit : g.n;
    }
    map_clear(&all.overflow);
    return status;
}
