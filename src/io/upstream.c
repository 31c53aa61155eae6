/* SPDX-License-Identifier: Apache-2.0 */
#include "io/upstream_inside.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/step.h"

#include <assert.h>
#include <stdlib.h>

/* Exchanges that are kept for later calls of an upstream. */
#define POOL_MAX ((size_t)64)

/* A multi handle that has nothing to do is kept for at least this long. */
#define IDLE_MIN_MS 1000

/* Calls that are begun by an ended call's on_done() are begun in the same run, but not without
 * end. */
#define RUN_ROUNDS 2

static struct multi *multi_new(struct upstream *u)
{
    struct multi *m = xcalloc(1, sizeof *m);
    m->all = u->all;
    m->upstream = u;
    m->due_ms = CLOCK_NEVER;
    list_init(&m->touched);
    list_init(&m->kept);
    list_add_last(&m->all->multis, &m->member);
    return m;
}

static bool multi_open(struct multi *m)
{
    if (m->curl != NULL)
        return true;
    m->curl = curl_multi_init();
    if (m->curl == NULL)
        return false;
    if (sockets_attach_multi(m))
        return true;
    curl_multi_cleanup(m->curl);
    m->curl = NULL;
    return false;
}

/* Closes its kept connections. */
static void multi_shut(struct multi *m)
{
    assert(m->n == 0);
    if (m->curl != NULL)
        curl_multi_cleanup(m->curl);
    m->curl = NULL;
    m->due_ms = CLOCK_NEVER;
    list_remove(&m->touched);
}

static void multi_free(struct multi *m)
{
    multi_shut(m);
    list_remove(&m->member);
    free(m);
}

/* The lowest one with room, so that the same connections are used again and again. */
static struct multi *multi_with_room(struct upstream *u)
{
    for (size_t i = 0; i < u->n_multis; i++)
        if (u->multis[i]->n < MULTI_TRANSFERS)
            return u->multis[i];
    u->multis = xreallocarray(u->multis, u->n_multis + 1, sizeof u->multis[0]);
    u->multis[u->n_multis] = multi_new(u);
    return u->multis[u->n_multis++];
}

static void multi_leave(struct exchange *x)
{
    struct multi *m = x->multi;
    list_remove(&x->in_paused);
    list_remove(&x->in_whole);
    http1_leave(x);
    if (m == NULL)
        return;
    curl_multi_remove_handle(m->curl, x->easy);
    sockets_leave(x, m);
    x->multi = NULL;
    m->n--;
    if (m->n == 0)
        m->due_ms = clock_now_ms() + x->upstream->idle_ms;
}

/* Nobody waits for it any more: into the pool. A handle whose body could not be rewound would be
 * rewound with each later call, too, by libcurl 8.7 and newer, and each would fail. */
static void exchange_rest(struct exchange *x)
{
    struct upstream *u = x->upstream;
    multi_leave(x);
    name_leave(&x->name_wait);
    login_end(x);
    chain_done(&x->packed_here); /* it counts in the budget */
    exchange_forget_packed(x);
    if (u->n_pool == POOL_MAX) {
        exchange_free(x);
        return;
    }
    if (x->worn || x->refused)
        exchange_drop_handle(x);
    list_add_first(&u->pool, &x->member);
    u->n_pool++;
}

static void exchange_report(struct exchange *x, const struct upstream_result *result)
{
    struct upstream_call *call = x->call;
    x->upstream->n_calls--;
    x->upstream->reported = x;
    pack_stop(x);
    x->call = NULL;
    call->handle = NULL;
    call->on_done(call, result);
    x->upstream->reported = NULL;
    exchange_rest(x);
}

/* A call that was not taken begins anew, with nothing of the answer that said so. */
static void exchange_restart(struct exchange *x)
{
    sockets_watch_new(x);
    multi_leave(x);
    if (x->worn || x->refused)
        exchange_drop_handle(x);
    x->connect_due_ms = 0;
    list_add_last(&x->upstream->all->starting, &x->member);
}

void exchange_end(struct exchange *x, CURLcode rc)
{
    struct upstream_result result;
    if (x->call != NULL && x->wants_name != NULL) {
        login_take_back(x);
        multi_leave(x);
        naming_begin(x);
        return;
    }
    if (x->call != NULL && x->http1.dials && rc == CURLE_OK) {
        http1_dialled(x);
        return;
    }
    if (rc == CURLE_SEND_ERROR && late_answer_use(x))
        rc = CURLE_OK;
    if (login_sends_again(x, rc)) {
        exchange_restart(x);
        return;
    }
    if (x->head.complete && !x->told) {
        x->upstream->all->in_curl = true; /* so that a cancel there is put off, as always */
        exchange_tell_head(x);
        x->upstream->all->in_curl = false;
    }
    if (x->call == NULL)
        return; /* cancelled meanwhile */
    result_fill(x, rc, &result);
    kept_learn(x, &result);
    if (result.status == UPSTREAM_CONNECT_FAILED || result.status == UPSTREAM_TLS_FAILED)
        naming_doubt(x);
    if (!result.reused)
        sockets_watch_new(x);
    else if (x->was_paused)
        sockets_watch_paused(x);
    if (x->extra->details != NULL)
        details_fill(x, x->extra->details);
    exchange_report(x, &result);
}

