/* fnscope import: log files into the store. */
#include "cli/commands.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/common.h"
#include "cli/pipeline.h"
#include "cli/progress.h"
#include "cli/reprice.h"
#include "collector/control.h"
#include "collector/decode.h"
#include "core/base/log.h"
#include "core/base/sql.h"
#include "core/model/log_group.h"

struct import_settings {
    struct str account, region, function, log_group, log_stream, format;
    bool is_dry_run;
};

#define AT(member) offsetof(struct import_settings, member)

/* clang-format off */
static const struct opt_def import_defs[] = {
    { .flag = "region", .type = OPT_STRING, .offset = AT(region), .value_name = "REGION",
      .help = "region the logs are from, where they do not say it" },
    { .flag = "account", .type = OPT_STRING, .offset = AT(account), .value_name = "ID",
      .help = "account the logs are from, where they do not say it" },
    { .flag = "function", .letter = 'f', .type = OPT_STRING, .offset = AT(function), .value_name = "NAME",
      .help = "function the logs are from, where they do not say it" },
    { .flag = "log-group", .type = OPT_STRING, .offset = AT(log_group), .value_name = "GROUP",
      .help = "log group the logs are from, where they do not say it; also its ARN" },
    { .flag = "log-stream", .type = OPT_STRING, .offset = AT(log_stream), .value_name = "STREAM",
      .help = "log stream the logs are from, where they do not say it" },
    { .flag = "input-format", .type = OPT_STRING, .offset = AT(format), .value_name = "NAME",
      .default_text = "auto",
      .help = "auto, cloudwatch-json, tail, subscription, ndjson or text" },
    { .flag = "dry-run", .type = OPT_BOOL, .offset = AT(is_dry_run),
      .help = "decode and count, store nothing" },
    { 0 },
};
/* clang-format on */

/* The stop flag: the only thing a signal may touch. */
static atomic_bool stop_flag;

