/* fnscope check: one line and an exit status as monitoring plugins give them (Nagios, Icinga,
 * Sensu): 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, with performance data behind a bar. */
#include "cli/commands.h"

#include "cli/alert_config.h"
#include "cli/common.h"
#include "core/base/safe_text.h"
#include "core/base/timefmt.h"

enum plugin_status { PLUGIN_OK, PLUGIN_WARNING, PLUGIN_CRITICAL, PLUGIN_UNKNOWN };

struct check_settings {
    struct str rule;
    int64_t max_age_ns;
};

#define AT(member) offsetof(struct check_settings, member)

/* clang-format off */
static const struct opt_def check_defs[] = {
    { .flag = "rule", .type = OPT_STRING, .offset = AT(rule), .value_name = "GLOB",
      .help = "only rules whose name matches" },
    { .flag = "max-age", .type = OPT_DURATION, .offset = AT(max_age_ns), .default_text = "15m",
      .help = "older data, and sources that do not answer, are UNKNOWN; 0s: any will do" },
    { 0 },
};
/* clang-format on */

struct tally {
    size_t n[ALERT_STATES];
    size_t critical;
    const struct alert *worst;
};

static struct tally count(const struct alert_verdicts *v, struct str rule_glob)
{
    struct tally t = {.worst = NULL};

    for (size_t i = 0; i < v->n_current; i++) {
        const struct alert *a = &v->current[i];
        if (rule_glob.n > 0 && !str_glob(rule_glob, a->rule))
            continue;
        t.n[a->state]++;
        if (a->state != ALERT_FIRING)
            continue;
        t.critical += a->severity == ALERT_CRITICAL;
        t.worst = t.worst ? t.worst : a; /* they come worst first */
    }
    return t;
}

static void print_line(struct cli *c, enum plugin_status status, const struct tally *t,
                       struct str what)
{
    static const char *const names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
    AUTO(buf_clear) struct buf safe = {.max = 4096};

    safe_text(&safe, what, SAFE_KEEP_NONE);
    for (size_t i = 0; i < safe.n; i++) /* a bar would begin the performance data */
        if (safe.p[i] == '|')
            safe.p[i] = '/';
    buf_addf(&c->out, "FNSCOPE %s - " STR_FMT, names[status], STR_ARG(buf_str(&safe)));
    buf_addf(&c->out, " | firing=%zu critical=%zu pending=%zu acknowledged=%zu silenced=%zu\n",
             t->n[ALERT_FIRING], t->critical, t->n[ALERT_PENDING], t->n[ALERT_ACKNOWLEDGED],
             t->n[ALERT_SILENCED]);
}

static struct str words_for(struct cli *c, const struct tally *t)
{
    if (!t->worst)
        return STR("no alert fires");
    if (t->n[ALERT_FIRING] == 1)
        return t->worst->summary;
    return arena_printf(c->arena, STR_FMT " and %zu more", STR_ARG(t->worst->summary),
                        t->n[ALERT_FIRING] - 1);
}

static int unknown(struct cli *c, struct str why)
{
    const struct tally none = {.worst = NULL};

    print_line(c, PLUGIN_UNKNOWN, &none, why);
    return PLUGIN_UNKNOWN;
}

/* Where nothing is read, nothing can fire: that is no OK. Empty: all sources are read. */
static enum status blind_spot(struct cli *c, struct store *s, int64_t now_ns, struct str *out,
                              struct err *e)
{
    struct source_gaps gaps = {0};
    const struct source_gap_request q = {.range = {0, now_ns}, .now_ns = now_ns};
    const enum collector_state state = store_collector(s);
    enum status status = OK;

    if (state == COLLECTOR_KILLED || state == COLLECTOR_HOLDS)
        status = watch_gap_load(s, now_ns, c->arena, out, e);
    if (status == OK && out->n == 0)
        status = source_gaps_load(s, &q, c->arena, &gaps, e);
    if (status != OK || gaps.n == 0)
        return status;
    struct str first = source_gap_text(&gaps.rows[0], c->arena);
    *out = gaps.n == 1
               ? first
               : arena_printf(c->arena, STR_FMT " and %zu more", STR_ARG(first), gaps.n - 1);
    return OK;
}

/* What went wrong is the line's text: a plugin speaks on standard output. */
static int run_check(struct cli *c, struct err *e)
{
    AUTO(cli_close_store) struct store *s = NULL;
    const struct check_settings *set = c->options;
    const int64_t now_ns = clock_now(&c->clock);
    struct err local = {0};
    struct alert_config k;
    struct alert_verdicts v;
    struct str blind = {0};

    if (cli_want_words(c, 0, 0, e) != OK)
        return PLUGIN_UNKNOWN;
    if (alert_config_read(c, &k, &local) != OK || cli_open_store(c, true, &s, &local) != OK ||
        alerts_evaluate(&k.set, s, now_ns, c->arena, &v, &local) != OK ||
        blind_spot(c, s, now_ns, &blind, &local) != OK)
        return unknown(c, str_from(local.msg));
    const struct tally t = count(&v, set->rule);
    const bool is_old = set->max_age_ns > 0 && now_ns - v.data_ns > set->max_age_ns;
    if (!t.worst && is_old)
        return unknown(c, STR("there is no fresh data: is a collector running?"));
    if (!t.worst && set->max_age_ns > 0 && blind.n > 0)
        return unknown(c, blind);
    const enum plugin_status status = t.critical > 0 ? PLUGIN_CRITICAL
                                      : t.worst      ? PLUGIN_WARNING
                                                     : PLUGIN_OK;
    print_line(c, status, &t, words_for(c, &t));
    return (int)status;
}

const struct command cmd_check = {
    .name = "check",
    .form = "the line that monitoring plugins print",
    .summary = "alerts as a monitoring plugin: one line, exit status 0 to 3",
    .description =
        "Looks at the data now, like alert check, and answers as plugins of Nagios, Icinga and "
        "Sensu do: status 0 OK,\n"
        "1 WARNING, 2 CRITICAL, 3 UNKNOWN, with performance data. This command alone has these "
        "statuses.",
    .options = check_defs,
    .options_size = sizeof(struct check_settings),
    .examples = "fnscope check --store /var/lib/fnscope\tis anything wrong?\n"
                "fnscope check --rule 'dlq-*'\tonly dead letters\n",
    .run = run_check,
};
