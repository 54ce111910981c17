/* The provider's count against the logs': the comparison, and how it is told. Pure. */
#include "analyzer/analyzer.h"

#include "core/base/timefmt.h"

/* --- the comparison --- */

/* In the hour in which a function's logs begin, what ran before them is no gap; where nothing
 * lacks, nothing did. */
static bool is_compared(const struct count_course *c, size_t i)
{
    if (i >= c->n || c->hours[i].hour_ns + NS_PER_HOUR > c->read_to_ns)
        return false;
    const struct count_hour *h = &c->hours[i];
    return h->hour_ns > c->logs_from_ns ||
           (h->hour_ns == c->logs_from_ns && h->stored >= h->counted);
}

static uint64_t spare(const struct count_course *c, size_t i, int64_t hour_ns)
{
    const struct count_hour *h = &c->hours[i];

    if (!is_compared(c, i) || h->hour_ns != hour_ns || h->stored <= h->counted)
        return 0;
    return h->stored - h->counted;
}

/* Of the hour's lack, what its neighbours do not make up for. */
static uint64_t lack(const struct count_course *c, size_t i)
{
    const struct count_hour *h = &c->hours[i];

    if (h->counted <= h->stored)
        return 0;
    uint64_t beside = spare(c, i + 1, h->hour_ns + NS_PER_HOUR);
    if (i > 0)
        beside += spare(c, i - 1, h->hour_ns - NS_PER_HOUR);
    uint64_t lacking = h->counted - h->stored;
    return lacking > beside ? lacking - beside : 0;
}

static void compare_hour(const struct count_course *c, size_t i, struct count_gap *g)
{
    const struct count_hour *h = &c->hours[i];
    uint64_t missing = lack(c, i);

    g->counted += h->counted;
    g->stored += h->stored;
    g->missing += missing;
    if (missing <= g->worst)
        return;
    g->worst = missing;
    g->worst_ns = h->hour_ns;
    g->worst_counted = h->counted;
}

void reconcile_course(const struct count_course *c, struct count_gap *out)
{
    struct count_gap g = {.fn = c->fn};
    uint64_t counted_errors = 0, stored_errors = 0;

    for (size_t i = 0; i < c->n; i++) {
        const struct count_hour *h = &c->hours[i];
        if (c->logs_from_ns == INT64_MAX) {
            g.unread += h->counted;
        } else if (is_compared(c, i)) {
            compare_hour(c, i, &g);
            counted_errors += h->counted_errors;
            stored_errors += h->stored_errors;
        } else if (h->hour_ns <= c->logs_from_ns) {
            g.early += h->counted;
        } else {
            g.pending += h->counted;
        }
    }
    /* An invocation without a log is missed once, not as an error too. */
    if (counted_errors > stored_errors + g.missing)
        g.untold_errors = counted_errors - stored_errors - g.missing;
    *out = g;
}

/* --- the words --- */

static struct str invocations(struct arena *a, uint64_t n)
{
    return arena_printf(a, "%llu %s", (unsigned long long)n,
                        plural(n, "invocation", "invocations"));
}

static struct str clock_text(struct arena *a, int64_t t_ns)
{
    struct civil c = time_civil(t_ns);

    return arena_printf(a, "%04d-%02d-%02d %02d:%02d", c.year, c.month, c.day, c.hour, c.minute);
}

struct str reconcile_missing_text(const struct reconcile *r, struct arena *a)
{
    if (r->total.missing == 0)
        return (struct str){0};
    return arena_printf(a, STR_FMT " of the provider's count %s no log",
                        STR_ARG(invocations(a, r->total.missing)),
                        plural(r->total.missing, "has", "have"));
}

struct str reconcile_missing_remedy(const struct reconcile *r, struct arena *a)
{
    const struct count_gap *worst = r->rows;

    return arena_printf(a,
                        "most of " STR_FMT ", %llu of %llu in the hour from " STR_FMT
                        "; late lines come with the next deep scan, else look whether it may write "
                        "to its log group and reports every success there",
                        STR_ARG(worst->fn.name), (unsigned long long)worst->worst,
                        (unsigned long long)worst->worst_counted,
                        STR_ARG(clock_text(a, worst->worst_ns)));
}

struct str reconcile_errors_text(const struct reconcile *r, struct arena *a)
{
    uint64_t n = r->total.untold_errors;

    if (n == 0)
        return (struct str){0};
    return arena_printf(a, "%llu %s by the provider %s to be read in the logs",
                        (unsigned long long)n, plural(n, "error counted", "errors counted"),
                        plural(n, "is not", "are not"));
}

struct str reconcile_errors_remedy(void)
{
    return STR("the function fails without saying so: let it log its errors, or use the JSON log "
               "format");
}

struct str reconcile_scope_text(const struct reconcile *r, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = 1024};
    const struct count_gap *t = &r->total;
    uint64_t found = t->counted - (t->missing < t->counted ? t->missing : t->counted);

    if (r->n_hours == 0)
        return (struct str){0};
    buf_addf(&b, "%llu of %llu %s the provider counted from " STR_FMT " to " STR_FMT " %s a log",
             (unsigned long long)found, (unsigned long long)t->counted,
             plural(t->counted, "invocation", "invocations"), STR_ARG(clock_text(a, r->since_ns)),
             STR_ARG(clock_text(a, r->until_ns)), plural(found, "has", "have"));
    if (t->early > 0)
        buf_addf(&b, "; %llu more ran before the hour in which their logs begin, or in it",
                 (unsigned long long)t->early);
    if (t->pending > 0)
        buf_addf(&b, "; the logs of %llu are still being read", (unsigned long long)t->pending);
    if (t->unread > 0)
        buf_addf(&b, "; %llu belong to %zu %s whose logs are not collected",
                 (unsigned long long)t->unread, r->n_unread,
                 plural(r->n_unread, "function", "functions"));
    return arena_str(a, buf_str(&b));
}
