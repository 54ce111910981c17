/* Log lines: search and fetch. Chunks are pruned by time, shard and level; a literal is looked for
 * in the whole decompressed chunk before any line is decoded. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/re.h"
#include "core/store/store_private.h"

struct search {
    struct store *store;
    const struct log_request *q;
    struct fn_choice choice;
    struct chunk_reader reader;
    struct buf folded;  /* the chunk's lower-case copy, for literals without case */
    struct str literal; /* folded too */
    log_fn *fn;
    void *ctx;
    /* Lines of one day that pass, kept to be sorted: chunks of different shards overlap in time. */
    struct kept_line {
        struct log_line line;
        size_t order;
    } * kept;
    size_t n_kept, cap_kept;
    struct arena arena; /* of kept lines */
    size_t given;
    /* Lines of one invocation by their place between the platform's lines. */
    bool is_by_place, is_inside, has_own;
    /* Without a stream the file stands for it, and may hold several environments: other requests
     * that are open while ours is. */
    bool is_streamless, has_ended;
    struct idmap others;
    size_t n_others;
    int64_t since_ns; /* others may have begun long before the range */
};

/* --- the request id inside a line --- */

static bool is_id_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-';
}

/* The first UUID in the text; runtimes and the platform put the request id near the start. */
static struct str first_uuid(struct str body)
{
    size_t run = 0, most = body.n < 512 ? body.n : 512;

    for (size_t i = 0; i < most; i++) {
        run = is_id_char(body.p[i]) ? run + 1 : 0;
        uint8_t bytes[16];
        bool is_closed = i + 1 == body.n || !is_id_char(body.p[i + 1]);
        if (run >= 36 && is_closed && id_pack(str_sub(body, i + 1 - 36, 36), bytes))
            return str_sub(body, i + 1 - 36, 36);
    }
    return (struct str){0};
}

/* --- one line --- */

static bool stream_is_wanted(struct search *s, uint32_t stream)
{
    const struct log_request *q = s->q;

    return (q->instance.n == 0 && !s->is_by_place) ||
           str_eq(q->instance, dim_origin(s->store, stream)->instance);
}

static bool line_passes(struct search *s, const struct chunk_line *l)
{
    const struct log_request *q = s->q;

    if (l->time_ns < s->since_ns || l->time_ns >= q->range.until_ns ||
        l->severity < q->min_severity)
        return false;
    if (!fn_choice_is_all(&s->choice) &&
        !fn_choice_passes(&s->choice, fn_choice_of_stream(&s->choice, l->stream)))
        return false;
    if (!stream_is_wanted(s, l->stream))
        return false;
    if (q->invocation_id.n > 0 && !s->is_by_place) {
        struct str own = first_uuid(l->body);
        bool holds = own.n > 0 && str_find(l->body, q->invocation_id) < l->body.n;
        if (!holds && (own.n > 0 || q->instance.n == 0))
            return false;
    }
    return !q->pattern || re_match(q->pattern, l->body, NULL, NULL);
}

static void keep_line(struct search *s, const struct chunk_line *l)
{
    s->kept = mem_grow(s->kept, s->n_kept, &s->cap_kept, sizeof(*s->kept));
    s->kept[s->n_kept] = (struct kept_line){
        .line = {.time_ns = l->time_ns,
                 .origin = dim_origin(s->store, l->stream),
                 .fn_id = fn_choice_of_stream(&s->choice, l->stream),
                 .severity = l->severity,
                 .kind = l->kind,
                 .body = arena_str(&s->arena, l->body)},
        .order = s->n_kept,
    };
    s->kept[s->n_kept].line.invocation_id = first_uuid(s->kept[s->n_kept].line.body);
    s->n_kept++;
}

/* --- one chunk --- */

static void fold(struct buf *out, struct str text)
{
    buf_reset(out);
    buf_reserve(out, text.n);
    buf_add_str(out, text);
    for (size_t i = 0; i < out->n; i++)
        if (out->p[i] >= 'A' && out->p[i] <= 'Z')
            out->p[i] = (char)(out->p[i] + ('a' - 'A'));
}

/* Lines that hold the literal: hits are found in the whole text first, so a chunk without any is
 * never decoded. */
static void search_literal(struct search *s, int64_t day)
{
    struct str text = buf_str(s->q->is_literal_nocase ? &s->folded : &s->reader.raw);
    size_t hit = str_find(text, s->literal);
    struct chunk_cursor c;
    struct chunk_line l;

    chunk_begin(&c, buf_str(&s->reader.raw), day);
    while (hit < text.n && chunk_next(&c, &l)) {
        size_t end = s->reader.raw.n - c.rest.n, begin = end - l.body.n;
        if (hit < begin) /* it lay in a line before, or across a border, or in a header */
            hit = begin + str_find(str_skip(text, begin), s->literal);
        if (hit + s->literal.n <= end && line_passes(s, &l))
            keep_line(s, &l);
    }
}

