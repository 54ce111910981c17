/* A provider of logs that does everything wrong it can, on a virtual clock, and a collector that
 * reads from it into a store of its own: for tests of the AWS source. One world at a time. */
#ifndef TESTS_UNIT_COLLECTOR_FAULT_WORLD_H
#define TESTS_UNIT_COLLECTOR_FAULT_WORLD_H

#include "tests/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/aws/aws.h"
#include "collector/aws/aws_source.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/sigv4.h"
#include "core/base/timefmt.h"
#include "core/store/store.h"

enum {
    GROUPS = 2,
    EVENTS = 60,
    LIFE_MIN = 120, /* events are written this long */
};
#define BEGIN_NS (INT64_C(1788256800) * NS_PER_SEC) /* 2026-09-01T10:00:00Z */
#define SECRET   "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

struct event {
    int64_t time_ms;    /* as the function wrote it */
    int64_t visible_ns; /* true time from which the provider shows it */
    int group, number;
    int seen; /* times found in the store */
};

/* What is true, whatever our clocks say. */
struct world {
    struct rng rng;
    int64_t now_ns;  /* true time */
    int64_t wall_ns; /* what our wall clock is wrong by */
    struct event events[EVENTS];
    unsigned fault_per_mille; /* of each call */
    bool only_damaged;        /* these faults are answers that cannot be read */
    bool is_unreachable;      /* no call leaves the machine */
    bool lists_fail;          /* nobody tells the account */
    int sts_status;           /* of STS; 0: 200 */
    bool throttles;           /* 28 in the minute it begins */
    enum sickness {
        HEALTHY,
        DENIED,
        TOKENS_REFUSED,
        CIRCLE,
        FAILING
    } sickness; /* of groups from here on: */
    int first_ill;
    uint64_t ill_calls;
    int64_t earliest_ms;                     /* that was asked for */
    int64_t earliest_of[GROUPS];             /* and of each group */
    bool has_services;                       /* beside logs and metrics */
    const char *denied;                      /* no call whose address or body has it is allowed */
    bool list_circles;                       /* its pages have no end */
    bool hides_second;                       /* the second group is not there yet */
    int64_t second_made_ms;                  /* when it was; 0: nobody says */
    int token_epoch;                         /* older tokens have expired */
    int credentials;                         /* changes when they expire */
    uint64_t calls, faults, shown;           /* shown: events in answers */
    int64_t metrics_from_ns, metrics_to_ns;  /* asked for so far */
    int64_t metrics_gap_ns, metrics_most_ns; /* left out in between; longest window */
};
static struct world w; /* clocks carry no context */

static unsigned roll(unsigned n)
{
    return (unsigned)rng_below(&w.rng, n);
}

static void make_world(uint64_t seed)
{
    w = (struct world){.now_ns = BEGIN_NS};
    rng_seed(&w.rng, seed);
    w.fault_per_mille = roll(4) * 100;
    for (int i = 0; i < EVENTS; i++) {
        struct event *ev = &w.events[i];
        int64_t at_ns = BEGIN_NS + (int64_t)roll(LIFE_MIN * 60 * 1000) * NS_PER_MS;
        if (i > 0 && roll(4) == 0)
            at_ns = w.events[i - 1].time_ms * NS_PER_MS; /* the same millisecond */
        int64_t late_ns = (int64_t)roll(9000) * NS_PER_MS;
        if (roll(8) == 0)
            late_ns = (int64_t)roll(18 * 60) * NS_PER_SEC;
        if (roll(30) == 0)
            late_ns = (int64_t)roll(100 * 60) * NS_PER_SEC;
        *ev = (struct event){.time_ms = at_ns / NS_PER_MS,
                             .visible_ns = at_ns + late_ns,
                             .group = (int)roll(GROUPS),
                             .number = i};
    }
}

static int64_t wall(const struct clock *c)
{
    UNUSED(c);
    return w.now_ns + w.wall_ns;
}

static int64_t steady(const struct clock *c)
{
    UNUSED(c);
    return w.now_ns - BEGIN_NS + NS_PER_HOUR;
}

/* --- the provider
 * -------------------------------------------------------------------------------------------
 */

