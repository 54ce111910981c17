/* What of the charges by the hour, provisioned concurrency and the snapshots of SnapStart, is in no
 * amount of the cost table, why, and what would help. */
#include "cli/cost_views.h"

static void count(struct standing_count *c, bool is_so, struct arena *a, struct str name)
{
    if (is_so && c->n++ == 0)
        c->first = arena_str(a, name);
}

void cost_standing_count(struct standing_tally *t, const struct fn_ref *fn,
                         const struct standing_cost *s)
{
    t->n_kept += s->provisioned > 0 || s->snapshots > 0;
    count(&t->provisioned_open, s->is_provisioned_open, t->arena, fn->name);
    count(&t->snapshots_open, s->are_snapshots_open, t->arena, fn->name);
    count(&t->unpriced, s->is_unpriced, t->arena, fn->name);
}

/* Without any attempt nobody knows how large its environments are. */
static void hint_unmet(const struct cli *c, const struct standing_tally *t)
{
    for (size_t i = 0; i < t->cc->n_rules; i++) {
        const struct fn_rule *r = &t->cc->rules[i];
        if (!t->is_met[i] && (r->provisioned.n > 0 || r->snapshots.n > 0))
            cost_hint(c,
                      "functions: \"" STR_FMT
                      "\" keeps something ready, but the store has no invocation of such a "
                      "function: its charge is not included, because its memory size is not known",
                      STR_ARG(r->name_glob));
    }
}

static void hint_open(const struct cli *c, const struct standing_count *o, const char *text)
{
    if (o->n > 0)
        cost_hint(c, "%zu %s (" STR_FMT "%s) %s", o->n, plural(o->n, "function", "functions"),
                  STR_ARG(o->first), o->n > 1 ? ", ..." : "", text);
}

void cost_standing_hints(const struct cli *c, const struct standing_tally *t, bool is_all)
{
    if (t->n_kept > 0)
        cost_hint(c, "KEPT READY is what functions: says is provisioned or kept as snapshots, "
                     "for the whole range or from kept_since to kept_until, or what a collector "
                     "read to be provisioned; it is not in COST");
    hint_open(
        c, &t->provisioned_open,
        "ran on provisioned concurrency: its charge by the hour is not included, because logs "
        "do not tell how much there is; say provisioned_concurrency: under functions:");
    hint_open(c, &t->snapshots_open,
              "restored from snapshots: keeping these is not included, because logs do not tell "
              "how many versions are published; say snapstart_versions: under functions:");
    hint_open(c, &t->unpriced,
              "kept something ready for which the price book has no price in the region: it is not "
              "included");
    if (is_all)
        hint_unmet(c, t);
}
