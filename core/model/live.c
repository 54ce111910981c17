/* Names of what a running collector knows. Pure. */
#include "core/model/live.h"

const char *queue_presence_name(enum queue_presence v)
{
    static const char *const names[QUEUE_PRESENCES] = {
        [QUEUE_THERE] = "there", [QUEUE_GONE] = "gone", [QUEUE_UNREAD] = "unread"};

    return v < QUEUE_PRESENCES ? names[v] : "unknown";
}
