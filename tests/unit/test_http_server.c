/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server against raw sockets, in one thread: the client's sockets do not block, and the
 * loop turns until what is waited for has come. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "io/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_MS 10000
#define HELD_MAX 600

/* What the handler does with a path:
 *   /late/…   rests, until release() replies;   /head…  is refused in head();
 *   /abort    is aborted in body();             /size/N gets N bytes in blocks;
 *   /close    is refused in head() with `close`; anything else is echoed in complete(). */
struct record {
    char method[16], path[256], query[256], headers[2048], ip[64];
    bool malformed, http_1_0, is_unix;
    size_t n_headers, head_bytes;
    unsigned port;
};

struct rig {
    struct loop *loop;
    struct http_server *server;
    int listen_fd;
    struct sockaddr_storage address;
    socklen_t address_len;
    char unix_path[64];
    struct record last;
    struct http_exchange *held[HELD_MAX];
    size_t n_held, n_heads, n_body, n_closed, n_sent, n_gone;
    size_t body_bytes;
};

struct exchange_data {
    struct buf body;
};

static void reply_text(struct http_exchange *x, int status, const char *text, bool close_after)
{
    static const struct http_reply_header headers[] = { { "Content-Type", "text/plain" },
                                                        { "X-Test", "yes" } };
    struct chain body;
    chain_init(&body, SIZE_MAX / 2, NULL);
    chain_append_c(&body, text);
    http_reply(x, &(struct http_reply){ .status = status,
                                        .headers = headers,
                                        .n_headers = ARRAY_LEN(headers),
                                        .body = &body,
                                        .close = close_after });
    assert_int_equal(chain_len(&body), 0);
    chain_done(&body);
}

static bool path_is(struct http_exchange *x, const char *prefix)
{
    return str_starts_with(http_head(x)->path, str_of(prefix));
}

static void copy(char *to, size_t size, struct str from)
{
    snprintf(to, size, "%.*s", STR_ARGS(from));
}

static void on_head(void *context, struct http_exchange *x)
{
    struct rig *rig = context;
    const struct request_head *head = http_head(x);
    struct record *r = &rig->last;
    *r = (struct record){ .malformed = head->malformed,
                          .http_1_0 = head->http_1_0,
                          .is_unix = head->local.is_unix,
                          .n_headers = head->n_headers,
                          .head_bytes = head->head_bytes,
                          .port = head->local.port };
    copy(r->method, sizeof r->method, head->method);
    copy(r->path, sizeof r->path, head->path);
    copy(r->query, sizeof r->query, head->query.data != NULL ? head->query : STR("(none)"));
    copy(r->ip, sizeof r->ip, head->local.ip);
    for (size_t i = 0, at = 0; i < head->n_headers && at < sizeof r->headers; i++)
        at += (size_t)snprintf(r->headers + at, sizeof r->headers - at, "%.*s=%.*s;",
                               STR_ARGS(head->headers[i].name), STR_ARGS(head->headers[i].value));
    rig->n_heads++;
    struct exchange_data *data = xcalloc(1, sizeof *data);
    buf_init(&data->body, 64 * 1024 * 1024, NULL);
    http_set_user(x, data);
    if (head->malformed)
        reply_text(x, 400, "malformed", true);
    else if (path_is(x, "/head"))
        reply_text(x, 401, "refused", false);
    else if (path_is(x, "/close"))
        reply_text(x, 400, "closing", true);
}

static void on_body(void *context, struct http_exchange *x, struct str bytes)
{
    struct rig *rig = context;
    struct exchange_data *data = http_user(x);
    rig->n_body++;
    rig->body_bytes += bytes.len;
    if (path_is(x, "/abort"))
        http_abort(x);
    buf_append(&data->body, bytes);
}

static void reply_size(struct http_exchange *x, size_t size)
{
    struct chain body;
    chain_init(&body, SIZE_MAX / 2, NULL);
    for (size_t i = 0; i < size; i++)
        chain_append_byte(&body, (char)('a' + i % 26));
    http_reply(x, &(struct http_reply){ .status = 200, .body = &body });
}

