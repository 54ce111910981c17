/* Which request each of a few lines is of: the lines around them are heard, near ones first. */
#include <stdlib.h>

#include "core/store/line_owner.h"

/* A line that is asked about. Lines that are alike take their owners in the order they are heard.
 */
struct asked {
    struct line_at *line;
    size_t n_heard; /* of those alike, which begin here */
    bool is_sure;
};

struct lookup {
    struct store *store;
    struct asked *asked; /* by time, stream and text */
    size_t n, at;        /* at: the first that is not before the line heard last */
    struct line_owners owners;
    struct arena *keep;
};

static int compare_lines(const struct line_at *x, const struct line_at *y)
{
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    if (x->origin != y->origin)
        return (uintptr_t)x->origin < (uintptr_t)y->origin ? -1 : 1;
    return str_cmp(x->body, y->body);
}

static int compare_asked(const void *a, const void *b)
{
    return compare_lines(((const struct asked *)a)->line, ((const struct asked *)b)->line);
}

/* The next one that is like the line; NULL: nobody asks. */
static struct asked *find_asked(struct lookup *k, const struct log_line *l)
{
    const struct line_at heard = {.time_ns = l->time_ns, .origin = l->origin, .body = l->body};
    size_t low = 0, high = k->n;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (compare_lines(k->asked[mid].line, &heard) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == k->n)
        return NULL;
    const size_t i = low + k->asked[low].n_heard;
    if (i >= k->n || compare_lines(k->asked[i].line, &heard) != 0)
        return NULL;
    k->asked[low].n_heard++;
    return &k->asked[i];
}

static enum status hear(void *ctx, const struct log_line *l, struct err *e)
{
    struct lookup *k = ctx;
    struct asked *q = find_asked(k, l);

    line_owners_hear(&k->owners, l, q ? &q->line->owner : NULL, k->keep);
    if (q)
        q->is_sure = line_owners_is_sure(&k->owners, l->origin) &&
                     (l->invocation_id.n == 0 || str_eq(l->invocation_id, q->line->owner));
    if (k->owners.failure.code != OK && e)
        *e = k->owners.failure;
    return k->owners.failure.code;
}

/* Lines whose surroundings meet are heard in one pass. */
static size_t end_of_window(const struct lookup *k, size_t from, int64_t lead_ns)
{
    size_t i = from + 1;

    while (i < k->n && k->asked[i].line->time_ns - lead_ns <=
                           k->asked[i - 1].line->time_ns + LINE_OWNER_TAIL_NS)
        i++;
    return i;
}

/* Of one function where all are of one. */
static uint32_t fn_of_all(const struct asked *asked, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (asked[i].line->fn_id != asked[0].line->fn_id)
            return 0;
    return asked[0].line->fn_id;
}

static enum status hear_window(struct lookup *k, size_t from, size_t to, int64_t lead_ns,
                               struct err *e)
{
    AUTO(arena_clear) struct arena tracks = {0};
    const struct log_request lines = {
        .range = {k->asked[from].line->time_ns - lead_ns,
                  k->asked[to - 1].line->time_ns + LINE_OWNER_TAIL_NS + 1},
        .fn_id = fn_of_all(k->asked + from, to - from)};

    line_owners_init(&k->owners, k->store, &tracks);
    const enum status status = request_logs(k->store, &lines, hear, k, e);
    line_owners_clear(&k->owners);
    return status;
}

static enum status hear_all(struct lookup *k, int64_t lead_ns, struct err *e)
{
    enum status status = OK;

    for (size_t i = 0, end = 0; status == OK && i < k->n; i = end) {
        end = end_of_window(k, i, lead_ns);
        status = hear_window(k, i, end, lead_ns, e);
    }
    return status;
}

/* Keeps those whose owner is not sure yet. */
static void drop_sure(struct lookup *k)
{
    size_t n = 0;

    for (size_t i = 0; i < k->n; i++)
        if (!k->asked[i].is_sure)
            k->asked[n++] = (struct asked){.line = k->asked[i].line};
    k->n = n;
}

enum status request_line_owners(struct store *s, struct line_at *lines, size_t n, struct arena *a,
                                struct err *e)
{
    AUTO(arena_clear) struct arena own = {0};
    struct lookup k = {.store = s, .n = n, .keep = a};

    if (n == 0)
        return OK;
    k.asked = arena_new(&own, struct asked, n);
    for (size_t i = 0; i < n; i++) {
        lines[i].owner = (struct str){0};
        k.asked[i] = (struct asked){.line = &lines[i]};
    }
    qsort(k.asked, n, sizeof(*k.asked), compare_asked);
    enum status status = hear_all(&k, LINE_OWNER_NEAR_NS, e);
    drop_sure(&k);
    return status == OK && k.n > 0 ? hear_all(&k, LINE_OWNER_LEAD_NS, e) : status;
}
