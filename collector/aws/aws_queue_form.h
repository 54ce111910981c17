/* Inside of collector/aws/: SQS in the Query protocol, for endpoints that know no JSON. The
 * question becomes a form, the XML answer the JSON that the other protocol would have given, so
 * that one reader serves both. Names: the API's model of 2012-11-05. Pure. */
#ifndef FNSCOPE_COLLECTOR_AWS_AWS_QUEUE_FORM_H
#define FNSCOPE_COLLECTOR_AWS_AWS_QUEUE_FORM_H

#include "collector/aws/aws_call.h"

struct queue_question {
    enum aws_op op;   /* OP_LIST_QUEUES, OP_GET_QUEUE_ATTRIBUTES */
    struct str body;  /* in JSON */
    struct str token; /* of a list's next page; empty: the first */
    struct str url;   /* of the queue whose attributes are asked for */
};

/* Sets the request's form and, of a queue, its path. */
void queue_form(const struct queue_question *question, struct aws_request *out, struct arena *a);
/* Replaces an answer by its JSON; false: it is none. */
MUST_CHECK bool queue_form_json(enum aws_op op, struct str *body, struct arena *a);

#endif
