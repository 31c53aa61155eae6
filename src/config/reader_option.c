/* SPDX-License-Identifier: Apache-2.0 */
/* One setting: a number, a text, or a list of texts or words. */
#include "config/reader_inside.h"

#include "config/shown.h"

#include <string.h>

/* An integer of the file is a code, a string a glob. */
static void take_code(struct reader *r, const struct target *t, const struct value *v)
{
    struct fault_code *code = t->member;
    bool number = t->setting->type == SETTING_INTEGER;
    code->form = number ? FAULT_CODE_NUMBER : FAULT_CODE_GLOB;
    code->number = number ? t->setting->integer : 0;
    code->glob = number ? NULL : reader_keep(r, t, v);
}

/* A text that was refused. */
static void refuse_text(struct reader *r, const struct target *t, const struct value *v,
                        const char *why)
{
    if (v->hidden && kind_is_headers(t->row->kind))
        why =
            "this is no header line that can be sent; it must be \"Name: value\", without control "
            "characters, and not one that rpcgate makes itself";
    reader_refuse(r, t, why);
}

/* A number or text from its resolved value. */
static bool take_scalar(struct reader *r, const struct target *t, const struct value *v)
{
    const struct kind *kind = t->row->kind;
    struct buf why;
    buf_init(&why, READER_WHY_MAX, NULL);
    int64_t number = 0;
    bool ok;
    if (kind->form == FORM_NUMBER) {
        ok = kind->parse(kind, buf_str(&v->text), &number, &why) &&
             reader_check_bounds(t->row, number, &why);
        if (ok)
            kind->put(t->member, number);
        else if (!v->unresolved)
            reader_refuse_value(r, t, v, buf_c(&why));
    } else {
        ok = kind->check(buf_str(&v->text), &why) || v->unresolved;
        if (!ok)
            refuse_text(r, t, v, buf_c(&why));
        else if (kind->form == FORM_CODE)
            take_code(r, t, v);
        else
            *(char **)t->member = reader_keep(r, t, v);
    }
    buf_done(&why);
    return ok || v->unresolved;
}

static void remember(struct reader *r, const struct target *t, struct buf *shown, bool unresolved)
{
    t->origin->shown = store_text(r->store, buf_str(shown));
    t->origin->unresolved = unresolved;
}

static void read_scalar(struct reader *r, const struct target *t)
{
    enum setting_type type = t->setting->type;
    bool code = t->row->kind->form == FORM_CODE && type == SETTING_INTEGER;
    bool number = t->row->kind == &kinds[KIND_number] && type == SETTING_INTEGER;
    bool right = type == t->row->kind->type || code || number;
    /* Numbers and flags may come from a variable, which makes them strings in the file. */
    if (!right && (type != SETTING_TEXT || strstr(t->setting->text, "${") == NULL)) {
        reader_refuse_type(r, t);
        return;
    }
    struct value v;
    value_init(&v);
    if (reader_resolve(r, t, &v)) {
        if (!right && !v.substituted)
            reader_refuse_type(r, t);
        else if (take_scalar(r, t, &v)) {
            struct buf shown;
            buf_init(&shown, 8 * v.text.len + 64, NULL);
            shown_value(&shown, code ? &kinds[KIND_count] : t->row->kind, &v);
            remember(r, t, &shown, v.unresolved);
            buf_done(&shown);
        }
    }
    value_done(&v);
}

/* A list that is being read. */
struct gathered {
    struct texts texts;
    int64_t words; /* the set of them */
    bool unresolved;
    struct buf shown;
};

