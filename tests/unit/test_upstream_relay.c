/* SPDX-License-Identifier: Apache-2.0 */
/* Answers whose heads libcurl refuses, over real sockets. A first answer comes when the client has
 * begun to wait for it: what libcurl finds right behind its request it has read before anyone can
 * look at it. */
#include "upstream_harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define HEAD "HTTP/1.1 200 OK\r\n"
#define LENGTH "Content-Length: 5\r\n"
#define BODY "\r\n<ok/>"

static const struct {
    const char *name, *answer;
    enum upstream_status status;
} cases[] = {
    { "no colon", HEAD "content-disposition attachment\r\n" LENGTH BODY, UPSTREAM_OK },
    { "no colon, HTTP/1.0", "HTTP/1.0 200 OK\r\nx\r\n" BODY, UPSTREAM_OK },
    { "blank length", HEAD "Content-Length:\r\n" BODY, UPSTREAM_OK },
    { "both, behind 100",
      "HTTP/1.1 100 Continue\r\nx\r\n\r\n" HEAD "Content-Length: \r\ny\r\n" BODY, UPSTREAM_OK },
    { "no colon, chunks", HEAD "x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<ok/>\r\n0\r\n\r\n",
      UPSTREAM_OK },
    { "blank length, chunks",
      HEAD "Content-Length:\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<ok/>\r\n0\r\n\r\n",
      UPSTREAM_OK },
    { "no colon, cut off", HEAD "x\r\nContent-Length: 9\r\n" BODY, UPSTREAM_LOST },
    { "folded", HEAD "A: b\r\n c\r\nx\r\n" LENGTH BODY, UPSTREAM_BAD_RESPONSE },
    { "two status lines", HEAD HEAD LENGTH BODY, UPSTREAM_BAD_RESPONSE },
    { "blank length and another", HEAD "Content-Length:\r\n" LENGTH BODY, UPSTREAM_LOST },
    { "two lengths", HEAD "x\r\nContent-Length: 4\r\n" LENGTH BODY, UPSTREAM_LOST },
};

/* Each answer when it is permitted, in pieces. The connection is kept. */
static void serve_permitted(struct server *server, int fd)
{
    while (server_read(server, fd) && server_await(server)) {
        const char *answer = server->answer; /* another one once this one is there */
        size_t len = strlen(answer), half = len / 3;
        bool is_last = strstr(answer, "HTTP/1.0") != NULL ||
                       strstr(answer, "Content-Length:\r\n") != NULL ||
                       strstr(answer, "Content-Length: \r\n") != NULL ||
                       strstr(answer, "Content-Length: 9") != NULL;
        server_write_bytes(fd, answer, half);
        server_write_bytes(fd, answer + half, len - half);
        if (is_last)
            return;
    }
}

/* The loop has turned since the request went out: libcurl waits for events. */
static void call_waiting(struct server *server, struct client *client, struct probe *probe)
{
    probe_init(probe, "<call/>");
    upstream_submit(client->upstream, &probe->call);
    client_run_until_server(client, &server->requests, atomic_load(&server->requests) + 1);
    server_permit(server, 1);
    client_run_until(client, &probe->done, 1);
}

static void try_cases(void (*start)(struct server *, void (*)(struct server *, int)))
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct server server = { .answer = cases[i].answer };
        struct client client;
        start(&server, serve_permitted);
        client_init(&client, &server);
        client_open(&client);
        for (int n = 1; n <= 3; n++) {
            struct probe probe;
            call_waiting(&server, &client, &probe);
            if (probe.result.status != cases[i].status ||
                (probe.result.status == UPSTREAM_OK && strcmp(buf_c(&probe.answer), "<ok/>") != 0))
                fail_msg("%s, %d: status %d, '%s', %s", cases[i].name, n, (int)probe.result.status,
                         buf_c(&probe.answer), probe.result.detail);
            assert_false(probe.result.reused);
            assert_int_equal(atomic_load(&server.requests), n);
            assert_int_equal(atomic_load(&server.connections), n);
            probe_done(&probe);
        }
        client_close(&client);
        server_stop(&server);
    }
}

static void test_tcp(void **state)
{
    (void)state;
    try_cases(server_start);
}

static void test_unix(void **state)
{
    (void)state;
    try_cases(server_start_unix);
}

/* A good head that comes in pieces costs no connection. */
static void test_pieces_are_kept(void **state)
{
    struct server server = { .answer = ANSWER_OK };
    struct client client;
    (void)state;
    open_both(&server, &client, serve_permitted);
    for (int n = 1; n <= 5; n++) {
        struct probe probe;
        call_waiting(&server, &client, &probe);
        assert_int_equal(probe.result.status, UPSTREAM_OK);
        assert_int_equal(probe.result.reused, n > 1);
        probe_done(&probe);
    }
    assert_int_equal(atomic_load(&server.connections), 1);
    close_both(&server, &client);
}

