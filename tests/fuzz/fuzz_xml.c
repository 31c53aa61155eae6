/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an XML-RPC document: cut in different ways it gives the same JSON or the same kind
 * of error, and that JSON is valid. The first byte chooses the options. */
#include "base/alloc.h"
#include "codec/json/scan.h"
#include "codec/xml/decode.h"

#include <stdint.h>
#include <stdlib.h>

/* More JSON than any document here gives. [bytes] */
#define OUT_MAX ((size_t)1 << 24)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What one way of cutting gave. */
struct outcome {
    bool ok;
    struct decode_result result;
    char *fault_string, *code_text, *method; /* copies; owned; NULL: none */
    struct error err;
    struct chain out;
};

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* The length of the piece at `at`: all, one byte, or of a pattern that repeats itself late. */
static size_t piece(unsigned way, size_t at, size_t left)
{
    size_t n = way == 0 ? left : way == 1 ? 1 : 1 + (at * 7 + at / 3) % 13;
    return n < left ? n : left;
}

static char *copy(struct str text)
{
    return text.data != NULL ? xmemdup0(text.data, text.len) : NULL;
}

static void check_same_text(const char *a, const char *b)
{
    check((a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0));
}

static void decode(struct decoder *d, const struct decode_options *options, struct str document,
                   size_t out_max, unsigned way, struct outcome *o)
{
    chain_init(&o->out, out_max, NULL);
    decoder_begin(d, options, &o->out);
    o->ok = true;
    for (size_t at = 0; o->ok && at < document.len;) {
        size_t n = piece(way, at, document.len - at);
        o->ok = decoder_feed(d, str_slice(document, at, at + n), &o->err);
        at += n;
    }
    o->ok = o->ok && decoder_finish(d, &o->result, &o->err);
    o->fault_string = o->ok ? copy(o->result.fault.string) : NULL;
    o->code_text = o->ok ? copy(o->result.fault.code_text) : NULL;
    o->method = o->ok ? copy(o->result.method) : NULL;
}

static void outcome_done(struct outcome *o)
{
    chain_done(&o->out);
    free(o->fault_string);
    free(o->code_text);
    free(o->method);
}

static void check_same(const struct outcome *a, const struct outcome *b)
{
    check(a->ok == b->ok);
    if (!a->ok) { /* which of two mistakes is told first depends on the pieces, for the output's end
                     is seen at theirs */
        check(a->out.max < OUT_MAX ||
              (a->err.type == b->err.type && a->err.setting == b->err.setting));
        return;
    }
    check(a->result.kind == b->result.kind && a->result.n_params == b->result.n_params);
    check(a->result.repaired == b->result.repaired);
    check(a->result.fault.code == b->result.fault.code);
    check_same_text(a->fault_string, b->fault_string);
    check_same_text(a->code_text, b->code_text);
    check_same_text(a->method, b->method);
    char *left = chain_dup(&a->out), *right = chain_dup(&b->out);
    check(str_eq_c(str_of(left), right));
    free(left);
    free(right);
}

/* Documents that may be repaired are read by libxml2 alone; where nothing was, that must not show.
 */
static void check_by_libxml2(struct decoder *d, struct decode_options options, struct str document,
                             size_t out_max, const struct outcome *o)
{
    struct outcome other;
    if (options.text != TEXT_REJECT)
        return;
    options.text = TEXT_REPLACE;
    decode(d, &options, document, out_max, 0, &other);
    if (!other.ok || other.result.repaired == 0)
        check_same(o, &other);
    outcome_done(&other);
}

/* The request's scanner reads it: that is strict, and wants each name once in a struct. */
static void check_json(const struct chain *out)
{
    struct error err;
    char *text = chain_dup(out);
    check(json_scan_all((struct str){ text, chain_len(out) }, CODEC_DEPTH_MAX, &err));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const forced[] = { NULL, NULL, NULL, "ISO-8859-1", "UTF-16", "SHIFT_JIS" };
    static struct decoder *d;
    if (size == 0)
        return 0;
    if (d == NULL)
        d = decoder_new();
    unsigned choice = data[0];
    struct decode_options options = {
        .types = choice & 1 ? TYPES_TAGGED : TYPES_PLAIN,
        .integers = (enum integers_form)(choice / 2 % 3),
        .text = (enum text_policy)(choice / 6 % 3),
        .depth = 20,
        .document_max = (size_t)1 << 20,
        .encoding_forced = forced[choice / 18 % ARRAY_LEN(forced)],
    };
    struct str document = { (const char *)data + 1, size - 1 };
    size_t out_max = choice < 216 ? OUT_MAX : 700;
    struct outcome outcomes[3];
    for (unsigned way = 0; way < ARRAY_LEN(outcomes); way++) {
        decode(d, &options, document, out_max, way, &outcomes[way]);
        check_same(&outcomes[0], &outcomes[way]);
    }
    check_by_libxml2(d, options, document, out_max, &outcomes[0]);
    /* A bigdecimal may be larger than any double, which a request may not. */
    if (outcomes[0].ok && memmem(document.data, document.len, "bigdecimal", 10) == NULL)
        check_json(&outcomes[0].out);
    for (unsigned way = 0; way < ARRAY_LEN(outcomes); way++)
        outcome_done(&outcomes[way]);
    return 0;
}
