/* jansson behind a small door: configuration, small API answers, price books, output. Not for log
 * pages (jsonpull.h). Values are jansson's; `struct json` is a borrowed handle into a document. */
#ifndef FNSCOPE_CORE_BASE_JSON_H
#define FNSCOPE_CORE_BASE_JSON_H

#include "core/base/buf.h"

#include <stdint.h>

struct json_doc; /* owns a parsed document */
struct json;     /* one value inside; opaque */

/* Duplicate keys are refused; the error names line and column. */
MUST_CHECK enum status json_parse(struct str text, struct json_doc **out, struct err *e);
void json_doc_free(struct json_doc *d);
void json_doc_free_ptr(struct json_doc **d); /* for AUTO */
const struct json *json_root(const struct json_doc *d);

/* All take NULL and give "absent" for it, so look-ups chain. */
const struct json *json_get(const struct json *o, const char *key);
const struct json *json_at(const struct json *a, size_t i);
size_t json_count(const struct json *v); /* of an array or object; 0 otherwise */
/* for (size_t it = 0; json_each(obj, &it, &key, &val);) members in document order */
bool json_each(const struct json *o, size_t *it, struct str *key, const struct json **val);
bool json_str(const struct json *v, struct str *out);
bool json_i64(const struct json *v, int64_t *out); /* integers; also a string holding one */
bool json_bool(const struct json *v, bool *out);
/* A number or numeric string as integer of 10^-scale (exact, from its text); reals are kept as text
 * because jansson's double would round prices. */
bool json_scaled(const struct json *v, unsigned scale, int64_t *out);
bool json_has_members(const struct json *v);
bool json_has_elements(const struct json *v);
bool json_says_null(const struct json *v);

/* Output: a writer that cannot produce malformed JSON. Commas and nesting are its business. */
struct json_out {
    struct buf *b;
    unsigned depth;
    bool need_comma, is_pretty, after_key;
};
void jout_init(struct json_out *o, struct buf *b, bool is_pretty);
void jout_open(struct json_out *o, char bracket);  /* '{' or '[' */
void jout_close(struct json_out *o, char bracket); /* '}' or ']' */
void jout_key(struct json_out *o, const char *key);
void jout_str(struct json_out *o, struct str s);
void jout_i64(struct json_out *o, int64_t v);
void jout_bool(struct json_out *o, bool v);
void jout_null(struct json_out *o);
void jout_raw(struct json_out *o, struct str json); /* already JSON */
/* A member of the open object: key and value at once. */
void jout_put_str(struct json_out *o, const char *key, struct str s);
void jout_put_i64(struct json_out *o, const char *key, int64_t v);
void jout_put_bool(struct json_out *o, const char *key, bool v);

#endif
