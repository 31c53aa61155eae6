/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/gateway.h"
#include "tool/reply.h"

#include <stdint.h>
#include <stdio.h>
#include <sysexits.h>

static const struct str urn = { "urn:rpcgate:problem:", 20 };

int reply_status(enum problem_type type)
{
    switch (type) {
    case PROBLEM_FAULT:
        return REPLY_FAULT;
    case PROBLEM_NOT_FOUND:
        return EX_USAGE;
    case PROBLEM_INVALID_JSON:
    case PROBLEM_INVALID_REQUEST:
    case PROBLEM_UNREPRESENTABLE:
    case PROBLEM_BODY_TOO_LARGE:
        return EX_DATAERR;
    case PROBLEM_UNAUTHENTICATED:
    case PROBLEM_FORBIDDEN:
        return EX_NOPERM;
    case PROBLEM_OVERLOADED:
    case PROBLEM_RATE_LIMITED:
    case PROBLEM_DRAINING:
    case PROBLEM_CIRCUIT_OPEN:
    case PROBLEM_TIMEOUT:
        return EX_TEMPFAIL;
    default:
        return EX_UNAVAILABLE;
    }
}

static int status_of_name(struct str name)
{
    for (unsigned i = 0; i < PROBLEM_TYPES; i++)
        if (str_eq_c(name, problem_info((enum problem_type)i)->name))
            return reply_status((enum problem_type)i);
    return EX_UNAVAILABLE;
}

static bool append_member(struct str document, const char *name, struct buf *to)
{
    struct str quoted;
    size_t before = to->len;
    if (reply_member(document, name, &quoted))
        reply_text(quoted, to);
    return to->len > before;
}

static bool is_text(struct str document, const char *name, const char *text)
{
    struct str quoted;
    return reply_member(document, name, &quoted) && quoted.data[0] == '"' &&
           str_eq_c(str_slice(quoted, 1, quoted.len - 1), text);
}

/* A gateway's is an integer; another's may be anything. */
static void append_code(struct str json, struct buf *to)
{
    uint64_t ignored;
    bool negative = json.data[0] == '-';
    if (str_to_uint(negative ? str_slice(json, 1, json.len) : json, UINT64_MAX, &ignored))
        buf_append(to, json);
    else if (json.data[0] == '"')
        reply_word(json, to);
    else
        buf_append_byte(to, '?');
}

/* The whole of it: the problem's `detail` has the beginning only. */
static void describe_fault(struct str fault, struct buf *to)
{
    struct str code;
    buf_append_c(to, "fault ");
    if (reply_member(fault, "code_text", &code) && code.data[0] == '"')
        reply_word(code, to);
    else if (reply_member(fault, "code", &code))
        append_code(code, to);
    size_t before = to->len;
    buf_append_c(to, ": ");
    if (!append_member(fault, "string", to))
        to->len = before;
    while (to->len > before && to->data[to->len - 1] == '\n')
        to->len--;
    buf_append_byte(to, '\n');
}

static void describe(struct str document, struct buf *to)
{
    CLEANUP(buf_done) struct buf detail;
    buf_init(&detail, SIZE_MAX - 1, NULL);
    append_member(document, "detail", &detail);
    append_member(document, "title", to);
    if (str_starts_with(buf_str(&detail), buf_str(to)))
        buf_clear(to);
    if (to->len > 0 && detail.len > 0)
        buf_append_c(to, ": ");
    buf_append(to, buf_str(&detail));
    struct str pointer;
    if (reply_member(document, "pointer", &pointer) && pointer.data[0] == '"') {
        buf_append_c(to, " (at \"");
        reply_word(pointer, to);
        buf_append_c(to, "\")");
    }
    buf_append_byte(to, '\n');
}

static void add_advice(const struct reply *reply, struct str document, struct buf *to)
{
    struct str upstream;
    if (is_text(document, "type", "urn:rpcgate:problem:not-found") &&
        !reply_member(document, "upstream", &upstream))
        buf_append_c(to, "  `rpcgate upstreams` lists the upstreams that you may use.\n");
    if (is_text(document, "type", "urn:rpcgate:problem:unauthenticated") && !reply->token_shown)
        buf_append_c(to, "  A token's file is named by --token-file, or by $" GATEWAY_TOKEN_NAME
                         " in the environment.\n");
    if (is_text(document, "executed", "unknown"))
        buf_append_c(to, "  It is not known whether the call was executed.\n");
    if (reply->retry_after > 0)
        buf_printf(to, "  Try again in %u s.\n", reply->retry_after);
}

int reply_problem(const struct reply *reply, bool *ret_known)
{
    CLEANUP(buf_done) struct buf type;
    CLEANUP(buf_done) struct buf text;
    struct str document = buf_str(&reply->body), fault;
    buf_init(&type, SIZE_MAX - 1, NULL);
    buf_init(&text, SIZE_MAX - 1, NULL);
    bool is_fault = reply_member(document, "fault", &fault) && fault.data[0] == '{';
    *ret_known = append_member(document, "type", &type) &&
                 (is_fault || str_starts_with(buf_str(&type), urn));
    if (!*ret_known)
        return EX_UNAVAILABLE;
    if (is_fault)
        describe_fault(fault, &text);
    else
        describe(document, &text);
    add_advice(reply, document, &text);
    fprintf(stderr, "rpcgate: %s", buf_c(&text));
    return is_fault ? REPLY_FAULT : status_of_name(str_slice(buf_str(&type), urn.len, type.len));
}
