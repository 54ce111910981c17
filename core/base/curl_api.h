/* libcurl, loaded when the first client is made and kept until the process ends. Linked to the
 * program it would bring forty other libraries into every command: 10 ms and 4 MB, for the few
 * commands that talk to a network (docs/decisions/0026-memory-in-large-pages.md).
 *
 *     struct curl_api api;
 *     enum status s = curl_api_load(&api, e);
 *     CURL *h = api.init();
 *
 * The members are libcurl's functions of the same name behind `curl_` or `curl_easy_`. setopt's and
 * getinfo's last argument has no type to be checked against: long, curl_off_t or a pointer, as
 * libcurl's manual says. ERR_IO where the library is not installed. Any thread. */
#ifndef FNSCOPE_CORE_BASE_CURL_API_H
#define FNSCOPE_CORE_BASE_CURL_API_H

#include <curl/curl.h>

#include "core/base/err.h"

struct curl_api {
    CURL *(*init)(void);
    void (*reset)(CURL *);
    CURLcode (*setopt)(CURL *, CURLoption, ...);
    CURLcode (*perform)(CURL *);
    CURLcode (*getinfo)(CURL *, CURLINFO, ...);
    void (*cleanup)(CURL *);
    const char *(*strerror)(CURLcode);
    struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
    void (*slist_free_all)(struct curl_slist *);
};

MUST_CHECK enum status curl_api_load(struct curl_api *out, struct err *e);

#endif
