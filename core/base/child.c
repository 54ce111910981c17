/* Starts a child by posix_spawn, feeds and reads it with poll, and ends its whole group in time. */
#include "core/base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"

#define DEFAULT_TIMEOUT_NS (5 * NS_PER_SEC)

enum { READ_BYTES = 16 << 10 };

struct child {
    pid_t pid;
    int in, out; /* our ends; -1: closed */
    struct str input;
    int64_t deadline_ns;
};

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static enum status start(struct child *c, const struct child_request *q, struct err *e)
{
    int in[2], out[2];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, standard;

    /* A socket, since writing to a pipe nobody reads would raise SIGPIPE. */
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0)
        return err_errno(e, errno, "starting %s", q->argv[0]);
    if (pipe2(out, O_CLOEXEC) != 0) {
        shut(&in[0]);
        shut(&in[1]);
        return err_errno(e, errno, "starting %s", q->argv[0]);
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    posix_spawnattr_init(&attr);
    sigemptyset(&none);
    sigfillset(&standard);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &standard);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                        POSIX_SPAWN_SETSIGDEF);
    /* posix_spawn's interface predates const: it changes neither. */
    char *const *argv, *const *envp = environ;
    memcpy(&argv, &q->argv, sizeof(argv));
    if (q->envp != NULL)
        memcpy(&envp, &q->envp, sizeof(envp));
    int failed = posix_spawnp(&c->pid, q->argv[0], &actions, &attr, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    shut(&in[0]);
    shut(&out[1]);
    c->in = in[1];
    c->out = out[0];
    if (failed == 0)
        return OK;
    shut(&c->in);
    shut(&c->out);
    return err_set(e, ERR_NOT_FOUND, "starting %s: %s", q->argv[0], strerror(failed));
}

static void feed(struct child *c)
{
    ssize_t n = c->input.n > 0 ? send(c->in, c->input.p, c->input.n, MSG_NOSIGNAL) : 0;

    if (n > 0)
        c->input = str_skip(c->input, (size_t)n);
    if (c->input.n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        shut(&c->in); /* all said, or it does not listen */
}

static void drain(struct child *c, struct buf *out)
{
    char bytes[READ_BYTES / 4];
    ssize_t n = read(c->out, bytes, sizeof(bytes));

    if (n > 0)
        buf_add(out, bytes, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        shut(&c->out);
}

/* Until its output ends, its time is over, or it says too much. */
static enum status converse(struct child *c, struct buf *out, const char *name, struct err *e)
{
    struct clock clock = clock_system();

    while (c->out >= 0) {
        int64_t left = c->deadline_ns - clock_monotonic(&clock);
        if (left <= 0)
            return err_set(e, ERR_AGAIN, "%s did not end in time", name);
        struct pollfd fds[] = {{c->out, POLLIN, 0}, {c->in, POLLOUT, 0}};
        if (poll(fds, 2, (int)(left / NS_PER_MS) + 1) < 0 && errno != EINTR)
            return err_errno(e, errno, "%s", name);
        if (fds[1].revents != 0)
            feed(c);
        if (fds[0].revents != 0)
            drain(c, out);
        if (out->is_full)
            return buf_check(out, name, e);
    }
    return OK;
}

/* Its output has ended: it has a moment to end itself. */
static int reap(struct child *c, bool must_kill)
{
    struct clock clock = clock_system();
    int status = 0;

    if (must_kill)
        kill(-c->pid, SIGKILL);
    while (waitpid(c->pid, &status, must_kill ? 0 : WNOHANG) != c->pid) {
        if (clock_monotonic(&clock) > c->deadline_ns) {
            must_kill = true;
            kill(-c->pid, SIGKILL);
        }
        if (!must_kill)
            poll(NULL, 0, 1);
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

enum status child_run(const struct child_request *q, struct buf *out, int *exit_code, struct err *e)
{
    struct clock clock = clock_system();
    struct child c = {
        .input = q->input,
        .deadline_ns =
            clock_monotonic(&clock) + (q->timeout_ns > 0 ? q->timeout_ns : DEFAULT_TIMEOUT_NS),
    };
    enum status s = start(&c, q, e);

    if (s != OK)
        return s;
    fcntl(c.in, F_SETFL, O_NONBLOCK);
    fcntl(c.out, F_SETFL, O_NONBLOCK);
    if (c.input.n == 0)
        shut(&c.in);
    s = converse(&c, out, q->argv[0], e);
    shut(&c.in);
    shut(&c.out);
    int code = reap(&c, s != OK);
    if (s == OK)
        *exit_code = code;
    return s;
}

/* --- command lines
 * --------------------------------------------------------------------------------------------
 */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One word from *i on, unquoted; false at an open quote. */
static bool take_word(struct str s, size_t *i, struct buf *word)
{
    char quote = 0;

    for (; *i < s.n && (quote != 0 || !is_blank(s.p[*i])); (*i)++) {
        char c = s.p[*i];
        if (c == '\\' && quote != '\'' && *i + 1 < s.n)
            buf_add_c(word, s.p[++*i]);
        else if (quote == 0 && (c == '\'' || c == '"'))
            quote = c;
        else if (c == quote)
            quote = 0;
        else
            buf_add_c(word, c);
    }
    return quote == 0;
}

enum status child_split(struct str line, struct arena *a, const char *const **argv, struct err *e)
{
    const char **words = arena_new(a, const char *, line.n / 2 + 2);
    size_t n = 0;

    for (size_t i = 0; i < line.n;) {
        AUTO(buf_clear) struct buf word = {.max = line.n + 1};
        if (is_blank(line.p[i])) {
            i++;
            continue;
        }
        if (!take_word(line, &i, &word))
            return err_set(e, ERR_CONFIG, "a quote is not closed: " STR_FMT, STR_ARG(line));
        words[n++] = arena_strz(a, buf_str(&word));
    }
    if (n == 0)
        return err_set(e, ERR_CONFIG, "the command is empty");
    *argv = words;
    return OK;
}
