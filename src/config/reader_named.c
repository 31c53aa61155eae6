/* SPDX-License-Identifier: Apache-2.0 */
/* Settings that are groups of texts under names of the operator's own. What is read into one that
 * has some already replaces those of the same names. */
#include "config/reader_inside.h"

#include "codec/json/cursor.h"
#include "config/shown.h"
#include "settings/checked_texts.h"

#include <stdio.h>
#include <string.h>

/* A group of more is the wrong file. */
#define NAMES_MAX 256

static bool is_secret(const struct kind *kind, const char *name)
{
    return kind == &kinds[KIND_credentials] && strcmp(name, "username") != 0 &&
           strcmp(name, "database") != 0;
}

/* Those of credentials and pointers stand in templates. */
static bool check_own_name(struct reader *r, const struct target *t, const struct setting *item)
{
    const struct kind *kind = t->row->kind;
    if (kind != &kinds[KIND_credentials] && kind != &kinds[KIND_pointer_names])
        return true;
    struct buf why;
    buf_init(&why, READER_WHY_MAX, NULL);
    bool taken = strcmp(item->name, "session") == 0 || strcmp(item->name, "count") == 0;
    bool ok = !taken && check_name(str_of(item->name), &why);
    if (!ok)
        findings_error(r->findings, item->place, "%s%s: the name `%.80s` %s", buf_c(&r->path),
                       t->row->name, item->name,
                       taken ? "has a meaning in templates already"
                             : "must be a letter, then up to 63 letters, digits, `_` and `-`");
    buf_done(&why);
    return ok;
}

/* The secrets that the value of a credential is. */
static void remember_credential(struct reader *r, const struct target *t,
                                const struct json_value *v)
{
    struct str json = buf_str(&v->json);
    char setting[READER_PATH_MAX];
    snprintf(setting, sizeof setting, "%s%s.%s", buf_c(&r->path), t->row->name, t->setting->name);
    if (v->unresolved || json.len == 0 || json.data[0] == 't' || json.data[0] == 'f')
        return;
    struct buf text;
    buf_init(&text, JSON_VALUE_MAX, NULL);
    buf_reserve(&text, json.len);
    if (json.data[0] == '"')
        json_unquote(json, &text);
    else
        buf_append(&text, json);
    secret_list_add(r->secrets, buf_str(&text), t->setting->place, setting);
    buf_wipe(&text);
}

static bool read_json(struct reader *r, const struct target *t, struct named_text *to)
{
    const struct kind *kind = t->row->kind;
    bool credential = kind == &kinds[KIND_credentials];
    struct json_value v;
    json_value_init(&v);
    bool secret = is_secret(kind, t->setting->name);
    bool ok = reader_write_json(
        r, t,
        (struct json_form){ .templates = !credential, .scalar = credential, .secret = secret }, &v);
    if (ok) {
        to->text = reader_keep_json(r, &v, credential);
        to->origin->shown = store_text(r->store, buf_str(&v.shown));
        to->origin->unresolved = v.unresolved;
        to->origin->hidden = v.hidden;
        if (secret)
            remember_credential(r, t, &v);
    }
    json_value_done(&v);
    return ok;
}

static bool read_pointer(struct reader *r, const struct target *t, struct named_text *to)
{
    if (t->setting->type != SETTING_TEXT) {
        findings_error(r->findings, t->setting->place,
                       "%s%s.%s: this must be a JSON Pointer, not %s", buf_c(&r->path),
                       t->row->name, t->setting->name, setting_type_name(t->setting->type));
        return false;
    }
    struct value v;
    struct buf why;
    value_init(&v);
    buf_init(&why, READER_WHY_MAX, NULL);
    bool ok = reader_resolve(r, t, &v);
    if (ok && !check_pointer(buf_str(&v.text), &why)) {
        reader_refuse(r, t, buf_c(&why));
        ok = false;
    }
    if (ok) {
        struct buf shown;
        buf_init(&shown, READER_WHY_MAX + 8 * v.text.len, NULL);
        shown_value(&shown, &kinds[KIND_text], &v);
        to->text = reader_keep(r, t, &v);
        to->origin->shown = store_text(r->store, buf_str(&shown));
        buf_done(&shown);
    }
    buf_done(&why);
    value_done(&v);
    return ok;
}

/* The item of that name, or a new one; there is room. */
static struct named_text *place_of(struct reader *r, struct named_texts *named, const char *name)
{
    for (size_t i = 0; i < named->n; i++) {
        if (strcmp(named->items[i].name, name) == 0)
            return &named->items[i];
    }
    struct named_text *item = &named->items[named->n++];
    item->name = store_text(r->store, str_of(name));
    return item;
}

void reader_read_named(struct reader *r, const struct target *t)
{
    const struct setting *group = t->setting;
    struct named_texts *before = t->member;
    if (group->type != SETTING_GROUP) {
        reader_refuse_type(r, t);
        return;
    }
    if (group->n > NAMES_MAX) {
        reader_refuse(r, t, "there are too many names in this group");
        return;
    }
    struct named_texts named = { .items = store_alloc(r->store, before->n + group->n + 1,
                                                      sizeof *named.items) };
    for (; named.n < before->n; named.n++)
        named.items[named.n] = before->items[named.n];
    for (size_t i = 0; i < group->n; i++) {
        const struct setting *item = &group->items[i];
        if (item->bad || !check_own_name(r, t, item))
            continue;
        struct target part = *t;
        struct named_text *to = place_of(r, &named, item->name);
        part.setting = item;
        to->origin = store_alloc(r->store, 1, sizeof *to->origin);
        to->origin->place = item->place;
        bool ok = t->row->kind == &kinds[KIND_pointer_names] ? read_pointer(r, &part, to)
                                                             : read_json(r, &part, to);
        if (!ok && to->text == NULL)
            to->text = store_text(r->store, STR("\"\""));
    }
    *before = named;
}
