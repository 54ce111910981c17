/* The storage trigger: a watched folder plays a bucket. A file that was closed after writing, moved
 * in or removed becomes an asynchronous event, durable together with the note that the file was
 * seen; what happened while the executor was down is found by comparing with those notes. */
#ifndef FNSCOPE_EXECUTOR_T_STORAGE_H
#define FNSCOPE_EXECUTOR_T_STORAGE_H

#include "executor/trigger.h"

enum storage_events { STORAGE_CREATED, STORAGE_REMOVED, STORAGE_BOTH };

struct t_storage_settings {
    struct str folder, bucket, prefix, suffix;
    int events; /* enum storage_events */
    bool is_enabled;
};

/* Events that came of events this many times over are dropped, as Lambda does. */
#define STORAGE_MAX_DEPTH 16

/* The folder a trigger watches; empty: none, or it is of another type. */
struct str t_storage_folder(const struct manifest *m, const struct trigger_def *def,
                            struct arena *a);

extern const struct trigger_ops t_storage;

#endif
