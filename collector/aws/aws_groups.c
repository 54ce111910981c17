/* Which log groups there are: DescribeLogGroups by each pattern's prefix, every few minutes. Groups
 * of classes that cannot be read by event are left out; groups that are gone are forgotten. */
#include "collector/aws/aws_source.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/mem.h"

enum {
    REQUEST_MAX_BYTES = 64 << 10,
    AHEAD_MS = 60 * 1000, /* clocks are allowed to differ by */
};
static const struct str floor_scope = STR_INIT("began");

char *aws_keep(char *old, struct str s)
{
    char *copy = NULL;

    if (s.n > 0) {
        copy = xmalloc(s.n + 1);
        memcpy(copy, s.p, s.n);
        copy[s.n] = '\0';
    }
    free(old); /* last: s may point into it */
    return copy;
}

bool aws_matches(const struct opt_list *globs, struct str name)
{
    for (size_t i = 0; i < globs->count; i++)
        if (str_glob(globs->items[i], name))
            return true;
    return globs->count == 0;
}

/* arn:aws:logs:eu-west-1:123456789012:... */
void aws_learn_account(struct aws_ctx *x, struct str arn)
{
    struct str rest = arn, account = {0};
    uint64_t number;

    for (int i = 0; i < 5; i++)
        account = str_cut(&rest, ':');
    if (x->account.n > 0 || account.n != 12 || !str_to_u64(account, &number))
        return;
    x->account = arena_str(&x->source->arena, account);
    x->source->status.account = x->account;
}

/* --- one group
 * ----------------------------------------------------------------------------------------------
 */

/* Nothing older than the backfill of the very first run is read, also by scans that look further
 * back. It is kept with the first watermark. */
static void find_floor(struct aws_ctx *x)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct source_env *env = &x->source->env;
    struct cursor c;

    if (x->logs.floor_ms > 0)
        return;
    x->logs.is_floor_kept = env->find_cursor != NULL &&
                            env->find_cursor(env->cursor_ctx, x->source->name, floor_scope, &a, &c);
    x->logs.floor_ms = x->logs.is_floor_kept
                           ? c.watermark_ns / NS_PER_MS
                           : (aws_now(&x->client) - x->o->backfill_ns) / NS_PER_MS;
}

void aws_keep_floor(struct aws_ctx *x, struct batch *out)
{
    struct cursor c = {.source = x->source->name,
                       .scope = floor_scope,
                       .watermark_ns = x->logs.floor_ms * NS_PER_MS};

    if (!x->logs.is_floor_kept)
        batch_cursor(out, &c);
    x->logs.is_floor_kept = true;
}

/* Places from a time when our clock was ahead: nothing can have been read from there. */
void aws_heal_places(struct aws_ctx *x, struct log_group *g)
{
    int64_t now_ms = aws_now(&x->client) / NS_PER_MS;
    int64_t from_ms = now_ms - x->o->backfill_ns / NS_PER_MS;

    if (x->logs.floor_ms > now_ms) {
        x->logs.floor_ms = from_ms;
        x->logs.is_floor_kept = false;
    }
    if (g->watermark_ms <= now_ms + AHEAD_MS)
        return;
    log_event(LOG_WARN,
              "source=" STR_FMT " group=%s was read up to a time that is to come: the clock was "
              "ahead, and what came within `backfill` is read again",
              STR_ARG(x->source->name), g->name);
    g->watermark_ms = from_ms;
    g->wide_ms = 0;
    g->was_read = false;
}

/* A group without a place of its own that was made since the source began belongs to what it is to
 * read from its first day on: nobody looked when it was made, or it was not asked for. */
static void place_born_later(struct aws_ctx *x, struct log_group *g)
{
    if (!g->has_cursor && x->logs.is_floor_kept && g->created_ms >= x->logs.floor_ms &&
        g->created_ms > 0 && g->created_ms < g->watermark_ms)
        g->watermark_ms = g->created_ms;
}

/* Where a run before stopped; the first scan looks further back than usual, because what came late
 * while nobody looked is behind the watermark. */
static void place_watermark(struct aws_ctx *x, struct log_group *g)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct source_env *env = &x->source->env;
    int64_t now_ms = aws_now(&x->client) / NS_PER_MS;
    struct str scope = arena_printf(&a, "log-group:%s", g->name);
    struct cursor c;

    g->watermark_ms = now_ms - x->o->backfill_ns / NS_PER_MS;
    g->deep_ms = now_ms;
    find_floor(x);
    if (g->created_ms > g->watermark_ms)
        g->watermark_ms = g->created_ms;
    g->has_cursor = env->find_cursor != NULL &&
                    env->find_cursor(env->cursor_ctx, x->source->name, scope, &a, &c);
    place_born_later(x, g);
    if (!g->has_cursor)
        return;
    g->watermark_ms = c.watermark_ns / NS_PER_MS;
    if (!str_to_i64(c.token, &g->deep_ms) || g->deep_ms > now_ms)
        g->deep_ms = now_ms;
}

/* Restarts must not put the deep scan off for ever: it counts from the one before. */
static int64_t deep_due(const struct aws_ctx *x, const struct log_group *g)
{
    int64_t passed_ns = aws_now(&x->client) - g->deep_ms * NS_PER_MS;

    if (x->o->deep_every_ns <= 0)
        return INT64_MAX;
    return aws_mono(x) + (passed_ns < x->o->deep_every_ns ? x->o->deep_every_ns - passed_ns : 0);
}

struct log_group *aws_group_add(struct aws_ctx *x, struct str name, int64_t created_ms)
{
    struct aws_logs *l = &x->logs;
    const uint64_t *known = map_get(&l->by_name, name);
    int64_t now = aws_mono(x);

