/* Heads line by line, chunks state by state. */
#include "core/base/http_parse.h"

#include <string.h>

#define BAD_REQUEST       400
#define CONTENT_TOO_LARGE 413
#define HEAD_TOO_LARGE    431
#define OTHER_VERSION     505
#define CHUNK_LINE_MAX    256
#define CHUNK_DIGITS_MAX  15 /* more could overflow */

/* --- characters --- */

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           (c && strchr("!#$%&'*+.^_`|~", c));
}

bool http_is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_token_char(s.p[i]))
            return false;
    return s.n > 0;
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

bool http_is_value(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (is_control(s.p[i]) && s.p[i] != '\t')
            return false;
    return true;
}

static bool is_target(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (is_control(s.p[i]) || s.p[i] == ' ')
            return false;
    return s.n > 0 && s.p[0] == '/';
}

/* --- lines --- */

/* Cuts a line off *rest; false when no CRLF is left in it. */
static bool cut_line(struct str *rest, struct str *line)
{
    size_t at = str_find(*rest, STR("\r\n"));

    if (at == rest->n)
        return false;
    *line = str_sub(*rest, 0, at);
    *rest = str_skip(*rest, at + 2);
    return true;
}

size_t http_head_length(struct str in, size_t from)
{
    size_t begin = from > 3 ? from - 3 : 0;
    struct str rest = str_skip(in, begin);
    size_t at = str_find(rest, STR("\r\n\r\n"));

    return at == rest.n ? 0 : begin + at + 4;
}

/* "http://host:port/path?query", as clients that think of a proxy send it, becomes host and rest
 * (RFC 9112, 3.2.2). What is no such thing stays, and is refused as a target. */
static struct str cut_authority(struct str *target)
{
    struct str scheme = STR("http://");
    struct str rest = str_skip(*target, scheme.n);
    size_t slash = str_find_char(rest, '/');
    struct str authority = str_sub(rest, 0, slash);

    if (!str_eq_nocase(str_sub(*target, 0, scheme.n), scheme) || authority.n == 0 ||
        str_find_char(authority, '@') < authority.n || str_find_char(authority, '?') < authority.n)
        return (struct str){0};
    *target = slash < rest.n ? str_skip(rest, slash) : STR("/");
    return authority;
}

/* method SP target SP HTTP/1.x */
static unsigned parse_request_line(struct str line, struct http_head *out)
{
    out->method = str_cut(&line, ' ');
    out->target = str_cut(&line, ' ');
    out->version = line;
    out->authority = cut_authority(&out->target);
    if (!http_is_token(out->method) || !is_target(out->target))
        return BAD_REQUEST;
    if (str_eq(line, STR("HTTP/1.1")) || str_eq(line, STR("HTTP/1.0")))
        return 0;
    return line.n == 8 && str_starts(line, STR("HTTP/")) ? OTHER_VERSION : BAD_REQUEST;
}

/* A line that goes on from the one before begins with a blank, which is no token. */
static bool parse_header(struct str line, struct http_header *out)
{
    size_t colon = str_find_char(line, ':');

    out->name = str_sub(line, 0, colon);
    out->value = str_trim(str_skip(line, colon + 1));
    return colon < line.n && http_is_token(out->name) && http_is_value(str_skip(line, colon + 1));
}

unsigned http_headers_parse(struct str text, struct arena *a, struct http_header **out, size_t *n)
{
    struct str line;
    size_t cap = 0;

    *out = NULL;
    *n = 0;
    while (cut_line(&text, &line) && line.n > 0) {
        if (*n == HTTP_HEADERS_MAX)
            return HEAD_TOO_LARGE;
        *out = arena_grow(a, *out, *n, &cap, sizeof(**out));
        if (!parse_header(line, &(*out)[*n]))
            return BAD_REQUEST;
        ++*n;
    }
    return 0;
}

static size_t count_header(const struct http_head *h, struct str name)
{
    size_t n = 0;

    for (size_t i = 0; i < h->n_headers; i++)
        n += str_eq_nocase(h->headers[i].name, name);
    return n;
}

/* HTTP/1.1 wants one Host, 1.0 knows none; two are two opinions. */
static bool has_right_host(const struct http_head *h)
{
    size_t n = count_header(h, STR("Host"));

    return n == 1 || (n == 0 && str_eq(h->version, STR("HTTP/1.0")));
}

/* The target's host is the one that counts: Host is not looked at beside it, and is made of it
 * where HTTP/1.0 sends none. */
static void prefer_authority(struct http_head *h, struct arena *a)
{
    size_t cap = h->n_headers;

    if (h->authority.n == 0)
        return;
    if (count_header(h, STR("Host")) == 0) {
        h->headers = arena_grow(a, h->headers, h->n_headers, &cap, sizeof(*h->headers));
        h->headers[h->n_headers++].name = STR("Host");
    }
    for (size_t i = 0; i < h->n_headers; i++)
        if (str_eq_nocase(h->headers[i].name, STR("Host")))
            h->headers[i].value = h->authority;
}

