/* SPDX-License-Identifier: Apache-2.0 */
#include "client/keep.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/client.h"
#include "client/flight.h"
#include "client/pool.h"
#include "client/result.h"
#include "codec/json/pointer.h"

#include <stdlib.h>
#include <sys/uio.h>

/* How much of a result is given before others get their turn. [bytes] */
#define GIVE_STEP ((size_t)256 * 1024)

/* So much is searched for the part of it that is wanted. Some 4 ms, where it is digits and commas.
 */
#define SEARCH_STEP ((size_t)256 * 1024)

/* What a piece takes beside its own bytes: a block. [bytes] */
#define GIVE_SPARE ((size_t)4 * 1024)

struct keep {
    struct call *call;
    struct digest key;
    bool has_key;          /* else it is too long to be looked for */
    bool is_cut;           /* the part that is wanted is cut out by who makes the result */
    struct flight *flight; /* one reference each, or NULL */
    struct kept *result;
    struct once_wait wait;
    struct json_path path; /* to the part that is wanted of it */
    void *path_memory;     /* owned */
    struct json_search search;
    size_t at, end; /* what is to be given of the result yet */
};

bool keep_applies(struct call *c)
{
    if (c->apart.data == NULL || c->members != NULL || c->as_it_is || c->own != CALL_CALLERS)
        return false;
    c->keep = xcalloc(1, sizeof *c->keep);
    c->keep->call = c;
    return true;
}

void keep_leave(struct keep *k)
{
    once_leave(&k->wait);
}

void keep_free(struct keep *k)
{
    if (k == NULL)
        return;
    keep_leave(k);
    flight_unref(k->flight);
    kept_unref(k->result);
    free(k->path_memory);
    free(k);
}

static struct kept_store *store_of(const struct call *c)
{
    return c->site->client->kept;
}

static struct upstream_state *shared_of(const struct call *c)
{
    return c->site->pools[c->upstream->index]->shared;
}

/* ---- The key -------------------------------------------------------------------------------- */

/* JSON with types has more in it than the pointer that is looked for: there the decoder cuts. */
static void choose_cut(struct keep *k)
{
    k->is_cut = k->call->part.watch != NULL && k->call->decoding.types == TYPES_TAGGED;
}

/* What is added to it for the upstream is always the same, but for a session, which is no part of
 * what it asks for. */
static void make_key(struct keep *k)
{
    struct call *c = k->call;
    const struct chain *document = &c->document.text;
    size_t n_blocks = chain_blocks(document);
    k->has_key = chain_len(document) <= KEPT_LEN_MAX;
    if (!k->has_key)
        return;
    unsigned char form[] = { (unsigned char)c->decoding.types, (unsigned char)c->decoding.integers,
                             (unsigned char)k->is_cut, c->rule.cache->by_caller };
    struct iovec *blocks = xcalloc(n_blocks + 1, sizeof *blocks);
    struct str *texts = xcalloc(n_blocks + 4, sizeof *texts);
    texts[0] = (struct str){ (const char *)form, sizeof form };
    texts[1] = k->is_cut ? str_of(c->part.at) : STR("");
    /* Whether nothing is a result. */
    texts[2] = (struct str){ (const char *)&c->part.empty, k->is_cut ? sizeof c->part.empty : 0 };
    texts[3] = c->rule.cache->by_caller ? c->apart : STR("");
    chain_iovec(document, blocks);
    for (size_t i = 0; i < n_blocks; i++)
        texts[4 + i] = (struct str){ blocks[i].iov_base, blocks[i].iov_len };
    kept_key(&shared_of(c)->kept, texts, n_blocks + 4, &k->key);
    free(texts);
    free(blocks);
}

/* ---- The end -------------------------------------------------------------------------------- */

