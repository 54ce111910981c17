/* What notifiers share: secrets, and a POST whose answer is judged. */
#include <stdlib.h>

#include "core/base/file.h"
#include "core/base/retry.h"
#include "reports/notify/notify_private.h"

enum { SECRET_MAX_BYTES = 8192 };

enum status secret_check(const struct secret *s, const char *what, bool is_optional, struct err *e)
{
    const int given = (s->text.n > 0) + (s->file.n > 0) + (s->env.n > 0);

    if (given == 1 || (given == 0 && is_optional))
        return OK;
    return err_set(e, ERR_CONFIG,
                   given == 0 ? "%s, %s_file or %s_env is needed"
                              : "only one of %s, %s_file and %s_env may be given",
                   what, what, what);
}

enum status secret_read(const struct secret *s, struct arena *a, struct str *out, struct err *e)
{
    if (s->file.n > 0) {
        AUTO(buf_clear) struct buf b = {.max = SECRET_MAX_BYTES};
        enum status status = file_read(arena_strz(a, s->file), &b, e);
        if (status == OK)
            *out = arena_str(a, str_trim(buf_str(&b)));
        return status;
    }
    if (s->env.n > 0) {
        const char *value = getenv(arena_strz(a, s->env));
        if (!value)
            return err_set(e, ERR_CONFIG, "the environment has no " STR_FMT, STR_ARG(s->env));
        *out = arena_str(a, str_trim(str_from(value)));
        return OK;
    }
    *out = s->text;
    return OK;
}

static bool is_passing(int status)
{
    return status == 408 || status == 425 || status == 429 || status >= 500;
}

static void note_pause(const struct notify_env *env, struct str retry_after)
{
    int64_t ns;

    if (env->asked_ns && retry_after_parse(retry_after, env->now_ns, &ns))
        *env->asked_ns = ns < NOTIFY_LONGEST_PAUSE_NS ? ns : NOTIFY_LONGEST_PAUSE_NS;
}

enum status notify_post(const struct notify_env *env, const struct post *p, struct err *e)
{
    const struct http_request q = {
        .method = STR("POST"),
        .url = p->url,
        .headers = p->headers,
        .n_headers = p->n_headers,
        .body = p->body,
        .timeout_ns = p->timeout_ns,
        .max_bytes = (size_t)64 << 10,
    };
    struct http_response r;
    struct err cause = {0};
    const enum status status = http_send(env->http, &q, env->arena, &r, &cause);

    /* libcurl's words name the host at most; a URL that will not do is not repeated */
    if (status == ERR_CONFIG)
        return err_set(e, ERR_CONFIG, "%s: the URL or a header will not do", p->what);
    if (status != OK)
        return err_set(e, status, "%s: %s", p->what, cause.msg);
    if (r.status >= 200 && r.status < 300)
        return OK;
    if (is_passing(r.status))
        note_pause(env, http_header_get(&r, "Retry-After"));
    return err_set(e, is_passing(r.status) ? ERR_AGAIN : ERR_CONFIG, "%s: HTTP %d", p->what,
                   r.status);
}