static void reply_echo(struct http_exchange *x)
{
    struct exchange_data *data = http_user(x);
    struct chain body;
    chain_init(&body, SIZE_MAX / 2, NULL);
    chain_append(&body, (struct str){ data->body.data, data->body.len });
    http_reply(x, &(struct http_reply){ .status = 200, .body = &body });
}

static void on_complete(void *context, struct http_exchange *x)
{
    struct rig *rig = context;
    uint64_t size;
    if (path_is(x, "/late")) {
        assert_true(rig->n_held < HELD_MAX);
        rig->held[rig->n_held++] = x;
    } else if (path_is(x, "/size/")) {
        struct str path = http_head(x)->path;
        assert_true(str_to_uint(str_slice(path, 6, path.len), SIZE_MAX, &size));
        reply_size(x, size);
    } else if (path_is(x, "/none")) {
        http_reply(x, &(struct http_reply){ .status = 204 });
    } else {
        reply_echo(x);
    }
}

static void on_gone(void *context, struct http_exchange *x UNUSED)
{
    struct rig *rig = context;
    rig->n_gone++;
}

static void on_closed(void *context, struct http_exchange *x, bool sent)
{
    struct rig *rig = context;
    struct exchange_data *data = http_user(x);
    rig->n_closed++;
    rig->n_sent += sent;
    buf_done(&data->body);
    free(data);
}

static const struct http_handler handler = { on_head, on_body, on_complete, on_gone, on_closed };

static const struct http_limits plain_limits = {
    .head_bytes = 16384,
    .connections = 64,
    .header_time_ms = 60000,
    .body_time_ms = 60000,
    .write_time_ms = 60000,
    .idle_ms = 60000,
};

static void rig_start(struct rig *rig, const struct http_limits *limits)
{
    rig->loop = loop_new();
    assert_non_null(rig->loop);
    rig->server = http_server_new(&(struct http_server_options){ .loop = rig->loop,
                                                                 .listen_fd = rig->listen_fd,
                                                                 .limits = *limits,
                                                                 .handler = &handler,
                                                                 .context = rig });
    assert_non_null(rig->server);
}

static struct rig *rig_tcp(const struct http_limits *limits)
{
    struct rig *rig = xcalloc(1, sizeof *rig);
    struct sockaddr_in address = { .sin_family = AF_INET };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    rig->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(rig->listen_fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(rig->listen_fd, 1024), 0);
    rig->address_len = sizeof rig->address;
    getsockname(rig->listen_fd, (struct sockaddr *)&rig->address, &rig->address_len);
    rig_start(rig, limits);
    return rig;
}

static struct rig *rig_unix(const struct http_limits *limits)
{
    struct rig *rig = xcalloc(1, sizeof *rig);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char folder[] = "/tmp/rpcgate-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    snprintf(rig->unix_path, sizeof rig->unix_path, "%s/s", folder);
    memcpy(address.sun_path, rig->unix_path, sizeof rig->unix_path);
    rig->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(rig->listen_fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(rig->listen_fd, 1024), 0);
    memcpy(&rig->address, &address, sizeof address);
    rig->address_len = sizeof address;
    rig_start(rig, limits);
    return rig;
}

static void rig_free(struct rig *rig)
{
    http_server_free(rig->server);
    loop_free(rig->loop);
    close(rig->listen_fd);
    assert_int_equal(rig->n_heads, rig->n_closed);
    if (rig->unix_path[0] != '\0') {
        unlink(rig->unix_path);
        *strrchr(rig->unix_path, '/') = '\0';
        rmdir(rig->unix_path);
    }
    free(rig);
}

/* One turn of the loop, of at most 20 ms: the client's sockets are not on it. */
static void turn(struct rig *rig)
{
    int64_t at_most = clock_now_ms() + 20;
    loop_wait(rig->loop, clock_min(at_most, http_server_deadline_ms(rig->server)));
    http_server_run(rig->server);
}

