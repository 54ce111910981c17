/* The store: persists the nouns in SQLite and gives them back. Front door of core/store.
 *
 * A folder holds meta.db (functions, streams, cursors, roll-ups, quarantine, counters) and one
 * YYYYMMDD.db per UTC day (facts clustered on (fn, ts, seq), zstd log chunks, request-id prefix
 * arrays, event hashes). DESIGN.md section 4.2 says why. Exactly one process may hold it read-write
 * (locks on the folder and its lock file); any number may read.
 *
 * Writing is in two steps, so that the expensive one runs beside the other:
 *   packer thread: store_mark_repeats() -> (correlate, price) -> store_pack()   [pure of the
 * database, but for read-only look-ups on its own connection] writer thread: store_commit(): log
 * chunks compressed, one transaction per day file, cursors in the last, then roll-ups Reading:
 * store_open() read-only, then the typed requests of request.h. */
#ifndef FNSCOPE_CORE_STORE_STORE_H
#define FNSCOPE_CORE_STORE_STORE_H

#include "core/model/batch.h"
#include "core/model/price.h"
#include "core/model/stats.h"
#include "core/store/request.h"

struct store;
struct packer;
struct pack; /* what one commit writes; owned by whoever holds it */

struct store_options {
    struct str url; /* "sqlite:/path", "/path", or "null:" (the test twin that forgets) */
    bool is_read_only;
    bool must_exist;      /* read-write, but do not create */
    int64_t retention_ns; /* 0: keep for ever */
    /* The region of a function that was stored without one, empty: not known. What is read has it;
     * what is stored stays as it is. NULL: none is known. The context outlives the store. */
    struct str (*region_of)(const void *ctx, const struct fn_ref *fn);
    const void *region_ctx;
    bool is_as_stored; /* what is read has no region that is not stored: region_of only keeps such
                          functions from getting another one */
    bool is_beside_writer; /* looks up little while the same process writes, which needs the memory
                            */
};

/* ERR_NOT_FOUND no store there; ERR_AGAIN another writer holds it (its pid is named); ERR_IO not
 * ours, newer schema, closed to this user. Read-write creates the folder 0700 and files 0600,
 * applies migrations, repairs what a crash left (cursors, dirty roll-ups). */
MUST_CHECK enum status store_open(const struct store_options *o, struct store **out, struct err *e);
void store_close(struct store *s); /* NULL is fine */
struct str store_path(const struct store *s);
/* ERR_NOT_FOUND, saying so, when the folder's files are not those that were opened any more:
 * somebody removed or replaced them. Looks at meta.db, log and index only. Any thread. */
MUST_CHECK enum status store_is_there(const struct store *s, struct err *e);

/* The same of meta.db and every day file, those that were closed again or only seen included.
 * The writer's thread: looked at before a commit, and before what is read is acted upon. */
MUST_CHECK enum status store_is_whole(struct store *s, struct err *e);

/* --- writing ------------------------------------------------------------------------------------
 */

/* One packer per store, on the packer thread; it reads through its own read-only connections. */
MUST_CHECK enum status packer_new(struct store *s, struct packer **out, struct err *e);
void packer_free(struct packer *p);
/* Sets is_repeat on records that are stored already or stand twice in the window. */
MUST_CHECK enum status store_mark_repeats(struct packer *p, struct batch *b, struct err *e);
/* Takes what the batch holds (repeats left out) into open chunks; gives a pack to commit, or NULL
 * in *out when there is nothing to commit yet. is_flush closes all chunks (idle, stop). The batch
 * may be freed afterwards. A cursor rides in the pack that holds the last record before it. */
MUST_CHECK enum status store_pack(struct packer *p, const struct batch *b, bool is_flush,
                                  struct pack **out, struct err *e);
/* Writes the pack and frees it. ERR_AGAIN: the disk is full, read-only or fails, or a file is
 * locked; nothing of it is half done, and the same pack may be committed again, once or for hours.
 * On any other failure the pack is the caller's to free, and the store takes no further packs: what
 * was not written has no cursor either, so reading again brings it. */
