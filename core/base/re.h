/* User patterns: PCRE2 with JIT, match and depth limits, so a pattern cannot hang the program. One
 * `struct re` may be matched by one thread. */
#ifndef FNSCOPE_CORE_BASE_RE_H
#define FNSCOPE_CORE_BASE_RE_H

#include "core/base/err.h"
#include "core/base/str.h"

struct re;
/* flags: 'i' ignore case, 'l' literal text. The error names the offset in the pattern. */
MUST_CHECK enum status re_new(struct str pattern, const char *flags, struct re **out,
                              struct err *e);
void re_free(struct re *re);
/* True with the match's bounds (may be NULL). A match over its limits is false and counted. */
bool re_match(struct re *re, struct str subject, size_t *from, size_t *to);
unsigned re_limit_hits(const struct re *re);
/* Text of group i of the last match; empty when unset. Views into its subject. */
struct str re_group(const struct re *re, struct str subject, unsigned i);

#endif
