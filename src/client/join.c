/* SPDX-License-Identifier: Apache-2.0 */
#include "client/join_inside.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/step.h"
#include "client/attempt.h"
#include "client/client.h"
#include "client/inject.h"
#include "client/pool.h"

#include <assert.h>
#include <stdlib.h>

/* Larger params are worth a request of their own, and would hold others up. [bytes] */
#define PARAMS_MAX ((size_t)4 * 1024)

/* How long calls go alone when what they were in was no use, and how long it is before an upstream
 * is asked again that did not tell whether it has a system.multicall. */
#define REST_MS 30000

/* How long sending may keep the loop from its next turn. [us] */
#define SEND_US 10000

static struct work *work_of(const struct join *j)
{
    return j->pool->client->work;
}

/* ---- Has the upstream a system.multicall? --------------------------------------------------- */

struct question {
    struct call call;
    struct upstream_state *shared; /* referenced */
    struct chain known;
};

static void on_answer(struct call *c, const struct verdict *verdict)
{
    struct question *q = c->user;
    memory_share_leave(c->share, q);
    multicall_learn(q->shared, multicall_judge(verdict, &q->known));
    upstream_state_unref(q->shared);
    chain_done(&q->known);
    free(q);
}

/* It may be asked twice, and is nobody's. */
static void ask(struct join *j, const struct call *c)
{
    static const struct call_owner owner = { .ended = on_answer };
    static const struct query plain = { .has_types = true, .has_integers = true };
    struct question *q = xcalloc(1, sizeof *q);
    struct memory_share *own = &work_of(j)->commons->own;
    struct method_rule rule = method_rule_find(c->upstream, STR("system.listMethods"));
    q->shared = upstream_state_ref(j->pool->shared);
    chain_init(&q->known, SIZE_MAX, &own->budget);
    rule.safe = true;
    j->asked_ms = clock_now_ms();
    q->call = (struct call){
        .site = c->site,
        .upstream = c->upstream,
        .owner = &owner,
        .user = q,
        .text = { .method = STR("system.multicall"), .params = STR(MULTICALL_QUESTION) },
        .as_it_is = true,
        .inject = site_inject(c->site, c->upstream, STR("system.listMethods")),
        .share = own,
        .request = q,
        .query = &plain,
        .rule = rule,
        .limit_ms = rule.timeout_ms,
        .deadline_ms = j->asked_ms + rule.timeout_ms,
        .reply = &q->known,
    };
    call_begin(&q->call);
}

static bool has_multicall(struct join *j, const struct call *c)
{
    enum multicall_plan plan = multicall_look(j->pool->shared);
    bool may_ask = j->asked_ms == 0 || clock_now_ms() >= j->asked_ms + REST_MS;
    if (plan == MULTICALL_ASK && may_ask && multicall_plan(j->pool->shared) == MULTICALL_ASK)
        ask(j, c);
    return plan == MULTICALL_WRAPPED || plan == MULTICALL_BARE;
}

/* ---- Who waits ------------------------------------------------------------------------------ */

bool join_would_take(const struct call *c)
{
    struct join *j = c->site->pools[c->upstream->index]->join;
    bool is_plain = c->own == CALL_CALLERS && c->members == NULL && !c->as_it_is &&
                    c->watch == NULL && c->look == NULL;
    /* What is kept has the call's own document as its key. */
    return c->site->client->joins_calls && c->rule.safe && c->rule.cache == NULL && is_plain &&
           !c->goes_alone && c->share != &work_of(j)->commons->own &&
           c->origin.traceparent.data == NULL && c->text.params.len <= PARAMS_MAX &&
           !memory_share_is_short(c->share) && clock_now_ms() >= j->rests_until_ms &&
           has_multicall(j, c);
}

static struct join *join_of(const struct call *c)
{
    return c->site->pools[c->upstream->index]->join;
}

static void leave(struct join *j, struct call *c)
{
    list_remove(&c->in_queue);
    j->n_waiting--;
    if (j->n_waiting > 0)
        return;
    list_remove(&j->in_client);
    timer_stop(work_of(j), &j->due);
}

static void on_late(struct timer *timer)
{
    struct call *c = CONTAINER_OF(timer, struct call, wait);
    if (c->seat == NULL && c->unwanted)
        attempt_error_unwanted(c);
    else if (c->seat == NULL)
        attempt_error_late(c);
    else
        seat_error_late(c->seat);
    join_leave(c);
    call_fail(c);
}

