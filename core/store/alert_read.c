/* Reading alerts, their episodes, silences and messages. */
#include <stdlib.h>

#include "core/store/store_private.h"

static struct str copy(struct arena *a, const struct sql_stmt *st, int column)
{
    return arena_str(a, sql_str(st, column));
}

/* ALERT_COLUMNS from column c on. */
static struct alert read_alert(const struct sql_stmt *st, int c, struct arena *a)
{
    struct alert r = {
        .key = copy(a, st, c),
        .rule = copy(a, st, c + 1),
        .severity = (enum alert_severity)sql_i64(st, c + 2),
        .subject.of = {.provider = (enum provider)sql_i64(st, c + 4),
                       .account = copy(a, st, c + 5),
                       .region = copy(a, st, c + 6),
                       .name = copy(a, st, c + 7)},
        .state = (enum alert_state)sql_i64(st, c + 8),
        .since_ns = sql_i64(st, c + 9),
        .started_ns = sql_i64(st, c + 10),
        .fired_ns = sql_i64(st, c + 11),
        .resolved_ns = sql_i64(st, c + 12),
        .acked_ns = sql_i64(st, c + 13),
        .acked_by = copy(a, st, c + 14),
        .value = sql_i64(st, c + 15),
        .peak = sql_i64(st, c + 16),
        .threshold = sql_i64(st, c + 17),
        .unit = (enum metric_unit)sql_i64(st, c + 18),
        .data_ns = sql_i64(st, c + 19),
        .eval_ns = sql_i64(st, c + 20),
        .sent_ns = sql_i64(st, c + 21),
        .is_missing = sql_i64(st, c + 22) != 0,
        .is_notified = sql_i64(st, c + 23) != 0,
        .summary = copy(a, st, c + 24),
        .evidence = copy(a, st, c + 25),
    };
    enum metric_scope scope;

    if (metric_scope_parse(sql_str(st, c + 3), &scope))
        r.subject.scope = scope;
    return r;
}

struct alert_list {
    struct arena *arena;
    struct alert_rows rows;
    size_t cap;
};

static void add_alert(struct alert_list *l, const struct alert *a)
{
    l->rows.rows = arena_grow(l->arena, l->rows.rows, l->rows.n, &l->cap, sizeof(*l->rows.rows));
    l->rows.rows[l->rows.n++] = *a;
}

/* --- alerts --- */

#define ALL_BUT_INACTIVE (~(1u << ALERT_INACTIVE))
#define SHORTEST_KEY     4u

static bool passes(const struct alert_request *q, const struct alert *a)
{
    const uint32_t mask = q->state_mask ? q->state_mask : ALL_BUT_INACTIVE;

    if ((mask >> a->state & 1) == 0)
        return false;
    if (q->key.n > 0 && (q->key.n < SHORTEST_KEY || !str_starts(a->key, q->key)))
        return false;
    return (q->rule_glob.n == 0 || str_glob(q->rule_glob, a->rule)) &&
           subject_passes(&q->subject, &a->subject);
}

static int rank_of(enum alert_state s)
{
    static const int ranks[ALERT_STATES] = {
        [ALERT_FIRING] = 0,   [ALERT_ACKNOWLEDGED] = 1, [ALERT_PENDING] = 2,
        [ALERT_SILENCED] = 3, [ALERT_RESOLVED] = 4,     [ALERT_INACTIVE] = 5,
    };

    return s < ALERT_STATES ? ranks[s] : ALERT_STATES;
}

static int compare_alerts(const void *x, const void *y)
{
    const struct alert *a = x, *b = y;
    int c = rank_of(a->state) - rank_of(b->state);

    c = c ? c : (a->severity < b->severity) - (a->severity > b->severity);
    c = c ? c : str_cmp(a->rule, b->rule);
    c = c ? c : str_cmp(a->subject.of.name, b->subject.of.name);
    return c ? c : str_cmp(a->key, b->key);
}

enum status request_alerts(struct store *s, const struct alert_request *q, struct arena *a,
                           struct alert_rows *out, struct err *e)
{
    struct alert_list l = {.arena = a};
    struct sql_stmt *st;
    bool has_row = false;

    *out = l.rows;
    if (s->is_null || !schema_has(s->meta, "alert"))
        return OK;
    enum status status = sql_prepare(s->meta, STR("select " ALERT_COLUMNS " from alert"), &st, e);
    if (status != OK)
        return status;
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        struct alert row = read_alert(st, 0, a);
        if (passes(q, &row))
            add_alert(&l, &row);
    }
    sql_finalize(st);
    if (status != OK)
        return status;
    if (l.rows.n > 1)
        qsort(l.rows.rows, l.rows.n, sizeof(*l.rows.rows), compare_alerts);
    *out = l.rows;
    return OK;
}

/* --- episodes --- */

