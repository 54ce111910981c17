/* Inside of collector/aws/: which service is where. An endpoint of the configuration comes first
 * (not for STS: it is where a source is read, and a VPC endpoint of logs serves no roles), then
 * AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, unless AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true,
 * then the region's own. */
#ifndef FNSCOPE_COLLECTOR_AWS_AWS_ENDPOINT_H
#define FNSCOPE_COLLECTOR_AWS_AWS_ENDPOINT_H

#include "collector/source.h"

enum aws_service { AWS_LOGS, AWS_CLOUDWATCH, AWS_SQS, AWS_LAMBDA, AWS_XRAY, AWS_STS, AWS_SERVICES };

struct aws_endpoint {
    struct str url;  /* without a slash at the end */
    struct str host; /* as the Host header has it */
    struct str path; /* "/" or the prefix of the URL */
    bool is_local;   /* loopback: no proxy, no quotas of AWS */
    bool is_own;     /* somebody named it: not AWS's standard one */
};
struct aws_endpoint aws_endpoint_of(enum aws_service service, struct str configured,
                                    struct str region, struct source_env *env, struct arena *mem);
const char *aws_signing_name(enum aws_service service);

#endif