static void wait(struct call *c)
{
    struct join *j = join_of(c);
    list_add_last(&j->waiting, &c->in_queue);
    j->n_waiting++;
    if (j->config->wait == 0) {
        if (j->n_waiting == 1)
            list_add_last(&j->pool->client->joins, &j->in_client);
    } else if (j->n_waiting == 1 || j->n_waiting == (size_t)j->config->max) {
        bool is_full = j->n_waiting > 1;
        timer_set(work_of(j), &j->due, is_full ? 0 : clock_now_ms() + j->config->wait);
    }
}

void join_enter(struct call *c)
{
    call_enter(c, CALL_JOINED);
    c->wait.fire = on_late;
    timer_set(call_work(c), &c->wait, c->deadline_ms);
    wait(c);
}

void join_again(struct call *c)
{
    assert(c->state == CALL_JOINED && c->seat == NULL);
    c->was_refused = true;
    c->repaired = 0; /* its params are written again */
    wait(c);
}

void join_leave(struct call *c)
{
    if (c->seat != NULL)
        seat_leave(c->seat);
    else if (!list_empty(&c->in_queue))
        leave(join_of(c), c);
}

void join_abandon(struct call *c)
{
    if (c->seat != NULL)
        seat_abandon(c->seat);
    else
        timer_set(call_work(c), &c->wait, 0);
}

void join_rest(struct join *j)
{
    j->rests_until_ms = clock_now_ms() + REST_MS;
}

/* ---- Who goes together ---------------------------------------------------------------------- */

/* One login is for all of them, or none; so are header lines, and the one time that a session may
 * be found expired. */
static bool may_share(const struct call *a, const struct call *b)
{
    return a->site == b->site && a->needs_session == b->needs_session &&
           a->was_refused == b->was_refused && inject_kind(a->inject) == inject_kind(b->inject);
}

static size_t gather(struct join *j, struct list *group)
{
    const struct call *first = LIST_FIRST(&j->waiting, struct call, in_queue);
    size_t n = 0;
    LIST_EACH (&j->waiting, at, following) {
        struct call *c = CONTAINER_OF(at, struct call, in_queue);
        if (n == (size_t)j->config->max)
            break;
        if (!may_share(first, c))
            continue;
        leave(j, c);
        list_add_last(group, &c->in_queue);
        n++;
    }
    return n;
}

/* Those that go with the first one. */
static void send_some(struct join *j)
{
    struct list group;
    list_init(&group);
    size_t n = gather(j, &group);
    if (n > 1) {
        carrier_begin(j, &group, n);
        return;
    }
    struct call *c = LIST_FIRST(&group, struct call, in_queue);
    list_remove(&c->in_queue);
    if (!c->unwanted) {
        call_go_alone(c);
        return;
    }
    attempt_error_unwanted(c);
    call_fail(c);
}

static void send_all(struct join *j)
{
    int64_t until_us = clock_now_us() + SEND_US;
    while (j->n_waiting > 0) {
        if (clock_now_us() >= until_us) {
            if (list_empty(&j->turn.in_turns))
                turn_ask(work_of(j), &j->turn);
            return;
        }
        step_begin("join");
        send_some(j);
    }
}

static void on_due(struct timer *timer)
{
    send_all(CONTAINER_OF(timer, struct join, due));
}

static void on_turn(struct turn *turn)
{
    send_all(CONTAINER_OF(turn, struct join, turn));
}

void joins_run(struct client *client)
{
    if (LIKELY(list_empty(&client->joins)))
        return;
    struct list now;
    list_init(&now);
    list_move_all(&now, &client->joins);
    while (!list_empty(&now)) {
        struct join *j = LIST_FIRST(&now, struct join, in_client);
        list_remove(&j->in_client);
        list_add_last(&client->joins, &j->in_client); /* until none waits */
        send_all(j);
    }
}

struct join *join_open(struct pool *pool)
{
    if (!pool->shared->config->join.present)
        return NULL;
    struct join *j = xcalloc(1, sizeof *j);
    j->pool = pool;
    j->config = &pool->shared->config->join;
    j->due.fire = on_due;
    j->turn.take = on_turn;
    list_init(&j->waiting);
    list_init(&j->in_client);
    list_init(&j->turn.in_turns);
    return j;
}

void join_free(struct join *j)
{
    if (j == NULL)
        return;
    assert(j->n_waiting == 0);
    list_remove(&j->turn.in_turns);
    free(j);
}
