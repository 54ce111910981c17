/* Looking through the headers of an answer: apart from the client, so that who only looks needs no
 * libcurl. */
#include "core/base/http.h"

struct str http_header_get(const struct http_response *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (str_eq_nocase(r->headers[i].name, str_from(name)))
            return r->headers[i].value;
    return (struct str){0};
}
