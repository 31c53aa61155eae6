/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/caller.h"

#include "base/digest.h"
#include "codec/value/base64.h"
#include "rules/token.h"

static void know(const struct caller_config *config, struct caller *ret)
{
    *ret = (struct caller){
        .config = config,
        .access = { { config->allow, config->n_allow }, { config->deny, config->n_deny } },
    };
}

static enum caller_answer refuse(enum caller_answer answer, struct error *err, const char *detail)
{
    error_set(err, PROBLEM_UNAUTHENTICATED, "%s", detail);
    return answer;
}

/* All digests are compared, whichever is right: the time tells nothing. */
static const struct caller_config *find_by_token(const struct config *config, struct str token)
{
    const struct caller_config *found = NULL;
    struct digest digest;
    digest_of(token, &digest);
    for (size_t i = 0; i < config->n_callers; i++) {
        const struct caller_config *c = &config->callers[i];
        for (size_t k = 0; k < c->n_digests; k++)
            found = digest_equal(&c->digests[k], &digest) ? c : found;
    }
    return found;
}

/* `Bearer TOKEN`: what is a token is the configuration's choice, within visible ASCII. */
static bool read_token(struct str value, struct str *ret)
{
    size_t end = token_prefix(value);
    *ret = str_trim(str_slice(value, end, value.len));
    for (size_t i = 0; i < ret->len; i++)
        if (ret->data[i] <= ' ' || ret->data[i] > '~')
            return false;
    return ret->len > 0 && value.data[end] == ' ';
}

static enum caller_answer know_token(const struct config *config, struct str token, struct str name,
                                     struct caller *ret, struct error *err)
{
    const struct caller_config *found = find_by_token(config, token);
    if (found == NULL)
        return refuse(CALLER_WRONG, err,
                      "This token is not known here. Look whether it is complete and still valid, "
                      "or ask the administrator for one.");
    if (name.data != NULL && !str_eq_c(name, found->name))
        return refuse(CALLER_WRONG, err,
                      "The token is not that of the caller of this name. Send the name that the "
                      "administrator has given you with it.");
    know(found, ret);
    return CALLER_KNOWN;
}

/* NAME:TOKEN in base64 (RFC 7617). */
static enum caller_answer check_basic(const struct config *config, struct str text,
                                      struct caller *ret, struct error *err)
{
    enum caller_answer answer;
    struct buf pair;
    text = str_trim(text);
    buf_init(&pair, text.len, NULL);
    (void)buf_reserve(&pair, text.len); /* at once: growing would leave copies behind */
    struct str both = base64_read(text, &pair) ? buf_str(&pair) : STR("");
    size_t colon = str_find(both, ':');
    if (colon == both.len)
        answer = refuse(CALLER_WRONG, err,
                        "The Authorization header is not Basic with a caller's name and its "
                        "token: http://NAME:TOKEN@host/xmlrpc/UPSTREAM has both.");
    else
        answer = know_token(config, str_slice(both, colon + 1, both.len), str_slice(both, 0, colon),
                            ret, err);
    buf_wipe(&pair);
    return answer;
}

static enum caller_answer check_token(const struct config *config, struct str value,
                                      bool may_be_basic, struct caller *ret, struct error *err)
{
    struct str token;
    value = str_trim(value);
    struct str scheme = str_slice(value, 0, token_prefix(value));
    if (may_be_basic && str_eq_nocase(scheme, STR("Basic")))
        return check_basic(config, str_slice(value, scheme.len, value.len), ret, err);
    if (!str_eq_nocase(scheme, STR("Bearer")))
        return refuse(CALLER_WRONG, err,
                      "Only Bearer tokens are taken here: send `Authorization: Bearer TOKEN`, with "
                      "a token that the administrator has given you.");
    if (!read_token(value, &token))
        return refuse(CALLER_WRONG, err,
                      "The Authorization header has no token that can be one: send "
                      "`Authorization: Bearer TOKEN`, without quotes or spaces in the token.");
    return know_token(config, token, (struct str){ NULL, 0 }, ret, err);
}

static const struct caller_config *find_by_subject(const struct config *config, struct str subject)
{
    for (size_t i = 0; i < config->n_callers; i++) {
        const struct caller_config *c = &config->callers[i];
        if (c->cert != NULL && glob_match(str_of(c->cert), subject))
            return c;
    }
    return NULL;
}

static bool is_in_group(const struct request_peer *peer, gid_t gid)
{
    for (size_t i = 0; i < peer->n_groups; i++)
        if (peer->groups[i] == gid)
            return true;
    return peer->gid == gid;
}

static const struct caller_config *find_by_process(const struct config *config,
                                                   const struct request_peer *peer)
{
    for (size_t i = 0; i < config->n_callers; i++) {
        const struct caller_config *c = &config->callers[i];
        if ((c->has_uid && c->uid == peer->uid) || (c->has_gid && is_in_group(peer, c->gid)))
            return c;
    }
    return NULL;
}

static enum caller_answer refuse_stranger(const struct config *config,
                                          const struct request_peer *peer, struct error *err)
{
    if (config->n_callers == 0)
        return refuse(CALLER_NONE, err,
                      "Nobody may call here yet. The administrator allows it with the settings "
                      "`callers` or `anonymous`.");
    if (!peer->known)
        return refuse(CALLER_NONE, err,
                      "Nobody may call without credentials here: send `Authorization: Bearer "
                      "TOKEN`, with a token that the administrator has given you.");
    error_set(err, PROBLEM_UNAUTHENTICATED,
              "The user of your process (%u) is no caller here, nor is one of its groups: send "
              "`Authorization: Bearer TOKEN`, or ask the administrator to add the user or a group "
              "to `callers`.",
              (unsigned)peer->uid);
    return CALLER_NONE;
}

static enum caller_answer check_peer(const struct config *config, const struct request_peer *peer,
                                     struct caller *ret, struct error *err)
{
    const struct caller_config *found = NULL;
    if (peer->cert == PEER_CERT_FOREIGN)
        return refuse(CALLER_WRONG, err,
                      "The client certificate is not one of those that are trusted here, or is not "
                      "valid now: use another one, or none and a token.");
    if (peer->cert == PEER_CERT_GOOD)
        found = find_by_subject(config, peer->subject);
    if (found == NULL && peer->known)
        found = find_by_process(config, peer);
    if (found != NULL) {
        know(found, ret);
        return CALLER_KNOWN;
    }
    if (!config->anonymous.present)
        return refuse_stranger(config, peer, err);
    const struct anonymous_config *a = &config->anonymous;
    *ret = (struct caller){ .access = { { a->allow, a->n_allow }, { a->deny, a->n_deny } } };
    return CALLER_KNOWN;
}

enum caller_answer caller_find(const struct config *config, const struct credentials *credentials,
                               struct caller *ret, struct error *err)
{
    size_t n = head_count(credentials->head, HEADER_AUTHORIZATION);
    if (n == 0)
        return check_peer(config, credentials->peer, ret, err);
    if (n > 1)
        return refuse(CALLER_WRONG, err, "There are several Authorization headers: send one.");
    return check_token(config, head_find(credentials->head, HEADER_AUTHORIZATION)->value,
                       credentials->may_be_basic, ret, err);
}
