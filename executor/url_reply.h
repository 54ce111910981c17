/* What the answer of a function is over HTTP (AWS documentation, "Invoking Lambda function URLs",
 * "Response streaming"). Pure; whatever a reply holds lies in the arena. */
#ifndef FNSCOPE_EXECUTOR_URL_REPLY_H
#define FNSCOPE_EXECUTOR_URL_REPLY_H

#include "core/base/http_server.h"
#include "executor/invoke.h"

/* A head of a stream that is longer is none. */
#define URL_HEAD_BYTES ((size_t)64 << 10)

extern const struct http_header url_json_type;

/* The response an answer stands for: status, headers and body; 502 for what is none. */
void url_reply_of(struct arena *a, struct str answer, struct http_reply *out);
void url_reply_bad_gateway(struct http_reply *out);
void url_reply_throttled(struct arena *a, const struct invoke_result *r, struct http_reply *out);

/* Streams have their own content type, or one that says: behind a head of status, headers and
 * cookies in JSON, and eight NULs. */
bool url_stream_has_head(struct str type);
void url_stream_plain(struct arena *a, struct str type, struct http_reply *out);

enum url_head { URL_HEAD_WHOLE, URL_HEAD_SHORT, URL_HEAD_BAD };
/* The head that a stream begins with; `rest` is what of the bytes stands behind it. */
enum url_head url_stream_head(struct arena *a, struct str bytes, struct http_reply *out,
                              struct str *rest);
/* Of a stream that was gathered. */
void url_reply_of_stream(struct arena *a, struct str type, struct str answer,
                         struct http_reply *out);

/* Headers that are set, whatever stood under their names; empty ones are left out. */
void url_headers_set(struct arena *a, struct http_header **items, size_t *n,
                     const struct http_header *ours, size_t n_ours);

/* Every answer says which request it is of, as AWS's do. */
void url_reply_name(struct arena *a, const struct invoke_result *r, struct http_reply *reply);

#endif
