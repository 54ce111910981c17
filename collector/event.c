/* From one raw event of any file format to one record: origin, valid text, identity, decoding.
 * Identity: with an id of the provider, hash(stream, id); without, hash(stream, time, text, k), k
 * counting equal events within one run of equal times, so that genuine twins are both kept and
 * reading again gives the same numbers. Where times go back and forth, as threads write them, the
 * last few hundred events count too. Without a time either it is hash(stream, text, chain), the
 * chain being of all events before in the file: it stays when the file grows, and files that begin
 * alike share what is alike up to their first difference, nothing behind it. A REPORT begins the
 * chain anew, being one of its kind: what follows it is known again in a file whose head is gone.
 * Hot path: no allocation for known origins. */
#include "collector/event.h"

#include <assert.h>
#include <string.h>

#include "collector/aws/aws.h"
#include "collector/stand_in.h"
#include "collector/whereabouts.h"
#include "core/base/jsonpull.h"
#include "core/base/timefmt.h"
#include "core/base/utf8.h"
#include "core/model/arrival.h"
#include "core/model/log_group.h"

/* Lambda and CloudWatch Logs began in 2014; a time far off would open a day file of its own. */
#define EARLIEST_NS (INT64_C(1262304000) * NS_PER_SEC) /* 2010-01-01 */
#define LATEST_NS   (INT64_C(4102444800) * NS_PER_SEC) /* 2100-01-01 */

enum {
    SEED_WITH_ID = 0x6964,
    SEED_WITH_TIME = 0x74696d65,
    SEED_WITH_PLACE = 0x706c6163,
    SEED_OF_REPORT = 0x7265706f,
    RUN_KEEP = 1024, /* slots kept from run to run */
};

void event_quarantine(const struct event_maker *m, const struct decode_input *in,
                      const struct decode_mark *at, struct str raw, const char *reason,
                      struct batch *out)
{
    struct str file = in->path;

    assert(reason != NULL);
    if (at->line > 0)
        file = arena_printf(&out->arena, STR_FMT ":%llu", STR_ARG(in->path),
                            (unsigned long long)at->line);
    struct str place =
        arena_printf(&out->arena, STR_FMT ": byte %llu, event %llu", STR_ARG(file),
                     (unsigned long long)at->offset, (unsigned long long)m->n_events);
    batch_quarantine(out, place, str_from(reason), raw);
}

bool event_is_whole(struct str body, struct batch *out)
{
    struct jp j;

    jp_init(&j, str_trim_right(body), &out->arena);
    return str_starts(body, STR("{")) && jp_skip(&j) && jp_at_end(&j);
}

/* --- origin
 * -----------------------------------------------------------------------------------------------
 */

static struct str first_of(struct str a, struct str b)
{
    return a.n > 0 ? a : b;
}

static struct event_views copy_views(struct arena *a, const struct raw_event *ev)
{
    return (struct event_views){
        .stream = arena_str(a, ev->stream),
        .log_group = arena_str(a, ev->log_group),
        .account = arena_str(a, ev->account),
        .region = arena_str(a, ev->region),
        .function = arena_str(a, ev->function),
    };
}

/* What the data says comes first, then what the person said. */
static struct origin make_origin(const struct import_defaults *d, const struct event_views *said,
                                 struct arena *a)
{
    struct origin o = {
        .log_group = first_of(said->log_group, d->log_group),
        .instance = first_of(said->stream, d->instance),
    };
    struct fn_ref fn = {
        .provider = d->provider != PROVIDER_UNKNOWN ? d->provider : PROVIDER_AWS,
        .account = first_of(said->account, d->account),
        .region = first_of(said->region, d->region),
        .name = said->function,
    };
    struct str function = {0}, environment;

    if (aws_stream_parse(o.instance, &function, &o.version, &environment))
        fn.name = first_of(function, fn.name); /* a shared group's name is no function's */
    if (function.n == 0)
        fn.name = first_of(aws_group_function(said->log_group), fn.name);
    fn.name = first_of(fn.name, d->function);
    fn.name = first_of(fn.name, aws_group_function(d->log_group));
    fn.name = first_of(fn.name, STR("unknown"));
    if (d->whereabouts != NULL && !whereabouts_fill(d->whereabouts, &fn)) {
        fn.region = first_of(fn.region, d->nearby_region);
        fn.account = first_of(fn.account, d->nearby_account);
    }
    if (d->book != NULL)
        fn_book_settle(d->book, &fn);
    o.fn = fn_copy(a, &fn);
    o.hash = origin_hash(&o);
    return o;
}

