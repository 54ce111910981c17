/* The benchmark workload: Lambda logs of N functions over 24 hours in global time order, in several
 * forms.
 *
 *   gen_logs --form text|pages|ndjson|access --lines N [--functions 200] [--seed 1] --out PATH
 *
 * Zipf(0.9) over the functions; each has one memory size and a typical duration of 3 + e^U(0,7) ms,
 * per invocation times a lognormal factor (sigma 0.6), at most 900 s; used memory 30-80 %; up to 24
 * environments a function; about 1.5 % cold starts with 150-550 ms init; 0.8 % end in error, 0.2 %
 * in a timeout; every second function has an XRAY line; 2-6 application lines, half of the
 * functions in JSON. Not a part of the product: floating point is fine here. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "core/base/safe_text.h"
#include "core/base/timefmt.h"

#define ENVS        24u
#define PAGE_BYTES  ((size_t)1000000)
#define PAGE_EVENTS 10000u

struct env {
    char stream[64];
    int64_t free_ms;
    bool is_used;
};

struct function {
    char group[48];
    unsigned memory_mb;
    double typical_ms;
    bool has_json, has_xray;
    struct env envs[ENVS];
    double weight;   /* cumulated */
    struct buf page; /* FilterLogEvents answers about one log group */
    unsigned page_events, pages;
};

struct event {
    int64_t t_ms;
    uint64_t order;
    struct function *fn;
    struct env *env;
    char *text;
};

struct gen {
    struct rng rng;
    struct function *fns;
    size_t n_fns;
    struct event *heap;
    size_t n, cap;
    uint64_t order, written, wanted;
    const char *form, *path;
    FILE *out;
};

static double uniform(struct gen *g)
{
    return rng_unit(&g->rng);
}

static double normal(struct gen *g)
{
    return sqrt(-2 * log(1 - uniform(g))) * cos(6.283185307179586 * uniform(g));
}

/* --- a heap of events by time --- */

static bool is_before(const struct event *a, const struct event *b)
{
    return a->t_ms != b->t_ms ? a->t_ms < b->t_ms : a->order < b->order;
}

static void push(struct gen *g, struct event ev)
{
    ev.order = g->order++;
    g->heap = mem_grow(g->heap, g->n, &g->cap, sizeof(*g->heap));
    size_t i = g->n++;
    for (; i > 0 && is_before(&ev, &g->heap[(i - 1) / 2]); i = (i - 1) / 2)
        g->heap[i] = g->heap[(i - 1) / 2];
    g->heap[i] = ev;
}

static struct event pop(struct gen *g)
{
    struct event top = g->heap[0], last = g->heap[--g->n];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= g->n)
            break;
        if (child + 1 < g->n && is_before(&g->heap[child + 1], &g->heap[child]))
            child++;
        if (!is_before(&g->heap[child], &last))
            break;
        g->heap[i] = g->heap[child];
        i = child;
    }
    if (g->n > 0)
        g->heap[i] = last;
    return top;
}

/* --- output --- */

static void time_text(int64_t t_ms, char out[32])
{
    struct buf b = {.max = 31};

    time_format(&b, t_ms * NS_PER_MS, 3);
    memcpy(out, b.p, b.n + 1);
    buf_clear(&b);
}

/* One folder a log group, named after its function, with numbered pages. */
static void close_page(const struct gen *g, struct function *f)
{
    char name[4096];
    const char *function = strrchr(f->group, '/') + 1;

    if (f->page_events == 0)
        return;
    buf_add_z(&f->page, "],\"searchedLogStreams\":[],\"nextToken\":\"t\"}");
    snprintf(name, sizeof(name), "%s/%s", g->path, function);
    if (mkdir(name, 0755) != 0 && errno != EEXIST)
        perror(name);
    snprintf(name, sizeof(name), "%s/%s/%06u.json", g->path, function, f->pages++);
    FILE *out = fopen(name, "wb");
    if (!out || fwrite(f->page.p, 1, f->page.n, out) != f->page.n) {
        perror(name);
        exit(1);
    }
    fclose(out);
    buf_clear(&f->page);
    f->page_events = 0;
}

static void write_page_event(const struct gen *g, const struct event *ev)
{
    struct function *f = ev->fn;

    f->page.max = (size_t)16 << 20;
    buf_add_z(&f->page, f->page_events ? "," : "{\"events\":[");
    buf_addf(&f->page, "{\"logStreamName\":\"%s\",\"timestamp\":%lld,\"message\":", ev->env->stream,
             (long long)ev->t_ms);
    safe_json(&f->page, str_from(ev->text));
    buf_addf(&f->page, ",\"ingestionTime\":%lld,\"eventId\":\"%037llu%019llu\"}",
             (long long)ev->t_ms + 900, (unsigned long long)ev->t_ms * 1000003u,
             (unsigned long long)g->written);
    if (++f->page_events == PAGE_EVENTS || f->page.n > PAGE_BYTES)
        close_page(g, f);
}