static void search_all(struct search *s, int64_t day)
{
    struct chunk_cursor c;
    struct chunk_line l;

    chunk_begin(&c, buf_str(&s->reader.raw), day);
    while (chunk_next(&c, &l))
        if (line_passes(s, &l))
            keep_line(s, &l);
}

static void search_chunk(struct search *s, int64_t day)
{
    if (s->q->literal.n == 0) {
        search_all(s, day);
        return;
    }
    if (s->q->is_literal_nocase)
        fold(&s->folded, buf_str(&s->reader.raw));
    search_literal(s, day);
}

/* --- one day --- */

static int compare_kept(const void *a, const void *b)
{
    const struct kept_line *x = a, *y = b;

    if (x->line.time_ns != y->line.time_ns)
        return x->line.time_ns < y->line.time_ns ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static bool says(const struct log_line *l, struct str text, struct str json)
{
    return str_starts(l->body, text) || str_find(l->body, json) < l->body.n;
}

/* Another request's START, END or REPORT among lines without a stream. */
static void note_other(struct search *s, const struct log_line *l)
{
    uint64_t key = str_hash(l->invocation_id, 0);
    bool is_new;

    if (says(l, STR("START "), STR("platform.start"))) {
        idmap_put(&s->others, key, &is_new);
        s->n_others += is_new;
        s->is_inside &= s->has_own;
    } else if (says(l, STR("END "), STR("platform.runtimeDone")) ||
               says(l, STR("REPORT "), STR("platform.report"))) {
        s->n_others -= idmap_remove(&s->others, key);
    }
}

/* As below, where other requests may be open beside ours: while one is, nothing without our id is
 * ours. */
static bool is_ours_alone(struct search *s, const struct log_line *l)
{
    bool is_platform = l->kind == RECORD_PLATFORM;

    if (str_find(l->body, s->q->invocation_id) < l->body.n) {
        bool is_end = is_platform && says(l, STR("END "), STR("platform.runtimeDone"));
        s->is_inside |= is_platform || !s->has_own;
        s->has_own = true;
        s->has_ended |= is_end || (is_platform && says(l, STR("REPORT "), STR("platform.report")));
        s->has_ended &= !(is_platform && says(l, STR("START "), STR("platform.start")));
        return true;
    }
    if (is_platform && l->invocation_id.n > 0) {
        note_other(s, l);
        return false;
    }
    if (is_platform && says(l, STR("INIT_START"), STR("platform.initStart")))
        s->is_inside = s->has_own ? s->is_inside : s->n_others == 0;
    return s->is_inside && !s->has_ended && s->n_others == 0;
}

/* An environment runs one request at a time: what stands behind another request's START, END or
 * REPORT is not ours even where it names no request; what stands between our lines is, whatever
 * identifiers it mentions. Before our START only a beginning initialization is. */
static bool is_ours(struct search *s, const struct log_line *l)
{
    bool is_platform = l->kind == RECORD_PLATFORM;

    if (str_find(l->body, s->q->invocation_id) < l->body.n) {
        s->is_inside |= is_platform || !s->has_own;
        s->has_own = true;
        return true;
    }
    if (is_platform && l->invocation_id.n > 0)
        s->is_inside = false;
    if (is_platform && (str_starts(l->body, STR("INIT_START")) ||
                        str_find(l->body, STR("platform.initStart")) < l->body.n))
        s->is_inside = true;
    return s->is_inside;
}

/* Lines before the range are heard only for what they begin. */
static bool belongs(struct search *s, const struct log_line *l)
{
    bool is_placed = !s->is_by_place || (s->is_streamless ? is_ours_alone(s, l) : is_ours(s, l));

    return is_placed && l->time_ns >= s->q->range.since_ns;
}

/* Gives what was kept before a time, in time order; ERR_CANCELLED when there is enough. */
static enum status give_kept(struct search *s, int64_t before_ns, struct err *e)
{
    struct arena rest = {0};
    enum status status = OK;
    size_t n_rest = 0;

    if (s->n_kept > 1)
        qsort(s->kept, s->n_kept, sizeof(*s->kept), compare_kept);
    for (size_t i = 0; status == OK && i < s->n_kept; i++) {
        struct kept_line *line = &s->kept[s->q->newest_first ? s->n_kept - 1 - i : i];
        if (line->line.time_ns >= before_ns) {
            line->line.body = arena_str(&rest, line->line.body);
            line->line.invocation_id = first_uuid(line->line.body);
            s->kept[n_rest++] = *line;
        } else if (!belongs(s, &line->line)) {
            continue;
        } else if (s->q->limit > 0 && s->given == s->q->limit) {
            status = ERR_CANCELLED;
        } else {
            status = s->fn(s->ctx, &line->line, e);
            s->given++;
        }
    }
    s->n_kept = n_rest;
    arena_clear(&s->arena);
    s->arena = rest;
    return status;
}

#define KEPT_MANY ((size_t)20000)

/* Chunks overlap in time and come in the order of their first line: what lies before the next
 * chunk's first line is complete and can be given. Newest first, the whole day is kept. */
static enum status search_chunks(struct search *s, struct day *d, const struct chunk_heads *heads,
                                 struct err *e)
{
    enum status status = chunk_reader_begin(&s->reader, d, e);

    for (size_t i = 0; status == OK && i < heads->n; i++) {
        const struct chunk_head *h = &heads->rows[i];
        if (!chunk_may_hold(h, &s->choice))
            continue;
        if (s->n_kept > KEPT_MANY && !s->q->newest_first)
            status = give_kept(s, d->number * NS_PER_DAY + h->t0, e);
        if (status != OK)
            break;
        status = chunk_reader_read(&s->reader, h, e);
        if (status == OK)
            search_chunk(s, d->number);
    }
    chunk_reader_end(&s->reader);
    return status == OK ? give_kept(s, INT64_MAX, e) : status;
}

static enum status search_day(struct search *s, struct day *d, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct chunk_wanted w = {.range = {s->since_ns, s->q->range.until_ns},
                             .shard = fn_choice_shard(&s->choice),
                             .min_severity = s->q->min_severity};
    struct chunk_heads heads = {0};
    enum status status = chunk_heads_read(d, &w, &a, &heads, e);

    return status == OK ? search_chunks(s, d, &heads, e) : status;
}

static void search_clear(struct search *s)
{
    chunk_reader_clear(&s->reader);
    fn_choice_clear(&s->choice);
    buf_clear(&s->folded);
    idmap_clear(&s->others);
    arena_clear(&s->arena);
    free(s->kept);
}

/* Lines of a crash trail the end by a moment; a retry comes a minute later at the earliest. */
#define AFTERMATH_NS    (5 * NS_PER_SEC)
#define BEFORE_START_NS NS_PER_SEC

struct log_request log_request_of(const struct invocation *inv, uint32_t fn_id)
{
    return (struct log_request){
        .range = {inv->start_ns - inv->init_lead_ns - BEFORE_START_NS,
                  inv->start_ns + inv->duration_ns + inv->init_ns + AFTERMATH_NS},
        .fn_id = fn_id,
        .instance = inv->origin->instance,
        .invocation_id = inv->id,
    };
}

#define LONG_RUN_NS (15 * NS_PER_MIN)

static void choose_place(struct search *s)
{
    const struct log_request *q = s->q;

    s->is_by_place =
        q->invocation_id.n > 0 && (q->instance.n > 0 || q->fn_id != 0) && !q->newest_first;
    s->is_streamless = s->is_by_place && q->instance.n == 0;
    s->since_ns = q->range.since_ns - (s->is_streamless ? LONG_RUN_NS : 0);
}

enum status request_logs(struct store *s, const struct log_request *q, log_fn *fn, void *ctx,
                         struct err *e)
{
    AUTO(search_clear)
    struct search search = {.store = s,
                            .q = q,
                            .choice = {s, q->fn_id, &q->fn, {0}, {0}},
                            .fn = fn,
                            .ctx = ctx,
                            .literal = q->literal};
    AUTO(buf_clear) struct buf needle = {.max = 1u << 20};
    enum status status = s->is_null ? OK : store_scan_days(s, e);

    choose_place(&search);
    chunk_reader_init(&search.reader);
    search.folded.max = search.reader.raw.max;
    if (q->is_literal_nocase && q->literal.n > 0) {
        fold(&needle, q->literal);
        search.literal = buf_str(&needle);
    }
    for (size_t k = 0; status == OK && k < s->n_day_numbers; k++) {
        int64_t day = s->day_numbers[q->newest_first ? s->n_day_numbers - 1 - k : k];
        struct day *d;
        if (!range_meets_day((struct range){search.since_ns, q->range.until_ns}, day))
            continue;
        status = store_day(s, day, false, &d, e);
        if (status == OK && d)
            status = search_day(&search, d, e);
    }
    return status == ERR_CANCELLED ? OK : status;
}
