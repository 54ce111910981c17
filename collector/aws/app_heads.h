/* Inside of collector/aws/: lines whose level stands behind a time or a group in brackets. */
#ifndef FNSCOPE_COLLECTOR_AWS_APP_HEADS_H
#define FNSCOPE_COLLECTOR_AWS_APP_HEADS_H

#include "core/model/record.h"

/* "[main] WARN  com.x.H - text" (slf4j), "[10:00:00 INF] text" (Serilog), "2026-.. [error  ] text"
 * (structlog), "2026-..|ERROR|App|text" (NLog), "2026-..<tab>INFO<tab>x.go:1<tab>text" (zap),
 * "[2026-..] app.ERROR: text" (Monolog), "10:00AM ERR text" (zerolog) and their like: level and
 * message. Only a line that begins with a time or a bracket is looked at, and words that name no
 * level end the search. False: none of these, r is untouched. Pure. */
bool app_headed_line(struct str line, struct log_record *r);

/* "Jan 15, 2026 10:00:00 AM Class method\nSEVERE: text", tinylog's "<time> [main] a.B.c()\nERROR:
 * text". */
bool app_titled_line(struct str line, struct log_record *r);

/* "(WARN) text", "<WARN> text", and the priorities of syslog and systemd, "<4>text". */
bool app_marked_line(struct str line, struct log_record *r);

/* Heads of letters: "E0115 10:00:00.123456  8 main.go:12] text" (klog), "ERRO[0000] text" (logrus
 * on a terminal), "Jan 15, 2026 10:00:00 AM Class method\nSEVERE: text" (java.util.logging). */
bool app_lettered_line(struct str line, struct log_record *r);

/* "com.x.SomeException: text\n\tat ...": printed, and maybe caught; an error, not the request's. */
bool app_java_trace(struct str line, struct log_record *r);

#endif
