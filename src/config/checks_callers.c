/* SPDX-License-Identifier: Apache-2.0 */
/* Who may call: how each caller is known, and that none is known as two. */
#include "config/checks.h"

#include "base/digest.h"
#include "config/account.h"
#include "config/indexes.h"
#include "settings/store.h"

#include <string.h>

/* What nobody guesses: 128 bits as hexadecimal digits. [characters] */
#define TOKEN_MIN 32

static void check_name_is_own(const struct checking *c, size_t i)
{
    const struct caller_config *callers = c->config->callers, *caller = &callers[i];
    if (!check_is_set(&caller->origins[CALLER_name]))
        findings_error(c->findings, caller->place, "callers[%zu]: `name` is missing", i);
    for (size_t j = 0; j < i && caller->name != NULL; j++) {
        if (callers[j].name != NULL && !callers[j].origins[CALLER_name].unresolved &&
            strcmp(callers[j].name, caller->name) == 0)
            findings_error(c->findings, caller->origins[CALLER_name].place,
                           "callers[%zu]: the name `%s` is that of callers[%zu], too", i,
                           origin_told(&caller->origins[CALLER_name], caller->name), j);
    }
}

static void check_is_known(const struct checking *c, const struct caller_config *caller, size_t i)
{
    static const enum caller_index ways[] = { CALLER_token, CALLER_tokens, CALLER_user,
                                              CALLER_group, CALLER_cert };
    bool known = false;
    for (size_t k = 0; k < ARRAY_LEN(ways); k++) {
        const struct origin *way = &caller->origins[ways[k]];
        bool empty = ways[k] == CALLER_tokens && way->shown != NULL && caller->tokens.n == 0;
        known |= check_is_set(way) && !empty;
    }
    if (!known)
        findings_error(c->findings, caller->place,
                       "callers[%zu]: set one of `token`, `tokens`, `user`, `group` and `cert`, by "
                       "which the caller is known",
                       i);
}

/* RFC 6750 section 2.1: what is sent behind `Bearer`. */
static bool can_be_sent(const char *token)
{
    size_t n =
        strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");
    return n > 0 && token[n + strspn(token + n, "=")] == '\0';
}

/* The caller to whom that token belongs already, or NULL. */
static const struct caller_config *owner(const struct config *config, const struct digest *digest)
{
    for (size_t i = 0; i < config->n_callers; i++) {
        const struct caller_config *caller = &config->callers[i];
        for (size_t k = 0; k < caller->n_digests; k++) {
            if (digest_equal(&caller->digests[k], digest))
                return caller;
        }
    }
    return NULL;
}

static void take_token(const struct checking *c, struct caller_config *caller, const char *token,
                       const struct origin *origin)
{
    size_t i = caller->index;
    const char *setting = origin == &caller->origins[CALLER_token] ? "token" : "tokens";
    struct digest digest;
    if (token == NULL || origin->unresolved)
        return;
    if (strlen(token) < TOKEN_MIN)
        findings_error(c->findings, origin->place,
                       "callers[%zu].%s: a token has at least %d characters; `openssl rand -hex "
                       "32` makes one",
                       i, setting, TOKEN_MIN);
    if (!can_be_sent(token))
        findings_error(c->findings, origin->place,
                       "callers[%zu].%s: a token is made of letters, digits and `-._~+/`, with `=` "
                       "at its end",
                       i, setting);
    digest_of(str_of(token), &digest);
    const struct caller_config *other = owner(c->config, &digest);
    if (other != NULL && other != caller)
        findings_error(c->findings, origin->place,
                       "callers[%zu].%s: this token is that of callers[%zu], too", i, setting,
                       other->index);
    caller->digests[caller->n_digests++] = digest;
}

static void check_tokens(const struct checking *c, struct caller_config *caller)
{
    caller->digests = store_alloc(c->config->store, caller->tokens.n + 1, sizeof(struct digest));
    take_token(c, caller, caller->token, &caller->origins[CALLER_token]);
    for (size_t k = 0; k < caller->tokens.n; k++)
        take_token(c, caller, caller->tokens.items[k], &caller->origins[CALLER_tokens]);
}

