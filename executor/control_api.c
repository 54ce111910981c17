/* What there is: functions, their configuration, limits and sources. The manifest is the only
 * truth, so these operations only read. */
#include <string.h>

#include "core/base/crypto.h"
#include "core/base/timefmt.h"
#include "executor/api_page.h"
#include "executor/invoker.h"
#include "executor/lambda_api.h"

#define MIB         ((uint64_t)1 << 20)
#define PAGE_ITEMS  50
#define ASKED_ITEMS 10000 /* most that MaxItems may say: pages are no longer for it */

/* --- one function --- */

static struct str revision_of(struct arena *a, const struct fndef *fn)
{
    uint64_t high = str_hash(fn->code_sha256, 1), low = str_hash(fn->arn, fn->memory_bytes);

    return arena_printf(a, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(high >> 32),
                        (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xfff),
                        (unsigned)(low >> 52), (unsigned long long)(low & 0xffffffffffff));
}

static struct str modified_text(struct arena *a, const struct fndef *fn)
{
    struct civil t = time_civil(fn->modified_ns);

    return arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02d.%03d+0000", t.year, t.month, t.day,
                        t.hour, t.minute, t.second, (int)(t.ns / NS_PER_MS));
}

static void put_object_str(struct json_out *o, const char *key, const char *member, struct str v)
{
    jout_key(o, key);
    jout_open(o, '{');
    jout_put_str(o, member, v);
    jout_close(o, '}');
}

/* Values of secrets are never shown. */
static void put_environment(struct json_out *o, const struct fndef *fn)
{
    if (fn->n_env == 0)
        return;
    jout_key(o, "Environment");
    jout_open(o, '{');
    jout_key(o, "Variables");
    jout_open(o, '{');
    for (size_t i = 0; i < fn->n_env; i++)
        jout_put_str(o, fn->env[i].name.p,
                     fn->env[i].is_secret ? STR("[redacted]") : fn->env[i].value);
    jout_close(o, '}');
    jout_close(o, '}');
}

