/* Inside of collector/aws/: which service is where. An endpoint of the configuration comes first
 * (not for STS: it is where a source is read, and a VPC endpoint of logs serves no roles), then
 * AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's section `services`, its endpoint_url,
 * then the region's own: the order of the AWS tools. What is neither our configuration nor AWS's is
 * left out where AWS_IGNORE_CONFIGURED_ENDPOINT_URLS, or the profile, says so. */
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

/* What a profile of ~/.aws/config says of them. */
struct aws_profile_endpoints {
    struct str of[AWS_SERVICES]; /* of its section `services` */
    struct str all;              /* its endpoint_url */
    bool are_ignored;            /* ignore_configured_endpoint_urls: the environment's, too */
};

/* configured: what our own configuration says, empty: nothing. profile NULL: none is read. */
struct aws_endpoint_rules {
    struct str configured;
    const struct aws_profile_endpoints *profile;
    struct str region;
};
struct aws_endpoint aws_endpoint_of(enum aws_service service, const struct aws_endpoint_rules *r,
                                    struct source_env *env, struct arena *mem);
/* "cloudwatch_logs" of a section `services`; false: no service that is asked. */
bool aws_service_parse(struct str id, enum aws_service *out);
const char *aws_signing_name(enum aws_service service);

#endif
