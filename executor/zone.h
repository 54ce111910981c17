/* Time zones from the system's database (TZif files, RFC 8536): the offset in force at an instant,
 * and the instant of a local time. Times past the file's last transition use its POSIX rule. A zone
 * is read once and constant after. */
#ifndef FNSCOPE_EXECUTOR_ZONE_H
#define FNSCOPE_EXECUTOR_ZONE_H

#include <stdint.h>

#include "core/base/err.h"
#include "core/base/str.h"

struct zone;

#define ZONE_FOLDER "/usr/share/zoneinfo"

/* name such as "Europe/Zurich", looked for below folder. ERR_CONFIG when there is no such zone. */
MUST_CHECK enum status zone_load(const char *folder, struct str name, struct zone **out,
                                 struct err *e);
/* From the bytes of a TZif file. ERR_PARSE. */
MUST_CHECK enum status zone_parse(struct str file, struct zone **out, struct err *e);
void zone_free(struct zone *z);

/* Seconds to add to UTC; z NULL is UTC. */
int64_t zone_offset(const struct zone *z, int64_t utc_s);
/* The first instant that shows local_s; false when a change of the clocks skips it. */
bool zone_instant(const struct zone *z, int64_t local_s, int64_t *utc_s);

#endif
