/* SPDX-License-Identifier: Apache-2.0 */
/* The path of a request's target, as its segments; and what a method's name may be, in a path or
 * elsewhere. */
#ifndef RPCGATE_RULES_PATH_H
#define RPCGATE_RULES_PATH_H

#include "base/macros.h"
#include "base/str.h"
#include "codec/error.h"

#include <stdbool.h>
#include <stddef.h>

#define PATH_NAME_MAX 255     /* [characters], of up to four bytes each */
#define PATH_SEGMENTS_MAX 4UL /* that are looked at */

struct path_segment {
    bool fits;           /* else it is longer than any name, and what there is of it is no name */
    bool is_visible;     /* each of its characters is */
    size_t n_characters; /* also of what does not fit */
    size_t len;          /* [bytes] */
    char bytes[4 * PATH_NAME_MAX];
};

/* Its segments, each decoded once. The last one is empty where there is a trailing `/`. */
struct path {
    size_t n; /* 0: it is `/`. Those from PATH_SEGMENTS_MAX on are only checked and counted */
    struct path_segment segments[PATH_SEGMENTS_MAX];
};

static inline struct str path_text(const struct path_segment *segment)
{
    return (struct str){ segment->bytes, segment->len };
}

/* Splits a raw path at `/`. err: INVALID_REQUEST for one that does not begin with `/`, does not
 * decode to UTF-8, or holds a control character. RFC 3986 sections 2.1, 3.3. */
bool path_read(struct str raw, struct path *ret, struct error *err) MUST_CHECK;

/* Is a segment that is not empty a method's name: at most 255 characters, all visible?
 * err: INVALID_REQUEST. */
bool path_check_method(const struct path_segment *segment, struct error *err) MUST_CHECK;

/* The same of a name that stands elsewhere, in valid UTF-8; an empty one is none. */
bool path_check_method_name(struct str name, struct error *err) MUST_CHECK;

#endif