static void put_logging(struct json_out *o, const struct fndef *fn)
{
    static const char *const app[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
    static const char *const system[] = {"DEBUG", "INFO", "WARN"};

    jout_key(o, "LoggingConfig");
    jout_open(o, '{');
    jout_put_str(o, "LogFormat", fn->log_format == LOG_FORMAT_JSON ? STR("JSON") : STR("Text"));
    if (fn->log_format == LOG_FORMAT_JSON) {
        jout_put_str(o, "ApplicationLogLevel", str_from(app[fn->application_level]));
        jout_put_str(o, "SystemLogLevel", str_from(system[fn->system_level]));
    }
    jout_put_str(o, "LogGroup", fn->log_group);
    jout_close(o, '}');
}

static struct str queue_arn(struct api_call *c, struct str name)
{
    if (str_starts(name, STR("arn:")))
        return name;
    return arena_printf(c->arena, "arn:aws:sqs:" STR_FMT ":" STR_FMT ":" STR_FMT,
                        STR_ARG(c->x->manifest->region), STR_ARG(c->x->manifest->account),
                        STR_ARG(name));
}

static void put_limits(struct json_out *o, struct api_call *c, const struct fndef *fn)
{
    jout_put_i64(o, "Timeout", (fn->timeout_ns + NS_PER_SEC - 1) / NS_PER_SEC);
    jout_put_i64(o, "MemorySize", (int64_t)(fn->memory_bytes / MIB));
    jout_key(o, "EphemeralStorage");
    jout_open(o, '{');
    jout_put_i64(o, "Size", fn->ephemeral_mb);
    jout_close(o, '}');
    if (fn->dlq.n > 0)
        put_object_str(o, "DeadLetterConfig", "TargetArn", queue_arn(c, fn->dlq));
}

static void put_configuration(struct json_out *o, struct api_call *c, const struct fndef *fn,
                              bool with_state)
{
    bool is_of_versions = str_eq(api_query(c, "FunctionVersion"), STR("ALL"));

    jout_open(o, '{');
    jout_put_str(o, "FunctionName", fn->name);
    jout_put_str(o, "FunctionArn",
                 is_of_versions ? arena_printf(c->arena, STR_FMT ":$LATEST", STR_ARG(fn->arn))
                                : fn->arn);
    jout_put_str(o, "Runtime", fn->runtime);
    jout_put_str(o, "Role",
                 arena_printf(c->arena, "arn:aws:iam::" STR_FMT ":role/fnexec",
                              STR_ARG(c->x->manifest->account)));
    jout_put_str(o, "Handler", fn->handler.n > 0 ? fn->handler : STR("bootstrap"));
    jout_put_i64(o, "CodeSize", (int64_t)fn->code_bytes);
    jout_put_str(o, "Description", fn->description);
    put_limits(o, c, fn);
    jout_put_str(o, "LastModified", modified_text(c->arena, fn));
    jout_put_str(o, "CodeSha256", fn->code_sha256);
    jout_put_str(o, "Version", STR("$LATEST"));
    put_environment(o, fn);
    put_object_str(o, "TracingConfig", "Mode", fn->is_traced ? STR("Active") : STR("PassThrough"));
    jout_put_str(o, "RevisionId", revision_of(c->arena, fn));
    jout_put_str(o, "PackageType", STR("Zip"));
    jout_key(o, "Architectures");
    jout_open(o, '[');
#if defined(__aarch64__)
    jout_str(o, STR("arm64"));
#else
    jout_str(o, STR("x86_64"));
#endif
    jout_close(o, ']');
    jout_key(o, "SnapStart");
    jout_open(o, '{');
    jout_put_str(o, "ApplyOn", STR("None"));
    jout_put_str(o, "OptimizationStatus", STR("Off"));
    jout_close(o, '}');
    put_logging(o, fn);
    if (with_state) {
        jout_put_str(o, "State", STR("Active"));
        jout_put_str(o, "LastUpdateStatus", STR("Successful"));
    }
    jout_close(o, '}');
}

/* --- lists --- */

/* Marker: leads to the first item of the next page. */
static bool read_page(struct api_call *c, size_t n, size_t *from, size_t *to)
{
    struct str most = api_query(c, "MaxItems");
    struct page_token at = {0};
    uint64_t count = PAGE_ITEMS;

    if (most.n > 0 && (!str_to_u64(most, &count) || count == 0 || count > ASKED_ITEMS)) {
        api_error(c, 400, "InvalidParameterValueException", NULL, "MaxItems must be 1 to %d",
                  ASKED_ITEMS);
        return false;
    }
    if (!api_page_read(c, api_query(c, "Marker"), 0, &at)) {
        api_error(c, 400, "InvalidParameterValueException", NULL, "Invalid Marker");
        return false;
    }
    count = count > PAGE_ITEMS ? PAGE_ITEMS : count;
    *from = (size_t)at.a < n ? (size_t)at.a : n;
    *to = n - *from > count ? *from + (size_t)count : n;
    return true;
}

static void put_marker(struct json_out *o, struct api_call *c, size_t to, size_t n)
{
    if (to < n)
        jout_put_str(o, "NextMarker", api_page_token(c, 0, (int64_t)to, 0));
}

void lambda_list_functions(struct api_call *c)
{
    const struct manifest *m = c->x->manifest;
    struct json_out o;
    struct str versions = api_query(c, "FunctionVersion");
    size_t from, to;

    if (versions.n > 0 && !str_eq(versions, STR("ALL"))) {
        api_error(c, 400, "ValidationException", NULL,
                  "1 validation error detected: Value '" STR_FMT "' at 'functionVersion' failed to "
                  "satisfy constraint: Member must satisfy enum value set: [ALL]",
                  STR_ARG(str_sub(versions, 0, 100)));
        return;
    }
    if (!read_page(c, m->n_functions, &from, &to))
        return;
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "Functions");
    jout_open(&o, '[');
    for (size_t i = from; i < to; i++)
        put_configuration(&o, c, &m->functions[i], false);
    jout_close(&o, ']');
    put_marker(&o, c, to, m->n_functions);
    jout_close(&o, '}');
}

