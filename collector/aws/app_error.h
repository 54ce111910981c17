/* Inside of collector/aws/: the type of an error that a runtime wrote as JSON. */
#ifndef FNSCOPE_COLLECTOR_AWS_APP_ERROR_H
#define FNSCOPE_COLLECTOR_AWS_APP_ERROR_H

#include "core/base/arena.h"
#include "core/base/str.h"

/* "errorType":"X" anywhere in the text: a view of X as it stands there; empty: none. */
struct str app_error_type(struct str text);

/* The type without JSON's escapes, in `a` where it had some: runtimes that escape and those that do
 * not must not make two types of one. No other type holds a backslash. */
struct str app_error_type_plain(struct str type, struct arena *a);
/* Of a stack trace as loggers write it into one text: "X: text\n  at ..." or Python's traceback,
 * whose last line names it. Only what ends in Error or Exception; empty: none. */
struct str app_stack_type(struct str text);

#endif
