/* Reads alerts: and notify:. Both are tables of entries with free names; an entry's keys stand in
 * an option table like every setting. */
#include "cli/alert_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/common.h"
#include "core/base/log.h"

struct entry {
    struct str when;
    int severity, missing;
    struct str function, queue, source, region, account;
    struct opt_list notify;
    int64_t repeat_ns;
    bool is_enabled;
};

#define AT(member) offsetof(struct entry, member)

/* clang-format off */
const struct opt_def alert_entry_options[] = {
    { .key = "when", .type = OPT_STRING, .offset = AT(when),
      .help = "the condition: queue.dlq_depth > 0 for 5m" },
    { .key = "severity", .type = OPT_CHOICE, .offset = AT(severity), .choices = alert_severity_names,
      .default_text = "warning", .help = "info, warning or critical" },
    { .key = "function", .type = OPT_STRING, .offset = AT(function), .help = "only functions whose name matches" },
    { .key = "queue", .type = OPT_STRING, .offset = AT(queue), .help = "only queues whose name matches" },
    { .key = "source", .type = OPT_STRING, .offset = AT(source), .help = "only sources whose name matches" },
    { .key = "region", .type = OPT_STRING, .offset = AT(region), .help = "only this region" },
    { .key = "account", .type = OPT_STRING, .offset = AT(account), .help = "only this account" },
    { .key = "notify", .type = OPT_LIST, .offset = AT(notify),
      .help = "whom to tell: names under notify:; without, all of them" },
    { .key = "repeat", .type = OPT_DURATION, .offset = AT(repeat_ns), .default_text = "4h",
      .help = "remind so often while it fires; 0s: never" },
    { .key = "missing", .type = OPT_CHOICE, .offset = AT(missing), .choices = rule_missing_names,
      .default_text = "keep", .help = "what no data means: keep the state, fire, or clear" },
    { .key = "enabled", .type = OPT_BOOL, .offset = AT(is_enabled), .default_text = "true",
      .help = "false switches a built-in rule off" },
    { 0 },
};
/* clang-format on */

static const char *const no_foreign[] = {NULL};

struct reading {
    const struct cli *c;
    struct alert_config *out;
    size_t cap_rules, cap_notifiers;
    struct err *e;
};

static enum status at(const struct reading *r, const struct yaml_node *n, const char *section,
                      const char *what)
{
    /* the message may be the one that is being extended */
    struct str text = arena_str(r->c->arena, str_from(what));

    return err_set(r->e, ERR_CONFIG, "%s:%u:%u: %s." STR_FMT ": " STR_FMT, r->c->config_name,
                   n->line, n->column, section, STR_ARG(n->key), STR_ARG(text));
}

/* --- notify: --- */

static enum status read_notifier(struct reading *r, const struct yaml_node *n)
{
    const struct yaml_node *type = n->type == YAML_TABLE ? yaml_get(n, STR("type")) : NULL;
    static const char *const own[] = {"type", NULL};
    struct opt_set set;

    if (!type)
        return at(r, n, "notify", "a table with a type is expected here");
    const struct notifier_ops *ops = notifier_type_find(type->text);
    if (!ops)
        return at(r, type, "notify",
                  "there is no such type; webhook, slack, alertmanager, exec and "
                  "mail are known");
    char *config = arena_zalloc(r->c->arena, 1, ops->config_size);
    if (opt_init(&set, ops->options, config, r->c->arena, 0, r->e) != OK ||
        opt_apply_yaml(&set, n, r->c->config_name, ORIGIN_USER_FILE, own, r->e) != OK)
        return err_wrap(r->e, "notify");
    if (ops->check(config, r->e) != OK)
        return at(r, n, "notify", r->e->msg);
    r->out->notifiers = arena_grow(r->c->arena, r->out->notifiers, r->out->n_notifiers,
                                   &r->cap_notifiers, sizeof(*r->out->notifiers));
    r->out->notifiers[r->out->n_notifiers++] = (struct notifier){n->key, ops, config};
    return OK;
}

static bool is_notifier(const struct alert_config *k, struct str name)
{
    for (size_t i = 0; i < k->n_notifiers; i++)
        if (str_eq(k->notifiers[i].name, name))
            return true;
    return false;
}

/* --- alerts: --- */

static struct rule *rule_named(struct reading *r, struct str name, bool *is_new)
{
    struct alert_config *k = r->out;

    *is_new = false;
    for (size_t i = 0; i < k->n_rules; i++)
        if (str_eq(k->rules[i].name, name))
            return &k->rules[i];
    *is_new = true;
    k->rules = arena_grow(r->c->arena, k->rules, k->n_rules, &r->cap_rules, sizeof(*k->rules));
    k->rules[k->n_rules] = (struct rule){.name = name, .notify_all = true};
    return &k->rules[k->n_rules++];
}

/* One of function, queue, source, and the one that the signal is about. */
static enum status read_subject(struct reading *r, const struct yaml_node *n,
                                const struct entry *en, struct rule *rule)
{
    const struct str globs[] = {en->function, en->queue, en->source};

    for (size_t i = 0; i < ARRAY_LEN(globs); i++) {
        if (globs[i].n == 0)
            continue;
        if (rule->name_glob.n > 0)
            return at(r, n, "alerts", "only one of function, queue and source may be given");
        if (!rule_is_about(rule, (enum metric_scope)i))
            return at(r, n, "alerts", "the condition is not about that kind of thing");
        rule->name_glob = globs[i];
    }
    rule->region = en->region;
    rule->account = en->account;
    return OK;
}

