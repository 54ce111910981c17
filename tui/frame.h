/* Private to tui/: the cell grid every view draws into. Pure: screen.c paints it, frame_print()
 * prints it. Text that reaches a cell has been made safe. */
#ifndef FNSCOPE_TUI_FRAME_H
#define FNSCOPE_TUI_FRAME_H

#include "core/base/arena.h"
#include "core/base/buf.h"

enum style {
    STYLE_PLAIN,
    STYLE_BOLD,
    STYLE_DIM,
    STYLE_BAR,
    STYLE_SELECTED,
    STYLE_GOOD,
    STYLE_WARN,
    STYLE_BAD,
    STYLE_ACCENT,
    STYLE_MATCH, /* of a search */
    STYLE_TAG0,  /* six colours to tell functions apart */
    STYLE_TAG5 = STYLE_TAG0 + 5,
    STYLES
};

struct cell {
    uint32_t cp; /* 0: the right half of a wide character */
    enum style style;
};

struct frame {
    unsigned width, height;
    struct cell *cells;
    bool is_ascii; /* charts without block characters */
};

void frame_init(struct frame *f, struct arena *a, unsigned width, unsigned height);
/* Text from (x, y), cut at `width` cells or the edge; returns the cells used. */
unsigned frame_text(struct frame *f, unsigned x, unsigned y, unsigned width, struct str text,
                    enum style style);
unsigned frame_z(struct frame *f, unsigned x, unsigned y, const char *text, enum style style);
void frame_right(struct frame *f, unsigned x, unsigned y, unsigned width, struct str text,
                 enum style style);
void frame_fill(struct frame *f, unsigned y, enum style style); /* a whole line of blanks */
void frame_restyle(struct frame *f, unsigned y, enum style style);
void frame_print(const struct frame *f, struct buf *out); /* lines without trailing blanks */

/* A sparkline of n values over `width` cells, scaled to the largest; several values in one cell are
 * added up. */
struct spark {
    const uint64_t *values;
    size_t n;
    enum style style;
};
void frame_spark(struct frame *f, unsigned x, unsigned y, unsigned width, const struct spark *s);
/* A bar of permille of `width` cells. */
void frame_bar(struct frame *f, unsigned x, unsigned y, unsigned width, unsigned permille,
               enum style style);

#endif
