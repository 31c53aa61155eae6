/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the calls of a batch, or of a JSON-RPC 2.0 text, one after another and without a tree: the
 * text is first checked as a whole, then each call's method, params and id are found in it.
 * Everything goes in steps of bounded work, and takes linear time; params and ids stay text.
 *
 * What is wrong with one call is an error of that call alone. The text as a whole can fail only by
 * not being JSON (RFC 8259 to the letter; names twice in an object are refused, too) or, but for
 * BATCH_JSONRPC, no array.
 *
 * Pure: no I/O, clock or globals. A reader is used by one thread at a time and may be used again.
 */
#ifndef RPCGATE_CODEC_JSON_BATCH_READ_H
#define RPCGATE_CODEC_JSON_BATCH_READ_H

#include "base/budget.h"
#include "base/macros.h"
#include "base/str.h"
#include "codec/error.h"
#include "codec/step.h"

#include <stdbool.h>
#include <stddef.h>

enum batch_dialect {
    BATCH_REST,    /* an array of {"method": text, "params": value}; params may be absent, and other
                      members are refused */
    BATCH_JSONRPC, /* JSON-RPC 2.0: one request object, or an array of them; members that the
                      specification does not know are ignored */
    BATCH_XMLRPC   /* the param of system.multicall: an array of {"methodName": text, "params":
                      array}; other members are ignored */
};

struct batch_item {
    size_t index; /* from 0 */
    bool failed;  /* `err` of batch_reader_next() tells: INVALID_REQUEST with the pointer into the
                     text
                     (`/3/method`), or OVERLOADED for want of memory */
    struct str method; /* decoded, valid UTF-8; not checked but for being a string. Borrowed until
                          the next batch_reader_next() */
    struct str params; /* JSON text; NULL data: none. BATCH_REST: any value, as the body of a single
                          call; BATCH_JSONRPC: an array or an object; BATCH_XMLRPC: an array */
    struct str id;     /* BATCH_JSONRPC: a string, a number or null, exactly as it was written;
                          NULL data: there is none, or it is not valid: where the item has failed,
                          it is answered with null */
    bool notification; /* BATCH_JSONRPC: valid, without id: nothing is answered */
};

struct batch_reader;

/* `budget` counts what grows with the text; NULL: none. */
struct batch_reader *batch_reader_new(struct budget *budget);
void batch_reader_free(struct batch_reader *b);

/* Begins a text, which is borrowed until the last item was taken, or the next batch_reader_begin()
 * or batch_reader_clear(). */
void batch_reader_begin(struct batch_reader *b, enum batch_dialect dialect, struct str text);

/* Checks about `bytes` more of the text. CODEC_FAILED: INVALID_JSON with line and column,
 * INVALID_REQUEST where there is no array and should be, or OVERLOADED with setting
 * `limits.memory`. How deep params may be nested is not checked here but by the encoder, for each
 * call by itself. */
enum codec_step batch_reader_check(struct batch_reader *b, size_t bytes, struct error *err);

/* After CODEC_DONE of batch_reader_check(): how many items there are, and whether they stand in an
 * array (a JSON-RPC text may be one object). An array without items is valid here; JSON-RPC has an
 * error for it. */
size_t batch_reader_count(const struct batch_reader *b);
bool batch_reader_is_list(const struct batch_reader *b);

enum batch_step {
    BATCH_MORE, /* call again */
    BATCH_ITEM, /* *ret is the next item */
    BATCH_END   /* there was no further one */
};

/* After CODEC_DONE of batch_reader_check(): finds the next item, looking at about `bytes` of text.
 */
enum batch_step batch_reader_next(struct batch_reader *b, size_t bytes, struct batch_item *ret,
                                  struct error *err);

/* Begins with the first item again. */
void batch_reader_rewind(struct batch_reader *b);

/* Drops what the text has needed, and the text. */
void batch_reader_clear(struct batch_reader *b);

#endif
