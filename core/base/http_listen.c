/* socket, bind, listen. */
#include "core/base/http_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 1024

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

static bool read_address(struct str text, uint16_t port, union address *out)
{
    char z[INET6_ADDRSTRLEN] = "127.0.0.1";

    *out = (union address){0};
    if (text.n >= sizeof(z))
        return false;
    if (text.n > 0 && !str_eq_nocase(text, STR("localhost"))) {
        memcpy(z, text.p, text.n);
        z[text.n] = '\0';
    }
    if (inet_pton(AF_INET, z, &out->in.sin_addr) == 1) {
        out->in.sin_family = AF_INET;
        out->in.sin_port = htons(port);
        return true;
    }
    if (inet_pton(AF_INET6, z, &out->in6.sin6_addr) != 1)
        return false;
    out->in6.sin6_family = AF_INET6;
    out->in6.sin6_port = htons(port);
    return true;
}

static bool is_loopback(const union address *a)
{
    if (a->any.sa_family == AF_INET)
        return (ntohl(a->in.sin_addr.s_addr) >> 24) == 127;
    return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

bool http_is_loopback(struct str address)
{
    union address a;

    return address.n > 0 && read_address(address, 0, &a) && is_loopback(&a);
}

void http_listen_url(struct buf *out, struct str address, uint16_t port)
{
    struct str name = address.n > 0 ? address : STR("127.0.0.1");
    bool is_v6 = str_find_char(name, ':') < name.n;

    buf_addf(out, "http://%s" STR_FMT "%s:%u", is_v6 ? "[" : "", STR_ARG(name), is_v6 ? "]" : "",
             port);
}

static enum status bind_address(struct str text, union address *a, int *out, struct err *e)
{
    socklen_t n = a->any.sa_family == AF_INET ? sizeof(a->in) : sizeof(a->in6);
    int one = 1;
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return err_errno(e, errno, "listening on " STR_FMT, STR_ARG(text));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, &a->any, n) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, &a->any, &n) != 0) {
        int errnum = errno;
        close(fd);
        return err_errno(e, errnum, "listening on " STR_FMT ", port %u", STR_ARG(text),
                         ntohs(a->in.sin_port));
    }
    *out = fd;
    return OK;
}

enum status http_listen(struct str text, uint16_t *port, bool may_be_public, int *fd, struct err *e)
{
    struct str name = text.n > 0 ? text : STR("127.0.0.1");
    union address a;

    if (!read_address(text, *port, &a))
        return err_set(e, ERR_CONFIG, "\"" STR_FMT "\" is no IP address to listen on",
                       STR_ARG(name));
    if (!is_loopback(&a) && !may_be_public)
        return err_set(e, ERR_CONFIG,
                       "listening on " STR_FMT " needs authentication (see --help): others could "
                       "reach it; or listen on 127.0.0.1",
                       STR_ARG(name));
    enum status s = bind_address(name, &a, fd, e);
    if (s == OK)
        *port = ntohs(a.any.sa_family == AF_INET ? a.in.sin_port : a.in6.sin6_port);
    return s;
}

void http_peer_text(const struct sockaddr_storage *from, char room[HTTP_PEER_BYTES])
{
    union address a;

    memcpy(&a, from, sizeof(a));
    room[0] = '\0';
    if (a.any.sa_family == AF_INET)
        inet_ntop(AF_INET, &a.in.sin_addr, room, HTTP_PEER_BYTES);
    else if (a.any.sa_family == AF_INET6)
        inet_ntop(AF_INET6, &a.in6.sin6_addr, room, HTTP_PEER_BYTES);
}
