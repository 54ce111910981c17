/* The demo's functions and their days: who is called when, which environment serves it, how it
 * ends. How that looks in a log is in demo_lines.c. */
#include "cli/demo_gen.h"

#include <assert.h>
#include <stdlib.h>

#include "cli/demo_lines.h"
#include "core/base/clock.h"
#include "core/base/compress.h"
#include "core/base/file.h"
#include "core/base/timefmt.h"

#define MAX_ENVS      12u
#define FLUSH_BYTES   ((size_t)4 << 20)
#define KEEP_ALIVE_NS (25 * NS_PER_MIN)

struct trouble {
    int64_t from_ns, to_ns; /* after the start of the range */
};

static const struct demo_function functions[] = {
    {"checkout-api", DEMO_NODE, 512, 70, 220, 300, "28"},
    {"order-events", DEMO_PYTHON, 256, 95, 130, 200, "17"},
    {"image-resize", DEMO_PYTHON, 1024, 420, 60, 600, "5"},
    {"report-builder", DEMO_JAVA, 2048, 6200, 9, 2100, "11"},
    {"payment-webhook", DEMO_NODE, 256, 45, 90, 240, "33"},
    {"cart-service", DEMO_NODE, 512, 28, 160, 260, "61"},
    {"catalog-search", DEMO_GO, 256, 14, 260, 90, "8"},
    {"user-profile", DEMO_NODE, 256, 22, 140, 230, "19"},
    {"session-cleaner", DEMO_PYTHON, 128, 800, 4, 180, "2"},
    {"mail-sender", DEMO_PYTHON, 256, 310, 40, 220, "14"},
    {"invoice-pdf", DEMO_JAVA, 1024, 1500, 12, 1900, "9"},
    {"stock-sync", DEMO_GO, 512, 180, 30, 110, "21"},
    {"price-import", DEMO_PYTHON, 1769, 9800, 2, 900, "4"},
    {"fraud-check", DEMO_PYTHON, 1024, 240, 85, 1200, "27"},
    {"geo-lookup", DEMO_GO, 128, 6, 120, 80, "3"},
    {"thumbnail-queue", DEMO_NODE, 1024, 390, 35, 280, "12"},
    {"audit-writer", DEMO_NODE, 128, 17, 150, 210, "7"},
    {"metrics-rollup", DEMO_PYTHON, 512, 2100, 6, 340, "10"},
    {"newsletter", DEMO_NODE, 256, 520, 3, 250, "6"},
    {"auth-token", DEMO_GO, 256, 9, 240, 95, "40"},
    {"auth-refresh", DEMO_GO, 256, 8, 110, 95, "40"},
    {"loyalty-points", DEMO_JAVA, 512, 120, 40, 1700, "13"},
    {"shipping-quote", DEMO_NODE, 512, 210, 45, 270, "22"},
    {"returns-handler", DEMO_NODE, 256, 130, 12, 240, "5"},
    {"video-transcode", DEMO_PYTHON, 3008, 42000, 1, 1100, "3"},
    {"log-archiver", DEMO_PYTHON, 512, 3300, 2, 260, "2"},
    {"coupon-validate", DEMO_GO, 128, 7, 95, 85, "15"},
    {"wishlist", DEMO_NODE, 256, 25, 50, 230, "9"},
    {"reviews-moderation", DEMO_PYTHON, 1769, 850, 14, 1500, "16"},
    {"recommendations", DEMO_PYTHON, 3008, 330, 70, 2300, "31"},
    {"tax-service", DEMO_JAVA, 512, 60, 55, 1600, "18"},
    {"partner-feed", DEMO_NODE, 512, 1900, 4, 290, "8"},
    {"chat-bot", DEMO_NODE, 512, 640, 25, 310, "23"},
    {"sms-gateway", DEMO_GO, 128, 160, 22, 90, "6"},
    {"backup-trigger", DEMO_PYTHON, 128, 450, 1, 190, "1"},
    {"feature-flags", DEMO_GO, 128, 4, 200, 75, "12"},
    {"ab-assignment", DEMO_NODE, 128, 11, 130, 200, "14"},
    {"webhook-relay", DEMO_NODE, 256, 75, 60, 240, "20"},
    {"data-export", DEMO_JAVA, 1024, 4800, 2, 1800, "4"},
    {"status-page", DEMO_NODE, 128, 12, 30, 190, "3"},
};

struct env {
    int64_t free_ns, last_ns;
    char stream[80];
    unsigned uses;
};

struct sim {
    const struct demo_options *options;
    const struct demo_function *fn;
    struct rng rng;
    struct env envs[MAX_ENVS];
    unsigned n_envs;
    const char *version; /* of the call before */
    int64_t begin_ns;
    struct buf text;  /* JSON documents not yet compressed */
    struct buf bytes; /* the file so far */
    struct zstd_ctx *zstd;
    struct demo_totals *totals;
    struct err *e;
};

