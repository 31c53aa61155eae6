/* SPDX-License-Identifier: Apache-2.0 */
#include "http_rig.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

struct exchange_data {
    bool paused;
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
    rig->peer = http_peer(x);
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

static bool on_body(void *context, struct http_exchange *x, struct str bytes)
{
    struct rig *rig = context;
    struct exchange_data *data = http_user(x);
    if (path_is(x, "/pause") && !data->paused) {
        data->paused = true;
        rig->paused = x;
        return false;
    }
    rig->n_body++;
    rig->body_bytes += bytes.len;
    if (path_is(x, "/abort"))
        http_abort(x);
    buf_append(&data->body, bytes);
    return true;
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
        assert_true(rig->n_held < RIG_HELD_MAX);
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

int64_t rig_slow(void)
{
    double load = 0;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (cpus < 1 || getloadavg(&load, 1) != 1)
        return RPCGATE_SLOW;
    int64_t busy = 1 + (int64_t)(load / (double)(2 * cpus));
    return RPCGATE_SLOW * (busy < 4 ? busy : 4);
}

const struct http_limits rig_limits = {
    .head_bytes = 16384,
    .head_lines = 64,
    .connections = 64,
    .header_time_ms = 60000,
    .body_time_ms = 60000,
    .write_time_ms = 60000,
    .idle_ms = 60000,
};

void rig_start(struct rig *rig, const struct http_limits *limits)
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

struct rig *rig_tcp(const struct http_limits *limits)
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

struct rig *rig_unix(const struct http_limits *limits)
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

void rig_free(struct rig *rig)
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

void rig_turn(struct rig *rig)
{
    int64_t at_most = clock_now_ms() + 20;
    loop_wait(rig->loop, clock_min(at_most, http_server_deadline_ms(rig->server)));
    http_server_run(rig->server);
}

int rig_client(struct rig *rig)
{
    int fd = socket(rig->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&rig->address, rig->address_len), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

bool rig_send_bytes(struct rig *rig, int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return false;
        if (n < 0) {
            rig_turn(rig);
            continue;
        }
        data += n;
        len -= (size_t)n;
    }
    return true;
}

void rig_send(struct rig *rig, int fd, const char *text)
{
    assert_true(rig_send_bytes(rig, fd, text, strlen(text)));
}

struct answer rig_read(struct rig *rig, int fd, enum until until)
{
    struct answer a = { .status = 0 };
    int64_t give_up_ms = clock_now_ms() + RIG_PATIENCE_MS;
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
            rig_turn(rig);
        assert_true(clock_now_ms() < give_up_ms);
    }
}

const char *answer_body(const struct answer *a)
{
    return a->bytes.data != NULL ? a->bytes.data + a->head_len : "";
}

void answer_done(struct answer *a)
{
    buf_done(&a->bytes);
}

void rig_expect(struct rig *rig, int fd, int status, const char *body)
{
    struct answer a = rig_read(rig, fd, UNTIL_REPLY);
    assert_int_equal(a.status, status);
    assert_string_equal(answer_body(&a), body);
    answer_done(&a);
}

void rig_release(struct rig *rig, const char *text)
{
    assert_true(rig->n_held > 0);
    struct http_exchange *x = rig->held[0];
    rig->n_held--;
    memmove(rig->held, rig->held + 1, rig->n_held * sizeof *rig->held);
    reply_text(x, 200, text, false);
}

void rig_hold(struct rig *rig, int fd)
{
    size_t before = rig->n_held;
    rig_send(rig, fd, "POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]");
    RIG_WAIT(rig, rig->n_held == before + 1);
}
