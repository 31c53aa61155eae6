/* SPDX-License-Identifier: Apache-2.0 */
/* The benchmark's upstream: answers from memory, by one thread, with no more system calls than it
 * takes, so that it is never what is measured.
 *
 *   upstream FOLDER DELAY
 *
 * POST /NAME is answered with the file of that name, DELAY ms later; GET /stats with the number of
 * answers. The first line of its output is the port. It trusts its callers: a request is complete
 * before the next one, and a body has a Content-Length. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX 4096
#define ANSWERS 16

struct answer {
    char name[32];
    char *text; /* head and body */
    size_t len;
};

struct caller {
    int fd;
    bool writes;  /* the kernel tells when it may go on */
    bool is_gone; /* while its answer waits for its time */
    char head[HEAD_MAX];
    size_t head_len;
    size_t body_left;
    const struct answer *answer; /* NULL: its request is not complete */
    size_t sent;
    long long due_us;
    struct caller *next; /* in the order of their time */
};

static const char *folder;
static long long delay_us;
static struct answer answers[ANSWERS], stats = { .name = "stats" };
static size_t n_answers;
static unsigned long long n_answered;
static struct caller *first_due, **last_due = &first_due;
static int poll_fd;
static char body[1 << 18]; /* read and forgotten */

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void make(struct answer *a, const char *text, size_t len)
{
    char head[256]; /* as nginx would send it: each line costs who reads it */
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n"
                     "Date: Mon, 30 Nov 2026 21:00:00 GMT\r\nContent-Type: text/xml\r\n"
                     "Content-Length: %zu\r\nConnection: keep-alive\r\n\r\n",
                     len);
    free(a->text);
    a->len = (size_t)n + len;
    if ((a->text = malloc(a->len)) == NULL)
        die("malloc");
    memcpy(a->text, head, (size_t)n);
    memcpy(a->text + n, text, len);
}

static void load(struct answer *a)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, a->name);
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        die(path);
    long len = ftell(file);
    char *text = malloc((size_t)len);
    rewind(file);
    if (text == NULL || fread(text, 1, (size_t)len, file) != (size_t)len)
        die(path);
    fclose(file);
    make(a, text, (size_t)len);
    free(text);
}

static const struct answer *find(const char *name, size_t len)
{
    for (size_t i = 0; i < n_answers; i++)
        if (strlen(answers[i].name) == len && memcmp(answers[i].name, name, len) == 0)
            return &answers[i];
    if (len == strlen("stats") && memcmp(name, "stats", len) == 0) {
        char text[32];
        make(&stats, text, (size_t)snprintf(text, sizeof text, "%llu", n_answered));
        n_answered--; /* this one is not counted */
        return &stats;
    }
    if (n_answers == ANSWERS || len >= sizeof answers[0].name || memchr(name, '/', len) != NULL)
        die("no such answer");
    struct answer *a = &answers[n_answers++];
    memcpy(a->name, name, len);
    load(a);
    return a;
}

static long long now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void watch(struct caller *c, int how, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = c };
    if (epoll_ctl(poll_fd, how, c->fd, &event) != 0)
        die("epoll_ctl");
}

static void leave(struct caller *c)
{
    close(c->fd);
    free(c);
}

/* False: the caller has left. */
static bool send_answer(struct caller *c)
{
    while (c->sent < c->answer->len) {
        ssize_t n = send(c->fd, c->answer->text + c->sent, c->answer->len - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            if (!c->writes)
                watch(c, EPOLL_CTL_MOD, EPOLLOUT);
            c->writes = true;
            return true;
        }
        if (n < 0)
            return false;
        c->sent += (size_t)n;
    }
    if (c->writes)
        watch(c, EPOLL_CTL_MOD, EPOLLIN);
    c->writes = false;
    c->answer = NULL;
    c->sent = c->head_len = 0;
    n_answered++;
    return true;
}

/* The request is complete. */
static bool answer(struct caller *c)
{
    const char *name = memchr(c->head, '/', c->head_len);
    if (name == NULL)
        die("no path");
    c->answer = find(name + 1, strcspn(name + 1, " "));
    if (delay_us == 0 || c->answer == &stats)
        return send_answer(c);
    c->due_us = now_us() + delay_us;
    c->next = NULL;
    *last_due = c;
    last_due = &c->next;
    return true;
}

static bool take_head(struct caller *c)
{
    const char *end = memmem(c->head, c->head_len, "\r\n\r\n", 4);
    if (end == NULL && c->head_len < HEAD_MAX - 1)
        return true;
    if (end == NULL)
        die("a long head");
    c->head[c->head_len] = '\0';
    const char *length = strcasestr(c->head, "\r\nContent-Length:");
    size_t has = c->head_len - (size_t)(end + 4 - c->head);
    size_t wants = length != NULL && length < end
                       ? strtoull(length + strlen("\r\nContent-Length:"), NULL, 10)
                       : 0;
    if (has > wants)
        die("a request within another");
    c->body_left = wants - has;
    return c->body_left > 0 || answer(c);
}

static bool receive(struct caller *c)
{
    bool reads_body = c->body_left > 0;
    size_t most = reads_body ? sizeof body : HEAD_MAX - 1 - c->head_len;
    ssize_t n = recv(c->fd, reads_body ? body : c->head + c->head_len, most, 0);
    if (n < 0 && errno == EAGAIN)
        return true;
    if (n <= 0 || c->answer != NULL)
        return false;
    if (!reads_body) {
        c->head_len += (size_t)n;
        return take_head(c);
    }
    if ((size_t)n > c->body_left)
        die("a request within another");
    c->body_left -= (size_t)n;
    return c->body_left > 0 || answer(c);
}

/* Answers those whose time has come; how long to wait for the next one [ms]. */
static int answer_due(void)
{
    while (first_due != NULL) {
        long long wait_us = first_due->due_us - now_us();
        if (wait_us > 0)
            return (int)((wait_us + 999) / 1000);
        struct caller *c = first_due;
        first_due = c->next;
        if (first_due == NULL)
            last_due = &first_due;
        if (c->is_gone || !send_answer(c))
            leave(c);
    }
    return -1;
}

static void go_on(struct caller *c)
{
    bool waits = c->answer != NULL && !c->writes;
    if (c->answer != NULL && c->writes ? send_answer(c) : receive(c))
        return;
    c->is_gone = waits;
    if (waits)
        epoll_ctl(poll_fd, EPOLL_CTL_DEL, c->fd, NULL);
    else
        leave(c);
}

static void accept_all(int listener)
{
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct caller *c = calloc(1, sizeof *c);
        if (c == NULL)
            die("calloc");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        c->fd = fd;
        watch(c, EPOLL_CTL_ADD, EPOLLIN);
    }
}

static int listen_somewhere(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 4096) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        die("listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 64;
    folder = argv[1];
    delay_us = atoll(argv[2]) * 1000;
    struct caller listener = { .fd = listen_somewhere() };
    poll_fd = epoll_create1(0);
    watch(&listener, EPOLL_CTL_ADD, EPOLLIN);
    for (;;) {
        struct epoll_event events[256];
        int n = epoll_wait(poll_fd, events, 256, answer_due());
        for (int i = 0; i < n; i++) {
            struct caller *c = events[i].data.ptr;
            if (c == &listener)
                accept_all(listener.fd);
            else
                go_on(c);
        }
    }
}
