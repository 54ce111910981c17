/* The manifest from text to checked definitions. */
#include "executor/fndef_options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/mem.h"
#include "executor/function_name.h"
#include "executor/manifest_check.h"
#include "executor/trigger.h"

#define MANIFEST_MAX_BYTES ((size_t)1 << 20)
#define MIB                ((uint64_t)1 << 20)

enum status manifest_error(const struct manifest *m, const struct yaml_node *n, struct err *e,
                           const char *fmt, ...)
{
    char text[200];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return err_set(e, ERR_CONFIG, "%s:%u:%u: %s", m->name, n->line, n->column, text);
}

/* --- names --- */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static bool is_function_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_name_char(s.p[i]))
            return false;
    return s.n >= 1 && s.n <= 64;
}

static bool is_account(struct str s)
{
    uint64_t v;

    return s.n == 12 && str_to_u64(s, &v);
}

/* --- one function --- */

static enum status check_numbers(struct manifest *m, struct fndef *fn, const struct yaml_node *n,
                                 struct err *e)
{
    if (fn->memory_bytes < 128 * MIB || fn->memory_bytes > 10240 * MIB)
        return manifest_error(m, n, e, "memory must be 128MB to 10240MB");
    if (fn->timeout_ns < NS_PER_MS * 100 || fn->timeout_ns > 15 * NS_PER_MIN)
        return manifest_error(m, n, e, "timeout must be 100ms to 15m");
    if (fn->max_age_ns < NS_PER_MIN || fn->max_age_ns > 6 * NS_PER_HOUR)
        return manifest_error(m, n, e, "async.max_age must be 1m to 6h");
    fn->memory_bytes -= fn->memory_bytes % MIB;
    return OK;
}

/* Without its version: "pythn3.11" -> "pythn". */
static struct str letters_of(struct str runtime)
{
    size_t n = 0;

    while (n < runtime.n && runtime.p[n] >= 'a' && runtime.p[n] <= 'z')
        n++;
    return str_sub(runtime, 0, n);
}

static enum status check_runtime(struct manifest *m, struct fndef *fn, const struct opt_set *set,
                                 const struct yaml_node *n, struct err *e)
{
    const struct fn_runtime *r = fn_runtime_find(fn->runtime);

    if (fn->runtime.n == 0)
        return manifest_error(m, n, e, "runtime is missing: nodejs20.x, python3.11, provided or c");
    if (!r) {
        const char *names[8] = {NULL};
        for (size_t i = 0; fn_runtimes[i].prefix && i + 1 < ARRAY_LEN(names); i++)
            names[i] = fn_runtimes[i].prefix;
        struct str near = opt_suggest(letters_of(fn->runtime), names);
        return manifest_error(m, n, e, "runtime \"" STR_FMT "\" is not known%s" STR_FMT "%s",
                              STR_ARG(fn->runtime), near.n ? "; did you mean \"" : "",
                              STR_ARG(near), near.n ? "\"?" : ": nodejs, python, provided or c");
    }
    if (r->needs_handler && fn->handler.n == 0)
        return manifest_error(m, n, e, "runtime " STR_FMT " needs a handler", STR_ARG(fn->runtime));
    if (!opt_is_set(set, &fn->protocol))
        fn->protocol = (int)r->protocol;
    if (fn->protocol == PROTOCOL_RUNTIME_API && r->bootstrap)
        return manifest_error(m, n, e,
                              "protocol runtime-api goes with runtime provided: its bootstrap "
                              "speaks it");
    return OK;
}

static enum status read_sections(struct manifest *m, struct fndef *fn, const struct yaml_node *n,
                                 struct err *e)
{
    static const struct {
        const char *key;
        enum status (*read)(struct manifest *m, struct fndef *fn, const struct yaml_node *node,
                            struct err *e);
    } sections[] = {{"environment", fndef_environment},
                    {"secrets", fndef_secrets},
                    {"triggers", fndef_triggers}};

    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        const struct yaml_node *node = yaml_get(n, str_from(sections[i].key));
        if (node && sections[i].read(m, fn, node, e) != OK)
            return ERR_CONFIG;
    }
    return OK;
}

