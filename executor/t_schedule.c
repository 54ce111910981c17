/* Schedules: one timer each, set to the next due time. The last due time that was dealt with is in
 * the journal; the next one is counted from it. */
#include "executor/t_schedule.h"

#include <stdlib.h>

#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/timefmt.h"
#include "executor/async_private.h"

/* Timers follow the monotonic clock: a look at the wall clock this often notices when it was set.
 */
#define LOOK_NS  (30 * NS_PER_SEC)
#define RETRY_NS (5 * NS_PER_SEC)

struct schedule {
    struct trigger_run *run;
    const struct t_schedule_settings *settings;
    struct cron cron;
    struct zone *zone;
    struct loop_timer timer;
    int64_t anchor_ns; /* rates count from here: when the schedule was first seen */
    int64_t last_ns;   /* due time of the last firing, or when the schedule was first seen */
    bool is_busy;      /* a firing is on its way to the disk */
    bool is_stopping;
};

/* --- the event --- */

static void put(struct json_out *o, const char *key, struct str value)
{
    jout_key(o, key);
    jout_str(o, value);
}

void schedule_event_write(const struct schedule_event *ev, struct buf *out)
{
    AUTO(buf_clear) struct buf text;
    struct json_out o;

    buf_init(&text, 4096);
    jout_init(&o, out, false);
    jout_open(&o, '{');
    put(&o, "version", STR("0"));
    put(&o, "id", ev->id);
    put(&o, "detail-type", STR("Scheduled Event"));
    put(&o, "source", STR("aws.events"));
    put(&o, "account", ev->account);
    time_format(&text, ev->due_ns, 0);
    put(&o, "time", buf_str(&text));
    put(&o, "region", ev->region);
    jout_key(&o, "resources");
    jout_open(&o, '[');
    buf_reset(&text);
    buf_addf(&text, "arn:aws:events:" STR_FMT ":" STR_FMT ":rule/" STR_FMT, STR_ARG(ev->region),
             STR_ARG(ev->account), STR_ARG(ev->rule));
    jout_str(&o, buf_str(&text));
    jout_close(&o, ']');
    jout_key(&o, "detail");
    jout_raw(&o, STR("{}"));
    jout_close(&o, '}');
}

/* --- firing --- */

static void plan(struct schedule *s);

/* What one change says about a schedule. */
struct mark {
    struct str name;
    int64_t due_ns;
};

static enum status write_mark(void *data, struct journal *j, struct err *e)
{
    const struct mark *m = data;
    struct sql_stmt *st;
    enum status s =
        journal_stmt(j, "insert or replace into schedule(name, due_ns) values(?,?)", &st, e);

    if (s != OK)
        return s;
    sql_bind_str(st, 1, m->name);
    sql_bind_i64(st, 2, m->due_ns);
    return sql_run(st, e);
}

static void add_mark(struct mq_change *c, struct str name, int64_t due_ns)
{
    struct mark *m = arena_new(mq_change_arena(c), struct mark, 1);

    *m = (struct mark){.name = name, .due_ns = due_ns};
    mq_add_extra(c, write_mark, m);
}

static void schedule_free(struct schedule *s)
{
    zone_free(s->zone);
    free(s);
}

struct firing {
    struct schedule *schedule;
    int64_t due_ns;
};

static void on_fired(void *ctx, struct mq_change *c, enum status status, const struct err *e)
{
    struct firing *f = ctx;
    struct schedule *s = f->schedule;
    int64_t due_ns = f->due_ns;

    UNUSED(c);
    free(f);
    s->is_busy = false;
    if (s->is_stopping) {
        schedule_free(s);
        return;
    }
    if (status == OK) {
        s->last_ns = due_ns;
        plan(s);
        return;
    }
    log_event(LOG_ERROR, "schedule " STR_FMT " fires later: %s", STR_ARG(s->run->def->name),
              e->msg);
    loop_timer_set(s->run->x->loop, &s->timer, loop_now(s->run->x->loop) + RETRY_NS);
}