void exchange_end_early(struct exchange *x, enum upstream_status status, const char *setting,
                        const char *detail)
{
    struct upstream_result result;
    result_fill_early(x, status, setting, detail, &result);
    if (x->extra->details != NULL)
        details_fill_early(x, x->extra->details);
    exchange_report(x, &result);
}

static void exchange_begin(struct exchange *x)
{
    int64_t now_ms = clock_now_ms();
    if (x->call->deadline_ms <= now_ms) {
        exchange_end_early(x, UPSTREAM_TIMEOUT, NULL, "no time was left to send the request");
        return;
    }
    if (pack_waits(x))
        return;
    if (x->connect_due_ms == 0)
        x->connect_due_ms = now_ms + x->upstream->config->timeouts.connect;
    if (http1_takes(x) && http1_begin(x))
        return;
    if (http1_misses(x)) {
        exchange_end_early(x, UPSTREAM_FAILED, NULL,
                           "what the call adds to the URL cannot be sent by SCGI");
        return;
    }
    struct multi *m = multi_with_room(x->upstream);
    if (!multi_open(m) || !exchange_prepare(x, m, now_ms)) {
        exchange_end_early(x, UPSTREAM_FAILED, NULL, "no memory for the request");
        return;
    }
    x->multi = m;
    m->n++;
    if (curl_multi_add_handle(m->curl, x->easy) != CURLM_OK) {
        x->multi = NULL;
        m->n--;
        exchange_end_early(x, UPSTREAM_FAILED, NULL, "the request could not be begun");
    }
}

static void begin_all(struct upstreams *all)
{
    struct list batch;
    if (list_empty(&all->starting))
        return;
    /* What on_done() submits meanwhile is for the next round. */
    list_init(&batch);
    while (!list_empty(&all->starting)) {
        struct list *member = all->starting.next;
        list_remove(member);
        list_add_last(&batch, member);
    }
    while (!list_empty(&batch)) {
        struct exchange *x = LIST_FIRST(&batch, struct exchange, member);
        list_remove(&x->member);
        step_begin("start");
        exchange_begin(x);
    }
}

static void drop_cancelled(struct upstreams *all)
{
    while (!list_empty(&all->cancelled)) {
        struct exchange *x = LIST_FIRST(&all->cancelled, struct exchange, member);
        list_remove(&x->member);
        exchange_rest(x);
    }
}

/* What is paused anew goes behind the others. libcurl forgets that what it had kept was refused. */
static void go_on_all(struct upstreams *all)
{
    while (!list_empty(&all->paused) && turn_has_time(all)) {
        struct exchange *x = LIST_FIRST(&all->paused, struct exchange, in_paused);
        CURLcode rc = exchange_go_on(x);
        /* Without a connection it has ended already; that is told with its message. */
        if (rc != CURLE_OK && rc != CURLE_BAD_FUNCTION_ARGUMENT)
            exchange_end(x, rc);
    }
}

static void run_timers(struct upstreams *all)
{
    int64_t now_ms = clock_now_ms();
    LIST_EACH (&all->multis, at, following) {
        struct multi *m = CONTAINER_OF(at, struct multi, member);
        if (m->due_ms > now_ms)
            continue;
        /* libcurl sets it anew where it wants to. */
        m->due_ms = CLOCK_NEVER;
        if (m->n == 0)
            multi_shut(m);
        else
            multi_act(m, CURL_SOCKET_TIMEOUT, 0);
    }
}

static void collect(struct multi *m)
{
    int left;
    CURLMsg *message;
    while (m->curl != NULL && (message = curl_multi_info_read(m->curl, &left)) != NULL) {
        struct exchange *x = NULL;
        CURLcode rc = message->data.result; /* gone once the handle is taken out */
        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&x) != CURLE_OK ||
            x == NULL)
            continue;
        step_begin("end");
        if (x->call != NULL)
            exchange_end(x, rc);
        /* else it is on the list of the cancelled */
    }
}

static void collect_all(struct upstreams *all)
{
    while (!list_empty(&all->touched)) {
        struct multi *m = LIST_FIRST(&all->touched, struct multi, touched);
        list_remove(&m->touched);
        collect(m);
    }
}

static void upstream_free(struct upstream *u)
{
    assert(u->n_calls == 0);
    LIST_EACH (&u->pool, at, following) {
        exchange_free(CONTAINER_OF(at, struct exchange, member));
    }
    wires_close(u);
    for (size_t i = 0; i < u->n_multis; i++)
        multi_free(u->multis[i]);
    free(u->multis);
    curl_easy_cleanup(u->model);
    naming_close(u);
    options_close(u);
    upstream_shared_unref(u->shared);
    list_remove(&u->member);
    list_remove(&u->in_clients);
    free(u);
}

static void free_closing(struct upstreams *all)
{
    while (!list_empty(&all->closing))
        upstream_free(LIST_FIRST(&all->closing, struct upstream, member));
}

