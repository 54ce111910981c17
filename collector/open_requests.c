/* The few requests that have begun and not ended. */
#include "collector/open_requests.h"

#include <assert.h>
#include <string.h>

#include "core/base/clock.h"

#define LONGEST_RUN_NS (2 * NS_PER_HOUR) /* the longest timeout a function can have is 5,400 s */

static struct str id_of(const struct open_request *r)
{
    return (struct str){r->id, sizeof(r->id)};
}

static uint64_t stream_of(const struct log_record *r)
{
    return r->origin->instance.n > 0 ? str_hash(r->origin->instance, 0) : 0;
}

static void remove_at(struct open_requests *o, size_t i)
{
    assert(i < o->n);
    o->rows[i] = o->rows[--o->n];
}

static void close_request(struct open_requests *o, const struct log_record *r)
{
    for (size_t i = 0; i < o->n; i++)
        if (str_eq(id_of(&o->rows[i]), r->invocation_id)) {
            remove_at(o, i);
            return;
        }
}

/* --- whether the file is in order
 * ------------------------------------------------------------------------------------------------
 */

static uint8_t *mark_of(struct open_requests *o, uint64_t id)
{
    return &o->n_marked[id % MET_MARKS];
}

/* From the last one on: an END stands near its START. */
static struct met_request *find_met(struct open_requests *o, uint64_t id)
{
    const uint64_t first = o->n_met < MET_REQUESTS_MAX ? 0 : o->n_met - MET_REQUESTS_MAX;

    if (*mark_of(o, id) == 0)
        return NULL;
    for (uint64_t i = o->n_met; i-- > first;)
        if (o->met[i % MET_REQUESTS_MAX].id == id)
            return &o->met[i % MET_REQUESTS_MAX];
    return NULL;
}

/* In the place of the oldest. */
static struct met_request *add_met(struct open_requests *o, uint64_t id, int64_t t_ns)
{
    struct met_request *m = &o->met[o->n_met % MET_REQUESTS_MAX];

    if (o->n_met++ >= MET_REQUESTS_MAX)
        --*mark_of(o, m->id);
    ++*mark_of(o, id);
    *m = (struct met_request){.id = id, .end_ns = t_ns};
    return m;
}

static void meet(struct open_requests *o, const struct log_record *r, bool is_start)
{
    const uint64_t id = str_hash(r->invocation_id, 0);
    struct met_request *m = find_met(o, id);

    if (m == NULL)
        m = add_met(o, id, r->time_ns);
    else if (is_start && !m->has_begun && r->time_ns <= m->end_ns)
        o->is_unordered = true;
    m->has_begun |= is_start;
}

/* --- what is open
 * ------------------------------------------------------------------------------------------------
 */

static bool is_over(const struct open_request *row, const struct open_request *next)
{
    return row->start_ns < next->start_ns - LONGEST_RUN_NS ||
           (row->stream != 0 && row->stream == next->stream); /* one runs at a time */
}

/* Requests whose end is missing in the file do not stay open for ever. */
static void drop_old(struct open_requests *o, const struct open_request *next)
{
    for (size_t i = o->n; i-- > 0;)
        if (o->n == OPEN_REQUESTS_MAX || is_over(&o->rows[i], next))
            remove_at(o, i);
}

static void open_request(struct open_requests *o, const struct log_record *r)
{
    if (r->invocation_id.n != OPEN_ID_LENGTH)
        return;
    close_request(o, r);
    struct open_request row = {
        .stream = stream_of(r), .start_ns = r->time_ns, .is_time_borrowed = r->is_time_borrowed};
    memcpy(row.id, r->invocation_id.p, OPEN_ID_LENGTH);
    drop_old(o, &row);
    o->rows[o->n++] = row;
}

static bool has_begun(const struct open_request *row, const struct log_record *r)
{
    return row->is_time_borrowed || r->is_time_borrowed || row->start_ns <= r->time_ns;
}

/* The only one that is open in the record's stream; NULL: none or several. */
static const struct open_request *only_open(const struct open_requests *o,
                                            const struct log_record *r)
{
    const uint64_t stream = stream_of(r);
    const struct open_request *found = NULL;

    for (size_t i = 0; i < o->n; i++) {
        const struct open_request *row = &o->rows[i];
        if (row->stream != stream || !has_begun(row, r))
            continue;
        if (found != NULL)
            return NULL;
        found = row;
    }
    return found;
}

/* Times decide where they can: in the instant of a START they cannot, nor, without a stream, in
 * whole seconds. */
static bool needs_order(const struct open_requests *o, const struct open_request *row,
                        const struct log_record *r)
{
    if (row->is_time_borrowed || r->is_time_borrowed)
        return true;
    return !o->is_unordered &&
           (r->time_ns == row->start_ns || (row->stream == 0 && r->time_ns % NS_PER_SEC == 0));
}

static void give(const struct open_requests *o, struct log_record *r, struct arena *a)
{
    const struct open_request *row = only_open(o, r);

    if (row != NULL && needs_order(o, row, r))
        r->invocation_id = arena_str(a, id_of(row));
}

void open_requests_hear(struct open_requests *o, struct log_record *r, struct arena *a)
{
    const bool is_start = r->platform != NULL && r->platform->kind == PLATFORM_START;
    const bool is_end = r->platform != NULL &&
                        (r->platform->kind == PLATFORM_END || r->platform->kind == PLATFORM_REPORT);

    if ((is_start || is_end) && !r->is_time_borrowed)
        meet(o, r, is_start);
    if (is_start)
        open_request(o, r);
    else if (is_end)
        close_request(o, r);
    else if (r->kind == RECORD_APP && r->invocation_id.n == 0 && o->n > 0)
        give(o, r, a);
}
