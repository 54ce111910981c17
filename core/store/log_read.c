/* Log lines: search and fetch, and which of them are a request's by their place. */
#include "core/store/log_scan.h"

struct search {
    const struct log_request *q;
    log_fn *fn;
    void *ctx;
    size_t given;
    /* Lines of one invocation by their place between the platform's lines. */
    bool is_by_place, is_inside, has_own;
    /* Without a stream the file stands for it, and may hold several environments: other requests
     * that are open while ours is. */
    bool is_streamless, has_ended;
    struct idmap others;
    size_t n_others;
    /* Of a beginning environment: ours if our START comes next. Copies. */
    struct log_line *held;
    size_t n_held, cap_held;
    struct arena held_arena;
};

/* Another request's START, END or REPORT among lines without a stream. */
static void note_other(struct search *s, const struct log_line *l)
{
    uint64_t key = str_hash(l->invocation_id, 0);
    bool is_new;

    if (log_line_says(l, STR("START "), STR("platform.start"))) {
        idmap_put(&s->others, key, &is_new);
        s->n_others += is_new;
        s->is_inside &= s->has_own;
    } else if (log_line_says(l, STR("END "), STR("platform.runtimeDone")) ||
               log_line_says(l, STR("REPORT "), STR("platform.report"))) {
        s->n_others -= idmap_remove(&s->others, key);
    }
}

/* As below, where other requests may be open beside ours: while one is, nothing without our id is
 * ours. */
static bool is_ours_alone(struct search *s, const struct log_line *l)
{
    bool is_platform = l->kind == RECORD_PLATFORM;

    if (str_find(l->body, s->q->invocation_id) < l->body.n) {
        bool is_end = is_platform && log_line_says(l, STR("END "), STR("platform.runtimeDone"));
        s->is_inside |= is_platform || !s->has_own;
        s->has_own = true;
        s->has_ended |=
            is_end || (is_platform && log_line_says(l, STR("REPORT "), STR("platform.report")));
        s->has_ended &= !(is_platform && log_line_says(l, STR("START "), STR("platform.start")));
        return true;
    }
    if (is_platform && l->invocation_id.n > 0) {
        note_other(s, l);
        return false;
    }
    if (is_platform && log_line_says(l, STR("INIT_START"), STR("platform.initStart")))
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

static void hold(struct search *s, const struct log_line *l)
{
    struct log_line own = *l;

    own.body = arena_str(&s->held_arena, l->body);
    own.invocation_id = arena_str(&s->held_arena, l->invocation_id);
    s->held = arena_grow(&s->held_arena, s->held, s->n_held, &s->cap_held, sizeof(*s->held));
    s->held[s->n_held++] = own;
}

static void drop_held(struct search *s)
{
    s->held = NULL;
    s->n_held = s->cap_held = 0;
    arena_reset(&s->held_arena);
}

/* ERR_CANCELLED when there is enough. */
static enum status give_line(struct search *s, const struct log_line *l, struct err *e)
{
    if (s->q->limit > 0 && s->given == s->q->limit)
        return ERR_CANCELLED;
    s->given++;
    return s->fn(s->ctx, l, e);
}

static enum status give_held(struct search *s, struct err *e)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < s->n_held; i++)
        status = give_line(s, &s->held[i], e);
    drop_held(s);
    return status;
}

/* What stands before our first line is ours only if no other request comes in between. */
static enum status take_line(struct search *s, const struct log_line *l, struct err *e)
{
    const bool is_own = belongs(s, l);

    if (s->is_by_place && !s->has_own && !s->is_inside && s->n_held > 0)
        drop_held(s);
    if (!is_own)
        return OK;
    if (s->is_by_place && !s->has_own) {
        hold(s, l);
        return OK;
    }
    const enum status status = s->n_held > 0 ? give_held(s, e) : OK;
    return status == OK ? give_line(s, l, e) : status;
}

static enum status give_rows(struct search *s, const struct log_rows *rows, struct err *e)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < rows->n; i++)
        status = take_line(s, &rows->rows[s->q->newest_first ? rows->n - 1 - i : i].line, e);
    return status;
}

#define BEFORE_START_NS NS_PER_SEC

struct log_request log_request_of(const struct invocation *inv, uint32_t fn_id)
{
    return (struct log_request){
        .range = {inv->start_ns - inv->init_lead_ns - BEFORE_START_NS,
                  inv->start_ns + inv->duration_ns + inv->init_ns + LOG_AFTERMATH_NS},
        .fn_id = fn_id,
        .instance = inv->origin->instance,
        .invocation_id = inv->id,
    };
}

enum status request_logs(struct store *s, const struct log_request *q, log_fn *fn, void *ctx,
                         struct err *e)
{
    struct search search = {.q = q,
                            .fn = fn,
                            .ctx = ctx,
                            .is_by_place = log_request_is_by_place(q),
                            .is_streamless = log_request_is_streamless(q)};
    struct log_rows rows = {.n = 1};
    struct log_scan *scan;
    enum status status = log_scan_open(s, q, &scan, e);

    while (status == OK && rows.n > 0) {
        status = log_scan_next(scan, &rows, e);
        if (status == OK)
            status = give_rows(&search, &rows, e);
    }
    log_scan_close(scan);
    idmap_clear(&search.others);
    arena_clear(&search.held_arena);
    return status == ERR_CANCELLED ? OK : status;
}
