/* Private to core/store: what its files share. The layout of the files is in schema.c. */
#ifndef FNSCOPE_CORE_STORE_STORE_PRIVATE_H
#define FNSCOPE_CORE_STORE_STORE_PRIVATE_H

#include <stdatomic.h>

#include "core/base/clock.h"
#include "core/base/compress.h"
#include "core/base/map.h"
#include "core/base/sql.h"
#include "core/base/varint.h"
#include "core/store/chunk_press.h"
#include "core/store/store.h"

#define CHUNK_SHARDS  16u
#define CHUNK_BYTES   ((size_t)256 << 10) /* raw bytes at which a chunk closes */
#define ROLL_DAY_SLOT 24                  /* slots 0..23 are the hours */

/* --- open files ----------------------------------------------------------------------------------
 */

/* One day file held open, with the statements a writer uses again and again (NULL until first
 * used). */
struct file_id {
    uint64_t device, number;
};

/* The files of one database, as they were when it was opened; zero: there was none. */
struct db_files {
    struct file_id db, wal, shm;
};

struct day {
    int64_t number; /* days since 1970 */
    struct db_files files;
    struct sql *db;
    bool is_written; /* its transaction is open */
    bool is_held;    /* by store_hold() */
    bool has_groups; /* facts lie in groups; else, before migration 4, one a row */
    bool has_heads;  /* day_has_heads */
    bool has_runs;   /* request ids lie in runs; else, before migration 6, in inv_id */
    bool is_read_only;
    struct id_groups *id_groups; /* id_groups.c; NULL: not needed yet */
    struct sql_stmt *put_group, *drop_group, *last_group, *groups_at, *insert_chunk, *insert_head,
        *insert_seen, *insert_ids, *insert_event, *get_roll, *put_roll, *put_point, *put_span;
};

/* What one commit or several add to roll-ups, by key. */
struct roll_deltas {
    struct idmap index;
    struct roll_delta *rows;
    size_t n, cap;
};

enum { DAYS_WRITTEN_MAX = 8, PACKS_WRITTEN_MAX = 8 };

/* Packs whose rows stand in open transactions, one a day file. */
struct written {
    struct pack *packs[PACKS_WRITTEN_MAX];
    bool is_kept;                   /* the one pack is written again when this fails */
    uint64_t chunk_bytes;           /* of theirs: most of the pages that wait for the commit */
    size_t n_packs, n_dims_done;    /* packs whose dimensions are committed */
    int64_t days[DAYS_WRITTEN_MAX]; /* whose transactions are open */
    size_t n_days;
    struct roll_deltas rolls; /* what they add */
    int64_t since_ns;         /* monotonic */
};

/* Dimensions read so far by a connection. */
struct dim_names {
    struct arena arena;
    struct idmap fn_by_id, origin_by_id, text_by_id; /* id -> pointer into the arena */
};

struct store {
    char *path; /* folder */
    bool is_read_only, is_null;
    int64_t retention_ns;
    struct str (*region_of)(const void *ctx, const struct fn_ref *fn); /* of store_options */
    const void *region_ctx;
    bool is_as_stored, is_beside_writer; /* of store_options */
    int lock_fd, folder_fd;
    bool has_lock; /* this end writes */
    struct db_files meta_files;
    struct sql *meta;
    struct day *days; /* open ones, ascending */
    size_t n_days, cap_days;
    int64_t *day_numbers; /* all day files there are, ascending; refreshed by store_scan_days */
    size_t n_day_numbers;
    struct written written;    /* by the writer, not committed yet */
    struct chunk_press *press; /* the writer's; NULL: not needed yet */
    /* Numbers of packs: the last that was committed, whose rows the packer may forget; the last
     * whose rows it waits for. */
    atomic_uint_fast64_t committed, wanted;
    atomic_int_fast64_t removed_before; /* days up to here, exclusive, were pruned while open */
    atomic_bool has_failed;             /* a commit failed: nobody should wait for the next one */
    atomic_int_fast64_t
        held_since_ns; /* wall; of the first failure of a commit that is tried again */
    struct dim_names names;
    int64_t next_fn, next_stream, next_text; /* as of the last look into meta */
    int64_t moved; /* counts changes of what functions are called, as of then */
    bool has_born; /* the table is there: since migration 8 */
    bool is_held;  /* meta, by store_hold() */
};

