/* The least a runtime can be: asks the Lambda Runtime API for an event, sends it back. One
 * connection, blocking; a leg of bench/executor.py. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static char in[1 << 16], out[1 << 16];
static size_t have;

static void need(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "rapi_echo: %s\n", what);
    exit(1);
}

static int dial(const char *address)
{
    const char *colon = strrchr(address, ':');
    struct sockaddr_in to = {.sin_family = AF_INET};
    char host[64];
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    need(colon && colon - address < (long)sizeof(host), "AWS_LAMBDA_RUNTIME_API");
    snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
    to.sin_port = htons((unsigned short)strtoul(colon + 1, NULL, 10));
    need(inet_pton(AF_INET, host, &to.sin_addr) == 1, "address");
    need(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0, "connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

/* Value of a header of the answer at `in`, NULL when there is none. */
static const char *header(const char *name)
{
    size_t n = strlen(name);

    for (char *line = strstr(in, "\r\n"); line && line[2] != '\r'; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, n) == 0 && line[2 + n] == ':')
            return line + 2 + n + 1 + strspn(line + 3 + n, " ");
    return NULL;
}

/* Reads one whole answer; *body within `in`. Returns the body's length. */
static size_t receive(int fd, char **body)
{
    for (have = 0;;) {
        ssize_t n = read(fd, in + have, sizeof(in) - 1 - have);
        need(n > 0, "read");
        have += (size_t)n;
        in[have] = '\0';
        char *end = strstr(in, "\r\n\r\n");
        const char *length = end ? header("Content-Length") : NULL;
        size_t size = length ? strtoul(length, NULL, 10) : 0;
        if (end && have >= (size_t)(end + 4 - in) + size) {
            *body = end + 4;
            return size;
        }
    }
}

int main(void)
{
    static const char next[] =
        "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: f\r\n\r\n";
    const char *address = getenv("AWS_LAMBDA_RUNTIME_API");
    char *body, id[64] = "";

    need(address != NULL, "AWS_LAMBDA_RUNTIME_API is not set");
    int fd = dial(address);
    for (;;) {
        need(write(fd, next, sizeof(next) - 1) == (ssize_t)sizeof(next) - 1, "write");
        size_t size = receive(fd, &body);
        const char *value = header("Lambda-Runtime-Aws-Request-Id");
        need(value != NULL, "no request id");
        snprintf(id, sizeof(id), "%.*s", (int)strcspn(value, "\r"), value);
        int n = snprintf(out, sizeof(out),
                         "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: f\r\n"
                         "Content-Length: %zu\r\n\r\n%.*s",
                         id, size, (int)size, body);
        need(n > 0 && write(fd, out, (size_t)n) == n, "write");
        receive(fd, &body);
    }
}
