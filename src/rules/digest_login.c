/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/digest_login.h"

#include "base/alloc.h"
#include "rules/token.h"

#include <stdio.h>

static const struct {
    const char *name;
    enum hash_kind hash;
    bool per_session;
} algorithms[] = {
    { "MD5", HASH_MD5, false },
    { "MD5-sess", HASH_MD5, true },
    { "SHA-256", HASH_SHA256, false },
    { "SHA-256-sess", HASH_SHA256, true },
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(struct str *text)
{
    while (text->len > 0 && is_blank(text->data[0]))
        *text = str_slice(*text, 1, text->len);
}

static void skip_commas(struct str *text)
{
    while (text->len > 0 && (is_blank(text->data[0]) || text->data[0] == ','))
        *text = str_slice(*text, 1, text->len);
}

static struct str take_token(struct str *text)
{
    size_t end = token_prefix(*text);
    struct str token = str_slice(*text, 0, end);
    *text = str_slice(*text, end, text->len);
    return token;
}

/* A token or a quoted text, without its quotes, in `room`. False: it has no end, or no room. */
static bool take_value(struct str *text, char *room, size_t size, struct str *ret)
{
    size_t n = 0, i = 1;
    if (text->len == 0 || text->data[0] != '"') {
        *ret = take_token(text);
        return ret->len > 0;
    }
    for (; i < text->len && text->data[i] != '"'; i++) {
        if (text->data[i] == '\\' && i + 1 < text->len)
            i++;
        if (n == size)
            return false;
        room[n++] = text->data[i];
    }
    *ret = (struct str){ room, n };
    if (i >= text->len)
        return false;
    *text = str_slice(*text, i + 1, text->len);
    return true;
}

static bool keep(char *to, size_t size, struct str value)
{
    if (value.len >= size)
        return false;
    if (value.len > 0)
        memcpy(to, value.data, value.len);
    to[value.len] = '\0';
    return true;
}

static bool take_algorithm(struct str value, struct digest_challenge *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        if (!str_eq_nocase(value, str_of(algorithms[i].name)))
            continue;
        ret->algorithm = algorithms[i].name;
        ret->hash = algorithms[i].hash;
        ret->per_session = algorithms[i].per_session;
        return true;
    }
    return false;
}

static bool has_auth(struct str list)
{
    while (list.len > 0) {
        size_t comma = str_find(list, ',');
        if (str_eq_nocase(str_trim(str_slice(list, 0, comma)), STR("auth")))
            return true;
        list = str_slice(list, comma < list.len ? comma + 1 : comma, list.len);
    }
    return false;
}

/* What it does not know has no meaning here. False: that makes the challenge one that we cannot
 * answer. */
static bool take_param(struct str name, struct str value, struct digest_challenge *ret)
{
    if (str_eq_nocase(name, STR("realm")))
        return keep(ret->realm, sizeof ret->realm, value);
    if (str_eq_nocase(name, STR("nonce")))
        return keep(ret->nonce, sizeof ret->nonce, value);
    if (str_eq_nocase(name, STR("algorithm")))
        return take_algorithm(value, ret);
    if (str_eq_nocase(name, STR("stale")))
        ret->stale = str_eq_nocase(value, STR("true"));
    if (str_eq_nocase(name, STR("userhash")))
        ret->hash_user = str_eq_nocase(value, STR("true"));
    if (str_eq_nocase(name, STR("opaque"))) {
        ret->has_opaque = true;
        return keep(ret->opaque, sizeof ret->opaque, value);
    }
    if (str_eq_nocase(name, STR("qop"))) {
        ret->has_qop = true;
        return has_auth(value);
    }
    return true;
}

/* The params of one scheme, up to the next scheme. False: not to be answered. */
static bool take_params(struct str *text, struct digest_challenge *ret)
{
    char room[DIGEST_NONCE_SIZE];
    bool good = true;
    while (skip_commas(text), text->len > 0) {
        struct str rest = *text, value, name = take_token(&rest);
        skip_blanks(&rest);
        if (name.len == 0 || rest.len == 0 || rest.data[0] != '=')
            break; /* another scheme, or something else */
        rest = str_slice(rest, 1, rest.len);
        skip_blanks(&rest);
        if (!take_value(&rest, room, sizeof room, &value)) {
            *text = str_slice(rest, rest.len, rest.len);
            return false;
        }
        *text = rest;
        good = take_param(name, value, ret) && good;
    }
    return good && ret->nonce[0] != '\0';
}

