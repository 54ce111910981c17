/* Private to core/store: log lines in the order of time, taken batch by batch by whoever asks for
 * more. Chunks overlap in time and are read in the order of their first line (newest first: of
 * their last); what lies before the next one is complete and can be given. Held are only the lines
 * of chunks that overlap, however many lines the range has. */
#ifndef FNSCOPE_CORE_STORE_LOG_SCAN_H
#define FNSCOPE_CORE_STORE_LOG_SCAN_H

#include "core/store/store_private.h"

struct log_row {
    struct log_line line;
    size_t order; /* of arrival, among lines of one time */
};
/* Valid until the next call. */
struct log_rows {
    const struct log_row
        *rows; /* ascending in time; of a request newest first, the last is newest */
    size_t n;  /* 0: there are no more */
};

struct log_scan;
/* *q lives as long as the scan. Its invocation_id by place (see request.h) and its limit are left
 * to the caller, who gets lines from LOG_LONG_RUN_NS before the range where they are needed for
 * that. */
MUST_CHECK enum status log_scan_open(struct store *s, const struct log_request *q,
                                     struct log_scan **out, struct err *e);
MUST_CHECK enum status log_scan_next(struct log_scan *scan, struct log_rows *out, struct err *e);
void log_scan_close(struct log_scan *scan); /* NULL: nothing */

/* Are the lines told by their place between the platform's, and are they without a stream? */
bool log_request_is_by_place(const struct log_request *q);
bool log_request_is_streamless(const struct log_request *q);

#endif
