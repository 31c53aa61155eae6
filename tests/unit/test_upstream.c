/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its answer: what goes over the wire, and what each way of ending becomes. */
#include "upstream_harness.h"

#include "base/clock.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "HTTP/1.1 200 OK\r\n"
#define LINES_10 "X: 1\r\nX: 2\r\nX: 3\r\nX: 4\r\nX: 5\r\nX: 6\r\nX: 7\r\nX: 8\r\nX: 9\r\nX: 10\r\n"

static const char gzip_ok[] =
    HEAD "Content-Encoding: gzip\r\nContent-Length: 25\r\n\r\n"
         "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xb3\xc9\xcf\xd6\xb7\x03\x00\xc8\x44\x49"
         "\x56\x05\x00\x00\x00";

/* The server reads the request, writes `answer` and closes the connection. */
static const struct answer_case {
    const char *name, *answer;
    size_t answer_len;
    enum upstream_status status;
    int http_status;
    const char *body;
} answer_cases[] = {
    { "with a length", ANSWER_OK, 0, UPSTREAM_OK, 200, "<ok/>" },
    { "until the end", HEAD "\r\n<ok/>", 0, UPSTREAM_OK, 200, "<ok/>" },
    { "HTTP/1.0", "HTTP/1.0 200 OK\r\nServer: a\r\n\r\n<ok/>", 0, UPSTREAM_OK, 200, "<ok/>" },
    { "bare line feeds", "HTTP/1.1 200 OK\ncontent-length: 5\nserver: Tcl\n\n<ok/>", 0, UPSTREAM_OK,
      200, "<ok/>" },
    { "no reason phrase", "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n<ok/>", 0, UPSTREAM_OK, 200,
      "<ok/>" },
    { "chunks",
      HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n<o\r\n3;x=y\r\nk/>\r\n0\r\nT: 1\r\n\r\n", 0,
      UPSTREAM_OK, 200, "<ok/>" },
    { "100 before it", "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" ANSWER_OK, 0, UPSTREAM_OK, 200,
      "<ok/>" },
    { "103 before it", "HTTP/1.1 103 Early Hints\r\n\r\n" ANSWER_OK, 0, UPSTREAM_OK, 200, "<ok/>" },
    { "gzip", gzip_ok, sizeof gzip_ok - 1, UPSTREAM_OK, 200, "<ok/>" },
    { "empty", HEAD "Content-Length: 0\r\n\r\n", 0, UPSTREAM_OK, 200, "" },
    { "401", "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 2\r\n\r\nno", 0,
      UPSTREAM_OK, 401, "no" },
    { "302 is not followed", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\nx", 0,
      UPSTREAM_OK, 302, "x" },
    { "503", "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n\r\n", 0, UPSTREAM_OK, 503, "" },

    { "closed in the body of a refusal", "HTTP/1.1 413 Large\r\nContent-Length: 9\r\n\r\nno", 0,
      UPSTREAM_LOST, 413, "no" },
    { "closed without a byte", "", 0, UPSTREAM_LOST, 0, "" },
    { "closed in the status line", "HTTP/1.1 20", 0, UPSTREAM_LOST, 0, "" },
    { "closed after the status line", HEAD, 0, UPSTREAM_LOST, 0, "" },
    { "closed after a header", HEAD "Server: a\r\n", 0, UPSTREAM_LOST, 0, "" },
    { "closed in a header", HEAD "Server: a", 0, UPSTREAM_LOST, 0, "" },
    { "negative length", HEAD "Content-Length: -1\r\n\r\n<ok/>", 0, UPSTREAM_LOST, 0, "" },
    { "closed in the head", HEAD "Content-Length: 5\r\n", 0, UPSTREAM_LOST, 0, "" },
    { "closed in the body", HEAD "Content-Length: 9\r\n\r\n<ok/>", 0, UPSTREAM_LOST, 200, "<ok/>" },
    { "closed in a chunk", HEAD "Transfer-Encoding: chunked\r\n\r\n9\r\n<ok/>", 0, UPSTREAM_LOST,
      200, "<ok/>" },
    { "closed between chunks", HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\n<ok/>\r\n", 0,
      UPSTREAM_LOST, 200, "<ok/>" },
    { "bad chunk", HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\n<ok/>", 0, UPSTREAM_LOST, 200,
      "" },
    { "bad length", HEAD "Content-Length: x\r\n\r\n<ok/>", 0, UPSTREAM_LOST, 0, "" },
    { "only 100", "HTTP/1.1 100 Continue\r\n\r\n", 0, UPSTREAM_LOST, 0, "" },

    { "no HTTP", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", 0, UPSTREAM_BAD_RESPONSE, 0, "" },
    { "no HTTP, no line", "\x15\x03\x03\x01garbage", 0, UPSTREAM_BAD_RESPONSE, 0, "" },
    { "no HTTP, a document", "<?xml version='1.0'?><methodResponse/>", 0, UPSTREAM_BAD_RESPONSE, 0,
      "" },
    { "an HTTP of the future", "HTTP/4.2 200 OK\r\n\r\n", 0, UPSTREAM_BAD_RESPONSE, 0, "" },
    { "no status", "HTTP/1.1 OK\r\n\r\n<ok/>", 0, UPSTREAM_BAD_RESPONSE, 0, "" },
    { "a folded line", HEAD "X: y\r\n Content-Length: 5\r\n\r\n<ok/>", 0, UPSTREAM_BAD_RESPONSE, 0,
      "" },
    { "a line folded by a tab", HEAD "X: y\r\n\tz\r\nContent-Length: 5\r\n\r\n<ok/>", 0,
      UPSTREAM_BAD_RESPONSE, 0, "" },
    { "a folded line of nothing", HEAD "X: y\r\n \r\nContent-Length: 5\r\n\r\n<ok/>", 0,
      UPSTREAM_BAD_RESPONSE, 0, "" },
    { "a folded line before all others", HEAD " X: y\r\nContent-Length: 5\r\n\r\n<ok/>", 0,
      UPSTREAM_BAD_RESPONSE, 0, "" },
    { "a folded line of 100", "HTTP/1.1 100 Continue\r\nX: y\r\n z\r\n\r\n" ANSWER_OK, 0,
      UPSTREAM_BAD_RESPONSE, 0, "" },
    { "a folded line before all others of 100", "HTTP/1.1 100 Continue\r\n x: y\r\n\r\n" ANSWER_OK,
      0, UPSTREAM_BAD_RESPONSE, 0, "" },
    { "a folded line of trailers",
      HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\n<ok/>\r\n0\r\nT: 1\r\n 2\r\n\r\n", 0,
      UPSTREAM_BAD_RESPONSE, 200, "<ok/>" },
    { "a folded line before all trailers",
      HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\n<ok/>\r\n0\r\n T: 1\r\n\r\n", 0,
      UPSTREAM_BAD_RESPONSE, 200, "<ok/>" },
    { "no gzip", HEAD "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\n<ok/>", 0,
      UPSTREAM_BAD_RESPONSE, 200, "" },
    { "too many lines",
      HEAD LINES_10 LINES_10 LINES_10 LINES_10 LINES_10 LINES_10 LINES_10 LINES_10 LINES_10 LINES_10
      "\r\n",
      0, UPSTREAM_BAD_RESPONSE, 0, "" },
};

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answer_cases); i++) {
        const struct answer_case *c = &answer_cases[i];
        struct server server = { .answer = c->answer, .answer_len = c->answer_len };
        struct client client;
        struct probe probe;
        server_start(&server, serve_once);
        client_init(&client, &server);
        client_open(&client);
        probe_init(&probe, "<call/>");
        probe_run(&probe, &client);

        if (probe.result.status != c->status || probe.result.http_status != c->http_status ||
            strcmp(buf_c(&probe.answer), c->body) != 0)
            fail_msg("%s: status %d, HTTP %d, body '%s', %s", c->name, (int)probe.result.status,
                     probe.result.http_status, buf_c(&probe.answer), probe.result.detail);
        assert_int_equal(probe.heads, c->http_status != 0);
        assert_int_equal(probe.head_status, c->http_status);
        assert_true(probe.result.reached);
        assert_false(probe.result.reused);
        assert_int_equal(probe.result.detail[0] == '\0', c->status == UPSTREAM_OK);
        assert_int_equal(atomic_load(&server.requests), 1);
        assert_null(probe.call.handle);

        probe_done(&probe);
        client_close(&client);
        server_stop(&server);
    }
}

