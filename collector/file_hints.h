/* Inside of collector/: what a file says about its function beside its events. */
#ifndef FNSCOPE_COLLECTOR_FILE_HINTS_H
#define FNSCOPE_COLLECTOR_FILE_HINTS_H

#include "collector/decode.h"
#include "collector/whereabouts.h"

/* What a head tells beside the defaults. */
struct file_heard {
    struct whereabouts *whereabouts;
    struct stream_clues clues; /* where the stream is named after the file; else none */
    bool lacks_times;          /* lines of the head have no time, */
    bool is_untimed;           /* and none near them has */
};

/* Fills the empty members of d: the function from platform records of the file's head where all of
 * them agree; stream and function from the file's path (S3 exports name folders after streams);
 * last the file's own name as the function's: then true. Strings are in `a`. What ARNs in the head
 * say of regions and accounts, and the streams of its requests, are noted in the whereabouts. */
bool file_hints(struct import_defaults *d, const struct decoder_ops *decoder,
                const struct decode_input *head, struct arena *a, struct file_heard *heard);

/* NULL: text that may be a log. Else what the bytes are and what to do about it. */
const char *file_refusal(struct str head);

#endif