static uint64_t eight_bytes(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* By what tells streams apart: how they begin and how they end. Others of one slot are told apart
 * all the same. */
static struct origin_slot **slot_of(struct event_maker *m, struct str stream)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);

    if (stream.n < 2 * sizeof(uint64_t))
        return &m->cache[str_hash(stream, 0) % ORIGIN_CACHE];
    const char *end = stream.p + stream.n;
    uint64_t v = (eight_bytes(end - 16) ^ eight_bytes(stream.p)) * odd ^ eight_bytes(end - 8);
    return &m->cache[(v * odd >> 48) % ORIGIN_CACHE];
}

static bool is_same_view(struct str a, struct str b)
{
    return a.p == b.p && a.n == b.n;
}

/* Most events repeat the views of the one before. */
static bool is_last_slot(const struct event_maker *m, const struct raw_event *ev)
{
    const struct event_views *v = &m->last_said;

    return m->last != NULL && m->last->batch == m->n_batches &&
           is_same_view(v->stream, ev->stream) && is_same_view(v->log_group, ev->log_group) &&
           is_same_view(v->account, ev->account) && is_same_view(v->region, ev->region) &&
           is_same_view(v->function, ev->function);
}

static bool is_slot_of(const struct origin_slot *slot, const struct raw_event *ev)
{
    const struct event_views *v = &slot->said;

    return str_eq(v->stream, ev->stream) && str_eq(v->log_group, ev->log_group) &&
           str_eq(v->account, ev->account) && str_eq(v->region, ev->region) &&
           str_eq(v->function, ev->function);
}

void event_maker_meet(struct event_maker *m, const struct batch *b)
{
    if (m->batch == b && b->origins.count > 0)
        return;
    m->n_batches++;
    m->batch = b;
    m->before.start = NULL;
}

void event_maker_forget_views(struct event_maker *m)
{
    m->last = NULL;
}

/* Streams come and go. */
static void forget_origins(struct event_maker *m)
{
    enum { MOST_BYTES = 1 << 20 };

    if (m->origins.used_bytes < MOST_BYTES)
        return;
    memset(m->cache, 0, sizeof(m->cache));
    arena_reset(&m->origins);
}

/* A slot that holds another stream is taken over. */
static struct origin_slot *fill_slot(struct event_maker *m, struct origin_slot *slot,
                                     const struct import_defaults *d, const struct raw_event *ev)
{
    if (slot == NULL)
        slot = arena_alloc(&m->origins, sizeof(*slot));
    *slot = (struct origin_slot){.said = copy_views(&m->origins, ev)};
    slot->known = make_origin(d, &slot->said, &m->origins);
    slot->n_adopted = d->book != NULL ? d->book->n_adopted : 0;
    return slot;
}

static struct origin_slot *find_origin(struct event_maker *m, const struct import_defaults *d,
                                       const struct raw_event *ev, struct batch *out)
{
    const uint64_t n_adopted = d->book != NULL ? d->book->n_adopted : 0;

    event_maker_meet(m, out);
    if (is_last_slot(m, ev))
        return m->last;
    struct origin_slot **at = slot_of(m, ev->stream), *slot = *at;
    const bool is_old = slot != NULL && slot->batch != m->n_batches && slot->n_adopted != n_adopted;
    if (slot == NULL || is_old || !is_slot_of(slot, ev)) {
        forget_origins(m);
        slot = fill_slot(m, *at, d, ev);
        *at = slot;
    }
    if (slot->batch != m->n_batches)
        slot->origin = batch_origin_again(out, &slot->known);
    slot->batch = m->n_batches;
    m->last = slot;
    m->last_said =
        (struct event_views){ev->stream, ev->log_group, ev->account, ev->region, ev->function};
    return slot;
}

/* --- text
 * -------------------------------------------------------------------------------------------------
 */

/* A copy with U+FFFD for every byte that is no UTF-8. */
static struct str replace_invalid(struct arena *a, struct str s)
{
    char *copy = arena_alloc(a, s.n * 3 + 1);
    size_t n = 0;
    uint32_t cp;

