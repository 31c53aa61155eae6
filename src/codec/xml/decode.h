/* SPDX-License-Identifier: Apache-2.0 */
/* XML-RPC document to JSON text: bytes are pushed in as they arrive, a SAX parser (libxml2) reports
 * elements, and JSON is written at once; there is no tree. Until decoder_finish() has said yes,
 * what stands in the output is not an answer.
 *
 * Refused: DTDs and entities, documents over the limits, anything the grammar of XML-RPC does not
 * have beyond the leniencies of the documentation's list. The XML-RPC specification:
 * http://xmlrpc.com/spec.md.
 *
 * Pure: no I/O, clock or globals. A decoder is used by one thread at a time, and for one document
 * after another: the parser's memory is kept. */
#ifndef RPCGATE_CODEC_XML_DECODE_H
#define RPCGATE_CODEC_XML_DECODE_H

#include "base/buf.h"
#include "base/chain.h"
#include "base/str.h"
#include "codec/error.h"
#include "codec/json/pointer.h"
#include "codec/options.h"
#include "codec/step.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct decoder;

enum document_kind {
    DOCUMENT_CALL,     /* <methodCall> */
    DOCUMENT_RESPONSE, /* <methodResponse> with <params> */
    DOCUMENT_FAULT,    /* <methodResponse> with <fault> */
    DOCUMENT_PARAMS    /* <params> alone, as encode writes without a method */
};

struct fault {
    int64_t code;         /* faultCode; 0 where there is none or it is no integer */
    struct str code_text; /* faultCode as it came where it is no integer, else NULL data */
    struct str string;    /* faultString; NULL data where there is none */
    bool truncated;       /* one of the two was longer than options->fault_max */
};

struct decode_result {
    enum document_kind kind;
    struct str method;  /* of a call; NULL data: none. Borrowed from the decoder until the next
                           decoder_begin() */
    size_t n_params;    /* the output is a JSON array of so many values */
    struct fault fault; /* of DOCUMENT_FAULT; borrowed as `method` */
    size_t repaired;    /* how many characters or strings the text policy has changed */
    bool unarranged;    /* of decoder_end(): the output is to be arranged yet */
};

/* ---- The answer of system.multicall ---- */

enum items_shape {
    ITEMS_WRAPPED, /* each result is an array of exactly one value: most servers */
    ITEMS_BARE     /* each result is the value itself: supervisord */
};

enum item_kind {
    ITEM_VALUE,  /* its JSON stands in the output, from where it was when the item began */
    ITEM_FAULT,  /* the output is again as it was when the item began */
    ITEM_NEITHER /* so too: no value in its array of one, and no fault */
};

struct decode_item {
    size_t index;
    enum item_kind kind;
    struct fault fault; /* of ITEM_FAULT; borrowed until the callback returns */
};

/* How a response is read that answers several calls at once. The decoder itself writes nothing but
 * the values' JSON; what stands before, between and behind them the callbacks append to the same
 * output, or truncate. All this holds only once decoder_finish() has said yes: on a failure, and
 * for a response that is a fault as a whole, what was written is void.
 *
 * A fault is in both shapes a struct in the place of the result that has faultCode and faultString;
 * in the bare shape, where a value could stand there too, it has nothing else. In the wrapped shape
 * so is a struct of just these two, the code an integer, within the array: nzbget wraps faults. */
struct decode_items {
    enum items_shape shape;
    size_t n;      /* how many calls were made: any other number of results is BAD_RESPONSE, for
                      then nobody knows which one is whose */
    void *context; /* of the callbacks */
    void (*begin)(void *context, size_t index); /* may choose options->types and ->integers of
                                                   that result */
    void (*end)(void *context, const struct decode_item *item);
    /* What is looked for in that result, asked for behind begin(). NULL, or returns NULL: nothing.
     * It is borrowed until end() returns. */
    const struct decode_watch *(*watch)(void *context, size_t index);
};

/* ---- Values that are looked for in a result ---- */

