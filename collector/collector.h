/* Front door of the collector: gets bytes, makes records, hands batches on. It knows neither
 * analyzer nor store layout: what happens to a batch is in `struct sink_ops`, composed in
 * cli/pipeline.c. */
#ifndef FNSCOPE_COLLECTOR_COLLECTOR_H
#define FNSCOPE_COLLECTOR_COLLECTOR_H

#include <stdatomic.h>

#include "core/model/batch.h"
#include "core/model/fn_book.h"

/* Where batches go. on_batch turns a batch into a commit (opaque to the collector; NULL: nothing to
 * commit), on the packer thread, in an import on that of its source; on_commit, settle, on_idle,
 * on_stop run on the writer thread. ERR_AGAIN of a collector's on_commit: nothing is half done, it
 * is asked again with the same commit until it succeeds or the collector is told to stop. */
struct sink_ops {
    enum status (*on_batch)(void *ctx, struct batch *b, bool is_flush, void **commit,
                            struct err *e);
    enum status (*on_commit)(void *ctx, void *commit, struct err *e);
    /* Of an import: commits what on_commit left open, if it is time, at once at the end; *is_open:
     * some is left. NULL: on_commit leaves nothing open. */
    enum status (*settle)(void *ctx, bool is_end, bool *is_open, struct err *e);
    enum status (*on_idle)(void *ctx, struct err *e); /* NULL: nothing to do; about once a second */
    enum status (*on_stop)(void *ctx, struct err *e); /* NULL */
    void (*drop_commit)(void *ctx, void *commit);     /* after a failure: frees it */
    /* A command that came through the control socket, on the writer thread: "alert ack ...". What
     * it answers goes to `reply`. NULL: no commands are known. */
    enum status (*on_command)(void *ctx, struct str command, struct buf *reply, struct err *e);
};

/* Counts up when lines are read otherwise than before: decoded, where they were not, or taken for
 * other requests. What is stored stays as it was read: `doctor` and `import` tell. */
enum { DECODERS_VERSION = 1 };

struct whereabouts; /* inside of collector/ */
struct stand_ins;

/* What stands in for what a log file does not say. Empty members: not known. */
struct import_defaults {
    struct str account, region, function, log_group, instance;
    enum provider provider; /* PROVIDER_UNKNOWN: recognise */
    int64_t now_ns;         /* for lines without any time */
    /* Where region and account are empty: what is known of the function; NULL: nothing. Of one that
     * is not known: what others in the file say. */
    const struct whereabouts *whereabouts;
    struct str nearby_region, nearby_account;
    struct fn_book *book; /* functions known before, for what this file calls them; NULL: none */
    /* What stands in for now_ns where the file was read before. NULL: nothing is known. */
    struct stand_ins *stand_ins;
};

/* A request by its id and the time of its START, 0: any; where it ran, when its START was. */
struct request_begin {
    struct str id;
    int64_t start_ns;
};
struct request_place {
    struct str stream, function;
    int64_t start_ns;
};

/* Of attempts of one request: which one tells the same as a REPORT. */
enum attempt_known {
    ATTEMPT_UNKNOWN, /* nothing is stored of the request */
    /* All that are stored were reported differently, and one of them has the time of the START. */
    ATTEMPT_IS_NEW,
    ATTEMPT_IS_STORED,
};
struct attempt_ask {
    struct str id;
    int64_t start_ns; /* of its START, where one is taken for it already; 0: none is */
    const struct platform_event *report; /* NULL: not known yet, any attempt may be the one */
};

/* What is stored already. Called on the thread that reads the files; NULL members: nothing. */
struct import_lookups {
    /* How far a file was read before; see store_cursor. */
    bool (*find_cursor)(void *ctx, struct str scope, struct arena *a, struct cursor *out);
    /* Is anything of that day (since 1970) stored? A file with a day removed since is read anew. */
    bool (*has_day)(void *ctx, int64_t day);
    /* Where and when a request ran; views in `a`. */
    bool (*find_request)(void *ctx, const struct request_begin *r, struct arena *a,
                         struct request_place *out);
    /* *start_ns: when the line of its START was, of ATTEMPT_IS_STORED. */
    enum attempt_known (*find_attempt)(void *ctx, const struct attempt_ask *ask, struct arena *a,
                                       int64_t *start_ns);
    void *ctx;
    struct fn_places places; /* what is configured */
};

struct import_progress {
    uint64_t files_done, files, bytes_done, bytes; /* compressed bytes for the bar */
    struct batch_counts counts;
    uint64_t guessed;    /* files whose function is named after the file: nothing else says it */
    uint64_t own_stream; /* files whose stream is named after the file, for the same reason */
    uint64_t known;      /* files that were read before and have nothing new */
    uint64_t empty;      /* files without an event */
    uint64_t held;       /* files whose last event is still being written: not read yet */
    uint64_t foreign;    /* files of a folder that do not look like logs: passed over */
    uint64_t unreadable; /* paths: each was named in the log */
    struct str path;     /* current */
};

struct import_options {
    struct opt_list_paths {
        struct str *items;
        size_t count;
    } paths; /* files, folders, "-" */
    struct import_defaults defaults;
    const char *format;      /* "auto" or a decoder's name */
    size_t batch_bytes;      /* 0: 384 KB of input a batch */
    int fd;                  /* read the only path from this handle; 0: open the paths */
    int client_fd;           /* who waits for it: reading ends when it hangs up; 0: nobody */
    bool is_found;           /* the only path was found in a folder, nobody named it */
    const atomic_bool *stop; /* set by a signal: ends after the current batch */
    void (*on_progress)(void *ctx, const struct import_progress *p); /* writer thread; NULL */
    void *progress_ctx;
    struct import_lookups lookups;
    /* Functions known already: where they are counts for lines that do not say. */
    const struct fn_ref *known;
    size_t n_known;
};

/* Reads everything on a thread of its own, commits on the caller's; returns when all is committed,
 * the stop flag is set (ERR_CANCELLED; what was committed stays, a re-run goes on) or the sink
 * failed. A damaged file ends at the damage with a quarantine entry; the next files go on, as they
 * do after one that cannot be read. Where none can be read: what is wrong with the last. */
MUST_CHECK enum status collector_import(const struct import_options *o, const struct sink_ops *sink,
                                        void *ctx, struct import_progress *result, struct err *e);

/* What runs all the time: sources, each polled on a thread of its own, into one packer and one
 * writer. */
struct source;
struct control;
struct collect_options {
    struct source *const *sources; /* open */
    size_t n_sources;
    const atomic_bool *stop;       /* set by a signal: ends when everything read is committed */
    const atomic_bool *reload;     /* as stop, but the result is ERR_AGAIN: begin anew; NULL */
    atomic_bool *halt;             /* set by the runner: what the sources' transfers watch */
    bool is_once;                  /* end when every source has done everything once */
    int64_t commit_ns;             /* what was read is committed after so long */
    int64_t report_ns;             /* each source's status row is written so often */
    struct control *control;       /* serves other commands; NULL: nobody */
    struct import_lookups lookups; /* of imports that come through the control socket */
    /* Writer thread, several times a second and after each commit. */
    void (*on_tick)(void *ctx, const struct batch_counts *so_far);
    void *tick_ctx;
};

/* Returns OK when stopped or, with is_once, done; ERR_AGAIN for a reload; else what made it fail:
 * the store, never a source. */
MUST_CHECK enum status collector_run(const struct collect_options *o, const struct sink_ops *sink,
                                     void *ctx, struct err *e);

#endif
