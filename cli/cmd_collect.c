/* fnscope collect: polls the configured sources into the store until it is told to end. */
#include "cli/commands.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/alert_config.h"
#include "cli/collect_plan.h"
#include "cli/common.h"
#include "cli/metrics_endpoint.h"
#include "cli/pipeline.h"
#include "cli/reprice.h"
#include "cli/settings.h"
#include "cli/source_names.h"
#include "collector/control.h"
#include "collector/source.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/supervisor.h"

#define PRUNE_EVERY_NS NS_PER_HOUR
#define COUNT_EVERY_NS (5 * NS_PER_MIN)

struct collect_settings {
    bool is_plan, is_policy, is_once;
    struct opt_list sources;
    int64_t commit_ns, report_ns;
    int64_t assumed_functions, assumed_queues;
    struct str metrics, token_file;
    int64_t metrics_functions;
};

#define AT(member) offsetof(struct collect_settings, member)

/* clang-format off */
static const struct opt_def collect_defs[] = {
    { .flag = "plan", .type = OPT_BOOL, .offset = AT(is_plan),
      .help = "print what a day of collecting would call and cost, make no call",
      .manual = "A source that would spend more than its budget: has a row that takes off what is held back, and says "
                "when in a day that begins and what, and which built-in alerts, see nothing new from then on." },
    { .flag = "policy", .type = OPT_BOOL, .offset = AT(is_policy),
      .help = "print the smallest IAM policy that allows its calls, make no call",
      .manual = "Where sources or their profiles assume roles, statement Read is the roles' and AssumeRoles is that of "
                "whoever has the keys; --source NAME prints what one source needs." },
    { .flag = "once", .type = OPT_BOOL, .offset = AT(is_once),
      .help = "read everything once, then end",
      .manual = "Ends with status 1 when a source, or a part of it, could not be read: what could be is stored. A call "
                "that is refused is not repeated, others for a minute." },
    { .flag = "source", .type = OPT_LIST, .offset = AT(sources), .value_name = "NAME",
      .help = "only this source of the configuration; may be repeated" },
    { .key = "collect.commit", .type = OPT_DURATION, .offset = AT(commit_ns), .default_text = "250ms",
      .help = "how long what was read may wait to be stored" },
    { .key = "collect.report", .type = OPT_DURATION, .offset = AT(report_ns), .default_text = "5s",
      .help = "how often the state of each source is stored" },
    { .key = "collect.metrics", .flag = "metrics", .type = OPT_STRING, .offset = AT(metrics),
      .value_name = "ADDRESS:PORT", .help = "serve /metrics for Prometheus there meanwhile: 127.0.0.1:9464",
      .manual = "Serves what fnscope metrics prints, and /healthz, as long as the collector runs. Only an address of "
                "this machine is accepted without a token: metrics name functions and costs. Port 0 takes any free "
                "one; the log says which." },
    { .key = "collect.metrics_token_file", .flag = "metrics-token-file", .type = OPT_STRING, .offset = AT(token_file),
      .value_name = "FILE", .help = "who asks for metrics must send the file's first line as bearer token" },
    { .key = "collect.metrics_functions", .flag = "metrics-functions", .type = OPT_INT, .offset = AT(metrics_functions),
      .default_text = "1000", .min = 1, .max = 1000000, .value_name = "N",
      .help = "show the busiest N functions there" },
    { .flag = "assume-functions", .type = OPT_INT, .offset = AT(assumed_functions), .default_text = "100",
      .min = 1, .max = 1000000, .value_name = "N", .help = "functions a pattern stands for, for --plan" },
    { .flag = "assume-queues", .type = OPT_INT, .offset = AT(assumed_queues), .default_text = "20",
      .min = 0, .max = 1000000, .value_name = "N", .help = "queues a pattern stands for, for --plan" },
    { 0 },
};
/* clang-format on */

/* What signals may touch. */
static atomic_bool collect_stop, collect_reload;

static void on_stop_signal(int number)
{
    atomic_store(&collect_stop, true);
    signal(number, SIG_DFL); /* a second one ends the program at once */
}

static void on_reload_signal(int number)
{
    UNUSED(number);
    atomic_store(&collect_reload, true);
}

