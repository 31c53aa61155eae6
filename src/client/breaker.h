/* SPDX-License-Identifier: Apache-2.0 */
/* When an upstream that fails gets no calls for a while. All workers share one of these for each
 * upstream; any thread may call. It has no clock: `now_ms` is the monotonic time, over 0.
 *
 *   closed   all calls go; failures in a row are counted
 *   open     none goes until its time has passed
 *   probing  one call, over all workers, tries whether it works again; no other goes
 *
 * What becomes of calls that began before it opened is not asked any more. */
#ifndef RPCGATE_CLIENT_BREAKER_H
#define RPCGATE_CLIENT_BREAKER_H

#include "base/macros.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct breaker {
    atomic_llong until_ms; /* 0: closed; over 0: open until then; BREAKER_PROBING */
    atomic_uint failed;    /* in a row, while closed */
};

struct breaker_rule {
    int64_t failures; /* 0: it never opens */
    int64_t open_ms;
};

enum breaker_answer { BREAKER_GO, BREAKER_PROBE, BREAKER_REFUSED };

/* How a call that went ended. */
enum breaker_result {
    BREAKER_GOOD, /* the upstream answered */
    BREAKER_BAD,
    BREAKER_NOTHING /* nothing was learnt: cut off, or the caller's own time was too short */
};

enum breaker_change { BREAKER_SAME, BREAKER_OPENED, BREAKER_REOPENED, BREAKER_CLOSED };

/* May a call go now? BREAKER_PROBE: yes, and its end must be told with `probe`. BREAKER_REFUSED:
 * `ret_wait_ms` is when it is worth while to ask again. */
enum breaker_answer breaker_ask(struct breaker *b, int64_t now_ms, int64_t *ret_wait_ms) MUST_CHECK;

/* Would a call be refused now? Changes nothing. */
bool breaker_refuses(const struct breaker *b, int64_t now_ms, int64_t *ret_wait_ms) MUST_CHECK;

/* Tells how a call ended. The answer is what to write to the log: each change is told once. */
enum breaker_change breaker_tell(struct breaker *b, const struct breaker_rule *rule, int64_t now_ms,
                                 enum breaker_result result, bool probe) MUST_CHECK;

enum breaker_state { BREAKER_IS_CLOSED, BREAKER_IS_OPEN, BREAKER_IS_PROBING };

/* For those who watch. */
enum breaker_state breaker_state(const struct breaker *b);

/* Is it open, and its time has not passed? */
bool breaker_is_open(const struct breaker *b, int64_t now_ms);

#endif