static void check_account(const struct checking *c, struct caller_config *caller)
{
    const struct origin *user = &caller->origins[CALLER_user];
    const struct origin *group = &caller->origins[CALLER_group];
    struct buf why;
    buf_init(&why, 512, NULL);
    if (caller->user != NULL && !user->unresolved) {
        caller->has_uid = account_user(caller->user, &caller->uid, &why);
        if (!caller->has_uid)
            findings_error(c->findings, user->place, "callers[%zu].user: %s", caller->index,
                           user->hidden ? "there is no such user on this system" : buf_c(&why));
    }
    buf_clear(&why);
    if (caller->group != NULL && !group->unresolved) {
        caller->has_gid = account_group(caller->group, &caller->gid, &why);
        if (!caller->has_gid)
            findings_error(c->findings, group->place, "callers[%zu].group: %s", caller->index,
                           group->hidden ? "there is no such group on this system" : buf_c(&why));
    }
    buf_done(&why);
}

/* The first one is taken. */
static void check_account_is_own(const struct checking *c, const struct caller_config *caller)
{
    for (size_t j = 0; j < caller->index; j++) {
        const struct caller_config *other = &c->config->callers[j];
        bool user = caller->has_uid && other->has_uid && caller->uid == other->uid;
        bool group = caller->has_gid && other->has_gid && caller->gid == other->gid;
        if (user || group)
            findings_warn(c->findings, caller->origins[user ? CALLER_user : CALLER_group].place,
                          "callers[%zu]: the %s is that of callers[%zu], too, which comes first "
                          "and is always taken",
                          caller->index, user ? "user" : "group", j);
    }
}

static bool any_listener(const struct config *config, bool (*fits)(const struct listen_config *l))
{
    for (size_t i = 0; i < config->n_listen; i++) {
        if (fits(&config->listen[i]))
            return true;
    }
    return false;
}

static bool may_be_unix(const struct listen_config *l)
{
    return l->unix != NULL || l->systemd != NULL;
}

static bool asks_for_certificates(const struct listen_config *l)
{
    return l->tls.present && l->tls.client_ca_file != NULL;
}

/* Callers who can never come that way. */
static void check_way_is_open(const struct checking *c, const struct caller_config *caller)
{
    const struct origin *cert = &caller->origins[CALLER_cert];
    const struct origin *user = &caller->origins[CALLER_user];
    const struct origin *account = check_is_set(user) ? user : &caller->origins[CALLER_group];
    if (check_is_set(cert) && !any_listener(c->config, asks_for_certificates))
        findings_warn(c->findings, cert->place,
                      "callers[%zu].cert: no listener has `tls` with a `client_ca_file`, so no "
                      "caller is known by a certificate",
                      caller->index);
    if (check_is_set(account) && !any_listener(c->config, may_be_unix))
        findings_warn(c->findings, account->place,
                      "callers[%zu]: no listener is a unix socket, so no caller is known by its "
                      "user or group",
                      caller->index);
}

static void check_rate(const struct checking *c, struct caller_config *caller)
{
    const struct origin *burst = &caller->origins[CALLER_burst];
    if (!check_is_set(burst))
        caller->burst = caller->rate;
    else if (!check_is_set(&caller->origins[CALLER_rate]))
        findings_error(c->findings, burst->place, "callers[%zu]: `burst` needs a `rate`",
                       caller->index);
}

void check_callers(const struct checking *c)
{
    struct config *config = c->config;
    for (size_t i = 0; i < config->n_callers; i++) {
        struct caller_config *caller = &config->callers[i];
        caller->index = i;
        caller->told = origin_told(&caller->origins[CALLER_name], caller->name);
        if (!caller->present)
            continue; /* it is no group, which is told */
        check_name_is_own(c, i);
        check_is_known(c, caller, i);
        check_tokens(c, caller);
        check_account(c, caller);
        check_account_is_own(c, caller);
        check_way_is_open(c, caller);
        check_rate(c, caller);
    }
}
