/* SPDX-License-Identifier: Apache-2.0 */
#include "client/session.h"

#include "base/clock.h"

#include <assert.h>

/* The longest pauses, unless the server asks for more: who is refused needs another password, but a
 * server that fails may be well again. */
#define REFUSED_MAX_MS ((int64_t)10 * 60 * 1000)
#define FAILED_MAX_MS ((int64_t)60 * 1000)

void sessions_init(struct sessions *s, const struct session_rules *rules)
{
    *s = (struct sessions){ .rules = *rules };
    list_init(&s->all);
}

static void retire(struct sessions *s, struct session *session)
{
    if (session->retired)
        return;
    session->retired = true;
    s->n_live--;
}

/* One that is in use is not idle. */
static bool is_old(const struct sessions *s, const struct session *session, int64_t now_ms)
{
    const struct session_rules *r = &s->rules;
    return (r->max_age_ms > 0 && now_ms - session->born_ms >= r->max_age_ms) ||
           (r->idle_ms > 0 && session->users == 0 && now_ms - session->used_ms >= r->idle_ms);
}

/* The one with the fewest calls; NULL: none has room. */
static struct session *choose(struct sessions *s, int64_t now_ms)
{
    struct session *best = NULL;
    LIST_EACH (&s->all, at, following) {
        struct session *session = CONTAINER_OF(at, struct session, in_all);
        if (!session->retired && is_old(s, session, now_ms))
            retire(s, session);
        if (session->retired || (s->rules.serial && session->users > 0))
            continue;
        if (best == NULL || session->users < best->users)
            best = session;
    }
    return best;
}

/* Where the server has room for one session, the old one must be gone before. */
static bool may_login(const struct sessions *s, int64_t now_ms)
{
    return !s->closed && !s->login_runs && s->n_live < s->rules.parallel &&
           now_ms >= s->paused_until_ms && !(s->rules.exclusive && !list_empty(&s->all));
}

static void begin_login(struct sessions *s, struct session_answer *ret)
{
    s->login_runs = true;
    s->round++;
    ret->must_login = true;
}

static void use(struct sessions *s, struct session *session, int64_t now_ms,
                struct session_answer *ret)
{
    (void)s;
    session->users++;
    session->used_ms = now_ms;
    ret->session = session;
    ret->count = ++session->count;
}

enum session_step sessions_ask(struct sessions *s, int64_t now_ms, uint64_t waited_for,
                               struct session_answer *ret)
{
    *ret = (struct session_answer){ .session = NULL };
    struct session *session = choose(s, now_ms);
    bool knows_bad = waited_for != 0 && waited_for <= s->bad_round;
    /* More sessions than one are opened as they are needed. */
    if (session != NULL && session->users > 0 && may_login(s, now_ms))
        begin_login(s, ret);
    if (session != NULL) {
        use(s, session, now_ms, ret);
        return SESSION_USE;
    }
    ret->wait_ms = s->paused_until_ms > now_ms ? s->paused_until_ms - now_ms : 0;
    bool may_come_free = s->n_live > 0;
    if (!may_come_free && (knows_bad || ret->wait_ms > 0))
        return s->bad_refused ? SESSION_REFUSED : SESSION_FAILED;
    if (!knows_bad && may_login(s, now_ms))
        begin_login(s, ret);
    ret->round = s->login_runs ? s->round : waited_for;
    return SESSION_WAIT;
}

static void end_login(struct sessions *s)
{
    assert(s->login_runs);
    s->login_runs = false;
}

void sessions_login_good(struct sessions *s, int64_t now_ms, struct session *session)
{
    end_login(s);
    s->n_bad = 0;
    s->paused_until_ms = 0;
    session->round = s->round;
    session->born_ms = session->used_ms = now_ms;
    session->retired = s->closed;
    s->n_live += !s->closed;
    list_add_last(&s->all, &session->in_all);
}

static void end_bad_login(struct sessions *s, bool refused)
{
    end_login(s);
    s->bad_round = s->round;
    s->bad_refused = refused;
}

static int64_t doubled(int64_t pause_ms, unsigned times, int64_t max_ms)
{
    for (unsigned i = 0; i < times && pause_ms < max_ms; i++)
        pause_ms *= 2;
    return pause_ms < max_ms ? pause_ms : max_ms;
}

static int64_t pause(struct sessions *s, int64_t now_ms, int64_t pause_ms, int64_t least_ms)
{
    if (pause_ms < least_ms)
        pause_ms = least_ms;
    s->n_bad++;
    s->paused_until_ms = now_ms + pause_ms;
    return pause_ms;
}

int64_t sessions_login_refused(struct sessions *s, int64_t now_ms, int64_t retry_after_ms)
{
    end_bad_login(s, true);
    return pause(s, now_ms, doubled(s->rules.retry_ms, s->n_bad, REFUSED_MAX_MS), retry_after_ms);
}

int64_t sessions_login_failed(struct sessions *s, int64_t now_ms, int64_t retry_after_ms)
{
    unsigned n = s->n_bad;
    int64_t pause_ms = n > 0 ? doubled(s->rules.retry_ms, n - 1, FAILED_MAX_MS) : 0;
    end_bad_login(s, false);
    return pause(s, now_ms, pause_ms, retry_after_ms);
}

void sessions_login_unsent(struct sessions *s)
{
    end_bad_login(s, false);
}

void sessions_release(struct sessions *s, struct session *session, int64_t now_ms)
{
    (void)s;
    assert(session->users > 0);
    session->users--;
    session->used_ms = now_ms;
}

enum session_verdict sessions_expired(struct sessions *s, struct session *session, int64_t now_ms)
{
    if (session->expired)
        return SESSION_GONE;
    if (now_ms - session->born_ms < s->rules.settle_ms)
        return SESSION_FINAL;
    session->expired = true;
    retire(s, session);
    return SESSION_DROPPED;
}

struct session *sessions_next_leaving(struct sessions *s)
{
    LIST_EACH (&s->all, at, following) {
        struct session *session = CONTAINER_OF(at, struct session, in_all);
        if (!session->retired || session->users > 0 || session->leaving)
            continue;
        session->leaving = true;
        return session;
    }
    return NULL;
}

void sessions_gone(struct sessions *s, struct session *session)
{
    assert(session->retired && session->users == 0);
    (void)s;
    list_remove(&session->in_all);
}

void sessions_close(struct sessions *s)
{
    s->closed = true;
    LIST_EACH (&s->all, at, following) {
        retire(s, CONTAINER_OF(at, struct session, in_all));
    }
}

/* One that is to be replaced is not kept alive. */
struct session *sessions_rested(struct sessions *s, int64_t now_ms, int64_t every_ms,
                                int64_t *ret_next_ms)
{
    *ret_next_ms = CLOCK_NEVER;
    LIST_EACH (&s->all, at, following) {
        struct session *session = CONTAINER_OF(at, struct session, in_all);
        if (session->retired || is_old(s, session, now_ms))
            continue;
        int64_t due_ms = session->users > 0 ? now_ms + every_ms : session->used_ms + every_ms;
        *ret_next_ms = clock_min(*ret_next_ms, due_ms);
        if (due_ms > now_ms)
            continue;
        session->users++;
        session->used_ms = now_ms;
        session->count++;
        return session;
    }
    return NULL;
}

enum session_state sessions_state(const struct sessions *s, int64_t now_ms)
{
    if (s->n_live > 0)
        return SESSION_IS_ACTIVE;
    return s->bad_refused && now_ms < s->paused_until_ms ? SESSION_IS_REFUSED : SESSION_IS_NONE;
}
