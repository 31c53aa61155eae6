/* SPDX-License-Identifier: Apache-2.0 */
/* Names of upstreams: who looks them up, how often, and what becomes of a slow look-up. */
#include "upstream_harness.h"

#include "base/clock.h"
#include "io/upstream_shared.h"

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

#include <cmocka.h>

/* The resolver of this program: `requests` counts look-ups; while `is_slow` each waits for a
 * permit. */
static struct server resolver = { .lock = PTHREAD_MUTEX_INITIALIZER,
                                  .changed = PTHREAD_COND_INITIALIZER };
static atomic_bool is_slow;
static atomic_uint address; /* in the machine's order; 0: EAI_AGAIN, 1: EAI_NONAME */

struct answer {
    struct addrinfo info;
    struct sockaddr_in v4;
};

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict res)
{
    (void)service;
    (void)hints;
    if (strcmp(node, "moving.example") != 0)
        return EAI_NONAME;
    atomic_fetch_add(&resolver.requests, 1);
    unsigned found = atomic_load(&address);
    if (atomic_load(&is_slow))
        (void)server_await(&resolver);
    atomic_fetch_add(&resolver.ended, 1);
    if (found < 2)
        return found == 0 ? EAI_AGAIN : EAI_NONAME;
    struct answer *a = calloc(1, sizeof *a);
    if (a == NULL)
        return EAI_MEMORY;
    a->v4.sin_family = AF_INET;
    a->v4.sin_addr.s_addr = htonl(found);
    a->info.ai_family = AF_INET;
    a->info.ai_addrlen = sizeof a->v4;
    a->info.ai_addr = (struct sockaddr *)&a->v4;
    *res = &a->info;
    return 0;
}

void freeaddrinfo(struct addrinfo *res)
{
    free(res);
}

#define HERE INADDR_LOOPBACK
#define NOWHERE (INADDR_LOOPBACK + 8) /* nobody listens there */

static void open_named(struct server *server, struct client *client)
{
    atomic_store(&resolver.requests, 0);
    atomic_store(&resolver.ended, 0);
    atomic_store(&is_slow, false);
    atomic_store(&address, HERE);
    server_start(server, serve_kept);
    client_init(client, server);
    snprintf(client->url, sizeof client->url, "http://moving.example:%u/RPC2", server->port);
    client_open(client);
}

static void test_one_look_up_for_all(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct probe probes[50];
    int done = 0;
    (void)state;
    open_named(&server, &client);
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        probe_init(&probes[i], "<call/>");
        probes[i].done_counter = &done;
        upstream_submit(client.upstream, &probes[i].call);
    }
    client_run_until(&client, &done, ARRAY_LEN(probes));
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        assert_int_equal(probes[i].result.status, UPSTREAM_OK);
        probe_done(&probes[i]);
    }
    assert_in_range(atomic_load(&resolver.requests), 1, 2);
    /* Kept connections need no name. */
    atomic_store(&address, NOWHERE);
    int before = atomic_load(&resolver.requests);
    for (int i = 0; i < 20; i++)
        assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    assert_int_equal(atomic_load(&resolver.requests), before);
    close_both(&server, &client);
}

static void test_failed_connect_looks_anew(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct upstream_result result;
    (void)state;
    open_named(&server, &client);
    atomic_store(&address, NOWHERE);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(client_call(&client, &result), UPSTREAM_CONNECT_FAILED);
        assert_null(result.setting);
        assert_int_equal(atomic_load(&resolver.requests), i);
    }
    atomic_store(&address, HERE);
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    close_both(&server, &client);
}

static void test_names_are_all_workers_(void **state)
{
    struct server server = { 0 };
    struct client client;
    (void)state;
    open_named(&server, &client);
    struct upstream_shared *shared = upstream_shared_new(&client.config);
    int64_t began_ms = clock_now_ms();
    for (int i = 0; i < 5; i++) {
        client_close(&client);
        client_open(&client);
        upstream_close(client.upstream);
        client.upstream = upstream_open(client.all, &client.config, shared);
        assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    }
    /* One in each second. */
    int most = (int)((clock_now_ms() - began_ms) / 1000) + 1;
    assert_in_range(atomic_load(&resolver.requests), 1, most);
    upstream_shared_unref(shared);
    close_both(&server, &client);
}

