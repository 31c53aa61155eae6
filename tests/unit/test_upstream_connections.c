/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: which are used again, what becomes of calls when one dies, and that no request is
 * ever sent twice. */
#include "upstream_harness.h"

#include "base/clock.h"

#include <linux/sockios.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cmocka.h>

static void test_kept_connection_is_used(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct upstream_result result;
    (void)state;
    open_both(&server, &client, serve_kept);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(client_call(&client, &result), UPSTREAM_OK);
        assert_int_equal(result.reused, i > 0);
    }
    assert_int_equal(atomic_load(&server.connections), 1);
    close_both(&server, &client);
}

#define ANSWER_FOLDED                                                                              \
    "HTTP/1.1 200 OK\r\n x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n"              \
    "Content-Length: 5\r\n\r\n<ok/>"

static void serve_folded(struct server *server, int fd)
{
    for (int n = 0; server_read(server, fd); n++)
        server_write(fd, n == 0 ? ANSWER_OK : ANSWER_FOLDED);
}

/* libcurl before 8.1.1 would append such a line to a header of the answer before, which is freed.
 */
static void test_nothing_of_an_answer_outlives_it(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct upstream_result result;
    (void)state;
    open_both(&server, &client, serve_folded);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(client_call(&client, &result), UPSTREAM_OK);
        assert_int_equal(client_call(&client, &result), UPSTREAM_BAD_RESPONSE);
        assert_true(result.reused);
        assert_non_null(strstr(result.detail, "head has a line"));
    }
    close_both(&server, &client);
}

/* Two readers could see another end of these. */
static void test_not_kept_where_the_end_is_unclear(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<ok/>\r\n0"
        "\r\n\r\n",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<ok/>"
        "\r\n0\r\n\r\n",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct server server = { .answer = answers[i] };
        struct client client;
        struct upstream_result result;
        open_both(&server, &client, serve_kept);
        for (int call = 0; call < 3; call++) {
            if (client_call(&client, &result) != UPSTREAM_OK || result.reused)
                fail_msg("%s: %s", answers[i], result.detail);
        }
        assert_int_equal(atomic_load(&server.requests), 3);
        close_both(&server, &client);
    }
}

static void test_not_kept_where_idle_is_zero(void **state)
{
    struct server server = { 0 };
    struct client client;
    (void)state;
    server_start(&server, serve_kept);
    client_init(&client, &server);
    client.config.timeouts.idle = 0;
    client_open(&client);
    for (int i = 0; i < 3; i++)
        assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    assert_int_equal(atomic_load(&server.connections), 3);
    close_both(&server, &client);
}

static void test_idle_connection_is_closed(void **state)
{
    struct server server = { 0 };
    struct client client;
    (void)state;
    server_start(&server, serve_kept);
    client_init(&client, &server);
    client.config.timeouts.idle = 1000;
    client_open(&client);
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    client_run_until_server(&client, &server.ended, 1);
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    assert_int_equal(atomic_load(&server.connections), 2);
    close_both(&server, &client);
}

static void test_upstreams_share_nothing(void **state)
{
    struct server server = { 0 };
    struct client client;
    (void)state;
    open_both(&server, &client, serve_kept);
    struct upstream *other = upstream_open(client.all, &client.config, NULL);
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    struct upstream *first = client.upstream;
    client.upstream = other;
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    client.upstream = first;
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    assert_int_equal(atomic_load(&server.connections), 2);
    upstream_close(other);
    close_both(&server, &client);
}

/* Answers the first request; reads the second one and ends without an answer. */
static void serve_one_and_close(struct server *server, int fd)
{
    bool first = atomic_load(&server->requests) == 0;
    if (!server_read(server, fd))
        return;
    if (first) {
        server_write(fd, ANSWER_OK);
        if (!server_read(server, fd))
            return;
    }
    if (server->answer != NULL)
        server_reset(fd);
}

