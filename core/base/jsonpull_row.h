/* Few steps for what the objects of a row have in common, millions of times over: the same members
 * in the same order, times of so many digits. Gives what jsonpull.h gives. */
#ifndef FNSCOPE_CORE_BASE_JSONPULL_ROW_H
#define FNSCOPE_CORE_BASE_JSONPULL_ROW_H

#include "core/base/jsonpull.h"

/* The members of an object, in their order, with what the caller made of their names: the next
 * object of a row is mostly like it. Zeroed is none. */
enum { JP_FORM_MEMBERS = 8 };
struct jp_form {
    struct jp_form_member {
        uint64_t text[3], mask[3]; /* `,"name":`, and which bits of it count */
        unsigned char n, comma;
        unsigned tag;
    } members[JP_FORM_MEMBERS];
};
typedef unsigned jp_tag_fn(struct str name);
/* As jp_member, for the i-th member of an object that may be like the one before; *tag is what
 * find() makes of the name, which is not asked again where the text is the same as there. */
bool jp_member_like(struct jp *j, struct jp_form *form, size_t i, jp_tag_fn *find, struct str *key,
                    unsigned *tag);

/* A number of exactly n digits, 8 to 16, with a comma or brace behind it; false, and nothing
 * consumed: another value, or written otherwise. */
bool jp_digits(struct jp *j, size_t n, uint64_t *out);

#endif