/* Before 8.1.1 it keeps a pointer to the last header of an answer, which it frees with the next
 * transfer, and appends to what is there when that transfer's first line is a folded one. */
static bool libcurl_remembers(void)
{
    return curl_version_info(CURLVERSION_NOW)->version_num < 0x080101;
}

struct upstreams *upstreams_new(struct loop *loop)
{
    struct upstreams *all = xcalloc(1, sizeof *all);
    all->loop = loop;
    all->forgets_handles = libcurl_remembers();
    list_init(&all->multis);
    list_init(&all->touched);
    list_init(&all->starting);
    list_init(&all->naming);
    list_init(&all->packing);
    list_init(&all->cancelled);
    list_init(&all->closing);
    list_init(&all->paused);
    list_init(&all->without_room);
    list_init(&all->whole);
    list_init(&all->relays);
    list_init(&all->clients);
    list_init(&all->ended);
    list_init(&all->timed);
    all->timed_due_ms = CLOCK_NEVER;
    all->wires_due_ms = CLOCK_NEVER;
    all->input = http1_input();
    return all;
}

void upstreams_free(struct upstreams *all)
{
    if (all == NULL)
        return;
    drop_cancelled(all);
    free_closing(all);
    assert(list_empty(&all->multis) && list_empty(&all->relays));
    free(all->watches);
    free(all->input);
    free(all);
}

struct upstream *upstream_open(struct upstreams *all, const struct upstream_config *config,
                               struct upstream_shared *shared)
{
    struct upstream *u = xcalloc(1, sizeof *u);
    u->all = all;
    u->config = config;
    u->is_alone = shared == NULL;
    u->shared = shared != NULL ? upstream_shared_ref(shared) : upstream_shared_new(config);
    u->idle_ms = config->timeouts.idle > IDLE_MIN_MS ? config->timeouts.idle : IDLE_MIN_MS;
    list_init(&u->member);
    list_init(&u->pool);
    list_init(&u->wires);
    list_init(&u->idle);
    list_add_last(&all->clients, &u->in_clients);
    options_open(u);
    naming_open(u);
    return u;
}

void upstream_close(struct upstream *u)
{
    if (u == NULL)
        return;
    assert(u->n_calls == 0);
    if (u->all->running || u->all->in_curl || !list_empty(&u->all->cancelled))
        list_add_last(&u->all->closing, &u->member);
    else
        upstream_free(u);
}

void upstream_submit(struct upstream *u, struct upstream_call *call)
{
    static const struct upstream_extra nothing;
    struct exchange *x;
    assert(call->handle == NULL);
    if (list_empty(&u->pool)) {
        x = exchange_new(u);
    } else {
        x = LIST_FIRST(&u->pool, struct exchange, member);
        list_remove(&x->member);
        u->n_pool--;
    }
    x->call = call;
    x->extra = call->extra != NULL ? call->extra : &nothing;
    x->submitted_us = clock_now_us();
    login_start(x);
    naming_start(x);
    pack_start(x);
    x->connect_due_ms = 0;
    call->handle = x;
    u->n_calls++;
    list_add_last(&u->all->starting, &x->member);
}

void upstream_go_on(struct upstream_call *call)
{
    struct exchange *x = call->handle;
    list_remove(&x->in_paused);
    list_add_last(&x->upstream->all->paused, &x->in_paused);
}

void upstream_cancel(struct upstream_call *call)
{
    struct exchange *x = call->handle;
    if (x == NULL)
        return;
    struct upstreams *all = x->upstream->all;
    pack_stop(x);
    call->handle = NULL;
    x->call = NULL;
    x->upstream->n_calls--;
    list_remove(&x->member);
    if (all->in_curl)
        list_add_last(&all->cancelled, &x->member);
    else
        exchange_rest(x);
}

void upstreams_run(struct upstreams *all)
{
    assert(!all->running && !all->in_curl);
    all->running = true;
    pack_run(all);
    for (int round = 0; round < RUN_ROUNDS; round++) {
        drop_cancelled(all);
        naming_run(all);
        begin_all(all);
        collect_all(all); /* what has ended while it was paused does not go on */
        go_on_all(all);
        run_timers(all);
        collect_all(all);
        http1_run(all);
        whole_run(all);
        if (list_empty(&all->starting))
            break;
    }
    drop_cancelled(all);
    all->running = false;
    free_closing(all);
}

int64_t upstreams_deadline_ms(const struct upstreams *all)
{
    int64_t due_ms = clock_min(naming_due_ms(all), whole_due_ms(all));
    due_ms = clock_min(due_ms, http1_due_ms(all));
    if (!list_empty(&all->starting) || !list_empty(&all->packing) || !list_empty(&all->cancelled) ||
        !list_empty(&all->touched) || !list_empty(&all->paused))
        return 0;
    for (const struct list *at = all->multis.next; at != &all->multis; at = at->next)
        due_ms = clock_min(due_ms, CONTAINER_OF(at, struct multi, member)->due_ms);
    return due_ms;
}
