/* SPDX-License-Identifier: Apache-2.0 */
#include "config/reader.h"

#include "base/alloc.h"
#include "config/checked_texts.h"
#include "config/nearest.h"
#include "config/secret.h"
#include "config/shown.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_BYTES 512
#define WHY_MAX 8192
#define LIST_MAX 10000

/* A setting that is being read: its row, its place in the struct, its message so far. */
struct target {
    const struct option_row *row;
    void *member;
    struct origin *origin;
    const struct setting *setting;
};

/* "limits.body: " and the sentence, at `place`. */
static void refuse(struct reader *r, const struct target *t, struct place place,
                   const char *sentence)
{
    findings_error(r->findings, place, "%s%s: %s", buf_c(&r->path), t->row->name, sentence);
}

static void put_back_path(struct reader *r, size_t len)
{
    if (r->path.len > len) {
        r->path.len = len;
        r->path.data[len] = '\0';
    }
}

/* A setting as text, with its substitutions made. False: told, or of another type. */
static bool resolve(struct reader *r, const struct target *t, const struct setting *setting,
                    struct value *ret)
{
    if (setting->type == SETTING_INTEGER) {
        buf_printf(&ret->text, "%lld", (long long)setting->integer);
        return true;
    }
    if (setting->type == SETTING_FLAG) {
        buf_append_c(&ret->text, setting->integer != 0 ? "true" : "false");
        return true;
    }
    assert(setting->type == SETTING_TEXT);
    struct buf why;
    buf_init(&why, WHY_MAX, NULL);
    bool ok = substitute(&r->substitution, str_of(setting->text), ret, &why);
    if (!ok)
        refuse(r, t, setting->place, buf_c(&why));
    else if (ret->unresolved)
        findings_warn(r->findings, setting->place, "%s%s: %s", buf_c(&r->path), t->row->name,
                      buf_c(&why));
    buf_done(&why);
    return ok;
}

static void refuse_type(struct reader *r, const struct target *t)
{
    struct buf sentence;
    buf_init(&sentence, WHY_MAX, NULL);
    if (t->row->kind == &kinds[KIND_mode] && t->setting->type == SETTING_INTEGER)
        buf_append_c(&sentence, "a file mode stands in quotes, such as \"0660\": as a number it "
                                "would not be octal");
    else
        buf_printf(&sentence, "%s stands here, but it must be %s",
                   setting_type_name(t->setting->type), t->row->kind->written);
    if (t->row->kind->words != NULL) {
        buf_append_c(&sentence, ": ");
        kind_list_words(t->row->kind, &sentence);
    }
    refuse(r, t, t->setting->place, buf_c(&sentence));
    buf_done(&sentence);
}

static int64_t parse_bound(const struct kind *kind, const char *text)
{
    struct buf ignored;
    buf_init(&ignored, WHY_MAX, NULL);
    int64_t value = 0;
    bool ok = kind->parse(kind, str_of(text), &value, &ignored);
    assert(ok);
    (void)ok;
    buf_done(&ignored);
    return value;
}

/* `"one", "two"` */
static int64_t parse_words(const struct kind *kind, const char *text)
{
    int64_t words = 0;
    for (const char *at = text; (at = strchr(at, '"')) != NULL;) {
        char word[64];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(at + 1, "\""), at + 1);
        words |= parse_bound(kind, word);
        at += strlen(word) + 2;
    }
    return words;
}

/* False: out of bounds, and `why` ends a sentence that begins with the value. */
static bool check_bounds(const struct option_row *row, int64_t value, struct buf *why)
{
    bool low = row->least != NULL && value < parse_bound(row->kind, row->least);
    bool high = row->greatest != NULL && value > parse_bound(row->kind, row->greatest);
    if (low || high)
        buf_printf(why, "is too %s: it must be from %s to %s", low ? "small" : "large", row->least,
                   row->greatest);
    return !low && !high;
}

