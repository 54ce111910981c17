/* The operations of Lambda that are served, by method and path (API model 2015-03-31). */
#include "executor/lambda_api.h"

#include "executor/function_name.h"

#define FUNCTION "/2015-03-31/functions/{FunctionName}"

static const struct api_op operations[] = {
    {.name = "Invoke",
     .handler = lambda_invoke,
     .method = "POST",
     .uri = FUNCTION "/invocations",
     .has_raw_body = true,
     .runs_early = true},
    {.name = "InvokeWithResponseStream",
     .handler = lambda_invoke_stream,
     .method = "POST",
     .uri = "/2021-11-15/functions/{FunctionName}/response-streaming-invocations",
     .has_raw_body = true,
     .runs_early = true},
    {.name = "ListFunctions",
     .handler = lambda_list_functions,
     .method = "GET",
     .uri = "/2015-03-31/functions"},
    {.name = "GetFunction", .handler = lambda_get_function, .method = "GET", .uri = FUNCTION},
    {.name = "GetFunctionConfiguration",
     .handler = lambda_get_configuration,
     .method = "GET",
     .uri = FUNCTION "/configuration"},
    {.name = "GetFunctionConcurrency",
     .handler = lambda_get_concurrency,
     .method = "GET",
     .uri = "/2019-09-30/functions/{FunctionName}/concurrency"},
    {.name = "GetAccountSettings",
     .handler = lambda_get_account,
     .method = "GET",
     .uri = "/2016-08-19/account-settings"},
    {.name = "ListEventSourceMappings",
     .handler = lambda_list_mappings,
     .method = "GET",
     .uri = "/2015-03-31/event-source-mappings"},
    {.name = "GetEventSourceMapping",
     .handler = lambda_get_mapping,
     .method = "GET",
     .uri = "/2015-03-31/event-source-mappings/{UUID}"},
    {.name = "GetFunctionEventInvokeConfig",
     .handler = lambda_get_event_config,
     .method = "GET",
     .uri = "/2019-09-25/functions/{FunctionName}/event-invoke-config"},
    {.name = "ListFunctionEventInvokeConfigs",
     .handler = lambda_list_event_configs,
     .method = "GET",
     .uri = "/2019-09-25/functions/{FunctionName}/event-invoke-config/list"},
    {.name = "ListProvisionedConcurrencyConfigs",
     .handler = lambda_list_provisioned,
     .method = "GET",
     .uri = "/2019-09-30/functions/{FunctionName}/provisioned-concurrency"},
    {.name = "ListAliases",
     .handler = lambda_list_aliases,
     .method = "GET",
     .uri = FUNCTION "/aliases"},
    {.name = "ListVersionsByFunction",
     .handler = lambda_list_versions,
     .method = "GET",
     .uri = FUNCTION "/versions"},
    {.name = "ListTags",
     .handler = lambda_list_tags,
     .method = "GET",
     .uri = "/2017-03-31/tags/{ARN}"},
    {.name = "GetFunctionUrlConfig",
     .handler = lambda_get_url_config,
     .method = "GET",
     .uri = "/2021-10-31/functions/{FunctionName}/url"},
    {.name = "ListFunctionUrlConfigs",
     .handler = lambda_list_url_configs,
     .method = "GET",
     .uri = "/2021-10-31/functions/{FunctionName}/urls"},
    {.name = "GetPolicy", .handler = lambda_get_policy, .method = "GET", .uri = FUNCTION "/policy"},
    {0}};

const struct api_service lambda_service = {.name = "lambda", .operations = operations};

static void answer_invalid(struct api_call *c, struct str value, const char *member,
                           const char *pattern)
{
    api_error(c, 400, "ValidationException", NULL,
              "1 validation error detected: Value '" STR_FMT "' at '%s' failed to satisfy "
              "constraint: Member must satisfy regular expression pattern: %s",
              STR_ARG(str_sub(value, 0, 200)), member, pattern);
}

static void answer_none(struct api_call *c, struct str name, struct str qualifier)
{
    const struct manifest *m = c->x->manifest;
    bool is_invoked = str_starts(str_from(c->op->name), STR("Invoke"));
    struct str version = qualifier.n == 0 && is_invoked ? STR("$LATEST") : qualifier;

    api_error(c, 404, "ResourceNotFoundException", NULL,
              "Function not found: arn:aws:lambda:" STR_FMT ":" STR_FMT ":function:" STR_FMT
              "%s" STR_FMT,
              STR_ARG(m->region), STR_ARG(m->account), STR_ARG(str_sub(name, 0, 170)),
              version.n > 0 ? ":" : "", STR_ARG(version));
}

/* A function of another region cannot be reached here, one of another account must not be. */
static void answer_not_found(struct api_call *c, struct str text)
{
    const struct manifest *m = c->x->manifest;
    struct function_name asked;

    if (!function_name_parse(text, &asked))
        answer_invalid(c, text, "functionName", FUNCTION_NAME_PATTERN);
    else if (asked.region.n > 0 && !str_eq(asked.region, m->region))
        api_error(c, 404, "ResourceNotFoundException", NULL,
                  "Functions from '" STR_FMT "' are not reachable in this region ('" STR_FMT "')",
                  STR_ARG(asked.region), STR_ARG(m->region));
    else if (asked.account.n > 0 && !str_eq(asked.account, m->account))
        api_error(c, 403, "AccessDeniedException", NULL,
                  "Not authorized to access this function: " STR_FMT "; this account is " STR_FMT,
                  STR_ARG(text), STR_ARG(m->account));
    else
        answer_none(c, asked.name, asked.qualifier);
}

static bool check_qualifier(struct api_call *c, struct str text)
{
    if (text.n > FUNCTION_QUALIFIER_MAX_CHARS)
        api_error(c, 400, "ValidationException", NULL,
                  "1 validation error detected: Value '" STR_FMT "' at 'qualifier' failed to "
                  "satisfy constraint: Member must have length less than or equal to %d",
                  STR_ARG(str_sub(text, 0, 200)), FUNCTION_QUALIFIER_MAX_CHARS);
    else if (!function_qualifier_is_valid(text))
        answer_invalid(c, text, "qualifier", FUNCTION_QUALIFIER_PATTERN);
    else
        return true;
    return false;
}

const struct fndef *lambda_function(struct api_call *c, struct str *qualifier)
{
    struct str name = api_param(c, "FunctionName"), in_name = {0};
    const struct fndef *fn = manifest_find(c->x->manifest, name, &in_name);
    struct str asked = api_query(c, "Qualifier");

    if (asked.n > 0 && !check_qualifier(c, asked))
        return NULL;
    if (!fn) {
        answer_not_found(c, name);
        return NULL;
    }
    if (asked.n > 0 && in_name.n > 0 && !str_eq(asked, in_name)) {
        api_error(c, 400, "InvalidParameterValueException", NULL,
                  "The derived qualifier from the function name does not match the specified "
                  "qualifier.");
        return NULL;
    }
    *qualifier = asked.n > 0 ? asked : in_name;
    if (qualifier->n > 0 && !str_eq(*qualifier, STR("$LATEST"))) {
        answer_none(c, fn->name, *qualifier);
        return NULL;
    }
    return fn;
}
