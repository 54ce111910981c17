/* Who calls. */
#include "executor/sts_api.h"

#include "executor/fndef.h"

static void get_caller_identity(struct api_call *c)
{
    struct str account = c->x->manifest->account;

    api_xml_element(&c->out, "UserId", account);
    api_xml_element(&c->out, "Account", account);
    api_xml_element(&c->out, "Arn",
                    arena_printf(c->arena, "arn:aws:iam::" STR_FMT ":root", STR_ARG(account)));
}

static const struct api_op operations[] = {
    {.name = "GetCallerIdentity", .handler = get_caller_identity, .runs_early = true}, {0}};

const struct api_service sts_service = {.name = "sts",
                                        .query_version = "2011-06-15",
                                        .xml_namespace =
                                            "https://sts.amazonaws.com/doc/2011-06-15/",
                                        .operations = operations};
