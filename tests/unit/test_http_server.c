/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and replies on whole connections. */
#include "http_rig.h"

#include "base/alloc.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_keeps_connections(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&rig_limits);
    int fd = rig_client(rig);
    for (int i = 0; i < 5; i++) {
        rig_send(rig, fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
        rig_expect(rig, fd, 200, "hello");
    }
    assert_int_equal(http_server_connections(rig->server), 1);
    assert_int_equal(rig->n_sent, 5);
    close(fd);
    RIG_WAIT(rig, http_server_connections(rig->server) == 0);
    rig_free(rig);
}

static void test_head_is_read(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&rig_limits);
    int fd = rig_client(rig);
    const char *text = "GET /a%2Fb/%C3%A4?x=%20&y+z=1&x HTTP/1.1\r\nHost: me\r\nX-A:  1 2\r\n"
                       "x-a:\r\nCookie: a=b; c=d\r\n\r\n";
    rig_send(rig, fd, text);
    rig_expect(rig, fd, 200, "");
    assert_string_equal(rig->last.method, "GET");
    assert_string_equal(rig->last.path, "/a%2Fb/%C3%A4");
    assert_string_equal(rig->last.query, "x=%20&y+z=1&x");
    assert_string_equal(rig->last.headers, "Host=me;X-A=1 2;x-a=;Cookie=a=b; c=d;");
    assert_int_equal(rig->last.head_bytes, strlen(text));
    assert_false(rig->last.malformed);
    assert_false(rig->last.http_1_0);
    assert_false(rig->last.is_unix);
    assert_string_equal(rig->last.ip, "127.0.0.1");
    assert_int_equal(rig->last.port, ntohs(((struct sockaddr_in *)&rig->address)->sin_port));

    rig_send(rig, fd, "GET /? HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    rig_expect(rig, fd, 200, "");
    assert_string_equal(rig->last.path, "/");
    assert_string_equal(rig->last.query, "");
    assert_true(rig->last.http_1_0);
    rig_send(rig, fd, "GET / HTTP/1.0\r\n\r\n");
    rig_expect(rig, fd, 200, "");
    assert_string_equal(rig->last.query, "(none)");
    assert_int_equal(rig->last.n_headers, 0);
    assert_false(rig->last.malformed);
    close(fd);
    rig_free(rig);
}

#define LINE "GET / HTTP/1.1\r\n"

static void test_malformed_layouts(void **state UNUSED)
{
    static const struct {
        const char *text;
        size_t len;
        bool malformed;
    } cases[] = {
#define CASE(text, malformed) { text, sizeof text - 1, malformed }
        CASE(LINE "Host: x\r\n\r\n", false),
        CASE("\r\n" LINE "Host: x\r\n\r\n", false),
        CASE(LINE "Host:x\r\nA: \t b \t\r\nB:\r\n\r\n", false),
        CASE(LINE "Host: x\nA: b\r\n\r\n", true),
        CASE(LINE "Host: x\r\nA: b\n\r\n", true),
        CASE(LINE "Host: x\r\n\n", true),
        CASE("GET / HTTP/1.1\nHost: x\r\n\r\n", true),
        CASE(LINE "Host: x\r\nA: b\r\n c\r\n\r\n", true),
        CASE(LINE "Host: x\r\nA: b\r\n\tc\r\nB: d\r\n\r\n", true),
        CASE(LINE "Host: x\r\nA: b\0c\r\n\r\n", true),
        CASE(LINE "Host: x\r\nA: b\0\r\nB: d\r\n\r\n", true),
        CASE(LINE "Host: x\r\n: b\r\n\r\n", true),
        CASE("GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n", true),
        CASE("GET /?a\0b HTTP/1.1\r\nHost: x\r\n\r\n", true),
        CASE("GET /?a=b&c=\0 HTTP/1.1\r\nHost: x\r\n\r\n", true),
        CASE("GET /?a=b&c=d HTTP/1.1\r\nHost: x\r\n\r\n", false),
        CASE("GET  / HTTP/1.1\r\nHost: x\r\n\r\n", true),
        CASE("GET /  HTTP/1.1\r\nHost: x\r\n\r\n", true),
        CASE("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", true),
        CASE("GET /a\rb HTTP/1.1\r\nHost: x\r\n\r\n", true),
        CASE("GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n", true),
        CASE("G\tET / HTTP/1.1\r\nHost: x\r\n\r\n", true),
        CASE("G\0ET / HTTP/1.1\r\nHost: x\r\n\r\n", true),
#undef CASE
    };
    struct rig *rig = rig_tcp(&rig_limits);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int fd = rig_client(rig);
        rig->n_heads = rig->n_closed = 0;
        assert_true(rig_send_bytes(rig, fd, cases[i].text, cases[i].len));
        struct answer a = rig_read(rig, fd, cases[i].malformed ? UNTIL_END : UNTIL_REPLY);
        /* From libmicrohttpd 1.0 on it is the library that refuses most of these. */
        bool refused = rig->n_heads == 0 || rig->last.malformed;
        if (refused != cases[i].malformed)
            fail_msg("case %zu", i);
        if (rig->n_heads > 0)
            assert_int_equal(a.status, cases[i].malformed ? 400 : 200);
        assert_int_equal(a.closed, cases[i].malformed);
        answer_done(&a);
        close(fd);
        RIG_WAIT(rig, http_server_connections(rig->server) == 0);
    }
    rig_free(rig);
}

