/* What no option of a source alone can tell, when the configuration is read: what is wrong here
 * would fail only once it runs, or never say why it reads nothing. */
#include "collector/aws/aws_source.h"

/* An address is logged with what fails there. */
static enum status check_endpoint(const struct aws_options *o, struct err *e)
{
    const size_t scheme = str_find(o->endpoint, STR("://"));
    const struct str rest = str_skip(o->endpoint, scheme < o->endpoint.n ? scheme + 3 : 0);
    const struct str host = str_sub(rest, 0, str_find_char(rest, '/'));

    if (o->endpoint.n > 0 && !str_starts(o->endpoint, STR("http://")) &&
        !str_starts(o->endpoint, STR("https://")))
        return err_set(e, ERR_CONFIG,
                       "endpoint: " STR_FMT " is no address: write it like http://127.0.0.1:9001",
                       STR_ARG(o->endpoint));
    return str_find_char(host, '@') == host.n
               ? OK
               : err_set(e, ERR_CONFIG,
                         "endpoint: no name and password in the address: requests are signed with "
                         "the credentials found (profile:, AWS_ACCESS_KEY_ID)");
}

static enum status check_account(const struct aws_options *o, struct err *e)
{
    uint64_t number;

    if (o->account.n > 0 && (o->account.n != 12 || !str_to_u64(o->account, &number)))
        return err_set(e, ERR_CONFIG, "account: " STR_FMT " is no account number: it has 12 digits",
                       STR_ARG(o->account));
    if (o->role_arn.n > 0 && (!str_starts(o->role_arn, STR("arn:")) ||
                              str_find(o->role_arn, STR(":role/")) == o->role_arn.n))
        return err_set(e, ERR_CONFIG,
                       "role_arn: " STR_FMT " is none: write it like "
                       "arn:aws:iam::123456789012:role/NAME",
                       STR_ARG(o->role_arn));
    return OK;
}

static enum status check_regions(const struct aws_options *o, struct err *e)
{
    for (size_t i = 0; i < o->regions.count; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(o->regions.items[i], o->regions.items[k]))
                return err_set(e, ERR_CONFIG, "region: " STR_FMT " stands there twice",
                               STR_ARG(o->regions.items[i]));
    return OK;
}

static enum status check_budget(const struct aws_options *o, struct err *e)
{
    money cap = 0;
    enum status s = o->budget.n > 0 ? money_parse(o->budget, &cap, e) : OK;

    if (s != OK)
        return err_set(e, ERR_CONFIG,
                       "budget: " STR_FMT " is no amount: write dollars like 0.50, 0 for no limit",
                       STR_ARG(o->budget));
    return cap >= 0 ? OK : err_set(e, ERR_CONFIG, "budget: it cannot be below 0");
}

/* Of these 0 does not mean never: nothing would be left to read. */
static enum status check_pauses(const struct aws_options *o, struct err *e)
{
    const struct {
        const char *key;
        int64_t ns;
    } pauses[] = {{"poll", o->poll_ns},
                  {"idle_poll", o->idle_poll_ns},
                  {"discover", o->discover_ns},
                  {"config_every", o->config_ns}};

    for (size_t i = 0; i < ARRAY_LEN(pauses); i++)
        if (pauses[i].ns <= 0)
            return err_set(e, ERR_CONFIG, "%s: it must be above 0s", pauses[i].key);
    return OK;
}

enum status aws_check(const void *options, struct err *e)
{
    static enum status (*const checks[])(const struct aws_options *, struct err *) = {
        check_endpoint, check_account, check_regions, check_budget, check_pauses, aws_check_parts};
    enum status s = OK;

    for (size_t i = 0; s == OK && i < ARRAY_LEN(checks); i++)
        s = checks[i](options, e);
    return s;
}
