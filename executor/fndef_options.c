/* The manifest's keys: type, range, default and help of each in one row. */
#include "executor/fndef_options.h"

const char *const manifest_foreign[] = {"functions", "queues", NULL};
const char *const fndef_foreign[] = {"environment", "secrets", "triggers", NULL};

const struct opt_def manifest_options[] = {
    {.key = "account",
     .type = OPT_STRING,
     .offset = offsetof(struct manifest, account),
     .default_text = "000000000000",
     .help = "account number in ARNs, 12 digits"},
    {.key = "region",
     .type = OPT_STRING,
     .offset = offsetof(struct manifest, region),
     .default_text = "us-east-1",
     .help = "region in ARNs"},
    {.key = "concurrency",
     .type = OPT_INT,
     .offset = offsetof(struct manifest, concurrency),
     .default_text = "1000",
     .min = 1,
     .max = 100000,
     .help = "invocations at a time, of all functions together"},
    {.key = "unreserved_minimum",
     .type = OPT_INT,
     .offset = offsetof(struct manifest, unreserved_min),
     .default_text = "100",
     .min = 0,
     .max = 100000,
     .help = "part of concurrency that reservations must leave"},
    {0}};

static const char *const log_formats[] = {"text", "json", NULL};
static const char *const levels[] = {"debug", "info", "warn", NULL};
static const char *const app_levels[] = {"trace", "debug", "info", "warn", "error", "fatal", NULL};
static const char *const protocols[] = {"frames", "runtime-api", NULL};
static const char *const isolations[] = {"auto", "strict", "process", NULL};
static const char *const memory_limits[] = {"watched", "cgroup", NULL};

#define FIELD(name) .offset = offsetof(struct fndef, name)

const struct opt_def fndef_options[] = {
    {.key = "runtime",
     .type = OPT_STRING,
     FIELD(runtime),
     .help = "nodejs20.x, python3.11, provided.al2023 or c"},
    {.key = "handler",
     .type = OPT_STRING,
     FIELD(handler),
     .help = "module.function; of runtime c the program's name"},
    {.key = "description", .type = OPT_STRING, FIELD(description), .help = "one line about it"},
    {.key = "code",
     .type = OPT_STRING,
     FIELD(code),
     .value_name = "FOLDER",
     .help = "folder of the code, from the manifest's place"},
    {.key = "memory",
     .type = OPT_MEMORY,
     FIELD(memory_bytes),
     .default_text = "128MB",
     .help = "memory of one environment, 128MB to 10240MB"},
    {.key = "timeout",
     .type = OPT_DURATION,
     FIELD(timeout_ns),
     .default_text = "3s",
     .help = "longest run, up to 15m"},
    {.key = "ephemeral_storage_mb",
     .type = OPT_INT,
     FIELD(ephemeral_mb),
     .default_text = "512",
     .min = 512,
     .max = 10240,
     .help = "size of its temporary folder, in MB"},
    {.key = "concurrency",
     .type = OPT_INT,
     FIELD(reserved),
     .min = 0,
     .max = 100000,
     .help = "reserved concurrency: that many at a time, kept for it; 0 stops it"},
    {.key = "instances",
     .type = OPT_INT,
     FIELD(instances),
     .default_text = "10",
     .min = 1,
     .max = 1000,
     .help = "most environments on this machine; further invocations wait"},
    {.key = "provisioned",
     .type = OPT_INT,
     FIELD(provisioned),
     .min = 0,
     .max = 1000,
     .help = "environments started ahead and kept ready"},
    {.key = "max_queue",
     .type = OPT_INT,
     FIELD(max_queue),
     .default_text = "1000",
     .min = 0,
     .max = 100000,
     .help = "invocations that may wait for an environment"},
    {.key = "keep_alive",
     .type = OPT_DURATION,
     FIELD(keep_alive_ns),
     .default_text = "5m",
     .help = "how long an idle environment stays"},
    {.key = "log_format",
     .type = OPT_CHOICE,
     FIELD(log_format),
     .default_text = "text",
     .choices = log_formats,
     .help = "form of its log lines"},
    {.key = "system_log_level",
     .type = OPT_CHOICE,
     FIELD(system_level),
     .default_text = "info",
     .choices = levels,
     .help = "platform lines of log_format json"},
    {.key = "application_log_level",
     .type = OPT_CHOICE,
     FIELD(application_level),
     .default_text = "info",
     .choices = app_levels,
     .help = "application lines of log_format json"},
    {.key = "log_group",
     .type = OPT_STRING,
     FIELD(log_group),
     .help = "log group; /aws/lambda/NAME unless given"},
    {.key = "protocol",
     .type = OPT_CHOICE,
     FIELD(protocol),
     .choices = protocols,
     .help = "how the environment is spoken to; by runtime unless given"},
    {.key = "isolation",
     .type = OPT_CHOICE,
     FIELD(isolation),
     .default_text = "auto",
     .choices = isolations,
     .help = "how far the environment is fenced off"},
    {.key = "memory_limit",
     .type = OPT_CHOICE,
     FIELD(memory_limit),
     .default_text = "watched",
     .choices = memory_limits,
     .help =
         "who ends an environment over its memory: fnexec looks every 100 ms, the kernel at once"},
    {.key = "user",
     .type = OPT_INT,
     FIELD(user),
     .default_text = "0",
     .min = 0,
     .max = 2147483646,
     .help = "number of the user and group it runs as, where fnexec is root; 0: fnexec's"},
    {.key = "tracing",
     .type = OPT_BOOL,
     FIELD(is_traced),
     .default_text = "false",
     .help = "record X-Ray segments"},
    {.key = "async.retries",
     .type = OPT_INT,
     FIELD(max_retries),
     .default_text = "2",
     .min = 0,
     .max = 2,
     .help = "further attempts after an error"},
    {.key = "async.retry_wait",
     .type = OPT_DURATION,
     FIELD(retry_wait_ns),
     .default_text = "1m",
     .help = "wait before the first further attempt; twice that before the second"},
    {.key = "async.max_age",
     .type = OPT_DURATION,
     FIELD(max_age_ns),
     .default_text = "6h",
     .help = "how long an event is tried, 1m to 6h"},
    {.key = "async.on_success",
     .type = OPT_STRING,
     FIELD(on_success),
     .help = "queue that gets the record of a success"},
    {.key = "async.on_failure",
     .type = OPT_STRING,
     FIELD(on_failure),
     .help = "queue that gets the record of a failure"},
    {.key = "dlq",
     .type = OPT_STRING,
     FIELD(dlq),
     .help = "queue that gets events which could not be processed"},
    {0}};

