/* The way past what cannot be read in CloudWatch JSON: a value that is no event, text without
 * structure, an event larger than a decoder may wait for. Each is one quarantine row with its
 * place, however many pieces it comes in; reading goes on behind it. */
#include <assert.h>
#include <string.h>

#include "collector/aws/cloudwatch_json.h"

struct str cw_rest_of(const struct cw_walker *w)
{
    return (struct str){w->p, (size_t)(w->end - w->p)};
}

uint64_t cw_offset_of(const struct cw_walker *w, const char *p)
{
    return w->in->offset + (uint64_t)(p - w->in->bytes.p);
}

static void quarantine(struct cw_walker *w, uint64_t offset, struct str raw, uint64_t bytes,
                       const char *why)
{
    struct arena *a = &w->out->arena;

    if (bytes > PENDING_MAX_BYTES)
        why = arena_strz(a, arena_printf(a, "%s (%llu bytes)", why, (unsigned long long)bytes));
    event_quarantine(&w->s->maker, w->in, &(struct decode_mark){.offset = offset}, raw, why,
                     w->out);
}

static void quarantine_to(struct cw_walker *w, const char *stop, const char *why)
{
    struct str raw = {w->p, (size_t)(stop - w->p)};

    assert(stop >= w->p && stop <= w->end);
    w->s->maker.n_events++;
    w->s->is_end_told = w->in->is_last && stop == w->end;
    if (!w->in->is_damaged || stop < w->end)
        quarantine(w, cw_offset_of(w, w->p), raw, raw.n, why);
    w->p = stop;
}

/* --- what goes on in the next
 * -------------------------------------------------------------------------------
 */

static void pass_to(struct cw_walker *w, const char *stop)
{
    struct cw_passed *d = &w->s->passed;
    struct str part = {w->p, (size_t)(stop - w->p)};

    if (d->head.n < BATCH_MAX_RAW)
        buf_add_str(&d->head, str_sub(part, 0, BATCH_MAX_RAW - d->head.n));
    d->bytes += part.n;
    w->p = stop;
}

/* Up to the value's own end; the next event or document ends it too, since the brackets of a bad
 * value cannot be trusted. What may be the begin of one stays for the next piece. */
void cw_pass_on(struct cw_walker *w)
{
    struct cw_passed *d = &w->s->passed;
    /* The value's own first brace is not the next event. */
    const char *from = w->p + (d->bytes == 0 && w->p < w->end);
    const char *next = shape_next_object(from, w->end);
    const char *cut = next == NULL && !w->in->is_last ? shape_cut_object(from, w->end) : NULL;
    const char *stop = next != NULL ? next : cut != NULL ? cut : w->end;
    const char *own_end = d->is_value ? shape_value_goes_on(&d->place, w->p, stop) : NULL;

    assert(d->is_open);
    if (own_end != NULL)
        stop = own_end;
    pass_to(w, stop);
    d->is_open = own_end == NULL && next == NULL && !w->in->is_last;
    if (!d->is_open)
        quarantine(w, d->offset, buf_str(&d->head), d->bytes, d->why);
}

/* Behind `"name":`, or p where there is no name. */
static const char *value_of_member(const char *p, const char *end)
{
    const char *v = *p == '"' ? shape_value_end(p, end) : NULL;

    if (v == NULL)
        return p;
    while (v < end && (shape_is_space(*v) || *v == ':'))
        v++;
    return v;
}

static enum cw_step begin_passing(struct cw_walker *w, const char *why, bool is_value)
{
    struct cw_passed *d = &w->s->passed;

    d->place = (struct shape_place){0};
    d->offset = cw_offset_of(w, w->p);
    d->bytes = 0;
    d->why = why;
    d->is_open = true;
    d->is_value = is_value;
    buf_clear(&d->head);
    buf_init(&d->head, BATCH_MAX_RAW);
    w->s->maker.n_events++;
    if (is_value && w->s->mode == CW_DOCUMENT)
        pass_to(w, value_of_member(w->p, w->end));
    cw_pass_on(w);
    return CW_ON;
}

/* --- one value
 * ----------------------------------------------------------------------------------------------
 */

enum cw_step cw_pass_rubbish(struct cw_walker *w, const char *why)
{
    const char *next = shape_next_object(w->p, w->end);

    if (next == NULL && !w->in->is_last)
        return begin_passing(w, why, false);
    quarantine_to(w, next != NULL ? next : w->end, why);
    return CW_ON;
}

static bool begins_value(char c)
{
    return c == '"' || c == '[' || c == '{' || c == '-' || (c >= '0' && c <= '9') || c == 't' ||
           c == 'f' || c == 'n';
}

enum cw_step cw_reject(struct cw_walker *w, const char *why)
{
    if (!begins_value(*w->p))
        return cw_pass_rubbish(w, why);
    const char *own_end =
        w->s->mode == CW_DOCUMENT ? shape_member_end(w->p, w->end) : shape_value_end(w->p, w->end);
    const char *next = shape_next_object(w->p + 1, w->end);
    const char *stop = own_end == NULL || (next != NULL && next < own_end) ? next : own_end;

    if (stop == NULL && !w->in->is_last)
        return cw_rest_of(w).n < PENDING_MAX_BYTES ? CW_WAIT : begin_passing(w, why, true);
    stop = stop == NULL ? w->end : stop > w->p ? stop : w->p + 1;
    quarantine_to(w, stop, why);
    return CW_ON;
}

/* Where the reader stopped at the end of the bytes, the value may go on in the next piece; eight
 * bytes are more than an escape, a word or a code point needs. */
enum cw_step cw_reject_or_wait(struct cw_walker *w, const struct jp *j)
{
    assert(j->p >= w->p && j->p <= w->end);
    bool is_cut = j->end - j->p < 8;

    if (is_cut && !w->in->is_last && cw_rest_of(w).n < PENDING_MAX_BYTES)
        return CW_WAIT;
    return cw_reject(w, is_cut && w->in->is_last ? "the text ends inside an event"
                        : is_cut                 ? "an event longer than 8 MB was passed over"
                        : j->error != NULL       ? j->error
                                                 : "a value of the wrong type");
}
