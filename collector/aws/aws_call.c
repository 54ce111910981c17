/* One call to AWS: quota, signature, one repeat where it helps at once (expired credentials, wrong
 * clock), meter. */
#include "collector/aws/aws_call.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"

enum {
    PAGE_MAX_BYTES =
        24 << 20, /* 1 MB of events; their escapes and ids make it several times that */
    BURST = 5,
    MESSAGE_MAX = 200, /* of an error answer's */
};
#define FIRST_PAUSE_NS NS_PER_SEC
#define FORM           "application/x-www-form-urlencoded; charset=utf-8"

void aws_client_init(struct aws_client *c, struct source_env *env, struct source_status *status)
{
    const struct aws_endpoint_rules where = {c->endpoint, &c->profile, c->region};
    struct arena scratch = {0};

    c->env = env;
    c->status = status;
    for (int i = 0; i < AWS_OPS; i++) {
        struct aws_endpoint at =
            aws_endpoint_of(aws_op_info((enum aws_op)i)->service, &where, env, &scratch);
        /* A named endpoint is no AWS: its limits are its own, and it says when it has enough. */
        int64_t quota = at.is_local ? 0 : aws_quota((enum aws_op)i, c->region);
        c->is_free[i] = at.is_local;
        rate_init(&c->rates[i], quota * c->quota_percent / (INT64_C(100) * c->n_sharing), BURST);
    }
    arena_clear(&scratch);
}

void aws_client_clear(struct aws_client *c)
{
    aws_auth_clear(&c->auth);
}

/* --- time
 * ---------------------------------------------------------------------------------------------------
 */

int64_t aws_now(const struct aws_client *c)
{
    if (!c->knows_server)
        return clock_now(&c->env->clock);
    return clock_monotonic(&c->env->clock) + c->server_ahead_ns;
}

/* Date has whole seconds and travels for a while: smaller differences are noise, and the own clock,
 * which knows the milliseconds, is right. */
static void learn_time(struct aws_client *c, const struct http_response *r)
{
    int64_t date_ns;

    if (!http_date_parse(http_header_get(r, "Date"), &date_ns))
        return;
    int64_t now = aws_now(c), difference = date_ns - now;
    bool is_far = difference <= -2 * NS_PER_SEC || difference >= 2 * NS_PER_SEC;
    if (c->knows_server && !is_far)
        return;
    c->server_ahead_ns = (is_far ? date_ns : now) - clock_monotonic(&c->env->clock);
    c->knows_server = true;
}

/* --- quota and meter
 * ----------------------------------------------------------------------------------------
 */

int64_t aws_ready(const struct aws_client *c, enum aws_op op)
{
    return rate_wait(&c->rates[op], clock_monotonic(&c->env->clock));
}

bool aws_price(const struct source_env *env, enum aws_op op, struct str region, int64_t at_ns,
               money *out)
{
    const char *meter = aws_op_info(op)->meter;

    *out = 0;
    return meter == NULL ||
           (env->find_price != NULL &&
            env->find_price(env->price_ctx, PROVIDER_AWS, str_from(meter), region, at_ns, out));
}

/* What has no price cannot be billed, nor held back by a budget: that is said once a day. */
static void renew_prices(struct aws_client *c)
{
    for (int i = 0; i < AWS_OPS; i++)
        if (!aws_price(c->env, (enum aws_op)i, c->region, aws_now(c), &c->prices[i]) &&
            !c->is_free[i])
            log_event(LOG_WARN, "%s: the price book has no price: it is left out of the bill",
                      aws_op_info((enum aws_op)i)->name);
}

static void roll_day(struct aws_client *c)
{
    int64_t day = aws_now(c) / NS_PER_DAY;

    if (!c->knows_prices || c->meter.day != day)
        renew_prices(c);
    c->knows_prices = true;
    if (c->meter.day == day)
        return;
    c->meter.day = day;
    c->meter.today = 0;
    c->status->is_capped = false;
}

static money price_of(const struct aws_client *c, enum aws_op op, uint64_t units)
{
    money out = 0;

    if (c->is_free[op])
        return 0;
    if (money_mul_div((wide)units, c->prices[op], 1, &out, NULL) != OK)
        return INT64_MAX;
    return out;
}

bool aws_is_capped(struct aws_client *c, enum aws_op op, uint64_t units)
{
    roll_day(c);
    money price = price_of(c, op, units);
    if (c->meter.cap == 0 || price == 0 || c->meter.today <= c->meter.cap - price)
        return false;
    c->status->is_capped = true;
    return true;
}