static void add_event(struct schedule *s, struct mq_change *c, int64_t due_ns)
{
    AUTO(buf_clear) struct buf payload;
    const struct executor *x = s->run->x;
    char id[UUID_LEN + 1], request_id[UUID_LEN + 1];
    struct rng rng;

    rng_seed_system(&rng);
    uuid_make(&rng, id);
    buf_init(&payload, (size_t)1 << 20);
    if (s->settings->input.n > 0)
        buf_add_str(&payload, s->settings->input);
    else
        schedule_event_write(&(struct schedule_event){.id = str_from(id),
                                                      .account = x->manifest->account,
                                                      .region = x->manifest->region,
                                                      .rule = s->run->def->name,
                                                      .due_ns = due_ns},
                             &payload);
    async_add(x->async, c,
              &(struct async_event){
                  .fn = s->run->fn, .payload = buf_str(&payload), .trigger = TRIGGER_TIMER},
              request_id);
}

/* Fires, or only notes, the due time. */
static void deal_with(struct schedule *s, int64_t due_ns, bool must_fire)
{
    struct mq_change *c = mq_change_new(s->run->x->queues);
    struct firing *f = xcalloc(1, sizeof(*f));

    *f = (struct firing){.schedule = s, .due_ns = due_ns};
    s->is_busy = true;
    add_mark(c, s->run->def->name, due_ns);
    if (must_fire)
        add_event(s, c, due_ns);
    mq_commit(c, on_fired, f);
}

static bool next_after(const struct schedule *s, int64_t after_ns, int64_t *next_ns)
{
    return cron_next(&s->cron, s->zone, s->anchor_ns, after_ns, next_ns);
}

/* A firing later than this was missed: the executor was down, or the clock was set ahead. */
#define LATE_NS (60 * NS_PER_SEC)

/* The last due time up to now, from a first one; counts how many there are. */
static int64_t latest_due(const struct schedule *s, int64_t first_ns, int64_t now_ns)
{
    int64_t due = first_ns, next;

    if (s->cron.kind == CRON_RATE)
        return now_ns - (now_ns - s->anchor_ns) % s->cron.every_ns;
    for (size_t n = 0; n < (size_t)100 * SCHEDULE_MAX_MISSED && next_after(s, due, &next); n++) {
        if (next > now_ns)
            break;
        due = next;
    }
    return due;
}

static void on_time(void *ctx)
{
    struct schedule *s = ctx;
    int64_t now = loop_wall(s->run->x->loop), due;

    if (s->is_busy)
        return;
    if (!next_after(s, s->last_ns, &due) || due > now) {
        plan(s);
        return;
    }
    if (now - due <= LATE_NS || s->settings->missed == MISSED_ALL)
        deal_with(s, due, true);
    else if (s->settings->missed == MISSED_ONCE)
        deal_with(s, latest_due(s, due, now), true);
    else
        deal_with(s, latest_due(s, due, now), now - latest_due(s, due, now) <= LATE_NS);
}

static void plan(struct schedule *s)
{
    struct loop *l = s->run->x->loop;
    int64_t due, now = loop_wall(l);

    if (!next_after(s, s->last_ns, &due))
        return; /* its last firing is past */
    int64_t wait = due > now ? due - now : 0;
    loop_timer_set(l, &s->timer, loop_now(l) + (wait < LOOK_NS ? wait : LOOK_NS));
}

/* --- the trigger --- */

static const char *const missed_names[] = {"skip", "once", "all", NULL};

static const struct opt_def options[] = {
    {.key = "schedule",
     .type = OPT_STRING,
     .offset = offsetof(struct t_schedule_settings, expression),
     .help = "rate(5 minutes), cron(0 18 ? * MON-FRI *) or at(2027-01-15T12:00:00)"},
    {.key = "time_zone",
     .type = OPT_STRING,
     .offset = offsetof(struct t_schedule_settings, zone),
     .help = "zone of cron and at, as Europe/Zurich; UTC unless given"},
    {.key = "input",
     .type = OPT_STRING,
     .offset = offsetof(struct t_schedule_settings, input),
     .help = "JSON payload instead of the scheduled event"},
    {.key = "missed",
     .type = OPT_CHOICE,
     .offset = offsetof(struct t_schedule_settings, missed),
     .default_text = "skip",
     .choices = missed_names,
     .help = "firings that fell due while fnexec was down"},
    {.key = "enabled",
     .type = OPT_BOOL,
     .offset = offsetof(struct t_schedule_settings, is_enabled),
     .default_text = "true",
     .help = "whether it fires"},
    {0},
};

