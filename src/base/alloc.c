/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

void die_without(const char *what)
{
    char message[80];
    int len = snprintf(message, sizeof message, "rpcgate: out of %s\n", what);
    /* Nobody need read it: an end that waits for that would be none. */
    struct pollfd stderr_fd = { .fd = STDERR_FILENO, .events = POLLOUT };
    if (poll(&stderr_fd, 1, 0) == 1) {
        ssize_t ignored = write(STDERR_FILENO, message, (size_t)len);
        (void)ignored;
    }
    _exit(EX_OSERR);
}

void die_without_memory(void)
{
    die_without("memory");
}

void *xcalloc(size_t n, size_t size)
{
    void *memory = calloc(n != 0 ? n : 1, size != 0 ? size : 1);
    if (memory == NULL)
        die_without_memory();
    return memory;
}

void *xreallocarray(void *memory, size_t n, size_t size)
{
    void *grown = reallocarray(memory, n != 0 ? n : 1, size != 0 ? size : 1);
    if (grown == NULL)
        die_without_memory();
    return grown;
}

char *xmemdup0(const void *data, size_t len)
{
    char *copy = malloc(len + 1);
    if (copy == NULL)
        die_without_memory();
    if (len > 0)
        memcpy(copy, data, len);
    copy[len] = '\0';
    return copy;
}

char *xstrdup(const char *text)
{
    return xmemdup0(text, strlen(text));
}

void free_charp(char **pointer)
{
    free(*pointer);
    *pointer = NULL;
}

void wipe(void *data, size_t len)
{
    if (len > 0)
        explicit_bzero(data, len);
}
