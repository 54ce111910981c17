/* Inside of collector/: the prefixes of text lines. Pure; views into the line. */
#ifndef FNSCOPE_COLLECTOR_LINE_PREFIX_H
#define FNSCOPE_COLLECTOR_LINE_PREFIX_H

#include "collector/event.h"
#include "collector/lines.h"

/* The form of a line that begins an event by its prefix, whose parts are put into ev; FORM_UNKNOWN:
 * none. Never FORM_LOOSE: those prefixes also begin messages of functions. */
enum line_form prefix_read(struct str line, struct raw_event *ev);
/* The same for FORM_LOOSE, which only platform lines behind it prove. */
bool prefix_read_loose(struct str line, struct raw_event *ev);
/* A platform line with nothing in front: in files with prefixes only a forgery looks so. */
bool prefix_is_platform(struct str line);

#endif
