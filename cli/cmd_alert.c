/* fnscope alert list|check|ack|silence|unsilence|silences|messages|episodes|rules|signals|test:
 * what is wrong, who was told, and what people say to it. */
#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/alert_give.h"
#include "cli/alert_orders.h"
#include "cli/alert_tables.h"
#include "cli/watch.h"
#include "collector/control.h"
#include "core/base/log.h"
#include "core/base/safe_text.h"
#include "core/base/timefmt.h"

struct alert_settings {
    bool is_all, sends;
    struct str rule, name, by, comment, state;
    int64_t span_ns;
};

#define AT(member) offsetof(struct alert_settings, member)

/* clang-format off */
static const struct opt_def alert_defs[] = {
    { .flag = "all", .letter = 'a', .type = OPT_BOOL, .offset = AT(is_all),
      .help = "also inactive alerts, silences that have ended, messages that were sent" },
    { .flag = "rule", .type = OPT_STRING, .offset = AT(rule), .value_name = "GLOB",
      .help = "only, or silence, rules whose name matches" },
    { .flag = "name", .type = OPT_STRING, .offset = AT(name), .value_name = "GLOB",
      .help = "only, or silence, functions, queues and sources whose name matches" },
    { .flag = "for", .type = OPT_DURATION, .offset = AT(span_ns), .default_text = "2h",
      .help = "how long a silence holds" },
    { .flag = "by", .type = OPT_STRING, .offset = AT(by), .value_name = "NAME",
      .help = "who acknowledges or silences; default $USER" },
    { .flag = "comment", .type = OPT_STRING, .offset = AT(comment), .value_name = "TEXT",
      .help = "why" },
    { .flag = "send", .type = OPT_BOOL, .offset = AT(sends),
      .help = "check: also store the alerts and tell the notifiers, for a store without a collector" },
    { 0 },
};
/* clang-format on */

static int exit_of(enum status s)
{
    return s == ERR_USAGE || s == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}

static bool is_any_firing(const struct alert *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].state == ALERT_FIRING)
            return true;
    return false;
}

static struct subject_filter subjects(const struct cli *c)
{
    const struct alert_settings *set = c->options;
    struct subject_filter f = {.of = cli_filter(c)};

    if (set->name.n > 0)
        f.of.name_glob = set->name;
    return f;
}

/* --- looking --- */

/* An alert that is not there says nothing while nobody looks. */
static void say_unwatched(struct cli *c, struct store *s)
{
    struct str gap = {0};

    if (watch_gap_load(s, clock_now(&c->clock), c->arena, &gap, NULL) == OK && gap.n > 0)
        fprintf(stderr,
                "fnscope alert: " STR_FMT
                ": this is how alerts stood then; fnscope alert check looks at them now\n",
                STR_ARG(gap));
}

static int list_alerts(struct cli *c, struct err *e)
{
    AUTO(cli_close_store) struct store *s = NULL;
    const struct alert_settings *set = c->options;
    const struct alert_request q = {
        .state_mask = set->is_all ? UINT32_MAX : 0, .rule_glob = set->rule, .subject = subjects(c)};
    struct alert_rows r;

    if (cli_open_store(c, true, &s, e) != OK || request_alerts(s, &q, c->arena, &r, e) != OK)
        return EXIT_FAILED;
    alert_table(c, r.rows, r.n, clock_now(&c->clock));
    say_unwatched(c, s);
    return is_any_firing(r.rows, r.n) ? EXIT_CONDITION : EXIT_DONE;
}

static int list_episodes(struct cli *c, struct err *e)
{
    AUTO(cli_close_store) struct store *s = NULL;
    const struct subject_filter f = subjects(c);
    struct alert_rows r;
    struct range range;

    if (cli_open_store(c, true, &s, e) != OK)
        return EXIT_FAILED;
    if (cli_range(c, s, 7 * NS_PER_DAY, &range, e) != OK)
        return exit_of(e->code);
    if (request_episodes(s, range, &f, c->arena, &r, e) != OK)
        return EXIT_FAILED;
    alert_table(c, r.rows, r.n, clock_now(&c->clock));
    return EXIT_DONE;
}

static int list_silences(struct cli *c, struct err *e)
{
    AUTO(cli_close_store) struct store *s = NULL;
    const struct alert_settings *set = c->options;
    struct silence_rows r;

    if (cli_open_store(c, true, &s, e) != OK ||
        request_silences(s, clock_now(&c->clock), set->is_all, c->arena, &r, e) != OK)
        return EXIT_FAILED;
    silence_table(c, r.rows, r.n);
    return EXIT_DONE;
}

