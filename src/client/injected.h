/* SPDX-License-Identifier: Apache-2.0 */
/* What a rule of `inject` adds to one call where a session has a part in it: params, members,
 * header lines, a path. What has none is client/inject.h's. */
#ifndef RPCGATE_CLIENT_INJECTED_H
#define RPCGATE_CLIENT_INJECTED_H

#include "base/buf.h"
#include "base/macros.h"
#include "codec/error.h"
#include "codec/xml/encode.h"
#include "io/transport.h"
#include "settings/snapshot.h"

#include <stdbool.h>

/* What it is made with. */
struct inject_source {
    const struct encode_options *encoding;
    struct encoder *encoder;  /* not in use */
    const struct str *values; /* of the session, as settings/template.h has them; NULL: none */
    struct str cookies;       /* the value of Cookie; empty: none */
};

/* Made of one rule. It stays where it is. */
struct injected {
    bool is_made;
    const struct encode_around *around; /* NULL: nothing */
    const struct upstream_added *added; /* NULL: nothing */

    struct encode_around own_around;
    struct upstream_added own_added;
    struct str *params;
    struct encode_member *members;
    struct upstream_line *lines;
    struct buf text; /* what they point into */
};

/* False: `err`; give it to injected_done() in both cases. */
bool injected_make(const struct inject_rule_config *rule, const struct inject_source *source,
                   struct injected *ret, struct error *err) MUST_CHECK;

/* Zeroed is fine, too. */
void injected_done(struct injected *injected);

/* So of a call that a session makes for itself, which has lines and a path alone. */
bool injected_make_lines(const struct call_templates *templates, size_t n_headers,
                         const struct inject_source *source, struct injected *ret,
                         struct error *err) MUST_CHECK;

#endif
