/* SPDX-License-Identifier: Apache-2.0 */
/* Templates are compiled, and what of them no session decides is written as it goes out. */
#include "config/checks.h"

#include "codec/xml/encode.h"
#include "config/indexes.h"
#include "settings/checked_texts.h"
#include "settings/kinds.h"
#include "settings/secret.h"
#include "settings/store.h"

#include <stdio.h>
#include <string.h>

#define WHY_MAX ((size_t)4096)
#define PART_MAX 192

/* Of the names of credentials. */
#define NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* Where templates stand, and what they may name. */
struct place_of {
    const struct checking *c;
    const struct upstream_config *u;
    const char *part; /* "upstreams.u.inject[0]" */
    const struct origin *origins;
    const struct template_scope *scope;
};

static void refuse(const struct place_of *at, const struct origin *origin, const char *name,
                   const char *why)
{
    findings_error(at->c->findings, origin->place, "%s.%s: %s", at->part, name, why);
}

static bool compile(const struct place_of *at, const struct origin *origin, const char *name,
                    struct str source, enum template_form form, struct template *ret)
{
    struct buf why;
    buf_init(&why, WHY_MAX, NULL);
    bool ok = template_compile(at->c->config->store, source, form, at->scope, ret, &why);
    if (!ok)
        refuse(at, origin, name, buf_c(&why));
    buf_done(&why);
    return ok;
}

static struct template *compile_list(const struct place_of *at, size_t index, const char *name,
                                     const struct texts *texts, enum template_form form)
{
    struct template *list = store_alloc(at->c->config->store, texts->n + 1, sizeof *list);
    for (size_t i = 0; i < texts->n; i++)
        compile(at, &at->origins[index], name, str_of(texts->items[i]), form, &list[i]);
    return list;
}

static struct template *compile_named(const struct place_of *at, const char *name,
                                      const struct named_texts *named, enum template_form form)
{
    struct template *list = store_alloc(at->c->config->store, named->n + 1, sizeof *list);
    for (size_t i = 0; i < named->n; i++) {
        const struct named_text *item = &named->items[i];
        struct buf text;
        buf_init(&text, TEMPLATE_MAX, NULL);
        struct str source = str_of(item->text);
        bool ok = true;
        if (form != TEMPLATE_JSON) {
            ok = template_scalar_text(source, &text);
            source = buf_str(&text);
        }
        if (ok)
            compile(at, item->origin, name, source, form, &list[i]);
        else
            refuse(at, item->origin, name, "this must be a string, a number, `true` or `false`");
        buf_wipe(&text);
    }
    return list;
}

static struct template compile_path(const struct place_of *at, size_t index, const char *path)
{
    struct template ret = { 0 };
    if (path != NULL)
        compile(at, &at->origins[index], "path", str_of(path), TEMPLATE_PATH, &ret);
    return ret;
}

static bool all_constant(const struct template *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!template_is_constant(&list[i]))
            return false;
    }
    return true;
}

/* A value as it goes out; NULL data: told. */
static struct str encode(const struct place_of *at, struct encoder *encoder, const char *name,
                         const struct origin *origin, struct str json)
{
    struct encode_options options = config_encode_options(at->c->config, at->u);
    struct encode_input input = { .kind = ENCODE_VALUE, .json = json, .options = &options };
    struct chain xml;
    struct error err;
    struct str ret = { NULL, 0 };
    chain_init(&xml, SIZE_MAX - 1, NULL);
    if (!encoder_write(encoder, &input, &xml, &err)) {
        refuse(at, origin, name,
               err.type == PROBLEM_UNREPRESENTABLE ? err.detail : "it cannot be sent");
    } else {
        size_t len = chain_len(&xml);
        char *room = store_secret_alloc(at->c->config->store, len + 1, 1);
        struct chain_cursor cursor = { 0 };
        size_t n = 0;
        for (size_t more; (more = chain_read(&xml, &cursor, room + n, len - n)) > 0;)
            n += more;
        ret = (struct str){ room, len };
    }
    chain_done(&xml);
    return ret;
}

