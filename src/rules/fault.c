/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/fault.h"

#include <inttypes.h>

/* Codes that servers of all kinds use alike. Where the upstream could not even begin, the call was
 * not executed. */
static const struct {
    int64_t least, greatest;
    int status;
    enum executed executed;
} known[] = {
    { -32601, -32601, 404, EXECUTED_NO },  /* method not found */
    { -506, -506, 404, EXECUTED_NO },      /* xmlrpc-c: no such method */
    { -32602, -32602, 400, EXECUTED_YES }, /* invalid params */
    { -32600, -32600, 400, EXECUTED_YES }, /* not conforming to the specification */
    { -32702, -32700, 502, EXECUTED_NO },  /* not well formed, encoding, character: our XML */
};

/* Most of a fault's text in the detail; `fault` has all of it. [bytes] */
#define SHOWN_MAX 300

static struct str shown(struct str s)
{
    return s.len > SHOWN_MAX ? str_slice(s, 0, SHOWN_MAX) : s;
}

void fault_to_error(const struct fault *fault, struct error *err)
{
    struct str code = shown(fault->code_text), text = shown(fault->string);
    const char *colon = text.len > 0 ? ": " : ".";
    if (fault->code_text.data != NULL) {
        error_set(err, PROBLEM_FAULT, "The upstream answered with the fault \"%.*s\"%s%.*s",
                  STR_ARGS(code), colon, STR_ARGS(text));
        return;
    }
    error_set(err, PROBLEM_FAULT, "The upstream answered with fault %" PRId64 "%s%.*s", fault->code,
              colon, STR_ARGS(text));
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (fault->code < known[i].least || fault->code > known[i].greatest)
            continue;
        err->status = known[i].status;
        err->executed = known[i].executed;
    }
}
