/* SPDX-License-Identifier: Apache-2.0 */
/* The response objects of JSON-RPC 2.0, section 5; a problem is the error's `data`. */
#include "front/form.h"

#include "codec/json/write.h"

#include <inttypes.h>
#include <stdio.h>

/* JSON-RPC 2.0, section 5.1. */
enum {
    CODE_PARSE_ERROR = -32700,
    CODE_INVALID_REQUEST = -32600,
    CODE_METHOD_NOT_FOUND = -32601,
    CODE_INVALID_PARAMS = -32602,
    CODE_INTERNAL_ERROR = -32603,
    CODE_SERVER_ERROR = -32000
};

static int64_t code_of(const struct problem *problem)
{
    if (problem->fault != NULL)
        return problem->fault->code;
    switch (problem->error->type) {
    case PROBLEM_INVALID_JSON:
        return CODE_PARSE_ERROR;
    case PROBLEM_INVALID_REQUEST:
        return CODE_INVALID_REQUEST;
    case PROBLEM_FORBIDDEN:
    case PROBLEM_NOT_FOUND:
        return CODE_METHOD_NOT_FOUND;
    case PROBLEM_UNREPRESENTABLE:
        return CODE_INVALID_PARAMS;
    case PROBLEM_INTERNAL:
        return CODE_INTERNAL_ERROR;
    default:
        return CODE_SERVER_ERROR;
    }
}

/* The specification's own words for the codes that it defines; NULL for others. */
static const char *message_of(int64_t code)
{
    switch (code) {
    case CODE_PARSE_ERROR:
        return "Parse error";
    case CODE_INVALID_REQUEST:
        return "Invalid Request";
    case CODE_METHOD_NOT_FOUND:
        return "Method not found";
    case CODE_INVALID_PARAMS:
        return "Invalid params";
    case CODE_INTERNAL_ERROR:
        return "Internal error";
    default:
        return NULL;
    }
}

/* A fault's string says more than the words for its code, but for a method that is not there. */
static void write_message(const struct problem *problem, int64_t code, struct chain *to)
{
    const struct fault *fault = problem->fault;
    const char *words = message_of(code);
    if (fault != NULL && fault->string.len > 0 && code != CODE_METHOD_NOT_FOUND)
        problem_write_text(fault->string, to);
    else
        json_write_string(
            to, str_of(words != NULL ? words : problem_info(problem->error->type)->title));
}

static void open_list(struct chain *to)
{
    chain_append(to, STR("["));
}

static void close_list(struct chain *to)
{
    chain_append(to, STR("]"));
}

static void open_result(struct chain *to)
{
    chain_append(to, STR("{\"jsonrpc\":\"2.0\",\"result\":"));
}

static void close_result(struct str id, struct chain *to)
{
    chain_append(to, STR(",\"id\":"));
    chain_append(to, id.data != NULL ? id : STR("null"));
    chain_append_byte(to, '}');
}

static void write_problem(const struct problem *problem, struct str id, struct chain *to)
{
    char code[24];
    snprintf(code, sizeof code, "%" PRId64, code_of(problem));
    chain_append(to, STR("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":"));
    chain_append_c(to, code);
    chain_append(to, STR(",\"message\":"));
    write_message(problem, code_of(problem), to);
    chain_append(to, STR(",\"data\":"));
    problem_write(problem, to);
    chain_append_byte(to, '}');
    close_result(id, to);
}

/* Its clients say `application/json-rpc`, too: "JSON-RPC over HTTP", draft of 2013, section 3.2. */
const struct form form_jsonrpc = {
    .content_type = "application/json",
    .face = FACE_JSONRPC,
    .media = { "json-rpc", 8 },
    .dialect = BATCH_JSONRPC,
    .no_calls = "The batch has no request in it: send at least one.",
    .has_silent_calls = true,
    .wraps_problems = true,
    .open_list = open_list,
    .close_list = close_list,
    .open_result = open_result,
    .close_result = close_result,
    .write_problem = write_problem,
};
