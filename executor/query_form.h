/* The Query protocol seen as JSON, so that a handler has one form of input and output.
 *
 *   Attribute.1.Name=DelaySeconds&Attribute.1.Value=5     ->  {"Attributes":{"DelaySeconds":"5"}}
 *   MetricDataQueries.member.1.Id=m1                      ->  {"MetricDataQueries":[{"Id":"m1"}]}
 *   {"Messages":[{"Body":"a"}]}                           ->  <Message><Body>a</Body></Message>
 *   {"MetricDataResults":[{"Id":"m1"}]}    ->  <MetricDataResults><member><Id>m1</Id></member>...
 *
 * Lists are "member" lists and objects plain unless the service's table says that a member is
 * flattened or a map. Pure. */
#ifndef FNSCOPE_EXECUTOR_QUERY_FORM_H
#define FNSCOPE_EXECUTOR_QUERY_FORM_H

#include "executor/api_route.h"

enum query_kind {
    QUERY_LIST,     /* Name.1, Name.2; <Name> repeated */
    QUERY_MAP_NAME, /* entries of Name and Value */
    QUERY_MAP_KEY,  /* entries of Key and Value */
    QUERY_MAP_ENTRY /* output only: <entry> of key and value inside the member */
};

struct query_name {
    const char *json, *query;
    enum query_kind kind;
    const char *op; /* of this operation only; NULL: of all */
};

/* The fields of a request. */
struct query_fields {
    const struct api_param *params;
    size_t n;
    const char *op;
};

/* names end with a row of NULLs. ERR_LIMIT for a form that is too wide or deep. */
MUST_CHECK enum status query_to_json(const struct query_fields *fields,
                                     const struct query_name *names, struct arena *a,
                                     struct buf *out, struct err *e);
MUST_CHECK enum status query_from_json(struct str json, const struct query_name *names,
                                       const char *op, struct arena *a, struct buf *out,
                                       struct err *e);

/* For handlers: the input as JSON in either protocol, NULL after answering with an error; and the
 * end of an answer that was written as JSON to c->out. */
const struct json *api_input(struct api_call *c, const struct query_name *names);
void api_output(struct api_call *c, const struct query_name *names);

#endif