/* The value as it is shown, then the rest of the sentence. */
static void refuse_value(struct reader *r, const struct target *t, const struct value *v,
                         const char *rest)
{
    struct buf sentence;
    buf_init(&sentence, 2 * WHY_MAX, NULL);
    if (v->text.len < 200)
        shown_value(&sentence, t->row->kind, v);
    else
        buf_append_c(&sentence, "the value");
    buf_printf(&sentence, " %s", rest);
    refuse(r, t, t->setting->place, buf_c(&sentence));
    buf_done(&sentence);
}

/* Those of URLs are decoded first, by the checks. */
static void remember_secrets(struct reader *r, const struct target *t, const struct value *v)
{
    struct str text = buf_str(&v->text);
    struct place place = t->setting->place;
    char setting[PATH_MAX_BYTES];
    if (v->unresolved)
        return;
    snprintf(setting, sizeof setting, "%s%s", buf_c(&r->path), t->row->name);
    if (t->row->kind == &kinds[KIND_secret] || t->row->kind == &kinds[KIND_secrets])
        secret_list_add(r->secrets, text, place, setting);
    else if (t->row->kind == &kinds[KIND_headers] && secret_header(header_name(text)))
        secret_list_add_header(r->secrets, text, place, setting);
    if (v->hidden && (v->hidden_from > 0 || v->hidden_to < text.len))
        secret_list_add(r->secrets, str_slice(text, v->hidden_from, v->hidden_to), place, setting);
    else if (v->hidden && t->row->kind != &kinds[KIND_secret] &&
             t->row->kind != &kinds[KIND_secrets])
        secret_list_add(r->secrets, text, place, setting);
}

static char *keep(struct reader *r, const struct target *t, const struct value *v)
{
    bool secret = t->row->kind->sensitive || v->hidden;
    remember_secrets(r, t, v);
    return secret ? store_secret(r->store, buf_str(&v->text))
                  : store_text(r->store, buf_str(&v->text));
}

/* An integer of the file is a code, a string a glob. */
static void take_code(struct reader *r, const struct target *t, const struct value *v)
{
    struct fault_code *code = t->member;
    bool number = t->setting->type == SETTING_INTEGER;
    code->form = number ? FAULT_CODE_NUMBER : FAULT_CODE_GLOB;
    code->number = number ? t->setting->integer : 0;
    code->glob = number ? NULL : keep(r, t, v);
}

