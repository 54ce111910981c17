/* Front door of `fnscope top`: views over the store, drawn into a cell grid. Never calls a cloud,
 * never writes. */
#ifndef FNSCOPE_TUI_TUI_H
#define FNSCOPE_TUI_TUI_H

#include "analyzer/analyzer.h"
#include "core/base/clock.h"
#include "core/base/table_stream.h"
#include "core/store/store.h"

/* The smallest screen that is drawn on; below the roomy one what stands above a table is left out.
 */
#define TUI_LEAST_WIDTH  24u
#define TUI_LEAST_HEIGHT 6u
#define TUI_ROOMY_WIDTH  60u
#define TUI_ROOMY_HEIGHT 16u

/* How times are shown: in UTC, in the local zone (zone.h), or as ages. */
enum tui_zone { ZONE_UTC, ZONE_LOCAL, ZONE_RELATIVE, ZONES };
extern const char *const tui_zone_names[]; /* NULL-terminated */

/* What the colours mean stays the same; a sign or word says it too. */
enum tui_theme { THEME_DEFAULT, THEME_COLOUR_BLIND, THEME_CONTRAST, THEME_MONO, THEMES };
extern const char *const tui_theme_names[]; /* NULL-terminated */

struct tui_options {
    struct store *store;
    const struct cost_context *cost;
    struct clock clock;
    struct range range; /* until_ns 0: live, ends now */
    bool
        is_newest; /* range is 0: live, but where the last day holds nothing, the newest there is */
    struct fn_filter filter;
    const char *view;   /* "overview", "functions" ...; NULL: overview */
    struct str id;      /* invocation to open; empty: none */
    int64_t refresh_ns; /* live refresh; 0: 1 s */
    bool no_color, is_ascii, has_mouse;
    enum tui_theme theme;
    enum tui_zone zone;
    /* Carries out an order about alerts (ack, silence): whoever may write does. NULL: the dashboard
     * only shows. reply or *e is a line for the person. */
    enum status (*alert_order)(void *ctx, struct str order, struct buf *reply, struct err *e);
    void *alert_ctx;
    const char *user; /* who gives orders; NULL: not known */
    struct str reach; /* flags with which a command of the shell finds this store */
};
/* The interactive screen; returns when the user quits. */
MUST_CHECK enum status tui_run(const struct tui_options *o, struct err *e);
/* The same as lines of text: keys are typed and ended with Enter, changes are said as they come.
 * For screen readers and terminals that cannot place a cursor. Ends with its input. */
MUST_CHECK enum status tui_speak(const struct tui_options *o, struct err *e);
/* One frame as text, width x height (--once --size 120x40), after the keys were pressed: characters
 * as they are, others by their label: "/cart<Enter>", "<Tab><Down>". ERR_USAGE: no such label. */
MUST_CHECK enum status tui_frame(const struct tui_options *o, struct str keys, unsigned width,
                                 unsigned height, struct buf *out, struct err *e);
/* The same content as rows, after the same keys: --once -o json|csv|... Of invocations the first
 * 20,000; is_more: there are others. Rows of functions are flushed as they come. */
MUST_CHECK enum status tui_table(const struct tui_options *o, struct str keys,
                                 const struct table_out *out, bool *is_more, struct err *e);
extern const char *const tui_view_names[]; /* NULL-terminated */
/* Key map as mdoc or text, from the dispatcher's own table. */
void tui_keys_text(struct buf *out);

#endif
