/* The common options and what commands share around them. Owns nothing global: everything hangs on
 * the struct cli of the run. */
#include "cli/common.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/fn_rules.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/timefmt.h"

static const char *const color_names[] = {"auto", "always", "never", NULL};
static const char *const default_arch_names[] = {"x86_64", "arm64", NULL};

#define AT(member) offsetof(struct settings, member)

/* clang-format off */
const struct opt_def common_options[] = {
    { .flag = "config", .type = OPT_STRING, .offset = AT(config_path), .value_name = "FILE",
      .help = "read this configuration file instead of the user's" },
    { .key = "store.url", .flag = "store", .type = OPT_STRING, .offset = AT(store_url), .value_name = "URL",
      .help = "the store: a folder, or sqlite:FOLDER",
      .manual = "The store: a folder, or sqlite:FOLDER. The default is the folder fnscope below "
                "$XDG_STATE_HOME (~/.local/state)." },
    { .key = "store.retention", .flag = "retention", .type = OPT_DURATION, .offset = AT(retention_ns),
      .default_text = "0s", .help = "age at which data is removed; 0s keeps it for ever",
      .manual = "Age at which data is removed by db prune and by a running collector, in whole UTC "
                "days; 0s keeps it for ever. An import never removes anything." },
    { .flag = "since", .type = OPT_TIME, .offset = AT(since_ns), .value_name = "TIME",
      .help = "start of the time range: 2026-01-15, 2026-01-15T12:30Z, 2h (ago), today" },
    { .flag = "until", .type = OPT_TIME, .offset = AT(until_ns), .value_name = "TIME",
      .help = "end of the time range, not included; default now" },
    { .flag = "function", .letter = 'f', .type = OPT_STRING, .offset = AT(function), .value_name = "GLOB",
      .help = "only functions whose name matches: checkout-*" },
    { .flag = "region", .type = OPT_STRING, .offset = AT(region), .value_name = "REGION",
      .help = "only this region" },
    { .flag = "account", .type = OPT_STRING, .offset = AT(account), .value_name = "ID",
      .help = "only this account" },
    { .flag = "provider", .type = OPT_CHOICE, .offset = AT(provider), .choices = provider_names,
      .help = "only this provider" },
    { .key = "output.format", .flag = "format", .letter = 'o', .type = OPT_CHOICE, .offset = AT(format),
      .choices = table_format_names, .default_text = "table", .help = "output format" },
    { .key = "output.color", .flag = "color", .type = OPT_CHOICE, .offset = AT(color),
      .choices = color_names, .default_text = "auto", .help = "when to use colour; NO_COLOR is honoured" },
    { .flag = "no-color", .type = OPT_BOOL, .offset = AT(no_color), .help = "same as --color=never" },
    { .flag = "quiet", .letter = 'q', .type = OPT_BOOL, .offset = AT(is_quiet),
      .help = "no progress and no hints on standard error" },
    { .flag = "verbose", .letter = 'v', .type = OPT_BOOL, .offset = AT(is_verbose),
      .help = "say more on standard error" },
    { .flag = "clock", .type = OPT_TIME, .offset = AT(clock_ns), .value_name = "TIME",
      .help = "take this as the present, for reproducible output",
      .manual = "Takes this as the present, for reproducible output. SOURCE_DATE_EPOCH in the "
                "environment does the same." },
    { .key = "cost.prices_dir", .flag = "prices", .type = OPT_STRING, .offset = AT(prices_dir),
      .value_name = "DIR", .help = "folder of price books" },
    { .key = "cost.default_region", .flag = "default-region", .type = OPT_STRING,
      .offset = AT(default_region), .value_name = "REGION", .default_text = "us-east-1",
      .help = "region whose prices apply where none is known" },
    { .key = "cost.default_arch", .flag = "default-arch", .type = OPT_CHOICE, .offset = AT(default_arch),
      .choices = default_arch_names, .default_text = "x86_64",
      .help = "architecture whose prices apply where none is known" },
    { .flag = "help", .letter = 'h', .type = OPT_BOOL, .offset = AT(help), .help = "show this help" },
    { 0 },
};
/* clang-format on */

const char *const foreign_sections[] = {"functions", "sources", "alerts", "notify", NULL};

/* --- the store ----------------------------------------------------------------------------------
 */

static struct str default_store_path(const struct cli *c)
{
    return file_xdg(c->arena, "STATE");
}

struct str cli_store_path(const struct cli *c)
{
    struct str url = c->settings->store_url;

    if (url.n == 0)
        return default_store_path(c);
    return str_starts(url, STR("sqlite:")) ? str_skip(url, 7) : url;
}