/* --- single reads --- */

void lambda_get_function(struct api_call *c)
{
    struct str qualifier;
    const struct fndef *fn = lambda_function(c, &qualifier);
    struct json_out o;

    if (!fn)
        return;
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "Configuration");
    put_configuration(&o, c, fn, true);
    jout_key(&o, "Code");
    jout_open(&o, '{');
    jout_put_str(&o, "RepositoryType", STR("local"));
    jout_put_str(&o, "Location", arena_printf(c->arena, "file://" STR_FMT, STR_ARG(fn->code)));
    jout_close(&o, '}');
    if (fn->has_reserved) {
        jout_key(&o, "Concurrency");
        jout_open(&o, '{');
        jout_put_i64(&o, "ReservedConcurrentExecutions", fn->reserved);
        jout_close(&o, '}');
    }
    jout_close(&o, '}');
}

void lambda_get_configuration(struct api_call *c)
{
    struct str qualifier;
    const struct fndef *fn = lambda_function(c, &qualifier);
    struct json_out o;

    if (!fn)
        return;
    jout_init(&o, &c->out, false);
    put_configuration(&o, c, fn, true);
}

void lambda_get_concurrency(struct api_call *c)
{
    struct str qualifier;
    const struct fndef *fn = lambda_function(c, &qualifier);
    struct json_out o;

    if (!fn)
        return;
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    if (fn->has_reserved)
        jout_put_i64(&o, "ReservedConcurrentExecutions", fn->reserved);
    jout_close(&o, '}');
}

void lambda_get_account(struct api_call *c)
{
    const struct manifest *m = c->x->manifest;
    struct json_out o;
    uint64_t code = 0;

    for (size_t i = 0; i < m->n_functions; i++)
        code += m->functions[i].code_bytes;
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "AccountLimit");
    jout_open(&o, '{');
    jout_put_i64(&o, "TotalCodeSize", INT64_C(80530636800));
    jout_put_i64(&o, "CodeSizeUnzipped", 262144000);
    jout_put_i64(&o, "CodeSizeZipped", 52428800);
    jout_put_i64(&o, "ConcurrentExecutions", m->concurrency);
    jout_put_i64(&o, "UnreservedConcurrentExecutions", invoker_unreserved(c->x->invoker));
    jout_close(&o, '}');
    jout_key(&o, "AccountUsage");
    jout_open(&o, '{');
    jout_put_i64(&o, "TotalCodeSize", (int64_t)code);
    jout_put_i64(&o, "FunctionCount", (int64_t)m->n_functions);
    jout_close(&o, '}');
    jout_close(&o, '}');
}

/* --- asynchronous configuration --- */

/* As on Lambda a function has one from the moment that something of it is set. */
static bool has_event_config(const struct fndef *fn)
{
    return fn->max_retries != 2 || fn->max_age_ns != 6 * NS_PER_HOUR || fn->on_success.n > 0 ||
           fn->on_failure.n > 0;
}

static void put_event_config(struct json_out *o, struct api_call *c, const struct fndef *fn)
{
    jout_open(o, '{');
    jout_put_i64(o, "LastModified", fn->modified_ns / NS_PER_SEC);
    jout_put_str(o, "FunctionArn", arena_printf(c->arena, STR_FMT ":$LATEST", STR_ARG(fn->arn)));
    jout_put_i64(o, "MaximumRetryAttempts", fn->max_retries);
    jout_put_i64(o, "MaximumEventAgeInSeconds", fn->max_age_ns / NS_PER_SEC);
    jout_key(o, "DestinationConfig");
    jout_open(o, '{');
    if (fn->on_success.n > 0)
        put_object_str(o, "OnSuccess", "Destination", queue_arn(c, fn->on_success));
    if (fn->on_failure.n > 0)
        put_object_str(o, "OnFailure", "Destination", queue_arn(c, fn->on_failure));
    jout_close(o, '}');
    jout_close(o, '}');
}

