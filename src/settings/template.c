/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/template_inside.h"

#include "codec/json/cursor.h"
#include "settings/snapshot.h"
#include "settings/store.h"

#include <string.h>

/* Names in a message. */
#define NAME_SHOWN_MAX 64

struct compiler {
    struct store *store;
    const struct template_scope *scope;
    enum template_form form;
    struct buf *why;
    struct buf pieces;  /* of struct template_piece; literals are in the store */
    struct buf literal; /* what goes out before the next piece */
    bool in_base64;     /* `literal` is not encoded yet */
};

static bool refuse(struct compiler *c, const char *sentence)
{
    buf_append_c(c->why, sentence);
    return false;
}

static struct template_piece *piece_at(const struct compiler *c, size_t i)
{
    return (struct template_piece *)(void *)c->pieces.data + i;
}

static size_t count_pieces(const struct compiler *c)
{
    return c->pieces.len / sizeof(struct template_piece);
}

static void add_piece(struct compiler *c, const struct template_piece *piece)
{
    buf_append(&c->pieces, (struct str){ (const char *)piece, sizeof *piece });
}

static void end_literal(struct compiler *c)
{
    if (c->literal.len == 0)
        return;
    struct str text = { store_secret(c->store, buf_str(&c->literal)), c->literal.len };
    add_piece(c, &(struct template_piece){ .kind = PIECE_LITERAL, .text = text });
    buf_wipe(&c->literal);
    buf_init(&c->literal, TEMPLATE_MAX, NULL);
}

static void append_own(struct compiler *c, struct str text)
{
    if (c->in_base64)
        buf_append(&c->literal, text);
    else
        template_append_own(&c->literal, c->form, text);
}

static void list_names(struct compiler *c)
{
    const struct template_scope *s = c->scope;
    size_t n = s->credentials->n;
    buf_append_c(c->why, n > 0 || s->session == TEMPLATE_IN_SESSION
                             ? "; there are"
                             : "; there are no `credentials`");
    for (size_t i = 0; i < n; i++)
        buf_printf(c->why, "%s `%s`", i > 0 ? "," : "", s->credentials->items[i].name);
    if (s->session != TEMPLATE_IN_SESSION)
        return;
    for (size_t i = 0; i < s->keep->n; i++)
        buf_printf(c->why, "%s `%s`", i + n > 0 ? "," : "", s->keep->items[i].name);
    buf_printf(c->why, "%s `session` and `count`", s->keep->n + n > 0 ? "," : "");
}

static const struct named_text *find(const struct named_texts *named, struct str name,
                                     size_t *ret_index)
{
    for (size_t i = 0; named != NULL && i < named->n; i++) {
        if (str_eq_c(name, named->items[i].name)) {
            *ret_index = i;
            return &named->items[i];
        }
    }
    return NULL;
}

/* A value of a session: its index. */
static bool find_value(struct compiler *c, struct str name, size_t *ret)
{
    const struct template_scope *s = c->scope;
    size_t i = 0;
    bool session = str_eq(name, STR("session")), count = str_eq(name, STR("count"));
    bool kept = find(s->keep, name, &i) != NULL;
    if (s->session == TEMPLATE_IN_SESSION && (session || count || kept)) {
        if (session && s->uses_session != NULL)
            *s->uses_session = true;
        *ret = session ? TEMPLATE_SESSION : count ? TEMPLATE_COUNT : TEMPLATE_KEPT + i;
        return true;
    }
    struct str shown = str_slice(name, 0, name.len < NAME_SHOWN_MAX ? name.len : NAME_SHOWN_MAX);
    if (session || count || kept) {
        buf_printf(c->why, "`{%.*s}` comes from the login%s", STR_ARGS(shown),
                   s->needs != NULL                        ? s->needs
                   : s->session == TEMPLATE_BEFORE_SESSION ? ", so it cannot stand in the login"
                                                           : " of a `session`, which is not set");
        return false;
    }
    buf_printf(c->why, "nothing defines `{%.*s}`", STR_ARGS(shown));
    list_names(c);
    buf_append_c(c->why, " (a brace itself is written `{{` or `}}`)");
    return false;
}

/* `{name}`: as a whole value, or within text. */
static bool compile_name(struct compiler *c, struct str name, bool whole)
{
    size_t index = 0;
    const struct named_text *credential = find(c->scope->credentials, name, &index);
    if (credential == NULL) {
        if (!find_value(c, name, &index))
            return false;
        end_literal(c);
        struct str kept = { store_text(c->store, name), name.len };
        add_piece(c, &(struct template_piece){
                         .kind = whole ? PIECE_VALUE : PIECE_TEXT, .text = kept, .value = index });
        return true;
    }
    struct buf text;
    buf_init(&text, TEMPLATE_MAX, NULL);
    bool ok = whole || template_scalar_text(str_of(credential->text), &text);
    if (!ok)
        buf_printf(c->why, "`{%s}` has no text", credential->name);
    else if (whole)
        buf_append_c(&c->literal, credential->text);
    else if (c->in_base64)
        buf_append(&c->literal, buf_str(&text));
    else
        template_append_value(&c->literal, c->form, buf_str(&text));
    buf_wipe(&text);
    return ok;
}

/* `name}` stands at the text's beginning; returns its length, without the brace. */
static size_t name_length(struct str text)
{
    size_t n = 0;
    while (n < text.len && text.data[n] != '}' && text.data[n] != '{')
        n++;
    return n < text.len && text.data[n] == '}' ? n : text.len;
}

static bool compile_text(struct compiler *c, struct str text);

/* Where `)}` ends what `{base64(` began, or the text's length. */
static size_t base64_length(struct str text)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.data[i] == ')' && text.data[i + 1] == '}')
            return i;
    }
    return text.len;
}

