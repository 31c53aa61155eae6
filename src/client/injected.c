/* SPDX-License-Identifier: Apache-2.0 */
#include "client/injected.h"

#include "base/alloc.h"
#include "base/chain.h"
#include "client/inject.h"

#include <stdlib.h>

/* Of all that is made for one call. [bytes] */
#define TEXT_MAX (4 * TEMPLATE_MAX)

#define WHY_MAX ((size_t)256) /* [bytes] */

/* What is constant was made when the configuration was read: it is what the upstream gave. */
static bool refuse(struct error *err, const char *why)
{
    err->executed = EXECUTED_NO;
    return error_set(err, PROBLEM_LOGIN_FAILED,
                     "What the upstream's login gave cannot be sent with this call: %s. Look at "
                     "`session` and `inject`.",
                     why);
}

/* Text in a buf that grows moves: until the end pieces are known by where they begin. */
static struct str piece_of(size_t begin, const struct buf *text)
{
    return (struct str){ (const char *)(uintptr_t)(begin + 1), text->len - begin };
}

static void settle(struct str *piece, const struct buf *text)
{
    if (piece->data != NULL)
        piece->data = text->data + ((uintptr_t)piece->data - 1);
}

static bool fill(const struct template *t, const struct inject_source *source, struct buf *to,
                 struct error *err)
{
    static const struct str none[TEMPLATE_KEPT];
    struct buf why;
    buf_init(&why, WHY_MAX, NULL);
    bool ok = template_fill(t, source->values != NULL ? source->values : none, to, &why) ||
              refuse(err, buf_c(&why));
    buf_done(&why);
    return ok;
}

static bool encode(const struct inject_source *source, struct str json, struct buf *to,
                   struct error *err)
{
    struct encode_input input = { .kind = ENCODE_VALUE, .json = json, .options = source->encoding };
    struct chain xml;
    chain_init(&xml, TEXT_MAX, NULL);
    bool ok = encoder_write(source->encoder, &input, &xml, err);
    for (const struct chain_block *b = xml.first; b != NULL && ok; b = b->next)
        buf_append(to, (struct str){ b->data, b->len });
    chain_wipe(&xml);
    return ok || refuse(err, err->detail);
}

static bool make_value(const struct template *t, const struct inject_source *source,
                       struct injected *ret, struct str *piece, struct error *err)
{
    struct buf json;
    size_t begin = ret->text.len;
    buf_init(&json, TEMPLATE_MAX, NULL);
    bool ok = fill(t, source, &json, err) && encode(source, buf_str(&json), &ret->text, err);
    buf_wipe(&json);
    *piece = piece_of(begin, &ret->text);
    return ok;
}

static bool make_around(const struct inject_rule_config *rule, const struct inject_source *source,
                        struct injected *ret, struct error *err)
{
    bool ok = true;
    ret->params = xcalloc(rule->params.n + 1, sizeof *ret->params);
    ret->members = xcalloc(rule->member.n + 1, sizeof *ret->members);
    for (size_t i = 0; i < rule->params.n && ok; i++)
        ok = make_value(&rule->param_templates[i], source, ret, &ret->params[i], err);
    for (size_t i = 0; i < rule->member.n && ok; i++) {
        ret->members[i].name = str_of(rule->member.items[i].name);
        ok = make_value(&rule->member_templates[i], source, ret, &ret->members[i].value, err);
    }
    ret->own_around = (struct encode_around){
        .values = ret->params,
        .n_values = rule->params.n,
        .at = rule->at < 0 ? ENCODE_BEHIND : (size_t)rule->at,
        .members = ret->members,
        .n_members = rule->member.n,
        .in = (size_t)rule->in,
    };
    ret->around = &ret->own_around;
    return ok;
}

/* One `Name: value`, whose two parts are made one piece until the end. */
static bool make_line(const struct template *t, const struct inject_source *source,
                      struct injected *ret, struct upstream_line *line, struct error *err)
{
    size_t begin = ret->text.len;
    if (!fill(t, source, &ret->text, err))
        return false;
    line->value = piece_of(begin, &ret->text);
    return true;
}

static void add_cookies(const struct inject_source *source, struct injected *ret)
{
    size_t begin = ret->text.len;
    if (source->cookies.len == 0)
        return;
    buf_append(&ret->text, STR("Cookie: "));
    buf_append(&ret->text, source->cookies);
    ret->lines[ret->own_added.n_lines++].value = piece_of(begin, &ret->text);
}

static bool fill_lines(const struct template *headers, size_t n, const struct template *path,
                       const struct inject_source *source, struct injected *ret, struct error *err)
{
    bool ok = true;
    ret->lines = xcalloc(n + 1, sizeof *ret->lines);
    ret->own_added = (struct upstream_added){ .lines = ret->lines };
    for (size_t i = 0; i < n && ok; i++)
        ok = make_line(&headers[i], source, ret, &ret->lines[ret->own_added.n_lines++], err);
    add_cookies(source, ret);
    size_t begin = ret->text.len;
    ok = ok && (path->n_pieces == 0 || fill(path, source, &ret->text, err));
    ret->own_added.path = piece_of(begin, &ret->text);
    ret->added = &ret->own_added;
    return ok;
}

static void settle_all(struct injected *ret)
{
    for (size_t i = 0; i < ret->own_around.n_values; i++)
        settle(&ret->params[i], &ret->text);
    for (size_t i = 0; i < ret->own_around.n_members; i++)
        settle(&ret->members[i].value, &ret->text);
    for (size_t i = 0; i < ret->own_added.n_lines; i++) {
        settle(&ret->lines[i].value, &ret->text);
        ret->lines[i] = inject_line(ret->lines[i].value);
    }
    settle(&ret->own_added.path, &ret->text);
}

static void begin(struct injected *ret)
{
    *ret = (struct injected){ .around = NULL };
    buf_init(&ret->text, TEXT_MAX, NULL);
}

bool injected_make(const struct inject_rule_config *rule, const struct inject_source *source,
                   struct injected *ret, struct error *err)
{
    bool has_values = rule->params.n + rule->member.n > 0, ok = true;
    begin(ret);
    if (rule->around != NULL)
        ret->around = rule->around;
    else if (has_values)
        ok = make_around(rule, source, ret, err);
    if (ok && (rule->headers.n > 0 || rule->cookies || rule->path != NULL))
        ok = fill_lines(rule->header_templates, rule->headers.n, &rule->path_template, source, ret,
                        err);
    if (ok && !buf_ok(&ret->text))
        ok = refuse(err, "it is too long");
    if (ok)
        settle_all(ret);
    return ok;
}

bool injected_make_lines(const struct call_templates *templates, size_t n_headers,
                         const struct inject_source *source, struct injected *ret,
                         struct error *err)
{
    begin(ret);
    bool ok = fill_lines(templates->headers, n_headers, &templates->path, source, ret, err) &&
              (buf_ok(&ret->text) || refuse(err, "it is too long"));
    if (ok)
        settle_all(ret);
    return ok;
}

void injected_done(struct injected *injected)
{
    free(injected->params);
    free(injected->members);
    free(injected->lines);
    buf_wipe(&injected->text);
    *injected = (struct injected){ .around = NULL };
}
