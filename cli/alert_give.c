/* An order travels to the collector's control socket, or the store is opened for it. */
#include "cli/alert_give.h"

#include <unistd.h>

#include "cli/alert_orders.h"
#include "cli/common.h"
#include "collector/control.h"

enum status alert_give(struct cli *c, struct str order, struct buf *reply, struct err *e)
{
    AUTO(cli_close_store) struct store *s = NULL;
    int fd = -1;

    if (control_connect(arena_strz(c->arena, cli_store_path(c)), &fd, NULL) == OK) {
        enum status status = control_command(fd, order, reply, e);
        close(fd);
        return status;
    }
    if (cli_open_store(c, false, &s, e) != OK)
        return e->code;
    return alert_order_run(s, order, clock_now(&c->clock), reply, e);
}
