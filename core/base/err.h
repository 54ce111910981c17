/* What went wrong, in two parts: a status that tells the caller what to do, and a message that
 * tells a person what happened.
 *
 * Every fallible function returns `enum status`, takes `struct err *` last, is MUST_CHECK, and
 * leaves its outputs untouched on failure. err_set() is called where the failure is found,
 * err_wrap() by each caller that can add context. Only cli/, executor/fnexec.c and the
 * collector's runner print. A NULL err is accepted: the status alone is wanted.
 *
 *     if (file_read(path, &b, e) != OK)
 *         return err_wrap(e, "price book %s", path);
 */
#ifndef FNSCOPE_CORE_BASE_ERR_H
#define FNSCOPE_CORE_BASE_ERR_H

#include "core/base/macros.h"

enum status {
    OK = 0,
    ERR_USAGE,     /* wrong command line: exit 2 */
    ERR_CONFIG,    /* wrong configuration: exit 2 */
    ERR_AUTH,      /* credentials refused: stop the source until they change */
    ERR_AGAIN,     /* passing fault or throttle: retry with back-off */
    ERR_PARSE,     /* input is not of its format: quarantine it and go on */
    ERR_NOT_FOUND, /* what was named does not exist */
    ERR_IO,        /* disk or socket failed: stop, nothing was half done */
    ERR_LIMIT,     /* a stated limit was met (size, depth, overflow) */
    ERR_CANCELLED, /* the stop flag was set */
    ERR_BUG        /* our own mistake; report it */
};

struct err {
    enum status code;
    char msg[256]; /* always terminated; cut with "..." when longer */
};

/* Sets code and message and returns code, so that `return err_set(e, ERR_IO, ...)` reads well. */
enum status err_set(struct err *e, enum status code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Prefixes "context: " to the message and returns the code already there. */
enum status err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* As err_set, with ": <strerror(errnum)>" appended. */
enum status err_errno(struct err *e, int errnum, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* "usage", "parse", ...: for logs and JSON. */
const char *status_name(enum status s);

#endif