/* Around a request of very many statements: the files of a read-only store stay in one read
 * transaction each, or SQLite takes and gives back its locks for every statement. Days that are
 * opened meanwhile go without. */
void store_hold(struct store *s, struct range r);
void store_release(struct store *s);
/* Lists the day files of the folder. ERR_IO when a writer misses one: nobody else may remove any.
 */
enum status store_scan_days(struct store *s, struct err *e);
void store_forget_days(struct store *s, size_t n); /* the first n are removed, by us */
/* The open day, opened now if there is a file, created when may_create; NULL in *out when there is
 * none. */
enum status store_day(struct store *s, int64_t number, bool may_create, struct day **out,
                      struct err *e);
void store_close_day(struct store *s, int64_t number);
char *store_file(struct arena *a, const struct store *s, const char *name);
char *store_day_file(struct arena *a, const struct store *s, int64_t number);

static inline int64_t day_of(int64_t t_ns)
{
    return t_ns / NS_PER_DAY - (t_ns % NS_PER_DAY < 0);
}

/* What of a range lies in the day; until_ns is not above since_ns when nothing does. */
static inline struct range range_of_day(struct range r, int64_t day)
{
    int64_t base = day * NS_PER_DAY;

    return (struct range){r.since_ns > base ? r.since_ns : base,
                          r.until_ns < base + NS_PER_DAY ? r.until_ns : base + NS_PER_DAY};
}

/* The same of one hour of the day. */
static inline struct range range_of_hour(struct range r, int64_t day, unsigned hour)
{
    const int64_t since_ns = day * NS_PER_DAY + hour * NS_PER_HOUR;
    const int64_t until_ns = since_ns + NS_PER_HOUR;

    return (struct range){r.since_ns > since_ns ? r.since_ns : since_ns,
                          r.until_ns < until_ns ? r.until_ns : until_ns};
}

static inline bool range_meets_day(struct range r, int64_t day)
{
    r = range_of_day(r, day);
    return r.since_ns < r.until_ns;
}

/* --- whose a log line is
 * ---------------------------------------------------------------------------
 */

#define LOG_LONG_RUN_NS (15 * NS_PER_MIN) /* no request runs longer */
/* Lines of a crash trail the end by a moment; a retry comes a minute later at the earliest. */
#define LOG_AFTERMATH_NS (5 * NS_PER_SEC)

/* A line of the platform: by the first word of its text or the type of its JSON. */
static inline bool log_line_says(const struct log_line *l, struct str text, struct str json)
{
    return str_starts(l->body, text) || str_find(l->body, json) < l->body.n;
}

/* Removes from meta.db what belongs to days before this one only (schema.c). */
MUST_CHECK enum status meta_prune(struct store *s, int64_t day, struct err *e);

/* --- schema --------------------------------------------------------------------------------------
 */

enum { SCHEMA_VERSION = 18 };
/* Hashes as since migration 17; of two streams of one hash the second keeps what it had. */
MUST_CHECK enum status streams_upgrade(struct sql *meta, struct err *e);
extern const int schema_meta_id, schema_day_id; /* PRAGMA application_id */
/* Without touching the file: refuses another program's and a newer version's, and nothing else
 * (what cannot be opened for reading may still be for writing). */
MUST_CHECK enum status schema_check(const char *path, int application_id, struct err *e);
enum status schema_prepare(struct sql *db, int application_id, bool may_write, struct err *e);
/* Is the table there? A reader may hold a file of an older version. */
bool schema_has(struct sql *db, const char *table);
/* The writer moves rows of an older file to another table in one transaction, maybe while a reader
 * has it open. Did what was asked of the old table fail because of that? Then ask the new one. */
bool schema_has_moved(struct sql *db, const char *to, bool had, enum status failure);
bool schema_has_sums(struct sql *db);           /* checksums beside blobs: blob_sum */
bool schema_has_silence_places(struct sql *db); /* account and region of a silence */

/* What stands beside a blob since migration 7, so that a turned bit is found: of names its row. */
static inline int64_t blob_sum(struct str blob, int64_t of)
{
    return (int64_t)str_hash(blob, (uint64_t)of);
}

/* --- dimensions ----------------------------------------------------------------------------------
 */

const struct fn_ref *dim_fn(struct store *s,
                            uint32_t id); /* never NULL: unknown ids give an empty one */
