/* The decoder contract: bytes of one format to records. Pure: no disk, no clock, no network.
 * Decoders are listed in decode.c; detection asks each in order with the first 64 KB.
 *
 * A decoder gets the input piece by piece and keeps what it needs between pieces in its state. It
 * must take everything up to the last complete event, and with is_last everything. It never fails
 * on content: what it cannot read it quarantines with its place; only ERR_LIMIT and ERR_BUG leave
 * it. */
#ifndef FNSCOPE_COLLECTOR_DECODE_H
#define FNSCOPE_COLLECTOR_DECODE_H

#include "collector/collector.h"
#include "core/base/jsonpull_row.h"

enum {
    EVENT_MAX_BYTES = 1 << 20, /* CloudWatch's limit is 1,024 KB since 2025; longer events are cut,
                                  counted and quarantined */
    /* A decoder that took nothing of a piece this long must make progress: JSON escapes can make
     * an event six times as long. */
    PENDING_MAX_BYTES = 8 << 20,
};

struct decode_input {
    struct str path;  /* for places */
    uint64_t offset;  /* of bytes.p in the plain stream */
    struct str bytes; /* stay valid as long as the batch, since records may point into them; for
                         decoders that copy, as long as the call */
    bool is_last;
    bool is_damaged;    /* is_last, and the stream breaks off here: who reads it tells so */
    bool is_unfinished; /* is_last, but the last line has no end and may still be written: an event
                           it belongs to is left, unless it is whole (event_is_whole) */
    const struct import_defaults *defaults;
};

/* A place where decoding can be taken up again: all events before it were handed out, and reading
 * from there gives the same events with the same identities. */
struct decode_mark {
    uint64_t offset; /* in the plain stream */
    uint64_t mode;   /* what the decoder must know there; its own business */
    uint64_t chain;  /* hash of all events before: names those without a time */
    uint64_t line;   /* 1 is the first; 0: no format of lines */
};

struct decoder_ops {
    const char *name; /* "cloudwatch-json", "tail", "subscription", "ndjson", "text" */
    const char *help;
    bool is_of_lines;  /* knows is_unfinished */
    bool copies;       /* no record points into the bytes: they are read into memory that is used
                          again and again, and stays in the processor's cache */
    size_t state_size; /* zeroed before the first piece; owned by the caller, freed by close */
    /* 0 no, 1..100 how sure; head is the start of the plain stream */
    int (*accepts)(struct str head);
    /* Appends to `out`, sets *used to the bytes taken (the rest comes again, longer). */
    enum status (*decode)(void *state, const struct decode_input *in, struct batch *out,
                          size_t *used, struct err *e);
    void (*close)(void *state); /* NULL: nothing to free */
    /* NULL both: a file is always read from its start, and repeats are dropped. */
    struct decode_mark (*mark)(const void *state);
    void (*resume)(void *state, const struct decode_mark *m);
};

extern const struct decoder_ops *const decoders[];         /* NULL-terminated */
const struct decoder_ops *decoder_detect(struct str head); /* never NULL: "text" takes everything */
const struct decoder_ops *decoder_find(struct str name);   /* NULL: none of that name */

/* What is remembered of the event before, for speed alone. Zeroed is nothing. */
struct decode_memo {
    struct jp_form json;                /* its members */
    const struct platform_event *start; /* of the last START in this batch; NULL: none */
};

/* Fills a record from one event's text: platform line (text or JSON) or application line of any
 * runtime. `r` has origin, time_ns, body set; kind, severity, ids, message, platform, is_error,
 * identity are filled. Dispatches on the provider. */
void decode_event(struct decode_memo *before, struct log_record *r, struct batch *out);

#endif
