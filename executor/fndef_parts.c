/* The nested parts of a function: environment, secrets, code, triggers. */
#include "executor/fndef_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/base64.h"
#include "core/base/crypto.h"
#include "core/base/file.h"
#include "executor/trigger.h"

#define ENV_MAX_BYTES    4096
#define SECRET_MAX_BYTES 65536
#define CODE_MAX_FILES   20000

/* --- environment --- */

static const char *const reserved_names[] = {"_HANDLER",
                                             "_X_AMZN_TRACE_ID",
                                             "AWS_DEFAULT_REGION",
                                             "AWS_REGION",
                                             "AWS_EXECUTION_ENV",
                                             "AWS_LAMBDA_FUNCTION_NAME",
                                             "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                                             "AWS_LAMBDA_FUNCTION_VERSION",
                                             "AWS_LAMBDA_INITIALIZATION_TYPE",
                                             "AWS_LAMBDA_LOG_GROUP_NAME",
                                             "AWS_LAMBDA_LOG_STREAM_NAME",
                                             "AWS_ACCESS_KEY",
                                             "AWS_ACCESS_KEY_ID",
                                             "AWS_SECRET_ACCESS_KEY",
                                             "AWS_SESSION_TOKEN",
                                             "AWS_LAMBDA_RUNTIME_API",
                                             "LAMBDA_TASK_ROOT",
                                             "LAMBDA_RUNTIME_DIR",
                                             NULL};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* [A-Za-z][A-Za-z0-9_]+ */
static bool is_variable(struct str s)
{
    for (size_t i = 1; i < s.n; i++)
        if (!is_letter(s.p[i]) && !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '_')
            return false;
    return s.n >= 2 && is_letter(s.p[0]);
}

static bool is_reserved(struct str name)
{
    for (size_t i = 0; reserved_names[i]; i++)
        if (str_eq(name, str_from(reserved_names[i])))
            return true;
    return false;
}

static enum status add_variable(struct manifest *m, struct fndef *fn, const struct yaml_node *n,
                                struct env_var var, struct err *e)
{
    struct env_var *grown = arena_new(&m->arena, struct env_var, fn->n_env + 1);
    size_t total = var.name.n + var.value.n;

    if (!is_variable(n->key) || is_reserved(n->key))
        return manifest_error(m, n, e, "variable " STR_FMT " %s", STR_ARG(n->key),
                              is_reserved(n->key)
                                  ? "is set by fnexec: choose another name"
                                  : "is no name AWS takes: a letter, then at least one "
                                    "letter, digit or _");
    for (size_t i = 0; i < fn->n_env; i++) {
        total += fn->env[i].is_secret ? 0 : fn->env[i].name.n + fn->env[i].value.n;
        if (str_eq(fn->env[i].name, n->key))
            return manifest_error(m, n, e, "variable " STR_FMT " is set twice", STR_ARG(n->key));
    }
    if (!var.is_secret && total > ENV_MAX_BYTES)
        return manifest_error(m, n, e, "environment is larger than 4 KB");
    if (fn->n_env > 0)
        memcpy(grown, fn->env, fn->n_env * sizeof(*grown));
    grown[fn->n_env++] = var;
    fn->env = grown;
    return OK;
}

enum status fndef_environment(struct manifest *m, struct fndef *fn, const struct yaml_node *node,
                              struct err *e)
{
    if (node->type != YAML_TABLE)
        return manifest_error(m, node, e, "environment: \"NAME: value\" lines are expected");
    for (const struct yaml_node *n = node->child; n; n = n->next) {
        if (n->type != YAML_SCALAR)
            return manifest_error(m, n, e, "variable " STR_FMT " takes one value", STR_ARG(n->key));
        if (add_variable(m, fn, n, (struct env_var){.name = n->key, .value = n->text}, e) != OK)
            return ERR_CONFIG;
    }
    return OK;
}

/* --- secrets: file:PATH, env:NAME, credential:NAME --- */

