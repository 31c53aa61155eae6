/* SPDX-License-Identifier: Apache-2.0 */
/* The results in an answer of system.multicall, told one by one while the document is read. They
 * are the elements of the one array that the answer is; the nesting tells where a value stands:
 * 1 is that array, 2 what a result itself is, 3 what stands in a result's array of one. */
#include "codec/xml/decode_private.h"

#include <limits.h>

bool items_may_begin(struct decoder *d, enum element element)
{
    if (element == ELEMENT_ARRAY) {
        d->items.open = true;
        return true;
    }
    decode_fail(d, REFUSED_MULTICALL,
                "an answer of system.multicall is an array, and this is none");
    return false;
}

/* A result that is wrapped begins when its array does. */
static void watch_item(struct decoder *d, const struct decode_watch *wanted)
{
    bool bare = d->options->items->shape == ITEMS_BARE;
    watched_begin(d, wanted, bare ? 1 : UINT_MAX);
    if (bare && wanted != NULL)
        watched_value(d, NULL, 0, 0);
}

static void begin_item(struct decoder *d)
{
    struct items *items = &d->items;
    const struct decode_items *told = d->options->items;
    if (items->n == told->n) {
        decode_fail(d, REFUSED_MULTICALL, "there are more results than the %zu calls", told->n);
        return;
    }
    items->wrapping = false;
    items->n_values = 0;
    items->kind = told->shape == ITEMS_BARE ? ITEM_VALUE : ITEM_NEITHER;
    told->begin(told->context, items->n);
    items->mark = chain_len(d->out);
    items->edits = d->edits.n;
    if (UNLIKELY(told->watch != NULL))
        watch_item(d, told->watch(told->context, items->n));
}

bool items_begin_child(struct decoder *d)
{
    if (d->depth == 1) {
        begin_item(d);
        return true;
    }
    if (d->depth == 2 && d->items.wrapping && ++d->items.n_values == 2)
        watched_begin(d, NULL, 0);
    return false;
}

bool items_begin_array(struct decoder *d)
{
    struct items *items = &d->items;
    if (d->depth == 2 && d->options->items->shape == ITEMS_WRAPPED) {
        items->wrapping = true;
        items->kind = ITEM_VALUE;
        if (UNLIKELY(d->watch.wanted != NULL))
            watched_begin(d, d->watch.wanted, 2);
    }
    return d->depth == 1 || (d->depth == 2 && items->wrapping);
}

bool items_end_array(struct decoder *d)
{
    struct items *items = &d->items;
    if (d->depth > 0)
        return d->depth == 1 && items->wrapping;
    items->open = false;
    if (items->n < d->options->items->n)
        decode_fail(d, REFUSED_MULTICALL, "there are %zu results of %zu calls", items->n,
                    d->options->items->n);
    return true;
}

/* Which of a fault's members a struct has. */
static void look_for_fault(const struct decoder *d, const struct member *members, size_t n,
                           bool *both, bool *only)
{
    bool code = false, string = false;
    *only = true;
    for (size_t i = 0; i < n; i++) {
        struct str name = { buf_c(&d->names) + members[i].name, members[i].len };
        bool is_code = str_eq(name, STR("faultCode"));
        bool is_string = str_eq(name, STR("faultString"));
        code = code || is_code;
        string = string || is_string;
        *only = *only && (is_code || is_string);
    }
    *both = code && string;
}

void items_end_struct(struct decoder *d, const struct member *members, size_t n)
{
    struct items *items = &d->items;
    bool wrapped = d->depth == 2 && items->wrapping;
    bool both, only;
    if (d->depth != 1 && !wrapped)
        return;
    look_for_fault(d, members, n, &both, &only);
    if (!both || (!only && (wrapped || d->options->items->shape == ITEMS_BARE)))
        return;
    fault_keep(d, members, n);
    if (!wrapped || !d->has_fault_code_text)
        items->kind = ITEM_FAULT;
}

/* The fault that was kept, if any, is not the next item's. */
static void forget_fault(struct decoder *d)
{
    d->has_fault_string = false;
    d->fault_truncated = false;
    d->has_fault_code_text = false;
    d->fault_code = 0;
}

void items_end_child(struct decoder *d)
{
    struct items *items = &d->items;
    const struct decode_items *told = d->options->items;
    if (d->depth != 1 || d->failed)
        return;
    if (items->wrapping && items->n_values != 1)
        items->kind = ITEM_NEITHER;
    struct decode_item item = { .index = items->n++, .kind = items->kind };
    if (item.kind != ITEM_VALUE) {
        chain_truncate(d->out, items->mark);
        edits_forget(d, items->edits);
    }
    if (item.kind == ITEM_FAULT)
        item.fault = decode_fault(d);
    if (item.kind == ITEM_VALUE)
        watched_end(d);
    else
        watched_begin(d, NULL, 0);
    told->end(told->context, &item);
    forget_fault(d);
}

bool items_finish(struct decoder *d)
{
    if (d->kind == DOCUMENT_FAULT) {
        chain_truncate(d->out, d->begin);
        edits_forget(d, 0);
    }
    if (d->kind == DOCUMENT_RESPONSE && d->n_params != 1)
        return decode_fail(d, REFUSED_MULTICALL,
                           "an answer of system.multicall is one value, and here are %zu",
                           d->n_params);
    return true;
}

bool decode_items_shape(const struct chain *json, enum items_shape *ret)
{
    char head[4];
    struct chain_cursor cursor = { 0 };
    struct str text = { head, chain_read(json, &cursor, head, sizeof head) };
    /* The params, the results, and of the first one either the array of one, or at once the array
     * of names. */
    *ret = str_eq(text, STR("[[[\"")) ? ITEMS_BARE : ITEMS_WRAPPED;
    return *ret == ITEMS_BARE || str_eq(text, STR("[[[["));
}
