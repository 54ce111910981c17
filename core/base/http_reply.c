/* RFC 9112, 4 and 6.3. */
#include "core/base/http_reply.h"

#include <stdio.h>

#include "core/base/http_parse.h"
#include "core/base/log.h"
#include "core/base/macros.h"
#include "core/base/timefmt.h"

static const struct {
    unsigned status;
    struct str words;
} reasons[] = {{200, STR_INIT("OK")},
               {201, STR_INIT("Created")},
               {202, STR_INIT("Accepted")},
               {204, STR_INIT("No Content")},
               {206, STR_INIT("Partial Content")},
               {301, STR_INIT("Moved Permanently")},
               {302, STR_INIT("Found")},
               {303, STR_INIT("See Other")},
               {304, STR_INIT("Not Modified")},
               {307, STR_INIT("Temporary Redirect")},
               {308, STR_INIT("Permanent Redirect")},
               {400, STR_INIT("Bad Request")},
               {401, STR_INIT("Unauthorized")},
               {403, STR_INIT("Forbidden")},
               {404, STR_INIT("Not Found")},
               {405, STR_INIT("Method Not Allowed")},
               {409, STR_INIT("Conflict")},
               {410, STR_INIT("Gone")},
               {412, STR_INIT("Precondition Failed")},
               {413, STR_INIT("Content Too Large")},
               {415, STR_INIT("Unsupported Media Type")},
               {421, STR_INIT("Misdirected Request")},
               {422, STR_INIT("Unprocessable Content")},
               {429, STR_INIT("Too Many Requests")},
               {431, STR_INIT("Request Header Fields Too Large")},
               {500, STR_INIT("Internal Server Error")},
               {501, STR_INIT("Not Implemented")},
               {502, STR_INIT("Bad Gateway")},
               {503, STR_INIT("Service Unavailable")},
               {504, STR_INIT("Gateway Timeout")},
               {505, STR_INIT("HTTP Version Not Supported")}};

/* What says how the answer is framed. */
static const struct str ours[] = {STR_INIT("Content-Length"), STR_INIT("Transfer-Encoding"),
                                  STR_INIT("Connection"),     STR_INIT("Date"),
                                  STR_INIT("Keep-Alive"),     STR_INIT("Trailer"),
                                  STR_INIT("Upgrade")};

static struct str reason_of(unsigned status)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].words;
    return STR("Unnamed");
}

static bool is_ours(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (str_eq_nocase(name, ours[i]))
            return true;
    return false;
}

static void add_line(struct buf *out, struct str name, struct str value)
{
    buf_add_str(out, name);
    buf_add(out, ": ", 2);
    buf_add_str(out, value);
    buf_add(out, "\r\n", 2);
}

static void add_header(struct buf *out, const struct http_header *h)
{
    if (is_ours(h->name))
        return;
    if (http_is_token(h->name) && http_is_value(h->value))
        add_line(out, h->name, h->value);
    else
        log_event(LOG_WARN, "http: response header " STR_FMT " cannot be sent and is left out",
                  STR_ARG(h->name));
}

bool http_has_body(unsigned status)
{
    return status != 204 && status != 304;
}

static void add_extent(struct buf *out, enum http_extent extent, size_t size)
{
    if (extent == HTTP_CHUNKED) {
        add_line(out, STR("Transfer-Encoding"), STR("chunked"));
    } else if (extent == HTTP_SIZED) {
        buf_add(out, "Content-Length: ", 16);
        buf_add_u64(out, size, 0);
        buf_add(out, "\r\n", 2);
    }
}

void http_reply_add(struct buf *out, const struct http_reply *r, const struct http_reply_frame *f)
{
    static const struct str words[] = {[HTTP_KEEP] = STR_INIT(""),
                                       [HTTP_KEEP_EXPRESS] = STR_INIT("keep-alive"),
                                       [HTTP_CLOSE] = STR_INIT("close")};
    bool has_body = http_has_body(r->status);

    buf_add(out, "HTTP/1.1 ", 9);
    buf_add_u64(out, r->status, 0);
    buf_add_c(out, ' ');
    buf_add_str(out, reason_of(r->status));
    buf_add(out, "\r\n", 2);
    add_line(out, STR("Date"), f->date);
    for (size_t i = 0; i < r->n_headers; i++)
        add_header(out, &r->headers[i]);
    if (words[f->keep].n > 0)
        add_line(out, STR("Connection"), words[f->keep]);
    if (has_body)
        add_extent(out, f->extent, r->body.n);
    buf_add(out, "\r\n", 2);
    if (has_body && !f->without_body && f->extent == HTTP_SIZED)
        buf_add_str(out, r->body);
}

void http_chunk_add(struct buf *out, struct str bytes)
{
    buf_addf(out, "%zx\r\n", bytes.n);
    buf_add_str(out, bytes);
    buf_add(out, "\r\n", 2);
}

struct str http_date(int64_t wall_ns, char room[HTTP_DATE_BYTES])
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil c = time_civil(wall_ns);

    snprintf(room, HTTP_DATE_BYTES, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[c.weekday], c.day,
             months[c.month - 1], c.year, c.hour, c.minute, c.second);
    return str_from(room);
}
