/* Private to tui/: the key map. One table drives the dispatcher, the help screen and the manual. */
#ifndef FNSCOPE_TUI_KEYS_H
#define FNSCOPE_TUI_KEYS_H

#include "core/base/buf.h"

enum action {
    ACT_NONE,
    ACT_QUIT,
    ACT_UP,
    ACT_DOWN,
    ACT_PAGE_UP,
    ACT_PAGE_DOWN,
    ACT_TOP,
    ACT_BOTTOM,
    ACT_VIEW_OVERVIEW,
    ACT_VIEW_FUNCTIONS,
    ACT_VIEW_INVOCATIONS,
    ACT_VIEW_TRACES,
    ACT_VIEW_COLD,
    ACT_VIEW_COST,
    ACT_VIEW_QUEUES,
    ACT_VIEW_ALERTS,
    ACT_VIEW_LOG,
    ACT_VIEW_SOURCES,
    ACT_HELP,
    ACT_BACK,
    ACT_LEAVE,
    ACT_DRILL,
    ACT_PREVIOUS,
    ACT_TRAIL_BACK,
    ACT_TRAIL_ON,
    ACT_TAB,
    ACT_TAB_BACK,
    ACT_FILTER,
    ACT_COMMAND,
    ACT_SQL,
    ACT_EXPORT,
    ACT_NEXT_MATCH,
    ACT_PREVIOUS_MATCH,
    ACT_NEXT_ERROR,
    ACT_PREVIOUS_ERROR,
    ACT_NEXT_WARNING,
    ACT_PREVIOUS_WARNING,
    ACT_NEXT_SAME,
    ACT_PREVIOUS_SAME,
    ACT_SORT,
    ACT_SORT_LEFT,
    ACT_SORT_RIGHT,
    ACT_INVERT,
    ACT_RANGE,
    ACT_ZOOM_IN,
    ACT_ZOOM_OUT,
    ACT_SHIFT_BACK,
    ACT_SHIFT_ON,
    ACT_NOW,
    ACT_PROBLEMS,
    ACT_ONLY_MATCHES,
    ACT_FOLLOW,
    ACT_LINES,
    ACT_PAUSE,
    ACT_REFRESH,
    ACT_COPY,
    ACT_COPY_ROW,
    ACT_UNIT,
    ACT_EXPLAIN,
    ACT_STRIP,
    ACT_ZONE,
    ACT_FASTER,
    ACT_SLOWER,
    ACT_COLUMNS,
    ACT_BREAKDOWN,
    ACT_DISPLAY,
    ACT_TAG,
    ACT_UNTAG,
    ACT_MARK,
    ACT_COMPARE,
    ACT_ACCOUNTS,
    ACT_REGIONS,
    ACT_MOUSE,
    ACT_SETUP,
    ACT_ACK,
    ACT_SILENCE,
    ACT_FIELDS,
    ACT_TIMES,
    ACT_WRAP,
    ACT_SUSPEND,
    ACT_REDRAW,
    ACTIONS
};

/* Keys beyond characters, as screen.c gives them. */
enum {
    KEY_SPECIAL = 0x200000,
    TK_UP,
    TK_DOWN,
    TK_LEFT,
    TK_RIGHT,
    TK_PAGE_UP,
    TK_PAGE_DOWN,
    TK_HOME,
    TK_END,
    TK_ENTER,
    TK_ESCAPE,
    TK_TAB,
    TK_BACK_TAB,
    TK_BACKSPACE,
    TK_RESIZE,
    TK_MOUSE,
    TK_F1,
    TK_F2,
    TK_F3,
    TK_F4,
    TK_F5,
    TK_F6,
    TK_F10
};

struct key_binding {
    uint32_t key;
    enum action action;
    const char *label; /* "Enter"; NULL: the character */
    const char *help;  /* NULL: another key of the same action says it */
};
extern const struct key_binding key_bindings[]; /* ends with ACT_NONE */

enum action key_action(uint32_t key);
/* Cuts the first key off *text: a character, or "<Label>" of a letter or ^ and letters, digits and
 * dashes, of which "<lt>" is the character <. 0: there is no key of that label. */
uint32_t key_parse(struct str *text);
void key_label(const struct key_binding *k, struct buf *out);

#endif
