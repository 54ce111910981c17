/* Private to analyzer/: the pieces of one request in one environment, and what attempts they make.
 * Pure. */
#ifndef FNSCOPE_ANALYZER_ASSEMBLY_H
#define FNSCOPE_ANALYZER_ASSEMBLY_H

#include "core/base/buf.h"
#include "core/model/batch.h"
#include "core/store/request.h"

enum piece_kind { /* in the order in which pieces of the same instant are read */
                  PIECE_START,
                  PIECE_TIMEOUT,   /* old text line */
                  PIECE_EXIT,      /* old text line */
                  PIECE_APP_ERROR, /* the runtime logged an unhandled error */
                  PIECE_RUNTIME_DONE,
                  PIECE_END,
                  PIECE_REPORT,
                  PIECE_KINDS
};

/* One thing known about the request. Texts are interned by the correlator. */
struct piece {
    int64_t t_ns;
    enum piece_kind kind;
    unsigned has; /* enum platform_has */
    int64_t duration_ns, billed_ns, init_ns, restore_ns;
    uint64_t memory_bytes, max_memory_bytes;
    struct str status, error_type, version, trace_id;
    bool was_killed;       /* EXIT: "signal: killed" */
    bool is_time_borrowed; /* of a line near by, or guessed */
    bool is_time_guessed;  /* of the file: one instant is one run of it */
    uint16_t arrival;      /* of a START (core/model/arrival.h); tells no two pieces apart */
};

/* What belongs to the environment and not to a request. */
struct loose {
    int64_t t_ns;
    enum platform_kind kind; /* PLATFORM_OTHER: an unhandled error without a request id */
    int64_t duration_ns;
    struct str status, error_type, init_type, phase;
    struct str runtime; /* "java:21.v38"; empty: not said */
    bool was_killed;
    uint16_t arrival; /* core/model/arrival.h; of lines that have no duration */
    bool is_guess;    /* given to the attempt, though it may be another's */
};

struct pieces {
    struct piece *rows; /* sorted by time, then by all they say */
    size_t n, cap;
    bool has_guessed; /* one at least */
};

enum { MAX_PIECES = 512 }; /* of one request in one environment: the first ones are kept */

enum piece_news { PIECE_KNOWN, PIECE_ARRIVAL, PIECE_NEW };
/* Adds unless the same is there already, which may still learn when it arrived: of two that are
 * known the larger number. */
enum piece_news pieces_add(struct pieces *p, const struct piece *piece);

/* One attempt: the pieces [from, to) of the sorted array. */
struct attempt {
    size_t from, to;
};
/* Cuts them; at most `max` attempts, the rest stays with the last. */
size_t pieces_attempts(const struct pieces *p, struct attempt *out, size_t max);

/* When it began: its START, else what its REPORT says, else its first piece. Starts of attempts
 * ascend strictly. */
int64_t attempt_start(const struct pieces *p, const struct attempt *at);

/* Fills everything of *inv but origin, id, attempt, price and the stored_ members. `loose` are
 * those of the environment that are this attempt's, and all its INIT_STARTs, in any order. */
void attempt_assemble(const struct pieces *p, const struct attempt *at, const struct loose *loose,
                      size_t n_loose, struct invocation *inv);

/* The longest timeout a function can have is 5,400 s. */
#define LONGEST_RUN_NS (2 * NS_PER_HOUR)

/* REPORT is written a moment after the end of what it measured. */
#define REPORT_LAG_NS (10 * NS_PER_SEC)
/* How well START, REPORT and its Duration agree where none was delayed. */
#define RUN_SLACK_NS (NS_PER_SEC / 4)

/* From the run's beginning to what the REPORT measured; initialization may have come after START.
 */
int64_t report_lag(const struct piece *report, int64_t start_ns);
/* When its run began where no START tells: nothing runs for longer than LONGEST_RUN_NS, so an
 * attempt's row lies near its lines. */
int64_t report_begin(const struct piece *report);
/* Whether it measured just the run that began then. */
bool report_is_of_run(const struct piece *report, int64_t start_ns);
/* Whether two REPORTs hold the same numbers. */
bool piece_measures_as(const struct piece *x, const struct piece *y);

/* --- guessed.c --- */