static void add_quoted(struct buf *b, struct str s)
{
    buf_add_c(b, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'')
            buf_add_z(b, "'\\'");
        buf_add_c(b, s.p[i]);
    }
    buf_add_c(b, '\'');
}

/* A file named by --config is not what another command reads by itself; what it says about the
 * store need not be said again. */
struct str cli_reach(const struct cli *c)
{
    AUTO(buf_clear) struct buf b = {.max = 16384};
    const enum opt_origin origin = opt_origin_of(c->set, &c->settings->store_url);
    const struct str file = c->settings->config_path;

    if (file.n > 0) {
        buf_add_z(&b, " --config ");
        add_quoted(&b, file_absolute(c->arena, file));
    }
    if (origin > ORIGIN_USER_FILE || (origin == ORIGIN_USER_FILE && file.n == 0)) {
        buf_add_z(&b, " --store ");
        add_quoted(&b, file_absolute(c->arena, cli_store_path(c)));
    }
    return arena_str(c->arena, buf_str(&b));
}

/* "file:x", "postgres://host/x": another kind of store, or a place elsewhere, is meant. */
static enum status check_kind(struct str url, struct err *e)
{
    struct str rest = url;
    const struct str kind = str_cut(&rest, ':');

    if (kind.n == url.n || str_find_char(kind, '/') < kind.n || str_eq(kind, STR("sqlite")))
        return OK;
    return err_set(e, ERR_CONFIG,
                   "--store " STR_FMT ": there is no kind of store \"" STR_FMT
                   "\": say FOLDER or sqlite:FOLDER (./" STR_FMT " is a folder of that name)",
                   STR_ARG(url), STR_ARG(kind), STR_ARG(url));
}

static enum status open_store(const struct cli *c, struct store_options o, struct store **out,
                              struct err *e)
{
    o.url = c->settings->store_url;
    o.retention_ns = c->settings->retention_ns;
    if (o.url.n == 0)
        o.url = default_store_path(c);
    if (check_kind(o.url, e) != OK)
        return ERR_CONFIG;
    const char *path = arena_strz(c->arena, cli_store_path(c));
    if (file_exists(path) && !file_is_dir(path))
        return err_set(e, ERR_CONFIG, "--store %s: this is a file; a store is a folder", path);
    enum status s = store_open(&o, out, e);
    if (s == ERR_NOT_FOUND && !o.is_read_only && !o.must_exist)
        return err_wrap(e, "--store");
    if (s == ERR_NOT_FOUND && e)
        return err_set(
            e, ERR_NOT_FOUND,
            "there is no store at " STR_FMT
            " yet: make one with `fnscope import FILE...` or look around with `fnscope demo`",
            STR_ARG(cli_store_path(c)));
    return s;
}

static struct str region_of(const void *rules, const struct fn_ref *fn)
{
    return cost_rule_region(rules, fn);
}

enum status cli_fn_places(const struct cli *c, struct fn_places *out, struct err *e)
{
    struct cost_context *rules = arena_new(c->arena, struct cost_context, 1);
    const enum status status = fn_rules_read(c, rules, e);

    *out = (struct fn_places){region_of, rules};
    return status;
}

enum status cli_open_store(const struct cli *c, bool is_read_only, struct store **out,
                           struct err *e)
{
    struct fn_places places;

    if (cli_fn_places(c, &places, e) != OK)
        return e ? e->code : ERR_CONFIG;
    const struct store_options o = {
        .is_read_only = is_read_only, .region_of = places.region_of, .region_ctx = places.ctx};
    return open_store(c, o, out, e);
}

enum status cli_open_as_stored(const struct cli *c, bool is_read_only, struct store **out,
                               struct err *e)
{
    struct fn_places places = {0};

    if (!is_read_only && cli_fn_places(c, &places, e) != OK)
        return e ? e->code : ERR_CONFIG;
    const struct store_options o = {.is_read_only = is_read_only,
                                    .region_of = places.region_of,
                                    .region_ctx = places.ctx,
                                    .is_as_stored = true};
    return open_store(c, o, out, e);
}

void cli_close_store(struct store **s)
{
    store_close(*s);
    *s = NULL;
}

/* --- range --------------------------------------------------------------------------------------
 */

