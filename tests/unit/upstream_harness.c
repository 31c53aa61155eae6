/* SPDX-License-Identifier: Apache-2.0 */
#include "upstream_harness.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define GUARD_MS 10000

/* Tests of what either does are run with both. */
#ifndef TEST_TRANSPORT
#define TEST_TRANSPORT TRANSPORT_USE_AUTO
#endif

struct job {
    struct server *server;
    size_t index;
};

static void *connection_main(void *argument)
{
    struct job job = *(struct job *)argument;
    struct server *server = job.server;
    free(argument);
    server->serve(server, server->fds[job.index]);
    pthread_mutex_lock(&server->lock);
    close(server->fds[job.index]);
    server->fds[job.index] = -1;
    atomic_fetch_add(&server->ended, 1);
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

static void *acceptor_main(void *argument)
{
    struct server *server = argument;
    for (;;) {
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        pthread_mutex_lock(&server->lock);
        if (fd < 0 || server->stopping || server->n_threads == SERVER_THREADS) {
            if (fd >= 0)
                close(fd);
            pthread_mutex_unlock(&server->lock);
            return NULL;
        }
        struct job *job = xcalloc(1, sizeof *job);
        *job = (struct job){ server, server->n_threads };
        server->fds[job->index] = fd;
        atomic_fetch_add(&server->connections, 1);
        if (pthread_create(&server->threads[job->index], NULL, connection_main, job) != 0)
            abort();
        server->n_threads++;
        pthread_mutex_unlock(&server->lock);
    }
}

static void start(struct server *server, void (*serve)(struct server *server, int fd),
                  const struct sockaddr *address, socklen_t len)
{
    server->serve = serve;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    server->listen_fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_return_code(bind(server->listen_fd, address, len), 0);
    assert_return_code(listen(server->listen_fd, 256), 0);
    assert_int_equal(pthread_create(&server->acceptor, NULL, acceptor_main, server), 0);
}

void server_start(struct server *server, void (*serve)(struct server *server, int fd))
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    start(server, serve, (struct sockaddr *)&address, len);
    assert_return_code(getsockname(server->listen_fd, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
}

void server_start_unix(struct server *server, void (*serve)(struct server *server, int fd))
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(server->path, sizeof server->path, "/tmp/test-upstream-%ld.sock", (long)getpid());
    unlink(server->path);
    memcpy(address.sun_path, server->path, sizeof server->path);
    start(server, serve, (struct sockaddr *)&address, sizeof address);
}

void server_stop(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    pthread_cond_broadcast(&server->changed);
    for (size_t i = 0; i < server->n_threads; i++)
        if (server->fds[i] >= 0)
            shutdown(server->fds[i], SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
    shutdown(server->listen_fd, SHUT_RDWR);
    pthread_join(server->acceptor, NULL);
    close(server->listen_fd);
    for (size_t i = 0; i < server->n_threads; i++)
        pthread_join(server->threads[i], NULL);
    if (server->path[0] != '\0')
        unlink(server->path);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
}

bool server_read(struct server *server, int fd)
{
    char *text = xcalloc(REQUEST_MAX + 1, 1);
    size_t len = 0, needed = 0;
    while (needed == 0 || len < needed) {
        ssize_t n = len < REQUEST_MAX ? recv(fd, text + len, REQUEST_MAX - len, 0) : 0;
        if (n <= 0) {
            free(text);
            return false;
        }
        len += (size_t)n;
        text[len] = '\0';
        const char *end = needed == 0 ? strstr(text, "\r\n\r\n") : NULL;
        const char *length = end != NULL ? strcasestr(text, "\r\nContent-Length:") : NULL;
        if (end != NULL)
            needed =
                (size_t)(end + 4 - text) + (length != NULL ? strtoul(length + 17, NULL, 10) : 0);
    }
    pthread_mutex_lock(&server->lock);
    snprintf(server->request, sizeof server->request, "%s", text);
    pthread_mutex_unlock(&server->lock);
    free(text);
    atomic_fetch_add(&server->requests, 1);
    return true;
}

void server_write_bytes(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        bytes += n;
        len -= (size_t)n;
    }
}

void server_write(int fd, const char *text)
{
    server_write_bytes(fd, text, strlen(text));
}

void server_reset(int fd)
{
    struct linger linger = { .l_onoff = 1, .l_linger = 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

void server_await_end(int fd)
{
    char ignored[4096];
    while (recv(fd, ignored, sizeof ignored, 0) > 0)
        continue;
}

bool server_await(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    while (!server->stopping && atomic_load(&server->permits) == 0)
        pthread_cond_wait(&server->changed, &server->lock);
    bool permitted = !server->stopping;
    if (permitted)
        atomic_fetch_sub(&server->permits, 1);
    pthread_mutex_unlock(&server->lock);
    return permitted;
}

void server_permit(struct server *server, int n)
{
    pthread_mutex_lock(&server->lock);
    atomic_fetch_add(&server->permits, n);
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

static void write_answer(const struct server *server, int fd)
{
    const char *answer = server->answer != NULL ? server->answer : ANSWER_OK;
    server_write_bytes(fd, answer, server->answer_len > 0 ? server->answer_len : strlen(answer));
}

void serve_kept(struct server *server, int fd)
{
    while (server_read(server, fd))
        write_answer(server, fd);
}

void serve_once(struct server *server, int fd)
{
    if (server_read(server, fd))
        write_answer(server, fd);
}

void client_init(struct client *client, const struct server *server)
{
    memset(client, 0, sizeof *client);
    snprintf(client->url, sizeof client->url, "http://127.0.0.1:%u/RPC2", server->port);
    client->config.name = client->name;
    snprintf(client->name, sizeof client->name, "test");
    client->config.target.url = client->url;
    if (server->path[0] != '\0') {
        snprintf(client->url, sizeof client->url, "http://localhost/RPC2");
        client->config.target.unix_socket = (char *)(uintptr_t)server->path;
    }
    client->config.targets = &client->config.target;
    client->config.n_targets = 1;
    client->config.compression.accept = true;
    client->config.compression.request_over = SIZE_MAX;
    client->config.tls.verify_peer = true;
    client->config.tls.verify_host = true;
    client->config.headers.items = client->headers;
    client->config.timeouts.connect = 2000;
    client->config.timeouts.total = 30000;
    client->config.timeouts.idle = 30000;
    client->config.timeouts.max_age = 600000;
    client->config.pool.max_connections = 256;
    client->config.transport = TEST_TRANSPORT;
}

void client_open(struct client *client)
{
    client->loop = loop_new();
    assert_non_null(client->loop);
    client->all = upstreams_new(client->loop);
    client->upstream = upstream_open(client->all, &client->config, NULL);
}

void client_close(struct client *client)
{
    upstream_close(client->upstream);
    upstreams_free(client->all);
    loop_free(client->loop);
}

void open_both(struct server *server, struct client *client,
               void (*serve)(struct server *server, int fd))
{
    server_start(server, serve);
    client_init(client, server);
    client_open(client);
}

void close_both(struct server *server, struct client *client)
{
    client_close(client);
    server_stop(server);
}

void client_run_until(struct client *client, const int *counter, int n)
{
    int64_t guard_ms = clock_now_ms() + GUARD_MS;
    upstreams_run(client->all);
    while (*counter < n) {
        assert_true(clock_now_ms() < guard_ms);
        loop_wait(client->loop, clock_min(upstreams_deadline_ms(client->all), guard_ms));
        upstreams_run(client->all);
    }
}

/* The server's threads cannot wake the loop, so it looks now and then. */
void client_run_until_server(struct client *client, atomic_int *counter, int n)
{
    int64_t guard_ms = clock_now_ms() + GUARD_MS;
    while (atomic_load(counter) < n) {
        assert_true(clock_now_ms() < guard_ms);
        upstreams_run(client->all);
        loop_wait(client->loop, clock_min(upstreams_deadline_ms(client->all), clock_now_ms() + 5));
        upstreams_run(client->all);
    }
}

static void on_head(struct upstream_call *call, int http_status, struct str content_type)
{
    struct probe *probe = call->user;
    (void)content_type;
    probe->heads++;
    probe->head_status = http_status;
    if (probe->cancel_in_head) {
        upstream_cancel(call);
        probe->done++;
    }
}

static bool on_data(struct upstream_call *call, struct str bytes)
{
    struct probe *probe = call->user;
    buf_append(&probe->answer, bytes);
    return probe->stop_after == 0 || probe->answer.len < probe->stop_after;
}

static void on_done(struct upstream_call *call, const struct upstream_result *result)
{
    struct probe *probe = call->user;
    for (size_t i = 0; i < result->n_headers; i++)
        buf_printf(&probe->headers, "%s: %s\n", result->headers[i].name, result->headers[i].value);
    probe->result = *result;
    probe->result.headers = NULL;
    probe->done++;
    if (probe->done_counter != NULL)
        (*probe->done_counter)++;
}

void probe_init(struct probe *probe, const char *document)
{
    memset(probe, 0, sizeof *probe);
    chain_init(&probe->body, REQUEST_MAX, NULL);
    chain_append_c(&probe->body, document);
    buf_init(&probe->answer, REQUEST_MAX, NULL);
    buf_init(&probe->headers, REQUEST_MAX, NULL);
    probe->call = (struct upstream_call){
        .body = &probe->body,
        .content_type = "text/xml",
        .deadline_ms = CLOCK_NEVER,
        .on_head = on_head,
        .on_data = on_data,
        .on_done = on_done,
        .user = probe,
    };
}

void probe_init_size(struct probe *probe, size_t bytes)
{
    probe_init(probe, "");
    for (size_t i = 0; i < bytes; i++)
        chain_append_byte(&probe->body, (char)('a' + i % 23));
}

void probe_done(struct probe *probe)
{
    chain_done(&probe->body);
    buf_done(&probe->answer);
    buf_done(&probe->headers);
}

void probe_run(struct probe *probe, struct client *client)
{
    upstream_submit(client->upstream, &probe->call);
    client_run_until(client, &probe->done, 1);
}

enum upstream_status client_call(struct client *client, struct upstream_result *ret)
{
    struct probe probe;
    probe_init(&probe, "<call/>");
    probe_run(&probe, client);
    if (ret != NULL)
        *ret = probe.result;
    probe_done(&probe);
    return probe.result.status;
}
