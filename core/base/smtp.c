/* SMTP through libcurl's easy interface, a fresh connection for each message: alerts are rare. */
#include "core/base/smtp.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/curl_api.h"
#include "core/base/mem.h"

#define DEFAULT_TIMEOUT_NS (10 * NS_PER_SEC)
#define CONNECT_TIMEOUT_MS 5000L

struct smtp {
    const atomic_bool *stop;
};

struct upload {
    struct curl_api api;
    CURL *curl;
    struct str rest;
    const atomic_bool *stop;
    struct buf *refused; /* of struct mail */
    struct buf receiver; /* the server is asked for it */
};

static size_t on_read(char *to, size_t size, size_t n, void *ctx)
{
    struct upload *u = ctx;
    const size_t room = size * n, take = u->rest.n < room ? u->rest.n : room;

    if (take > 0)
        memcpy(to, u->rest.p, take);
    u->rest = str_skip(u->rest, take);
    return take;
}

static int on_progress(void *ctx, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
                       curl_off_t ulnow)
{
    const struct upload *u = ctx;

    UNUSED(dltotal);
    UNUSED(dlnow);
    UNUSED(ultotal);
    UNUSED(ulnow);
    return u->stop != NULL && atomic_load(u->stop);
}

/* "550 no such user\r\n" to the receiver just asked for. */
static void note_refused(struct upload *u, struct str answer)
{
    answer = str_trim(answer);
    if (u->receiver.n > 0 && answer.n > 0 && answer.p[0] >= '4')
        buf_addf(u->refused, "%s" STR_FMT " (" STR_FMT ")", u->refused->n > 0 ? ", " : "",
                 STR_ARG(buf_str(&u->receiver)), STR_ARG(answer));
    buf_reset(&u->receiver);
}

/* What is said to the server and by it; libcurl tells nothing else of single receivers, and has
 * `data` without const. */
static int on_talk(CURL *h, curl_infotype type, const char *data, size_t n, void *ctx)
{
    static const struct str ask = STR_INIT("RCPT TO:<");
    const struct str text = {data, n};
    struct upload *u = ctx;

    UNUSED(h);
    if (type == CURLINFO_HEADER_IN)
        note_refused(u, text);
    if (type == CURLINFO_HEADER_OUT)
        buf_reset(&u->receiver);
    if (type == CURLINFO_HEADER_OUT && str_starts(text, ask)) {
        const struct str address = str_skip(text, ask.n);
        buf_add_str(&u->receiver, str_sub(address, 0, str_find_char(address, '>')));
    }
    return 0;
}

/* An address goes into a command line of the protocol: nothing in it may end the line or the
 * address. */
static bool is_address(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '<' || s.p[i] == '>' || s.p[i] == 0x7F)
            return false;
    return s.n > 0 && str_find_char(s, '@') < s.n;
}

static enum status check_mail(const struct mail *m, struct err *e)
{
    if (!str_starts(m->server, STR("smtp://")) && !str_starts(m->server, STR("smtps://")))
        return err_set(e, ERR_CONFIG, "no smtp or smtps URL: " STR_FMT, STR_ARG(m->server));
    if (!is_address(m->from))
        return err_set(e, ERR_CONFIG, "no mail address: \"" STR_FMT "\"", STR_ARG(m->from));
    for (size_t i = 0; i < m->n_to; i++)
        if (!is_address(m->to[i]))
            return err_set(e, ERR_CONFIG, "no mail address: \"" STR_FMT "\"", STR_ARG(m->to[i]));
    if (m->n_to == 0)
        return err_set(e, ERR_CONFIG, "mail to nobody");
    return OK;
}

static struct curl_slist *recipients(const struct curl_api *api, const struct mail *m,
                                     struct arena *a)
{
    struct curl_slist *list = NULL;

    for (size_t i = 0; i < m->n_to; i++)
        list = api->slist_append(list, arena_strz(a, m->to[i]));
    return list;
}

