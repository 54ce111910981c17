/* Prints the groups of a cost table: sorted, with shares and one total a currency. People see no
 * columns that hold nothing; programs always get all of them and no totals. */
#include "cli/cost_views.h"

#include <stdlib.h>

#define MB_MS_PER_GB_S INT64_C(1024000)

enum {
    C_KEY,
    C_CURRENCY,
    C_INVOCATIONS,
    C_GB_S,
    C_COST,
    C_EFFECTIVE,
    C_LOGS,
    C_SHARE,
    C_UNPRICED,
    C_ASSUMED,
    C_STANDING,
    C_ACCOUNT,
    C_REGION,
    COLUMNS
};
/* People look for the place beside the name; for programs columns stay where they were. */
static const unsigned char order_for_people[COLUMNS] = {
    C_KEY,       C_ACCOUNT, C_REGION, C_CURRENCY, C_INVOCATIONS, C_GB_S,     C_COST,
    C_EFFECTIVE, C_LOGS,    C_SHARE,  C_UNPRICED, C_ASSUMED,     C_STANDING,
};

struct printer {
    const struct cost_options *o;
    struct cost_group *groups;
    size_t n;
    bool is_for_people;
    struct table *table; /* whose rows are filled */
    struct table_column columns[COLUMNS];
    size_t at[COLUMNS]; /* where a column stands; COLUMNS: left out */
    size_t n_columns;
};

static int cmp_names(const struct cost_group *a, const struct cost_group *b)
{
    const struct cost_place *x = a->place, *y = b->place;
    int c = str_cmp(a->key, b->key);

    if (c == 0)
        c = str_cmp(x->account, y->account);
    return c != 0 ? c : str_cmp(x->region, y->region);
}

static struct str currency_of(const struct cost_group *g)
{
    return g->place->currency;
}

static bool is_in(const struct cost_group *g, struct str currency)
{
    return str_eq(currency_of(g), currency);
}

static int cmp_groups(const void *pa, const void *pb)
{
    const struct cost_group *a = pa, *b = pb;
    const int currency = str_cmp(currency_of(a), currency_of(b));

    if (currency != 0)
        return currency;
    if (a->cost != b->cost)
        return a->cost > b->cost ? -1 : 1;
    return cmp_names(a, b);
}

static int cmp_keys(const void *pa, const void *pb)
{
    const struct cost_group *a = pa, *b = pb;
    const int currency = str_cmp(currency_of(a), currency_of(b));
    return currency != 0 ? currency : cmp_names(a, b);
}

static void add_sums(struct cost_group *to, const struct cost_group *g)
{
    to->n += g->n;
    to->unpriced += g->unpriced;
    to->mb_ms += g->mb_ms;
    to->cost += g->cost;
    to->effective += g->effective;
    to->logs += g->logs;
    to->standing += g->standing;
    to->is_assumed = to->is_assumed || g->is_assumed;
    to->is_log_unpriced = to->is_log_unpriced || g->is_log_unpriced;
}

/* Looking up in front whether a function has a row already takes more room than the rows. */
static size_t join_equal(struct cost_group *rows, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (kept > 0 && cmp_keys(&rows[kept - 1], &rows[i]) == 0)
            add_sums(&rows[kept - 1], &rows[i]);
        else
            rows[kept++] = rows[i];
    return kept;
}

static void sort_groups(const struct cost_options *o, struct cost_groups *g)
{
    if (g->n == 0)
        return;
    qsort(g->rows, g->n, sizeof(*g->rows), cmp_keys);
    g->n = join_equal(g->rows, g->n);
    if (o->by != BY_DAY)
        qsort(g->rows, g->n, sizeof(*g->rows), cmp_groups);
}

static const struct cost_group *component_of_all(const struct printer *p, struct str currency)
{
    const struct cost_group *most = &p->groups[0];

    for (size_t i = 0; i < p->n; i++)
        if (is_in(&p->groups[i], currency) && (!is_in(most, currency) || p->groups[i].n > most->n))
            most = &p->groups[i];
    return most;
}

static struct cost_group total_of(const struct printer *p, struct str currency)
{
    struct cost_group total = {.key = STR("total")};

    for (size_t i = 0; i < p->n; i++)
        if (is_in(&p->groups[i], currency))
            add_sums(&total, &p->groups[i]);
    if (p->o->by == BY_COMPONENT) { /* each of the parts all have counts them all */
        const struct cost_group *all = component_of_all(p, currency);
        total.n = all->n;
        total.unpriced = all->unpriced;
        total.mb_ms = 0; /* of memory and of storage: no sum */
    }
    return total;
}

