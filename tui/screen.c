/* The terminal: the only user of ncurses. Paints a frame, reads keys, and leaves the terminal as it
 * found it whatever ends the program. */
#include "tui/view.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <curses.h>
#include <term.h>

#include "core/base/base64.h"
#include "core/base/mem.h"
#include "core/base/utf8.h"

/* Signals that end the program at once. */
static const int deadly[] = {SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

/* What a dying program still does for its terminal: bytes made and settings read beforehand, for a
 * handler of signals may only write and set. */
static struct {
    char bytes[256];
    size_t n;
    struct termios settings;
    bool has_settings;
    struct sigaction old[ARRAY_LEN(deadly)];
} farewell;

struct screen {
    attr_t attributes[STYLES];
    bool no_color;
    struct sigaction old_term, old_hup, old_int;
};

/* The stop flag: the only thing a signal may touch. */
static volatile sig_atomic_t is_told_to_stop;

static void on_stop(int number)
{
    UNUSED(number);
    is_told_to_stop = 1;
}

/* The signal then does what it did before: core dump, a sanitizer's report. What was sent by a
 * process is sent again; a fault happens again by itself, at its own place. */
static void on_death(int number, siginfo_t *info, void *context)
{
    UNUSED(context);
    if (write(STDOUT_FILENO, farewell.bytes, farewell.n) >= 0 && farewell.has_settings)
        tcsetattr(STDIN_FILENO, TCSANOW, &farewell.settings);
    for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
        if (deadly[i] == number)
            sigaction(number, &farewell.old[i], NULL);
    if (info->si_code <= 0)
        raise(number);
}

bool screen_is_told_to_stop(void)
{
    return is_told_to_stop != 0;
}

/* What a theme paints a style with; colours of 8, and of 256 where the terminal has them. */
struct paint {
    short color, rich; /* 0: the terminal's own */
    attr_t attributes;
};

/* clang-format off */
static const struct paint paints[THEMES][STYLES] = {
    [THEME_DEFAULT] = {
        [STYLE_GOOD] = { COLOR_GREEN, 0, 0 },      [STYLE_WARN] = { COLOR_YELLOW, 0, 0 },
        [STYLE_BAD] = { COLOR_RED, 0, A_BOLD },    [STYLE_ACCENT] = { COLOR_CYAN, 0, 0 },
        [STYLE_TAG0] = { COLOR_CYAN, 0, A_BOLD },  [STYLE_TAG0 + 1] = { COLOR_GREEN, 0, A_BOLD },
        [STYLE_TAG0 + 2] = { COLOR_YELLOW, 0, A_BOLD }, [STYLE_TAG0 + 3] = { COLOR_MAGENTA, 0, A_BOLD },
        [STYLE_TAG0 + 4] = { COLOR_BLUE, 0, A_BOLD },   [STYLE_TAG5] = { COLOR_RED, 0, A_BOLD } },
    /* The palette of Okabe and Ito: told apart with any colour vision. */
    [THEME_COLOUR_BLIND] = {
        [STYLE_GOOD] = { COLOR_BLUE, 74, 0 },      [STYLE_WARN] = { COLOR_YELLOW, 227, 0 },
        [STYLE_BAD] = { COLOR_YELLOW, 214, A_BOLD | A_UNDERLINE }, [STYLE_ACCENT] = { COLOR_CYAN, 36, 0 },
        [STYLE_TAG0] = { COLOR_CYAN, 74, A_BOLD }, [STYLE_TAG0 + 1] = { COLOR_GREEN, 36, A_BOLD },
        [STYLE_TAG0 + 2] = { COLOR_YELLOW, 227, A_BOLD }, [STYLE_TAG0 + 3] = { COLOR_MAGENTA, 175, A_BOLD },
        [STYLE_TAG0 + 4] = { COLOR_BLUE, 32, A_BOLD },    [STYLE_TAG5] = { COLOR_RED, 166, A_BOLD } },
    [THEME_CONTRAST] = {
        [STYLE_GOOD] = { COLOR_GREEN, 0, A_BOLD }, [STYLE_WARN] = { COLOR_YELLOW, 0, A_BOLD },
        [STYLE_BAD] = { COLOR_RED, 0, A_BOLD | A_REVERSE }, [STYLE_ACCENT] = { COLOR_WHITE, 0, A_BOLD },
        [STYLE_DIM] = { 0, 0, A_NORMAL } },
    [THEME_MONO] = {
        [STYLE_BAD] = { 0, 0, A_BOLD } },
};
/* clang-format on */

static attr_t attribute_of(int i, const struct paint *p)
{
    static const attr_t mono[STYLES] = {
        [STYLE_BOLD] = A_BOLD,        [STYLE_DIM] = A_DIM,      [STYLE_BAR] = A_REVERSE,
        [STYLE_SELECTED] = A_REVERSE, [STYLE_BAD] = A_BOLD,     [STYLE_WARN] = A_BOLD,
        [STYLE_ACCENT] = A_UNDERLINE, [STYLE_MATCH] = A_REVERSE};
    short color = p->rich > 0 && COLORS >= 256 ? p->rich : p->color;

    if (color == 0)
        return mono[i];
    init_pair((short)(i + 1), color, -1);
    return (attr_t)COLOR_PAIR(i + 1) | p->attributes;
}

void screen_theme(struct screen *s, enum tui_theme theme)
{
    static const struct paint none;
    bool is_plain = s->no_color || !has_colors();

    for (int i = 0; i < STYLES; i++)
        s->attributes[i] = attribute_of(i, is_plain ? &none : &paints[theme][i]);
    if (theme == THEME_CONTRAST)
        s->attributes[STYLE_DIM] = A_NORMAL;
    clearok(curscr, TRUE);
}

void screen_use_mouse(struct screen *s, bool is_on)
{
    UNUSED(s);
    mouseinterval(is_on ? 200 : 0);
    mousemask(is_on ? BUTTON1_CLICKED | BUTTON1_PRESSED | BUTTON1_DOUBLE_CLICKED | BUTTON4_PRESSED |
                          BUTTON5_PRESSED
                    : 0,
              NULL);
}

bool screen_mouse(struct screen *s, struct mouse_event *ev)
{
    MEVENT m;

    UNUSED(s);
    if (getmouse(&m) != 0 || m.x < 0 || m.y < 0)
        return false;
    *ev = (struct mouse_event){.x = (unsigned)m.x, .y = (unsigned)m.y};
    if (m.bstate & BUTTON4_PRESSED)
        ev->kind = MOUSE_UP;
    else if (m.bstate & BUTTON5_PRESSED)
        ev->kind = MOUSE_DOWN;
    else if (m.bstate & BUTTON1_DOUBLE_CLICKED)
        ev->kind = MOUSE_DOUBLE;
    else
        ev->kind = MOUSE_CLICK;
    return true;
}

static int add_to_farewell(int c)
{
    if (farewell.n < sizeof(farewell.bytes))
        farewell.bytes[farewell.n++] = (char)c;
    return c;
}

static void prepare_farewell(void)
{
    static const char no_mouse[] = "\033[?1006l\033[?1000l";
    static const char *const names[] = {"sgr0", "cnorm", "rmkx", "rmcup"};
    struct sigaction die = {.sa_sigaction = on_death, .sa_flags = SA_SIGINFO};

    farewell.n = 0;
    for (size_t i = 0; i < sizeof(no_mouse) - 1; i++)
        add_to_farewell(no_mouse[i]);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char name[8];
        memcpy(name, names[i], strlen(names[i]) + 1);
        const char *text = tigetstr(name);
        if (text != NULL && text != (const char *)-1)
            tputs(text, 1, add_to_farewell);
    }
    for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
        sigaction(deadly[i], &die, &farewell.old[i]);
}

