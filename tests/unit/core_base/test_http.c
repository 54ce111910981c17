/* The HTTP client against a server that misbehaves on purpose. The server is a child process that
 * answers by path; connections are counted to see that they are used again. */
#include "tests/test.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "core/base/clock.h"
#include "core/base/http.h"
#include "core/base/url.h"

enum { BOMB_PLAIN = 64 << 20 };

struct server {
    pid_t pid;
    int port;
    int *connections; /* shared with the child */
};
static struct server server; /* one for all tests: a fork each would be slow under sanitizers */

/* --- the child
 * ----------------------------------------------------------------------------------------------
 */

static void say(int fd, const char *text)
{
    (void)!write(fd, text, strlen(text));
}

static void say_gzip(int fd, size_t plain_bytes)
{
    static unsigned char packed[1 << 18];
    unsigned char *plain = calloc(1, plain_bytes);
    z_stream z = {.next_in = plain,
                  .avail_in = (unsigned)plain_bytes,
                  .next_out = packed,
                  .avail_out = sizeof(packed)};
    char head[160];

    memset(plain, 'a', plain_bytes);
    deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
    deflate(&z, Z_FINISH);
    snprintf(head, sizeof(head),
             "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %lu\r\n\r\n",
             (unsigned long)z.total_out);
    say(fd, head);
    (void)!write(fd, packed, z.total_out);
    deflateEnd(&z);
    free(plain);
}

static void say_many(int fd, const char *head, const char *piece, int n)
{
    say(fd, head);
    for (int i = 0; i < n; i++)
        say(fd, piece);
}

/* False: the connection ends. */
static bool answer(int fd, const char *request)
{
    char text[256];

    if (strstr(request, " /echo ")) {
        const char *body = strstr(request, "\r\n\r\n") + 4;
        snprintf(text, sizeof(text),
                 "HTTP/1.1 201 Created\r\nX-One:  a b \r\nx-two:\r\n"
                 "Content-Length: %zu\r\n\r\n%s",
                 strlen(body), body);
        say(fd, text);
        return true;
    }
    if (strstr(request, " /redirect ")) {
        say(fd, "HTTP/1.1 302 Found\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n");
        return true;
    }
    if (strstr(request, " /gzip ")) {
        say_gzip(fd, 5000);
        return true;
    }
    if (strstr(request, " /bomb "))
        say_gzip(fd, BOMB_PLAIN);
    else if (strstr(request, " /badgzip "))
        say(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nabcde");
    else if (strstr(request, " /cut "))
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort");
    else if (strstr(request, " /huge "))
        say_many(fd, "HTTP/1.1 200 OK\r\n\r\n", "0123456789abcdef", 100000);
    else if (strstr(request, " /headers "))
        say_many(fd, "HTTP/1.1 200 OK\r\n", "X-Filler: 0123456789012345678901234567890\r\n", 5000);
    else if (strstr(request, " /garbage "))
        say(fd, "\001\002\003 not http at all\r\n\r\n");
    else if (strstr(request, " /slow "))
        pause();
    return false;
}

static void serve_connection(int fd)
{
    char request[4096];

    for (;;) {
        ssize_t n = read(fd, request, sizeof(request) - 1);
        if (n <= 0)
            return;
        request[n] = '\0';
        if (!answer(fd, request))
            return;
    }
}

static void serve(int listener)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        __atomic_add_fetch(server.connections, 1, __ATOMIC_SEQ_CST);
        if (fork() == 0) {
            serve_connection(fd);
            shutdown(fd, SHUT_RDWR);
            _exit(0);
        }
        close(fd);
    }
}

static int start(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    UNUSED(state);
    if (bind(listener, (struct sockaddr *)&at, size) != 0 || listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&at, &size) != 0)
        return -1;
    server.port = ntohs(at.sin_port);
    server.connections =
        mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    server.pid = fork();
    if (server.pid == 0) {
        setpgid(0, 0);
        serve(listener);
    }
    setpgid(server.pid, server.pid);
    close(listener);
    return 0;
}

static int end(void **state)
{
    UNUSED(state);
    kill(-server.pid, SIGKILL);
    waitpid(server.pid, NULL, 0);
    return 0;
}

/* --- the client
 * ----------------------------------------------------------------------------------------------
 */

static struct http_request request_for(struct arena *a, const char *path)
{
    return (struct http_request){
        .method = STR("GET"),
        .url = arena_printf(a, "http://127.0.0.1:%d%s", server.port, path),
        .is_direct = true,
    };
}

static enum status get(const char *path, size_t max, struct arena *a, struct http_response *r,
                       struct err *e)
{
    struct http h = http_curl(NULL);
    struct http_request q = request_for(a, path);

    q.max_bytes = max;
    enum status s = http_send(&h, &q, a, r, e);
    http_close(&h);
    return s;
}

static void test_post(void **state)
{
    static const struct http_header headers[] = {{STR_INIT("X-Empty"), STR_INIT("")},
                                                 {STR_INIT("X-Full"), STR_INIT("v")}};
    struct arena a = {0};
    struct http_response r;
    struct err e = {0};
    struct http h = http_curl(NULL);
    struct http_request q = request_for(&a, "/echo");

    UNUSED(state);
    q.method = STR("POST");
    q.headers = headers;
    q.n_headers = 2;
    q.body = STR("{\"x\":1}");
    CHECK_OK(http_send(&h, &q, &a, &r, &e), &e);
    CHECK_INT(r.status, 201);
    CHECK_STR(r.body, STR("{\"x\":1}"));
    CHECK_STR(http_header_get(&r, "x-one"), STR("a b"));
    CHECK_INT(http_header_get(&r, "x-two").n, 0);
    http_close(&h);
    arena_clear(&a);
}

