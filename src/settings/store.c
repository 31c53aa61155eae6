/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/store.h"

#include "base/alloc.h"
#include "settings/secret.h"

#include <stdlib.h>

struct store {
    struct vault *vault;
    void **blocks;
    size_t n_blocks, room;
};

static void *keep(struct store *s, void *block)
{
    if (s->n_blocks == s->room) {
        s->room = s->room == 0 ? 64 : 2 * s->room;
        s->blocks = xreallocarray(s->blocks, s->room, sizeof *s->blocks);
    }
    s->blocks[s->n_blocks++] = block;
    return block;
}

struct store *store_new(void)
{
    struct store *s = xcalloc(1, sizeof *s);
    s->vault = vault_new();
    return s;
}

struct store *store_free(struct store *s)
{
    if (s == NULL)
        return NULL;
    vault_free(s->vault);
    for (size_t i = 0; i < s->n_blocks; i++)
        free(s->blocks[i]);
    free(s->blocks);
    free(s);
    return NULL;
}

void *store_alloc(struct store *s, size_t n, size_t size)
{
    return keep(s, xcalloc(n, size));
}

char *store_text(struct store *s, struct str text)
{
    return keep(s, xmemdup0(text.data, text.len));
}

char *store_secret(struct store *s, struct str text)
{
    return vault_add(s->vault, text);
}

void *store_secret_alloc(struct store *s, size_t n, size_t size)
{
    return vault_alloc(s->vault, n, size);
}

bool store_is_secret(const struct store *s, const void *pointer)
{
    return vault_holds(s->vault, pointer);
}
