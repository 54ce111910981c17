/* Lines that went into a log chunk come out of it byte for byte, whatever they hold; damaged chunks
 * are refused; chunks from before migration 14 are read. */
#include <stdlib.h>
#include <string.h>

#include "core/base/crypto.h"
#include "core/base/rng.h"
#include "core/store/chunk_format.h"
#include "tests/test.h"

enum { DAY = 19857 }; /* 2024-05-14 */
#define NOON ((int64_t)DAY * NS_PER_DAY + 12 * NS_PER_HOUR)

struct lines {
    struct chunk_line rows[4000];
    size_t n, bytes;
    struct arena arena;
    struct chunk_writer writer;
    struct chunk_text text;
    struct zstd_ctx *zstd;
    struct buf pressed, blob;
};

static struct lines *lines_new(void)
{
    struct lines *l = calloc(1, sizeof(*l));

    CHECK(l != NULL);
    l->zstd = zstd_ctx_for_lines();
    l->pressed.max = l->blob.max = (size_t)1 << 28;
    chunk_text_init(&l->text);
    chunk_writer_begin(&l->writer, DAY);
    return l;
}

static void lines_free(struct lines *l)
{
    arena_clear(&l->arena);
    chunk_writer_clear(&l->writer);
    chunk_text_clear(&l->text);
    zstd_ctx_free(l->zstd);
    buf_clear(&l->pressed);
    buf_clear(&l->blob);
    free(l);
}

static void add_at(struct lines *l, int64_t time_ns, uint32_t stream, struct str body)
{
    struct chunk_line *line = &l->rows[l->n++];

    *line = (struct chunk_line){.time_ns = time_ns,
                                .stream = stream,
                                .severity = (enum severity)(l->n % 7),
                                .kind = (enum record_kind)(l->n % 2),
                                .body = arena_str(&l->arena, body)};
    l->bytes += body.n;
    chunk_writer_add(&l->writer, line);
}

static void add(struct lines *l, const char *body)
{
    add_at(l, NOON + (int64_t)l->n * 7 * NS_PER_MS, 5, str_from(body));
}

/* Lines cut along the templates that are known have the pieces of those cut without them. */
static void check_cuts(const struct lines *l)
{
    struct chunk_writer w = {0};

    chunk_writer_begin(&w, DAY);
    for (size_t i = 0; i < l->n; i++) {
        template_tree_empty(&w.tree);
        chunk_writer_add(&w, &l->rows[i]);
    }
    for (size_t i = 0; i < CHUNK_PARTS; i++)
        CHECK_STR(buf_str(&l->writer.parts[i]), buf_str(&w.parts[i]));
    chunk_writer_clear(&w);
}

static void check_all(struct lines *l)
{
    struct err e = {0};
    struct chunk_cursor c;
    struct chunk_line line;
    size_t n = 0;

    check_cuts(l);
    CHECK_OK(chunk_writer_pack(&l->writer, l->zstd, &l->pressed, &l->blob, &e), &e);
    CHECK_OK(chunk_text_read(&l->text, buf_str(&l->blob), DAY, l->bytes, &e), &e);
    chunk_begin(&c, &l->text);
    for (; chunk_next(&c, &line); n++) {
        const struct chunk_line *want = &l->rows[n];
        CHECK(n < l->n);
        CHECK_STR(line.body, want->body);
        CHECK_INT(line.time_ns, want->time_ns);
        CHECK_INT(line.stream, want->stream);
        CHECK_INT(line.severity, want->severity);
        CHECK_INT(line.kind, want->kind);
    }
    CHECK_INT(n, l->n);
}

/* What was written before into other chunks changes nothing of a chunk. */
static void check_next_chunk(const struct lines *l, struct chunk_writer *w)
{
    chunk_writer_begin(w, DAY);
    for (size_t i = 0; i < l->n; i++)
        chunk_writer_add(w, &l->rows[i]);
    for (size_t i = 0; i < CHUNK_PARTS; i++)
        CHECK_STR(buf_str(&l->writer.parts[i]), buf_str(&w->parts[i]));
}

#define ID_A "f0275c52-bff8-41b5-ad9a-cb93ab0d3629"
#define ID_B "23ca03a7-4e5c-4846-a739-e6320ab3c724"

