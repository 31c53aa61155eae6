/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/view.h"

#include "base/alloc.h"
#include "gateway/pool.h"
#include "gateway/worker_state.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct view *view_open(struct worker *w, struct config *config)
{
    struct view *view = xcalloc(1, sizeof *view);
    view->worker = w;
    view->config = config_ref(config);
    view->pools = xcalloc(config->n_upstreams, sizeof(struct pool *));
    for (size_t i = 0; i < config->n_upstreams; i++) {
        view->pools[i] = pool_open(w, w->gateway->upstreams[i]);
        if (view->pools[i] == NULL) {
            int error = errno;
            view_close(view);
            errno = error;
            return NULL;
        }
    }
    return view;
}

void view_close(struct view *view)
{
    if (view == NULL)
        return;
    assert(view->n_held == 0);
    for (size_t i = 0; i < view->config->n_upstreams; i++)
        pool_close(view->pools[i]);
    config_unref(view->config);
    free(view->pools);
    free(view);
}
