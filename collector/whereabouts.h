/* Inside of collector/: in which region and account functions are. Exported lines do not say it;
 * the ARNs in some platform records do, for the function that wrote them. A function is placed by
 * what speaks of itself, else by what the others in its files say alike; where they differ nothing
 * is claimed. Region and account are part of a function's identity: one for some of its files only
 * would count it as two, so all files are heard before the first line is taken. */
#ifndef FNSCOPE_COLLECTOR_WHEREABOUTS_H
#define FNSCOPE_COLLECTOR_WHEREABOUTS_H

#include "collector/stream_clue.h"
#include "core/model/fn_book.h"

/* One value that all who speak must agree on. */
struct agreed {
    struct str value;
    bool is_disputed;
};

struct whereabouts {
    struct map by_name; /* function -> place in rows */
    struct whereabouts_row {
        struct agreed region, account;               /* own */
        struct agreed nearby_region, nearby_account; /* of others in its files */
        bool is_told;                                /* its own lines tell the region */
    } * rows;
    size_t n, cap;
    struct arena arena;         /* of names and values */
    struct stream_book streams; /* of the requests in the heads */
    struct fn_book book;        /* functions known before, and where they are configured to be */
};

void whereabouts_clear(struct whereabouts *w);
/* A function known before: it speaks of itself only. Empty values say nothing. */
void whereabouts_know(struct whereabouts *w, const struct fn_ref *known);
/* The lambda ARNs in the platform records of one file's head. `d` are the file's defaults: records
 * that name no function are of its function; what all say alike becomes its nearby_ members. */
void whereabouts_note_file(struct whereabouts *w, const struct batch *head,
                           struct import_defaults *d);
/* Fills the empty ones of region and account; the views live as long as w. False: no head holds
 * the function, nothing is known. */
bool whereabouts_fill(const struct whereabouts *w, struct fn_ref *fn);

#endif