MUST_CHECK enum status store_commit(struct store *s, struct pack *k, struct err *e);
/* Says that this end belongs to a collector, to be read by store_collector until it is closed. */
void store_collects(struct store *s);
/* Who fills the store now, as any process sees it at once. */
enum collector_state {
    COLLECTOR_UNKNOWN, /* its lock file cannot be looked at */
    COLLECTOR_NONE,    /* none runs; the last one ended as it should */
    COLLECTOR_KILLED,  /* none runs; the last one was killed, or the machine went down */
    COLLECTOR_AT_WORK,
    COLLECTOR_HOLDS /* it runs and cannot write: store_commit fails again and again */
};
enum collector_state store_collector(const struct store *s);
/* How a source is doing, given what it said last and who runs. */
enum source_state {
    SOURCE_OK,
    SOURCE_STARTING,
    SOURCE_FAILING,
    SOURCE_PARTIAL, /* all is read but what its error says */
    SOURCE_CAPPED,  /* calls that cost wait for the next day; logs are read */
    SOURCE_STOPPED, /* no collector runs; the last one ended as it should */
    SOURCE_DEAD,    /* no collector runs; the last one was killed */
    SOURCE_HELD,    /* what it reads is not stored */
    SOURCE_STATES
};
enum source_state source_state_of(const struct source_status *s, enum collector_state c);
const char *source_state_name(enum source_state v); /* "ok", "no collector", ... */
/* Since when a commit is tried again and again (wall); 0: none is. Any thread. */
int64_t store_held_since(const struct store *s);
/* A pack will not be committed any more: the packer does not wait for it. Any thread. */
void store_give_up(struct store *s);
/* Like store_commit, but leaves the rows in open transactions until much has gathered there, a
 * second has passed or the packer waits for them: nobody sees them before, and a crash loses them
 * with their cursors. Until store_is_settled the writer's connections may not be read. */
MUST_CHECK enum status store_write(struct store *s, struct pack *k, struct err *e);
bool store_is_settled(const struct store *s);
/* Commits what store_write left open, if it is time; at once when forced: before the end. */
MUST_CHECK enum status store_settle(struct store *s, bool is_forced, struct err *e);
void pack_free(struct pack *k);

/* All stored attempts of one request id that started within a day of around_ns, and those with
 * EV_TIME_GUESSED whenever: the correlator's memory beyond its window (retries reuse an id for 6
 * hours at most). Packer thread. Rows are in
 * `a`; stored_* say where they stand. Costs a few nanoseconds when there are none: filters of the
 * ids stored per day stand before the files. */
MUST_CHECK enum status store_lookup_id(struct packer *p, struct str id, int64_t around_ns,
                                       struct arena *a, struct invocation_list *out, struct err *e);
/* Whether anything was ever packed of the environment. Packer thread. */
bool store_knows_instance(const struct packer *p, const struct origin *o);
/* Stored instance events of one environment within a day of around_ns, in time order. Packer
 * thread. */
MUST_CHECK enum status store_lookup_instance(struct packer *p, const struct origin *o,
                                             int64_t around_ns, struct arena *a,
                                             struct instance_event_list *out, struct err *e);

/* Stored attempts of one environment that began in the range: whom late evidence of it concerns.
 * Reads all the function's rows of that time. Packer thread. */
MUST_CHECK enum status store_lookup_requests(struct packer *p, const struct origin *o,
                                             struct range r, struct arena *a,
                                             struct invocation_list *out, struct err *e);

/* Cursor of a source's scope; false when there is none. Any connection. */
bool store_cursor(struct store *s, struct str source, struct str scope, struct arena *a,
                  struct cursor *out);
/* Is there a file of that day (since 1970)? Any thread. */
bool store_has_day(const struct store *s, int64_t day);

/* --- alerts (writer thread) --- */

/* Everything one evaluation, acknowledgement or delivery changed, in one transaction: alerts and
 * their episodes (an alert with fired_ns != 0 also becomes the episode's row), messages to send
 * (new ids only: one that stands there already stays as it is) and what became of messages. */
struct alert_changes {
    const struct alert *alerts;
    size_t n_alerts;
    const struct outbox_entry *messages;
    size_t n_messages;
    const struct outbox_entry *results; /* what of it counts: id, status, attempts,
                                           next_ns, done_ns, error */
    size_t n_results;
};
MUST_CHECK enum status store_write_alerts(struct store *s, const struct alert_changes *c,
                                          struct err *e);
