/* Inside of collector/aws/: lines of loggers and runtimes that write no prefix of Lambda's own. */
#ifndef FNSCOPE_COLLECTOR_AWS_APP_LOGGERS_H
#define FNSCOPE_COLLECTOR_AWS_APP_LOGGERS_H

#include "core/model/record.h"

/* Go's slog text and logrus ("time=... level=INFO msg=..."), lines with bars of extensions
 * ("... UTC | DD_EXTENSION | WARN | text"), and the first words of a process that dies of an error.
 * False: the line is none of these, r is untouched. Pure. */
bool app_logger_line(struct str line, struct log_record *r);
/* Go's slog without a handler of its own: r->message is what follows the log package's time. */
void app_slog_default(struct log_record *r);
/* "<rest of the time> | NAME | LEVEL | text" */
bool app_barred_line(struct str line, struct log_record *r);
/* "PHP Warning:  text" of PHP's log, also behind what FPM writes, and "Warning: text on line 3" of
 * its display: the level; the text stays whole. */
bool app_php_line(struct str line, struct log_record *r);
/* The request id behind one of the usual keys, "requestId=<id>": true, and it is in r. */
bool app_named_id(struct str line, struct log_record *r);

#endif