static void test_every_kind_of_word(void **state)
{
    static const char *const bodies[] = {
        "",
        "0",
        "words alone",
        "START RequestId: " ID_A " Version: $LATEST",
        "END RequestId: " ID_A,
        ID_A,
        ID_A ID_B,
        "2024-05-14T12:00:00.049Z\t" ID_B "\tINFO\t" ID_B " " ID_A " " ID_A,
        "2024-05-14T12:00:00.056Z",
        "2024-05-14T12:00:00.056",
        "2024-05-14T12:00:00.999Z 2024-05-14T00:00:00.000Z 2024-05-14T23:59:59.999Z",
        "2024-05-14T24:00:00.000Z 2024-05-14T23:60:00.000Z 2024-05-14T23:59:60.000Z",
        "2024-05-13T12:00:00.000Z x2024-05-14T12:00:00.000Z 12024-05-14T12:00:00.000Z",
        "2024-05-14 12:00:00.000Z 2024-05-14T12:00:00,000Z 2024-05-14T12:00:00.00Z",
        "F0275C52-bff8-41b5-ad9a-cb93ab0d3629 f0275c52-bff8-41b5-ad9a-cb93ab0d362",
        "f0275c52-bff8-41b5-ad9a-cb93ab0d362G f0275c52_bff8-41b5-ad9a-cb93ab0d3629",
        "00 01 007 000000000000000000000000000000000000000000000000001 9999999999999999",
        "18446744073709551615 18446744073709551616 99999999999999999999999999999999999",
        "1-66433f00-0000000027f4082019812370 ec8b213ad9445d9e EC8B213AD9445D9E 27f408201981237",
        "id deadbee1 -12-34 x",
        "id deadbee1-12-34 x",
        "id deadbee1-123-45",
        "id deadbee1a-12-34 x",
        "id abcd2024 -05-14",
        "id abcd2024-05-14T12:00:00.000Z",
        "id abcdef2024-05-14T12:00:00.001Z",
        "id abcd2024-05-14T12:00:00.00Z",
        "id 1234-5",
        "id 2024-05-14T12:00:00.000Z",
        "id 123-5",
        "id 12345678-05-14",
        "id aaaabbbb-bff8-41b5-ad9a-cb93ab0d3629",
        "id 0000aaaa0000aaaa-1",
        "id abcdabcdabcd1bcd-1",
        "id abcdabcdabcdabcd-1",
        "id 0123012301230123-1",
        "key0=a1 b22c 3d 4e5 x86_64 v1.2.3 12ms customer12 12milliseconds utf8mb4 a1b2 1a 2b3",
        "\xff\xfe 1\xc3\xa9"
        "2 \x80 99\xbf",
        "{\"timestamp\":\"2024-05-14T12:00:00.140Z\",\"requestId\":\"" ID_B "\",\"n\":1.50e-07}",
        "\x08\x1b[31m7\x1b[0m\t8",
        "a\x01"
        "b",
        "\x07",
        "1\x02\x05"
        "2",
        "\x03\x03\x03",
    };
    struct lines *l = lines_new();

    UNUSED(state);
    for (int i = 0; i < 3; i++)
        for (size_t k = 0; k < ARRAY_LEN(bodies); k++)
            add(l, bodies[k]);
    add_at(l, NOON, 5, STR("\0nul\0 12\0"));
    add_at(l, NOON, 5, STR("\0"));
    check_all(l);
    lines_free(l);
}

/* Every byte at every place of a UUID: packed where it is a lower-case digit or its dash. */
static void test_uuid_bytes(void **state)
{
    char text[] = ID_A;
    uint8_t packed[16], want[16];

    UNUSED(state);
    for (size_t at = 0; at < CHUNK_UUID; at++) {
        const char own = text[at];
        for (int b = 0; b < 256; b++) {
            char digits[33] = "";
            size_t n = 0;
            text[at] = (char)b;
            for (size_t i = 0; i < CHUNK_UUID; i++)
                if (ID_A[i] != '-')
                    digits[n++] = text[i];
            const bool is_right = own == '-' ? b == '-' : b && strchr("0123456789abcdef", b);
            CHECK(id_pack((struct str){text, CHUNK_UUID}, packed) == is_right);
            CHECK(hex_digits_pack(digits, 16, want) == (own == '-' || is_right));
            if (is_right) {
                CHECK(hex_parse((struct str){digits, 32}, want, 16));
                CHECK(memcmp(packed, want, 16) == 0);
                CHECK(hex_digits_pack(digits, 16, packed) && memcmp(packed, want, 16) == 0);
            }
        }
        text[at] = own;
    }
}