static void test_reuses_connection(void **state)
{
    struct arena a = {0};
    struct http_response r;
    struct err e = {0};
    struct http h = http_curl(NULL);
    struct http_request q = request_for(&a, "/echo");

    UNUSED(state);
    int before = __atomic_load_n(server.connections, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 20; i++)
        CHECK_OK(http_send(&h, &q, &a, &r, &e), &e);
    CHECK_INT(__atomic_load_n(server.connections, __ATOMIC_SEQ_CST) - before, 1);
    http_close(&h);
    arena_clear(&a);
}

static void test_answers(void **state)
{
    static const struct {
        const char *path;
        size_t max;
        enum status status;
    } rows[] = {
        {"/redirect", 0, OK},       {"/gzip", 0, OK},           {"/gzip", 4999, ERR_LIMIT},
        {"/bomb", 0, ERR_LIMIT},    {"/huge", 4096, ERR_LIMIT}, {"/cut", 0, ERR_AGAIN},
        {"/badgzip", 0, ERR_PARSE}, {"/garbage", 0, ERR_AGAIN}, {"/nothing", 0, ERR_AGAIN},
        {"/headers", 0, ERR_LIMIT},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a = {0};
        struct http_response r = {0};
        struct err e = {0};
        enum status s = get(rows[i].path, rows[i].max, &a, &r, &e);
        print_message("%s: %s\n", rows[i].path, e.msg);
        CHECK_STATUS(s, rows[i].status);
        CHECK(a.used_bytes < 1 << 20); /* a bomb does not grow */
        if (strcmp(rows[i].path, "/redirect") == 0)
            CHECK_INT(r.status, 302);
        if (s == OK && strcmp(rows[i].path, "/gzip") == 0)
            CHECK_INT(r.body.n, 5000);
        arena_clear(&a);
    }
}

static void test_refused(void **state)
{
    struct arena a = {0};
    struct http h = http_curl(NULL);
    struct http_request q = {
        .method = STR("GET"), .url = STR("http://127.0.0.1:1/"), .is_direct = true};
    struct http_response r;

    UNUSED(state);
    CHECK_STATUS(http_send(&h, &q, &a, &r, NULL), ERR_AGAIN);
    q.url = STR("file:///etc/passwd");
    CHECK_STATUS(http_send(&h, &q, &a, &r, NULL), ERR_CONFIG);
    http_close(&h);
    arena_clear(&a);
}

static void test_times_out(void **state)
{
    struct arena a = {0};
    struct http h = http_curl(NULL);
    struct http_request q = request_for(&a, "/slow");
    struct http_response r;

    UNUSED(state);
    q.timeout_ns = 100 * NS_PER_MS;
    CHECK_STATUS(http_send(&h, &q, &a, &r, NULL), ERR_AGAIN);
    http_close(&h);
    arena_clear(&a);
}

static atomic_bool stop;

static void on_alarm(int number)
{
    UNUSED(number);
    atomic_store(&stop, true);
}

static void test_stops(void **state)
{
    struct arena a = {0};
    struct http h = http_curl(&stop);
    struct http_request q = request_for(&a, "/slow");
    struct http_response r;

    UNUSED(state);
    signal(SIGALRM, on_alarm);
    alarm(1); /* the flag comes while the transfer waits */
    CHECK_STATUS(http_send(&h, &q, &a, &r, NULL), ERR_CANCELLED);
    CHECK_STATUS(http_send(&h, &q, &a, &r, NULL), ERR_CANCELLED);
    http_close(&h);
    arena_clear(&a);
}

static void test_refuses_injection(void **state)
{
    struct http_header header = {STR("X-Name"), STR("a\r\nX-Evil: 1")};
    struct arena a = {0};
    struct http h = http_curl(NULL);
    struct http_request q = request_for(&a, "/echo");
    struct http_response r;

    UNUSED(state);
    q.headers = &header;
    q.n_headers = 1;
    CHECK_STATUS(http_send(&h, &q, &a, &r, NULL), ERR_CONFIG);
    http_close(&h);
    arena_clear(&a);
}

static void test_encoding(void **state)
{
    struct buf b = {.max = 1000};

    UNUSED(state);
    url_encode(&b, STR("a b/$\xc3\xa4~"), false);
    CHECK_STR(buf_str(&b), STR("a%20b%2F%24%C3%A4~"));
    buf_reset(&b);
    url_encode(&b, STR("/a b"), true);
    CHECK_STR(buf_str(&b), STR("/a%20b"));
    buf_clear(&b);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_post),
    cmocka_unit_test(test_reuses_connection),
    cmocka_unit_test(test_answers),
    cmocka_unit_test(test_refused),
    cmocka_unit_test(test_times_out),
    cmocka_unit_test(test_stops),
    cmocka_unit_test(test_refuses_injection),
    cmocka_unit_test(test_encoding),
};

int main(void)
{
    return cmocka_run_group_tests(tests, start, end);
}
