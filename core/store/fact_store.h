/* Private to core/store: how facts stand in a day file. Facts of one function and hour lie together
 * in groups of some dozens, one row each; the row's id is function, hour and a running number, so a
 * function's groups are neighbours and groups are only appended or rewritten. Groups of an hour may
 * overlap in time. fact_group.c turns facts into bytes (pure), fact_write.c adds and removes facts,
 * fact_scan.c reads them, fact_upgrade.c moves the rows of older files into groups. */
#ifndef FNSCOPE_CORE_STORE_FACT_STORE_H
#define FNSCOPE_CORE_STORE_FACT_STORE_H

#include "core/base/varint.h"
#include "core/store/store_private.h"

/* --- sums over a range (stats_read.c) --- */

/* Which days of a range are held, so that each is asked once a request. */
struct held_days {
    struct store *store;
    struct range range;
    bool *lines; /* by place in day_numbers */
};
MUST_CHECK enum status find_held_days(struct store *s, struct range r, struct arena *a,
                                      struct held_days *out, struct err *e);
/* All sums of a function but the log counts of pieces of hours. */
MUST_CHECK enum status add_sums(const struct held_days *held, uint32_t fn, struct stats *out,
                                struct err *e);
/* Log counts of a piece of an hour have no roll-up: its lines are counted, in one pass for all
 * functions that q lets through. q's range is that of the sums. */
MUST_CHECK enum status count_edges(const struct held_days *held, const struct count_request *q,
                                   line_counts_fn *fn, void *ctx, struct err *e);
void add_counts(struct stats *out, const struct line_counts *add);

/* --- one group as bytes (fact_group.c) --- */

enum {
    GROUP_FACTS = 64,   /* at most */
    GROUP_BYTES = 1900, /* a fact is added as long as there are fewer: two groups fill a page */
    GROUP_OPEN = 1200,  /* the last group of an hour takes more facts while it has fewer */
};

/* Pieces of the fact before: those of the next differ in a few bytes. Longer ones count as none. */
enum { PIECES_KEPT = 63 };
struct last_pieces {
    char bytes[PIECES_KEPT];
    size_t n;
};

struct group_writer {
    struct buf data;
    struct fact last; /* numbers of the fact before */
    struct last_pieces pieces;
    size_t n;
    int64_t t0_ns, t1_ns; /* of the first and last fact */
};
void group_reset(struct group_writer *w);
/* Facts come in the order of time. */
void group_add(struct group_writer *w, const struct fact *f);
bool group_is_full(const struct group_writer *w);

struct group_reader {
    struct varint_reader in;
    struct fact last;
    struct last_pieces pieces;
    int64_t t1_ns;
    struct arena *keep; /* when set, pieces live in it instead of until the next fact */
};
/* A group that begins at t0_ns and ends at t1_ns. */
void group_open(struct group_reader *r, uint32_t fn, struct range bounds, struct str data);
/* Gives the next fact, ids as views into the data; false at the end, or with in.is_bad set when the
 * data is damaged. A fact never lies outside the bounds or before the one before. */
bool group_next(struct group_reader *r, struct fact *f);

/* Bounds of the row ids of a function's hours, both ends included. */
#define GROUP_HOUR_BITS 26
static inline int64_t group_first_id(uint32_t fn, unsigned hour)
{
    return (int64_t)fn << (GROUP_HOUR_BITS + 5) | (int64_t)hour << GROUP_HOUR_BITS;
}
static inline int64_t group_last_id(uint32_t fn, unsigned hour)
{
    return group_first_id(fn, hour) | (((int64_t)1 << GROUP_HOUR_BITS) - 1);
}
static inline uint32_t group_fn(int64_t id)
{
    return (uint32_t)(id >> (GROUP_HOUR_BITS + 5));
}

/* --- reading (fact_scan.c) --- */

/* Facts of one function and a range of one day, in no order. Opens on a file of any version. What
 * one seek gives is of one moment; between two the writer may change the file, also from the rows
 * of an older version to groups.
 *
 *     AUTO(fact_cursor_close) struct fact_cursor c = {0};
 *     s = fact_cursor_open(&c, d, e);
 *     if (s == OK)
 *         fact_cursor_seek(&c, fn, range);
 *     while (s == OK && (s = fact_cursor_next(&c, &f, &has_fact, e)) == OK && has_fact)
 *         ...
 */
