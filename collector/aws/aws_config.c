/* Functions as they are configured: the account's limit, the list of functions, what feeds them,
 * and for each its reserved concurrency and where its failed events go. A configuration that
 * changed becomes a row with the time from which it holds. */
#include <stdlib.h>

#include "collector/aws/aws_source.h"
#include "core/base/json.h"
#include "core/base/mem.h"
#include "core/base/timefmt.h"
#include "core/base/url.h"

enum {
    PHASE_SETTINGS,
    PHASE_FUNCTIONS,
    PHASE_MAPPINGS,
    PHASE_CONCURRENCY,
    PHASE_PROVISIONED,
    PHASE_DESTINATIONS
};

static const enum aws_op phase_ops[] = {
    [PHASE_SETTINGS] = OP_GET_ACCOUNT_SETTINGS,
    [PHASE_FUNCTIONS] = OP_LIST_FUNCTIONS,
    [PHASE_MAPPINGS] = OP_LIST_EVENT_SOURCE_MAPPINGS,
    [PHASE_CONCURRENCY] = OP_GET_FUNCTION_CONCURRENCY,
    [PHASE_PROVISIONED] = OP_LIST_PROVISIONED,
    [PHASE_DESTINATIONS] = OP_GET_EVENT_INVOKE_CONFIG,
};

struct aws_function *aws_function_find(struct aws_functions *f, struct str name)
{
    for (size_t i = 0; i < f->n; i++)
        if (str_eq(str_from(f->items[i].name), name))
            return &f->items[i];
    return NULL;
}

static struct str text_of(const struct json *o, const char *key)
{
    struct str s = {0};

    return json_str(json_get(o, key), &s) ? s : (struct str){0};
}

static int64_t number_of(const struct json *o, const char *key, int64_t otherwise)
{
    int64_t v;

    return json_i64(json_get(o, key), &v) ? v : otherwise;
}

/* --- the account
 * --------------------------------------------------------------------------------------------
 */

static struct metric_point *add_point(const struct aws_ctx *x, struct batch *out,
                                      enum metric_scope scope, struct str name)
{
    struct metric_point *p = batch_point(out);

    p->subject = (struct subject){.scope = scope,
                                  .of = {.provider = PROVIDER_AWS,
                                         .account = arena_str(&out->arena, x->account),
                                         .region = arena_str(&out->arena, x->client.region),
                                         .name = arena_str(&out->arena, name)}};
    p->time_ns = aws_now(&x->client);
    return p;
}

static void take_settings(struct aws_ctx *x, const struct json *root)
{
    x->fns.limit = number_of(json_get(root, "AccountLimit"), "ConcurrentExecutions", 0);
}

/* --- functions
 * ----------------------------------------------------------------------------------------------
 */

static struct aws_function *function_at(struct aws_functions *f, struct str name)
{
    struct aws_function *known = aws_function_find(f, name);

    if (known != NULL)
        return known;
    f->items = mem_grow(f->items, f->n, &f->cap, sizeof(*f->items));
    known = &f->items[f->n++];
    *known = (struct aws_function){.name = aws_keep(NULL, name), .concurrency = -1};
    return known;
}

static enum arch arch_of(const struct json *f)
{
    struct str name = STR("x86_64");
    enum arch arch = ARCH_UNKNOWN;
    struct str said;

    if (json_str(json_at(json_get(f, "Architectures"), 0), &said))
        name = said;
    return arch_parse(name, &arch) ? arch : ARCH_UNKNOWN;
}