static void answer(struct arena *a, struct http_response *r, int status, struct str body)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct http_header *h = arena_new(a, struct http_header, 2);
    struct civil c = time_civil(w.now_ns);

    h[0] = (struct http_header){
        STR("Date"), arena_printf(a, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[c.weekday], c.day,
                                  months[c.month - 1], c.year, c.hour, c.minute, c.second)};
    h[1] = (struct http_header){STR("Retry-After"), STR("2")};
    *r = (struct http_response){.status = status,
                                .headers = h,
                                .n_headers = roll(2) == 0 ? 2 : 1,
                                .body = arena_str(a, body)};
}

static void refuse(struct arena *a, struct http_response *r, int status, const char *code,
                   const char *message)
{
    answer(a, r, status, arena_printf(a, "{\"__type\":\"%s\",\"message\":\"%s\"}", code, message));
}

/* Signed by whom it says, over what came, at the right time? */
static bool check_signature(const struct http_request *q, struct arena *a, struct http_response *r)
{
    struct sigv4_request s = {.method = q->method,
                              .path = STR("/"),
                              .headers = q->headers,
                              .n_headers = q->n_headers,
                              .body = q->body};
    struct sigv4_claim claim;
    uint8_t key[32];
    struct err e = {0};

    CHECK_OK(sigv4_claim_read(q->headers, q->n_headers, &claim, &e), &e);
    struct sigv4_scope scope = {claim.region, claim.service, 0};
    sigv4_derive(STR(SECRET), claim.date, &scope, key);
    if (sigv4_verify(&s, &claim, key, w.now_ns, &e) == OK)
        return true;
    CHECK(strstr(e.msg, "Signature") != NULL); /* only time may be wrong */
    refuse(a, r, 400, "InvalidSignatureException", e.msg);
    return false;
}

static bool is_after(const struct event *ev, int64_t time_ms, int64_t number)
{
    return ev->time_ms > time_ms || (ev->time_ms == time_ms && ev->number > number);
}

/* The next event behind a place, among those that show. */
static const struct event *next_event(int group, int64_t time_ms, int64_t number, int64_t end_ms)
{
    const struct event *best = NULL;

    for (int i = 0; i < EVENTS; i++) {
        const struct event *ev = &w.events[i];
        if (ev->group != group || ev->visible_ns > w.now_ns || ev->time_ms > end_ms ||
            !is_after(ev, time_ms, number))
            continue;
        if (best == NULL || is_after(best, ev->time_ms, ev->number))
            best = ev;
    }
    return best;
}

static void write_event(struct json_out *o, const struct event *ev)
{
    char text[64], id[64];

    snprintf(text, sizeof(text), "event %d\n", ev->number);
    snprintf(id, sizeof(id), "3600000000000000000000000000000000000000000000000%07d", ev->number);
    jout_open(o, '{');
    jout_key(o, "logStreamName");
    jout_str(o, STR("2026/09/01/[$LATEST]0123456789abcdef0123456789abcdef"));
    jout_key(o, "timestamp");
    jout_i64(o, ev->time_ms);
    jout_key(o, "message");
    jout_str(o, str_from(text));
    jout_key(o, "ingestionTime");
    jout_i64(o, ev->visible_ns / NS_PER_MS);
    jout_key(o, "eventId");
    jout_str(o, str_from(id));
    jout_close(o, '}');
}

static int64_t number_in(const struct json *o, const char *key)
{
    int64_t v = -1;

    CHECK(json_i64(json_get(o, key), &v));
    return v;
}

/* Token: "epoch:time:number". */
static bool place_of(struct str token, int64_t *time_ms, int64_t *number)
{
    int64_t epoch;

    CHECK(str_to_i64(str_cut(&token, ':'), &epoch));
    CHECK(str_to_i64(str_cut(&token, ':'), time_ms) && str_to_i64(str_cut(&token, ':'), number));
    return epoch == w.token_epoch;
}

/* What is wrong with one group for good; false: nothing. */
static bool is_ill(int group, const struct json *root, struct arena *a, struct http_response *r)
{
    const bool has_token = json_get(root, "nextToken") != NULL;

    if (w.sickness == HEALTHY || group < w.first_ill)
        return false;
    w.ill_calls++;
    if (w.sickness == DENIED)
        refuse(a, r, 400, "AccessDeniedException", "not authorized");
    else if (w.sickness == FAILING)
        refuse(a, r, 500, "InternalFailure", "no");
    else if (w.sickness == TOKENS_REFUSED && has_token)
        refuse(a, r, 400, "InvalidParameterException", "The specified nextToken is invalid.");
    else
        answer(a, r, 200,
               arena_printf(a, "{\"events\":[],\"nextToken\":\"%d\"}", (int)(w.ill_calls % 3)));
    return true;
}