/* A stored function as whoever opened the store knows it (store_options). */
/* The same, in the arena and not kept: for passes over very many. */
struct fn_ref dim_fn_in(struct store *s, uint32_t id, struct arena *a);
struct fn_ref dim_known_fn(const struct store *s, const struct fn_ref *fn);
const struct origin *dim_origin(struct store *s, uint32_t id);
/* From now on, whatever is stored: a writer knows it before the file does. `fn` lives as long as
 * the store's connection. */
void dim_put_fn(struct store *s, uint32_t id, const struct fn_ref *fn);
/* In the caller's transaction of meta.db; its costs are stale from now on. */
enum status store_write_move(struct store *s, uint32_t id, const struct fn_ref *now, struct err *e);
/* Forgets what functions are called, if another process changed it. */
enum status dim_refresh(struct store *s, struct err *e);
void dim_names_clear(struct dim_names *n);
/* For a pass over very many: once names take some MB, those of before are set aside for those that
 * pass, which are dropped here again and again. Starts with zeros; return gives them back. */
struct dim_names_aside {
    struct dim_names names;
    bool is_set;
};
void dim_names_pass(struct store *s, struct dim_names_aside *aside);
void dim_names_return(struct store *s, struct dim_names_aside *aside);
/* "select" of the columns that dim_fn_of_row reads: id first. */
const char *dim_fn_select(struct store *s);
struct fn_ref *dim_fn_of_row(const struct sql_stmt *st, struct arena *a);
struct str dim_text(struct store *s, uint32_t id); /* 0 is the empty text */

/* Which functions a request is about, with the answers so far. */
struct fn_choice {
    struct store *store;
    uint32_t fn_id; /* 0: any */
    const struct fn_filter *filter;
    struct idmap passes;    /* function -> 1 no, 2 yes */
    struct idmap stream_fn; /* stream -> function */
};
bool fn_choice_is_all(const struct fn_choice *c);
bool fn_choice_passes(struct fn_choice *c, uint32_t fn);
uint32_t fn_choice_of_stream(struct fn_choice *c, uint32_t stream); /* 0: unknown */
int fn_choice_shard(const struct fn_choice *c);                     /* -1: any */
void fn_choice_clear(struct fn_choice *c);

/* --- facts ---------------------------------------------------------------------------------------
 */

/* A fact as it is stored: integers, ids instead of text. */
struct fact {
    int64_t ts_ns; /* start, absolute */
    uint32_t fn, stream, error_type, version;
    struct str id; /* request id */
    struct str trace;
    int64_t duration_ns, billed_ns, init_ns, restore_ns, lead_ns;
    uint64_t memory_mb, used_mb, storage_mb;
    uint32_t kind; /* fact_kind() */
    uint32_t evidence;
    struct str pieces; /* of the invocation; opaque */
    money cost, cost_restore;
    bool id_is_packed, trace_is_packed; /* the 16 bytes of id_pack, trace_pack instead of text */
};
uint32_t fact_kind(const struct invocation *inv);
bool fact_kind_is_right(uint32_t kind); /* of damaged bytes it may be anything */
void fact_from_invocation(const struct invocation *inv, struct fact *f); /* ids stay 0 */
/* origin, error type and version are looked up in the store's dimensions. */
/* Numbers only, no dimension: for sums. */
void fact_to_sums(const struct fact *f, struct invocation *inv);
void fact_to_invocation(struct store *s, const struct fact *f, struct invocation *inv);
/* Request id, trace and pieces as text of their own in `a`: before anybody compares or keeps them.
 */
void fact_settle(struct fact *f, struct arena *a);
/* Whether that is its request id, before it is settled, too. */
bool fact_has_id(const struct fact *f, struct str id);
/* Whether its id is surely none that begins so: a second may hold very many. */
bool fact_has_other_id(const struct fact *f, struct str prefix);
/* What names an attempt. */
struct fact_key {
    int64_t day, ts_ns;
    uint32_t fn, stream;
    struct str id;
};
uint64_t fact_key_hash(const struct fact_key *key); /* the day is told by the time */

/* Request ids: UUIDs as 16 bytes, anything else as text. Traces "1-8hex-24hex" as 16 bytes
 * likewise. */
bool id_pack(struct str id, uint8_t out[16]);
bool hex_digits_pack(const char *p, size_t n, uint8_t *out); /* n bytes from 2 n, lower case */
struct str id_unpack(struct str blob, struct arena *a);
bool trace_pack(struct str trace, uint8_t out[16]);
struct str trace_unpack(struct str blob, struct arena *a);
uint32_t id_prefix(struct str id); /* sorts like the id's text for UUIDs */

