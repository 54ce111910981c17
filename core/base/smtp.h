/* Sending mail through libcurl: one message, one exchange with a server. A `struct mailer` is
 * chosen at construction like a struct http: smtp_curl() talks to the network, a test twin keeps
 * what it is given.
 *
 * Errors: ERR_AGAIN the server is not there, or refuses for now (4xx); ERR_AUTH it refuses the
 * credentials; ERR_CONFIG an address, certificate or URL that will not do, or a refusal for good
 * (5xx); ERR_CANCELLED the stop flag; ERR_IO libcurl cannot be loaded. One thread uses one struct
 * mailer. */
#ifndef FNSCOPE_CORE_BASE_SMTP_H
#define FNSCOPE_CORE_BASE_SMTP_H

#include <stdatomic.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/str.h"

struct mail {
    struct str server;         /* "smtp://mail.example.org:587", "smtps://mail.example.org" */
    struct str user, password; /* empty: no login */
    struct str from;           /* addresses without name: "fnscope@example.org" */
    const struct str *to;
    size_t n_to;
    struct str message; /* headers, blank line, body; lines end with CRLF */
    int64_t timeout_ns; /* 0: 10 s */
    bool wants_tls;     /* STARTTLS or nothing; without, it is used where it is offered */
    /* Gets the receivers that the server did not take, with its words: "a@example.org (550 no such
     * user)", also when the others got the mail and the status is OK. NULL: not wanted. */
    struct buf *refused;
};

struct mailer {
    enum status (*send)(void *ctx, const struct mail *m, struct err *e);
    void (*close)(void *ctx); /* NULL: nothing to free */
    void *ctx;
};

struct mailer smtp_curl(const atomic_bool *stop); /* stop may be NULL */
MUST_CHECK enum status mailer_send(const struct mailer *m, const struct mail *mail, struct err *e);
void mailer_close(struct mailer *m);

#endif
