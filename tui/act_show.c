/* How things are shown: switches that say what they did, columns of the log, the display. */
#include "tui/act.h"

/* What each switch turns, and what it says of its two states. */
struct toggle {
    enum action action;
    size_t flag;
    const char *on, *off;
};
#define FLAG(member) offsetof(struct app, member)

/* clang-format off */
static const struct toggle toggles[] = {
    { ACT_PROBLEMS, FLAG(only_problems), NULL, NULL }, /* the bottom line says it */
    { ACT_PAUSE, FLAG(is_paused), NULL, NULL },        /* and the title this */
    { ACT_STRIP, FLAG(no_strip), "without strips over time", "with strips over time" },
    { ACT_WRAP, FLAG(is_wrapped), "wide texts are wrapped", "wide texts are cut" },
    { ACT_MOUSE, FLAG(has_mouse), "the mouse works here; with Shift it selects text",
      "the mouse is the terminal's again" },
};
/* clang-format on */

void act_switch(struct app *app, enum action action)
{
    for (size_t i = 0; i < ARRAY_LEN(toggles); i++) {
        const struct toggle *t = &toggles[i];
        bool *flag = (bool *)((char *)app + t->flag);
        if (t->action != action)
            continue;
        *flag = !*flag;
        if (t->on)
            app->message = str_from(*flag ? t->on : t->off);
    }
    if (action == ACT_PROBLEMS) {
        app_ask_anew(app);
        app->must_load = true;
    }
}

void act_refresh(struct app *app, enum action action)
{
    UNUSED(action);
    app->must_load = true;
    app->message = STR("read anew");
}

void act_unit(struct app *app, enum action action)
{
    static const char *const says[UNITS] = {[UNIT_TOTAL] = "cost in total",
                                            [UNIT_PER_MILLION] = "cost per million invocations",
                                            [UNIT_SHARE] = "cost as a share of all"};

    UNUSED(action);
    if (!view_table[app_place(app)->view]->has_unit) {
        app->message = STR("$ is for the cost of functions: 2 shows it, 6 all of it");
        return;
    }
    app->unit = (enum cost_unit)((app->unit + 1) % UNITS);
    app->message = str_from(says[app->unit]);
    app->must_load = true;
}

void act_zone(struct app *app, enum action action)
{
    static const char *const says[ZONES] = {
        [ZONE_UTC] = "times in UTC", [ZONE_LOCAL] = "times in ", [ZONE_RELATIVE] = "times as ages"};
    AUTO(buf_clear) struct buf name = {.max = 64};

    UNUSED(action);
    app->zone = (enum tui_zone)((app->zone + 1) % ZONES);
    if (app->zone == ZONE_LOCAL)
        view_zone(app, &name);
    app->message =
        arena_printf(&app->text_arena, "%s" STR_FMT "%s", says[app->zone], STR_ARG(buf_str(&name)),
                     app->zone == ZONE_LOCAL ? ", the local time" : "");
    app_keep_focus(app);
    app->must_load = true;
}

void act_speed(struct app *app, enum action action)
{
    if (action == ACT_FASTER && app->refresh_ns > 200 * NS_PER_MS)
        app->refresh_ns /= 2;
    if (action == ACT_SLOWER && app->refresh_ns < NS_PER_MIN)
        app->refresh_ns *= 2;
    app->message = arena_printf(&app->text_arena, "looks for new data every %lld ms",
                                (long long)(app->refresh_ns / NS_PER_MS));
}

/* For who owns the screen (tui.c). */
void act_screen(struct app *app, enum action action)
{
    app->must_suspend = action == ACT_SUSPEND;
    app->must_repaint = true;
}

void act_log_columns(struct app *app, enum action action)
{
    uint32_t *hidden = &app->hidden[VIEW_LOG];
    uint32_t fields = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 5, bits = 1u;

    if (app_place(app)->view != VIEW_LOG) {
        app->message = STR("this is for the log: 9 opens it");
        return;
    }
    bits = action == ACT_FIELDS ? fields : bits;
    *hidden = (*hidden & bits) == bits ? *hidden & ~bits : *hidden | bits;
}

void act_display(struct app *app, enum action action)
{
    struct place *p = app_place(app);

    UNUSED(action);
    if (!view_table[p->view]->has_course) {
        app->message = STR("this view has no course over time: 2, 3, 6 and functions have");
        return;
    }
    p->display = (enum display)((p->display + 1) % DISPLAYS);
    app->must_load = true;
}
