/* SPDX-License-Identifier: Apache-2.0 */
/* The values of settings: resolved from the file, held against the table, kept. */
#include "config/reader_inside.h"

#include "config/shown.h"
#include "settings/checked_texts.h"
#include "settings/secret.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void reader_refuse(struct reader *r, const struct target *t, const char *sentence)
{
    findings_error(r->findings, t->setting->place, "%s%s: %s", buf_c(&r->path), t->row->name,
                   sentence);
}

/* Where braces have a meaning, what is substituted has none. */
static bool is_template(const struct reader *r, const struct target *t)
{
    const struct kind *kind = t->row->kind;
    return kind == &kinds[KIND_path_template] || kind == &kinds[KIND_header_templates] ||
           (r->templates && (kind == &kinds[KIND_auth_text] || kind == &kinds[KIND_auth_secret] ||
                             kind == &kinds[KIND_own_headers]));
}

bool reader_resolve(struct reader *r, const struct target *t, struct value *ret)
{
    const struct setting *setting = t->setting;
    if (setting->type == SETTING_INTEGER) {
        buf_printf(&ret->text, "%lld", (long long)setting->integer);
        return true;
    }
    if (setting->type == SETTING_FLAG) {
        buf_append_c(&ret->text, setting->integer != 0 ? "true" : "false");
        return true;
    }
    if (setting->type == SETTING_DECIMAL) {
        buf_append_c(&ret->text, setting->text);
        return true;
    }
    assert(setting->type == SETTING_TEXT);
    struct buf why;
    buf_init(&why, READER_WHY_MAX, NULL);
    r->substitution.double_braces |= is_template(r, t);
    bool ok = substitute(&r->substitution, str_of(setting->text), ret, &why);
    r->substitution.double_braces = false;
    if (!ok)
        reader_refuse(r, t, buf_c(&why));
    else if (ret->unresolved && why.len > 0)
        findings_warn(r->findings, setting->place, "%s%s: %s", buf_c(&r->path), t->row->name,
                      buf_c(&why));
    buf_done(&why);
    t->origin->hidden |= shown_hides(t->row->kind, ret);
    return ok;
}

void reader_refuse_type(struct reader *r, const struct target *t)
{
    struct buf sentence;
    buf_init(&sentence, READER_WHY_MAX, NULL);
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
    reader_refuse(r, t, buf_c(&sentence));
    buf_done(&sentence);
}

static int64_t parse_bound(const struct kind *kind, const char *text)
{
    struct buf ignored;
    buf_init(&ignored, READER_WHY_MAX, NULL);
    int64_t value = 0;
    bool ok = kind->parse(kind, str_of(text), &value, &ignored);
    assert(ok);
    (void)ok;
    buf_done(&ignored);
    return value;
}

bool reader_check_bounds(const struct option_row *row, int64_t value, struct buf *why)
{
    if (row->kind == &kinds[KIND_pause] && value == PAUSE_OF_TEXT)
        return true;
    bool low = row->least != NULL && value < parse_bound(row->kind, row->least);
    bool high = row->greatest != NULL && value > parse_bound(row->kind, row->greatest);
    if (low || high)
        buf_printf(why, "is too %s: it must be from %s to %s", low ? "small" : "large", row->least,
                   row->greatest);
    return !low && !high;
}

void reader_refuse_value(struct reader *r, const struct target *t, const struct value *v,
                         const char *rest)
{
    struct buf sentence;
    buf_init(&sentence, 2 * READER_WHY_MAX, NULL);
    if (v->text.len < 200)
        shown_value(&sentence, t->row->kind, v);
    else
        buf_append_c(&sentence, "the value");
    buf_printf(&sentence, " %s", rest);
    reader_refuse(r, t, buf_c(&sentence));
    buf_done(&sentence);
}

/* Makes one of each two braces. */
static void undouble(struct str text, struct buf *to)
{
    for (size_t i = 0; i < text.len; i++) {
        buf_append_byte(to, text.data[i]);
        bool brace = text.data[i] == '{' || text.data[i] == '}';
        if (brace && i + 1 < text.len && text.data[i + 1] == text.data[i])
            i++;
    }
}

void reader_remember_hidden(struct reader *r, const struct target *t, const struct value *v,
                            bool doubled)
{
    char setting[READER_PATH_MAX];
    if (!v->hidden || v->unresolved)
        return;
    snprintf(setting, sizeof setting, "%s%s", buf_c(&r->path), t->row->name);
    struct str part = str_slice(buf_str(&v->text), v->hidden_from, v->hidden_to);
    struct buf plain;
    buf_init(&plain, part.len, NULL);
    buf_reserve(&plain, part.len);
    if (doubled)
        undouble(part, &plain);
    secret_list_add(r->secrets, doubled ? buf_str(&plain) : part, t->setting->place, setting);
    buf_wipe(&plain);
}

/* Those of URLs are decoded first, by the checks. */
static void remember_secrets(struct reader *r, const struct target *t, const struct value *v)
{
    struct str text = buf_str(&v->text);
    struct place place = t->setting->place;
    char setting[READER_PATH_MAX];
    if (is_template(r, t)) {
        reader_remember_hidden(r, t, v, true);
        return;
    }
    if (v->unresolved)
        return;
    snprintf(setting, sizeof setting, "%s%s", buf_c(&r->path), t->row->name);
    if (kind_is_secret(t->row->kind))
        secret_list_add(r->secrets, text, place, setting);
    else if (kind_is_headers(t->row->kind) && secret_header(header_name(text)))
        secret_list_add_header(r->secrets, text, place, setting);
    if (v->hidden && (v->hidden_from > 0 || v->hidden_to < text.len))
        secret_list_add(r->secrets, str_slice(text, v->hidden_from, v->hidden_to), place, setting);
    else if (v->hidden && !kind_is_secret(t->row->kind))
        secret_list_add(r->secrets, text, place, setting);
}

char *reader_keep(struct reader *r, const struct target *t, const struct value *v)
{
    bool secret = t->row->kind->sensitive || v->hidden;
    remember_secrets(r, t, v);
    return secret ? store_secret(r->store, buf_str(&v->text))
                  : store_text(r->store, buf_str(&v->text));
}

/* The set of `"one", "two"`. */
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

void reader_put_default(const struct option_row *row, void *member)
{
    if (row->standard == NULL)
        return;
    if (row->kind->form == FORM_NUMBER)
        row->kind->put(member, parse_bound(row->kind, row->standard));
    else if (row->kind->form == FORM_WORDS)
        row->kind->put(member, parse_words(row->kind, row->standard));
    else
        *(const char **)member = row->standard; /* static */
}