static void set_up(struct upload *u, const struct mail *m, struct arena *a)
{
    const int64_t timeout_ns = m->timeout_ns > 0 ? m->timeout_ns : DEFAULT_TIMEOUT_NS;
    CURL *h = u->curl;

    u->api.setopt(h, CURLOPT_URL, arena_strz(a, m->server));
    u->api.setopt(h, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    u->api.setopt(h, CURLOPT_MAIL_FROM, arena_strz(a, m->from));
    u->api.setopt(h, CURLOPT_USE_SSL, m->wants_tls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_TRY);
    if (m->user.n > 0) {
        u->api.setopt(h, CURLOPT_USERNAME, arena_strz(a, m->user));
        u->api.setopt(h, CURLOPT_PASSWORD, arena_strz(a, m->password));
    }
    u->api.setopt(h, CURLOPT_UPLOAD, 1L);
    u->api.setopt(h, CURLOPT_READFUNCTION, on_read);
    u->api.setopt(h, CURLOPT_READDATA, u);
    u->api.setopt(h, CURLOPT_NOSIGNAL, 1L);
    u->api.setopt(h, CURLOPT_TIMEOUT_MS, (long)(timeout_ns / NS_PER_MS));
    u->api.setopt(h, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    u->api.setopt(h, CURLOPT_NOPROGRESS, 0L);
    u->api.setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
    u->api.setopt(h, CURLOPT_XFERINFODATA, u);
    u->api.setopt(h, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L); /* one that left keeps it from nobody */
    if (m->refused) {
        u->api.setopt(h, CURLOPT_VERBOSE, 1L);
        u->api.setopt(h, CURLOPT_DEBUGFUNCTION, on_talk);
        u->api.setopt(h, CURLOPT_DEBUGDATA, u);
    }
}

static enum status status_of(CURLcode code, long answer)
{
    if (answer >= 500)
        return code == CURLE_LOGIN_DENIED ? ERR_AUTH : ERR_CONFIG;
    switch ((int)code) {
    case CURLE_LOGIN_DENIED:
        return ERR_AUTH;
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_USE_SSL_FAILED:
        return ERR_CONFIG;
    case CURLE_ABORTED_BY_CALLBACK:
        return ERR_CANCELLED;
    default:
        return ERR_AGAIN;
    }
}

static enum status perform(struct upload *u, const struct mail *m, struct err *e)
{
    char message[CURL_ERROR_SIZE] = "";
    long answer = 0;
    CURL *h = u->curl;

    u->api.setopt(h, CURLOPT_ERRORBUFFER, message);
    const CURLcode code = u->api.perform(h);
    u->api.getinfo(h, CURLINFO_RESPONSE_CODE, &answer);
    u->api.setopt(h, CURLOPT_ERRORBUFFER, NULL);
    if (code == CURLE_OK)
        return OK;
    return err_set(e, status_of(code, answer), STR_FMT ": %s", STR_ARG(m->server),
                   message[0] ? message : u->api.strerror(code));
}

static enum status send_mail(void *ctx, const struct mail *m, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct smtp *s = ctx;
    struct upload u = {
        .rest = m->message, .stop = s->stop, .refused = m->refused, .receiver = {.max = 1024}};
    enum status status = check_mail(m, e);

    if (status == OK)
        status = curl_api_load(&u.api, e);
    if (status != OK)
        return status;
    u.curl = u.api.init();
    if (!u.curl)
        return err_set(e, ERR_LIMIT, "libcurl gives no handle");
    struct curl_slist *to = recipients(&u.api, m, &a);
    set_up(&u, m, &a);
    u.api.setopt(u.curl, CURLOPT_MAIL_RCPT, to);
    status = perform(&u, m, e);
    u.api.slist_free_all(to);
    u.api.cleanup(u.curl);
    buf_clear(&u.receiver);
    return status;
}

struct mailer smtp_curl(const atomic_bool *stop)
{
    struct smtp *s = xcalloc(1, sizeof(*s));

    s->stop = stop;
    return (struct mailer){.send = send_mail, .close = free, .ctx = s};
}

enum status mailer_send(const struct mailer *m, const struct mail *mail, struct err *e)
{
    return m->send(m->ctx, mail, e);
}

void mailer_close(struct mailer *m)
{
    if (m->close)
        m->close(m->ctx);
    *m = (struct mailer){0};
}
