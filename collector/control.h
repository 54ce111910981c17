/* Part of collector.h's door. The collector's door for other commands of the same user: a Unix
 * socket in the store's folder, packets with whole messages, file handles beside them. A collector
 * holds the store's only writing end, so `import` hands it open files, and commands that change
 * state are run by its writer.
 *
 * Client:                                   collector:
 *   "import" + defaults                       (nothing)
 *   "file\n<path>" + handle, for each         "read <events>"
 *   "end"                                     "done ..." once everything is committed
 * or
 *   "command\n<text>"                         "done\n<reply>"
 * Whatever goes wrong is answered "failed <status>\n<message>". */
#ifndef FNSCOPE_COLLECTOR_CONTROL_H
#define FNSCOPE_COLLECTOR_CONTROL_H

#include "collector/collector.h"
#include "collector/file_source.h"

enum { CONTROL_MAX_BYTES = 64 << 10 };

/* --- the collector's side --- */

/* What serves a connection; on the runner's control thread. */
struct control_hooks {
    batch_taker *take; /* of import_options */
    /* Waits until everything taken so far is committed, then runs the command if there is one. */
    enum status (*settle)(void *ctx, struct str command, struct buf *reply, struct err *e);
    void *ctx;
    const atomic_bool *halt;
    struct import_lookups lookups;
};

/* Opens folder/control, mode 0600; the caller holds the store's lock, so what is left of an earlier
 * one is removed. */
MUST_CHECK enum status control_listen(const char *folder, struct control **out, struct err *e);
/* Waits up to timeout_ms for a client and serves it to its end. */
void control_serve(struct control *c, int timeout_ms, const struct control_hooks *h);
void control_free(struct control *c); /* removes the socket; NULL is fine */

/* --- the client's side --- */

/* ERR_NOT_FOUND: no collector runs on this store. */
MUST_CHECK enum status control_connect(const char *folder, int *fd, struct err *e);
/* Imports the paths through the collector. progress may be NULL. */
MUST_CHECK enum status control_import(int fd, const struct import_options *o,
                                      struct import_progress *result, struct err *e);
MUST_CHECK enum status control_command(int fd, struct str command, struct buf *reply,
                                       struct err *e);

#endif
