/* SPDX-License-Identifier: Apache-2.0 */
/* One call of an upstream's method, from its params to its end, with all its attempts. It knows no
 * caller: whoever owns it (a request, a batch, introspection) is told the end, once. It belongs to
 * one worker and lives in that worker's thread. */
#ifndef RPCGATE_CLIENT_CALL_H
#define RPCGATE_CLIENT_CALL_H

#include "base/chain.h"
#include "base/list.h"
#include "client/answer.h"
#include "client/document.h"
#include "client/kept.h"
#include "client/site.h"
#include "codec/error.h"
#include "codec/xml/decode.h"
#include "io/transport.h"
#include "rules/problem.h"
#include "rules/query.h"
#include "rules/retry.h"
#include "settings/method_rule.h"
#include "settings/snapshot.h"
#include "work/memory.h"
#include "work/timer.h"
#include "work/turn.h"

#include <stdbool.h>
#include <stdint.h>

struct call;
struct inject;
struct injected;
struct keep;
struct seat;
struct session_use;
struct span;
struct trace;
struct verbose;

/* X(WORD, name): the states that one goes through, as the log and the metrics call them. */
#define CALL_STATE_LIST(X)                                                                         \
    X(SESSION, "session") /* waits for a session at the upstream (client/session_store.h) */       \
    X(JOINED, "joined")   /* waits for others to go out with, or has gone out (client/join.h) */   \
    X(TRANSLATING, "translating") /* JSON to XML, step by step */                                  \
    X(AWAITING, "awaiting")       /* takes what is kept, or waits for an equal call's end */       \
    X(HELD, "held")               /* its caller's replies wait for memory: it asks for no slot */  \
    X(QUEUED, "queued")           /* waits for a slot of the upstream's pool (client/pool.h) */    \
    X(CALLING, "calling")         /* at the upstream, with a slot */                               \
    X(BACKOFF, "backoff")         /* an attempt has failed; the pause before the next */           \
    X(ARRANGING, "arranging")     /* the answer is there; what is left to do of it, step by step */

enum call_state {
    CALL_ENDED, /* or not begun */
#define X(word, name) CALL_##word,
    CALL_STATE_LIST(X)
#undef X
        CALL_STATES
};

/* Who looks into the exchange itself. Borrowed to the end. */
struct call_look {
    const struct upstream_extra *extra; /* what that has besides; NULL: nothing */
    /* It has ended, at the last of the upstream's addresses; the answer is not judged yet. */
    void (*ended)(struct call *call, const struct upstream_result *result);
};

/* Whose call it is. */
enum call_own {
    CALL_CALLERS,
    CALL_OWN,     /* a session's, to which nothing is added */
    CALL_OWN_FORM /* so, and what is sent is a form; whatever a good answer has is no matter */
};

struct call_owner {
    /* The params' text was valid. The call's `rule` and times may still be set. False: the call
     * must not be sent, and ends with call->error. NULL: it is to be sent. */
    bool (*translated)(struct call *call);
    /* The text is not needed any more: right after translated(), or, with `keeps_text`, once the
     * first answer has come. NULL: the owner keeps it to the end anyway. */
    void (*text_used)(struct call *call);
    /* The call is the owner's again: it may go, or begin anew. */
    void (*ended)(struct call *call, const struct verdict *verdict);
};

/* How a call of which results are kept came by its answer. */
struct call_kept {
    bool is_known;  /* it is one, and what follows is there */
    bool is_stored; /* what was asked for answers others, too */
    bool was_anew;  /* it had to be asked for */
    enum kept_result result;
    int64_t ttl_ms, age_ms; /* of what it got */
};

/* On whose behalf, for the verbose log and for the upstream. All borrowed. */
struct call_origin {
    const char *request_id; /* NULL: nobody's */
    struct str traceparent, tracestate;
    const struct trace *trace; /* that it has a span in; NULL: none of ours */
};

struct call {
    /* Filled by the owner, all else zeroed, before call_begin(). What is borrowed stays where it is
     * until the end. */
    struct site *site; /* held while it runs */
    const struct upstream_config *upstream;
    const struct call_owner *owner;
    void *user;                /* the owner's own */
    struct document_call text; /* what is called; borrowed until text_used(), its method longer */
    const struct document_members *members; /* it is system.multicall with these calls, and
                                               text.params is all that they are read from; NULL: it
                                               is none */
    bool as_it_is;               /* nothing is added to the text, nor is the answer judged
                                    by an envelope: a question of ours */
    const struct inject *inject; /* what goes with the request; the owner's where there
                                    are members, or as_it_is; NULL: nothing */
    bool is_typed;               /* the text is a decoder's: encode_options.as_decoded */
    bool keeps_text;             /* it may have to be written a second time */
    enum call_own own;
    bool outlives;                      /* it goes on when all others are cut off */
    bool is_carrier;                    /* of joined calls, which count instead of it */
    bool goes_alone;                    /* it is not joined, though others like it are */
    bool needs_session;                 /* set by the owner of one with members: any of them does */
    const struct upstream_added *added; /* of CALL_OWN; borrowed to the end */
    const struct decode_watch *watch;   /* what is looked for in its result, which has no envelope
                                           then; NULL: nothing */
    struct verdict_part part;           /* of its result */
    void (*on_cookie)(struct upstream_call *exchange, struct str value); /* NULL: not wanted */
    size_t params_held;         /* bytes that the owner holds for them in limits.memory */
    struct memory_share *share; /* what it takes of that counts here */
    const void *request;        /* whose it is, among others of that share */
    const struct query *query; /* what the caller has chosen; borrowed until call_begin() is done */
    struct method_rule rule;
    struct str apart;    /* whose results are kept apart, where that is set; NULL data: none is kept
                            of it */
    bool asks_anew;      /* what is kept of it is no answer, */
    bool is_not_kept;    /* nor is what comes kept */
    bool is_short;       /* the deadline is the caller's: before that of the rule */
    int64_t limit_ms;    /* where it is: how long that is */
    int64_t deadline_ms; /* of queue, attempts and pauses together */
    struct call_origin origin;
    const struct call_look *look;         /* NULL: nobody looks */
    const struct answer_members *answers; /* of its members; NULL: it has none */
    struct chain *reply;                  /* the value is appended to it; borrowed */

