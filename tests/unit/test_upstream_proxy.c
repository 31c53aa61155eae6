/* SPDX-License-Identifier: Apache-2.0 */
/* Proxies, as bytes on the wire: what they are told, and what each way of failing becomes. */
#include "upstream_harness.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

/* The client's way to an upstream that only the proxy could find. */
static void open_behind(struct client *client, const struct server *proxy, const char *upstream)
{
    client_init(client, proxy);
    snprintf(client->url, sizeof client->url, "%s", upstream);
}

static char *proxy_url(char *to, size_t size, const char *scheme, const struct server *proxy)
{
    snprintf(to, size, "%s://127.0.0.1:%u", scheme, proxy->port);
    return to;
}

static void test_plain(void **state)
{
    (void)state;
    struct server proxy = { 0 };
    struct client client;
    char url[64], *lines[] = { (char *)(uintptr_t) "X-Proxy: yes" };
    server_start(&proxy, serve_kept);
    open_behind(&client, &proxy, "http://upstream.invalid:81/RPC2?a=b");
    client.config.proxy_target.url = proxy_url(url, sizeof url, "http", &proxy);
    client.config.proxy_target.username = (char *)(uintptr_t) "u";
    client.config.proxy_target.password = (char *)(uintptr_t) "p";
    client.config.proxy.headers = (struct texts){ lines, 1 };
    client_open(&client);
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    assert_non_null(strstr(proxy.request, "POST http://upstream.invalid:81/RPC2?a=b HTTP/1.1\r\n"));
    assert_non_null(strstr(proxy.request, "\r\nProxy-Authorization: Basic dTpw\r\n"));
    assert_non_null(strstr(proxy.request, "\r\nX-Proxy: yes\r\n"));
    client_close(&client);
    server_stop(&proxy);
}

static void serve_tunnel(struct server *server, int fd)
{
    if (!server_read(server, fd))
        return;
    server_write(fd, "HTTP/1.1 200 Connected\r\nX-From: proxy\r\n\r\n");
    serve_kept(server, fd);
}

/* What is for the one is not told to the other. */
static void test_tunnel(void **state)
{
    (void)state;
    struct server proxy = { 0 };
    struct client client;
    char url[64], *lines[] = { (char *)(uintptr_t) "X-Proxy: yes" };
    server_start(&proxy, serve_tunnel);
    open_behind(&client, &proxy, "http://upstream.invalid:81/RPC2");
    client.headers[0] = (char *)(uintptr_t) "X-Upstream: yes";
    client.config.headers.n = 1;
    client.config.proxy_target.url = proxy_url(url, sizeof url, "http", &proxy);
    client.config.proxy_target.username = (char *)(uintptr_t) "u";
    client.config.proxy.headers = (struct texts){ lines, 1 };
    client.config.proxy.tunnel = true;
    client_open(&client);

    struct probe probe;
    probe_init(&probe, "<call/>");
    upstream_submit(client.upstream, &probe.call);
    client_run_until(&client, &probe.done, 1);
    assert_int_equal(probe.result.status, UPSTREAM_OK);
    assert_string_equal(buf_c(&probe.answer), "<ok/>");
    assert_int_equal(probe.heads, 1);
    assert_int_equal(atomic_load(&proxy.requests), 2);
    assert_non_null(strstr(proxy.request, "POST /RPC2 HTTP/1.1\r\nHost: upstream.invalid:81\r\n"));
    assert_non_null(strstr(proxy.request, "\r\nX-Upstream: yes\r\n"));
    assert_null(strstr(proxy.request, "Proxy"));
    probe_done(&probe);
    client_close(&client);
    server_stop(&proxy);
}

static void serve_refusal(struct server *server, int fd)
{
    if (server_read(server, fd) && server->answer != NULL)
        server_write(fd, server->answer);
}

/* Nothing of these has got to the upstream. */
static const struct refusal {
    const char *name, *scheme, *answer;
    bool tunnel;
    const char *detail;
    enum upstream_status status;
} refusals[] = {
    { "a folded line of CONNECT", "http", "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n", true, "blank",
      UPSTREAM_BAD_RESPONSE },
    { "a folded line before all others of CONNECT", "http", "HTTP/1.1 200 OK\r\n x: y\r\n\r\n",
      true, "", UPSTREAM_BAD_RESPONSE },
    { "a folded line of CONNECT's refusal", "http",
      "HTTP/1.1 403 No\r\nX: y\r\n z\r\nContent-Length: 0\r\n\r\n", true, "blank",
      UPSTREAM_BAD_RESPONSE },
    { "407 of CONNECT", "http",
      "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n", true,
      "407", UPSTREAM_CONNECT_FAILED },
    { "403 of CONNECT", "http", "HTTP/1.1 403 Filtered\r\nContent-Length: 0\r\n\r\n", true, "403",
      UPSTREAM_CONNECT_FAILED },
    { "502 of CONNECT", "http", "HTTP/1.1 502 Bad\r\nContent-Length: 3\r\n\r\nbad", true, "502",
      UPSTREAM_CONNECT_FAILED },
    { "closed in CONNECT", "http", NULL, true, "", UPSTREAM_CONNECT_FAILED },
    { "no HTTP in CONNECT", "http", "SSH-2.0-x\r\n", true, "", UPSTREAM_CONNECT_FAILED },
    { "407 of a plain request", "http",
      "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n", false,
      "407", UPSTREAM_CONNECT_FAILED },
    { "no SOCKS", "socks5h", NULL, false, "", UPSTREAM_CONNECT_FAILED },
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        const struct refusal *c = &refusals[i];
        struct server proxy = { .answer = c->answer };
        struct client client;
        struct upstream_result result;
        char url[64];
        server_start(&proxy, strcmp(c->scheme, "http") == 0 ? serve_refusal : serve_once);
        open_behind(&client, &proxy, "http://upstream.invalid:81/RPC2");
        client.config.proxy_target.url = proxy_url(url, sizeof url, c->scheme, &proxy);
        client.config.proxy.tunnel = c->tunnel;
        client.config.timeouts.connect = 300;
        client_open(&client);
        client_call(&client, &result);
        if (result.status != c->status || result.reached ||
            strstr(result.detail, c->detail) == NULL)
            fail_msg("%s: status %d, reached %d, %s", c->name, (int)result.status, result.reached,
                     result.detail);
        client_close(&client);
        server_stop(&proxy);
    }
}

