/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a batch, or as JSON-RPC: in steps of any size it gives the same items or the same
 * error; what is found in them is what stands there; and the calls, encoded as parts of one
 * system.multicall, are what they are alone. */
#include "base/alloc.h"
#include "codec/json/batch_read.h"
#include "codec/json/cursor.h"
#include "codec/json/text.h"
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

static enum codec_step check_text(struct batch_reader *b, enum batch_dialect dialect,
                                  struct str text, size_t step, struct error *err)
{
    enum codec_step end;
    batch_reader_begin(b, dialect, text);
    do
        end = batch_reader_check(b, step, err);
    while (end == CODEC_MORE);
    return end;
}

static enum batch_step next(struct batch_reader *b, size_t step, struct batch_item *item,
                            struct error *err)
{
    enum batch_step end;
    do
        end = batch_reader_next(b, step, item, err);
    while (end == BATCH_MORE);
    return end;
}

static void check_inside(struct str part, struct str text)
{
    check(part.data == NULL ||
          (part.data >= text.data && part.len > 0 && part.data + part.len <= text.data + text.len));
}

/* The member of that name as the cursor finds it; NULL data: there is none. */
static struct str find(struct str object, const char *wanted)
{
    struct str name, value, found = { NULL, 0 };
    struct json_cursor c = json_enter(object);
    struct buf plain;
    buf_init(&plain, OUT_MAX, NULL);
    while (json_next(&c, &name, &value)) {
        buf_clear(&plain);
        json_unquote(name, &plain);
        if (str_eq_c(buf_str(&plain), wanted))
            found = value;
    }
    buf_done(&plain);
    return found;
}

static void check_item(const struct batch_item *item, enum batch_dialect dialect, struct str text,
                       struct str element)
{
    check_inside(item->params, text);
    check_inside(item->id, text);
    check(utf8_valid_prefix(item->method) == item->method.len);
    if (item->failed)
        return;
    check(element.data[0] == '{');
    check(find(element, dialect == BATCH_XMLRPC ? "methodName" : "method").data != NULL);
    check(find(element, "params").data == item->params.data);
    check(dialect == BATCH_XMLRPC || find(element, "id").data == item->id.data);
}

static struct str encode(struct encoder *e, enum encode_kind kind, const struct batch_item *item,
                         struct chain *out, struct error *err)
{
    static const struct encode_options options = { .depth = 20, .extensions = EXTENSION_NIL };
    struct encode_input input = {
        .kind = kind, .method = item->method, .json = item->params, .options = &options
    };
    enum codec_step step;
    encoder_begin(e, &input, out);
    do
        step = encoder_step(e, 7, err);
    while (step == CODEC_MORE);
    char *text = chain_dup(out);
    struct str whole = { text, step == CODEC_DONE ? chain_len(out) : 0 };
    chain_clear(out);
    return whole;
}

/* Takes away all up to `begin`, and from the last `end` on. */
static struct str between(struct str text, const char *begin, const char *end)
{
    const char *from = memmem(text.data, text.len, begin, strlen(begin));
    check(from != NULL && text.len >= strlen(end));
    from += strlen(begin);
    return (struct str){ from, (size_t)(text.data + text.len - from) - strlen(end) };
}

/* The params of a call without their tags, in place. */
static struct str without_tags(struct str text)
{
    static const struct str tags[] = { { "<param>", 7 }, { "</param>", 8 } };
    char *to = (char *)(uintptr_t)text.data;
    size_t n = 0;
    for (size_t at = 0; at < text.len;) {
        struct str rest = str_slice(text, at, text.len);
        if (str_starts_with(rest, tags[0]) || str_starts_with(rest, tags[1]))
            at += rest.data[1] == '/' ? tags[1].len : tags[0].len;
        else
            to[n++] = to[at++];
    }
    return (struct str){ to, n };
}

static void check_encoded(struct encoder *e, const struct batch_item *item)
{
    struct chain out;
    struct error err = { 0 }, part_err = { 0 };
    chain_init(&out, OUT_MAX, NULL);
    struct str call = encode(e, ENCODE_CALL, item, &out, &err);
    struct str part = encode(e, ENCODE_MULTICALL_ITEM, item, &out, &part_err);
    check((call.len == 0) == (part.len == 0));
    if (call.len == 0) {
        check(err.type == part_err.type && strcmp(err.pointer, part_err.pointer) == 0);
    } else {
        struct str params = between(call, "<params>", "</params></methodCall>\n");
        struct str values =
            between(part, "<data>", "</data></array></value></member></struct></value>");
        check(str_eq(without_tags(params), values));
    }
    free((char *)(uintptr_t)call.data);
    free((char *)(uintptr_t)part.data);
    chain_done(&out);
}

struct readers {
    struct batch_reader *a, *b;
    struct encoder *e;
};

static void check_items(const struct readers *readers, enum batch_dialect dialect, struct str text)
{
    struct batch_reader *a = readers->a, *b = readers->b;
    struct batch_item left, right;
    struct error err = { 0 }, right_err = { 0 };
    struct str element = json_trim(json_without_mark(text));
    struct json_cursor c = { 0 };
    bool is_list = batch_reader_is_list(a);
    size_t n = 0;
    if (is_list)
        c = json_enter(element);
    while (next(a, SIZE_MAX, &left, &err) == BATCH_ITEM) {
        check(next(b, 1, &right, &right_err) == BATCH_ITEM);
        check(left.index == n && right.index == n && left.failed == right.failed);
        check(str_eq(left.method, right.method) && left.params.data == right.params.data &&
              left.id.data == right.id.data && left.notification == right.notification);
        check(!left.failed || strcmp(err.pointer, right_err.pointer) == 0);
        if (is_list)
            check(json_next(&c, NULL, &element));
        check_item(&left, dialect, text, element);
        if (!left.failed)
            check_encoded(readers->e, &left);
        n++;
    }
    check(n == batch_reader_count(a) && next(b, 1, &right, &right_err) == BATCH_END);
    check(!is_list || !json_next(&c, NULL, &element));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct batch_reader *a, *b;
    static struct encoder *e;
    if (a == NULL) {
        a = batch_reader_new(NULL);
        b = batch_reader_new(NULL);
        e = encoder_new(NULL);
    }
    /* A copy of its own: the sanitizer sees reading beyond the end. */
    char *copy = malloc(size > 0 ? size : 1);
    check(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    struct str text = { copy, size };
    for (int dialect = BATCH_REST; dialect <= BATCH_XMLRPC; dialect++) {
        struct error left, right;
        enum codec_step end = check_text(a, (enum batch_dialect)dialect, text, SIZE_MAX, &left);
        check(check_text(b, (enum batch_dialect)dialect, text, 1, &right) == end);
        if (end == CODEC_DONE)
            check_items(&(struct readers){ a, b, e }, (enum batch_dialect)dialect, text);
        else
            check(left.type == right.type && strcmp(left.detail, right.detail) == 0);
        batch_reader_clear(a);
        batch_reader_clear(b);
    }
    free(copy);
    return 0;
}
