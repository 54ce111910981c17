/* Credentials from services: STS (assume role, web identity), the container's endpoint, the
 * instance's metadata. */
#include "collector/aws/aws_auth.h"
#include "collector/aws/aws_endpoint.h"
#include "collector/aws/aws_xml.h"
#include "core/base/file.h"
#include "core/base/timefmt.h"
#include "core/base/url.h"

enum { ANSWER_MAX_BYTES = 64 << 10 };
#define STS_TIMEOUT_NS      (5 * NS_PER_SEC)
#define METADATA_TIMEOUT_NS NS_PER_SEC

static enum status send(struct aws_auth *a, struct http_request *q, struct arena *mem,
                        struct http_response *r, struct err *e)
{
    q->max_bytes = ANSWER_MAX_BYTES;
    q->connect_timeout_ns = q->timeout_ns;
    return http_send(&a->env->http, q, mem, r, e);
}

/* --- STS
 * ----------------------------------------------------------------------------------------------------
 */

static void add_parameter(struct buf *b, const char *name, struct str value)
{
    if (value.n == 0)
        return;
    buf_addf(b, "&%s=", name);
    url_encode(b, value, false);
}

static enum status read_token_file(struct str path, struct arena *mem, struct str *token,
                                   struct err *e)
{
    AUTO(buf_clear) struct buf text = {.max = ANSWER_MAX_BYTES};

    if (file_read(arena_strz(mem, path), &text, e) != OK)
        return err_set(e, ERR_AUTH, "the identity token " STR_FMT " cannot be read", STR_ARG(path));
    *token = arena_str(mem, str_trim(buf_str(&text)));
    return OK;
}

static enum status make_form(const struct aws_role *role, struct arena *mem, struct str *form,
                             struct err *e)
{
    AUTO(buf_clear) struct buf b = {.max = (size_t)4 * ANSWER_MAX_BYTES};
    struct str token = {0};
    bool is_web = role->web_token_file.n > 0;

    if (is_web && read_token_file(role->web_token_file, mem, &token, e) != OK)
        return e != NULL ? e->code : ERR_AUTH;
    buf_addf(&b, "Action=%s&Version=2011-06-15",
             is_web ? "AssumeRoleWithWebIdentity" : "AssumeRole");
    add_parameter(&b, "RoleArn", role->role_arn);
    add_parameter(&b, "RoleSessionName",
                  role->session_name.n > 0 ? role->session_name : STR("fnscope"));
    add_parameter(&b, "ExternalId", role->external_id);
    add_parameter(&b, "DurationSeconds", role->duration_s);
    add_parameter(&b, "WebIdentityToken", token);
    *form = arena_str(mem, buf_str(&b));
    return OK;
}

static enum status read_sts(const struct http_response *r, struct arena *mem,
                            struct aws_credentials *out, struct err *e)
{
    struct str code = STR("no reason given"), message = {0}, when;
    struct aws_credentials c = {.from = "assumed role"};

    if (r->status != 200) {
        if (aws_xml_text(r->body, "Code", mem, &code))
            aws_xml_text(r->body, "Message", mem, &message);
        enum status s = r->status >= 500 || r->status == 429 ? ERR_AGAIN : ERR_AUTH;
        return err_set(e, s, "HTTP %d " STR_FMT ": " STR_FMT, r->status, STR_ARG(code),
                       STR_ARG(message));
    }
    if (!aws_xml_text(r->body, "AccessKeyId", mem, &c.keys.access_key) ||
        !aws_xml_text(r->body, "SecretAccessKey", mem, &c.keys.secret_key) ||
        !aws_xml_text(r->body, "SessionToken", mem, &c.keys.session_token) ||
        !aws_xml_text(r->body, "Expiration", mem, &when) || !time_parse(when, &c.expires_ns))
        return err_set(e, ERR_AGAIN, "the answer holds no credentials");
    *out = c;
    return OK;
}

