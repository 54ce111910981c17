/* Hashes through libcrypto, by its plain functions: the EVP door looks every digest up in a
 * provider, reads openssl.cnf first, and so costs milliseconds at the start of a program and most
 * of the time of a small hash; SHA256() and SHA1() go through it too. */
#define OPENSSL_API_COMPAT 0x10101000L /* they are deprecated since 3.0, not removed */
#include "core/base/crypto.h"

#include <assert.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/md5.h>
#include <openssl/sha.h>

#define BLOCK_BYTES 64 /* of SHA-256 */

static const void *data_of(struct str s)
{
    return s.p ? s.p : "";
}

void sha256(struct str data, uint8_t out[32])
{
    SHA256_CTX hash;

    SHA256_Init(&hash);
    SHA256_Update(&hash, data_of(data), data.n);
    SHA256_Final(out, &hash);
}

void sha1(struct str data, uint8_t out[20])
{
    SHA_CTX hash;

    SHA1_Init(&hash);
    SHA1_Update(&hash, data_of(data), data.n);
    SHA1_Final(out, &hash);
}

void md5(struct str data, uint8_t out[16])
{
    MD5_CTX hash;

    MD5_Init(&hash);
    MD5_Update(&hash, data_of(data), data.n);
    MD5_Final(out, &hash);
}

/* One half of RFC 2104: the hash of the key, padded and masked, followed by the data. */
static void keyed_hash(const uint8_t key[BLOCK_BYTES], uint8_t mask, struct str data,
                       uint8_t out[32])
{
    uint8_t pad[BLOCK_BYTES];
    SHA256_CTX hash;

    for (size_t i = 0; i < BLOCK_BYTES; i++)
        pad[i] = key[i] ^ mask;
    SHA256_Init(&hash);
    SHA256_Update(&hash, pad, sizeof(pad));
    SHA256_Update(&hash, data_of(data), data.n);
    SHA256_Final(out, &hash);
    OPENSSL_cleanse(pad, sizeof(pad));
    OPENSSL_cleanse(&hash, sizeof(hash));
}

void hmac_sha256(struct str key, struct str data, uint8_t out[32])
{
    uint8_t block[BLOCK_BYTES] = {0}, inner[32];

    if (key.n > BLOCK_BYTES)
        sha256(key, block);
    else
        memcpy(block, data_of(key), key.n);
    keyed_hash(block, 0x36, data, inner);
    keyed_hash(block, 0x5c, (struct str){(const char *)inner, sizeof(inner)}, out);
    OPENSSL_cleanse(block, sizeof(block));
}

void hex_add(struct buf *b, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        buf_add_c(b, digits[p[i] >> 4]);
        buf_add_c(b, digits[p[i] & 15]);
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hex_parse(struct str s, uint8_t *out, size_t n)
{
    if (s.n != 2 * n)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (hex_value(s.p[i]) < 0)
            return false;
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(hex_value(s.p[2 * i]) * 16 + hex_value(s.p[2 * i + 1]));
    return true;
}

bool crypto_eq(struct str a, struct str b)
{
    return a.n == b.n && CRYPTO_memcmp(data_of(a), data_of(b), a.n) == 0;
}