/* TERM=dumb and its like print line after line. */
static bool can_place_cursor(void)
{
    char name[] = "cup";
    const char *how = tigetstr(name);

    return how != NULL && how != (const char *)-1;
}

enum status screen_open(struct screen **out, bool no_color, struct err *e)
{
    struct sigaction stop = {.sa_handler = on_stop};

    if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)
        return err_set(e, ERR_USAGE,
                       "the dashboard needs a terminal; --once prints one frame, -o json the rows");
    farewell.has_settings = tcgetattr(STDIN_FILENO, &farewell.settings) == 0;
    if (!newterm(NULL, stdout, stdin))
        return err_set(e, ERR_USAGE, "terminal type \"%s\" is not known: set TERM, or use --once",
                       getenv("TERM") ? getenv("TERM") : "");
    if (!can_place_cursor()) {
        endwin();
        return err_set(e, ERR_USAGE,
                       "terminal type \"%s\" cannot place its cursor: --once prints one frame",
                       getenv("TERM") ? getenv("TERM") : "");
    }
    struct screen *s = xcalloc(1, sizeof(*s));
    sigaction(SIGTERM, &stop, &s->old_term);
    sigaction(SIGHUP, &stop, &s->old_hup);
    sigaction(SIGINT, &stop, &s->old_int);
    prepare_farewell();
    raw(); /* ^C is a key */
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    set_escdelay(25);
    curs_set(0);
    s->no_color = no_color;
    if (!no_color && has_colors()) {
        start_color();
        use_default_colors();
    }
    screen_theme(s, THEME_DEFAULT);
    *out = s;
    return OK;
}

