/* Rules between the keys of a function, and for names that AWS would refuse. */
#include "executor/fndef_options.h"

#include "core/base/macros.h"
#include "executor/sandbox_folders.h"
#include "executor/t_http.h"
#include "executor/t_storage.h"

#define LOG_GROUP_MAX 512

const struct yaml_node *fndef_place(const struct fndef *fn, const char *key)
{
    const struct yaml_node *n = fn->node;
    struct str rest = str_from(key);

    while (rest.n > 0) {
        const struct yaml_node *below =
            n->type == YAML_TABLE ? yaml_get(n, str_cut(&rest, '.')) : NULL;
        if (!below)
            return n;
        n = below;
    }
    return n;
}

static bool has_only(struct str s, const char *others)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool is_common = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        if (!is_common && str_find_char(str_from(others), c) == str_from(others).n)
            return false;
    }
    return true;
}

bool region_is_valid(struct str region)
{
    return region.n > 0 && region.n <= 32 && has_only(region, "");
}

/* CreateLogGroup: [.\-_/#A-Za-z0-9]{1,512} */
static enum status check_log_group(const struct manifest *m, const struct fndef *fn, struct err *e)
{
    if (fn->log_group.n <= LOG_GROUP_MAX &&
        has_only(fn->log_group, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_./#"))
        return OK;
    return manifest_error(m, fndef_place(fn, "log_group"), e,
                          "log_group \"" STR_FMT "\": letters, digits, - _ / . and #, at most %d",
                          STR_ARG(fn->log_group), LOG_GROUP_MAX);
}

/* The bootstraps of node and python cut a handler at its last dot. */
static enum status check_handler(const struct manifest *m, const struct fndef *fn, struct err *e)
{
    const struct fn_runtime *r = fn_runtime_find(fn->runtime);
    size_t dot = str_rfind_char(fn->handler, '.');

    if (!r->interpreter || (dot > 0 && dot + 1 < fn->handler.n))
        return OK;
    return manifest_error(m, fndef_place(fn, "handler"), e,
                          "handler \"" STR_FMT "\" of runtime " STR_FMT
                          ": a file and a function are expected, such as app.handler",
                          STR_ARG(fn->handler), STR_ARG(fn->runtime));
}

static enum status check_provisioned(const struct manifest *m, const struct fndef *fn,
                                     struct err *e)
{
    const struct yaml_node *n = fndef_place(fn, "provisioned");

    if (fn->has_reserved && fn->provisioned > fn->reserved)
        return manifest_error(m, n, e,
                              "provisioned (%lld) is more than the function's concurrency (%lld): "
                              "lower it, or raise concurrency",
                              (long long)fn->provisioned, (long long)fn->reserved);
    if (fn->provisioned > fn->instances)
        return manifest_error(m, n, e,
                              "provisioned (%lld) is more than instances (%lld): lower it, or "
                              "raise instances",
                              (long long)fn->provisioned, (long long)fn->instances);
    return OK;
}

static enum status check_urls(const struct manifest *m, const struct fndef *fn, struct err *e)
{
    const struct trigger_def *first = NULL;

    for (size_t i = 0; i < fn->n_triggers; i++) {
        const struct trigger_def *t = &fn->triggers[i];
        if (t->ops == &trigger_http && first)
            return manifest_error(m, t->node, e,
                                  "a function has one URL: leave out this trigger of type http");
        first = t->ops == &trigger_http ? t : first;
    }
    return OK;
}

static bool is_own_tmp(struct str path)
{
    AUTO(arena_clear) struct arena a = {0};
    struct str real = path_resolved(&a, path);

    return str_eq(real, STR("/tmp")) || str_eq(real, STR("/"));
}

static enum status in_own_tmp(const struct manifest *m, const struct yaml_node *n, const char *key,
                              struct str path, struct err *e)
{
    return manifest_error(m, n, e,
                          "%s " STR_FMT ": a function has a /tmp of its own: name a folder below, "
                          "or set isolation: process",
                          key, STR_ARG(path));
}

/* There it would find its own files only. */
static enum status check_own_tmp(const struct manifest *m, const struct fndef *fn, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};

    if (fn->isolation == ISOLATION_PROCESS)
        return OK;
    if (is_own_tmp(fn->code))
        return in_own_tmp(m, fndef_place(fn, "code"), "code", fn->code, e);
    for (size_t i = 0; i < fn->n_triggers; i++) {
        struct str folder = t_storage_folder(m, &fn->triggers[i], &a);
        if (folder.n > 0 && is_own_tmp(folder))
            return in_own_tmp(m, fn->triggers[i].node, "folder", folder, e);
    }
    return OK;
}

enum status fndef_rules(const struct manifest *m, const struct fndef *fn, struct err *e)
{
    static enum status (*const rules[])(const struct manifest *m, const struct fndef *fn,
                                        struct err *e) = {
        check_log_group, check_handler, check_provisioned, check_urls, check_own_tmp};

    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (rules[i](m, fn, e) != OK)
            return ERR_CONFIG;
    return OK;
}