static void test_no_request_is_sent_twice(void **state)
{
    static const size_t sizes[] = { 10, 2000, 20000, 1000000 };
    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(sizes); i++) {
        struct server server = { .answer = i % 2 == 1 ? "reset" : NULL };
        struct client client;
        struct probe probe;
        open_both(&server, &client, serve_one_and_close);
        assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);

        probe_init_size(&probe, sizes[i / 2]);
        probe_run(&probe, &client);
        assert_int_equal(probe.result.status, UPSTREAM_LOST);
        assert_true(probe.result.reached);
        assert_true(probe.result.reused);
        assert_non_null(strstr(probe.result.detail, "kept connection"));
        assert_int_equal(atomic_load(&server.requests), 2);
        assert_int_equal(atomic_load(&server.connections), 1);
        probe_done(&probe);
        close_both(&server, &client);
    }
}

/* Reads the head of the second request only. */
static void serve_one_and_a_head(struct server *server, int fd)
{
    char bytes[64];
    if (!server_read(server, fd))
        return;
    server_write(fd, ANSWER_OK);
    if (recv(fd, bytes, sizeof bytes, 0) > 0)
        server_reset(fd);
}

static void test_dies_while_it_is_sent(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct probe probe;
    (void)state;
    open_both(&server, &client, serve_one_and_a_head);
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    probe_init_size(&probe, 8000000);
    probe_run(&probe, &client);
    assert_int_equal(probe.result.status, UPSTREAM_LOST);
    assert_true(probe.result.reached);
    assert_int_equal(atomic_load(&server.requests), 1);
    probe_done(&probe);
    close_both(&server, &client);
}

/* Answers, and closes the connection once it is idle. */
static void serve_and_close_idle(struct server *server, int fd)
{
    if (!server_read(server, fd))
        return;
    server_write(fd, ANSWER_OK);
    if (!server_await(server))
        return;
    if (server->answer != NULL)
        server_write(fd, server->answer);
}

