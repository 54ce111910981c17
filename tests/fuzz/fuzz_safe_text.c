/* Whatever goes in: what comes out is valid UTF-8 that neither drives a terminal nor leaves its
 * place in HTML, CSV, JSON or Markdown. */
#include <assert.h>
#include <string.h>

#include "core/base/jsonpull.h"
#include "core/base/safe_text.h"
#include "core/base/utf8.h"
#include "tests/fuzz/fuzz.h"

static bool is_formatting(uint32_t cp)
{
    return (cp >= 0x200B && cp <= 0x200F) || (cp >= 0x202A && cp <= 0x202E) ||
           (cp >= 0x2066 && cp <= 0x2069) || cp == 0xFEFF || cp == 0x061C || cp == 0x2028 ||
           cp == 0x2029;
}

static void check_shown(struct str s, unsigned keep)
{
    uint32_t cp;

    assert(utf8_is_valid(s));
    while (s.n > 0) {
        s = str_skip(s, utf8_next(s, &cp));
        bool is_kept =
            (cp == '\n' && keep & SAFE_KEEP_NEWLINE) || (cp == '\t' && keep & SAFE_KEEP_TAB);
        assert(is_kept || (cp >= 0x20 && !(cp >= 0x7F && cp < 0xA0)));
        assert(!is_formatting(cp));
    }
}

static void check_html(struct str s)
{
    check_shown(s, SAFE_KEEP_NEWLINE);
    for (size_t i = 0; i < s.n; i++)
        assert(s.p[i] != '<' && s.p[i] != '>' && s.p[i] != '"' && s.p[i] != '\'');
}

/* One field: either quoted as a whole or without separators, and no formula. */
static void check_csv(struct str s)
{
    bool is_quoted = s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"';
    struct str inside = is_quoted ? str_sub(s, 1, s.n - 2) : s;

    assert(utf8_is_valid(s));
    assert(inside.n == 0 || memchr("=+-@\t\r", inside.p[0], 6) == NULL);
    for (size_t i = 0; i < inside.n; i++) {
        assert(is_quoted || memchr(",\"\r\n", inside.p[i], 4) == NULL);
        if (inside.p[i] == '"') {
            assert(i + 1 < inside.n && inside.p[i + 1] == '"');
            i++;
        }
    }
}

static void check_json(struct str s)
{
    AUTO(arena_clear) struct arena a = {0};
    struct str value;
    struct jp j;

    jp_init(&j, s, &a);
    bool is_string = jp_string(&j, &value) && jp_at_end(&j);
    assert(is_string);
    (void)is_string;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str s = {(const char *)data, size};

    for (unsigned keep = 0; keep < 4; keep++) {
        AUTO(buf_clear) struct buf b = {.max = 64 * size + 64};
        safe_text(&b, s, keep);
        assert(!b.is_full);
        check_shown(buf_str(&b), keep);
    }
    AUTO(buf_clear) struct buf html = {.max = 64 * size + 64}, csv = {.max = 64 * size + 64};
    AUTO(buf_clear) struct buf json = {.max = 64 * size + 64}, md = {.max = 64 * size + 64};
    safe_html(&html, s);
    check_html(buf_str(&html));
    safe_csv(&csv, s);
    check_csv(buf_str(&csv));
    safe_json(&json, s);
    check_json(buf_str(&json));
    safe_markdown(&md, s);
    check_shown(buf_str(&md), SAFE_KEEP_NONE);
    buf_reset(&md);
    safe_markdown_code(&md, s);
    check_shown(buf_str(&md), SAFE_KEEP_NONE);
    return 0;
}
