/* SPDX-License-Identifier: Apache-2.0 */
/* A call that needs a session. */
#include "client/session_store.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/call.h"
#include "client/client.h"
#include "client/pool.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void go_on(struct session_use *use);

void session_error_late(struct call *c)
{
    const char *limit = c->is_short ? "X-Rpcgate-Timeout" : c->rule.timeout_setting;
    error_limit(&c->error, PROBLEM_TIMEOUT, c->rule.timeout_setting,
                "The login at the upstream %s that this call has waited for did not end within "
                "%" PRId64 " ms (%s).",
                c->upstream->name, c->is_short ? c->limit_ms : c->rule.timeout_ms, limit);
    c->error.executed = EXECUTED_NO;
}

static void refuse_late(struct call *c)
{
    session_error_late(c);
    call_fail(c);
}

static void refuse_unwanted(struct call *c)
{
    error_set(&c->error, PROBLEM_REQUEST_TIMEOUT, "The caller left before the call was sent.");
    call_fail(c);
}

static void on_wait_over(struct once_wait *wait, bool in_time)
{
    struct session_use *use = CONTAINER_OF(wait, struct session_use, wait);
    if (use->call->unwanted)
        refuse_unwanted(use->call);
    else if (!in_time || clock_now_ms() >= use->call->deadline_ms)
        refuse_late(use->call);
    else
        go_on(use);
}

/* Whoever waits for something that changes before the wait has begun would wait for ever. */
static void wait(struct session_use *use, unsigned changes)
{
    struct session_store *s = use->store;
    use->wait.go_on = on_wait_over;
    once_wait(&s->changed, &use->wait, call_work(use->call), use->call->deadline_ms);
    if (atomic_load_explicit(&s->changes, memory_order_acquire) != changes)
        once_hurry(&use->wait);
}

static void take(struct session_use *use, const struct session_answer *answer)
{
    struct held_session *held = CONTAINER_OF(answer->session, struct held_session, session);
    use->held = held;
    use->values = xcalloc(held->n_values, sizeof *use->values);
    memcpy(use->values, held->values, held->n_values * sizeof *use->values);
    int len = snprintf(use->count, sizeof use->count, "%" PRIu64, answer->count);
    use->values[TEMPLATE_COUNT] = (struct str){ use->count, (size_t)len };
}

static void refuse(struct call *c, const struct error *bad, int64_t wait_ms)
{
    c->error = *bad;
    if (bad->type == PROBLEM_LOGIN_FAILED || wait_ms > 0)
        c->error.retry_after = wait_ms > 1000 ? (unsigned)((wait_ms + 999) / 1000) : 1;
    if (bad->type != PROBLEM_LOGIN_FAILED && wait_ms > 0)
        error_preface(&c->error, "There is a pause before the next login (session.retry). ");
    c->error.executed = EXECUTED_NO;
    call_fail(c);
}

static void go_on(struct session_use *use)
{
    struct session_store *s = use->store;
    struct call *c = use->call;
    struct session_answer answer;
    struct error bad;
    pthread_mutex_lock(&s->lock);
    unsigned changes = atomic_load_explicit(&s->changes, memory_order_relaxed);
    enum session_step step = sessions_ask(&s->sessions, clock_now_ms(), use->waited_for, &answer);
    if (step == SESSION_REFUSED || step == SESSION_FAILED)
        bad = s->bad;
    pthread_mutex_unlock(&s->lock);
    if (step == SESSION_USE)
        take(use, &answer);
    if (answer.must_login)
        session_job_begin(s, c->site, c->upstream, SESSION_LOGIN, NULL);
    session_store_tidy(s, c->site, c->upstream);
    switch (step) {
    case SESSION_USE:
        call_translate(c);
        break;
    case SESSION_WAIT:
        use->waited_for = answer.round;
        wait(use, changes);
        break;
    case SESSION_REFUSED:
    case SESSION_FAILED:
        refuse(c, &bad, answer.wait_ms);
        break;
    }
}

