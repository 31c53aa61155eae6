/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log_writer.h"

#include "base/clock.h"
#include "base/log_line.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

/* How long lines may gather after the first: a busy gateway pays one wake-up for many. [ms] */
#define GATHER_MS 10
/* How long log_stop() waits. [ms] */
#define STOP_MS 500
/* How long a line waits for a full stderr that does not block; less than STOP_MS. [ms] */
#define PATIENCE_MS 200

enum state {
    STATE_DIRECT, /* no thread: lines go out at once */
    STATE_RUNNING,
    STATE_STOPPING, /* the thread writes what is left */
    STATE_GIVEN_UP  /* the thread hangs in a write that nobody reads */
};

/* The log is the process's, as stderr is. */
static struct {
    pthread_mutex_t lock; /* never held across a system call that could wait for a reader */
    pthread_cond_t wake, ended;
    enum state state;
    size_t head, tail;   /* count bytes ever put and written; at most LOG_RING_SIZE apart */
    uint64_t unreported; /* lines dropped since the last report */
    atomic_uint_fast64_t dropped;
    bool torn;         /* the thread's own: a write ended in the middle of a line */
    atomic_bool hurry; /* stopping: do not wait long for a full stderr */
    char ring[LOG_RING_SIZE];
} writer = { .lock = PTHREAD_MUTEX_INITIALIZER };

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_conditions(void)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&writer.wake, &monotonic);
    pthread_cond_init(&writer.ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static struct timespec from_now(int64_t ms)
{
    int64_t at = clock_now_us() + ms * 1000;
    return (struct timespec){ .tv_sec = at / 1000000, .tv_nsec = at % 1000000 * 1000 };
}

/* A stderr that somebody has set to O_NONBLOCK is full. */
static bool wait_for_room(bool patient)
{
    struct pollfd stderr_fd = { .fd = STDERR_FILENO, .events = POLLOUT };
    int n = poll(&stderr_fd, 1, PATIENCE_MS);
    if (n < 0)
        return errno == EINTR;
    if (n > 0)
        return (stderr_fd.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0;
    return patient && !atomic_load(&writer.hurry);
}

/* Returns how many bytes were not written: an error, or nobody reads. */
static size_t write_bytes(struct str s, bool patient)
{
    while (s.len > 0) {
        ssize_t n = write(STDERR_FILENO, s.data, s.len);
        if (n > 0)
            s = str_slice(s, (size_t)n, s.len);
        else if (n < 0 && errno == EINTR)
            continue;
        else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK) || !wait_for_room(patient))
            break;
    }
    return s.len;
}

static uint64_t count_lines(struct str s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += s.data[i] == '\n';
    return n;
}

/* Writes the ring's bytes from `tail` to `head`. Returns how many lines were lost. */
static uint64_t write_ring(size_t tail, size_t head)
{
    uint64_t lost = 0;
    if (writer.torn)
        writer.torn = write_bytes(STR("\n"), true) > 0;
    bool failed = writer.torn;
    while (tail != head) {
        size_t at = tail % LOG_RING_SIZE;
        size_t len = head - tail < LOG_RING_SIZE - at ? head - tail : LOG_RING_SIZE - at;
        struct str part = { writer.ring + at, len };
        size_t left = failed ? len : write_bytes(part, true);
        if (left < len)
            writer.torn = part.data[len - left - 1] != '\n';
        failed = left > 0;
        lost += count_lines(str_slice(part, len - left, len));
        tail += len;
    }
    return lost;
}

static bool report(uint64_t dropped)
{
    struct log_line line;
    log_writer_report(&line, dropped);
    return write_bytes((struct str){ line.data, line.len }, true) == 0;
}

static void gather(void)
{
    struct timespec end = from_now(GATHER_MS);
    while (writer.state == STATE_RUNNING && writer.head - writer.tail < LOG_RING_SIZE / 2)
        if (pthread_cond_timedwait(&writer.wake, &writer.lock, &end) != 0)
            break;
}

/* Writes all that waits, with the lock given up meanwhile: the bytes stay ours until `tail` moves.
 */
