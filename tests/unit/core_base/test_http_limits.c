/* The HTTP listener when there is too much: of connections, of bodies. */
#include "tests/unit/core_base/http_fixture.h"

/* A server of its own: few places, small bodies together, much time. */
static void small_server(struct fixture *f)
{
    static const struct str name = STR_INIT("h");
    struct err e = {0};
    struct http_server_config c = {
        .handler = on_request,
        .ctx = f,
        .hosts = &name,
        .n_hosts = 1,
        .limits = {
            .body_bytes = 10000, .all_bodies_bytes = 16384, .connections = 4, .timeout_s = 600}};

    http_server_stop(f->server);
    CHECK_OK(http_server_start(f->loop, &c, &f->server, &e), &e);
}

/* Four that never finish their head do not keep a fifth out; one whose request waits stays. */
static void test_slow_ones_give_way(void **state)
{
    struct fixture *f = *state;
    AUTO(buf_clear) struct buf out = {.max = 1 << 16};
    AUTO(buf_clear) struct buf late = {.max = 1 << 16};
    int waiting, slow[3], fifth;

    small_server(f);
    waiting = dial(f);
    send_text(waiting, STR("GET /later HTTP/1.1\r\nHost: h\r\n\r\n"));
    for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
        slow[i] = dial(f);
        send_text(slow[i], STR("GET /never HTTP/1.1\r\nHost: h\r\n"));
    }
    for (int i = 0; i < 200 && f->n_kept == 0; i++)
        CHECK_OK(loop_turn(f->loop, NS_PER_MS, NULL), NULL);
    CHECK_INT(f->n_kept, 1);
    fifth = dial(f);
    send_text(fifth, STR("GET /fifth HTTP/1.1\r\nHost: h\r\n\r\n"));
    CHECK(!receive(f, fifth, "[/fifth||-]", &out));
    http_respond(f->kept[0], &(struct http_reply){.status = 200, .body = STR("late")});
    CHECK(!receive(f, waiting, "late", &late));
    for (size_t i = 0; i < ARRAY_LEN(slow); i++)
        close(slow[i]);
    close(waiting);
    close(fifth);
}

/* Bodies that never end hold no more than all of them may. */
static void test_bodies_together(void **state)
{
    struct fixture *f = *state;
    AUTO(buf_clear) struct buf out = {.max = 1 << 16};
    char piece[9000] = {0};
    int fd[3];

    small_server(f);
    memset(piece, 'x', sizeof(piece));
    for (size_t i = 0; i < ARRAY_LEN(fd); i++) {
        fd[i] = dial(f);
        send_text(fd[i], STR("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\n"));
        send_text(fd[i], (struct str){piece, sizeof(piece)});
        for (int k = 0; k < 20; k++)
            CHECK_OK(loop_turn(f->loop, NS_PER_MS, NULL), NULL);
    }
    CHECK(receive(f, fd[2], NULL, &out));
    CHECK(str_starts(buf_str(&out), STR("HTTP/1.1 503 ")));
    for (size_t i = 0; i < ARRAY_LEN(fd); i++)
        close(fd[i]);
    buf_reset(&out);
    for (int k = 0; k < 20; k++)
        CHECK_OK(loop_turn(f->loop, NS_PER_MS, NULL), NULL);
    fd[0] = dial(f); /* what they held is free again */
    send_text(fd[0], STR("POST /y HTTP/1.1\r\nHost: h\r\nContent-Length: 9000\r\n\r\n"));
    send_text(fd[0], (struct str){piece, sizeof(piece)});
    CHECK(!receive(f, fd[0], "[/y|x", &out));
    close(fd[0]);
}

static const struct CMUnitTest tests[] = {
    WITH_SERVER(test_slow_ones_give_way),
    WITH_SERVER(test_bodies_together),
};
TEST_MAIN(tests)