void session_begin(struct call *c)
{
    struct session_use *use = xcalloc(1, sizeof *use);
    use->call = c;
    use->store = c->site->pools[c->upstream->index]->shared->sessions;
    c->session = use;
    c->keeps_text = true;
    if (UNLIKELY(c->was_refused)) {
        use->is_renewed = true;
        use->attempts_before = c->attempts;
        c->attempts = 0;
    }
    go_on(use);
}

void session_hurry(struct call *c)
{
    if (c->session->wait.once != NULL)
        once_hurry(&c->session->wait);
}

/* Gives the session back. */
static void give_back(struct session_use *use)
{
    struct session_store *s = use->store;
    struct held_session *held = TAKE(use->held);
    if (held == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    sessions_release(&s->sessions, &held->session, clock_now_ms());
    pthread_mutex_unlock(&s->lock);
    free(TAKE(use->values));
    if (s->config->session.serial) {
        atomic_fetch_add_explicit(&s->changes, 1, memory_order_release);
        once_tell(&s->changed);
    }
    session_store_tidy(s, use->call->site, use->call->upstream);
}

void session_leave(struct call *c)
{
    struct session_use *use = TAKE(c->session);
    once_leave(&use->wait);
    give_back(use);
    free(use);
}

static bool is_gone(struct session_use *use)
{
    struct session_store *s = use->store;
    pthread_mutex_lock(&s->lock);
    enum session_verdict verdict =
        sessions_expired(&s->sessions, &use->held->session, clock_now_ms());
    pthread_mutex_unlock(&s->lock);
    if (verdict == SESSION_DROPPED)
        session_store_count_expired(s);
    return verdict != SESSION_FINAL;
}

bool session_lost_by(struct call *c)
{
    return c->session != NULL && !c->session->is_renewed && !c->maybe_executed &&
           is_gone(c->session);
}

void session_spoil(struct call *c)
{
    (void)is_gone(c->session);
}

void session_try(struct site *site, const struct upstream_config *upstream,
                 struct session_watcher *watcher)
{
    struct session_store *s = site->pools[upstream->index]->shared->sessions;
    struct session_answer answer;
    s->watcher = watcher;
    pthread_mutex_lock(&s->lock);
    (void)sessions_ask(&s->sessions, clock_now_ms(), 0, &answer);
    pthread_mutex_unlock(&s->lock);
    assert(answer.must_login);
    session_job_begin(s, site, upstream, SESSION_LOGIN, NULL);
}

struct hidden *session_hidden(const struct site *site, const struct upstream_config *upstream)
{
    return upstream != NULL && upstream->session.present
               ? session_store_hidden(site->pools[upstream->index]->shared->sessions, site->config)
               : NULL;
}

/* What is refused with a session that is fresh is refused for another reason. */
bool session_renew(struct call *c)
{
    struct session_use *use = c->session;
    if (!is_gone(use) || use->is_renewed || c->unwanted || clock_now_ms() >= c->deadline_ms)
        return false;
    use->is_renewed = true;
    use->waited_for = 0;
    use->attempts_before += c->attempts;
    call_begin_again(c);
    give_back(use);
    go_on(use);
    return true;
}

void session_renew_no_more(struct call *c)
{
    if (c->session != NULL)
        c->session->is_renewed = true;
}

void session_take_cookie(struct call *c, struct str value)
{
    if (c->session->held != NULL)
        session_store_take_cookie(c->session->store, c->session->held, value);
}

struct inject_source session_source(struct call *c, struct buf *cookies)
{
    struct session_use *use = c->session;
    pthread_mutex_lock(&use->store->lock);
    held_session_write_cookies(use->held, cookies);
    pthread_mutex_unlock(&use->store->lock);
    return (struct inject_source){
        .encoding = &c->encoding,
        .encoder = c->encoder,
        .values = use->values,
        .cookies = buf_str(cookies),
    };
}
