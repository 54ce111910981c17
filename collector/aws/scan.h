/* Inside of collector/aws/: the small scanners its decoders share. Pure, no allocation. */
#ifndef FNSCOPE_COLLECTOR_AWS_SCAN_H
#define FNSCOPE_COLLECTOR_AWS_SCAN_H

#include "core/base/macros.h"
#include "core/base/uuid.h"
#include "core/model/record.h"

/* Lower-case UUID at the start of s. AWS documentation masks its examples with "xmpl": accepted. */
bool scan_uuid(struct str s);
/* Decimal milliseconds to ns: "2.46" -> 2460000. Up to 6 fraction digits count, further ones are
 * cut off; at most a year. */
bool scan_ms(struct str s, int64_t *ns);
/* Whole megabytes (of 2^20 bytes, as Lambda counts) to bytes; at most 1 TB. */
bool scan_mb(struct str s, uint64_t *bytes);
/* Number of JSON (RFC 8259 section 6), not negative, times 10^shift; further digits are cut off.
 * False: negative, or larger than int64. */
bool scan_number(struct str s, int shift, int64_t *out);
/* Level word of any runtime, common spellings first. */
/* The same, and what words of JSON records say that would be no level in a line of text. */
bool scan_json_level(struct str s, enum severity *out);
bool scan_level(struct str s, enum severity *out);
/* "Root=1-..;Parent=..;Sampled=1" or a bare trace id -> the trace id; empty: none. */
/* syslog's 0 (emergency) to 7 (debug). */
enum severity scan_syslog_level(int64_t number);
struct str scan_trace_id(struct str header);

#endif
