/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/verdict.h"

#include "codec/value/number.h"
#include "rules/glob_number.h"
#include "rules/test.h"
#include "settings/match.h"
#include "settings/result_paths.h"

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
#define SHOWN_MAX ((size_t)300)

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

static bool place_matches(const struct fault_rule_config *rule, const struct verdict_place *place)
{
    return match_text(&rule->match, place->method) &&
           (rule->http == 0 || rule->http == place->http_status);
}

static bool rule_matches(const struct fault_rule_config *rule, const struct fault *fault,
                         const struct verdict_place *place, unsigned *seconds)
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
    struct str text = fault->string;
    struct error_cut code = error_cut(fault->code_text, SHOWN_MAX);
    const char *colon = text.len > 0 ? ": " : ".";
    bool is_cut = fault->truncated || text.len > SHOWN_MAX;
    if (text.len > SHOWN_MAX)
        text.len = SHOWN_MAX;
    if (fault->code_text.data != NULL)
        error_set(err, PROBLEM_FAULT, "The upstream answered with the fault \"%.*s%s\"%s%.*s",
                  STR_ARGS(code.text), fault->truncated ? ERROR_CUT : code.mark, colon,
                  STR_ARGS(text));
    else
        error_set(err, PROBLEM_FAULT, "The upstream answered with fault %" PRId64 "%s%.*s",
                  fault->code, colon, STR_ARGS(text));
    err->is_cut |= is_cut;
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

bool verdict_on_fault(const struct fault *fault, const struct verdict_place *place,
                      struct error *err)
{
    const struct upstream_config *upstream = place->upstream;
    unsigned seconds = 0;
    describe(fault, err);
    if (upstream != NULL)
        err->status = (int)upstream->fault_status;
    apply_code(fault, err);
    for (size_t i = 0; upstream != NULL && i < upstream->n_faults; i++)
        if (rule_matches(&upstream->faults[i], fault, place, &seconds))
            return apply_rule(&upstream->faults[i], seconds, err);
    return false;
}

bool verdict_on_status(const struct verdict_place *place, struct error *err)
{
    const struct upstream_config *upstream = place->upstream;
    for (size_t i = 0; upstream != NULL && i < upstream->n_faults; i++)
        if (is_of_status(&upstream->faults[i]) && place_matches(&upstream->faults[i], place))
            return apply_rule(&upstream->faults[i], 0, err);
    return false;
}

/* ---- Failures that come as results ---- */

static bool has_failed(const struct envelope_rule_config *rule, struct decoder *d,
                       const struct chain *out)
{
    if (rule->good.present)
        return !test_holds(&rule->good, ENVELOPE_PATH_TEST, d, out);
    return rule->bad.present && test_holds(&rule->bad, ENVELOPE_PATH_TEST, d, out);
}

/* Reads a part of it into `to`; NULL data: it is nil. */
static struct str read_part(struct decoder *d, const struct chain *out,
                            const struct decode_found *part, size_t max, struct buf *to,
                            bool *truncated)
{
    if (part->kind == DECODE_NIL)
        return (struct str){ NULL, 0 };
    if (!decoder_read(d, out, part, max, to))
        *truncated = true;
    return (struct str){ buf_c(to), to->len };
}

static bool read_integer(struct str text, int64_t *ret)
{
    struct integer n;
    uint64_t value;
    if (!number_parse_integer(text, &n) || !number_integer_fits(n, INTEGER_64) ||
        !str_to_uint(n.digits, UINT64_MAX, &value))
        return false;
    *ret = n.negative ? -(int64_t)(value - 1) - 1 : (int64_t)value;
    return true;
}

static void read_failure(const struct envelope_rule_config *rule, struct decoder *d,
                         const struct chain *out, size_t max, struct verdict_fault *ret)
{
    struct fault *fault = &ret->fault;
    struct decode_found part;
    if (rule->code != NULL && decoder_find(d, ENVELOPE_PATH_CODE, &part)) {
        fault->code_text = read_part(d, out, &part, max, &ret->code, &fault->truncated);
        if (part.kind == DECODE_INTEGER && read_integer(fault->code_text, &fault->code))
            fault->code_text = (struct str){ NULL, 0 };
    }
    if (rule->text != NULL && decoder_find(d, ENVELOPE_PATH_TEXT, &part))
        fault->string = read_part(d, out, &part, max, &ret->text, &fault->truncated);
}

/* True: it is a failure, which is read. */
static bool judge_failure(const struct envelope_rule_config *rule, struct decoder *d,
                          struct chain *out, size_t fault_max, struct verdict_fault *ret)
{
    size_t max = fault_max > 0 ? fault_max : SIZE_MAX / 16;
    bool failed = rule != NULL && has_failed(rule, d, out);
    ret->fault = (struct fault){ .code = 0 };
    buf_init(&ret->code, max, out->budget);
    buf_init(&ret->text, max, out->budget);
    if (failed)
        read_failure(rule, d, out, max, ret);
    return failed;
}

bool verdict_on_result(const struct envelope_rule_config *rule, struct decoder *d,
                       struct chain *out, size_t fault_max, struct verdict_fault *ret)
{
    struct decode_found value;
    bool failed = judge_failure(rule, d, out, fault_max, ret);
    bool has_value = !failed && rule->value != NULL && decoder_find(d, ENVELOPE_PATH_VALUE, &value);
    decoder_keep(d, out, has_value ? &value : NULL);
    return !failed;
}

/* null, false, `[]`, `{}` */
static bool is_nothing(const struct decode_found *value)
{
    size_t len = value->end - value->from;
    switch (value->kind) {
    case DECODE_NIL:
        return true;
    case DECODE_BOOLEAN:
        return len == sizeof "false" - 1;
    case DECODE_ARRAY:
    case DECODE_STRUCT:
        return len == sizeof "[]" - 1;
    default:
        return false;
    }
}

bool verdict_on_part(const struct envelope_rule_config *rule, const struct verdict_part *part,
                     struct decoder *d, struct chain *out, size_t fault_max,
                     struct verdict_fault *ret, bool *ret_nothing)
{
    struct decode_found value;
    bool failed = judge_failure(rule, d, out, fault_max, ret);
    bool has_value = !failed && (rule == NULL || rule->value != NULL) &&
                     decoder_find(d, part->watch->n - 1, &value);
    *ret_nothing = !failed && (!has_value || is_nothing(&value));
    decoder_keep(d, out, has_value ? &value : NULL);
    return !failed;
}

void verdict_on_nothing(const struct verdict_part *part, struct error *err)
{
    error_set(err, PROBLEM_NOT_FOUND,
              "The upstream has answered, but with nothing of what this asks for.");
    err->status = part->empty;
    err->executed = EXECUTED_YES;
}

void verdict_fault_done(struct verdict_fault *fault)
{
    buf_done(&fault->code);
    buf_done(&fault->text);
}