/* What is the same in each call. */
static void write_around(const struct place_of *at, struct inject_rule_config *rule)
{
    struct store *store = at->c->config->store;
    size_t n_params = rule->params.n, n_members = rule->member.n;
    if (n_params + n_members == 0 || !all_constant(rule->param_templates, n_params) ||
        !all_constant(rule->member_templates, n_members))
        return;
    struct str *values = store_alloc(store, n_params + 1, sizeof *values);
    struct encode_member *members = store_alloc(store, n_members + 1, sizeof *members);
    struct encode_around *around = store_alloc(store, 1, sizeof *around);
    struct encoder *encoder = encoder_new(NULL);
    for (size_t i = 0; i < n_params; i++)
        values[i] = encode(at, encoder, "params", &at->origins[INJECT_params],
                           template_constant(&rule->param_templates[i]));
    for (size_t i = 0; i < n_members; i++) {
        const struct named_text *item = &rule->member.items[i];
        members[i].name = str_of(item->name);
        members[i].value = encode(at, encoder, "member", item->origin,
                                  template_constant(&rule->member_templates[i]));
    }
    encoder_free(encoder);
    *around = (struct encode_around){ .values = values,
                                      .n_values = n_params,
                                      .at = rule->at < 0 ? ENCODE_BEHIND : (size_t)rule->at,
                                      .members = members,
                                      .n_members = n_members,
                                      .in = (size_t)rule->in };
    rule->around = around;
}

/* A secret that no credential is. */
static void remember_header(const struct place_of *at, const struct template *t)
{
    char setting[PART_MAX + 32];
    snprintf(setting, sizeof setting, "%s.headers", at->part);
    if (template_is_constant(t) && t->n_pieces > 0 &&
        secret_header(header_name(template_constant(t))))
        secret_list_add_header(at->c->secrets, template_constant(t),
                               at->origins[INJECT_headers].place, setting);
}

static void compile_rule(const struct place_of *at, struct inject_rule_config *rule)
{
    rule->param_templates = compile_list(at, INJECT_params, "params", &rule->params, TEMPLATE_JSON);
    rule->member_templates = compile_named(at, "member", &rule->member, TEMPLATE_JSON);
    rule->header_templates =
        compile_list(at, INJECT_headers, "headers", &rule->headers, TEMPLATE_HEADER);
    rule->path_template = compile_path(at, INJECT_path, rule->path);
    rule->needs_session = rule->cookies || !template_is_constant(&rule->path_template) ||
                          !all_constant(rule->param_templates, rule->params.n) ||
                          !all_constant(rule->member_templates, rule->member.n) ||
                          !all_constant(rule->header_templates, rule->headers.n);
    write_around(at, rule);
    for (size_t i = 0; i < rule->headers.n; i++)
        remember_header(at, &rule->header_templates[i]);
}

/* One of the calls of a session: `of` is `login`, `logout` or `keepalive`, KIND its options'
 * prefix. */
