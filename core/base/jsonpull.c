/* The validating pull reader. Strings are scanned sixteen bytes at a time; a string without escapes
 * is a view into the page. */
#include "core/base/jsonpull.h"

#include <assert.h>
#include <string.h>

#include "core/base/json_special.h"
#include "core/base/utf8.h"

void jp_init(struct jp *j, struct str text, struct arena *arena)
{
    j->begin = j->p = text.p ? text.p : "";
    j->end = j->p + text.n;
    j->arena = arena;
    j->error = NULL;
    j->error_offset = 0;
    j->takes_halves = false;
    j->depth = 0;
}

static bool fail(struct jp *j, const char *what)
{
    if (!j->error) {
        j->error = what;
        j->error_offset = (size_t)(j->p - j->begin);
    }
    return false;
}

static void skip_run_of_space(struct jp *j)
{
    while (j->p < j->end && (*j->p == ' ' || *j->p == '\n' || *j->p == '\r' || *j->p == '\t'))
        j->p++;
}

static inline void skip_space(struct jp *j)
{
    if (j->p >= j->end || (unsigned char)*j->p <= ' ') /* services write compact JSON */
        skip_run_of_space(j);
}

/* By a value's first character. */
static const unsigned char types[256] = {
    ['"'] = JP_STRING, ['{'] = JP_OBJECT, ['['] = JP_ARRAY,  ['-'] = JP_NUMBER, ['0'] = JP_NUMBER,
    ['1'] = JP_NUMBER, ['2'] = JP_NUMBER, ['3'] = JP_NUMBER, ['4'] = JP_NUMBER, ['5'] = JP_NUMBER,
    ['6'] = JP_NUMBER, ['7'] = JP_NUMBER, ['8'] = JP_NUMBER, ['9'] = JP_NUMBER, ['t'] = JP_TRUE,
    ['f'] = JP_FALSE,  ['n'] = JP_NULL,
};

enum jp_type jp_peek(struct jp *j)
{
    skip_space(j);
    if (j->error)
        return JP_BAD;
    if (j->p >= j->end)
        return JP_END;
    return (enum jp_type)types[(unsigned char)*j->p];
}

/* --- containers --- */

bool jp_enter(struct jp *j, char bracket)
{
    skip_space(j);
    if (j->error || j->p >= j->end || *j->p != bracket)
        return false;
    if (j->depth == JP_MAX_DEPTH)
        return fail(j, "nested too deeply");
    j->stack[j->depth] = bracket;
    j->is_first[j->depth] = true;
    j->depth++;
    j->p++;
    return true;
}

/* Comma handling before the next member or element; false at the closing bracket, which it
 * consumes. */
static bool next_item(struct jp *j, char close)
{
    assert(j->depth > 0);
    bool is_first = j->is_first[j->depth - 1];
    skip_space(j);
    if (j->p >= j->end)
        return fail(j, "the text ends inside an object or array");
    if (*j->p == close) {
        j->p++;
        j->depth--;
        return false;
    }
    j->is_first[j->depth - 1] = false;
    if (is_first)
        return true;
    if (*j->p != ',')
        return fail(j, "a comma or closing bracket is missing");
    j->p++;
    skip_space(j);
    if (j->p < j->end && *j->p == close)
        return fail(j, "a value is missing after the comma");
    return true;
}

/* At the comma in front of a member's quote, as compact JSON has it. */
static inline bool at_compact_member(const struct jp *j)
{
    assert(j->depth > 0);
    return j->end - j->p > 1 && j->p[0] == ',' && j->p[1] == '"' && !j->is_first[j->depth - 1] &&
           !j->error;
}

bool jp_member(struct jp *j, struct str *key)
{
    if (at_compact_member(j))
        j->p++;
    else if (j->error || !next_item(j, '}'))
        return false;
    if (!jp_string(j, key))
        return fail(j, "a member's name is missing");
    skip_space(j);
    if (j->p >= j->end || *j->p != ':')
        return fail(j, "a colon is missing");
    j->p++;
    return true;
}

bool jp_element(struct jp *j)
{
    return !j->error && next_item(j, ']');
}

/* --- strings --- */