static enum status read_notify(struct reading *r, const struct yaml_node *n, const struct entry *en,
                               struct rule *rule)
{
    for (size_t i = 0; i < en->notify.count; i++)
        if (!is_notifier(r->out, en->notify.items[i]))
            return at(r, n, "alerts",
                      arena_printf(r->c->arena, "notify: there is no \"" STR_FMT "\" under notify:",
                                   STR_ARG(en->notify.items[i]))
                          .p);
    rule->notify = en->notify.items;
    rule->n_notify = en->notify.count;
    return OK;
}

static enum status read_when(struct reading *r, const struct yaml_node *n, const struct entry *en,
                             struct rule *rule)
{
    const struct yaml_node *when = yaml_get(n, STR("when"));

    if (!when)
        return rule->signal ? OK : at(r, n, "alerts", "when: is missing");
    if (rule_parse(rule, en->when, r->e) == OK)
        return OK;
    struct yaml_node place = *when;
    place.key = n->key;
    return at(r, &place, "alerts", r->e->msg);
}

/* What an entry says replaces what the built-in rule of that name says. */
static enum status apply_entry(struct reading *r, const struct yaml_node *n, const struct entry *en,
                               const struct opt_set *set)
{
    bool is_new;
    struct rule *rule = rule_named(r, n->key, &is_new);

    if (read_when(r, n, en, rule) != OK || read_subject(r, n, en, rule) != OK)
        return ERR_CONFIG;
    if (is_new || opt_is_set(set, &en->severity))
        rule->severity = (enum alert_severity)en->severity;
    if (is_new || opt_is_set(set, &en->repeat_ns))
        rule->repeat_ns = en->repeat_ns;
    if (is_new || opt_is_set(set, &en->missing))
        rule->missing = (enum rule_missing)en->missing;
    rule->is_off = !en->is_enabled;
    rule->notify_all = !opt_is_set(set, &en->notify);
    return rule->notify_all ? OK : read_notify(r, n, en, rule);
}

static enum status read_entry(struct reading *r, const struct yaml_node *n)
{
    struct entry *en = arena_new(r->c->arena, struct entry, 1);
    struct opt_set set;

    if (n->type != YAML_TABLE)
        return at(r, n, "alerts", "a table with when: is expected here");
    if (opt_init(&set, alert_entry_options, en, r->c->arena, 0, r->e) != OK ||
        opt_apply_yaml(&set, n, r->c->config_name, ORIGIN_USER_FILE, no_foreign, r->e) != OK)
        return err_wrap(r->e, "alerts");
    return apply_entry(r, n, en, &set);
}

/* --- both --- */

static enum status read_section(struct reading *r, const char *name,
                                enum status (*read)(struct reading *r, const struct yaml_node *n))
{
    const struct yaml_node *section = r->c->config ? yaml_get(r->c->config, str_from(name)) : NULL;
    enum status status = OK;

    if (section && section->type != YAML_TABLE && section->text.n > 0)
        return err_set(r->e, ERR_CONFIG, "%s:%u:%u: %s: a table of entries is expected here",
                       r->c->config_name, section->line, section->column, name);
    for (const struct yaml_node *n = section ? section->child : NULL; status == OK && n;
         n = n->next)
        status = read(r, n);
    return status;
}

static void fill_set(const struct cli *c, struct alert_config *k)
{
    struct str *names = arena_new(c->arena, struct str, k->n_notifiers + 1);

    for (size_t i = 0; i < k->n_notifiers; i++)
        names[i] = k->notifiers[i].name;
    k->set = (struct alert_set){.rules = k->rules,
                                .n_rules = k->n_rules,
                                .notifiers = names,
                                .n_notifiers = k->n_notifiers,
                                .reach = cli_reach(c)};
}

enum status alert_config_read(const struct cli *c, struct alert_config *out, struct err *e)
{
    struct err local = {0};
    struct alert_config k = {0};
    struct reading r = {.c = c, .out = &k, .e = e ? e : &local};
    enum status status = builtin_rules(c->arena, &k.rules, &k.n_rules, r.e);

    r.cap_rules = k.n_rules;
    if (status == OK)
        status = read_section(&r, "notify", read_notifier);
    if (status == OK)
        status = read_section(&r, "alerts", read_entry);
    if (status != OK)
        return status;
    fill_set(c, &k);
    *out = k;
    return OK;
}

/* --- secrets --- */

/* Why it cannot be read; NULL: it can, or nothing is said. */
static const char *why_closed(const struct cli *c, const struct opt_def *key, struct str value)
{
    if (value.n == 0 || key->type != OPT_STRING)
        return NULL;
    if (str_ends(str_from(key->key), STR("_file")))
        return access(arena_strz(c->arena, value), R_OK) == 0 ? NULL : strerror(errno);
    if (str_ends(str_from(key->key), STR("_env")))
        return getenv(arena_strz(c->arena, value)) != NULL ? NULL : "no such variable";
    return NULL;
}

void alert_config_warn(const struct cli *c, const struct alert_config *k)
{
    for (size_t i = 0; i < k->n_notifiers; i++) {
        const struct notifier *n = &k->notifiers[i];
        for (const struct opt_def *key = n->ops->options; key->key != NULL; key++) {
            struct str value = {0};
            if (key->type == OPT_STRING)
                memcpy(&value, (const char *)n->config + key->offset, sizeof(value));
            const char *why = why_closed(c, key, value);
            if (why != NULL)
                log_event(LOG_WARN,
                          "notify." STR_FMT ": %s " STR_FMT ": %s: nobody is told by it until this "
                          "user can read that",
                          STR_ARG(n->name), key->key, STR_ARG(value), why);
        }
    }
}
