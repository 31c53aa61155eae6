/* SPDX-License-Identifier: Apache-2.0 */
/* Settings that are JSON values: a scalar, list or group of the file, or `{ json = "…"; }`. They
 * become JSON text, in whose strings templates stand as they are written. */
#include "config/reader_inside.h"

#include "codec/json/cursor.h"
#include "codec/json/scan.h"
#include "config/shown.h"

#include <stdio.h>
#include <string.h>

/* A value within others of the file; libconfig and its syntax check have a lower bound. */
#define VALUE_DEPTH_MAX 64

/* A value that is being written. */
struct writer {
    struct reader *reader;
    const struct target *target; /* of the setting that it is, or is a part of */
    struct json_form form;
    struct json_value *to;
};

static bool refuse(const struct writer *w, const struct setting *at, const char *sentence)
{
    findings_error(w->reader->findings, at->place, "%s%s: %s", buf_c(&w->reader->path),
                   w->target->row->name, sentence);
    return false;
}

static void note(const struct writer *w, const struct value *v)
{
    w->to->hidden |= v->hidden;
    w->to->unresolved |= v->unresolved;
}

/* Whoever asked for the value remembers it by its name. */
static bool is_whole_secret(const struct writer *w, const struct value *v)
{
    return w->form.secret && v->hidden_from == 0 && v->hidden_to == v->text.len;
}

static bool write_string(const struct writer *w, const struct setting *from)
{
    struct target part = *w->target;
    part.setting = from;
    struct value v;
    value_init(&v);
    w->reader->substitution.double_braces = w->form.templates;
    bool ok = reader_resolve(w->reader, &part, &v);
    if (ok && utf8_valid_prefix(buf_str(&v.text)) < v.text.len)
        ok = refuse(w, from, "there is a string in it that is not UTF-8");
    if (ok) {
        note(w, &v);
        json_quote(buf_str(&v.text), &w->to->json);
        if (w->form.secret)
            buf_append_c(&w->to->shown, "\"***\"");
        else
            shown_value(&w->to->shown, &kinds[KIND_text], &v);
        if (!is_whole_secret(w, &v))
            reader_remember_hidden(w->reader, &part, &v, w->form.templates);
    }
    value_done(&v);
    return ok;
}

/* JSON that stands in a string. */
static bool write_json(const struct writer *w, const struct setting *from)
{
    struct target part = *w->target;
    part.setting = from;
    struct value v;
    value_init(&v);
    struct error err = { 0 };
    bool ok = reader_resolve(w->reader, &part, &v);
    struct str text = json_trim(buf_str(&v.text));
    if (ok && !v.unresolved && !json_scan_all(text, VALUE_DEPTH_MAX, &err)) {
        char sentence[ERROR_DETAIL_MAX + 32];
        snprintf(sentence, sizeof sentence, "this is no JSON: %s",
                 v.hidden ? "it is not told why, for it comes from a file" : err.detail);
        ok = refuse(w, from, sentence);
    }
    if (ok) {
        note(w, &v);
        buf_append(&w->to->json, v.unresolved ? STR("null") : text);
        buf_append_c(&w->to->shown, "{ json = ");
        shown_value(&w->to->shown, &kinds[KIND_text], &v);
        buf_append_c(&w->to->shown, "; }");
        if (!is_whole_secret(w, &v))
            reader_remember_hidden(w->reader, &part, &v, false);
    }
    value_done(&v);
    return ok;
}

static bool write_value(const struct writer *w, const struct setting *from, size_t depth);

static bool write_items(const struct writer *w, const struct setting *from, size_t depth)
{
    bool group = from->type == SETTING_GROUP;
    struct buf *json = &w->to->json, *shown = &w->to->shown;
    if (from->n > READER_LIST_MAX)
        return refuse(w, from, "there are too many items in this list");
    buf_append_byte(json, group ? '{' : '[');
    buf_append_byte(shown, group ? '{' : '(');
    bool ok = true;
    for (size_t i = 0; i < from->n; i++) {
        buf_append_c(json, i > 0 ? "," : "");
        buf_append_c(shown, i > 0 && !group ? ", " : " ");
        if (group) {
            json_quote(str_of(from->items[i].name), json);
            buf_append_byte(json, ':');
            buf_printf(shown, "%s = ", from->items[i].name);
        }
        ok = write_value(w, &from->items[i], depth + 1) && ok;
        buf_append_c(shown, group ? ";" : "");
    }
    buf_append_byte(json, group ? '}' : ']');
    buf_append_c(shown, group ? " }" : " )");
    return ok;
}

