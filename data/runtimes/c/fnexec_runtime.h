/* Runs a C handler for fnexec: one header to include, one function to call. Speaks frames on
 * descriptors 3 and 4 (executor/frame_proto.h); needs nothing but the C library.
 *
 *     static int handle(const struct fnexec_event *in, struct fnexec_answer *out)
 *     {
 *         return fnexec_answer_set(out, in->data, in->size);
 *     }
 *     int main(void) { return fnexec_run(handle); }
 *
 * A handler returns 0 when its answer is JSON to return, else its answer is taken for the error
 * message. Lines on stdout and stderr become log events. */
#ifndef FNEXEC_RUNTIME_H
#define FNEXEC_RUNTIME_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FNEXEC_REQUESTS_FD 3
#define FNEXEC_ANSWERS_FD  4
#define FNEXEC_READ_BYTES  65536

struct fnexec_event {
    const char *data; /* JSON; not terminated */
    size_t size;
    const char *request_id, *function_arn, *trace; /* terminated */
    int64_t deadline_ms;                           /* since 1970 */
};

struct fnexec_answer {
    char *data;
    size_t size, room;
};

typedef int fnexec_handler(const struct fnexec_event *in, struct fnexec_answer *out);

static int fnexec_grow(struct fnexec_answer *b, size_t room)
{
    if (room <= b->room)
        return 0;
    char *data = (char *)realloc(b->data, room + room / 2);
    if (!data)
        return -1;
    b->data = data;
    b->room = room + room / 2;
    return 0;
}

/* Copies the answer. 0, or -1 without memory. */
static inline int fnexec_answer_set(struct fnexec_answer *out, const char *data, size_t size)
{
    if (fnexec_grow(out, size + 1))
        return -1;
    memcpy(out->data, data, size);
    out->data[size] = '\0';
    out->size = size;
    return 0;
}

static int fnexec_write(const char *p, size_t n)
{
    while (n > 0) {
        ssize_t put = write(FNEXEC_ANSWERS_FD, p, n);
        if (put < 0)
            return -1;
        p += put;
        n -= (size_t)put;
    }
    return 0;
}

static void fnexec_put_u32(char *p, size_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (char)(v >> (8 * i));
}

static size_t fnexec_get_u32(const char *p)
{
    size_t v = 0;
    for (int i = 0; i < 4; i++)
        v |= (size_t)(unsigned char)p[i] << (8 * i);
    return v;
}

/* Head and payload leave in one write. */
static int fnexec_send(char type, const char *data, size_t n)
{
    static struct fnexec_answer frame;

    if (fnexec_grow(&frame, n + 5))
        return -1;
    fnexec_put_u32(frame.data, n + 1);
    frame.data[4] = type;
    if (n > 0)
        memcpy(frame.data + 5, data, n);
    return fnexec_write(frame.data, n + 5);
}

static size_t fnexec_escape(char *out, const char *s, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '"' || c == '\\')
            out[k++] = '\\';
        out[k++] = c < 0x20 ? ' ' : (char)c;
    }
    return k;
}

/* One byte more than an answer may have tells as much as all of a larger one. */
#define FNEXEC_ANSWER_MOST (((size_t)6 << 20) + 101)

static int fnexec_send_answer(const struct fnexec_answer *out)
{
    return fnexec_send('O', out->data,
                       out->size < FNEXEC_ANSWER_MOST ? out->size : FNEXEC_ANSWER_MOST);
}

static int fnexec_send_error(const struct fnexec_answer *out)
{
    static const char type[] = "Function.Error";
    const size_t type_n = sizeof(type) - 1;
    char *frame = (char *)malloc(2 * out->size + 128);
    size_t n = 4;

    if (!frame)
        return -1;
    fnexec_put_u32(frame, type_n);
    memcpy(frame + n, type, type_n);
    n += type_n;
    n += (size_t)snprintf(frame + n, 32, "{\"errorMessage\":\"");
    n += fnexec_escape(frame + n, out->data, out->size);
    n += (size_t)snprintf(frame + n, 64, "\",\"errorType\":\"%s\",\"stackTrace\":[]}", type);
    int bad = fnexec_send('E', frame, n);
    free(frame);
    return bad;
}

/* Cuts a field out of the frame. It moves one byte down, over its length, to make room for its
 * terminator. */
static const char *fnexec_field(char *frame, size_t n, size_t *at)
{
    size_t size = *at + 4 <= n ? fnexec_get_u32(frame + *at) : n;

    if (*at + 4 > n || size > n - *at - 4)
        exit(1);
    char *field = frame + *at + 3;
    memmove(field, field + 1, size);
    field[size] = '\0';
    *at += 4 + size;
    return field;
}

static int fnexec_handle(char *frame, size_t n, fnexec_handler *handler, struct fnexec_answer *out)
{
    struct fnexec_event in = {0};
    size_t at = 9; /* type, deadline */
    uint64_t deadline = 0;

    for (int i = 0; i < 8; i++)
        deadline |= (uint64_t)(unsigned char)frame[1 + i] << (8 * i);
    in.deadline_ms = (int64_t)deadline;
    in.request_id = fnexec_field(frame, n, &at);
    in.function_arn = fnexec_field(frame, n, &at);
    in.trace = fnexec_field(frame, n, &at);
    fnexec_field(frame, n, &at); /* client context */
    fnexec_field(frame, n, &at); /* identity */
    in.data = frame + at;
    in.size = n - at;
    out->size = 0;
    int failed = handler(&in, out);
    fflush(stdout);
    return failed ? fnexec_send_error(out) : fnexec_send_answer(out);
}

/* Reads until a whole frame, its length in front, is in `in`: usually once. Its size without the
 * length; 0 at the end. */
static size_t fnexec_receive(struct fnexec_answer *in)
{
    for (;;) {
        size_t n = in->size >= 4 ? fnexec_get_u32(in->data) : 0;
        if (in->size >= 4 && in->size - 4 >= n)
            return n;
        if (fnexec_grow(in, (n + 4 > in->size ? n + 4 : in->size) + FNEXEC_READ_BYTES))
            return 0;
        ssize_t got = read(FNEXEC_REQUESTS_FD, in->data + in->size, in->room - in->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return 0;
        in->size += (size_t)got;
    }
}

static inline int fnexec_run(fnexec_handler *handler)
{
    struct fnexec_answer in = {0}, out = {0};
    size_t n;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (fnexec_send('R', NULL, 0))
        return 1;
    int failed = 0;
    while (!failed && (n = fnexec_receive(&in)) > 0) {
        failed = fnexec_handle(in.data + 4, n, handler, &out);
        in.size -= n + 4;
        memmove(in.data, in.data + n + 4, in.size);
    }
    free(in.data);
    free(out.data);
    return failed;
}

#endif