static void test_peer(void **state UNUSED)
{
    gid_t groups[1024];
    int n = getgroups(ARRAY_LEN(groups), groups);
    struct rig *rig = rig_unix(&rig_limits);
    int fd = rig_client(rig);
    rig_hold(rig, fd);
    assert_true(rig->peer->is_unix);
    assert_true(rig->peer->known);
    assert_int_equal(rig->peer->uid, geteuid());
    assert_int_equal(rig->peer->gid, getegid());
    assert_int_equal(rig->peer->n_groups, n);
    assert_memory_equal(rig->peer->groups, groups, (size_t)n * sizeof groups[0]);
    assert_int_equal(rig->peer->cert, PEER_CERT_NONE);
    rig_release(rig, "x");
    rig_expect(rig, fd, 200, "x");
    close(fd);
    rig_free(rig);

    rig = rig_tcp(&rig_limits);
    fd = rig_client(rig);
    rig_hold(rig, fd);
    assert_false(rig->peer->is_unix);
    assert_false(rig->peer->known);
    assert_int_equal(rig->peer->cert, PEER_CERT_NONE);
    assert_null(rig->peer->subject.data);
    rig_release(rig, "x");
    close(fd);
    rig_free(rig);
}

static void test_pipelining(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&rig_limits);
    int fd = rig_client(rig);
    rig_send(rig, fd,
             "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"
             "POST /late HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
             "2\r\nbc\r\n0\r\n\r\n"
             "GET /size/3 HTTP/1.1\r\nHost: x\r\n\r\n");
    rig_expect(rig, fd, 200, "a");
    RIG_WAIT(rig, rig->n_held == 1);
    assert_int_equal(http_server_resting(rig->server), 1);
    rig_release(rig, "late");
    rig_expect(rig, fd, 200, "late");
    rig_expect(rig, fd, 200, "abc");
    assert_int_equal(http_server_resting(rig->server), 0);
    close(fd);
    rig_free(rig);
}

static void test_refusal_keeps_without_body(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&rig_limits);
    int fd = rig_client(rig);
    for (int i = 0; i < 3; i++) {
        rig_send(rig, fd, "GET /head HTTP/1.1\r\nHost: x\r\n\r\n");
        rig_expect(rig, fd, 401, "refused");
    }
    rig_send(rig, fd, "GET /close HTTP/1.1\r\nHost: x\r\n\r\n");
    struct answer a = rig_read(rig, fd, UNTIL_END);
    assert_int_equal(a.status, 400);
    assert_non_null(strstr(a.head, "Connection: close\r\n"));
    assert_true(a.closed);
    answer_done(&a);
    close(fd);
    rig_free(rig);
}

