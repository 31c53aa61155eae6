/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/caller_state.h"

#include "base/alloc.h"

#include <stdlib.h>

struct caller_state *caller_state_new(const char *name)
{
    struct caller_state *s = xcalloc(1, sizeof *s);
    s->name = xstrdup(name);
    return s;
}

void caller_state_free(struct caller_state *s)
{
    free(s->name);
    free(s);
}
