/* SPDX-License-Identifier: Apache-2.0 */
/* How an upstream gets to know us, and that no login makes a call run twice. */
#include "upstream_harness.h"

#include "io/upstream_shared.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The server of the Digest tests; `ran` counts calls, which are requests with a document. */
static struct {
    atomic_int nonce; /* the one that counts; a test changes it */
    atomic_int ran, refused;
    atomic_bool never;    /* refuses all */
    atomic_bool stale;    /* and says that each nonce is stale */
    atomic_bool open;     /* lets in who has no nonce */
    atomic_bool closes;   /* closes the connection in place of an answer to a document */
    atomic_bool one_each; /* closes it after each answer */
} digest;

#define ANSWER_OK_CLOSE "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n<ok/>"

static void refuse(int fd)
{
    char answer[512];
    const char *close_it = atomic_load(&digest.one_each) ? "Connection: close\r\n" : "";
    atomic_fetch_add(&digest.refused, 1);
    snprintf(answer, sizeof answer,
             "HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"x\", qop=\"auth\", "
             "nonce=\"n%d\"%s\r\n%sContent-Length: 2\r\n\r\nno",
             atomic_load(&digest.nonce), atomic_load(&digest.stale) ? ", stale=true" : "",
             close_it);
    server_write(fd, answer);
}

static bool knows_nonce(const char *request)
{
    char nonce[32];
    snprintf(nonce, sizeof nonce, "nonce=\"n%d\"", atomic_load(&digest.nonce));
    return strstr(request, "Authorization: Digest username=\"u\"") != NULL &&
           strstr(request, nonce) != NULL;
}

static void serve_digest(struct server *server, int fd)
{
    while (server_read(server, fd)) {
        char request[4096];
        pthread_mutex_lock(&server->lock);
        memcpy(request, server->request, sizeof request);
        pthread_mutex_unlock(&server->lock);
        bool has_document = strstr(request, "Content-Length: 0\r\n") == NULL;
        bool let_in = atomic_load(&digest.open) || knows_nonce(request);
        if (atomic_load(&digest.never) || !let_in) {
            refuse(fd);
        } else {
            atomic_fetch_add(&digest.ran, has_document);
            if (has_document && atomic_load(&digest.closes))
                return;
            server_write(fd, atomic_load(&digest.one_each) ? ANSWER_OK_CLOSE : ANSWER_OK);
        }
        if (atomic_load(&digest.one_each))
            return;
    }
}

static void open_digest(struct server *server, struct client *client)
{
    memset(&digest, 0, sizeof digest);
    atomic_store(&digest.nonce, 1);
    server_start(server, serve_digest);
    client_init(client, server);
    client->config.target.digest = true;
    client->config.target.username = (char *)(uintptr_t) "u";
    client->config.target.password = (char *)(uintptr_t) "p";
    client_open(client);
}

static void assert_call(struct client *client, size_t bytes, int http_status)
{
    struct probe probe;
    probe_init_size(&probe, bytes);
    probe_run(&probe, client);
    if (probe.result.status != UPSTREAM_OK)
        fail_msg("status %d: %s", (int)probe.result.status, probe.result.detail);
    assert_int_equal(probe.result.http_status, http_status);
    assert_int_equal(probe.heads, 1);
    assert_int_equal(probe.head_status, http_status);
    assert_string_equal(buf_c(&probe.answer), http_status == 200 ? "<ok/>" : "no");
    probe_done(&probe);
}

static void test_digest(void **state)
{
    /* Up to 16 KiB a document is sent together with the head. */
    static const size_t sizes[] = { 100, 200000 };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        for (int one_each = 0; one_each < 2; one_each++) {
            struct server server = { 0 };
            struct client client;
            open_digest(&server, &client);
            atomic_store(&digest.one_each, one_each > 0);

            assert_call(&client, sizes[i], 200); /* asks for a nonce */
            assert_int_equal(atomic_load(&server.requests), 2);
            assert_call(&client, sizes[i], 200); /* has it */
            assert_int_equal(atomic_load(&server.requests), 3);
            atomic_store(&digest.nonce, 2);
            atomic_store(&digest.stale, true);
            assert_call(&client, sizes[i], 200); /* sends again */
            assert_int_equal(atomic_load(&server.requests), 5);
            assert_int_equal(atomic_load(&digest.ran), 3);

            client_close(&client);
            server_stop(&server);
        }
    }
}

