/* /metrics and /healthz over HTTP, from a store that is opened for each scrape: a store that is
 * made or replaced later is seen, and a scrape every few seconds makes the cost of opening not
 * matter. Served either on the caller's thread (fnscope metrics) or on one of its own, beside a
 * collector: whoever scrapes never holds up what is collected. */
#ifndef FNSCOPE_CLI_METRICS_ENDPOINT_H
#define FNSCOPE_CLI_METRICS_ENDPOINT_H

#include "cli/command.h"

struct metrics_endpoint;

struct metrics_listen {
    struct str address; /* "127.0.0.1:9464", "[::1]:0" */
    struct str
        token_file; /* its first line is what `Authorization: Bearer` must bear; empty: none */
    size_t max_functions;
    const struct store *held; /* a collector's: /healthz answers 503 when it is not there any more;
                                 NULL: the answer is that of a process that lives */
};

/* ERR_USAGE when the address is none, ERR_CONFIG when it is not this machine's and there is no
 * token, or others may read the token's file. c must outlive it and may be used by others
 * meanwhile.
 */
MUST_CHECK enum status metrics_endpoint_open(const struct cli *c, const struct metrics_listen *l,
                                             struct metrics_endpoint **out, struct err *e);
struct str metrics_endpoint_url(const struct metrics_endpoint *p);

/* Serves until SIGINT or SIGTERM. */
MUST_CHECK enum status metrics_endpoint_serve(struct metrics_endpoint *p, struct err *e);
/* Serves on a thread of its own until it is closed. */
MUST_CHECK enum status metrics_endpoint_start(struct metrics_endpoint *p, struct err *e);
void metrics_endpoint_close(struct metrics_endpoint *p); /* NULL is fine */

/* What is served, for one that prints it. */
MUST_CHECK enum status metrics_write(const struct cli *c, size_t max_functions, struct buf *out,
                                     struct err *e);

#endif
