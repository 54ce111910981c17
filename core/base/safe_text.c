/* Foreign bytes made safe to show: for terminals, HTML, CSV, JSON, Markdown. One walk over the code
 * points; each form decides what a code point becomes. */
#include "core/base/safe_text.h"

#include "core/base/utf8.h"

#define PICTURES       0x2400u /* U+2400 SYMBOL FOR NULL and the 31 after it */
#define PICTURE_DELETE 0x2421u

static void add_cp(struct buf *out, uint32_t cp)
{
    char bytes[4];

    buf_add(out, bytes, utf8_put(cp, bytes));
}

static bool is_invisible(uint32_t cp)
{
    return cp == 0xAD || cp == 0x061C || cp == 0x180E || (cp >= 0x200B && cp <= 0x200F) ||
           (cp >= 0x2028 && cp <= 0x202E) || (cp >= 0x2060 && cp <= 0x206F) || cp == 0xFEFF ||
           (cp >= 0xFFF9 && cp <= 0xFFFB) || (cp >= 0xE0000 && cp <= 0xE007F);
}

static bool is_kept(uint32_t cp, unsigned keep)
{
    return (cp == '\n' && (keep & SAFE_KEEP_NEWLINE)) || (cp == '\t' && (keep & SAFE_KEEP_TAB));
}

/* Python ends the lines of a traceback with a bare CR: where newlines are kept it becomes one. */
static void add_safe(struct buf *out, uint32_t cp, unsigned keep)
{
    if (cp == '\r' && (keep & SAFE_KEEP_NEWLINE))
        cp = '\n';
    if (cp < 0x20)
        add_cp(out, is_kept(cp, keep) ? cp : PICTURES + cp);
    else if (cp == 0x7F)
        add_cp(out, PICTURE_DELETE);
    else if ((cp >= 0x80 && cp < 0xA0) || is_invisible(cp))
        buf_addf(out, "<U+%04X>", cp);
    else
        add_cp(out, cp);
}

/* Length of the run at the start that needs no care: printable ASCII without `special`. */
static size_t plain_run(struct str s, struct str special)
{
    size_t n = 0;

    while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x7F &&
           (special.n == 0 || str_find_char(special, s.p[n]) == special.n))
        n++;
    return n;
}

void safe_text(struct buf *out, struct str s, unsigned keep)
{
    while (s.n > 0) {
        uint32_t cp;
        size_t n = plain_run(s, (struct str){0});
        buf_add(out, s.p, n);
        s = str_skip(s, n);
        n = utf8_next(s, &cp);
        if (n > 0)
            add_safe(out, cp, keep);
        s = str_skip(s, n);
    }
}

/* --- escaping forms --- */

struct escape {
    char c;
    const char *text;
};

static const char *find_escape(const struct escape *table, uint32_t cp)
{
    for (; table->text; table++)
        if ((uint32_t)(unsigned char)table->c == cp)
            return table->text;
    return NULL;
}

static void add_escaped(struct buf *out, uint32_t cp, const struct escape *table)
{
    const char *text = find_escape(table, cp);

    if (text)
        buf_add_z(out, text);
    else
        add_cp(out, cp);
}

/* What makes a code point safe may itself need an escape: "<U+202E>" in HTML. */
static void escaped(struct buf *out, struct str s, const struct escape *table, unsigned keep)
{
    char shown[16];

    while (s.n > 0) {
        struct buf safe = {.p = shown, .cap = sizeof(shown), .max = sizeof(shown) - 1};
        uint32_t cp, part;
        size_t n = utf8_next(s, &cp);
        s = str_skip(s, n);
        add_safe(&safe, cp, keep);
        for (struct str rest = buf_str(&safe); rest.n > 0;) {
            rest = str_skip(rest, utf8_next(rest, &part));
            add_escaped(out, part, table);
        }
    }
}

void safe_html(struct buf *out, struct str s)
{
    static const struct escape table[] = {
        {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}, {0, NULL},
    };

    escaped(out, s, table, SAFE_KEEP_NEWLINE);
}

void safe_markdown(struct buf *out, struct str s)
{
    static const struct escape table[] = {
        {'|', "\\|"}, {'*', "\\*"},   {'_', "\\_"}, {'`', "\\`"},   {'<', "\\<"}, {'[', "\\["},
        {']', "\\]"}, {'\\', "\\\\"}, {'#', "\\#"}, {'&', "&amp;"}, {0, NULL},
    };

    escaped(out, s, table, SAFE_KEEP_NONE);
}

static size_t longest_run(struct str s, char of)
{
    size_t run = 0, most = 0;

    for (size_t i = 0; i < s.n; i++) {
        run = s.p[i] == of ? run + 1 : 0;
        most = run > most ? run : most;
    }
    return most;
}

/* The fence is longer than any run of backticks inside; a blank keeps it from those at the edge,
 * and is not shown (CommonMark 6.1). */
void safe_markdown_code(struct buf *out, struct str s)
{
    static const struct escape table[] = {{'|', "\\|"}, {0, NULL}};
    const size_t inside = longest_run(s, '`');

    if (s.n == 0)
        return;
    for (size_t i = 0; i <= inside; i++)
        buf_add_c(out, '`');
    buf_add_z(out, inside > 0 ? " " : "");
    escaped(out, s, table, SAFE_KEEP_NONE);
    buf_add_z(out, inside > 0 ? " " : "");
    for (size_t i = 0; i <= inside; i++)
        buf_add_c(out, '`');
}

static bool looks_like_formula(struct str s)
{
    return s.n > 0 && str_find_char(STR("=+-@\t\r"), s.p[0]) < 6;
}

void safe_csv(struct buf *out, struct str s)
{
    static const struct escape table[] = {{'"', "\"\""}, {0, NULL}};
    bool needs_quotes = looks_like_formula(s);

    for (size_t i = 0; i < s.n && !needs_quotes; i++)
        needs_quotes = str_find_char(STR(",\"\n\r"), s.p[i]) < 4;
    if (!needs_quotes) {
        safe_text(out, s, SAFE_KEEP_TAB);
        return;
    }
    buf_add_z(out, looks_like_formula(s) ? "\"'" : "\"");
    escaped(out, s, table, SAFE_KEEP_NEWLINE | SAFE_KEEP_TAB);
    buf_add_c(out, '"');
}

static void add_json(struct buf *out, uint32_t cp)
{
    static const struct escape table[] = {
        {'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"}, {'\r', "\\r"}, {'\t', "\\t"}, {0, NULL},
    };
    const char *text = find_escape(table, cp);

    if (text)
        buf_add_z(out, text);
    else if (cp < 0x20 || cp == 0x7F || (cp >= 0x80 && cp < 0xA0) || cp == 0xFFFD ||
             (is_invisible(cp) && cp < 0x10000))
        buf_addf(out, "\\u%04x", cp);
    else
        add_cp(out, cp);
}

void safe_json(struct buf *out, struct str s)
{
    buf_add_c(out, '"');
    while (s.n > 0) {
        uint32_t cp;
        size_t n = plain_run(s, STR("\"\\"));
        buf_add(out, s.p, n);
        s = str_skip(s, n);
        n = utf8_next(s, &cp);
        if (n > 0)
            add_json(out, cp);
        s = str_skip(s, n);
    }
    buf_add_c(out, '"');
}