/* An empty answer alone does not tell whether nothing ran or the store has other days. */
static void say_what_there_is(const struct cli *c, const struct ingest_status *st, struct range r)
{
    AUTO(buf_clear) struct buf b = {.max = 128};

    if (c->settings->is_quiet || (st->first_ns < r.until_ns && st->last_ns >= r.since_ns))
        return;
    if (st->log_events == 0 && st->invocations == 0) {
        fprintf(stderr, "fnscope: there is nothing in the store\n");
        return;
    }
    time_format(&b, st->first_ns, 0);
    buf_add_z(&b, " to ");
    time_format(&b, st->last_ns, 0);
    fprintf(stderr, "fnscope: there is nothing in the store for this time: it holds " STR_FMT "\n",
            STR_ARG(buf_str(&b)));
}

enum status cli_say_if_outside(const struct cli *c, struct store *s, struct range r, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct ingest_status st = {0};
    enum status status = request_status(s, &a, &st, e);

    if (status == OK)
        say_what_there_is(c, &st, r);
    return status;
}

enum status cli_range(const struct cli *c, struct store *s, int64_t span_ns, struct range *out,
                      struct err *e)
{
    struct range r = {c->settings->since_ns, c->settings->until_ns};
    struct ingest_status st = {0};

    if (span_ns == 0) {
        AUTO(arena_clear) struct arena a = {0};
        const enum status status = request_status(s, &a, &st, e);
        if (status != OK)
            return status;
        r.since_ns = r.since_ns ? r.since_ns : st.first_ns;
        r.until_ns = r.until_ns ? r.until_ns : st.last_ns + 1;
    }
    if (r.until_ns == 0)
        r.until_ns = clock_now(&c->clock);
    if (c->settings->until_ns == 0 && c->settings->clock_ns != 0 &&
        r.until_ns > c->settings->clock_ns)
        r.until_ns = c->settings->clock_ns; /* nothing is later than the present */
    if (r.since_ns == 0)
        r.since_ns = r.until_ns - span_ns;
    if (r.since_ns > r.until_ns && c->settings->until_ns == 0)
        r.until_ns = r.since_ns; /* after everything there is */
    if (r.since_ns > r.until_ns)
        return err_set(e, ERR_USAGE, "--since lies after --until: nothing can be between them");
    if (span_ns == 0)
        say_what_there_is(c, &st, r);
    *out = r;
    return OK;
}

/* --- cost ----------------------------------------------------------------------------------------
 */

enum status cli_prices_dir(const struct cli *c, struct str *out, struct err *e)
{
    if (c->settings->prices_dir.n > 0) {
        *out = c->settings->prices_dir;
        return OK;
    }
    *out = file_beside_program(c->arena, FNSCOPE_PRICES);
    if (out->n == 0 && file_exists(FNSCOPE_SOURCE_PRICES))
        *out = STR(FNSCOPE_SOURCE_PRICES);
    if (out->n > 0)
        return OK;
    return err_set(e, ERR_NOT_FOUND,
                   "no price books in %s from the program: name their folder with --prices DIR",
                   FNSCOPE_PRICES);
}

/* Regions of AWS of which the price lists of data/prices/ know nothing, so that they are not taken
 * for slips of the pen. */
static bool is_unpriced_region(struct str region)
{
    static const char *const names[] = {
        "ap-east-2",      "ap-southeast-6", "ap-southeast-7",  "mx-central-1",
        "eusc-de-east-1", "us-iso-east-1",  "us-iso-west-1",   "us-isob-east-1",
        "us-isob-west-1", "us-isof-east-1", "us-isof-south-1", "eu-isoe-west-1",
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(region, str_from(names[i])))
            return true;
    return false;
}

/* "eu-west-1", "westeurope", "us-central1" */
static bool is_region_code(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              s.p[i] == '-'))
            return false;
    return true;
}

enum status cli_check_region(const struct cli *c, const struct pricebook *book, struct str region,
                             const char *what, struct err *e)
{
    const char *const *known = pricebook_regions(book, PROVIDER_AWS, c->arena);

    if (region.n == 0 || known[0] == NULL)
        return OK;
    for (size_t i = 0; known[i] != NULL; i++)
        if (str_eq(region, str_from(known[i])))
            return OK;
    struct str near = is_unpriced_region(region) ? (struct str){0} : opt_suggest(region, known);
    if (near.n > 0)
        return err_set(e, ERR_USAGE,
                       "%s: there is no region \"" STR_FMT "\"; did you mean \"" STR_FMT "\"?",
                       what, STR_ARG(region), STR_ARG(near));
    if (!is_region_code(region))
        return err_set(e, ERR_USAGE,
                       "%s: \"" STR_FMT "\" is no code of a region: write it like eu-west-1", what,
                       STR_ARG(region));
    if (!c->settings->is_quiet)
        log_event(LOG_WARN, "%s: the price book has no region \"" STR_FMT "\": nothing is priced",
                  what, STR_ARG(region));
    return OK;
}

