/* Pages of a list: the tokens (page_token.h) that lead from one to the next, sealed with the key of
 * the log store and good for the operation and the query they were given for. */
#ifndef FNSCOPE_EXECUTOR_API_PAGE_H
#define FNSCOPE_EXECUTOR_API_PAGE_H

#include "executor/api_route.h"
#include "executor/page_token.h"

/* `query`: a hash of what the caller asked for but the token itself; a and b: a position. In the
 * call's arena. */
struct str api_page_token(struct api_call *c, uint64_t query, int64_t a, int64_t b);
/* False for a token that was not given for this: *out stays. An empty one is the first page. */
bool api_page_read(struct api_call *c, struct str token, uint64_t query, struct page_token *out);

#endif
