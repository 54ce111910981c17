/* Chunks are pruned by time, shard, level and function; a literal is looked for in the whole
 * decompressed chunk before any line is decoded. */
#include "core/store/log_scan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/re.h"
#include "core/model/log_text.h"

struct log_scan {
    struct store *store;
    const struct log_request *q;
    struct fn_choice choice;
    struct chunk_reader reader;
    struct buf folded;  /* the chunk's lower-case copy, for literals without case */
    struct buf needle;  /* the literal likewise */
    struct str literal; /* folded too */
    bool is_by_place;
    int64_t since_ns; /* what is needed may have begun long before the range */
    /* Where it is: the days so far; in the day, if it is open, the chunks so far. */
    size_t n_days;
    int64_t day;
    bool is_in_day;
    struct arena day_arena; /* of heads */
    struct chunk_heads heads;
    size_t next_head;
    /* Lines that pass, kept to be sorted; of the last batch, in part given. */
    struct log_row *kept;
    size_t n_kept, cap_kept, n_given;
    size_t n_rest;      /* kept after the last batch */
    struct arena arena; /* of kept lines */
};

/* --- one line --- */

static bool stream_is_wanted(struct log_scan *s, uint32_t stream)
{
    const struct log_request *q = s->q;

    return (q->instance.n == 0 && !s->is_by_place) ||
           str_eq(q->instance, dim_origin(s->store, stream)->instance);
}

static bool names_invocation(struct log_scan *s, struct str body)
{
    const struct log_request *q = s->q;
    bool is_said;
    const struct str own = log_request_id(body, &s->arena, &is_said);

    if (own.n > 0 && str_find(body, q->invocation_id) < body.n)
        return true;
    return own.n == 0 && q->instance.n > 0;
}

static bool line_passes(struct log_scan *s, const struct chunk_line *l)
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
    if (q->invocation_id.n > 0 && !s->is_by_place && !names_invocation(s, l->body))
        return false;
    return !q->pattern || re_match(q->pattern, l->body, NULL, NULL);
}

static void find_id(struct log_line *l, struct arena *a)
{
    l->invocation_id = log_request_id(l->body, a, &l->says_id);
}

