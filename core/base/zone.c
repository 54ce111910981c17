/* The local time zone, from the C library. */
#include "core/base/zone.h"

#include <stdio.h>
#include <time.h>

#include "core/base/timefmt.h"

struct zone_at zone_local(int64_t t_ns)
{
    const time_t seconds = (time_t)(time_floor(t_ns, NS_PER_SEC) / NS_PER_SEC);
    struct zone_at z = {.name = "UTC"};
    struct tm tm;

    if (localtime_r(&seconds, &tm) == NULL)
        return z;
    z.offset_ns = (int64_t)tm.tm_gmtoff * NS_PER_SEC;
    snprintf(z.name, sizeof(z.name), "%s", tm.tm_zone);
    return z;
}

int64_t zone_from_wall(int64_t wall_ns)
{
    /* The offsets a day before and after hold on either side of a change. */
    const int64_t before = wall_ns - zone_local(wall_ns - NS_PER_DAY).offset_ns;
    const int64_t after = wall_ns - zone_local(wall_ns + NS_PER_DAY).offset_ns;

    return after + zone_local(after).offset_ns == wall_ns ? after : before;
}
