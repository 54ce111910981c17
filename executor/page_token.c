/* Four numbers and a seal (HMAC-SHA-256, cut to 16 bytes) in hexadecimal. */
#include "executor/page_token.h"

#include <string.h>

#include "core/base/crypto.h"

#define SEAL_BYTES  16
#define BODY_BYTES  32
#define TOKEN_CHARS ((size_t)2 * (BODY_BYTES + SEAL_BYTES))

static void put_number(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (56 - 8 * i));
}

static uint64_t get_number(const uint8_t *p)
{
    uint64_t v = 0;

    for (int i = 0; i < 8; i++)
        v = v << 8 | p[i];
    return v;
}

static void seal(struct str key, const uint8_t *body, uint8_t out[32])
{
    hmac_sha256(key, (struct str){(const char *)body, BODY_BYTES}, out);
}

struct str page_token_write(struct arena *a, struct str key, const struct page_token *t)
{
    uint8_t bytes[BODY_BYTES + 32];
    struct buf text = {.max = TOKEN_CHARS};

    put_number(bytes, (uint64_t)t->a);
    put_number(bytes + 8, (uint64_t)t->b);
    put_number(bytes + 16, t->query);
    put_number(bytes + 24, (uint64_t)t->made_s);
    seal(key, bytes, bytes + BODY_BYTES);
    hex_add(&text, bytes, BODY_BYTES + SEAL_BYTES);
    struct str out = arena_str(a, buf_str(&text));
    buf_clear(&text);
    return out;
}

enum status page_token_read(struct str key, struct str text, uint64_t query, int64_t now_s,
                            struct page_token *out, struct err *e)
{
    uint8_t bytes[BODY_BYTES + SEAL_BYTES], want[32];

    if (text.n != TOKEN_CHARS || !hex_parse(text, bytes, sizeof(bytes)))
        return err_set(e, ERR_PARSE, "The specified nextToken is invalid.");
    seal(key, bytes, want);
    struct page_token t = {.a = (int64_t)get_number(bytes),
                           .b = (int64_t)get_number(bytes + 8),
                           .query = get_number(bytes + 16),
                           .made_s = (int64_t)get_number(bytes + 24)};
    if (!crypto_eq((struct str){(const char *)bytes + BODY_BYTES, SEAL_BYTES},
                   (struct str){(const char *)want, SEAL_BYTES}) ||
        t.query != query || now_s - t.made_s > PAGE_TOKEN_LIFE_S)
        return err_set(e, ERR_PARSE, "The specified nextToken is invalid.");
    *out = t;
    return OK;
}
