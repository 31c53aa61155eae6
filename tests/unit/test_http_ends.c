/* SPDX-License-Identifier: Apache-2.0 */
/* How connections end: by callers, by time, for others, with the server. */
#include "http_rig.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void test_caller_is_gone(void **state UNUSED)
{
    struct rig *rig = rig_unix(&rig_limits);
    int fd = rig_client(rig);
    rig_hold(rig, fd);
    assert_true(rig->last.is_unix);
    close(fd);
    RIG_WAIT(rig, rig->n_gone == 1);
    for (int i = 0; i < 3; i++)
        rig_turn(rig);
    assert_int_equal(rig->n_gone, 1);
    assert_int_equal(rig->n_closed, 0);
    rig_release(rig, "to nobody");
    RIG_WAIT(rig, rig->n_closed == 1);
    assert_int_equal(rig->n_sent, 0);
    rig_free(rig);

    rig = rig_tcp(&rig_limits);
    fd = rig_client(rig);
    rig_hold(rig, fd);
    const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    RIG_WAIT(rig, rig->n_gone == 1);
    rig_release(rig, "to nobody");
    RIG_WAIT(rig, rig->n_closed == 1);
    rig_free(rig);
}

static void test_half_closed_caller_is_answered(void **state UNUSED)
{
    struct rig *rigs[] = { rig_tcp(&rig_limits), rig_unix(&rig_limits) };
    for (size_t i = 0; i < ARRAY_LEN(rigs); i++) {
        struct rig *rig = rigs[i];
        int fd = rig_client(rig);
        rig_hold(rig, fd);
        shutdown(fd, SHUT_WR);
        int64_t until_ms = clock_now_ms() + 300;
        RIG_WAIT(rig, clock_now_ms() > until_ms);
        assert_int_equal(rig->n_gone, 0);
        rig_release(rig, "still here");
        struct answer a = rig_read(rig, fd, UNTIL_END);
        assert_string_equal(answer_body(&a), "still here");
        assert_int_equal(rig->n_sent, 1);
        answer_done(&a);
        close(fd);
        rig_free(rig);
    }
}

/* The library does not see an end that comes together with the last bytes. */
static void test_end_together_with_bytes(void **state UNUSED)
{
    static const struct {
        const char *text;
        int status; /* 0: no answer */
    } cases[] = {
        { "GET / HTTP/1.1\r\nHost: x", 0 },
        { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc", 0 },
        { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", 0 },
        { "GET /size/2 HTTP/1.1\r\nHost: x\r\n\r\n", 200 },
        { "GET /size/2 HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHo", 200 },
    };
    struct rig *rigs[] = { rig_tcp(&rig_limits), rig_unix(&rig_limits) };
    for (size_t i = 0; i < ARRAY_LEN(rigs) * ARRAY_LEN(cases); i++) {
        struct rig *rig = rigs[i / ARRAY_LEN(cases)];
        size_t k = i % ARRAY_LEN(cases);
        int fd = rig_client(rig);
        RIG_WAIT(rig, http_server_connections(rig->server) == 1);
        rig_turn(rig); /* it is waited for */
        rig_send(rig, fd, cases[k].text);
        shutdown(fd, SHUT_WR);
        struct answer a = rig_read(rig, fd, UNTIL_END);
        assert_int_equal(a.status, cases[k].status);
        answer_done(&a);
        RIG_WAIT(rig, http_server_connections(rig->server) == 0);
        assert_int_equal(rig->n_heads, rig->n_closed);
        close(fd);
    }
    rig_free(rigs[0]);
    rig_free(rigs[1]);
}

/* A server that ends serves who sends, however slowly, and waits for nobody who does not. */
static void test_silent_bodies_at_the_end(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&rig_limits);
    int silent = rig_client(rig), slow = rig_client(rig);
    const char head[] = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n";
    rig_send(rig, silent, head);
    rig_send(rig, slow, head);
    RIG_WAIT(rig, rig->n_heads == 2);
    http_server_quiesce(rig->server);
    http_server_hurry(rig->server);
    int64_t begin_ms = clock_now_ms();
    for (int i = 0; i < 4; i++) {
        int64_t until_ms = clock_now_ms() + 700;
        rig_send(rig, slow, "a");
        RIG_WAIT(rig, clock_now_ms() >= until_ms);
    }
    RIG_WAIT(rig, rig->n_closed == 1);
    assert_in_range(clock_now_ms() - begin_ms, 1900, 4000 * rig_slow());
    rig_send(rig, slow, "a");
    rig_expect(rig, slow, 200, "aaaaa");
    close(silent);
    close(slow);
    rig_free(rig);
}

/* Connections in every state when the server ends: waiting to be accepted, with a partial head or
 * body, idle, resting, with an unread reply. */
static void test_quiesce_and_free(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&rig_limits);
    int idle = rig_client(rig), head = rig_client(rig), body = rig_client(rig),
        unread = rig_client(rig);
    int rest[20];
    rig_send(rig, idle, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    rig_expect(rig, idle, 200, "");
    rig_send(rig, head, "GET /a HTTP/1.1\r\nHost: x\r\nX: ");
    rig_send(rig, body, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    rig_send(rig, unread, "GET /size/20000000 HTTP/1.1\r\nHost: x\r\n\r\n");
    for (size_t i = 0; i < ARRAY_LEN(rest); i++) {
        rest[i] = rig_client(rig);
        rig_hold(rig, rest[i]);
    }
    RIG_WAIT(rig, rig->body_bytes == 3 + 2 * ARRAY_LEN(rest));
    int waiting = rig_client(rig);
    rig_send(rig, waiting, "GET /size/1 HTTP/1.1\r\nHost: x\r\n\r\n");

    http_server_quiesce(rig->server);
    int late = rig_client(rig); /* the test's own listening socket is still open: nobody accepts */
    struct answer a = rig_read(rig, waiting, UNTIL_END);
    assert_int_equal(a.status, 200);
    answer_done(&a);
    rig_send(rig, idle, "GET /size/2 HTTP/1.1\r\nHost: x\r\n\r\n");
    a = rig_read(rig, idle, UNTIL_END);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.head, "Connection: close\r\n"));
    assert_true(a.closed);
    answer_done(&a);
    assert_int_equal(http_server_resting(rig->server), ARRAY_LEN(rest));
    for (size_t i = 0; i < ARRAY_LEN(rest); i++)
        rig_release(rig, "last");
    assert_int_equal(http_server_resting(rig->server), 0);
    http_server_free(rig->server);
    for (size_t i = 0; i < ARRAY_LEN(rest); i++) {
        char reply[1024] = "";
        assert_true(recv(rest[i], reply, sizeof reply - 1, 0) > 0);
        assert_non_null(strstr(reply, "Connection: close\r\n"));
        assert_non_null(strstr(reply, "\r\n\r\nlast"));
        close(rest[i]);
    }
    loop_free(rig->loop);
    rig_start(rig, &rig_limits);
    const int others[] = { idle, head, body, unread, waiting, late };
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        close(others[i]);
    rig_free(rig);
}

