/* Private to analyzer/correlate*.c: what the correlator keeps in memory. */
#ifndef FNSCOPE_ANALYZER_CORRELATE_PRIVATE_H
#define FNSCOPE_ANALYZER_CORRELATE_PRIVATE_H

#include "analyzer/analyzer.h"
#include "analyzer/assembly.h"
#include "core/base/intern.h"

#define MAX_ATTEMPTS ((size_t)64) /* of one request id in one environment */

/* The attempt a line without a request id belongs to; NULL: to none. */
struct owner {
    const struct assembly *a;
    int64_t start_ns;
    bool is_guess; /* another may have written it as well */
};

/* A text of a request's own, whose memory serves the next request. */
struct own_text {
    char *p;
    size_t n, cap;
};

/* A request and when it ran, from its first piece to its last. */
struct run_span {
    struct range ran;
    struct assembly *a;
};

/* Of one environment, in scratch memory. */
struct run_spans {
    const struct run_span *rows; /* by when they began */
    const int64_t *latest_ns;    /* when the last of each subtree ended */
    size_t n, n_leaves;
};

/* Runs that are being gathered, in scratch memory. */
struct run_list {
    struct run_span *rows;
    size_t n, cap;
};

/* What an attempt is judged by. */
struct tried_run {
    struct range ran;   /* from its first line to its last */
    struct range claim; /* attempt_claim() */
    bool is_suspect;
};

/* What a stored attempt that is not in memory tells of the others: its requests come back only
 * where they change. */
struct stored_run {
    struct str id;
    int64_t start_ns;
    struct tried_run run;
    struct range reach; /* of all it may have been running */
    unsigned verdict;   /* as it is stored */
    bool is_unbilled;
};

/* Who can have printed whom, where one request runs at a time: of this feed, in scratch memory. */
struct runs {
    uint64_t of_feed;
    struct run_spans measured; /* from a START to a REPORT that measured it */
    struct run_spans lone;     /* those of plain runs that do not begin or end amid others */
    struct stored_run *stored;
    size_t n_stored;
    struct range loaded; /* the stored ones that began then are there, as of loaded_in_feed */
    uint64_t loaded_in_feed;
    struct run_list stored_measured, stored_plain; /* of the stored ones */
};

struct env {
    struct origin origin;   /* texts interned */
    struct fn_ref fn, born; /* fn.born is here, if it has one */
    uint64_t fn_hash;
    struct assembly *newest; /* list of this environment's requests */
    struct loose *loose;
    size_t n_loose, cap_loose, n_assemblies;
    int64_t newest_ns;       /* of all pieces its requests ever had */
    struct owner *owners;    /* of each loose one, in scratch memory: of this feed only */
    uint64_t owners_of_feed; /* the number of the feed they were settled in */
    struct run_spans spans;  /* of all its requests, as of this feed; 0: a piece came since */
    uint64_t spans_of_feed;
    struct runs runs;
    int64_t known_from_ns, known_to_ns;     /* stored evidence of this time is in `loose` */
    int64_t stirred_from_ns, stirred_to_ns; /* requests that began in between are to be looked at */
    bool is_stirred;
    /* All that the store has of it is in memory: it was new there, and nothing was forgotten. */
    bool has_all_loose, has_all_requests;
    int64_t recalled_from_ns, recalled_to_ns; /* in memory: those that began in between... */
    uint64_t recalled_in_feed;                /* ...as of this feed */
    const struct origin *met_as;              /* its origin in the batch of met_in_feed */
    uint64_t met_in_feed;
    /* Requests that are stored but not in memory: of those that began before kept_to_ns every piece
     * is at or before lost_to_ns. */
    int64_t lost_to_ns, kept_to_ns;
    int64_t mixed_to_ns; /* up to here requests may lie in one another */
    struct range wanted; /* those that ran then are to be brought back */
    bool is_wanting;
    struct env *stirred_next, *wanting_next;
    struct env *lru_next, *lru_prev;
};

#define EV_VERDICT ((unsigned)(EV_FORGED | EV_DUPLICATE | EV_DOUBTFUL))
#define EV_COUNTED (EV_VERDICT | (unsigned)EV_ERROR_GUESSED)

