/* Tells the service manager how it goes: the sd_notify protocol, a datagram to $NOTIFY_SOCKET.
 * Without one everything is a no-op. One thread. */
#ifndef FNSCOPE_CORE_BASE_SUPERVISOR_H
#define FNSCOPE_CORE_BASE_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/str.h"

struct supervisor {
    int fd;              /* -1: nobody listens */
    int64_t watchdog_ns; /* half of what is allowed between two signs of life; 0: none wanted */
    int64_t alive_ns;    /* monotonic: the last one */
};

void supervisor_init(struct supervisor *s); /* reads NOTIFY_SOCKET and WATCHDOG_USEC */
void supervisor_say(const struct supervisor *s, struct str text); /* "READY=1", "STATUS=..." */
/* A sign of life when it is time for one. */
void supervisor_alive(struct supervisor *s, int64_t now_ns);
void supervisor_clear(struct supervisor *s);

#endif