static enum status check(const struct manifest *m, const struct fndef *fn,
                         const struct trigger_def *def, struct err *e)
{
    const struct t_schedule_settings *s = def->settings;
    AUTO(json_doc_free_ptr) struct json_doc *doc = NULL;
    struct zone *zone = NULL;
    struct cron cron;

    UNUSED(m);
    UNUSED(fn);
    enum status status = cron_parse(s->expression, &cron, e);
    if (status == OK && s->zone.n > 0)
        status = zone_load(ZONE_FOLDER, s->zone, &zone, e);
    zone_free(zone);
    if (status == OK && s->input.n > 0 && json_parse(s->input, &doc, e) != OK)
        status = err_wrap(e, "input");
    return status;
}

bool t_schedule_is_over(const struct trigger_def *def, int64_t now_ns)
{
    const struct t_schedule_settings *s = def->settings;
    struct zone *zone = NULL;
    struct cron cron;
    int64_t next;

    if (!s->is_enabled || cron_parse(s->expression, &cron, NULL) != OK ||
        (s->zone.n > 0 && zone_load(ZONE_FOLDER, s->zone, &zone, NULL) != OK))
        return false;
    bool is_over = !cron_next(&cron, zone, now_ns, now_ns, &next);
    zone_free(zone);
    return is_over;
}

static enum status read_last(struct schedule *s, bool *is_known, struct err *e)
{
    struct sql_stmt *st;

    journal_flush(s->run->x->journal);
    enum status status =
        journal_stmt(s->run->x->journal, "select due_ns from schedule where name=?", &st, e);

    if (status != OK)
        return status;
    sql_bind_str(st, 1, s->run->def->name);
    status = sql_step(st, is_known, e);
    if (status == OK && *is_known)
        s->last_ns = sql_i64(st, 0);
    sql_reset(st);
    return status;
}

/* Rates of one expression count from the same instant on every run. */
static enum status open_schedule(struct schedule *s, bool *is_known, struct err *e)
{
    enum status status = cron_parse(s->settings->expression, &s->cron, e);

    if (status == OK && s->settings->zone.n > 0)
        status = zone_load(ZONE_FOLDER, s->settings->zone, &s->zone, e);
    return status == OK ? read_last(s, is_known, e) : status;
}

static enum status start(struct trigger_run *t, struct err *e)
{
    const struct t_schedule_settings *settings = t->def->settings;
    bool is_known = false;

    if (!settings->is_enabled)
        return OK;
    struct schedule *s = xcalloc(1, sizeof(*s));
    s->run = t;
    s->settings = settings;
    s->timer = (struct loop_timer){.fn = on_time, .ctx = s};
    s->last_ns = loop_wall(t->x->loop);
    enum status status = open_schedule(s, &is_known, e);
    if (status != OK) {
        schedule_free(s);
        return err_wrap(e, "schedule " STR_FMT, STR_ARG(t->def->name));
    }
    s->anchor_ns = s->last_ns;
    t->state = s;
    if (is_known)
        plan(s);
    else
        deal_with(s, s->last_ns, false); /* known from now on: what comes is not missed */
    return OK;
}

static void stop(struct trigger_run *t)
{
    struct schedule *s = t->state;

    if (!s)
        return;
    t->state = NULL;
    loop_timer_cancel(t->x->loop, &s->timer);
    s->is_stopping = true;
    if (!s->is_busy)
        schedule_free(s);
}

const struct trigger_ops t_schedule = {
    .type = "schedule",
    .help = "at times: rate, cron or at",
    .options = options,
    .settings_size = sizeof(struct t_schedule_settings),
    .check = check,
    .start = start,
    .stop = stop,
};