#define WAIT_FOR(rig, condition)                                                                   \
    do {                                                                                           \
        int64_t give_up_ms = clock_now_ms() + PATIENCE_MS;                                         \
        while (!(condition)) {                                                                     \
            assert_true(clock_now_ms() < give_up_ms);                                              \
            turn(rig);                                                                             \
        }                                                                                          \
    } while (0)

static int client(struct rig *rig)
{
    int fd = socket(rig->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&rig->address, rig->address_len), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Sends all, turning the loop while the socket is full. False: the other side has closed. */
static bool send_bytes(struct rig *rig, int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return false;
        if (n < 0) {
            turn(rig);
            continue;
        }
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static void send_text(struct rig *rig, int fd, const char *text)
{
    assert_true(send_bytes(rig, fd, text, strlen(text)));
}

struct answer {
    int status;
    char head[4096];
    struct buf bytes; /* all that came, head included */
    size_t head_len, body_len;
    bool closed; /* the end of the stream came */
    bool reset;
};

enum until { UNTIL_REPLY, UNTIL_HEAD, UNTIL_END };

/* Reads one reply and no byte more, or one to HEAD, or to the end of the stream. */
static struct answer read_answer(struct rig *rig, int fd, enum until until)
{
    struct answer a = { .status = 0 };
    int64_t give_up_ms = clock_now_ms() + PATIENCE_MS;
    buf_init(&a.bytes, (size_t)256 * 1024 * 1024, NULL);
    for (;;) {
        static char piece[65536];
        size_t want = sizeof piece;
        if (until == UNTIL_REPLY && a.head_len > 0)
            want = a.head_len + a.body_len - a.bytes.len;
        else if (until != UNTIL_END)
            want = a.head_len == 0;
        if (want > sizeof piece)
            want = sizeof piece;
        ssize_t n = want > 0 ? recv(fd, piece, want, 0) : 0;
        if (n > 0)
            buf_append(&a.bytes, (struct str){ piece, (size_t)n });
        if (n > 0 && a.head_len == 0 && strstr(a.bytes.data, "\r\n\r\n") != NULL) {
            const char *length = strstr(a.bytes.data, "Content-Length: ");
            a.head_len = (size_t)(strstr(a.bytes.data, "\r\n\r\n") + 4 - a.bytes.data);
            a.body_len = length != NULL ? strtoul(length + 16, NULL, 10) : 0;
            a.status = atoi(a.bytes.data + 9);
            snprintf(a.head, sizeof a.head, "%.*s", (int)a.head_len, a.bytes.data);
        }
        a.closed = n == 0 && want > 0;
        a.reset = n < 0 && errno != EAGAIN;
        if (n == 0 || a.reset)
            return a;
        if (n < 0)
            turn(rig);
        assert_true(clock_now_ms() < give_up_ms);
    }
}

static const char *body_of(const struct answer *a)
{
    return a->bytes.data != NULL ? a->bytes.data + a->head_len : "";
}

static void answer_done(struct answer *a)
{
    buf_done(&a->bytes);
}

static void expect(struct rig *rig, int fd, int status, const char *body)
{
    struct answer a = read_answer(rig, fd, UNTIL_REPLY);
    assert_int_equal(a.status, status);
    assert_string_equal(body_of(&a), body);
    answer_done(&a);
}

static void release(struct rig *rig, const char *text)
{
    assert_true(rig->n_held > 0);
    struct http_exchange *x = rig->held[0];
    rig->n_held--;
    memmove(rig->held, rig->held + 1, rig->n_held * sizeof *rig->held);
    reply_text(x, 200, text, false);
}

static void test_keeps_connections(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&plain_limits);
    int fd = client(rig);
    for (int i = 0; i < 5; i++) {
        send_text(rig, fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
        expect(rig, fd, 200, "hello");
    }
    assert_int_equal(http_server_connections(rig->server), 1);
    assert_int_equal(rig->n_sent, 5);
    close(fd);
    WAIT_FOR(rig, http_server_connections(rig->server) == 0);
    rig_free(rig);
}

static void test_head_is_read(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&plain_limits);
    int fd = client(rig);
    const char *text = "GET /a%2Fb/%C3%A4?x=%20&y+z=1&x HTTP/1.1\r\nHost: me\r\nX-A:  1 2 \r\n"
                       "x-a:\r\nCookie: a=b; c=d\r\n\r\n";
    send_text(rig, fd, text);
    expect(rig, fd, 200, "");
    assert_string_equal(rig->last.method, "GET");
    assert_string_equal(rig->last.path, "/a%2Fb/%C3%A4");
    assert_string_equal(rig->last.query, "x=%20&y+z=1&x");
    assert_string_equal(rig->last.headers, "Host=me;X-A=1 2 ;x-a=;Cookie=a=b; c=d;");
    assert_int_equal(rig->last.head_bytes, strlen(text));
    assert_false(rig->last.malformed);
    assert_false(rig->last.http_1_0);
    assert_false(rig->last.is_unix);
    assert_string_equal(rig->last.ip, "127.0.0.1");
    assert_int_equal(rig->last.port, ntohs(((struct sockaddr_in *)&rig->address)->sin_port));

    send_text(rig, fd, "GET /? HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    expect(rig, fd, 200, "");
    assert_string_equal(rig->last.path, "/");
    assert_string_equal(rig->last.query, "");
    assert_true(rig->last.http_1_0);
    send_text(rig, fd, "GET / HTTP/1.1\r\n\r\n");
    expect(rig, fd, 200, "");
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
    struct rig *rig = rig_tcp(&plain_limits);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int fd = client(rig);
        rig->n_heads = rig->n_closed = 0;
        assert_true(send_bytes(rig, fd, cases[i].text, cases[i].len));
        struct answer a = read_answer(rig, fd, cases[i].malformed ? UNTIL_END : UNTIL_REPLY);
        if (rig->last.malformed != cases[i].malformed || rig->n_heads != 1)
            fail_msg("case %zu", i);
        assert_int_equal(a.status, cases[i].malformed ? 400 : 200);
        assert_int_equal(a.closed, cases[i].malformed);
        answer_done(&a);
        close(fd);
        WAIT_FOR(rig, http_server_connections(rig->server) == 0);
    }
    rig_free(rig);
}

static void test_pipelining(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&plain_limits);
    int fd = client(rig);
    send_text(rig, fd, "POST /1 HTTP/1.1\r\nContent-Length: 1\r\n\r\na"
                       "POST /late HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbc\r\n0\r\n\r\n"
                       "GET /size/3 HTTP/1.1\r\n\r\n");
    expect(rig, fd, 200, "a");
    WAIT_FOR(rig, rig->n_held == 1);
    assert_int_equal(http_server_resting(rig->server), 1);
    release(rig, "late");
    expect(rig, fd, 200, "late");
    expect(rig, fd, 200, "abc");
    assert_int_equal(http_server_resting(rig->server), 0);
    close(fd);
    rig_free(rig);
}