static struct str path_below(struct arena *a, struct str folder, struct str path)
{
    if (path.n > 0 && path.p[0] == '/')
        return arena_str(a, path);
    return arena_printf(a, STR_FMT "/" STR_FMT, STR_ARG(folder), STR_ARG(path));
}

static enum status secret_file(struct manifest *m, const struct yaml_node *n, struct str path,
                               struct str *value, struct err *e)
{
    AUTO(buf_clear) struct buf text = {.max = SECRET_MAX_BYTES};
    struct stat st;

    if (stat(path.p, &st) != 0)
        return manifest_error(m, n, e, "secret file " STR_FMT ": %s", STR_ARG(path),
                              strerror(errno));
    if (st.st_mode & 077)
        return manifest_error(
            m, n, e, "secret file " STR_FMT " can be read by others: chmod 600 it", STR_ARG(path));
    if (file_read(path.p, &text, e) != OK)
        return err_wrap(e, "secret");
    *value = arena_str(&m->arena, str_trim_right(buf_str(&text)));
    return OK;
}

static enum status secret_value(struct manifest *m, const struct yaml_node *n, struct str *value,
                                struct err *e)
{
    struct str rest = n->text;
    struct str kind = str_cut(&rest, ':');
    const char *folder = getenv("CREDENTIALS_DIRECTORY");

    if (str_eq(kind, STR("file")))
        return secret_file(m, n, path_below(&m->arena, m->folder, rest), value, e);
    if (str_eq(kind, STR("credential")) && folder)
        return secret_file(m, n, path_below(&m->arena, str_from(folder), rest), value, e);
    if (str_eq(kind, STR("env"))) {
        const char *text = getenv(arena_strz(&m->arena, rest));
        if (!text)
            return manifest_error(m, n, e, "secret " STR_FMT ": variable " STR_FMT " is not set",
                                  STR_ARG(n->key), STR_ARG(rest));
        *value = arena_str(&m->arena, str_from(text));
        return OK;
    }
    return manifest_error(m, n, e,
                          "secret " STR_FMT ": file:PATH, env:NAME or credential:NAME (with "
                          "$CREDENTIALS_DIRECTORY) is expected, never the value itself",
                          STR_ARG(n->key));
}

enum status fndef_secrets(struct manifest *m, struct fndef *fn, const struct yaml_node *node,
                          struct err *e)
{
    if (node->type != YAML_TABLE)
        return manifest_error(m, node, e, "secrets: \"NAME: file:PATH\" lines are expected");
    for (const struct yaml_node *n = node->child; n; n = n->next) {
        struct env_var var = {.name = n->key, .is_secret = true};
        if (n->type != YAML_SCALAR)
            return manifest_error(m, n, e, "secret " STR_FMT " takes one reference",
                                  STR_ARG(n->key));
        if (secret_value(m, n, &var.value, e) != OK || add_variable(m, fn, n, var, e) != OK)
            return ERR_CONFIG;
    }
    return OK;
}

/* --- code --- */

/* Names, sizes and times of the files: changes when the code does, without reading all of it. */
static enum status fingerprint(struct manifest *m, struct fndef *fn, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    AUTO(buf_clear) struct buf text = {.max = (size_t)8 << 20};
    AUTO(buf_clear) struct buf encoded = {.max = 128};
    struct file_list files;
    uint8_t hash[32];

    if (file_list(&a, fn->code.p, &files, e) != OK)
        return e ? e->code : ERR_IO;
    for (size_t i = 0; i < files.count && i < CODE_MAX_FILES; i++) {
        struct stat st;
        if (stat(files.paths[i], &st) != 0)
            continue;
        fn->code_bytes += (uint64_t)st.st_size;
        buf_addf(&text, "%s %lld %lld\n", files.paths[i], (long long)st.st_size,
                 (long long)st.st_mtime);
    }
    sha256(buf_str(&text), hash);
    base64_add(&encoded, (struct str){(const char *)hash, sizeof(hash)});
    fn->code_sha256 = arena_str(&m->arena, buf_str(&encoded));
    return OK;
}

enum status fndef_code(struct manifest *m, struct fndef *fn, const struct yaml_node *node,
                       struct err *e)
{
    struct stat st;

