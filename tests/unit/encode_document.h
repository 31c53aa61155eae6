/* SPDX-License-Identifier: Apache-2.0 */
/* Encodes whole documents, for the tests of the encoder. */
#ifndef RPCGATE_TESTS_ENCODE_DOCUMENT_H
#define RPCGATE_TESTS_ENCODE_DOCUMENT_H

#include "codec/xml/encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define ENCODE_MAX ((size_t)1 << 28) /* [bytes] */

static const struct encode_options encode_defaults = { .depth = 128 };

static inline enum codec_step encode_run(struct encoder *e, const struct encode_input *input,
                                         size_t step, struct chain *out, struct error *err)
{
    enum codec_step end;
    encoder_begin(e, input, out);
    do
        end = encoder_step(e, step, err);
    while (end == CODEC_MORE);
    return end;
}

/* Where something is to be written around the params, were it nothing, they are read twice. */
static inline void encode_twice(struct encoder *e, const struct encode_input *input,
                                const char *want)
{
    static const struct encode_around nothing = { .at = ENCODE_BEHIND };
    struct encode_input twice = *input;
    struct chain out;
    struct error err;
    if (input->around != NULL ||
        (input->kind != ENCODE_CALL && input->kind != ENCODE_MULTICALL_ITEM))
        return;
    twice.around = &nothing;
    chain_init(&out, ENCODE_MAX, NULL);
    assert_int_equal(encode_run(e, &twice, SIZE_MAX, &out, &err), CODEC_DONE);
    char *text = chain_dup(&out);
    assert_string_equal(text, want);
    free(text);
    chain_done(&out);
}

/* The document; free() it. Whatever the steps are, and whether its text is read once or twice, it
 * is the same. */
static inline char *encode_document(const struct encode_input *input)
{
    struct encoder *e = encoder_new(NULL);
    struct chain at_once, in_steps;
    struct error err;
    chain_init(&at_once, ENCODE_MAX, NULL);
    chain_init(&in_steps, ENCODE_MAX, NULL);
    if (encode_run(e, input, SIZE_MAX, &at_once, &err) != CODEC_DONE)
        fail_msg("%.*s: %s", STR_ARGS(input->json), err.detail);
    assert_int_equal(encode_run(e, input, 1, &in_steps, &err), CODEC_DONE);
    char *text = chain_dup(&at_once);
    char *again = chain_dup(&in_steps);
    assert_string_equal(text, again);
    encode_twice(e, input, text);
    free(again);
    chain_done(&at_once);
    chain_done(&in_steps);
    encoder_free(e);
    return text;
}

#endif