/* Two calls fail by timeouts.connect, and the one look-up that they began serves the third. */
static void test_slow_look_up_serves_the_next(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct upstream_result result;
    struct probe probe;
    (void)state;
    open_named(&server, &client);
    client.config.timeouts.connect = 100;
    atomic_store(&is_slow, true);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(client_call(&client, &result), UPSTREAM_CONNECT_FAILED);
        assert_string_equal(result.setting, "timeouts.connect");
        assert_non_null(strstr(result.detail, "moving.example"));
        assert_false(result.reached);
        assert_in_range(result.duration_us, 99000, 4000000);
    }
    client.config.timeouts.connect = 5000;
    probe_init(&probe, "<call/>");
    upstream_submit(client.upstream, &probe.call);
    upstreams_run(client.all);
    server_permit(&resolver, 1);
    client_run_until(&client, &probe.done, 1);
    assert_int_equal(probe.result.status, UPSTREAM_OK);
    assert_int_equal(atomic_load(&resolver.requests), 1);
    probe_done(&probe);
    close_both(&server, &client);
}

/* Who waits may leave, and the client end, before the look-up does. */
static void test_cancel_while_it_waits(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct probe probe;
    (void)state;
    open_named(&server, &client);
    atomic_store(&is_slow, true);
    probe_init(&probe, "<call/>");
    upstream_submit(client.upstream, &probe.call);
    client_run_until_server(&client, &resolver.requests, 1);
    upstream_cancel(&probe.call);
    assert_int_equal(probe.done, 0);
    probe_done(&probe);
    close_both(&server, &client);
    server_permit(&resolver, 1);
    while (atomic_load(&resolver.ended) < 1)
        sched_yield();
}

/* Until when the call's own time is over it is no matter of connecting. */
static void test_call_s_time_is_over(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct probe probe;
    (void)state;
    open_named(&server, &client);
    client.config.timeouts.connect = 10000;
    atomic_store(&is_slow, true);
    probe_init(&probe, "<call/>");
    probe.call.deadline_ms = clock_now_ms() + 100;
    probe_run(&probe, &client);
    assert_int_equal(probe.result.status, UPSTREAM_TIMEOUT);
    assert_false(probe.result.reached);
    probe_done(&probe);
    server_permit(&resolver, 1);
    while (atomic_load(&resolver.ended) < 1)
        sched_yield();
    close_both(&server, &client);
}

static const struct {
    unsigned address; /* after one that worked */
    bool is_slow, works;
} resolvers[] = {
    { 0, false, true },   /* EAI_AGAIN: the old one serves */
    { HERE, true, true }, /* and where the look-up takes long */
    { 1, false, false },  /* EAI_NONAME: it is gone */
    { NOWHERE, false, false },
};

static void test_what_was_known_before(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(resolvers); i++) {
        struct server server = { .answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n"
                                           "Content-Length: 5\r\n\r\n<ok/>" };
        struct client client;
        open_named(&server, &client);
        assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
        atomic_store(&address, resolvers[i].address);
        atomic_store(&is_slow, resolvers[i].is_slow);
        /* For a second what was found is new. */
        while (atomic_load(&resolver.requests) < 2) {
            loop_wait(client.loop, clock_now_ms() + 50);
            client_call(&client, NULL);
        }
        assert_int_equal(client_call(&client, NULL) == UPSTREAM_OK, resolvers[i].works);
        atomic_store(&is_slow, false);
        server_permit(&resolver, 1);
        while (atomic_load(&resolver.ended) < atomic_load(&resolver.requests))
            sched_yield();
        atomic_store(&resolver.permits, 0);
        close_both(&server, &client);
    }
}

