/* Reads usage files: what was used in a month, in the words of a bill's worksheet, as YAML or JSON.
 * One case, a list of cases under "cases", or the bare inputs. Unknown words are errors with place
 * and suggestion. Owns the words; the quantities are made in usage_quantities.c. */
#include "analyzer/usage.h"

#include <assert.h>

#include "analyzer/pricebook.h"
#include "core/base/macros.h"
#include "core/base/opt.h"
#include "core/base/timefmt.h"

/* Where the file is being read, for messages. */
struct reader {
    struct arena *arena;
    const char *name;
    const struct usage_options *o;
};

static const struct {
    const char *word;
    enum usage_number number;
} words[] = {
    {"memory_mb", U_MEMORY_MB},
    {"invocations", U_INVOCATIONS},
    {"requests", U_INVOCATIONS},
    {"executions", U_INVOCATIONS},
    {"avg_billed_ms", U_AVG_MS},
    {"avg_ms", U_AVG_MS},
    {"od_invocations", U_OD_INVOCATIONS},
    {"od_avg_ms", U_OD_AVG_MS},
    {"od_avg_billed_ms", U_OD_AVG_MS},
    {"provisioned_concurrency", U_PC},
    {"pc_seconds", U_PC_SECONDS},
    {"pc_invocations", U_PC_INVOCATIONS},
    {"pc_avg_ms", U_PC_AVG_MS},
    {"pc_avg_billed_ms", U_PC_AVG_MS},
    {"requests_billed", U_REQUESTS_BILLED},
    {"event_kb", U_EVENT_KB},
    {"storage_mb", U_STORAGE_MB},
    {"ephemeral_mb", U_STORAGE_MB},
    {"ephemeral_storage_mb", U_STORAGE_MB},
    {"stream_free_gb_left", U_STREAM_FREE_GB},
    {"stream_gb", U_STREAM_GB},
    {"sqs_epu_hours", U_SQS_EPU_HOURS},
    {"epu_hours", U_EPU_HOURS},
    {"kafka_epu_hours", U_EPU_HOURS},
    {"tenant_environments", U_TENANT_ENVIRONMENTS},
    {"snapstart_cached_seconds", U_SNAPSTART_CACHED_S},
    {"snapstart_restores", U_SNAPSTART_RESTORES},
    {"durable_operations", U_DURABLE_OPERATIONS},
    {"durable_written_gb", U_DURABLE_WRITTEN_GB},
    {"durable_retained_gb_month", U_DURABLE_RETAINED_GB_MONTH},
    {"managed_invocations", U_MANAGED_INVOCATIONS},
    {"ec2_on_demand", U_EC2_ON_DEMAND},
    {"lambda_log_gb", U_LOG_GB},
    {"log_gb", U_LOG_GB},
    {"peak_s", U_PEAK_S},
    {"peak_vcpu", U_PEAK_VCPU},
    {"peak_gb", U_PEAK_GB},
    {"base_s", U_BASE_S},
    {"base_vcpu", U_BASE_VCPU},
    {"base_gb", U_BASE_GB},
    {"suspends", U_SUSPENDS},
    {"launches", U_LAUNCHES},
    {"snapshot_gb", U_SNAPSHOT_GB},
    {"images_gb", U_IMAGES_GB},
    {"suspended_s", U_SUSPENDED_S},
};

static const struct {
    const char *name;
    usage_fn *build;
} services[] = {
    {"lambda", usage_lambda},
    {"lambda@edge", usage_edge},
    {"lambda-microvm", usage_microvm},
    {"cloudwatch-logs", usage_logs},
};

static const struct {
    const char *text;
    bool requests, compute;
} free_tiers[] = {
    {"true", true, true}, {"false", false, false},       {"yes", true, true},
    {"no", false, false}, {"compute only", false, true}, {"requests only", true, false},
};

static const char *const other_words[] = {"arch", "free_tier", "savings_plan", "streams",
                                          "tb",   "runtime",   "date",         NULL};

static enum status bad(const struct reader *r, const struct yaml_node *n, struct err *e,
                       const char *what, struct str text)
{
    return err_set(e, ERR_CONFIG, "%s:%u:%u: %s: \"" STR_FMT "\"", r->name, n->line, n->column,
                   what, STR_ARG(text));
}

static struct str text_of(const struct yaml_node *table, const char *key)
{
    const struct yaml_node *n = yaml_get(table, str_from(key));
    return n != NULL && n->type == YAML_SCALAR ? n->text : (struct str){0};
}

static enum status read_number(const struct reader *r, const struct yaml_node *n, int64_t *out,
                               struct err *e)
{
    int64_t v = 0;
    if (n->type != YAML_SCALAR || !str_to_scaled(n->text, USAGE_SCALE, &v) || v < 0)
        return bad(r, n, e, "no number of at most 6 decimals that fits", n->text);
    *out = v;
    return OK;
}

