/* Both ends of the control socket. One client is served at a time: what it does is rare, and its
 * batches go the same way as everybody's. */
#include "collector/control.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "collector/control_wire.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/mem.h"

enum { CLIENT_PATIENCE_MS = 5000, LOOK_MS = 200 };

struct control {
    int fd;
    struct sockaddr_un at;
};

static enum status make_address(const char *folder, struct sockaddr_un *at, struct err *e)
{
    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n = snprintf(at->sun_path, sizeof(at->sun_path), "%s/control", folder);
    if (n < 0 || (size_t)n >= sizeof(at->sun_path))
        return err_set(e, ERR_LIMIT, "%s/control: too long for a socket's name", folder);
    return OK;
}

static const struct sockaddr *generic(const struct sockaddr_un *at)
{
    return (const struct sockaddr *)(const void *)at;
}

/* --- the collector's side
 * -----------------------------------------------------------------------------------
 */

enum status control_listen(const char *folder, struct control **out, struct err *e)
{
    struct control *c = xcalloc(1, sizeof(*c));
    enum status s = make_address(folder, &c->at, e);

    c->fd = s == OK ? socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0) : -1;
    if (s != OK) {
        free(c);
        return s;
    }
    unlink(c->at.sun_path);
    mode_t before = umask(0177);
    bool is_bound = c->fd >= 0 && bind(c->fd, generic(&c->at), sizeof(c->at)) == 0;
    umask(before);
    if (is_bound)
        file_hand_over_name(c->at.sun_path);
    if (!is_bound || listen(c->fd, 16) != 0) {
        s = err_errno(e, errno, "%s", c->at.sun_path);
        control_free(c);
        return s;
    }
    *out = c;
    return OK;
}

void control_free(struct control *c)
{
    if (c == NULL)
        return;
    if (c->fd >= 0) {
        close(c->fd);
        unlink(c->at.sun_path);
    }
    free(c);
}

struct serving {
    int fd;
    const struct control_hooks *h;
    struct import_options import; /* once "import" came */
    struct arena arena;           /* of its texts */
    bool is_import;
    struct import_progress at; /* events, kept aside, and what the files were */
};

enum { DONE_NUMBERS = 12 };

/* What "done" tells, in this order. */
static void done_numbers(struct import_progress *p, uint64_t *out[DONE_NUMBERS])
{
    uint64_t *const numbers[DONE_NUMBERS] = {&p->counts.events,  &p->counts.quarantined,
                                             &p->guessed,        &p->files,
                                             &p->bytes,          &p->known,
                                             &p->empty,          &p->unreadable,
                                             &p->counts.untimed, &p->foreign,
                                             &p->own_stream,     &p->held};

    memcpy(out, numbers, sizeof(numbers));
}

