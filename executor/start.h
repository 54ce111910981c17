/* Starting and stopping all of fnexec. */
#ifndef FNSCOPE_EXECUTOR_START_H
#define FNSCOPE_EXECUTOR_START_H

#include "executor/executor.h"

struct executor_config {
    const struct manifest *manifest;
    struct str state_folder;   /* empty: nothing is kept */
    struct str scratch_folder; /* one is made below it; empty: below the system's */
    struct str runtimes_folder;
    struct str address;
    uint16_t port;
    const struct str *hosts; /* patterns of further names clients may call it by */
    size_t n_hosts;
    int listener; /* of http_listen() with address and port, taken over; 0: made when it is needed
                   */
    struct str credentials; /* file of access keys; empty: everyone on this machine may */
    int64_t log_retention_ns;
    bool no_listener;         /* `fnexec invoke` */
    const struct fndef *echo; /* its log goes to standard error as well; NULL: none does */
};

struct fnexec; /* an executor and its parts */

MUST_CHECK enum status fnexec_start(const struct executor_config *config, struct loop *l,
                                    struct fnexec **out, struct err *e);
struct executor *fnexec_executor(struct fnexec *f);
uint16_t fnexec_port(const struct fnexec *f);
/* Takes nothing new and waits for what runs, at most that long. */
void fnexec_drain(struct fnexec *f, int64_t most_ns);
void fnexec_stop(
    struct fnexec *f); /* ends every process and removes what is temporary; NULL is fine */

#endif
