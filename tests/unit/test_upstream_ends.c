/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that end before their answer does: by time, by cancelling, by a stop; and what callbacks
 * may do. */
#include "upstream_harness.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A resolver that takes its time for one name; all else comes from the system's. */
static struct server resolver = { .lock = PTHREAD_MUTEX_INITIALIZER,
                                  .changed = PTHREAD_COND_INITIALIZER };

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict res)
{
    (void)service;
    (void)hints;
    (void)res;
    if (strcmp(node, "slow.example") != 0)
        return EAI_NONAME;
    atomic_fetch_add(&resolver.requests, 1);
    (void)server_await(&resolver);
    atomic_fetch_add(&resolver.ended, 1);
    return EAI_NONAME;
}

static void serve_never(struct server *server, int fd)
{
    if (server_read(server, fd)) {
        if (server->answer != NULL)
            server_write(fd, server->answer);
        server_await_end(fd);
    }
}

/* Before the head, in it, and in the body. */
static void test_answer_takes_too_long(void **state)
{
    static const char *const beginnings[] = {
        NULL,
        "HTTP/1.1 200 OK\r\nServer",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<ok/>",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(beginnings); i++) {
        struct server server = { .answer = beginnings[i] };
        struct client client;
        struct probe probe;
        int64_t began_ms = clock_now_ms();
        open_both(&server, &client, serve_never);
        probe_init(&probe, "<call/>");
        /* On a busy machine the server needs some of it. */
        probe.call.deadline_ms = began_ms + (i == 2 ? 1000 : 100);
        probe_run(&probe, &client);
        assert_int_equal(probe.result.status, UPSTREAM_TIMEOUT);
        assert_true(probe.result.reached);
        assert_int_equal(probe.result.http_status, i == 2 ? 200 : 0);
        assert_int_equal(probe.result.cut, i == 2);
        assert_in_range(clock_now_ms() - began_ms, 99, 5000);
        client_run_until_server(&client, &server.ended, 1); /* its connection is closed */
        probe_done(&probe);
        close_both(&server, &client);
    }
}

static bool is_ok_whole(const struct upstream_call *call)
{
    const struct probe *probe = CONTAINER_OF(call, struct probe, call);
    return probe->answer.len == 5;
}

/* Neither the end of the connection nor the bytes that are missing ever come. */
static void test_whole_before_its_end(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<ok/>",
        "HTTP/1.1 200 OK\r\n\r\n<ok/>",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct server server = { .answer = answers[i] };
        struct client client;
        struct probe probe;
        open_both(&server, &client, serve_never);
        probe_init(&probe, "<call/>");
        probe.call.is_whole = is_ok_whole;
        probe_run(&probe, &client);
        assert_int_equal(probe.result.status, UPSTREAM_LOST);
        assert_true(probe.result.cut);
        assert_string_equal(buf_c(&probe.answer), "<ok/>");
        client_run_until_server(&client, &server.ended, 1); /* its connection is closed */
        probe_done(&probe);
        close_both(&server, &client);
    }
}

static void test_no_time_left(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct probe probe;
    (void)state;
    open_both(&server, &client, serve_kept);
    probe_init(&probe, "<call/>");
    probe.call.deadline_ms = clock_now_ms();
    upstream_submit(client.upstream, &probe.call);
    assert_int_equal(probe.done, 0);
    client_run_until(&client, &probe.done, 1);
    assert_int_equal(probe.result.status, UPSTREAM_TIMEOUT);
    assert_false(probe.result.reached);
    assert_int_equal(atomic_load(&server.connections), 0);
    probe_done(&probe);
    close_both(&server, &client);
}

/* A listening socket whose queue is full: the system answers no further SYN. */
struct full {
    struct server server; /* its port only */
    int listen_fd, fds[8];
};

static void full_open(struct full *full)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memset(full, 0, sizeof *full);
    full->listen_fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_return_code(bind(full->listen_fd, (struct sockaddr *)&address, len), 0);
    assert_return_code(listen(full->listen_fd, 0), 0);
    assert_return_code(getsockname(full->listen_fd, (struct sockaddr *)&address, &len), 0);
    full->server.port = ntohs(address.sin_port);
    for (size_t i = 0; i < ARRAY_LEN(full->fds); i++) {
        full->fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(full->fds[i], (struct sockaddr *)&address, len);
    }
}

static void full_close(struct full *full)
{
    for (size_t i = 0; i < ARRAY_LEN(full->fds); i++)
        close(full->fds[i]);
    close(full->listen_fd);
}

/* Whose time is up first: the connection's or the call's. */
static void test_connect_takes_too_long(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct full full;
        struct client client;
        struct probe probe;
        full_open(&full);
        client_init(&client, &full.server);
        client.config.timeouts.connect = i == 0 ? 100 : 5000;
        client_open(&client);
        probe_init(&probe, "<call/>");
        probe.call.deadline_ms = clock_now_ms() + (i == 0 ? 5000 : 100);
        probe_run(&probe, &client);
        assert_int_equal(probe.result.status, i == 0 ? UPSTREAM_CONNECT_FAILED : UPSTREAM_TIMEOUT);
        assert_false(probe.result.reached);
        assert_in_range(probe.result.duration_us, 99000, 4000000);
        probe_done(&probe);
        client_close(&client);
        full_close(&full);
    }
}

