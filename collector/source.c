/* The list of source types, and the way from the configuration to sources. */
#include "collector/source.h"

#include <assert.h>
#include <stdlib.h>

#include "collector/aws/aws.h"
#include "core/base/mem.h"

const struct source_ops *const source_types[] = {
    &aws_source,
    &aws_logs_source,
    &aws_metrics_source,
    &aws_queues_source,
    &aws_config_source,
    &aws_traces_source,
    NULL,
};

enum { MAX_TYPES = 16 };

/* --- one source
 * ---------------------------------------------------------------------------------------------
 */

struct source *source_new(struct arena *a, const struct source_ops *ops, struct str name,
                          const void *options)
{
    struct source *s = arena_new(a, struct source, 1);

    s->ops = ops;
    s->name = name;
    s->options = options;
    s->n_sharing = 1;
    return s;
}

enum status source_open(struct source *s, const struct source_env *env, struct err *e)
{
    assert(s->ctx == NULL);
    s->env = *env;
    s->ctx = xcalloc(1, s->ops->ctx_size);
    s->status.name = s->name;
    s->status.type = str_from(s->ops->type);
    s->status.region = s->region;
    if (s->ops->open(s, e) != OK)
        return err_wrap(e, "source " STR_FMT, STR_ARG(s->name));
    return OK;
}

void source_close(struct source *s)
{
    if (s->ctx != NULL)
        s->ops->close(s);
    free(s->ctx);
    s->ctx = NULL;
    http_close(&s->env.http);
    arena_clear(&s->arena);
}

void source_report(struct source *s, struct batch *out)
{
    struct source_status *row = batch_source(out), *now = &s->status;

    *row = *now;
    struct str *const texts[] = {&row->name,   &row->type,  &row->account,
                                 &row->region, &row->error, &row->quota};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = arena_str(&out->arena, *texts[i]);
    for (size_t i = 0; i < row->n_parts; i++) {
        struct source_part *part = &now->parts[i];
        row->parts[i].name = arena_str(&out->arena, part->name);
        row->parts[i].error = arena_str(&out->arena, part->error);
        part->add_calls = part->add_errors = 0;
        part->add_cost = 0;
    }
    now->add_calls = now->add_errors = now->add_throttles = now->add_bytes = now->add_events = 0;
    now->add_cost = 0;
    s->reported_ns = clock_monotonic(&s->env.clock);
}

struct plan_line *plan_add(struct plan *p)
{
    p->lines = arena_grow(p->arena, p->lines, p->n, &p->cap, sizeof(*p->lines));
    p->lines[p->n] = (struct plan_line){0};
    return &p->lines[p->n++];
}

struct plan_budget *plan_add_budget(struct plan *p)
{
    p->budgets =
        arena_grow(p->arena, p->budgets, p->n_budgets, &p->cap_budgets, sizeof(*p->budgets));
    p->budgets[p->n_budgets] = (struct plan_budget){0};
    return &p->budgets[p->n_budgets++];
}

void plan_add_role(struct plan *p, struct str arn)
{
    for (size_t i = 0; i < p->n_roles; i++)
        if (str_eq(p->roles[i], arn))
            return;
    p->roles = arena_grow(p->arena, p->roles, p->n_roles, &p->cap_roles, sizeof(*p->roles));
    p->roles[p->n_roles++] = arena_str(p->arena, arn);
}

/* --- the configuration
 * --------------------------------------------------------------------------------------
 */

static const struct source_ops *find_type(struct str type)
{
    for (size_t i = 0; source_types[i] != NULL; i++)
        if (str_eq(str_from(source_types[i]->type), type))
            return source_types[i];
    return NULL;
}

static enum status unknown_type(const struct yaml_node *n, const char *file, struct err *e)
{
    const char *names[MAX_TYPES] = {NULL};

    for (size_t i = 0; source_types[i] != NULL && i + 1 < MAX_TYPES; i++)
        names[i] = source_types[i]->type;
    struct str near = opt_suggest(n->text, names);
    return err_set(e, ERR_CONFIG, "%s:%u:%u: there is no source type " STR_FMT "%s" STR_FMT "%s",
                   file, n->line, n->column, STR_ARG(n->text), near.n > 0 ? "; did you mean " : "",
                   STR_ARG(near), near.n > 0 ? "?" : "");
}

static enum status read_type(const struct yaml_node *entry, const char *file,
                             const struct source_ops **out, struct err *e)
{
    const struct yaml_node *type = entry->type == YAML_TABLE ? yaml_get(entry, STR("type")) : NULL;

    if (type == NULL || type->type != YAML_SCALAR)
        return err_set(e, ERR_CONFIG, "%s:%u:%u: source " STR_FMT " needs a type, as in type: aws",
                       file, entry->line, entry->column, STR_ARG(entry->key));
    *out = find_type(type->text);
    return *out != NULL ? OK : unknown_type(type, file, e);
}

static void add_source(struct source_list *l, size_t *cap, struct source *s)
{
    l->items = arena_grow(&l->arena, l->items, l->n, cap, sizeof(struct source *));
    l->items[l->n++] = s;
}

