/* Inside of collector/aws/: the shape of CloudWatch JSON as far as brackets and member names show
 * it, for a walk that must find its way past damage. All look at [p, end) only; NULL or an empty
 * view means: not there, or not there yet. Pure. */
#ifndef FNSCOPE_COLLECTOR_AWS_JSON_SHAPE_H
#define FNSCOPE_COLLECTOR_AWS_JSON_SHAPE_H

#include "core/base/str.h"

bool shape_is_space(char c);
bool shape_is_key(struct str s, const struct str *keys, size_t n);
/* Just behind the value that begins at p, bracket- and string-aware. */
const char *shape_value_end(const char *p, const char *end);
/* The same for a value that comes in pieces: zeroed at its begin, the place in it from then on. */
struct shape_place {
    size_t depth;
    bool is_in_string, is_escaped;
};
const char *shape_value_goes_on(struct shape_place *at, const char *p, const char *end);
/* As shape_value_end for `"name": value`. */
const char *shape_member_end(const char *p, const char *end);
/* The first member's name of the object at p. */
struct str shape_first_key(const char *p, const char *end);
/* The object at p begins like an event; like a page, answer or envelope. */
bool shape_is_event(const char *p, const char *end);
bool shape_is_document(const char *p, const char *end);
/* An answer of GetQueryResults, whatever its rows hold. */
bool shape_is_query_result(struct str head);
/* The next object that can only be an event or document: inside a string its quotes would be
 * escaped. Where a bad event's own brackets cannot be trusted, reading goes on there. */
const char *shape_next_object(const char *p, const char *end);
/* An object at the very end whose first name is not there yet: it may be one of them. */
const char *shape_cut_object(const char *p, const char *end);

#endif