static void test_closed_while_idle(void **state)
{
    static const struct {
        const char *farewell;
        bool noticed; /* the loop turns before the next call */
    } cases[] = {
        { NULL, true },
        { NULL, false },
        { "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", true },
        { "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct server server = { .answer = cases[i].farewell };
        struct client client;
        struct upstream_result result;
        open_both(&server, &client, serve_and_close_idle);
        assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
        server_permit(&server, 1);
        while (!cases[i].noticed && atomic_load(&server.ended) < 1)
            sched_yield();
        client_run_until_server(&client, &server.ended, 1);
        if (cases[i].noticed)
            loop_wait(client.loop, 0);
        assert_int_equal(client_call(&client, &result), UPSTREAM_OK);
        assert_int_equal(result.http_status, 200);
        assert_false(result.reused);
        assert_int_equal(atomic_load(&server.requests), 2);
        assert_int_equal(atomic_load(&server.connections), 2);
        close_both(&server, &client);
    }
}

static atomic_int n_unasked;

/* Answers, and when that is permitted sends what nobody has asked for. */
static void serve_unasked(struct server *server, int fd)
{
    int unseen = 1;
    if (!server_read(server, fd))
        return;
    server_write(fd, ANSWER_OK);
    if (!server_await(server))
        return;
    server_write(fd, "HTTP/1.1 404 Unasked\r\nContent-Length: 0\r\n\r\n");
    /* Until it is where the client can see it. */
    while (server->port != 0 && ioctl(fd, SIOCOUTQ, &unseen) == 0 && unseen > 0)
        sched_yield();
    atomic_fetch_add(&n_unasked, 1);
    server_await_end(fd);
}

/* The client has not looked for events since it came. */
static void test_unasked_answer_is_no_answer(void **state)
{
    (void)state;
    for (int over_unix = 0; over_unix < 2; over_unix++) {
        struct server server = { 0 };
        struct client client;
        struct upstream_result result;
        if (over_unix)
            server_start_unix(&server, serve_unasked);
        else
            server_start(&server, serve_unasked);
        client_init(&client, &server);
        client_open(&client);
        for (int i = 1; i <= 20; i++) {
            atomic_store(&n_unasked, 0);
            assert_int_equal(client_call(&client, &result), UPSTREAM_OK);
            assert_int_equal(result.http_status, 200);
            assert_false(result.reused);
            assert_int_equal(atomic_load(&server.requests), i);
            server_permit(&server, 1);
            while (atomic_load(&n_unasked) == 0)
                sched_yield();
        }
        close_both(&server, &client);
    }
}

static void serve_when_permitted(struct server *server, int fd)
{
    while (server_read(server, fd) && server_await(server))
        server_write(fd, ANSWER_OK);
}

#define MANY 100

static void test_many_at_once(void **state)
{
    static struct probe probes[MANY];
    struct server server = { 0 };
    struct client client;
    (void)state;
    open_both(&server, &client, serve_when_permitted);
    for (int round = 1; round <= 2; round++) {
        int done = 0;
        for (size_t i = 0; i < MANY; i++) {
            probe_init(&probes[i], "<call/>");
            probes[i].done_counter = &done;
            upstream_submit(client.upstream, &probes[i].call);
        }
        client_run_until_server(&client, &server.requests, round * MANY);
        assert_int_equal(done, 0);
        server_permit(&server, MANY);
        client_run_until(&client, &done, MANY);
        for (size_t i = 0; i < MANY; i++) {
            assert_int_equal(probes[i].result.status, UPSTREAM_OK);
            assert_string_equal(buf_c(&probes[i].answer), "<ok/>");
            assert_int_equal(probes[i].result.reused, round == 2);
            probe_done(&probes[i]);
        }
    }
    assert_int_equal(atomic_load(&server.connections), MANY);
    close_both(&server, &client);
}

/* A server that ends each connection after its answer, without saying so. */
static void test_many_without_keeping(void **state)
{
    struct server server = { 0 };
    struct client client;
    (void)state;
    open_both(&server, &client, serve_once);
    for (int i = 0; i < 50; i++) {
        struct upstream_result result;
        if (client_call(&client, &result) != UPSTREAM_OK)
            fail_msg("%s", result.detail);
        client_run_until_server(&client, &server.ended, i + 1);
    }
    assert_int_equal(atomic_load(&server.requests), 50);
    close_both(&server, &client);
}

/* Reads a little of a large request, refuses it and closes: what was not read makes that a reset,
 * while the client is still sending. */
static void serve_refusal(struct server *server, int fd)
{
    char bytes[1024];
    if (recv(fd, bytes, sizeof bytes, 0) > 0)
        server_write(fd, server->answer);
}

static void test_answer_before_the_end_of_the_request(void **state)
{
    struct server server = { .answer = "HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n"
                                       "Connection: close\r\n\r\nlarge" };
    struct client client;
    (void)state;
    open_both(&server, &client, serve_refusal);
    for (int i = 0; i < 30; i++) {
        struct probe probe;
        probe_init_size(&probe, 4000000);
        probe_run(&probe, &client);
        if (probe.result.status != UPSTREAM_OK)
            fail_msg("%d: status %d, %s", i, (int)probe.result.status, probe.result.detail);
        assert_int_equal(probe.result.http_status, 413);
        /* Where the reset was faster than libcurl there is the head alone. */
        assert_int_equal(probe.heads, 1);
        assert_true(probe.answer.len == 0 || strcmp(buf_c(&probe.answer), "large") == 0);
        probe_done(&probe);
    }
    close_both(&server, &client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_connection_is_used),
        cmocka_unit_test(test_nothing_of_an_answer_outlives_it),
        cmocka_unit_test(test_not_kept_where_the_end_is_unclear),
        cmocka_unit_test(test_not_kept_where_idle_is_zero),
        cmocka_unit_test(test_idle_connection_is_closed),
        cmocka_unit_test(test_unasked_answer_is_no_answer),
        cmocka_unit_test(test_upstreams_share_nothing),
        cmocka_unit_test(test_no_request_is_sent_twice),
        cmocka_unit_test(test_dies_while_it_is_sent),
        cmocka_unit_test(test_closed_while_idle),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_many_without_keeping),
        cmocka_unit_test(test_answer_before_the_end_of_the_request),
    };
    if (!upstreams_global_init())
        return 1;
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    upstreams_global_done();
    return rc;
}