/* https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html, deprecated ones too */
const struct fn_runtime fn_runtimes[] = {
    {"nodejs", "node", "node/bootstrap.mjs",
     "4.3 4.3-edge 6.10 8.10 10.x 12.x 14.x 16.x 18.x 20.x 22.x 24.x", PROTOCOL_FRAMES, true},
    {"python", "python3", "python/bootstrap.py", "2.7 3.6 3.7 3.8 3.9 3.10 3.11 3.12 3.13 3.14",
     PROTOCOL_FRAMES, true},
    {"provided", NULL, NULL, ".al2 .al2023", PROTOCOL_RUNTIME_API, false},
    {"c", NULL, NULL, "", PROTOCOL_FRAMES, true},
    {0}};

const struct fn_runtime *fn_runtime_find(struct str name)
{
    for (const struct fn_runtime *r = fn_runtimes; r->prefix; r++) {
        struct str prefix = str_from(r->prefix);
        /* What follows must be a version, so that "clang" is not "c". */
        if (str_starts(name, prefix) && (name.n == prefix.n || name.p[prefix.n] == '.' ||
                                         (name.p[prefix.n] >= '0' && name.p[prefix.n] <= '9')))
            return r;
    }
    return NULL;
}

bool fn_runtime_has_version(const struct fn_runtime *r, struct str name)
{
    struct str version = str_skip(name, str_from(r->prefix).n), rest = str_from(r->versions);

    while (version.n > 0 && rest.n > 0)
        if (str_eq(str_cut(&rest, ' '), version))
            return true;
    return version.n == 0;
}

struct str fn_program_name(const struct fndef *fn)
{
    return fn_runtime_find(fn->runtime)->needs_handler ? fn->handler : STR("bootstrap");
}