static void test_refusal_keeps_without_body(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&plain_limits);
    int fd = client(rig);
    for (int i = 0; i < 3; i++) {
        send_text(rig, fd, "GET /head HTTP/1.1\r\nHost: x\r\n\r\n");
        expect(rig, fd, 401, "refused");
    }
    send_text(rig, fd, "GET /close HTTP/1.1\r\nHost: x\r\n\r\n");
    struct answer a = read_answer(rig, fd, UNTIL_END);
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
    struct rig *rig = rig_tcp(&plain_limits);
    int fd = client(rig);
    char piece[8192];
    memset(piece, 'x', sizeof piece);
    send_text(rig, fd, "POST /head HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n");
    WAIT_FOR(rig, rig->n_closed == 1 && http_server_connections(rig->server) == 0);
    for (int i = 0; i < 100; i++) {
        assert_true(send_bytes(rig, fd, piece, sizeof piece));
        turn(rig);
    }
    struct answer a = read_answer(rig, fd, UNTIL_END);
    assert_int_equal(a.status, 401);
    assert_string_equal(body_of(&a), "refused");
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
    struct rig *rig = rig_tcp(&plain_limits);
    static char piece[65536];
    int fd = client(rig), idle = client(rig);
    int64_t begin_ms = clock_now_ms();
    send_text(rig, idle, "POST /head HTTP/1.1\r\nHost: x\r\nContent-Length: 90000000\r\n\r\n");
    send_text(rig, fd, "POST /head HTTP/1.1\r\nHost: x\r\nContent-Length: 90000000\r\n\r\n");
    size_t sent = 0;
    while (send_bytes(rig, fd, piece, sizeof piece) && sent < 80000000) {
        sent += sizeof piece;
        turn(rig);
    }
    assert_in_range(sent, 1024 * 1024, 30000000); /* what lies in the sockets' buffers included */
    struct answer a = read_answer(rig, idle, UNTIL_END);
    assert_int_equal(a.status, 401);
    assert_true(a.closed);
    answer_done(&a);
    while (send_bytes(rig, idle, "x", 1)) {
        assert_in_range(clock_now_ms() - begin_ms, 0, 5000);
        turn(rig);
    }
    assert_in_range(clock_now_ms() - begin_ms, 1900, 5000);
    close(fd);
    close(idle);
    rig_free(rig);
}

