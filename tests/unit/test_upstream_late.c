/* SPDX-License-Identifier: Apache-2.0 */
/* A refusal that comes while libcurl sends: the end of the connection makes its next piece fail
 * before it has looked for an answer, which is there all the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sched.h>
#include <sys/socket.h>

#include "upstream_harness.h"

#define LARGE ((size_t)4 * 1000 * 1000)
/* Before that piece the server ends. By then libcurl waits for the socket between pieces. */
#define LAST_PIECE 10

static struct server server;
static pthread_t client_thread;
static int n_pieces;

/* In place of the C library's, for libcurl, too. */
ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
    if (pthread_equal(pthread_self(), client_thread) && ++n_pieces == LAST_PIECE) {
        server_permit(&server, 1);
        while (atomic_load(&server.ended) == 0)
            sched_yield();
    }
    return sendto(fd, bytes, n, flags, NULL, 0);
}

/* Most of the request is unread when it closes, which is a reset. */
static void serve_refusal(struct server *s, int fd)
{
    char bytes[1024];
    if (recv(fd, bytes, sizeof bytes, 0) > 0 && server_await(s))
        server_write(fd, s->answer);
}

static void try_answer(const char *answer, enum upstream_status status, int http_status)
{
    struct client client;
    struct probe probe;
    server = (struct server){ .answer = answer };
    client_thread = pthread_self();
    n_pieces = 0;
    open_both(&server, &client, serve_refusal);
    probe_init_size(&probe, LARGE);
    probe_run(&probe, &client);
    if (probe.result.status != status)
        fail_msg("status %d, %s", (int)probe.result.status, probe.result.detail);
    assert_int_equal(probe.result.http_status, http_status);
    probe_done(&probe);
    close_both(&server, &client);
}

static void test_refusal(void **state)
{
    (void)state;
    try_answer("HTTP/1.1 413 Too Large\r\nServer: x\r\nContent-Length: 0\r\n\r\n", UPSTREAM_OK,
               413);
}

/* The request was not complete, so it can be no answer to it. */
static void test_success(void **state)
{
    (void)state;
    try_answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", UPSTREAM_LOST, 0);
}

static void test_no_head(void **state)
{
    (void)state;
    try_answer("HTTP/1.1 413 Too Large\r\nServer", UPSTREAM_LOST, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusal),
        cmocka_unit_test(test_success),
        cmocka_unit_test(test_no_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