/* A server that was started anew may not know that a nonce was ever good. */
static void test_digest_with_a_nonce_that_nobody_knows(void **state)
{
    (void)state;
    for (size_t size = 100; size < 1000000; size *= 2000) {
        struct server server = { 0 };
        struct client client;
        open_digest(&server, &client);
        assert_call(&client, size, 200);
        atomic_store(&digest.nonce, 2);
        assert_call(&client, size, 200);
        assert_call(&client, size, 200);
        assert_int_equal(atomic_load(&digest.ran), 3);
        assert_int_equal(atomic_load(&digest.refused), 2);
        atomic_store(&digest.never, true);
        assert_call(&client, size, 401);
        assert_call(&client, size, 401);
        assert_int_equal(atomic_load(&digest.ran), 3);
        assert_int_equal(atomic_load(&digest.refused), 6);
        client_close(&client);
        server_stop(&server);
    }
}

/* The nonce of one server is not shown to another. */
static void test_digest_at_two_servers(void **state)
{
    (void)state;
    struct server first = { 0 }, second = { 0 };
    struct client client;
    struct probe probe;
    char url[64];
    open_digest(&first, &client);
    client_close(&client);
    server_start(&second, serve_digest);
    client_init(&client, &first);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", second.port);
    struct upstream_target targets[] = {
        { .url = client.url,
          .username = (char *)(uintptr_t) "u",
          .password = (char *)(uintptr_t) "p",
          .digest = true },
        { .url = url,
          .username = (char *)(uintptr_t) "u",
          .password = (char *)(uintptr_t) "q",
          .digest = true },
    };
    client.config.targets = targets;
    client.config.n_targets = ARRAY_LEN(targets);
    client_open(&client);
    for (size_t i = 0; i < 6; i++) {
        probe_init(&probe, "<call/>");
        probe.call.target = i % 2;
        probe_run(&probe, &client);
        assert_int_equal(probe.result.http_status, 200);
        probe_done(&probe);
    }
    assert_int_equal(atomic_load(&digest.ran), 6);
    assert_int_equal(atomic_load(&digest.refused), 2);
    client_close(&client);
    server_stop(&first);
    server_stop(&second);
}

/* What one worker has learnt serves the others. */
static void test_digest_of_two_workers(void **state)
{
    (void)state;
    struct server server = { 0 };
    struct client client;
    open_digest(&server, &client);
    struct upstream_shared *shared = upstream_shared_new(&client.config);
    for (size_t i = 0; i < 4; i++) {
        client_close(&client);
        client_open(&client);
        upstream_close(client.upstream);
        client.upstream = upstream_open(client.all, &client.config, shared);
        assert_call(&client, 100, 200);
    }
    assert_int_equal(atomic_load(&digest.ran), 4);
    assert_int_equal(atomic_load(&digest.refused), 1);
    upstream_shared_unref(shared);
    client_close(&client);
    server_stop(&server);
}

static void test_digest_with_a_wrong_password(void **state)
{
    (void)state;
    struct server server = { 0 };
    struct client client;
    open_digest(&server, &client);
    atomic_store(&digest.never, true);
    assert_call(&client, 100, 401);
    assert_call(&client, 100, 401);
    assert_call(&client, 200000, 401);
    assert_int_equal(atomic_load(&digest.ran), 0);
    client_close(&client);
    server_stop(&server);
}

static void test_digest_does_not_go_on_for_ever(void **state)
{
    (void)state;
    struct server server = { 0 };
    struct client client;
    struct probe probe;
    open_digest(&server, &client);
    atomic_store(&digest.never, true);
    atomic_store(&digest.stale, true);
    probe_init(&probe, "<call/>");
    probe_run(&probe, &client);
    assert_int_equal(probe.done, 1);
    assert_true(atomic_load(&digest.refused) <= 3);
    probe_done(&probe);
    client_close(&client);
    server_stop(&server);
}

static void test_digest_where_nobody_asks_for_it(void **state)
{
    (void)state;
    struct server server = { 0 };
    struct client client;
    open_digest(&server, &client);
    atomic_store(&digest.open, true);
    assert_call(&client, 100, 200);
    assert_int_equal(atomic_load(&digest.ran), 1);
    assert_call(&client, 200000, 200);
    assert_int_equal(atomic_load(&digest.ran), 2);
    client_close(&client);
    server_stop(&server);
}

/* Without an answer nobody knows whether the call ran. */
static void test_digest_sends_no_call_twice(void **state)
{
    static const size_t sizes[] = { 100, 200000 };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct server server = { 0 };
        struct client client;
        struct probe probe;
        open_digest(&server, &client);
        assert_call(&client, 100, 200);
        atomic_store(&digest.closes, true);
        probe_init_size(&probe, sizes[i]);
        probe_run(&probe, &client);
        assert_int_equal(probe.result.status, UPSTREAM_LOST);
        assert_true(probe.result.reached);
        assert_int_equal(probe.heads, 0);
        assert_int_equal(atomic_load(&digest.ran), 2);
        probe_done(&probe);
        client_close(&client);
        server_stop(&server);
    }
}