/* Each of these is closed after its time, and not before. */
static void test_deadlines(void **state UNUSED)
{
    static const struct http_limits limits = { .head_bytes = 16384,
                                               .head_lines = 64,
                                               .connections = 64,
                                               .header_time_ms = 300,
                                               .body_time_ms = 300,
                                               .write_time_ms = 300,
                                               .idle_ms = 300 };
    static const char *const texts[] = {
        "",
        "GET / HTTP/1.1\r\nHost: x",
        "GET / HT",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
        "GET /size/30000000 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /none HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /none HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nHo",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct rig *rig = rig_tcp(&limits);
        int64_t begin_ms = clock_now_ms();
        int fd = rig_client(rig);
        rig_send(rig, fd, texts[i]);
        RIG_WAIT(rig, http_server_connections(rig->server) == 1);
        RIG_WAIT(rig, http_server_connections(rig->server) == 0);
        assert_in_range(clock_now_ms() - begin_ms, 250, 1500 * rig_slow());
        close(fd);
        rig_free(rig);
    }
    /* A running call has no time of ours. */
    struct rig *rig = rig_tcp(&limits);
    int fd = rig_client(rig);
    rig_hold(rig, fd);
    int64_t until_ms = clock_now_ms() + 600;
    RIG_WAIT(rig, clock_now_ms() > until_ms);
    rig_release(rig, "in time");
    rig_expect(rig, fd, 200, "in time");
    close(fd);
    rig_free(rig);
}

static void expect_service(struct rig *rig)
{
    int fd = rig_client(rig);
    rig_send(rig, fd, "GET /size/2 HTTP/1.1\r\nHost: x\r\n\r\n");
    rig_expect(rig, fd, 200, "ab"); /* its patience ends before those times do */
    close(fd);
}

/* Whatever fills all connections, a newcomer is served. */
static void test_makes_room(void **state UNUSED)
{
    static const struct {
        const char *text;
        size_t n;
    } floods[] = {
        { "", 100 },
        { "GET / HTTP/1.1\r\nHost: x", 100 },
        { "GET /none HTTP/1.1\r\nHost: x\r\n\r\n", 100 },
        { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc", 40 },
        { "GET /size/12000000 HTTP/1.1\r\nHost: x\r\n\r\n", 12 },
        { "POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 8 },
    };
    struct http_limits limits = rig_limits;
    limits.connections = 8;
    for (size_t i = 0; i < ARRAY_LEN(floods); i++) {
        struct rig *rig = rig_tcp(&limits);
        size_t n = floods[i].n;
        int flood[100];
        for (size_t k = 0; k < n; k++) {
            flood[k] = rig_client(rig);
            rig_send(rig, flood[k], floods[i].text);
        }
        expect_service(rig);
        RIG_WAIT(rig, http_server_connections(rig->server) <= 8);
        expect_service(rig);
        while (rig->n_held > 0)
            rig_release(rig, "x");
        for (size_t k = 0; k < n; k++)
            close(flood[k]);
        rig_free(rig);
    }
}

static void test_many_at_once(void **state UNUSED)
{
    struct http_limits limits = rig_limits;
    limits.connections = 500;
    struct rig *rig = rig_tcp(&limits);
    int fds[500];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = rig_client(rig);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < ARRAY_LEN(fds); i++)
            rig_send(rig, fds[i], "POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]");
        RIG_WAIT(rig, rig->n_held == ARRAY_LEN(fds));
        while (rig->n_held > 0)
            rig_release(rig, "ok");
        for (size_t i = 0; i < ARRAY_LEN(fds); i++)
            rig_expect(rig, fds[i], 200, "ok");
    }
    assert_int_equal(http_server_connections(rig->server), ARRAY_LEN(fds));
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
    rig_free(rig);
}

