/* Reads usage files: what was used in a month, in the words of a bill's worksheet, as YAML or JSON.
 * One case, a list of cases, or the bare inputs. A case that cannot be read says why and costs no
 * other. Owns the words; the quantities are made in usage_quantities.c. */
#include "analyzer/usage.h"

#include <assert.h>

#include "analyzer/pricebook.h"
#include "core/base/macros.h"
#include "core/base/opt.h"
#include "core/base/timefmt.h"

enum { LONGEST_NUMBER = 32, MOVED_BYTES = 128 };

/* Where the file is being read, for messages. */
struct reader {
    struct arena *arena;
    const char *name;
    const struct usage_options *o;
};

static const struct {
    const char *word;
    enum usage_number number;
    int64_t factor; /* of the word's unit */
} words[] = {
    {"memory_mb", U_MEMORY_MB, 1},
    {"memory_gb", U_MEMORY_MB, 1024},
    {"invocations", U_INVOCATIONS, 1},
    {"requests", U_INVOCATIONS, 1},
    {"executions", U_INVOCATIONS, 1},
    {"avg_billed_ms", U_AVG_MS, 1},
    {"avg_ms", U_AVG_MS, 1},
    {"avg_duration_ms", U_AVG_MS, 1},
    {"avg_seconds", U_AVG_MS, 1000},
    {"od_invocations", U_OD_INVOCATIONS, 1},
    {"od_avg_ms", U_OD_AVG_MS, 1},
    {"od_avg_billed_ms", U_OD_AVG_MS, 1},
    {"provisioned_concurrency", U_PC, 1},
    {"pc_seconds", U_PC_SECONDS, 1},
    {"pc_hours", U_PC_SECONDS, 3600},
    {"pc_invocations", U_PC_INVOCATIONS, 1},
    {"pc_avg_ms", U_PC_AVG_MS, 1},
    {"pc_avg_billed_ms", U_PC_AVG_MS, 1},
    {"requests_billed", U_REQUESTS_BILLED, 1},
    {"event_kb", U_EVENT_KB, 1},
    {"storage_mb", U_STORAGE_MB, 1},
    {"ephemeral_mb", U_STORAGE_MB, 1},
    {"ephemeral_storage_mb", U_STORAGE_MB, 1},
    {"ephemeral_storage_gb", U_STORAGE_MB, 1024},
    {"free_requests_left", U_FREE_REQUESTS_LEFT, 1},
    {"free_gb_s_left", U_FREE_GB_S_LEFT, 1},
    {"free_gb_seconds_left", U_FREE_GB_S_LEFT, 1},
    {"stream_free_gb_left", U_STREAM_FREE_GB, 1},
    {"stream_gb", U_STREAM_GB, 1},
    {"sqs_epu_hours", U_SQS_EPU_HOURS, 1},
    {"epu_hours", U_EPU_HOURS, 1},
    {"kafka_epu_hours", U_EPU_HOURS, 1},
    {"tenant_environments", U_TENANT_ENVIRONMENTS, 1},
    {"snapstart_cached_seconds", U_SNAPSTART_CACHED_S, 1},
    {"snapstart_restores", U_SNAPSTART_RESTORES, 1},
    {"durable_operations", U_DURABLE_OPERATIONS, 1},
    {"durable_written_gb", U_DURABLE_WRITTEN_GB, 1},
    {"durable_retained_gb_month", U_DURABLE_RETAINED_GB_MONTH, 1},
    {"managed_invocations", U_MANAGED_INVOCATIONS, 1},
    {"ec2_on_demand", U_EC2_ON_DEMAND, 1},
    {"lambda_log_gb", U_LOG_GB, 1},
    {"log_gb", U_LOG_GB, 1},
    {"peak_s", U_PEAK_S, 1},
    {"peak_vcpu", U_PEAK_VCPU, 1},
    {"peak_gb", U_PEAK_GB, 1},
    {"base_s", U_BASE_S, 1},
    {"base_vcpu", U_BASE_VCPU, 1},
    {"base_gb", U_BASE_GB, 1},
    {"suspends", U_SUSPENDS, 1},
    {"launches", U_LAUNCHES, 1},
    {"snapshot_gb", U_SNAPSHOT_GB, 1},
    {"images_gb", U_IMAGES_GB, 1},
    {"suspended_s", U_SUSPENDED_S, 1},
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
    {"true", true, true},          {"false", false, false},  {"yes", true, true},
    {"no", false, false},          {"1", true, true},        {"0", false, false},
    {"compute only", false, true}, {"compute", false, true}, {"requests only", true, false},
    {"requests", true, false},     {"none", false, false},
};

