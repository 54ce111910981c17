/* Names of services and partitions. */
#include "collector/aws/aws_endpoint.h"

static const struct {
    const char *prefix, *signing_name, *variable, *id;
} services[AWS_SERVICES] = {
    [AWS_LOGS] = {"logs", "logs", "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "cloudwatch_logs"},
    [AWS_CLOUDWATCH] = {"monitoring", "monitoring", "AWS_ENDPOINT_URL_CLOUDWATCH", "cloudwatch"},
    [AWS_SQS] = {"sqs", "sqs", "AWS_ENDPOINT_URL_SQS", "sqs"},
    [AWS_LAMBDA] = {"lambda", "lambda", "AWS_ENDPOINT_URL_LAMBDA", "lambda"},
    [AWS_XRAY] = {"xray", "xray", "AWS_ENDPOINT_URL_XRAY", "xray"},
    [AWS_STS] = {"sts", "sts", "AWS_ENDPOINT_URL_STS", "sts"},
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

bool aws_service_parse(struct str id, enum aws_service *out)
{
    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        if (str_eq(id, str_from(services[i].id))) {
            *out = (enum aws_service)i;
            return true;
        }
    return false;
}

/* What the environment, then the profile says; empty: nothing. */
static struct str endpoint_around(enum aws_service service, const struct aws_profile_endpoints *p,
                                  struct source_env *env)
{
    const struct str ignored = variable(env, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    const struct str said[] = {
        variable(env, services[service].variable),
        variable(env, "AWS_ENDPOINT_URL"),
        p != NULL ? p->of[service] : (struct str){0},
        p != NULL ? p->all : (struct str){0},
    };

    if (str_eq_nocase(ignored, STR("true")) || (ignored.n == 0 && p != NULL && p->are_ignored))
        return (struct str){0};
    for (size_t i = 0; i < ARRAY_LEN(said); i++)
        if (said[i].n > 0)
            return said[i];
    return (struct str){0};
}

struct aws_endpoint aws_endpoint_of(enum aws_service service, const struct aws_endpoint_rules *r,
                                    struct source_env *env, struct arena *mem)
{
    const struct str said =
        r->configured.n > 0 ? r->configured : endpoint_around(service, r->profile, env);
    const struct str at = r->region.n > 0 ? r->region : STR("us-east-1");

    if (said.n > 0)
        return split(said, mem);
    struct aws_endpoint own =
        split(arena_printf(mem, "https://%s." STR_FMT ".%s", services[service].prefix, STR_ARG(at),
                           suffix_of(at)),
              mem);
    own.is_own = false;
    return own;
}
