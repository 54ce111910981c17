/* Times as people see them: in UTC, in local time, or as ages. The one place of tui/ that writes a
 * time and reads one; what leaves the program as data stays in UTC. */
#include "core/base/timefmt.h"
#include "core/base/zone.h"
#include "tui/view.h"

const char *const tui_zone_names[] = {"utc", "local", "relative", NULL};

static struct zone_at zone_of(const struct app *app, int64_t t_ns)
{
    return app->zone == ZONE_LOCAL ? zone_local(t_ns) : (struct zone_at){.name = "UTC"};
}

/* "Z", "+01", "+05:45". */
static void add_offset(struct buf *b, int64_t offset_ns)
{
    const int64_t minutes = (offset_ns < 0 ? -offset_ns : offset_ns) / NS_PER_MIN;

    if (minutes == 0) {
        buf_add_c(b, 'Z');
        return;
    }
    buf_addf(b, "%c%02lld", offset_ns < 0 ? '-' : '+', (long long)(minutes / 60));
    if (minutes % 60 != 0)
        buf_addf(b, ":%02lld", (long long)(minutes % 60));
}

struct str view_utc(struct arena *a, int64_t t_ns)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    time_format(&b, t_ns, 3);
    return arena_str(a, buf_str(&b));
}

struct str view_time(const struct app *app, struct arena *a, int64_t t_ns, enum time_form form)
{
    /* Which letters of 2026-01-15T12:00:00.000 each form has. */
    static const struct {
        size_t from, n;
    } cuts[TIME_FORMS] = {
        [TIME_WHOLE] = {0, 23},  [TIME_SECOND] = {0, 19},       [TIME_MINUTE] = {0, 16},
        [TIME_DAY] = {0, 10},    [TIME_IN_YEAR] = {5, 14},      [TIME_DAY_MINUTE] = {5, 11},
        [TIME_CLOCK] = {11, 12}, [TIME_CLOCK_MINUTE] = {11, 5},
    };
    const struct zone_at z = zone_of(app, t_ns);
    AUTO(buf_clear) struct buf b = {.max = 64};

    time_format(&b, t_ns + z.offset_ns, 3);
    if (form == TIME_DAY_MINUTE)
        b.p[10] = ' ';
    if (form != TIME_WHOLE)
        return arena_str(a, str_sub(buf_str(&b), cuts[form].from, cuts[form].n));
    b.n = cuts[form].n;
    add_offset(&b, z.offset_ns);
    return arena_str(a, buf_str(&b));
}

/* Whole units: "3m ago" is what a person asks for. */
struct str view_ago(const struct app *app, struct arena *a, int64_t t_ns)
{
    static const struct {
        int64_t ns;
        const char *unit;
    } units[] = {{NS_PER_DAY, "d"}, {NS_PER_HOUR, "h"}, {NS_PER_MIN, "m"}, {NS_PER_SEC, "s"}};
    int64_t away = clock_now(&app->options->clock) - t_ns;
    int64_t size = away < 0 ? -away : away;

    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (size >= 2 * units[i].ns || (i + 1 == ARRAY_LEN(units) && size >= units[i].ns))
            return arena_printf(a, away < 0 ? "in %lld%s" : "%lld%s ago",
                                (long long)(size / units[i].ns), units[i].unit);
    return STR("now");
}

struct str view_when(const struct app *app, struct arena *a, int64_t t_ns, enum time_form form)
{
    return app->zone == ZONE_RELATIVE ? view_ago(app, a, t_ns) : view_time(app, a, t_ns, form);
}

struct str view_range(const struct app *app, struct arena *a, struct range r)
{
    return arena_printf(a, STR_FMT " to " STR_FMT,
                        STR_ARG(view_time(app, a, r.since_ns, TIME_MINUTE)),
                        STR_ARG(view_time(app, a, r.until_ns, TIME_MINUTE)));
}

/* The clocks change in the range: an hour may come twice. */
static bool has_change(const struct app *app)
{
    const struct range r = app->data.range;

    return zone_of(app, r.since_ns).offset_ns != zone_of(app, r.until_ns).offset_ns;
}

