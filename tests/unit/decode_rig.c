/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const size_t pieces[] = { 0, 1, 2, 3, 7, 64, 4095 };

struct decode_options decode_rig_options(void)
{
    return (struct decode_options){ .depth = 128, .document_max = (size_t)32 * 1024 * 1024 };
}

struct decoded decode_rig_run(struct decoder *d, const struct decode_options *options,
                              struct str document, size_t piece)
{
    struct decoded got = { .ok = true };
    struct chain out;
    chain_init(&out, (size_t)1 << 30, NULL);
    decoder_begin(d, options, &out);
    while (got.ok && document.len > 0) {
        size_t n = piece == 0 || piece > document.len ? document.len : piece;
        got.ok = decoder_feed(d, str_slice(document, 0, n), &got.err);
        document = str_slice(document, n, document.len);
    }
    got.ok = got.ok && decoder_finish(d, &got.result, &got.err);
    if (got.ok)
        got.json = chain_dup(&out);
    chain_done(&out);
    return got;
}

void decode_rig_done(struct decoded *got)
{
    free(got->json);
    got->json = NULL;
}

void decode_rig_expect(const struct decode_options *options, struct str document, const char *json)
{
    struct decoder *d = decoder_new();
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct decoded got = decode_rig_run(d, options, document, pieces[i]);
        if (!got.ok)
            fail_msg("%.*s: %s", STR_ARGS(document), got.err.detail);
        assert_string_equal(got.json, json);
        decode_rig_done(&got);
    }
    decoder_free(d);
}

void decode_rig_refuse(const struct decode_options *options, struct str document,
                       const char *reason)
{
    struct decoder *d = decoder_new();
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct decoded got = decode_rig_run(d, options, document, pieces[i]);
        if (got.ok)
            fail_msg("%.*s is taken: %s", STR_ARGS(document), got.json);
        if (strstr(got.err.detail, reason) == NULL)
            fail_msg("%.*s: %s (want: %s)", STR_ARGS(document), got.err.detail, reason);
        decode_rig_done(&got);
    }
    decoder_free(d);
}
