/* Inside of collector/: the prefixes of text lines. Pure; views into the line. */
#ifndef FNSCOPE_COLLECTOR_LINE_PREFIX_H
#define FNSCOPE_COLLECTOR_LINE_PREFIX_H

#include "collector/event.h"
#include "collector/lines.h"

/* The form of a line that begins an event by its prefix, whose parts are put into ev; FORM_UNKNOWN:
 * none. Never FORM_LOOSE: those prefixes also begin messages of functions. */
enum line_form prefix_read(struct str line, struct raw_event *ev);
/* The line before, whose prefix most lines repeat but for the end of the time. Zeroed is none. */
struct prefix_memo {
    const char *line;
    size_t n; /* bytes of the prefix; 0: none that can be told by its bytes alone */
    enum line_form form;
    struct raw_event ev; /* its parts, the time that of the minute */
};

/* As prefix_read, faster where the prefix is that of *m, which becomes that of the line: group and
 * stream are the same views then. The lines live as long as *m. */
enum line_form prefix_read_next(struct prefix_memo *m, struct str line, struct raw_event *ev);
/* The same for FORM_LOOSE, which only platform lines behind it prove. */
bool prefix_read_loose(struct str line, struct raw_event *ev);
/* A platform line with nothing in front: in files with prefixes only a forgery looks so. */
bool prefix_is_platform(struct str line);

#endif
