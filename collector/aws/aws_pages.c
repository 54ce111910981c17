/* Pages followed to their end. */
#include "collector/aws/aws_pages.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

static void keep(char **at, struct str s)
{
    char *copy = xmalloc(s.n + 1);

    memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    free(*at); /* last: s may point into it */
    *at = copy;
}

void aws_pages_clear(struct aws_pages *p)
{
    free(p->token);
    free(p->mark);
    *p = (struct aws_pages){0};
}

void aws_pages_reset(struct aws_pages *p)
{
    bool is_broken = p->is_broken;

    aws_pages_clear(p);
    p->is_broken = is_broken;
}

/* The mark moves on after 1, 2, 4, 8... pages, so a circle of any length meets it. */
enum status aws_pages_next(struct aws_pages *p, struct str token, unsigned most, const char *what,
                           struct err *e)
{
    if (token.n == 0) {
        aws_pages_clear(p);
        return OK;
    }
    bool is_circle = p->mark != NULL && str_eq(token, str_from(p->mark));
    if (is_circle || ++p->n >= most) {
        unsigned n = p->n;
        aws_pages_reset(p);
        p->is_broken = true;
        return is_circle ? err_set(e, ERR_AGAIN, "%s: its pages lead in a circle", what)
                         : err_set(e, ERR_AGAIN, "%s: no end after %u pages", what, n);
    }
    if ((p->n & (p->n - 1)) == 0)
        keep(&p->mark, token);
    keep(&p->token, token);
    return OK;
}
