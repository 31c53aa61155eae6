/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a program, makes one allocation fail: the one with which `left` becomes 0. The
 * numbers lie in a file that the test has mapped, too ($FAILING_ALLOC). With $FAILING_ALLOC_TRACE
 * it is told on stderr which one that was, and where the program crashes. */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct numbers {
    atomic_long seen;   /* allocations since the start */
    atomic_long left;   /* before one fails; 0: none will */
    atomic_long failed; /* how many have */
};

/* glibc's own names of what is replaced here. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static struct numbers none;
static struct numbers *numbers = &none;
static bool traces;

/* Neither call allocates, once the library that unwinds is there. */
static void trace(const char *title)
{
    void *frames[40];
    int n = backtrace(frames, 40);
    if (write(STDERR_FILENO, title, strlen(title)) > 0)
        backtrace_symbols_fd(frames + 1, n - 1, STDERR_FILENO);
}

static void on_crash(int number)
{
    trace("crashed:\n");
    signal(number, SIG_DFL);
    raise(number);
}

static void prepare_traces(void)
{
    void *frame;
    backtrace(&frame, 1);
    traces = true;
    signal(SIGSEGV, on_crash);
    signal(SIGABRT, on_crash);
    signal(SIGFPE, on_crash);
}

__attribute__((constructor)) static void map_numbers(void)
{
    const char *path = getenv("FAILING_ALLOC");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *mapped = mmap(NULL, sizeof *numbers, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped != MAP_FAILED)
        numbers = mapped;
    close(fd);
    if (getenv("FAILING_ALLOC_TRACE") != NULL)
        prepare_traces();
}

static int fails(void)
{
    atomic_fetch_add(&numbers->seen, 1);
    long left = atomic_load(&numbers->left);
    while (left > 0)
        if (atomic_compare_exchange_weak(&numbers->left, &left, left - 1)) {
            if (left > 1)
                return 0;
            atomic_fetch_add(&numbers->failed, 1);
            if (traces)
                trace("failed:\n");
            errno = ENOMEM;
            return 1;
        }
    return 0;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
    return fails() ? NULL : __libc_realloc(memory, size);
}

void *reallocarray(void *memory, size_t n, size_t size)
{
    size_t whole;
    if (__builtin_mul_overflow(n, size, &whole)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(memory, whole);
}
