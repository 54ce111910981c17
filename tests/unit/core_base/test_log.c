/* The log: what repeats is cut short, and hides nothing else. */
#include "tests/test.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/log.h"

/* Standard error goes into a file meanwhile. */
struct capture {
    char path[32];
    int saved;
};

static void capture_begin(struct capture *c)
{
    *c = (struct capture){.path = "/tmp/fnscope-log-XXXXXX"};
    const int fd = mkstemp(c->path);

    CHECK(fd >= 0);
    c->saved = dup(STDERR_FILENO);
    CHECK(c->saved >= 0 && dup2(fd, STDERR_FILENO) == STDERR_FILENO);
    close(fd);
}

static void capture_end(struct capture *c, struct buf *out)
{
    struct err e = {0};

    CHECK(dup2(c->saved, STDERR_FILENO) == STDERR_FILENO);
    close(c->saved);
    CHECK_OK(file_read(c->path, out, &e), &e);
    unlink(c->path);
}

static size_t count(const struct buf *b, const char *text)
{
    size_t n = 0;

    for (struct str rest = buf_str(b); rest.n > 0;) {
        const struct str line = str_cut(&rest, '\n');
        n += str_find(line, str_from(text)) < line.n;
    }
    return n;
}

static void say(const char *source, const char *what)
{
    log_event(LOG_WARN, "source=%s %s", source, what);
}

static void test_repeats_are_cut_by_text(void **state)
{
    AUTO(buf_clear) struct buf out = {.max = 1u << 20};
    struct capture c;

    UNUSED(state);
    capture_begin(&c);
    for (int i = 0; i < 40; i++)
        say("noprof", "no credentials");
    say("wrong", "HTTP 403");
    say("unknown", "HTTP 403");
    capture_end(&c, &out);
    CHECK_INT(count(&out, "source=noprof"), 5);
    CHECK_INT(count(&out, "(repeats within 10 s are not shown)"), 1);
    CHECK_INT(count(&out, "source=wrong"), 1);
    CHECK_INT(count(&out, "source=unknown"), 1);
}

/* Texts that differ each time are no way around it. */
static void test_kinds_are_bounded(void **state)
{
    AUTO(buf_clear) struct buf out = {.max = 1u << 20};
    struct capture c;

    UNUSED(state);
    capture_begin(&c);
    for (int i = 0; i < 300; i++)
        log_event(LOG_WARN, "event %d was not accepted", i);
    log_event(LOG_WARN, "another message");
    capture_end(&c, &out);
    CHECK_INT(count(&out, "was not accepted"), 100);
    CHECK_INT(count(&out, "(more of the kind within 10 s are not shown)"), 1);
    CHECK_INT(count(&out, "another message"), 1);
}

static void test_secrets(void **state)
{
    AUTO(buf_clear) struct buf out = {.max = 1u << 20};
    struct capture c;

    UNUSED(state);
    capture_begin(&c);
    log_event(LOG_WARN, "sent authorization: Bearer abc, then token=xyz");
    capture_end(&c, &out);
    CHECK_INT(count(&out, "abc") + count(&out, "xyz"), 0);
    CHECK_INT(count(&out, "[redacted]"), 1);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_repeats_are_cut_by_text),
                                          cmocka_unit_test(test_kinds_are_bounded),
                                          cmocka_unit_test(test_secrets)};
TEST_MAIN(tests)
