/* Inside of collector/: the UTC days a file's events went to. They are part of its cursor: when a
 * day was removed from the store, the file is read again. */
#ifndef FNSCOPE_COLLECTOR_FILE_DAYS_H
#define FNSCOPE_COLLECTOR_FILE_DAYS_H

#include "core/base/buf.h"
#include "core/base/str.h"

enum { FILE_DAYS_MAX_RUNS = 256 };

struct day_run {
    int64_t first, last;
};

/* Runs of days, ascending and apart; zeroed is empty. */
struct file_days {
    struct day_run runs[FILE_DAYS_MAX_RUNS];
    size_t n;
    bool is_too_many; /* days are missing here: such a file has no cursor */
};

void file_days_add(struct file_days *d, int64_t t_ns);
/* "20473-20475,20480"; "-" when there is none. */
void file_days_write(const struct file_days *d, struct buf *out);
bool file_days_read(struct file_days *d, struct str text);
/* Are all of them stored? */
bool file_days_are_there(const struct file_days *d, bool (*has_day)(void *ctx, int64_t day),
                         void *ctx);

#endif
