/* The shared files of the AWS tools: ~/.aws/credentials and ~/.aws/config, an INI dialect, and what
 * a profile in them may say: keys, a role to assume, a program to ask. */
#include "collector/aws/aws_auth.h"

#include "core/base/child.h"
#include "core/base/file.h"

enum {
    FILE_MAX_BYTES = 1 << 20,
    ROLE_CHAIN_MAX = 5,
    PROCESS_MAX_BYTES = 64 << 10,
};
#define PROCESS_TIMEOUT_NS (5 * NS_PER_SEC)

struct str aws_variable(const struct aws_auth *a, const char *name)
{
    return str_from(a->env->variable(a->env->variable_ctx, name));
}

struct str aws_profile_name(const struct aws_auth *a)
{
    if (a->options.profile.n > 0)
        return a->options.profile;
    struct str name = aws_variable(a, "AWS_PROFILE");
    return name.n > 0 ? name : STR("default");
}

/* --- the files
 * ----------------------------------------------------------------------------------------------
 */

static const char *file_path(const struct aws_auth *a, const char *variable, const char *standard,
                             struct arena *mem)
{
    struct str path = aws_variable(a, variable);
    struct str home = aws_variable(a, "HOME");

    if (path.n == 0)
        path = arena_printf(mem, STR_FMT "/.aws/%s", STR_ARG(home), standard);
    return arena_strz(mem, path);
}

/* "[profile x]" and "[x]" -> "x"; in the config file only "default" goes without the word. */
static bool names_section(struct str line, struct str name, bool is_config)
{
    struct str s = str_trim(str_sub(str_skip(line, 1), 0, str_find_char(line, ']') - 1));
    struct str word = STR("profile");

    if (!is_config)
        return str_eq(s, name);
    if (str_starts(s, word) && s.n > word.n && (s.p[word.n] == ' ' || s.p[word.n] == '\t'))
        return str_eq(str_trim(str_skip(s, word.n)), name);
    return str_eq(s, STR("default")) && str_eq(name, STR("default"));
}

static bool is_comment(struct str line)
{
    return line.n == 0 || line.p[0] == '#' || line.p[0] == ';';
}

static void add_value(struct aws_profile *p, size_t *cap, struct arena *mem, struct str line)
{
    struct str value = line;
    struct str key = str_trim(str_cut(&value, '='));
    /* A comment may follow after blanks; '#' inside a value (a secret) is part of it. */
    size_t comment = str_find(value, STR(" #"));

    p->rows = arena_grow(mem, p->rows, p->n, cap, sizeof(*p->rows));
    p->rows[p->n++] = (struct aws_profile_value){key, str_trim(str_sub(value, 0, comment))};
}

static void read_section(struct str text, struct str name, bool is_config, struct arena *mem,
                         struct aws_profile *p)
{
    bool is_inside = false;
    size_t cap = p->n;

    while (text.n > 0) {
        struct str raw = str_cut(&text, '\n');
        struct str line = str_trim(raw);
        if (is_comment(line))
            continue;
        if (line.p[0] == '[') {
            is_inside = str_find_char(line, ']') < line.n && names_section(line, name, is_config);
            p->is_found = p->is_found || is_inside;
        } else if (is_inside && raw.p[0] != ' ' && raw.p[0] != '\t') { /* indented: nested values */
            add_value(p, &cap, mem, line);
        }
    }
}

enum status aws_profile_read(const struct aws_auth *a, struct str name, struct arena *mem,
                             struct aws_profile *out, struct err *e)
{
    static const struct {
        const char *variable, *standard;
        bool is_config;
    } files[] = {{"AWS_SHARED_CREDENTIALS_FILE", "credentials", false},
                 {"AWS_CONFIG_FILE", "config", true}};

    *out = (struct aws_profile){0};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        const char *path = file_path(a, files[i].variable, files[i].standard, mem);
        AUTO(buf_clear) struct buf text = {.max = FILE_MAX_BYTES};
        if (!file_exists(path))
            continue;
        if (file_read(path, &text, e) != OK)
            return err_wrap(e, "credentials");
        read_section(arena_str(mem, buf_str(&text)), name, files[i].is_config, mem, out);
    }
    return OK;
}

