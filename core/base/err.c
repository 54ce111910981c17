/* Builds error messages. Pure but for its argument. */
#include "core/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
    [OK] = "ok",         [ERR_USAGE] = "usage",         [ERR_CONFIG] = "config",
    [ERR_AUTH] = "auth", [ERR_AGAIN] = "again",         [ERR_PARSE] = "parse",
    [ERR_IO] = "io",     [ERR_NOT_FOUND] = "not_found", [ERR_LIMIT] = "limit",
    [ERR_BUG] = "bug",   [ERR_CANCELLED] = "cancelled",
};

/* A message that did not fit ends in "..." so that nobody takes it for whole. */
static void mark_cut(struct err *e, int wanted)
{
    if (wanted >= (int)sizeof(e->msg))
        memcpy(e->msg + sizeof(e->msg) - 4, "...", 4);
}

enum status err_set(struct err *e, enum status code, const char *fmt, ...)
{
    va_list ap;

    if (!e)
        return code;
    va_start(ap, fmt);
    int n = vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
    va_end(ap);
    e->code = code;
    mark_cut(e, n);
    return code;
}

enum status err_wrap(struct err *e, const char *fmt, ...)
{
    char context[sizeof(e->msg)], inner[sizeof(e->msg)];
    va_list ap;

    if (!e)
        return ERR_BUG;
    va_start(ap, fmt);
    vsnprintf(context, sizeof(context), fmt, ap);
    va_end(ap);
    memcpy(inner, e->msg, sizeof(inner));
    int n = snprintf(e->msg, sizeof(e->msg), "%s: %s", context, inner);
    mark_cut(e, n);
    return e->code;
}

enum status err_errno(struct err *e, int errnum, const char *fmt, ...)
{
    char context[sizeof(e->msg)], reason[128];
    va_list ap;

    if (!e)
        return ERR_IO;
    va_start(ap, fmt);
    vsnprintf(context, sizeof(context), fmt, ap);
    va_end(ap);
    return err_set(e, ERR_IO, "%s: %s", context, strerror_r(errnum, reason, sizeof(reason)));
}

const char *status_name(enum status s)
{
    return (size_t)s < ARRAY_LEN(names) && names[s] ? names[s] : "unknown";
}
