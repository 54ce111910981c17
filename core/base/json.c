/* jansson behind a small door, and the writer. Numbers with a fraction or exponent are handed to
 * jansson as strings, so that their text survives: a double would round prices. */
#include "core/base/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/base/mem.h"
#include "core/base/safe_text.h"

struct json_doc {
    json_t *root;
};

/* The public handle is jansson's value under another name. */
static const struct json *wrap(const json_t *v)
{
    return (const struct json *)(const void *)v;
}

static const json_t *unwrap(const struct json *v)
{
    return (const json_t *)(const void *)v;
}

/* --- reading --- */

static bool is_number_char(char c)
{
    return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E';
}

static size_t string_length(struct str s)
{
    size_t i = 1;

    while (i < s.n && s.p[i] != '"')
        i += s.p[i] == '\\' ? 2 : 1;
    return i < s.n ? i + 1 : s.n;
}

static size_t count_digits(struct str s)
{
    size_t n = 0;

    while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
        n++;
    return n;
}

/* -?(0|[1-9][0-9]*)\.[0-9]+ */
static bool is_plain_real(struct str s)
{
    s = str_skip(s, s.n > 0 && s.p[0] == '-' ? 1 : 0);
    size_t whole = count_digits(s);
    if (whole == 0 || (whole > 1 && s.p[0] == '0') || whole == s.n || s.p[whole] != '.')
        return false;
    s = str_skip(s, whole + 1);
    return s.n > 0 && count_digits(s) == s.n;
}

/* A number token with a point or exponent gets quotes; everything else is copied. Tokens that are
 * no numbers keep their form, so jansson still refuses them. */
static void quote_reals(struct str text, struct buf *out)
{
    while (text.n > 0) {
        size_t n = 1;
        if (text.p[0] == '"') {
            n = string_length(text);
        } else if (text.p[0] == '-' || (text.p[0] >= '0' && text.p[0] <= '9')) {
            while (n < text.n && is_number_char(text.p[n]))
                n++;
        }
        struct str token = str_sub(text, 0, n);
        bool is_real = token.p[0] != '"' && is_plain_real(token);
        buf_add_z(out, is_real ? "\"" : "");
        buf_add_str(out, token);
        buf_add_z(out, is_real ? "\"" : "");
        text = str_skip(text, n);
    }
}

enum status json_parse(struct str text, struct json_doc **out, struct err *e)
{
    AUTO(buf_clear) struct buf quoted = {.max = 2 * text.n + 16};
    json_error_t where;

    quote_reals(text, &quoted);
    json_t *root =
        json_loadb(buf_str(&quoted).p, quoted.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &where);
    if (!root)
        return err_set(e, ERR_PARSE, "JSON, line %d, column %d: %s", where.line, where.column,
                       where.text);
    struct json_doc *d = xcalloc(1, sizeof(*d));
    d->root = root;
    *out = d;
    return OK;
}

void json_doc_free(struct json_doc *d)
{
    if (!d)
        return;
    json_decref(d->root);
    free(d);
}

void json_doc_free_ptr(struct json_doc **d)
{
    json_doc_free(*d);
    *d = NULL;
}

const struct json *json_root(const struct json_doc *d)
{
    return wrap(d->root);
}

const struct json *json_get(const struct json *o, const char *key)
{
    return o ? wrap(json_object_get(unwrap(o), key)) : NULL;
}

const struct json *json_at(const struct json *a, size_t i)
{
    return a ? wrap(json_array_get(unwrap(a), i)) : NULL;
}

bool json_has_members(const struct json *v)
{
    return v && json_typeof(unwrap(v)) == JSON_OBJECT;
}

bool json_has_elements(const struct json *v)
{
    return v && json_typeof(unwrap(v)) == JSON_ARRAY;
}

bool json_says_null(const struct json *v)
{
    return v && json_typeof(unwrap(v)) == JSON_NULL;
}

size_t json_count(const struct json *v)
{
    if (!v)
        return 0;
    return json_has_elements(v) ? json_array_size(unwrap(v)) : json_object_size(unwrap(v));
}

/* jansson's iteration interface takes non-const objects and changes nothing. */
static json_t *mutable_view(const struct json *v)
{
    return (json_t *)(uintptr_t)(const void *)v;
}

