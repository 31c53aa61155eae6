/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as params: the encoder that reads them once gives what the one gives that reads them
 * twice, or the same error. The first byte chooses the options. */
#include "base/macros.h"
#include "codec/xml/encode.h"

#include <stdint.h>
#include <stdlib.h>

#define OUT_MAX ((size_t)1 << 24)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static enum codec_step encode(struct encoder *e, const struct encode_input *input, size_t step,
                              struct chain *out, struct error *err)
{
    enum codec_step end;
    chain_init(out, OUT_MAX, NULL);
    encoder_begin(e, input, out);
    do
        end = encoder_step(e, step, err);
    while (end == CODEC_MORE);
    return end;
}

static void check_same_text(const struct chain *a, const struct chain *b)
{
    char *left = chain_dup(a), *right = chain_dup(b);
    check(chain_len(a) == chain_len(b) && memcmp(left, right, chain_len(a)) == 0);
    free(left);
    free(right);
}

/* Where something is to be written around the params, however little, they are read twice. */
static void compare(struct encoder *e, struct encode_input input, size_t step)
{
    static const struct encode_around nothing = { .at = ENCODE_BEHIND };
    struct chain once, twice;
    struct error err = { .type = PROBLEM_INTERNAL }, other = { .type = PROBLEM_INTERNAL };
    enum codec_step end = encode(e, &input, step, &once, &err);
    input.around = &nothing;
    check(encode(e, &input, SIZE_MAX, &twice, &other) == end);
    if (end == CODEC_DONE)
        check_same_text(&once, &twice);
    else
        check(err.type == other.type && err.setting == other.setting &&
              strcmp(err.detail, other.detail) == 0);
    chain_done(&once);
    chain_done(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum encode_kind kinds[] = { ENCODE_CALL, ENCODE_PARAMS, ENCODE_MULTICALL_ITEM };
    static const unsigned extensions[] = { 0, UINT32_MAX, EXTENSION_NIL, EXTENSION_EX_NIL };
    static struct encoder *e;
    if (size == 0)
        return 0;
    if (e == NULL)
        e = encoder_new(NULL);
    unsigned choice = data[0];
    const struct encode_options options = { .extensions = extensions[choice % 4],
                                            .depth = (choice / 4 & 1) != 0 ? 3 : 20,
                                            .text = (enum text_policy)(choice / 8 % 3) };
    /* A copy of its own: the sanitizer sees reading beyond the end. */
    char *json = malloc(size);
    check(json != NULL);
    memcpy(json, data + 1, size - 1);
    struct encode_input input = { .kind = kinds[choice / 24 % ARRAY_LEN(kinds)],
                                  .method = STR("m"),
                                  .json = { json, size - 1 },
                                  .options = &options };
    compare(e, input, SIZE_MAX);
    compare(e, input, 1);
    free(json);
    return 0;
}