/* First special byte; end when there is none. */
static inline const char *plain_end(const char *p, const char *end)
{
    for (; end - p >= JSON_STRIDE; p += JSON_STRIDE) {
        unsigned special = json_special(p);
        if (special)
            return p + __builtin_ctz(special);
    }
    while (p < end && !json_is_special(*p))
        p++;
    return p;
}

static bool hex4(struct jp *j, uint32_t *out)
{
    uint32_t v = 0;

    if (j->end - j->p < 4)
        return fail(j, "an escape is cut off");
    for (int i = 0; i < 4; i++) {
        char c = j->p[i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit == 16)
            return fail(j, "an escape has a digit that is none");
        v = v * 16 + digit;
    }
    j->p += 4;
    *out = v;
    return true;
}

/* What stands for a surrogate alone. */
static bool half(struct jp *j, uint32_t *cp)
{
    *cp = 0xFFFD;
    return j->takes_halves || fail(j, "a surrogate stands alone");
}

/* After \u: one code point, a surrogate pair taken together. */
static bool unicode_escape(struct jp *j, uint32_t *cp)
{
    uint32_t low;

    if (!hex4(j, cp))
        return false;
    if (*cp < 0xD800 || *cp > 0xDFFF)
        return true;
    if (*cp > 0xDBFF || j->end - j->p < 6 || j->p[0] != '\\' || j->p[1] != 'u')
        return half(j, cp);
    const char *second = j->p;
    j->p += 2;
    if (!hex4(j, &low))
        return false;
    if (low < 0xDC00 || low > 0xDFFF) {
        j->p = second;
        return half(j, cp);
    }
    *cp = 0x10000 + ((*cp - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

/* What the character behind a backslash stands for; 0: none, or \u. */
static const char escapes[256] = {
    ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

/* At the character behind a backslash. */
static bool escape(struct jp *j, char **out)
{
    uint32_t cp;

    if (j->p >= j->end)
        return fail(j, "the text ends inside a string");
    unsigned char c = (unsigned char)*j->p++;
    if (escapes[c] != 0) {
        *(*out)++ = escapes[c];
        return true;
    }
    if (c != 'u')
        return fail(j, "an escape that is none");
    if (!unicode_escape(j, &cp))
        return false;
    *out += utf8_put(cp, *out);
    return true;
}

static bool non_ascii(struct jp *j)
{
    struct str rest = {j->p, (size_t)(j->end - j->p)};
    uint32_t cp;
    size_t n = utf8_next(rest, &cp);

    if (cp == 0xFFFD && (n != 3 || memcmp(rest.p, "\xEF\xBF\xBD", 3) != 0))
        return fail(j, "invalid UTF-8");
    j->p += n;
    return true;
}

/* Moves over one special byte without an escape; true when the string goes on. */
static bool pass_special(struct jp *j)
{
    if (j->p >= j->end)
        return fail(j, "the text ends inside a string");
    if ((unsigned char)*j->p < 0x20)
        return fail(j, "a control character inside a string");
    return non_ascii(j);
}

/* The end of the string that begins at j->p; a backslash skips the next byte. NULL when there is
 * none. */
static const char *find_close(const char *p, const char *end)
{
    while (p < end && *p != '"') {
        const char *q = plain_end(p, end);
        if (q >= end || *q == '"')
            return q < end ? q : NULL;
        p = q + (*q == '\\' ? 2 : 1);
    }
    return p < end ? p : NULL;
}

/* Unescaped text being written into the arena. */
struct copy {
    struct arena *arena;
    char *p;
    size_t n, cap;
};

static void enlarge(struct copy *c)
{
    size_t cap = 2 * c->cap;
    char *bigger = arena_alloc(c->arena, cap);
    memcpy(bigger, c->p, c->n);
    c->p = bigger;
    c->cap = cap;
}

static inline void make_room(struct copy *c, size_t n)
{
    if (c->n + n > c->cap)
        enlarge(c);
}

/* The bytes from..to of a block to `out`, in whole strides. */
static inline char *copy_run(char *out, const char *block, size_t from, size_t to)
{
    for (size_t at = from; at < to; at += JSON_STRIDE)
        memcpy(out + (at - from), block + at, JSON_STRIDE);
    return out + (to - from);
}

/* Bytes that copy_block() reads and writes at most: whole strides. */
enum { REACH = JSON_BLOCK + JSON_STRIDE };

/* The text read up to p and written up to `out`. */
static inline void copied_to(struct jp *j, struct copy *c, const char *p, const char *out)
{
    j->p = p;
    c->n = (size_t)(out - c->p);
}

/* Copies a block and its plain escapes, whose places are asked for all at once; false where it
 * stopped at another special byte. */
static inline bool copy_block(struct jp *j, struct copy *c)
{
    const char *p = j->p;
    char *out = c->p + c->n;
    size_t at = 0;

    for (uint64_t special = json_special_block(p); special != 0;) {
        const size_t i = (size_t)__builtin_ctzll(special);
        const char plain = p[i] == '\\' ? escapes[(unsigned char)p[i + 1]] : '\0';
        out = copy_run(out, p, at, i);
        if (plain == '\0') {
            copied_to(j, c, p + i, out);
            return false;
        }
        *out++ = plain;
        at = i + 2;
        special &= ~(UINT64_C(3) << i); /* the escaped byte may be a special one */
    }
    if (at < JSON_BLOCK) {
        out = copy_run(out, p, at, JSON_BLOCK);
        at = JSON_BLOCK;
    }
    copied_to(j, c, p + at, out);
    return true;
}

/* Copies up to the next special byte that is no plain escape. */
static void copy_plain(struct jp *j, struct copy *c)
{
    bool goes_on = true;

    while (goes_on && j->end - j->p > REACH) {
        make_room(c, REACH);
        goes_on = copy_block(j, c);
    }
    for (; goes_on && j->p < j->end && !json_is_special(*j->p); j->p++) {
        make_room(c, 1);
        c->p[c->n++] = *j->p;
    }
}

/* The special byte at j->p; false at the closing quote or on an error. */
static bool copy_special(struct jp *j, struct copy *c)
{
    const char *from = j->p;

    if (j->p < j->end && *j->p == '"')
        return false;
    make_room(c, JSON_STRIDE);
    if (j->p < j->end && *j->p == '\\') {
        char *to = c->p + c->n;
        j->p++;
        if (!escape(j, &to))
            return false;
        c->n = (size_t)(to - c->p);
        return true;
    }
    if (!pass_special(j))
        return false;
    memcpy(c->p + c->n, from, (size_t)(j->p - from));
    c->n += (size_t)(j->p - from);
    return true;
}

/* From j->p on: one pass, copying into the arena. */
static bool unescape(struct jp *j, const char *start, struct str *out)
{
    size_t before = (size_t)(j->p - start);
    struct copy c = {.arena = j->arena, .n = before, .cap = 2 * before + 512};

    c.p = arena_alloc(c.arena, c.cap);
    memcpy(c.p, start, before);
    do
        copy_plain(j, &c);
    while (copy_special(j, &c));
    if (j->error)
        return false;
    j->p++;
    arena_shrink(c.arena, c.p, c.cap, c.n);
    *out = (struct str){c.p, c.n};
    return true;
}

/* A string from its special byte at j->p on: apart from the few steps that most strings need. */
__attribute__((noinline)) static bool special_string(struct jp *j, const char *start,
                                                     struct str *out)
{
    while (j->p >= j->end || *j->p != '"') {
        if (j->p < j->end && *j->p == '\\')
            return unescape(j, start, out);
        if (!pass_special(j))
            return false;
        j->p = plain_end(j->p, j->end);
    }
    *out = (struct str){start, (size_t)(j->p - start)};
    j->p++;
    return true;
}

bool jp_string(struct jp *j, struct str *out)
{
    skip_space(j);
    if (j->error || j->p >= j->end || *j->p != '"')
        return false;
    const char *start = j->p + 1;
    const char *stop = plain_end(start, j->end);
    if (stop >= j->end || *stop != '"') {
        j->p = stop;
        return special_string(j, start, out);
    }
    *out = (struct str){start, (size_t)(stop - start)};
    j->p = stop + 1;
    return true;
}

bool jp_string_copy(struct jp *j, struct str *out)
{
    skip_space(j);
    if (j->error || j->p >= j->end || *j->p != '"')
        return false;
    j->p++;
    return unescape(j, j->p, out);
}

/* --- numbers and words --- */

static size_t digits(struct jp *j)
{
    const char *p = j->p;

    while (j->end - p >= 8 && str_are_digits(p))
        p += 8;
    while (p < j->end && (unsigned char)(*p - '0') <= 9)
        p++;
    const size_t n = (size_t)(p - j->p);
    j->p = p;
    return n;
}

static bool fraction(struct jp *j)
{
    if (j->p >= j->end || *j->p != '.')
        return true;
    j->p++;
    return digits(j) > 0 || fail(j, "a number without digits after the point");
}

static bool exponent(struct jp *j)
{
    if (j->p >= j->end || (*j->p != 'e' && *j->p != 'E'))
        return true;
    j->p++;
    if (j->p < j->end && (*j->p == '+' || *j->p == '-'))
        j->p++;
    return digits(j) > 0 || fail(j, "a number without an exponent");
}

bool jp_number(struct jp *j, struct str *out)
{
    if (jp_peek(j) != JP_NUMBER)
        return false;
    const char *start = j->p;
    if (*j->p == '-')
        j->p++;
    bool is_zero = j->p < j->end && *j->p == '0';
    size_t n = digits(j);
    if (n == 0 || (is_zero && n > 1))
        return fail(j, "a number that is none");
    if (!fraction(j) || !exponent(j))
        return false;
    *out = (struct str){start, (size_t)(j->p - start)};
    return true;
}

bool jp_i64(struct jp *j, int64_t *out)
{
    struct str text;

    if (jp_peek(j) == JP_STRING ? !jp_string(j, &text) : !jp_number(j, &text))
        return false;
    return str_to_i64(text, out);
}

static bool word(struct jp *j, const char *w, size_t n)
{
    if ((size_t)(j->end - j->p) < n || memcmp(j->p, w, n) != 0)
        return fail(j, "a word that is no JSON value");
    j->p += n;
    return true;
}

bool jp_bool(struct jp *j, bool *out)
{
    const enum jp_type t = jp_peek(j);

    *out = t == JP_TRUE;
    return (t == JP_TRUE && word(j, "true", 4)) || (t == JP_FALSE && word(j, "false", 5));
}

/* --- any value --- */

static bool skip_scalar(struct jp *j, enum jp_type t)
{
    struct str text;
    bool flag;

    if (t == JP_STRING)
        return jp_string(j, &text);
    if (t == JP_NUMBER)
        return jp_number(j, &text);
    if (t == JP_NULL)
        return word(j, "null", 4);
    if (t == JP_TRUE || t == JP_FALSE)
        return jp_bool(j, &flag);
    return fail(j, t == JP_END ? "a value is missing" : "a character that begins no value");
}

/* Enters a container or passes a scalar. */
static bool skip_one(struct jp *j)
{
    enum jp_type t = jp_peek(j);

    if (t == JP_OBJECT || t == JP_ARRAY)
        return jp_enter(j, t == JP_OBJECT ? '{' : '[');
    return skip_scalar(j, t);
}

bool jp_skip(struct jp *j)
{
    unsigned depth = j->depth;
    struct str key;

    if (jp_peek(j) == JP_STRING)
        return jp_string(j, &key);
    if (!skip_one(j))
        return false;
    while (j->depth > depth) {
        bool is_object = j->stack[j->depth - 1] == '{';
        bool has_item = is_object ? jp_member(j, &key) : jp_element(j);
        if (j->error || (has_item && !skip_one(j)))
            return false;
    }
    return true;
}

bool jp_raw(struct jp *j, struct str *out)
{
    skip_space(j);
    const char *start = j->p;
    if (!jp_skip(j))
        return false;
    *out = (struct str){start, (size_t)(j->p - start)};
    return true;
}

bool jp_at_end(struct jp *j)
{
    skip_space(j);
    return !j->error && j->p >= j->end;
}

/* --- going on after a bad element --- */

bool jp_resync(struct jp *j, unsigned depth, const char *element_start)
{
    unsigned open = 0;

    for (const char *p = element_start; p < j->end; p++) {
        if (*p == '"') {
            p = find_close(p + 1, j->end);
            if (!p)
                return false;
        } else if (*p == '{' || *p == '[') {
            open++;
        } else if (open > 0 && (*p == '}' || *p == ']')) {
            open--;
        } else if (open == 0 && (*p == ',' || *p == ']' || *p == '}')) {
            j->p = p;
            j->depth = depth;
            j->is_first[depth - 1] = false;
            j->error = NULL;
            return true;
        }
    }
    return false;
}
