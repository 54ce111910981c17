/* Base64 (RFC 4648), standard alphabet, padded. Pure. */
#ifndef FNSCOPE_CORE_BASE_BASE64_H
#define FNSCOPE_CORE_BASE_BASE64_H

#include "core/base/buf.h"

void base64_add(struct buf *out, struct str data);
MUST_CHECK enum status base64_parse(struct str text, struct buf *out,
                                    struct err *e); /* blanks, CR, LF skipped */

#endif