#define DECODE_WATCH_MAX 64       /* pointers */
#define DECODE_WATCH_DEPTH_MAX 16 /* tokens of one */

/* Pointers into a result, which is what its caller gets: of members of one name the last counts.
 * What stands there is noted while it is written. */
struct decode_watch {
    const struct json_path *paths;
    size_t n; /* at most DECODE_WATCH_MAX */
};

/* What a value is in XML-RPC, whatever its form in JSON. */
enum decode_kind {
    DECODE_NIL,
    DECODE_BOOLEAN,
    DECODE_INTEGER, /* of any size */
    DECODE_DOUBLE,  /* and bigdecimal */
    DECODE_STRING,
    DECODE_DATE,
    DECODE_BINARY,
    DECODE_ARRAY,
    DECODE_STRUCT
};

struct decode_found {
    size_t from, end; /* of its JSON in the output, as that stands now */
    enum decode_kind kind;
};

struct decoder *decoder_new(void);
void decoder_free(struct decoder *d);

/* Begins a document. The JSON is appended to `out`: always the array of the params' values, of a
 * fault the array of its one value; with options->items as told there. `options`, `out` and its
 * budget are borrowed until the finish or a failure, else until the next decoder_begin() or
 * decoder_free(). */
void decoder_begin(struct decoder *d, const struct decode_options *options, struct chain *out);

/* Takes the next bytes; how they are cut makes no difference. False: `err` is BAD_RESPONSE (with
 * the line and column where there is one), RESPONSE_TOO_LARGE with the setting (limits.response,
 * limits.depth, limits.memory); feeding more is then allowed and does nothing. */
bool decoder_feed(struct decoder *d, struct str bytes, struct error *err);

/* Has its root ended, with nothing wrong so far? What may still come is blanks. */
bool decoder_is_whole(const struct decoder *d) MUST_CHECK;

/* Has nothing come, or nothing but blanks and byte order marks? */
bool decoder_is_empty(const struct decoder *d) MUST_CHECK;

/* The end of the document. False as above: empty, truncated. */
bool decoder_finish(struct decoder *d, struct decode_result *ret, struct error *err) MUST_CHECK;

/* The same in steps, for who must not be held up: whether the document is good is known at once,
 * but where the result says that it is unarranged, the output is a JSON text only when
 * decoder_arrange() is done. What is never arranged is dropped by the next decoder_begin() or
 * decoder_clear(). */
bool decoder_end(struct decoder *d, struct decode_result *ret, struct error *err) MUST_CHECK;

/* About so many bytes of it. CODEC_FAILED: `err` is RESPONSE_TOO_LARGE. */
enum codec_step decoder_arrange(struct decoder *d, size_t bytes, struct error *err) MUST_CHECK;

/* What follows holds while an item's end() runs, and for the result of a response without `items`
 * from decoder_end() until the first decoder_arrange() or the next decoder_begin(). */

/* The value at the pointer of that index; false: there is none. */
bool decoder_find(const struct decoder *d, size_t index, struct decode_found *ret) MUST_CHECK;

/* Appends at most `max` bytes, whole characters, of a scalar's text (of a string its characters,
 * of a tagged value what is tagged, else its JSON), or of an array's or struct's JSON. False: that
 * is not all, for one of the maxima or want of memory. `out` is the output. */
bool decoder_read(struct decoder *d, const struct chain *out, const struct decode_found *value,
                  size_t max, struct buf *to) MUST_CHECK;

/* Leaves only that value of the result, or `null` in its place where it is NULL. */
void decoder_keep(struct decoder *d, struct chain *out, const struct decode_found *value);

/* Drops what the document at hand has needed, finished or not, and its results: for a decoder that
 * waits for its next one. */
void decoder_clear(struct decoder *d);

/* Can responses in that encoding be read? */
bool decode_encoding_known(const char *name);

/* What shape have results of a server whose answer to system.multicall with the one call
 * system.listMethods is this JSON, as decoded without `items`? False: it does not tell. */
bool decode_items_shape(const struct chain *json, enum items_shape *ret) MUST_CHECK;

#endif