static enum status check_source_region(const struct cli *c, const struct pricebook *book,
                                       const struct yaml_node *region, struct err *e)
{
    struct str place =
        arena_printf(c->arena, "%s:%u:%u: sources", c->config_name, region->line, region->column);

    return cli_check_region(c, book, region->text, place.p, e);
}

/* One with an endpoint of its own may call its regions as it likes. */
static enum status check_source_regions(const struct cli *c, const struct pricebook *book,
                                        struct err *e)
{
    const struct yaml_node *list = c->config ? yaml_get(c->config, STR("sources")) : NULL;
    enum status s = OK;

    for (const struct yaml_node *f = list ? list->child : NULL; f && s == OK; f = f->next) {
        const struct yaml_node *region = yaml_get(f, STR("region"));
        if (region == NULL || yaml_get(f, STR("endpoint")) != NULL)
            continue;
        if (region->type != YAML_LIST)
            s = check_source_region(c, book, region, e);
        for (const struct yaml_node *r = region->child; r && s == OK; r = r->next)
            s = check_source_region(c, book, r, e);
    }
    return s;
}

static enum status check_regions(const struct cli *c, const struct cost_context *cc, struct err *e)
{
    enum status s = cc->is_region_said
                        ? cli_check_region(c, cc->book, cc->default_region, "default region", e)
                        : OK;

    if (s == OK)
        s = cli_check_region(c, cc->book, c->settings->region, "--region", e);
    if (s == OK)
        s = check_source_regions(c, cc->book, e);
    return s == OK ? fn_rules_check_regions(c, cc->book, e) : s;
}

const char cli_stale_prices[] =
    "the stored costs were priced before the configuration or the price book changed";

const char cli_older_lines[] =
    "the store holds lines read by an earlier fnscope, which refused or did not know some of them";
const char cli_older_lines_remedy[] = "import the logs into a fresh store (--store DIR)";

/* One request has one price: what is stored holds until `db reprice` makes it anew. */
static enum status check_stale(const struct cli *c, struct store *s, struct cost_context *cc,
                               struct err *e)
{
    uint64_t stored = 0;

    if (s == NULL)
        return OK;
    const enum status status = request_pricing(s, &stored, e);
    if (status != OK)
        return status;
    cc->keeps_stored =
        stored != 0 && ((stored ^ cost_fingerprint(cc)) & ~(uint64_t)PRICED_SAID) != 0;
    if (stored != 0 && !cc->keeps_stored) { /* who imported stated it for all readers */
        cc->is_region_said = cc->is_region_said || (stored & PRICED_REGION_SAID) != 0;
        cc->is_arch_said = cc->is_arch_said || (stored & PRICED_ARCH_SAID) != 0;
    }
    if (cc->keeps_stored && !c->settings->is_quiet)
        log_event(LOG_WARN, "%s: run `fnscope db reprice` with these settings", cli_stale_prices);
    return OK;
}

enum status cli_cost_begin(struct cli_cost *cost, struct store *s, struct err *e)
{
    cost->context.keeps_stored = false;
    return store_note_pricing(s, cost_fingerprint(&cost->context), e);
}

enum status cli_cost_open(const struct cli *c, struct store *s, struct cli_cost *out, struct err *e)
{
    struct cost_context cc = {
        .default_region = c->settings->default_region,
        .default_arch = (enum arch)(c->settings->default_arch + ARCH_X86_64),
        .is_region_said = opt_is_set(c->set, &c->settings->default_region),
        .is_arch_said = opt_is_set(c->set, &c->settings->default_arch),
    };
    struct fn_config_rows configs = {0};
    struct fn_filter all = {0};
    struct pricebook *book = NULL;
    struct str dir = {0};

    if (fn_rules_read(c, &cc, e) != OK)
        return ERR_CONFIG;
    if (s && request_configs(s, &all, c->arena, &configs, e) != OK)
        return err_wrap(e, "stored function configurations");
    if (cli_prices_dir(c, &dir, e) != OK)
        return err_wrap(e, "prices");
    if (pricebook_load(arena_strz(c->arena, dir), &book, e) != OK)
        return err_wrap(e, "prices");
    cc.configs = configs.rows;
    cc.n_configs = configs.n;
    cc.book = book;
    enum status status = check_regions(c, &cc, e);
    if (status == OK)
        status = check_stale(c, s, &cc, e);
    if (status != OK) {
        pricebook_free(book);
        return status;
    }
    struct cost_index *index = cost_index_new(configs.rows, configs.n);
    cc.index = index;
    *out = (struct cli_cost){.context = cc, .book = book, .index = index};
    return OK;
}