bool json_each(const struct json *o, size_t *it, struct str *key, const struct json **val)
{
    if (!json_has_members(o) || *it == SIZE_MAX)
        return false;
    json_t *object = mutable_view(o);
    void *at = *it == 0 ? json_object_iter(object) : (void *)(uintptr_t)*it;
    if (!at)
        return false;
    *key = str_from(json_object_iter_key(at));
    *val = wrap(json_object_iter_value(at));
    void *next = json_object_iter_next(object, at);
    *it = next ? (size_t)(uintptr_t)next : SIZE_MAX;
    return true;
}

bool json_str(const struct json *v, struct str *out)
{
    if (!v || !json_is_string(unwrap(v)))
        return false;
    *out = (struct str){json_string_value(unwrap(v)), json_string_length(unwrap(v))};
    return true;
}

bool json_i64(const struct json *v, int64_t *out)
{
    struct str text;

    if (v && json_is_integer(unwrap(v))) {
        *out = json_integer_value(unwrap(v));
        return true;
    }
    return json_str(v, &text) && str_to_i64(text, out);
}

bool json_bool(const struct json *v, bool *out)
{
    if (!v || !json_is_boolean(unwrap(v)))
        return false;
    *out = json_is_true(unwrap(v));
    return true;
}

bool json_scaled(const struct json *v, unsigned scale, int64_t *out)
{
    struct str text;
    int64_t whole;

    if (json_str(v, &text))
        return str_to_scaled(text, scale, out);
    if (!v || !json_is_integer(unwrap(v)))
        return false;
    whole = json_integer_value(unwrap(v));
    for (; scale > 0; scale--)
        if (__builtin_mul_overflow(whole, 10, &whole))
            return false;
    *out = whole;
    return true;
}

/* --- writing --- */

void jout_init(struct json_out *o, struct buf *b, bool is_pretty)
{
    *o = (struct json_out){.b = b, .is_pretty = is_pretty};
}

static void new_line(struct json_out *o)
{
    buf_add_c(o->b, '\n');
    buf_add_repeat(o->b, ' ', 2 * (size_t)o->depth);
}

/* What stands before a value or key: nothing after a key, else a comma when one is due. */
static void before(struct json_out *o)
{
    if (o->after_key) {
        o->after_key = false;
        return;
    }
    if (o->need_comma)
        buf_add_c(o->b, ',');
    if (o->is_pretty && o->depth > 0)
        new_line(o);
}

void jout_open(struct json_out *o, char bracket)
{
    assert(bracket == '{' || bracket == '[');
    before(o);
    buf_add_c(o->b, bracket);
    o->depth++;
    o->need_comma = false;
}

void jout_close(struct json_out *o, char bracket)
{
    assert(o->depth > 0 && !o->after_key);
    o->depth--;
    if (o->is_pretty && o->need_comma)
        new_line(o);
    buf_add_c(o->b, bracket);
    o->need_comma = true;
}

void jout_key(struct json_out *o, const char *key)
{
    before(o);
    safe_json(o->b, str_from(key));
    buf_add_z(o->b, o->is_pretty ? ": " : ":");
    o->after_key = true;
}

void jout_raw(struct json_out *o, struct str json)
{
    before(o);
    buf_add_str(o->b, json);
    o->need_comma = true;
}

void jout_str(struct json_out *o, struct str s)
{
    before(o);
    safe_json(o->b, s);
    o->need_comma = true;
}

void jout_i64(struct json_out *o, int64_t v)
{
    before(o);
    buf_addf(o->b, "%lld", (long long)v);
    o->need_comma = true;
}

void jout_bool(struct json_out *o, bool v)
{
    jout_raw(o, v ? STR("true") : STR("false"));
}

void jout_null(struct json_out *o)
{
    jout_raw(o, STR("null"));
}

void jout_put_str(struct json_out *o, const char *key, struct str s)
{
    jout_key(o, key);
    jout_str(o, s);
}

void jout_put_i64(struct json_out *o, const char *key, int64_t v)
{
    jout_key(o, key);
    jout_i64(o, v);
}

void jout_put_bool(struct json_out *o, const char *key, bool v)
{
    jout_key(o, key);
    jout_bool(o, v);
}
