/* Who may use the endpoint: access keys of a file, one "ACCESS_KEY SECRET_KEY" a line, and SigV4
 * signatures made with them. The file is for its owner only. Secrets stay here.
 *
 * A request is looked at twice: its head, before any of its body is taken, must claim a known key;
 * then all of it must be signed with that key's secret. */
#ifndef FNSCOPE_EXECUTOR_API_AUTH_H
#define FNSCOPE_EXECUTOR_API_AUTH_H

#include "core/base/http_server.h"
#include "executor/api_route.h"

struct api_keys;

/* ERR_CONFIG: the file is empty, malformed (with its line) or open to others; ERR_IO. */
MUST_CHECK enum status api_keys_load(const char *path, struct api_keys **out, struct err *e);
void api_keys_free(struct api_keys *k); /* wipes them; NULL is fine */

/* True: it may pass; else *why has the code and the message for the client. */
bool api_keys_claimed(const struct api_keys *k, const struct http_call *rq,
                      struct api_refusal *why);
bool api_keys_check(const struct api_keys *k, const struct http_call *rq, int64_t now_ns,
                    struct api_refusal *why);

#endif