static void keep_line(struct log_scan *s, const struct chunk_line *l)
{
    s->kept = mem_grow(s->kept, s->n_kept, &s->cap_kept, sizeof(*s->kept));
    s->kept[s->n_kept] = (struct log_row){
        .line = {.time_ns = l->time_ns,
                 .origin = dim_origin(s->store, l->stream),
                 .fn_id = fn_choice_of_stream(&s->choice, l->stream),
                 .severity = l->severity,
                 .kind = l->kind,
                 .body = arena_str(&s->arena, l->body)},
        .order = s->n_kept,
    };
    find_id(&s->kept[s->n_kept++].line, &s->arena);
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
static void search_literal(struct log_scan *s)
{
    const struct buf *raw = &s->reader.text.raw;
    struct str text = buf_str(s->q->is_literal_nocase ? &s->folded : raw);
    size_t hit = str_find(text, s->literal);
    struct chunk_cursor c;
    struct chunk_line l;

    chunk_begin(&c, &s->reader.text);
    while (hit < text.n && chunk_next(&c, &l)) {
        if (l.body.n == 0)
            continue;
        size_t begin = (size_t)(l.body.p - raw->p), end = begin + l.body.n;
        if (hit < begin) /* it lay in a line before, or across a border, or in a header */
            hit = begin + str_find(str_skip(text, begin), s->literal);
        if (hit + s->literal.n <= end && line_passes(s, &l))
            keep_line(s, &l);
    }
}

static void search_all(struct log_scan *s)
{
    struct chunk_cursor c;
    struct chunk_line l;

    chunk_begin(&c, &s->reader.text);
    while (chunk_next(&c, &l))
        if (line_passes(s, &l))
            keep_line(s, &l);
}

static void search_chunk(struct log_scan *s)
{
    if (s->q->literal.n == 0) {
        search_all(s);
        return;
    }
    if (s->q->is_literal_nocase)
        fold(&s->folded, buf_str(&s->reader.text.raw));
    search_literal(s);
}

/* --- batches --- */

static int compare_kept(const void *a, const void *b)
{
    const struct log_row *x = a, *y = b;

    if (x->line.time_ns != y->line.time_ns)
        return x->line.time_ns < y->line.time_ns ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* The batch that was given goes; what is left moves to the front, into memory of its own. */
static void drop_given(struct log_scan *s)
{
    const size_t first = s->q->newest_first ? 0 : s->n_given, n = s->n_kept - s->n_given;
    struct arena rest = {0};

    if (s->n_given == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        struct log_row row = s->kept[first + i];
        row.line.body = arena_str(&rest, row.line.body);
        find_id(&row.line, &rest);
        row.order = i;
        s->kept[i] = row;
    }
    arena_clear(&s->arena);
    s->arena = rest;
    s->n_kept = s->n_rest = n;
    s->n_given = 0;
}

static bool is_complete(const struct log_scan *s, const struct log_row *row, int64_t border_ns)
{
    return s->q->newest_first ? row->line.time_ns > border_ns : row->line.time_ns < border_ns;
}

/* Gives what lies on this side of the border. */
static struct log_rows give(struct log_scan *s, int64_t border_ns)
{
    size_t n = 0;

    if (s->n_kept > 1)
        qsort(s->kept, s->n_kept, sizeof(*s->kept), compare_kept);
    while (n < s->n_kept &&
           is_complete(s, &s->kept[s->q->newest_first ? s->n_kept - 1 - n : n], border_ns))
        n++;
    s->n_given = n;
    s->n_rest = s->n_kept - n;
    return (struct log_rows){s->kept + (s->q->newest_first ? s->n_rest : 0), n};
}

#define KEPT_MANY ((size_t)20000)

/* Sorting again and again what stays costs: it waits until half of it has come new. */
static bool is_worth_giving(const struct log_scan *s)
{
    const size_t few = s->q->limit > 0 && s->q->limit < KEPT_MANY ? s->q->limit : KEPT_MANY;

    return s->n_kept > s->n_rest + s->n_rest / 2 + few;
}

/* --- days and their chunks --- */

static int newer_head_first(const void *a, const void *b)
{
    const struct chunk_head *x = a, *y = b;

    if (x->t1 != y->t1)
        return x->t1 > y->t1 ? -1 : 1;
    return (x->id < y->id) - (x->id > y->id);
}

static enum status read_heads(struct log_scan *s, struct day *d, struct err *e)
{
    const struct chunk_wanted w = {.range = {s->since_ns, s->q->range.until_ns},
                                   .shard = fn_choice_shard(&s->choice),
                                   .min_severity = s->q->min_severity};

    arena_reset(&s->day_arena);
    s->heads = (struct chunk_heads){0};
    s->next_head = 0;
    const enum status status = chunk_heads_read(d, &w, &s->day_arena, &s->heads, e);
    if (status == OK && s->q->newest_first && s->heads.n > 1)
        qsort(s->heads.rows, s->heads.n, sizeof(*s->heads.rows), newer_head_first);
    s->is_in_day = status == OK;
    return status;
}

/* Opens the next day that has a file in the range; false: there is none. */
static bool choose_day(struct log_scan *s)
{
    const struct store *st = s->store;

    while (s->n_days < st->n_day_numbers) {
        const size_t i = s->q->newest_first ? st->n_day_numbers - 1 - s->n_days : s->n_days;
        s->n_days++;
        s->day = st->day_numbers[i];
        if (range_meets_day((struct range){s->since_ns, s->q->range.until_ns}, s->day))
            return true;
    }
    return false;
}

static enum status read_chunks(struct log_scan *s, struct day *d, struct log_rows *out,
                               struct err *e)
{
    enum status status = chunk_reader_begin(&s->reader, d, e);

    while (status == OK && s->next_head < s->heads.n) {
        const struct chunk_head *h = &s->heads.rows[s->next_head];
        if (!chunk_may_hold(h, &s->choice)) {
            s->next_head++;
            continue;
        }
        if (is_worth_giving(s))
            *out = give(s, s->day * NS_PER_DAY + (s->q->newest_first ? h->t1 : h->t0));
        if (out->n > 0)
            break;
        s->next_head++;
        status = chunk_reader_read(&s->reader, h, e);
        if (status == OK)
            search_chunk(s);
    }
    chunk_reader_end(&s->reader);
    return status;
}

/* What a day leaves at its end is given whole: days do not overlap. */
static enum status read_day(struct log_scan *s, struct log_rows *out, struct err *e)
{
    struct day *d;
    enum status status = store_day(s->store, s->day, false, &d, e);

    if (status == OK && d && !s->is_in_day)
        status = read_heads(s, d, e);
    if (status == OK && d)
        status = read_chunks(s, d, out, e);
    if (status != OK || out->n > 0)
        return status;
    s->is_in_day = false;
    *out = give(s, s->q->newest_first ? INT64_MIN : INT64_MAX);
    return OK;
}

enum status log_scan_next(struct log_scan *s, struct log_rows *out, struct err *e)
{
    enum status status = OK;

    *out = (struct log_rows){0};
    drop_given(s);
    while (status == OK && out->n == 0 && (s->is_in_day || choose_day(s)))
        status = read_day(s, out, e);
    return status;
}

/* --- beginning and end --- */

bool log_request_is_by_place(const struct log_request *q)
{
    return q->invocation_id.n > 0 && (q->instance.n > 0 || q->fn_id != 0) && !q->newest_first;
}

bool log_request_is_streamless(const struct log_request *q)
{
    return log_request_is_by_place(q) && q->instance.n == 0;
}

enum status log_scan_open(struct store *s, const struct log_request *q, struct log_scan **out,
                          struct err *e)
{
    const enum status status = s->is_null ? OK : store_scan_days(s, e);

    *out = NULL;
    if (status != OK)
        return status;
    struct log_scan *scan = xcalloc(1, sizeof(*scan));
    *scan = (struct log_scan){
        .store = s,
        .q = q,
        .choice = {s, q->fn_id, &q->fn, {0}, {0}},
        .literal = q->literal,
        .needle = {.max = 1u << 20},
        .is_by_place = log_request_is_by_place(q),
        .since_ns = q->range.since_ns - (log_request_is_streamless(q) ? LOG_LONG_RUN_NS : 0),
    };
    chunk_reader_init(&scan->reader);
    scan->folded.max = CHUNK_MAX_RAW;
    if (q->is_literal_nocase && q->literal.n > 0) {
        fold(&scan->needle, q->literal);
        scan->literal = buf_str(&scan->needle);
    }
    *out = scan;
    return OK;
}

void log_scan_close(struct log_scan *s)
{
    if (!s)
        return;
    chunk_reader_clear(&s->reader);
    fn_choice_clear(&s->choice);
    buf_clear(&s->folded);
    buf_clear(&s->needle);
    arena_clear(&s->day_arena);
    arena_clear(&s->arena);
    free(s->kept);
    free(s);
}