/* How often the loop turns in 200 ms: a turn without events takes 20. */
static size_t count_turns(struct rig *rig)
{
    size_t n = 0;
    for (int64_t until_ms = clock_now_ms() + 200; clock_now_ms() < until_ms; n++)
        rig_turn(rig);
    return n;
}

/* Whoever shares a listening socket can end it. Nothing turns in vain then, those that were taken
 * in are served, and the end comes. */
static void test_listener_is_ended(void **state UNUSED)
{
    struct rig *rigs[] = { rig_tcp(&rig_limits), rig_unix(&rig_limits) };
    for (size_t i = 0; i < ARRAY_LEN(rigs); i++) {
        struct rig *rig = rigs[i];
        int fd = rig_client(rig);
        rig_hold(rig, fd);
        assert_int_equal(http_server_ended(rig->server), 0);
        assert_int_equal(shutdown(rig->listen_fd, SHUT_RDWR), 0);
        RIG_WAIT(rig, http_server_ended(rig->server) != 0);
        assert_int_equal(http_server_ended(rig->server), EINVAL);
        assert_in_range(count_turns(rig), 1, 15);
        rig_release(rig, "still here");
        rig_expect(rig, fd, 200, "still here");
        http_server_quiesce(rig->server);
        assert_int_equal(http_server_ended(rig->server), EINVAL);
        close(fd);
        rig_free(rig);
    }
}

/* It is ended while it is quiesced: who waits is lost, but nobody hangs. */
static void test_listener_is_ended_at_the_end(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&rig_limits);
    int fd = rig_client(rig);
    assert_int_equal(shutdown(rig->listen_fd, SHUT_RDWR), 0);
    http_server_quiesce(rig->server);
    close(fd);
    rig_free(rig);
}

/* A step of another request keeps the server from its connections. */
static void be_away(int64_t ms)
{
    int64_t until_ms = clock_now_ms() + ms;
    while (clock_now_ms() < until_ms)
        continue;
}

/* Nobody's time goes by while the server looks at nobody: not before a reply begins, nor while it
 * is being sent, nor while a request waits to be read. */
static void test_times_do_not_go_by_unseen(void **state UNUSED)
{
    struct http_limits limits = rig_limits;
    limits.write_time_ms = limits.body_time_ms = 400 * rig_slow();
    int64_t away_ms = 600 * rig_slow();
    struct rig *rig = rig_tcp(&limits);

    int fd = rig_client(rig);
    rig_hold(rig, fd);
    be_away(away_ms);
    rig_release(rig, "begins now");
    http_server_run(rig->server);
    for (int i = 0; i < 3; i++)
        rig_turn(rig);
    rig_expect(rig, fd, 200, "begins now");
    close(fd);
    rig_free(rig);

    rig = rig_tcp(&limits);
    fd = rig_client(rig);
    rig_send(rig, fd, "GET /size/20000000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    RIG_WAIT(rig, rig->n_heads == 1);
    rig_turn(rig);
    be_away(away_ms);
    rig_turn(rig);
    rig_turn(rig);
    struct answer a = rig_read(rig, fd, UNTIL_END);
    assert_int_equal(strlen(answer_body(&a)), 20000000);
    answer_done(&a);
    close(fd);
    rig_free(rig);

    rig = rig_tcp(&limits);
    fd = rig_client(rig);
    rig_send(rig, fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab");
    RIG_WAIT(rig, rig->n_heads == 1);
    be_away(away_ms);
    rig_turn(rig);
    rig_turn(rig);
    rig_send(rig, fd, "cd");
    rig_expect(rig, fd, 200, "abcd");
    close(fd);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_caller_is_gone),
        cmocka_unit_test(test_half_closed_caller_is_answered),
        cmocka_unit_test(test_end_together_with_bytes),
        cmocka_unit_test(test_quiesce_and_free),
        cmocka_unit_test(test_silent_bodies_at_the_end),
        cmocka_unit_test(test_listener_is_ended),
        cmocka_unit_test(test_listener_is_ended_at_the_end),
        cmocka_unit_test(test_times_do_not_go_by_unseen),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_makes_room),
        cmocka_unit_test(test_many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