#define STRANGE HEAD "x\r\n" LENGTH BODY

/* Makes the upstream known for its heads. */
static void open_known(struct server *server, struct client *client)
{
    struct probe probe;
    server->answer = STRANGE;
    open_both(server, client, serve_permitted);
    call_waiting(server, client, &probe);
    assert_int_equal(probe.result.status, UPSTREAM_OK);
    probe_done(&probe);
}

/* From then on no answer is too early. */
static void test_known(void **state)
{
    struct server server = { 0 };
    struct client client;
    (void)state;
    open_known(&server, &client);
    server_permit(&server, 100);
    for (int i = 0; i < 100; i++) {
        server.answer = i % 2 == 0 ? STRANGE : ANSWER_OK;
        assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    }
    assert_int_equal(atomic_load(&server.requests), 101);
    close_both(&server, &client);
}

#define LARGE ((size_t)5 * 1000 * 1000)

static void serve_large(struct server *server, int fd)
{
    char *answer = calloc(1, LARGE + sizeof HEAD "x\r\n\r\n");
    strcpy(answer, HEAD "x\r\n\r\n");
    size_t len = strlen(answer);
    memset(answer + len, 'y', LARGE);
    if (server_read(server, fd))
        server_write_bytes(fd, answer, len + LARGE);
    free(answer);
}

/* A good head in pieces, and more behind it than is read at once. */
static void serve_large_in_pieces(struct server *server, int fd)
{
    char *body = calloc(1, LARGE);
    memset(body, 'y', LARGE);
    if (server_read(server, fd) && server_await(server)) {
        server_write(fd, HEAD "A: ");
        server_write(fd, "b\r\n\r\n");
        server_write_bytes(fd, body, LARGE);
    }
    free(body);
}

static void test_large_behind_pieces(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct probe probe;
    (void)state;
    open_both(&server, &client, serve_large_in_pieces);
    call_waiting(&server, &client, &probe);
    assert_int_equal(probe.result.status, UPSTREAM_OK);
    assert_int_equal(probe.answer.len, LARGE);
    probe_done(&probe);
    close_both(&server, &client);
}

/* Both ways carry more than there is room for at once. */
static void test_large(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct probe probe;
    (void)state;
    open_known(&server, &client);
    server.serve = serve_large;
    probe_init_size(&probe, LARGE);
    probe_run(&probe, &client);
    assert_int_equal(probe.result.status, UPSTREAM_OK);
    assert_int_equal(probe.answer.len, LARGE);
    assert_int_equal(atomic_load(&server.requests), 2);
    probe_done(&probe);
    close_both(&server, &client);
}

static void serve_refusal(struct server *server, int fd)
{
    char bytes[1024];
    if (recv(fd, bytes, sizeof bytes, 0) > 0)
        server_write(fd, "HTTP/1.1 413 Too Large\r\nx\r\nContent-Length: 5\r\n\r\nlarge");
    (void)server;
}

/* Refused unread, and closed, which is a reset. */
static void test_refused_early(void **state)
{
    struct server server = { 0 };
    struct client client;
    (void)state;
    open_known(&server, &client);
    server.serve = serve_refusal;
    for (int i = 0; i < 20; i++) {
        struct probe probe;
        probe_init_size(&probe, LARGE);
        probe_run(&probe, &client);
        if (probe.result.status != UPSTREAM_OK)
            fail_msg("%d: status %d, %s", i, (int)probe.result.status, probe.result.detail);
        assert_int_equal(probe.result.http_status, 413);
        probe_done(&probe);
    }
    close_both(&server, &client);
}

static void serve_silence(struct server *server, int fd)
{
    if (server_read(server, fd)) {
        server_write(fd, server->answer);
        server_await_end(fd);
    }
}

/* Nothing of a call that ends before its answer stays. */
static void test_ends_early(void **state)
{
    struct server server = { 0 };
    struct client client;
    (void)state;
    open_known(&server, &client);
    server.serve = serve_silence;
    for (int i = 0; i < 4; i++) {
        struct probe probe;
        server.answer = i % 2 == 0 ? HEAD "x\r\nA: " : HEAD "x\r\nContent-Length: 9\r\n" BODY;
        probe_init(&probe, "<call/>");
        upstream_submit(client.upstream, &probe.call);
        client_run_until_server(&client, &server.requests, 2 + i);
        upstream_cancel(&probe.call);
        client_run_until_server(&client, &server.ended, 2 + i); /* its connection is closed */
        probe_done(&probe);
    }
    close_both(&server, &client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcp),
        cmocka_unit_test(test_unix),
        cmocka_unit_test(test_pieces_are_kept),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_large_behind_pieces),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_refused_early),
        cmocka_unit_test(test_ends_early),
    };
    if (!upstreams_global_init())
        return 1;
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    upstreams_global_done();
    return rc;
}