void aws_bill(struct aws_client *c, enum aws_op op, uint64_t units)
{
    money price = price_of(c, op, units);

    c->meter.units[op] += units;
    if (money_add(c->meter.today, price, &c->meter.today, NULL) != OK)
        c->meter.today = INT64_MAX;
    if (money_add(c->status->add_cost, price, &c->status->add_cost, NULL) != OK)
        c->status->add_cost = INT64_MAX;
    c->status->cost_today = c->meter.today;
    c->status->cost_cap = c->meter.cap;
}

static void count_call(struct aws_client *c, const struct aws_request *q)
{
    roll_day(c);
    c->meter.calls[q->op]++;
    c->status->add_calls++;
}

/* --- the request
 * --------------------------------------------------------------------------------------------
 */

struct prepared {
    struct aws_endpoint at;
    struct http_header headers[4];
    struct sigv4_request sign;
    struct str url;
};

static void add_header(struct prepared *p, struct str name, struct str value)
{
    assert(p->sign.n_headers < ARRAY_LEN(p->headers));
    p->headers[p->sign.n_headers++] = (struct http_header){name, value};
}

static struct str join_path(const struct aws_endpoint *at, const struct aws_op_info *info,
                            const struct aws_request *q, struct arena *a)
{
    if (info->path == NULL)
        return q->path.n > 0 ? q->path : at->path;
    struct str base = str_eq(at->path, STR("/")) ? STR("") : at->path;
    return arena_printf(a, STR_FMT "%s" STR_FMT, STR_ARG(base), info->path, STR_ARG(q->path));
}

static void prepare(struct aws_client *c, const struct aws_request *q, struct arena *a,
                    struct prepared *p)
{
    const struct aws_op_info *info = aws_op_info(q->op);
    const struct aws_endpoint_rules where = {c->endpoint, &c->profile, c->region};

    *p = (struct prepared){.at = aws_endpoint_of(info->service, &where, c->env, a)};
    add_header(p, STR("Host"), p->at.host);
    if (info->content_type != NULL)
        add_header(p, STR("Content-Type"), str_from(q->is_form ? FORM : info->content_type));
    if (info->target != NULL && !q->is_form)
        add_header(p, STR("X-Amz-Target"), str_from(info->target));
    p->sign.method = info->content_type != NULL ? STR("POST") : STR("GET");
    p->sign.path = join_path(&p->at, info, q, a);
    p->sign.query = q->query;
    p->sign.headers = p->headers;
    p->sign.body = q->body;
    size_t scheme = str_find(p->at.url, STR("://"));
    p->url = arena_printf(a, STR_FMT "://" STR_FMT STR_FMT "%s" STR_FMT,
                          STR_ARG(str_sub(p->at.url, 0, scheme)), STR_ARG(p->at.host),
                          STR_ARG(p->sign.path), q->query.n > 0 ? "?" : "", STR_ARG(q->query));
}

static enum status send_signed(struct aws_client *c, const struct aws_request *q, struct arena *a,
                               struct http_response *r, struct err *e)
{
    const struct aws_op_info *info = aws_op_info(q->op);
    struct aws_credentials credentials;
    struct prepared p;
    enum status s = aws_auth_get(&c->auth, aws_now(c), &credentials, e);

    if (s != OK)
        return s;
    prepare(c, q, a, &p);
    struct sigv4_scope scope = {c->region, str_from(aws_signing_name(info->service)), aws_now(c)};
    struct sigv4_headers headers = sigv4_sign(&p.sign, &scope, &credentials.keys, a);
    struct http_request request = {
        .method = p.sign.method,
        .url = p.url,
        .headers = headers.rows,
        .n_headers = headers.n,
        .body = q->body,
        .timeout_ns = (int64_t)info->timeout_s * NS_PER_SEC,
        .max_bytes = PAGE_MAX_BYTES,
        .is_direct = p.at.is_local,
    };
    count_call(c, q);
    s = http_send(&c->env->http, &request, a, r, e);
    if (s == OK || r->was_sent) /* nobody bills what never left the machine */
        aws_bill(c, q->op, q->units > 0 ? q->units : 1);
    if (s == OK) {
        c->status->add_bytes += r->body.n;
        learn_time(c, r);
    }
    return s;
}

/* --- errors
 * -------------------------------------------------------------------------------------------------
 */

static enum status status_of(enum aws_fault_kind kind)
{
    static const enum status statuses[] = {
        [FAULT_NONE] = OK,
        [FAULT_THROTTLED] = ERR_AGAIN,
        [FAULT_PASSING] = ERR_AGAIN,
        [FAULT_EXPIRED] = ERR_AUTH,
        [FAULT_CLOCK] = ERR_AUTH,
        [FAULT_DENIED] = ERR_AUTH,
        [FAULT_NOT_FOUND] = ERR_NOT_FOUND,
        [FAULT_REFUSED] = ERR_CONFIG,
    };