/* SOCKS5 (RFC 1928): no login, and then the call is ours. */
static void serve_socks(struct server *server, int fd)
{
    char bytes[512];
    (void)server;
    if (recv(fd, bytes, 3, MSG_WAITALL) < 3 || bytes[0] != 5)
        return;
    for (int i = 1; i < bytes[1]; i++)
        if (recv(fd, bytes + 8, 1, MSG_WAITALL) < 1)
            return;
    server_write_bytes(fd, "\x05\x00", 2);
    if (recv(fd, bytes, 5, MSG_WAITALL) < 5 || bytes[3] != 3)
        return; /* it must be a name */
    size_t rest = (size_t)(unsigned char)bytes[4] + 2;
    if (recv(fd, bytes, rest, MSG_WAITALL) < (ssize_t)rest)
        return;
    server_write_bytes(fd, "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", 10);
    serve_kept(server, fd);
}

static void test_socks_looks_names_up(void **state)
{
    (void)state;
    struct server proxy = { 0 };
    struct client client;
    char url[64];
    server_start(&proxy, serve_socks);
    open_behind(&client, &proxy, "http://upstream.invalid:81/RPC2");
    client.config.proxy_target.url = proxy_url(url, sizeof url, "socks5h", &proxy);
    client_open(&client);
    struct upstream_result result;
    if (client_call(&client, &result) != UPSTREAM_OK)
        fail_msg("status %d: %s", (int)result.status, result.detail);
    assert_non_null(strstr(proxy.request, "POST /RPC2 HTTP/1.1\r\nHost: upstream.invalid:81\r\n"));
    client_close(&client);
    server_stop(&proxy);
}

static void test_no_proxy(void **state)
{
    (void)state;
    struct server server = { 0 }, proxy = { 0 };
    struct client client;
    char url[64];
    server_start(&server, serve_kept);
    server_start(&proxy, serve_kept);
    client_init(&client, &server);
    client.config.proxy_target.url = proxy_url(url, sizeof url, "http", &proxy);
    client.config.proxy_target.no_proxy = (char *)(uintptr_t) "intranet.example,127.0.0.0/8";
    client_open(&client);
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    assert_int_equal(atomic_load(&server.requests), 1);
    assert_int_equal(atomic_load(&proxy.connections), 0);
    client_close(&client);
    server_stop(&server);
    server_stop(&proxy);
}

/* Neither its proxies nor its exceptions from them, nor a .netrc. */
static void test_environment_is_not_read(void **state)
{
    (void)state;
    static const char *const names[] = { "http_proxy", "all_proxy", "ALL_PROXY", "HTTP_PROXY" };
    char url[64], home[] = "/tmp/test-upstream-XXXXXX", netrc[64];
    struct server server = { 0 }, proxy = { 0 };
    struct client client;
    server_start(&server, serve_kept);
    server_start(&proxy, serve_kept);
    proxy_url(url, sizeof url, "http", &proxy);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        setenv(names[i], url, 1);
    setenv("no_proxy", "*", 1);
    setenv("NO_PROXY", "*", 1);
    assert_non_null(mkdtemp(home));
    setenv("HOME", home, 1);
    snprintf(netrc, sizeof netrc, "%s/.netrc", home);
    FILE *file = fopen(netrc, "w");
    assert_non_null(file);
    fputs("machine 127.0.0.1 login me password secret\n", file);
    fclose(file);

    client_init(&client, &server);
    client_open(&client);
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    assert_int_equal(atomic_load(&server.requests), 1);
    assert_null(strstr(server.request, "Authorization"));
    client_close(&client);

    client_init(&client, &server);
    client.config.proxy_target.url = url;
    client_open(&client);
    assert_int_equal(client_call(&client, NULL), UPSTREAM_OK);
    assert_int_equal(atomic_load(&proxy.requests), 1);
    assert_null(strstr(proxy.request, "Authorization"));
    client_close(&client);

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        unsetenv(names[i]);
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    remove(netrc);
    remove(home);
    server_stop(&server);
    server_stop(&proxy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),    cmocka_unit_test(test_tunnel),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_socks_looks_names_up),
        cmocka_unit_test(test_no_proxy), cmocka_unit_test(test_environment_is_not_read),
    };
    signal(SIGPIPE, SIG_IGN);
    if (!upstreams_global_init())
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    upstreams_global_done();
    return failed;
}
