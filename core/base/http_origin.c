/* Host (RFC 9110, 7.2), Origin (RFC 6454), Sec-Fetch-Site (W3C Fetch Metadata). */
#include "core/base/http_origin.h"

#include "core/base/http_listen.h"
#include "core/base/http_parse.h"

/* "[::1]:9001" -> "::1", "localhost.:80" -> "localhost" */
static struct str name_of(struct str authority)
{
    if (str_starts(authority, STR("[")))
        return str_sub(authority, 1, str_find_char(authority, ']') - 1);
    struct str name = str_sub(authority, 0, str_find_char(authority, ':'));
    return str_ends(name, STR(".")) ? str_sub(name, 0, name.n - 1) : name;
}

static bool is_localhost(struct str name)
{
    static const struct str word = STR_INIT("localhost");
    struct str tail = name.n > word.n ? str_skip(name, name.n - word.n) : name;

    return str_eq_nocase(tail, word) && (name.n == word.n || name.p[name.n - word.n - 1] == '.');
}

bool http_is_own_name(struct str authority, const struct http_names *names)
{
    struct str name = name_of(authority);

    if (is_localhost(name) || (names->address.n > 0 && str_eq_nocase(name, names->address)) ||
        http_is_loopback(name))
        return true;
    for (size_t i = 0; i < names->n_hosts; i++)
        if (str_glob(names->hosts[i], name))
            return true;
    return false;
}

static bool is_own_site(struct str origin, const struct http_names *names)
{
    size_t scheme = str_find(origin, STR("://"));

    return scheme < origin.n && http_is_own_name(str_skip(origin, scheme + 3), names);
}

static struct str value_of(const struct http_header *headers, size_t n, struct str name)
{
    const struct http_header *h = http_header_find(headers, n, name);

    return h ? h->value : (struct str){0};
}

/* An image or a script of another site: it has no Origin. A link that was followed may pass. */
static bool is_foreign_fetch(const struct http_header *headers, size_t n)
{
    return str_eq(value_of(headers, n, STR("Sec-Fetch-Site")), STR("cross-site")) &&
           !str_eq(value_of(headers, n, STR("Sec-Fetch-Mode")), STR("navigate"));
}

unsigned http_origin_judge(const struct http_header *headers, size_t n,
                           const struct http_names *names, struct str *why)
{
    const struct http_header *host = http_header_find(headers, n, STR("Host"));
    const struct http_header *origin = http_header_find(headers, n, STR("Origin"));

    if (host && !http_is_own_name(host->value, names)) {
        *why = STR("this listener is for its own machine, under its address or localhost; "
                   "the name in Host is another\n");
        return 421;
    }
    if (origin ? !is_own_site(origin->value, names) : is_foreign_fetch(headers, n)) {
        *why = STR("a page of another site may not use this listener\n");
        return 403;
    }
    return 0;
}
