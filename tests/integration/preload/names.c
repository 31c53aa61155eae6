/* SPDX-License-Identifier: Apache-2.0 */
/* A resolver whose answers change: the name moving.example has the address that the file
 * $TEST_NAMES holds at that moment, and takes as many ms as stand behind it. Other names are looked
 * up as ever. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **res)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    char address[64];
    int delay_ms = 0;
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (node == NULL || strcmp(node, "moving.example") != 0)
        return real(node, service, hints, res);
    FILE *file = fopen(getenv("TEST_NAMES"), "r");
    if (file == NULL || fscanf(file, "%63s %d", address, &delay_ms) < 1)
        abort();
    fclose(file);
    poll(NULL, 0, delay_ms);
    return real(address, service, hints, res);
}
