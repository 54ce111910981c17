/* Published vectors: FIPS 180-4, RFC 1321, RFC 4231. */
#include "tests/test.h"

#include <string.h>

#include "core/base/crypto.h"

static void check_hex(const uint8_t *sum, size_t n, const char *expected)
{
    AUTO(buf_clear) struct buf text = {.max = 128};

    hex_add(&text, sum, n);
    CHECK_STR(buf_str(&text), str_from(expected));
}

static void test_hashes(void **state)
{
    uint8_t sum[32];

    UNUSED(state);
    sha256(STR("abc"), sum);
    check_hex(sum, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256((struct str){0}, sum);
    check_hex(sum, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha1(STR("abc"), sum);
    check_hex(sum, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
    md5(STR("message digest"), sum);
    check_hex(sum, 16, "f96b697d7cb7938d525a2f31aaf161d0");
}

static void test_hmac(void **state)
{
    static const struct {
        size_t key_n; /* times key_byte, unless key is given */
        char key_byte;
        const char *key, *data, *expected;
    } cases[] = {
        {20, 0x0b, NULL, "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {0, 0, "Jefe", "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {131, (char)0xaa, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };
    char key[131];
    uint8_t sum[32];

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        memset(key, cases[i].key_byte, sizeof(key));
        struct str k = cases[i].key ? str_from(cases[i].key) : (struct str){key, cases[i].key_n};
        hmac_sha256(k, str_from(cases[i].data), sum);
        check_hex(sum, 32, cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hashes), cmocka_unit_test(test_hmac)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
