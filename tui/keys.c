/* The key map. */
#include "tui/keys.h"

#include "core/base/utf8.h"
#include "tui/tui.h"

#define CONTROL(c) ((uint32_t)(c)&0x1F)

/* clang-format off */
const struct key_binding key_bindings[] = {
    { '1', ACT_VIEW_OVERVIEW, NULL, "Overview" },
    { '2', ACT_VIEW_FUNCTIONS, NULL, "Functions" },
    { '3', ACT_VIEW_INVOCATIONS, NULL, "Invocations; Tab: Errors" },
    { '4', ACT_VIEW_TRACES, NULL, "Traces" },
    { '5', ACT_VIEW_COLD, NULL, "Cold starts" },
    { '6', ACT_VIEW_COST, NULL, "Cost" },
    { '7', ACT_VIEW_QUEUES, NULL, "Queues and dead-letter queues" },
    { '8', ACT_VIEW_ALERTS, NULL, "Alerts; Tab: episodes of the range" },
    { '9', ACT_VIEW_LOG, NULL, "Log: lines of all functions, or of the one at hand" },
    { '0', ACT_VIEW_SOURCES, NULL, "Sources: lag, quota, errors, own bill" },
    { TK_UP, ACT_UP, "Up", "move up, also k" },
    { 'k', ACT_UP, NULL, NULL },
    { TK_DOWN, ACT_DOWN, "Down", "move down, also j" },
    { 'j', ACT_DOWN, NULL, NULL },
    { TK_PAGE_UP, ACT_PAGE_UP, "PgUp", "a page up, also ^U" },
    { CONTROL('u'), ACT_PAGE_UP, "^U", NULL },
    { TK_PAGE_DOWN, ACT_PAGE_DOWN, "PgDn", "a page down, also ^D" },
    { CONTROL('d'), ACT_PAGE_DOWN, "^D", NULL },
    { TK_HOME, ACT_TOP, "Home", "first row, also g" },
    { 'g', ACT_TOP, NULL, NULL },
    { TK_END, ACT_BOTTOM, "End", "last row, also G" },
    { 'G', ACT_BOTTOM, NULL, NULL },
    { TK_ENTER, ACT_DRILL, "Enter", "drill in, also Right" },
    { TK_RIGHT, ACT_DRILL, "Right", NULL },
    { TK_ESCAPE, ACT_BACK, "Esc", "one level up, also Left, Backspace" },
    { TK_LEFT, ACT_BACK, "Left", NULL },
    { TK_BACKSPACE, ACT_BACK, "Backspace", NULL },
    { 'q', ACT_LEAVE, NULL, "one level up; at the top: quit" },
    { '-', ACT_PREVIOUS, NULL, "the place before, and back again" },
    { '[', ACT_TRAIL_BACK, NULL, "back along the places visited" },
    { ']', ACT_TRAIL_ON, NULL, "forward again" },
    { TK_TAB, ACT_TAB, "Tab", "the next pane, S-Tab the one before: overview and incidents; "
      "invocations, errors and traces" },
    { TK_BACK_TAB, ACT_TAB_BACK, "S-Tab", NULL },
    { 'l', ACT_LINES, NULL, "the log of the function or request at hand" },
    { ':', ACT_COMMAND, NULL, "command: a view, fn NAME, id ID, at TIME, range, sql, export" },
    { ';', ACT_SQL, NULL, "read-only SQL, the answer as a table" },
    { '/', ACT_FILTER, NULL, "filter rows, search texts: a pattern, !pattern, column>value, column!=word; F3 F4" },
    { TK_F4, ACT_FILTER, "F4", NULL },
    { TK_F3, ACT_FILTER, "F3", NULL },
    { 'n', ACT_NEXT_MATCH, NULL, "next match of the search" },
    { 'N', ACT_PREVIOUS_MATCH, NULL, "previous match" },
    { '\\', ACT_ONLY_MATCHES, NULL, "log: leave only lines that match the search; again: all" },
    { 'e', ACT_NEXT_ERROR, NULL, "next failed row, E the previous" },
    { 'E', ACT_PREVIOUS_ERROR, NULL, NULL },
    { 'w', ACT_NEXT_WARNING, NULL, "next warning, W the previous" },
    { 'W', ACT_PREVIOUS_WARNING, NULL, NULL },
    { 'o', ACT_NEXT_SAME, NULL, "next row of the same request, O the previous" },
    { 'O', ACT_PREVIOUS_SAME, NULL, NULL },
    { 's', ACT_SORT, NULL, "choose the column to sort by, also F6" },
    { TK_F6, ACT_SORT, "F6", NULL },
    { '<', ACT_SORT_LEFT, NULL, "sort by the column to the left" },
    { '>', ACT_SORT_RIGHT, NULL, "sort by the column to the right" },
    { 'I', ACT_INVERT, NULL, "turn the order round" },
    { '!', ACT_PROBLEMS, NULL, "only problems" },
    { 't', ACT_RANGE, NULL, "choose the time range" },
    { 'z', ACT_ZOOM_IN, NULL, "half the range, around the row" },
    { 'Z', ACT_ZOOM_OUT, NULL, "twice the range" },
    { '{', ACT_SHIFT_BACK, NULL, "shift the range back" },
    { '}', ACT_SHIFT_ON, NULL, "shift the range forward" },
    { '.', ACT_NOW, NULL, "back to now" },
    { 'f', ACT_FOLLOW, NULL, "stay at the newest row" },
    { 'T', ACT_ZONE, NULL, "times in UTC, in local time, as ages" },
    { 'i', ACT_STRIP, NULL, "strips over time on and off" },
    { 'p', ACT_PAUSE, NULL, "pause and go on" },
    { '+', ACT_FASTER, NULL, "refresh faster" },
    { '_', ACT_SLOWER, NULL, "refresh slower" },
    { 'r', ACT_REFRESH, NULL, "refresh now, also F5" },
    { TK_F5, ACT_REFRESH, "F5", NULL },
    { 'y', ACT_COPY, NULL, "copy the row's id" },
    { 'Y', ACT_COPY_ROW, NULL, "copy the row as JSON" },
    { 'x', ACT_EXPORT, NULL, "write the rows shown to a file" },
    { 'b', ACT_BREAKDOWN, NULL, "break down by version, region, result ..." },
    { 'v', ACT_DISPLAY, NULL, "table, graph, heat map" },
    { 'c', ACT_COLUMNS, NULL, "choose the columns" },
    { ' ', ACT_TAG, "Space", "tag the row: x and Y take the tagged ones; log: a page down" },
    { 'u', ACT_UNTAG, NULL, "untag all" },
    { 'm', ACT_MARK, NULL, "mark what the row or the view shows, to compare with; log: tag" },
    { 'd', ACT_COMPARE, NULL, "compare the marked with the current, or two tagged rows" },
    { 'P', ACT_ACCOUNTS, NULL, "choose accounts" },
    { 'R', ACT_REGIONS, NULL, "choose regions" },
    { 'a', ACT_ACK, NULL, "acknowledge the alert (asks first)" },
    { 'A', ACT_SILENCE, NULL, "silence the alert for a time (asks first)" },
    { 'h', ACT_FIELDS, NULL, "log: only time and message" },
    { CONTROL('t'), ACT_TIMES, "^T", "log: without times" },
    { CONTROL('w'), ACT_WRAP, "^W", "wrap texts that are wider than the screen" },
    { 'M', ACT_MOUSE, NULL, "mouse on and off" },
    { TK_F2, ACT_SETUP, "F2", "setup: theme, charts, units" },
    { 'D', ACT_EXPLAIN, NULL, "explain the numbers of the row" },
    { '$', ACT_UNIT, NULL, "cost in total, per million, share" },
    { '?', ACT_HELP, NULL, "this help, also F1" },
    { TK_F1, ACT_HELP, "F1", NULL },
    { CONTROL('l'), ACT_REDRAW, "^L", "draw again" },
    { CONTROL('z'), ACT_SUSPEND, "^Z", "to the shell; its fg comes back" },
    { 'Q', ACT_QUIT, NULL, "quit, also F10, ^C" },
    { TK_F10, ACT_QUIT, "F10", NULL },
    { CONTROL('c'), ACT_QUIT, "^C", NULL },
    { 0, ACT_NONE, NULL, NULL },
};
/* clang-format on */