static void finish_names(struct manifest *m, struct fndef *fn)
{
    fn->arn = arena_printf(&m->arena, "arn:aws:lambda:" STR_FMT ":" STR_FMT ":function:" STR_FMT,
                           STR_ARG(m->region), STR_ARG(m->account), STR_ARG(fn->name));
    if (fn->log_group.n == 0)
        fn->log_group = arena_printf(&m->arena, "/aws/lambda/" STR_FMT, STR_ARG(fn->name));
    if (fn->has_reserved && fn->reserved > 0 && fn->instances > fn->reserved)
        fn->instances = fn->reserved;
}

static enum status read_function(struct manifest *m, struct fndef *fn, const struct yaml_node *n,
                                 struct err *e)
{
    struct opt_set set;

    fn->name = n->key;
    fn->node = n;
    if (!is_function_name(n->key))
        return manifest_error(m, n, e,
                              "function name \"" STR_FMT "\": letters, digits, - and _, at most 64",
                              STR_ARG(n->key));
    if (n->type != YAML_TABLE)
        return manifest_error(m, n, e, "function " STR_FMT ": \"key: value\" lines are expected",
                              STR_ARG(n->key));
    if (opt_init(&set, fndef_options, fn, &m->arena, 0, e) != OK ||
        opt_apply_yaml(&set, n, m->name, ORIGIN_USER_FILE, fndef_foreign, e) != OK)
        return ERR_CONFIG;
    fn->has_reserved = opt_is_set(&set, &fn->reserved);
    finish_names(m, fn);
    if (check_numbers(m, fn, n, e) != OK || check_runtime(m, fn, &set, n, e) != OK ||
        fndef_code(m, fn, n, e) != OK)
        return ERR_CONFIG;
    if (read_sections(m, fn, n, e) != OK)
        return ERR_CONFIG;
    return fndef_rules(m, fn, e);
}

/* --- the manifest --- */

static enum status read_functions(struct manifest *m, struct err *e)
{
    const struct yaml_node *section = yaml_get(m->root, STR("functions"));
    size_t n = 0;

    if (!section || section->type != YAML_TABLE || !section->child)
        return manifest_error(m, section ? section : m->root, e,
                              "functions: at least one function is expected");
    for (const struct yaml_node *f = section->child; f; f = f->next)
        n++;
    m->functions = arena_new(&m->arena, struct fndef, n);
    for (const struct yaml_node *f = section->child; f; f = f->next) {
        struct fndef *fn = &m->functions[m->n_functions];
        fn->index = (unsigned)m->n_functions;
        if (read_function(m, fn, f, e) != OK)
            return ERR_CONFIG;
        m->n_functions++;
    }
    return OK;
}

/* Reservations must leave the account's unreserved part; the one that does not is named. */
static enum status check_reservations(const struct manifest *m, struct err *e)
{
    int64_t reserved = 0;

    for (size_t i = 0; i < m->n_functions; i++) {
        const struct fndef *fn = &m->functions[i];
        reserved += fn->has_reserved ? fn->reserved : 0;
        if (fn->has_reserved && reserved > 0 && reserved > m->concurrency - m->unreserved_min)
            return manifest_error(m, fndef_place(fn, "concurrency"), e,
                                  "the functions reserve %lld of the account's concurrency of "
                                  "%lld: unreserved_minimum (%lld) must stay free",
                                  (long long)reserved, (long long)m->concurrency,
                                  (long long)m->unreserved_min);
    }
    return OK;
}