struct fact_cursor {
    struct sql *db;
    struct sql_stmt *st;
    int64_t day;
    bool has_groups, is_in_group;
    bool has_given;  /* a row, since the last seek */
    bool has_forged; /* gives those with EV_FORGED too */
    uint32_t fn;
    struct range range;
    struct group_reader group;
    struct arena *keep; /* when set, views live in it instead of until the next step */
};
MUST_CHECK enum status fact_cursor_open(struct fact_cursor *c, struct day *d, struct err *e);
/* What of the range lies outside the day is left out. */
void fact_cursor_seek(struct fact_cursor *c, uint32_t fn, struct range r);
MUST_CHECK enum status fact_cursor_next(struct fact_cursor *c, struct fact *f, bool *has_fact,
                                        struct err *e);
void fact_cursor_close(struct fact_cursor *c);

/* Gives every fact of the day in the range. Ids are as stored: fact_settle. */
MUST_CHECK enum status facts_each(struct day *d, uint32_t fn, struct range r, struct fact_sink sink,
                                  struct err *e);
/* Starts of the function's first and last fact of the day, both included. */
MUST_CHECK enum status facts_bounds(struct day *d, uint32_t fn, bool *is_found,
                                    struct range *bounds, struct err *e);
/* Cuts a range of the day to where the function has facts: most run in a few hours of a day only,
 * the others need no look. until_ns is not above since_ns where there are none. */
MUST_CHECK enum status facts_narrow(struct day *d, uint32_t fn, struct range *r, struct err *e);
/* A fact_fn: adds the fact to the struct stats at ctx. */
enum status fact_count(void *ctx, const struct fact *f, struct err *e);
/* Adds the facts in the range to the sums, by counting them. */
MUST_CHECK enum status facts_sum(struct day *d, uint32_t fn, struct range r, struct stats *out,
                                 struct err *e);

/* --- writing (fact_write.c) --- */

/* Adds facts of this day, sorted by function and time. */
MUST_CHECK enum status facts_insert(struct day *d, const struct fact *const *facts, size_t n,
                                    struct err *e);
MUST_CHECK enum status fact_delete(struct day *d, const struct fact_key *key, bool *was_there,
                                   struct err *e);

/* Writes facts of one function and hour that come one by one in the order of time as groups, with
 * ids from next_id on; the end must be told. */
struct fact_filler {
    struct group_writer group;
    int64_t next_id, last_id; /* the hour's last */
};
MUST_CHECK enum status fact_filler_add(struct fact_filler *w, struct day *d, const struct fact *f,
                                       struct err *e);
MUST_CHECK enum status fact_filler_end(struct fact_filler *w, struct day *d, struct err *e);
void fact_filler_clear(struct fact_filler *w);

/* --- older files (fact_upgrade.c) --- */

/* A row of FACT_ROW_COLUMNS, as files had them before migration 4; views into the row. */
#define FACT_ROW_COLUMNS                                                                           \
    "fn,ts,rid,stream,kind,dur,billed,mem,used,init,evidence,cost,error,version,trace,extra"
void fact_row_read(const struct sql_stmt *st, int64_t day, struct fact *f);
/* Inside the transaction of the migration: moves the rows into groups and drops their table. */
MUST_CHECK enum status facts_upgrade(struct sql *db, struct err *e);

static inline unsigned hour_of_day(int64_t ts_ns, int64_t day)
{
    return (unsigned)((ts_ns - day * NS_PER_DAY) / NS_PER_HOUR);
}

/* Facts are written in another order than they came in: one that is to be read soon is fetched into
 * the processor's cache. */
enum { FACTS_AHEAD = 4, CACHE_LINE_BYTES = 64 };
static inline void fact_fetch(const struct fact *f)
{
    for (size_t at = 0; at < sizeof(*f); at += CACHE_LINE_BYTES)
        __builtin_prefetch((const char *)f + at);
}

#endif
