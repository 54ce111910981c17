/* Inside of collector/ and its provider folders: from one raw event to one record. Every decoder
 * of a file format hands its events to event_add(), which finds function and environment, makes the
 * text valid, gives the event its identity and has it decoded. */
#ifndef FNSCOPE_COLLECTOR_EVENT_H
#define FNSCOPE_COLLECTOR_EVENT_H

#include "collector/decode.h"

enum { ORIGIN_CACHE = 512, EVENTS_RECENT = 256, EVENTS_FEW = 8 };

/* What a file format says about an event; empty members: nothing. Body and invocation_id live as
 * long as the batch, other views until the next piece of the file. */
struct raw_event {
    struct str account, region, function, log_group, stream;
    struct str event_id, body;
    struct str invocation_id; /* said by the envelope; used where the text says nothing */
    enum severity severity;   /* as invocation_id */
    int64_t time_ns, seen_ns;
    bool has_time;           /* else the file's time stands in, and all that is before names it */
    bool is_time_near;       /* where it has none: that of the line before stands in */
    bool is_valid_utf8;      /* known already */
    struct decode_mark mark; /* where the event begins */
};

/* What an event says of where it comes from. */
struct event_views {
    struct str stream, log_group, account, region, function;
};

struct origin_slot {
    struct event_views said;     /* copies */
    struct origin known;         /* what that stands for */
    uint64_t n_adopted;          /* by the book when it was asked */
    const struct origin *origin; /* the same in a batch */
    uint64_t batch;              /* that one, counted by the maker */
    uint64_t place, place_seed;  /* hash that names the environment; of which kind of identity */
};

/* Part of a decoder's state; zeroed is ready, event_maker_clear() frees. */
struct event_maker {
    struct origin_slot *cache[ORIGIN_CACHE]; /* in `origins`; NULL: none there yet */
    struct arena origins;                    /* with their texts */
    struct origin_slot *last;                /* of the event before; NULL: none */
    struct event_views last_said;
    struct decode_memo before;
    const struct batch *batch; /* the one at hand */
    uint64_t n_batches;        /* origins of those before are gone */
    /* Events of one time: their identities, of many identity -> how often. */
    uint64_t run_few[EVENTS_FEW];
    size_t n_run_few;
    struct idmap run;
    int64_t run_time_ns;
    /* The last identities without their twins' numbers, for times that come back. */
    uint64_t recent[EVENTS_RECENT], n_recent;
    int64_t newest_ns;
    bool is_back;                /* this run's time is not newer than all before */
    struct decode_mark run_mark; /* first event of that time: where to resume */
    uint64_t chain;              /* of all events so far; a resumed decoder takes the mark's */
    uint64_t begun, ended;       /* request of the last START, of the END just before; 0: none */
    uint64_t n_events;           /* of the file, for places */
    bool is_started;
};

/* Puts the log group's name into ev, and what else of it is said (log_group.h). */
void event_take_group(struct raw_event *ev, struct str said);
/* Adds the event, or quarantines it (time outside 2010-2100, larger than EVENT_MAX_BYTES). With
 * durations or memory that no platform line can hold it is text that imitates one. */
void event_add(struct event_maker *m, const struct decode_input *in, const struct raw_event *ev,
               struct batch *out);
void event_maker_clear(struct event_maker *m);
/* For who hands events of this file to another maker: whose batch the next ones go into. */
void event_maker_meet(struct event_maker *m, const struct batch *b);
/* The views of the events before are gone: other text may stand where they pointed. */
void event_maker_forget_views(struct event_maker *m);

/* Place "dump.json: byte 1234567, event 17" with the maker's count, "dump.log:345: byte ..." where
 * lines are counted; the offset is of the plain stream. */
void event_quarantine(const struct event_maker *m, const struct decode_input *in,
                      const struct decode_mark *at, struct str raw, const char *reason,
                      struct batch *out);
/* Whether a last event that has no line's end needs none: a JSON object that is closed. A line of
 * the platform may go on behind each of its parts. */
bool event_is_whole(struct str body, struct batch *out);

/* Epoch seconds, milliseconds, microseconds or nanoseconds, told by their size; a fraction is read.
 * Also RFC 3339. */
enum {
    EVENT_MS_DIGITS = 13
}; /* of milliseconds between 2001 and 2286, as the AWS APIs write them */
bool event_time(struct str text, int64_t *t_ns);
/* The time in the text itself: Node, Python, Java, Go, Ruby, .NET and JSON lines begin with one. */
bool event_own_time(struct str line, int64_t *t_ns);
/* 2010-2100: events outside are quarantined. */
bool event_time_is_near(int64_t t_ns);

#endif