/* Load by hour of the day: quiet nights, a peak in the evening. */
static const unsigned day_shape[24] = {20, 12, 8,  6,  6,  9,  20,  45,  70,  85,  90, 92,
                                       95, 90, 85, 84, 88, 95, 110, 130, 135, 110, 70, 40};

static bool is_within(const struct sim *s, int64_t t_ns, unsigned days_before_end,
                      int64_t from_minute, int64_t minutes)
{
    int64_t day = s->options->end_ns - (int64_t)days_before_end * NS_PER_DAY;
    int64_t from = day + from_minute * NS_PER_MIN;

    return t_ns >= from && t_ns < from + minutes * NS_PER_MIN;
}

/* --- environments --- */

static void new_env(struct sim *s, struct env *v, int64_t t_ns, const char *version)
{
    struct civil c = time_civil(t_ns);
    struct buf name = {.max = sizeof(v->stream) - 1};

    buf_addf(&name, "%04d/%02d/%02d/[%s]%016llx%016llx", c.year, c.month, c.day, version,
             (unsigned long long)rng_u64(&s->rng), (unsigned long long)rng_u64(&s->rng));
    *v = (struct env){.last_ns = t_ns};
    for (size_t i = 0; i < name.n; i++)
        v->stream[i] = name.p[i];
    buf_clear(&name);
}

/* The warm environment used last, or a new one. */
static struct env *choose_env(struct sim *s, int64_t t_ns, const char *version, bool *is_cold)
{
    struct env *best = NULL, *oldest = &s->envs[0];

    for (unsigned i = 0; i < s->n_envs; i++) {
        struct env *v = &s->envs[i];
        bool is_warm = v->free_ns <= t_ns && t_ns - v->last_ns < KEEP_ALIVE_NS && v->uses > 0;
        if (is_warm && (!best || v->last_ns > best->last_ns))
            best = v;
        if (v->last_ns < oldest->last_ns)
            oldest = v;
    }
    *is_cold = !best;
    if (best)
        return best;
    struct env *fresh = s->n_envs < MAX_ENVS ? &s->envs[s->n_envs++] : oldest;
    new_env(s, fresh, t_ns, version);
    return fresh;
}

/* Another version runs in environments of its own. */
static void take_version(struct sim *s, const char *version)
{
    if (s->version != NULL && s->version != version)
        s->n_envs = 0;
    s->version = version;
}

/* --- one invocation --- */

/* Roughly lognormal: a product of a few uniform factors, with a rare slow one. */
static int64_t draw_duration(struct sim *s)
{
    int64_t us = (int64_t)s->fn->typical_ms * 1000;

    for (int i = 0; i < 3; i++)
        us = us * (int64_t)(60 + rng_below(&s->rng, 81)) / 100;
    if (rng_below(&s->rng, 200) == 0)
        us *= 5;
    return us < 900 ? 900 : us;
}

static void draw_ids(struct sim *s, struct demo_call *c)
{
    c->id_high = rng_u64(&s->rng);
    c->id_low = rng_u64(&s->rng);
    c->trace = rng_u64(&s->rng);
}

/* What goes wrong with this function at this time. */
static enum demo_end draw_end(struct sim *s, const struct env *v, int64_t t_ns, struct demo_call *c)
{
    struct str name = str_from(s->fn->name);
    uint64_t dice = rng_below(&s->rng, 1000);

    if (str_eq(name, STR("image-resize"))) { /* each use of an environment leaks some megabytes */
        c->used_mb += v->uses * 23;
        return c->used_mb >= s->fn->memory_mb ? DEMO_OOM : DEMO_OK;
    }
    if (str_eq(name, STR("checkout-api")) && is_within(s, t_ns, 3, 840, 95) && dice < 620)
        return DEMO_ERROR;
    if (str_eq(name, STR("order-events")) && is_within(s, t_ns, 2, 120, 120) && dice < 900)
        return DEMO_ERROR;
    if (str_eq(name, STR("report-builder")) && is_within(s, t_ns, 1, 540, 130) && dice < 700)
        return DEMO_TIMEOUT;
    return dice < 3 ? DEMO_ERROR : DEMO_OK;
}

static enum status flush(struct sim *s)
{
    enum status status =
        s->text.n > 0 ? zstd_pack(s->zstd, buf_str(&s->text), &s->bytes, s->e) : OK;

    buf_reset(&s->text);
    return status;
}

static const char *version_at(const struct sim *s, int64_t t_ns)
{
    bool is_bad_deploy =
        str_eq(str_from(s->fn->name), STR("checkout-api")) && is_within(s, t_ns, 3, 840, 95);

    return is_bad_deploy ? "29" : s->fn->version;
}

