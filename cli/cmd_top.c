/* fnscope top: the dashboard, one frame of it, or its rows. */
#include "cli/commands.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/alert_give.h"
#include "cli/common.h"
#include "tui/tui.h"

struct top_settings {
    int view, theme, zone;
    bool is_once, is_accessible, is_ascii, has_mouse, is_readonly;
    struct str size, keys;
    int64_t refresh_ns, watch_ns;
};

#define AT(member) offsetof(struct top_settings, member)

/* clang-format off */
static const struct opt_def top_defs[] = {
    { .flag = "view", .type = OPT_CHOICE, .offset = AT(view), .choices = tui_view_names,
      .default_text = "overview", .help = "view to begin with" },
    { .flag = "once", .type = OPT_BOOL, .offset = AT(is_once), .help = "print one frame as text and end" },
    { .flag = "size", .type = OPT_STRING, .offset = AT(size), .value_name = "WxH", .default_text = "100x30",
      .help = "size of that frame" },
    { .flag = "keys", .type = OPT_STRING, .offset = AT(keys), .value_name = "KEYS",
      .help = "press these before it is printed: characters, <Enter>, <Esc>, <Tab>, <Down>",
      .manual = "Presses these before it is printed: characters, and names in angle brackets as ? shows "
                "them, <Enter>, <Esc>, <S-Tab>, <^U>. A < that no name and > follow is itself; <lt> is it "
                "anywhere: '/cost<0.001<Enter>', ';select 1 <lt> 2<Enter>'." },
    { .key = "top.refresh", .flag = "refresh", .type = OPT_DURATION, .offset = AT(refresh_ns),
      .default_text = "1s", .help = "how often to look for new data" },
    { .flag = "watch", .type = OPT_DURATION, .offset = AT(watch_ns), .default_text = "0s",
      .help = "with --once or --format: again and again, so far apart",
      .manual = "With --once or --format: prints again and again, this long apart, until it is "
                "interrupted or its reader is gone. Plain lines, no cursor movement: for a pipe, a "
                "log or a screen reader." },
    { .key = "top.accessible", .flag = "accessible", .type = OPT_BOOL, .offset = AT(is_accessible),
      .help = "lines of text instead of a screen, for screen readers",
      .manual = "Lines of text instead of a screen: no boxes, no charts, nothing is drawn over. Keys "
                "are typed and ended with Enter; changes are said as they come. Where TERM is dumb "
                "this is the way anyhow." },
    { .key = "top.ascii", .flag = "ascii", .type = OPT_BOOL, .offset = AT(is_ascii),
      .help = "draw with ASCII characters only" },
    { .key = "top.readonly", .flag = "readonly", .type = OPT_BOOL, .offset = AT(is_readonly),
      .help = "refuse orders about alerts" },
    { .key = "top.theme", .flag = "theme", .type = OPT_CHOICE, .offset = AT(theme),
      .choices = tui_theme_names, .default_text = "default", .help = "colours; F2 tries them" },
    { .key = "top.time_zone", .flag = "time-zone", .type = OPT_CHOICE, .offset = AT(zone),
      .choices = tui_zone_names, .default_text = "utc", .help = "how times are shown; T changes it",
      .manual = "How times are shown: in UTC, in the local zone (that of TZ, else the machine's), or as "
                "ages; T changes it, the title says it. A time typed behind : without a zone is in "
                "the zone shown. --since, --until and data (json, ndjson, csv, tsv, what x and Y "
                "give) stay in UTC, and so do the days of cost and reports: bills are by UTC days. The ways" },
    { .key = "top.mouse", .flag = "mouse", .type = OPT_BOOL, .offset = AT(has_mouse),
      .help = "take clicks and the wheel; M changes it" },
    { 0 },
};
/* clang-format on */

static enum status parse_size(struct str text, unsigned *width, unsigned *height, struct err *e)
{
    struct str h = text, w = str_cut(&h, 'x');
    uint64_t columns, lines;

