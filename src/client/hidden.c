/* SPDX-License-Identifier: Apache-2.0 */
#include "client/hidden.h"

#include "base/alloc.h"
#include "settings/store.h"

#include <stdatomic.h>
#include <stdlib.h>

struct hidden {
    atomic_uint references;
    struct store *store;
    const struct redactor *redactor;
};

struct hidden *hidden_new(const struct config *config, const struct str *more, size_t n)
{
    struct hidden *h = xcalloc(1, sizeof *h);
    struct str *all = xcalloc(config->n_secrets + n + 1, sizeof *all);
    atomic_init(&h->references, 1);
    h->store = store_new();
    for (size_t i = 0; i < config->n_secrets; i++)
        all[i] = config->secrets[i];
    for (size_t i = 0; i < n; i++)
        all[config->n_secrets + i] = more[i];
    h->redactor = redactor_new(h->store, all, config->n_secrets + n);
    free(all);
    return h;
}

struct hidden *hidden_ref(struct hidden *h)
{
    atomic_fetch_add_explicit(&h->references, 1, memory_order_relaxed);
    return h;
}

void hidden_unref(struct hidden *h)
{
    if (h == NULL || atomic_fetch_sub_explicit(&h->references, 1, memory_order_acq_rel) > 1)
        return;
    store_free(h->store);
    free(h);
}

const struct redactor *hidden_redactor(const struct hidden *h, const struct config *config)
{
    return h != NULL ? h->redactor : config->redactor;
}