/* Adds it, *id is its number; or, with an id, changes its end and texts. */
MUST_CHECK enum status store_write_silence(struct store *s, const struct silence *sil, int64_t *id,
                                           struct err *e);

/* --- sources (writer thread) --- */

/* Forgets how all other sources do: nobody polls them any more, so they would look as if they
 * failed for ever. What they read stays. */
MUST_CHECK enum status store_keep_sources(struct store *s, const struct str *names, size_t n,
                                          struct err *e);

/* What was called `old` among the sources is called `name` from now on: how far it has read, how it
 * does, the queues it reads. Nothing may be called so yet. */
MUST_CHECK enum status store_rename_source(struct store *s, struct str old, struct str name,
                                           struct err *e);

/* --- settings of prices (writer thread) ---
 *
 * A fingerprint (above PRICED_SAID) of what stored costs were made with; request_pricing gives it.
 * Note it before new costs are written: beside costs of other settings it stands for none of them.
 * While all are priced anew, between begin and end, there is none either. */
MUST_CHECK enum status store_note_pricing(struct store *s, uint64_t fingerprint, struct err *e);
MUST_CHECK enum status store_begin_pricing(struct store *s, struct err *e);
MUST_CHECK enum status store_end_pricing(struct store *s, uint64_t fingerprint, struct err *e);

/* --- decoders (writer thread) --- */

/* Before lines are written that decoders of this version read; request_older_decoders tells of
 * those that are there. */
MUST_CHECK enum status store_note_decoders(struct store *s, int64_t version, struct err *e);

/* --- what functions are called (writer thread) --- */

/* The functions that pass get the members of `to` that are not empty; what is stored stays theirs,
 * and what is read later as they were called before is theirs too. ERR_USAGE: another one is called
 * so; nothing is changed then. Their costs are stale until store_priced_anew(). */
struct moved_fns {
    size_t found, moved; /* that pass; that were called otherwise */
};
MUST_CHECK enum status store_move_fns(struct store *s, const struct fn_filter *which,
                                      const struct fn_ref *to, struct moved_fns *out,
                                      struct err *e);
/* The costs of all functions are those of what they are called now. */
MUST_CHECK enum status store_priced_anew(struct store *s, struct err *e);

/* --- upkeep -------------------------------------------------------------------------------------
 */

/* Brings all day files to this version's layout; without it each is when it is first written to. */
MUST_CHECK enum status store_migrate(struct store *s, struct err *e);
/* Unlinks day files that end before the time, and what stands in meta.db about those days only. A
 * packer of this store forgets what it knew of them. */
MUST_CHECK enum status store_prune(struct store *s, int64_t before_ns, uint64_t *days,
                                   struct err *e);
/* Checks every file: SQLite integrity, checksums, and all that is written twice (verify_private.h).
 * Metric points, spans, events of environments and texts stand there once. Findings go to
 * on_finding; OK also when there are some. */
typedef void store_finding_fn(void *ctx, struct str file, struct str what);
MUST_CHECK enum status store_verify(struct store *s, store_finding_fn *on_finding, void *ctx,
                                    struct err *e);
/* Canonical text of everything stored, independent of arrival order and chunking: for tests and
 * `fnscope db dump`. */
MUST_CHECK enum status store_dump(struct store *s, struct buf *out, struct err *e);

/* Runs SQL of a person, read-only, over the tables invocations, log_lines, costs, functions,
 * rollup_hour, rollup_day, quarantine (fnscope-schema(7)). Rows go to on_row with the column names
 * each time. */
struct sql_cell {
    struct str text;
    bool is_null, is_number;
};
/* cells is NULL once, for a result without rows. */
typedef enum status sql_row_fn(void *ctx, size_t n, const char *const *names,
                               const struct sql_cell *cells, struct err *e);
MUST_CHECK enum status store_sql(struct store *s, struct str sql, sql_row_fn *on_row, void *ctx,
                                 struct err *e);

/* The columns of the tables a query names, a line each; of none: the tables there are. */
void store_sql_help(struct str sql, struct buf *out);

#endif