unsigned http_head_parse(struct str text, struct arena *a, struct http_head *out)
{
    struct str line;

    *out = (struct http_head){0};
    if (!cut_line(&text, &line))
        return BAD_REQUEST;
    unsigned status = parse_request_line(line, out);
    if (!status)
        status = http_headers_parse(text, a, &out->headers, &out->n_headers);
    if (status || !has_right_host(out))
        return status ? status : BAD_REQUEST;
    prefer_authority(out, a);
    return 0;
}

const struct http_header *http_header_find(const struct http_header *items, size_t n,
                                           struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(items[i].name, name))
            return &items[i];
    return NULL;
}

bool http_list_has(struct str list, struct str word)
{
    while (list.n > 0)
        if (str_eq_nocase(str_trim(str_cut(&list, ',')), word))
            return true;
    return false;
}

/* --- framing --- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* RFC 9112, 6.3: with both ways to say where the body ends, or one of them twice, a proxy in front
 * may have read another request than we would. */
unsigned http_framing_of(const struct http_head *h, size_t most, struct http_framing *out)
{
    const struct http_header *length =
        http_header_find(h->headers, h->n_headers, STR("Content-Length"));
    const struct http_header *coding =
        http_header_find(h->headers, h->n_headers, STR("Transfer-Encoding"));

    *out = (struct http_framing){.is_chunked = coding != NULL};
    if (length && (count_header(h, STR("Content-Length")) > 1 || length->value.n == 0 ||
                   !is_digit(length->value.p[0]) || !str_to_u64(length->value, &out->length)))
        return BAD_REQUEST;
    if (out->length > most)
        return CONTENT_TOO_LARGE;
    if (!coding)
        return 0;
    bool is_plain = str_eq_nocase(coding->value, STR("chunked")) &&
                    count_header(h, STR("Transfer-Encoding")) == 1 &&
                    str_eq(h->version, STR("HTTP/1.1"));
    return is_plain && !length ? 0 : BAD_REQUEST;
}

/* --- chunks: one function a state; true when the state was left --- */

typedef bool chunk_step(struct http_chunks *c, struct str *in, struct buf *body);

static int hex_value(char c)
{
    return is_digit(c)            ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Extensions behind a semicolon are allowed and mean nothing. */
static bool parse_size(struct str line, uint64_t *out)
{
    size_t n = 0;

    *out = 0;
    while (n < line.n && hex_value(line.p[n]) >= 0 && n <= CHUNK_DIGITS_MAX)
        *out = *out * 16 + (uint64_t)hex_value(line.p[n++]);
    return n > 0 && n <= CHUNK_DIGITS_MAX && (n == line.n || line.p[n] == ';') &&
           http_is_value(line);
}

static bool chunk_size(struct http_chunks *c, struct str *in, struct buf *body)
{
    struct str line;
    struct str seen = str_sub(*in, 0, CHUNK_LINE_MAX);

    UNUSED(body);
    if (!cut_line(&seen, &line)) {
        c->status = in->n >= CHUNK_LINE_MAX ? BAD_REQUEST : 0;
        return false;
    }
    if (!parse_size(line, &c->left)) {
        c->status = BAD_REQUEST;
        return false;
    }
    *in = str_skip(*in, line.n + 2);
    c->state = c->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
    return true;
}

static bool chunk_data(struct http_chunks *c, struct str *in, struct buf *body)
{
    size_t n = c->left < in->n ? (size_t)c->left : in->n;

    buf_add_str(body, str_sub(*in, 0, n));
    *in = str_skip(*in, n);
    c->left -= n;
    if (c->left > 0)
        return false;
    c->state = CHUNK_DATA_END;
    return true;
}

static bool chunk_data_end(struct http_chunks *c, struct str *in, struct buf *body)
{
    UNUSED(body);
    if (in->n < 2 && (in->n == 0 || in->p[0] == '\r'))
        return false;
    if (!str_starts(*in, STR("\r\n"))) {
        c->status = BAD_REQUEST;
        return false;
    }
    *in = str_skip(*in, 2);
    c->state = CHUNK_SIZE;
    return true;
}

static bool chunk_trailer(struct http_chunks *c, struct str *in, struct buf *body)
{
    struct str rest = *in, line;

    UNUSED(body);
    if (!cut_line(&rest, &line)) {
        c->status = in->n > c->trailers.max ? HEAD_TOO_LARGE : 0;
        return false;
    }
    *in = rest;
    if (line.n == 0) {
        c->state = CHUNK_DONE;
        return false;
    }
    buf_add_str(&c->trailers, line);
    buf_add_z(&c->trailers, "\r\n");
    c->status = c->trailers.is_full ? HEAD_TOO_LARGE : 0;
    return c->status == 0;
}

static bool chunk_done(struct http_chunks *c, struct str *in, struct buf *body)
{
    UNUSED(c);
    UNUSED(in);
    UNUSED(body);
    return false;
}

unsigned http_chunks_take(struct http_chunks *c, struct str *in, struct buf *body)
{
    static chunk_step *const steps[] = {[CHUNK_SIZE] = chunk_size,
                                        [CHUNK_DATA] = chunk_data,
                                        [CHUNK_DATA_END] = chunk_data_end,
                                        [CHUNK_TRAILER] = chunk_trailer,
                                        [CHUNK_DONE] = chunk_done};
    while (steps[c->state](c, in, body))
        ;
    return c->status;
}
