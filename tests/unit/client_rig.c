/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client_rig.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/join.h"
#include "work/memory.h"
#include "work/metrics.h"
#include "work/once.h"
#include "work/turn.h"

#define MEMORY_BYTES ((size_t)64 * 1024 * 1024)

void rig_open(struct rig *rig, const char *settings)
{
    memset(rig, 0, sizeof *rig);
    fake_clock_start();
    rig->config = config_of(settings);
    assert_in_range(rig->config->n_upstreams, 1, RIG_UPSTREAMS);
    atomic_store(&rig->commons.memory.max, MEMORY_BYTES);
    rig->commons.main_fd = -1;
    commons_init(&rig->commons, RIG_WORKERS);
    traces_init(&rig->traces);
    memory_share_init(&rig->share, &rig->commons);
    for (size_t i = 0; i < rig->config->n_upstreams; i++) {
        rig->records[i] = upstream_record_new(rig->config->upstreams[i].name, RIG_WORKERS);
        rig->states[i] = upstream_state_new(rig->config, i, rig->records[i]);
    }
    for (size_t i = 0; i < RIG_WORKERS; i++) {
        struct rig_worker *w = &rig->workers[i];
        assert_true(work_init(&w->work, &rig->commons, i));
        client_init(&w->client, &w->work, fake_init(&w->fake));
        w->client.traces = &rig->traces;
        w->client.joins_calls = true;
        site_open(&w->client, xcalloc(1, sizeof(struct site)), rig->config, rig->states);
    }
}

void rig_close(struct rig *rig)
{
    for (size_t i = 0; i < RIG_WORKERS; i++)
        client_done(&rig->workers[i].client);
    for (size_t i = 0; i < RIG_WORKERS; i++)
        work_done(&rig->workers[i].work);
    for (size_t i = 0; i < rig->config->n_upstreams; i++) {
        upstream_state_unref(rig->states[i]);
        upstream_record_free(rig->records[i]);
    }
    assert_int_equal(atomic_load(&rig->commons.memory.used), 0);
    memory_share_done(&rig->share);
    traces_done(&rig->traces);
    commons_done(&rig->commons);
    config_unref(rig->config);
}

/* As daemon/worker.c has it, without callers. */
static void turn(struct rig_worker *w)
{
    loop_wait(w->work.loop, clock_now_ms());
    transport_run(w->client.transport);
    pools_run(&w->client);
    timers_run(&w->work);
    if (work_was_told(&w->work, NEWS_YIELD))
        memory_yield(&w->work);
    if (work_was_told(&w->work, NEWS_ROOM))
        memory_feed(&w->work);
    if (work_was_told(&w->work, NEWS_MADE))
        once_feed(&w->work);
    turns_run(&w->work);
    joins_run(&w->client);
}

void rig_turn(struct rig *rig, int64_t ms)
{
    fake_clock_add_ms(ms);
    for (size_t i = 0; i < RIG_WORKERS; i++)
        turn(&rig->workers[i]);
}

static bool on_translated(struct call *call)
{
    const struct rig_call *c = call->user;
    return !c->refuses || error_set(&call->error, PROBLEM_FORBIDDEN, "The test does not want it.");
}

static void note_protocol(struct rig_call *c, const struct problem_protocol *p)
{
    size_t at =
        (size_t)snprintf(c->protocol, sizeof c->protocol, "%.*s|%.*s|%.*s", STR_ARGS(p->message),
                         STR_ARGS(p->content_type), STR_ARGS(p->body));
    for (size_t i = 0; i < p->n_headers && at < sizeof c->protocol; i++)
        at += (size_t)snprintf(c->protocol + at, sizeof c->protocol - at, "|%.*s=%.*s",
                               STR_ARGS(p->headers[i].name), STR_ARGS(p->headers[i].value));
}

static void on_ended(struct call *call, const struct verdict *verdict)
{
    struct rig_call *c = call->user;
    c->n_ended++;
    c->is_good = verdict->error == NULL;
    if (c->is_good)
        c->text = chain_dup(&c->reply);
    else
        c->error = *verdict->error;
    c->has_fault = verdict->fault != NULL;
    c->fault_code = verdict->fault != NULL ? verdict->fault->code : 0;
    c->protocol_status = verdict->protocol != NULL ? verdict->protocol->status : 0;
    if (verdict->protocol != NULL)
        note_protocol(c, verdict->protocol);
}

void rig_call_init(struct rig *rig, size_t worker, struct rig_call *c, const char *method,
                   const char *params)
{
    static const struct call_owner owner = { .translated = on_translated, .ended = on_ended };
    static const struct query query;
    const struct upstream_config *upstream = &rig->config->upstreams[0];
    struct method_rule rule = method_rule_find(upstream, str_of(method));
    memset(c, 0, sizeof *c);
    chain_init(&c->reply, SIZE_MAX, &rig->share.budget);
    c->call = (struct call){
        .site = rig->workers[worker].client.site,
        .upstream = upstream,
        .owner = &owner,
        .user = c,
        .text.method = str_of(method),
        .text.params = str_of(params),
        .share = &rig->share,
        .request = c,
        .query = &query,
        .rule = rule,
        .limit_ms = rule.timeout_ms,
        .deadline_ms = clock_now_ms() + rule.timeout_ms,
        .reply = &c->reply,
    };
}

void rig_call_begin(struct rig *rig, size_t worker, struct rig_call *c, const char *method,
                    const char *params)
{
    rig_call_init(rig, worker, c, method, params);
    rig_call_start(c);
}

void rig_call_start(struct rig_call *c)
{
    struct work *w = &CONTAINER_OF(c->call.site->client, struct rig_worker, client)->work;
    call_begin(&c->call);
    while (c->call.state == CALL_TRANSLATING && !list_empty(&w->turns))
        turns_run(w);
}

void rig_call_done(struct rig_call *c)
{
    call_drop(&c->call);
    memory_share_leave(c->call.share, c);
    chain_done(&c->reply);
    free(c->text);
}

void rig_assert_value(const struct rig_call *c, const char *json)
{
    assert_int_equal(c->n_ended, 1);
    if (!c->is_good)
        fail_msg("it has failed: %s", c->error.detail);
    const char *text = c->text;
    while (text[0] == ' ')
        text++;
    assert_string_equal(text, json);
}

void rig_assert_problem(const struct rig_call *c, enum problem_type type, enum executed executed)
{
    assert_int_equal(c->n_ended, 1);
    if (c->is_good)
        fail_msg("it has not failed: %s", c->text);
    if (c->error.type != type || c->error.executed != executed)
        fail_msg("it has failed with %s, executed %s: %s", problem_info(c->error.type)->name,
                 executed_name(c->error.executed), c->error.detail);
}