static void test_head_is_told(void **state)
{
    struct server server = { .answer =
                                 "HTTP/1.1 404 Not  here\r\nServer: a/1 (x)\r\nX-Secret: 1\r\n"
                                 "content-type:\ttext/html; charset=x \r\nDate: now\r\n"
                                 "WWW-Authenticate: A\r\nWWW-Authenticate: B\r\n"
                                 "Allow:\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\nno" };
    struct client client;
    struct probe probe;
    (void)state;
    server_start(&server, serve_once);
    client_init(&client, &server);
    client_open(&client);
    probe_init(&probe, "<call/>");
    probe_run(&probe, &client);
    assert_int_equal(probe.result.status, UPSTREAM_OK);
    assert_string_equal(probe.result.reason_phrase, "Not  here");
    assert_string_equal(probe.result.content_type, "text/html; charset=x");
    assert_string_equal(buf_c(&probe.headers),
                        "Server: a/1 (x)\nContent-Type: text/html; charset=x\nDate: now\n"
                        "WWW-Authenticate: A\nWWW-Authenticate: B\nAllow: \nRetry-After: 3\n"
                        "Content-Length: 2\n");
    probe_done(&probe);
    client_close(&client);
    server_stop(&server);
}

static void assert_request(struct server *server, const char *expected)
{
    pthread_mutex_lock(&server->lock);
    assert_string_equal(server->request, expected);
    pthread_mutex_unlock(&server->lock);
}