typedef enum status fact_fn(void *ctx, const struct fact *f, struct err *e);
struct fact_sink {
    fact_fn *fn;
    void *ctx;
    bool has_forged; /* gives those with EV_FORGED too: nobody counts or shows them */
};

/* --- chunks --------------------------------------------------------------------------------------
 */

struct line_counts {
    uint64_t lines, bytes, errors;
};
void line_counts_add(struct line_counts *to, const struct line_counts *add);

/* One stored line. */
struct chunk_line {
    int64_t time_ns; /* absolute */
    uint32_t stream;
    enum severity severity;
    enum record_kind kind;
    struct str body;
};

#define CHUNK_MAX_RAW ((size_t)64 << 20) /* a chunk that claims more is damaged */

/* The chunk at hand, whichever way it was written (chunk_format.h). */
struct chunk_text {
    struct zstd_ctx *zstd;
    struct buf raw; /* its lines' texts, one after another; of an older one between their heads */
    struct buf pressed;
    int64_t day;
    bool is_older; /* from before migration 14 */
    struct chunk_line *lines;
    size_t n_lines, cap_lines;
    struct chunk_template *templates; /* chunk_restore.c */
    size_t n_templates, cap_templates;
    struct chunk_piece *pieces; /* of the templates */
    size_t n_pieces, cap_pieces;
};
void chunk_text_init(struct chunk_text *t);
void chunk_text_empty(struct chunk_text *t);
void chunk_text_clear(struct chunk_text *t);
/* raw_bytes is what the store says of it: bytes of text (of an older one: with heads). Anything
 * else is ERR_PARSE. */
MUST_CHECK enum status chunk_text_read(struct chunk_text *t, struct str blob, int64_t day,
                                       size_t raw_bytes, struct err *e);

struct chunk_cursor {
    const struct chunk_text *of;
    size_t n_given;
    struct str rest; /* of an older one */
    int64_t time_ns;
    uint32_t stream;
    bool is_bad;
};
void chunk_begin(struct chunk_cursor *c, const struct chunk_text *t);
bool chunk_next(struct chunk_cursor *c, struct chunk_line *line);

/* How many lines of which function and hour a chunk holds (line_tally.c). */
struct line_tally {
    struct tally_row {
        uint32_t fn;
        unsigned hour;
        struct line_counts counts;
    } * rows;
    size_t n, cap, last; /* last: the place counted at last */
    struct idmap index;
};
void line_tally_add(struct line_tally *t, uint32_t fn, unsigned hour,
                    const struct line_counts *add);
/* Sorts the rows by function and hour. What is packed are whole functions. */
void line_tally_pack(struct line_tally *t, struct buf *out);
void line_tally_reset(struct line_tally *t);
void line_tally_clear(struct line_tally *t);
/* The next function of a packed tally, ascending; false at its end or, with in->is_bad, where it is
 * damaged. Begin with *row all zero. */
bool line_tally_next(struct varint_reader *in, struct tally_row *row);

/* Migration 5 brought heads of chunks, and bounds of facts to roll-ups. */
bool day_has_heads(struct day *d);

/* What stands about a chunk beside it, small enough to look through (chunk_read.c). */
struct chunk_head {
    int64_t id, t0, t1, raw; /* times in ns within the day, both included; raw bytes */
    struct str tally;        /* empty: unknown, of a file before migration 5 */
};
struct chunk_heads {
    struct chunk_head *rows;
    size_t n, cap;
};
struct chunk_wanted {
    struct range range;
    int shard; /* -1: any */
    enum severity min_severity;
};
/* Chunks of a day that may hold wanted lines, by first line; tallies are in `a`. */
enum status chunk_heads_read(struct day *d, const struct chunk_wanted *w, struct arena *a,
                             struct chunk_heads *out, struct err *e);
/* False only when the tally says that no line is of a chosen function. */
bool chunk_may_hold(const struct chunk_head *h, struct fn_choice *c);

