/* Events of a watched folder in the form of S3's, and which names count. Pure. */
#ifndef FNSCOPE_EXECUTOR_STORAGE_EVENT_H
#define FNSCOPE_EXECUTOR_STORAGE_EVENT_H

#include "core/base/buf.h"
#include "core/base/clock.h"

struct storage_event {
    struct str region, account, trigger; /* trigger: its name */
    struct str bucket, key;              /* key: path below the folder */
    bool is_removal;
    uint64_t size;
    int64_t time_ns, mtime_ns;
    uint64_t inode;
};

/* {"Records":[{...}]} */
void storage_event_write(const struct storage_event *ev, struct buf *out);
/* As S3 allows: 3 to 63 small letters, digits, - and single dots, a letter or digit at both ends;
 * no IPv4 address, none of the beginnings and ends that S3 keeps for itself.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
bool storage_bucket_is_valid(struct str name);
/* Hidden and temporary names are work in progress: .x, x~, x.tmp, x.part, x.swp. */
bool storage_is_temporary(struct str key);
/* True when a file of that name may be the work of a function that was given `source`: it is the
 * same, or its name holds the name of the source without its ending. */
bool storage_is_derived(struct str key, struct str source);

#endif
