/* How log groups are named beside their plain name: with the account in front, as Logs Insights
 * (@log) and live tail (logGroupIdentifier) do, or as an ARN, as --log-group-identifier takes them.
 * Pure; views into what was said. */
#ifndef FNSCOPE_CORE_MODEL_LOG_GROUP_H
#define FNSCOPE_CORE_MODEL_LOG_GROUP_H

#include "core/base/str.h"

/* Empty members: not said. */
struct log_group_name {
    struct str account, region, name;
};

/* "/aws/lambda/checkout", "123456789012:/aws/lambda/checkout" or
 * "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/checkout:*". Log groups have no colon
 * in their name. */
struct log_group_name log_group_parse(struct str said);

#endif