    return statuses[kind];
}

/* A second try at once helps where only the signature was stale. */
static bool can_repeat(struct aws_client *c, const struct aws_fault *f)
{
    if (f->kind == FAULT_EXPIRED)
        aws_auth_forget(&c->auth);
    return f->kind == FAULT_EXPIRED || f->kind == FAULT_CLOCK;
}

static enum status fail(struct aws_client *c, const struct aws_request *q, struct err *e)
{
    const struct aws_fault *f = &c->fault;

    if (f->kind == FAULT_THROTTLED) {
        c->status->add_throttles++;
        rate_pause(&c->rates[q->op], clock_monotonic(&c->env->clock),
                   f->asked_ns > 0 ? f->asked_ns : FIRST_PAUSE_NS);
    }
    return err_set(e, status_of(f->kind), "HTTP %d " STR_FMT "%s" STR_FMT, f->http,
                   STR_ARG(f->code.n > 0 ? f->code : STR("error")), f->message.n > 0 ? ": " : "",
                   STR_ARG(str_sub(f->message, 0, MESSAGE_MAX)));
}

/* The connection failed, or what came was no answer. */
static enum status fail_transport(struct aws_client *c, enum status s, struct err *e)
{
    if (s == ERR_CANCELLED)
        return s;
    c->status->add_errors++;
    c->fault.kind = s == ERR_AUTH ? FAULT_DENIED : FAULT_PASSING;
    if (e != NULL && (s == ERR_PARSE || s == ERR_LIMIT))
        e->code = ERR_AGAIN; /* a damaged answer may come whole the next time */
    return s == ERR_PARSE || s == ERR_LIMIT ? ERR_AGAIN : s;
}

static enum status may_call(struct aws_client *c, const struct aws_request *q, struct err *e)
{
    if (aws_is_capped(c, q->op, q->units > 0 ? q->units : 1))
        return err_set(e, ERR_AGAIN, "the day's budget is spent");
    if (rate_take(&c->rates[q->op], clock_monotonic(&c->env->clock)) > 0)
        return err_set(e, ERR_AGAIN, "waiting for the quota");
    return OK;
}

static enum status call(struct aws_client *c, const struct aws_request *q, struct arena *a,
                        struct str *body, struct err *e)
{
    struct http_response r = {0};

    for (int attempt = 0;; attempt++) {
        enum status s = send_signed(c, q, a, &r, e);
        if (s != OK)
            return fail_transport(c, s, e);
        if (r.status >= 200 && r.status < 300) {
            *body = r.body;
            return OK;
        }
        c->fault = aws_fault_read(&r, aws_now(c), a);
        c->status->add_errors += c->fault.kind != FAULT_NOT_FOUND; /* that is an answer */
        if (attempt > 0 || !can_repeat(c, &c->fault))
            return fail(c, q, e);
    }
}

enum status aws_damaged(struct aws_client *c, const char *what, struct err *e)
{
    c->status->add_errors++;
    return err_set(e, ERR_AGAIN, "%s: a damaged answer", what);
}

enum status aws_call(struct aws_client *c, const struct aws_request *q, struct arena *a,
                     struct str *body, struct err *e)
{
    enum status s = may_call(c, q, e);

    c->fault = (struct aws_fault){0};
    if (s == OK)
        s = call(c, q, a, body, e);
    return s == OK ? OK : err_wrap(e, "%s", aws_op_info(q->op)->name);
}

/* --- small readers
 * ------------------------------------------------------------------------------------------
 */

struct str aws_last_part(struct str s)
{
    size_t colon = str_rfind_char(s, ':'), slash = str_rfind_char(s, '/');

    if (colon < s.n && (slash == s.n || colon > slash))
        return str_skip(s, colon + 1);
    return slash < s.n ? str_skip(s, slash + 1) : s;
}

/* The values are doubles on the other side as well: nothing is lost that was there. */
bool aws_number(struct str text, unsigned scale, int64_t *out)
{
    char digits[64];
    char *end;

    if (text.n == 0 || text.n >= sizeof(digits) ||
        (text.p[0] != '-' && !isdigit((unsigned char)text.p[0])))
        return false;
    memcpy(digits, text.p, text.n);
    digits[text.n] = '\0';
    long double v = strtold(digits, &end);
    for (; scale > 0; scale--)
        v *= 10;
    if (end != digits + text.n || !(v > -9.2e18L && v < 9.2e18L))
        return false;
    *out = (int64_t)(v < 0 ? v - 0.5L : v + 0.5L);
    return true;
}
