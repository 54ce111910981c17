/* Page tokens: opaque, of one query only, good for 24 hours, not to be made by anyone else. */
#ifndef FNSCOPE_EXECUTOR_PAGE_TOKEN_H
#define FNSCOPE_EXECUTOR_PAGE_TOKEN_H

#include "core/base/arena.h"
#include "core/base/err.h"

#define PAGE_TOKEN_LIFE_S INT64_C(86400)

struct page_token {
    int64_t a, b;   /* a position: time and sequence, or an offset */
    uint64_t query; /* what it belongs to: hash of the parameters */
    int64_t made_s; /* wall clock */
};

struct str page_token_write(struct arena *a, struct str key, const struct page_token *t);
/* ERR_PARSE for a foreign, changed or old token, or one of another query. */
MUST_CHECK enum status page_token_read(struct str key, struct str text, uint64_t query,
                                       int64_t now_s, struct page_token *out, struct err *e);

#endif
