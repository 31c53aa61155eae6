/* SPDX-License-Identifier: Apache-2.0 */
/* The sessions at one upstream, which all workers share, and the calls that need one: the first
 * that does logs in, for all (client/session_login.c); others wait, each as long as its own
 * deadline says. What is to be done is client/session.h's to say. It lives as long as the
 * upstream's state: over reloads that leave the upstream as it is. */
#ifndef RPCGATE_CLIENT_SESSION_STORE_H
#define RPCGATE_CLIENT_SESSION_STORE_H

#include "client/hidden.h"
#include "client/injected.h"
#include "client/session.h"
#include "client/site.h"
#include "codec/error.h"
#include "settings/snapshot.h"
#include "work/metrics.h"
#include "work/once.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call;
struct session_watcher;
struct store;

#define SESSION_COOKIES_MAX ((size_t)32)

/* What a login may give that is to be hidden, and so much again in cookies: each byte takes some
 * hundred of memory where it is looked for. [bytes] */
#define SESSION_SECRETS_MAX ((size_t)8 * 1024)

struct session_cookie {
    char *name, *value; /* owned */
};

/* A session with what its login has brought. */
struct held_session {
    struct session session;
    struct buf text;    /* what `values` point into; secret */
    struct str *values; /* JSON, as settings/template.h has them; that of {count} is each call's */
    size_t n_values;
    bool is_used_whole;                                 /* not only what `keep` names */
    struct session_cookie cookies[SESSION_COOKIES_MAX]; /* under the store's lock */
    size_t n_cookies;
};

struct session_store {
    const struct upstream_config *config; /* borrowed, as what follows */
    struct upstream_record *record;
    pthread_mutex_t lock; /* of all that follows, but for `changed` and `changes` */
    struct sessions sessions;
    struct error bad;          /* of the last login that brought nothing */
    size_t n_pools;            /* workers that have the upstream */
    struct hidden *hidden;     /* referenced; NULL: it is made when it is asked for */
    struct config *hidden_for; /* referenced: whose secrets it has, too; NULL: none's */
    struct buf former;         /* secrets of sessions that have ended, each with a NUL */
    struct once changed;
    atomic_uint changes;
    struct session_watcher *watcher; /* NULL: nobody's */
};

struct session_store *session_store_new(const struct upstream_config *config,
                                        struct upstream_record *record) MUST_CHECK;
/* Nobody uses it. NULL is fine. */
void session_store_free(struct session_store *s);

/* So of an upstream; NULL: of none. */
struct hidden *session_hidden(const struct site *site,
                              const struct upstream_config *upstream) MUST_CHECK;

/* What is to be hidden in foreign text of that upstream, with all secrets of that configuration;
 * with a reference. NULL: what the configuration has alone. `s` may be NULL. */
struct hidden *session_store_hidden(struct session_store *s, struct config *config) MUST_CHECK;

enum session_state session_store_state(struct session_store *s);

/* How many sessions there are. */
size_t session_store_active(struct session_store *s);

/* ---- A call's part -------------------------------------------------------------------------- */

struct session_use {
    struct call *call;
    struct session_store *store;
    struct held_session *held; /* NULL: it has none (yet, or any more) */
    struct str *values;        /* with this call's count; owned */
    char count[24];
    uint64_t waited_for;
    struct once_wait wait;
    bool is_renewed; /* the call was refused once already */
    unsigned attempts_before;
};

/* The call is in CALL_SESSION, and goes on with call_translate(), now or later, or fails. */
void session_begin(struct call *c);

/* Its answer was that the session has expired. True: the call is sent again with another one, and
 * may be at its end already. */
bool session_renew(struct call *c) MUST_CHECK;

/* What it sends was sent before, with a session that had expired: not again. */
void session_renew_no_more(struct call *c);

/* So of a part of its answer. True: the session has ended, and that part may be sent again by
 * another call. */
bool session_lost_by(struct call *c) MUST_CHECK;

/* What the session's login gave cannot be sent: it is as good as expired. */
void session_spoil(struct call *c);

/* An answer to the call has set a cookie. */
void session_take_cookie(struct call *c, struct str value);

/* Fills c->error for one whose time was over before it had one. */
void session_error_late(struct call *c);

/* What its rule adds to it is made with this. The value of Cookie is appended to `cookies`. */
struct inject_source session_source(struct call *c, struct buf *cookies);

/* The caller has left: it waits no longer. */
void session_hurry(struct call *c);

/* The call does not need it any more. */
void session_leave(struct call *c);

/* ---- For client/session_login.c ------------------------------------------------------------- */

enum session_job_kind { SESSION_LOGIN, SESSION_LOGOUT, SESSION_KEEPALIVE };

/* Makes that call, whose end it tells the store. `held` of LOGIN is NULL. */
void session_job_begin(struct session_store *s, struct site *site,
                       const struct upstream_config *upstream, enum session_job_kind kind,
                       struct held_session *held);

/* Who wants to know how they end. */
struct session_watcher {
    /* `err` NULL: well. `refused`: the login was, for what it has for credentials. */
    void (*told)(struct session_watcher *watcher, enum session_job_kind kind,
                 const struct error *err, bool refused);
};

/* Logs in for no call, where nobody has yet. The watcher is told of that and of all that follows,
 * as long as there is the store. */
void session_try(struct site *site, const struct upstream_config *upstream,
                 struct session_watcher *watcher);

/* A worker's session has begun: that worker keeps it alive. */
struct pool;
struct session_keeper;
void session_keep(struct pool *pool);
/* NULL is fine. */
void session_keeper_free(struct session_keeper *k);

/* A login has brought that. */
void session_store_logged_in(struct session_store *s, struct held_session *held);
/* It has not. Returns how long no login is made now. */
enum login_failure {
    LOGIN_IS_REFUSED,
    LOGIN_HAS_FAILED, /* otherwise; the server may have seen it, */
    LOGIN_IS_UNSENT   /* or has not */
};
int64_t session_store_failed(struct session_store *s, const struct error *err,
                             enum login_failure how);

/* One that was logged out, or needs no logout. */
void session_store_gone(struct session_store *s, struct held_session *held);

/* A call has ended that keeps it alive, perhaps because it has expired. */
void session_store_kept(struct session_store *s, struct held_session *held, bool expired);

/* Drops were noticed. */
void session_store_count_expired(struct session_store *s);

/* Is what its login has given no more than can be hidden? */
bool held_session_is_small(const struct held_session *held);

/* Under the lock: what is hidden follows the sessions that there are, */
void session_secrets_changed(struct session_store *s);
/* and those that there were. */
void session_secrets_remember(struct session_store *s, const struct held_session *held);

/* So of a session that is in use. */
void session_store_take_cookie(struct session_store *s, struct held_session *held,
                               struct str value);

/* Sets a cookie from the value of a Set-Cookie. False: it is none, or was so already. */
bool held_session_take_cookie(struct held_session *held, struct str value) MUST_CHECK;
/* Appends the value of Cookie, or nothing. */
void held_session_write_cookies(const struct held_session *held, struct buf *to);
void held_session_free(struct held_session *held);

/* Ends what is to be ended, by calls of that site. */
void session_store_tidy(struct session_store *s, struct site *site,
                        const struct upstream_config *upstream);

/* A worker has the upstream, or has it no more: behind the last, sessions are logged out. */
void session_store_join(struct session_store *s);
void session_store_leave(struct session_store *s, struct site *site,
                         const struct upstream_config *upstream);

#endif
