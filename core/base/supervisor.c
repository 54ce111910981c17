/* One connected datagram socket. */
#include "core/base/supervisor.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/macros.h"

static int connect_to(struct str path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    if (path.n == 0 || path.n >= sizeof(at.sun_path))
        return -1;
    memcpy(at.sun_path, path.p, path.n);
    if (at.sun_path[0] == '@')
        at.sun_path[0] = '\0'; /* the abstract namespace */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)&at, size) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

void supervisor_init(struct supervisor *s)
{
    int64_t micros = 0;

    *s = (struct supervisor){.fd = connect_to(str_from(getenv("NOTIFY_SOCKET")))};
    if (s->fd >= 0 && str_to_i64(str_from(getenv("WATCHDOG_USEC")), &micros) && micros > 0)
        s->watchdog_ns = micros * NS_PER_US / 2;
}

void supervisor_say(const struct supervisor *s, struct str text)
{
    if (s->fd < 0)
        return;
    ssize_t sent = send(s->fd, text.p, text.n, MSG_NOSIGNAL);
    UNUSED(sent); /* a manager that does not listen is not our business */
}

void supervisor_alive(struct supervisor *s, int64_t now_ns)
{
    if (s->watchdog_ns == 0 || now_ns - s->alive_ns < s->watchdog_ns)
        return;
    s->alive_ns = now_ns;
    supervisor_say(s, STR("WATCHDOG=1"));
}

void supervisor_clear(struct supervisor *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}