/* A resume wakes nobody: if the server forgot to run the library, each call would cost a turn's
 * whole wait. */
static void test_late_replies_do_not_stall(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&plain_limits);
    int fd = client(rig);
    int64_t begin_ms = clock_now_ms();
    for (int i = 0; i < 200; i++) {
        send_text(rig, fd, "POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]");
        WAIT_FOR(rig, rig->n_held == 1);
        release(rig, "done");
        assert_int_equal(http_server_deadline_ms(rig->server), 0);
        expect(rig, fd, 200, "done");
    }
    assert_in_range(clock_now_ms() - begin_ms, 0, 1500);
    assert_int_equal(rig->n_sent, 200);
    close(fd);
    rig_free(rig);
}

static void test_large_replies(void **state UNUSED)
{
    static const size_t sizes[] = { 1,     1000,    1500,    10000,    32768,    32769,
                                    70000, 1000000, 8000000, 10000000, 20000000, 30000000 };
    struct rig *rig = rig_tcp(&plain_limits);
    int fd = client(rig);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char text[128];
        snprintf(text, sizeof text, "GET /size/%zu HTTP/1.1\r\nHost: x\r\n\r\n", sizes[i]);
        send_text(rig, fd, text);
        struct answer a = read_answer(rig, fd, UNTIL_REPLY);
        assert_int_equal(a.status, 200);
        assert_int_equal(a.body_len, sizes[i]);
        assert_int_equal(a.bytes.len, a.head_len + sizes[i]);
        for (size_t at = 0; at < sizes[i]; at++)
            if (body_of(&a)[at] != (char)('a' + at % 26))
                fail_msg("size %zu differs at %zu", sizes[i], at);
        answer_done(&a);

        snprintf(text, sizeof text, "HEAD /size/%zu HTTP/1.1\r\nHost: x\r\n\r\n", sizes[i]);
        send_text(rig, fd, text);
        send_text(rig, fd, "GET /none HTTP/1.1\r\n\r\n");
        a = read_answer(rig, fd, UNTIL_HEAD);
        assert_int_equal(a.status, 200);
        assert_int_equal(a.body_len, sizes[i]);
        answer_done(&a);
        a = read_answer(rig, fd, UNTIL_REPLY);
        assert_int_equal(a.status, 204);
        assert_null(strstr(a.head, "Content-Length"));
        answer_done(&a);
    }
    close(fd);
    rig_free(rig);
}

