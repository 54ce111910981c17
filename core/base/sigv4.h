/* AWS Signature Version 4 in request headers: signer and verifier. Own, because libcurl's signs
 * paths with ':' or '$' wrongly and cannot correct a clock (decision 0013). Pure but for memory;
 * checked against AWS's published vectors. Secrets stay with the caller.
 *
 * Signing: give the headers that matter (host, content-type, x-amz-target), get all of them back
 * with x-amz-date, x-amz-security-token and authorization added.
 *
 *     struct sigv4_request q = {.method = STR("POST"), .path = STR("/"), .headers = h,
 *                               .n_headers = 3, .body = json};
 *     struct sigv4_scope scope = {STR("eu-west-1"), STR("logs"), now_ns};
 *     struct sigv4_headers out = sigv4_sign(&q, &scope, &keys, &arena);
 *
 * Verifying: read the claim, find the secret of claim.access_key, derive the key (it holds for a
 * day: keep it), verify. */
#ifndef FNSCOPE_CORE_BASE_SIGV4_H
#define FNSCOPE_CORE_BASE_SIGV4_H

#include "core/base/http.h"

struct sigv4_keys {
    struct str access_key, secret_key;
    struct str session_token; /* empty: none */
};

struct sigv4_scope {
    struct str region, service;
    int64_t time_ns; /* wall, with the server's offset already added */
};

struct sigv4_request {
    struct str method;
    struct str path;  /* exactly as in the request line; empty is "/" */
    struct str query; /* as in the request line, without '?'; any order */
    const struct http_header *headers;
    size_t n_headers;
    struct str body;
    bool is_raw_path; /* as S3 wants it: dot segments and double slashes stay */
};

struct sigv4_headers {
    struct http_header *rows;
    size_t n;
};
struct sigv4_headers sigv4_sign(const struct sigv4_request *q, const struct sigv4_scope *scope,
                                const struct sigv4_keys *keys, struct arena *a);

/* The signing key of one day, region and service. date is "20260901". */
void sigv4_derive(struct str secret_key, struct str date, const struct sigv4_scope *scope,
                  uint8_t key[32]);

/* What an Authorization header says; views into the headers. */
struct sigv4_claim {
    struct str access_key, date, region, service; /* of the credential scope */
    struct str signed_headers, signature;
    struct str amz_date, session_token; /* of their headers */
    int64_t time_ns;                    /* of amz_date */
};
/* ERR_NOT_FOUND no Authorization header; ERR_PARSE one that is no SigV4. */
MUST_CHECK enum status sigv4_claim_read(const struct http_header *headers, size_t n,
                                        struct sigv4_claim *out, struct err *e);

#define SIGV4_TOLERANCE_NS (300 * INT64_C(1000000000)) /* what AWS grants a clock */

/* Does the request carry the signature its claim says? q holds all headers that came. The host must
 * be signed, and so must every x-amz-* header that is present. ERR_AUTH says why not, in AWS's
 * words where a client reads them (clock: "Signature expired", "Signature not yet current"). */
MUST_CHECK enum status sigv4_verify(const struct sigv4_request *q, const struct sigv4_claim *c,
                                    const uint8_t key[32], int64_t now_ns, struct err *e);

/* The text that is hashed and signed: for tests and for telling a client what was expected.
 * signed_headers is "host;x-amz-date". */
struct str sigv4_canonical(const struct sigv4_request *q, struct str signed_headers,
                           struct arena *a);

#endif