/* The answer is there before the body, and no reset destroys it although more body follows. */
static void test_refusal_before_body(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&rig_limits);
    int fd = rig_client(rig);
    char piece[8192];
    memset(piece, 'x', sizeof piece);
    rig_send(rig, fd, "POST /head HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n");
    RIG_WAIT(rig, rig->n_closed == 1 && http_server_connections(rig->server) == 0);
    for (int i = 0; i < 100; i++) {
        assert_true(rig_send_bytes(rig, fd, piece, sizeof piece));
        rig_turn(rig);
    }
    struct answer a = rig_read(rig, fd, UNTIL_END);
    assert_int_equal(a.status, 401);
    assert_string_equal(answer_body(&a), "refused");
    assert_non_null(strstr(a.head, "Connection: close\r\n"));
    assert_true(a.closed);
    assert_false(a.reset);
    assert_int_equal(rig->n_body, 0);
    assert_int_equal(rig->n_sent, 1);
    answer_done(&a);
    close(fd);
    rig_free(rig);
}

/* Beyond 1 MiB the connection is closed; so it is after 2 s. */
static void test_lingering_ends(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&rig_limits);
    static char piece[65536];
    int fd = rig_client(rig), idle = rig_client(rig);
    int64_t begin_ms = clock_now_ms();
    rig_send(rig, idle, "POST /head HTTP/1.1\r\nHost: x\r\nContent-Length: 90000000\r\n\r\n");
    rig_send(rig, fd, "POST /head HTTP/1.1\r\nHost: x\r\nContent-Length: 90000000\r\n\r\n");
    size_t sent = 0;
    while (rig_send_bytes(rig, fd, piece, sizeof piece) && sent < 80000000) {
        sent += sizeof piece;
        rig_turn(rig);
    }
    assert_in_range(sent, 1024 * 1024, 30000000); /* what lies in the sockets' buffers included */
    struct answer a = rig_read(rig, idle, UNTIL_END);
    assert_int_equal(a.status, 401);
    assert_true(a.closed);
    answer_done(&a);
    while (rig_send_bytes(rig, idle, "x", 1)) {
        assert_in_range(clock_now_ms() - begin_ms, 0, 5000 * rig_slow());
        rig_turn(rig);
    }
    assert_in_range(clock_now_ms() - begin_ms, 1900, 5000 * rig_slow());
    close(fd);
    close(idle);
    rig_free(rig);
}

/* A resume wakes nobody: if the server forgot to run the library, each call would cost a turn's
 * whole wait. */
static void test_late_replies_do_not_stall(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&rig_limits);
    int fd = rig_client(rig);
    int64_t begin_ms = clock_now_ms();
    for (int i = 0; i < 200; i++) {
        rig_send(rig, fd, "POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]");
        RIG_WAIT(rig, rig->n_held == 1);
        rig_release(rig, "done");
        assert_int_equal(http_server_deadline_ms(rig->server), 0);
        rig_expect(rig, fd, 200, "done");
    }
    assert_in_range(clock_now_ms() - begin_ms, 0, 1500 * rig_slow());
    assert_int_equal(rig->n_sent, 200);
    close(fd);
    rig_free(rig);
}

static void test_large_replies(void **state UNUSED)
{
    static const size_t sizes[] = { 1,     1000,    1500,    10000,    32768,    32769,
                                    70000, 1000000, 8000000, 10000000, 20000000, 30000000 };
    struct rig *rig = rig_tcp(&rig_limits);
    int fd = rig_client(rig);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char text[128];
        snprintf(text, sizeof text, "GET /size/%zu HTTP/1.1\r\nHost: x\r\n\r\n", sizes[i]);
        rig_send(rig, fd, text);
        struct answer a = rig_read(rig, fd, UNTIL_REPLY);
        assert_int_equal(a.status, 200);
        assert_int_equal(a.body_len, sizes[i]);
        assert_int_equal(a.bytes.len, a.head_len + sizes[i]);
        for (size_t at = 0; at < sizes[i]; at++)
            if (answer_body(&a)[at] != (char)('a' + at % 26))
                fail_msg("size %zu differs at %zu", sizes[i], at);
        answer_done(&a);

        snprintf(text, sizeof text, "HEAD /size/%zu HTTP/1.1\r\nHost: x\r\n\r\n", sizes[i]);
        rig_send(rig, fd, text);
        rig_send(rig, fd, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
        a = rig_read(rig, fd, UNTIL_HEAD);
        assert_int_equal(a.status, 200);
        assert_int_equal(a.body_len, sizes[i]);
        answer_done(&a);
        a = rig_read(rig, fd, UNTIL_REPLY);
        assert_int_equal(a.status, 204);
        assert_null(strstr(a.head, "Content-Length"));
        answer_done(&a);
    }
    close(fd);
    rig_free(rig);
}

