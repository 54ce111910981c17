/* Answers as bytes: status line, headers, body. Pure; for core/base/http_server.c. */
#ifndef FNSCOPE_CORE_BASE_HTTP_REPLY_H
#define FNSCOPE_CORE_BASE_HTTP_REPLY_H

#include "core/base/http_server.h"

enum http_keep {
    HTTP_KEEP,         /* HTTP/1.1: the connection stays, which goes without saying */
    HTTP_KEEP_EXPRESS, /* HTTP/1.0: it stays because it was asked to */
    HTTP_CLOSE
};

/* Where a body ends. */
enum http_extent {
    HTTP_SIZED,      /* Content-Length */
    HTTP_CHUNKED,    /* in chunks, which follow by http_chunk_add() */
    HTTP_UNTIL_CLOSE /* with the connection: HTTP/1.0 knows no chunks */
};

struct http_reply_frame {
    struct str date; /* of now, by http_date() */
    enum http_keep keep;
    enum http_extent extent;
    bool without_body; /* the answer to HEAD */
};

/* Whether an answer of this status has a body at all. */
bool http_has_body(unsigned status);

/* Headers that could not stand in an answer, or that are ours, are left out. */
void http_reply_add(struct buf *out, const struct http_reply *r, const struct http_reply_frame *f);

/* A chunk of a body; of no bytes: its end. */
void http_chunk_add(struct buf *out, struct str bytes);

/* "Thu, 26 Nov 2026 10:00:00 GMT" */
#define HTTP_DATE_BYTES 32
struct str http_date(int64_t wall_ns, char room[HTTP_DATE_BYTES]);

#endif
