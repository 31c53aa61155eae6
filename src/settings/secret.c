/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/secret.h"

#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

struct chunk {
    struct chunk *next;
    char *data;
    size_t size;
    size_t used;
    bool mapped; /* else from the heap, because there was no mapping to be had */
};

struct vault {
    struct chunk *first;
};

static size_t whole_pages(size_t size)
{
    long page = sysconf(_SC_PAGESIZE);
    size_t unit = page > 0 ? (size_t)page : 4096;
    return (size + unit - 1) / unit * unit;
}

static struct chunk *add_chunk(struct vault *v, size_t least)
{
    struct chunk *c = xcalloc(1, sizeof *c);
    c->size = whole_pages(least);
    void *data = mmap(NULL, c->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    c->mapped = data != MAP_FAILED;
    c->data = c->mapped ? data : xcalloc(1, c->size);
    if (c->mapped) {
        /* Best effort: RLIMIT_MEMLOCK may forbid the one, an old kernel not know the other. */
        (void)mlock(c->data, c->size);
        (void)madvise(c->data, c->size, MADV_DONTDUMP);
    }
    c->next = v->first;
    v->first = c;
    return c;
}

struct vault *vault_new(void)
{
    return xcalloc(1, sizeof(struct vault));
}

struct vault *vault_free(struct vault *v)
{
    if (v == NULL)
        return NULL;
    while (v->first != NULL) {
        struct chunk *c = v->first;
        v->first = c->next;
        wipe(c->data, c->used);
        if (c->mapped)
            munmap(c->data, c->size);
        else
            free(c->data);
        free(c);
    }
    free(v);
    return NULL;
}

char *vault_add(struct vault *v, struct str s)
{
    struct chunk *c = v->first;
    if (c == NULL || c->size - c->used < s.len + 1)
        c = add_chunk(v, s.len + 1);
    char *copy = c->data + c->used;
    if (s.len > 0)
        memcpy(copy, s.data, s.len);
    copy[s.len] = '\0';
    c->used += s.len + 1;
    return copy;
}

void *vault_alloc(struct vault *v, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        die_without_memory();
    /* A chunk of its own: it begins at a page, and is zeroed. */
    struct chunk *c = add_chunk(v, bytes);
    c->used = bytes;
    return c->data;
}

bool vault_holds(const struct vault *v, const void *pointer)
{
    uintptr_t at = (uintptr_t)pointer;
    for (const struct chunk *c = v->first; c != NULL; c = c->next) {
        if (at >= (uintptr_t)c->data && at < (uintptr_t)c->data + c->used)
            return true;
    }
    return false;
}

void secret_forbid_dumps(void)
{
    const struct rlimit none = { 0, 0 };
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

bool secret_header(struct str name)
{
    static const char *const names[] = { "authorization", "proxy-authorization", "cookie" };
    static const char *const ends[] = { "-key", "-token", "-secret" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eq_nocase(name, str_of(names[i])))
            return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct str end = str_of(ends[i]);
        if (name.len >= end.len &&
            str_eq_nocase(str_slice(name, name.len - end.len, name.len), end))
            return true;
    }
    return false;
}
