/* The watcher of a running writer: evaluates the rules after commits and when idle, writes what
 * changed, hands messages to the notifier and stores what became of them. Everything runs on the
 * writer thread but the sending. */
#ifndef FNSCOPE_CLI_WATCH_H
#define FNSCOPE_CLI_WATCH_H

#include "cli/alert_config.h"
#include "core/base/clock_look.h"
#include "core/store/store.h"

struct watch {
    struct store *store; /* the writer's */
    const struct alert_config *config;
    struct notify *notify;
    struct clock clock;
    int64_t next_ns;  /* monotonic; of the next evaluation */
    int64_t begun_ns; /* wall; also when the clock was set: what was polled by the old one is late
                         by the new one until it is polled again */
    struct clock_look look;
    int64_t kept_ns; /* monotonic: when what holds was last told again */
    bool is_kept;
    bool has_begun;     /* who is newly configured was told of what fires */
    struct arena arena; /* of one step */
    struct watch_held {
        int64_t since_ns; /* wall; 0: the store takes what it gets */
        int64_t next_ns;  /* monotonic */
        bool is_told;     /* to somebody, or on the way */
    } held;
};

/* is_kept: it steps all the time, and tells receivers that forget what holds each minute. */
MUST_CHECK enum status watch_open(struct watch *w, struct store *s, const struct alert_config *k,
                                  struct clock clock, bool is_kept, struct err *e);
/* An evaluation takes at most a twentieth of the time, unless is_forced. Fails when the store
 * cannot be written. */
MUST_CHECK enum status watch_step(struct watch *w, bool is_forced, struct err *e);
/* The store takes nothing since `since_ns` (wall), and so no alert: after half a minute every
 * notifier is told of that itself, past the outbox, again each minute until watch_step finds the
 * store well and tells the end. */
void watch_tell_held(struct watch *w, int64_t since_ns);
/* Waits until every message that is due was tried once, or the time is over. */
MUST_CHECK enum status watch_drain(struct watch *w, int64_t timeout_ns, struct err *e);
void watch_close(struct watch *w);

#endif
