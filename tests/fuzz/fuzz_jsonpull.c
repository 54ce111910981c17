/* The pull reader beside jansson: the same texts are accepted, and they hold the same values. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/base/buf.h"
#include "core/base/jsonpull.h"
#include "tests/fuzz/fuzz.h"

/* Both are written out in one form: strings with their length, numbers by their text or value. */
static void add_string(struct buf *out, struct str s)
{
    buf_addf(out, "\"%zu:", s.n);
    buf_add_str(out, s);
}

/* --- by the pull reader --- */

static void pull_number(struct jp *j, struct buf *out)
{
    AUTO(buf_clear) struct buf copy = {.max = (size_t)1 << 26};
    struct str text = {0};
    int64_t number;

    if (!jp_number(j, &text))
        return;
    if (str_to_i64(text, &number)) {
        buf_addf(out, "%lld", (long long)number);
        return;
    }
    buf_add_str(&copy, text);
    buf_addf(out, "%.9g", strtod(copy.p, NULL));
}

static void pull_scalar(struct jp *j, enum jp_type type, struct buf *out)
{
    struct str s = {0};
    bool flag = false;

    if (type == JP_STRING && jp_string(j, &s))
        add_string(out, s);
    else if (type == JP_NUMBER)
        pull_number(j, out);
    else if ((type == JP_TRUE || type == JP_FALSE) && jp_bool(j, &flag))
        buf_add_c(out, flag ? 't' : 'f');
    else if (type == JP_NULL && jp_skip(j))
        buf_add_c(out, 'n');
    else
        jp_skip(j); /* fails, and says why */
}

static void pull_value(struct jp *j, struct buf *out)
{
    enum jp_type type = jp_peek(j);
    struct str key;

    if (type == JP_OBJECT && jp_enter(j, '{')) {
        buf_add_c(out, '{');
        while (jp_member(j, &key)) {
            add_string(out, key);
            pull_value(j, out);
        }
        buf_add_c(out, '}');
    } else if (type == JP_ARRAY && jp_enter(j, '[')) {
        buf_add_c(out, '[');
        while (jp_element(j))
            pull_value(j, out);
        buf_add_c(out, ']');
    } else {
        pull_scalar(j, type, out);
    }
}

/* --- by jansson --- */

static void tree_value(const json_t *v, struct buf *out)
{
    json_t *root = json_incref((json_t *)(uintptr_t)v), *item;
    const char *key;
    size_t i, key_len;

    switch (json_typeof(v)) {
    case JSON_OBJECT:
        buf_add_c(out, '{');
        json_object_keylen_foreach(root, key, key_len, item)
        {
            add_string(out, (struct str){key, key_len});
            tree_value(item, out);
        }
        buf_add_c(out, '}');
        break;
    case JSON_ARRAY:
        buf_add_c(out, '[');
        json_array_foreach(root, i, item) tree_value(item, out);
        buf_add_c(out, ']');
        break;
    case JSON_STRING:
        add_string(out, (struct str){json_string_value(v), json_string_length(v)});
        break;
    case JSON_INTEGER:
        buf_addf(out, "%lld", (long long)json_integer_value(v));
        break;
    case JSON_REAL:
        buf_addf(out, "%.9g", json_real_value(v));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        buf_add_c(out, json_is_true(v) ? 't' : 'f');
        break;
    case JSON_NULL:
        buf_add_c(out, 'n');
        break;
    }
    json_decref(root);
}

/* What jansson refuses though it is JSON: numbers beyond its types, NUL in a name. */
static bool is_limit_of_jansson(const json_error_t *e)
{
    enum json_error_code code = json_error_code(e);

    return code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
           code == json_error_duplicate_key;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_clear) struct arena arena = {0};
    AUTO(buf_clear) struct buf pulled = {.max = (size_t)1 << 26}, tree = {.max = (size_t)1 << 26};
    struct str text = {(const char *)data, size};
    struct jp whole, skipped;
    json_error_t e;

    jp_init(&whole, text, &arena);
    pull_value(&whole, &pulled);
    bool is_good = jp_at_end(&whole);
    jp_init(&skipped, text, &arena);
    assert((jp_skip(&skipped) && jp_at_end(&skipped)) == is_good);
    assert(is_good || whole.error || whole.p < whole.end || size == 0);
    assert(!whole.error || whole.error_offset <= size);

    if (size > 0 && memchr(data, 0, size)) { /* no JSON holds one; jansson passes over some */
        assert(!is_good);
        return 0;
    }
    json_t *root = json_loadb((const char *)data, size,
                              JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &e);
    bool is_too_deep = whole.error && strcmp(whole.error, "nested too deeply") == 0;
    if (root) {
        assert(is_good || is_too_deep);
        tree_value(root, &tree);
        assert(is_too_deep || str_eq(buf_str(&pulled), buf_str(&tree)));
        json_decref(root);
    } else {
        assert(!is_good || is_limit_of_jansson(&e));
    }
    return 0;
}