static void write_ndjson(struct gen *g, const struct event *ev, const char *when)
{
    struct buf b = {.max = 1u << 20};

    safe_json(&b, str_from(ev->text));
    fprintf(g->out,
            "{\"timestamp\":\"%s\",\"logGroup\":\"%s\",\"logStream\":\"%s\",\"message\":%s}\n",
            when, ev->fn->group, ev->env->stream, b.p);
    buf_clear(&b);
}

static void write_event(struct gen *g, const struct event *ev)
{
    char when[32];

    time_text(ev->t_ms, when);
    if (strcmp(g->form, "pages") == 0)
        write_page_event(g, ev);
    else if (strcmp(g->form, "ndjson") == 0)
        write_ndjson(g, ev, when);
    else if (strcmp(g->form, "access") == 0)
        fprintf(g->out,
                "10.%u.%u.%u - - [14/May/2024:%.8s +0000] \"GET %s HTTP/1.1\" %d %u \"-\" "
                "\"Mozilla/5.0 (X11; Linux)\"\n",
                (unsigned)(ev->order >> 16 & 255), (unsigned)(ev->order >> 8 & 255),
                (unsigned)(ev->order & 255), when + 11, ev->fn->group, ev->order % 97 ? 200 : 500,
                (unsigned)(ev->order * 7919 % 50000));
    else
        fprintf(g->out, "%s\t%s\t%s\t%s\n", when, ev->fn->group, ev->env->stream, ev->text);
    g->written++;
}

/* --- one invocation --- */

static void add(struct gen *g, struct function *f, struct env *v, double t_ms, struct buf *text)
{
    push(g, (struct event){.t_ms = (int64_t)t_ms, .fn = f, .env = v, .text = xstrdup(text->p)});
    buf_reset(text);
}

static void app_line(struct gen *g, const struct function *f, const char *id, double t_ms,
                     struct buf *b)
{
    static const char *const words[] = {"order accepted", "payment captured", "cache miss",
                                        "retrying downstream call", "item stored"};
    const char *word = words[rng_below(&g->rng, ARRAY_LEN(words))];
    unsigned n = (unsigned)rng_below(&g->rng, 1000000);
    char when[32];

    time_text((int64_t)t_ms, when);
    if (f->has_json) {
        buf_addf(b,
                 "{\"timestamp\":\"%s\",\"level\":\"INFO\",\"requestId\":\"%s\",\"logger\":\"app\","
                 "\"message\":\"%s\",\"path\":\"/v1/items/"
                 "%u\",\"durationMs\":%u,\"customerId\":\"c-%u\",\"attempt\":1",
                 when, id, word, n, n % 900, n % 5000);
        buf_add_z(b, n % 3 == 0 ? ",\"tags\":[\"a\",\"b\"],\"bytes\":1234}" : "}");
        return;
    }
    buf_addf(b, "%s\t%s\tINFO\t%s id=%u amount=%u.%02u customer=c-%u path=/v1/items/%u", when, id,
             word, n, n % 900, n % 100, n % 5000, n);
    for (unsigned i = 0; i < n % 5; i++)
        buf_addf(b, " key%u=%u", i, n / (i + 2));
}

static struct env *choose_env(struct gen *g, struct function *f, int64_t t_ms, bool *is_cold)
{
    struct env *best = &f->envs[0];

    *is_cold = false;
    for (unsigned i = 0; i < ENVS; i++) {
        if (f->envs[i].is_used && f->envs[i].free_ms <= t_ms && rng_below(&g->rng, 200) != 0)
            return &f->envs[i];
        if (!f->envs[i].is_used) {
            best = &f->envs[i];
            break;
        }
        best = f->envs[i].free_ms < best->free_ms ? &f->envs[i] : best;
    }
    *is_cold = true;
    best->is_used = true;
    snprintf(best->stream, sizeof(best->stream), "2024/05/14/[$LATEST]%016llx%016llx",
             (unsigned long long)rng_u64(&g->rng), (unsigned long long)rng_u64(&g->rng));
    return best;
}

static void report(struct gen *g, const struct function *f, const char *id, double duration,
                   double init, struct buf *b)
{
    double dice = uniform(g);

    buf_addf(b,
             "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: %u "
             "MB\tMax Memory Used: %u MB",
             id, duration, ceil(duration + init), f->memory_mb,
             (unsigned)(f->memory_mb * (0.3 + 0.5 * uniform(g))));
    if (init > 0)
        buf_addf(b, "\tInit Duration: %.2f ms", init);
    buf_add_z(b, dice < 0.008 ? "\tStatus: error" : dice < 0.01 ? "\tStatus: timeout" : "");
    buf_add_c(b, '\t');
    if (f->has_xray)
        buf_addf(b, "XRAY TraceId: 1-66433f00-%024llx\tSegmentId: %016llx\tSampled: true\t",
                 (unsigned long long)rng_u64(&g->rng), (unsigned long long)rng_u64(&g->rng));
}