static void add_of_chunk(struct lines *l, unsigned chunk)
{
    static const char *const shared[] = {("START RequestId: " ID_A " Version: $LATEST"), "",
                                         "a\x01", "took 12 ms of 300", ("END RequestId: " ID_A)};

    for (unsigned i = 0; i < 300 + chunk; i++) {
        char body[64];
        snprintf(body, sizeof(body), "%c%c%c of %u: %u", (char)('a' + (i + 7 * chunk) % 26),
                 (char)('a' + i / 26), (char)('a' + chunk % 3), chunk, i);
        add(l, body);
        add(l, shared[(i + chunk) % ARRAY_LEN(shared)]);
    }
}

static void test_templates_of_other_chunks(void **state)
{
    struct chunk_writer w = {0};

    UNUSED(state);
    for (unsigned chunk = 0; chunk < 12; chunk++) {
        struct lines *l = lines_new();
        add_of_chunk(l, chunk);
        check_next_chunk(l, &w);
        check_next_chunk(l, &w);
        check_all(l);
        lines_free(l);
    }
    CHECK(w.n_known <= 2 * TEMPLATES_MOST);
    chunk_writer_clear(&w);
}

static void test_times_and_streams(void **state)
{
    const int64_t midnight = (int64_t)DAY * NS_PER_DAY;
    const int64_t times[] = {
        midnight, midnight + NS_PER_DAY - 1,         midnight + 1, NOON + 999999,
        NOON - 1, midnight + NS_PER_DAY - NS_PER_MS, midnight};
    const uint32_t streams[] = {0, 1, UINT32_MAX, 65, 1, 0, 64};
    struct lines *l = lines_new();

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        for (size_t k = 0; k < ARRAY_LEN(streams); k++)
            add_at(l, times[i], streams[k],
                   k % 2 ? STR("2024-05-14T12:00:00.000Z " ID_A) : STR(ID_B " " ID_A));
    check_all(l);
    lines_free(l);
}

/* Bytes that make up the words above, and any others. */
static struct str random_body(struct rng *rng, char *text, size_t room)
{
    static const char *const words[] = {ID_A,          ID_B,         "2024-05-14T12:00:00.000Z",
                                        "2024-05-14T", "deadbeef12", "-",
                                        "\t",          "12",         "0",
                                        "a",           "f0275c52",   "f0275c52-bff8"};
    size_t n = rng_below(rng, room), at = 0;

    while (at < n) {
        const char *word = words[rng_below(rng, ARRAY_LEN(words))];
        const size_t take = 1 + rng_below(rng, strlen(word));
        if (rng_below(rng, 200) == 0) {
            text[at++] = (char)rng_below(rng, 256);
            continue;
        }
        const size_t of = take < n - at ? take : n - at;
        memcpy(text + at, rng_below(rng, 4) ? word : word + strlen(word) - take, of);
        at += of;
    }
    return (struct str){text, n};
}

static void test_random_lines(void **state)
{
    static char text[2 * CHUNK_CUT_MOST];

    UNUSED(state);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct lines *l = lines_new();
        struct rng rng;
        rng_seed(&rng, seed);
        for (size_t i = 0; i < 400; i++)
            add_at(l, NOON + (int64_t)rng_below(&rng, 20) * 500000, (uint32_t)rng_below(&rng, 3),
                   random_body(&rng, text, i == 7 ? sizeof(text) : 300));
        check_all(l);
        lines_free(l);
    }
}

/* Lines of a few forms, in which words stand where others of any kind stood before; one in ten has
 * another byte somewhere. */
