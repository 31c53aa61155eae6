/* SPDX-License-Identifier: Apache-2.0 */
/* Digest (RFC 7616), which is ours: libcurl keeps a nonce in the handle that has learnt it, and
 * sends again by itself. Here a call is an exchange of up to three requests. Who has no nonce asks
 * for one with an empty body, so that a large document does not go out in vain; a 401 says that the
 * call was not taken, so it may be sent again, on a connection of its own: a server that refuses
 * may be about to close this one. */
#include "io/upstream_inside.h"

#include "settings/url.h"

#include <stdlib.h>

/* Of the answer behind which there will be another one. More is not read: the connection ends. */
#define SKIPPED_MAX ((size_t)64 * 1024)

void login_start(struct exchange *x)
{
    x->logins = 0;
    x->asked = false;
}

void login_prepare(struct exchange *x)
{
    x->asks = false;
    x->goes_on = false;
    x->skipped = 0;
    if (!x->target->digest || x->call->connect_only || x->extra->is_dry)
        return;
    if (x->nonce == NULL && !x->asked)
        x->nonce = upstream_nonce_take(x->upstream->shared, x->call->target);
    x->asks = x->nonce == NULL && !x->asked;
    x->asked = true;
}

void login_take_back(struct exchange *x)
{
    if (x->asks)
        x->asked = false;
    if (x->nonce != NULL)
        x->nonce->count--;
}

/* What libcurl sends as the request's target, and a proxy passes on. */
static struct str uri_of(struct str text)
{
    struct str rest = str_slice(text, str_find(text, ':') + 3, text.len);
    return str_slice(rest, str_find(rest, '/'), rest.len);
}

bool login_write(struct exchange *x, struct buf *to)
{
    /* Nobody has told a nonce: what will stand there is hidden, anyway. */
    if (x->target->digest && x->extra->is_dry)
        buf_append_c(to, "Digest -");
    if (x->nonce == NULL)
        return true;
    CLEANUP(buf_wipe) struct buf url;
    buf_init(&url, SIZE_MAX - 1, NULL);
    url_append_with_path(str_of(x->target->url),
                         x->call->added != NULL ? x->call->added->path : STR(""), &url);
    struct digest_request request = {
        .username = x->target->username,
        .password = x->target->password,
        .method = x->extra->get ? STR("GET") : STR("POST"),
        .uri = uri_of(buf_str(&url)),
        .count = ++x->nonce->count,
        .cnonce = x->nonce->cnonce,
    };
    return digest_login_write(&x->nonce->challenge, &request, to);
}

static bool find_challenge(const struct exchange *x, struct digest_challenge *ret)
{
    for (size_t i = 0; i < x->head.n_shown; i++)
        if (str_eq_nocase(str_of(x->head.shown[i].name), STR("WWW-Authenticate")) &&
            digest_challenge_read(str_of(x->head.shown[i].value), ret))
            return true;
    return false;
}

/* Once with what this call was told, and once more where that was used up meanwhile. */
static bool may_log_in(const struct exchange *x, const struct digest_challenge *challenge)
{
    return x->logins == 0 || (x->logins == 1 && challenge->stale);
}

void login_take_head(struct exchange *x)
{
    struct digest_challenge challenge;
    if (!x->target->digest || x->call->connect_only)
        return;
    if (x->head.status != 401) {
        x->goes_on = x->asks && x->head.status < 300;
        return;
    }
    /* It does not count any more. */
    free(TAKE(x->nonce));
    if (!find_challenge(x, &challenge) || !may_log_in(x, &challenge))
        return;
    x->nonce = upstream_nonce_new(x->call->target, &challenge);
    x->logins++;
    x->goes_on = true;
}

bool login_skips(struct exchange *x, size_t bytes)
{
    x->skipped += bytes;
    return x->skipped <= SKIPPED_MAX;
}

bool login_sends_again(const struct exchange *x, CURLcode rc)
{
    return x->call != NULL && x->goes_on && x->head.fault == NULL &&
           rc != CURLE_OPERATION_TIMEDOUT && rc != CURLE_OUT_OF_MEMORY;
}

/* Without an answer nobody knows whether the server has counted it. */
void login_end(struct exchange *x)
{
    struct upstream_nonce *nonce = TAKE(x->nonce);
    if (nonce != NULL && x->head.complete && x->head.status != 401)
        upstream_nonce_give(x->upstream->shared, nonce);
    else
        free(nonce);
}