static void run_call(struct sim *s, struct demo_call *c, int64_t t_ns)
{
    const char *version = version_at(s, t_ns);
    bool is_cold;

    struct env *v = choose_env(s, t_ns, version, &is_cold);
    c->start_ns = t_ns / NS_PER_MS * NS_PER_MS;
    c->version = version;
    c->stream = v->stream;
    c->init_us = is_cold ? (int64_t)s->fn->init_ms * (int64_t)(700 + rng_below(&s->rng, 700)) : 0;
    c->duration_us = draw_duration(s) + (is_cold ? c->init_us / 10 : 0);
    c->used_mb = s->fn->memory_mb * (30 + (unsigned)rng_below(&s->rng, 25)) / 100;
    c->end = draw_end(s, v, t_ns, c);
    if (c->end == DEMO_TIMEOUT)
        c->duration_us = INT64_C(30000000);
    if (c->end == DEMO_OOM)
        c->used_mb = s->fn->memory_mb;
    demo_lines(&s->text, s->fn, c, &s->rng, &s->totals->events);
    s->totals->invocations++;
    v->uses = c->end == DEMO_OOM ? 0 : v->uses + 1;
    v->last_ns = v->free_ns = c->start_ns + (c->duration_us + c->init_us) * NS_PER_US;
}

/* An asynchronous event that fails is tried again after a minute, and after two more, with the same
 * id. */
static void run_event(struct sim *s, int64_t t_ns)
{
    static const int64_t pauses[] = {0, NS_PER_MIN, 3 * NS_PER_MIN};
    struct demo_call c = {0};
    bool is_async = str_eq(str_from(s->fn->name), STR("order-events"));

    draw_ids(s, &c);
    for (size_t i = 0; i < ARRAY_LEN(pauses); i++) {
        run_call(s, &c, t_ns + pauses[i] + (int64_t)rng_below(&s->rng, 900) * NS_PER_MS);
        if (!is_async || c.end == DEMO_OK)
            return;
    }
}

/* --- days --- */

static unsigned calls_in_hour(struct sim *s, int64_t hour_ns)
{
    struct civil c = time_civil(hour_ns);
    uint64_t weight = (uint64_t)day_shape[c.hour] * (c.weekday == 0 || c.weekday == 6 ? 65u : 100u);
    uint64_t mean = s->fn->per_hour * weight / 180;

    return (unsigned)((mean + rng_below(&s->rng, 100)) / 100 + rng_below(&s->rng, 1 + mean / 800));
}

static int compare_i64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static enum status run_hour(struct sim *s, int64_t hour_ns)
{
    int64_t times[1024];
    unsigned n = calls_in_hour(s, hour_ns);

    n = n > ARRAY_LEN(times) ? ARRAY_LEN(times) : n;
    for (unsigned i = 0; i < n; i++)
        times[i] = hour_ns + (int64_t)rng_below(&s->rng, UINT64_C(3600000)) * NS_PER_MS;
    if (n > 1)
        qsort(times, n, sizeof(*times), compare_i64);
    for (unsigned i = 0; i < n; i++) {
        take_version(s, version_at(s, times[i]));
        run_event(s, times[i]);
        if (s->text.n >= FLUSH_BYTES && flush(s) != OK)
            return s->e ? s->e->code : ERR_BUG;
    }
    return OK;
}

static enum status run_function(struct sim *s, const char *dir)
{
    AUTO(arena_clear) struct arena a = {0};
    enum status status = OK;

    s->begin_ns = s->options->end_ns - (int64_t)s->options->days * NS_PER_DAY;
    for (int64_t t = s->begin_ns; status == OK && t < s->options->end_ns; t += NS_PER_HOUR)
        status = run_hour(s, t);
    if (status == OK)
        status = flush(s);
    if (status != OK)
        return status;
    s->totals->files++;
    const char *path = arena_strz(&a, arena_printf(&a, "%s/delivery-%02llu.json.zst", dir,
                                                   (unsigned long long)s->totals->files));
    return file_write(path, buf_str(&s->bytes), 0644, s->e);
}

enum status demo_generate(const char *dir, const struct demo_options *o, struct demo_totals *out,
                          struct err *e)
{
    struct zstd_ctx *zstd = zstd_ctx_new(3);
    struct demo_totals totals = {0};
    enum status status = file_make_dir(dir, 0755, e);

    assert(o->functions <= ARRAY_LEN(functions));
    for (unsigned i = 0; status == OK && i < o->functions; i++) {
        struct sim s = {.options = o, .fn = &functions[i], .zstd = zstd, .totals = &totals, .e = e};
        s.text.max = (size_t)64 << 20;
        s.bytes.max = (size_t)256 << 20;
        rng_seed(&s.rng, o->seed * 1000003 + i);
        status = run_function(&s, dir);
        buf_clear(&s.text);
        buf_clear(&s.bytes);
    }
    zstd_ctx_free(zstd);
    if (status == OK)
        *out = totals;
    return status;
}
