/* SPDX-License-Identifier: Apache-2.0 */
/* The part of option_list.h that is about routes; its rows are as there. Of rows W(kind, member,
 * name, …) the member has another name than the setting, which is a word of C. */
#ifndef RPCGATE_SETTINGS_ROUTE_LIST_H
#define RPCGATE_SETTINGS_ROUTE_LIST_H

/* routes = ( { … }, … ) */
#define ROUTE_OPTIONS(X)                                                                           \
    X(name, name, NULL, "partner", NULL, NULL, LIVE,                                               \
      "Name of the route, for `allow` and `deny` (`@partner`), the log and OpenAPI; required.")    \
    X(route_path, get, NULL, "/partners/{id}", NULL, NULL, LIVE,                                   \
      "The path, for requests of GET (and HEAD). Each route has one of `get`, `post`, `put`, "     \
      "`patch` and `delete`.")                                                                     \
    X(route_path, post, NULL, "/partners", NULL, NULL, LIVE, "The path, for POST.")                \
    X(route_path, put, NULL, "/partners/{id}", NULL, NULL, LIVE, "The path, for PUT.")             \
    X(route_path, patch, NULL, "/partners/{id}", NULL, NULL, LIVE, "The path, for PATCH.")         \
    X(route_path, delete, NULL, "/partners/{id}", NULL, NULL, LIVE, "The path, for DELETE.")       \
    X(route_call, call, NULL, "odoo/execute_kw", NULL, NULL, LIVE,                                 \
      "The call that is made, `upstream/method`; required.")                                       \
    X(flag, safe, "false", NULL, NULL, NULL, LIVE,                                                 \
      "Whether the call may run twice, with these params; `get` demands it, here or in "           \
      "`methods`.")                                                                                \
    X(shapes, params, NULL, "\"res.partner\", \"read\", { name = \"id\"; type = \"int\"; }", NULL, \
      NULL, LIVE,                                                                                  \
      "The call's params, as they go out: constants, and groups with `name`, `list`, `struct` or " \
      "`json`, see `routes.params`. Without it: none.")                                            \
    X(count, status, "200", NULL, "200", "204", LIVE,                                              \
      "HTTP status of a result. With 204 nothing of the result is told.")                          \
    X(duration, timeout, NULL, "5m", "10ms", "24h", LIVE,                                          \
      "In place of timeouts.total and of `timeout` in `methods`.")                                 \
    X(types_form, types, NULL, "tagged", NULL, NULL, LIVE,                                         \
      "How XML-RPC types show in JSON. Without it: as the upstream's `types` says.")               \
    X(integers_form, integers, NULL, "safe", NULL, NULL, LIVE,                                     \
      "How integers show in JSON. Without it: as the upstream's `integers` says.")                 \
    X(text, summary, NULL, "One partner", NULL, NULL, LIVE, "A few words on it, for OpenAPI.")     \
    X(text, description, NULL, "Name and address of a partner.", NULL, NULL, LIVE,                 \
      "What there is to know of it, for OpenAPI.")                                                 \
    X(words, tags, NULL, "\"partners\"", NULL, NULL, LIVE,                                         \
      "Groups that it belongs to, for OpenAPI. Without it: the upstream's name.")

#define ROUTE_GROUPS(G)                                                                            \
    G(route_result, result, "What becomes of the call's result.")                                  \
    G(cache, cache, CACHE_GROUP_HELP " For `safe` calls alone.")

/* routes = ( { result = { … } }, … ) */
#define ROUTE_RESULT_OPTIONS(X)                                                                    \
    X(pointer, at, NULL, "/0", NULL, NULL, LIVE,                                                   \
      "Which part of the result the caller gets. Without it: the whole.")                          \
    X(count, empty, NULL, "404", "400", "599", LIVE,                                               \
      "HTTP status of the problem that is the answer where that part is null, false, `[]` or "     \
      "`{}`, or is not there. Without it: what is not there is null.")                             \
    X(flag, wrap, "true", NULL, NULL, NULL, LIVE,                                                  \
      "Whether the answer is `{\"result\": …}`; else it is the value alone.")

