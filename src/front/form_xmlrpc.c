/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to callers that speak XML-RPC. Until its end a reply is JSON with types, as of other
 * forms, an array of the one value: front/xmlrpc_reply.c makes the document of it. Problems are
 * faults, with codes of codec/interop.h for what the upstream has not said itself. */
#include "front/form.h"

#include "codec/interop.h"
#include "codec/json/write.h"
#include "codec/xml/encode.h"
#include "front/xmlrpc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int code_of(const struct error *err)
{
    if (err->fault_code != 0)
        return err->fault_code;
    switch (err->type) {
    case PROBLEM_INVALID_JSON:
    case PROBLEM_INVALID_REQUEST:
        return INTEROP_NO_CALL;
    case PROBLEM_FORBIDDEN:
    case PROBLEM_NOT_FOUND:
        return INTEROP_NO_METHOD;
    case PROBLEM_UNREPRESENTABLE:
        return INTEROP_BAD_PARAMS;
    case PROBLEM_INTERNAL:
        return INTEROP_INTERNAL;
    case PROBLEM_RATE_LIMITED:
        return INTEROP_RATE_LIMITED;
    case PROBLEM_OVERLOADED:
        return INTEROP_OVERLOADED;
    case PROBLEM_CIRCUIT_OPEN:
        return INTEROP_CIRCUIT_OPEN;
    case PROBLEM_DRAINING:
        return INTEROP_DRAINING;
    default:
        return INTEROP_TRANSPORT;
    }
}

/* What the upstream has said, as it said it. */
static void write_foreign(const struct fault *fault, const char *names[2], struct chain *to)
{
    char code[24];
    chain_append_c(to, names[0]);
    if (fault->code_text.data != NULL) {
        problem_write_text(fault->code_text, to);
    } else {
        snprintf(code, sizeof code, "%" PRId64, fault->code);
        chain_append_c(to, code);
    }
    chain_append_c(to, names[1]);
    problem_write_text(fault->string, to);
    chain_append_byte(to, '}');
}

static void write_own(const struct problem *problem, const char *names[2], struct chain *to)
{
    const struct error *err = problem->error;
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, ERROR_DETAIL_MAX + ERROR_POINTER_MAX + 256, NULL);
    buf_printf(&text, "%s: %s", problem_info(err->type)->name, err->detail);
    if (err->has_pointer && err->pointer[0] != '\0')
        buf_printf(&text, " (at %s)", err->pointer);
    buf_printf(&text, "; executed: %s; request %.*s", executed_name(err->executed),
               STR_ARGS(problem->request_id));
    char code[24];
    snprintf(code, sizeof code, "%d", code_of(err));
    chain_append_c(to, names[0]);
    chain_append_c(to, code);
    chain_append_c(to, names[1]);
    json_write_string(to, buf_str(&text));
    chain_append_byte(to, '}');
}

static void write_fault(const struct problem *problem, const char *names[2], struct chain *to)
{
    if (problem->error->type == PROBLEM_FAULT && problem->fault != NULL)
        write_foreign(problem->fault, names, to);
    else
        write_own(problem, names, to);
}

static void write_problem(const struct problem *problem, struct str id, struct chain *to)
{
    static const char *names[2] = { "{\"faultCode\":", ",\"faultString\":" };
    (void)id;
    write_fault(problem, names, to);
}

/* It is short, but for a fault's text, which limits.fault_text bounds. */
static void write_reply(const struct problem *problem, struct chain *to)
{
    static const char *names[2] = { "{\"code\":", ",\"string\":" };
    struct chain json;
    struct error ignored;
    chain_init(&json, SIZE_MAX, NULL);
    write_fault(problem, names, &json);
    char *text = chain_dup(&json);
    struct encoder *encoder = encoder_new(NULL);
    encoder_begin(encoder,
                  &(struct encode_input){ .kind = ENCODE_FAULT,
                                          .json = str_of(text),
                                          .options = &xmlrpc_reply_options },
                  to);
    while (encoder_step(encoder, SIZE_MAX / 2, &ignored) == CODEC_MORE)
        continue;
    encoder_free(encoder);
    free(text);
    chain_done(&json);
}

static void open_list(struct chain *to)
{
    chain_append(to, STR("[["));
}

static void close_list(struct chain *to)
{
    chain_append(to, STR("]]"));
}

static void open_result(struct chain *to)
{
    chain_append_byte(to, '[');
}

static void close_result(struct str id, struct chain *to)
{
    (void)id;
    chain_append_byte(to, ']');
}

const struct form form_xmlrpc = {
    .content_type = "text/xml",
    .face = FACE_XMLRPC,
    .is_xml = true,
    .dialect = BATCH_XMLRPC,
    .open_list = open_list,
    .close_list = close_list,
    .open_result = open_result,
    .close_result = close_result,
    .write_problem = write_problem,
    .write_reply = write_reply,
    .arrange = xmlrpc_arrange_reply,
};
