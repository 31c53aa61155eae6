/* SPDX-License-Identifier: Apache-2.0 */
/* How a document is refused, and what is told of it. */
#include "base/macros.h"
#include "codec/interop.h"
#include "codec/xml/decode_private.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

/* Nobody goes on with the document. */
static void stop(struct decoder *d)
{
    d->failed = true;
    if (!d->plain.active)
        xml_reader_stop(d->xml);
}

const struct decode_reason_info *decode_reason_info(enum decode_reason reason)
{
    static const struct decode_reason_info infos[] = {
#define X(word, setting, what, advice) { setting, what, advice },
        DECODE_REASON_LIST(X)
#undef X
    };
    assert(reason < REFUSED_REASONS);
    return &infos[reason];
}

/* What a caller is told by, whose document it is. */
static enum interop_code code_of(enum decode_reason reason)
{
    switch (reason) {
    case REFUSED_ENCODING:
    case REFUSED_BYTES:
        return INTEROP_BAD_ENCODING;
    case REFUSED_CHARACTER:
        return INTEROP_BAD_CHARACTER;
    case REFUSED_EMPTY:
    case REFUSED_NO_XML:
    case REFUSED_CUT_OFF:
    case REFUSED_EXTRA:
    case REFUSED_DTD:
    case REFUSED_HTML_NAME:
    case REFUSED_ENTITY:
    case REFUSED_MARKUP:
    case REFUSED_ILL_FORMED:
        return INTEROP_NOT_XML;
    case REFUSED_TOO_LONG:
    case REFUSED_OVER_DEPTH:
    case REFUSED_OVER_RESPONSE:
        return INTEROP_BAD_PARAMS;
    default:
        return INTEROP_NO_CALL;
    }
}

static enum problem_type limit_problem(const struct decoder *d, enum decode_reason reason)
{
    if (!d->options->is_request)
        return PROBLEM_RESPONSE_TOO_LARGE;
    return reason == REFUSED_OVER_MEMORY ? PROBLEM_OVERLOADED : PROBLEM_INVALID_REQUEST;
}

static void tell_place(struct decoder *d, const char *text)
{
    long line = 0, column = 0;
    if (d->plain.active)
        plain_place(d, &line, &column);
    else
        xml_reader_place(d->xml, &line, &column);
    column += line <= 1 ? d->columns : 0;
    line += d->lines;
    error_set(&d->err, d->options->is_request ? PROBLEM_INVALID_REQUEST : PROBLEM_BAD_RESPONSE,
              "The XML-RPC document is not usable: line %ld, "
              "column %ld: %s",
              line, column, text);
}

bool decode_fail(struct decoder *d, enum decode_reason reason, const char *format, ...)
{
    const struct decode_reason_info *info = decode_reason_info(reason);
    char text[ERROR_DETAIL_MAX];
    va_list args;
    if (d->failed)
        return false;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (info->setting != NULL)
        error_limit(&d->err, limit_problem(d, reason), info->setting,
                    "The XML-RPC document is too large: %s.", text);
    else
        tell_place(d, text);
    if (!d->options->is_request)
        d->err.advice = info->advice;
    else if (d->err.type == PROBLEM_INVALID_REQUEST)
        d->err.fault_code = code_of(reason);
    stop(d);
    return false;
}

bool decode_check_chain(struct decoder *d)
{
    switch (chain_state(d->out)) {
    case CHAIN_OK:
        return true;
    case CHAIN_FULL:
        return decode_fail(d, REFUSED_OVER_RESPONSE, "its JSON would be over limits.response");
    case CHAIN_NO_MEMORY:
        break;
    }
    return decode_fail(d, REFUSED_OVER_MEMORY, "there is no room for its JSON in limits.memory");
}

bool decode_fail_buf(struct decoder *d, const struct buf *b)
{
    if (b->state == BUF_FULL)
        return decode_fail(d, REFUSED_TOO_LONG,
                           "a number, date or method name is longer than %zu bytes", b->max);
    return decode_fail(d, REFUSED_OVER_MEMORY, "there is no room for it in limits.memory");
}
