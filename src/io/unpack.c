/* SPDX-License-Identifier: Apache-2.0 */
#include "io/unpack.h"

#include "base/alloc.h"
#include "io/gzip.h"

#include <stdlib.h>

struct unpack {
    struct gunzip *layers[CODINGS_MAX]; /* the outermost first */
    struct str in[CODINGS_MAX]; /* what the layer around it has unpacked; not of the first */
    size_t n;
};

struct unpack *unpack_new(const struct response_head *head)
{
    struct unpack *u = xcalloc(1, sizeof *u);
    bool good = head->n_codings <= CODINGS_MAX;
    for (size_t i = 0; i < head->n_codings && good; i++) {
        u->layers[i] = gunzip_new(head->codings[head->n_codings - 1 - i] == CODING_DEFLATE);
        good = u->layers[i] != NULL;
        u->n += good;
    }
    if (good)
        return u;
    unpack_free(u);
    return NULL;
}

void unpack_free(struct unpack *u)
{
    if (u == NULL)
        return;
    for (size_t i = 0; i < u->n; i++)
        gunzip_free(u->layers[i]);
    free(u);
}

/* One step of a layer; those around it are asked only when it has nothing left. */
static bool step(struct unpack *u, size_t layer, struct str *in, struct str *ret_piece)
{
    for (size_t i = 0; i < layer; i++) {
        struct str *to = &u->in[i + 1];
        if (to->len == 0 && !gunzip_has_more(u->layers[i + 1]) &&
            !gunzip_next(u->layers[i], i == 0 ? in : &u->in[i], to))
            return false;
    }
    return gunzip_next(u->layers[layer], layer == 0 ? in : &u->in[layer], ret_piece);
}

bool unpack_next(struct unpack *u, struct str *in, struct str *ret_piece)
{
    return step(u, u->n - 1, in, ret_piece);
}

bool unpack_has_more(const struct unpack *u)
{
    for (size_t i = 0; i < u->n; i++)
        if (gunzip_has_more(u->layers[i]) || u->in[i].len > 0)
            return true;
    return false;
}
