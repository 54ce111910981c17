/* Help: the dispatcher's own key table, and what signs mean. */
#include "tui/view.h"

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    static const char *const signs[] = {
        "  x  failed or failing     !  needs attention     ?  still open, or its end was not seen",
        "  Colour repeats what a sign or word says; NO_COLOR turns it off.",
    };
    static const char *const filters[] = {
        "  checkout|cart     a pattern (PCRE2) over all columns, either case",
        "  !timeout          rows that do not match",
        "  err%>5  cost<0.1  a column compared: the start of its title, then > >= < <= = or !=",
        "  dur>60s mem>512MB and a value, with or without its unit; result!=ok compares texts",
        "  In texts and the log / searches: n N go on; \\ leaves only the lines that match.",
    };
    AUTO(buf_clear) struct buf b = {.max = 1u << 16};
    struct arena *a = &app->data_arena;

    UNUSED(e);
    tui_keys_text(&b);
    struct str rest = arena_str(a, buf_str(&b));
    view_line(d, a, STYLE_BOLD, STR("Keys"));
    while (rest.n > 0)
        view_line_in(d, a, STYLE_PLAIN, str_cut(&rest, '\n'), 13);
    view_line(d, a, STYLE_PLAIN, STR(""));
    view_line(d, a, STYLE_BOLD, STR("Filters"));
    for (size_t i = 0; i < ARRAY_LEN(filters); i++)
        view_line_in(d, a, STYLE_PLAIN, str_from(filters[i]), 20);
    view_line(d, a, STYLE_PLAIN, STR(""));
    view_line(d, a, STYLE_BOLD, STR("Commands behind :"));
    prompt_help(d, a);
    view_line(d, a, STYLE_PLAIN, STR(""));
    view_line(d, a, STYLE_BOLD, STR("Signs"));
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        view_line(d, a, STYLE_PLAIN, str_from(signs[i]));
    return OK;
}

const struct view_ops view_help = {
    .name = "help",
    .title = "Help",
    .load = load,
    .is_text = true,
    .is_still = true,
    .default_sort = -1,
    .tab = VIEW_HELP,
};