static int list_messages(struct cli *c, struct err *e)
{
    AUTO(cli_close_store) struct store *s = NULL;
    const struct alert_settings *set = c->options;
    const struct outbox_request q = {
        .status_mask = set->is_all ? 0 : ~(1u << OUTBOX_SENT),
        .due_ns = INT64_MAX,
    };
    struct outbox_rows r;

    if (cli_open_store(c, true, &s, e) != OK || request_outbox(s, &q, c->arena, &r, e) != OK)
        return EXIT_FAILED;
    message_table(c, r.rows, r.n);
    return EXIT_DONE;
}

static int list_rules(struct cli *c, struct err *e)
{
    struct alert_config k;

    if (alert_config_read(c, &k, e) != OK)
        return EXIT_USAGE;
    rule_table(c, &k);
    return EXIT_DONE;
}

static int list_signals(struct cli *c, struct err *e)
{
    UNUSED(e);
    signal_table(c);
    return EXIT_DONE;
}

/* --- checking --- */

/* Data that nobody collects is looked at as of its end: what was wrong then is still of interest.
 */
static enum status check_time(const struct cli *c, struct store *s, int64_t *now_ns, struct err *e)
{
    struct ingest_status st;
    struct source_rows sources;

    *now_ns = c->settings->until_ns ? c->settings->until_ns : clock_now(&c->clock);
    if (c->settings->until_ns != 0 || c->settings->clock_ns != 0)
        return OK;
    enum status status = request_sources(s, c->arena, &sources, e);
    if (status == OK && sources.n == 0)
        status = request_status(s, c->arena, &st, e);
    if (status == OK && sources.n == 0 && st.last_ns > 0 && st.last_ns + NS_PER_MIN < *now_ns)
        *now_ns = st.last_ns + NS_PER_MIN;
    return status;
}

/* Leaves of what was found the rules that were asked for. */
static void keep_named(const struct cli *c, struct alert_verdicts *v)
{
    const struct alert_settings *set = c->options;
    struct alert *rows = arena_new(c->arena, struct alert, v->n_current + 1);
    size_t n = 0;

    for (size_t i = 0; i < v->n_current; i++)
        if (set->rule.n == 0 || str_glob(set->rule, v->current[i].rule))
            rows[n++] = v->current[i];
    v->current = rows;
    v->n_current = n;
}

static enum status want_rule(const struct cli *c, const struct alert_config *k, struct err *e)
{
    const struct alert_settings *set = c->options;

    for (size_t i = 0; i < k->n_rules; i++)
        if (str_glob(set->rule, k->rules[i].name))
            return OK;
    return set->rule.n == 0 ? OK
                            : err_set(e, ERR_USAGE,
                                      "alert check: no rule matches --rule " STR_FMT
                                      "; `fnscope alert rules` lists them",
                                      STR_ARG(set->rule));
}

static void print_verdict(struct cli *c, const struct alert_verdicts *v, int64_t now_ns)
{
    AUTO(buf_clear) struct buf at = {.max = 64};

    if (c->settings->format != TABLE_TEXT || c->settings->is_quiet)
        return;
    time_format(&at, now_ns, 0);
    buf_addf(&c->out, "as of " STR_FMT ": %zu looked at, %zu to tell\n", STR_ARG(buf_str(&at)),
             v->n_looked_at, v->n_current);
}

static void print_current(struct cli *c, const struct alert_verdicts *v, int64_t now_ns)
{
    if (v->n_current > 0 || c->settings->format != TABLE_TEXT)
        alert_table(c, v->current, v->n_current, now_ns);
}

#define SEND_TIMEOUT_NS (30 * NS_PER_SEC)

/* As a collector does it, once. The clock is the real one but where the user fixed it. */
static enum status send_now(struct cli *c, struct store *s, const struct alert_config *k,
                            struct err *e)
{
    struct watch w;
    enum status status = watch_open(&w, s, k, c->clock, false, e);

    if (status != OK)
        return status;
    status = watch_step(&w, true, e);
    if (status == OK)
        status = watch_drain(&w, SEND_TIMEOUT_NS, e);
    watch_close(&w);
    return status;
}

static int check_alerts(struct cli *c, struct err *e)
{
    AUTO(cli_close_store) struct store *s = NULL;
    const struct alert_settings *set = c->options;
    struct alert_config k;
    struct alert_verdicts v;
    int64_t now_ns = 0;

    if (alert_config_read(c, &k, e) != OK || want_rule(c, &k, e) != OK)
        return EXIT_USAGE;
    if (cli_open_store(c, !set->sends, &s, e) != OK || check_time(c, s, &now_ns, e) != OK)
        return exit_of(e->code);
    if (set->sends && c->settings->until_ns == 0)
        c->clock = c->settings->clock_ns ? c->clock : clock_system();
    if (set->sends && send_now(c, s, &k, e) != OK)
        return EXIT_FAILED;
    if (set->sends)
        now_ns = clock_now(&c->clock);
    if (alerts_evaluate(&k.set, s, now_ns, c->arena, &v, e) != OK)
        return EXIT_FAILED;
    keep_named(c, &v);
    print_verdict(c, &v, now_ns);
    print_current(c, &v, now_ns);
    return is_any_firing(v.current, v.n_current) ? EXIT_CONDITION : EXIT_DONE;
}

