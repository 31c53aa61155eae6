/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of io/upstream: servers that do on the wire exactly what a test wants, each
 * connection in a thread, and calls that wait for their end. */
#ifndef RPCGATE_TESTS_UPSTREAM_HARNESS_H
#define RPCGATE_TESTS_UPSTREAM_HARNESS_H

#include "base/buf.h"
#include "base/chain.h"
#include "io/loop.h"
#include "io/upstream.h"
#include "settings/snapshot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define SERVER_THREADS 256
#define REQUEST_MAX ((size_t)8 * 1024 * 1024)

struct server {
    /* What one connection does; `fd` is closed behind it. */
    void (*serve)(struct server *server, int fd);
    _Atomic(const char *) answer; /* for serve_answer() and others */
    size_t answer_len;            /* 0: strlen */
    atomic_int connections;
    atomic_int requests; /* that were read completely */
    atomic_int ended;    /* connections that `serve` is done with, and that are closed */
    atomic_int permits;  /* see server_await() */
    int listen_fd;
    unsigned port; /* 0: a unix socket */
    char path[64];
    char request[4096]; /* the last head and body, cut */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    pthread_t acceptor;
    pthread_t threads[SERVER_THREADS];
    int fds[SERVER_THREADS];
    size_t n_threads;
};

void server_start(struct server *server, void (*serve)(struct server *server, int fd));
/* On a unix socket. */
void server_start_unix(struct server *server, void (*serve)(struct server *server, int fd));
void server_stop(struct server *server);

/* Reads one request with its body and counts it. False: the connection ended before. */
bool server_read(struct server *server, int fd);
void server_write(int fd, const char *text);
void server_write_bytes(int fd, const char *bytes, size_t len);
/* Closes with RST. */
void server_reset(int fd);
/* Waits until the client's end is closed. */
void server_await_end(int fd);
/* Waits for server_permit(), once for each; false: the server stops. */
bool server_await(struct server *server);
void server_permit(struct server *server, int n);

/* Answers each request of a connection with `answer`. */
void serve_kept(struct server *server, int fd);
/* Answers one request with `answer` and closes. */
void serve_once(struct server *server, int fd);

#define ANSWER_OK "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 5\r\n\r\n<ok/>"

/* A client with one upstream. */
struct client {
    struct loop *loop;
    struct upstreams *all;
    struct upstream *upstream;
    struct upstream_config config;
    char name[16];
    char url[128];
    char *headers[4];
};

/* Sets a configuration for that server; change it before client_open(). */
void client_init(struct client *client, const struct server *server);
void client_open(struct client *client);
void client_close(struct client *client);
/* A server and a client of it with nothing else set. */
void open_both(struct server *server, struct client *client,
               void (*serve)(struct server *server, int fd));
void close_both(struct server *server, struct client *client);
/* Turns the loop until the server's counter is at least `n`; fails the test after 10 s. */
void client_run_until_server(struct client *client, atomic_int *counter, int n);
/* As that, for a counter of this thread. */
void client_run_until(struct client *client, const int *counter, int n);

/* One call and what came of it. */
struct probe {
    struct upstream_call call;
    struct chain body;
    struct buf answer;
    struct upstream_result result; /* without `headers` */
    struct buf headers;            /* "Name: value\n" of those that came with it */
    int heads, done;
    int head_status;
    size_t stop_after;   /* on_data() says stop at that size; 0: never */
    bool cancel_in_head; /* on_head() cancels the call */
    int *done_counter;   /* counted up, too, where set */
};

void probe_init(struct probe *probe, const char *document);
void probe_init_size(struct probe *probe, size_t bytes);
void probe_done(struct probe *probe);
/* Submits and waits. */
void probe_run(struct probe *probe, struct client *client);
/* Makes a call with a small document and returns its status. */
enum upstream_status client_call(struct client *client, struct upstream_result *ret);

#endif
