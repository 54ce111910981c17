/* The log groups: every line of every function, durable in one SQLite file. Lines gather in memory
 * and are committed together by a thread of the file's own (a second struct journal), at the latest
 * after 20 ms, before every read and at the end. Until then they are in a spool (log_spool.h) too:
 * a killed fnexec loses none, the next one stores them; so do lines of a run whose file could not
 * be opened. A disk that is full is tried each second; up to 64 MB of lines wait. Only the power
 * can take the lines of the last moments. Called on the loop's thread. Old lines and traces are
 * removed soon after the start and every hour. */
#ifndef FNSCOPE_EXECUTOR_LOG_STORE_H
#define FNSCOPE_EXECUTOR_LOG_STORE_H

#include "core/base/arena.h"
#include "core/base/loop.h"

struct log_store;

/* path SQL_IN_MEMORY keeps everything in memory. loop NULL: committed at log_store_flush only. */
MUST_CHECK enum status log_store_open(const char *path, struct loop *l, int64_t retention_ns,
                                      struct log_store **out, struct err *e);
/* The same in steps, as journal_start(), journal_go() and journal_ready(): streams and lines may be
 * added meanwhile. When it never becomes ready, the next run stores them. */
MUST_CHECK enum status log_store_start(const char *path, struct loop *l, int64_t retention_ns,
                                       struct log_store **out, struct err *e);
void log_store_go(struct log_store *s);
MUST_CHECK enum status log_store_ready(struct log_store *s, struct err *e);
bool log_store_is_open(const struct log_store *s);
void log_store_close(struct log_store *s); /* NULL is fine */

/* A stream that lines are added to. The names are the caller's, as long as it adds lines. */
struct log_target {
    int64_t id, created_ms; /* id: above 0, of this run only */
    struct str group, name;
};
/* Opens a stream of a group, both made when they are not there (with the next commit: nothing waits
 * for the file). */
struct log_target log_store_stream(struct log_store *s, struct str group, struct str stream,
                                   int64_t now_ns);
/* Adds a line (copied). */
void log_store_add(struct log_store *s, const struct log_target *to, int64_t wall_ns,
                   struct str message);
MUST_CHECK enum status log_store_flush(struct log_store *s, struct err *e);
/* Removes lines older than the retention, in the background. */
void log_store_prune(struct log_store *s, int64_t now_ns);

/* --- reading; everything goes to the arena --- */

struct log_group {
    int64_t id;
    struct str name;
    int64_t created_ms, stored_bytes;
};
struct log_stream {
    int64_t id;
    struct str name;
    int64_t created_ms, first_ms, last_ms, last_ingestion_ms; /* first_ms < 0: empty */
};
struct log_event {
    int64_t seq, stream, time_ms, ingestion_ms;
    struct str stream_name, message;
};

MUST_CHECK enum status log_store_groups(struct log_store *s, struct arena *a,
                                        struct log_group **out, size_t *n, struct err *e);
/* ERR_NOT_FOUND. */
MUST_CHECK enum status log_store_find_group(struct log_store *s, struct str name, int64_t *id,
                                            struct err *e);
MUST_CHECK enum status log_store_streams(struct log_store *s, struct arena *a, int64_t group,
                                         struct log_stream **out, size_t *n, struct err *e);

/* Events of a group in order of (time, arrival): from_ms <= time <= to_ms, strictly after the
 * position (after_ms, after_seq). The function says whether to go on; its views live during the
 * call. backward: from the newest, strictly before the position. stream 0: all. */
struct log_query {
    int64_t group, stream;
    int64_t from_ms, to_ms;
    int64_t after_ms, after_seq;
    bool has_position, is_backward;
};
typedef bool log_event_fn(void *ctx, const struct log_event *event);
MUST_CHECK enum status log_store_read(struct log_store *s, const struct log_query *q,
                                      log_event_fn *fn, void *ctx, struct err *e);

/* Key of this store's page tokens: random, made with the file. */
struct str log_store_key(const struct log_store *s);

#endif
