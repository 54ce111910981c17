/* The listener of the AWS endpoint: HTTP calls in, answers of the operation table out. */
#ifndef FNSCOPE_EXECUTOR_API_FRONT_H
#define FNSCOPE_EXECUTOR_API_FRONT_H

#include "core/base/http_server.h"
#include "executor/executor.h"

struct api_front;

struct api_front_config {
    struct str address;
    uint16_t port;
    const struct str *hosts; /* patterns of names in Host, besides its own; only without keys */
    size_t n_hosts;
    int listener;                /* of http_listen(), taken over; 0: made from these */
    const struct api_keys *keys; /* NULL: everyone may, but only from this machine */
};

MUST_CHECK enum status api_front_start(struct executor *x, const struct api_front_config *config,
                                       struct api_front **out, struct err *e);
void api_front_stop(struct api_front *f); /* NULL is fine */
uint16_t api_front_port(const struct api_front *f);

#endif