enum status aws_assume_role(struct aws_auth *a, const struct aws_role *role,
                            const struct aws_credentials *with, struct arena *mem,
                            struct aws_credentials *out, struct err *e)
{
    struct aws_profile_endpoints profile;
    enum status known = aws_auth_endpoints(&a->options, a->env, mem, &profile, e);
    if (known != OK)
        return known;
    const struct aws_endpoint_rules where = {STR(""), &profile, a->region};
    struct aws_endpoint at = aws_endpoint_of(AWS_STS, &where, a->env, mem);
    struct http_header plain[] = {{STR("Host"), at.host},
                                  {STR("Content-Type"), STR("application/x-www-form-urlencoded")}};
    struct sigv4_scope scope = {a->region.n > 0 ? a->region : STR("us-east-1"), STR("sts"),
                                clock_now(&a->env->clock)};
    struct sigv4_request to_sign = {
        .method = STR("POST"), .path = at.path, .headers = plain, .n_headers = ARRAY_LEN(plain)};
    struct sigv4_headers headers = {plain, ARRAY_LEN(plain)};
    struct http_response r;

    if (make_form(role, mem, &to_sign.body, e) != OK)
        return e != NULL ? e->code : ERR_AUTH;
    if (with != NULL)
        headers = sigv4_sign(&to_sign, &scope, &with->keys, mem);
    struct http_request q = {
        .method = STR("POST"),
        .url = at.url,
        .headers = headers.rows,
        .n_headers = headers.n,
        .body = to_sign.body,
        .timeout_ns = STS_TIMEOUT_NS,
        .is_direct = at.is_local,
    };
    enum status s = send(a, &q, mem, &r, e);
    if (s == OK)
        s = read_sts(&r, mem, out, e);
    return s == OK ? OK : err_wrap(e, "assuming " STR_FMT, STR_ARG(role->role_arn));
}

enum status aws_provide_web_identity(struct aws_auth *a, struct arena *mem,
                                     struct aws_credentials *out, struct err *e)
{
    struct aws_role role = {.role_arn = aws_variable(a, "AWS_ROLE_ARN"),
                            .session_name = aws_variable(a, "AWS_ROLE_SESSION_NAME"),
                            .web_token_file = aws_variable(a, "AWS_WEB_IDENTITY_TOKEN_FILE")};

    if (role.web_token_file.n == 0 || role.role_arn.n == 0 || a->options.profile.n > 0)
        return ERR_NOT_FOUND;
    enum status s = aws_assume_role(a, &role, NULL, mem, out, e);
    if (s == OK)
        out->from = "web identity";
    return s;
}

/* --- container
 * ----------------------------------------------------------------------------------------------
 */

/* Plain HTTP only to addresses that do not leave the machine or its link. */
static bool may_ask(struct str url)
{
    static const struct str prefixes[] = {
        STR_INIT("https://"),
        STR_INIT("http://127."),
        STR_INIT("http://localhost"),
        STR_INIT("http://[::1]"),
        STR_INIT("http://169.254.170.2/"),
        STR_INIT("http://169.254.170.23/"),
        STR_INIT("http://[fd00:ec2::23]/"),
    };

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (str_starts(url, prefixes[i]))
            return true;
    return false;
}

