/* Inside of collector/: shapes of lines in stack traces and crashes of the usual runtimes. Their
 * opening words alone would take in what a program says of itself, so a line must have all of the
 * shape. `behind` is what follows the line in the file; those that do not need it have it for the
 * tables of trace_lines.c. Pure; at most TRACE_LOOK_AHEAD bytes behind a line are looked at. */
#ifndef FNSCOPE_COLLECTOR_TRACE_SHAPES_H
#define FNSCOPE_COLLECTOR_TRACE_SHAPES_H

#include "core/base/str.h"
#include "core/model/enums.h"

enum { TRACE_LOOK_AHEAD = 1024 };

/* The first line of a text without blanks at its end. */
struct str shape_first_line(struct str text);
/* "ValueError", "a.b.C$D", "Ns\Type": what stands before the colon or is the whole line; 0: none.
 */
size_t shape_type_length(struct str line);
/* A type whose name says that it is an error's. */
bool shape_error(struct str type);

/* Indented "at a.B.c(B.java:3)", " ---> Inner", "... 3 more"; the first the same without indent. */
bool shape_bare_frame(struct str line, struct str behind);
bool shape_frame(struct str line);
bool shape_count_of_frames(struct str line, struct str behind);
/* "Caused by: a.B: text" */
bool shape_cause(struct str line, struct str behind);
/* "}", "});": brackets that close what was opened, and no more. */
bool shape_closing(struct str line, struct str behind);
/* "main.handler({0x1, 0x2})", "goroutine 1 [running]:" */
bool shape_go_frame(struct str line);
bool shape_goroutine(struct str line, struct str behind);
bool shape_go_pair(struct str line, struct str behind); /* "main.handler", below "\t/main.go:12" */
/* Node and Bun show "file:3" or numbered source, then a caret; last "Node.js v22.1.0". */
bool shape_source(struct str line, struct str behind);
bool shape_caret(struct str line);
bool shape_version(struct str line, struct str behind);
/* java.util.logging and tinylog: date and method, then "SEVERE: text". */
bool shape_title(struct str line);
bool shape_titled(struct str line, enum severity *out);
/* Rust's "thread 'main' panicked at place" with and without a colon at its end. */
bool shape_panic(struct str line, struct str behind);
bool shape_panic_head(struct str line, struct str behind);
/* rich's box around a traceback of Python */
bool shape_boxed_traceback(struct str line, struct str behind);
/* "/var/task/a.rb:3:in `x'" */
bool shape_ruby_line(struct str line, struct str behind);
/* "PHP Warning:  text", "#0 /var/task/x.php(12): f()", also Dart's "#0 main (file:///a.dart:3)" */
bool shape_php_notice(struct str line, struct str behind);
bool shape_php_frame(struct str line, struct str behind);
/* "SIGSEGV: segmentation violation", how Go's dump begins */
bool shape_go_signal(struct str line, struct str behind);
/* "+ Exception Group Traceback (most recent call last):" behind its indent */
bool shape_group_traceback(struct str line);
/* "Location:", "Stack backtrace:" alone, indented lines behind: Rust's anyhow and eyre */
bool shape_rust_part(struct str line, struct str behind);
/* "** (RuntimeError) text" */
bool shape_elixir(struct str line, struct str behind);

#endif
