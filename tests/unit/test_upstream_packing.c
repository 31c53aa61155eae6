/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that go out compressed. */
#include "upstream_harness.h"

#include "base/clock.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_without_compression(void **state)
{
    (void)state;
    struct server server = { 0 };
    struct client client;
    server_start(&server, serve_kept);
    client_init(&client, &server);
    client.config.compression.accept = false;
    client_open(&client);
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    assert_null(strstr(server.request, "Encoding:"));
    client_close(&client);
    server_stop(&server);
}

static void test_compressed_requests(void **state)
{
    (void)state;
    struct server server = { 0 };
    struct client client;
    struct probe probe;
    server_start(&server, serve_kept);
    client_init(&client, &server);
    client.config.compression.request_over = 100;
    client_open(&client);
    probe_init_size(&probe, 100);
    probe_run(&probe, &client);
    assert_null(strstr(server.request, "Content-Encoding:"));
    probe_done(&probe);
    probe_init_size(&probe, 100000);
    probe_run(&probe, &client);
    assert_int_equal(probe.result.status, UPSTREAM_OK);
    assert_non_null(strstr(server.request, "\r\nContent-Encoding: gzip\r\n"));
    const char *length = strstr(server.request, "\r\nContent-Length: ");
    assert_non_null(length);
    assert_in_range(strtol(length + 18, NULL, 10), 20, 2000);
    const char *body = strstr(server.request, "\r\n\r\n");
    assert_non_null(body);
    assert_memory_equal(body + 4, "\x1f\x8b", 2);
    probe_done(&probe);
    client_close(&client);
    server_stop(&server);
}

#define LARGE ((size_t)6 * 1024 * 1024)

static void open_compressing(struct server *server, struct client *client)
{
    server_start(server, serve_kept);
    client_init(client, server);
    client->config.compression.request_over = 100;
    client_open(client);
}

static const struct upstream_call *first_sent;

static void note_first(struct upstream_call *call, bool sent, struct str bytes)
{
    (void)bytes;
    if (sent && first_sent == NULL)
        first_sent = call;
}

/* What packs badly takes its time. */
static void add_noise(struct chain *to)
{
    uint32_t x = 1;
    for (size_t i = 0; i < LARGE; i++) {
        x = x * 1664525 + 1013904223;
        chain_append_byte(to, (char)(x >> 24));
    }
}

/* Others are sent while a large document has not gone out yet. */
static void test_compression_in_steps(void **state)
{
    (void)state;
    struct server server = { 0 };
    struct client client;
    struct probe large, small;
    open_compressing(&server, &client);
    probe_init(&large, "");
    add_noise(&large.body);
    probe_init(&small, "<call/>");
    first_sent = NULL;
    large.call.on_trace = small.call.on_trace = note_first;
    upstream_submit(client.upstream, &large.call);
    probe_run(&small, &client);
    assert_ptr_equal(first_sent, &small.call);
    client_run_until(&client, &large.done, 1);
    assert_int_equal(large.result.status, UPSTREAM_OK);
    assert_int_equal(atomic_load(&server.requests), 2);
    probe_done(&large);
    probe_done(&small);
    client_close(&client);
    server_stop(&server);
}

/* What there is of it goes with a call that is cancelled, or is too late. */
static void test_compression_that_does_not_end(void **state)
{
    (void)state;
    struct server server = { 0 };
    struct client client;
    struct probe probe;
    struct budget budget = { 0 };
    struct chain packed;
    atomic_init(&budget.max, SIZE_MAX);
    open_compressing(&server, &client);
    probe_init_size(&probe, LARGE);
    probe.body.budget = &budget;
    chain_init(&packed, 0, NULL);
    probe.call.packed = &packed;
    upstream_submit(client.upstream, &probe.call);
    while (chain_len(&packed) == 0)
        upstreams_run(client.all);
    assert_true(atomic_load(&budget.used) > 0 && chain_len(&packed) > 0);
    assert_int_equal(upstreams_deadline_ms(client.all), 0);
    upstream_cancel(&probe.call);
    assert_int_equal(atomic_load(&budget.used), 0);
    assert_int_equal(chain_len(&packed), 0);
    upstream_submit(client.upstream, &probe.call);
    while (chain_len(&packed) == 0)
        upstreams_run(client.all);
    probe.call.deadline_ms = clock_now_ms();
    client_run_until(&client, &probe.done, 1);
    assert_int_equal(probe.result.status, UPSTREAM_TIMEOUT);
    assert_false(probe.result.reached);
    assert_int_equal(atomic_load(&budget.used), 0);
    assert_int_equal(atomic_load(&server.connections), 0);
    probe.body.budget = NULL;
    probe_done(&probe);
    client_close(&client);
    server_stop(&server);
}

/* The next attempt sends what the last one has made; without room it goes as it is. */
static void test_compressed_once(void **state)
{
    (void)state;
    struct server server = { 0 };
    struct client client;
    struct probe probe;
    struct budget budget = { 0 };
    struct chain packed;
    atomic_init(&budget.max, SIZE_MAX);
    open_compressing(&server, &client);
    probe_init_size(&probe, 100000);
    probe.body.budget = &budget;
    chain_init(&packed, 0, NULL);
    probe.call.packed = &packed;
    probe_run(&probe, &client);
    assert_int_equal(probe.result.status, UPSTREAM_OK);
    size_t len = chain_len(&packed);
    assert_in_range(len, 20, 2000);
    atomic_store(&budget.max, 0);
    for (int with_it = 1; with_it >= 0; with_it--) {
        probe.done = 0;
        probe_run(&probe, &client);
        assert_int_equal(probe.result.status, UPSTREAM_OK);
        const char *head = "\r\nContent-Encoding: gzip\r\n";
        assert_int_equal(strstr(server.request, head) != NULL, with_it);
        assert_int_equal(chain_len(&packed), with_it ? len : 0);
        chain_done(&packed);
    }
    assert_int_equal(atomic_load(&budget.used), 0);
    probe.body.budget = NULL;
    probe_done(&probe);
    client_close(&client);
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_compression),
        cmocka_unit_test(test_compressed_requests),
        cmocka_unit_test(test_compression_in_steps),
        cmocka_unit_test(test_compression_that_does_not_end),
        cmocka_unit_test(test_compressed_once),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