/* One region, or a source for each. */
static void add_entry(struct source_list *l, size_t *cap, const struct source_ops *ops,
                      struct str name, const void *options)
{
    const struct opt_list *regions = ops->regions != NULL ? ops->regions(options) : NULL;
    size_t n = regions != NULL ? regions->count : 0;

    for (size_t i = 0; i < (n > 0 ? n : 1); i++) {
        struct str own = n > 1 ? arena_printf(&l->arena, STR_FMT "/" STR_FMT, STR_ARG(name),
                                              STR_ARG(regions->items[i]))
                               : name;
        struct source *s = source_new(&l->arena, ops, own, options);
        if (n > 0)
            s->region = regions->items[i];
        add_source(l, cap, s);
    }
}

static enum status parse_entry(struct source_list *l, size_t *cap, const struct yaml_node *entry,
                               const char *file, struct err *e)
{
    static const char *const foreign[] = {"type", NULL};
    const struct source_ops *ops = NULL;
    struct opt_set set = {0};
    enum status s = read_type(entry, file, &ops, e);

    if (s != OK)
        return s;
    assert(ops != NULL);
    void *options = arena_zalloc(&l->arena, 1, ops->options_size);
    s = opt_init(&set, ops->options, options, &l->arena, 0, e);
    if (s == OK)
        s = opt_apply_yaml(&set, entry, file, ORIGIN_USER_FILE, foreign, e);
    if (s == OK && ops->check != NULL && (s = ops->check(options, e)) != OK)
        return err_wrap(e, "%s:%u:%u: sources." STR_FMT, file, entry->line, entry->column,
                        STR_ARG(entry->key));
    if (s == OK)
        add_entry(l, cap, ops, arena_str(&l->arena, entry->key), options);
    return s;
}

static void count_sharing(struct source_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        for (size_t k = 0; k < l->n; k++) {
            const struct source *b = l->items[k];
            struct source *a = l->items[i];
            if (i != k && a->ops->shares_quota != NULL &&
                a->ops->shares_quota == b->ops->shares_quota && a->ops->shares_quota(a, b))
                a->n_sharing++;
        }
}

static bool is_wanted(const struct opt_list *only, struct str name)
{
    for (size_t i = 0; i < only->count; i++)
        if (str_eq(only->items[i], name))
            return true;
    return only->count == 0;
}

enum status sources_parse(const struct yaml_node *sources, const char *name,
                          const struct opt_list *only, struct source_list *out, struct err *e)
{
    struct source_list l = {0};
    size_t cap = 0;
    enum status s = OK;

    if (sources == NULL || sources->type != YAML_TABLE || sources->child == NULL)
        return err_set(e, ERR_CONFIG,
                       "%s: nothing to collect: the section sources: is missing or empty", name);
    for (const struct yaml_node *n = sources->child; s == OK && n != NULL; n = n->next)
        if (is_wanted(only, n->key))
            s = parse_entry(&l, &cap, n, name, e);
    if (s == OK && l.n == 0)
        s = err_set(e, ERR_USAGE, "%s: there is no source " STR_FMT, name, STR_ARG(only->items[0]));
    if (s != OK) {
        sources_free(&l);
        return s;
    }
    count_sharing(&l);
    *out = l;
    return OK;
}

/* --- what is read twice --- */

static const struct source_status *status_of(const struct source *s,
                                             const struct source_status *known, size_t n_known)
{
    for (size_t i = 0; i < n_known; i++)
        if (str_eq(known[i].name, s->name) && known[i].account.n > 0 && known[i].region.n > 0)
            return &known[i];
    return NULL;
}

static bool is_same_place(const struct source *a, const struct source *b,
                          const struct source_status *known, size_t n_known)
{
    const struct source_status *x = status_of(a, known, n_known);
    const struct source_status *y = status_of(b, known, n_known);

    if (x && y)
        return str_eq(x->account, y->account) && str_eq(x->region, y->region);
    return a->ops->shares_quota != NULL && a->ops->shares_quota(a, b);
}

size_t sources_overlaps(const struct source_list *l, const struct source_status *known,
                        size_t n_known, struct arena *a, struct source_overlap **out)
{
    struct source_overlap *rows = NULL;
    size_t n = 0, cap = 0;

    for (size_t i = 0; i < l->n; i++)
        for (size_t k = i + 1; k < l->n; k++) {
            const struct source *x = l->items[i], *y = l->items[k];
            if (x->ops->overlap == NULL || x->ops->overlap != y->ops->overlap ||
                !is_same_place(x, y, known, n_known))
                continue;
            const struct str what = x->ops->overlap(x, y, a);
            if (what.n == 0)
                continue;
            rows = arena_grow(a, rows, n, &cap, sizeof(*rows));
            rows[n++] = (struct source_overlap){x, y, what};
        }
    *out = rows;
    return n;
}

void sources_free(struct source_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        source_close(l->items[i]);
    arena_clear(&l->arena);
    *l = (struct source_list){0};
}
