/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of client/: a transport whose upstreams answer what a test says, when it says so,
 * and a clock that stands still until it is told. */
#ifndef RPCGATE_TESTS_FAKE_TRANSPORT_H
#define RPCGATE_TESTS_FAKE_TRANSPORT_H

#include "base/list.h"
#include "io/transport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The monotonic clock of the whole process, from the first call on. */
void fake_clock_start(void);
void fake_clock_add_ms(int64_t ms);

struct fake {
    struct transport transport;
    struct list exchanges; /* that are under way, in their order */
    size_t n_open;         /* remotes */
    size_t n_submitted, n_cancelled, n_dropped, n_gone_on;
    const struct upstream_config *last; /* whose remote the last call was submitted to */
};

/* To be given to client_init(). */
struct transport *fake_init(struct fake *f);

/* The calls that are under way. */
size_t fake_n(const struct fake *f);
/* The i-th of them, from 0; the test fails where there is none. */
struct upstream_call *fake_call(const struct fake *f, size_t i);
/* The document of that call; free() it. */
char *fake_document(const struct fake *f, size_t i) MUST_CHECK;

/* What comes to the i-th call. A piece of a body is offered as libcurl's: false where on_data()
 * wants no more. Without room it is kept, and comes by fake_go_on(). */
void fake_head(struct fake *f, size_t i, int status, const char *content_type);
bool fake_data(struct fake *f, size_t i, const char *bytes) MUST_CHECK;

/* Its end, after which it is not under way. */
void fake_end(struct fake *f, size_t i, const struct upstream_result *result);

/* All of a response at once: head, body, and a good end. */
void fake_answer(struct fake *f, size_t i, int status, const char *body);

/* An end without an answer; `reached`: a byte of the request may have gone out. */
void fake_fail(struct fake *f, size_t i, enum upstream_status status, bool reached);

#endif
