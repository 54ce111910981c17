/* UTF-8: validation, decoding, display width. Pure. */
#ifndef FNSCOPE_CORE_BASE_UTF8_H
#define FNSCOPE_CORE_BASE_UTF8_H

#include "core/base/buf.h"

bool utf8_is_valid(struct str s); /* no overlong forms, no surrogates, at most U+10FFFF */
/* Decodes one code point at s.p; returns the bytes used (1 and U+FFFD for an invalid byte), 0 at
 * the end. */
size_t utf8_next(struct str s, uint32_t *cp);
size_t utf8_put(uint32_t cp, char out[4]);
int utf8_cp_width(uint32_t cp);                  /* terminal cells: 0 combining, 1, 2 wide */
size_t utf8_width(struct str s);                 /* cells of the whole view */
struct str utf8_fit(struct str s, size_t cells); /* longest prefix that fits */

/* Words broken at the width; the first line is taken to stand at the indent already, further lines
 * are indented. Ends with a new line. */
void utf8_wrap(struct buf *out, struct str text, size_t width, size_t indent);

#endif
