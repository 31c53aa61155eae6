/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the document of a caller that speaks XML-RPC: in pieces of any size it gives the
 * same JSON, or the same error, which is one that the caller can be told. What is read goes out
 * again as the same values, as a call and as an answer. */
#include "base/alloc.h"
#include "codec/interop.h"
#include "codec/json/batch_read.h"
#include "codec/xml/decode.h"
#include "codec/xml/encode.h"

#include <stdint.h>
#include <stdlib.h>

#define OUT_MAX ((size_t)1 << 24)
#define DEPTH 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* What a document is to who reads it. */
struct reading {
    bool ok;
    struct error err;
    enum document_kind kind;
    size_t n_params;
    char *method; /* owned; NULL: none */
    char *json;   /* owned */
};

static void read(struct decoder *d, struct str document, bool is_request, size_t piece,
                 struct reading *ret)
{
    const struct decode_options options = {
        .is_request = is_request, .types = TYPES_TAGGED, .depth = DEPTH, .document_max = OUT_MAX
    };
    struct decode_result result;
    struct chain out;
    *ret = (struct reading){ .ok = true };
    chain_init(&out, OUT_MAX, NULL);
    decoder_begin(d, &options, &out);
    while (ret->ok && document.len > 0) {
        struct str part = str_slice(document, 0, piece < document.len ? piece : document.len);
        ret->ok = decoder_feed(d, part, &ret->err);
        document = str_slice(document, part.len, document.len);
    }
    ret->ok = ret->ok && decoder_finish(d, &result, &ret->err);
    if (ret->ok) {
        ret->kind = result.kind;
        ret->n_params = result.n_params;
        ret->method =
            result.method.data != NULL ? xmemdup0(result.method.data, result.method.len) : NULL;
        ret->json = chain_dup(&out);
    }
    chain_done(&out);
}

static void reading_done(struct reading *r)
{
    free(r->method);
    free(r->json);
}

static void check_error(const struct error *err)
{
    static const int codes[] = { INTEROP_NOT_XML, INTEROP_BAD_ENCODING, INTEROP_BAD_CHARACTER,
                                 INTEROP_NO_CALL, INTEROP_BAD_PARAMS };
    bool found = err->type == PROBLEM_OVERLOADED;
    check(found || err->type == PROBLEM_INVALID_REQUEST);
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        found = found || err->fault_code == codes[i];
    check(found && err->detail[0] != '\0' && err->executed == EXECUTED_NO);
}

static char *write(enum encode_kind kind, const struct reading *from, size_t step)
{
    static const struct encode_options options = { .extensions = ~(unsigned)EXTENSION_EX_NIL,
                                                   .depth = CODEC_DEPTH_MAX,
                                                   .as_decoded = true };
    const struct encode_input input = { .kind = kind,
                                        .method = str_of(from->method),
                                        .json = str_of(from->json),
                                        .options = &options };
    struct chain out;
    struct error err;
    enum codec_step end;
    struct encoder *e = encoder_new(NULL);
    chain_init(&out, OUT_MAX, NULL);
    encoder_begin(e, &input, &out);
    do
        end = encoder_step(e, step, &err);
    while (end == CODEC_MORE);
    char *text = end == CODEC_DONE ? chain_dup(&out) : NULL;
    encoder_free(e);
    chain_done(&out);
    return text;
}

/* What was read is written, and read again. */
static void check_again(struct decoder *d, enum encode_kind kind, const struct reading *first)
{
    struct reading again;
    char *document = write(kind, first, 5);
    check(document != NULL);
    read(d, str_of(document), kind == ENCODE_CALL, 9, &again);
    check(again.ok && again.n_params == first->n_params && strcmp(again.json, first->json) == 0);
    check(kind != ENCODE_CALL || strcmp(again.method, first->method) == 0);
    reading_done(&again);
    free(document);
}

/* The calls of a system.multicall are read from the JSON without its outer brackets. */
static void check_members(const struct reading *first)
{
    struct batch_reader *b = batch_reader_new(NULL);
    struct batch_item item;
    struct error err;
    size_t n = 0;
    struct str text = str_of(first->json);
    batch_reader_begin(b, BATCH_XMLRPC, str_slice(text, 1, text.len - 1));
    check(batch_reader_check(b, SIZE_MAX, &err) == CODEC_DONE && batch_reader_is_list(b));
    while (batch_reader_next(b, SIZE_MAX, &item, &err) == BATCH_ITEM) {
        check(item.failed || item.params.data == NULL || item.params.data[0] == '[');
        check(!item.failed || err.type == PROBLEM_INVALID_REQUEST);
        n++;
    }
    check(n == batch_reader_count(b));
    batch_reader_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct decoder *d;
    struct reading whole, pieces;
    if (d == NULL)
        d = decoder_new();
    /* A copy of its own: the sanitizer sees reading beyond the end. */
    char *copy = malloc(size > 0 ? size : 1);
    check(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    struct str document = { copy, size };
    read(d, document, true, SIZE_MAX, &whole);
    read(d, document, true, 3, &pieces);
    check(whole.ok == pieces.ok);
    if (!whole.ok) {
        check_error(&whole.err);
        check(whole.err.type == pieces.err.type);
    } else if (whole.kind == DOCUMENT_CALL && whole.method != NULL) {
        check(strcmp(whole.json, pieces.json) == 0);
        check_again(d, ENCODE_CALL, &whole);
        if (whole.n_params == 1)
            check_again(d, ENCODE_RESPONSE, &whole);
        if (whole.n_params == 1 && whole.json[1] == '[')
            check_members(&whole);
    }
    reading_done(&whole);
    reading_done(&pieces);
    free(copy);
    return 0;
}