void cli_cost_clear(struct cli_cost *cost)
{
    cost_index_free(cost->index);
    cost->index = NULL;
    pricebook_free(cost->book);
    cost->book = NULL;
}

/* --- output --------------------------------------------------------------------------------------
 */

static int flush_table(void *ctx)
{
    return cli_flush(ctx);
}

struct table_out cli_table_out(struct cli *c)
{
    return (struct table_out){&c->out, (enum table_format)c->settings->format, flush_table, c};
}

void cli_print_table(struct cli *c, const struct table *t)
{
    table_print(t, (enum table_format)c->settings->format, true, &c->out);
}

enum status cli_own_form(const struct cli *c, const char *action, const char *form, struct err *e)
{
    if (opt_origin_of(c->set, &c->settings->format) != ORIGIN_FLAG)
        return OK;
    return err_set(e, ERR_USAGE, "%s takes no --format: it prints %s", action, form);
}

enum status cli_want_words(const struct cli *c, size_t min, size_t max, struct err *e)
{
    const char *usage = c->command->usage ? c->command->usage : "";

    if (c->words.count < min)
        return err_set(e, ERR_USAGE, "%s: something is missing: fnscope %s %s", c->command->name,
                       c->command->name, usage);
    if (c->words.count > max)
        return err_set(e, ERR_USAGE, "%s: unexpected word \"" STR_FMT "\": fnscope %s %s",
                       c->command->name, STR_ARG(c->words.items[max]), c->command->name, usage);
    return OK;
}

void cli_duration_cell(struct table *t, size_t column, int64_t ns)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    duration_format(&b, ns);
    struct str raw = arena_printf(t->arena, "%lld.%06lld", (long long)(ns / NS_PER_MS),
                                  (long long)(ns % NS_PER_MS));
    table_number(t, column, raw, arena_str(t->arena, buf_str(&b)));
}

void cli_time_cell(struct table *t, size_t column, int64_t t_ns)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    time_format(&b, t_ns, 3);
    table_text(t, column, arena_str(t->arena, buf_str(&b)));
}

void cli_money_cell(struct table *t, size_t column, wide pico, struct str currency)
{
    AUTO(buf_clear) struct buf raw = {.max = 64};
    AUTO(buf_clear) struct buf shown = {.max = 64};
    money m = 0;

    assert(t->arena);
    wide_format_scaled(&raw, pico, 12);
    if (money_narrow(pico, &m, NULL) == OK)
        money_format_short(&shown, m, currency);
    table_money(t, column, arena_str(t->arena, buf_str(&raw)),
                arena_str(t->arena, buf_str(&shown)));
}

void cli_cost_cells(struct table *t, struct usd_columns at, wide pico, const struct fn_ref *fn)
{
    struct table_cell *usd = &t->cells[(t->n_rows - 1) * t->n_columns + at.usd];

    cli_money_cell(t, at.usd, pico, fn_currency(fn));
    if (fn_is_usd(fn))
        return;
    if (at.cny < t->n_columns)
        cli_money_cell(t, at.cny, pico, fn_currency(fn));
    table_null_shown(t, at.usd, usd->shown);
}

/* --- output --- */

static int fail_to_write(struct cli *c, int number)
{
    c->is_reader_gone = number == EPIPE;
    if (!c->is_reader_gone)
        fprintf(stderr, "fnscope: standard output: %s\n", strerror(number));
    return 1;
}

int cli_flush(struct cli *c)
{
    struct str rest = buf_str(&c->out);
    bool was_full = c->out.is_full;

    if (c->is_reader_gone)
        return 1;
    while (rest.n > 0) {
        ssize_t n = write(STDOUT_FILENO, rest.p, rest.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_to_write(c, errno);
        rest = str_skip(rest, (size_t)n);
    }
    buf_reset(&c->out);
    if (!was_full)
        return 0;
    fprintf(stderr, "fnscope: the result is larger than 1 GiB: narrow the range\n");
    return 1;
}

enum status cli_want_trace(struct cli *c, struct str text, struct err *e)
{
    if (text.n == 0 || trace_id_parse(text, c->arena).n > 0)
        return OK;
    return err_set(e, ERR_USAGE,
                   "--trace: \"" STR_FMT
                   "\" is no trace id such as 1-6b0c997e-..., Root=1-... or a "
                   "traceparent",
                   STR_ARG(text));
}