static void take_function(struct aws_ctx *x, const struct json *f)
{
    struct str name = text_of(f, "FunctionName"), arn = text_of(f, "FunctionArn");

    if (name.n == 0)
        return;
    struct aws_function *fn = function_at(&x->fns, name);
    aws_learn_account(x, arn);
    fn->is_listed = true;
    fn->arn = aws_keep(fn->arn, arn);
    fn->dead_letter =
        aws_keep(fn->dead_letter, text_of(json_get(f, "DeadLetterConfig"), "TargetArn"));
    fn->log_group = aws_keep(fn->log_group, text_of(json_get(f, "LoggingConfig"), "LogGroup"));
    fn->runtime = aws_keep(fn->runtime, text_of(f, "Runtime"));
    fn->version = aws_keep(fn->version, text_of(f, "Version"));
    fn->code = aws_keep(fn->code, text_of(f, "CodeSha256"));
    struct fn_config *c = &fn->config;
    c->arch = arch_of(f);
    c->memory_bytes = (uint64_t)number_of(f, "MemorySize", 0) << 20;
    c->timeout_ns = number_of(f, "Timeout", 0) * NS_PER_SEC;
    c->ephemeral_storage_bytes = (uint64_t)number_of(json_get(f, "EphemeralStorage"), "Size", 512)
                                 << 20;
    if (!time_parse(text_of(f, "LastModified"), &c->valid_from_ns))
        c->valid_from_ns = aws_now(&x->client);
}

static void take_functions(struct aws_ctx *x, const struct json *root)
{
    const struct json *list = json_get(root, "Functions");

    for (size_t i = 0; i < json_count(list); i++)
        take_function(x, json_at(list, i));
}

static void free_function(struct aws_function *f)
{
    char *const texts[] = {f->name,      f->arn,     f->dead_letter, f->on_failure,
                           f->log_group, f->runtime, f->version,     f->code};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
}

/* Groups that functions name themselves are read too; a group of one function knows whose it is. */
static void join_groups(struct aws_ctx *x)
{
    for (size_t i = 0; i < x->fns.n; i++) {
        struct aws_function *f = &x->fns.items[i];
        if (f->log_group == NULL)
            continue;
        struct log_group *g = aws_group_add(x, str_from(f->log_group), 0);
        struct str name = str_from(f->name);
        bool is_shared = g->is_used && !str_eq(g->function, name);
        g->function = is_shared ? (struct str){0} : arena_str(&x->source->arena, name);
        g->is_used = true;
    }
    x->tasks[TASK_LOGS].next_ns = aws_logs_due(x);
}

/* --- what feeds them
 * ----------------------------------------------------------------------------------------
 */

static void take_mappings(struct aws_ctx *x, const struct json *root)
{
    const struct json *list = json_get(root, "EventSourceMappings");
    struct aws_functions *f = &x->fns;

    for (size_t i = 0; i < json_count(list); i++) {
        struct str source = text_of(json_at(list, i), "EventSourceArn");
        struct str function = text_of(json_at(list, i), "FunctionArn");
        if (str_find(source, STR(":sqs:")) == source.n)
            continue;
        f->mappings = mem_grow(f->mappings, f->n_mappings, &f->cap_mappings, sizeof(*f->mappings));
        f->mappings[f->n_mappings++] = (struct aws_mapping){
            aws_keep(NULL, aws_last_part(source)), aws_keep(NULL, aws_arn_function(function))};
    }
}

static void forget_mappings(struct aws_functions *f)
{
    for (size_t i = 0; i < f->n_mappings; i++) {
        free(f->mappings[i].queue);
        free(f->mappings[i].function);
    }
    f->n_mappings = 0;
}

/* arn:aws:lambda:region:account:function:NAME[:alias] */
struct str aws_arn_function(struct str arn)
{
    size_t at = str_find(arn, STR(":function:"));
    struct str rest = str_skip(arn, at + STR(":function:").n);

    return str_cut(&rest, ':');
}

/* --- details
 * -----------------------------------------------------------------------------------------------
 */

static struct str signature_of(const struct aws_function *f, struct arena *a)
{
    const struct fn_config *c = &f->config;

    return arena_printf(a, "%lld %d %llu %llu %lld %lld %s %s %s %s", (long long)c->valid_from_ns,
                        (int)c->arch, (unsigned long long)c->memory_bytes,
                        (unsigned long long)c->ephemeral_storage_bytes, (long long)c->timeout_ns,
                        (long long)f->concurrency, f->runtime ? f->runtime : "",
                        f->code ? f->code : "", f->dead_letter ? f->dead_letter : "",
                        f->on_failure ? f->on_failure : "");
}

