/* Bodies of AWS's API answers: the whole source reads them on a virtual clock. The input is a list
 * of answers with a record separator (0x1e) between them; each begins with the letter of its
 * operation (below) and the first digit of its status, 2, 4 or 5; 9 is a 429. A call takes the next
 * answer of its operation; when there is none left it gets "{}". No poll may end in a fault, hang
 * or an error without words, and none may ask more than twice. */
#include <assert.h>
#include <string.h>

#include "collector/aws/aws.h"
#include "collector/aws/aws_source.h"
#include "core/base/log.h"
#include "core/base/macros.h"
#include "tests/fuzz/fuzz.h"

enum { POLLS = 60, MAX_ANSWERS = 64, SEPARATOR = 0x1e };
#define BEGIN_NS (INT64_C(1761073200) * NS_PER_SEC) /* 2025-10-21T19:00:00Z */

static const struct {
    const char *end; /* of the target or the path */
    char letter;
} operations[] = {
    {"DescribeLogGroups", 'G'}, {"FilterLogEvents", 'F'},      {"GetMetricData", 'M'},
    {"ListQueues", 'Q'},        {"GetQueueAttributes", 'A'},   {"/functions", 'L'},
    {"/concurrency", 'C'},      {"/event-invoke-config", 'I'}, {"/event-source-mappings", 'E'},
    {"/account-settings", 'S'}, {"/TraceSummaries", 'T'},      {"/Traces", 'B'},
};

struct answers {
    struct str list[MAX_ANSWERS];
    bool is_given[MAX_ANSWERS];
    size_t n;
    unsigned calls;
};

static int64_t now_ns; /* clocks carry no context */

static int64_t wall(const struct clock *c)
{
    UNUSED(c);
    return BEGIN_NS + now_ns;
}

static int64_t steady(const struct clock *c)
{
    UNUSED(c);
    return NS_PER_HOUR + now_ns;
}

static const char *variable(void *ctx, const char *name)
{
    UNUSED(ctx);
    return strcmp(name, "AWS_ACCESS_KEY_ID") == 0 || strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0
               ? "EXAMPLE"
               : NULL;
}

static char letter_of(const struct http_request *q)
{
    struct http_response asked = {.headers = q->headers, .n_headers = q->n_headers};
    struct str what = http_header_get(&asked, "X-Amz-Target");

    if (str_starts(q->body, STR("Action=GetMetricData&")))
        what = STR("GetMetricData");
    else if (what.n == 0)
        what = str_sub(q->url, 0, str_find_char(q->url, '?'));
    for (size_t i = 0; i < ARRAY_LEN(operations); i++)
        if (str_ends(what, str_from(operations[i].end)))
            return operations[i].letter;
    return '?';
}

static enum status provide(void *ctx, const struct http_request *q, struct arena *a,
                           struct http_response *r, struct err *e)
{
    struct answers *all = ctx;
    const char letter = letter_of(q);

    UNUSED(e);
    all->calls++;
    *r = (struct http_response){.status = 200, .body = STR("{}")};
    for (size_t i = 0; i < all->n; i++) {
        const struct str s = all->list[i];
        if (all->is_given[i] || s.n < 2 || s.p[0] != letter)
            continue;
        all->is_given[i] = true;
        r->status = s.p[1] == '9' ? 429 : s.p[1] == '4' ? 400 : s.p[1] == '5' ? 503 : 200;
        r->body = arena_str(a, str_skip(s, 2));
        break;
    }
    return OK;
}

static void poll_all(struct source *s, const struct answers *all)
{
    for (unsigned i = 0; i < POLLS; i++) {
        struct batch *b = batch_new();
        enum poll_result more;
        struct err e = {0};
        const unsigned before = all->calls;
        const enum status got = s->ops->poll(s, b, &more, &e);
        assert(got == OK || e.msg[0] != '\0');
        assert(all->calls <= before + 2); /* once more with new keys or time */
        batch_free(b);
        const int64_t wait_ns = s->next_ns - steady(NULL);
        now_ns += wait_ns < NS_PER_MS ? NS_PER_MS : wait_ns < NS_PER_HOUR ? wait_ns : NS_PER_HOUR;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct answers all = {0};
    struct aws_options options = {0};
    struct opt_set set = {0};
    struct err e = {0};
    struct str rest = {(const char *)data, size};

    if (size > 100000)
        return 0;
    log_set_level(LOG_ERROR);
    while (rest.n > 0 && all.n < MAX_ANSWERS)
        all.list[all.n++] = str_cut(&rest, SEPARATOR);
    now_ns = 0;
    if (opt_init(&set, aws_option_defs, &options, &a, 0, &e) != OK)
        __builtin_trap();
    struct source *s = source_new(&a, &aws_source, STR("fuzz"), &options);
    s->region = STR("us-east-1");
    struct source_env env = {.clock = {.now = wall, .monotonic = steady},
                             .http = {.send = provide, .ctx = &all},
                             .variable = variable};
    rng_seed(&env.rng, 1);
    if (source_open(s, &env, &e) != OK)
        __builtin_trap();
    poll_all(s, &all);
    source_close(s);
    arena_clear(&a);
    return 0;
}