static void test_no_such_name(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct upstream_result result;
    (void)state;
    open_named(&server, &client);
    atomic_store(&address, 1);
    assert_int_equal(client_call(&client, &result), UPSTREAM_CONNECT_FAILED);
    assert_null(result.setting);
    assert_non_null(strstr(result.detail, "Could not resolve host: moving.example ("));
    atomic_store(&address, HERE);
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    close_both(&server, &client);
}

/* A proxy that the upstream's own address may pass by. */
static void open_behind(struct server *server, struct client *client, char *url, size_t size,
                        const char *no_proxy)
{
    open_named(server, client);
    client_close(client);
    client_init(client, server);
    snprintf(url, size, "http://moving.example:%u", server->port);
    client->config.proxy_target.url = url;
    client->config.proxy_target.no_proxy = (char *)(uintptr_t)no_proxy;
}

/* It is an address that no entry is about, so that the proxy's name is needed: a failed connect
 * looks that up anew, too. */
static void test_name_of_a_proxy_before_an_address(void **state)
{
    static const struct {
        const char *host, *no_proxy;
    } cases[] = {
        { "127.0.0.9", "10.0.0.0/8" },
        { "127.0.0.9", "127.0.0.8,.example" },
        { "127.0.0.9", "127.0.0.8/32" },
        { "127.0.0.9", "0.0.0.0/0" },
        { "127.0.0.9", "127.0.0.0/29" },
        { "[::9]", "127.0.0.0/8,fe80::/10" },
        { "[::9]", "::8/128" },
        { "localhost", "127.0.0.0/8" },
        { "upstream.invalid", "other.invalid" },
        { "127.0.0.9", "" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct server server = { 0 };
        struct client client;
        char url[64];
        open_behind(&server, &client, url, sizeof url, cases[i].no_proxy);
        snprintf(client.url, sizeof client.url, "http://%s:9/RPC2", cases[i].host);
        client_open(&client);
        atomic_store(&address, NOWHERE);
        for (int n = 1; n <= 2; n++) {
            assert_int_equal(client_call(&client, NULL), UPSTREAM_CONNECT_FAILED);
            assert_int_equal(atomic_load(&resolver.requests), n);
        }
        atomic_store(&address, HERE);
        if (client_call(&client, NULL) != UPSTREAM_OK)
            fail_msg("%s with no_proxy %s", cases[i].host, cases[i].no_proxy);
        assert_non_null(strstr(server.request, cases[i].host));
        close_both(&server, &client);
    }
}

/* It passes the proxy by, whose name nobody needs. */
static void test_address_that_passes_a_proxy(void **state)
{
    static const char *const entries[] = { "127.0.0.1", "127.0.0.1/32", "127.0.0.0/8",
                                           "10.0.0.0/8, 127.0.0.0/31", "a.example,126.0.0.0/7" };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
        struct server server = { 0 };
        struct client client;
        char url[64];
        open_behind(&server, &client, url, sizeof url, entries[i]);
        client_open(&client);
        atomic_store(&address, 1);
        if (client_call(&client, NULL) != UPSTREAM_OK)
            fail_msg("no_proxy %s", entries[i]);
        assert_int_equal(atomic_load(&resolver.requests), 0);
        close_both(&server, &client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_look_up_for_all),
        cmocka_unit_test(test_failed_connect_looks_anew),
        cmocka_unit_test(test_names_are_all_workers_),
        cmocka_unit_test(test_slow_look_up_serves_the_next),
        cmocka_unit_test(test_cancel_while_it_waits),
        cmocka_unit_test(test_call_s_time_is_over),
        cmocka_unit_test(test_what_was_known_before),
        cmocka_unit_test(test_no_such_name),
        cmocka_unit_test(test_name_of_a_proxy_before_an_address),
        cmocka_unit_test(test_address_that_passes_a_proxy),
    };
    if (!upstreams_global_init())
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    upstreams_global_done();
    return failed;
}