/* A number or text from its resolved value. */
static bool take_scalar(struct reader *r, const struct target *t, const struct value *v)
{
    const struct kind *kind = t->row->kind;
    struct buf why;
    buf_init(&why, WHY_MAX, NULL);
    int64_t number = 0;
    bool ok;
    if (kind->form == FORM_NUMBER) {
        ok = kind->parse(kind, buf_str(&v->text), &number, &why) &&
             check_bounds(t->row, number, &why);
        if (ok)
            kind->put(t->member, number);
        else if (!v->unresolved)
            refuse_value(r, t, v, buf_c(&why));
    } else {
        ok = kind->check(buf_str(&v->text), &why) || v->unresolved;
        if (!ok)
            refuse(r, t, t->setting->place, buf_c(&why));
        else if (kind->form == FORM_CODE)
            take_code(r, t, v);
        else
            *(char **)t->member = keep(r, t, v);
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
    bool right = type == t->row->kind->type || code;
    /* Numbers and flags may come from a variable, which makes them strings in the file. */
    if (!right && (type != SETTING_TEXT || strstr(t->setting->text, "${") == NULL)) {
        refuse_type(r, t);
        return;
    }
    struct value v;
    value_init(&v);
    if (resolve(r, t, t->setting, &v)) {
        if (!right && !v.substituted)
            refuse_type(r, t);
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
    struct buf shown;
};

/* One string of a list. */
static bool take_item(struct reader *r, const struct target *t, const struct value *v,
                      struct gathered *to)
{
    const struct kind *kind = t->row->kind;
    struct buf why;
    buf_init(&why, WHY_MAX, NULL);
    int64_t bit = 0;
    bool ok;
    if (kind->form == FORM_WORDS) {
        ok = kind->parse(kind, buf_str(&v->text), &bit, &why) || v->unresolved;
        to->words |= bit;
        if (!ok)
            refuse_value(r, t, v, buf_c(&why));
    } else {
        ok = kind->check(buf_str(&v->text), &why) || v->unresolved;
        if (ok)
            to->texts.items[to->texts.n++] = keep(r, t, v);
        else
            refuse(r, t, t->setting->place, buf_c(&why));
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
    bool ok = resolve(r, t, item, &v) && take_item(r, t, &v, to);
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
        refuse_type(r, t);
        return;
    }
    if (list->n > LIST_MAX) {
        refuse(r, t, list->place, "there are too many items in this list");
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
        remember(r, t, &to.shown, false);
    buf_done(&to.shown);
}

static void read_option(struct reader *r, const struct target *t)
{
    t->origin->place = t->setting->place;
    if (t->setting->bad)
        return;
    if (t->row->kind->type == SETTING_LIST)
        read_list(r, t);
    else
        read_scalar(r, t);
}

/* Of rules, a string is the entry's first option. */
static void read_entry(struct reader *r, const struct group_row *row, const struct setting *entry,
                       void *to)
{
    const struct section *section = row->section;
    reader_defaults(section, to);
    if (row->form != GROUP_RULES || entry->type != SETTING_TEXT) {
        reader_read(r, section, entry, to);
        return;
    }
    struct target target = { &section->options[0], section_member(to, section->options[0].offset),
                             section_origins(section, to), entry };
    *(struct place *)section_member(to, section->place_offset) = entry->place;
    read_option(r, &target);
}

static void read_list_of_groups(struct reader *r, const struct group_row *row,
                                const struct setting *list, void *base)
{
    bool rules = row->form == GROUP_RULES;
    if (list->type != SETTING_LIST || (list->n == 0 && !rules)) {
        findings_error(r->findings, list->place, "%s%s: this must be a list of %s", buf_c(&r->path),
                       row->name,
                       rules ? "globs over `upstream/method` and groups, `( \"demo/*\", { … } )`"
                             : "groups, `( { … }, { … } )`, with at least one");
        return;
    }
    if (list->n > LIST_MAX) {
        findings_error(r->findings, list->place, "%s%s: there are too many items in this list",
                       buf_c(&r->path), row->name);
        return;
    }
    char *items = store_alloc(r->store, list->n, row->section->size);
    size_t path_len = r->path.len;
    for (size_t i = 0; i < list->n; i++) {
        buf_printf(&r->path, "%s[%zu].", row->name, i);
        read_entry(r, row, &list->items[i], items + i * row->section->size);
        put_back_path(r, path_len);
    }
    *(char **)section_member(base, row->offset) = items;
    *(size_t *)section_member(base, row->count_offset) = list->n;
}

/* [A-Za-z][A-Za-z0-9_-]{0,63}; libconfig's own names are longer and may have a `*`. */
static bool is_name(const char *name)
{
    return strlen(name) <= 64 && strchr(name, '*') == NULL;
}

static void read_named_groups(struct reader *r, const struct group_row *row,
                              const struct setting *group, void *base)
{
    if (group->type != SETTING_GROUP) {
        findings_error(r->findings, group->place,
                       "%s%s: this must be a group of named groups, `{ NAME = { … }; }`",
                       buf_c(&r->path), row->name);
        return;
    }
    char *items = store_alloc(r->store, group->n, row->section->size);
    size_t path_len = r->path.len;
    for (size_t i = 0; i < group->n; i++) {
        const struct setting *item = &group->items[i];
        void *to = items + i * row->section->size;
        if (!is_name(item->name))
            findings_error(r->findings, item->place,
                           "%s: the name `%.80s` must be a letter, then up to 63 letters, digits, "
                           "`_` and `-`",
                           row->name, item->name);
        buf_printf(&r->path, "%s.%.64s.", row->name, item->name);
        reader_defaults(row->section, to);
        *(char **)section_member(to, row->section->name_offset) =
            store_text(r->store, str_of(item->name));
        *(size_t *)section_member(to, row->section->index_offset) = i;
        reader_read(r, row->section, item, to);
        put_back_path(r, path_len);
    }
    *(char **)section_member(base, row->offset) = items;
    *(size_t *)section_member(base, row->count_offset) = group->n;
}

static void read_group(struct reader *r, const struct group_row *row, const struct setting *setting,
                       void *base)
{
    size_t path_len = r->path.len;
    if (row->form == GROUP_LIST || row->form == GROUP_RULES) {
        read_list_of_groups(r, row, setting, base);
    } else if (row->form == GROUP_NAMED) {
        read_named_groups(r, row, setting, base);
    } else {
        buf_printf(&r->path, "%s.", row->name);
        reader_read(r, row->section, setting, section_member(base, row->offset));
        put_back_path(r, path_len);
    }
}

static void refuse_unknown(struct reader *r, const struct section *section,
                           const struct setting *setting)
{
    const char *names[64] = { NULL };
    size_t n = 0;
    for (size_t i = 0; i < section->n_options && n < ARRAY_LEN(names); i++)
        names[n++] = section->options[i].name;
    for (size_t i = 0; i < section->n_groups && n < ARRAY_LEN(names); i++)
        names[n++] = section->groups[i].name;
    const char *nearest = nearest_name(setting->name, names, n);
    if (nearest != NULL) {
        findings_error(r->findings, setting->place, "unknown setting `%.80s`; did you mean `%s`?",
                       setting->name, nearest);
        return;
    }
    struct buf known;
    buf_init(&known, WHY_MAX, NULL);
    for (size_t i = 0; i < n; i++)
        buf_printf(&known, "%s`%s`", i == 0 ? "" : i + 1 == n ? " and " : ", ", names[i]);
    findings_error(r->findings, setting->place, "unknown setting `%.80s`; known here are %s",
                   setting->name, buf_c(&known));
    buf_done(&known);
}

static void read_setting(struct reader *r, const struct section *section,
                         const struct setting *setting, void *base)
{
    for (size_t i = 0; i < section->n_options; i++) {
        const struct option_row *row = &section->options[i];
        if (strcmp(row->name, setting->name) == 0) {
            struct target target = { row, section_member(base, row->offset),
                                     &section_origins(section, base)[i], setting };
            read_option(r, &target);
            return;
        }
    }
    for (size_t i = 0; i < section->n_groups; i++) {
        if (strcmp(section->groups[i].name, setting->name) == 0) {
            read_group(r, &section->groups[i], setting, base);
            return;
        }
    }
    refuse_unknown(r, section, setting);
}

void reader_defaults(const struct section *section, void *base)
{
    for (size_t i = 0; i < section->n_options; i++) {
        const struct option_row *row = &section->options[i];
        void *member = section_member(base, row->offset);
        if (row->standard == NULL)
            continue;
        if (row->kind->form == FORM_NUMBER)
            row->kind->put(member, parse_bound(row->kind, row->standard));
        else if (row->kind->form == FORM_WORDS)
            row->kind->put(member, parse_words(row->kind, row->standard));
        else
            *(const char **)member = row->standard; /* static */
    }
    for (size_t i = 0; i < section->n_groups; i++) {
        const struct group_row *row = &section->groups[i];
        if (row->form == GROUP_PLAIN || row->form == GROUP_OPTIONAL)
            reader_defaults(row->section, section_member(base, row->offset));
    }
}

void reader_read(struct reader *r, const struct section *section, const struct setting *group,
                 void *base)
{
    *(struct place *)section_member(base, section->place_offset) = group->place;
    if (group->type != SETTING_GROUP) {
        findings_error(r->findings, group->place, "%.*s: this must be a group `{ … }`, not %s",
                       (int)(r->path.len > 0 ? r->path.len - 1 : 0), buf_c(&r->path),
                       setting_type_name(group->type));
        return;
    }
    *(bool *)section_member(base, section->present_offset) = true;
    for (size_t i = 0; i < group->n; i++)
        read_setting(r, section, &group->items[i], base);
}