/* What stands behind Negotiate, and is no list of params. */
static void skip_token68(struct str *text)
{
    struct str rest = *text;
    skip_blanks(&rest);
    size_t end = 0;
    while (end < rest.len && token_is_one_of(rest.data[end], "-._~+/"))
        end++;
    while (end < rest.len && rest.data[end] == '=')
        end++;
    rest = str_slice(rest, end, rest.len);
    skip_blanks(&rest);
    if (end > 0 && (rest.len == 0 || rest.data[0] == ','))
        *text = rest;
}

bool digest_challenge_read(struct str value, struct digest_challenge *ret)
{
    while (skip_commas(&value), value.len > 0) {
        struct str scheme = take_token(&value);
        struct digest_challenge ignored = { 0 };
        *ret = (struct digest_challenge){ .hash = HASH_MD5 };
        if (scheme.len == 0)
            return false;
        skip_token68(&value);
        if (str_eq_nocase(scheme, STR("Digest"))) {
            if (take_params(&value, ret))
                return true;
        } else {
            (void)take_params(&value, &ignored);
        }
    }
    return false;
}

static void append_quoted(struct buf *to, const char *name, struct str value)
{
    buf_printf(to, "%s=\"", name);
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == '"' || value.data[i] == '\\')
            buf_append_byte(to, '\\');
        buf_append_byte(to, value.data[i]);
    }
    buf_append_c(to, "\"");
}

struct hashes {
    char user[HASH_HEX_SIZE], a1[HASH_HEX_SIZE], a2[HASH_HEX_SIZE], response[HASH_HEX_SIZE];
    char count[9];
};

/* RFC 7616 sections 3.4.1 to 3.4.4. */
static bool make_hashes(const struct digest_challenge *c, const struct digest_request *r,
                        struct hashes *h)
{
    struct str realm = str_of(c->realm), user = str_of(r->username), nonce = str_of(c->nonce);
    const struct str name[] = { user, realm };
    const struct str login[] = { user, realm, str_of(r->password != NULL ? r->password : "") };
    const struct str request[] = { r->method, r->uri };

    snprintf(h->count, sizeof h->count, "%08x", (unsigned)r->count);
    if (!hash_joined(c->hash, name, ARRAY_LEN(name), h->user) ||
        !hash_joined(c->hash, login, ARRAY_LEN(login), h->a1) ||
        !hash_joined(c->hash, request, ARRAY_LEN(request), h->a2))
        return false;
    const struct str session[] = { str_of(h->a1), nonce, str_of(r->cnonce) };
    char session_a1[HASH_HEX_SIZE];
    if (c->per_session && hash_joined(c->hash, session, ARRAY_LEN(session), session_a1))
        memcpy(h->a1, session_a1, sizeof h->a1);
    const struct str old[] = { str_of(h->a1), nonce, str_of(h->a2) };
    const struct str new[] = { str_of(h->a1),     nonce,       str_of(h->count),
                               str_of(r->cnonce), STR("auth"), str_of(h->a2) };
    return c->has_qop ? hash_joined(c->hash, new, ARRAY_LEN(new), h->response)
                      : hash_joined(c->hash, old, ARRAY_LEN(old), h->response);
}

bool digest_login_write(const struct digest_challenge *c, const struct digest_request *r,
                        struct buf *to)
{
    struct hashes h;
    if (!make_hashes(c, r, &h))
        return false;
    buf_append_c(to, "Digest ");
    append_quoted(to, "username", str_of(c->hash_user ? h.user : r->username));
    append_quoted(to, ", realm", str_of(c->realm));
    append_quoted(to, ", nonce", str_of(c->nonce));
    append_quoted(to, ", uri", r->uri);
    append_quoted(to, ", response", str_of(h.response));
    if (c->algorithm != NULL)
        buf_printf(to, ", algorithm=%s", c->algorithm);
    if (c->has_opaque)
        append_quoted(to, ", opaque", str_of(c->opaque));
    if (c->has_qop)
        buf_printf(to, ", qop=auth, nc=%s", h.count);
    if (c->has_qop || c->per_session)
        append_quoted(to, ", cnonce", str_of(r->cnonce));
    if (c->hash_user)
        buf_append_c(to, ", userhash=true");
    wipe(&h, sizeof h);
    return buf_ok(to);
}