/* How it came by its answer, for its owner. */
static void tell(struct keep *k)
{
    struct call *c = k->call;
    const struct flight *f = k->flight;
    c->kept.is_known = true;
    c->kept.was_anew = c->asks_anew;
    c->kept.ttl_ms = c->rule.cache->ttl;
    c->kept.age_ms = k->result != NULL ? clock_now_ms() - k->result->made_ms : 0;
    c->kept.is_stored = f != NULL && atomic_load(&f->landed) && f->is_kept;
    kept_count(&shared_of(c)->kept, c->kept.result);
}

/* What its line in the log has of the call that was made for it. */
static void take_numbers(struct keep *k)
{
    struct call *c = k->call;
    const struct flight *f = k->flight;
    c->http_status = f->http_status;
    if (f->has_fault) {
        c->has_fault_code = true;
        c->fault_code = f->fault.code;
    }
    if (c->kept.result != KEPT_RESULT_MISS)
        return;
    c->attempts = f->attempts;
    c->upstream_us = f->upstream_us;
    c->queue_us = f->queue_us;
}

static void fail(struct keep *k)
{
    tell(k);
    call_fail(k->call);
}

/* ---- Giving the result ---------------------------------------------------------------------- */

static void fail_memory(struct keep *k)
{
    call_error_memory(&k->call->error);
    if (k->flight != NULL) /* it was made for this call, too */
        k->call->error.executed = EXECUTED_UNKNOWN;
    fail(k);
}

static void finish_giving(struct keep *k)
{
    struct call *c = k->call;
    c->repaired += k->result->repaired;
    tell(k);
    call_end(c, &(struct verdict){ .error = NULL });
}

static void give(struct turn *turn)
{
    struct call *c = CONTAINER_OF(turn, struct call, turn);
    struct keep *k = c->keep;
    size_t before = chain_len(c->reply), n = k->end - k->at;
    if (n > GIVE_STEP)
        n = GIVE_STEP;
    c->memory.held = before;
    enum memory_answer room = memory_ask(&c->memory, n + GIVE_SPARE);
    if (room == MEMORY_WAIT)
        return;
    if (room == MEMORY_GO)
        kept_append(k->result, k->at, n, c->reply);
    if (room == MEMORY_GO && chain_state(c->reply) != CHAIN_OK) {
        chain_recover(c->reply, before);
        if (memory_wait(&c->memory, n + GIVE_SPARE))
            return;
        room = MEMORY_NONE;
    }
    if (room == MEMORY_NONE) {
        fail_memory(k);
        return;
    }
    k->at += n;
    if (k->at < k->end) {
        turn_ask(call_work(c), turn);
        return;
    }
    finish_giving(k);
}

/* Who had it made has had room for it, in which it goes to its reply: at once, so that it is there
 * twice for a moment only. False: it has to ask for room. */
static bool give_at_once(struct keep *k)
{
    struct chain *reply = k->call->reply;
    size_t before = chain_len(reply);
    if (!kept_move(k->result, k->at, k->end - k->at, reply))
        return false;
    if (chain_state(reply) == CHAIN_OK)
        return true;
    chain_recover(reply, before);
    return false;
}

static void begin(struct keep *k)
{
    if (give_at_once(k))
        finish_giving(k);
    else
        give(&k->call->turn);
}

/* null, false, `[]`, `{}` */
static bool is_nothing(struct str json)
{
    return str_eq(json, STR("null")) || str_eq(json, STR("false")) || str_eq(json, STR("[]")) ||
           str_eq(json, STR("{}"));
}

/* What is there of the part that is wanted. */
static void give_part(struct keep *k, struct str part)
{
    struct call *c = k->call;
    if (c->part.empty != 0 && (part.data == NULL || is_nothing(part))) {
        verdict_on_nothing(&c->part, &c->error);
        fail(k);
        return;
    }
    if (part.data == NULL) {
        chain_append(c->reply, STR("null"));
        k->end = k->at;
    } else {
        k->at = (size_t)(part.data - k->result->data);
        k->end = k->at + part.len;
    }
    begin(k);
}