enum action key_action(uint32_t key)
{
    for (const struct key_binding *k = key_bindings; k->action != ACT_NONE; k++)
        if (k->key == key)
            return k->action;
    return ACT_NONE;
}

/* "Enter", "^U", "S-Tab"; in "cost<=5<Enter>" the first sign is a sign. */
static bool is_label(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        const char c = (char)(s.p[i] | 0x20);
        if (!(c >= 'a' && c <= 'z') && !(i == 0 && s.p[i] == '^') &&
            !(i > 0 && (s.p[i] == '-' || (s.p[i] >= '0' && s.p[i] <= '9'))))
            return false;
    }
    return s.n > 0;
}

uint32_t key_parse(struct str *text)
{
    const size_t end = str_find_char(*text, '>');
    const struct str label = str_sub(*text, 1, end - 1);
    uint32_t cp = 0;

    if (!str_starts(*text, STR("<")) || end == text->n || !is_label(label)) {
        *text = str_skip(*text, utf8_next(*text, &cp));
        return cp;
    }
    *text = str_skip(*text, end + 1);
    if (str_eq_nocase(label, STR("lt")))
        return '<';
    for (const struct key_binding *k = key_bindings; k->action != ACT_NONE; k++)
        if (k->label && str_eq_nocase(str_from(k->label), label))
            return k->key;
    return 0;
}

void key_label(const struct key_binding *k, struct buf *out)
{
    char bytes[4];

    if (k->label)
        buf_add_z(out, k->label);
    else
        buf_add(out, bytes, utf8_put(k->key, bytes));
}

void tui_keys_text(struct buf *out)
{
    for (const struct key_binding *k = key_bindings; k->action != ACT_NONE; k++) {
        AUTO(buf_clear) struct buf label = {.max = 64};
        if (!k->help)
            continue;
        key_label(k, &label);
        buf_addf(out, "  %-10s %s\n", label.p, k->help);
    }
}
