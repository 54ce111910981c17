/* Who goes on where whom stopped. */
#include "cli/source_names.h"

#include "core/base/log.h"
#include "core/store/request.h"

static bool is_configured(const struct source_list *l, struct str name)
{
    for (size_t i = 0; i < l->n; i++)
        if (str_eq(l->items[i]->name, name))
            return true;
    return false;
}

static bool is_stored(const struct source_rows *r, struct str name)
{
    for (size_t i = 0; i < r->n; i++)
        if (str_eq(r->rows[i].name, name))
            return true;
    return false;
}

static bool is_alike(const struct source *s, const struct source_status *r)
{
    return str_eq(str_from(s->ops->type), r->type) &&
           (s->region.n == 0 || str_eq(s->region, r->region));
}

/* The only one that is stored, configured no more and like it; NULL: none, or several. */
static const struct source_status *gone_like(const struct source *s, const struct source_list *l,
                                             const struct source_rows *r, size_t *n)
{
    const struct source_status *found = NULL;

    *n = 0;
    for (size_t i = 0; i < r->n; i++)
        if (!is_configured(l, r->rows[i].name) && is_alike(s, &r->rows[i])) {
            found = &r->rows[i];
            ++*n;
        }
    return *n == 1 ? found : NULL;
}

/* How many new ones would go on there. */
static size_t heirs_of(const struct source_status *gone, const struct source_list *l,
                       const struct source_rows *r)
{
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++)
        n += !is_stored(r, l->items[i]->name) && is_alike(l->items[i], gone);
    return n;
}

static enum status follow(struct store *s, const struct source *new,
                          const struct source_status *old, struct err *e)
{
    log_event(LOG_INFO, "source=" STR_FMT " goes on where " STR_FMT " stopped", STR_ARG(new->name),
              STR_ARG(old->name));
    return store_rename_source(s, old->name, new->name, e);
}

enum status source_names_follow(struct store *s, const struct source_list *l, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct source_rows r;
    enum status status = request_sources(s, &a, &r, e);

    for (size_t i = 0; status == OK && i < l->n; i++) {
        const struct source *new = l->items[i];
        size_t n = 0;
        if (is_stored(&r, new->name))
            continue;
        const struct source_status *old = gone_like(new, l, &r, &n);
        if (old && heirs_of(old, l, &r) == 1)
            status = follow(s, new, old, e);
        else if (n > 0)
            log_event(LOG_WARN,
                      "source=" STR_FMT " is new, and begins `backfill` before now: which of the "
                      "sources it goes on for that are configured no more cannot be told; to go "
                      "on, name it as before",
                      STR_ARG(new->name));
    }
    return status;
}
