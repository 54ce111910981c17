/* Inside of collector/aws/: START and END lines as the platform writes nearly all of them. They say
 * nothing of a request but its id, so that one event serves the records of a whole batch. Gives
 * what aws_lambda_text() gives, in fewer steps and without memory of its own. */
#ifndef FNSCOPE_COLLECTOR_AWS_LAMBDA_BRIEF_H
#define FNSCOPE_COLLECTOR_AWS_LAMBDA_BRIEF_H

#include "collector/decode.h"

/* "END RequestId: <uuid>", or "START RequestId: <uuid> Version: <version>" with the version of the
 * START before. False, and r unchanged: another line, or written otherwise. */
bool lambda_brief_line(const struct decode_memo *before, struct str line, struct log_record *r);
/* What another reader made of a line: the next START is mostly like it. */
void lambda_brief_note(struct decode_memo *before, const struct log_record *r);

#endif