static void test_large_bodies(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&plain_limits);
    const size_t size = 5000000;
    char *body = xcalloc(size + 1, 1);
    int fd = client(rig);
    for (size_t i = 0; i < size; i++)
        body[i] = (char)('A' + i % 26);
    send_text(rig, fd, "POST /echo HTTP/1.1\r\nExpect: 100-continue\r\n"
                       "Content-Length: 5000000\r\n\r\n");
    struct answer a = read_answer(rig, fd, UNTIL_HEAD);
    assert_string_equal(a.head, "HTTP/1.1 100 Continue\r\n\r\n");
    answer_done(&a);
    assert_true(send_bytes(rig, fd, body, size));
    expect(rig, fd, 200, body);

    send_text(rig, fd, "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0; at < size; at += 50000) {
        send_text(rig, fd, "c350;x=y\r\n");
        assert_true(send_bytes(rig, fd, body + at, 50000));
        send_text(rig, fd, "\r\n");
    }
    send_text(rig, fd, "0\r\nTrailer: x\r\n\r\n");
    expect(rig, fd, 200, body);
    free(body);
    close(fd);
    rig_free(rig);
}

static void test_abort_closes(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&plain_limits);
    int fd = client(rig);
    send_text(rig, fd, "POST /abort HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody");
    struct answer a = read_answer(rig, fd, UNTIL_END);
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
    struct rig *rig = rig_tcp(&plain_limits);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        CLEANUP(free_charp) char *value = xcalloc(sizes[i] + 1, 1);
        memset(value, 'v', sizes[i]);
        int fd = client(rig);
        send_text(rig, fd, "GET /size/5 HTTP/1.1\r\nX: ");
        send_text(rig, fd, value);
        send_text(rig, fd, "\r\n\r\n");
        expect(rig, fd, 200, "abcde");
        assert_int_equal(rig->last.head_bytes, sizes[i] + 29);
        assert_false(rig->last.malformed);
        close(fd);
        fd = client(rig);
        send_text(rig, fd, "GET /size/5?");
        send_text(rig, fd, value);
        send_text(rig, fd, " HTTP/1.1\r\n\r\n");
        expect(rig, fd, 200, "abcde");
        assert_int_equal(rig->last.head_bytes, sizes[i] + 25);
        assert_false(rig->last.malformed);
        close(fd);
    }
    int fd = client(rig);
    for (int i = 0; i < 200; i++)
        send_text(rig, fd, i == 0 ? "GET / HTTP/1.1\r\n" : "Name: value\r\n");
    send_text(rig, fd, "\r\n");
    expect(rig, fd, 200, "");
    assert_int_equal(rig->last.n_headers, 199);
    close(fd);

    size_t heads = rig->n_heads;
    fd = client(rig);
    send_text(rig, fd, "GET / HTTP/1.1\r\n");
    while (heads == rig->n_heads && send_bytes(rig, fd, "Name: value\r\n", 13) &&
           http_server_connections(rig->server) > 0)
        turn(rig);
    assert_int_equal(heads, rig->n_heads);
    close(fd);
    rig_free(rig);
}

static void hold_one(struct rig *rig, int fd)
{
    size_t before = rig->n_held;
    send_text(rig, fd, "POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]");
    WAIT_FOR(rig, rig->n_held == before + 1);
}

