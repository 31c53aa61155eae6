/* SPDX-License-Identifier: Apache-2.0 */
/* Asks an upstream about itself: its methods by system.listMethods; of one method the signatures
 * and the help, in one system.multicall where the upstream has that, else one after the other. */
#include "client/introspection.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/client.h"
#include "client/introspection_read.h"
#include "client/pool.h"
#include "codec/json/cursor.h"
#include "codec/json/write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The JSON of an answer, and so of what is made of it. [bytes] */
#define ANSWER_MAX ((size_t)4 * 1024 * 1024)

enum fetch_step { FETCH_METHODS, FETCH_BOTH, FETCH_SIGNATURES, FETCH_HELP };

static const char *const method_names[] = {
    [FETCH_METHODS] = "system.listMethods",
    [FETCH_BOTH] = "system.multicall",
    [FETCH_SIGNATURES] = "system.methodSignature",
    [FETCH_HELP] = "system.methodHelp",
};

struct fetch {
    struct call call;
    enum fetch_step step;
    struct upstream_state *state; /* referenced: it has the entry */
    struct introspection *of;
    struct introspection_entry *entry;
    struct chain params; /* JSON */
    char *params_text;   /* the same in one piece; owned */
    struct chain reply;
    struct chain text; /* what is known so far */
};

static const struct call_owner owner;

static void end(struct fetch *f, struct description *description, const struct error *err)
{
    memory_share_leave(&f->call.site->client->work->commons->own, f);
    introspection_tell(f->of, f->entry, description, err);
    upstream_state_unref(f->state);
    chain_done(&f->params);
    chain_done(&f->reply);
    chain_done(&f->text);
    free(f->params_text);
    free(f);
}

/* The end of a fetch, with what was written to `text`. */
static void end_well(struct fetch *f, bool there)
{
    struct budget *budget = &f->call.site->client->work->commons->memory;
    struct error err;
    char *text = chain_dup(&f->text);
    struct description *description = NULL;
    if (chain_state(&f->text) == CHAIN_OK)
        description = description_new(budget, there, (struct str){ text, chain_len(&f->text) });
    free(text);
    if (description == NULL)
        error_limit(&err, PROBLEM_OVERLOADED, "limits.memory",
                    "The gateway has no memory to keep what the upstream tells of its methods; "
                    "try again later, or raise limits.memory.");
    end(f, description, &err);
}

static void write_params(struct fetch *f)
{
    struct str name = introspection_key(f->entry);
    chain_clear(&f->params);
    free(TAKE(f->params_text));
    switch (f->step) {
    case FETCH_METHODS:
        break;
    case FETCH_BOTH:
        chain_append(&f->params, STR("[[{\"methodName\":\"system.methodSignature\",\"params\":["));
        json_write_string(&f->params, name);
        chain_append(&f->params, STR("]},{\"methodName\":\"system.methodHelp\",\"params\":["));
        json_write_string(&f->params, name);
        chain_append(&f->params, STR("]}]]"));
        break;
    case FETCH_SIGNATURES:
    case FETCH_HELP:
        chain_append_byte(&f->params, '[');
        json_write_string(&f->params, name);
        chain_append_byte(&f->params, ']');
        break;
    }
    f->params_text = chain_dup(&f->params);
}

static void send(struct fetch *f, struct site *site, const struct upstream_config *upstream,
                 enum fetch_step step)
{
    static const struct query plain = {
        .has_types = true, .types = TYPES_PLAIN, .has_integers = true, .integers = INTEGERS_NUMBER
    };
    /* These may run twice, whatever they are sent in. */
    struct str rule = str_of(step == FETCH_BOTH ? "system.methodHelp" : method_names[step]);
    f->step = step;
    write_params(f);
    chain_clear(&f->reply);
    f->call = (struct call){
        .site = site,
        .upstream = upstream,
        .owner = &owner,
        .user = f,
        .text = { .method = str_of(method_names[step]), .params = str_of(f->params_text) },
        .query = &plain,
        .rule = method_rule_find(upstream, rule),
        .share = &site->client->work->commons->own,
        .request = f,
        .reply = &f->reply,
    };
    f->call.deadline_ms = clock_now_ms() + f->call.rule.timeout_ms;
    call_begin(&f->call);
}

static void send_next(struct fetch *f, enum fetch_step step)
{
    send(f, f->call.site, f->call.upstream, step);
}

/* What a batch has found out counts here, too. Not the other way round: what introspection makes of
 * an odd answer must not change how calls are made. */
