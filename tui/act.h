/* Private to tui/: actions that act.c's table names and other files hold, and what they share. */
#ifndef FNSCOPE_TUI_ACT_H
#define FNSCOPE_TUI_ACT_H

#include "tui/view.h"

typedef void act_fn(struct app *app, enum action action);

/* act.c */
void act_select(struct app *app, size_t row);
act_fn act_move, act_drill;

/* act_sort.c; the column that rules already is turned round. */
act_fn act_sort;
void act_sort_by(struct app *app, int column);

/* act_rows.c: what is done with rows: copy, tag, mark, compare, orders about alerts. */
act_fn act_copy, act_copy_row, act_tag, act_untag, act_mark, act_compare, act_alert;

/* act_show.c: how things are shown. */
act_fn act_switch, act_refresh, act_unit, act_zone, act_speed, act_screen, act_log_columns,
    act_display;

#endif