static void catch_signals(void)
{
    struct sigaction stop = {.sa_handler = on_stop_signal};
    struct sigaction reload = {.sa_handler = on_reload_signal};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGHUP, &reload, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

/* --- the world of a source
 * -----------------------------------------------------------------------------------
 */

struct collecting {
    struct cli *c;
    struct store *store, *reader;
    struct cli_cost cost; /* read only while sources run */
    struct pipeline pipeline;
    struct alert_config alerts;
    struct watch watch;
    struct source_list sources;
    struct arena arena; /* of the cursors a run begins with */
    struct ingest_status known;
    struct map by_scope; /* "source\nscope" -> index into known.cursors */
    struct supervisor supervisor;
    atomic_bool halt;
    bool is_ready;
    int64_t pruned_ns;
    int64_t count_ns, counted_to_ns; /* the provider's counts: looked at next, told up to */
    struct err prune_err;
};

static struct str scope_key(struct arena *a, struct str source, struct str scope)
{
    return arena_printf(a, STR_FMT "\n" STR_FMT, STR_ARG(source), STR_ARG(scope));
}

/* Read once, before the threads start: afterwards nobody changes it. */
static enum status load_cursors(struct collecting *g, struct err *e)
{
    map_clear(&g->by_scope);
    arena_reset(&g->arena);
    enum status s = request_status(g->reader, &g->arena, &g->known, e);
    for (size_t i = 0; s == OK && i < g->known.n_cursors; i++) {
        const struct cursor *k = &g->known.cursors[i];
        *map_put(&g->by_scope, scope_key(&g->arena, k->source, k->scope), NULL) = i;
    }
    return s;
}

static bool find_cursor(void *ctx, struct str source, struct str scope, struct arena *a,
                        struct cursor *out)
{
    const struct collecting *g = ctx;
    const uint64_t *at = map_get(&g->by_scope, scope_key(a, source, scope));

    if (at != NULL)
        *out = g->known.cursors[*at];
    return at != NULL;
}

static enum status open_sources(struct collecting *g, struct err *e)
{
    enum status s = load_cursors(g, e);

    for (size_t i = 0; s == OK && i < g->sources.n; i++) {
        struct source_env env = {
            .clock = g->c->clock,
            .http = http_curl(&g->halt),
            .stop = &g->halt,
            .variable = collect_variable,
            .find_cursor = find_cursor,
            .cursor_ctx = g,
            .find_price = collect_find_price,
            .price_ctx = g->cost.book,
        };
        rng_seed_system(&env.rng);
        s = source_open(g->sources.items[i], &env, e);
    }
    return s;
}

/* A run of all sources knows which there are; one of --source does not. */
static enum status follow_names(const struct collecting *g, struct err *e)
{
    const struct collect_settings *set = g->c->options;

    return set->sources.count > 0 ? OK : source_names_follow(g->store, &g->sources, e);
}

static enum status forget_others(const struct collecting *g, struct err *e)
{
    const struct collect_settings *set = g->c->options;
    struct str *names = arena_new(g->c->arena, struct str, g->sources.n + 1);

    for (size_t i = 0; i < g->sources.n; i++)
        names[i] = g->sources.items[i]->name;
    return set->sources.count > 0 ? OK : store_keep_sources(g->store, names, g->sources.n, e);
}

static enum status parse_sources(struct cli *c, const struct yaml_node *root,
                                 struct source_list *out, struct err *e)
{
    const struct collect_settings *set = c->options;
    const struct yaml_node *sources = root != NULL ? yaml_get(root, STR("sources")) : NULL;

    return sources_parse(sources, c->config_name != NULL ? c->config_name : "configuration",
                         &set->sources, out, e);
}

/* --- running
 * ------------------------------------------------------------------------------------------------
 */

/* Old days go while the collector runs; the writer's thread owns the files. */
static void prune(struct collecting *g, int64_t now)
{
    int64_t keep = g->c->settings->retention_ns;
    uint64_t days = 0;

    if (keep <= 0 || (g->pruned_ns != 0 && now - g->pruned_ns < PRUNE_EVERY_NS))
        return;
    g->pruned_ns = now;
    if (store_prune(g->store, clock_now(&g->c->clock) - keep, &days, &g->prune_err) != OK)
        log_event(LOG_WARN, "retention: %s", g->prune_err.msg);
    else if (days > 0)
        log_event(LOG_INFO, "retention: %llu %s removed", (unsigned long long)days,
                  plural(days, "day", "days"));
}

/* What the provider counted and no log tells of: said again when there is something new to say. */
static void tell_counts(struct collecting *g)
{
    AUTO(arena_clear) struct arena a = {0};
    AUTO(cli_close_store) struct store *s = NULL;
    struct store_options o = {.url = store_path(g->store), .is_read_only = true};
    int64_t wall = clock_now(&g->c->clock);
    struct reconcile c = {0};
    struct err e = {0};

    enum status status = store_open(&o, &s, &e);
    if (status == OK)
        status = reconcile_load(s, (struct range){wall - NS_PER_DAY, wall}, NULL, &a, &c, &e);
    if (status != OK)
        log_event(LOG_WARN, "%s", e.msg);
    if (status != OK || c.until_ns == g->counted_to_ns)
        return;
    g->counted_to_ns = c.until_ns;
    struct str missing = reconcile_missing_text(&c, &a), untold = reconcile_errors_text(&c, &a);
    struct str scope = reconcile_scope_text(&c, &a);
    log_event(LOG_INFO, "reconcile: " STR_FMT, STR_ARG(scope));
    if (missing.n > 0) {
        struct str remedy = reconcile_missing_remedy(&c, &a);
        log_event(LOG_WARN, "reconcile: " STR_FMT ": " STR_FMT, STR_ARG(missing), STR_ARG(remedy));
    }
    if (untold.n > 0) {
        struct str remedy = reconcile_errors_remedy();
        log_event(LOG_WARN, "reconcile: " STR_FMT ": " STR_FMT, STR_ARG(untold), STR_ARG(remedy));
    }
}

static void on_tick(void *ctx, const struct batch_counts *so_far)
{
    struct collecting *g = ctx;
    struct clock clock = clock_system();
    char text[128];

    if (!g->is_ready) {
        g->is_ready = true;
        supervisor_say(&g->supervisor, STR("READY=1"));
    }
    int n = snprintf(text, sizeof(text), "STATUS=%llu %s, %llu of them repeats",
                     (unsigned long long)so_far->events, plural(so_far->events, "event", "events"),
                     (unsigned long long)so_far->repeats);
    int64_t now = clock_monotonic(&clock);
    if (n > 0 && g->supervisor.fd >= 0 && now / NS_PER_SEC % 10 == 0)
        supervisor_say(&g->supervisor, (struct str){text, (size_t)n});
    supervisor_alive(&g->supervisor, now);
    prune(g, now);
    if (now >= g->count_ns) {
        g->count_ns = now + COUNT_EVERY_NS;
        tell_counts(g);
    }
}

/* A single round that could not read everything has not done what it was to do. */
static enum status check_round(const struct source_list *l, struct err *e)
{
    AUTO(buf_clear) struct buf failed = {.max = 160};
    const struct source_status *first = NULL;
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++) {
        const struct source_status *s = &l->items[i]->status;
        if (s->failures == 0 && !source_is_partial(s))
            continue;
        first = first != NULL ? first : s;
        buf_addf(&failed, "%s" STR_FMT, n++ > 0 ? ", " : "", STR_ARG(s->name));
    }
    if (first == NULL)
        return OK;
    return err_set(e, ERR_IO, "%zu of %zu sources could not be read whole: " STR_FMT ": " STR_FMT,
                   n, l->n, STR_ARG(buf_str(&failed)), STR_ARG(first->error));
}

