/* Inside of collector/: which requests are open in a text file, where the order of its lines says
 * more than the times in them: these are missing, or in whole seconds. A file that names no
 * environments is taken for one: while a single request is open, the lines are its lines
 * (docs/decisions/0010). Where environments are named it is so in each of them. Lines whose times
 * decide are left as they are, and where rows come in another order than the times all are. Pure.
 */
#ifndef FNSCOPE_COLLECTOR_OPEN_REQUESTS_H
#define FNSCOPE_COLLECTOR_OPEN_REQUESTS_H

#include "core/base/arena.h"
#include "core/model/record.h"

enum { OPEN_REQUESTS_MAX = 64, OPEN_ID_LENGTH = 36, MET_REQUESTS_MAX = 64, MET_MARKS = 1024 };

struct open_request {
    char id[OPEN_ID_LENGTH];
    uint64_t stream; /* hash of its name; 0: none */
    int64_t start_ns;
    bool is_time_borrowed;
};

/* A request of which a line was met: by its START, or else by its END or REPORT. */
struct met_request {
    uint64_t id; /* hash */
    int64_t end_ns;
    bool has_begun;
};

/* Zeroed is empty. */
struct open_requests {
    struct open_request rows[OPEN_REQUESTS_MAX];
    size_t n;
    struct met_request met[MET_REQUESTS_MAX]; /* the last ones, of lines with times */
    uint64_t n_met;
    uint8_t
        n_marked[MET_MARKS]; /* of those: by the end of the hash. A new one has no mark, mostly */
    bool is_unordered;       /* a request ended before it began */
};

/* Hears START, END and REPORT; gives an application record without an id that of the only open
 * request, kept in `a`. Of records of a log stream only those without a time are given one, and
 * those of the instant in which it began: else the stream says it better. */
void open_requests_hear(struct open_requests *o, struct log_record *r, struct arena *a);

#endif