/* A name that does not resolve must not hold up the worker, not even when its call is over. */
static void test_slow_name(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct server server = { 0 };
        struct client client;
        struct probe probe;
        client_init(&client, &server);
        snprintf(client.url, sizeof client.url, "http://slow.example/");
        client.config.timeouts.connect = 100;
        client_open(&client);
        probe_init(&probe, "<call/>");
        upstream_submit(client.upstream, &probe.call);
        client_run_until_server(&client, &resolver.requests, i + 1);
        if (i == 0) {
            client_run_until(&client, &probe.done, 1);
            assert_int_equal(probe.result.status, UPSTREAM_CONNECT_FAILED);
            assert_false(probe.result.reached);
        } else {
            upstream_cancel(&probe.call);
        }
        assert_int_equal(atomic_load(&resolver.ended), i);
        probe_done(&probe);
        client_close(&client);
        server_permit(&resolver, 1);
        while (atomic_load(&resolver.ended) < i + 1)
            sched_yield();
    }
}

static void test_stop(void **state)
{
    struct server server = { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n<ok/>" };
    struct client client;
    struct probe probe;
    (void)state;
    open_both(&server, &client, serve_never);
    probe_init(&probe, "<call/>");
    probe.stop_after = 3;
    probe_run(&probe, &client);
    assert_int_equal(probe.result.status, UPSTREAM_STOPPED);
    assert_int_equal(probe.result.http_status, 200);
    client_run_until_server(&client, &server.ended, 1);
    probe_done(&probe);
    close_both(&server, &client);
}

enum cancel_when { CANCEL_AT_ONCE, CANCEL_SENT, CANCEL_IN_HEAD };

static void test_cancel(void **state)
{
    (void)state;
    for (enum cancel_when when = CANCEL_AT_ONCE; when <= CANCEL_IN_HEAD; when++) {
        struct server server = { .answer = when == CANCEL_IN_HEAD ? ANSWER_OK : NULL };
        struct client client;
        struct probe probe;
        int expected = when == CANCEL_AT_ONCE ? 0 : 1;
        open_both(&server, &client, serve_never);
        probe_init(&probe, "<call/>");
        upstream_submit(client.upstream, &probe.call);
        probe.cancel_in_head = when == CANCEL_IN_HEAD;
        if (when == CANCEL_IN_HEAD)
            client_run_until(&client, &probe.done, 1);
        client_run_until_server(&client, &server.requests, expected);
        if (when != CANCEL_IN_HEAD)
            upstream_cancel(&probe.call);
        assert_null(probe.call.handle);
        probe_done(&probe);
        client_run_until_server(&client, &server.ended, expected);
        assert_int_equal(probe.done, when == CANCEL_IN_HEAD);
        /* The client is as good as new. */
        server.answer = ANSWER_OK;
        assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
        close_both(&server, &client);
    }
}

static struct {
    struct client *client;
    struct probe *next, *victim;
    bool close;
    int done;
} plan;

static void on_done_with_plan(struct upstream_call *call, const struct upstream_result *result)
{
    struct probe *probe = call->user;
    probe->result = *result;
    plan.done++;
    if (plan.victim != NULL)
        upstream_cancel(&plan.victim->call);
    if (plan.next != NULL) {
        struct probe *next = plan.next;
        plan.next = NULL;
        upstream_submit(plan.client->upstream, &next->call);
        assert_int_equal(next->done, 0);
    } else if (plan.close) {
        upstream_close(plan.client->upstream);
        plan.client->upstream = NULL;
    }
}

/* on_done() may cancel others, begin others, and close its upstream. */
static void test_callbacks_may_do_all(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct probe first, next, victim;
    (void)state;
    open_both(&server, &client, serve_kept);
    probe_init(&first, "<call/>");
    probe_init(&next, "<call/>");
    probe_init(&victim, "<call/>");
    first.call.on_done = on_done_with_plan;
    next.call.on_done = on_done_with_plan;
    victim.call.deadline_ms = CLOCK_NEVER;
    memset(&plan, 0, sizeof plan);
    plan.client = &client;
    plan.next = &next;
    plan.victim = &victim;
    plan.close = true;
    first.call.deadline_ms = 0; /* ends first, in the same turn */
    upstream_submit(client.upstream, &first.call);
    upstream_submit(client.upstream, &victim.call);
    client_run_until(&client, &plan.done, 2);
    assert_int_equal(first.result.status, UPSTREAM_TIMEOUT);
    assert_int_equal(next.result.status, UPSTREAM_OK);
    assert_int_equal(victim.done, 0);
    assert_null(client.upstream);
    probe_done(&first);
    probe_done(&next);
    probe_done(&victim);
    close_both(&server, &client);
}

/* Cancels each other call from within libcurl, when its own head comes. */
static void cancel_victim(struct upstream_call *call, int http_status, struct str content_type)
{
    (void)call;
    (void)http_status;
    (void)content_type;
    plan.done = plan.victim->done; /* its own answer may have been faster */
    upstream_cancel(&plan.victim->call);
    probe_done(plan.victim);
}

static void test_cancel_of_another_in_head(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct server server = { 0 };
        struct client client;
        struct probe first, victim;
        open_both(&server, &client, serve_kept);
        assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
        memset(&plan, 0, sizeof plan);
        probe_init(&first, "<call/>");
        probe_init_size(&victim, (size_t)i * 50000);
        plan.victim = &victim;
        first.call.on_head = cancel_victim;
        upstream_submit(client.upstream, &first.call);
        upstream_submit(client.upstream, &victim.call);
        client_run_until(&client, &first.done, 1);
        assert_int_equal(first.result.status, UPSTREAM_OK);
        assert_int_equal(victim.done, plan.done);
        probe_done(&first);
        close_both(&server, &client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer_takes_too_long),
        cmocka_unit_test(test_whole_before_its_end),
        cmocka_unit_test(test_no_time_left),
        cmocka_unit_test(test_connect_takes_too_long),
        cmocka_unit_test(test_slow_name),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_callbacks_may_do_all),
        cmocka_unit_test(test_cancel_of_another_in_head),
    };
    if (!upstreams_global_init())
        return 1;
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    upstreams_global_done();
    return rc;
}