static bool may_use_multicall(const struct fetch *f)
{
    const struct upstream_state *s = f->state;
    return s->config->multicall != MULTICALL_USE_NEVER && !introspection_has_no_multicall(f->of) &&
           atomic_load_explicit(&s->multicall, memory_order_relaxed) != MULTICALL_KNOWN_NONE;
}

void introspection_fetch(struct site *site, const struct upstream_config *upstream,
                         struct introspection *i, struct introspection_entry *entry)
{
    struct fetch *f = xcalloc(1, sizeof *f);
    struct budget *budget = &site->client->work->commons->own.budget;
    f->state = upstream_state_ref(site->pools[upstream->index]->shared);
    f->of = i;
    f->entry = entry;
    chain_init(&f->params, ANSWER_MAX, NULL);
    chain_init(&f->reply, ANSWER_MAX, budget);
    chain_init(&f->text, 2 * ANSWER_MAX, budget);
    enum fetch_step first = may_use_multicall(f) ? FETCH_BOTH : FETCH_SIGNATURES;
    send(f, site, upstream, introspection_key(entry).len == 0 ? FETCH_METHODS : first);
}

/* ---- Answers ---- */

/* Does the failure say that the upstream has not what it was asked for, rather than that it has
 * trouble? Faults for that have many codes. */
static bool is_answer(const struct verdict *verdict)
{
    if (verdict->error->type == PROBLEM_FAULT)
        return true;
    if (verdict->error->type != PROBLEM_PROTOCOL_ERROR || verdict->protocol == NULL)
        return false;
    int status = verdict->protocol->status;
    return status == 404 || status == 405 || status == 501;
}

static void end_without_methods(struct fetch *f, const struct verdict *verdict)
{
    char text[512];
    if (verdict->fault != NULL && verdict->fault->code_text.data == NULL)
        snprintf(text, sizeof text,
                 "The upstream answered system.listMethods with the fault %" PRId64 ".",
                 verdict->fault->code);
    else if (verdict->fault != NULL)
        snprintf(text, sizeof text, "The upstream answered system.listMethods with a fault.");
    else
        snprintf(text, sizeof text, "The upstream answered system.listMethods with HTTP status %d.",
                 verdict->protocol->status);
    chain_append_c(&f->text, text);
    end_well(f, false);
}

static void take_methods(struct fetch *f, struct str json)
{
    bool there = introspection_read_methods(json, &f->text);
    if (!there)
        chain_append(&f->text,
                     STR("The upstream's answer to system.listMethods is no list of names."));
    end_well(f, there);
}

static void take_both(struct fetch *f, struct str json)
{
    struct str signatures, help;
    if (!introspection_split(json, &signatures, &help)) {
        introspection_set_no_multicall(f->of);
        send_next(f, FETCH_SIGNATURES);
        return;
    }
    introspection_write_signatures(signatures, &f->text);
    introspection_write_help(help, &f->text);
    end_well(f, true);
}

static void take(struct fetch *f, struct str json)
{
    switch (f->step) {
    case FETCH_METHODS:
        take_methods(f, json);
        break;
    case FETCH_BOTH:
        take_both(f, json);
        break;
    case FETCH_SIGNATURES:
        introspection_write_signatures(json, &f->text);
        send_next(f, FETCH_HELP);
        break;
    case FETCH_HELP:
        introspection_write_help(json, &f->text);
        end_well(f, true);
        break;
    }
}

static void fail(struct fetch *f, const struct verdict *verdict)
{
    struct error err = *verdict->error;
    bool lost = err.type == PROBLEM_BAD_RESPONSE || err.type == PROBLEM_CONNECTION_LOST;
    if (f->step == FETCH_BOTH && (is_answer(verdict) || lost)) {
        if (!lost)
            introspection_set_no_multicall(f->of);
        send_next(f, FETCH_SIGNATURES);
    } else if (!is_answer(verdict)) {
        end(f, NULL, &err);
    } else if (f->step == FETCH_METHODS) {
        end_without_methods(f, verdict);
    } else {
        take(f, STR("null"));
    }
}

static void on_ended(struct call *c, const struct verdict *verdict)
{
    struct fetch *f = c->user;
    if (verdict->error != NULL) {
        fail(f, verdict);
        return;
    }
    char *json = chain_dup(&f->reply);
    take(f, json_trim((struct str){ json, chain_len(&f->reply) }));
    free(json);
}

static const struct call_owner owner = { .ended = on_ended };
