/* Percent-encoding of paths, queries and form bodies (RFC 3986, HTML forms). Pure. */
#ifndef FNSCOPE_CORE_BASE_URL_H
#define FNSCOPE_CORE_BASE_URL_H

#include "core/base/arena.h"
#include "core/base/buf.h"

/* Decodes into the arena: false for a broken escape or a NUL. plus_is_blank for queries and forms.
 */
bool url_decode(struct arena *a, struct str s, bool plus_is_blank, struct str *out);
/* The same, with %00 as a byte like others: for whoever takes a value by its length. */
bool url_decode_bytes(struct arena *a, struct str s, bool plus_is_blank, struct str *out);
/* The decoded value of the first parameter of that name; false when absent or broken. */
bool url_query(struct arena *a, struct str query, struct str name, struct str *value);

/* Encodes all but A-Z a-z 0-9 - . _ ~ (and '/' with keep_slash), as RFC 3986 and AWS want it. */
void url_encode(struct buf *out, struct str s, bool keep_slash);

#endif