    while (s.n > 0) {
        size_t used = utf8_next(s, &cp);
        n += utf8_put(cp, copy + n);
        s = str_skip(s, used);
    }
    return (struct str){copy, n};
}

static struct str cut_line_end(struct str s)
{
    while (s.n > 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
        s.n--;
    return s;
}

/* At most EVENT_MAX_BYTES, ending at a code point. */
static struct str cut_long(struct str s)
{
    assert(s.n > EVENT_MAX_BYTES);
    size_t n = EVENT_MAX_BYTES;
    while (n > EVENT_MAX_BYTES - 4 && ((unsigned char)s.p[n] & 0xC0u) == 0x80u)
        n--;
    return str_sub(s, 0, n);
}

static struct str make_body(const struct event_maker *m, const struct decode_input *in,
                            const struct raw_event *ev, struct batch *out)
{
    struct str body = cut_line_end(ev->body);

    if (body.n > EVENT_MAX_BYTES) {
        event_quarantine(m, in, &ev->mark, body, "an event longer than 1 MB was cut", out);
        body = cut_long(body);
    }
    if (!ev->is_valid_utf8 && !utf8_is_valid(body)) {
        out->counts.invalid_utf8++;
        body = replace_invalid(&out->arena, body);
    }
    return body;
}

/* --- identity
 * ---------------------------------------------------------------------------------------------- */

static void start_run(struct event_maker *m, const struct raw_event *ev)
{
    m->run_time_ns = ev->time_ns;
    m->run_mark = ev->mark;
    m->is_back = m->is_started && ev->time_ns <= m->newest_ns;
    if (!m->is_back)
        m->newest_ns = ev->time_ns;
    m->is_started = true;
    m->n_run_few = 0;
    if (m->run.cap > RUN_KEEP)
        idmap_clear(&m->run);
    else if (m->run.count > 0)
        idmap_reset(&m->run);
}

static uint64_t count_recent(const struct event_maker *m, uint64_t id)
{
    const size_t kept = m->n_recent < EVENTS_RECENT ? (size_t)m->n_recent : EVENTS_RECENT;
    uint64_t n = 0;

    for (size_t i = 0; i < kept; i++)
        n += m->recent[i] == id;
    return n;
}

/* A time that comes back: its events may have twins in an earlier run. */
static uint64_t count_twins_back(struct event_maker *m, uint64_t id)
{
    bool is_new;
    uint64_t *n = idmap_put(&m->run, id, &is_new);

    if (is_new)
        *n = count_recent(m, id);
    return (*n)++;
}

/* Mostly one or two events are of one time. */
static uint64_t count_twins_of_few(struct event_maker *m, uint64_t id)
{
    uint64_t n = 0;

    for (size_t i = 0; i < m->n_run_few; i++)
        n += m->run_few[i] == id;
    m->run_few[m->n_run_few++] = id;
    return n;
}

/* How many events of this identity the run had before. */
static uint64_t count_twins(struct event_maker *m, uint64_t id)
{
    if (m->is_back)
        return count_twins_back(m, id);
    if (m->n_run_few < EVENTS_FEW)
        return count_twins_of_few(m, id);
    if (m->run.count == 0)
        for (size_t i = 0; i < EVENTS_FEW; i++)
            ++*idmap_put(&m->run, m->run_few[i], NULL);
    return (*idmap_put(&m->run, id, NULL))++;
}

/* What names the environment. A Lambda stream's 32 hex digits do so alone, and must: exports of one
 * log in different formats may know its group or not, and are to be counted once. Where neither is
 * known it is the function: two of them may print the same text at the same time. */
static uint64_t hash_place(struct origin_slot *slot, const struct raw_event *ev)
{
    const struct origin *o = slot->origin;
    uint64_t seed = ev->event_id.n > 0 ? SEED_WITH_ID
                    : ev->has_time     ? SEED_WITH_TIME
                                       : SEED_WITH_PLACE;
    if (slot->place_seed != seed) {
        slot->place_seed = seed;
        slot->place = o->version.n == 0 ? str_hash(o->log_group, seed) : seed;
        bool is_nameless = o->instance.n == 0 && o->log_group.n == 0;
        const struct fn_ref *born = fn_born(o->fn);
        slot->place = str_hash(is_nameless ? born->name : o->instance, slot->place);
        if (is_nameless)
            slot->place = str_hash(born->region, str_hash(born->account, slot->place));
    }
    return slot->place;
}

/* Of every event: ids are well mixed already. */
static uint64_t chain_on(uint64_t chain, uint64_t id)
{
    chain = (chain ^ id) * UINT64_C(0x9e3779b97f4a7c15);
    return chain ^ chain >> 29;
}

/* The REPORT behind the END of the request that began last, or at the head of a file. One that a
 * function prints again and again, in imitation, is none: the chain would begin at it again and
 * again. */
static bool begins_chain(struct event_maker *m, const struct log_record *r)
{
    const uint64_t id = r->platform != NULL ? str_hash(r->invocation_id, 0) : 0;
    const bool is_end = id != 0 && r->platform->kind == PLATFORM_END;
    const bool is_report = id != 0 && r->platform->kind == PLATFORM_REPORT;
    const bool is_behind = is_report && (m->ended == id || m->n_events == 1);

    if (id != 0 && r->platform->kind == PLATFORM_START)
        m->begun = id;
    m->ended = is_end ? id : 0;
    return is_behind && (m->begun == 0 || m->begun == id);
}

/* The same for twins. */
static uint64_t hash_event(const struct event_maker *m, const struct raw_event *ev, uint64_t place,
                           struct str body)
{
    if (ev->event_id.n > 0)
        return str_hash(ev->event_id, place);
    if (!ev->has_time)
        return str_hash(body, str_hash_u64(m->chain, place));
    return str_hash(body, str_hash_u64((uint64_t)ev->time_ns, place));
}

static uint64_t identify(struct event_maker *m, const struct raw_event *ev,
                         struct origin_slot *slot, const struct log_record *r)
{
    const struct str body = r->body;

