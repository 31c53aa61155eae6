/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an answer of system.multicall: cut in different ways, and read with or without
 * libxml2, it gives the same results, and those are the ones that stand in the JSON of the same
 * document, decoded as any other. The first byte chooses the options. */
#include "base/alloc.h"
#include "codec/json/cursor.h"
#include "codec/json/write.h"
#include "codec/xml/decode.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define OUT_MAX ((size_t)1 << 24)
#define DEPTH 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What one way of reading gave. */
struct outcome {
    bool ok;
    struct decode_result result;
    struct error err;
    struct chain out;
    size_t mark; /* where the item at hand begins in `out` */
    size_t n;    /* items that have ended */
};

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void on_begin(void *context, size_t index)
{
    struct outcome *o = context;
    check(index == o->n);
    chain_append_byte(&o->out, '\n');
    o->mark = chain_len(&o->out);
}

static void write_fault(struct chain *to, const struct fault *fault)
{
    char code[32];
    snprintf(code, sizeof code, "%lld", (long long)fault->code);
    chain_append(to, STR("fault "));
    chain_append_c(to, code);
    json_write_string(to, fault->code_text);
    json_write_string(to, fault->string);
}

static void on_end(void *context, const struct decode_item *item)
{
    struct outcome *o = context;
    check(item->index == o->n++);
    if (item->kind != ITEM_VALUE)
        check(chain_len(&o->out) == o->mark);
    if (item->kind == ITEM_FAULT)
        write_fault(&o->out, &item->fault);
    else if (item->kind == ITEM_NEITHER)
        chain_append(&o->out, STR("neither"));
}

/* The length of the piece at `at`: all, one byte, or of a pattern that repeats itself late. */
static size_t piece(unsigned way, size_t at, size_t left)
{
    size_t n = way == 0 ? left : way == 1 ? 1 : 1 + (at * 7 + at / 3) % 13;
    return n < left ? n : left;
}

static void decode(struct decoder *d, const struct decode_options *options, struct str document,
                   unsigned way, struct outcome *o)
{
    chain_init(&o->out, OUT_MAX, NULL);
    o->n = 0;
    decoder_begin(d, options, &o->out);
    o->ok = true;
    for (size_t at = 0; o->ok && at < document.len;) {
        size_t n = piece(way, at, document.len - at);
        o->ok = decoder_feed(d, str_slice(document, at, at + n), &o->err);
        at += n;
    }
    o->ok = o->ok && decoder_finish(d, &o->result, &o->err);
}

static void check_same(const struct outcome *a, const struct outcome *b)
{
    check(a->ok == b->ok);
    if (!a->ok) {
        check(a->err.type == b->err.type && a->err.setting == b->err.setting);
        return;
    }
    check(a->result.kind == b->result.kind && a->n == b->n);
    check(a->result.fault.code == b->result.fault.code);
    char *left = chain_dup(&a->out), *right = chain_dup(&b->out);
    check(strcmp(left, right) == 0);
    free(left);
    free(right);
}

/* Reads in all ways, which must give the same; *ret is the first. */
static void decode_all(struct decoder *d, struct decode_options options, struct decode_items items,
                       struct str document, struct outcome *ret)
{
    struct outcome other;
    options.items = &items;
    items.context = ret;
    decode(d, &options, document, 0, ret);
    items.context = &other;
    for (unsigned way = 1; way < 3; way++) {
        decode(d, &options, document, way, &other);
        check_same(ret, &other);
        chain_done(&other.out);
    }
    if (options.text != TEXT_REJECT)
        return;
    options.text = TEXT_REPLACE;
    decode(d, &options, document, 0, &other);
    if (!other.ok || other.result.repaired == 0)
        check_same(ret, &other);
    chain_done(&other.out);
}

static size_t count(struct str array)
{
    struct json_cursor c = json_enter(array);
    struct str value;
    size_t n = 0;
    while (json_next(&c, NULL, &value))
        n++;
    return n;
}

/* What the result's line must be, unless a fault; NULL data: neither. */
static struct str expected(struct str element, enum items_shape shape)
{
    struct str value = { NULL, 0 };
    if (shape == ITEMS_BARE)
        return element;
    if (element.data[0] == '[' && count(element) == 1) {
        struct json_cursor c = json_enter(element);
        check(json_next(&c, NULL, &value));
    }
    return value;
}

static void check_line(struct str line, struct str element, enum items_shape shape)
{
    struct str value = expected(element, shape);
    if (str_starts_with(line, STR("fault ")))
        check(memmem(element.data, element.len, "\"faultCode\":", 12) != NULL &&
              memmem(element.data, element.len, "\"faultString\":", 14) != NULL);
    else if (value.data == NULL)
        check(str_eq_c(line, "neither"));
    else
        check(str_eq(line, value));
}

/* Compares the lines with the elements of the array that the document is. */
static void check_items(const struct outcome *o, struct str array, enum items_shape shape)
{
    char *text = chain_dup(&o->out);
    struct str rest = str_of(text);
    struct json_cursor c = json_enter(array);
    struct str element;
    while (json_next(&c, NULL, &element)) {
        check(rest.len > 0 && rest.data[0] == '\n');
        rest = str_slice(rest, 1, rest.len);
        size_t end = str_find(rest, '\n');
        check_line(str_slice(rest, 0, end), element, shape);
        rest = str_slice(rest, end, rest.len);
    }
    check(rest.len == 0);
    free(text);
}

static void check_shape(struct decoder *d, const struct decode_options *options,
                        struct str document, enum items_shape shape, struct str array)
{
    struct decode_items items = {
        .shape = shape, .n = count(array), .begin = on_begin, .end = on_end
    };
    struct outcome o;
    decode_all(d, *options, items, document, &o);
    if (o.ok)
        check_items(&o, array, shape);
    else /* The results are deeper than the whole was allowed to be, or the reverse. */
        check(o.err.type == PROBLEM_RESPONSE_TOO_LARGE);
    chain_done(&o.out);
    items.n++;
    decode_all(d, *options, items, document, &o);
    check(!o.ok);
    chain_done(&o.out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
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
        .depth = DEPTH,
        .document_max = (size_t)1 << 20,
    };
    struct str document = { (const char *)data + 1, size - 1 };
    struct outcome whole;
    decode(d, &options, document, 0, &whole);
    char *json = chain_dup(&whole.out);
    bool is_list = whole.ok && whole.result.kind == DOCUMENT_RESPONSE &&
                   whole.result.n_params == 1 && json[1] == '[';
    struct decode_items items = { .n = 3, .begin = on_begin, .end = on_end };
    struct outcome o;
    if (is_list) {
        struct str array = { json + 1, strlen(json) - 2 };
        check_shape(d, &options, document, ITEMS_WRAPPED, array);
        check_shape(d, &options, document, ITEMS_BARE, array);
    } else {
        decode_all(d, options, items, document, &o);
        check(!o.ok || o.result.kind != DOCUMENT_RESPONSE || !whole.ok);
        chain_done(&o.out);
    }
    chain_done(&whole.out);
    free(json);
    return 0;
}