static void search_part(struct turn *turn)
{
    struct call *c = CONTAINER_OF(turn, struct call, turn);
    struct keep *k = c->keep;
    if (!json_search_step(&k->search, SEARCH_STEP)) {
        turn_ask(call_work(c), turn);
        return;
    }
    turn->take = give;
    give_part(k, k->search.json);
}

static void begin_search(struct keep *k)
{
    struct call *c = k->call;
    struct str at = str_of(c->part.at), all = { k->result->data, k->result->len };
    free(k->path_memory);
    k->path_memory = xcalloc(1, json_path_size(at) + 1);
    if (!json_path_read(at, k->path_memory, &k->path))
        all.data = NULL;
    json_search_begin(&k->search, &k->path, all);
    c->turn.take = search_part;
    search_part(&c->turn);
}

static void begin_giving(struct keep *k)
{
    struct call *c = k->call;
    c->turn.take = give;
    c->memory.kind = MEMORY_REPLY;
    c->memory.patience_ms = c->upstream->pool.queue_timeout;
    k->at = 0;
    k->end = k->result->len;
    if (c->part.watch == NULL || k->is_cut)
        begin(k);
    else
        begin_search(k);
}

void keep_go_on(struct call *c)
{
    turn_ask(call_work(c), &c->turn);
}

/* ---- Waiting for it ------------------------------------------------------------------------- */

static void wait_for(struct keep *k)
{
    struct call *c = k->call;
    struct flight *f = k->flight;
    /* The flight may have to go beyond the share: it is to be the one that does. */
    memory_leave(&c->memory);
    memory_share_leave(c->share, c->request);
    /* Its end is told sooner where that comes first. */
    int64_t until_ms = c->deadline_ms < f->deadline_ms ? c->deadline_ms : CLOCK_NEVER;
    flight_wait(f, &k->wait, call_work(c), until_ms);
}

/* A call for this one, and for others if it can be shown to them. */
static struct flight *make_flight(struct keep *k)
{
    struct call *c = k->call;
    const struct cache_config *cache = c->rule.cache;
    struct flight *f = flight_new(c, &k->key);
    if (f == NULL)
        return NULL;
    if (k->is_cut)
        f->call->part = c->part;
    if (k->has_key && !c->is_not_kept)
        f->lasts_ms = cache->ttl + cache->stale_if_error;
    return f;
}

static void send(struct keep *k, struct flight *f)
{
    k->flight = flight_ref(f);
    wait_for(k);
    flight_begin(f);
}

/* It is too large to be looked through in one step: it comes again, and only that part. */
static void ask_for_part(struct keep *k)
{
    struct call *c = k->call;
    struct flight *before = k->flight;
    k->is_cut = true;
    k->has_key = false;
    c->text.params = before->params;
    struct flight *f = make_flight(k);
    flight_unref(before);
    k->flight = NULL;
    if (f == NULL)
        fail(k);
    else
        send(k, f);
}

/* A failure of ours or of the way to the upstream; what the upstream has said itself is none. */
static bool may_be_stale(const struct keep *k)
{
    const struct flight *f = k->flight;
    const struct error *err = &f->error;
    return k->has_key && !k->call->asks_anew && k->call->rule.cache->stale_if_error > 0 &&
           !f->has_fault && err->status >= 500 && err->executed != EXECUTED_YES &&
           err->type != PROBLEM_INTERNAL && err->type != PROBLEM_DRAINING;
}

static bool find_stale(struct keep *k)
{
    const struct cache_config *cache = k->call->rule.cache;
    if (!may_be_stale(k))
        return false;
    k->result = kept_find(store_of(k->call), &k->key,
                          clock_now_ms() - cache->ttl - cache->stale_if_error + 1);
    return k->result != NULL;
}

static void take_failure(struct keep *k)
{
    struct call *c = k->call;
    const struct flight *f = k->flight;
    if (find_stale(k)) {
        c->kept.result = KEPT_RESULT_STALE;
        begin_giving(k);
        return;
    }
    c->error = f->error;
    tell(k);
    call_end(c, &(struct verdict){
                    .error = &c->error,
                    .fault = f->has_fault ? &f->fault : NULL,
                    .protocol = f->has_protocol ? &f->protocol : NULL,
                });
}

