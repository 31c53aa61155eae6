/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define TIME_LEN (sizeof "2000-01-01T00:00:00.000Z" - 1)

#ifndef RPCGATE_SLOW /* how much slower than usual everything may be: the build says it */
#define RPCGATE_SLOW 1
#endif

/* How long a child may take on a machine that has other things to do, too. [s] */
#define CHILD_S (60 * RPCGATE_SLOW)

static int real_stderr = -1;

/* Makes a pipe of stderr; returns the end to read. */
static int catch_stderr(void)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    assert_true(real_stderr >= 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    return ends[0];
}

static void release_stderr(void)
{
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
}

struct reading {
    int fd;
    struct buf text;
    pthread_t thread;
};

static void *read_all(void *context)
{
    struct reading *r = context;
    char piece[4096];
    ssize_t n;
    while ((n = read(r->fd, piece, sizeof piece)) > 0)
        buf_append(&r->text, (struct str){ piece, (size_t)n });
    return NULL;
}

static void start_reading(struct reading *r, int fd)
{
    r->fd = fd;
    buf_init(&r->text, (size_t)64 << 20, NULL);
    assert_int_equal(pthread_create(&r->thread, NULL, read_all, r), 0);
}

/* Gives stderr back, so that the reader sees the end. */
static void end_reading(struct reading *r)
{
    release_stderr();
    pthread_join(r->thread, NULL);
    close(r->fd);
}

static void writes_at_once_without_a_thread(void **state)
{
    char text[1000];
    int fd = catch_stderr();
    (void)state;
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, false);
    log_error("no file \"%s\"", "x\ny");
    log_debug("hidden");
    LOG_EVENT(LOG_LEVEL_INFO, "up", LOG_TEXT("name", "demo"), LOG_NUM("port", 80));
    LOG_EVENT(LOG_LEVEL_DEBUG, "hidden", LOG_TEXT("name", "demo"));
    log_configure(LOG_LEVEL_DEBUG, LOG_FORMAT_JSON, false);
    log_debug("shown");
    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, false);
    assert_false(log_enabled(LOG_LEVEL_WARN));
    assert_true(log_enabled(LOG_LEVEL_ERROR));
    log_warn("hidden");
    log_info("hidden");
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, false);
    ssize_t n = read(fd, text, sizeof text - 1);
    release_stderr();
    close(fd);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(text, "Z error \"no file \\\"x\\ny\\\"\"\n"));
    assert_non_null(strstr(text, "Z info up name=demo port=80\n"));
    assert_non_null(strstr(text, "\"level\":\"debug\",\"msg\":\"shown\"}\n"));
    assert_null(strstr(text, "hidden"));
}

#define WRITERS 4
#define LINES 5000

static void *write_lines(void *context)
{
    int64_t who = *(const int *)context;
    for (int64_t i = 0; i < LINES; i++)
        LOG_EVENT(LOG_LEVEL_INFO, "line", LOG_NUM("who", who), LOG_NUM("n", i),
                  LOG_TEXT("text", "a \"quoted\" text"));
    return NULL;
}

/* Every line must be whole, and each writer's in order. Returns how many there are, without those
 * about drops, whose sum is added to `dropped`. */
static size_t check_lines(struct str all, int64_t *dropped)
{
    int64_t last[WRITERS] = { -1, -1, -1, -1 };
    size_t n = 0;
    while (all.len > 0) {
        char line[300];
        long long lines, number;
        int who, end = 0;
        size_t len = str_find(all, '\n');
        assert_true(len < all.len && len < sizeof line);
        memcpy(line, all.data, len);
        line[len] = '\0';
        all = str_slice(all, len + 1, all.len);
        const char *rest = line + TIME_LEN;
        if (sscanf(rest, " warn log lines were dropped lines=%lld", &lines) == 1) {
            *dropped += lines;
            continue;
        }
        int found = sscanf(rest, " info line who=%d n=%lld text=\"a \\\"quoted\\\" text\"%n", &who,
                           &number, &end);
        if (found != 2 || end != (int)strlen(rest) || who < 0 || who >= WRITERS)
            fail_msg("%s", line);
        assert_true(number > last[who]);
        last[who] = number;
        n++;
    }
    return n;
}