enum status aws_config_text(const struct aws_auth *a, struct arena *mem, struct str *out,
                            struct err *e)
{
    const char *path = file_path(a, "AWS_CONFIG_FILE", "config", mem);
    AUTO(buf_clear) struct buf text = {.max = FILE_MAX_BYTES};

    *out = (struct str){0};
    if (!file_exists(path))
        return OK;
    if (file_read(path, &text, e) != OK)
        return err_wrap(e, "endpoints");
    *out = arena_str(mem, buf_str(&text));
    return OK;
}

struct str aws_profile_get(const struct aws_profile *p, const char *key)
{
    for (size_t i = 0; i < p->n; i++)
        if (str_eq(p->rows[i].key, str_from(key)))
            return p->rows[i].value;
    return (struct str){0};
}

/* --- what a profile gives
 * ------------------------------------------------------------------------------------
 */

static bool keys_of(const struct aws_profile *p, struct aws_credentials *out)
{
    struct sigv4_keys keys = {aws_profile_get(p, "aws_access_key_id"),
                              aws_profile_get(p, "aws_secret_access_key"),
                              aws_profile_get(p, "aws_session_token")};

    if (keys.access_key.n == 0 || keys.secret_key.n == 0)
        return false;
    *out = (struct aws_credentials){.keys = keys, .from = "shared credentials file"};
    return true;
}

static enum status ask_process(struct str command, struct arena *mem, struct aws_credentials *out,
                               struct err *e)
{
    AUTO(buf_clear) struct buf answer = {.max = PROCESS_MAX_BYTES};
    struct child_request q = {.timeout_ns = PROCESS_TIMEOUT_NS};
    int code = 0;
    enum status s = child_split(command, mem, &q.argv, e);

    if (s == OK)
        s = child_run(&q, &answer, &code, e);
    if (s == OK && code != 0)
        s = err_set(e, ERR_AUTH, "%s ended with code %d", q.argv[0], code);
    if (s == OK)
        s = aws_credentials_read(buf_str(&answer), mem, out, e);
    if (s != OK) {
        err_wrap(e, "credential_process");
        return s == ERR_NOT_FOUND ? ERR_AUTH : s; /* it was named: nobody else is to be asked */
    }
    out->from = "credential_process";
    return OK;
}

static enum status from_environment(struct aws_auth *a, struct arena *mem,
                                    struct aws_credentials *out)
{
    struct sigv4_keys keys = {arena_str(mem, aws_variable(a, "AWS_ACCESS_KEY_ID")),
                              arena_str(mem, aws_variable(a, "AWS_SECRET_ACCESS_KEY")),
                              arena_str(mem, aws_variable(a, "AWS_SESSION_TOKEN"))};

    if (keys.access_key.n == 0 || keys.secret_key.n == 0)
        return ERR_NOT_FOUND;
    *out = (struct aws_credentials){.keys = keys, .from = "environment"};
    return OK;
}

static enum status from_credential_source(struct aws_auth *a, struct str source, struct arena *mem,
                                          struct aws_credentials *out, struct err *e)
{
    if (str_eq(source, STR("Environment")))
        return from_environment(a, mem, out);
    if (str_eq(source, STR("Ec2InstanceMetadata")))
        return aws_provide_instance(a, mem, out, e);
    if (str_eq(source, STR("EcsContainer")))
        return aws_provide_container(a, mem, out, e);
    return err_set(e, ERR_AUTH, "credential_source " STR_FMT " is not known", STR_ARG(source));
}

static enum status resolve(struct aws_auth *a, struct str name, unsigned depth, struct arena *mem,
                           struct aws_credentials *out, struct err *e);

/* A profile on the way from the one that was asked for. */
struct profile_step {
    struct str name;
    const struct aws_profile *profile;
    unsigned depth;
};

static enum status assume(struct aws_auth *a, const struct profile_step *at, struct arena *mem,
                          struct aws_credentials *out, struct err *e)
{
    const struct aws_profile *p = at->profile;
    struct aws_role role = {aws_profile_get(p, "role_arn"),
                            aws_profile_get(p, "external_id"),
                            aws_profile_get(p, "role_session_name"),
                            aws_profile_get(p, "duration_seconds"),
                            {0}};
    struct str source = aws_profile_get(p, "source_profile");
    struct aws_credentials base;
    enum status s;

