/* Finds libcurl's functions by name. */
#include "core/base/curl_api.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "core/base/macros.h"

#define LIBRARY "libcurl.so.4"

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
    {"curl_easy_init", offsetof(struct curl_api, init)},
    {"curl_easy_reset", offsetof(struct curl_api, reset)},
    {"curl_easy_setopt", offsetof(struct curl_api, setopt)},
    {"curl_easy_perform", offsetof(struct curl_api, perform)},
    {"curl_easy_getinfo", offsetof(struct curl_api, getinfo)},
    {"curl_easy_cleanup", offsetof(struct curl_api, cleanup)},
    {"curl_easy_strerror", offsetof(struct curl_api, strerror)},
    {"curl_slist_append", offsetof(struct curl_api, slist_append)},
    {"curl_slist_free_all", offsetof(struct curl_api, slist_free_all)},
};

/* It is never given back: it keeps handlers for the end of the process. */
enum status curl_api_load(struct curl_api *out, struct err *e)
{
    struct curl_api api = {0};
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

    if (!library)
        return err_set(e, ERR_IO, "%s cannot be loaded: install libcurl", LIBRARY);
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        void *function = dlsym(library, functions[i].name);
        if (!function)
            return err_set(e, ERR_IO, "%s has no %s: it is too old", LIBRARY, functions[i].name);
        memcpy((char *)&api + functions[i].offset, &function, sizeof(function));
    }
    *out = api;
    return OK;
}
