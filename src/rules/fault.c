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

static bool code_matches(const struct fault_code *wanted, const struct fault *fault)
{
    switch (wanted->form) {
    case FAULT_CODE_ANY:
        return true;
    case FAULT_CODE_NUMBER:
        return fault->code_text.data == NULL && fault->code == wanted->number;
    case FAULT_CODE_GLOB:
        break;
    }
    return fault->code_text.data != NULL && glob_match(str_of(wanted->glob), fault->code_text);
}

static bool rule_matches(const struct fault_rule_config *rule, const struct fault *fault,
                         int http_status)
{
    if (!code_matches(&rule->code, fault))
        return false;
    if (rule->has_range &&
        (fault->code_text.data != NULL || fault->code < rule->from || fault->code > rule->to))
        return false;
    if (rule->text != NULL && !glob_match(str_of(rule->text), fault->string))
        return false;
    return rule->http == 0 || rule->http == http_status;
}

static void describe(const struct fault *fault, struct error *err)
{
    struct str code = shown(fault->code_text), text = shown(fault->string);
    const char *colon = text.len > 0 ? ": " : ".";
    if (fault->code_text.data != NULL)
        error_set(err, PROBLEM_FAULT, "The upstream answered with the fault \"%.*s\"%s%.*s",
                  STR_ARGS(code), colon, STR_ARGS(text));
    else
        error_set(err, PROBLEM_FAULT, "The upstream answered with fault %" PRId64 "%s%.*s",
                  fault->code, colon, STR_ARGS(text));
}

static void apply_code(const struct fault *fault, struct error *err)
{
    for (size_t i = 0; fault->code_text.data == NULL && i < ARRAY_LEN(known); i++) {
        if (fault->code < known[i].least || fault->code > known[i].greatest)
            continue;
        err->status = known[i].status;
        err->executed = known[i].executed;
        err->no_method = known[i].status == 404;
    }
}

void fault_to_error(const struct fault *fault, const struct upstream_config *upstream,
                    int http_status, struct error *err)
{
    describe(fault, err);
    if (upstream != NULL)
        err->status = (int)upstream->fault_status;
    apply_code(fault, err);
    for (size_t i = 0; upstream != NULL && i < upstream->n_faults; i++) {
        const struct fault_rule_config *rule = &upstream->faults[i];
        if (!rule_matches(rule, fault, http_status))
            continue;
        if (rule->status != 0)
            err->status = (int)rule->status;
        err->type_uri = rule->type;
        err->retry_after = (unsigned)((rule->retry_after + 999) / 1000);
        return;
    }
}