static void store_limit(const struct aws_ctx *x, const struct aws_function *f, struct batch *out)
{
    if (f->concurrency < 0)
        return;
    struct metric_point *p = add_point(x, out, SCOPE_FUNCTION, str_from(f->name));
    p->metric = METRIC_CONCURRENCY_LIMIT;
    p->value = f->concurrency;
}

/* A reading each round while something is kept, and one when nothing is any more (or the first
 * time, for what was read by a collector before). A change between two rounds holds from its own
 * time. */
static void store_provisioned(const struct aws_ctx *x, struct aws_function *f, struct batch *out)
{
    const struct aws_kept *now = &f->provisioned, *told = &f->told;

    if (now->n < 0)
        return;
    if (now->n > 0 || told->n > 0 || told->read_ns == 0) {
        struct metric_point *p = add_point(x, out, SCOPE_FUNCTION, str_from(f->name));
        const bool is_between = now->n != told->n && told->read_ns > 0 &&
                                now->since_ns > told->read_ns && now->since_ns < p->time_ns;
        p->metric = METRIC_PROVISIONED_LIMIT;
        p->value = now->n;
        p->time_ns = is_between ? now->since_ns : p->time_ns;
    }
    f->told = *now;
    f->told.read_ns = aws_now(&x->client);
}

static void store_config(struct aws_ctx *x, struct aws_function *f, struct batch *out)
{
    struct arena *a = &out->arena;
    uint64_t signature = str_hash(signature_of(f, a), 0);
    const char *target = f->dead_letter != NULL ? f->dead_letter : f->on_failure;

    if (signature == f->signature)
        return;
    struct fn_config *row = batch_config(out);
    *row = f->config;
    row->fn = (struct fn_ref){.provider = PROVIDER_AWS,
                              .account = arena_str(a, x->account),
                              .region = arena_str(a, x->client.region),
                              .name = arena_str(a, str_from(f->name))};
    row->reserved_concurrency = f->concurrency;
    row->runtime = arena_str(a, str_from(f->runtime));
    row->version = arena_str(a, str_from(f->version));
    row->code_sha256 = arena_str(a, str_from(f->code));
    row->dead_letter = arena_str(a, aws_last_part(str_from(target)));
    /* Changed since the row before, but not by a deployment: it holds from now on. */
    if (f->stored_from_ns == row->valid_from_ns && f->has_details)
        row->valid_from_ns = aws_now(&x->client);
    f->stored_from_ns = f->config.valid_from_ns;
    f->signature = signature;
}

/* What prices depend on is known from here on: details only add to it. */
static void end_functions(struct aws_ctx *x, struct batch *out)
{
    struct aws_functions *f = &x->fns;
    size_t kept = 0;

    for (size_t i = 0; i < f->n; i++) {
        if (!f->items[i].is_listed) {
            free_function(&f->items[i]);
            continue;
        }
        f->items[kept] = f->items[i];
        f->items[kept++].is_listed = false;
    }
    f->n = kept;
    f->is_listed_once = true;
    for (size_t i = 0; i < f->n; i++)
        if (!f->items[i].has_details)
            store_config(x, &f->items[i], out);
    if (aws_parts_of(x) & PART_LOGS)
        join_groups(x);
}

static void take_concurrency(struct aws_ctx *x, const struct json *root)
{
    struct aws_function *f = &x->fns.items[x->fns.at];

    f->concurrency = number_of(root, "ReservedConcurrentExecutions", -1);
}