static const char *const other_words[] = {"arch", "free_tier", "savings_plan", "streams",
                                          "tb",   "runtime",   "date",         NULL};

enum { MOST_STORAGE_MB = 10240 };

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

/* Digits with at most one point, which neither begins nor ends it; a sign is refused. */
static bool is_decimal(struct str s)
{
    size_t n_points = 0;

    for (size_t i = 0; i < s.n; i++) {
        const bool is_point = s.p[i] == '.';
        if (is_point ? i == 0 || i + 1 == s.n : s.p[i] < '0' || s.p[i] > '9')
            return false;
        n_points += is_point;
    }
    return s.n > 0 && n_points <= 1;
}

/* Digits of a number with its point moved by the exponent, zeros at the end of the fraction left
 * out; false where that is too long to be a number that fits. */
static bool add_shifted(struct buf *b, struct str mantissa, int64_t exponent)
{
    const size_t point = str_find_char(mantissa, '.');
    const struct str fraction = point < mantissa.n ? str_skip(mantissa, point + 1) : STR("");
    const int64_t moved = (int64_t)point + exponent;
    int64_t at = 0;

    if (moved > LONGEST_NUMBER || moved < -LONGEST_NUMBER)
        return false;
    if (moved <= 0)
        buf_add_z(b, "0.");
    buf_add_repeat(b, '0', moved < 0 ? (size_t)-moved : 0);
    for (size_t i = 0; i < point + fraction.n; i++, at++) {
        if (at == moved && moved > 0)
            buf_add_c(b, '.');
        buf_add_c(b, i < point ? mantissa.p[i] : fraction.p[i - point]);
    }
    buf_add_repeat(b, '0', at < moved ? (size_t)(moved - at) : 0);
    return !b->is_full;
}

static struct str without_end_zeros(struct str s)
{
    if (str_find_char(s, '.') == s.n)
        return s;
    while (s.n > 0 && s.p[s.n - 1] == '0')
        s.n--;
    return s.n > 0 && s.p[s.n - 1] == '.' ? str_sub(s, 0, s.n - 1) : s;
}

/* A decimal of at most 6 decimals that are not zeros, or the same with an exponent: 1.5e6. */
static bool parse_number(struct str text, int64_t *out)
{
    AUTO(buf_clear) struct buf moved = {.max = MOVED_BYTES};
    size_t e = str_find_char(text, 'e');
    int64_t exponent = 0;

    if (e == text.n)
        e = str_find_char(text, 'E');
    const struct str mantissa = str_sub(text, 0, e);
    if (e == text.n)
        return str_to_scaled(without_end_zeros(mantissa), USAGE_SCALE, out);
    const struct str power = str_skip(text, e + 1);
    const bool has_plus = power.n > 1 && power.p[0] == '+' && power.p[1] != '-';
    if (mantissa.n > LONGEST_NUMBER || !is_decimal(mantissa) ||
        !str_to_i64(str_skip(power, has_plus), &exponent) ||
        !add_shifted(&moved, mantissa, exponent))
        return false;
    return str_to_scaled(without_end_zeros(buf_str(&moved)), USAGE_SCALE, out);
}

static struct str lowered(const struct reader *r, struct str s)
{
    char *p = arena_new(r->arena, char, s.n + 1);
    for (size_t i = 0; i < s.n; i++)
        p[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + ('a' - 'A')) : s.p[i];
    return (struct str){p, s.n};
}

static enum status read_number(const struct reader *r, const struct yaml_node *n, int64_t *out,
                               struct err *e)
{
    int64_t v = 0;
    if (n->type != YAML_SCALAR || !parse_number(n->text, &v))
        return bad(r, n, e, "no number of at most 6 decimals that fits", n->text);
    if (v < 0)
        return bad(r, n, e, "no number of 0 or more", n->text);
    *out = v;
    return OK;
}