static void invoke(struct gen *g, struct function *f, double t_ms)
{
    struct buf b = {.max = 1u << 16};
    bool is_cold;
    struct env *v = choose_env(g, f, (int64_t)t_ms, &is_cold);
    double duration = f->typical_ms * exp(0.6 * normal(g)),
           init = is_cold ? 150 + 400 * uniform(g) : 0;
    uint64_t h = rng_u64(&g->rng), l = rng_u64(&g->rng);
    unsigned lines = 2 + (unsigned)rng_below(&g->rng, 5);
    char id[48];

    duration = duration > 900000 ? 900000 : duration;
    snprintf(id, sizeof(id), "%08llx-%04llx-4%03llx-a%03llx-%012llx", (unsigned long long)(h >> 32),
             (unsigned long long)(h >> 16 & 0xFFFF), (unsigned long long)(h & 0xFFF),
             (unsigned long long)(l >> 52), (unsigned long long)(l & 0xFFFFFFFFFFFF));
    if (is_cold) {
        buf_add_z(&b, "INIT_START Runtime Version: python:3.12.v89\tRuntime Version ARN: "
                      "arn:aws:lambda:us-east-1::runtime:644f999c44288c3d");
        add(g, f, v, t_ms - init, &b);
    }
    buf_addf(&b, "START RequestId: %s Version: $LATEST", id);
    add(g, f, v, t_ms, &b);
    for (unsigned i = 0; i < lines; i++) {
        double at = t_ms + duration * (i + 1) / (lines + 1);
        app_line(g, f, id, at, &b);
        add(g, f, v, at, &b);
    }
    buf_addf(&b, "END RequestId: %s", id);
    add(g, f, v, t_ms + duration, &b);
    report(g, f, id, duration, init, &b);
    add(g, f, v, t_ms + duration, &b);
    v->free_ms = (int64_t)(t_ms + duration) + 1;
    buf_clear(&b);
}

/* --- all of them --- */

static void make_functions(struct gen *g)
{
    static const unsigned sizes[] = {128, 256, 512, 1024, 1769, 3008};
    static const char *const nouns[] = {"order", "cart", "mail",  "image",
                                        "price", "user", "stock", "audit"};
    double sum = 0;

    g->fns = xcalloc(g->n_fns, sizeof(*g->fns));
    for (size_t i = 0; i < g->n_fns; i++) {
        struct function *f = &g->fns[i];
        snprintf(f->group, sizeof(f->group), "/aws/lambda/svc-%s-%03zu",
                 nouns[i % ARRAY_LEN(nouns)], i);
        f->memory_mb = sizes[rng_below(&g->rng, ARRAY_LEN(sizes))];
        f->typical_ms = 3 + exp(7 * uniform(g));
        f->has_json = i % 2 == 1;
        f->has_xray = i % 4 < 2;
        sum += pow((double)(i + 1), -0.9);
        f->weight = sum;
    }
}

static struct function *choose_function(struct gen *g)
{
    double dice = uniform(g) * g->fns[g->n_fns - 1].weight;
    size_t low = 0, high = g->n_fns - 1;

    while (low < high) {
        size_t mid = (low + high) / 2;
        if (g->fns[mid].weight < dice)
            low = mid + 1;
        else
            high = mid;
    }
    return &g->fns[low];
}

static void drain(struct gen *g, int64_t until_ms)
{
    while (g->n > 0 && g->written < g->wanted && g->heap[0].t_ms < until_ms) {
        struct event ev = pop(g);
        write_event(g, &ev);
        free(ev.text);
    }
}

static void run(struct gen *g)
{
    const double begin_ms = 1715644800000.0; /* 2024-05-14T00:00:00Z */
    double step_ms = 86400000.0 / ((double)g->wanted / 7.0), t_ms = begin_ms + 2000;

    while (g->written < g->wanted) {
        invoke(g, choose_function(g), t_ms + step_ms * uniform(g));
        drain(g, (int64_t)t_ms - 1000); /* INIT_START lies up to 600 ms back */
        t_ms += step_ms;
    }
}

static const char *option(int argc, char **argv, const char *name, const char *fallback)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return fallback;
}

int main(int argc, char **argv)
{
    struct gen g = {.form = option(argc, argv, "--form", "text"),
                    .path = option(argc, argv, "--out", NULL)};

    if (!g.path) {
        fprintf(stderr, "usage: gen_logs --form text|pages|ndjson|access --lines N [--functions "
                        "200] [--seed 1] --out PATH\n");
        return 2;
    }
    g.wanted = strtoull(option(argc, argv, "--lines", "100000"), NULL, 10);
    g.n_fns = strtoull(option(argc, argv, "--functions", "200"), NULL, 10);
    rng_seed(&g.rng, strtoull(option(argc, argv, "--seed", "1"), NULL, 10));
    make_functions(&g);
    if (strcmp(g.form, "pages") == 0) {
        if (mkdir(g.path, 0755) != 0 && errno != EEXIST)
            return 1;
    } else {
        g.out = fopen(g.path, "wb");
        if (!g.out) {
            perror(g.path);
            return 1;
        }
    }
    run(&g);
    for (size_t i = 0; i < g.n_fns; i++)
        close_page(&g, &g.fns[i]);
    return g.out && fclose(g.out) != 0;
}