static void test_request_bytes(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct probe probe;
    char expected[1024];
    (void)state;
    server_start(&server, serve_once);
    client_init(&client, &server);
    client_open(&client);
    probe_init(&probe, "<?xml version='1.0'?><methodCall/>");
    probe_run(&probe, &client);
    snprintf(expected, sizeof expected,
             "POST /RPC2 HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: rpcgate/" RPCGATE_VERSION
             "\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\nContent-Type: text/xml\r\n"
             "Content-Length: 34\r\n\r\n<?xml version='1.0'?><methodCall/>",
             server.port);
    assert_request(&server, expected);
    probe_done(&probe);
    client_close(&client);
    server_stop(&server);
}

/* A handle that has sent a document sends a GET without one, and the other way round. */
static void test_get_between_posts(void **state)
{
    struct server server = { .answer = ANSWER_OK };
    struct client client;
    char expected[1024];
    (void)state;
    server_start(&server, serve_kept);
    client_init(&client, &server);
    client.config.transport = TRANSPORT_USE_CURL; /* or POSTs have other connections */
    client_open(&client);
    for (int i = 0; i < 3; i++) {
        struct probe probe;
        bool get = i == 1;
        struct upstream_extra extra = { .get = get };
        probe_init(&probe, get ? "" : "<methodCall/>");
        probe.call.extra = &extra;
        probe_run(&probe, &client);
        assert_int_equal(probe.result.status, UPSTREAM_OK);
        snprintf(expected, sizeof expected,
                 "%s /RPC2 HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: rpcgate/" RPCGATE_VERSION
                 "\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n%s\r\n%s",
                 get ? "GET" : "POST", server.port,
                 get ? "" : "Content-Type: text/xml\r\nContent-Length: 13\r\n",
                 get ? "" : "<methodCall/>");
        assert_request(&server, expected);
        probe_done(&probe);
    }
    assert_int_equal(atomic_load(&server.connections), 1);
    client_close(&client);
    server_stop(&server);
}

struct dry_run {
    struct buf head;
    bool done;
};

static void take_head(struct upstream_call *call, bool sent, struct str bytes)
{
    struct dry_run *r = call->user;
    assert_true(sent);
    buf_append(&r->head, bytes);
    r->done = true;
    upstream_cancel(call);
}

/* The head is told, the server sees nothing, and no name is looked up. */
static void test_dry_run(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct probe probe;
    struct dry_run seen = { .done = false };
    (void)state;
    buf_init(&seen.head, SIZE_MAX - 1, NULL);
    server_start(&server, serve_once);
    client_init(&client, &server);
    snprintf(client.url, sizeof client.url, "http://name.invalid:%u/x", server.port);
    client_open(&client);
    probe_init(&probe, "<methodCall/>");
    probe.call.extra = &(struct upstream_extra){ .is_dry = true };
    probe.call.on_trace = take_head;
    probe.call.user = &seen;
    probe.call.deadline_ms = clock_now_ms() + 10000;
    upstream_submit(client.upstream, &probe.call);
    upstreams_run(client.all);
    while (!seen.done && clock_now_ms() < probe.call.deadline_ms) {
        loop_wait(client.loop, upstreams_deadline_ms(client.all));
        upstreams_run(client.all);
    }
    assert_non_null(strstr(buf_c(&seen.head), "POST /x HTTP/1.1\r\nHost: name.invalid:"));
    assert_non_null(strstr(buf_c(&seen.head), "Content-Length: 13\r\n\r\n"));
    assert_int_equal(atomic_load(&server.connections), 0);
    buf_done(&seen.head);
    probe_done(&probe);
    client_close(&client);
    server_stop(&server);
}