/* What was given out of one attempt. */
struct given {
    int64_t start_ns;
    uint64_t hash;    /* of its content */
    unsigned verdict; /* of its evidence: EV_COUNTED */
};

struct assembly {
    struct env *env;
    uint64_t key, id_key; /* of the id here; of the id in every environment of the function */
    struct own_text id;   /* request id */
    struct pieces pieces;
    struct given *given;
    size_t n_given, cap_given;
    bool is_dirty;
    bool is_suspect;         /* another request may have printed an attempt */
    bool was_told;           /* another export of it names the stream */
    int64_t looked_ns;       /* what is stored of it within a day of then is in memory */
    uint64_t judged_in_feed; /* who ran at the same time is in memory, as of this feed */
    struct own_text *traces; /* trace ids of its pieces: one as a rule */
    size_t n_traces, cap_traces;
    struct assembly *env_next, *env_prev, *lru_next, *lru_prev, *dirty_next;
    struct assembly *same_id; /* a ring: itself when no other environment had the id */
};

struct correlator {
    struct correlator_options options;
    struct intern texts;
    struct idmap envs, ids; /* hash -> struct pointer; ids: one of the ring of a request id */
    struct assembly *lru_first, *lru_last, *dirty;
    struct assembly *spare; /* freed ones, by lru_next: their memory serves the next */
    struct env *env_first, *env_last, *stirred, *wanting;
    size_t n_assemblies, n_envs;
    uint64_t n_feeds;
    uint64_t n_elsewhere; /* new requests of this feed that another function has too */
    uint64_t n_assembled; /* requests worked out since it was made: a count of work */
    uint64_t n_again;     /* REPORTs of this feed that were heard before */
    struct env **env_of;  /* by place of the origin in the batch at hand; NULL: not met yet */
    size_t n_env_of, cap_env_of;
    struct arena scratch;
    struct buf code;       /* of the pieces being encoded */
    struct pieces decoded; /* of the stored attempt being looked at */
};

struct str corr_keep(struct correlator *c, struct str s);
void corr_add_loose(struct env *v, const struct loose *l);
enum status corr_env(struct correlator *c, const struct origin *o, int64_t t_ns, struct env **out,
                     struct err *e);
enum status corr_env_of(struct correlator *c, const struct log_record *r, struct env **out,
                        struct err *e); /* of a record of the batch being fed */
enum status corr_assembly(struct correlator *c, struct env *v, const struct log_record *r,
                          struct assembly **out, struct err *e);
struct str corr_id(const struct assembly *a);
enum piece_news corr_add_piece(struct assembly *a, const struct piece *p);
/* Makes room for n rows given out; what is there stays. */
void corr_room_for_given(struct assembly *a, size_t n);
void corr_mark_dirty(struct correlator *c, struct assembly *a);
void corr_evict(struct correlator *c);
void corr_free_assembly(struct correlator *c, struct assembly *a);
void corr_free_spare(struct correlator *c);
void corr_free_env(struct correlator *c, struct env *v);
struct str corr_keep_trace(struct assembly *a, struct str trace);

struct assembly *corr_new_assembly(struct correlator *c, struct env *v, struct str id);
/* The request of that id in the environment; NULL: it is not in memory. */
struct assembly *corr_find(const struct correlator *c, const struct env *v, struct str id);
/* One of those of that id in every environment of the function. */
struct assembly *corr_find_id(const struct correlator *c, const struct env *v, struct str id);

/* --- correlate_pieces.c --- */

/* Whether the record says something about its request. */
bool corr_is_piece(const struct log_record *r);
/* False: it says nothing. All but its trace id, which is its request's to keep. */
bool corr_make_piece(struct correlator *c, const struct env *v, const struct log_record *r,
                     struct piece *out);
/* Where a shell is the runtime, the death of its child is a status of 128 and the signal's 9. */
bool corr_says_killed(const struct platform_event *p);

/* --- correlate_store.c --- */

/* Brings back the attempts of one id within a day, in every environment, that are not in memory;
 * *n: how many there were. */
