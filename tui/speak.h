/* Private to tui/: the dashboard as lines of text, for screen readers and terminals that cannot
 * place a cursor. What is said is made from the app, without a terminal; speak_io.c reads, writes.
 *
 *   struct speaker s;
 *   speaker_open(&s, &options);
 *   speaker_line(&s, STR("2"), &out);   keys as somebody typed them: the functions
 *   speaker_look(&s, now_ns, &out);     what changed since, a line each
 *   speaker_close(&s);
 */
#ifndef FNSCOPE_TUI_SPEAK_H
#define FNSCOPE_TUI_SPEAK_H

#include "tui/view.h"

/* What was said of a row, to tell what is new in it. */
struct said_row {
    struct str key, text;
};

struct speaker {
    struct app app;
    struct arena arena; /* of what was said */
    struct said_row *rows;
    size_t n, n_problems;
    struct str *problems; /* lines above the table that begin with "x" */
};

/* Loads the first view; speaker_say says it. */
void speaker_open(struct speaker *s, const struct tui_options *o);
void speaker_close(struct speaker *s);
void speaker_say(struct speaker *s, struct buf *out);
/* Keys of one line: an empty one is Enter, text for a prompt needs no Enter of its own. */
void speaker_line(struct speaker *s, struct str keys, struct buf *out);
/* Looks for new data when it is time to; says what changed. */
void speaker_look(struct speaker *s, int64_t now_ns, struct buf *out);

#endif