/* What could not be allocated is not charged. */
static void take_provisioned(struct aws_ctx *x, const struct json *root)
{
    struct aws_function *f = &x->fns.items[x->fns.at];
    const struct json *list = json_get(root, "ProvisionedConcurrencyConfigs");

    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *c = json_at(list, i);
        int64_t since_ns = 0;
        if (!str_eq(text_of(c, "Status"), STR("FAILED")))
            f->provisioned.n += number_of(c, "RequestedProvisionedConcurrentExecutions", 0);
        if (time_parse(text_of(c, "LastModified"), &since_ns) && since_ns > f->provisioned.since_ns)
            f->provisioned.since_ns = since_ns;
    }
}

static void take_destinations(struct aws_ctx *x, const struct json *root)
{
    struct aws_function *f = &x->fns.items[x->fns.at];
    const struct json *failure = json_get(json_get(root, "DestinationConfig"), "OnFailure");

    f->on_failure = aws_keep(f->on_failure, text_of(failure, "Destination"));
}

/* --- the round
 * ----------------------------------------------------------------------------------------------
 */

static void (*const takers[])(struct aws_ctx *, const struct json *) = {
    [PHASE_SETTINGS] = take_settings,       [PHASE_FUNCTIONS] = take_functions,
    [PHASE_MAPPINGS] = take_mappings,       [PHASE_CONCURRENCY] = take_concurrency,
    [PHASE_PROVISIONED] = take_provisioned, [PHASE_DESTINATIONS] = take_destinations,
};

static struct str encoded(struct arena *a, struct str s)
{
    AUTO(buf_clear) struct buf b = {.max = 8192};

    url_encode(&b, s, false);
    return arena_str(a, buf_str(&b));
}

static struct aws_request make_request(const struct aws_functions *f, struct arena *a)
{
    static const char *const details[] = {
        [PHASE_CONCURRENCY] = "concurrency",
        [PHASE_PROVISIONED] = "provisioned-concurrency",
        [PHASE_DESTINATIONS] = "event-invoke-config",
    };
    struct aws_request q = {.op = phase_ops[f->phase]};

    if (f->phase == PHASE_FUNCTIONS || f->phase == PHASE_MAPPINGS) {
        const char *size = f->phase == PHASE_FUNCTIONS ? "50" : "100";
        q.query = arena_printf(a, "MaxItems=%s", size);
        if (f->pages.token != NULL)
            q.query = arena_printf(a, "Marker=" STR_FMT "&MaxItems=%s",
                                   STR_ARG(encoded(a, str_from(f->pages.token))), size);
    } else if (f->phase != PHASE_SETTINGS) {
        struct str name = encoded(a, str_from(f->items[f->at].name));
        q.path = arena_printf(a, STR_FMT "/%s", STR_ARG(name), details[f->phase]);
    }
    if (f->phase == PHASE_PROVISIONED)
        q.query = f->pages.token == NULL
                      ? STR("List=ALL")
                      : arena_printf(a, "List=ALL&Marker=" STR_FMT,
                                     STR_ARG(encoded(a, str_from(f->pages.token))));
    return q;
}

static void end_round(struct aws_ctx *x, struct aws_task *t, struct batch *out)
{
    struct aws_functions *f = &x->fns;

    if (f->limit > 0 && (x->account.n > 0 || f->n > 0)) {
        struct metric_point *p = add_point(x, out, SCOPE_REGION, STR(""));
        p->metric = METRIC_CONCURRENCY_LIMIT;
        p->value = f->limit;
    }
    f->phase = PHASE_SETTINGS;
    f->at = 0;
    t->is_round_done = true;
    t->next_ns = aws_mono(x) + x->o->config_ns;
}

