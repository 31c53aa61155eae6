/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/envelope.h"

#include "codec/value/number.h"
#include "rules/match.h"
#include "rules/test.h"
#include "settings/result_paths.h"

const struct envelope_rule_config *envelope_find(const struct upstream_config *upstream,
                                                 struct str method)
{
    for (size_t i = 0; i < upstream->n_envelope; i++)
        if (match_text(&upstream->envelope[i].match, method))
            return &upstream->envelope[i];
    return NULL;
}

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
                         const struct chain *out, size_t max, struct envelope_verdict *ret)
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

void envelope_judge(const struct envelope_rule_config *rule, struct decoder *d,
                    const struct chain *out, size_t fault_max, struct envelope_verdict *ret)
{
    size_t max = fault_max > 0 ? fault_max : SIZE_MAX / 16;
    *ret = (struct envelope_verdict){ .failed = has_failed(rule, d, out) };
    buf_init(&ret->code, max, out->budget);
    buf_init(&ret->text, max, out->budget);
    if (ret->failed)
        read_failure(rule, d, out, max, ret);
    else if (rule->value != NULL)
        ret->has_value = decoder_find(d, ENVELOPE_PATH_VALUE, &ret->value);
}

void envelope_verdict_done(struct envelope_verdict *verdict)
{
    buf_done(&verdict->code);
    buf_done(&verdict->text);
}
