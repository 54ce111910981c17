/* Whose account it is, for a source of metrics or traces alone: no answer of theirs names it. STS
 * tells everybody who signs, without any permission (GetCallerIdentity). An endpoint that is not
 * AWS's may not know it, and a network without a way to STS never answers: then what is read stands
 * under no account, as it says. */
#include "collector/aws/aws_source.h"
#include "collector/aws/aws_xml.h"
#include "core/base/log.h"

#define BODY          "Action=GetCallerIdentity&Version=2011-06-15"
#define MOST_FAILURES 3

bool aws_asks_identity(const struct aws_ctx *x)
{
    return x->account.n == 0 && (x->parts & (PART_LOGS | PART_CONFIG | PART_QUEUES)) == 0;
}

static enum status take(struct aws_ctx *x, struct str body, struct arena *a, struct err *e)
{
    struct str arn;

    if (aws_xml_text(body, "Arn", a, &arn))
        aws_learn_account(x, arn);
    return x->account.n > 0 ? OK : aws_damaged(&x->client, "the answer of STS names no account", e);
}

/* Asked once: an account's number does not change. */
static void rest(struct aws_task *t)
{
    t->is_round_done = true;
    t->next_ns = INT64_MAX;
}

static enum status go_without(struct aws_ctx *x, struct aws_task *t, const struct err *e)
{
    log_event(LOG_WARN,
              "source=" STR_FMT
              " STS does not tell the account (%s): what is read stands under none; account: in "
              "the configuration names it",
              STR_ARG(x->source->name), e->msg);
    rest(t);
    return OK;
}

enum status aws_identity_step(struct aws_ctx *x, struct aws_task *t, struct batch *out,
                              struct err *e)
{
    const struct aws_request q = {.op = t->op, .body = STR(BODY), .is_form = true};
    struct err local = {0};
    struct str body;
    enum status s = aws_call(&x->client, &q, &out->arena, &body, &local);

    if (s == OK)
        s = take(x, body, &out->arena, &local);
    if (s == OK)
        rest(t);
    else if (s == ERR_CONFIG || s == ERR_NOT_FOUND ||
             (s == ERR_AGAIN && t->failures + 1 >= MOST_FAILURES))
        s = go_without(x, t, &local);
    return s == OK || s == ERR_CANCELLED ? s : err_set(e, s, "%s", local.msg);
}