/* Reads chunks of one day after another. */
struct chunk_reader {
    struct day *day;
    struct sql_stmt *st;
    struct chunk_text text;
};
void chunk_reader_init(struct chunk_reader *r);
enum status chunk_reader_begin(struct chunk_reader *r, struct day *d, struct err *e);
/* The text stays empty when retention has removed the chunk since it was listed. */
enum status chunk_reader_read(struct chunk_reader *r, const struct chunk_head *h, struct err *e);
void chunk_reader_end(struct chunk_reader *r); /* of the day */
void chunk_reader_clear(struct chunk_reader *r);

/* Counts of lines without giving them (line_count.c). Whole chunks are counted by their tallies. */
struct count_request {
    struct range range;
    int64_t step_ns; /* what is given together lies in one whole step */
    uint32_t fn_id;  /* 0: any */
    const struct fn_filter *filter;
};
typedef void line_counts_fn(void *ctx, int64_t time_ns, uint32_t fn, const struct line_counts *add);
enum status lines_count(struct store *s, const struct count_request *q, line_counts_fn *fn,
                        void *ctx, struct err *e);

/* --- roll-ups --- */

struct roll_key {
    int64_t day;
    uint32_t fn;
    unsigned slot;
};
struct roll_delta {
    struct roll_key key;
    struct stats add;
    bool must_recompute; /* a stored fact was replaced: count the facts of that hour again */
};
void roll_deltas_clear(struct roll_deltas *d);
struct packed_chunk;
/* The chunk's lines. */
void roll_deltas_add_lines(struct roll_deltas *d, const struct packed_chunk *c);
/* *near is where the caller found the last one: mostly it is the same. 0 to begin with. */
struct stats *roll_deltas_at(struct roll_deltas *d, size_t *near, int64_t day, uint32_t fn,
                             int64_t ts_ns);
void roll_deltas_recompute(struct roll_deltas *d, int64_t day, uint32_t fn, int64_t ts_ns);
/* Sorts by day, function, hour: before roll_apply. */
void roll_deltas_sort(struct roll_deltas *d);
/* Applies what concerns the day, inside its transaction; the deltas are sorted. */
enum status roll_apply(struct day *day, const struct roll_deltas *d, struct err *e);
/* Adds a function's roll-ups of the slots, both included. */
enum status rolls_sum(struct day *d, uint32_t fn, unsigned low, unsigned high, struct stats *out,
                      struct err *e);
void stats_pack(const struct stats *s, struct buf *out);
/* A sum that is not negative. */
void wide_pack(struct buf *out, wide v);
wide wide_unpack(struct varint_reader *r);
bool stats_unpack(struct str packed, struct stats *add_to);
/* Copies the histograms into the arena, so that nobody needs to free them. */
void stats_settle(struct stats *s, struct arena *a);

/* Sums of a function over a range, added to *out (heap histograms). From roll-ups where whole, else
 * from facts and chunks. */
enum status stats_of_range(struct store *s, struct range r, uint32_t fn, struct stats *out,
                           struct err *e);
/* All functions that have anything in the range, ascending. */
enum status fns_of_range(struct store *s, struct range r, struct arena *a, uint32_t **ids,
                         size_t *n, struct err *e);
size_t keep_passing(struct store *s, const struct fn_filter *f, uint32_t only, uint32_t *ids,
                    size_t n);

/* Events of one environment in time order; origin is filled. */
enum status events_of_stream(struct store *s, uint32_t stream, struct range r, struct arena *a,
                             struct instance_event_list *out, struct err *e);

/* --- metric points, queues, sources (live_write.c, live_read.c) --- */

struct pack;
/* Names new series: before the points that use them. */
enum status live_write_series(struct store *s, const struct pack *k, struct err *e);
enum status live_write_points(struct day *d, const struct pack *k, struct err *e);
/* Inside the transaction of meta.db. */
enum status live_write_queues(struct store *s, const struct pack *k, struct err *e);
enum status live_write_sources(struct store *s, const struct pack *k, struct err *e);
uint64_t series_hash(const struct subject *subject, enum metric m, int64_t period_ns);

/* --- spans (spans.c) --- */

enum status spans_write(struct day *d, const struct pack *k, struct err *e);
/* Spans of one day that began in the range, unordered; trace_id empty: of every trace. */
enum status spans_of_day(struct store *s, int64_t number, const struct span_request *q,
                         struct arena *a, struct span_list *out, struct err *e);

/* --- alerts --- */

/* In the order of ALERT_COLUMN_TYPES of schema.c. */
#define ALERT_COLUMNS                                                                              \
    "key,rule,severity,scope,provider,account,region,name,state,since_ns,started_ns,fired_ns,"     \
    "resolved_ns,acked_ns,acked_by,value,peak,threshold,unit,data_ns,eval_ns,sent_ns,is_missing,"  \
    "is_notified,summary,evidence"
