/* The program's own log: stderr, one event per line, logfmt or JSON. A message says object, fact,
 * consequence, next step. Of one text five are written within ten seconds, of one form of message a
 * hundred: what another object has to say is not lost among repeats. Secrets never get here: values
 * of fields named like a secret (authorization, token, secret, password, x-amz-security-token) are
 * written as [redacted]. Any thread. */
#ifndef FNSCOPE_CORE_BASE_LOG_H
#define FNSCOPE_CORE_BASE_LOG_H

#include "core/base/macros.h"
#include "core/base/str.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level); /* one of the two mutable globals of the tree */
void log_set_json(bool is_json);
bool log_enabled(enum log_level level);
void log_event(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
