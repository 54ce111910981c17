/* Inside of collector/aws/: how runtimes tell of an error nobody caught, for which the request
 * failed: is_error, error_type and a severity of at least error. Of a chain of causes the outermost
 * type, as it is what the handler threw. Forms are those of the runtime interface clients of AWS
 * (aws-lambda-java-libs, -dotnet, -go, -ruby, -rust, -python, -nodejs; releases up to 2026-07) and
 * of the languages themselves. A line must have the whole form: what a function logs of an error it
 * caught is not the request's. All are pure; where they answer false, the record is untouched. */
#ifndef FNSCOPE_COLLECTOR_AWS_APP_FAILURE_H
#define FNSCOPE_COLLECTOR_AWS_APP_FAILURE_H

#include "core/base/arena.h"
#include "core/model/record.h"

/* Marks the record; `type` may be empty. */
void app_fail(struct log_record *r, struct str type);
/* "ValueError", "System.IO.IOException", "A.B+C`1[System.String]" at the start; 0: none. */
size_t app_type_length(struct str s);

/* Java's "<message>: <type>\n<type>: <message>\n\tat ...", also as text of a JSON record. */
bool app_java_failure(struct str line, struct log_record *r);
/* What Node and .NET write behind time, id and level, looked for in r->message. */
void app_tabbed_failure(struct log_record *r);
/* "System.IO.IOException: text\n   at ..." of .NET: the type, empty for anything else. */
struct str app_dotnet_type(struct str text);
/* Python's "<type>: <message>\rTraceback ..." behind "[ERROR] ", and what its client and that of
 * C++ write of an answer that Lambda does not take for its size, looked for in r->message. */
void app_python_failure(struct log_record *r);
/* Ruby's "Error raised from handler method\n{json}", also apart from its JSON and line by line. */
bool app_ruby_failure(struct str line, struct log_record *r);
/* What CatchPanicService of Rust's lambda_runtime logs, looked for in r->message and r->severity:
 * with its target, or by its words. */
void app_rust_failure(struct log_record *r);
/* Go's {"errorMessage":...,"errorType":...} behind a time of day or a "file.go:12: ", or in the
 * message of a slog line; `a` for its unquoted text. */
bool app_go_failure(struct str line, struct log_record *r, struct arena *a);
/* That object alone, as the message of slog's JSON: the type; empty: anything else. */
struct str app_go_answer(struct str text, struct arena *a);
/* "panic: text", "thread 'main' panicked at", "Unhandled exception. X: text", "Exception in thread
 * "main" X": the program dies of it; and how go1.x and dotnetcore2.1 wrote of a handler's error. */
bool app_death(struct str line, struct log_record *r);
bool app_former_failure(struct str line, struct log_record *r);

#endif