/* Log bytes are known per function and time, not per invocation. */
static bool has_logs(const struct cost_options *o)
{
    return o->by < BY_ARCH || o->by == BY_COMPONENT;
}

static bool has_effective(const struct cost_options *o)
{
    return o->free_tier || o->savings_plan != 0;
}

static bool has_content(const struct printer *p, size_t column)
{
    bool is_unpriced = false, is_assumed = false, is_kept = false;
    bool has_accounts = false, has_regions = false;

    for (size_t i = 0; i < p->n; i++) {
        const struct cost_place *a = p->groups[0].place, *b = p->groups[i].place;
        has_accounts = has_accounts || !str_eq(a->account, b->account);
        has_regions = has_regions || !str_eq(a->region, b->region);
        is_unpriced = is_unpriced || p->groups[i].unpriced > 0;
        is_assumed = is_assumed || p->groups[i].is_assumed;
        is_kept = is_kept || p->groups[i].standing > 0;
    }
    switch (column) {
    case C_ACCOUNT:
        return has_accounts;
    case C_REGION:
        return has_regions;
    case C_EFFECTIVE:
        return has_effective(p->o);
    case C_LOGS:
        return has_logs(p->o);
    case C_STANDING:
        return is_kept;
    case C_UNPRICED:
        return is_unpriced;
    case C_ASSUMED:
        return is_assumed;
    default:
        return true;
    }
}

static void choose_columns(struct printer *p)
{
    const struct table_column all[COLUMNS] = {
        [C_KEY] = {.name = cost_by_names[p->o->by], .max_width = 48},
        [C_ACCOUNT] = {.name = "of_account", .title = "ACCOUNT"},
        [C_REGION] = {.name = "of_region", .title = "REGION"},
        [C_CURRENCY] = {.name = "currency"},
        [C_INVOCATIONS] = {.name = "invocations", .is_right = true},
        [C_GB_S] = {.name = "gb_seconds", .title = "GB-S", .is_right = true},
        [C_COST] = {.name = "cost", .is_right = true},
        [C_EFFECTIVE] = {.name = "effective_cost", .title = "EFFECTIVE", .is_right = true},
        [C_LOGS] = {.name = "log_cost", .title = "LOGS BESIDE", .is_right = true},
        [C_SHARE] = {.name = "share_percent", .title = "SHARE %", .is_right = true},
        [C_UNPRICED] = {.name = "unpriced", .is_right = true},
        [C_ASSUMED] = {.name = "is_assumed", .title = "ASSUMED"},
        [C_STANDING] = {.name = "standing_cost", .title = "KEPT READY BESIDE", .is_right = true},
    };

    for (size_t i = 0; i < COLUMNS; i++) {
        const size_t column = p->is_for_people ? order_for_people[i] : i;
        p->at[column] = COLUMNS;
        if (p->is_for_people && !has_content(p, column))
            continue;
        p->at[column] = p->n_columns;
        p->columns[p->n_columns++] = all[column];
    }
}

static void money_cell(struct printer *p, size_t column, wide amount, struct str currency)
{
    if (p->at[column] < COLUMNS)
        cli_money_cell(p->table, p->at[column], amount, currency);
}

/* Nothing of it has a price: that is not nothing. */
static void amount_cell(struct printer *p, size_t column, wide amount, bool is_unpriced,
                        struct str currency)
{
    if (amount != 0 || !is_unpriced)
        money_cell(p, column, amount, currency);
    else if (p->at[column] < COLUMNS)
        table_null_shown(p->table, p->at[column], STR("not priced"));
}

static void add_tenths(struct buf *b, wide tenths)
{
    wide_format(b, tenths / 10);
    buf_addf(b, ".%d", (int)(tenths % 10));
}

/* One decimal; three below one, and what is there is never shown as nothing. */
static void add_gb_seconds(struct buf *b, wide mb_ms)
{
    const wide thousandths = wide_ratio(mb_ms, 1000, MB_MS_PER_GB_S);

    if (mb_ms == 0 || thousandths >= 1000)
        add_tenths(b, wide_ratio(mb_ms, 10, MB_MS_PER_GB_S));
    else if (thousandths == 0)
        buf_add_z(b, "<0.001");
    else
        wide_format_scaled(b, thousandths, 3);
}

