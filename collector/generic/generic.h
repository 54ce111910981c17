/* Front door of the formats that belong to no provider. */
#ifndef FNSCOPE_COLLECTOR_GENERIC_GENERIC_H
#define FNSCOPE_COLLECTOR_GENERIC_GENERIC_H

#include "collector/decode.h"

/* One JSON object a line, members by their usual names (timestamp/time/@timestamp/ts, message/msg,
 * logGroup, logStream/logStreamName, function, requestId ...). */
extern const struct decoder_ops generic_ndjson;
/* Lines of text: tab-separated "ISO-time group stream message", "ISO-time stream message", S3
 * export "ISO-time message", console CSV, or bare messages; continuation lines (no time at the
 * start) belong to the event before. Takes everything. */
extern const struct decoder_ops generic_text;

#endif
