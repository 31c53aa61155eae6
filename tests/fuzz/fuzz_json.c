/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as JSON text: scanner, cursor and encoder. However the work is cut into steps, the
 * result must be the same; what the scanner takes, the encoder either writes or refuses with
 * a reason; and what it writes has no byte that XML forbids. */
#include "codec/json/cursor.h"
#include "codec/json/scan.h"
#include "codec/xml/encode.h"

#include <stdint.h>
#include <stdlib.h>

#define OUT_MAX ((size_t)1 << 24)
#define DEPTH 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum codec_step end;
    char *xml;
    size_t len;
    size_t repaired;
    struct error err;
};

static void check(bool holds)
{
    if (!holds)
        abort();
}

static struct outcome run(struct encoder *e, const struct encode_input *input, size_t step)
{
    struct outcome o = { 0 };
    struct chain out;
    chain_init(&out, OUT_MAX, NULL);
    encoder_begin(e, input, &out);
    do
        o.end = encoder_step(e, step, &o.err);
    while (o.end == CODEC_MORE);
    o.xml = chain_dup(&out);
    o.len = chain_len(&out);
    o.repaired = encoder_repaired(e);
    chain_done(&out);
    return o;
}

static void check_xml(const struct outcome *o)
{
    check(utf8_valid_prefix((struct str){ o->xml, o->len }) == o->len);
    for (size_t i = 0; i < o->len; i++)
        check((unsigned char)o->xml[i] >= 0x20 || o->xml[i] == '\n' || o->xml[i] == '\t');
}

static void check_encoder(struct encoder *e, const struct encode_input *input)
{
    struct outcome at_once = run(e, input, SIZE_MAX);
    struct outcome in_steps = run(e, input, 1);
    check(at_once.end == in_steps.end);
    if (at_once.end == CODEC_DONE) {
        check(at_once.len == in_steps.len && memcmp(at_once.xml, in_steps.xml, at_once.len) == 0);
        check(at_once.repaired == in_steps.repaired);
        if (input->options->encoding == NULL)
            check_xml(&at_once);
    } else {
        check(at_once.err.type == in_steps.err.type);
        check(strcmp(at_once.err.detail, in_steps.err.detail) == 0);
        check(strcmp(at_once.err.pointer, in_steps.err.pointer) == 0);
    }
    free(at_once.xml);
    free(in_steps.xml);
}

/* Walks over all values of valid text. */
static void walk(struct str value, unsigned depth)
{
    struct str name, inner;
    check(value.len > 0 && depth <= DEPTH);
    if (value.data[0] != '[' && value.data[0] != '{')
        return;
    struct json_cursor c = json_enter(value);
    while (json_next(&c, &name, &inner))
        walk(inner, depth + 1);
}

static void check_scan(struct str text)
{
    struct json_scan s;
    struct error err;
    enum codec_step end;
    json_scan_init(&s, NULL);
    json_scan_begin(&s, text, DEPTH);
    do
        end = json_scan_step(&s, 3, &err);
    while (end == CODEC_MORE);
    if (end == CODEC_DONE)
        walk(json_trim(text), 0);
    json_scan_done(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct encode_options options[] = {
        { .depth = DEPTH },
        { .depth = DEPTH, .extensions = UINT32_MAX, .text = TEXT_REPLACE, .timezone = "+02:00" },
        { .depth = DEPTH,
          .extensions = EXTENSION_EX_NIL | EXTENSION_BIGDECIMAL,
          .text = TEXT_BASE64,
          .encoding = "UTF-16" },
        { .depth = DEPTH, .extensions = EXTENSION_I8, .encoding = "ISO-8859-1" },
    };
    static const enum encode_kind kinds[] = { ENCODE_CALL, ENCODE_PARAMS, ENCODE_RESPONSE,
                                              ENCODE_FAULT };
    /* A copy of its own: the sanitizer sees reading beyond the end. */
    char *text = malloc(size > 0 ? size : 1);
    check(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    struct encoder *e = encoder_new(NULL);
    check_scan((struct str){ text, size });
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        struct encode_input input = {
            .kind = kinds[i], .method = STR("m"), .json = { text, size }, .options = &options[i]
        };
        check_encoder(e, &input);
    }
    encoder_free(e);
    free(text);
    return 0;
}