static void test_request_with_all_settings(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct probe probe;
    char expected[1024];
    (void)state;
    server_start(&server, serve_kept);
    client_init(&client, &server);
    snprintf(client.url, sizeof client.url, "http://127.0.0.1:%u/a/../b%%2Fc?d=e", server.port);
    client.headers[0] = (char[]){ "X-Tenant:blue" };
    client.headers[1] = (char[]){ "X-Empty:" };
    client.headers[2] = (char[]){ "Transfer-Encoding: chunked" };
    client.headers[3] = (char[]){ "Expect: 100-continue" };
    client.config.headers.n = 4;
    client.config.user_agent = (char[]){ "mine/2" };
    client.config.target.username = (char[]){ "u" };
    client.config.target.password = (char[]){ "p:\xc3\xa4" };
    /* What the environment says does not count. */
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    client_open(&client);
    for (int i = 0; i < 2; i++) {
        probe_init(&probe, "");
        if (i == 0) {
            probe.call.traceparent = STR("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
            probe.call.tracestate = STR("a=1\r\nEvil: 1");
        }
        probe_run(&probe, &client);
        snprintf(expected, sizeof expected,
                 "POST /a/../b%%2Fc?d=e HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
                 "Authorization: Basic dTpwOsOk\r\nUser-Agent: mine/2\r\nAccept: "
                 "*/*\r\nAccept-Encoding: gzip, deflate\r\n"
                 "Content-Type: text/xml\r\n%sX-Tenant: blue\r\nX-Empty:\r\n"
                 "Content-Length: 0\r\n\r\n",
                 server.port,
                 i == 0 ? "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
                        : "");
        assert_request(&server, expected);
        assert_int_equal(probe.result.reused, i == 1);
        probe_done(&probe);
    }
    client_close(&client);
    server_stop(&server);
}

/* Sizes around the ways that a body can take. */
static void test_body_sizes(void **state)
{
    static const size_t sizes[] = { 1, 999, 1001, 16383, 16384, 16385, 65536, 1500000 };
    struct server server = { 0 };
    struct client client;
    (void)state;
    server_start(&server, serve_kept);
    client_init(&client, &server);
    client_open(&client);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct probe probe;
        probe_init_size(&probe, sizes[i]);
        probe_run(&probe, &client);
        assert_int_equal(probe.result.status, UPSTREAM_OK);
        pthread_mutex_lock(&server.lock);
        const char *body = strstr(server.request, "\r\n\r\n");
        assert_non_null(body);
        assert_null(strcasestr(server.request, "expect"));
        assert_null(strcasestr(server.request, "chunked"));
        for (size_t at = 0; at < sizes[i] && body[4 + at] != '\0'; at++)
            assert_int_equal(body[4 + at], (char)('a' + at % 23));
        pthread_mutex_unlock(&server.lock);
        probe_done(&probe);
    }
    assert_int_equal(atomic_load(&server.connections), 1);
    assert_int_equal(atomic_load(&server.requests), (int)ARRAY_LEN(sizes));
    client_close(&client);
    server_stop(&server);
}

static void serve_endless_head(struct server *server, int fd)
{
    static char line[50 * 1024];
    memset(line, 'x', sizeof line);
    memcpy(line, "X-A: ", 5);
    if (!server_read(server, fd))
        return;
    server_write(fd, HEAD);
    for (int i = 0; i < 4; i++) {
        server_write_bytes(fd, line, sizeof line);
        if (server->answer != NULL)
            server_write(fd, "\r\n");
    }
    server_await_end(fd);
}

/* Long lines, and one line without an end. */
static void test_huge_heads(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct server server = { .answer = i == 0 ? "lines" : NULL };
        struct client client;
        struct upstream_result result;
        server_start(&server, serve_endless_head);
        client_init(&client, &server);
        client_open(&client);
        assert_int_equal(client_call(&client, &result), UPSTREAM_BAD_RESPONSE);
        assert_int_equal(result.http_status, 0);
        client_close(&client);
        server_stop(&server);
    }
}

