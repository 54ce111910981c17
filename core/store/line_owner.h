/* Private to core/store: which request each log line belongs to, found in one pass over lines in
 * time order. What `fnscope show` decides for one request (log_read.c) is decided here for all at
 * once:
 *
 * - START, END and REPORT name their request.
 * - An environment (a log stream) runs one request at a time: what stands between a request's
 * platform lines is its own, whatever identifiers it mentions, and so is what trails them by
 * LOG_AFTERMATH_NS. There a line that names the request that has just ended is still that one's.
 * - Managed instances run several: where one began while another was running, a line that says its
 * own id is of that one, and where the other ended later, too, the rest is nobody's. So it is at
 * once in a stream that Lambda did not name, as that of a file of many environments, where what is
 * stored of the other says so.
 * - Lines without a stream may be of several environments: those that name a request that is open
 * are its own, the others only while one alone is open.
 * - An initialization belongs to the request that starts, or else ends, within LINE_OWNER_INIT_NS.
 * - What no request is around belongs to the request it says or mentions (log_request_id()) where
 * that one stands close by, in the same stream; one that it says may also not be stored at all.
 *
 * No line is told by anything further away than these bounds, so that the lines around a stored
 * attempt (line_owner_reach) tell the same of its own as a pass over all lines. */
#ifndef FNSCOPE_CORE_STORE_LINE_OWNER_H
#define FNSCOPE_CORE_STORE_LINE_OWNER_H

#include "core/base/map.h"
#include "core/store/store_private.h"

/* Nothing runs longer; what never ended is not open for ever. */
#define LINE_OWNER_RUN_NS  (LOG_LONG_RUN_NS + LOG_AFTERMATH_NS)
#define LINE_OWNER_INIT_NS NS_PER_MIN
/* How far around a range lines must be heard for those in it to be told. */
#define LINE_OWNER_LEAD_NS LINE_OWNER_RUN_NS
#define LINE_OWNER_TAIL_NS LINE_OWNER_INIT_NS
/* In a stream one that begins or ends a request tells of those behind it, with what reaches across
 * it: an initialization, what trails the request before. */
#define LINE_OWNER_NEAR_NS LINE_OWNER_INIT_NS

/* The attempts that are stored of one request id. */
struct attempt {
    struct invocation inv;
    uint32_t fn_id;
};
struct attempts {
    struct attempt *rows;
    size_t n, cap;
};
/* In any day, forged ones too; all in `a`. */
MUST_CHECK enum status attempts_read(struct store *s, struct str id, struct arena *a,
                                     struct attempts *out, struct err *e);
/* From the first to the last moment at which a line can be the attempt's own. */
struct range line_owner_reach(const struct invocation *inv);

struct owner_track;
struct line_owners {
    struct store *store;
    struct arena *arena;   /* of tracks */
    struct idmap track_of; /* an origin: its struct owner_track */
    /* What was asked last about a mention. */
    struct arena asked_arena;
    struct str asked;
    struct attempts attempts;
    struct err failure; /* of asking; the caller looks at it when all lines are heard */
};

/* `a` grows with the number of streams and of requests. */
void line_owners_init(struct line_owners *o, struct store *s, struct arena *a);
void line_owners_clear(struct line_owners *o);
/* Hears the next line and sets *owner, whose place stays until a line LINE_OWNER_TAIL_NS later is
 * heard: an initialization's is set when its request starts. The id is in memory of `keep`. NULL:
 * the line is heard only. */
void line_owners_hear(struct line_owners *o, const struct log_line *l, struct str *owner,
                      struct arena *keep);
/* Would hearing lines from before the first one that was heard change nothing of this stream's, as
 * the first was LINE_OWNER_NEAR_NS before? */
bool line_owners_is_sure(const struct line_owners *o, const struct origin *origin);
/* May lines from then on still be of the request, though none ended it or it has just ended? */
bool line_owners_goes_on(const struct line_owners *o, const struct origin *origin, struct str id,
                         int64_t from_ns);

#endif