static void answer(int fd, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void answer(int fd, const char *fmt, ...)
{
    char text[1024];
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    if (wire_send(fd, (struct str){text, used}, -1, NULL) != OK)
        log_event(LOG_DEBUG, "control: a client went away before its answer");
}

static void begin_import(struct serving *s, struct str text)
{
    struct import_defaults *d = &s->import.defaults;
    struct str *const members[] = {&d->account, &d->region, &d->function, &d->log_group,
                                   &d->instance};
    uint64_t now;

    text = arena_str(&s->arena, text);
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        *members[i] = str_cut(&text, '\n');
    s->import.format = arena_strz(&s->arena, str_cut(&text, '\n'));
    d->now_ns = str_to_u64(str_cut(&text, '\n'), &now) ? (int64_t)now : 0;
    s->import.stop = s->h->halt;
    s->import.lookups = s->h->lookups;
    s->is_import = true;
}

/* Counts what is handed on, and stops where the client is gone: what was read is kept all the same.
 */
static enum status take(void *ctx, struct batch *b, const struct import_progress *at)
{
    struct serving *s = ctx;

    s->at.counts.events += b->counts.events;
    s->at.counts.quarantined += b->counts.quarantined;
    s->at.counts.untimed += b->counts.untimed;
    bool is_there = wire_is_open(s->fd);
    enum status st = s->h->take(s->h->ctx, b, at);
    return st == OK && !is_there ? ERR_CANCELLED : st;
}

static enum status import_file(struct serving *s, struct str path, int fd, bool is_found,
                               struct err *e)
{
    struct str one = arena_str(&s->arena, path);
    struct import_options o = s->import;
    struct file_source f = {.options = &o, .take = take, .take_ctx = s};

    o.paths = (struct opt_list_paths){&one, 1};
    o.fd = fd;
    o.client_fd = s->fd;
    o.is_found = is_found;
    enum status st = file_source_open(&f, e);
    if (st == OK)
        st = file_source_run(&f, e);
    s->at.guessed += f.at.guessed;
    s->at.own_stream += f.at.own_stream;
    s->at.known += f.at.known;
    s->at.empty += f.at.empty;
    s->at.held += f.at.held;
    s->at.foreign += f.at.foreign;
    s->at.unreadable += f.at.unreadable;
    s->at.files += f.at.files_done;
    s->at.bytes += f.at.bytes_done;
    file_source_close(&f);
    return st;
}

static enum status settle_import(struct serving *s, struct err *e)
{
    AUTO(buf_clear) struct buf reply = {.max = CONTROL_MAX_BYTES}, done = {.max = 1024};
    enum status st = s->h->settle(s->h->ctx, (struct str){0}, &reply, e);
    uint64_t *numbers[DONE_NUMBERS];

    if (st != OK)
        return st;
    done_numbers(&s->at, numbers);
    buf_add_z(&done, "done");
    for (size_t i = 0; i < DONE_NUMBERS; i++)
        buf_addf(&done, " %" PRIu64, *numbers[i]);
    answer(s->fd, "%.*s", (int)done.n, done.p);
    return OK;
}

static enum status run_command(struct serving *s, struct str command, struct err *e)
{
    AUTO(buf_clear) struct buf reply = {.max = CONTROL_MAX_BYTES};

    buf_add_z(&reply, "done\n");
    enum status st = s->h->settle(s->h->ctx, command, &reply, e);
    return st == OK ? wire_send(s->fd, buf_str(&reply), -1, e) : st;
}

static enum status serve_message(struct serving *s, struct str message, int fd, bool *is_last,
                                 struct err *e)
{
    struct str rest = message;
    struct str verb = str_cut(&rest, '\n');

    *is_last = true;
    if (str_eq(verb, STR("command")))
        return run_command(s, rest, e);
    if (str_eq(verb, STR("end")) && s->is_import)
        return settle_import(s, e);
    *is_last = false;
    if (str_eq(verb, STR("import")) && !s->is_import) {
        begin_import(s, rest);
        return OK;
    }
    bool is_found = str_eq(verb, STR("found")); /* in a folder */
    if ((!is_found && !str_eq(verb, STR("file"))) || !s->is_import || fd < 0)
        return err_set(e, ERR_USAGE, "a message that is not understood");
    enum status st = import_file(s, rest, fd, is_found, e);
    if (st == OK)
        answer(s->fd, "read %" PRIu64, s->at.counts.events);
    return st;
}

/* A client that says nothing for long is not waited for: others may want in. */
static void serve(struct serving *s)
{
    AUTO(buf_clear) struct buf message = {.max = CONTROL_MAX_BYTES};
    struct err e = {0};
    enum status st = OK;

    for (bool is_last = false; st == OK && !is_last;) {
        int passed = -1;
        st = wire_receive(s->fd, CLIENT_PATIENCE_MS, &message, &passed, &e);
        if (st == OK)
            st = serve_message(s, buf_str(&message), passed, &is_last, &e);
        else if (passed >= 0)
            close(passed);
    }
    if (st != OK && wire_is_open(s->fd))
        answer(s->fd, "failed %d\n%s", (int)st, e.msg);
}

void control_serve(struct control *c, int timeout_ms, const struct control_hooks *h)
{
    struct pollfd p = {c->fd, POLLIN, 0};

    if (poll(&p, 1, timeout_ms) <= 0)
        return;
    struct serving s = {.h = h, .fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC)};
    if (s.fd < 0)
        return;
    serve(&s);
    close(s.fd);
    arena_clear(&s.arena);
}

/* --- the client's side
 * ----------------------------------------------------------------------------------------
 */

enum status control_connect(const char *folder, int *out, struct err *e)
{
    struct sockaddr_un at;
    enum status s = make_address(folder, &at, e);

    if (s != OK)
        return s;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_errno(e, errno, "%s", at.sun_path);
    if (connect(fd, generic(&at), sizeof(at)) != 0) {
        close(fd);
        return err_set(e, ERR_NOT_FOUND, "no collector runs on the store %s", folder);
    }
    *out = fd;
    return OK;
}

/* "done ...", "read ..." or "failed <status>\n<message>". The collector may be busy committing. */
static enum status expect(int fd, const char *verb, const atomic_bool *stop, struct buf *message,
                          struct err *e)
{
    for (;;) {
        struct err local = {0};
        enum status s = wire_receive(fd, LOOK_MS, message, NULL, &local);
        if (s == ERR_AGAIN && (stop == NULL || !atomic_load(stop)))
            continue;
        if (s == ERR_AGAIN)
            return err_set(e, ERR_CANCELLED, "stopped");
        if (s != OK)
            return err_set(e, s == ERR_CANCELLED ? ERR_IO : s, "the collector: %s", local.msg);
        break;
    }
    struct str text = buf_str(message);
    if (str_starts(text, str_from(verb)))
        return OK;
    struct str first = str_cut(&text, '\n');
    uint64_t code;
    if (!str_starts(first, STR("failed ")) || !str_to_u64(str_skip(first, 7), &code) || code == 0)
        return err_set(e, ERR_BUG, "the collector gave an answer that is not understood");
    return err_set(e, (enum status)code, STR_FMT, STR_ARG(text));
}

