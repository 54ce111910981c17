/* The local time zone of who looks: TZ, else the machine's, as tzset() read it once in main. For
 * what people see; data, files and protocols are in UTC (timefmt.h). Any thread. */
#ifndef FNSCOPE_CORE_BASE_ZONE_H
#define FNSCOPE_CORE_BASE_ZONE_H

#include "core/base/clock.h"

struct zone_at {
    int64_t offset_ns; /* local time minus UTC */
    char name[16];     /* "CET", "+03" */
};

/* What holds at that time: summer and winter differ. */
struct zone_at zone_local(int64_t t_ns);
/* The time at which a local clock shows what a clock in UTC shows at wall_ns. Of an hour that comes
 * twice the second one; of an hour that is left out the clock before the change goes on. */
int64_t zone_from_wall(int64_t wall_ns);

#endif