/* Exact for programs. */
static void exact_cell(struct printer *p, size_t column, wide exact, unsigned scale,
                       struct str shown)
{
    AUTO(buf_clear) struct buf raw = {.max = 64};
    struct arena *a = p->table->arena;
    wide_format_scaled(&raw, exact, scale);
    table_number(p->table, p->at[column], arena_str(a, buf_str(&raw)), arena_str(a, shown));
}

static void gb_seconds_cell(struct printer *p, wide mb_ms)
{
    AUTO(buf_clear) struct buf shown = {.max = 64};

    add_gb_seconds(&shown, mb_ms);
    exact_cell(p, C_GB_S, wide_ratio(mb_ms, MONEY_UNIT, MB_MS_PER_GB_S), 12, buf_str(&shown));
}

static void share_cell(struct printer *p, wide part, wide whole)
{
    AUTO(buf_clear) struct buf shown = {.max = 64};
    const wide tenths = wide_ratio(part, 1000, whole);

    add_tenths(&shown, tenths);
    exact_cell(p, C_SHARE, tenths, 1, buf_str(&shown));
}

static void place_cell(struct printer *p, size_t column, struct str place)
{
    if (p->at[column] < COLUMNS && place.n > 0)
        table_text(p->table, p->at[column], place);
}

static void add_group(struct printer *p, const struct cost_group *g, wide total)
{
    struct table *t = p->table;
    const struct str currency = currency_of(g);

    table_row(t);
    table_text(t, p->at[C_KEY], g->key);
    place_cell(p, C_ACCOUNT, g->place->account);
    place_cell(p, C_REGION, g->place->region);
    table_text(t, p->at[C_CURRENCY], currency);
    table_i64(t, p->at[C_INVOCATIONS], (int64_t)g->n);
    if (p->o->by != BY_COMPONENT || g->mb_ms > 0)
        gb_seconds_cell(p, g->mb_ms);
    amount_cell(p, C_COST, g->cost, g->unpriced > 0, currency);
    if (has_effective(p->o))
        amount_cell(p, C_EFFECTIVE, g->effective, g->unpriced > 0 && g->cost == 0, currency);
    if (has_logs(p->o)) {
        amount_cell(p, C_LOGS, g->logs, g->is_log_unpriced, currency);
        money_cell(p, C_STANDING, g->standing, currency);
    }
    if (total > 0)
        share_cell(p, g->cost, total);
    if (p->at[C_UNPRICED] < COLUMNS)
        table_i64(t, p->at[C_UNPRICED], (int64_t)g->unpriced);
    if (p->at[C_ASSUMED] < COLUMNS)
        table_bool(t, p->at[C_ASSUMED], g->is_assumed);
}

static enum status add_totals(struct printer *p, struct table_stream *rows)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct str currency = currency_of(&p->groups[i]);
        if (i > 0 && is_in(&p->groups[i - 1], currency))
            continue;
        const struct cost_place whole = {.currency = currency};
        struct cost_group total = total_of(p, currency);
        total.place = &whole;
        add_group(p, &total, total.cost);
        if (table_stream_row(rows) != OK)
            return ERR_CANCELLED;
    }
    return OK;
}

static enum status give_groups(void *ctx, struct table_stream *rows, struct err *e)
{
    struct printer *p = ctx;
    struct cost_group total = {0};

    UNUSED(e);
    p->table = &rows->table;
    for (size_t i = 0; i < p->n; i++) {
        const struct str currency = currency_of(&p->groups[i]);
        if (i == 0 || !is_in(&p->groups[i - 1], currency))
            total = total_of(p, currency);
        add_group(p, &p->groups[i], total.cost);
        if (table_stream_row(rows) != OK)
            return ERR_CANCELLED;
    }
    return p->is_for_people ? add_totals(p, rows) : OK;
}

enum status cost_groups_print(struct cli *c, const struct cost_options *o,
                              struct cost_groups *groups, struct err *e)
{
    const struct table_out out = cli_table_out(c);

    sort_groups(o, groups);
    struct printer p = {.o = o,
                        .groups = groups->rows,
                        .n = groups->n,
                        .is_for_people = out.format == TABLE_TEXT || out.format == TABLE_MARKDOWN};

    choose_columns(&p);
    const struct table_shape shape = {p.columns, p.n_columns, "fnscope.cost", 1};
    return table_stream_print(&out, &shape, give_groups, &p, e);
}
