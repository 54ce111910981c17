/* The one place that makes foreign bytes safe to show. Whatever a log line holds, what leaves here
 * is valid UTF-8 without control characters, escape sequences, bidirectional overrides or other
 * invisible formatting: a terminal cannot be driven and a file cannot be spoofed by it. Pure. */
#ifndef FNSCOPE_CORE_BASE_SAFE_TEXT_H
#define FNSCOPE_CORE_BASE_SAFE_TEXT_H

#include "core/base/buf.h"

/* C0, DEL and C1 become U+FFFD pictures (U+2400 block) except what `keep` allows; invalid UTF-8
 * becomes U+FFFD; bidi and zero-width formatting characters become <U+202E> in visible text. */
enum safe_keep { SAFE_KEEP_NONE = 0, SAFE_KEEP_NEWLINE = 1, SAFE_KEEP_TAB = 2 };
void safe_text(struct buf *out, struct str s, unsigned keep);
void safe_html(struct buf *out,
               struct str s);                 /* safe_text, then & < > " ' escaped; keeps newline */
void safe_csv(struct buf *out, struct str s); /* RFC 4180 field; text a spreadsheet would run as a
                                                 formula (= + - @ TAB CR first) gets a ' in front */
void safe_json(struct buf *out, struct str s); /* quoted JSON string; every code point kept, invalid
                                                  UTF-8 as \ufffd */
void safe_markdown(struct buf *out, struct str s); /* inline cell: | * _ ` < [ \ escaped */
/* The same as a code span, for what is to be pasted: nothing is escaped but | (GFM, tables). */
void safe_markdown_code(struct buf *out, struct str s);

#endif