static void test_caller_is_gone(void **state UNUSED)
{
    struct rig *rig = rig_unix(&plain_limits);
    int fd = client(rig);
    hold_one(rig, fd);
    assert_true(rig->last.is_unix);
    close(fd);
    WAIT_FOR(rig, rig->n_gone == 1);
    for (int i = 0; i < 3; i++)
        turn(rig);
    assert_int_equal(rig->n_gone, 1);
    assert_int_equal(rig->n_closed, 0);
    release(rig, "to nobody");
    WAIT_FOR(rig, rig->n_closed == 1);
    assert_int_equal(rig->n_sent, 0);
    rig_free(rig);

    rig = rig_tcp(&plain_limits);
    fd = client(rig);
    hold_one(rig, fd);
    const struct { int onoff, seconds; } reset = { 1, 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    WAIT_FOR(rig, rig->n_gone == 1);
    release(rig, "to nobody");
    WAIT_FOR(rig, rig->n_closed == 1);
    rig_free(rig);
}

static void test_half_closed_caller_is_answered(void **state UNUSED)
{
    struct rig *rigs[] = { rig_tcp(&plain_limits), rig_unix(&plain_limits) };
    for (size_t i = 0; i < ARRAY_LEN(rigs); i++) {
        struct rig *rig = rigs[i];
        int fd = client(rig);
        hold_one(rig, fd);
        shutdown(fd, SHUT_WR);
        int64_t until_ms = clock_now_ms() + 300;
        WAIT_FOR(rig, clock_now_ms() > until_ms);
        assert_int_equal(rig->n_gone, 0);
        release(rig, "still here");
        struct answer a = read_answer(rig, fd, UNTIL_END);
        assert_string_equal(body_of(&a), "still here");
        assert_int_equal(rig->n_sent, 1);
        answer_done(&a);
        close(fd);
        rig_free(rig);
    }
}

/* Connections in every state when the server ends: waiting to be accepted, with a partial head or
 * body, idle, resting, with an unread reply. */
static void test_quiesce_and_free(void **state UNUSED)
{
    struct rig *rig = rig_tcp(&plain_limits);
    int idle = client(rig), head = client(rig), body = client(rig), unread = client(rig);
    int rest[20];
    send_text(rig, idle, "GET /a HTTP/1.1\r\n\r\n");
    expect(rig, idle, 200, "");
    send_text(rig, head, "GET /a HTTP/1.1\r\nX: ");
    send_text(rig, body, "POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
    send_text(rig, unread, "GET /size/20000000 HTTP/1.1\r\n\r\n");
    for (size_t i = 0; i < ARRAY_LEN(rest); i++) {
        rest[i] = client(rig);
        hold_one(rig, rest[i]);
    }
    WAIT_FOR(rig, rig->body_bytes == 3 + 2 * ARRAY_LEN(rest));
    int waiting = client(rig);
    send_text(rig, waiting, "GET /size/1 HTTP/1.1\r\n\r\n");

    http_server_quiesce(rig->server);
    int late = client(rig); /* the test's own listening socket is still open: nobody accepts */
    struct answer a = read_answer(rig, waiting, UNTIL_END);
    assert_int_equal(a.status, 200);
    answer_done(&a);
    send_text(rig, idle, "GET /size/2 HTTP/1.1\r\n\r\n");
    a = read_answer(rig, idle, UNTIL_END);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.head, "Connection: close\r\n"));
    assert_true(a.closed);
    answer_done(&a);
    assert_int_equal(http_server_resting(rig->server), ARRAY_LEN(rest));
    for (size_t i = 0; i < ARRAY_LEN(rest); i++)
        release(rig, "last");
    assert_int_equal(http_server_resting(rig->server), 0);
    http_server_free(rig->server);
    for (size_t i = 0; i < ARRAY_LEN(rest); i++) {
        char reply[1024] = "";
        assert_true(recv(rest[i], reply, sizeof reply - 1, 0) > 0);
        assert_non_null(strstr(reply, "Connection: close\r\n"));
        assert_non_null(strstr(reply, "\r\n\r\nlast"));
        close(rest[i]);
    }
    loop_free(rig->loop);
    rig_start(rig, &plain_limits);
    const int others[] = { idle, head, body, unread, waiting, late };
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        close(others[i]);
    rig_free(rig);
}