static void test_bearer(void **state)
{
    (void)state;
    struct server server = { 0 };
    struct client client;
    server_start(&server, serve_kept);
    client_init(&client, &server);
    client.config.auth.scheme = AUTH_SCHEME_BEARER;
    client.config.auth.token = (char *)(uintptr_t) "a.token";
    client_open(&client);
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    assert_non_null(strstr(server.request, "\r\nAuthorization: Bearer a.token\r\n"));
    client_close(&client);
    server_stop(&server);
}

static void call_target(struct client *client, size_t target)
{
    struct probe probe;
    probe_init(&probe, "<call/>");
    probe.call.target = target;
    probe_run(&probe, client);
    assert_int_equal(probe.result.status, UPSTREAM_OK);
    probe_done(&probe);
}

static void test_targets(void **state)
{
    (void)state;
    struct server first = { 0 }, second = { 0 }, third = { 0 };
    struct client client;
    char url[64];
    server_start(&first, serve_kept);
    server_start(&second, serve_kept);
    server_start_unix(&third, serve_kept);
    client_init(&client, &first);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/other", second.port);
    struct upstream_target targets[] = {
        client.config.target,
        { .url = url, .username = (char *)(uintptr_t) "u" },
        { .url = (char *)(uintptr_t) "http://localhost/RPC2", .unix_socket = third.path },
    };
    client.config.targets = targets;
    client.config.n_targets = ARRAY_LEN(targets);
    client_open(&client);
    for (int i = 0; i < 3; i++) {
        call_target(&client, 0);
        call_target(&client, 1);
        call_target(&client, 2);
        call_target(&client, 1);
    }
    assert_null(strstr(first.request, "Authorization:"));
    assert_non_null(strstr(second.request, "POST /other HTTP/1.1\r\n"));
    assert_non_null(strstr(second.request, "Authorization: Basic dTo=\r\n"));
    assert_null(strstr(third.request, "Authorization:"));
    assert_int_equal(atomic_load(&first.requests), 3);
    assert_int_equal(atomic_load(&second.requests), 6);
    assert_int_equal(atomic_load(&third.requests), 3);
    assert_int_equal(atomic_load(&first.connections), 1);
    assert_int_equal(atomic_load(&second.connections), 1);
    assert_int_equal(atomic_load(&third.connections), 1);
    client_close(&client);
    server_stop(&first);
    server_stop(&second);
    server_stop(&third);
}

#define ANSWER_COOKIE                                                                              \
    "HTTP/1.1 200 OK\r\nSet-Cookie: session=abc; Path=/\r\nContent-Length: 5\r\n\r\n<ok/>"

#define FOR_BOTH_TRANSPORTS(name)                                                                  \
    for (enum transport_use name = TRANSPORT_USE_AUTO; name <= TRANSPORT_USE_CURL; name++)

static void cookies_come_and_go(enum transport_use transport)
{
    for (int kept = 0; kept < 2; kept++) {
        struct server server = { .answer = ANSWER_COOKIE };
        struct client client;
        struct probe both[2];
        int done = 0;
        server_start(&server, serve_kept);
        client_init(&client, &server);
        client.config.cookies = kept > 0;
        client.config.transport = transport;
        client_open(&client);
        assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
        assert_null(strstr(server.request, "Cookie:"));
        /* One of the two is an exchange that has seen no cookie itself. */
        for (size_t i = 0; i < ARRAY_LEN(both); i++) {
            probe_init(&both[i], "<call/>");
            both[i].done_counter = &done;
            upstream_submit(client.upstream, &both[i].call);
        }
        upstream_cancel(&both[0].call);
        client_run_until(&client, &done, 1);
        if (kept > 0)
            assert_non_null(strstr(server.request, "\r\nCookie: session=abc\r\n"));
        else
            assert_null(strstr(server.request, "Cookie:"));
        probe_done(&both[0]);
        probe_done(&both[1]);
        client_close(&client);
        server_stop(&server);
    }
}

static void test_cookies(void **state)
{
    (void)state;
    FOR_BOTH_TRANSPORTS(transport)
    cookies_come_and_go(transport);
}

static char cookies_seen[256];

static void note_cookie(struct upstream_call *call, struct str value)
{
    (void)call;
    snprintf(cookies_seen + strlen(cookies_seen), sizeof cookies_seen - strlen(cookies_seen),
             "%.*s|", STR_ARGS(value));
}

