/* What of the charges by the hour, provisioned concurrency and the snapshots of SnapStart, is in no
 * amount of the cost table, why, and what would help. */
#include "cli/cost_views.h"

static void count(size_t *n, struct str *first, bool is_so, struct str name)
{
    if (is_so && (*n)++ == 0)
        *first = name;
}

void cost_standing_count(struct standing_tally *t, const struct fn_ref *fn,
                         const struct standing_cost *s)
{
    t->n_kept += s->provisioned > 0 || s->snapshots > 0;
    count(&t->n_provisioned_open, &t->provisioned_open, s->is_provisioned_open, fn->name);
    count(&t->n_snapshots_open, &t->snapshots_open, s->are_snapshots_open, fn->name);
    count(&t->n_unpriced, &t->unpriced, s->is_unpriced, fn->name);
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

static void hint_open(const struct cli *c, size_t n, struct str first, const char *text)
{
    if (n > 0)
        cost_hint(c, "%zu %s (" STR_FMT "%s) %s", n, plural(n, "function", "functions"),
                  STR_ARG(first), n > 1 ? ", ..." : "", text);
}

void cost_standing_hints(const struct cli *c, const struct standing_tally *t, bool is_all)
{
    if (t->n_kept > 0)
        cost_hint(c, "KEPT READY is what functions: says is provisioned or kept as snapshots, "
                     "for the whole range or from kept_since to kept_until, or what a collector "
                     "read to be provisioned; it is not in COST");
    hint_open(
        c, t->n_provisioned_open, t->provisioned_open,
        "ran on provisioned concurrency: its charge by the hour is not included, because logs "
        "do not tell how much there is; say provisioned_concurrency: under functions:");
    hint_open(c, t->n_snapshots_open, t->snapshots_open,
              "restored from snapshots: keeping these is not included, because logs do not tell "
              "how many versions are published; say snapstart_versions: under functions:");
    hint_open(c, t->n_unpriced, t->unpriced,
              "kept something ready for which the price book has no price in the region: it is not "
              "included");
    if (is_all)
        hint_unmet(c, t);
}