void view_zone(const struct app *app, struct buf *out)
{
    const struct range r = app->data.range;
    const struct zone_at since = zone_of(app, r.since_ns), until = zone_of(app, r.until_ns);

    if (has_change(app))
        buf_addf(out, "%s/", since.name);
    buf_add_z(out, until.name);
    buf_add_z(out, app->zone == ZONE_RELATIVE ? ", ages" : "");
}

/* --- tables --- */

void cell_time(struct table *t, size_t column, int64_t t_ns)
{
    table_text(t, column, view_utc(t->arena, t_ns));
}

/* What cell_time wrote, or a statement of SQL found. */
bool view_cell_is_time(const struct table *t, size_t column, const struct table_cell *c)
{
    const struct str s = c->raw;

    return c->type == CELL_TEXT && s.n == 24 && s.p[10] == 'T' && s.p[23] == 'Z' &&
           str_ends(str_from(t->columns[column].name), STR("time"));
}

void view_times_shown(const struct app *app, struct table *t)
{
    int64_t t_ns;

    for (size_t i = 0; app->zone != ZONE_UTC && i < t->n_rows * t->n_columns; i++)
        if (view_cell_is_time(t, i % t->n_columns, &t->cells[i]) &&
            time_parse(t->cells[i].raw, &t_ns))
            t->cells[i].shown = view_when(app, t->arena, t_ns, TIME_WHOLE);
}

/* Without the date while the range is short, and without the zone, which the title says. */
struct str view_cell(const struct app *app, struct arena *a, size_t column,
                     const struct table_cell *c)
{
    const bool is_short = app->data.range.until_ns - app->data.range.since_ns <= NS_PER_DAY;
    int64_t t_ns;

    if (c->type == CELL_NULL)
        return c->shown.n > 0 ? c->shown : STR("-");
    if (!view_cell_is_time(&app->data.table, column, c) || !time_parse(c->raw, &t_ns))
        return c->shown.p ? c->shown : c->raw;
    const struct str when = view_when(app, a, t_ns, is_short ? TIME_CLOCK : TIME_IN_YEAR);
    if (app->zone != ZONE_LOCAL || !has_change(app))
        return when;
    AUTO(buf_clear) struct buf b = {.max = 64};
    buf_add_str(&b, when);
    add_offset(&b, zone_local(t_ns).offset_ns);
    return arena_str(a, buf_str(&b));
}

/* --- what is typed --- */

static bool is_time_of_day(struct str s)
{
    return (s.n == 5 || s.n == 8) && s.p[2] == ':';
}

/* A date without a zone after it, a time of day, or a word that means one. */
static bool is_on_the_wall(struct str s)
{
    const struct str rest = str_skip(s, 10);

    if (str_eq(s, STR("today")) || str_eq(s, STR("yesterday")))
        return true;
    if (is_time_of_day(s))
        return true;
    return s.n >= 10 && s.p[4] == '-' && s.p[7] == '-' && !str_ends(s, STR("Z")) &&
           !str_ends(s, STR("z")) && str_find_char(rest, '+') == rest.n &&
           str_find_char(rest, '-') == rest.n;
}

/* A time of day is one of the day in view. */
static int64_t moment_of(const struct app *app, struct str s)
{
    const int64_t now = clock_now(&app->options->clock), last = app->data.range.until_ns - 1;
    const int64_t offset = zone_of(app, last).offset_ns;

    if (!is_time_of_day(s) || last < 0)
        return now;
    const int64_t end = time_floor(last + offset, NS_PER_DAY) + NS_PER_DAY - 1 - offset;
    return end < now ? end : now;
}

enum status view_time_parse(const struct app *app, struct str s, int64_t *t_ns, struct err *e)
{
    const int64_t now = moment_of(app, s);
    int64_t wall_ns;

    if (app->zone != ZONE_LOCAL || !is_on_the_wall(s))
        return time_parse_human(s, now, t_ns, e);
    enum status st = time_parse_human(s, now + zone_local(now).offset_ns, &wall_ns, e);
    if (st == OK)
        *t_ns = zone_from_wall(wall_ns);
    return st;
}

int64_t view_day_after(const struct app *app, int64_t t_ns)
{
    return app->zone == ZONE_LOCAL ? zone_from_wall(t_ns + zone_local(t_ns).offset_ns + NS_PER_DAY)
                                   : t_ns + NS_PER_DAY;
}