static bool write_value(const struct writer *w, const struct setting *from, size_t depth)
{
    if (from->bad)
        return false;
    if (depth > VALUE_DEPTH_MAX)
        return refuse(w, from, "it is nested too deep");
    if (w->form.scalar && (from->type == SETTING_GROUP || from->type == SETTING_LIST)) {
        refuse(w, from, "this must be a string, a number, `true` or `false`");
        return false;
    }
    struct buf *json = &w->to->json;
    size_t begin = json->len;
    switch (from->type) {
    case SETTING_TEXT:
        return write_string(w, from);
    case SETTING_INTEGER:
        buf_printf(json, "%lld", (long long)from->integer);
        break;
    case SETTING_DECIMAL:
        buf_append_c(json, from->text);
        break;
    case SETTING_FLAG:
        buf_append_c(json, from->integer != 0 ? "true" : "false");
        break;
    case SETTING_GROUP:
        if (from->n == 1 && strcmp(from->items[0].name, "json") == 0 &&
            from->items[0].type == SETTING_TEXT)
            return !from->items[0].bad && write_json(w, &from->items[0]);
        return write_items(w, from, depth);
    case SETTING_LIST:
        return write_items(w, from, depth);
    }
    if (w->form.secret)
        buf_append_c(&w->to->shown, "\"***\"");
    else
        buf_append(&w->to->shown, str_slice(buf_str(json), begin, json->len));
    return true;
}

void json_value_init(struct json_value *v)
{
    *v = (struct json_value){ 0 };
    buf_init(&v->json, JSON_VALUE_MAX, NULL);
    buf_init(&v->shown, JSON_VALUE_MAX, NULL);
}

void json_value_done(struct json_value *v)
{
    buf_wipe(&v->json);
    buf_done(&v->shown);
}

bool reader_write_json(struct reader *r, const struct target *t, struct json_form form,
                       struct json_value *to)
{
    struct writer w = { r, t, form, to };
    bool ok = write_value(&w, t->setting, 0);
    if (ok && (!buf_ok(&to->json) || !buf_ok(&to->shown)))
        ok = refuse(&w, t->setting, "it is too long");
    return ok;
}

char *reader_keep_json(struct reader *r, const struct json_value *v, bool secret)
{
    struct str text = buf_str(&v->json);
    return secret || v->hidden ? store_secret(r->store, text) : store_text(r->store, text);
}

void reader_read_scalar_json(struct reader *r, const struct target *t)
{
    struct json_value v;
    json_value_init(&v);
    if (reader_write_json(r, t, (struct json_form){ .scalar = true }, &v)) {
        *(char **)t->member = reader_keep_json(r, &v, false);
        t->origin->shown = store_text(r->store, buf_str(&v.shown));
        t->origin->unresolved = v.unresolved;
    }
    json_value_done(&v);
}

void reader_read_values(struct reader *r, const struct target *t)
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
    struct texts texts = { .items =
                               store_alloc(r->store, list->n > 0 ? list->n : 1, sizeof(char *)) };
    struct buf shown;
    buf_init(&shown, JSON_VALUE_MAX, NULL);
    buf_append_byte(&shown, '(');
    bool ok = true;
    for (size_t i = 0; i < list->n; i++) {
        struct target item = *t;
        item.setting = &list->items[i];
        struct json_value v;
        json_value_init(&v);
        bool good = reader_write_json(r, &item, (struct json_form){ .templates = true }, &v);
        if (good)
            texts.items[texts.n++] = reader_keep_json(r, &v, false);
        buf_append_c(&shown, i > 0 ? ", " : " ");
        buf_append(&shown, buf_str(&v.shown));
        t->origin->unresolved |= v.unresolved;
        json_value_done(&v);
        ok = good && ok;
    }
    buf_append_c(&shown, list->n > 0 ? " )" : ")");
    if (ok) {
        *(struct texts *)t->member = texts;
        t->origin->shown = store_text(r->store, buf_str(&shown));
    }
    buf_done(&shown);
}
