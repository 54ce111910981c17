/* One row an invocation. Machine formats carry every column unrounded. */
#include "cli/invocation_table.h"

enum {
    COL_START,
    COL_FUNCTION,
    COL_OUTCOME,
    COL_START_KIND,
    COL_DURATION,
    COL_INIT,
    COL_BILLED,
    COL_MEMORY_USED,
    COL_MEMORY_SIZE,
    COL_ATTEMPT,
    COL_COST,
    COL_ERROR_TYPE,
    COL_ID,
    COL_REGION,
    COL_VERSION,
    COL_INSTANCE,
    COL_TRACE,
    COL_ACCOUNT,
    COL_CNY,
    COLS
};

static const struct table_column columns[COLS] = {
    [COL_START] = {.name = "start_time", .title = "TIME"},
    [COL_FUNCTION] = {.name = "function", .title = "FUNCTION", .max_width = 32},
    [COL_OUTCOME] = {.name = "outcome", .title = "RESULT"},
    [COL_START_KIND] = {.name = "start", .title = "START"},
    [COL_DURATION] = {.name = "duration_ms", .title = "DURATION", .is_right = true},
    [COL_INIT] = {.name = "init_ms", .title = "INIT", .is_right = true},
    [COL_BILLED] = {.name = "billed_ms", .title = "BILLED", .is_right = true},
    [COL_MEMORY_USED] = {.name = "max_memory_used_mb", .title = "MEM", .is_right = true},
    [COL_MEMORY_SIZE] = {.name = "memory_size_mb", .title = "SIZE", .is_right = true},
    [COL_ATTEMPT] = {.name = "attempt", .title = "TRY", .is_right = true},
    [COL_COST] = {.name = "cost_usd", .title = "COST", .is_right = true},
    [COL_ERROR_TYPE] = {.name = "error_type", .title = "ERROR", .max_width = 28},
    [COL_ID] = {.name = "request_id", .title = "REQUEST ID"},
    /* a terminal has no room for these */
    [COL_REGION] = {.name = "region", .is_hidden = true},
    [COL_VERSION] = {.name = "version", .is_hidden = true},
    [COL_INSTANCE] = {.name = "instance", .is_hidden = true},
    [COL_TRACE] = {.name = "trace_id", .is_hidden = true},
    [COL_ACCOUNT] = {.name = "account", .is_hidden = true},
    [COL_CNY] = {.name = "cost_cny", .is_hidden = true},
};

static void optional_text(struct table *t, size_t column, struct str s)
{
    if (s.n > 0 && column < t->n_columns)
        table_text(t, column, s);
}

void invocation_table_row(struct table *t, const struct invocation *inv)
{
    table_row(t);
    cli_time_cell(t, COL_START, inv->start_ns);
    table_text(t, COL_FUNCTION, inv->origin->fn->name);
    table_text(t, COL_OUTCOME, str_from(outcome_name(inv->outcome)));
    table_text(t, COL_START_KIND, str_from(start_kind_name(inv->start)));
    if (inv->is_final)
        cli_duration_cell(t, COL_DURATION, inv->duration_ns);
    if (inv->init_ns > 0)
        cli_duration_cell(t, COL_INIT, inv->init_ns);
    if (inv->billed_ns > 0)
        table_i64(t, COL_BILLED, inv->billed_ns / NS_PER_MS);
    if (inv->memory_bytes > 0) {
        table_i64(t, COL_MEMORY_USED, (int64_t)(inv->max_memory_bytes >> 20));
        table_i64(t, COL_MEMORY_SIZE, (int64_t)(inv->memory_bytes >> 20));
    }
    table_i64(t, COL_ATTEMPT, inv->attempt);
    if (inv->is_priced)
        cli_cost_cells(t, (struct usd_columns){COL_COST, COL_CNY}, inv->cost, inv->origin->fn);
    optional_text(t, COL_ERROR_TYPE, inv->error_type);
    table_text(t, COL_ID, inv->id);
    optional_text(t, COL_REGION, inv->origin->fn->region);
    optional_text(t, COL_VERSION, inv->version);
    optional_text(t, COL_INSTANCE, inv->origin->instance);
    optional_text(t, COL_TRACE, inv->trace_id);
    optional_text(t, COL_ACCOUNT, inv->origin->fn->account);
}

const struct table_shape invocation_table_shape = {columns, COLS, "fnscope.invocations", 1};

void invocation_table_init(struct table *t, struct arena *a)
{
    const struct table_shape *s = &invocation_table_shape;

    table_init(t, a, s->columns, s->n_columns, s->schema, s->version);
}

void invocation_table_fill(struct table *t, struct arena *a, const struct inv_rows *rows)
{
    invocation_table_init(t, a);
    for (size_t i = 0; i < rows->n; i++)
        invocation_table_row(t, &rows->rows[i]);
}

void invocation_table_print(struct cli *c, const struct inv_rows *rows)
{
    struct table t;

    invocation_table_fill(&t, c->arena, rows);
    cli_print_table(c, &t);
}
