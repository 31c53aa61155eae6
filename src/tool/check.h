/* SPDX-License-Identifier: Apache-2.0 */
/* `rpcgate check`: one call to each URL of an upstream, by the gateway's own client, and what it
 * tells about each step on the way there; and where there is a session, a login and a logout.
 * check_call.c makes the call, check_judge.c says what it means, check_session.c logs in and out,
 * check_print.c prints it. */
#ifndef RPCGATE_TOOL_CHECK_H
#define RPCGATE_TOOL_CHECK_H

#include "base/buf.h"
#include "base/chain.h"
#include "client/call.h"
#include "codec/error.h"
#include "io/upstream.h"
#include "io/upstream_details.h"
#include "settings/snapshot.h"
#include "work/timer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(WORD, name) in the order in which they are gone. */
#define CHECK_STEP_LIST(X)                                                                         \
    X(DNS, "dns")                                                                                  \
    X(CONNECT, "connect")                                                                          \
    X(TLS, "tls")                                                                                  \
    X(LOGIN, "authentication")                                                                     \
    X(CALL, "system.listMethods")                                                                  \
    X(ENTER, "login")                                                                              \
    X(LEAVE, "logout")

enum check_step_word {
#define X(word, name) CHECK_##word,
    CHECK_STEP_LIST(X)
#undef X
        CHECK_STEPS
};

enum check_result { CHECK_SKIPPED, CHECK_OK, CHECK_FAILED };

/* The last two are those of upstreams with a session. */
#define CHECK_STEPS_WITHOUT_SESSION CHECK_ENTER

struct check_step {
    enum check_result result;
    int64_t time_us;               /* -1: it has none of its own */
    char reason[ERROR_DETAIL_MAX]; /* or what was found; UTF-8 without control characters */
    const char *advice;            /* what to do, static; NULL: nothing */
};

struct lone;

/* The check of one URL. It must stay where it is until `done`. */
struct check {
    const struct config *config;
    const struct upstream_config *upstream;
    size_t target;
    /* Called at the end, which may be in the loop. */
    void (*on_done)(struct check *check);
    void *user;
    struct lone *lone;                 /* by which it is called; borrowed while that runs */
    const struct upstream_config *one; /* there: the upstream with this URL alone */

    struct check_step steps[CHECK_STEPS];
    struct upstream_details details; /* of the call */
    struct upstream_details looked;  /* of a second look at a certificate that was refused */
    long n_methods;                  /* -1: it did not tell */
    bool called;                     /* the call is over */
    bool done;                       /* all is */

    struct timer rest;  /* after the call, to see whether its connection stays */
    bool unsaid;        /* it was ended, and that was not said */
    bool lacks_session; /* the upstream adds to the call what only a login gives */
    struct call call;
    struct call_look look;
    struct upstream_call looking; /* the second look */
    struct chain nothing;         /* its document */
    struct upstream_extra extra;  /* of either */
    struct chain value;           /* the result; JSON */
    bool is_good;                 /* there is one; else: */
    struct buf fault;             /* its code and text as people see them; none: no bytes */
    struct error error;
    struct upstream_result result;   /* of the call; its headers are gone */
    char wants[UPSTREAM_TEXT_MAX];   /* WWW-Authenticate */
    char leads_to[ERROR_DETAIL_MAX]; /* Location, without a login */
};

/* check_call.c */

/* The same configuration with an upstream for each check's URL, one after another: each is called
 * once. Everything else of it is borrowed. */
struct config *check_config_open(const struct check *checks, size_t n) MUST_CHECK;
void check_config_close(struct config *config);

/* Begins its call, at the upstream of that number in such a configuration. */
void check_start(struct check *check, struct lone *lone, size_t index);
/* Of one that was started. */
void check_end(struct check *check);

/* check_session.c */

/* The upstreams' sessions of checks that are called: of each URL's block the steps, where one of
 * all of an upstream logs in. `told` is called with each upstream's last. False: errno. */
bool check_sessions(struct config *config, struct check *checks, size_t n,
                    void (*told)(void *context), void *context) MUST_CHECK;

/* check_judge.c */

/* Fills `steps` from what the call brought. `now_s` is the time since 1970. */
void check_judge(struct check *check, int64_t now_s);
bool check_failed(const struct check *check);

/* What a step has found; the advice may be NULL. */
void check_set(struct check *check, enum check_step_word word, enum check_result result,
               const char *advice, const char *format, ...) PRINTF_LIKE(5, 6);

size_t check_n_steps(const struct check *check);

/* Foreign text for people's eyes: without secrets, control characters and bytes that are not
 * UTF-8, cut to ERROR_DETAIL_MAX. */
void check_clean(const struct config *config, const char *text, char to[ERROR_DETAIL_MAX]);

/* check_print.c */

/* One URL's block, with the upstream's name above it. */
void check_print(const struct check *check, struct chain *to);
/* All of them as one JSON object. */
void check_print_json(const struct check *checks, size_t n, struct chain *to);

#endif
