/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/snapshot.h"

#include "settings/store.h"

#include <assert.h>

struct config *config_ref(struct config *config)
{
    atomic_fetch_add_explicit(&config->references, 1, memory_order_relaxed);
    return config;
}

struct config *config_unref(struct config *config)
{
    if (config == NULL)
        return NULL;
    unsigned before = atomic_fetch_sub_explicit(&config->references, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before == 1)
        store_free(config->store); /* the snapshot itself lies in it */
    return NULL;
}

bool config_may_face_network(const struct config *config, const struct listen_config *listen)
{
    return listen->insecure || listen->serve == SERVE_HEALTH ||
           (listen->tls.present && config->n_callers > 0);
}

const struct str *config_secrets(const struct config *config, size_t *ret_n)
{
    *ret_n = config->n_secrets;
    return config->secrets;
}

const struct upstream_config *config_upstream(const struct config *config, struct str name)
{
    for (size_t i = 0; i < config->n_upstreams; i++) {
        if (str_eq_c(name, config->upstreams[i].name))
            return &config->upstreams[i];
    }
    return NULL;
}

struct encode_options config_encode_options(const struct config *config,
                                            const struct upstream_config *upstream)
{
    return (struct encode_options){ .extensions = upstream->extensions,
                                    .depth = (unsigned)config->limits.depth,
                                    .text = upstream->text,
                                    .dates = upstream->dates,
                                    .timezone = upstream->timezone,
                                    .encoding = upstream->encoding };
}
