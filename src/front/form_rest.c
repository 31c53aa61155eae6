/* SPDX-License-Identifier: Apache-2.0 */
/* `{"result": …}`, and of several calls `{"results": [{"result": …}, {"problem": {…}}]}`. */
#include "front/form.h"

static void open_list(struct chain *to)
{
    chain_append(to, STR("{\"results\":["));
}

static void close_list(struct chain *to)
{
    chain_append(to, STR("]}"));
}

static void open_result(struct chain *to)
{
    chain_append(to, STR("{\"result\":"));
}

static void close_result(struct str id, struct chain *to)
{
    (void)id;
    chain_append_byte(to, '}');
}

static void write_problem(const struct problem *problem, struct str id, struct chain *to)
{
    (void)id;
    chain_append(to, STR("{\"problem\":"));
    problem_write(problem, to);
    chain_append_byte(to, '}');
}

const struct form form_rest = {
    .content_type = "application/json",
    .face = FACE_JSON,
    .media = { "json", 4 },
    .dialect = BATCH_REST,
    .open_list = open_list,
    .close_list = close_list,
    .open_result = open_result,
    .close_result = close_result,
    .write_problem = write_problem,
};