static void test_unix_socket(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct upstream_result result;
    (void)state;
    server_start_unix(&server, serve_kept);
    client_init(&client, &server);
    client_open(&client);
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    assert_int_equal(client_call(&client, &result), UPSTREAM_OK);
    assert_true(result.reused);
    assert_int_equal(atomic_load(&server.connections), 1);
    client_close(&client);
    server_stop(&server);
}

/* A name with two addresses, of which only the second one answers. */
static void test_second_address(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct upstream_result result;
    (void)state;
    server_start(&server, serve_kept);
    client_init(&client, &server);
    snprintf(client.url, sizeof client.url, "http://localhost:%u/", server.port);
    client_open(&client);
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    assert_int_equal(client_call(&client, &result), UPSTREAM_OK);
    assert_true(result.reused);
    client_close(&client);
    server_stop(&server);
}

static void test_cannot_connect(void **state)
{
    static const struct {
        const char *url, *socket, *detail;
        enum upstream_status status;
    } cases[] = {
        { "http://127.0.0.1:%u/", NULL, "(Connection refused)", UPSTREAM_CONNECT_FAILED },
        { "https://127.0.0.1:%u/", NULL, "(Connection refused)", UPSTREAM_CONNECT_FAILED },
        { "http://no-such-host.invalid:%u/", NULL, "resolve", UPSTREAM_CONNECT_FAILED },
        { "http://localhost/", "/nonexistent/a.sock", "(No such file or directory)",
          UPSTREAM_CONNECT_FAILED },
    };
    struct server server = { 0 };
    (void)state;
    server_start(&server, serve_kept); /* its port is free again after its end */
    server_stop(&server);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct client client;
        struct upstream_result result;
        client_init(&client, &server);
        char *at = strstr(cases[i].url, ":%u");
        if (at != NULL)
            snprintf(client.url, sizeof client.url, "%.*s:%u/", (int)(at - cases[i].url),
                     cases[i].url, server.port);
        else
            snprintf(client.url, sizeof client.url, "%s", cases[i].url);
        client.config.target.unix_socket = (char *)(uintptr_t)cases[i].socket;
        client_open(&client);
        client_call(&client, &result);
        if (result.status != cases[i].status || strstr(result.detail, cases[i].detail) == NULL)
            fail_msg("%s: %d, %s", cases[i].url, (int)result.status, result.detail);
        assert_false(result.reached);
        client_close(&client);
    }
}

static void test_tls_handshake_takes_too_long(void **state)
{
    struct server server = { .answer = "HTTP/1.1 400 Bad\r\n\r\n" };
    struct client client;
    struct upstream_result result;
    (void)state;
    server_start(&server, serve_once);
    /* serve_once() waits for a head; a ClientHello has none, so the client's close ends it. */
    client_init(&client, &server);
    snprintf(client.url, sizeof client.url, "https://127.0.0.1:%u/", server.port);
    client.config.timeouts.connect = 200;
    client_open(&client);
    client_call(&client, &result);
    assert_int_equal(result.status, UPSTREAM_CONNECT_FAILED);
    assert_false(result.reached);
    client_close(&client);
    server_stop(&server);
}

static void serve_plain_greeting(struct server *server, int fd)
{
    (void)server;
    server_write(fd, "HTTP/1.1 400 The plain HTTP request was sent to an HTTPS port\r\n\r\n");
    server_await_end(fd);
}

static void test_no_tls_there(void **state)
{
    struct server server = { 0 };
    struct client client;
    struct upstream_result result;
    (void)state;
    server_start(&server, serve_plain_greeting);
    client_init(&client, &server);
    snprintf(client.url, sizeof client.url, "https://127.0.0.1:%u/", server.port);
    client_open(&client);
    client_call(&client, &result);
    assert_int_equal(result.status, UPSTREAM_TLS_FAILED);
    assert_false(result.reached);
    client_close(&client);
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),        cmocka_unit_test(test_head_is_told),
        cmocka_unit_test(test_request_bytes),  cmocka_unit_test(test_request_with_all_settings),
        cmocka_unit_test(test_body_sizes),     cmocka_unit_test(test_huge_heads),
        cmocka_unit_test(test_unix_socket),    cmocka_unit_test(test_second_address),
        cmocka_unit_test(test_cannot_connect), cmocka_unit_test(test_tls_handshake_takes_too_long),
        cmocka_unit_test(test_no_tls_there),   cmocka_unit_test(test_get_between_posts),
        cmocka_unit_test(test_dry_run),
    };
    if (!upstreams_global_init())
        return 1;
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    upstreams_global_done();
    return rc;
}
