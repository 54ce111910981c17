/* SHA-256, SHA-1, MD5 (for protocols that demand it), HMAC, hex and constant-time comparison
 * through libcrypto. Any thread. */
#ifndef FNSCOPE_CORE_BASE_CRYPTO_H
#define FNSCOPE_CORE_BASE_CRYPTO_H

#include "core/base/buf.h"

void sha256(struct str data, uint8_t out[32]);
void sha1(struct str data, uint8_t out[20]);
void md5(struct str data, uint8_t out[16]);
void hmac_sha256(struct str key, struct str data, uint8_t out[32]);
void hex_add(struct buf *b, const uint8_t *p, size_t n); /* lower case */
bool hex_parse(struct str s, uint8_t *out, size_t n);    /* exactly 2 n digits, either case */
bool crypto_eq(struct str a, struct str b);              /* time does not depend on content */

#endif
