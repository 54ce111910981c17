/* Private to the Lambda API: its operations and what they share. */
#ifndef FNSCOPE_EXECUTOR_LAMBDA_API_H
#define FNSCOPE_EXECUTOR_LAMBDA_API_H

#include "executor/api_route.h"
#include "executor/fndef.h"

extern const struct api_service lambda_service;

/* The function the path names; NULL after answering 404. */
const struct fndef *lambda_function(struct api_call *c, struct str *qualifier);

api_handler lambda_invoke, lambda_invoke_stream;
api_handler lambda_list_functions, lambda_get_function, lambda_get_configuration,
    lambda_get_concurrency, lambda_get_account, lambda_list_mappings, lambda_get_mapping,
    lambda_get_event_config, lambda_list_event_configs, lambda_list_tags, lambda_list_aliases,
    lambda_list_versions, lambda_list_provisioned, lambda_get_url_config, lambda_list_url_configs,
    lambda_get_policy;

#endif