void screen_close(struct screen *s)
{
    if (!s)
        return;
    curs_set(1);
    endwin();
    sigaction(SIGTERM, &s->old_term, NULL);
    sigaction(SIGHUP, &s->old_hup, NULL);
    sigaction(SIGINT, &s->old_int, NULL);
    for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
        sigaction(deadly[i], &farewell.old[i], NULL);
    free(s);
}

void screen_size(struct screen *s, unsigned *width, unsigned *height)
{
    int w, h;

    UNUSED(s);
    getmaxyx(stdscr, h, w);
    *width = w > 0 ? (unsigned)w : 1;
    *height = h > 0 ? (unsigned)h : 1;
}

/* Runs of one style at a time; ncurses sends only what differs from the screen. */
static unsigned paint_run(struct screen *s, const struct frame *f, unsigned x, unsigned y)
{
    AUTO(buf_clear) struct buf text = {.max = 1u << 16};
    const struct cell *row = &f->cells[(size_t)y * f->width];
    unsigned end = x;

    for (; end < f->width && row[end].style == row[x].style; end++) {
        char bytes[4];
        if (row[end].cp != 0)
            buf_add(&text, bytes, utf8_put(row[end].cp, bytes));
    }
    attrset((int)s->attributes[row[x].style]);
    mvaddnstr((int)y, (int)x, text.p, (int)text.n);
    return end;
}

void screen_paint(struct screen *s, const struct frame *f)
{
    erase();
    for (unsigned y = 0; y < f->height; y++)
        for (unsigned x = 0; x < f->width;)
            x = paint_run(s, f, x, y);
    refresh();
}

static uint32_t special_key(int code)
{
    static const struct {
        int code;
        uint32_t key;
    } keys[] = {
        {KEY_UP, TK_UP},         {KEY_DOWN, TK_DOWN},
        {KEY_LEFT, TK_LEFT},     {KEY_RIGHT, TK_RIGHT},
        {KEY_PPAGE, TK_PAGE_UP}, {KEY_NPAGE, TK_PAGE_DOWN},
        {KEY_HOME, TK_HOME},     {KEY_END, TK_END},
        {KEY_ENTER, TK_ENTER},   {KEY_BACKSPACE, TK_BACKSPACE},
        {KEY_RESIZE, TK_RESIZE}, {KEY_F(1), TK_F1},
        {KEY_F(2), TK_F2},       {KEY_MOUSE, TK_MOUSE},
        {KEY_BTAB, TK_BACK_TAB}, {KEY_F(3), TK_F3},
        {KEY_F(4), TK_F4},       {KEY_F(5), TK_F5},
        {KEY_F(6), TK_F6},       {KEY_F(10), TK_F10},
    };

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i].code == code)
            return keys[i].key;
    return 0;
}

/* After an Escape: the rest of a control sequence no terminfo entry knows (keys with modifiers,
 * answers of the terminal) is read away, or its letters would act as keys. False: it was the Escape
 * key. */
static bool skip_sequence(void)
{
    timeout(0);
    int c = getch();

    if (c != '[' && c != 'O') {
        if (c != ERR)
            ungetch(c);
        return false;
    }
    do
        c = getch();
    while (c != ERR && (c < 0x40 || c > 0x7e)); /* ECMA-48, 5.4: the final byte */
    return true;
}

uint32_t screen_key(struct screen *s, int timeout_ms)
{
    UNUSED(s);
    timeout(timeout_ms);
    int c = getch();
    if (c == ERR)
        return 0;
    if (c == '\r' || c == '\n')
        return TK_ENTER;
    if (c == '\t')
        return TK_TAB;
    if (c == 27)
        return skip_sequence() ? 0 : TK_ESCAPE;
    if (c == 127 || c == 8)
        return TK_BACKSPACE;
    return c >= KEY_MIN ? special_key(c) : (uint32_t)c;
}

/* OSC 52: the terminal puts the text on its clipboard, over ssh too. */
void screen_copy(struct screen *s, struct str text)
{
    AUTO(buf_clear) struct buf b = {.max = 1u << 16};

    UNUSED(s);
    buf_add_z(&b, "\033]52;c;");
    base64_add(&b, text);
    buf_add_c(&b, '\a');
    fwrite(b.p, 1, b.n, stdout);
    fflush(stdout);
}

/* The whole job, so that what started it stops too; ncurses' own handler keeps the screen. */
void screen_suspend(struct screen *s)
{
    UNUSED(s);
    kill(0, SIGTSTP);
}