enum status request_episodes(struct store *s, struct range r, const struct subject_filter *f,
                             struct arena *a, struct alert_rows *out, struct err *e)
{
    struct alert_list l = {.arena = a};
    struct sql_stmt *st;
    bool has_row = false;

    *out = l.rows;
    if (s->is_null || !schema_has(s->meta, "episode"))
        return OK;
    enum status status =
        sql_prepare(s->meta,
                    STR("select " ALERT_COLUMNS " from episode where started_ns < ?2 and "
                        "(resolved_ns = 0 or resolved_ns >= ?1) order by started_ns desc, key"),
                    &st, e);
    if (status != OK)
        return status;
    sql_bind_i64(st, 1, r.since_ns);
    sql_bind_i64(st, 2, r.until_ns);
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        struct alert row = read_alert(st, 0, a);
        if (subject_passes(f, &row.subject))
            add_alert(&l, &row);
    }
    sql_finalize(st);
    if (status == OK)
        *out = l.rows;
    return status;
}

/* --- silences --- */

#define SILENCE_COLUMNS "id, rule_glob, name_glob, created_ns, until_ns, author, comment"
#define SILENCES_UNTIL  " from silence where until_ns > ? order by until_ns > ? desc, id"

enum status request_silences(struct store *s, int64_t now_ns, bool is_all, struct arena *a,
                             struct silence_rows *out, struct err *e)
{
    struct silence_rows r = {0};
    struct sql_stmt *st;
    bool has_row = false;
    size_t cap = 0;

    *out = r;
    if (s->is_null || !schema_has(s->meta, "silence"))
        return OK;
    enum status status =
        sql_prepare(s->meta,
                    schema_has_silence_places(s->meta)
                        ? STR("select " SILENCE_COLUMNS ", account, region" SILENCES_UNTIL)
                        : STR("select " SILENCE_COLUMNS ", '', ''" SILENCES_UNTIL),
                    &st, e);
    if (status != OK)
        return status;
    sql_bind_i64(st, 1, is_all ? INT64_MIN : now_ns);
    sql_bind_i64(st, 2, now_ns);
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        r.rows = arena_grow(a, r.rows, r.n, &cap, sizeof(*r.rows));
        r.rows[r.n++] = (struct silence){
            .id = sql_i64(st, 0),
            .rule_glob = copy(a, st, 1),
            .name_glob = copy(a, st, 2),
            .created_ns = sql_i64(st, 3),
            .until_ns = sql_i64(st, 4),
            .by = copy(a, st, 5),
            .comment = copy(a, st, 6),
            .account = copy(a, st, 7),
            .region = copy(a, st, 8),
        };
    }
    sql_finalize(st);
    if (status == OK)
        *out = r;
    return status;
}

/* --- messages --- */

static struct outbox_entry read_message(const struct sql_stmt *st, struct arena *a)
{
    return (struct outbox_entry){
        .id = copy(a, st, 0),
        .notifier = copy(a, st, 1),
        .event = (enum alert_event)sql_i64(st, 2),
        .status = (enum outbox_status)sql_i64(st, 3),
        .attempts = (uint32_t)sql_i64(st, 4),
        .created_ns = sql_i64(st, 5),
        .next_ns = sql_i64(st, 6),
        .done_ns = sql_i64(st, 7),
        .error = copy(a, st, 8),
        .alert = read_alert(st, 9, a),
    };
}

enum status request_outbox(struct store *s, const struct outbox_request *q, struct arena *a,
                           struct outbox_rows *out, struct err *e)
{
    struct outbox_rows r = {0};
    struct sql_stmt *st;
    bool has_row = false;
    size_t cap = 0;

    *out = r;
    if (s->is_null || !schema_has(s->meta, "outbox"))
        return OK;
    enum status status =
        sql_prepare(s->meta,
                    STR("select id, notifier, event, status, attempts, created_ns, next_ns, "
                        "done_ns, error, " ALERT_COLUMNS
                        " from (select *, row_number() over (partition by notifier order by "
                        "created_ns, id) as place from outbox where (?1 >> status) & 1 and "
                        "next_ns <= ?2 and (?3 = '' or key = ?3)) where ?5 = 0 or place <= ?5 "
                        "order by created_ns, id limit ?4"),
                    &st, e);
    if (status != OK)
        return status;
    sql_bind_i64(st, 1, q->status_mask ? q->status_mask : UINT32_MAX);
    sql_bind_i64(st, 2, q->due_ns);
    sql_bind_str(st, 3, q->alert_key);
    sql_bind_i64(st, 4, q->limit > 0 ? (int64_t)q->limit : -1);
    sql_bind_i64(st, 5, (int64_t)q->per_notifier);
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        r.rows = arena_grow(a, r.rows, r.n, &cap, sizeof(*r.rows));
        r.rows[r.n++] = read_message(st, a);
    }
    sql_finalize(st);
    if (status == OK)
        *out = r;
    return status;
}