void lambda_get_event_config(struct api_call *c)
{
    struct str qualifier;
    const struct fndef *fn = lambda_function(c, &qualifier);
    struct json_out o;

    if (fn && !has_event_config(fn))
        api_error(c, 404, "ResourceNotFoundException", NULL,
                  "The function " STR_FMT ":$LATEST doesn't have an EventInvokeConfig",
                  STR_ARG(fn->arn));
    if (!fn || !has_event_config(fn))
        return;
    jout_init(&o, &c->out, false);
    put_event_config(&o, c, fn);
}

/* Begins an answer that is one list of the function's; NULL: it was refused. */
static const struct fndef *begin_list(struct api_call *c, struct json_out *o, const char *key)
{
    struct str qualifier;
    const struct fndef *fn = lambda_function(c, &qualifier);

    if (!fn)
        return NULL;
    jout_init(o, &c->out, false);
    jout_open(o, '{');
    jout_key(o, key);
    jout_open(o, '[');
    return fn;
}

static void end_list(struct json_out *o)
{
    jout_close(o, ']');
    jout_close(o, '}');
}

void lambda_list_event_configs(struct api_call *c)
{
    struct json_out o;
    const struct fndef *fn = begin_list(c, &o, "FunctionEventInvokeConfigs");

    if (!fn)
        return;
    if (has_event_config(fn))
        put_event_config(&o, c, fn);
    end_list(&o);
}

/* --- what a manifest does not have --- */

static void empty_list(struct api_call *c, const char *key)
{
    struct json_out o;

    if (begin_list(c, &o, key))
        end_list(&o);
}

void lambda_list_aliases(struct api_call *c)
{
    empty_list(c, "Aliases");
}

void lambda_list_provisioned(struct api_call *c)
{
    static const char *const counts[] = {"RequestedProvisionedConcurrentExecutions",
                                         "AvailableProvisionedConcurrentExecutions",
                                         "AllocatedProvisionedConcurrentExecutions"};
    struct json_out o;
    const struct fndef *fn = begin_list(c, &o, "ProvisionedConcurrencyConfigs");

    if (!fn)
        return;
    if (fn->provisioned > 0) {
        jout_open(&o, '{');
        jout_put_str(&o, "FunctionArn",
                     arena_printf(c->arena, STR_FMT ":$LATEST", STR_ARG(fn->arn)));
        for (size_t i = 0; i < ARRAY_LEN(counts); i++)
            jout_put_i64(&o, counts[i], fn->provisioned);
        jout_put_str(&o, "Status", STR("READY"));
        jout_put_str(&o, "LastModified", modified_text(c->arena, fn));
        jout_close(&o, '}');
    }
    end_list(&o);
}

void lambda_list_versions(struct api_call *c)
{
    struct str qualifier;
    const struct fndef *fn = lambda_function(c, &qualifier);
    struct json_out o;

    if (!fn)
        return;
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "Versions");
    jout_open(&o, '[');
    put_configuration(&o, c, fn, false);
    jout_close(&o, ']');
    jout_close(&o, '}');
}

void lambda_list_tags(struct api_call *c)
{
    struct json_out o;

    if (!manifest_find(c->x->manifest, api_param(c, "ARN"), NULL)) {
        api_error(c, 404, "ResourceNotFoundException", NULL, "Function not found: " STR_FMT,
                  STR_ARG(str_sub(api_param(c, "ARN"), 0, 200)));
        return;
    }
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "Tags");
    jout_open(&o, '{');
    jout_close(&o, '}');
    jout_close(&o, '}');
}

void lambda_get_policy(struct api_call *c)
{
    struct str qualifier;

    if (lambda_function(c, &qualifier))
        api_error(c, 404, "ResourceNotFoundException", NULL,
                  "The resource you requested does not exist.");
}
