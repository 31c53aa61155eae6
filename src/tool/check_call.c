/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/check.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/client.h"
#include "client/inject.h"
#include "client/pool.h"
#include "settings/url.h"
#include "tool/lone.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define METHOD "system.listMethods"

/* How long a connection is watched after a good answer. */
#define REST_MS 20

/* Of a fault's code and text. [bytes] */
#define FAULT_SHOWN ((size_t)1000)

/* ---- The configuration ---------------------------------------------------------------------- */

struct config *check_config_open(const struct check *checks, size_t n)
{
    struct config *config = xcalloc(1, sizeof *config);
    struct upstream_config *all = xcalloc(n + 1, sizeof *all);
    if (n > 0)
        *config = *checks[0].config;
    atomic_init(&config->references, 1);
    config->upstreams = all;
    config->n_upstreams = n;
    for (size_t i = 0; i < n; i++) {
        all[i] = *checks[i].upstream;
        all[i].index = i;
        all[i].targets += checks[i].target;
        all[i].n_targets = 1;
        all[i].target = all[i].targets[0];
        all[i].retry.attempts = 1;
        all[i].session.present = false;
    }
    return config;
}

void check_config_close(struct config *config)
{
    assert(atomic_load(&config->references) == 1);
    free(config->upstreams);
    free(config);
}

/* ---- The end -------------------------------------------------------------------------------- */

static void finish(struct check *c)
{
    check_judge(c, (int64_t)time(NULL));
    c->called = true;
    c->done = !c->upstream->session.present;
    c->on_done(c);
}

static struct pool *pool_of(const struct check *c)
{
    return lone_site(c->lone)->pools[c->one->index];
}

static void on_rested(struct timer *timer)
{
    struct check *c = CONTAINER_OF(timer, struct check, rest);
    c->unsaid = upstream_ends_unsaid(pool_of(c)->shared->client);
    finish(c);
}

static void on_looked(struct upstream_call *call, const struct upstream_result *result)
{
    (void)result;
    finish(call->user);
}

/* The verification has failed before the certificate could be read: it is fetched once more, by a
 * connection on which nothing is sent. */
static void look(struct check *c)
{
    c->extra = (struct upstream_extra){ .trusts_any = true, .details = &c->looked };
    c->looking = (struct upstream_call){
        .body = &c->nothing,
        .content_type = "text/xml",
        .deadline_ms = clock_now_ms() + c->upstream->timeouts.connect,
        .on_done = on_looked,
        .extra = &c->extra,
        .connect_only = true,
        .user = c,
    };
    transport_submit(pool_of(c)->remote, &c->looking);
}

/* Each scheme may have a header of its own. What finds no room is cut, or left out. */
static void add_wanted(struct check *c, struct str value)
{
    size_t len = strlen(c->wants), least = sizeof ", " + sizeof ERROR_CUT;
    if (sizeof c->wants - len <= least)
        return;
    struct error_cut shown = error_cut(value, sizeof c->wants - len - least);
    snprintf(c->wants + len, sizeof c->wants - len, "%s%.*s%s", len > 0 ? ", " : "",
             ERROR_CUT_ARGS(shown));
}

static void keep_target(struct check *c, const char *value)
{
    CLEANUP(buf_wipe) struct buf hidden;
    buf_init(&hidden, SIZE_MAX - 1, NULL);
    url_append_hidden(str_of(value), &hidden);
    check_clean(c->config, buf_c(&hidden), c->leads_to);
}

static void keep_result(struct check *c, const struct upstream_result *result)
{
    c->wants[0] = '\0';
    for (size_t i = 0; i < result->n_headers; i++) {
        if (strcasecmp(result->headers[i].name, "WWW-Authenticate") == 0)
            add_wanted(c, str_of(result->headers[i].value));
        if (strcasecmp(result->headers[i].name, "Location") == 0)
            keep_target(c, result->headers[i].value);
    }
    c->result = *result;
    c->result.headers = NULL;
    c->result.n_headers = 0;
}

static void on_exchange_ended(struct call *call, const struct upstream_result *result)
{
    struct check *c = call->user;
    keep_result(c, result);
    if (call->answer.undecodable)
        c->error = call->error;
}

static void keep_fault(struct check *c, const struct fault *fault)
{
    char number[24];
    snprintf(number, sizeof number, "%" PRId64, fault->code);
    bool is_text = fault->code_text.data != NULL;
    struct error_cut code = error_cut(is_text ? fault->code_text : str_of(number), FAULT_SHOWN);
    struct error_cut text = error_cut(fault->string, FAULT_SHOWN);
    buf_printf(&c->fault, "%.*s%s: %.*s%s", STR_ARGS(code.text),
               is_text && fault->truncated ? ERROR_CUT : code.mark, STR_ARGS(text.text),
               fault->truncated ? ERROR_CUT : text.mark);
}

static void on_ended(struct call *call, const struct verdict *verdict)
{
    struct check *c = call->user;
    c->is_good = verdict->error == NULL;
    if (verdict->fault != NULL)
        keep_fault(c, verdict->fault);
    if (verdict->error != NULL && !call->answer.undecodable)
        c->error = *verdict->error;
    if (call->attempts == 0) {
        c->result.status = UPSTREAM_FAILED;
        snprintf(c->result.detail, sizeof c->result.detail, "%.200s", c->error.detail);
    }
    if (c->result.status == UPSTREAM_TLS_FAILED && !c->details.certificate.known)
        look(c);
    else if (c->result.status == UPSTREAM_OK)
        timer_set(call_work(call), &c->rest, clock_now_ms() + REST_MS);
    else
        finish(c);
}

/* ---- The call ------------------------------------------------------------------------------- */

/* What only a login gives is not added: the login comes later. */
static void add_ours(struct check *c)
{
    const struct inject *inject = site_inject(lone_site(c->lone), c->one, STR(METHOD));
    c->call.as_it_is = true;
    if (inject != NULL && inject->rule->needs_session) {
        c->lacks_session = true;
    } else if (inject != NULL) {
        c->call.inject = inject;
        c->call.text.around = inject->rule->around;
    }
}

void check_start(struct check *c, struct lone *lone, size_t index)
{
    static const struct call_owner owner = { .ended = on_ended };
    c->lone = lone;
    c->one = &lone_site(lone)->config->upstreams[index];
    c->n_methods = -1;
    c->rest.fire = on_rested;
    buf_init(&c->fault, SIZE_MAX - 1, NULL);
    chain_init(&c->value, SIZE_MAX, NULL);
    chain_init(&c->nothing, 0, NULL);
    c->extra = (struct upstream_extra){ .details = &c->details };
    c->look = (struct call_look){ .extra = &c->extra, .ended = on_exchange_ended };
    c->call = (struct call){
        .upstream = c->one,
        .owner = &owner,
        .user = c,
        .look = &c->look,
        .reply = &c->value,
    };
    lone_fill_call(lone, &c->call, STR(METHOD), c->upstream->timeouts.total);
    c->call.text.params = STR("[]");
    c->call.rule.empty_is_null = false;
    add_ours(c);
    call_begin(&c->call);
}

void check_end(struct check *c)
{
    buf_done(&c->fault);
    chain_done(&c->value);
}
