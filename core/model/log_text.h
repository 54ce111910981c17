/* What a log line says, without what its columns say already: runtimes put time, request id and
 * level in front of every line, unhandled errors come as JSON. For people, but for the request id;
 * the stored body stays whole. */
#ifndef FNSCOPE_CORE_MODEL_LOG_TEXT_H
#define FNSCOPE_CORE_MODEL_LOG_TEXT_H

#include "core/base/arena.h"

/* The body after time, request id, level and "Invoke Error", a view into it; the whole body where
 * nothing else would stay. "[ERROR]\t2026-01-15T12:00:00Z\t8d59...\tqueue is full" -> "queue is
 * full". */
struct str log_text(struct str body);
/* One line: of JSON its errorType and errorMessage, message or msg; of an error as JSON behind
 * other words the same; of others the first line. */
struct str log_headline(struct str body, struct arena *a);
/* What runtimes and loggers call the request id: "requestId", "AWSRequestId" (Java), "request_id"
 * (tracing, structlog), "function_request_id" (Powertools), "faas.execution" (Elastic Common
 * Schema), "faas.invocation_id" (OpenTelemetry)... In any case, whatever parts the words. */
bool log_is_id_name(struct str name);
/* The id of the request that the line says it is of: a member of JSON or a word of the names that
 * loggers use, or what stands with time and level in front of the message. Where none does so
 * (*is_said is false), the first UUID, which may be anything's; empty: there is none. A view into
 * the body or into `a`. */
struct str log_request_id(struct str body, struct arena *a, bool *is_said);
/* What messages of one cause have in common: runs of digits and hexadecimal ids become "#", paths
 * and addresses "/", quoted text "''". "no key 'a1' in /tmp/x/7.json (3 of 9)" -> "no key '' in /
 * (# of #)". */
struct str log_fingerprint(struct str message, struct arena *a);

#endif
