/* Names of services and partitions. */
#include "collector/aws/aws_endpoint.h"

static const struct {
    const char *prefix, *signing_name, *variable;
} services[AWS_SERVICES] = {
    [AWS_LOGS] = {"logs", "logs", "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"},
    [AWS_CLOUDWATCH] = {"monitoring", "monitoring", "AWS_ENDPOINT_URL_CLOUDWATCH"},
    [AWS_SQS] = {"sqs", "sqs", "AWS_ENDPOINT_URL_SQS"},
    [AWS_LAMBDA] = {"lambda", "lambda", "AWS_ENDPOINT_URL_LAMBDA"},
    [AWS_XRAY] = {"xray", "xray", "AWS_ENDPOINT_URL_XRAY"},
    [AWS_STS] = {"sts", "sts", "AWS_ENDPOINT_URL_STS"},
};

static const struct {
    struct str region_prefix;
    const char *suffix;
} partitions[] = {
    {STR_INIT("cn-"), "amazonaws.com.cn"},    {STR_INIT("eusc-"), "amazonaws.eu"},
    {STR_INIT("us-isob-"), "sc2s.sgov.gov"},  {STR_INIT("us-iso-"), "c2s.ic.gov"},
    {STR_INIT("us-isof-"), "csp.hci.ic.gov"}, {STR_INIT("eu-isoe-"), "cloud.adc-e.uk"},
};

const char *aws_signing_name(enum aws_service service)
{
    return services[service].signing_name;
}

static const char *suffix_of(struct str region)
{
    for (size_t i = 0; i < ARRAY_LEN(partitions); i++)
        if (str_starts(region, partitions[i].region_prefix))
            return partitions[i].suffix;
    return "amazonaws.com";
}

static struct str variable(struct source_env *env, const char *name)
{
    return str_from(env->variable(env->variable_ctx, name));
}

static bool is_loopback(struct str host)
{
    return str_starts(host, STR("127.")) || str_starts(host, STR("localhost")) ||
           str_starts(host, STR("[::1]"));
}

static struct aws_endpoint split(struct str url, struct arena *mem)
{
    struct aws_endpoint at = {.is_own = true};

    while (str_ends(url, STR("/")))
        url = str_sub(url, 0, url.n - 1);
    at.url = arena_str(mem, url);
    size_t scheme = str_find(at.url, STR("://"));
    struct str rest = str_skip(at.url, scheme + 3);
    size_t slash = str_find_char(rest, '/');
    at.host = str_sub(rest, 0, slash);
    at.path = slash < rest.n ? str_skip(rest, slash) : STR("/");
    at.is_local = is_loopback(at.host);
    return at;
}

struct aws_endpoint aws_endpoint_of(enum aws_service service, struct str configured,
                                    struct str region, struct source_env *env, struct arena *mem)
{
    const bool is_set =
        !str_eq_nocase(variable(env, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), STR("true"));

    if (configured.n == 0 && is_set)
        configured = variable(env, services[service].variable);
    if (configured.n == 0 && is_set)
        configured = variable(env, "AWS_ENDPOINT_URL");
    if (configured.n > 0)
        return split(configured, mem);
    struct str at = region.n > 0 ? region : STR("us-east-1");
    struct aws_endpoint own =
        split(arena_printf(mem, "https://%s." STR_FMT ".%s", services[service].prefix, STR_ARG(at),
                           suffix_of(at)),
              mem);
    own.is_own = false;
    return own;
}
