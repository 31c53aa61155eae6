/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Pointers (RFC 6901). */
#ifndef RPCGATE_CODEC_JSON_POINTER_H
#define RPCGATE_CODEC_JSON_POINTER_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* A part of one that was read. */
struct json_token {
    struct str name; /* of a member, without escapes */
    size_t index;    /* of an element, where it can be one; else SIZE_MAX */
};

struct json_path {
    const struct json_token *tokens; /* NULL where there are none */
    size_t n;
};

/* A member's name, as text without escapes. */
void json_pointer_add_name(struct buf *pointer, struct str name);

/* An element's index. */
void json_pointer_add_index(struct buf *pointer, size_t index);

/* What reading it takes; 0 for "", which is the whole. [bytes] */
size_t json_path_size(struct str pointer);

/* Reads one into so much memory, aligned for anything. False: it is none. */
bool json_path_read(struct str pointer, void *memory, struct json_path *ret) MUST_CHECK;

/* The value there in `json`, which is valid: of members of one name the last. NULL data: there is
 * none. */
struct str json_path_find(const struct json_path *path, struct str json);

/* The same in steps. */
struct json_search {
    const struct json_path *path; /* borrowed */
    size_t token;                 /* the one that is looked for */
    struct str json;              /* in which value; in the end what is there */
    const char *at;
    const char *begin; /* of the element or member that is passed over; NULL: of none yet */
    bool in_object, is_wanted;
    size_t index, depth; /* of that one */
    struct str found;
    bool is_over;
};

void json_search_begin(struct json_search *s, const struct json_path *path, struct str json);

/* Goes on for about so many bytes; strings are not cut. True: it is over. */
bool json_search_step(struct json_search *s, size_t bytes);

#endif