/* routes = ( { params = ( …, { … } ) }, … ): what callers give, a list, a struct, or a constant. */
#define ROUTE_PARAM_OPTIONS(X) ROUTE_PARAM_ROWS(X, X##_W)
#define ROUTE_PARAM_ROWS(X, W)                                                                     \
    X(text, name, NULL, "id", NULL, NULL, LIVE,                                                    \
      "Makes it a param that callers give, under this name: in the path where that has `{name}`, " \
      "else in the query of GET and DELETE, and in the body of others, which is an object.")       \
    X(route_in, in, NULL, "query", NULL, NULL, LIVE, "Where it is given, where it is not so.")     \
    X(route_type, type, "string", NULL, NULL, NULL, LIVE,                                          \
      "What it is; with `[]` a list of that, which a query has as the name several times.")        \
    W(value, fallback, default, NULL, "10", NULL, NULL, LIVE, "What it is where it is not given.") \
    X(flag, optional, "false", NULL, NULL, NULL, LIVE,                                             \
      "It need not be given: at the end of a list that is then shorter, and a struct has no such " \
      "member.")                                                                                   \
    W(scalars, choices, enum, NULL, "\"person\", \"company\"", NULL, NULL, LIVE,                   \
      "It is one of these.")                                                                       \
    X(number, min, NULL, "1", NULL, NULL, LIVE, "It is at least this.")                            \
    X(number, max, NULL, "100", NULL, NULL, LIVE, "It is at most this.")                           \
    X(count, max_length, NULL, "80", "1", "1000000000", LIVE, "Most characters of a string.")      \
    X(match, match, NULL, "\"res.*\"", NULL, NULL, LIVE, "A string that this glob matches.")       \
    X(text, description, NULL, "Number of the partner.", NULL, NULL, LIVE,                         \
      "What there is to know of it, for OpenAPI.")                                                 \
    X(value, example, NULL, "7", NULL, NULL, LIVE, "An example, for OpenAPI.")                     \
    X(text, member, NULL, "company_type", NULL, NULL, LIVE,                                        \
      "Within a `struct`: the member that it is, where that is not `name`.")                       \
    X(shapes, list, NULL, "\"active\", \"=\", { name = \"active\"; type = \"boolean\"; }", NULL,   \
      NULL, LIVE, "Makes it a list of what stands there, as in `params`.")                         \
    W(shapes, members, struct, NULL, "{ name = \"city\"; }", NULL, NULL, LIVE,                     \
      "Makes it a struct of what stands there, all of it groups with a `name` or a `member`.")     \
    W(json_text, constant, json, NULL, "null", NULL, NULL, LIVE,                                   \
      "Makes it a constant: any JSON, as a string.")                                               \
    X(value, value, NULL, "10", NULL, NULL, LIVE,                                                  \
      "Makes it a constant, written as settings are, as the member of a `struct`.")

/* X(WORD, "word", "what one is", "what several are") */
#define ROUTE_TYPE_LIST(X)                                                                         \
    X(STRING, "string", "a string", "strings")                                                     \
    X(INT, "int", "an int", "ints")                                                                \
    X(I8, "i8", "an integer of 64 bits", "integers of 64 bits")                                    \
    X(DOUBLE, "double", "a number", "numbers")                                                     \
    X(BOOLEAN, "boolean", "true or false", "flags, each true or false")                            \
    X(DATE, "date", "a date such as 2024-02-29T12:00:00", "dates such as 2024-02-29T12:00:00")     \
    X(BASE64, "base64", "base64", "texts of base64")                                               \
    X(ANY, "any", "a JSON value", "JSON values")

#define ROUTE_METHOD_LIST(X) X(GET, get) X(POST, post) X(PUT, put) X(PATCH, patch) X(DELETE, delete)

#define ROUTE_IN_LIST(X) X(PATH, "path") X(QUERY, "query") X(BODY, "body")

#endif