/* Each of these is closed after its time, and not before. */
static void test_deadlines(void **state UNUSED)
{
    static const struct http_limits limits = { .head_bytes = 16384,
                                               .connections = 64,
                                               .header_time_ms = 300,
                                               .body_time_ms = 300,
                                               .write_time_ms = 300,
                                               .idle_ms = 300 };
    static const char *const texts[] = {
        "",
        "GET / HTTP/1.1\r\nHost: x",
        "GET / HT",
        "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc",
        "GET /size/30000000 HTTP/1.1\r\n\r\n",
        "GET /none HTTP/1.1\r\n\r\n",
        "GET /none HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHo",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct rig *rig = rig_tcp(&limits);
        int64_t begin_ms = clock_now_ms();
        int fd = client(rig);
        send_text(rig, fd, texts[i]);
        WAIT_FOR(rig, http_server_connections(rig->server) == 1);
        WAIT_FOR(rig, http_server_connections(rig->server) == 0);
        assert_in_range(clock_now_ms() - begin_ms, 250, 1500);
        close(fd);
        rig_free(rig);
    }
    /* A running call has no time of ours. */
    struct rig *rig = rig_tcp(&limits);
    int fd = client(rig);
    hold_one(rig, fd);
    int64_t until_ms = clock_now_ms() + 600;
    WAIT_FOR(rig, clock_now_ms() > until_ms);
    release(rig, "in time");
    expect(rig, fd, 200, "in time");
    close(fd);
    rig_free(rig);
}

static void expect_service(struct rig *rig)
{
    int fd = client(rig);
    int64_t begin_ms = clock_now_ms();
    send_text(rig, fd, "GET /size/2 HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(rig, fd, 200, "ab");
    assert_in_range(clock_now_ms() - begin_ms, 0, 2000);
    close(fd);
}

/* Whatever fills all connections, a newcomer is served. */
static void test_makes_room(void **state UNUSED)
{
    static const struct {
        const char *text;
        size_t n;
    } floods[] = {
        { "", 100 },
        { "GET / HTTP/1.1\r\nHost: x", 100 },
        { "GET /none HTTP/1.1\r\n\r\n", 100 },
        { "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc", 40 },
        { "GET /size/12000000 HTTP/1.1\r\n\r\n", 12 },
        { "POST /late HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 8 },
    };
    struct http_limits limits = plain_limits;
    limits.connections = 8;
    for (size_t i = 0; i < ARRAY_LEN(floods); i++) {
        struct rig *rig = rig_tcp(&limits);
        size_t n = floods[i].n;
        int flood[100];
        for (size_t k = 0; k < n; k++) {
            flood[k] = client(rig);
            send_text(rig, flood[k], floods[i].text);
        }
        expect_service(rig);
        WAIT_FOR(rig, http_server_connections(rig->server) <= 8);
        expect_service(rig);
        while (rig->n_held > 0)
            release(rig, "x");
        for (size_t k = 0; k < n; k++)
            close(flood[k]);
        rig_free(rig);
    }
}

static void test_many_at_once(void **state UNUSED)
{
    struct http_limits limits = plain_limits;
    limits.connections = 500;
    struct rig *rig = rig_tcp(&limits);
    int fds[500];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = client(rig);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < ARRAY_LEN(fds); i++)
            send_text(rig, fds[i], "POST /late HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]");
        WAIT_FOR(rig, rig->n_held == ARRAY_LEN(fds));
        while (rig->n_held > 0)
            release(rig, "ok");
        for (size_t i = 0; i < ARRAY_LEN(fds); i++)
            expect(rig, fds[i], 200, "ok");
    }
    assert_int_equal(http_server_connections(rig->server), ARRAY_LEN(fds));
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_connections),
        cmocka_unit_test(test_head_is_read),
        cmocka_unit_test(test_malformed_layouts),
        cmocka_unit_test(test_pipelining),
        cmocka_unit_test(test_refusal_keeps_without_body),
        cmocka_unit_test(test_refusal_before_body),
        cmocka_unit_test(test_lingering_ends),
        cmocka_unit_test(test_late_replies_do_not_stall),
        cmocka_unit_test(test_large_replies),
        cmocka_unit_test(test_large_bodies),
        cmocka_unit_test(test_abort_closes),
        cmocka_unit_test(test_large_heads),
        cmocka_unit_test(test_caller_is_gone),
        cmocka_unit_test(test_half_closed_caller_is_answered),
        cmocka_unit_test(test_quiesce_and_free),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_makes_room),
        cmocka_unit_test(test_many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
