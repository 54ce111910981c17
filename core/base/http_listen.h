/* The socket of a listener: an IP address and a port become a descriptor that accepts. */
#ifndef FNSCOPE_CORE_BASE_HTTP_LISTEN_H
#define FNSCOPE_CORE_BASE_HTTP_LISTEN_H

#include <stdint.h>
#include <sys/socket.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/str.h"

/* `text` empty or "localhost": 127.0.0.1; *port 0: any free one, which it then says. ERR_CONFIG for
 * what is no address, and for one that others can reach unless may_be_public. */
MUST_CHECK enum status http_listen(struct str text, uint16_t *port, bool may_be_public, int *fd,
                                   struct err *e);

/* An IP address of this machine alone. */
bool http_is_loopback(struct str address);
/* "http://127.0.0.1:9001", "http://[::1]:9001"; `address` as given to http_listen(). */
void http_listen_url(struct buf *out, struct str address, uint16_t port);

/* The address of a peer as text, without port. */
#define HTTP_PEER_BYTES 46
void http_peer_text(const struct sockaddr_storage *from, char room[HTTP_PEER_BYTES]);

#endif
