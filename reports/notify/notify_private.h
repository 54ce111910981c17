/* Private to reports/notify: what notifiers share. */
#ifndef FNSCOPE_REPORTS_NOTIFY_NOTIFY_PRIVATE_H
#define FNSCOPE_REPORTS_NOTIFY_NOTIFY_PRIVATE_H

#include "reports/notify/notify.h"

extern const struct notifier_ops notify_webhook, notify_slack, notify_alertmanager, notify_exec,
    notify_mail;

/* A setting that may be secret: given plainly, in a file, or in an environment variable. */
struct secret {
    struct str text, file, env;
};
/* Exactly one is given, or with is_optional none. */
MUST_CHECK enum status secret_check(const struct secret *s, const char *what, bool is_optional,
                                    struct err *e);
/* Its value without blanks around it; empty when none is given. The error names file or variable,
 * never the value. */
MUST_CHECK enum status secret_read(const struct secret *s, struct arena *a, struct str *out,
                                   struct err *e);

/* POSTs and judges the answer: 2xx OK; 408, 425, 429, 5xx ERR_AGAIN, anything else ERR_CONFIG. The
 * message names `what` and not the URL, which may hold a token. */
struct post {
    const char *what; /* "webhook" */
    struct str url, body;
    const struct http_header *headers;
    size_t n_headers;
    int64_t timeout_ns;
};
MUST_CHECK enum status notify_post(const struct notify_env *env, const struct post *p,
                                   struct err *e);

#define NOTIFY_TIMEOUT "5s"

#endif
