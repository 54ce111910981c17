/* Inside of collector/aws/: lines of Rust's tracing inside a request. */
#ifndef FNSCOPE_COLLECTOR_AWS_APP_RUST_H
#define FNSCOPE_COLLECTOR_AWS_APP_RUST_H

#include "core/model/record.h"

/* `INFO Lambda runtime invoke{requestId="..." xrayTraceId="Root=..."}: text`, anywhere in the line:
 * ids, text and, where none is known yet, the level. False: no such span, r is untouched. Pure. */
bool app_rust_span(struct str line, struct log_record *r);

#endif
