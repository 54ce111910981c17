/* Inside of collector/: which requests are open in a text file that names no environments. The file
 * is taken for one then: while a single request is open, the lines are its lines
 * (docs/decisions/0010). Pure. */
#ifndef FNSCOPE_COLLECTOR_OPEN_REQUESTS_H
#define FNSCOPE_COLLECTOR_OPEN_REQUESTS_H

#include "core/base/arena.h"
#include "core/model/record.h"

enum { OPEN_REQUESTS_MAX = 64, OPEN_ID_LENGTH = 36 };

struct open_request {
    char id[OPEN_ID_LENGTH];
    int64_t start_ns;
};

/* Zeroed is empty. */
struct open_requests {
    struct open_request rows[OPEN_REQUESTS_MAX];
    size_t n;
};

/* Hears START, END and REPORT; gives an application record without an id that of the only open
 * request, kept in `a`. Records of a log stream are passed over: the stream says it better. */
void open_requests_hear(struct open_requests *o, struct log_record *r, struct arena *a);

#endif