static void filter(const struct json *root, struct arena *a, struct http_response *r)
{
    struct buf b = {.max = 1 << 20};
    struct json_out o;
    struct str name = {0}, token;
    int64_t time_ms = number_in(root, "startTime"), number = -1;
    int64_t end_ms = number_in(root, "endTime");

    w.earliest_ms = w.earliest_ms == 0 || time_ms < w.earliest_ms ? time_ms : w.earliest_ms;
    CHECK(json_str(json_get(root, "logGroupName"), &name));
    int group = name.p[name.n - 1] - '0';
    if (w.earliest_of[group] == 0 || time_ms < w.earliest_of[group])
        w.earliest_of[group] = time_ms;
    if (is_ill(group, root, a, r))
        return;
    if (json_str(json_get(root, "nextToken"), &token) && !place_of(token, &time_ms, &number)) {
        refuse(a, r, 400, "InvalidParameterException", "The specified nextToken is expired.");
        return;
    }
    unsigned most = roll(5) == 0 ? 0 : 1 + roll(12); /* an empty page now and then */
    const struct event *ev = NULL;
    jout_init(&o, &b, false);
    jout_open(&o, '{');
    jout_key(&o, "events");
    jout_open(&o, '[');
    for (unsigned n = 0; n < most && (ev = next_event(group, time_ms, number, end_ms)); n++) {
        write_event(&o, ev);
        w.shown++;
        if (roll(20) == 0)
            write_event(&o, ev); /* the same again */
        time_ms = ev->time_ms;
        number = ev->number;
    }
    jout_close(&o, ']');
    jout_key(&o, "searchedLogStreams");
    jout_open(&o, '[');
    jout_close(&o, ']');
    if (next_event(group, time_ms, number, end_ms) != NULL) {
        jout_key(&o, "nextToken");
        jout_str(&o, arena_printf(a, "%d:%lld:%lld:%u", w.token_epoch, (long long)time_ms,
                                  (long long)number, roll(1000000)));
    }
    jout_close(&o, '}');
    answer(a, r, 200, buf_str(&b));
    buf_clear(&b);
}

static void list(const struct json *root, struct arena *a, struct http_response *r)
{
    static const char *const circle[] = {",\"nextToken\":\"a\"", ",\"nextToken\":\"b\"",
                                         ",\"nextToken\":\"c\""};
    struct str token;
    bool is_second = json_str(json_get(root, "nextToken"), &token);

    answer(a, r, 200,
           arena_printf(a,
                        "{\"logGroups\":[{\"logGroupName\":\"/aws/lambda/fn%d\",\"arn\":\"arn:aws:"
                        "logs:eu-west-1:123456789012:log-group:x:*\",\"logGroupClass\":"
                        "\"STANDARD\",\"creationTime\":%lld}]%s}",
                        is_second, is_second ? (long long)w.second_made_ms : 0LL,
                        w.list_circles                ? circle[w.calls % 3]
                        : is_second || w.hides_second ? ""
                                                      : ",\"nextToken\":\"more\""));
}

/* Hardly a value: what counts is which times are asked for. */
static void metrics(const struct json *root, struct arena *a, struct http_response *r)
{
    int64_t start_ns = number_in(root, "StartTime") * NS_PER_SEC;
    int64_t end_ns = number_in(root, "EndTime") * NS_PER_SEC;

    if (w.metrics_to_ns > 0 && start_ns > w.metrics_to_ns)
        w.metrics_gap_ns += start_ns - w.metrics_to_ns;
    if (w.metrics_from_ns == 0 || start_ns < w.metrics_from_ns)
        w.metrics_from_ns = start_ns;
    w.metrics_to_ns = end_ns > w.metrics_to_ns ? end_ns : w.metrics_to_ns;
    w.metrics_most_ns =
        end_ns - start_ns > w.metrics_most_ns ? end_ns - start_ns : w.metrics_most_ns;
    answer(a, r, 200,
           w.throttles && start_ns <= BEGIN_NS
               ? arena_printf(a,
                              "{\"MetricDataResults\":[{\"Id\":\"m2\",\"Timestamps\":[%lld],"
                              "\"Values\":[28]}]}",
                              (long long)(BEGIN_NS / NS_PER_SEC))
               : STR("{\"MetricDataResults\":[]}"));
}

