/* Hashes through libcrypto. */
#include "core/base/crypto.h"

#include <assert.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

static const void *data_of(struct str s)
{
    return s.p ? s.p : "";
}

void sha256(struct str data, uint8_t out[32])
{
    int is_done = EVP_Digest(data_of(data), data.n, out, NULL, EVP_sha256(), NULL);

    assert(is_done == 1);
    UNUSED(is_done);
}

void sha1(struct str data, uint8_t out[20])
{
    int is_done = EVP_Digest(data_of(data), data.n, out, NULL, EVP_sha1(), NULL);

    assert(is_done == 1);
    UNUSED(is_done);
}

void md5(struct str data, uint8_t out[16])
{
    int is_done = EVP_Digest(data_of(data), data.n, out, NULL, EVP_md5(), NULL);

    assert(is_done == 1);
    UNUSED(is_done);
}

void hmac_sha256(struct str key, struct str data, uint8_t out[32])
{
    assert(key.n <= INT32_MAX);
    const uint8_t *done =
        HMAC(EVP_sha256(), data_of(key), (int)key.n, data_of(data), data.n, out, NULL);
    assert(done);
    UNUSED(done);
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