static struct str random_values(struct rng *rng, char *text)
{
    static const char *const forms[] = {"*",   "a*",       "a *", "* *", "x*y *",
                                        "*-*", "key*=*;*", "**",  "*ms*"};
    static const char *const values[] = {ID_A,
                                         ID_B,
                                         "abcdefab-bff8-41b5-ad9a-cb93ab0d3629",
                                         "2024-05-14T12:00:00.000Z",
                                         "2024-05-14T12:00:00.001Z",
                                         "2024-05-14T25:00:00.000Z",
                                         "2024-05-14",
                                         "2024",
                                         "1234567",
                                         "12345678",
                                         "123456789012345",
                                         "1234567890123456",
                                         "12345678901234567",
                                         "1",
                                         "1a2",
                                         "deadbeef12",
                                         "deadbeef",
                                         "1deadbee",
                                         "12ab34cd56ef78ab",
                                         "12ms",
                                         "",
                                         "ab",
                                         "1234567-",
                                         "12-"};
    const char *form = forms[rng_below(rng, ARRAY_LEN(forms))];
    size_t n = 0;

    for (; *form; form++) {
        const char *value = values[rng_below(rng, ARRAY_LEN(values))];
        const size_t of = *form == '*' ? strlen(value) : 1;
        memcpy(text + n, *form == '*' ? value : form, of);
        n += of;
    }
    if (n > 0 && rng_below(rng, 10) == 0)
        text[rng_below(rng, n)] = (char)rng_below(rng, 256);
    return (struct str){text, n};
}

static void test_values_change(void **state)
{
    char text[512];

    UNUSED(state);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct lines *l = lines_new();
        struct rng rng;
        rng_seed(&rng, seed);
        while (l->n < 4000) {
            add_at(l, NOON + (int64_t)rng_below(&rng, 3) * 500000, (uint32_t)rng_below(&rng, 3),
                   random_values(&rng, text));
        }
        check_all(l);
        lines_free(l);
    }
}

/* More templates than a chunk keeps, and lines as long as are cut, or longer. */
static void test_many_templates_and_long_lines(void **state)
{
    static char text[CHUNK_CUT_MOST + 2];
    struct lines *l = lines_new();

    UNUSED(state);
    for (unsigned i = 0; i < 2500; i++) {
        struct str body = arena_printf(&l->arena, "%c%c%c of 12", 'a' + (int)(i % 26),
                                       'a' + (int)(i / 26 % 26), 'a' + (int)(i / 676));
        add_at(l, NOON, 1, body);
    }
    CHECK(l->writer.n_known <= TEMPLATES_MOST);
    for (size_t n = CHUNK_CUT_MOST - 70; n <= sizeof(text); n++) {
        memset(text, n % 2 ? '7' : 'x', n);
        add_at(l, NOON, 1, (struct str){text, n});
    }
    check_all(l);
    lines_free(l);
}

static void test_is_small(void **state)
{
    struct lines *l = lines_new();

    UNUSED(state);
    for (unsigned i = 0; i < 3000; i++)
        add_at(l, NOON + i * NS_PER_MS, i / 100,
               arena_printf(&l->arena,
                            "2024-05-14T12:00:0%u.%03uZ\t%08x-bff8-41b5-ad9a-cb93ab0d3629\tINFO\t"
                            "order accepted id=%u",
                            i / 1000, i % 1000, 0xf0275000u + i / 100, i * 7919 % 1000000));
    check_all(l);
    CHECK(l->blob.n * 15 < l->bytes);
    lines_free(l);
}

static void test_damage(void **state)
{
    struct lines *l = lines_new();
    struct err e = {0};

    UNUSED(state);
    for (int i = 0; i < 30; i++)
        add(l, "END RequestId: " ID_A " 12 deadbeef12 a1b2");
    check_all(l);
    const struct str blob = buf_str(&l->blob);
    CHECK_STATUS(chunk_text_read(&l->text, blob, DAY, l->bytes + 1, &e), ERR_PARSE);
    CHECK_STATUS(chunk_text_read(&l->text, blob, DAY, l->bytes - 1, &e), ERR_PARSE);
    CHECK_STATUS(chunk_text_read(&l->text, blob, DAY, (size_t)1 << 40, &e), ERR_PARSE);
    for (size_t n = 0; n < blob.n; n++)
        CHECK_STATUS(chunk_text_read(&l->text, str_sub(blob, 0, n), DAY, l->bytes, &e), ERR_PARSE);
    for (size_t i = 0; i < blob.n * 8; i++) {
        l->blob.p[i / 8] = (char)(l->blob.p[i / 8] ^ 1 << i % 8);
        CHECK_STATUS(chunk_text_read(&l->text, blob, DAY, l->bytes, &e), ERR_PARSE);
        l->blob.p[i / 8] = (char)(l->blob.p[i / 8] ^ 1 << i % 8);
    }
    check_all(l);
    lines_free(l);
}