enum { ALERT_N_COLUMNS = 26 };

/* --- packs --- */

struct packed_chunk {
    int64_t id; /* in its day file */
    int64_t day, t0_ns, t1_ns;
    unsigned shard, level_mask;
    size_t n_lines, raw_bytes;
    struct kept_lines lines; /* as the packer took them (chunk_press.c); gone when there is data */
    struct str data;         /* chunk_format.h; made by the writer, owned */
    struct str tally;        /* packed */
    struct tally_row *sums;  /* what its lines add to roll-ups */
    size_t n_sums;
    uint64_t *seen; /* identities, n_lines of them; owned by the packer's window */
};

struct pack_fact {
    struct fact fact;
    int64_t day;
    bool is_dead; /* a later version of the same attempt came in the same pack */
};

enum dim_kind { DIM_FN, DIM_STREAM, DIM_TEXT };

struct dim_row {
    uint32_t id, fn;
    struct str a, b, c,
        d; /* fn: provider account region name; stream: group instance version -; text: value */
    uint64_t hash;
    int64_t last_day; /* of a stream: see schema.c */
    enum dim_kind kind;
};

struct pack {
    uint64_t number;            /* 1, 2, ... of its packer */
    int64_t *days;              /* it has rows of, ascending; found by the writer */
    size_t n_days, n_days_done; /* that a commit which failed later has committed */
    struct arena arena;
    struct arena rows_arena; /* of facts, deletes and chunks: goes when they are written */
    struct dim_row *dims;
    size_t n_dims, cap_dims;
    struct pack_move {
        uint32_t id;
        const struct fn_ref *fn; /* what it is called now, and was born as */
    } * moves;
    size_t n_moves, cap_moves;
    int64_t *guessed_days; /* new ones, of attempts with EV_TIME_GUESSED */
    size_t n_guessed_days, cap_guessed_days;
    struct packed_chunk *chunks;
    size_t n_chunks, cap_chunks;
    struct pack_fact *facts;
    size_t n_facts, cap_facts;
    struct fact_key *deletes;
    struct idmap delete_index; /* fact_key_hash -> the last such one of deletes */
    size_t n_deletes, cap_deletes;
    struct pack_event {
        int64_t day;
        uint32_t stream, fn;
        struct instance_event event;
    } * events;
    size_t n_events, cap_events;
    struct cursor *cursors;
    size_t n_cursors, cap_cursors;
    struct quarantined *quarantine;
    size_t n_quarantine, cap_quarantine;
    struct pack_config {
        uint32_t fn;
        struct fn_config config;
    } * configs;
    size_t n_configs, cap_configs;
    struct pack_series {
        uint32_t id;
        struct subject subject;
        enum metric metric;
        int64_t period_ns;
        uint64_t hash;
    } * series;
    size_t n_series, cap_series;
    struct pack_point {
        int64_t day, ts_ms, value; /* ts within the day */
        uint32_t series, weight;
        bool is_missing;
    } * points;
    size_t n_points, cap_points;
    struct msg_queue *queues;
    size_t n_queues, cap_queues;
    struct source_status *sources;
    size_t n_sources, cap_sources;
    struct span *spans;
    size_t n_spans, cap_spans;
    struct batch_counts counts;
    struct idmap fact_index; /* fact_key_hash -> place of the last such one among the first facts */
    size_t n_facts_found;    /* that it knows */
    uint64_t raw_bytes;      /* log text inside: decides when to commit */
    uint64_t held_bytes;     /* of memory that its lines take: so do these, */
    size_t n_sums;           /* and what its chunks have */
};

/* --- meta.db (meta_write.c) --- */

enum status meta_write_dims(struct store *s, struct pack *const *packs, size_t n, struct err *e);
enum status meta_write_rest(struct store *s, struct pack *const *packs, size_t n, struct err *e);
/* Commits after OK, else rolls back. */
enum status store_end_transaction(struct sql *db, enum status so_far, struct err *e);
/* writer_mark.c: to be read by store_collector */
void writer_holds(const struct store *s, bool is_held);
void writer_ends(const struct store *s);
void pack_free_rows(struct pack *k); /* what pack_free frees, but for what meta.db is told */

#endif
