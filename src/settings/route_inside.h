/* SPDX-License-Identifier: Apache-2.0 */
/* What compiling a route's document (settings/route_compile.c) takes from settings/route_input.c,
 * which knows what callers give. */
#ifndef RPCGATE_SETTINGS_ROUTE_INSIDE_H
#define RPCGATE_SETTINGS_ROUTE_INSIDE_H

#include "settings/route.h"

/* Longer params are none. [bytes] */
#define ROUTE_DOCUMENT_MAX ((size_t)4 << 20)

struct route_compiler {
    const struct route_compiling *with;
    struct route_config *route;
    struct route_input *inputs; /* those that the path has come first */
    size_t n_inputs;
    struct buf pieces;  /* of struct template_piece */
    struct buf literal; /* what goes out before the next piece */
    struct buf pointer; /* of what is being compiled */
    bool secret;        /* some constant is */
    bool ok;
};

/* Tells what is wrong; `where` as struct route_compiling has it. */
void route_refuse(struct route_compiler *c, const struct route_param_config *where,
                  const char *sentence);
void route_refuse_as(struct route_compiler *c, const struct route_param_config *where,
                     const char *format, ...) PRINTF_LIKE(3, 4);

/* A setting's text, as sentences may have it. */
const char *route_param_told(const struct route_param_config *p, enum route_param_index i,
                             const char *text);

/* Does the file have that setting? */
bool route_param_is_set(const struct route_param_config *p, enum route_param_index i);

/* NULL: there is none of that name. */
struct route_input *route_find_input(struct route_compiler *c, struct str name);

/* The index of the input that this group is; SIZE_MAX: told. */
size_t route_add_input(struct route_compiler *c, const struct route_param_config *p);

#endif