/* Headers and a path of one call's own; the next call has nothing of it. */
static void add_to_every_second(enum transport_use transport)
{
    static const struct upstream_line lines[] = {
        { STR("X-Session"), STR("abc") },
        { STR("Cookie"), STR("a=b; c=d") },
        { STR("X-Two"), STR("a\r\nX-Three: b") },
        { STR("Content-Type"), STR("text/plain") },
        { STR("X-Empty"), STR("") },
        { STR("user-agent"), STR("mine") },
        { STR("Accept"), STR("") },
    };
    const struct upstream_added added = { lines, ARRAY_LEN(lines), STR("object") };
    struct server server = { .answer = ANSWER_COOKIE };
    struct client client;
    server_start(&server, serve_kept);
    client_init(&client, &server);
    client.config.cookies = true;
    client.config.transport = transport;
    client_open(&client);
    for (int i = 0; i < 4; i++) {
        struct probe probe;
        bool has = i % 2 == 1;
        cookies_seen[0] = '\0';
        probe_init(&probe, "<x/>");
        probe.call.added = has ? &added : NULL;
        probe.call.on_cookie = has ? note_cookie : NULL;
        probe_run(&probe, &client);
        assert_int_equal(probe.result.status, UPSTREAM_OK);
        probe_done(&probe);
        assert_true((strstr(server.request, "POST /RPC2/object HTTP/1.1\r\n") != NULL) == has);
        assert_true((strstr(server.request, "POST /RPC2 HTTP/1.1\r\n") != NULL) == !has);
        assert_true((strstr(server.request, "\r\nX-Session: abc\r\n") != NULL) == has);
        assert_true((strstr(server.request, "\r\nCookie: a=b; c=d\r\n") != NULL) == has);
        assert_true((strstr(server.request, "session=abc") != NULL) == (!has && i > 0));
        assert_true((strstr(server.request, "\r\nContent-Type: text/plain\r\n") != NULL) == has);
        assert_true((strstr(server.request, "\r\nContent-Type: text/xml\r\n") != NULL) == !has);
        assert_null(strstr(server.request, "X-Two"));
        assert_null(strstr(server.request, "X-Three"));
        assert_null(strstr(server.request, "X-Empty"));
        assert_true((strstr(server.request, "\r\nuser-agent: mine\r\n") != NULL) == has);
        assert_true((strstr(server.request, "\r\nUser-Agent: rpcgate/") != NULL) == !has);
        assert_non_null(strstr(server.request, "\r\nAccept: */*\r\n"));
        assert_string_equal(cookies_seen, has ? "session=abc; Path=/|" : "");
    }
    client_close(&client);
    server_stop(&server);
}

static void test_added(void **state)
{
    (void)state;
    FOR_BOTH_TRANSPORTS(transport)
    add_to_every_second(transport);
}

/* What cannot stand in a request line as it is goes by libcurl, which makes other characters of it.
 */
static void test_paths(void **state)
{
    static const struct {
        const char *path, *target;
    } cases[] = {
        { "a%20b/c?d=e", " /RPC2/a%20b/c?d=e HTTP/1.1\r\n" },
        { "/\xc3\xa9", " /RPC2/%c3%a9 HTTP/1.1\r\n" },
        { "a#b", " /RPC2/a HTTP/1.1\r\n" },
        { "", " /RPC2 HTTP/1.1\r\n" },
    };
    struct server server = { .answer = ANSWER_OK };
    struct client client;
    (void)state;
    open_both(&server, &client, serve_kept);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct upstream_added added = { NULL, 0, str_of(cases[i].path) };
        struct probe probe;
        probe_init(&probe, "<x/>");
        probe.call.added = &added;
        probe_run(&probe, &client);
        assert_int_equal(probe.result.status, UPSTREAM_OK);
        probe_done(&probe);
        if (strstr(server.request, cases[i].target) == NULL)
            fail_msg("%s: %s", cases[i].path, server.request);
    }
    close_both(&server, &client);
}

static void cancel_at_cookie(struct upstream_call *call, struct str value)
{
    (void)value;
    upstream_cancel(call);
}

static void test_cancel_at_a_cookie(void **state)
{
    struct server server = { .answer = ANSWER_COOKIE };
    struct client client;
    struct probe probe;
    (void)state;
    open_both(&server, &client, serve_kept);
    probe_init(&probe, "<x/>");
    probe.call.on_cookie = cancel_at_cookie;
    upstream_submit(client.upstream, &probe.call);
    client_run_until_server(&client, &server.ended, 1);
    assert_int_equal(probe.done, 0);
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    probe_done(&probe);
    close_both(&server, &client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_digest_with_a_nonce_that_nobody_knows),
        cmocka_unit_test(test_digest_at_two_servers),
        cmocka_unit_test(test_digest_of_two_workers),
        cmocka_unit_test(test_digest_with_a_wrong_password),
        cmocka_unit_test(test_digest_does_not_go_on_for_ever),
        cmocka_unit_test(test_digest_where_nobody_asks_for_it),
        cmocka_unit_test(test_digest_sends_no_call_twice),
        cmocka_unit_test(test_bearer),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_cookies),
        cmocka_unit_test(test_added),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_cancel_at_a_cookie),
    };
    signal(SIGPIPE, SIG_IGN);
    if (!upstreams_global_init())
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    upstreams_global_done();
    return failed;
}