static void on_signal(int number)
{
    UNUSED(number);
    atomic_store(&stop_flag, true);
    signal(SIGINT, SIG_DFL); /* a second one of either kind ends the program at once */
    signal(SIGTERM, SIG_DFL);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static bool says_where(const struct cli *c)
{
    const struct import_settings *set = c->options;

    return set->region.n > 0 || set->account.n > 0 || set->function.n > 0 ||
           log_group_parse(set->log_group).region.n > 0;
}

static struct import_options make_options(const struct cli *c)
{
    const struct import_settings *set = c->options;
    const struct log_group_name group = log_group_parse(set->log_group);

    return (struct import_options){
        .paths = {c->words.items, c->words.count},
        .defaults = {.account = set->account.n > 0 ? set->account : group.account,
                     .region = set->region.n > 0 ? set->region : group.region,
                     .function = set->function,
                     .log_group = group.name,
                     .instance = set->log_stream,
                     .now_ns = clock_now(&c->clock)},
        .format = arena_strz(c->arena, set->format),
        .stop = &stop_flag,
    };
}

static bool is_known(const struct fn_ref *fns, size_t n, const struct fn_ref *f)
{
    size_t i = 0;

    while (i < n && !fn_eq(&fns[i], f))
        i++;
    return i < n;
}

/* A new function beside one of its name that is configured to be in another region. */
static enum status say_apart(struct cli *c, struct store *reader, const struct import_options *o,
                             struct err *e)
{
    const struct fn_places *places = &o->lookups.places;
    struct fn_ref *now = NULL;
    size_t n = 0;

    if (reader == NULL || request_known_fns(reader, c->arena, &now, &n, e) != OK)
        return reader == NULL ? OK : e->code;
    for (size_t i = 0; i < n; i++) {
        struct fn_ref without = now[i];
        without.region = (struct str){0};
        const struct str said = fn_places_region(places, &without);
        if (said.n > 0 && now[i].region.n > 0 && !str_eq(said, now[i].region) &&
            !is_known(o->known, o->n_known, &now[i]) && is_known(now, n, &without))
            log_event(LOG_WARN,
                      STR_FMT ": these logs are of " STR_FMT
                              ", what was stored without a region is "
                              "of " STR_FMT ", as functions: in the configuration says: they stay "
                              "two functions; fnscope db move corrects what is wrong",
                      STR_ARG(now[i].name), STR_ARG(now[i].region), STR_ARG(said));
    }
    return OK;
}

/* What the store and the configuration know of functions. */
static enum status know_functions(struct cli *c, struct store *reader, struct import_options *o,
                                  struct err *e)
{
    struct fn_ref *known = NULL;

    if (reader != NULL && request_known_fns(reader, c->arena, &known, &o->n_known, e) != OK)
        return e->code;
    o->known = known;
    o->lookups = pipeline_lookups(reader);
    return cli_fn_places(c, &o->lookups.places, e);
}

/* As `doctor` says it. */
static enum status say_older_lines(const struct cli *c, struct store *s, struct err *e)
{
    bool has_older = false;
    const enum status status = request_older_decoders(s, DECODERS_VERSION, &has_older, e);

    if (has_older && !c->settings->is_quiet)
        log_event(LOG_WARN, "%s: %s", cli_older_lines, cli_older_lines_remedy);
    return status;
}

static enum status begin_pipeline(struct cli *c, struct store *s, struct cli_cost *cost,
                                  struct pipeline *p, struct err *e)
{
    if (cli_cost_begin(cost, s, e) != OK || pipeline_open(p, s, &cost->context, e) != OK)
        return e->code;
    p->gathers_commits = true;
    return say_older_lines(c, s, e);
}

static enum status run_pipeline(struct cli *c, struct store *s, struct store *reader,
                                struct import_progress *result, struct err *e)
{
    AUTO(cli_cost_clear) struct cli_cost cost = {0};
    struct progress progress = {0};
    struct pipeline p = {0};
    struct import_options o = make_options(c);

    if (know_functions(c, reader, &o, e) != OK)
        return e->code;
    o.on_progress = progress_show;
    o.progress_ctx = &progress;
    progress_begin(&progress, c);
    progress.says_where = says_where(c);
    enum status status = cli_cost_open(c, reader, &cost, e);
    if (status == OK)
        status = cli_check_region(c, cost.book, o.defaults.region, "--region", e);
    if (status == OK)
        status = begin_pipeline(c, s, &cost, &p, e);
    if (status == OK)
        status = collector_import(&o, &pipeline_sink, &p, result, e);
    progress_end(&progress);
    if (status == OK && reader != NULL)
        status = reprice_moved(c, s, e);
    if (status == OK)
        status = say_apart(c, reader, &o, e);
    if ((status == OK || status == ERR_CANCELLED) && !c->settings->is_quiet)
        progress_summary(&progress, result, &p.samples, &c->out);
    if (status == OK && result->counts.events == 0 && result->counts.quarantined > 0)
        status = err_set(e, ERR_PARSE, "nothing could be read: %s: %s", p.samples.first[0].place,
                         p.samples.first[0].reason);
    pipeline_close(&p);
    return status;
}

/* An ARN says the region and account, too. */
static enum status check_group(const struct import_settings *set, struct err *e)
{
    const struct log_group_name group = log_group_parse(set->log_group);
    const struct {
        const char *flag;
        struct str flags, groups;
    } pairs[] = {{"--region", set->region, group.region},
                 {"--account", set->account, group.account}};

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        if (pairs[i].flags.n > 0 && pairs[i].groups.n > 0 &&
            !str_eq(pairs[i].flags, pairs[i].groups))
            return err_set(e, ERR_USAGE, "%s says " STR_FMT ", --log-group " STR_FMT, pairs[i].flag,
                           STR_ARG(pairs[i].flags), STR_ARG(pairs[i].groups));
    return OK;
}

/* "auto" or a decoder's name. */
static enum status check_format(struct str name, struct err *e)
{
    const char *names[16] = {"auto"};

    if (str_eq(name, STR("auto")) || decoder_find(name) != NULL)
        return OK;
    for (size_t i = 0; decoders[i] != NULL && i + 2 < ARRAY_LEN(names); i++)
        names[i + 1] = decoders[i]->name;
    struct str near = opt_suggest(name, names);
    return err_set(e, ERR_USAGE, "--input-format " STR_FMT ": no such format%s" STR_FMT "%s",
                   STR_ARG(name), near.n > 0 ? "; did you mean " : "", STR_ARG(near),
                   near.n > 0 ? "?" : "; fnscope help import lists them");
}

static enum status open_stores(struct cli *c, struct store **s, struct store **reader,
                               struct err *e)
{
    const struct import_settings *set = c->options;

    if (set->is_dry_run) {
        struct store_options null = {.url = STR("null:")};
        return store_open(&null, s, e);
    }
    sql_pool_pages();
    enum status status = cli_open_as_stored(c, false, s, e);
    return status == OK ? cli_open_as_stored(c, true, reader, e) : status;
}

/* What the collector kept aside for us is the newest that the store keeps aside. */
static void read_samples(struct cli *c, uint64_t quarantined, struct pipeline_samples *out)
{
    AUTO(cli_close_store) struct store *s = NULL;
    struct ingest_status st;

    if (quarantined == 0 || cli_open_store(c, true, &s, NULL) != OK ||
        request_status(s, c->arena, &st, NULL) != OK)
        return;
    for (size_t i = 0; i < st.n_quarantine && i < quarantined; i++)
        pipeline_sample(out, &st.quarantine[i]);
}

/* A collector holds the store: it reads the files for us. */
static enum status import_through_collector(struct cli *c, int fd, struct import_progress *result,
                                            struct err *e)
{
    struct pipeline_samples bad = {0};
    struct import_options o = make_options(c);
    struct progress progress = {0};

    progress_begin(&progress, c);
    progress.says_where = says_where(c);
    enum status s = control_import(fd, &o, result, e);
    close(fd);
    progress_end(&progress);
    if (s != OK || c->settings->is_quiet)
        return s;
    read_samples(c, result->counts.quarantined, &bad);
    progress_summary(&progress, result, &bad, &c->out);
    return OK;
}

static enum status import_here(struct cli *c, struct import_progress *result, struct err *e)
{
    AUTO(cli_close_store) struct store *s = NULL; /* closed last: only a writer ends a WAL */
    AUTO(cli_close_store) struct store *reader = NULL;
    enum status status = open_stores(c, &s, &reader, e);

    return status == OK ? run_pipeline(c, s, reader, result, e) : status;
}

static int run_import(struct cli *c, struct err *e)
{
    const struct import_settings *set = c->options;
    struct import_progress result = {0};
    enum status status;
    int fd = -1;

    if (cli_want_words(c, 1, SIZE_MAX, e) != OK || check_format(set->format, e) != OK ||
        check_group(set, e) != OK)
        return EXIT_USAGE;
    catch_signals();
    if (!set->is_dry_run &&
        control_connect(arena_strz(c->arena, cli_store_path(c)), &fd, NULL) == OK)
        status = import_through_collector(c, fd, &result, e);
    else
        status = import_here(c, &result, e);
    if (status == ERR_CANCELLED) {
        *e = (struct err){0};
        err_set(e, ERR_CANCELLED,
                "stopped; what was read is stored, run the same command again to go on");
        return EXIT_FAILED;
    }
    if (status != OK)
        return status == ERR_USAGE || status == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
    if (result.unreadable > 0) {
        err_set(e, ERR_IO, "%llu path%s could not be read; everything else is stored",
                (unsigned long long)result.unreadable, plural(result.unreadable, "", "s"));
        return EXIT_FAILED;
    }
    if (!c->settings->is_quiet && c->out_is_tty && c->settings->format == TABLE_TEXT)
        buf_add_z(&c->out, "Next: fnscope top\n");
    return EXIT_DONE;
}

static const char *const unused[] = {"since", "until", "provider", NULL};

const struct command cmd_import = {
    .unused = unused,
    .name = "import",
    .summary = "read exported logs into the store: files, folders, standard input",
    .usage = "FILE...|DIR|-",
    .description =
        "Reads logs of AWS Lambda and recognises by content what each file is: answers "
        "of aws logs\n"
        "filter-log-events and get-log-events, text of aws logs tail, records of "
        "subscription filters and\n"
        "Firehose, NDJSON (also of Fluent Bit, Filebeat, Vector, Datadog, Loki, "
        "Elasticsearch, Splunk, OTLP),\n"
        "text of sam logs and awslogs, rows of jq, plain text; compressed by gzip or zstd "
        "or not at all.\n\n"
        "Reading the same logs again changes nothing, so an interrupted import is "
        "finished by running it\n"
        "again. What cannot be decoded is kept aside and counted.\n\n"
        "Most logs do not say their region and account. A function that was stored "
        "without gets those that\n"
        "a later import says, with all that is stored of it, and is priced anew; "
        "fnscope db move corrects\n"
        "what was said wrongly. Where functions of one name are in several regions, say "
        "--region each time.",
    .options = import_defs,
    .options_size = sizeof(struct import_settings),
    .examples = "aws logs filter-log-events --log-group-name /aws/lambda/checkout > "
                "checkout.json\tget logs\n"
                "fnscope import checkout.json\tread them\n"
                "fnscope import --region eu-west-1 exports/\tread a folder of exports\n"
                "zcat old.log.gz | fnscope import --function mail -\tread standard input\n",
    .run = run_import,
};
