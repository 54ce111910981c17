/* Access keys and the signatures made with them. */
#include "executor/api_auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/sigv4.h"

enum { FILE_MAX_BYTES = 64 << 10 };

struct access_key {
    struct str id, secret; /* views into the text */
};

struct api_keys {
    struct buf text; /* of the file */
    struct access_key *rows;
    size_t n, cap;
};

/* --- the file --- */

static struct str next_word(struct str *line)
{
    *line = str_trim(*line);
    size_t n = 0;

    while (n < line->n && line->p[n] != ' ' && line->p[n] != '\t')
        n++;
    struct str word = str_sub(*line, 0, n);
    *line = str_trim(str_skip(*line, n));
    return word;
}

static enum status read_line(struct api_keys *k, struct str line, unsigned number, struct err *e)
{
    struct access_key key = {.id = next_word(&line)};

    if (key.id.n == 0 || key.id.p[0] == '#')
        return OK;
    key.secret = next_word(&line);
    if (key.secret.n == 0 || line.n > 0)
        return err_set(e, ERR_CONFIG, "line %u is not an access key and its secret", number);
    k->rows = mem_grow(k->rows, k->n, &k->cap, sizeof(*k->rows));
    k->rows[k->n++] = key;
    return OK;
}

static enum status read_file(const char *path, struct api_keys *k, struct err *e)
{
    struct stat st;
    enum status s = file_read(path, &k->text, e);
    struct str rest = buf_str(&k->text);

    if (s == OK && stat(path, &st) == 0 && (st.st_mode & 077) != 0)
        return err_set(e, ERR_CONFIG, "others may read it: chmod 600 it");
    for (unsigned number = 1; s == OK && rest.n > 0; number++)
        s = read_line(k, str_cut(&rest, '\n'), number, e);
    if (s == OK && k->n == 0)
        return err_set(e, ERR_CONFIG, "it holds no access key");
    return s;
}

enum status api_keys_load(const char *path, struct api_keys **out, struct err *e)
{
    struct api_keys *k = xcalloc(1, sizeof(*k));

    k->text.max = FILE_MAX_BYTES;
    enum status s = read_file(path, k, e);
    if (s != OK) {
        api_keys_free(k);
        return err_wrap(e, "credentials %s", path);
    }
    *out = k;
    return OK;
}

void api_keys_free(struct api_keys *k)
{
    if (k == NULL)
        return;
    if (k->text.n > 0)
        explicit_bzero(k->text.p, k->text.n);
    buf_clear(&k->text);
    free(k->rows);
    free(k);
}

/* --- a request --- */

static const struct access_key *find_key(const struct api_keys *k, struct str id)
{
    for (size_t i = 0; i < k->n; i++)
        if (str_eq(k->rows[i].id, id))
            return &k->rows[i];
    return NULL;
}

static bool refuse(struct api_refusal *why, const char *code, const char *query_code,
                   const char *message)
{
    *why = (struct api_refusal){.status = 403, .code = code, .query_code = query_code};
    snprintf(why->message, sizeof(why->message), "%s", message);
    return false;
}

/* What a request says about itself, and the key it names. */
static bool read_claim(const struct api_keys *k, const struct http_call *rq,
                       struct sigv4_claim *claim, const struct access_key **key,
                       struct api_refusal *why)
{
    struct str value;

    if (!http_header(rq, "Authorization", &value))
        return refuse(why, "MissingAuthenticationTokenException", "MissingAuthenticationToken",
                      "Missing Authentication Token");
    if (sigv4_claim_read(rq->headers, rq->n_headers, claim, NULL) != OK)
        return refuse(why, "IncompleteSignatureException", "IncompleteSignature",
                      "Request is missing a valid Authorization header.");
    *key = find_key(k, claim->access_key);
    if (*key == NULL)
        return refuse(why, "UnrecognizedClientException", "InvalidClientTokenId",
                      "The security token included in the request is invalid.");
    return true;
}

bool api_keys_claimed(const struct api_keys *k, const struct http_call *rq, struct api_refusal *why)
{
    const struct access_key *found;
    struct sigv4_claim claim;

    return read_claim(k, rq, &claim, &found, why);
}

bool api_keys_check(const struct api_keys *k, const struct http_call *rq, int64_t now_ns,
                    struct api_refusal *why)
{
    const struct sigv4_request q = {.method = rq->method,
                                    .path = rq->path,
                                    .query = rq->query,
                                    .headers = rq->headers,
                                    .n_headers = rq->n_headers,
                                    .body = rq->body};
    const struct access_key *found;
    struct sigv4_claim claim;
    struct err e = {0};
    uint8_t key[32];

    if (!read_claim(k, rq, &claim, &found, why))
        return false;
    struct sigv4_scope scope = {claim.region, claim.service, 0};
    sigv4_derive(found->secret, claim.date, &scope, key);
    enum status s = sigv4_verify(&q, &claim, key, now_ns, &e);
    explicit_bzero(key, sizeof(key));
    return s == OK || refuse(why, "InvalidSignatureException", "SignatureDoesNotMatch", e.msg);
}
