/* Names of log groups; see the header. */
#include "core/model/log_group.h"

#include "core/base/macros.h"

/* arn:PARTITION:logs:REGION:ACCOUNT:log-group:NAME */
enum arn_field {
    ARN_PARTITION,
    ARN_SERVICE,
    ARN_REGION,
    ARN_ACCOUNT,
    ARN_KIND,
    ARN_NAME,
    ARN_FIELDS
};

static struct log_group_name parse_arn(struct str arn)
{
    struct str rest = str_skip(arn, 4), fields[ARN_FIELDS] = {{0}};

    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        fields[i] = str_cut(&rest, ':');
    if (!str_eq(fields[ARN_SERVICE], STR("logs")) || !str_eq(fields[ARN_KIND], STR("log-group")))
        return (struct log_group_name){.name = arn};
    return (struct log_group_name){fields[ARN_ACCOUNT], fields[ARN_REGION], fields[ARN_NAME]};
}

struct log_group_name log_group_parse(struct str said)
{
    const size_t colon = str_find_char(said, ':');

    if (colon == said.n)
        return (struct log_group_name){.name = said};
    if (str_starts(said, STR("arn:")))
        return parse_arn(said);
    return (struct log_group_name){.account = str_sub(said, 0, colon),
                                   .name = str_skip(said, colon + 1)};
}
