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

static void remove_at(struct open_requests *o, size_t i)
{
    assert(i < o->n);
    o->rows[i] = o->rows[--o->n];
}

static void close_request(struct open_requests *o, struct str id)
{
    for (size_t i = 0; i < o->n; i++)
        if (str_eq(id_of(&o->rows[i]), id)) {
            remove_at(o, i);
            return;
        }
}

/* Requests whose end is missing in the file do not stay open for ever. */
static void drop_old(struct open_requests *o, int64_t now_ns)
{
    for (size_t i = o->n; i-- > 0;)
        if (o->rows[i].start_ns < now_ns - LONGEST_RUN_NS || o->n == OPEN_REQUESTS_MAX)
            remove_at(o, i);
}

static void open_request(struct open_requests *o, struct str id, int64_t now_ns)
{
    if (id.n != OPEN_ID_LENGTH)
        return;
    close_request(o, id);
    drop_old(o, now_ns);
    struct open_request *r = &o->rows[o->n++];
    memcpy(r->id, id.p, id.n);
    r->start_ns = now_ns;
}

void open_requests_hear(struct open_requests *o, struct log_record *r, struct arena *a)
{
    if (r->origin->instance.n > 0)
        return;
    if (r->platform != NULL && r->platform->kind == PLATFORM_START)
        open_request(o, r->invocation_id, r->time_ns);
    else if (r->platform != NULL &&
             (r->platform->kind == PLATFORM_END || r->platform->kind == PLATFORM_REPORT))
        close_request(o, r->invocation_id);
    else if (r->kind == RECORD_APP && r->invocation_id.n == 0 && o->n == 1)
        r->invocation_id = arena_str(a, id_of(&o->rows[0]));
}
