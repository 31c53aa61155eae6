/* SPDX-License-Identifier: Apache-2.0 */
/* JSON text to XML-RPC document, in two passes over the text and without a tree.
 *
 * The first pass checks the whole text against RFC 8259 to the letter (UTF-8, paired surrogates,
 * no name twice in an object, depth) and notes, for each object whose first name begins with `$`,
 * whether that is its only member. The second writes XML from text that is known to be valid, so
 * numbers keep every digit. Both passes go in steps of bounded work, so that a large body does not
 * hold up a worker's other callers. Time and memory are linear in the text's size.
 *
 * Pure: no I/O, clock or globals. An encoder is used by one thread at a time and may be used again.
 */
#ifndef RPCGATE_CODEC_XML_ENCODE_H
#define RPCGATE_CODEC_XML_ENCODE_H

#include "base/chain.h"
#include "base/str.h"
#include "codec/error.h"
#include "codec/json/place.h"
#include "codec/options.h"
#include "codec/step.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct encoder;

/* What document the text becomes. */
enum encode_kind {
    ENCODE_CALL,     /* <methodCall> with the params */
    ENCODE_PARAMS,   /* <params> alone */
    ENCODE_RESPONSE, /* <methodResponse>; the params must be exactly one */
    ENCODE_FAULT,    /* <methodResponse><fault>; the text is {"code": integer, "string": text} */
    ENCODE_VALUE,    /* <value> alone, of the text as a whole, for struct encode_around: in UTF-8
                        whatever the encoding is */

    /* The parts of one <methodCall> of system.multicall, which are appended to one chain, each
     * begun by encoder_begin() with the same options: one begin, any number of items, one end.
     * Other documents may be encoded in between. An item that fails has written a part of itself:
     * the caller truncates the chain to where the item began, and goes on with the next. */
    ENCODE_MULTICALL_BEGIN, /* neither method nor json */
    ENCODE_MULTICALL_ITEM,  /* one call: `method`, and `json` as of ENCODE_CALL; pointers of errors
                               begin at the params, as there */
    ENCODE_MULTICALL_END    /* neither method nor json */
};

/* What is written into a call besides what the text says, such as credentials. The text's own
 * indexes do not shift by it: pointers of errors, `at` and `in` count its params alone. All is
 * borrowed until the last step. */
struct encode_around {
    /* Further params, each as ENCODE_VALUE writes it with the same options: they stand before the
     * param of that index, one after another. Where the text has fewer params: INVALID_REQUEST. */
    const struct str *values;
    size_t n_values;
    size_t at; /* ENCODE_BEHIND: behind all */

    /* Members of the struct that is the param of that index. A struct that the text does not have
     * is made where it would be the next param; further behind, or of a param that is no struct:
     * INVALID_REQUEST. A member that the text has, too: FORBIDDEN, with its pointer. */
    const struct encode_member {
        struct str name;  /* UTF-8 that XML can carry */
        struct str value; /* as above */
    } * members;
    size_t n_members;
    size_t in;
};

#define ENCODE_BEHIND SIZE_MAX

struct encode_input {
    enum encode_kind kind;
    struct str method; /* of ENCODE_CALL and ENCODE_MULTICALL_ITEM; valid UTF-8 */
    struct str json;   /* borrowed until the last step. An array is the positional params, any
                          other value the one param, no bytes at all (or white space only) are
                          no params. A byte order mark before it is passed over */
    struct str within; /* the text that `json` is a part of: errors tell lines and columns of it;
                          NULL data: `json` itself. Borrowed as that */
    struct json_place *place; /* of the last error within; borrowed as that. NULL: none */
    const struct encode_options *options; /* borrowed until the last step */
    const struct encode_around *around;   /* of ENCODE_CALL and ENCODE_MULTICALL_ITEM; NULL: none */
};

/* `budget` counts the encoder's own memory that grows with the input (names of large objects);
 * NULL: none. */
struct encoder *encoder_new(struct budget *budget);
void encoder_free(struct encoder *e);

/* Begins a document, which is appended to `out`. May be called at any time: what was under way is
 * forgotten. */
void encoder_begin(struct encoder *e, const struct encode_input *input, struct chain *out);

/* Works on about `bytes` of the text (of tokens only strings are split). CODEC_MORE: call it again.
 * CODEC_FAILED: `err` is INVALID_JSON (line and column in the detail), UNREPRESENTABLE (with the
 * pointer, and the extension or setting in the detail), INVALID_JSON with setting `limits.depth`,
 * or OVERLOADED with setting `limits.memory`, or as `around` tells; `out` then holds an unfinished
 * document. */
enum codec_step encoder_step(struct encoder *e, size_t bytes, struct error *err);

/* All of a document, for who holds nobody up. False: as above. */
bool encoder_write(struct encoder *e, const struct encode_input *input, struct chain *out,
                   struct error *err) MUST_CHECK;

/* How many characters or strings `text` = replace or base64 has changed. */
size_t encoder_repaired(const struct encoder *e);

/* Can documents be written in that encoding? NULL is UTF-8 and fine. */
bool encode_encoding_known(const char *name);

/* Is that a time zone for encode_options.timezone? */
bool encode_timezone_known(const char *name);

#endif
