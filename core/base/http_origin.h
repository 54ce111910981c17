/* Who means this listener: names in Host and Origin, for listeners that ask nobody for credentials
 * because only this machine reaches them. A page in a browser reaches them too, under a name of its
 * own that leads here (DNS rebinding) or from another site; it cannot choose these headers. Pure.
 */
#ifndef FNSCOPE_CORE_BASE_HTTP_ORIGIN_H
#define FNSCOPE_CORE_BASE_HTTP_ORIGIN_H

#include "core/base/http.h"

/* Besides loopback addresses, "localhost" and what ends in ".localhost". */
struct http_names {
    struct str address;      /* that is listened on */
    const struct str *hosts; /* patterns, "*.example.test" */
    size_t n_hosts;
};

/* True for "127.0.0.1:9001", "[::1]", "LOCALHOST:80" and the names; a port does not matter. */
bool http_is_own_name(struct str authority, const struct http_names *names);

/* 0: the request may pass. 421: Host is a foreign name; 403: the page that sends it belongs to
 * another site. *why says it to people. */
unsigned http_origin_judge(const struct http_header *headers, size_t n,
                           const struct http_names *names, struct str *why);

#endif