/* A trigger may name what stands further down: checked when all is read. */
static enum status check_triggers(const struct manifest *m, struct err *e)
{
    for (size_t i = 0; i < m->n_functions; i++)
        for (size_t k = 0; k < m->functions[i].n_triggers; k++) {
            const struct trigger_def *t = &m->functions[i].triggers[k];
            if (t->ops->check && t->ops->check(m, &m->functions[i], t, e) != OK)
                return err_wrap(e, STR_FMT, STR_ARG(t->place));
        }
    return OK;
}

static enum status check_identity(const struct manifest *m, struct err *e)
{
    if (!is_account(m->account))
        return manifest_error(m, yaml_get(m->root, STR("account")), e, "account must be 12 digits");
    if (!region_is_valid(m->region))
        return manifest_error(m, yaml_get(m->root, STR("region")), e,
                              "region \"" STR_FMT "\": small letters, digits and -, such as "
                              "eu-west-1",
                              STR_ARG(m->region));
    return OK;
}

static enum status parse_into(struct manifest *m, struct str text, struct err *e)
{
    struct yaml_node *root = NULL;
    struct opt_set set;

    if (yaml_parse(&m->arena, text, m->name, &root, e) != OK)
        return ERR_CONFIG;
    m->root = root;
    if (root == NULL)
        return err_set(e, ERR_CONFIG, "%s: \"functions:\" is expected", m->name);
    if (root->type != YAML_TABLE)
        return manifest_error(m, root, e, "\"functions:\" is expected");
    if (opt_init(&set, manifest_options, m, &m->arena, 0, e) != OK ||
        opt_apply_yaml(&set, root, m->name, ORIGIN_USER_FILE, manifest_foreign, e) != OK)
        return ERR_CONFIG;
    if (check_identity(m, e) != OK)
        return ERR_CONFIG;
    if (read_functions(m, e) != OK || check_reservations(m, e) != OK)
        return ERR_CONFIG;
    return check_triggers(m, e);
}

static struct str absolute_folder(struct arena *a, struct str path)
{
    size_t slash = str_rfind_char(path, '/');
    struct str folder = slash < path.n ? str_sub(path, 0, slash) : STR(".");
    char *real = realpath(arena_strz(a, folder.n ? folder : STR("/")), NULL);
    struct str out = arena_str(a, real ? str_from(real) : folder);

    free(real);
    return out;
}

enum status manifest_parse(struct str text, const char *path, struct manifest **out, struct err *e)
{
    struct err local = {0};
    struct manifest *m = xcalloc(1, sizeof(*m));

    m->path = arena_str(&m->arena, str_from(path));
    m->folder = absolute_folder(&m->arena, m->path);
    m->name = m->path.p;
    enum status s = parse_into(m, text, e ? e : &local);
    if (s != OK) {
        manifest_free(m);
        return s;
    }
    *out = m;
    return OK;
}

enum status manifest_load(const char *path, struct manifest **out, struct err *e)
{
    AUTO(buf_clear) struct buf text = {.max = MANIFEST_MAX_BYTES};
    struct manifest *m = NULL;

    if (file_read(path, &text, e) != OK)
        return err_wrap(e, "manifest");
    if (manifest_parse(buf_str(&text), path, &m, e) != OK)
        return ERR_CONFIG;
    if (manifest_check_programs(m, e) != OK) {
        manifest_free(m);
        return ERR_CONFIG;
    }
    *out = m;
    return OK;
}

void manifest_free(struct manifest *m)
{
    if (!m)
        return;
    arena_clear(&m->arena);
    free(m);
}

const struct fndef *manifest_find(const struct manifest *m, struct str name, struct str *qualifier)
{
    struct function_name asked;

    if (!function_name_parse(name, &asked) ||
        (asked.region.n > 0 && !str_eq(asked.region, m->region)) ||
        (asked.account.n > 0 && !str_eq(asked.account, m->account)))
        return NULL;
    for (size_t i = 0; i < m->n_functions; i++)
        if (str_eq(m->functions[i].name, asked.name)) {
            if (qualifier)
                *qualifier = asked.qualifier;
            return &m->functions[i];
        }
    return NULL;
}