/* One string of a list. */
static bool take_item(struct reader *r, const struct target *t, const struct value *v,
                      struct gathered *to)
{
    const struct kind *kind = t->row->kind;
    struct buf why;
    buf_init(&why, READER_WHY_MAX, NULL);
    int64_t bit = 0;
    bool ok;
    if (kind->form == FORM_WORDS) {
        ok = kind->parse(kind, buf_str(&v->text), &bit, &why) || v->unresolved;
        to->words |= bit;
        if (!ok)
            reader_refuse_value(r, t, v, buf_c(&why));
    } else {
        ok = kind->check(buf_str(&v->text), &why) || v->unresolved;
        if (ok)
            to->texts.items[to->texts.n++] = reader_keep(r, t, v);
        else
            refuse_text(r, t, v, buf_c(&why));
    }
    buf_done(&why);
    return ok;
}

/* `t` is the list's target with an item of it as its setting. */
static bool read_item(struct reader *r, const struct target *t, struct gathered *to)
{
    const struct setting *item = t->setting;
    if (item->bad)
        return false;
    if (item->type != SETTING_TEXT) {
        findings_error(r->findings, item->place, "%s%s: each item must be a string, not %s",
                       buf_c(&r->path), t->row->name, setting_type_name(item->type));
        return false;
    }
    struct value v;
    value_init(&v);
    bool ok = reader_resolve(r, t, &v) && take_item(r, t, &v, to);
    to->unresolved |= v.unresolved;
    if (ok) {
        buf_append_c(&to->shown, to->shown.len > 2 ? ", " : "");
        shown_value(&to->shown, t->row->kind, &v);
    }
    value_done(&v);
    return ok;
}

static void read_list(struct reader *r, const struct target *t)
{
    const struct setting *list = t->setting;
    if (list->type != SETTING_LIST) {
        reader_refuse_type(r, t);
        return;
    }
    if (list->n > READER_LIST_MAX) {
        reader_refuse(r, t, "there are too many items in this list");
        return;
    }
    struct gathered to = { .texts.items = store_alloc(r->store, list->n, sizeof(char *)) };
    buf_init(&to.shown, (size_t)16 << 20, NULL);
    buf_append_c(&to.shown, "[ ");
    bool ok = true;
    for (size_t i = 0; i < list->n; i++) {
        struct target item = *t;
        item.setting = &list->items[i];
        ok = read_item(r, &item, &to) && ok;
    }
    buf_append_c(&to.shown, list->n > 0 ? " ]" : "]");
    if (ok && t->row->kind->form == FORM_WORDS)
        t->row->kind->put(t->member, to.words);
    else if (ok)
        *(struct texts *)t->member = to.texts;
    if (ok)
        remember(r, t, &to.shown, to.unresolved);
    buf_done(&to.shown);
}

/* One string stands for a list of it. */
static void read_one_or_several(struct reader *r, const struct target *t)
{
    struct setting one = *t->setting, list = { .type = SETTING_LIST, .n = 1, .items = &one };
    if (t->setting->type != SETTING_TEXT) {
        read_list(r, t);
        return;
    }
    list.place = t->setting->place;
    struct target several = *t;
    several.setting = &list;
    read_list(r, &several);
}

void reader_read_option(struct reader *r, const struct target *t)
{
    const struct kind *kind = t->row->kind;
    t->origin->place = t->setting->place;
    if (t->setting->bad)
        return;
    if (kind->form == FORM_NAMED)
        reader_read_named(r, t);
    else if (kind == &kinds[KIND_values])
        reader_read_values(r, t);
    else if (kind == &kinds[KIND_shapes])
        reader_read_shapes(r, t);
    else if (kind == &kinds[KIND_value])
        reader_read_value(r, t);
    else if (kind == &kinds[KIND_json_text])
        reader_read_json_text(r, t);
    else if (kind == &kinds[KIND_scalars])
        reader_read_scalars(r, t);
    else if (kind == &kinds[KIND_scalar])
        reader_read_scalar_json(r, t);
    else if (kind == &kinds[KIND_match])
        read_one_or_several(r, t);
    else if (t->row->kind->type == SETTING_LIST)
        read_list(r, t);
    else
        read_scalar(r, t);
}