/* Of a guessed piece: whether it is more than a copy, or the beginning, of another REPORT. */
bool guessed_counts(const struct pieces *p, size_t i);
/* Whether an attempt begins at the guessed START or REPORT at i; `report`: what the one before
 * has, or NULL. */
bool guessed_begins(const struct pieces *p, size_t i, const struct piece *report);
/* Where the guessed pieces of the attempt stand that count; not known: all do. */
struct guessed_at {
    bool is_known;
    int64_t t_ns;
};
struct guessed_at guessed_instant(const struct pieces *p, const struct attempt *at);
/* What came of a copy of some of its lines. */
bool guessed_is_echo(const struct piece *piece, const struct guessed_at *own);
/* When an attempt without START began. */
int64_t guessed_begin(const struct pieces *p, const struct attempt *at, const struct piece *report);

/* --- enclosure.c --- */

/* Not where the REPORT speaks of a longer run than lies between the two, or bills more than it
 * measured. */
bool report_is_possible(const struct piece *report, const struct piece *start);
/* Whether the attempt's own lines could all have been printed by another request: no START, no
 * REPORT, or one that is not possible. */
bool attempt_is_suspect(const struct pieces *p, const struct attempt *at);

/* Of an attempt without START: the time in which no other request can have run if its REPORT is
 * genuine, as far as the clocks agree; empty where there is none. */
struct range attempt_claim(const struct pieces *p, const struct attempt *at);

/* Whether an attempt that is suspect was printed by `printer`, in whose run it lies, also where the
 * lines of many environments may be mixed. */
bool attempt_is_refuted(const struct pieces *p, const struct attempt *at,
                        const struct pieces *printer);

/* Whether the request was running all the time from before first_ns to after last_ns, by a START
 * and the REPORT that measured it, in an environment that runs one request at a time. */
bool pieces_enclose(const struct pieces *p, int64_t first_ns, int64_t last_ns);

/* Whether a piece says the same, whenever it does. */
bool pieces_say(const struct pieces *p, const struct piece *piece);

/* Whether the attempt is one of `other`'s: its REPORT measured the same, or it has none and lies in
 * one, at the same time as far as an export tells it that cuts times to seconds or borrows them
 * from lines near by. */
bool attempt_is_told_by(const struct pieces *p, const struct attempt *at,
                        const struct pieces *other);

/* Whether another export without times tells it: its times are those of lines near by, and a REPORT
 * of another attempt that says its own time measured the same. */
bool attempt_is_echo(const struct pieces *p, const struct attempt *at);

/* Whether they look like a managed instance's, which runs requests side by side. */
bool attempt_is_unbilled(const struct pieces *p, const struct attempt *at);
/* From the first to the last piece. */
struct range pieces_span(const struct pieces *p);
/* The same with what a first REPORT without START claims, and with who began as it ended. */
struct range pieces_reach(const struct pieces *p);
/* The least range that holds both. */
struct range range_hull(struct range x, struct range y);
/* Whether inner lies strictly within outer: both ends are in it. */
bool range_lies_within(const struct range *inner, const struct range *outer);

/* From START to REPORT of an attempt that has just one of each, which agree, in an environment that
 * runs one request at a time. */
bool attempt_plain_run(const struct pieces *p, const struct attempt *at, struct range *run);
/* From each START of the attempt to the last REPORT that measured it; room for its pieces. */
size_t attempt_measured_runs(const struct pieces *p, const struct attempt *at, struct range *out);

/* An INIT_REPORT that says of its init only that it went well. */
bool loose_is_silent_init(const struct loose *l);

/* Is the text before another: the rank of outcomes when pieces disagree. */
int outcome_rank(enum outcome o);

/* --- pieces as bytes: what a row keeps of its attempt, so that a later piece finds all of them
 * (piece_code.c) --- */

/* Needs what attempt_assemble filled in: what the row says itself is left out. */
void pieces_encode(const struct pieces *p, const struct attempt *at, const struct invocation *inv,
                   struct buf *out);
/* Calls add for each piece of a row; texts are views into the row. A row without code, or with a
 * damaged one, gives what its columns say. */
typedef void piece_fn(void *ctx, const struct piece *piece);
void pieces_decode(const struct invocation *inv, piece_fn *add, void *ctx);

#endif
