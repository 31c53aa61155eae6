/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/fault.h"

#include "rules/glob_number.h"
#include "rules/match.h"

#include <inttypes.h>
#include <string.h>

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

/* Is the rule's `text` one that catches a number? */
static bool catches(const struct fault_rule_config *rule)
{
    return rule->retry_after == PAUSE_OF_TEXT;
}

/* The number is put into *seconds. */
static bool text_matches(const struct fault_rule_config *rule, struct str text, unsigned *seconds)
{
    if (rule->text == NULL)
        return true;
    if (catches(rule))
        return glob_number_match(str_of(rule->text), FAULT_PLACE, text, seconds);
    return glob_match(str_of(rule->text), text);
}

static bool place_matches(const struct fault_rule_config *rule, const struct fault_place *place)
{
    return match_text(&rule->match, place->method) &&
           (rule->http == 0 || rule->http == place->http_status);
}

static bool rule_matches(const struct fault_rule_config *rule, const struct fault *fault,
                         const struct fault_place *place, unsigned *seconds)
{
    if (!place_matches(rule, place) || !code_matches(&rule->code, fault))
        return false;
    if (rule->has_range &&
        (fault->code_text.data != NULL || fault->code < rule->from || fault->code > rule->to))
        return false;
    return text_matches(rule, fault->string, seconds);
}

/* Is it about the HTTP status, whatever the fault, if there is any? */
static bool is_of_status(const struct fault_rule_config *rule)
{
    return rule->http != 0 && rule->code.form == FAULT_CODE_ANY && !rule->has_range &&
           rule->text == NULL;
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

/* It is about the gateway's own credentials: the call was not let in. */
static bool is_about_us(const struct fault_rule_config *rule)
{
    return rule->type != NULL &&
           strcmp(rule->type, problem_info(PROBLEM_CREDENTIALS_REFUSED)->name) == 0;
}

static void apply_type(const struct fault_rule_config *rule, struct error *err)
{
    if (!is_about_us(rule)) {
        err->type_uri = rule->type;
        return;
    }
    const struct problem_info *info = problem_info(PROBLEM_CREDENTIALS_REFUSED);
    err->type = PROBLEM_CREDENTIALS_REFUSED;
    err->executed = info->executed;
    if (rule->status == 0)
        err->status = info->status;
}

/* What follows from the rule; true: the session has expired. */
static bool apply_rule(const struct fault_rule_config *rule, unsigned seconds, struct error *err)
{
    if (rule->status != 0)
        err->status = (int)rule->status;
    if (rule->type != NULL)
        apply_type(rule, err);
    if (catches(rule))
        err->retry_after = seconds;
    else if (rule->retry_after > 0)
        err->retry_after = (unsigned)((rule->retry_after + 999) / 1000);
    if (rule->session_expired)
        err->executed = EXECUTED_NO;
    return rule->session_expired;
}

bool fault_to_error(const struct fault *fault, const struct fault_place *place, struct error *err)
{
    const struct upstream_config *upstream = place->upstream;
    const struct fault *sent = place->sent != NULL ? place->sent : fault;
    unsigned seconds = 0;
    describe(fault, err);
    if (upstream != NULL)
        err->status = (int)upstream->fault_status;
    apply_code(fault, err);
    for (size_t i = 0; upstream != NULL && i < upstream->n_faults; i++)
        if (rule_matches(&upstream->faults[i], sent, place, &seconds))
            return apply_rule(&upstream->faults[i], seconds, err);
    return false;
}

bool fault_apply_status(const struct fault_place *place, struct error *err)
{
    const struct upstream_config *upstream = place->upstream;
    for (size_t i = 0; upstream != NULL && i < upstream->n_faults; i++)
        if (is_of_status(&upstream->faults[i]) && place_matches(&upstream->faults[i], place))
            return apply_rule(&upstream->faults[i], 0, err);
    return false;
}
