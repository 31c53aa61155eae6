/* SPDX-License-Identifier: Apache-2.0 */
/* What is added to a call where a session has a part in it (client/injected.h). */
#include "client/call.h"

#include "base/alloc.h"
#include "client/client.h"
#include "client/inject.h"
#include "client/injected.h"
#include "client/session_store.h"

#include <stdlib.h>

static bool make(struct call *c, const struct inject_rule_config *rule, struct injected *ret)
{
    CLEANUP(buf_wipe) struct buf cookies;
    buf_init(&cookies, SIZE_MAX - 1, NULL);
    struct inject_source source = session_source(c, &cookies);
    if (!rule->cookies)
        source.cookies.len = 0;
    return injected_make(rule, &source, ret, &c->error);
}

static void on_cookie(struct upstream_call *exchange, struct str value)
{
    session_take_cookie(exchange->user, value);
}

/* One for each rule. NULL: c->error. */
static const struct injected *make_once(struct call *c, const struct inject_rule_config *rule)
{
    if (c->injected == NULL)
        c->injected = xcalloc(c->upstream->n_inject, sizeof *c->injected);
    struct injected *made = &c->injected[rule - c->upstream->inject];
    if (made->is_made)
        return made;
    if (rule->cookies)
        c->on_cookie = on_cookie;
    made->is_made = make(c, rule, made);
    if (!made->is_made) {
        injected_done(made);
        session_spoil(c);
    }
    return made->is_made ? made : NULL;
}

/* Params of system.multicall are those of its calls. */
bool call_make_inject(struct call *c)
{
    if (c->members != NULL || c->inject == NULL || !c->inject->rule->needs_session)
        return true;
    const struct injected *made = make_once(c, c->inject->rule);
    if (made == NULL)
        return false;
    if (!c->as_it_is)
        c->text.around = made->around;
    c->added = made->added;
    return true;
}

bool call_member_around(struct call *c, const struct inject *inject,
                        const struct encode_around **ret)
{
    *ret = inject->rule->around;
    if (!inject->rule->needs_session)
        return true;
    const struct injected *made = make_once(c, inject->rule);
    if (made == NULL)
        return false;
    *ret = made->around;
    if (inject_kind(inject) != 0)
        c->added = made->added;
    return true;
}

void call_forget_inject(struct call *c)
{
    for (size_t i = 0; i < c->upstream->n_inject; i++)
        injected_done(&c->injected[i]);
    free(TAKE(c->injected));
    c->added = NULL;
}