static void fail_late(struct keep *k)
{
    struct call *c = k->call;
    result_timeout(&c->error, c->upstream,
                   c->is_short ? "X-Rpcgate-Timeout" : c->rule.timeout_setting,
                   c->is_short ? c->limit_ms : c->rule.timeout_ms);
    c->error.setting = c->rule.timeout_setting;
    c->error.executed = EXECUTED_UNKNOWN;
    fail(k);
}

static void on_landed(struct once_wait *wait, bool in_time)
{
    struct keep *k = CONTAINER_OF(wait, struct keep, wait);
    struct call *c = k->call;
    struct flight *f = k->flight;
    if (!in_time) {
        fail_late(k);
        return;
    }
    if (!atomic_load_explicit(&f->landed, memory_order_acquire)) { /* keep_hurry() */
        error_set(&c->error, PROBLEM_REQUEST_TIMEOUT, "The caller left before the call ended.");
        c->error.executed = EXECUTED_UNKNOWN;
        fail(k);
        return;
    }
    take_numbers(k);
    if (f->result == NULL) {
        take_failure(k);
    } else if (!f->result->is_flat && c->part.watch != NULL && !k->is_cut) {
        ask_for_part(k);
    } else {
        k->result = kept_ref(f->result);
        begin_giving(k);
    }
}

void keep_hurry(struct call *c)
{
    if (c->keep->wait.once != NULL)
        once_hurry(&c->keep->wait);
}

/* ---- Asking --------------------------------------------------------------------------------- */

/* Shows it, unless there is something by now. */
static enum kept_answer show(struct keep *k, struct kept_ask *ask, struct flight *f)
{
    ask->making = &f->making;
    enum kept_answer answer = kept_ask(store_of(k->call), ask);
    if (answer != KEPT_NONE)
        flight_unref(f);
    return answer;
}

/* The flight that is to be sent is *ret_sent; NULL: none is. False: c->error. */
static bool look(struct keep *k, struct flight **ret_sent)
{
    struct call *c = k->call;
    const struct cache_config *cache = c->rule.cache;
    struct kept_ask ask = { .key = &k->key, .waits = cache->collapse };
    enum kept_answer answer = KEPT_NONE;
    bool asks = k->has_key && !c->asks_anew;
    ask.oldest_ms = clock_now_ms() - cache->ttl + 1;
    *ret_sent = NULL;
    if (asks)
        answer = kept_ask(store_of(c), &ask);
    if (answer == KEPT_NONE) {
        *ret_sent = make_flight(k);
        if (*ret_sent == NULL)
            return false;
    }
    if (answer == KEPT_NONE && asks)
        answer = show(k, &ask, *ret_sent);
    static const enum kept_result results[] = { [KEPT_HIT] = KEPT_RESULT_HIT,
                                                [KEPT_MAKING] = KEPT_RESULT_COLLAPSED,
                                                [KEPT_NONE] = KEPT_RESULT_MISS };
    c->kept.result = results[answer];
    k->result = ask.result;
    if (answer == KEPT_MAKING)
        k->flight = CONTAINER_OF(ask.making, struct flight, making);
    if (answer != KEPT_NONE)
        *ret_sent = NULL;
    return true;
}

void keep_begin(struct call *c)
{
    struct keep *k = c->keep;
    struct flight *sent;
    k->wait.go_on = on_landed;
    kept_shelf_bind(&shared_of(c)->kept, store_of(c));
    choose_cut(k);
    make_key(k);
    bool ok = look(k, &sent);
    call_text_used(c);
    document_done(&c->document);
    call_enter(c, CALL_AWAITING);
    if (!ok)
        fail(k);
    else if (k->result != NULL)
        begin_giving(k);
    else if (sent != NULL)
        send(k, sent);
    else
        wait_for(k);
}