    if (aws_profile_get(p, "mfa_serial").n > 0)
        return err_set(e, ERR_AUTH,
                       "it wants a one-time code (mfa_serial), which a collector cannot give");
    if (str_eq(source, at->name))
        s = keys_of(p, &base) ? OK : err_set(e, ERR_AUTH, "it names itself and has no keys");
    else if (source.n > 0)
        s = resolve(a, source, at->depth + 1, mem, &base, e);
    else
        s = from_credential_source(a, aws_profile_get(p, "credential_source"), mem, &base, e);
    if (s != OK)
        return s == ERR_NOT_FOUND ? err_set(e, ERR_AUTH, "its source of credentials gives none")
                                  : s;
    return aws_assume_role(a, &role, &base, mem, out, e);
}

static enum status resolve_found(struct aws_auth *a, const struct profile_step *at,
                                 struct arena *mem, struct aws_credentials *out, struct err *e)
{
    const struct aws_profile *p = at->profile;
    struct str role = aws_profile_get(p, "role_arn");
    struct str token = aws_profile_get(p, "web_identity_token_file");
    struct str process = aws_profile_get(p, "credential_process");

    if (role.n > 0 && token.n > 0) {
        struct aws_role web = {role, {0}, aws_profile_get(p, "role_session_name"), {0}, token};
        return aws_assume_role(a, &web, NULL, mem, out, e);
    }
    if (role.n > 0)
        return assume(a, at, mem, out, e);
    if (keys_of(p, out))
        return OK;
    if (process.n > 0)
        return ask_process(process, mem, out, e);
    if (aws_profile_get(p, "sso_session").n > 0 || aws_profile_get(p, "sso_start_url").n > 0)
        return err_set(e, ERR_AUTH,
                       "it uses a sign-in with a browser: set credential_process = aws configure "
                       "export-credentials --profile " STR_FMT " in a profile of its own",
                       STR_ARG(at->name));
    return ERR_NOT_FOUND;
}

static enum status resolve(struct aws_auth *a, struct str name, unsigned depth, struct arena *mem,
                           struct aws_credentials *out, struct err *e)
{
    struct aws_profile p;

    if (depth >= ROLE_CHAIN_MAX)
        return err_set(e, ERR_AUTH, "profiles that name each other");
    enum status s = aws_profile_read(a, name, mem, &p, e);
    if (s != OK)
        return s;
    if (!p.is_found)
        return ERR_NOT_FOUND;
    s = resolve_found(a, &(struct profile_step){name, &p, depth}, mem, out, e);
    if (s != OK && s != ERR_NOT_FOUND)
        return err_wrap(e, "profile " STR_FMT, STR_ARG(name));
    return s;
}

enum status aws_provide_profile(struct aws_auth *a, struct arena *mem, struct aws_credentials *out,
                                struct err *e)
{
    struct str name = aws_profile_name(a);
    enum status s = resolve(a, name, 0, mem, out, e);

    if (s == ERR_NOT_FOUND && a->options.profile.n > 0)
        return err_set(e, ERR_AUTH, "there is no profile " STR_FMT " with credentials",
                       STR_ARG(name));
    return s;
}

struct str aws_auth_region(const struct aws_auth_options *o, struct source_env *env,
                           struct arena *mem)
{
    struct aws_auth a = {.options = *o, .env = env};
    struct str region = aws_variable(&a, "AWS_REGION");
    struct aws_profile p;

    if (region.n == 0)
        region = aws_variable(&a, "AWS_DEFAULT_REGION");
    if (region.n == 0 && aws_profile_read(&a, aws_profile_name(&a), mem, &p, NULL) == OK)
        region = aws_profile_get(&p, "region");
    return arena_str(mem, region);
}

struct str aws_auth_profile_role(const struct aws_auth_options *o, struct source_env *env,
                                 struct arena *mem)
{
    struct aws_auth a = {.options = *o, .env = env};
    struct aws_profile p;

    if (o->profile.n == 0 && aws_variable(&a, "AWS_ACCESS_KEY_ID").n > 0)
        return (struct str){0}; /* these are asked first */
    if (aws_profile_read(&a, aws_profile_name(&a), mem, &p, NULL) != OK ||
        aws_profile_get(&p, "web_identity_token_file").n > 0)
        return (struct str){0};
    return aws_profile_get(&p, "role_arn");
}