/* One of many ways to fail; false: the call goes on. */
static bool misbehave(struct arena *a, struct http_response *r, enum status *s, struct err *e)
{
    if (roll(1000) >= w.fault_per_mille)
        return false;
    w.faults++;
    *s = OK;
    switch (w.only_damaged ? 7 : roll(12)) {
    case 0:
        answer(a, r, 429, STR("{\"Reason\":\"CallerRateLimitExceeded\"}"));
        break;
    case 1:
        refuse(a, r, 400, "ThrottlingException", "Rate exceeded");
        break;
    case 2:
        answer(a, r, 500, STR("{\"__type\":\"InternalFailure\"}"));
        break;
    case 3:
        answer(a, r, 503, STR("<html><body>Service Unavailable</body></html>"));
        break;
    case 4:
        w.now_ns += 30 * NS_PER_SEC;
        *s = err_set(e, ERR_AGAIN, "Operation timed out");
        break;
    case 5:
        *s = err_set(e, ERR_AGAIN, "transfer closed with 995 bytes remaining to read");
        break;
    case 6:
        *s = err_set(e, ERR_LIMIT, "an answer larger than 25165824 bytes");
        break;
    case 7:
        answer(a, r, 200, STR("\001\002 this is no JSON \377"));
        break;
    case 8:
        answer(a, r, 200, STR("{\"events\":[{\"logStreamName\":\"x\",\"timest"));
        break;
    case 9:
        refuse(a, r, 400, "ExpiredTokenException", "The security token is expired");
        break;
    case 10:
        w.token_epoch++;
        return false;
    default:
        *s = err_set(e, ERR_PARSE, "damaged compression");
        break;
    }
    return true;
}

static void tell_identity(struct arena *a, struct http_response *r)
{
    answer(a, r, w.sts_status != 0 ? w.sts_status : 200,
           w.sts_status != 0
               ? STR("<ErrorResponse><Error><Code>InvalidAction</Code></Error></ErrorResponse>")
               : STR("<GetCallerIdentityResponse><GetCallerIdentityResult>"
                     "<Arn>arn:aws:sts::123456789012:assumed-role/reader/fnscope</Arn>"
                     "<Account>123456789012</Account></GetCallerIdentityResult>"
                     "</GetCallerIdentityResponse>"));
}

static bool is_denied(const struct http_request *q)
{
    struct str what = str_from(w.denied ? w.denied : "");

    return what.n > 0 && (str_find(q->url, what) < q->url.n || str_find(q->body, what) < q->body.n);
}

/* Services beside logs and metrics: two queues, nothing else. */
static bool other_service(const struct http_request *q, struct arena *a, struct http_response *r)
{
    struct http_response request = {.headers = q->headers, .n_headers = q->n_headers};
    struct str target = http_header_get(&request, "X-Amz-Target");

    if (is_denied(q))
        refuse(a, r, 403, "AccessDeniedException", "not allowed");
    else if (str_ends(target, STR("ListQueues")))
        answer(a, r, 200, STR("{\"QueueUrls\":[\"https://q/1/no\",\"https://q/1/ok\"]}"));
    else if (str_ends(target, STR("GetQueueAttributes")))
        answer(a, r, 200, STR("{\"Attributes\":{\"ApproximateNumberOfMessages\":\"3\"}}"));
    else if (target.n == 0 && !str_starts(q->body, STR("Action=")))
        answer(a, r, 200, STR("{}"));
    else
        return false;
    return true;
}

static enum status provide(void *ctx, const struct http_request *q, struct arena *a,
                           struct http_response *r, struct err *e)
{
    struct json_doc *d = NULL;
    struct http_response request = {.headers = q->headers, .n_headers = q->n_headers};
    enum status s = OK;

    UNUSED(ctx);
    w.calls++;
    w.now_ns += (int64_t)(5 + roll(150)) * NS_PER_MS;
    r->was_sent = !w.is_unreachable;
    if (w.is_unreachable)
        return err_set(e, ERR_AGAIN, "Could not resolve host");
    if (w.has_services && other_service(q, a, r))
        return OK;
    if (!check_signature(q, a, r) || misbehave(a, r, &s, e))
        return s;
    if (str_starts(q->body, STR("Action=GetCallerIdentity"))) {
        tell_identity(a, r);
        return OK;
    }
    CHECK_OK(json_parse(q->body, &d, e), e);
    struct str target = http_header_get(&request, "X-Amz-Target");
    if (str_ends(target, STR("FilterLogEvents")))
        filter(json_root(d), a, r);
    else if (str_ends(target, STR("GetMetricData")))
        metrics(json_root(d), a, r);
    else if (w.lists_fail)
        refuse(a, r, 500, "InternalFailure", "no");
    else
        list(json_root(d), a, r);
    json_doc_free(d);
    return OK;
}

