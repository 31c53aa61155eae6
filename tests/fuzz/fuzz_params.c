/* SPDX-License-Identifier: Apache-2.0 */
/* What rules about params see is what goes out: whatever JSON the encoder takes, a param is judged
 * as the string that an upstream reads, or as none. */
#include "codec/json/cursor.h"
#include "codec/xml/decode.h"
#include "codec/xml/encode.h"
#include "rules/param.h"

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

static bool encode(struct str json, enum text_policy text, struct chain *out)
{
    const struct encode_options options = { .extensions = UINT32_MAX,
                                            .depth = DEPTH,
                                            .text = text };
    const struct encode_input input = {
        .kind = ENCODE_CALL, .method = STR("m"), .json = json, .options = &options
    };
    struct error err;
    enum codec_step end;
    struct encoder *e = encoder_new(NULL);
    encoder_begin(e, &input, out);
    do
        end = encoder_step(e, SIZE_MAX, &err);
    while (end == CODEC_MORE);
    encoder_free(e);
    return end == CODEC_DONE;
}

/* As the upstream reads it: an array of values in which only strings are strings. */
static void decode(struct str document, struct chain *out)
{
    const struct decode_options options = { .types = TYPES_TAGGED,
                                            .depth = DEPTH,
                                            .document_max = OUT_MAX };
    struct decode_result result;
    struct error err;
    struct decoder *d = decoder_new();
    decoder_begin(d, &options, out);
    check(decoder_feed(d, document, &err) && decoder_finish(d, &result, &err));
    decoder_free(d);
}

static void compare(struct str value, enum param_form form, struct str text)
{
    struct buf read;
    check(form != PARAM_NONE);
    if (form != PARAM_TEXT) {
        check(form == PARAM_ALTERED || value.data[0] != '"');
        return;
    }
    check(value.data[0] == '"');
    buf_init(&read, OUT_MAX, NULL);
    json_unquote(value, &read);
    check(str_eq(buf_str(&read), text));
    buf_done(&read);
}

static void try_params(struct str json, struct str values)
{
    struct params params;
    struct str value, text;
    size_t n = 0;
    params_init(&params, json);
    for (struct json_cursor c = json_enter(values); json_next(&c, NULL, &value); n++) {
        enum param_form form = params_read(&params, n, &text);
        compare(value, form, text);
        /* The order of questions does not count. */
        (void)params_read(&params, n / 2, &text);
        check(params_read(&params, n, &text) == form);
        compare(value, form, text);
    }
    check(params_read(&params, n, &text) == PARAM_NONE);
    check(params_read(&params, n + 7, &text) == PARAM_NONE);
    params_done(&params);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum text_policy policies[] = { TEXT_REJECT, TEXT_REPLACE, TEXT_BASE64 };
    /* A copy of its own: the sanitizer sees reading beyond the end. */
    char *json = malloc(size > 0 ? size : 1);
    check(json != NULL);
    if (size > 0)
        memcpy(json, data, size);
    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        struct chain document, values;
        chain_init(&document, OUT_MAX, NULL);
        chain_init(&values, OUT_MAX, NULL);
        if (encode((struct str){ json, size }, policies[i], &document)) {
            char *xml = chain_dup(&document);
            decode((struct str){ xml, chain_len(&document) }, &values);
            char *array = chain_dup(&values);
            try_params((struct str){ json, size }, (struct str){ array, chain_len(&values) });
            free(array);
            free(xml);
        }
        chain_done(&document);
        chain_done(&values);
    }
    free(json);
    return 0;
}