/* --- telling --- */

static bool has_own_form(const struct cli *c, const char *action, struct err *e)
{
    return cli_own_form(c, action, "one line of text", e) == OK;
}

/* One line, so that it can stand in an order. */
static struct str one_line(struct cli *c, struct str s)
{
    AUTO(buf_clear) struct buf b = {.max = 4096};

    safe_text(&b, s, SAFE_KEEP_NONE);
    return arena_str(c->arena, buf_str(&b));
}

static struct str who(struct cli *c)
{
    const struct alert_settings *set = c->options;
    const char *user = getenv("USER");

    return one_line(c, set->by.n > 0 ? set->by : str_from(user ? user : "somebody"));
}

static int run_order(struct cli *c, struct str order, struct err *e)
{
    enum status status = alert_give(c, order, &c->out, e);

    return status == OK ? EXIT_DONE : exit_of(status);
}

static int acknowledge(struct cli *c, struct err *e)
{
    if (cli_want_words(c, 2, 2, e) != OK || !has_own_form(c, "alert ack", e))
        return EXIT_USAGE;
    return run_order(c,
                     arena_printf(c->arena, "alert ack\n" STR_FMT "\n" STR_FMT,
                                  STR_ARG(one_line(c, c->words.items[1])), STR_ARG(who(c))),
                     e);
}

/* A slip of the pen would leave the alert as loud as it is. The collector may have other rules than
 * this configuration, so it is said and not refused. */
static void warn_of_unknown_rule(struct cli *c, struct str glob)
{
    struct alert_config k;
    struct err e = {0};

    if (glob.n == 0 || alert_config_read(c, &k, &e) != OK)
        return;
    const char **names = arena_new(c->arena, const char *, k.n_rules + 1);
    for (size_t i = 0; i < k.n_rules; i++) {
        if (str_glob(glob, k.rules[i].name))
            return;
        names[i] = arena_strz(c->arena, k.rules[i].name);
    }
    const struct str near = opt_suggest(glob, names);
    log_event(LOG_WARN,
              "--rule " STR_FMT ": no rule of this configuration matches%s" STR_FMT
              "%s; `fnscope alert rules` lists them",
              STR_ARG(glob), near.n > 0 ? "; did you mean " : "", STR_ARG(near),
              near.n > 0 ? "?" : "");
}

static int silence_alerts(struct cli *c, struct err *e)
{
    const struct alert_settings *set = c->options;
    const struct fn_filter of = subjects(c).of;
    const struct silence s = {
        .rule_glob = one_line(c, set->rule),
        .name_glob = one_line(c, of.name_glob),
        .account = one_line(c, of.account),
        .region = one_line(c, of.region),
        .until_ns =
            c->settings->until_ns ? c->settings->until_ns : clock_now(&c->clock) + set->span_ns,
        .by = who(c),
        .comment = one_line(c, set->comment),
    };

    if (s.rule_glob.n + s.name_glob.n + s.account.n + s.region.n == 0) {
        err_set(e, ERR_USAGE,
                "alert silence: --rule, --name, --account or --region says what is to be silent");
        return EXIT_USAGE;
    }
    if (!has_own_form(c, "alert silence", e))
        return EXIT_USAGE;
    warn_of_unknown_rule(c, set->rule);
    return run_order(c, alert_silence_order(c->arena, &s), e);
}

static int unsilence(struct cli *c, struct err *e)
{
    if (cli_want_words(c, 2, 2, e) != OK || !has_own_form(c, "alert unsilence", e))
        return EXIT_USAGE;
    return run_order(c,
                     arena_printf(c->arena, "alert unsilence\n" STR_FMT,
                                  STR_ARG(one_line(c, c->words.items[1]))),
                     e);
}

static bool test_one(struct cli *c, const struct alert_config *k, const struct notify_env *env,
                     struct str name, struct table *t)
{
    struct outbox_entry m = alert_test_message(c->arena, name, k->set.reach, env->now_ns);

    notify_deliver(k->notifiers, k->n_notifiers, env, &m);
    if (c->settings->format != TABLE_TEXT) {
        table_row(t);
        table_text(t, 0, name);
        table_bool(t, 1, m.status == OUTBOX_SENT);
        table_text(t, 2, m.error);
        return m.status == OUTBOX_SENT;
    }
    safe_text(&c->out, name, SAFE_KEEP_NONE);
    buf_addf(&c->out, ": %s",
             m.status != OUTBOX_SENT ? "not told: "
             : m.error.n > 0         ? "told, "
                                     : "told");
    safe_text(&c->out, m.error, SAFE_KEEP_NONE);
    buf_add_c(&c->out, '\n');
    return m.status == OUTBOX_SENT;
}

