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
#ifndef RPCGATE_CODEC_DECODE_H
#define RPCGATE_CODEC_DECODE_H

#include "base/chain.h"
#include "base/error.h"
#include "base/str.h"
#include "codec/options.h"

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

struct decode_result {
    enum document_kind kind;
    struct str method; /* of a call; NULL data: none. Borrowed from the decoder until the next
                          decoder_begin() */
    size_t n_params;   /* the output is a JSON array of so many values */
    struct fault {
        int64_t code;         /* faultCode; 0 where there is none or it is no integer */
        struct str code_text; /* faultCode as it came where it is no integer, else NULL data */
        struct str string;    /* faultString; NULL data where there is none */
    } fault;                  /* of DOCUMENT_FAULT; borrowed as `method` */
    size_t repaired;          /* how many characters or strings the text policy has changed */
};

struct decoder *decoder_new(void);
void decoder_free(struct decoder *d);

/* Begins a document. The JSON is appended to `out`: always the array of the params' values, of a
 * fault the array of its one value. `options`, `out` and its budget are borrowed until the finish
 * or a failure, else until the next decoder_begin() or decoder_free(). */
void decoder_begin(struct decoder *d, const struct decode_options *options, struct chain *out);

/* Takes the next bytes; how they are cut makes no difference. False: `err` is BAD_RESPONSE (with
 * the line and column where there is one), RESPONSE_TOO_LARGE with the setting (limits.response,
 * limits.depth, limits.memory); feeding more is then allowed and does nothing. */
bool decoder_feed(struct decoder *d, struct str bytes, struct error *err);

/* The end of the document. False as above: empty, truncated. */
bool decoder_finish(struct decoder *d, struct decode_result *ret, struct error *err) MUST_CHECK;

/* Drops what the document at hand has needed, finished or not, and its results: for a decoder that
 * waits for its next one. */
void decoder_clear(struct decoder *d);

/* Can responses in that encoding be read? */
bool decode_encoding_known(const char *name);

#endif