    /* Its own from here on. */
    enum call_state state;
    struct list in_state; /* on client->calls_in[state] */
    int64_t began_ms;
    struct seat *seat; /* while JOINED: with others; NULL: it waits for some */
    bool was_refused;  /* its session had expired when it was with others */
    struct turn turn;  /* while TRANSLATING and ARRANGING */
    struct memory_wait memory;
    bool unwanted; /* nobody waits for the answer */

    struct encode_options encoding;
    struct decode_options decoding;
    struct encoder *encoder;     /* while TRANSLATING */
    struct session_use *session; /* NULL: it needs none */
    struct injected *injected;   /* of its rules; NULL: nothing is made for it alone */
    struct decoder *decoder;     /* from the first answer's head on */
    struct document document;
    size_t reply_begin; /* where the value begins */

    struct list in_queue; /* struct pool.waiting, while QUEUED; struct join.waiting, while JOINED */
    int64_t queued_us;    /* since when */
    int64_t queue_us;     /* how long it has waited there */
    struct timer wait;    /* the end of QUEUED, BACKOFF or JOINED */
    bool has_slot;
    struct list in_stalled; /* struct pool.stalled: its reply waits for memory */
    bool is_probe;          /* the breaker's only call */
    unsigned attempts;      /* that have begun */
    bool maybe_executed;    /* one before the last may have reached the upstream */
    uint64_t targets_tried; /* by this attempt: a set of the upstream's addresses */
    size_t target;          /* the last of them */

    struct upstream_call exchange;
    struct answer answer; /* to the last attempt */
    int64_t upstream_us;
    struct keep *keep;       /* NULL: nothing of it is kept */
    struct call_kept kept;   /* at its end */
    struct verbose *verbose; /* NULL: nothing of it is logged */
    struct span *span;       /* NULL: it is in no trace of ours */
    size_t repaired;         /* values that the text policy has changed, both ways */
    bool has_fault_code;
    int64_t fault_code; /* for the log, */
    int http_status;    /* and that of the last answer; 0: none has come */

    struct error error; /* stands last for call_clear() */
};

/* All zero, for the owner to fill. */
static inline void call_clear(struct call *c)
{
    memset(c, 0, offsetof(struct call, error));
    error_clear(&c->error);
}

/* Begins it. It may end before this returns. */
void call_begin(struct call *c);

/* Nobody waits for its answer any more. One that was sent goes on to its end: an upstream that
 * reads half a request may act on it, and one that has read the whole acts on it anyway. One that
 * waits ends soon and is not sent. */
void call_abandon(struct call *c);

/* Takes it back from wherever it is; the owner is not told. One that is not under way may be
 * dropped, too. */
void call_drop(struct call *c);

/* Ends it with `draining`, wherever it stands. */
void call_cut_off(struct call *c);

/* Does it run? */
static inline bool call_runs(const struct call *c)
{
    return c->state != CALL_ENDED;
}

/* What is added to one of its members, while the document is written. False: c->error. */
bool call_member_around(struct call *c, const struct inject *inject,
                        const struct encode_around **ret) MUST_CHECK;

/* Fills `err` for one that waited in vain for room in limits.memory before it was sent. */
void call_error_memory(struct error *err);

/* Fills `err` for what runs still at the end of limits.drain. */
void call_error_draining(struct error *err);

/* ---- For client/attempt.c and client/exchange.c ------------------------------------------- */

/* Moves on. Which state may follow which is checked. */
void call_enter(struct call *c, enum call_state next);

/* Its owner is told that its text is not needed any more. */
void call_text_used(struct call *c);
/* It was JOINED, and goes by itself: for want of others, or it was with them in vain. */
void call_go_alone(struct call *c);

/* It has what it needs for its document: writes it, and goes on. */
void call_translate(struct call *c);

/* One of its members goes, with the text that is just read: the document is begun anew, without it.
 * Nothing where it is not being written. */
void call_write_again(struct call *c);

/* It was refused without having run: it is in CALL_SESSION again, as at its beginning. */
void call_begin_again(struct call *c);

/* The end: gives back what it has borrowed and tells the owner. The slot has been given back
 * before, and an error is c->error. The call may be gone afterwards. */
void call_end(struct call *c, const struct verdict *verdict);
void call_fail(struct call *c);
void call_fail_draining(struct call *c);

/* client/call_inject.c: what is added to it. False: c->error. */
bool call_make_inject(struct call *c) MUST_CHECK;
void call_forget_inject(struct call *c);

#endif