static int test_notifiers(struct cli *c, struct err *e)
{
    struct http http = http_curl(NULL);
    struct mailer mailer = smtp_curl(NULL);
    const struct notify_env env = {
        .http = &http, .mailer = &mailer, .now_ns = clock_now(&c->clock), .arena = c->arena};
    static const struct table_column columns[] = {
        {.name = "notifier"}, {.name = "is_told"}, {.name = "error"}};
    struct alert_config k;
    bool is_well = true;
    struct table t;

    if (alert_config_read(c, &k, e) != OK)
        return EXIT_USAGE;
    if (k.n_notifiers == 0) {
        err_set(e, ERR_CONFIG,
                "there is nothing to test: the configuration has no notify: section");
        return EXIT_USAGE;
    }
    table_init(&t, c->arena, columns, ARRAY_LEN(columns), "fnscope.alert_test", 1);
    for (size_t i = 1; i < c->words.count; i++)
        is_well = test_one(c, &k, &env, c->words.items[i], &t) && is_well;
    for (size_t i = 0; c->words.count == 1 && i < k.n_notifiers; i++)
        is_well = test_one(c, &k, &env, k.notifiers[i].name, &t) && is_well;
    if (c->settings->format != TABLE_TEXT)
        cli_print_table(c, &t);
    http_close(&http);
    mailer_close(&mailer);
    return is_well ? EXIT_DONE : EXIT_FAILED;
}

/* --- all --- */

static const struct {
    const char *name;
    size_t max_words;
    int (*run)(struct cli *c, struct err *e);
} actions[] = {
    {"list", 1, list_alerts},
    {"check", 1, check_alerts},
    {"ack", 2, acknowledge},
    {"silence", 1, silence_alerts},
    {"unsilence", 2, unsilence},
    {"silences", 1, list_silences},
    {"episodes", 1, list_episodes},
    {"messages", 1, list_messages},
    {"rules", 1, list_rules},
    {"signals", 1, list_signals},
    {"test", SIZE_MAX, test_notifiers},
};

static int run_alert(struct cli *c, struct err *e)
{
    const char *names[ARRAY_LEN(actions) + 1] = {0};

    if (cli_want_words(c, 1, SIZE_MAX, e) != OK)
        return EXIT_USAGE;
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        names[i] = actions[i].name;
        if (!str_eq(c->words.items[0], str_from(actions[i].name)))
            continue;
        if (cli_want_words(c, 1, actions[i].max_words, e) != OK)
            return EXIT_USAGE;
        return actions[i].run(c, e);
    }
    struct str near = opt_suggest(c->words.items[0], names);
    err_set(e, ERR_USAGE, "alert " STR_FMT ": no such action%s" STR_FMT "%s",
            STR_ARG(c->words.items[0]), near.n > 0 ? "; did you mean " : "", STR_ARG(near),
            near.n > 0 ? "?" : "; `fnscope help alert` lists them");
    return EXIT_USAGE;
}

const struct command cmd_alert = {
    .name = "alert",
    .summary = "what is wrong: list, check, acknowledge, silence, test alerts",
    .usage = "list|check|ack KEY|silence|unsilence ID|silences|episodes|messages|rules|signals|"
             "test [NAME...]",
    .description =
        "list shows the alerts a collector has stored. check looks at the data now, changes "
        "nothing, and needs no\n"
        "collector: a store that only ever imported files is looked at as of its newest data, or "
        "as of --until. Both\n"
        "end with status 3 when an alert fires.\n\n"
        "ack takes a firing alert, so that nobody is reminded of it; its key is in the list, and "
        "its first digits do.\n"
        "silence mutes what --rule and --name match, in --account and --region, for a time. Both "
        "are carried out by a\n"
        "running collector if there is one. test sends a harmless message to each "
        "notifier.\n\n"
        "rules lists the rules in force, signals what a rule can look at; fnscope.yaml(5) says "
        "how to write one.",
    .options = alert_defs,
    .options_size = sizeof(struct alert_settings),
    .examples = "fnscope alert check\tis anything wrong in what was imported?\n"
                "fnscope alert list\twhat fires now?\n"
                "fnscope alert ack 3f2a --by ann\tann is on it\n"
                "fnscope alert silence --name 'orders-*' --for 1h\twhile it is being repaired\n"
                "fnscope alert test\tdoes everybody hear us?\n",
    .run = run_alert,
};
