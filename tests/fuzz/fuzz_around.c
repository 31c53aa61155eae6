/* SPDX-License-Identifier: Apache-2.0 */
/* What is written around a call's params makes the document of a text that has it all: whatever
 * the text, one is refused where the other is. */
#include "codec/json/cursor.h"
#include "codec/json/scan.h"
#include "codec/json/text.h"
#include "codec/xml/encode.h"

#include <stdint.h>
#include <stdlib.h>

#define OUT_MAX ((size_t)1 << 24)
#define DEPTH 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct str values_json[] = { { "\"K\xC3\xA9<\"", 6 }, { "[{\"a\":1}]", 9 } };
static const struct {
    struct str name, json, value;
} members[] = { { { "t", 1 }, { "\"t\"", 3 }, { "7", 1 } },
                { { "AQ==", 4 }, { "\"AQ==\"", 6 }, { "{\"t\":[]}", 8 } },
                { { "\xEF\xBF\xBD", 3 }, { "\"\xEF\xBF\xBD\"", 5 }, { "\"\"", 2 } } };

static bool encode(const struct encode_input *input, size_t step, struct chain *out)
{
    struct error err;
    enum codec_step end;
    struct encoder *e = encoder_new(NULL);
    chain_init(out, OUT_MAX, NULL);
    encoder_begin(e, input, out);
    do
        end = encoder_step(e, step, &err);
    while (end == CODEC_MORE);
    encoder_free(e);
    return end == CODEC_DONE;
}

static char *piece(struct str json, const struct encode_options *options)
{
    const struct encode_input input = { .kind = ENCODE_VALUE, .json = json, .options = options };
    struct chain out;
    if (!encode(&input, SIZE_MAX, &out))
        abort();
    char *text = chain_dup(&out);
    chain_done(&out);
    return text;
}

/* ---- The text that has it all; false: there is none ---- */

struct merge {
    const struct encode_around *around;
    struct buf *to;
    bool first;
};

static void add(struct merge *m, struct str value)
{
    if (!m->first)
        buf_append_byte(m->to, ',');
    m->first = false;
    buf_append(m->to, value);
}

static void add_values(struct merge *m)
{
    for (size_t i = 0; i < m->around->n_values; i++)
        add(m, values_json[i]);
}

/* The members of an object, which it may say to be a struct. */
static bool find_struct(struct str value, struct str *ret)
{
    struct json_cursor c;
    struct str name, inner, other;
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, OUT_MAX, NULL);
    *ret = value;
    if (value.data[0] != '{')
        return false;
    c = json_enter(value);
    if (!json_next(&c, &name, &inner) || json_next(&c, &other, &other))
        return true;
    json_unquote(name, &text);
    if (text.len == 0 || text.data[0] != '$')
        return true;
    *ret = inner;
    return str_eq_c((struct str){ buf_c(&text), text.len }, "$struct") && inner.data[0] == '{';
}

static bool add_struct(struct merge *m, struct str value)
{
    struct str object;
    if (!find_struct(value, &object))
        return false;
    add(m, STR("{\"$struct\":{"));
    for (size_t i = 0; i < m->around->n_members; i++) {
        if (i > 0)
            buf_append_byte(m->to, ',');
        buf_append(m->to, members[i].json);
        buf_append_byte(m->to, ':');
        buf_append(m->to, members[i].value);
    }
    struct json_cursor c = json_enter(object);
    struct str name;
    while (json_next(&c, &name, &value)) {
        buf_append_byte(m->to, ',');
        buf_append(m->to, name);
        buf_append_byte(m->to, ':');
        buf_append(m->to, value);
    }
    buf_append_c(m->to, "}}");
    return true;
}

static bool add_param(struct merge *m, size_t index, struct str value)
{
    if (index == m->around->at)
        add_values(m);
    if (m->around->n_members > 0 && index == m->around->in)
        return add_struct(m, value);
    add(m, value);
    return true;
}

static bool merge(const struct encode_around *around, struct str text, struct buf *to)
{
    struct merge m = { around, to, true };
    struct str value;
    size_t n = 0;
    text = json_trim(json_without_mark(text));
    buf_append_byte(to, '[');
    if (text.len > 0 && text.data[0] == '[') {
        struct json_cursor c = json_enter(text);
        while (json_next(&c, NULL, &value))
            if (!add_param(&m, n++, value))
                return false;
    } else if (text.len > 0 && !add_param(&m, n++, text)) {
        return false;
    }
    if (around->n_members > 0 && around->in >= n &&
        (around->in > n || !add_param(&m, n++, STR("{}"))))
        return false;
    if (around->n_values > 0 && around->at >= n) {
        if (around->at > n && around->at != ENCODE_BEHIND)
            return false;
        add_values(&m);
    }
    buf_append_byte(to, ']');
    return true;
}

static void compare(const struct encode_input *with, struct encode_input *merged, struct str text)
{
    CLEANUP(buf_done) struct buf json;
    struct chain a, b;
    buf_init(&json, OUT_MAX, NULL);
    bool can = merge(with->around, text, &json);
    merged->json = buf_str(&json);
    bool done = encode(with, 5, &a);
    bool done_merged = encode(merged, SIZE_MAX, &b);
    if (done != (can && done_merged))
        abort();
    if (done) {
        char *x = chain_dup(&a), *y = chain_dup(&b);
        if (chain_len(&a) != chain_len(&b) || memcmp(x, y, chain_len(&a)) != 0)
            abort();
        free(x);
        free(y);
    }
    chain_done(&a);
    chain_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const encodings[] = { NULL, "UTF-16", "US-ASCII" };
    if (size < 3 || size > 4096)
        return 0;
    const struct encode_options options = { .extensions = UINT32_MAX,
                                            .depth = DEPTH,
                                            .text = data[0] % 3,
                                            .encoding = encodings[data[0] / 3 % 3] };
    struct encode_options deeper = options;
    deeper.depth += 2;
    struct str values[ARRAY_LEN(values_json)];
    struct encode_member added[ARRAY_LEN(members)];
    struct encode_around around = { .values = values,
                                    .n_values = data[1] % (ARRAY_LEN(values) + 1),
                                    .at = data[1] / 4 % 4 == 3 ? ENCODE_BEHIND : data[1] / 4 % 4,
                                    .members = added,
                                    .n_members = data[2] % (ARRAY_LEN(added) + 1),
                                    .in = data[2] / 4 % 3 };
    struct str text = { (const char *)data + 3, size - 3 };
    struct error err;
    if (json_trim(json_without_mark(text)).len > 0 &&
        !json_scan_all(json_without_mark(text), DEPTH, &err))
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        values[i] = str_of(piece(values_json[i], &options));
    for (size_t i = 0; i < ARRAY_LEN(added); i++)
        added[i] =
            (struct encode_member){ members[i].name, str_of(piece(members[i].value, &options)) };
    struct encode_input with = { .kind = data[0] & 64 ? ENCODE_MULTICALL_ITEM : ENCODE_CALL,
                                 .method = STR("m"),
                                 .json = text,
                                 .options = &options,
                                 .around = &around };
    struct encode_input merged = with;
    merged.around = NULL;
    merged.options = &deeper;
    compare(&with, &merged, text);
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        free((void *)(uintptr_t)values[i].data);
    for (size_t i = 0; i < ARRAY_LEN(added); i++)
        free((void *)(uintptr_t)added[i].value.data);
    return 0;
}
