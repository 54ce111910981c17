/* Reads the section `functions:` of the configuration; each error names file, line and column. */
#include "cli/fn_rules.h"

static const char *const arch_choices[] = {"x86_64", "arm64", NULL};

/* Names of Lambda's runtimes begin so: a slip must not make a restore cost something. */
static bool is_runtime(struct str s)
{
    static const char *const kinds[] = {"java", "python", "dotnet",  "nodejs",
                                        "ruby", "go",     "provided"};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_starts(s, str_from(kinds[i])))
            return true;
    return false;
}

enum { MOST_KEPT = 1000000 }; /* no account may keep more environments ready */

/* How much is kept ready, and when; one time holds for both. */
static enum status read_kept(const struct cli *c, const struct yaml_node *n, struct fn_rule *r,
                             struct err *e)
{
    const struct yaml_node *until = yaml_get(n, STR("kept_until"));
    const struct yaml_node *time = until ? until : yaml_get(n, STR("kept_since"));
    const struct range when = r->provisioned.when;

    r->provisioned.is_said = yaml_get(n, STR("provisioned_concurrency")) != NULL;
    r->snapshots.is_said = yaml_get(n, STR("snapstart_versions")) != NULL;
    r->snapshots.when = when;
    if (time && !r->provisioned.is_said && !r->snapshots.is_said)
        return err_set(e, ERR_CONFIG,
                       "%s:%u:%u: functions: \"" STR_FMT "\": a time without what is kept: say "
                       "provisioned_concurrency or snapstart_versions",
                       c->config_name, time->line, time->column, STR_ARG(n->key));
    if (until && when.until_ns <= when.since_ns)
        return err_set(e, ERR_CONFIG,
                       "%s:%u:%u: functions: \"" STR_FMT "\": kept_until lies before kept_since",
                       c->config_name, until->line, until->column, STR_ARG(n->key));
    return OK;
}

/* One entry of the `functions:` section: a glob and what it says. */
static enum status read_rule(const struct cli *c, const struct yaml_node *n, struct fn_rule *r,
                             struct err *e)
{
    static const struct opt_def defs[] = {
        {.key = "region", .type = OPT_STRING, .offset = offsetof(struct fn_rule, region)},
        {.key = "account", .type = OPT_STRING, .offset = offsetof(struct fn_rule, account)},
        {.key = "arch",
         .type = OPT_CHOICE,
         .offset = offsetof(struct fn_rule, arch),
         .choices = arch_choices},
        {.key = "ephemeral_storage",
         .type = OPT_MEMORY,
         .offset = offsetof(struct fn_rule, storage_bytes),
         .min = INT64_C(512) << 20,
         .max = INT64_C(10240) << 20},
        {.key = "provisioned_concurrency",
         .type = OPT_INT,
         .offset = offsetof(struct fn_rule, provisioned.n),
         .max = MOST_KEPT},
        {.key = "snapstart_versions",
         .type = OPT_INT,
         .offset = offsetof(struct fn_rule, snapshots.n),
         .max = MOST_KEPT},
        {.key = "kept_since",
         .type = OPT_TIME,
         .offset = offsetof(struct fn_rule, provisioned.when.since_ns)},
        {.key = "kept_until",
         .type = OPT_TIME,
         .offset = offsetof(struct fn_rule, provisioned.when.until_ns)},
        {.key = "runtime", .type = OPT_STRING, .offset = offsetof(struct fn_rule, runtime)},
        {0},
    };
    struct opt_set set;
    static const char *const none[] = {NULL};

    if (opt_init(&set, defs, r, c->arena, clock_now(&c->clock), e) != OK ||
        opt_apply_yaml(&set, n, c->config_name, ORIGIN_USER_FILE, none, e) != OK)
        return err_wrap(e, "functions");
    if (r->runtime.n > 0 && !is_runtime(r->runtime))
        return err_set(e, ERR_CONFIG,
                       "%s:%u:%u: functions: \"" STR_FMT "\": no runtime of Lambda: say java21, "
                       "python3.12 or the like",
                       c->config_name, yaml_get(n, STR("runtime"))->line,
                       yaml_get(n, STR("runtime"))->column, STR_ARG(r->runtime));
    if (read_kept(c, n, r, e) != OK)
        return e ? e->code : ERR_CONFIG;
    if (yaml_get(n, STR("arch")))
        r->arch = (enum arch)((int)r->arch + ARCH_X86_64);
    r->name_glob = n->key;
    return OK;
}

enum status fn_rules_read(const struct cli *c, struct cost_context *cc, struct err *e)
{
    const struct yaml_node *list = c->config ? yaml_get(c->config, STR("functions")) : NULL;
    struct fn_rule *rules = NULL;
    size_t n = 0, cap = 0;

    for (const struct yaml_node *f = list ? list->child : NULL; f; f = f->next) {
        rules = arena_grow(c->arena, rules, n, &cap, sizeof(*rules));
        rules[n] = (struct fn_rule){0};
        if (f->type != YAML_TABLE)
            return err_set(e, ERR_CONFIG, "%s:%u:%u: functions: \"" STR_FMT "\" must be a table",
                           c->config_name, f->line, f->column, STR_ARG(f->key));
        if (read_rule(c, f, &rules[n], e) != OK)
            return e ? e->code : ERR_CONFIG;
        n++;
    }
    cc->rules = rules;
    cc->n_rules = n;
    return OK;
}

enum status fn_rules_check_regions(const struct cli *c, const struct pricebook *book, struct err *e)
{
    const struct yaml_node *list = c->config ? yaml_get(c->config, STR("functions")) : NULL;
    enum status s = OK;

    for (const struct yaml_node *f = list ? list->child : NULL; f && s == OK; f = f->next) {
        const struct yaml_node *region = yaml_get(f, STR("region"));
        if (region == NULL)
            continue;
        struct str place = arena_printf(c->arena, "%s:%u:%u: functions", c->config_name,
                                        region->line, region->column);
        s = cli_check_region(c, book, region->text, place.p, e);
    }
    return s;
}
