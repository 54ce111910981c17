/* Errors by fingerprint: failed attempts of one function, outcome, error type and folded message.
 * The message is the first error line of the newest attempt of the group. */
#include <stdlib.h>
#include <string.h>

#include "core/base/timefmt.h"
#include "core/model/log_text.h"
#include "core/store/store_private.h"

#define SAMPLE_BYTES ((size_t)400)

struct group {
    struct error_row row;
    struct str instance; /* of the newest attempt, to fetch its message */
    int64_t start_ns, end_ns, duration_ns;
    uint64_t memory_bytes, used_bytes;
};

struct groups {
    struct store *store;
    struct arena *arena;
    struct map index;
    struct group *rows;
    size_t n, cap;
};

static bool is_failed(enum outcome o)
{
    return o != OUTCOME_OK && o != OUTCOME_UNKNOWN;
}

static enum status add_attempt(void *ctx, uint32_t fn_id, const struct invocation *inv,
                               struct err *e)
{
    struct groups *g = ctx;
    bool is_new;

    UNUSED(e);
    if (!is_failed(inv->outcome))
        return OK;
    struct str key = arena_printf(g->arena, "%u/%d/" STR_FMT, fn_id, (int)inv->outcome,
                                  STR_ARG(inv->error_type));
    uint64_t *at = map_put(&g->index, key, &is_new);
    if (is_new) {
        *at = g->n;
        g->rows = arena_grow(g->arena, g->rows, g->n, &g->cap, sizeof(*g->rows));
        g->rows[g->n++] = (struct group){.row = {.fn = *inv->origin->fn,
                                                 .fn_id = fn_id,
                                                 .outcome = inv->outcome,
                                                 .error_type = inv->error_type,
                                                 .first_ns = inv->start_ns,
                                                 .last_ns = INT64_MIN}};
    }
    struct group *group = &g->rows[*at];
    group->row.count++;
    group->row.first_ns = inv->start_ns < group->row.first_ns ? inv->start_ns : group->row.first_ns;
    if (inv->start_ns < group->row.last_ns)
        return OK;
    group->row.last_ns = inv->start_ns;
    group->row.sample_id = arena_str(g->arena, inv->id);
    group->instance = inv->origin->instance;
    group->start_ns = inv->start_ns;
    group->duration_ns = inv->duration_ns;
    group->memory_bytes = inv->memory_bytes;
    group->used_bytes = inv->max_memory_bytes;
    group->end_ns = inv->start_ns + inv->duration_ns + inv->init_ns + NS_PER_SEC;
    return OK;
}

struct sample {
    struct arena *arena;
    struct str text;
    enum severity severity;
};

/* The line that says most: the first one of the highest level, application lines before platform
 * lines. An error object that a runtime prints without a level is an error. */
static enum status better_line(void *ctx, const struct log_line *line, struct err *e)
{
    struct sample *s = ctx;
    bool is_error = str_find(line->body, STR("\"errorMessage\"")) < line->body.n;
    enum severity severity =
        is_error && line->severity < SEVERITY_ERROR ? SEVERITY_ERROR : line->severity;

    UNUSED(e);
    if (line->kind == RECORD_PLATFORM || severity <= s->severity)
        return OK;
    s->severity = severity;
    s->text = log_headline(line->body, s->arena);
    s->text = str_sub(s->text, 0, SAMPLE_BYTES);
    return OK;
}

/* What the platform's figures say where no line says it. */
static struct str sample_of_figures(struct arena *a, const struct group *g)
{
    AUTO(buf_clear) struct buf took = {.max = 64};

    if (g->row.outcome == OUTCOME_OOM && g->memory_bytes > 0)
        return arena_printf(a, "used %llu of %llu MB", (unsigned long long)(g->used_bytes >> 20),
                            (unsigned long long)(g->memory_bytes >> 20));
    if (g->row.outcome != OUTCOME_TIMEOUT || g->duration_ns <= 0)
        return (struct str){0};
    duration_format(&took, g->duration_ns);
    return arena_printf(a, "stopped after %s", took.p);
}

/* "TypeError: no such thing": the type stands beside. */
static struct str without_type(struct str text, struct str type)
{
    size_t n = type.n;

    if (n > 0 && str_starts(text, type) && str_starts(str_skip(text, n), STR(": ")))
        return str_skip(text, n + 2);
    return text;
}

static enum status fill_sample(struct groups *g, struct group *group, struct err *e)
{
    struct sample sample = {.arena = g->arena, .severity = SEVERITY_WARN};
    struct log_request q = {.range = {group->start_ns, group->end_ns},
                            .fn_id = group->row.fn_id,
                            .instance = group->instance,
                            .invocation_id = group->row.sample_id};
    enum status s = request_logs(g->store, &q, better_line, &sample, e);

    group->row.sample = sample.text.n > 0 ? without_type(sample.text, group->row.error_type)
                                          : sample_of_figures(g->arena, group);
    return s;
}

static int compare_groups(const void *a, const void *b)
{
    const struct group *x = a, *y = b;

    if (x->row.count != y->row.count)
        return x->row.count > y->row.count ? -1 : 1;
    if (x->row.fn_id != y->row.fn_id)
        return x->row.fn_id < y->row.fn_id ? -1 : 1;
    if (x->row.outcome != y->row.outcome)
        return x->row.outcome < y->row.outcome ? -1 : 1;
    return str_cmp(x->row.error_type, y->row.error_type);
}

enum status request_errors(struct store *s, const struct error_request *want, struct arena *a,
                           struct error_rows *out, struct err *e)
{
    struct groups g = {.store = s, .arena = a};
    struct inv_request q = {.range = want->range, .fn = want->fn, .fn_id = want->fn_id};

    for (int i = 0; i < OUTCOMES; i++)
        if (is_failed((enum outcome)i))
            q.outcome_mask |= 1u << i;
    enum status status = request_scan(s, &q, add_attempt, &g, e);
    map_clear(&g.index);
    if (status != OK)
        return status;
    if (g.n > 1)
        qsort(g.rows, g.n, sizeof(*g.rows), compare_groups);
    struct error_rows rows = {.n = want->limit > 0 && g.n > want->limit ? want->limit : g.n};
    rows.rows = arena_new(a, struct error_row, rows.n + 1);
    for (size_t i = 0; status == OK && i < rows.n; i++) {
        status = fill_sample(&g, &g.rows[i], e);
        rows.rows[i] = g.rows[i].row;
    }
    if (status == OK)
        *out = rows;
    return status;
}