    if (!m->is_started || !ev->has_time || ev->time_ns != m->run_time_ns)
        start_run(m, ev);
    if (!ev->has_time && begins_chain(m, r))
        m->chain = SEED_OF_REPORT;
    uint64_t id = hash_event(m, ev, hash_place(slot, ev), body);
    m->chain = chain_on(m->chain, id);
    if (ev->event_id.n > 0 || !ev->has_time)
        return id;
    uint64_t twin = count_twins(m, id);
    m->recent[m->n_recent++ % EVENTS_RECENT] = id;
    return twin == 0 ? id : str_hash_u64(twin, id);
}

/* --- what no platform would say --- */

/* The longest timeout is 5,400 s, the largest memory of any instance below 1 TB. No environment
 * writes a thousand million lines, or a terabyte, faster than it is logged. */
#define LONGEST_DURATION_NS (2 * NS_PER_HOUR)
#define LARGEST_BYTES       (UINT64_C(1) << 40)
#define MOST_RECORDS        UINT64_C(1000000000)

/* The platform always says why, and how much. */
static bool is_plausible_loss(const struct platform_event *p)
{
    return p->error_message.n > 0 && p->dropped_records > 0 && p->dropped_records <= MOST_RECORDS &&
           p->dropped_bytes <= LARGEST_BYTES;
}

static bool is_duration(int64_t ns)
{
    return ns >= 0 && ns <= LONGEST_DURATION_NS;
}

static bool is_plausible(const struct platform_event *p)
{
    return is_duration(p->duration_ns) && is_duration(p->billed_ns) && is_duration(p->init_ns) &&
           is_duration(p->restore_ns) && is_duration(p->billed_restore_ns) &&
           p->memory_bytes <= LARGEST_BYTES && p->max_memory_bytes <= LARGEST_BYTES &&
           (p->kind != PLATFORM_LOGS_DROPPED || is_plausible_loss(p));
}

/* A function printed it, in imitation of the platform: what it claims is not believed. */
static void keep_as_text(struct log_record *r)
{
    r->kind = RECORD_APP;
    r->platform = NULL;
    r->message = r->body;
    r->invocation_id = r->trace_id = (struct str){0};
    r->is_imitation = true;
}

void event_take_group(struct raw_event *ev, struct str said)
{
    const struct log_group_name group = log_group_parse(said);

    ev->log_group = group.name;
    ev->account = first_of(group.account, ev->account);
    ev->region = first_of(group.region, ev->region);
}

bool event_time_is_near(int64_t t_ns)
{
    return t_ns >= EARLIEST_NS && t_ns < LATEST_NS;
}

/* What stands in the instant of a START is of that request only if it came behind it. */
static bool needs_arrival(const struct log_record *r)
{
    if (r->platform == NULL)
        return r->is_error && r->invocation_id.n == 0;
    return r->platform->kind == PLATFORM_START ||
           (r->platform->kind == PLATFORM_RUNTIME_EXIT && r->invocation_id.n == 0);
}

/* --- the door
 * -----------------------------------------------------------------------------------------------
 */

void event_add(struct event_maker *m, const struct decode_input *in, const struct raw_event *ev,
               struct batch *out)
{
    assert(in->defaults != NULL);
    m->n_events++;
    if (ev->has_time && !event_time_is_near(ev->time_ns)) {
        event_quarantine(m, in, &ev->mark, ev->body, "its time is not between 2010 and 2100", out);
        return;
    }
    struct str body = make_body(m, in, ev, out);
    struct origin_slot *slot = find_origin(m, in->defaults, ev, out);
    struct log_record *r = batch_record(out);
    r->time_ns = ev->has_time ? ev->time_ns : in->defaults->now_ns;
    r->is_time_guessed = !ev->has_time && !ev->is_time_near;
    r->is_time_borrowed = !ev->has_time;
    r->seen_ns = ev->seen_ns;
    r->origin = slot->origin;
    r->body = body;
    r->ingested_bytes = (uint32_t)(ev->body.n < UINT32_MAX ? ev->body.n : UINT32_MAX);
    decode_event(&m->before, r, out);
    if (r->platform != NULL && !is_plausible(r->platform))
        keep_as_text(r);
    if (!ev->has_time && in->defaults->stand_ins != NULL)
        stand_in_give(in->defaults->stand_ins, r, ev->mark.offset, out);
    r->identity = identify(m, ev, slot, r);
    assert(m->is_started && m->run_mark.offset <= ev->mark.offset);
    if (r->invocation_id.n == 0 && r->kind == RECORD_APP)
        r->invocation_id = ev->invocation_id;
    if (needs_arrival(r))
        r->arrival = arrival_of(ev->event_id);
    if (r->severity == SEVERITY_UNKNOWN)
        r->severity = ev->severity;
    out->counts.events++;
    out->counts.forged += r->is_imitation;
    out->counts.untimed += r->is_time_guessed;
}

void event_maker_clear(struct event_maker *m)
{
    idmap_clear(&m->run);
    arena_clear(&m->origins);
}

/* "1761073155.636" or "1761073155636": the unit by size; 10^11 seconds is the year 5138. */
static bool epoch_time(struct str text, int64_t *t_ns)
{
    static const struct {
        int64_t below, scale;
    } units[] = {
        {INT64_C(100000000000), NS_PER_SEC},
        {INT64_C(100000000000000), NS_PER_MS},
        {INT64_C(100000000000000000), NS_PER_US},
    };
    size_t dot = str_find_char(text, '.');
    int64_t whole, fraction = 0, scale = 1;

    if (!str_to_i64(str_sub(text, 0, dot), &whole) || whole < 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (whole < units[i].below) {
            scale = units[i].scale;
            break;
        }
    int64_t unit = scale;
    for (size_t i = dot + 1; i < text.n; i++, unit /= 10) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        fraction += (text.p[i] - '0') * (unit / 10);
    }
    return !__builtin_mul_overflow(whole, scale, t_ns) &&
           !__builtin_add_overflow(*t_ns, fraction, t_ns);
}

/* Epoch milliseconds as the AWS APIs write them, in 13 digits. */
static bool epoch_ms(struct str text, int64_t *t_ns)
{
    uint64_t ms;

    return text.n == EVENT_MS_DIGITS && str_digits(text.p, EVENT_MS_DIGITS, &ms) &&
           !__builtin_mul_overflow(ms, NS_PER_MS, t_ns);
}

bool event_time(struct str text, int64_t *t_ns)
{
    bool is_date = text.n > 4 && text.p[4] == '-';

    if (epoch_ms(text, t_ns))
        return true;
    if (str_starts(text, STR("/Date(")) && str_ends(text, STR(")/"))) /* Windows PowerShell 5 */
        text = str_sub(text, 6, text.n - 8);
    return is_date ? time_parse(text, t_ns) : epoch_time(text, t_ns);
}
