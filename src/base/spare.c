/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spare.h"

#include "base/alloc.h"

#include <stdlib.h>

/* So many are always kept. */
#define LEAST ((size_t)64)

/* How many are given back between two looks at how many were of no use. */
#define PERIOD 4096

void *spare_take(struct spare *spare)
{
    if (spare->n == 0)
        return NULL;
    void *item = spare->items[--spare->n];
    if (spare->n < spare->low)
        spare->low = spare->n;
    return item;
}

void *spare_drop(struct spare *spare)
{
    if (spare->n > 0)
        return spare->items[--spare->n];
    free(spare->items);
    *spare = (struct spare){ 0 };
    return NULL;
}

/* Who gives something back is not to end for want of memory. */
static bool grow(struct spare *spare)
{
    size_t cap = spare->cap == 0 ? LEAST : spare->cap * 2;
    void **items = reallocarray(spare->items, cap, sizeof *items);
    if (items == NULL)
        return false;
    spare->items = items;
    spare->cap = cap;
    return true;
}

bool spare_keep(struct spare *spare, void *item)
{
    if (++spare->n_given % PERIOD == 0) {
        spare->surplus = spare->low;
        spare->low = spare->n;
    }
    if (spare->surplus > 0 && spare->n >= LEAST) {
        spare->surplus--;
        return false;
    }
    if (spare->n == spare->cap && !grow(spare))
        return false;
    spare->items[spare->n++] = item;
    return true;
}

void spare_free(struct spare *spare)
{
    void *item;
    while ((item = spare_drop(spare)) != NULL)
        free(item);
}
