/* Inside of collector/: what a file says about its function beside its events. */
#ifndef FNSCOPE_COLLECTOR_FILE_HINTS_H
#define FNSCOPE_COLLECTOR_FILE_HINTS_H

#include "collector/decode.h"
#include "collector/whereabouts.h"

/* Fills the empty members of d: the function from platform records of the file's head where all of
 * them agree; stream and function from the file's path (S3 exports name folders after streams);
 * last the file's own name as the function's: then true. Strings are in `a`. What ARNs in the head
 * say of regions and accounts is noted in w. */
bool file_hints(struct import_defaults *d, const struct decoder_ops *decoder,
                const struct decode_input *head, struct arena *a, struct whereabouts *w);

/* NULL: text that may be a log. Else what the bytes are and what to do about it. */
const char *file_refusal(struct str head);

#endif