static void test_large_bodies(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&rig_limits);
    const size_t size = 5000000;
    char *body = xcalloc(size + 1, 1);
    int fd = rig_client(rig);
    for (size_t i = 0; i < size; i++)
        body[i] = (char)('A' + i % 26);
    rig_send(rig, fd,
             "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
             "Content-Length: 5000000\r\n\r\n");
    struct answer a = rig_read(rig, fd, UNTIL_HEAD);
    assert_string_equal(a.head, "HTTP/1.1 100 Continue\r\n\r\n");
    answer_done(&a);
    assert_true(rig_send_bytes(rig, fd, body, size));
    rig_expect(rig, fd, 200, body);

    rig_send(rig, fd, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0; at < size; at += 50000) {
        rig_send(rig, fd, "c350\r\n");
        assert_true(rig_send_bytes(rig, fd, body + at, 50000));
        rig_send(rig, fd, "\r\n");
    }
    rig_send(rig, fd, "0\r\nTrailer: x\r\n\r\n");
    rig_expect(rig, fd, 200, body);
    free(body);
    close(fd);
    rig_free(rig);
}

/* A body for which there is no room rests, and not a byte is lost or given twice. */
static void test_pause_and_resume(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&rig_limits);
    int fd = rig_client(rig);
    for (int chunked = 0; chunked < 2; chunked++) {
        rig_send(rig, fd,
                 chunked
                     ? "POST /pause HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
                     : "POST /pause HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello world");
        RIG_WAIT(rig, rig->paused != NULL);
        assert_int_equal(http_server_resting(rig->server), 1);
        http_resume(TAKE(rig->paused));
        rig_expect(rig, fd, 200, "hello world");
    }
    close(fd);
    rig_free(rig);
}

static void test_abort_closes(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&rig_limits);
    int fd = rig_client(rig);
    rig_send(rig, fd, "POST /abort HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
    struct answer a = rig_read(rig, fd, UNTIL_END);
    assert_true(a.closed || a.reset);
    assert_int_equal(a.bytes.len, 0);
    assert_int_equal(rig->n_closed, 1);
    assert_int_equal(rig->n_sent, 0);
    answer_done(&a);
    close(fd);
    rig_free(rig);
}

/* Heads over the limit reach the handler, which refuses them; far larger ones the library ends. */
static void test_large_heads(void **state UNUSED)
{
    static const size_t sizes[] = { 1000, 15000, 16384, 17000, 18000 };
    struct rig *rig = rig_tcp(&rig_limits);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        CLEANUP(free_charp) char *value = xcalloc(sizes[i] + 1, 1);
        memset(value, 'v', sizes[i]);
        int fd = rig_client(rig);
        rig_send(rig, fd, "GET /size/5 HTTP/1.1\r\nHost: x\r\nX: ");
        rig_send(rig, fd, value);
        rig_send(rig, fd, "\r\n\r\n");
        rig_expect(rig, fd, 200, "abcde");
        assert_int_equal(rig->last.head_bytes, sizes[i] + 38);
        assert_false(rig->last.malformed);
        close(fd);
        fd = rig_client(rig);
        rig_send(rig, fd, "GET /size/5?");
        rig_send(rig, fd, value);
        rig_send(rig, fd, " HTTP/1.1\r\nHost: x\r\n\r\n");
        rig_expect(rig, fd, 200, "abcde");
        assert_int_equal(rig->last.head_bytes, sizes[i] + 34);
        assert_false(rig->last.malformed);
        close(fd);
    }
    int fd = rig_client(rig);
    for (int i = 0; i < 200; i++)
        rig_send(rig, fd, i == 0 ? "GET / HTTP/1.1\r\nHost: x\r\n" : "Name: value\r\n");
    rig_send(rig, fd, "\r\n");
    rig_expect(rig, fd, 200, "");
    assert_int_equal(rig->last.n_headers, 200);
    close(fd);

    size_t heads = rig->n_heads;
    fd = rig_client(rig);
    rig_send(rig, fd, "GET / HTTP/1.1\r\nHost: x\r\n");
    while (heads == rig->n_heads && rig_send_bytes(rig, fd, "Name: value\r\n", 13) &&
           http_server_connections(rig->server) > 0)
        rig_turn(rig);
    assert_int_equal(heads, rig->n_heads);
    close(fd);
    rig_free(rig);
}