    fn->code = path_below(&m->arena, m->folder, fn->code.n > 0 ? fn->code : STR("."));
    if (stat(fn->code.p, &st) != 0 || !S_ISDIR(st.st_mode))
        return manifest_error(m, node, e, "code of " STR_FMT ": there is no folder " STR_FMT,
                              STR_ARG(fn->name), STR_ARG(fn->code));
    fn->modified_ns = st.st_mtim.tv_sec * NS_PER_SEC;
    /* Functions often share a folder. */
    for (const struct fndef *other = m->functions; other < fn; other++)
        if (str_eq(other->code, fn->code)) {
            fn->code_bytes = other->code_bytes;
            fn->code_sha256 = other->code_sha256;
            return OK;
        }
    return fingerprint(m, fn, e);
}

/* --- triggers --- */

static const struct trigger_ops *find_type(struct str name)
{
    for (size_t i = 0; trigger_types[i]; i++)
        if (str_eq(str_from(trigger_types[i]->type), name))
            return trigger_types[i];
    return NULL;
}

static enum status unknown_type(const struct manifest *m, const struct yaml_node *n,
                                struct str type, struct err *e)
{
    const char *names[16] = {NULL};
    struct buf known = {.max = 200};

    for (size_t i = 0; trigger_types[i] && i + 1 < ARRAY_LEN(names); i++) {
        names[i] = trigger_types[i]->type;
        buf_addf(&known, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    struct str near = opt_suggest(type, names);
    enum status s =
        near.n > 0
            ? manifest_error(m, n, e, "trigger type \"" STR_FMT "\"; did you mean \"" STR_FMT "\"?",
                             STR_ARG(type), STR_ARG(near))
            : manifest_error(m, n, e, "trigger type \"" STR_FMT "\" is not known: %s",
                             STR_ARG(type), known.p ? known.p : "");
    buf_clear(&known);
    return s;
}

static enum status read_trigger(struct manifest *m, struct fndef *fn, const struct yaml_node *n,
                                struct trigger_def *t, struct err *e)
{
    static const char *const foreign[] = {"type", NULL};
    static const struct opt_def no_options[] = {{0}};
    const struct yaml_node *type = n->type == YAML_TABLE ? yaml_get(n, STR("type")) : NULL;
    struct opt_set set;

    if (!type || type->type != YAML_SCALAR)
        return manifest_error(m, n, e, "a trigger needs a type");
    t->ops = find_type(type->text);
    if (!t->ops)
        return unknown_type(m, type, type->text, e);
    t->settings = arena_zalloc(&m->arena, 1, t->ops->settings_size + 1);
    t->place = arena_printf(&m->arena, "%s:%u:%u", m->name, n->line, n->column);
    t->node = n;
    t->name =
        arena_printf(&m->arena, STR_FMT "-%s-%u", STR_ARG(fn->name), t->ops->type, t->position);
    const struct opt_def *defs = t->ops->options ? t->ops->options : no_options;
    if (opt_init(&set, defs, t->settings, &m->arena, 0, e) != OK)
        return ERR_CONFIG;
    return opt_apply_yaml(&set, n, m->name, ORIGIN_USER_FILE, foreign, e);
}

enum status fndef_triggers(struct manifest *m, struct fndef *fn, const struct yaml_node *node,
                           struct err *e)
{
    size_t count = 0;

    if (node->type != YAML_LIST)
        return manifest_error(m, node, e, "triggers: a list is expected, each \"- type: ...\"");
    for (const struct yaml_node *n = node->child; n; n = n->next)
        count++;
    fn->triggers = arena_new(&m->arena, struct trigger_def, count + 1);
    for (const struct yaml_node *n = node->child; n; n = n->next) {
        struct trigger_def *t = &fn->triggers[fn->n_triggers];
        t->position = (unsigned)fn->n_triggers;
        if (read_trigger(m, fn, n, t, e) != OK)
            return ERR_CONFIG;
        fn->n_triggers++;
    }
    return OK;
}