static enum status read_free_tier(const struct reader *r, const struct yaml_node *n,
                                  struct usage_inputs *u, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(free_tiers); i++) {
        if (!str_eq_nocase(n->text, str_from(free_tiers[i].text)))
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

    s->units_per_mb = 1;
    for (const struct yaml_node *m = n->child; m != NULL; m = m->next) {
        if (read_number(r, m, &v, e) != OK)
            return e->code;
        if (str_eq(m->key, STR("invocations"))) {
            s->invocations = v;
            continue;
        }
        if (str_eq(m->key, STR("kb")))
            s->units_per_mb = 1024;
        else if (str_eq(m->key, STR("gb")) && __builtin_mul_overflow(v, INT64_C(1024), &v))
            return bad(r, m, e, "a response is too large", m->text);
        else if (!str_eq(m->key, STR("mb")) && !str_eq(m->key, STR("gb")))
            return bad(r, m, e, "a stream has invocations and kb, mb or gb, not", m->key);
        s->size = v;
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

/* A slip of a known word is an error. Any other word is somebody's remark: left out, and said. */
static enum status unknown_word(const struct reader *r, const struct yaml_node *n,
                                struct usage_case *c, struct err *e)
{
    const char *known[ARRAY_LEN(words) + ARRAY_LEN(other_words)];
    size_t n_known = 0;

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        known[n_known++] = words[i].word;
    for (size_t i = 0; i < ARRAY_LEN(other_words); i++)
        known[n_known++] = other_words[i]; /* with its NULL */
    const struct str near = opt_suggest(n->key, known);
    if (near.n == 0) {
        c->unused = c->unused.n == 0 ? n->key
                                     : arena_printf(r->arena, STR_FMT ", " STR_FMT,
                                                    STR_ARG(c->unused), STR_ARG(n->key));
        return OK;
    }
    return err_set(e, ERR_CONFIG,
                   "%s:%u:%u: unknown input \"" STR_FMT "\": did you mean \"" STR_FMT "\"?",
                   r->name, n->line, n->column, STR_ARG(n->key), STR_ARG(near));
}

static enum status read_plan(const struct reader *r, const struct yaml_node *n,
                             struct usage_case *c, struct err *e)
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
        c->bill.savings_plan = plans[i].plan;
        c->plan_place = arena_printf(r->arena, "%s:%u:%u", r->name, n->line, n->column);
        return OK;
    }
    return bad(r, n, e, "savings_plan is none, no-upfront or all-upfront, not", n->text);
}

/* Inputs that are no numbers; *is_known tells whether the word is one of them. */
static enum status read_word(const struct reader *r, const struct yaml_node *n,
                             struct usage_inputs *u, struct usage_case *c, bool *is_known,
                             struct err *e)
{
    *is_known = true;
    if (str_eq(n->key, STR("free_tier")))
        return read_free_tier(r, n, u, e);
    if (str_eq(n->key, STR("savings_plan")))
        return read_plan(r, n, c, e);
    if (str_eq(n->key, STR("streams")))
        return read_streams(r, n, u, e);
    if (str_eq(n->key, STR("arch")))
        return arch_parse(lowered(r, n->text), &u->arch) ? OK
                                                         : bad(r, n, e, "unknown arch", n->text);
    if (str_eq(n->key, STR("date")))
        return time_parse_human(n->text, c->bill.at_ns, &c->bill.at_ns, NULL) == OK
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

static bool is_unset(const struct yaml_node *n)
{
    return n->type == YAML_SCALAR && n->is_plain &&
           (n->text.n == 0 || str_eq(n->text, STR("~")) || str_eq_nocase(n->text, STR("null")));
}

static enum status read_word_number(const struct reader *r, const struct yaml_node *n, size_t word,
                                    struct usage_inputs *u, struct err *e)
{
    int64_t v = 0;

    if (read_number(r, n, &v, e) != OK)
        return e->code;
    if (__builtin_mul_overflow(v, words[word].factor, &v))
        return bad(r, n, e, "too large", n->text);
    if (words[word].number == U_STORAGE_MB && v > MOST_STORAGE_MB * USAGE_ONE)
        return bad(r, n, e, "Lambda has at most 10240 MB of ephemeral storage", n->text);
    u->number[words[word].number] = v;
    u->has[words[word].number] = true;
    return OK;
}

static enum status read_input(const struct reader *r, const struct yaml_node *n,
                              struct usage_inputs *u, struct usage_case *c, struct err *e)
{
    bool is_known = false;

    if (is_unset(n))
        return OK;
    if (read_word(r, n, u, c, &is_known, e) != OK)
        return e->code;
    if (is_known)
        return OK;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq(n->key, str_from(words[i].word)))
            return read_word_number(r, n, i, u, e);
    return unknown_word(r, n, c, e);
}

/* "any ..." and "global" stand for the default region; the answer is the same in all they mean. */
static enum status read_region(const struct reader *r, const struct yaml_node *table,
                               struct usage_case *c, struct err *e)
{
    const struct yaml_node *n = yaml_get(table, STR("region"));
    const struct str text = n != NULL ? n->text : (struct str){0};

