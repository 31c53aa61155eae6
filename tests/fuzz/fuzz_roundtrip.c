/* SPDX-License-Identifier: Apache-2.0 */
/* JSON to XML-RPC and back: whatever the encoder writes, the decoder reads, as the same values. The
 * first byte of an input chooses the options, the rest is the JSON. */
#include "codec/json/cursor.h"
#include "codec/json/scan.h"
#include "codec/xml/decode.h"
#include "roundtrip_values.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define OUT_MAX ((size_t)1 << 24)
#define DEPTH 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_json(struct str text)
{
    struct error err;
    return json_scan_all(text, DEPTH, &err);
}

/* Is there something that an encoder with all extensions may refuse? A number that is too large is
 * the one thing that the scanner leaves to it. */
static void check_refusal(struct str text, const struct roundtrip *trip, const struct error *err)
{
    if (err->type == PROBLEM_INVALID_JSON) {
        roundtrip_check(strstr(err->detail, "larger than every double") != NULL);
        return;
    }
    roundtrip_check(err->type == PROBLEM_UNREPRESENTABLE);
    if (strstr(err->detail, "the same as another of its object") != NULL) {
        roundtrip_check(trip->encode.text != TEXT_REJECT);
        return;
    }
    roundtrip_check(trip->encode.text == TEXT_REJECT || trip->kind == ENCODE_RESPONSE ||
                    memchr(text.data, '$', text.len) != NULL ||
                    memmem(text.data, text.len, "\\u0024", 6) != NULL);
}

static bool encode(struct str text, struct roundtrip *trip, struct chain *out)
{
    struct encode_input input = {
        .kind = trip->kind, .method = STR("m"), .json = text, .options = &trip->encode
    };
    struct error err;
    enum codec_step end;
    struct encoder *e = encoder_new(NULL);
    encoder_begin(e, &input, out);
    do
        end = encoder_step(e, SIZE_MAX, &err);
    while (end == CODEC_MORE);
    trip->repaired = encoder_repaired(e);
    encoder_free(e);
    if (end != CODEC_DONE)
        check_refusal(text, trip, &err);
    return end == CODEC_DONE;
}

static void decode(struct str document, const struct roundtrip *trip, struct chain *out)
{
    static const enum document_kind kinds[] = { [ENCODE_CALL] = DOCUMENT_CALL,
                                                [ENCODE_PARAMS] = DOCUMENT_PARAMS,
                                                [ENCODE_RESPONSE] = DOCUMENT_RESPONSE };
    static struct decoder *d;
    struct decode_options options = { .types = trip->types,
                                      .depth = DEPTH,
                                      .document_max = OUT_MAX };
    struct decode_result result;
    struct error err;
    if (d == NULL)
        d = decoder_new();
    decoder_begin(d, &options, out);
    if (!decoder_feed(d, document, &err) || !decoder_finish(d, &result, &err)) {
        fprintf(stderr, "%s\n%.*s\n", err.detail, STR_ARGS(document));
        abort();
    }
    roundtrip_check(result.kind == kinds[trip->kind] && result.repaired == 0);
    roundtrip_check(trip->kind != ENCODE_CALL || str_eq_c(result.method, "m"));
}

static void check_form(struct str in, struct str document, const struct roundtrip *trip)
{
    struct chain out;
    chain_init(&out, OUT_MAX, NULL);
    decode(document, trip, &out);
    char *json = chain_dup(&out);
    struct str params = { json, chain_len(&out) };
    roundtrip_check(params.len >= 2 && params.data[0] == '[');
    if (in.data[0] == '[') {
        roundtrip_check_members(in, params, trip);
    } else {
        struct json_cursor c = json_enter(params);
        struct str value, more;
        roundtrip_check(json_next(&c, NULL, &value) && !json_next(&c, NULL, &more));
        roundtrip_check_value(in, value, trip);
    }
    free(json);
    chain_done(&out);
}

static void check_trip(struct str text, struct roundtrip *trip)
{
    struct chain out;
    chain_init(&out, OUT_MAX, NULL);
    if (encode(text, trip, &out)) {
        char *xml = chain_dup(&out);
        trip->types = TYPES_TAGGED;
        check_form(json_trim(text), (struct str){ xml, chain_len(&out) }, trip);
        trip->types = TYPES_PLAIN;
        check_form(json_trim(text), (struct str){ xml, chain_len(&out) }, trip);
        free(xml);
    }
    chain_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const encodings[] = { NULL, "US-ASCII", "ISO-8859-1", "UTF-16",
                                             "SHIFT_JIS" };
    static const struct {
        const char *name;
        int seconds;
    } zones[] = { { NULL, 0 }, { "+02:00", 7200 }, { "-09:30", -34200 } };
    static const enum encode_kind kinds[] = { ENCODE_PARAMS, ENCODE_CALL, ENCODE_RESPONSE };
    if (size < 2)
        return 0;
    unsigned choice = data[0];
    size_t zone = choice / 15 % 3;
    struct roundtrip trip = {
        .encode = { .extensions =
                        choice & 0x80 ? UINT32_MAX & ~(unsigned)EXTENSION_NIL : UINT32_MAX,
                    .depth = DEPTH,
                    .text = (enum text_policy)(choice % 3),
                    .encoding = encodings[choice / 3 % ARRAY_LEN(encodings)],
                    .timezone = zones[zone].name },
        .zone = zones[zone].seconds,
        .kind = kinds[choice / 45 % ARRAY_LEN(kinds)],
    };
    /* A copy of its own: the sanitizer sees reading beyond the end. */
    char *text = malloc(size - 1);
    roundtrip_check(text != NULL);
    memcpy(text, data + 1, size - 1);
    if (is_json((struct str){ text, size - 1 }))
        check_trip((struct str){ text, size - 1 }, &trip);
    free(text);
    return 0;
}