/* --- the collector
 * ------------------------------------------------------------------------------------------
 */

static const char *variable(void *ctx, const char *name)
{
    UNUSED(ctx);
    if (strcmp(name, "AWS_ACCESS_KEY_ID") == 0)
        return "AKIDEXAMPLE";
    return strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0 ? SECRET : NULL;
}

static bool find_price(void *ctx, enum provider provider, struct str meter, struct str region,
                       int64_t at_ns, money *out)
{
    UNUSED(ctx);
    UNUSED(provider);
    UNUSED(meter);
    UNUSED(region);
    UNUSED(at_ns);
    *out = 1;
    return true;
}

struct collector {
    struct arena arena;
    struct aws_options options;
    struct store *store, *reader;
    struct packer *packer;
    struct source *source;
    const char *folder;
    const struct source_ops *ops; /* NULL: logs */
    struct opt_list parts;        /* `collect`; empty: all of ops */
    struct str budget, endpoint;
};

static bool find_cursor(void *ctx, struct str source, struct str scope, struct arena *a,
                        struct cursor *out)
{
    const struct collector *c = ctx;

    return store_cursor(c->reader, source, scope, a, out);
}

static void born(struct collector *c)
{
    struct store_options o = {.url = str_from(c->folder)};
    struct err e = {0};
    struct opt_set set = {0};

    CHECK_OK(store_open(&o, &c->store, &e), &e);
    o.is_read_only = true;
    CHECK_OK(store_open(&o, &c->reader, &e), &e);
    CHECK_OK(packer_new(c->store, &c->packer, &e), &e);
    CHECK_OK(opt_init(&set, aws_option_defs, &c->options, &c->arena, 0, &e), &e);
    c->options.poll_ns = 2 * NS_PER_MIN;
    c->options.deep_every_ns = 3 * NS_PER_HOUR;
    c->options.discover_ns = 30 * NS_PER_MIN;
    c->options.collect = c->parts;
    c->options.budget = c->budget;
    c->options.endpoint = c->endpoint;
    c->source =
        source_new(&c->arena, c->ops != NULL ? c->ops : &aws_logs_source, STR("prod"), &c->options);
    c->source->region = STR("eu-west-1");
    struct source_env env = {.clock = {.now = wall, .monotonic = steady},
                             .http = {.send = provide},
                             .variable = variable,
                             .find_cursor = find_cursor,
                             .cursor_ctx = c,
                             .find_price = find_price};
    rng_seed(&env.rng, rng_u64(&w.rng));
    CHECK_OK(source_open(c->source, &env, &e), &e);
}

static void die(struct collector *c)
{
    source_close(c->source);
    packer_free(c->packer);
    store_close(c->reader);
    store_close(c->store);
    arena_clear(&c->arena);
    c->source = NULL;
}

static void commit(struct collector *c, struct batch *b, bool is_flush)
{
    struct pack *pack = NULL;
    struct err e = {0};

    CHECK_OK(store_mark_repeats(c->packer, b, &e), &e);
    CHECK_OK(store_pack(c->packer, b, is_flush, &pack, &e), &e);
    if (pack != NULL)
        CHECK_OK(store_commit(c->store, pack, &e), &e);
}

static void poll_once(struct collector *c)
{
    struct batch *b = batch_new();
    enum poll_result more;
    struct err e = {0};
    enum status s = c->source->ops->poll(c->source, b, &more, &e);

    CHECK(s == OK || s == ERR_AGAIN || s == ERR_AUTH || s == ERR_NOT_FOUND || s == ERR_CONFIG);
    if (b->n_records + b->n_cursors + b->n_quarantine > 0 || roll(10) == 0)
        commit(c, b, roll(3) == 0);
    batch_free(b);
    int64_t wait = c->source->next_ns - steady(NULL);
    if (wait > 0)
        w.now_ns += wait < 2 * NS_PER_MIN ? wait : 2 * NS_PER_MIN;
}

static void remove_folder(const char *folder)
{
    struct arena a = {0};
    struct file_list files = {0};

    if (file_list(&a, folder, &files, NULL) == OK)
        for (size_t i = 0; i < files.count; i++)
            unlink(files.paths[i]);
    rmdir(folder);
    arena_clear(&a);
}

#endif