/* Records in one zstd frame. */
/* What the packer keeps comes out of what the writer makes of it; a second try at the pack makes
 * nothing anew. */
static void test_kept_lines(void **state)
{
    struct lines *l = lines_new();
    struct chunk_press *press = NULL;
    struct packed_chunk chunk = {.day = DAY};
    struct pack pack = {.chunks = &chunk, .n_chunks = 1};
    struct err e = {0};
    size_t held = 0;

    UNUSED(state);
    add(l, "START RequestId: " ID_A " Version: $LATEST");
    add(l, "");
    add(l, "a gap's byte: \x01");
    add_at(l, NOON, 6, (struct str){arena_zalloc(&l->arena, 1, 100000), 100000});
    add(l, "the last");
    for (size_t i = 0; i < l->n; i++)
        held += kept_lines_add(&chunk.lines, &l->rows[i]);
    CHECK(held >= l->bytes);
    CHECK_OK(press_chunks(&press, &pack, &e), &e);
    CHECK(chunk.lines.first == NULL);
    CHECK_OK(chunk_writer_pack(&l->writer, l->zstd, &l->pressed, &l->blob, &e), &e);
    CHECK_STR(chunk.data, buf_str(&l->blob));
    const char *data = chunk.data.p;
    CHECK_OK(press_chunks(&press, &pack, &e), &e);
    CHECK(chunk.data.p == data);
    pack.chunks = NULL;
    pack.n_chunks = 0;
    chunk_press_free(press);
    free((void *)(uintptr_t)data);
    lines_free(l);
}

static void test_older_chunk(void **state)
{
    AUTO(buf_clear) struct buf raw = {.max = 4096};
    struct lines *l = lines_new();
    struct chunk_cursor c;
    struct chunk_line line;
    struct err e = {0};

    UNUSED(state);
    for (int i = 0; i < 3; i++) {
        buf_add_svarint(&raw, i == 0 ? 12 * NS_PER_HOUR : 5);
        buf_add_svarint(&raw, i == 0 ? 9 : -1);
        buf_add_c(&raw, SEVERITY_WARN | RECORD_PLATFORM << 4);
        buf_add_varint(&raw, (uint64_t)i);
        buf_add_str(&raw, str_sub(STR("\1\2"), 0, (size_t)i));
    }
    CHECK_OK(zstd_pack(l->zstd, buf_str(&raw), &l->blob, &e), &e);
    CHECK_OK(chunk_text_read(&l->text, buf_str(&l->blob), DAY, raw.n, &e), &e);
    chunk_begin(&c, &l->text);
    for (int i = 0; i < 3; i++) {
        CHECK(chunk_next(&c, &line));
        CHECK_INT(line.time_ns, NOON + i * 5);
        CHECK_INT(line.stream, 9 - i);
        CHECK_INT(line.severity, SEVERITY_WARN);
        CHECK_INT(line.kind, RECORD_PLATFORM);
        CHECK_STR(line.body, str_sub(STR("\1\2"), 0, (size_t)i));
    }
    CHECK(!chunk_next(&c, &line) && !c.is_bad);
    CHECK_STATUS(chunk_text_read(&l->text, buf_str(&l->blob), DAY, raw.n + 1, &e), ERR_PARSE);
    lines_free(l);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_every_kind_of_word),
    cmocka_unit_test(test_uuid_bytes),
    cmocka_unit_test(test_templates_of_other_chunks),
    cmocka_unit_test(test_times_and_streams),
    cmocka_unit_test(test_random_lines),
    cmocka_unit_test(test_values_change),
    cmocka_unit_test(test_many_templates_and_long_lines),
    cmocka_unit_test(test_is_small),
    cmocka_unit_test(test_damage),
    cmocka_unit_test(test_kept_lines),
    cmocka_unit_test(test_older_chunk),
};
TEST_MAIN(tests)