static enum status send_head(int fd, const struct import_options *o, struct err *e)
{
    AUTO(buf_clear) struct buf b = {.max = CONTROL_MAX_BYTES};
    const struct import_defaults *d = &o->defaults;

    buf_addf(&b,
             "import\n" STR_FMT "\n" STR_FMT "\n" STR_FMT "\n" STR_FMT "\n" STR_FMT "\n%s\n%lld",
             STR_ARG(d->account), STR_ARG(d->region), STR_ARG(d->function), STR_ARG(d->log_group),
             STR_ARG(d->instance), o->format, (long long)d->now_ns);
    enum status s = buf_check(&b, "the import's options", e);
    return s == OK ? wire_send(fd, buf_str(&b), -1, e) : s;
}

struct offer {
    const char *path;
    bool is_found; /* in a folder: nobody named it */
};

static enum status send_file(int fd, const struct offer *of, int file, const atomic_bool *stop,
                             struct err *e)
{
    AUTO(buf_clear) struct buf b = {.max = CONTROL_MAX_BYTES};

    buf_addf(&b, "%s\n%s", of->is_found ? "found" : "file", of->path);
    enum status s = wire_send(fd, buf_str(&b), file, e);
    return s == OK ? expect(fd, "read ", stop, &b, e) : s;
}

static void pass_over(const char *reason, uint64_t *unreadable)
{
    ++*unreadable;
    log_event(LOG_WARN, "import: %s; it is passed over, the others are read", reason);
}

static void read_done(struct str text, struct import_progress *result)
{
    uint64_t *numbers[DONE_NUMBERS];

    done_numbers(result, numbers);
    str_cut(&text, ' ');
    for (size_t i = 0; i < DONE_NUMBERS; i++)
        if (!str_to_u64(str_cut(&text, ' '), numbers[i]))
            *numbers[i] = 0;
    result->files_done = result->files;
    result->bytes_done = result->bytes;
}

/* What cannot be opened is named and passed over. */
static enum status offer_file(int fd, const struct offer *of, const struct import_options *o,
                              uint64_t *unreadable, struct err *e)
{
    bool is_stdin = strcmp(of->path, "-") == 0;
    int file = is_stdin ? STDIN_FILENO : open(of->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct err why = {0};

    if (file < 0) {
        err_errno(&why, errno, "opening %s", of->path);
        pass_over(why.msg, unreadable);
        return OK;
    }
    enum status s = send_file(fd, of, file, o->stop, e);
    if (!is_stdin)
        close(file);
    return s;
}

static enum status send_files(int fd, const struct import_options *o, uint64_t *unreadable,
                              struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    enum status s = OK;
    size_t n_bad = 0;

    for (size_t i = 0; s == OK && i < o->paths.count; i++) {
        const char *path = arena_strz(&a, o->paths.items[i]);
        struct file_list files = {0};
        struct err why = {0};
        if (strcmp(path, "-") == 0) {
            s = offer_file(fd, &(struct offer){path, false}, o, unreadable, e);
            continue;
        }
        if (file_list(&a, path, &files, &why) != OK) {
            if (++n_bad == o->paths.count)
                return err_set(e, why.code, "%s", why.msg);
            pass_over(why.msg, unreadable);
        }
        for (size_t k = 0; s == OK && k < files.count; k++)
            s = offer_file(fd, &(struct offer){files.paths[k], strcmp(files.paths[k], path) != 0},
                           o, unreadable, e);
    }
    return s;
}

enum status control_import(int fd, const struct import_options *o, struct import_progress *result,
                           struct err *e)
{
    AUTO(buf_clear) struct buf message = {.max = CONTROL_MAX_BYTES};
    enum status s = send_head(fd, o, e);
    uint64_t unreadable = 0;

    *result = (struct import_progress){0};
    if (s == OK)
        s = send_files(fd, o, &unreadable, e);
    if (s == OK)
        s = wire_send(fd, STR("end"), -1, e);
    if (s == OK)
        s = expect(fd, "done ", o->stop, &message, e);
    if (s == OK)
        read_done(buf_str(&message), result);
    result->unreadable += unreadable;
    return s;
}

enum status control_command(int fd, struct str command, struct buf *reply, struct err *e)
{
    AUTO(buf_clear) struct buf message = {.max = CONTROL_MAX_BYTES};

    buf_addf(&message, "command\n" STR_FMT, STR_ARG(command));
    enum status s = buf_check(&message, "the command", e);
    if (s == OK)
        s = wire_send(fd, buf_str(&message), -1, e);
    if (s == OK)
        s = expect(fd, "done\n", NULL, &message, e);
    if (s == OK)
        buf_add_str(reply, str_skip(buf_str(&message), STR("done\n").n));
    return s;
}