static enum status run_sources(struct collecting *g, struct control *control,
                               struct store *import_reader, struct err *e)
{
    const struct collect_settings *set = g->c->options;
    struct collect_options o = {
        .sources = g->sources.items,
        .n_sources = g->sources.n,
        .stop = &collect_stop,
        .reload = &collect_reload,
        .halt = &g->halt,
        .is_once = set->is_once,
        .commit_ns = set->commit_ns > 0 ? set->commit_ns : NS_PER_MS,
        .report_ns = set->report_ns,
        .control = control,
        .lookups = pipeline_lookups(import_reader),
        .on_tick = on_tick,
        .tick_ctx = g,
    };

    atomic_store(&g->halt, false);
    enum status s = cli_fn_places(g->c, &o.lookups.places, e);
    if (s == OK)
        s = follow_names(g, e);
    if (s == OK)
        s = open_sources(g, e);
    if (s == OK)
        s = forget_others(g, e);
    if (s == OK)
        s = collector_run(&o, &pipeline_sink, &g->pipeline, e);
    if (s == OK && set->is_once)
        s = check_round(&g->sources, e);
    for (size_t i = 0; i < g->sources.n; i++)
        source_close(g->sources.items[i]);
    return s;
}

/* Between two runs nobody else looks at the rules. */
static void renew_watch(struct collecting *g, const struct alert_config *fresh)
{
    struct err e = {0};

    watch_close(&g->watch);
    g->alerts = *fresh;
    if (watch_open(&g->watch, g->store, &g->alerts, g->c->clock, true, &e) == OK)
        return;
    log_event(LOG_ERROR, "reload: %s: nobody evaluates alerts", e.msg);
    g->pipeline.watch = NULL;
}