static enum status container_url(const struct aws_auth *a, struct arena *mem, struct str *url,
                                 struct err *e)
{
    struct str relative = aws_variable(a, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    struct str full = aws_variable(a, "AWS_CONTAINER_CREDENTIALS_FULL_URI");

    if (relative.n > 0)
        full = arena_printf(mem, "http://169.254.170.2" STR_FMT, STR_ARG(relative));
    if (full.n == 0)
        return ERR_NOT_FOUND;
    if (!may_ask(full))
        return err_set(e, ERR_AUTH,
                       "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor on this machine");
    *url = full;
    return OK;
}

static enum status container_token(const struct aws_auth *a, struct arena *mem, struct str *token,
                                   struct err *e)
{
    struct str path = aws_variable(a, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");

    if (path.n > 0)
        return read_token_file(path, mem, token, e);
    *token = aws_variable(a, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    return OK;
}

static enum status read_metadata(const struct http_response *r, const char *from, struct arena *mem,
                                 struct aws_credentials *out, struct err *e)
{
    if (r->status != 200)
        return err_set(e, r->status >= 500 || r->status == 429 ? ERR_AGAIN : ERR_AUTH,
                       "%s answers HTTP %d", from, r->status);
    enum status s = aws_credentials_read(r->body, mem, out, e);
    if (s != OK)
        return err_wrap(e, "%s", from);
    out->from = from;
    return OK;
}

enum status aws_provide_container(struct aws_auth *a, struct arena *mem,
                                  struct aws_credentials *out, struct err *e)
{
    struct http_header header = {STR("Authorization"), {0}};
    struct http_request q = {
        .method = STR("GET"), .timeout_ns = METADATA_TIMEOUT_NS, .is_direct = true};
    struct http_response r;
    enum status s = container_url(a, mem, &q.url, e);

    if (s == OK)
        s = container_token(a, mem, &header.value, e);
    if (s != OK)
        return s;
    if (header.value.n > 0) { /* a line end inside is refused by the client */
        q.headers = &header;
        q.n_headers = 1;
    }
    s = send(a, &q, mem, &r, e);
    return s == OK ? read_metadata(&r, "container", mem, out, e) : err_wrap(e, "container");
}

/* --- instance metadata, version 2
 * ---------------------------------------------------------------------------
 */

struct metadata {
    struct str base;
    struct http_header token;
};

static enum status metadata_get(struct aws_auth *a, const struct metadata *m, struct str path,
                                struct arena *mem, struct http_response *r)
{
    struct http_request q = {
        .method = STR("GET"),
        .url = arena_printf(mem, STR_FMT STR_FMT, STR_ARG(m->base), STR_ARG(path)),
        .headers = &m->token,
        .n_headers = 1,
        .timeout_ns = METADATA_TIMEOUT_NS,
        .is_direct = true,
    };
    return send(a, &q, mem, r, NULL);
}

static enum status metadata_open(struct aws_auth *a, struct arena *mem, struct metadata *m)
{
    struct http_header ttl = {STR("x-aws-ec2-metadata-token-ttl-seconds"), STR("21600")};
    struct str base = aws_variable(a, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    struct http_request q = {
        .method = STR("PUT"),
        .headers = &ttl,
        .n_headers = 1,
        .timeout_ns = METADATA_TIMEOUT_NS,
        .is_direct = true,
    };
    struct http_response r;

    if (str_eq_nocase(aws_variable(a, "AWS_EC2_METADATA_DISABLED"), STR("true")))
        return ERR_NOT_FOUND;
    while (str_ends(base, STR("/")))
        base = str_sub(base, 0, base.n - 1);
    m->base = base.n > 0 ? base : STR("http://169.254.169.254");
    q.url = arena_printf(mem, STR_FMT "/latest/api/token", STR_ARG(m->base));
    /* No answer: this is no instance. */
    if (send(a, &q, mem, &r, NULL) != OK || r.status != 200 || r.body.n == 0)
        return ERR_NOT_FOUND;
    m->token = (struct http_header){STR("x-aws-ec2-metadata-token"), str_trim(r.body)};
    return OK;
}

enum status aws_provide_instance(struct aws_auth *a, struct arena *mem, struct aws_credentials *out,
                                 struct err *e)
{
    static const struct str path = STR_INIT("/latest/meta-data/iam/security-credentials/");
    struct metadata m;
    struct http_response r;

    if (metadata_open(a, mem, &m) != OK || metadata_get(a, &m, path, mem, &r) != OK ||
        r.status != 200)
        return ERR_NOT_FOUND; /* an instance without a role has no such path */
    struct str names = r.body;
    struct str role = str_trim(str_cut(&names, '\n'));
    struct str full = arena_printf(mem, STR_FMT STR_FMT, STR_ARG(path), STR_ARG(role));
    if (role.n == 0)
        return ERR_NOT_FOUND;
    if (metadata_get(a, &m, full, mem, &r) != OK)
        return err_set(e, ERR_AGAIN, "instance metadata does not answer");
    return read_metadata(&r, "instance metadata", mem, out, e);
}