    if (!str_to_u64(w, &columns) || !str_to_u64(h, &lines))
        return err_set(e, ERR_USAGE, "--size: \"" STR_FMT "\" is no size: write 120x40",
                       STR_ARG(text));
    if (columns < TUI_LEAST_WIDTH || lines < TUI_LEAST_HEIGHT || columns > 1000 || lines > 1000)
        return err_set(e, ERR_USAGE, "--size: from %ux%u to 1000x1000", TUI_LEAST_WIDTH,
                       TUI_LEAST_HEIGHT);
    *width = (unsigned)columns;
    *height = (unsigned)lines;
    return OK;
}

static bool is_interactive(const struct cli *c)
{
    const struct top_settings *set = c->options;

    return !set->is_once && !opt_is_set(c->set, &c->settings->format) &&
           isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

/* Without --since the dashboard is live, or shows the newest data where that ended long ago. */
static enum status top_range(struct cli *c, struct tui_options *o, struct err *e)
{
    o->range = (struct range){c->settings->since_ns, c->settings->until_ns};
    o->is_newest = o->range.since_ns == 0 && o->range.until_ns == 0;
    if (o->range.until_ns != 0 && cli_range(c, o->store, NS_PER_DAY, &o->range, e) != OK)
        return e->code;
    if (is_interactive(c))
        return OK; /* it waits for data, and its frame says what there is */
    struct range r = {o->range.since_ns, o->range.until_ns};
    r.until_ns = r.until_ns ? r.until_ns : clock_now(&c->clock);
    if (cli_say_if_no_function(c, o->store, e) != OK)
        return e->code;
    return cli_say_if_outside(c, o->store, r, e);
}

static int status_exit(const struct err *e)
{
    return e->code == ERR_USAGE || e->code == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}

/* What is left off is said: nobody must take a part for the whole. */
static enum status show_rows(struct cli *c, const struct tui_options *o, struct err *e)
{
    const struct top_settings *set = c->options;
    const struct table_out out = cli_table_out(c);
    bool is_more = false;
    const enum status s = tui_table(o, set->keys, &out, &is_more, e);

    if (s == OK && is_more)
        fprintf(stderr,
                "fnscope: there are more rows than a view holds: the others are left off; `fnscope "
                "query` and `fnscope logs` give all\n");
    return s;
}

static int show_once(struct cli *c, const struct tui_options *o, struct err *e)
{
    const struct top_settings *set = c->options;
    unsigned width = 0, height = 0;

    if (opt_is_set(c->set, &c->settings->format))
        return show_rows(c, o, e) == OK ? EXIT_DONE : status_exit(e);
    if (parse_size(set->size, &width, &height, e) != OK)
        return EXIT_USAGE;
    enum status st = tui_frame(o, set->keys, width, height, &c->out, e);
    return st == OK ? EXIT_DONE : st == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

/* Until it fails, nobody reads any more, or a signal ends the program. */
static int show_again(struct cli *c, const struct tui_options *o, struct err *e)
{
    const struct top_settings *set = c->options;
    const struct timespec pause = {.tv_sec = set->watch_ns / NS_PER_SEC,
                                   .tv_nsec = (long)(set->watch_ns % NS_PER_SEC)};

    for (;;) {
        int rc = show_once(c, o, e);
        if (rc != EXIT_DONE)
            return rc;
        if (cli_flush(c) != 0)
            return EXIT_DONE;
        nanosleep(&pause, NULL);
    }
}

static bool is_dumb_terminal(void)
{
    const char *term = getenv("TERM");

    return term && strcmp(term, "dumb") == 0 && isatty(STDIN_FILENO) == 1 &&
           isatty(STDOUT_FILENO) == 1;
}

static int show(struct cli *c, const struct tui_options *o, struct err *e)
{
    const struct top_settings *set = c->options;

    if (!set->is_once && !opt_is_set(c->set, &c->settings->format)) {
        enum status st = set->is_accessible || is_dumb_terminal() ? tui_speak(o, e) : tui_run(o, e);
        return st == OK ? EXIT_DONE : status_exit(e);
    }
    return set->watch_ns > 0 ? show_again(c, o, e) : show_once(c, o, e);
}

/* no-color.org: present and not empty. */
static bool env_is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0';
}

static enum status give_order(void *ctx, struct str order, struct buf *reply, struct err *e)
{
    return alert_give(ctx, order, reply, e);
}

/* The dashboard may be opened before the first import: it waits. Whatever asks once is told at
 * once that there is nothing. */
static enum status open_when_there(struct cli *c, struct store **s, struct err *e)
{
    static const struct timespec pause = {.tv_nsec = 300 * NS_PER_MS};
    enum status status = cli_open_store(c, true, s, e);

    if (status != ERR_NOT_FOUND || !is_interactive(c))
        return status;
    fprintf(stderr,
            "There is no store at %s yet: the dashboard opens when an import or a collector makes "
            "one. Ctrl-C ends.\n",
            arena_strz(c->arena, cli_store_path(c)));
    while (status == ERR_NOT_FOUND) {
        nanosleep(&pause, NULL);
        *e = (struct err){0};
        status = cli_open_store(c, true, s, e);
    }
    return status;
}

static int run_top(struct cli *c, struct err *e)
{
    const struct top_settings *set = c->options;
    AUTO(cli_cost_clear) struct cli_cost cost = {0};
    AUTO(cli_close_store) struct store *s = NULL;
    struct tui_options o = {
        .clock = c->clock,
        .filter = cli_filter(c),
        .view = tui_view_names[set->view],
        .refresh_ns = set->refresh_ns,
        .theme = (enum tui_theme)set->theme,
        .has_mouse = set->has_mouse,
        .zone = (enum tui_zone)set->zone,
        .alert_order = set->is_readonly ? NULL : give_order,
        .alert_ctx = c,
        .user = getenv("USER"),
        .reach = cli_reach(c),
        .no_color = c->settings->no_color || c->settings->color == 2 || env_is_set("NO_COLOR"),
        .is_ascii = set->is_ascii || (!set->is_once && strcmp(nl_langinfo(CODESET), "UTF-8") != 0),
    };

    if (cli_want_words(c, 0, 1, e) != OK)
        return EXIT_USAGE;
    if (c->words.count > 0)
        o.id = c->words.items[0];
    if (open_when_there(c, &s, e) != OK || cli_cost_open(c, s, &cost, e) != OK)
        return status_exit(e);
    o.store = s;
    if (top_range(c, &o, e) != OK)
        return status_exit(e);
    o.cost = &cost.context;
    return show(c, &o, e);
}

const struct command cmd_top = {
    .name = "top",
    .summary = "the dashboard: functions, invocations, errors, cold starts, cost, log",
    .usage = "[REQUEST-ID]",
    .description =
        "Opens the dashboard over the store; ? in it lists the keys. It follows an import or a "
        "collector that\n"
        "writes meanwhile. With --once it prints one frame, with --format the rows of a view.",
    .options = top_defs,
    .options_size = sizeof(struct top_settings),
    .examples =
        "fnscope top\tthe dashboard\n"
        "fnscope top --since 2026-01-15 --until 2026-01-16\tone day of the past\n"
        "fnscope top --once --size 120x40 --view functions\tone frame as text\n"
        "fnscope top --once --view errors --keys '<Enter>'\tthe attempts of the first error\n"
        "fnscope top --view cost -o json\tthe same rows for a program\n"
        "fnscope top --view functions -o ndjson --watch 5s\tthe same every five seconds\n"
        "fnscope top --accessible\tthe dashboard as lines of text\n",
    .run = run_top,
};
