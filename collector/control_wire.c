/* sendmsg and recvmsg with one handle beside the bytes. */
#include "collector/control_wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union handle_room { /* aligned as a control message wants it */
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

enum status wire_send(int fd, struct str message, int pass_fd, struct err *e)
{
    union handle_room room = {.bytes = {0}};
    char *bytes;
    memcpy(&bytes, &message.p, sizeof(bytes)); /* sendmsg predates const */
    struct iovec part = {bytes, message.n};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};

    if (pass_fd >= 0) {
        m.msg_control = room.bytes;
        m.msg_controllen = sizeof(room.bytes);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &pass_fd, sizeof(int));
    }
    for (;;) {
        if (sendmsg(fd, &m, MSG_NOSIGNAL) >= 0)
            return OK;
        if (errno == EPIPE || errno == ECONNRESET)
            return err_set(e, ERR_CANCELLED, "the other side has gone");
        if (errno != EINTR)
            return err_errno(e, errno, "control socket");
    }
}

static int handle_of(struct msghdr *m)
{
    int fd = -1;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
            memcpy(&fd, CMSG_DATA(c), sizeof(fd));
    return fd;
}

static void keep_handle(int fd, int *passed_fd)
{
    if (passed_fd != NULL)
        *passed_fd = fd;
    else if (fd >= 0)
        close(fd);
}

static enum status wait_readable(int fd, int timeout_ms, struct err *e)
{
    struct pollfd p = {fd, POLLIN, 0};
    int n = poll(&p, 1, timeout_ms);

    if (n == 0 || (n < 0 && errno == EINTR))
        return err_set(e, ERR_AGAIN, "nothing came");
    return n < 0 ? err_errno(e, errno, "control socket") : OK;
}

enum status wire_receive(int fd, int timeout_ms, struct buf *out, int *passed_fd, struct err *e)
{
    union handle_room room = {.bytes = {0}};
    enum status s = wait_readable(fd, timeout_ms, e);

    if (s != OK)
        return s;
    buf_reset(out);
    buf_reserve(out, out->max);
    struct iovec part = {out->p, out->max};
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = room.bytes,
                       .msg_controllen = sizeof(room.bytes)};
    ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
    if (n < 0)
        return errno == EINTR ? err_set(e, ERR_AGAIN, "interrupted")
                              : err_errno(e, errno, "control socket");
    keep_handle(handle_of(&m), passed_fd);
    if (n == 0)
        return err_set(e, ERR_CANCELLED, "the other side has gone");
    if ((m.msg_flags & MSG_TRUNC) != 0)
        return err_set(e, ERR_LIMIT, "a message longer than %zu bytes", out->max);
    buf_grown(out, (size_t)n);
    return OK;
}

bool wire_is_open(int fd)
{
    struct pollfd p = {fd, POLLIN, 0};
    char byte;

    if (poll(&p, 1, 0) <= 0)
        return true;
    return (p.revents & POLLIN) != 0 && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}