#define COMPILE_CALL(at, s, part_, of, KIND)                                                       \
    do {                                                                                           \
        (at)->origins = (s)->of.origins;                                                           \
        snprintf(part_, PART_MAX, "upstreams.%s.session." #of, (at)->u->name);                     \
        (s)->of.templates.params =                                                                 \
            compile_list(at, KIND##_params, "params", &(s)->of.params, TEMPLATE_JSON);             \
        (s)->of.templates.headers =                                                                \
            compile_list(at, KIND##_headers, "headers", &(s)->of.headers, TEMPLATE_HEADER);        \
        (s)->of.templates.path = compile_path(at, KIND##_path, (s)->of.path);                      \
    } while (0)

static void compile_session(const struct checking *c, struct upstream_config *u,
                            const struct template_scope *scope)
{
    struct session_config *s = &u->session;
    struct template_scope before = *scope;
    char part[PART_MAX];
    before.session = TEMPLATE_BEFORE_SESSION;
    struct place_of at = { c, u, part, s->login.origins, &before };
    COMPILE_CALL(&at, s, part, login, LOGIN);
    s->login.form_templates = compile_named(&at, "form", &s->login.form, TEMPLATE_FIELD);
    at.scope = scope;
    COMPILE_CALL(&at, s, part, logout, LOGOUT);
    COMPILE_CALL(&at, s, part, keepalive, KEEPALIVE);
}

/* `*text` becomes what it is with the credentials. */
static void fold(const struct place_of *at, const struct origin *origin, const char *name,
                 char **text, enum kind_id kind)
{
    struct template t;
    char setting[PART_MAX + 32];
    enum template_form form = TEMPLATE_HEADER; /* no control characters in any of them */
    if (*text == NULL || origin->unresolved || !compile(at, origin, name, str_of(*text), form, &t))
        return;
    *text = store_secret(at->c->config->store, template_constant(&t));
    snprintf(setting, sizeof setting, "%s.%s", at->part, name);
    if (kind == KIND_auth_secret)
        secret_list_add(at->c->secrets, str_of(*text), origin->place, setting);
    else if (kind == KIND_own_headers && secret_header(header_name(str_of(*text))))
        secret_list_add_header(at->c->secrets, str_of(*text), origin->place, setting);
}

/* `{username}` or `{base64(…)}`. */
static bool has_template(const char *text)
{
    for (const char *at = strchr(text, '{'); at != NULL; at = strchr(at + 1, '{')) {
        size_t n = strspn(at + 1, NAME_BYTES);
        if (n > 0 && (at[n + 1] == '}' || at[n + 1] == '('))
            return true;
    }
    return false;
}

/* What came from a file has no templates anyway. */
static void warn_of_braces(const struct checking *c, const struct upstream_config *u,
                           const struct origin *origin, const char *name, const char *text)
{
    if (text == NULL || origin->hidden || origin->unresolved || !has_template(text))
        return;
    findings_warn(c->findings, origin->place,
                  "upstreams.%s.%s: the braces in it go out as they are, since the upstream has "
                  "no `credentials`, `session` or `profile` that a name in them could be of",
                  u->name, name);
}

static void warn_of_all_braces(const struct checking *c, const struct upstream_config *u)
{
    const struct origin *auth = u->auth.origins;
    warn_of_braces(c, u, &auth[AUTH_username], "auth.username", u->auth.username);
    warn_of_braces(c, u, &auth[AUTH_password], "auth.password", u->auth.password);
    warn_of_braces(c, u, &auth[AUTH_token], "auth.token", u->auth.token);
    for (size_t i = 0; i < u->headers.n; i++)
        warn_of_braces(c, u, &u->origins[UPSTREAM_headers], "headers", u->headers.items[i]);
}

void check_constant_templates(const struct checking *c, struct upstream_config *u)
{
    struct template_scope scope = { .credentials = &u->credentials,
                                    .keep = &u->session.login.keep,
                                    .session = TEMPLATE_WITHOUT_SESSION,
                                    .needs = ", so it can stand in `inject` alone" };
    char part[PART_MAX];
    struct place_of at = { c, u, part, u->auth.origins, &scope };
    if (!u->templates) {
        warn_of_all_braces(c, u);
        return;
    }
    snprintf(part, sizeof part, "upstreams.%s.auth", u->name);
    fold(&at, &u->auth.origins[AUTH_username], "username", &u->auth.username, KIND_auth_text);
    fold(&at, &u->auth.origins[AUTH_password], "password", &u->auth.password, KIND_auth_secret);
    fold(&at, &u->auth.origins[AUTH_token], "token", &u->auth.token, KIND_auth_secret);
    snprintf(part, sizeof part, "upstreams.%s", u->name);
    for (size_t i = 0; i < u->headers.n; i++)
        fold(&at, &u->origins[UPSTREAM_headers], "headers", &u->headers.items[i], KIND_own_headers);
}

void check_templates(const struct checking *c, struct upstream_config *u)
{
    struct template_scope scope = { .credentials = &u->credentials,
                                    .keep = &u->session.login.keep,
                                    .session = u->session.present ? TEMPLATE_IN_SESSION
                                                                  : TEMPLATE_WITHOUT_SESSION,
                                    .uses_session = &u->session.is_used_whole };
    for (size_t i = 0; i < u->n_inject; i++) {
        char part[PART_MAX];
        struct place_of at = { c, u, part, u->inject[i].origins, &scope };
        snprintf(part, sizeof part, "upstreams.%s.inject[%zu]", u->name, i);
        compile_rule(&at, &u->inject[i]);
    }
    if (u->session.present)
        compile_session(c, u, &scope);
}