enum status corr_bring_back(struct correlator *c, const struct env *v, struct str id, int64_t t_ns,
                            size_t *n, struct err *e);
/* The same, unless one of the id is in memory. */
enum status corr_restore(struct correlator *c, const struct env *v, struct str id, int64_t t_ns,
                         struct err *e);
/* Brings back the requests of the environment that began in the range, once in a feed. */
enum status corr_recall(struct correlator *c, struct env *v, struct range r, struct err *e);
/* The same of those alone that ran at the same time as one that is judged in this feed; all of
 * these ran in the range. */
enum status corr_recall_runs(struct correlator *c, struct env *v, struct range ran, struct err *e);
/* Looks into v->runs.stored for those that ran in the range and are not in memory. */
enum status corr_load_runs(struct correlator *c, struct env *v, struct range ran, struct err *e);

/* --- spans.c --- */

/* The requests in memory that ran at a time. What comes into memory later in the feed is not among
 * the answers to a query made before. */
struct span_query {
    struct run_spans spans;
    size_t at;
    int64_t began_to_ns, ended_from_ns;
};
/* Those of which some time lies in the range: who ends as it begins ran before it, as times that
 * are coarse or borrowed make of many. */
struct span_query corr_overlapping(struct correlator *c, struct env *v, const struct range *r);
/* Those that ran from before it to after it. */
struct span_query corr_around(struct correlator *c, struct env *v, const struct range *r);
/* The next answer; NULL: that was all. */
struct assembly *corr_next(struct span_query *q);

/* The tree over any runs; sorts the rows and keeps them. */
struct run_spans corr_spans_of(struct correlator *c, struct run_span *rows, size_t n);
/* Whether one of them began before the range and ended after it. */
bool corr_is_enclosed(const struct run_spans *x, const struct range *r);
/* Whether one of them ran in the range. */
bool corr_is_run_in(const struct run_spans *x, const struct range *r);
/* Whether one of them began within the range and ended after it. */
bool corr_is_crossed(const struct run_spans *x, const struct range *r);

/* --- runs.c --- */

/* Of a stream that Lambda named is known that one request runs at a time. */
static inline bool corr_runs_alone(const struct env *v)
{
    return v->origin.version.n > 0;
}
/* In such a stream: makes v->runs for judging whoever ran in the range, of requests that changed,
 * and marks all dirty of which these changes change the verdict, in memory and in the store. */
enum status corr_look_around(struct correlator *c, struct env *v, struct range ran, struct err *e);
/* EV_FORGED or 0, of an attempt of such a stream, as of corr_look_around. */
unsigned corr_judge_run(const struct correlator *c, const struct env *v,
                        const struct tried_run *run);
/* Notes what a stored attempt tells. */
void corr_add_stored_run(struct correlator *c, struct env *v, const struct invocation *row);

/* --- evidence.c --- */

/* An environment that was initialized anew has given up what it ran before. */
bool corr_is_begun_anew(const struct env *v, int64_t from_ns, int64_t to_ns);
/* Whether such a line belongs to one request at the most. */
bool corr_has_owner(const struct loose *l);
/* Of an attempt: EV_FORGED, EV_DOUBTFUL or 0, where all who ran at the same time are known. */
unsigned corr_judge_attempt(struct correlator *c, const struct assembly *a,
                            const struct attempt *at);
/* The same, as judged in this feed, else as it was given out. */
unsigned corr_verdict(struct correlator *c, const struct assembly *a, const struct attempt *at);
bool corr_is_forged(struct correlator *c, const struct assembly *a, const struct attempt *at);
/* Gives each line without a request id its attempt, once in a feed: all pieces must be in. */
void corr_settle_owners(struct correlator *c, struct env *v);
/* What attempt_assemble wants of the environment for the attempt that began then; out has room for
 * all of its evidence. */
size_t corr_evidence_of(const struct assembly *a, int64_t start_ns, struct loose *out);

/* --- kin.c --- */

/* Before anything is given out: brings back whoever ran at the same time as a request that changed,
 * and marks all those dirty of which a change may tell whether somebody forged them. */
enum status corr_judge(struct correlator *c, struct err *e);

#endif
