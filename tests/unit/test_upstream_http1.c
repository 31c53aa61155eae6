/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that libcurl opens and we use: how long they are kept, what ends them, and framing
 * that is odd. What holds for libcurl's transfers, too, is in the other tests of upstreams. */
#include "upstream_harness.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define HEAD "HTTP/1.1 200 OK\r\n"
#define SIZE "Content-Length: 5\r\n"

static void rest_ms(long ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

/* Each answer twice: is the second call on the same connection? */
static void which_are_kept(void **state)
{
    static const struct {
        const char *name, *answer;
        bool is_kept;
    } cases[] = {
        { "a length", HEAD SIZE "\r\n<ok/>", true },
        { "chunks", HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\n<ok/>\r\n0\r\n\r\n", true },
        { "trailers", HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\n<ok/>\r\n0\r\nX: y\r\n\r\n",
          true },
        { "nothing", "HTTP/1.1 204 No\r\n\r\n", true },
        { "100 before it", "HTTP/1.1 100 Continue\r\n\r\n" HEAD SIZE "\r\n<ok/>", true },
        { "HTTP/1.0 that keeps it",
          "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n" SIZE "\r\n<ok/>", true },
        { "HTTP/1.0 that keeps it, and chunks",
          "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nTransfer-Encoding: "
          "chunked\r\n\r\n5\r\n<ok/>"
          "\r\n0\r\n\r\n",
          false },
        { "a length and no chunks", HEAD SIZE "Transfer-Encoding: identity\r\n\r\n<ok/>", false },
        { "HTTP/1.0", "HTTP/1.0 200 OK\r\n" SIZE "\r\n<ok/>", false },
        { "close", HEAD "Connection: x, Close\r\n" SIZE "\r\n<ok/>", false },
        { "close, whatever else",
          HEAD "Connection: close\r\nConnection: keep-alive\r\n" SIZE "\r\n<ok/>", false },
        { "no content, of a length", "HTTP/1.1 204 No\r\n" SIZE "\r\n", false },
        { "no content, in chunks", "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", false },
        { "a trailer that is none",
          HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\n<ok/>\r\n0\r\nX\r\n\r\n", false },
        { "surplus", HEAD SIZE "\r\n<ok/>HTTP", false },
        { "surplus of chunks",
          HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n", false },
        { "a length and chunks",
          HEAD SIZE "Transfer-Encoding: chunked\r\n\r\n5\r\n<ok/>\r\n0\r\n\r\n", false },
        { "switched", "HTTP/1.1 101 Switching\r\nContent-Length: 0\r\n\r\n", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct server server = { .answer = cases[i].answer };
        struct client client;
        struct upstream_result result;
        open_both(&server, &client, serve_kept);
        for (int call = 0; call < 2; call++) {
            if (client_call(&client, &result) != UPSTREAM_OK)
                fail_msg("%s: %s", cases[i].name, result.detail);
            if (result.reused != (call == 1 && cases[i].is_kept))
                fail_msg("%s: call %d", cases[i].name, call);
        }
        close_both(&server, &client);
    }
}

static void what_is_passed_over(void **state)
{
    static const struct {
        const char *name, *answer;
        enum upstream_status status;
    } cases[] = {
        { "no colon", HEAD "what\r\n" SIZE "\r\n<ok/>", UPSTREAM_OK },
        { "a blank length", HEAD "Content-Length: \r\n\r\n<ok/>", UPSTREAM_OK },
        { "an unknown coding", HEAD "Content-Encoding: UTF-8\r\n" SIZE "\r\n<ok/>", UPSTREAM_OK },
        { "no colon, folded", HEAD "what\r\n else\r\n" SIZE "\r\n<ok/>", UPSTREAM_BAD_RESPONSE },
        { "a second status line", HEAD HEAD SIZE "\r\n<ok/>", UPSTREAM_BAD_RESPONSE },
        { "a blank length and another", HEAD "Content-Length:\r\n" SIZE "\r\n<ok/>",
          UPSTREAM_LOST },
        { "another and a blank length", HEAD SIZE "Content-Length:\r\n\r\n<ok/>", UPSTREAM_LOST },
        { "a CR within a line", HEAD "X: a\rb\r\n" SIZE "\r\n<ok/>", UPSTREAM_BAD_RESPONSE },
        { "a CR before the line's end", HEAD SIZE "X: a\r\r\n\r\n<ok/>", UPSTREAM_BAD_RESPONSE },
        { "a CR in a trailer",
          HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\n<ok/>\r\n0\r\nX: \ry\r\n\r\n",
          UPSTREAM_BAD_RESPONSE },
        { "a blank before a length's colon", HEAD "Content-Length : 5\r\n\r\n<ok/>",
          UPSTREAM_BAD_RESPONSE },
        { "a blank before another colon", HEAD "X : y\r\n" SIZE "\r\n<ok/>", UPSTREAM_OK },
        { "two lengths", HEAD SIZE "Content-Length: 6\r\n\r\n<ok/>", UPSTREAM_LOST },
        { "a length with a sign", HEAD "Content-Length: +5\r\n\r\n<ok/>", UPSTREAM_LOST },
        { "another coding of transfers", HEAD "Transfer-Encoding: gzip\r\n\r\n<ok/>",
          UPSTREAM_BAD_RESPONSE },
        { "a chunk of no size", HEAD "Transfer-Encoding: chunked\r\n\r\n\r\n<ok/>", UPSTREAM_LOST },
        { "HTTP/1.2", "HTTP/1.2 200 OK\r\n" SIZE "\r\n<ok/>", UPSTREAM_BAD_RESPONSE },
        { "a status of four digits", "HTTP/1.1 2000 OK\r\n" SIZE "\r\n<ok/>",
          UPSTREAM_BAD_RESPONSE },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct server server = { .answer = cases[i].answer };
        struct client client;
        struct upstream_result result;
        open_both(&server, &client, serve_once);
        if (client_call(&client, &result) != cases[i].status)
            fail_msg("%s: %d, %s", cases[i].name, (int)result.status, result.detail);
        close_both(&server, &client);
    }
}

/* Interim answers without end. */
static void serve_flood(struct server *server, int fd)
{
    static const char interim[] = "HTTP/1.1 102 Wait\r\n\r\n";
    if (!server_read(server, fd))
        return;
    while (send(fd, interim, sizeof interim - 1, MSG_NOSIGNAL) > 0)
        continue;
}

/* A line without end. */
static void serve_line(struct server *server, int fd)
{
    if (!server_read(server, fd))
        return;
    server_write(fd, HEAD);
    while (send(fd, "X-X-X-X-", 8, MSG_NOSIGNAL) > 0)
        continue;
}

/* Lines that are passed over, without end. */
static void serve_blank_lengths(struct server *server, int fd)
{
    static const char line[] = "Content-Length:\r\n";
    if (!server_read(server, fd))
        return;
    server_write(fd, HEAD);
    while (send(fd, line, sizeof line - 1, MSG_NOSIGNAL) > 0)
        continue;
}

static void floods_have_an_end(void **state)
{
    static void (*const serves[])(struct server * server, int fd) = { serve_flood, serve_line,
                                                                      serve_blank_lengths };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(serves); i++) {
        struct server server = { 0 };
        struct client client;
        open_both(&server, &client, serves[i]);
        assert_int_equal(client_call(&client, NULL), UPSTREAM_BAD_RESPONSE);
        close_both(&server, &client);
    }
}

/* A head that comes byte by byte, and stops. */
static void serve_slowly(struct server *server, int fd)
{
    static const char begin[] = HEAD "X: y";
    if (!server_read(server, fd))
        return;
    for (size_t i = 0; i < sizeof begin - 1; i++)
        server_write_bytes(fd, begin + i, 1);
    server_await_end(fd);
}

static void the_deadline_ends_a_slow_head(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct probe probe;
    (void)state;
    open_both(&server, &client, serve_slowly);
    probe_init(&probe, "<call/>");
    probe.call.deadline_ms = clock_now_ms() + 200;
    probe_run(&probe, &client);
    assert_int_equal(probe.result.status, UPSTREAM_TIMEOUT);
    assert_true(probe.result.reached);
    assert_non_null(strstr(probe.result.detail, "timed out after"));
    probe_done(&probe);
    close_both(&server, &client);
}

static void idle_ones_are_closed(void **state)
{
    struct server server = { 0 };
    struct client client;
    (void)state;
    server_start(&server, serve_kept);
    client_init(&client, &server);
    client.config.timeouts.idle = 50;
    client_open(&client);
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    assert_in_range(upstreams_deadline_ms(client.all), 1, clock_now_ms() + 60);
    client_run_until_server(&client, &server.ended, 1);
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    close_both(&server, &client);
}

static void none_serves_for_ever(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct upstream_result result;
    (void)state;
    server_start(&server, serve_kept);
    client_init(&client, &server);
    client.config.timeouts.max_age = 50;
    client_open(&client);
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    rest_ms(60);
    assert_int_equal(client_call(&client, &result), UPSTREAM_OK);
    assert_false(result.reused);
    close_both(&server, &client);
}

/* Nor does one rest that is not used again. */
static void old_ones_are_closed(void **state)
{
    struct server server = { 0 };
    struct client client;
    (void)state;
    server_start(&server, serve_kept);
    client_init(&client, &server);
    client.config.timeouts.max_age = 200;
    client_open(&client);
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    assert_in_range(upstreams_deadline_ms(client.all), 1, clock_now_ms() + 210);
    client_run_until_server(&client, &server.ended, 1);
    close_both(&server, &client);
}

/* ---- What is at hand counts in the call's budget -------------------------------------------- */

#define AT_HAND ((size_t)10000)

struct counted {
    struct budget budget;
    struct chain body;
    struct server server;
    struct client client;
    struct probe probe;
    size_t document; /* what the document takes */
};

static void counted_begin(struct counted *c, void (*serve)(struct server *server, int fd))
{
    c->budget = (struct budget){ .max = 4096 }; /* less than what will be at hand */
    chain_init(&c->body, REQUEST_MAX, &c->budget);
    chain_append_c(&c->body, "<call/>");
    c->document = atomic_load(&c->budget.used);
    assert_true(c->document > 0);
    open_both(&c->server, &c->client, serve);
    probe_init(&c->probe, "");
    c->probe.call.body = &c->body;
}

static void counted_await(struct counted *c, size_t bytes)
{
    int64_t guard_ms = clock_now_ms() + 10000;
    while (atomic_load(&c->budget.used) < c->document + bytes) {
        assert_true(clock_now_ms() < guard_ms);
        loop_wait(c->client.loop, clock_now_ms() + 5);
        upstreams_run(c->client.all);
    }
}

static void counted_end(struct counted *c, enum upstream_status status)
{
    client_run_until(&c->client, &c->probe.done, 1);
    assert_int_equal(c->probe.result.status, status);
    assert_int_equal(atomic_load(&c->budget.used), c->document);
    chain_done(&c->body);
    assert_int_equal(atomic_load(&c->budget.used), 0);
    probe_done(&c->probe);
    close_both(&c->server, &c->client);
}

/* A line of the head that does not end before it is permitted. */
static void serve_long_line(struct server *server, int fd)
{
    if (!server_read(server, fd))
        return;
    server_write(fd, HEAD "X: ");
    for (size_t i = 0; i < AT_HAND; i += 10)
        server_write(fd, "yyyyyyyyyy");
    if (server_await(server))
        server_write(fd, "\r\n" SIZE "\r\n<ok/>");
    server_await_end(fd);
}

static void lines_count(void **state)
{
    static struct counted c;
    (void)state;
    counted_begin(&c, serve_long_line);
    upstream_submit(c.client.upstream, &c.probe.call);
    counted_await(&c, AT_HAND);
    server_permit(&c.server, 1);
    counted_end(&c, UPSTREAM_OK);
}

static void lines_of_cancelled_calls_count(void **state)
{
    static struct counted c;
    (void)state;
    counted_begin(&c, serve_long_line);
    upstream_submit(c.client.upstream, &c.probe.call);
    counted_await(&c, AT_HAND);
    upstream_cancel(&c.probe.call);
    assert_int_equal(atomic_load(&c.budget.used), c.document);
    chain_done(&c.body);
    probe_done(&c.probe);
    close_both(&c.server, &c.client);
}

static bool room;

static bool has_room(struct upstream_call *call, size_t bytes)
{
    (void)call;
    (void)bytes;
    return room;
}

static void serve_long_body(struct server *server, int fd)
{
    if (!server_read(server, fd))
        return;
    server_write(fd, HEAD "Content-Length: 10000\r\n\r\n");
    for (size_t i = 0; i < AT_HAND; i += 10)
        server_write(fd, "<ok></ok>\n");
    server_await_end(fd);
}

static void what_waits_counts(void **state)
{
    static struct counted c;
    (void)state;
    counted_begin(&c, serve_long_body);
    c.probe.call.has_room = has_room;
    room = false;
    upstream_submit(c.client.upstream, &c.probe.call);
    counted_await(&c, 10);
    assert_int_equal(c.probe.heads, 1);
    assert_int_equal(c.probe.answer.len, 0);
    room = true;
    upstream_go_on(&c.probe.call);
    counted_end(&c, UPSTREAM_OK);
}

static void no_more_are_kept_than_may_run(void **state)
{
    static struct probe probes[4];
    struct server server = { 0 };
    struct client client;
    int done = 0;
    (void)state;
    server_start(&server, serve_kept);
    client_init(&client, &server);
    client.config.pool.max_connections = 2;
    client_open(&client);
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        probe_init(&probes[i], "<call/>");
        probes[i].done_counter = &done;
        upstream_submit(client.upstream, &probes[i].call);
    }
    client_run_until(&client, &done, (int)ARRAY_LEN(probes));
    client_run_until_server(&client, &server.ended, 2);
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        assert_int_equal(probes[i].result.status, UPSTREAM_OK);
        probe_done(&probes[i]);
    }
    close_both(&server, &client);
}

static void serve_when_permitted(struct server *server, int fd)
{
    while (server_read(server, fd) && server_await(server))
        server_write(fd, ANSWER_OK);
}

/* When libcurl opens another connection it closes those that it thinks are idle and too old: one
 * that we use is none of them, however long it takes. */
static void libcurl_leaves_ours_alone(void **state)
{
    static struct probe probes[2];
    struct server server = { 0 };
    struct client client;
    int done = 0;
    (void)state;
    server_start(&server, serve_when_permitted);
    client_init(&client, &server);
    client.config.timeouts.idle = 1000; /* [ms]; for libcurl the least that there is */
    client_open(&client);
    for (int i = 0; i < 2; i++) {
        probe_init(&probes[i], "<call/>");
        probes[i].done_counter = &done;
        upstream_submit(client.upstream, &probes[i].call);
        client_run_until_server(&client, &server.requests, i + 1);
        if (i == 0)
            rest_ms(2100); /* it counts whole seconds */
    }
    server_permit(&server, 2);
    client_run_until(&client, &done, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(probes[i].result.status, UPSTREAM_OK);
        assert_string_equal(buf_c(&probes[i].answer), "<ok/>");
        probe_done(&probes[i]);
    }
    close_both(&server, &client);
}

/* An end that came while nobody looked: the next call has another connection, and is not lost. */
static void serve_and_end(struct server *server, int fd)
{
    if (!server_read(server, fd))
        return;
    server_write(fd, ANSWER_OK);
    (void)server_await(server);
}

static void a_dead_one_costs_no_call(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct upstream_result result;
    (void)state;
    open_both(&server, &client, serve_and_end);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(client_call(&client, &result), UPSTREAM_OK);
        assert_false(result.reused);
        server_permit(&server, 1);
        while (atomic_load(&server.ended) <= i)
            rest_ms(1);
    }
    assert_int_equal(atomic_load(&server.requests), 20);
    close_both(&server, &client);
}

/* The document is larger than what the system takes, and the server reads it late. */
static void serve_late(struct server *server, int fd)
{
    if (server_await(server))
        serve_kept(server, fd);
}

static void large_requests_wait_for_room(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct probe probe;
    (void)state;
    open_both(&server, &client, serve_late);
    probe_init_size(&probe, 7000000);
    upstream_submit(client.upstream, &probe.call);
    client_run_until_server(&client, &server.connections, 1);
    server_permit(&server, 1);
    client_run_until(&client, &probe.done, 1);
    assert_int_equal(probe.result.status, UPSTREAM_OK);
    assert_int_equal(atomic_load(&server.requests), 1);
    probe_done(&probe);
    close_both(&server, &client);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_are_kept),
        cmocka_unit_test(what_is_passed_over),
        cmocka_unit_test(floods_have_an_end),
        cmocka_unit_test(the_deadline_ends_a_slow_head),
        cmocka_unit_test(idle_ones_are_closed),
        cmocka_unit_test(none_serves_for_ever),
        cmocka_unit_test(old_ones_are_closed),
        cmocka_unit_test(lines_count),
        cmocka_unit_test(lines_of_cancelled_calls_count),
        cmocka_unit_test(what_waits_counts),
        cmocka_unit_test(no_more_are_kept_than_may_run),
        cmocka_unit_test(libcurl_leaves_ours_alone),
        cmocka_unit_test(a_dead_one_costs_no_call),
        cmocka_unit_test(large_requests_wait_for_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