/* What a configuration says that is not an option of this run. */
struct renewal {
    struct source_list sources;
    struct alert_config alerts;
    struct cli_cost cost;
};

static enum status parse_all(struct collecting *g, struct renewal *r, struct err *e)
{
    enum status s = parse_sources(g->c, g->c->config, &r->sources, e);

    if (s != OK)
        return s;
    s = alert_config_read(g->c, &r->alerts, e);
    if (s == OK)
        s = cli_cost_open(g->c, g->reader, &r->cost, e);
    if (s == OK && (s = cli_cost_begin(&r->cost, g->store, e)) != OK)
        cli_cost_clear(&r->cost);
    if (s != OK)
        sources_free(&r->sources);
    return s;
}

/* Between two runs nothing is priced: what comes from now on is priced anew, what is stored keeps
 * its price. */
static void renew_all(struct collecting *g, const struct renewal *r)
{
    sources_free(&g->sources);
    g->sources = r->sources;
    cli_cost_clear(&g->cost);
    g->cost = r->cost;
    pipeline_price_with(&g->pipeline, &g->cost.context);
    renew_watch(g, &r->alerts);
    alert_config_warn(g->c, &g->alerts);
    g->pruned_ns = 0;
    log_event(LOG_INFO, "reload: sources=%zu rules=%zu notifiers=%zu", g->sources.n,
              g->alerts.n_rules, g->alerts.n_notifiers);
}

/* All that the configuration says, its settings included; what cannot be read now leaves all of it
 * as it was. What is open stays open: the store, the listener of metrics. */
static void reload(struct collecting *g)
{
    const struct cli before = *g->c;
    struct renewal fresh = {0};
    struct err e = {0};

    atomic_store(&collect_reload, false);
    supervisor_say(&g->supervisor, STR("RELOADING=1"));
    enum status s =
        settings_load(g->c, before.start.argc, before.start.argv, before.start.envp, &e);
    if (s == OK)
        s = parse_all(g, &fresh, &e);
    if (s == OK) {
        renew_all(g, &fresh);
    } else {
        *g->c = before;
        log_event(LOG_ERROR, "reload: %s: the old configuration goes on", e.msg);
    }
    g->is_ready = false;
}

static enum status run_until_stopped(struct collecting *g, struct err *e)
{
    const char *folder = arena_strz(g->c->arena, store_path(g->store));
    AUTO(cli_close_store) struct store *import_reader = NULL;
    struct control *control = NULL;
    enum status s = control_listen(folder, &control, e);

    if (s == OK)
        s = cli_open_as_stored(g->c, true, &import_reader, e);
    while (s == OK) {
        s = run_sources(g, control, import_reader, e);
        if (s != ERR_AGAIN || !atomic_load(&collect_reload))
            break;
        reload(g);
        *e = (struct err){0};
        s = OK;
    }
    supervisor_say(&g->supervisor, STR("STOPPING=1"));
    control_free(control);
    return s;
}

/* Nothing without --metrics. */
static enum status serve_metrics(const struct collecting *g, struct metrics_endpoint **out,
                                 struct err *e)
{
    const struct collect_settings *set = g->c->options;

    if (set->metrics.n == 0)
        return OK;
    const struct metrics_listen l = {set->metrics, set->token_file, (size_t)set->metrics_functions,
                                     g->store};
    enum status s = metrics_endpoint_open(g->c, &l, out, e);
    if (s == OK)
        s = metrics_endpoint_start(*out, e);
    if (s != OK)
        return err_wrap(e, "--metrics");
    struct str url = metrics_endpoint_url(*out);
    log_event(LOG_INFO, "metrics are served at " STR_FMT, STR_ARG(url));
    return OK;
}

