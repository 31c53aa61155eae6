/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be done about the sessions of one upstream: use one, wait, log in, or leave it for a
 * while. Pure: it makes no calls, has no clock and no lock; who shares it has one
 * (client/session_store.h). Times are monotonic. */
#ifndef RPCGATE_CLIENT_SESSION_H
#define RPCGATE_CLIENT_SESSION_H

#include "base/list.h"
#include "base/macros.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session_rules {
    int64_t idle_ms, max_age_ms; /* 0: none */
    int64_t settle_ms;
    int64_t retry_ms;
    size_t parallel;
    bool serial, exclusive;
};

/* What a login has brought. It is there while anybody uses it. */
struct session {
    struct list in_all;
    uint64_t round; /* the login that it comes from */
    int64_t born_ms;
    int64_t used_ms; /* when a call with it began or ended the last time */
    uint64_t count;  /* calls that have begun with it */
    size_t users;
    bool retired; /* gets no further calls */
    bool expired; /* the server has ended it */
    bool leaving; /* somebody sees to its end */
};

struct sessions {
    struct session_rules rules;
    struct list all; /* of struct session; those that end, too */
    size_t n_live;   /* that are not retired */
    uint64_t round;  /* of the last login that has begun; 0: none has */
    bool login_runs;
    uint64_t bad_round; /* of the last login that brought nothing, */
    bool bad_refused;   /* because it was refused */
    unsigned n_bad;     /* such logins in a row, of which the server may keep count */
    int64_t paused_until_ms;
    bool closed; /* no login begins any more */
};

void sessions_init(struct sessions *s, const struct session_rules *rules);

enum session_step {
    SESSION_USE,     /* with `session`; sessions_release() in the end */
    SESSION_WAIT,    /* until something of the sessions changes; then ask again */
    SESSION_REFUSED, /* the last login was; none is made for `wait_ms` */
    SESSION_FAILED   /* the last login, or the one that was waited for, has failed otherwise; none
                        is made for `wait_ms`, which may be 0 */
};

struct session_answer {
    struct session *session;
    uint64_t count; /* of this call, within the session */
    int64_t wait_ms;
    uint64_t round;  /* of the login that is waited for; 0: none */
    bool must_login; /* a login has begun with this question: who asks makes it */
};

/* For a call that needs a session. `waited_for` is the round that it was told to wait for, 0: it
 * has not waited. */
enum session_step sessions_ask(struct sessions *s, int64_t now_ms, uint64_t waited_for,
                               struct session_answer *ret);

/* Each login ends by one of these. `session` is zeroed memory, and the machine's until
 * sessions_gone(). */
void sessions_login_good(struct sessions *s, int64_t now_ms, struct session *session);
/* `retry_after_ms`: what the server has asked for; 0: nothing. Both return how long no login is
 * made now. The first failure that is no refusal costs no pause. */
int64_t sessions_login_refused(struct sessions *s, int64_t now_ms, int64_t retry_after_ms);
int64_t sessions_login_failed(struct sessions *s, int64_t now_ms, int64_t retry_after_ms);
/* So where the server has seen nothing of it. */
void sessions_login_unsent(struct sessions *s);

/* A call with it has ended. */
void sessions_release(struct sessions *s, struct session *session, int64_t now_ms);

enum session_verdict {
    SESSION_FINAL,  /* it is too young: the refusal is the answer */
    SESSION_GONE,   /* it has ended: the call may be sent again with another one */
    SESSION_DROPPED /* so, and this call was the first to find out */
};

/* A call with it was told that it has expired. It is to be released as well. */
enum session_verdict sessions_expired(struct sessions *s, struct session *session, int64_t now_ms);

/* The next that is to be ended, which the asker does: a logout if `expired` is not set, or the
 * server has room for one alone, and then sessions_gone(). NULL: none. */
struct session *sessions_next_leaving(struct sessions *s);

/* It is the caller's memory again. */
void sessions_gone(struct sessions *s, struct session *session);

/* Nobody needs them any more: all are ended when their last call has. */
void sessions_close(struct sessions *s);

/* One that has rested for `every_ms` and is now in use for a call that keeps it alive; NULL: none,
 * and *ret_next_ms is when to ask again (CLOCK_NEVER: when there is a new one). */
struct session *sessions_rested(struct sessions *s, int64_t now_ms, int64_t every_ms,
                                int64_t *ret_next_ms);

enum session_state { SESSION_IS_NONE, SESSION_IS_ACTIVE, SESSION_IS_REFUSED };

enum session_state sessions_state(const struct sessions *s, int64_t now_ms);

#endif
