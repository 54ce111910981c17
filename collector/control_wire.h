/* Private to collector/control*.c: packets over a Unix socket, with at most one file handle. */
#ifndef FNSCOPE_COLLECTOR_CONTROL_WIRE_H
#define FNSCOPE_COLLECTOR_CONTROL_WIRE_H

#include "core/base/buf.h"

/* pass_fd -1: none. ERR_CANCELLED: the other side has gone. */
MUST_CHECK enum status wire_send(int fd, struct str message, int pass_fd, struct err *e);
/* timeout_ms -1 waits for ever; ERR_AGAIN nothing came in time; ERR_CANCELLED the end. *passed_fd
 * is -1 when none came; NULL: none is wanted. */
MUST_CHECK enum status wire_receive(int fd, int timeout_ms, struct buf *out, int *passed_fd,
                                    struct err *e);
/* Is the other side still there? */
bool wire_is_open(int fd);

#endif