static enum status read_free_tier(const struct reader *r, const struct yaml_node *n,
                                  struct usage_inputs *u, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(free_tiers); i++) {
        if (!str_eq(n->text, str_from(free_tiers[i].text)))
            continue;
        u->free_requests = free_tiers[i].requests;
        u->free_compute = free_tiers[i].compute;
        return OK;
    }
    return bad(r, n, e, "free_tier is true, false, \"compute only\" or \"requests only\", not",
               n->text);
}

/* invocations with the size of each response: kb, mb or gb. */
static enum status read_stream(const struct reader *r, const struct yaml_node *n,
                               struct usage_stream *s, struct err *e)
{
    int64_t v = 0;

    for (const struct yaml_node *m = n->child; m != NULL; m = m->next) {
        if (read_number(r, m, &v, e) != OK)
            return e->code;
        if (str_eq(m->key, STR("invocations")))
            s->invocations = v;
        else if (str_eq(m->key, STR("kb")))
            s->mb = v / 1024;
        else if (str_eq(m->key, STR("mb")))
            s->mb = v;
        else if (str_eq(m->key, STR("gb")))
            s->mb = v * 1024;
        else
            return bad(r, m, e, "a stream has invocations and kb, mb or gb, not", m->key);
    }
    return OK;
}

static enum status read_streams(const struct reader *r, const struct yaml_node *list,
                                struct usage_inputs *u, struct err *e)
{
    size_t n = 0;

    if (list->type != YAML_LIST)
        return bad(r, list, e, "streams is no list", list->text);
    for (const struct yaml_node *s = list->child; s != NULL; s = s->next)
        n++;
    u->streams = arena_new(r->arena, struct usage_stream, n > 0 ? n : 1);
    for (const struct yaml_node *s = list->child; s != NULL; s = s->next)
        if (read_stream(r, s, &u->streams[u->n_streams++], e) != OK)
            return e->code;
    return OK;
}

static enum status unknown_word(const struct reader *r, const struct yaml_node *n, struct err *e)
{
    const char *known[ARRAY_LEN(words) + ARRAY_LEN(other_words)];
    size_t n_known = 0;

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        known[n_known++] = words[i].word;
    for (size_t i = 0; i < ARRAY_LEN(other_words); i++)
        known[n_known++] = other_words[i]; /* with its NULL */
    const struct str near = opt_suggest(n->key, known);
    if (near.n == 0)
        return bad(r, n, e, "unknown input (fnscope help --mdoc cost lists them)", n->key);
    return err_set(e, ERR_CONFIG,
                   "%s:%u:%u: unknown input \"" STR_FMT "\": did you mean \"" STR_FMT "\"?",
                   r->name, n->line, n->column, STR_ARG(n->key), STR_ARG(near));
}

