/* Text views: lines wrapped to the width, words whole where they can be, matches of the search
 * marked. */
#include "core/base/re.h"
#include "core/base/safe_text.h"
#include "core/base/utf8.h"
#include "tui/view.h"

/* A blank counts in the second half of the line only, and when the text goes on. */
size_t view_fill(struct str s, unsigned width)
{
    size_t at = 0, blank = 0;
    unsigned used = 0;
    uint32_t cp;

    while (at < s.n) {
        size_t n = utf8_next(str_skip(s, at), &cp);
        int w = utf8_cp_width(cp);
        if (n == 0 || used + (unsigned)(w > 0 ? w : 0) > width)
            break;
        used += (unsigned)(w > 0 ? w : 0);
        at += n;
        if (cp == ' ' && used > width / 2)
            blank = at;
    }
    if (at < s.n && blank > 0 && s.p[at] != ' ')
        return blank;
    return at > 0 ? at : s.n;
}

static void add_visual(struct app *app, size_t *cap, struct str text, const struct text_line *of,
                       bool is_first)
{
    struct arena *a = &app->data_arena;

    app->visual = arena_grow(a, app->visual, app->n_visual, cap, sizeof(*app->visual));
    app->visual[app->n_visual++] = (struct text_line){text, of->style, is_first ? 0 : of->indent};
}

static void wrap(struct app *app, size_t *cap, const struct text_line *l, unsigned width)
{
    AUTO(buf_clear) struct buf safe = {.max = 1u << 20};
    bool is_first = true;

    safe_text(&safe, l->text, SAFE_KEEP_NONE);
    struct str rest = arena_str(&app->data_arena, buf_str(&safe));
    do {
        unsigned indent = is_first ? 0 : l->indent;
        size_t n = view_fill(rest, width > indent + 10 ? width - indent : width);
        add_visual(app, cap, str_sub(rest, 0, n), l, is_first);
        rest = str_skip(rest, n);
        while (rest.n > 0 && rest.p[0] == ' ')
            rest = str_skip(rest, 1);
        is_first = false;
    } while (rest.n > 0);
}

static void wrap_all(struct app *app, unsigned width)
{
    size_t cap = 0;

    app->visual = NULL;
    app->n_visual = 0;
    for (size_t i = 0; i < app->data.n_lines; i++)
        wrap(app, &cap, &app->data.lines[i], width);
    app->visual_width = width;
}

static void mark_match(struct frame *f, unsigned y, const struct text_line *l, struct re *re)
{
    size_t from, to;

    if (!re || !re_match(re, l->text, &from, &to) || to <= from)
        return;
    size_t x = 1 + l->indent + utf8_width(str_sub(l->text, 0, from));
    size_t end = x + utf8_width(str_sub(l->text, from, to - from));
    for (; x < end && x < f->width; x++)
        f->cells[(size_t)y * f->width + x].style = STYLE_MATCH;
}

void draw_lines(struct app *app, struct frame *f, unsigned y)
{
    struct place *p = app_place(app);
    unsigned rows = f->height > y + 1 ? f->height - y - 1 : 0;
    struct re *re = app_filter_re(app);

    if (app->visual_width != f->width - 2)
        wrap_all(app, f->width - 2);
    size_t last = app->n_visual > rows ? app->n_visual - rows : 0;
    p->selected = p->selected > last ? last : p->selected;
    p->scroll = p->selected; /* texts scroll, they have no cursor */
    for (unsigned i = 0; i < rows && p->scroll + i < app->n_visual; i++) {
        const struct text_line *l = &app->visual[p->scroll + i];
        frame_text(f, 1 + l->indent, y + i, f->width - 1, l->text, l->style);
        mark_match(f, y + i, l, re);
    }
    re_free(re);
}
