/* Inside of collector/aws/: the state of a walk over CloudWatch JSON, shared with the unpacking of
 * envelopes and with the way past what cannot be read. */
#ifndef FNSCOPE_COLLECTOR_AWS_CLOUDWATCH_JSON_H
#define FNSCOPE_COLLECTOR_AWS_CLOUDWATCH_JSON_H

#include "collector/aws/json_shape.h"
#include "collector/event.h"
#include "collector/open_requests.h"
#include "core/base/buf.h"
#include "core/base/intern.h"
#include "core/base/jsonpull.h"

enum cw_mode { CW_TOP, CW_DOCUMENT, CW_EVENTS, CW_LIST /* of arrays */ };

/* What cannot be read and does not end in this piece: the walk passes over it piece by piece. */
struct cw_passed {
    struct shape_place place;
    struct buf head; /* its first bytes, for the quarantine */
    uint64_t offset, bytes;
    const char *why;
    bool is_open, is_value; /* it ends with its own brackets, too */
};

struct cw_state {
    struct event_maker maker;
    struct open_requests open; /* of events with streams and without ids: their order says more */
    struct intern names;       /* of groups and streams: they outlive a batch */
    unsigned mode;             /* where the walk stands */
    struct str owner, log_group, stream;
    struct decode_mark document; /* where the open document began */
    bool is_control, has_context, has_events;
    bool is_nested;   /* a document out of an envelope */
    bool is_end_told; /* the event the file ends in was kept aside */
    struct cw_passed passed;
};

/* What to do after a step. */
enum cw_step { CW_ON, CW_WAIT /* for more bytes */ };

/* One piece of the text. */
struct cw_walker {
    struct cw_state *s;
    const struct decode_input *in;
    struct batch *out;
    const char *p, *end;
    struct jp_form form; /* of the event before */
};

/* What was read of one event. */
struct cw_event {
    struct raw_event ev;
    bool has_message, is_row; /* of Logs Insights */
    const char *problem;
};

struct str cw_rest_of(const struct cw_walker *w);
uint64_t cw_offset_of(const struct cw_walker *w, const char *p);

/* The event at w->p was read to j->p: hands it on, or passes over it. */
enum cw_step cw_take_event(struct cw_walker *w, struct cw_event *r, const struct jp *j);
void cw_read_time(struct jp *j, struct cw_event *r, int64_t *t_ns, bool *has);

/* The member whose value envelope_unpack() takes. */
bool cw_is_packed_key(struct str key);

/* --- cloudwatch_detect.c: how sure it is that a file with this head is one (decode.h) --- */

int cw_accepts_answer(struct str head);
int cw_accepts_envelope(struct str head);

/* --- cloudwatch_list.c: what has no names around it --- */

/* `[[` and a number: what --query 'events[].[timestamp,message]' makes. p is at the first bracket.
 */
bool cw_begins_list(const char *p, const char *end);
enum cw_step cw_step_list(struct cw_walker *w);
/* The object at p begins like a record of the Telemetry API: {"time","type","record"}. */
bool cw_begins_record(const char *p, const char *end);
/* is_record false: it was none, and w stands where it stood. */
enum cw_step cw_read_record(struct cw_walker *w, bool *is_record);

/* --- cloudwatch_pass.c: one quarantine row, with its place, for each thing that is passed --- */

/* Up to the next event or document: text without any structure. */
enum cw_step cw_pass_rubbish(struct cw_walker *w, const char *why);
/* The value at w->p. Waits while it may still be only incomplete. */
enum cw_step cw_reject(struct cw_walker *w, const char *why);
/* The reader stopped at j->p, in the value at w->p. */
enum cw_step cw_reject_or_wait(struct cw_walker *w, const struct jp *j);
/* The next piece of what is being passed. */
void cw_pass_on(struct cw_walker *w);

enum status cw_decode(void *state, const struct decode_input *in, struct batch *out, size_t *used,
                      struct err *e);

/* `raw` is the value of awslogs, Records or records: finds each base64 "data" in it, unpacks gzip,
 * and decodes the envelope inside. What cannot be unpacked is quarantined. */
void envelope_unpack(struct cw_state *s, const struct decode_input *in, struct str raw,
                     struct batch *out);

#endif