static enum status read_plan(const struct reader *r, const struct yaml_node *n,
                             struct bill_input *in, struct err *e)
{
    static const struct {
        const char *text;
        struct str plan;
    } plans[] = {
        {"no-upfront", {"no-upfront", 10}},
        {"no_upfront", {"no-upfront", 10}},
        {"no upfront", {"no-upfront", 10}},
        {"all-upfront", {"all-upfront", 11}},
        {"all_upfront", {"all-upfront", 11}},
        {"all upfront", {"all-upfront", 11}},
        {"none", {NULL, 0}},
        {"false", {NULL, 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(plans); i++) {
        if (!str_eq(n->text, str_from(plans[i].text)))
            continue;
        in->savings_plan = plans[i].plan;
        return OK;
    }
    return bad(r, n, e, "savings_plan is none, no-upfront or all-upfront, not", n->text);
}

/* Inputs that are no numbers; *is_known tells whether the word is one of them. */
static enum status read_word(const struct reader *r, const struct yaml_node *n,
                             struct usage_inputs *u, struct bill_input *in, bool *is_known,
                             struct err *e)
{
    *is_known = true;
    if (str_eq(n->key, STR("free_tier")))
        return read_free_tier(r, n, u, e);
    if (str_eq(n->key, STR("savings_plan")))
        return read_plan(r, n, in, e);
    if (str_eq(n->key, STR("streams")))
        return read_streams(r, n, u, e);
    if (str_eq(n->key, STR("arch")))
        return arch_parse(n->text, &u->arch) ? OK : bad(r, n, e, "unknown arch", n->text);
    if (str_eq(n->key, STR("date")))
        return time_parse_human(n->text, in->at_ns, &in->at_ns, NULL) == OK
                   ? OK
                   : bad(r, n, e, "no date", n->text);
    if (str_eq(n->key, STR("tb"))) {
        u->is_log_tb_binary = str_eq(n->text, STR("binary"));
        return OK;
    }
    if (str_eq(n->key, STR("runtime"))) {
        u->is_java = str_starts(n->text, STR("java"));
        return OK;
    }
    *is_known = false;
    return OK;
}

static enum status read_input(const struct reader *r, const struct yaml_node *n,
                              struct usage_inputs *u, struct bill_input *in, struct err *e)
{
    bool is_known = false;

    if (read_word(r, n, u, in, &is_known, e) != OK)
        return e->code;
    for (size_t i = 0; i < ARRAY_LEN(words) && !is_known; i++) {
        if (!str_eq(n->key, str_from(words[i].word)))
            continue;
        u->has[words[i].number] = true;
        is_known = true;
        if (read_number(r, n, &u->number[words[i].number], e) != OK)
            return e->code;
    }
    return is_known ? OK : unknown_word(r, n, e);
}

/* "any ..." stands for the default region; the answer is the same in all it means. */
static enum status read_region(const struct reader *r, const struct yaml_node *table,
                               struct usage_case *c, struct err *e)
{
    const struct yaml_node *n = yaml_get(table, STR("region"));
    const struct str text = n != NULL ? n->text : (struct str){0};

    c->bill.region = text;
    c->is_region_assumed = text.n == 0 || str_starts(text, STR("any"));
    if (c->is_region_assumed)
        c->bill.region = r->o->default_region.n > 0 ? r->o->default_region : STR("us-east-1");
    if (pricebook_has_region(r->o->book, c->bill.provider, c->bill.region))
        return OK;
    return n != NULL ? bad(r, n, e, "the price book has no such region", text)
                     : err_set(e, ERR_CONFIG, "the price book has no region " STR_FMT,
                               STR_ARG(c->bill.region));
}

static usage_fn *service_named(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        if (str_eq(name, str_from(services[i].name)))
            return services[i].build;
    return NULL;
}

/* Bare inputs may stand beside the words of a case. */
static bool is_case_word(struct str key)
{
    static const char *const known[] = {"id", "provider", "service", "region"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq(key, str_from(known[i])))
            return true;
    return false;
}

static enum status read_inputs(const struct reader *r, const struct yaml_node *table,
                               struct usage_inputs *u, struct bill_input *in, struct err *e)
{
    const struct yaml_node *inputs = yaml_get(table, STR("inputs"));
    const bool is_bare = inputs == NULL;

    if (is_bare)
        inputs = table;
    if (inputs->type != YAML_TABLE)
        return bad(r, inputs, e, "inputs is no table", inputs->text);
    for (const struct yaml_node *n = inputs->child; n != NULL; n = n->next)
        if (!(is_bare && is_case_word(n->key)) && read_input(r, n, u, in, e) != OK)
            return e->code;
    return OK;
}

static enum status read_case(const struct reader *r, const struct yaml_node *table,
                             struct usage_case *c, struct err *e)
{
    const struct str provider = text_of(table, "provider");
    struct usage_inputs u = {.arch = ARCH_X86_64};

    c->id = text_of(table, "id");
    c->service = text_of(table, "service");
    if (c->service.n == 0)
        c->service = STR("lambda");
    c->bill.provider = PROVIDER_AWS;
    c->bill.at_ns = r->o->at_ns;
    if (provider.n > 0 && !provider_parse(provider, &c->bill.provider))
        return bad(r, table, e, "unknown provider", provider);
    usage_fn *build = c->bill.provider == PROVIDER_AWS ? service_named(c->service) : NULL;
    c->is_covered = build != NULL;
    if (build == NULL)
        return OK;
    if (read_region(r, table, c, e) != OK || read_inputs(r, table, &u, &c->bill, e) != OK)
        return e->code;
    c->bill.free_requests = u.free_requests;
    c->bill.free_compute = u.free_compute;
    c->bill.arch = u.arch;
    if (build(&u, r->arena, &c->bill, e) != OK)
        return err_wrap(e, "%s:%u", r->name, table->line);
    if (c->bill.n_usage == 0)
        return bad(r, table, e, "nothing to bill in the inputs of service", c->service);
    return OK;
}

enum status usage_read(const struct usage_options *o, struct arena *a, const struct yaml_node *root,
                       const char *name, struct usage_cases *out, struct err *e)
{
    struct err own = {0};
    struct reader r = {.arena = a, .name = name, .o = o};
    const struct yaml_node *list = yaml_get(root, STR("cases"));
    const struct yaml_node *first = list != NULL ? list->child : root;
    size_t count = 0;

    if (e == NULL)
        e = &own;
    if (root->type != YAML_TABLE || (list != NULL && list->type != YAML_LIST))
        return err_set(e, ERR_CONFIG, "%s: no table of inputs and no list under \"cases\"", name);
    for (const struct yaml_node *c = first; c != NULL; c = c->next)
        count++;
    struct usage_case *cases = arena_new(a, struct usage_case, count > 0 ? count : 1);
    count = 0;
    for (const struct yaml_node *c = first; c != NULL; c = c->next)
        if (read_case(&r, c, &cases[count++], e) != OK)
            return e->code;
    *out = (struct usage_cases){.cases = cases, .n = count};
    return OK;
}