/* A head of as many bytes in as many lines as the limits allow finds room, with the reply's. One of
 * far more is answered by the library, and the connection ends. */
static void test_edge_of_heads(void **state UNUSED)
{
    static const char line[] = "GET /size/5 HTTP/1.1\r\nHost: x\r\n";
    struct rig *rig = rig_tcp(&rig_limits);
    size_t max = rig_limits.head_bytes, lines = rig_limits.head_lines;
    CLEANUP(free_charp) char *text = xcalloc(3 * max, 1);
    size_t len = sizeof line - 1, each = (max - len - 2) / (lines - 1);
    memcpy(text, line, len);
    for (size_t i = 1; i < lines; i++) {
        size_t size = i + 1 < lines ? each : max - len - 2;
        memset(text + len, 'v', size);
        memcpy(text + len, "X: ", 3);
        memcpy(text + len + size - 2, "\r\n", 2);
        len += size;
    }
    memcpy(text + len, "\r\n", 2);
    int fd = rig_client(rig);
    for (int i = 0; i < 2; i++) {
        rig_send(rig, fd, text);
        rig_expect(rig, fd, 200, "abcde");
        assert_int_equal(rig->last.head_bytes, max);
        assert_int_equal(rig->last.n_headers, lines);
    }
    close(fd);

    size_t heads = rig->n_heads;
    fd = rig_client(rig);
    memset(text + sizeof line + 1, 'v', 3 * max - sizeof line - 2);
    text[3 * max - 1] = '\0';
    rig_send(rig, fd, text);
    struct answer a = rig_read(rig, fd, UNTIL_END);
    assert_true(a.reset || strstr(buf_c(&a.bytes), " 431 ") != NULL);
    assert_int_equal(heads, rig->n_heads);
    answer_done(&a);
    close(fd);
    rig_free(rig);
}

/* The library makes a copy of what stands there. */
static void test_large_cookie(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&rig_limits);
    size_t len = rig_limits.head_bytes / 3 * 2;
    CLEANUP(free_charp) char *cookie = xcalloc(len + 1, 1);
    memset(cookie, 'v', len);
    int fd = rig_client(rig);
    for (int i = 0; i < 2; i++) {
        rig_send(rig, fd, "GET /size/5 HTTP/1.1\r\nHost: x\r\nCookie: a=");
        rig_send(rig, fd, cookie);
        rig_send(rig, fd, "\r\n\r\n");
        rig_expect(rig, fd, 200, "abcde");
    }
    close(fd);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_connections),
        cmocka_unit_test(test_head_is_read),
        cmocka_unit_test(test_malformed_layouts),
        cmocka_unit_test(test_peer),
        cmocka_unit_test(test_pipelining),
        cmocka_unit_test(test_refusal_keeps_without_body),
        cmocka_unit_test(test_refusal_before_body),
        cmocka_unit_test(test_lingering_ends),
        cmocka_unit_test(test_late_replies_do_not_stall),
        cmocka_unit_test(test_large_replies),
        cmocka_unit_test(test_large_bodies),
        cmocka_unit_test(test_pause_and_resume),
        cmocka_unit_test(test_abort_closes),
        cmocka_unit_test(test_large_heads),
        cmocka_unit_test(test_edge_of_heads),
        cmocka_unit_test(test_large_cookie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