static void write_from_all(void)
{
    pthread_t threads[WRITERS];
    int who[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        who[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &who[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
}

static void threads_lines_stay_whole(void **state)
{
    struct reading r;
    int64_t reported = 0;
    uint64_t before = log_dropped();
    (void)state;
    start_reading(&r, catch_stderr());
    log_start();
    log_start(); /* does no harm */
    write_from_all();
    log_stop();
    log_stop();
    end_reading(&r);
    size_t n = check_lines(buf_str(&r.text), &reported);
    assert_int_equal(n + (log_dropped() - before), WRITERS * LINES);
    assert_int_equal(reported, log_dropped() - before);
    buf_done(&r.text);
}

static void starts_again_after_a_stop(void **state)
{
    char text[4000];
    int fd = catch_stderr();
    (void)state;
    for (int i = 0; i < 5; i++) {
        log_start();
        log_info("ring %d", i);
        log_stop();
        log_info("direct %d", i);
    }
    ssize_t n = read(fd, text, sizeof text - 1);
    release_stderr();
    close(fd);
    assert_true(n > 0);
    text[n] = '\0';
    const char *at = text;
    for (int i = 0; i < 5; i++) {
        char first[40], second[40];
        snprintf(first, sizeof first, " info ring %d\n", i);
        snprintf(second, sizeof second, " info direct %d\n", i);
        at = strstr(at, first);
        assert_non_null(at);
        at = strstr(at, second);
        assert_non_null(at);
    }
}

static void a_line_goes_out_by_itself(void **state)
{
    int fd = catch_stderr();
    struct pollfd readable = { .fd = fd, .events = POLLIN };
    (void)state;
    log_start();
    log_info("alone");
    assert_int_equal(poll(&readable, 1, 10000), 1);
    log_stop();
    release_stderr();
    close(fd);
}

/* Nobody reads until lines were dropped: none of them is forgotten. */
static void drops_are_told(void **state)
{
    struct reading r;
    int64_t reported = 0, written = 0;
    int who = 0, fd = catch_stderr();
    uint64_t before = log_dropped();
    (void)state;
    log_start();
    while (log_dropped() == before) {
        write_lines(&who);
        written += LINES;
    }
    uint64_t dropped = log_dropped() - before;
    start_reading(&r, fd);
    log_stop();
    end_reading(&r);
    /* The numbers begin anew with each call of write_lines(): count only. */
    size_t n = 0;
    for (struct str all = buf_str(&r.text); all.len > 0;) {
        size_t len = str_find(all, '\n');
        char line[300];
        long long lines;
        assert_true(len < all.len && len < sizeof line);
        memcpy(line, all.data, len);
        line[len] = '\0';
        if (sscanf(line + TIME_LEN, " warn log lines were dropped lines=%lld", &lines) == 1)
            reported += lines;
        else
            n++;
        all = str_slice(all, len + 1, all.len);
    }
    assert_int_equal(n + dropped, written);
    assert_int_equal(reported, dropped);
    buf_done(&r.text);
}

/* ---- Where nobody reads: in a process of their own, which must end by itself
 * ---------------------- */

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            _exit(__LINE__ % 200 + 1);                                                             \
    } while (0)

static void run_in_child(void (*body)(void))
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(CHILD_S);
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("status %#x", (unsigned)status);
}

static void log_many(int n)
{
    for (int i = 0; i < n; i++)
        LOG_EVENT(LOG_LEVEL_INFO, "line", LOG_NUM("n", i), LOG_TEXT("text", "a \"quoted\" text"));
}

static int64_t stop_ms(void)
{
    int64_t before = clock_now_ms();
    log_stop();
    return clock_now_ms() - before;
}

static void use_without_stderr(void)
{
    close(STDERR_FILENO);
    log_many(10);
    CHECK(log_dropped() == 10);
    log_start();
    log_many(10);
    log_stop();
    CHECK(log_dropped() == 20);
}

static void use_with_nobody_there(void)
{
    int ends[2];
    CHECK(pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    signal(SIGPIPE, SIG_DFL);
    log_many(10);
    CHECK(log_dropped() == 10);
    log_start();
    log_many(10);
    log_stop();
    CHECK(log_dropped() == 20);
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    CHECK(!sigismember(&mask, SIGPIPE));
}

/* The old thread is still there, and is not waited for again. The scheduler may hold us up once. */
static bool stops_at_once(void)
{
    for (int i = 0; i < 20; i++) {
        log_start();
        if (stop_ms() < 400)
            return true;
    }
    return false;
}

static void use_with_a_full_pipe(void)
{
    int ends[2];
    CHECK(pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    log_start();
    log_many(20000);
    CHECK(log_dropped() > 0);
    CHECK(stop_ms() >= 400);
    uint64_t before = log_dropped();
    log_many(100); /* does not wait now, either */
    CHECK(log_dropped() == before + 100);
    CHECK(stops_at_once());
}

static int64_t cpu_ms(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

static void use_with_a_full_pipe_that_does_not_wait(void)
{
    int ends[2];
    CHECK(pipe2(ends, O_NONBLOCK) == 0 && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    log_start();
    log_many(20000);
    CHECK(log_dropped() > 0);
    int64_t before = cpu_ms(), waited_ms = stop_ms();
    CHECK(waited_ms >= 150);
    CHECK(cpu_ms() - before < waited_ms / 2);
    /* Without the thread a line waits a little, and is dropped. The last page of a pipe that is
     * full may have room for some. */
    uint64_t dropped = log_dropped();
    for (int i = 0; log_dropped() == dropped; i++) {
        CHECK(i < 100);
        log_many(1);
    }
}

static void lives_without_stderr(void **state)
{
    (void)state;
    run_in_child(use_without_stderr);
}

static void lives_with_nobody_there(void **state)
{
    (void)state;
    run_in_child(use_with_nobody_there);
}

static void never_waits_for_a_full_pipe(void **state)
{
    (void)state;
    run_in_child(use_with_a_full_pipe);
    run_in_child(use_with_a_full_pipe_that_does_not_wait);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_at_once_without_a_thread),
        /* Those that fork come before those that make threads. */
        cmocka_unit_test(lives_without_stderr),
        cmocka_unit_test(lives_with_nobody_there),
        cmocka_unit_test(never_waits_for_a_full_pipe),
        cmocka_unit_test(a_line_goes_out_by_itself),
        cmocka_unit_test(starts_again_after_a_stop),
        cmocka_unit_test(threads_lines_stay_whole),
        cmocka_unit_test(drops_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
