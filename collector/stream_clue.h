/* Inside of collector/: which stream a file is of that does not say it. An answer of GetLogEvents
 * names neither stream nor function; but its first requests may be known with theirs, from the head
 * of another file or from the store. Without that the same log would count twice, as an environment
 * named after the file. */
#ifndef FNSCOPE_COLLECTOR_STREAM_CLUE_H
#define FNSCOPE_COLLECTOR_STREAM_CLUE_H

#include "collector/collector.h"

enum { MAX_CLUES = 3 };

/* The first requests of a file, by their START. */
struct stream_clues {
    struct request_begin clues[MAX_CLUES];
    size_t n;
};

/* Requests whose stream is known. Zeroed is ready. */
struct stream_book {
    struct map by_id; /* request id -> place in rows */
    struct stream_row {
        int64_t start_ns;
        struct str stream, function;
    } * rows;
    size_t n, cap;
    struct arena arena;
};

/* The head's first requests; strings in `a`. */
void stream_clues_read(struct stream_clues *c, const struct batch *head, struct arena *a);
/* Those of the head that begin in a stream Lambda named; `function` where a record names none. */
void stream_book_note(struct stream_book *b, const struct batch *head, struct str function);
void stream_book_clear(struct stream_book *b);
/* Stream and function of the first request that the book or the store (o->lookups) knows, into
 * d; a function that the person named stays. False: none is known, d is untouched. */
bool stream_clues_follow(const struct stream_clues *c, const struct stream_book *b,
                         const struct import_options *o, struct arena *a,
                         struct import_defaults *d);

#endif
