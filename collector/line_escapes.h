/* Inside of collector/: messages as jq's @tsv writes them, each on one line behind a time and a
 * tab, with \t, \n, \r and \\ for what cannot stand in a column (jq manual, "Format strings and
 * escaping"). Pure. */
#ifndef FNSCOPE_COLLECTOR_LINE_ESCAPES_H
#define FNSCOPE_COLLECTOR_LINE_ESCAPES_H

#include "core/base/arena.h"
#include "core/base/str.h"

/* Whether all lines of a file's head have that form, and one of them proves it. */
bool escapes_are_of(struct str head);
/* A copy of the message as it was. */
struct str escapes_undo(struct str message, struct arena *a);

#endif
