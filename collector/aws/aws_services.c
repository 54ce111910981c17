/* Where a profile of ~/.aws/config says that services are: its own endpoint_url, and a section
 * `services` that it names, in which each service has nested values:
 *
 *     [profile dev]
 *     services = here
 *     [services here]
 *     sqs =
 *       endpoint_url = http://127.0.0.1:9000
 *
 * Format: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html */
#include "collector/aws/aws_auth.h"

/* "[services here]" */
static bool opens_section(struct str line, struct str name)
{
    struct str s = str_trim(str_sub(str_skip(line, 1), 0, str_find_char(line, ']') - 1));
    const struct str word = str_cut(&s, ' ');

    return str_eq(word, STR("services")) && str_eq(str_trim(s), name);
}

struct section {
    struct str name;
    bool is_inside, has_service;
    enum aws_service service; /* whose nested values follow */
    bool is_found;
};

static void read_line(struct section *in, struct str raw, struct aws_profile_endpoints *out)
{
    struct str value = str_trim(raw);
    const bool is_nested = raw.p[0] == ' ' || raw.p[0] == '\t';

    if (value.n == 0 || value.p[0] == '#' || value.p[0] == ';')
        return;
    if (value.p[0] == '[') {
        in->is_inside = str_find_char(value, ']') < value.n && opens_section(value, in->name);
        in->is_found = in->is_found || in->is_inside;
        in->has_service = false;
        return;
    }
    const struct str key = str_trim(str_cut(&value, '='));
    value = str_trim(str_sub(value, 0, str_find(value, STR(" #"))));
    if (in->is_inside && !is_nested)
        in->has_service = aws_service_parse(key, &in->service);
    else if (in->is_inside && in->has_service && str_eq(key, STR("endpoint_url")))
        out->of[in->service] = value;
}

static enum status check_url(struct str url, struct str profile, struct err *e)
{
    if (url.n == 0 || str_starts(url, STR("http://")) || str_starts(url, STR("https://")))
        return OK;
    return err_set(e, ERR_CONFIG,
                   "profile " STR_FMT " of ~/.aws/config: endpoint_url \"" STR_FMT
                   "\" begins with neither http:// nor https://",
                   STR_ARG(profile), STR_ARG(url));
}

static enum status check_urls(const struct aws_profile_endpoints *p, struct str profile,
                              struct err *e)
{
    enum status s = check_url(p->all, profile, e);

    for (size_t i = 0; s == OK && i < AWS_SERVICES; i++)
        s = check_url(p->of[i], profile, e);
    return s;
}

enum status aws_auth_endpoints(const struct aws_auth_options *o, struct source_env *env,
                               struct arena *mem, struct aws_profile_endpoints *out, struct err *e)
{
    const struct aws_auth a = {.options = *o, .env = env};
    const struct str profile = aws_profile_name(&a);
    struct section in = {0};
    struct aws_profile p;
    struct str text;

    *out = (struct aws_profile_endpoints){0};
    enum status s = aws_profile_read(&a, profile, mem, &p, e);
    if (s == OK)
        s = aws_config_text(&a, mem, &text, e);
    if (s != OK)
        return s;
    out->all = aws_profile_get(&p, "endpoint_url");
    out->are_ignored =
        str_eq_nocase(aws_profile_get(&p, "ignore_configured_endpoint_urls"), STR("true"));
    in.name = aws_profile_get(&p, "services");
    while (in.name.n > 0 && text.n > 0) {
        const struct str line = str_cut(&text, '\n');
        if (line.n > 0)
            read_line(&in, line, out);
    }
    if (in.name.n > 0 && !in.is_found)
        return err_set(e, ERR_CONFIG,
                       "profile " STR_FMT " of ~/.aws/config names services = " STR_FMT
                       ", and there is no section [services " STR_FMT "]",
                       STR_ARG(profile), STR_ARG(in.name), STR_ARG(in.name));
    return check_urls(out, profile, e);
}
