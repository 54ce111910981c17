/* Delivery of alerts: messages of the outbox to webhooks, chat, programs, mail, Alertmanager. Front
 * door of reports/notify.
 *
 * A message is sent at least once: its status changes in the store only after the receiver said
 * yes, so a crash in between sends it again, with the same id. A failure is tried again with
 * growing pauses, for a day. Each receiver has a thread of its own; the writer hands them messages
 * and takes back results through queues, so a receiver that hangs holds up neither the store nor
 * another receiver.
 *
 *     notify_start(&options, &n, e)
 *     ... each second: notify_collect(n, ...) -> store_write_alerts; notify_submit(n, message)
 *     notify_stop(n)
 *
 * Secrets (URLs with tokens, keys, passwords) come from files or the environment, are read when
 * they are used and appear in no message and no log. */
#ifndef FNSCOPE_REPORTS_NOTIFY_NOTIFY_H
#define FNSCOPE_REPORTS_NOTIFY_NOTIFY_H

#include <stdatomic.h>

#include "core/base/clock.h"
#include "core/base/http.h"
#include "core/base/opt.h"
#include "core/base/smtp.h"
#include "core/model/alert.h"

/* What a notifier works with; each has a test twin. */
struct notify_env {
    const struct http *http;
    const struct mailer *mailer;
    int64_t now_ns;
    struct arena *arena;  /* of this message */
    bool is_kept;         /* what holds is told again each minute, by notify_keep */
    struct str *left_out; /* becomes whom a message did not reach that is sent; NULL: not wanted */
    int64_t *asked_ns; /* becomes how long the receiver asks to be left alone; NULL: not wanted */
};

struct notifier_ops {
    const char *type; /* value of "type" under notify: */
    const char *help;
    const struct opt_def *options; /* keys of the entry */
    size_t config_size;
    /* What can be said to be wrong without sending; NULL: nothing. */
    enum status (*check)(const void *config, struct err *e);
    /* OK: the receiver has it. The message of an error holds no secret. */
    enum status (*send)(const void *config, const struct notify_env *env,
                        const struct outbox_entry *m, struct err *e);
    /* Tells again what holds, all of it at once, to a receiver that forgets. NULL: it remembers. */
    enum status (*keep)(const void *config, const struct notify_env *env, const struct alert *rows,
                        size_t n, struct err *e);
};
extern const struct notifier_ops *const notifier_types[];       /* NULL-terminated */
const struct notifier_ops *notifier_type_find(struct str type); /* NULL: none */

/* One entry of the notify: section. */
struct notifier {
    struct str name;
    const struct notifier_ops *ops;
    const void *config;
};

/* A receiver that asks for more (Retry-After) is asked again after this: a page does not wait for
 * an hour. */
#define NOTIFY_LONGEST_PAUSE_NS (5 * NS_PER_MIN)

/* Sends one message now and fills the result: status, attempts, next_ns or done_ns, error (of one
 * that is sent: whom it did not reach). m is as
 * it came from the store; a notifier that is not configured any more is given up at once. */
void notify_deliver(const struct notifier *notifiers, size_t n, const struct notify_env *env,
                    struct outbox_entry *m);

struct notify_options {
    const struct notifier *notifiers;
    size_t n_notifiers;
    const struct http *http;     /* NULL: libcurl */
    const struct mailer *mailer; /* NULL: libcurl */
    struct clock clock;
    bool is_kept; /* notify_keep is called each minute */
};
struct notify;

MUST_CHECK enum status notify_start(const struct notify_options *o, struct notify **out,
                                    struct err *e);
/* Takes a copy. False when it is busy, has the message already, or its receiver asked to be left
 * alone: try later. Never waits. */
bool notify_submit(struct notify *n, const struct outbox_entry *m);
/* A result that came back, in the arena; false when there is none. Waits up to timeout_ms. */
bool notify_collect(struct notify *n, int timeout_ms, struct arena *a, struct outbox_entry *out);
size_t notify_pending(const struct notify *n); /* submitted and not yet collected */
/* Hands what holds, a copy, to a receiver that forgets; it stands in no outbox and gives no result:
 * the next comes in a minute. One that still has the last ones gets no more. Never waits. */
void notify_keep(struct notify *n, struct str notifier, const struct alert *rows, size_t n_rows);
/* Ends the message being sent within seconds; what was not sent stays in the outbox. */
void notify_stop(struct notify *n);

/* The document a webhook and a program get: JSON, schema "fnscope.alert", version 1. */
void notify_json(struct buf *out, const struct outbox_entry *m, int64_t now_ns);
/* The same for people: a line, and a few lines. */
void notify_title(struct buf *out, const struct outbox_entry *m);
void notify_text(struct buf *out, const struct outbox_entry *m, int64_t now_ns);

#endif