static bool compile_base64(struct compiler *c, struct str inner)
{
    end_literal(c);
    size_t at = count_pieces(c);
    add_piece(c, &(struct template_piece){ .kind = PIECE_BASE64 });
    c->in_base64 = true;
    bool ok = compile_text(c, inner);
    end_literal(c);
    c->in_base64 = false;
    size_t n = count_pieces(c) - at - 1;
    if (!ok)
        return false;
    bool constant = n == 0 || (n == 1 && piece_at(c, at + 1)->kind == PIECE_LITERAL);
    if (!constant) {
        piece_at(c, at)->n_inner = n;
        return true;
    }
    struct str text = n == 0 ? STR("") : piece_at(c, at + 1)->text;
    c->pieces.len = at * sizeof(struct template_piece);
    if (at > 0 && piece_at(c, at - 1)->kind == PIECE_LITERAL) {
        /* It goes on, so that a constant is one literal. */
        buf_append(&c->literal, piece_at(c, at - 1)->text);
        c->pieces.len -= sizeof(struct template_piece);
    }
    template_append_base64(&c->literal, c->form, text);
    return true;
}

/* What stands in braces, from behind the first of them; *ret: how much of `text` that is. */
static bool compile_braces(struct compiler *c, struct str text, size_t *ret)
{
    static const struct str base64 = { "base64(", 7 };
    if (str_starts_with(text, base64)) {
        struct str inner = str_slice(text, base64.len, text.len);
        size_t len = base64_length(inner);
        *ret = base64.len + len + 2;
        return len < inner.len ? compile_base64(c, str_slice(inner, 0, len))
                               : refuse(c, "a `{base64(` has no `)}`");
    }
    size_t len = name_length(text);
    *ret = len + 1;
    if (len == text.len)
        return refuse(c, "a `{` has no `}`; a brace itself is written `{{`");
    return compile_name(c, str_slice(text, 0, len), false);
}

static bool compile_text(struct compiler *c, struct str text)
{
    size_t at = 0;
    while (at < text.len) {
        size_t end = at;
        while (end < text.len && text.data[end] != '{' && text.data[end] != '}')
            end++;
        append_own(c, str_slice(text, at, end));
        at = end;
        if (at == text.len)
            break;
        if (at + 1 < text.len && text.data[at + 1] == text.data[at]) {
            append_own(c, str_slice(text, at, at + 1));
            at += 2;
            continue;
        }
        size_t len = 0;
        if (text.data[at] == '}')
            return refuse(c, "a `}` has no `{`; a brace itself is written `}}`");
        if (!compile_braces(c, str_slice(text, at + 1, text.len), &len))
            return false;
        at += 1 + len;
    }
    return true;
}

/* Is it one name and no more? */
static bool is_name_alone(struct str text)
{
    return text.len > 2 && text.data[0] == '{' && text.data[1] != '{' &&
           name_length(str_slice(text, 1, text.len)) == text.len - 2 &&
           !str_starts_with(text, STR("{base64("));
}

static bool compile_string(struct compiler *c, struct str quoted)
{
    struct buf text;
    buf_init(&text, quoted.len, NULL);
    json_unquote(quoted, &text);
    bool ok;
    if (is_name_alone(buf_str(&text))) {
        ok = compile_name(c, str_slice(buf_str(&text), 1, text.len - 1), true);
    } else {
        buf_append_byte(&c->literal, '"');
        ok = compile_text(c, buf_str(&text));
        buf_append_byte(&c->literal, '"');
    }
    buf_wipe(&text);
    return ok;
}

/* The configuration's reader has bounded its depth. */
static bool compile_json(struct compiler *c, struct str json)
{
    json = json_trim(json);
    if (json.len > 0 && json.data[0] == '"')
        return compile_string(c, json);
    if (json.len == 0 || (json.data[0] != '[' && json.data[0] != '{')) {
        buf_append(&c->literal, json);
        return true;
    }
    bool object = json.data[0] == '{';
    struct json_cursor cursor = json_enter(json);
    struct str name, value;
    buf_append_byte(&c->literal, json.data[0]);
    for (size_t i = 0; json_next(&cursor, &name, &value); i++) {
        buf_append_c(&c->literal, i > 0 ? "," : "");
        if (object) {
            buf_append(&c->literal, name);
            buf_append_byte(&c->literal, ':');
        }
        if (!compile_json(c, value))
            return false;
    }
    buf_append_byte(&c->literal, object ? '}' : ']');
    return true;
}

bool template_compile(struct store *store, struct str source, enum template_form form,
                      const struct template_scope *scope, struct template *ret, struct buf *why)
{
    struct compiler c = { .store = store, .scope = scope, .form = form, .why = why };
    buf_init(&c.pieces, TEMPLATE_MAX, NULL);
    buf_init(&c.literal, TEMPLATE_MAX, NULL);
    bool ok = form == TEMPLATE_JSON ? compile_json(&c, source) : compile_text(&c, source);
    if (ok && (!buf_ok(&c.literal) || !buf_ok(&c.pieces)))
        ok = refuse(&c, "it is too long");
    end_literal(&c);
    if (ok) {
        size_t n = count_pieces(&c);
        struct template_piece *pieces = store_alloc(store, n > 0 ? n : 1, sizeof *pieces);
        if (n > 0)
            memcpy(pieces, c.pieces.data, n * sizeof *pieces);
        *ret = (struct template){ form, pieces, n };
        ok = !template_is_constant(ret) || template_check_result(form, template_constant(ret), why);
    }
    buf_wipe(&c.pieces);
    buf_wipe(&c.literal);
    return ok;
}
