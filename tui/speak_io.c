/* The dashboard as lines on standard input and output: the one place that reads and writes them. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "tui/speak.h"

#define POLL_MS 100

/* Adds what can be read to `in`; false at its end. */
static bool read_some(struct buf *in)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    char bytes[2048];

    if (poll(&p, 1, POLL_MS) <= 0)
        return true;
    ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (n > 0)
        buf_add(in, bytes, (size_t)n);
    return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

/* false: nobody reads any more. */
static bool write_all(struct buf *out)
{
    struct str rest = buf_str(out);

    while (rest.n > 0) {
        ssize_t n = write(STDOUT_FILENO, rest.p, rest.n);
        if (n < 0 && errno != EINTR)
            return false;
        rest = str_skip(rest, n > 0 ? (size_t)n : 0);
    }
    buf_reset(out);
    return true;
}

/* The lines typed so far; what is left of the last one waits for its end. */
static bool take_lines(struct speaker *s, struct buf *in, struct buf *out)
{
    struct str rest = buf_str(in);

    while (!s->app.must_quit && str_find_char(rest, '\n') < rest.n) {
        struct str line = str_cut(&rest, '\n');
        speaker_line(s, line, out);
        if (!write_all(out))
            return false;
    }
    AUTO(buf_clear) struct buf left = {.max = 1u << 16};
    buf_add_str(&left, rest);
    buf_reset(in);
    buf_add_str(in, buf_str(&left));
    return !s->app.must_quit;
}

enum status tui_speak(const struct tui_options *o, struct err *e)
{
    AUTO(buf_clear) struct buf in = {.max = 1u << 16};
    AUTO(buf_clear) struct buf out = {.max = 1u << 22};
    struct clock ticking = clock_system();
    struct speaker s;
    bool goes_on = true;

    UNUSED(e);
    speaker_open(&s, o);
    speaker_say(&s, &out);
    while (goes_on && write_all(&out)) {
        goes_on = read_some(&in);
        goes_on = take_lines(&s, &in, &out) && goes_on;
        if (goes_on)
            speaker_look(&s, clock_monotonic(&ticking), &out);
    }
    speaker_close(&s);
    return OK;
}
