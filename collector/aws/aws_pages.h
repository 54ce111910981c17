/* A list that comes in pages, each with the token of the next. A provider that is out of order
 * hands out tokens for ever: the same ones again, or always new ones. */
#ifndef FNSCOPE_COLLECTOR_AWS_AWS_PAGES_H
#define FNSCOPE_COLLECTOR_AWS_AWS_PAGES_H

#include <stdbool.h>

#include "core/base/err.h"
#include "core/base/str.h"

struct aws_pages {
    char *token; /* of the next page; NULL: the first */
    char *mark;  /* a token of before */
    unsigned n;
    bool is_broken; /* they had no end, and none has been found since */
};
enum {
    AWS_PAGES_MAX = 5000, /* 250,000 functions or log groups, at 50 a page */
    AWS_PAGES_ENDLESS = INT32_MAX,
};

/* The token in a page's answer; empty: it was the last, and the first is next. ERR_AGAIN: the pages
 * lead in a circle, or are more than `most`; the first is next. `what` is the call's name. */
MUST_CHECK enum status aws_pages_next(struct aws_pages *p, struct str token, unsigned most,
                                      const char *what, struct err *e);
void aws_pages_reset(struct aws_pages *p); /* the first is next; what is_broken says stays */
void aws_pages_clear(struct aws_pages *p);

#endif