    c->bill.region = text;
    c->is_region_assumed =
        text.n == 0 || str_starts(text, STR("any")) || str_eq(text, STR("global"));
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
    static const char *const known[] = {"id", "provider", "service", "region", "inputs"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq(key, str_from(known[i])))
            return true;
    return false;
}

/* What people write beside a table of inputs about a case, and is no input of it. */
static bool is_remark(struct str key)
{
    static const char *const known[] = {"note",           "source",      "source_kind",
                                        "currency",       "tolerance",   "line_items",
                                        "expected_total", "rounded_sum", "sum_of_rounded_lines"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq(key, str_from(known[i])))
            return true;
    return false;
}

static enum status read_inputs(const struct reader *r, const struct yaml_node *table,
                               struct usage_inputs *u, struct usage_case *c, struct err *e)
{
    const struct yaml_node *inputs = yaml_get(table, STR("inputs"));

    if (inputs != NULL && inputs->type != YAML_TABLE)
        return bad(r, inputs, e, "inputs is no table", inputs->text);
    for (const struct yaml_node *n = table->child; n != NULL; n = n->next) {
        if (is_case_word(n->key) || (inputs != NULL && is_remark(n->key)))
            continue;
        if (read_input(r, n, u, c, e) != OK)
            return e->code;
    }
    for (const struct yaml_node *n = inputs ? inputs->child : NULL; n != NULL; n = n->next)
        if (read_input(r, n, u, c, e) != OK)
            return e->code;
    return OK;
}

static enum status read_case(const struct reader *r, const struct yaml_node *table,
                             struct usage_case *c, struct err *e)
{
    const struct str provider = lowered(r, text_of(table, "provider"));
    struct usage_inputs u = {.arch = ARCH_X86_64};

    if (table->type != YAML_TABLE)
        return bad(r, table, e, "a case is a table of words, not", table->text);
    c->id = text_of(table, "id");
    c->service = text_of(table, "service");
    if (c->service.n == 0)
        c->service = STR("lambda");
    c->bill.provider = PROVIDER_AWS;
    c->bill.at_ns = r->o->at_ns;
    if (provider.n > 0 && !provider_parse(provider, &c->bill.provider))
        return bad(r, table, e, "unknown provider", provider);
    usage_fn *build =
        c->bill.provider == PROVIDER_AWS ? service_named(lowered(r, c->service)) : NULL;
    c->is_covered = build != NULL;
    if (build == NULL)
        return OK;
    if (read_region(r, table, c, e) != OK || read_inputs(r, table, &u, c, e) != OK)
        return e->code;
    c->bill.free_requests = u.free_requests && !u.has[U_FREE_REQUESTS_LEFT];
    c->bill.free_compute = u.free_compute && !u.has[U_FREE_GB_S_LEFT];
    c->bill.arch = u.arch;
    if (build(&u, r->arena, &c->bill, e) != OK)
        return err_wrap(e, "%s:%u", r->name, table->line);
    if (c->bill.n_usage == 0 && c->unused.n > 0)
        return bad(r, table, e, "nothing to bill (fnscope help --mdoc cost lists the inputs)",
                   c->unused);
    if (c->bill.n_usage == 0)
        return bad(r, table, e, "nothing to bill in the inputs of service", c->service);
    return OK;
}

/* One table, a list, or a list under "cases". */
static const struct yaml_node *first_case(const struct yaml_node *root)
{
    const struct yaml_node *list = root->type == YAML_LIST ? root : yaml_get(root, STR("cases"));
    if (list == NULL)
        return root;
    return list->type == YAML_LIST ? list->child : NULL;
}

enum status usage_read(const struct usage_options *o, struct arena *a, const struct yaml_node *root,
                       const char *name, struct usage_cases *out, struct err *e)
{
    const struct reader r = {.arena = a, .name = name, .o = o};
    const struct yaml_node *first = first_case(root);
    size_t count = 0;

    if (root->type == YAML_SCALAR || first == NULL)
        return err_set(e, ERR_CONFIG, "%s: no table of inputs and no list of cases", name);
    for (const struct yaml_node *c = first; c != NULL; c = c->next)
        count++;
    struct usage_case *cases = arena_new(a, struct usage_case, count);
    count = 0;
    for (const struct yaml_node *c = first; c != NULL; c = c->next) {
        struct err own = {0};
        if (read_case(&r, c, &cases[count], &own) != OK)
            cases[count].problem = arena_str(a, str_from(own.msg));
        count++;
    }
    *out = (struct usage_cases){.cases = cases, .n = count};
    return OK;
}