/* A list goes on while there is a marker; details go from function to function. */
static void advance(struct aws_ctx *x, struct aws_task *t, struct batch *out)
{
    struct aws_functions *f = &x->fns;

    t->next_ns = aws_mono(x);
    if (f->phase == PHASE_CONCURRENCY)
        f->items[f->at].provisioned = (struct aws_kept){0};
    if (f->phase == PHASE_SETTINGS || f->phase == PHASE_CONCURRENCY ||
        (f->phase == PHASE_PROVISIONED && f->pages.token == NULL)) {
        f->phase++;
    } else if (f->phase == PHASE_FUNCTIONS && f->pages.token == NULL) {
        end_functions(x, out);
        forget_mappings(f);
        f->phase = PHASE_MAPPINGS;
    } else if (f->phase == PHASE_MAPPINGS && f->pages.token == NULL) {
        f->phase = PHASE_CONCURRENCY;
        f->at = 0;
    } else if (f->phase == PHASE_DESTINATIONS) {
        store_limit(x, &f->items[f->at], out);
        store_provisioned(x, &f->items[f->at], out);
        store_config(x, &f->items[f->at], out);
        f->items[f->at++].has_details = true;
        f->phase = PHASE_CONCURRENCY;
    }
    if (f->phase == PHASE_CONCURRENCY && f->at >= f->n)
        end_round(x, t, out);
    t->op = phase_ops[f->phase];
}

/* A function that is gone, or a question this endpoint does not know or allow: its answer is
 * empty. */
static bool is_optional(const struct aws_ctx *x)
{
    enum aws_fault_kind kind = x->client.fault.kind;

    return x->fns.phase != PHASE_FUNCTIONS &&
           (kind == FAULT_NOT_FOUND || kind == FAULT_REFUSED || kind == FAULT_DENIED);
}

struct str aws_config_refused(const struct aws_functions *f, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = 1024};

    for (size_t i = 0; i < ARRAY_LEN(phase_ops); i++)
        if ((f->refused >> i & 1) != 0)
            buf_addf(&b, "%s%s", b.n > 0 ? ", " : "", aws_op_info(phase_ops[i])->name);
    return b.n > 0 ? arena_printf(
                         a, "of functions what these tell is not known: " STR_FMT " (AccessDenied)",
                         STR_ARG(buf_str(&b)))
                   : (struct str){0};
}

static void note_refusal(struct aws_functions *f, bool is_refused)
{
    unsigned bit = 1u << f->phase;

    f->refused = is_refused ? f->refused | bit : f->refused & ~bit;
}

static enum status take(struct aws_ctx *x, const struct json *root, const char *what, struct err *e)
{
    struct aws_functions *f = &x->fns;

    if (f->phase == PHASE_PROVISIONED && f->pages.token == NULL)
        f->items[f->at].provisioned = (struct aws_kept){0};
    takers[f->phase](x, root);
    return aws_pages_next(&f->pages, text_of(root, "NextMarker"), AWS_PAGES_MAX, what, e);
}

enum status aws_config_step(struct aws_ctx *x, struct aws_task *t, struct batch *out, struct err *e)
{
    AUTO(json_doc_free_ptr) struct json_doc *d = NULL;
    struct aws_request q = make_request(&x->fns, &out->arena);
    struct str body;
    enum status s = aws_call(&x->client, &q, &out->arena, &body, e);

    if (s == OK && json_parse(body, &d, NULL) != OK)
        return aws_damaged(&x->client, aws_op_info(q.op)->name, e);
    note_refusal(&x->fns, s != OK && aws_fault_is_of_one(&x->client.fault));
    if (s != OK && s != ERR_CANCELLED && is_optional(x)) {
        aws_pages_reset(&x->fns.pages);
        s = OK;
        if (e != NULL)
            *e = (struct err){0};
    }
    if (s != OK)
        return s;
    if (d != NULL)
        s = take(x, json_root(d), aws_op_info(q.op)->name, e);
    else if (x->fns.phase == PHASE_DESTINATIONS)
        take_destinations(x, NULL);
    else if (x->fns.phase == PHASE_PROVISIONED)
        x->fns.items[x->fns.at].provisioned.n = -1;
    if (s == OK)
        advance(x, t, out);
    return s;
}

void aws_functions_clear(struct aws_functions *f)
{
    for (size_t i = 0; i < f->n; i++)
        free_function(&f->items[i]);
    forget_mappings(f);
    free(f->items);
    free(f->mappings);
    aws_pages_clear(&f->pages);
}