    if (known != NULL) {
        struct log_group *g = &l->groups[*known];
        if (g->is_gone) /* it came back */
            g->scans[SCAN_FAST].next_ns = now;
        g->is_gone = false;
        if (g->created_ms == 0 && created_ms > 0) { /* a function named it before it was listed */
            g->created_ms = created_ms;
            place_born_later(x, g);
        }
        return g;
    }
    l->groups = mem_grow(l->groups, l->n, &l->cap, sizeof(*l->groups));
    struct log_group *g = &l->groups[l->n];
    *g = (struct log_group){.name = aws_keep(NULL, name), .created_ms = created_ms};
    *map_put(&l->by_name, str_from(g->name), NULL) = l->n++;
    place_watermark(x, g);
    g->scans[SCAN_FAST].next_ns = now;
    g->scans[SCAN_LATE].next_ns = x->o->late_every_ns > 0 ? now + x->o->late_every_ns : INT64_MAX;
    g->scans[SCAN_DEEP].next_ns = deep_due(x, g);
    return g;
}

/* --- the list
 * -----------------------------------------------------------------------------------------------
 */

static struct str pattern_at(const struct aws_ctx *x, size_t i)
{
    return i < x->o->log_groups.count ? x->o->log_groups.items[i] : STR("/aws/lambda/*");
}

static size_t pattern_count(const struct aws_ctx *x)
{
    return x->o->log_groups.count > 0 ? x->o->log_groups.count : 1;
}

static struct str fixed_prefix(struct str pattern)
{
    size_t n = 0;

    while (n < pattern.n && pattern.p[n] != '*' && pattern.p[n] != '?' && pattern.p[n] != '[')
        n++;
    return str_sub(pattern, 0, n);
}

static struct str make_body(const struct aws_ctx *x, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = REQUEST_MAX_BYTES};
    struct str prefix = fixed_prefix(pattern_at(x, x->logs.pattern));
    struct json_out o;

    jout_init(&o, &b, false);
    jout_open(&o, '{');
    jout_key(&o, "limit");
    jout_i64(&o, 50);
    if (prefix.n > 0) {
        jout_key(&o, "logGroupNamePrefix");
        jout_str(&o, prefix);
    }
    if (x->logs.pages.token != NULL) {
        jout_key(&o, "nextToken");
        jout_str(&o, str_from(x->logs.pages.token));
    }
    jout_close(&o, '}');
    return arena_str(a, buf_str(&b));
}

static bool can_be_read(const struct json *g)
{
    struct str class;

    return !json_str(json_get(g, "logGroupClass"), &class) || str_eq(class, STR("STANDARD"));
}

static void take_group(struct aws_ctx *x, const struct json *g)
{
    struct str name, arn;
    int64_t created_ms = 0;

    if (!json_str(json_get(g, "logGroupName"), &name) ||
        !str_glob(pattern_at(x, x->logs.pattern), name))
        return;
    if (!can_be_read(g)) {
        log_event(LOG_DEBUG,
                  "source=" STR_FMT " group=" STR_FMT
                  " cannot be read by event: its class is not STANDARD",
                  STR_ARG(x->source->name), STR_ARG(name));
        return;
    }
    if (json_str(json_get(g, "arn"), &arn))
        aws_learn_account(x, arn);
    if (!json_i64(json_get(g, "creationTime"), &created_ms))
        created_ms = 0;
    aws_group_add(x, name, created_ms)->is_listed = true;
}

static void begin_list(struct aws_logs *l)
{
    for (size_t i = 0; i < l->n; i++)
        l->groups[i].is_listed = false;
}

/* A group nobody lists any more is asked no more; its place is kept for its return. */
static void end_list(struct aws_ctx *x)
{
    struct aws_logs *l = &x->logs;

    for (size_t i = 0; i < l->n; i++)
        if (!l->groups[i].is_listed && !l->groups[i].is_used)
            l->groups[i].is_gone = true;
    l->is_listed_once = true;
    l->pattern = 0;
}

enum status aws_groups_step(struct aws_ctx *x, struct aws_task *t, struct batch *out, struct err *e)
{
    AUTO(json_doc_free_ptr) struct json_doc *d = NULL;
    struct aws_logs *l = &x->logs;
    struct aws_request q = {.op = OP_DESCRIBE_LOG_GROUPS, .body = make_body(x, &out->arena)};
    struct str body, token = {0};
    enum status s = aws_call(&x->client, &q, &out->arena, &body, e);

    if (s == OK && (s = json_parse(body, &d, e)) != OK)
        s = aws_damaged(&x->client, "logs:DescribeLogGroups", e);
    if (s != OK)
        return s;
    if (l->pattern == 0 && l->pages.token == NULL)
        begin_list(l);
    const struct json *groups = json_get(json_root(d), "logGroups");
    for (size_t i = 0; i < json_count(groups); i++)
        take_group(x, json_at(groups, i));
    if (!json_str(json_get(json_root(d), "nextToken"), &token))
        token = (struct str){0};
    s = aws_pages_next(&l->pages, token, AWS_PAGES_MAX, aws_op_info(q.op)->name, e);
    x->tasks[TASK_LOGS].next_ns = aws_logs_due(x);
    if (s != OK)
        return s;
    t->next_ns = aws_mono(x);
    if (l->pages.token == NULL && ++l->pattern == pattern_count(x)) {
        end_list(x);
        t->is_round_done = true;
        t->next_ns += x->o->discover_ns;
    }
    return OK;
}
