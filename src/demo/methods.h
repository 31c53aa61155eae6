/* SPDX-License-Identifier: Apache-2.0 */
/* What the demo upstream can do. Params and results are JSON text in tagged form, so that every
 * XML-RPC type gets through. */
#ifndef RPCGATE_DEMO_METHODS_H
#define RPCGATE_DEMO_METHODS_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum demo_answer {
    DEMO_RESULT, /* `result` has the value */
    DEMO_FAULT,  /* `fault_code`, and the string in `result` (as text, not JSON) */
    DEMO_SLEEP   /* the value comes after `sleep_ms` */
};

struct demo_call {
    struct str method;
    struct str params;  /* a JSON array */
    bool inside;        /* of a system.multicall */
    struct buf *result; /* empty at first */
    int64_t fault_code;
    int64_t sleep_ms;
};

struct demo_fault {
    int64_t code;
    const char *text;
};

/* Writes `{"CODE":…,"STRING":…}` with those two names. */
void demo_methods_write_fault(struct buf *to, const char *code, const char *string,
                              const struct demo_fault *fault);

/* Runs a method of the table. */
enum demo_answer demo_methods_run(struct demo_call *call);

#endif
