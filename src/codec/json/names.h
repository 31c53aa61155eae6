/* SPDX-License-Identifier: Apache-2.0 */
/* The names of all objects that are open while a document is scanned: tells when one comes twice.
 *
 * One hash set for the whole stack of objects. What is added last leaves first, so each chain's
 * head is its newest name, and closing an object is popping. */
#ifndef RPCGATE_CODEC_JSON_NAMES_H
#define RPCGATE_CODEC_JSON_NAMES_H

#include "base/buf.h"
#include "base/sip_hash.h"
#include "base/str.h"
#include "codec/options.h"

#include <stdbool.h>
#include <stddef.h>

/* Room for the text of a name that does not stand for itself. */
struct json_name_text {
    struct buf plain;   /* without its escapes */
    struct buf written; /* as the policy writes that */
};

struct json_names {
    enum text_policy policy; /* how the names will be written; names that are then the same count
                                as such. TEXT_REJECT unless it is set after the clearing */
    struct buf names;        /* of struct json_name */
    struct buf heads;        /* of uint32_t: index + 1 of each chain's newest name */
    struct json_name_text text, other;
    size_t seen;  /* by json_names_part(), of the name that is under way [bytes] */
    bool escaped; /* and it has escapes: text.plain is without them */
    size_t
        judged; /* and of it without escapes: so much XML can carry, or stands repaired [bytes] */
    bool repaired; /* and it has what XML cannot; with TEXT_REPLACE text.written has what is judged
                    */
    size_t n;
    size_t n_heads; /* a power of two */
    struct sip_key key;
};

enum json_names_result {
    JSON_NAMES_ADDED,
    JSON_NAMES_TWICE,
    JSON_NAMES_ALIKE, /* another one is written in the same way */
    JSON_NAMES_NO_MEMORY
};

void json_names_init(struct json_names *s, struct budget *budget);
void json_names_done(struct json_names *s);
void json_names_clear(struct json_names *s);

/* Adds a name, given as text without its quotes, to the object at that depth. `text` is borrowed
 * until the object closes. */
enum json_names_result json_names_add(struct json_names *s, unsigned depth, struct str text);

/* A long name goes in parts, before it is added: `text` is what there is of it so far, with whole
 * escapes. */
void json_names_part(struct json_names *s, struct str text);

/* Closes the innermost object, which is at that depth. */
void json_names_close(struct json_names *s, unsigned depth);

#endif
