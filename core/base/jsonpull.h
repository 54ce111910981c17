/* A validating pull reader for log pages: no tree, no allocation but for unescaping into the arena.
 * It accepts exactly RFC 8259 text in valid UTF-8 (differential fuzz against jansson), gives views,
 * and limits depth. A bad event is skipped alone: jp_resync() finds the next sibling.
 *
 *     jp_init(&j, page, &arena);
 *     if (jp_enter(&j, '{'))
 *         while (jp_member(&j, &key))
 *             if (str_eq(key, STR("events"))) ... else jp_skip(&j);
 *     if (j.error) ... j.error_offset
 *
 * One thread. Views point into the page or the arena. */
#ifndef FNSCOPE_CORE_BASE_JSONPULL_H
#define FNSCOPE_CORE_BASE_JSONPULL_H

#include "core/base/arena.h"

#define JP_MAX_DEPTH 64

enum jp_type {
    JP_BAD,
    JP_END,
    JP_OBJECT,
    JP_ARRAY,
    JP_STRING,
    JP_NUMBER,
    JP_TRUE,
    JP_FALSE,
    JP_NULL
};

struct jp {
    const char *begin, *p, *end;
    struct arena *arena; /* for strings with escapes */
    const char *error;   /* what is wrong, a literal; NULL while all is well */
    size_t error_offset;
    bool takes_halves; /* a surrogate that stands alone is U+FFFD, not an error; set after jp_init()
                        */
    unsigned depth;
    char stack[JP_MAX_DEPTH]; /* open brackets */
    bool is_first[JP_MAX_DEPTH];
};

void jp_init(struct jp *j, struct str text, struct arena *arena);
enum jp_type jp_peek(struct jp *j);        /* type of the next value, nothing consumed */
bool jp_enter(struct jp *j, char bracket); /* '{' or '['; false when the next value is another */
bool jp_member(struct jp *j, struct str *key); /* next member of the open object; false at its end,
                                                  which it consumes, or on error */
bool jp_element(struct jp *j);                 /* next element of the open array; as above */
bool jp_string(struct jp *j, struct str *out);
/* The same, always in the arena: for text that outlives the page. Read and copied in one pass. */
bool jp_string_copy(struct jp *j, struct str *out);
bool jp_number(struct jp *j, struct str *out); /* its text */
bool jp_i64(struct jp *j, int64_t *out);       /* integer number, or a string holding one */
bool jp_bool(struct jp *j, bool *out);
bool jp_skip(struct jp *j);                 /* any value, validated */
bool jp_raw(struct jp *j, struct str *out); /* as jp_skip, gives its text */
bool jp_at_end(struct jp *j);               /* only white space left */

/* After an error inside element n of an array at `depth`: scans bracket- and string-aware to the
 * end of that element and clears the error, so that jp_element() goes on. False when there is none.
 */
bool jp_resync(struct jp *j, unsigned depth, const char *element_start);

#endif
