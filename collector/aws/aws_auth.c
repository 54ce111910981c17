/* The chain of credentials and their keeping. */
#include "collector/aws/aws_auth.h"

#include <string.h>

#include "core/base/json.h"
#include "core/base/timefmt.h"

/* botocore asks for new ones from 15 minutes before the end on and, if that fails, goes on with the
 * old ones until 10 minutes before it (RefreshableCredentials: advisory and mandatory refresh); so
 * long before each call where they live no longer than that. */
#define RENEW_NS      (15 * NS_PER_MIN)
#define LONG_PAUSE_NS NS_PER_MIN

void aws_auth_init(struct aws_auth *a, const struct aws_auth_options *o, struct source_env *env,
                   struct str region)
{
    *a = (struct aws_auth){.options = *o, .env = env, .region = region};
}

static void wipe(struct str secret)
{
    char *p;

    memcpy(&p, &secret.p, sizeof(p)); /* our own copy, in the arena */
    if (secret.n > 0)
        explicit_bzero(p, secret.n);
}

void aws_auth_forget(struct aws_auth *a)
{
    if (a->is_kept) {
        wipe(a->kept.keys.secret_key);
        wipe(a->kept.keys.session_token);
    }
    a->is_kept = false;
    a->kept = (struct aws_credentials){0};
}

void aws_auth_clear(struct aws_auth *a)
{
    aws_auth_forget(a);
    arena_clear(&a->arena);
}

enum status aws_credentials_read(struct str json, struct arena *mem, struct aws_credentials *out,
                                 struct err *e)
{
    AUTO(json_doc_free_ptr) struct json_doc *d = NULL;
    struct aws_credentials c = {0};
    struct str when = {0};

    if (json_parse(json, &d, e) != OK)
        return err_set(e, ERR_AUTH, "the answer is no JSON");
    const struct json *o = json_root(d);
    if (!json_str(json_get(o, "AccessKeyId"), &c.keys.access_key) ||
        !json_str(json_get(o, "SecretAccessKey"), &c.keys.secret_key))
        return err_set(e, ERR_AUTH, "the answer holds no keys");
    if (!json_str(json_get(o, "Token"), &c.keys.session_token) &&
        !json_str(json_get(o, "SessionToken"), &c.keys.session_token))
        c.keys.session_token = (struct str){0};
    if (json_str(json_get(o, "Expiration"), &when) && !time_parse(when, &c.expires_ns))
        return err_set(e, ERR_AUTH, "the expiration is no time: " STR_FMT, STR_ARG(when));
    struct str *const texts[] = {&c.keys.access_key, &c.keys.secret_key, &c.keys.session_token};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = arena_str(mem, *texts[i]);
    *out = c;
    return OK;
}

static enum status provide_environment(struct aws_auth *a, struct arena *mem,
                                       struct aws_credentials *out, struct err *e)
{
    struct sigv4_keys keys = {aws_variable(a, "AWS_ACCESS_KEY_ID"),
                              aws_variable(a, "AWS_SECRET_ACCESS_KEY"),
                              aws_variable(a, "AWS_SESSION_TOKEN")};

    UNUSED(e);
    /* A profile named in the configuration wins; one from AWS_PROFILE does not. */
    if (keys.access_key.n == 0 || keys.secret_key.n == 0 || a->options.profile.n > 0)
        return ERR_NOT_FOUND;
    struct str *const texts[] = {&keys.access_key, &keys.secret_key, &keys.session_token};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = arena_str(mem, *texts[i]);
    *out = (struct aws_credentials){.keys = keys, .from = "environment"};
    return OK;
}

static enum status ask_chain(struct aws_auth *a, struct arena *mem, struct aws_credentials *out,
                             struct err *e)
{
    static aws_provider_fn *const chain[] = {
        provide_environment,   aws_provide_web_identity, aws_provide_profile,
        aws_provide_container, aws_provide_instance,
    };

    for (size_t i = 0; i < ARRAY_LEN(chain); i++) {
        enum status s = chain[i](a, mem, out, e);
        if (s != ERR_NOT_FOUND)
            return s;
    }
    return err_set(e, ERR_AUTH,
                   "no AWS credentials: none in the environment, the profile \"" STR_FMT
                   "\", a container or the instance; name a profile in the configuration",
                   STR_ARG(aws_profile_name(a)));
}

static enum status fetch(struct aws_auth *a, struct arena *mem, struct aws_credentials *out,
                         struct err *e)
{
    const struct aws_auth_options *o = &a->options;
    struct aws_role role = {o->role_arn, o->external_id, o->session_name, {0}, {0}};
    struct aws_credentials base;
    enum status s = ask_chain(a, mem, &base, e);

    if (s != OK || o->role_arn.n == 0) {
        *out = base;
        return s;
    }
    return aws_assume_role(a, &role, &base, mem, out, e);
}

/* Short ones from the middle of their life on. */
static int64_t renew_from(const struct aws_auth *a)
{
    const int64_t half_ns = (a->kept.expires_ns - a->got_ns) / 2;

    return a->kept.expires_ns - (half_ns < RENEW_NS ? half_ns : RENEW_NS);
}

/* Services give what they have: in the pause after they were asked it is the same. */
static bool is_good(const struct aws_auth *a, int64_t now_ns)
{
    return a->is_kept &&
           (a->kept.expires_ns == 0 || now_ns < renew_from(a) || now_ns < a->again_ns);
}

/* What came with its end behind it, by our clock, may be good: the service will say so. */
static void pause(struct aws_auth *a, int64_t now_ns)
{
    const int64_t left_ns = a->kept.expires_ns - now_ns, part_ns = left_ns / 8;
    const bool is_long = left_ns <= 0 || part_ns > LONG_PAUSE_NS;

    a->again_ns = now_ns + (is_long ? LONG_PAUSE_NS : part_ns < NS_PER_SEC ? NS_PER_SEC : part_ns);
}

enum status aws_auth_get(struct aws_auth *a, int64_t now_ns, struct aws_credentials *out,
                         struct err *e)
{
    struct arena mem = {0};
    struct aws_credentials fresh = {0};

    if (is_good(a, now_ns)) {
        *out = a->kept;
        return OK;
    }
    enum status s = fetch(a, &mem, &fresh, e);
    if (s != OK) {
        arena_clear(&mem);
        if (!a->is_kept || a->kept.expires_ns <= now_ns)
            return err_wrap(e, "credentials");
        pause(a, now_ns); /* they are good for some time yet */
        *out = a->kept;
        return OK;
    }
    aws_auth_forget(a);
    arena_clear(&a->arena);
    a->arena = mem;
    a->kept = fresh;
    a->is_kept = true;
    a->got_ns = now_ns;
    pause(a, now_ns);
    *out = fresh;
    return OK;
}