static enum status collect(struct collecting *g, struct err *e)
{
    struct metrics_endpoint *metrics = NULL;
    enum status s = cli_open_store(g->c, false, &g->store, e);

    if (s == OK)
        store_collects(g->store);
    if (s == OK)
        s = cli_open_store(g->c, true, &g->reader, e);
    if (s == OK)
        s = cli_cost_open(g->c, g->reader, &g->cost, e);
    if (s == OK)
        s = cli_cost_begin(&g->cost, g->store, e);
    if (s == OK)
        s = reprice_moved(g->c, g->store, e);
    if (s == OK)
        s = pipeline_open(&g->pipeline, g->store, &g->cost.context, e);
    if (s != OK)
        return s;
    s = watch_open(&g->watch, g->store, &g->alerts, g->c->clock, true, e);
    if (s == OK) {
        g->pipeline.watch = &g->watch;
        supervisor_init(&g->supervisor);
        s = serve_metrics(g, &metrics, e);
        if (s == OK)
            s = run_until_stopped(g, e);
        if (s == OK)
            tell_counts(g);
        metrics_endpoint_close(metrics);
        supervisor_clear(&g->supervisor);
        watch_close(&g->watch);
    }
    pipeline_close(&g->pipeline);
    return s;
}

static int run_collect(struct cli *c, struct err *e)
{
    const struct collect_settings *set = c->options;
    struct collecting g = {.c = c};

    if (cli_want_words(c, 0, 0, e) != OK || parse_sources(c, c->config, &g.sources, e) != OK)
        return EXIT_USAGE;
    if (!set->is_plan && cli_own_form(c, set->is_policy ? "collect --policy" : "collect",
                                      set->is_policy ? "JSON, as IAM takes it"
                                                     : "nothing but its log; --plan has a table",
                                      e) != OK) {
        sources_free(&g.sources);
        return EXIT_USAGE;
    }
    if (set->is_plan || set->is_policy) {
        const struct collect_question q = {set->is_policy, set->assumed_functions,
                                           set->assumed_queues};
        int code = collect_tell(c, &g.sources, &q, e);
        sources_free(&g.sources);
        return code;
    }
    catch_signals();
    map_init(&g.by_scope);
    enum status s = alert_config_read(c, &g.alerts, e);
    if (s == OK) {
        alert_config_warn(c, &g.alerts);
        s = collect(&g, e);
    }
    sources_free(&g.sources);
    cli_cost_clear(&g.cost);
    map_clear(&g.by_scope);
    arena_clear(&g.arena);
    store_close(g.reader);
    store_close(g.store);
    if (s == OK)
        return EXIT_DONE;
    return s == ERR_CONFIG || s == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

const struct command cmd_collect = {
    .name = "collect",
    .summary = "read the configured sources into the store, all the time",
    .description =
        "Polls every source of the configuration's section sources: and stores what comes. It "
        "holds "
        "the store alone;\n"
        "fnscope import hands it files while it runs, and everything else reads beside it.\n\n"
        "Sources keep within a share of AWS's quotas and a daily budget; --plan says before the "
        "first call what a day\n"
        "costs. SIGTERM ends it when everything read is stored, SIGHUP reads the "
        "configuration anew,\n"
        "price books that were replaced included; the store and the address of /metrics stay. "
        "Killed at any moment it "
        "loses nothing and stores nothing twice: the next run goes on where the last commit "
        "was.\n\n"
        "While the disk is full, read-only or fails, or another program locks the database, it "
        "keeps what it read, stops\n"
        "reading more, tries again within seconds and says so: in its log, in /healthz and "
        "/metrics, in fnscope doctor and,\n"
        "after half a minute, to everyone under notify: (store-held).",
    .options = collect_defs,
    .options_size = sizeof(struct collect_settings),
    .examples = "fnscope collect --plan\twhat would a day cost?\n"
                "fnscope collect --policy\twhat must its role be allowed?\n"
                "fnscope collect\tcollect until Ctrl-C\n"
                "fnscope collect --once --source prod-eu\tread one source once\n",
    .run = run_collect,
};
