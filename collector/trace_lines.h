/* Inside of collector/: which lines of a file of bare lines go on with the event before. Runtimes
 * hand a stack trace to the platform as one event; saved from a terminal each of its lines stands
 * alone. Whole are joined: traces of Java, Kotlin and Scala, Python (with their chains), .NET,
 * Node, Bun, Ruby, PHP, Elixir, and the crashes of Go and Rust; pretty JSON and indented lines;
 * REPORT and its XRAY line, an exit and its type. A trace that
 * was printed, with no logger's line in front, stands alone. Nothing goes on with a platform line
 * but those. What no line tells stays apart: the second line of a message that is plain text. Pure;
 * time is linear: a line is judged by itself, its event's first line and at most TRACE_LOOK_AHEAD
 * bytes behind it. */
#ifndef FNSCOPE_COLLECTOR_TRACE_LINES_H
#define FNSCOPE_COLLECTOR_TRACE_LINES_H

#include "collector/trace_shapes.h"
#include "core/base/arena.h"
#include "core/base/str.h"

/* What the open event is inside of: bits, so that a joint can name several. */
enum trace_place {
    TRACE_NONE = 1 << 0,       /* an application line, or between the parts of a trace */
    TRACE_PLATFORM = 1 << 1,   /* a platform line: whole */
    TRACE_REPORT = 1 << 2,     /* ... its XRAY line may follow */
    TRACE_EXIT = 1 << 3,       /* ... its type may follow */
    TRACE_UNREAD = 1 << 4,     /* JSON or a line with a time: perhaps the platform's */
    TRACE_PYTHON = 1 << 5,     /* frames, the exception comes */
    TRACE_PYTHON_OWN = 1 << 6, /* the runtime's own form: the exception came first */
    TRACE_PYTHON_END = 1 << 7, /* behind the exception */
    TRACE_PYDANTIC = 1 << 8,   /* the same, its message has lines of its own */
    TRACE_GO = 1 << 9,
    TRACE_RUST_TEXT = 1 << 10, /* the next line is what the thread panicked with */
    TRACE_RUST = 1 << 11,
    TRACE_SOURCE = 1 << 12, /* Node or Bun show the source, then a caret */
    TRACE_CARET = 1 << 13,  /* then the error */
    TRACE_JAVA = 1 << 14,   /* behind "Type: message", which may have more lines */
    TRACE_PHP = 1 << 15,
    TRACE_ELIXIR = 1 << 16,
    TRACE_MODULE = 1 << 17, /* Node: "Require stack:" */
    TRACE_RUBY = 1 << 18,   /* the runtime's notice, its JSON comes */
    TRACE_TITLE = 1 << 19,  /* date and method, level and text come */
    TRACE_CHAIN = 1 << 20,  /* Python names what came of the exception: the next trace comes */
    TRACE_ALL = (1 << 21) - 1
};

struct trace {
    struct str first; /* the event's first line */
    unsigned place;   /* enum trace_place, one */
    bool has_frames;
    bool is_error; /* a line behind the first says so */
};

/* `line` begins an event; `behind` is what follows it in the file. */
void trace_open(struct trace *t, struct str line, struct str behind);
/* Whether `line` goes on with the event that t is of. In `a` a copy of its first line is unpainted
 * where that has colours. */
bool trace_goes_on(struct trace *t, struct str line, struct str behind, struct arena *a);

#endif