static void write_batch(void)
{
    size_t head = writer.head;
    uint64_t dropped = writer.unreported;
    writer.unreported = 0;
    pthread_mutex_unlock(&writer.lock);
    uint64_t lost = write_ring(writer.tail, head);
    atomic_fetch_add_explicit(&writer.dropped, lost, memory_order_relaxed);
    bool reported = dropped == 0 || (lost == 0 && report(dropped));
    pthread_mutex_lock(&writer.lock);
    writer.tail = head;
    writer.unreported += lost + (reported ? 0 : dropped);
}

static void *run(UNUSED void *nothing)
{
    bool ending = false; /* what was dropped at last is told once, whether or not that succeeds */
    pthread_mutex_lock(&writer.lock);
    for (;;) {
        while (writer.head == writer.tail && writer.state == STATE_RUNNING)
            pthread_cond_wait(&writer.wake, &writer.lock);
        if (writer.head == writer.tail && (writer.unreported == 0 || ending))
            break;
        ending = writer.head == writer.tail;
        gather();
        write_batch();
    }
    /* Here and not in log_stop(), so that no line gets into a ring that nobody empties. */
    if (writer.state == STATE_STOPPING)
        writer.state = STATE_DIRECT;
    pthread_cond_signal(&writer.ended);
    pthread_mutex_unlock(&writer.lock);
    return NULL;
}

/* A reader that is gone must not end the process by SIGPIPE, whatever the program does with it. */
static void write_direct(struct str line)
{
    sigset_t pipe_signal, before, pending;
    struct timespec now = { 0, 0 };
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    if (write_bytes(line, false) > 0)
        atomic_fetch_add_explicit(&writer.dropped, 1, memory_order_relaxed);
    if (!sigismember(&pending, SIGPIPE))
        sigtimedwait(&pipe_signal, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void log_writer_put(struct str line)
{
    bool wake = false;
    pthread_mutex_lock(&writer.lock);
    if (writer.state == STATE_DIRECT) {
        pthread_mutex_unlock(&writer.lock);
        write_direct(line);
        return;
    }
    size_t used = writer.head - writer.tail;
    if (writer.state == STATE_GIVEN_UP || line.len > LOG_RING_SIZE - used) {
        writer.unreported++;
        atomic_fetch_add_explicit(&writer.dropped, 1, memory_order_relaxed);
    } else {
        size_t at = writer.head % LOG_RING_SIZE;
        size_t first = line.len < LOG_RING_SIZE - at ? line.len : LOG_RING_SIZE - at;
        memcpy(writer.ring + at, line.data, first);
        memcpy(writer.ring, line.data + first, line.len - first);
        writer.head += line.len;
        wake = used == 0 || (used < LOG_RING_SIZE / 2 && used + line.len >= LOG_RING_SIZE / 2);
    }
    pthread_mutex_unlock(&writer.lock);
    if (wake)
        pthread_cond_signal(&writer.wake);
}

uint64_t log_dropped(void)
{
    return atomic_load_explicit(&writer.dropped, memory_order_relaxed);
}

void log_start(void)
{
    static const int synchronous[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP };
    pthread_t thread;
    pthread_attr_t detached;
    sigset_t asynchronous, before;
    pthread_once(&once, init_conditions);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    sigfillset(&asynchronous);
    for (size_t i = 0; i < ARRAY_LEN(synchronous); i++)
        sigdelset(&asynchronous, synchronous[i]);
    pthread_mutex_lock(&writer.lock);
    /* Signals are for the threads that wait for them. */
    pthread_sigmask(SIG_SETMASK, &asynchronous, &before);
    atomic_store(&writer.hurry, false);
    if (writer.state == STATE_DIRECT && pthread_create(&thread, &detached, run, NULL) == 0)
        writer.state = STATE_RUNNING;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_mutex_unlock(&writer.lock);
    pthread_attr_destroy(&detached);
}

void log_stop(void)
{
    struct timespec end = from_now(STOP_MS);
    pthread_mutex_lock(&writer.lock);
    if (writer.state == STATE_RUNNING) {
        writer.state = STATE_STOPPING;
        atomic_store(&writer.hurry, true);
        pthread_cond_signal(&writer.wake);
    }
    while (writer.state == STATE_STOPPING)
        if (pthread_cond_timedwait(&writer.ended, &writer.lock, &end) != 0)
            break;
    if (writer.state == STATE_STOPPING)
        writer.state = STATE_GIVEN_UP;
    pthread_mutex_unlock(&writer.lock);
}
