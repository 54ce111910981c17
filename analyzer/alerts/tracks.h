/* Private to analyzer/alerts: the data rules look at, read from the store once an evaluation. */
#ifndef FNSCOPE_ANALYZER_ALERTS_TRACKS_H
#define FNSCOPE_ANALYZER_ALERTS_TRACKS_H

#include "analyzer/alerts/places.h"
#include "analyzer/alerts/rule_eval.h"

struct tracks {
    struct arena *arena;
    int64_t now_ns, begun_ns; /* as struct alert_set has it */
    struct range range;       /* looked at: from a whole minute to now, now included */
    struct track *rows;
    size_t n, cap;
    struct idmap index; /* hash of signal and subject -> place in rows */
    struct places places;
    int64_t newest_ns; /* newest data of any kind; 0: none */
    struct queue_rows queues;
    struct fn_config_rows configs; /* by function, newest first */
    struct idmap config_index;     /* hash of the function -> its first in configs */
};

/* All tracks of the signals that the rules name. tracks_clear frees the index. */
MUST_CHECK enum status tracks_load(struct tracks *t, struct store *s, const struct alert_set *set,
                                   struct err *e);
void tracks_clear(struct tracks *t);

/* NULL: there is none. */
const struct track *tracks_find(const struct tracks *t, const struct signal_info *signal,
                                const struct subject *subject);
/* A function or region of which nothing was heard while its source was read: it is idle, its values
 * are zero. NULL where silence proves nothing. */
const struct track *tracks_idle(struct tracks *t, const struct signal_info *signal,
                                const struct subject *subject);

/* What is found, else, of what adds up, what is idle; NULL of no signal. Pointers to other tracks
 * may move. */
const struct track *tracks_divisor(struct tracks *t, const struct signal_info *per,
                                   const struct subject *subject);

/* Why nothing is known of the subject any more: "the queue is no longer there"; NULL: it is
 * watched.
 */
const char *tracks_why_unwatched(const struct tracks *t, const struct signal_info *signal,
                                 const struct subject *subject);
/* Of values that do not come any more: why none will, "no source reads its metrics any more"; NULL:
 * they may come yet. */
const char *tracks_why_unread(struct tracks *t, const struct signal_info *signal,
                              const struct subject *subject);
/* Is there another subject of that kind and name, in another account or region? */
bool tracks_shares_name(const struct tracks *t, const struct subject *subject);

/* Adds an empty track; its place is valid until the next. */
struct track *tracks_add(struct tracks *t, const struct signal_info *signal,
                         const struct subject *subject);
void track_put(struct tracks *t, struct track *track, const struct sample *s);

/* cells.c: invocations by function and minute, as tracks of the signals that `wants` marks. */
MUST_CHECK enum status cells_load(struct tracks *t, struct store *s, const bool *wants,
                                  struct err *e);

#endif
