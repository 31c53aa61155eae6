/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the work of each step of a worker, so that the length of a step does not depend on what
 * else the machine does. The unit is a nanosecond of a usual machine, about: the compiler has each
 * basic block of ours counted (-fsanitize-coverage=trace-pc), and what libraries do for us is
 * reckoned by the bytes that they are given (--wrap). Steps of at least $RPCGATE_STEPS_LEAST are
 * lines of the file $RPCGATE_STEPS: work, CPU time [us], kind, where most of it was done. */
#include "base/step.h"

#include <fcntl.h>
#include <iconv.h>
#include <libxml/parser.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define SAMPLE_EACH 0x10000 /* blocks, a power of two */
#define SAMPLES 512

static _Thread_local struct {
    const char *kind;
    uint64_t blocks, library; /* what was done [blocks], [ns] */
    int64_t began_ns;
    uintptr_t samples[SAMPLES];
} now;

extern const char __executable_start[];

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
    if ((++now.blocks & (SAMPLE_EACH - 1)) == 0)
        now.samples[now.blocks / SAMPLE_EACH % SAMPLES] = (uintptr_t)__builtin_return_address(0);
}

static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static uint64_t setting(const char *name)
{
    const char *value = getenv(name);
    return value != NULL ? strtoull(value, NULL, 10) : 0;
}

/* Which of the samples is in the middle: near where most of the blocks ran. */
static int compare(const void *a, const void *b)
{
    uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
    return x < y ? -1 : x > y;
}

static uintptr_t place(void)
{
    uint64_t n = now.blocks / SAMPLE_EACH;
    if (n == 0)
        return 0;
    if (n >= SAMPLES)
        n = SAMPLES - 1;
    qsort(now.samples + 1, n, sizeof now.samples[0], compare);
    return now.samples[1 + n / 2] - (uintptr_t)__executable_start;
}

static void tell(void)
{
    static int file = -1;
    static uint64_t least;
    char line[200];
    if (file < 0) {
        least = setting("RPCGATE_STEPS_LEAST");
        file = open(getenv("RPCGATE_STEPS"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    }
    if (now.blocks + now.library < least)
        return;
    int n = snprintf(
        line, sizeof line, "%llu %lld %s %#llx\n", (unsigned long long)(now.blocks + now.library),
        (long long)(cpu_ns() - now.began_ns) / 1000, now.kind, (unsigned long long)place());
    if (write(file, line, (size_t)n) != n)
        abort();
}

void step_begin(const char *kind)
{
    if (now.kind != NULL)
        tell();
    now.blocks = now.library = 0;
    now.kind = kind;
    now.began_ns = cpu_ns();
}

/* ---- What libraries do for us ------------------------------------------------------------------
 */

/* Pages that come from the kernel anew, and go back there; malloc keeps smaller pieces. */
#define MAPPED ((size_t)128 * 1024)
#define COPY(n) ((n) / 8)
#define LOOK(n) ((n) / 16)

#define WRAPS(result, name, parameters, arguments, work)                                           \
    result __real_##name parameters;                                                               \
    result __wrap_##name parameters;                                                               \
    result __wrap_##name parameters                                                                \
    {                                                                                              \
        now.library += (work);                                                                     \
        return __real_##name arguments;                                                            \
    }

WRAPS(void *, memcpy, (void *to, const void *from, size_t n), (to, from, n), COPY(n))
WRAPS(void *, memmove, (void *to, const void *from, size_t n), (to, from, n), COPY(n))
WRAPS(void *, memset, (void *to, int c, size_t n), (to, c, n), COPY(n))
WRAPS(void *, calloc, (size_t n, size_t size), (n, size), 20 + COPY(n * size))
WRAPS(void *, malloc, (size_t n), (n), 20 + (n >= MAPPED ? COPY(n) : 0))
WRAPS(void *, realloc, (void *p, size_t n), (p, n), 20 + COPY(n))

void __real_free(void *p);
void __wrap_free(void *p);
void __wrap_free(void *p)
{
    size_t n = p != NULL ? malloc_usable_size(p) : 0;
    now.library += 20 + (n >= MAPPED ? COPY(n) : 0);
    __real_free(p);
}

/* Those that end early are reckoned by how far they came. */
#define LOOKED(found, from, n)                                                                     \
    LOOK((found) != NULL ? (size_t)((const char *)(found) - (from)) : (n))

void *__real_memchr(const void *s, int c, size_t n);
void *__wrap_memchr(const void *s, int c, size_t n);
void *__wrap_memchr(const void *s, int c, size_t n)
{
    void *found = __real_memchr(s, c, n);
    now.library += LOOKED(found, (const char *)s, n);
    return found;
}

void *__real_memmem(const void *s, size_t n, const void *what, size_t len);
void *__wrap_memmem(const void *s, size_t n, const void *what, size_t len);
void *__wrap_memmem(const void *s, size_t n, const void *what, size_t len)
{
    void *found = __real_memmem(s, n, what, len);
    now.library += 8 * LOOKED(found, (const char *)s, n);
    return found;
}

WRAPS(int, memcmp, (const void *a, const void *b, size_t n), (a, b, n), LOOK(n))

size_t __real_strlen(const char *s);
size_t __wrap_strlen(const char *s);
size_t __wrap_strlen(const char *s)
{
    size_t n = __real_strlen(s);
    now.library += LOOK(n);
    return n;
}

/* The parser's own part: what it calls of ours is counted there. */
WRAPS(int, xmlParseChunk, (xmlParserCtxtPtr parser, const char *data, int n, int last),
      (parser, data, n, last), 100 + (uint64_t)n * 15)

size_t __real_iconv(iconv_t cd, char **in, size_t *in_len, char **out, size_t *out_len);
size_t __wrap_iconv(iconv_t cd, char **in, size_t *in_len, char **out, size_t *out_len);
size_t __wrap_iconv(iconv_t cd, char **in, size_t *in_len, char **out, size_t *out_len)
{
    size_t before = in_len != NULL ? *in_len : 0;
    size_t result = __real_iconv(cd, in, in_len, out, out_len);
    now.library += 100 + (in_len != NULL ? before - *in_len : 0) * 10;
    return result;
}

int __real_deflate(z_streamp z, int flush);
int __wrap_deflate(z_streamp z, int flush);
int __wrap_deflate(z_streamp z, int flush)
{
    uLong before = z->total_in;
    int result = __real_deflate(z, flush);
    now.library += 1000 + (z->total_in - before) * 100;
    return result;
}

int __real_inflate(z_streamp z, int flush);
int __wrap_inflate(z_streamp z, int flush);
int __wrap_inflate(z_streamp z, int flush)
{
    uLong before = z->total_out;
    int result = __real_inflate(z, flush);
    now.library += 1000 + (z->total_out - before) * 5;
    return result;
}
