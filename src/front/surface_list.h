/* SPDX-License-Identifier: Apache-2.0 */
/* What is served, once: X(task, pattern, methods, serve, who, body, form, help).
 *
 *   task
 *       what a request does there: task_NAME of front/task.h
 *   pattern
 *       of the path; `{upstream}`, also before `.json`, `{method}` and `{mcp}` are a segment each,
 *       and `{route}` is any path of `routes`
 *   methods
 *       GET (with which goes HEAD), POST, PUT, PATCH, DELETE or OPTIONS
 *   serve
 *       API, HEALTH or METRICS: on which listeners it is
 *   who
 *       CALLER: whoever is known, or anonymous; VISITOR: asks for no caller, for it is where one
 *       gives one's token; ANYBODY: asks for no caller, and takes any Host, as load balancers ask
 *       for health by names and addresses that they alone know
 *   body
 *       BODY, or NO_BODY: what comes is thrown away
 *   form
 *       of body and reply: form_NAME of front/form.h; a page is for browsers alone
 *   help
 *       a sentence for docs/api.md
 *
 * The first row that takes path and method is it; rows of one path agree in `serve`, and but for a
 * page in `who`. */
#ifndef RPCGATE_FRONT_SURFACE_LIST_H
#define RPCGATE_FRONT_SURFACE_LIST_H

#define SURFACE_LIST(X)                                                                            \
    X(call, "/v1/{upstream}/{method}", POST, API, CALLER, BODY, rest, "makes one call")            \
    X(describe, "/v1/{upstream}/{method}", GET, API, CALLER, NO_BODY, rest,                        \
      "tells a method's signatures and help")                                                      \
    X(batch, "/v1/{upstream}", POST, API, CALLER, BODY, rest, "makes several calls")               \
    X(describe, "/v1/{upstream}", GET, API, CALLER, NO_BODY, rest, "lists an upstream's methods")  \
    X(batch, "/jsonrpc/{upstream}", POST, API, CALLER, BODY, jsonrpc,                              \
      "makes a call, or several, of JSON-RPC 2.0")                                                 \
    X(xmlrpc, "/xmlrpc/{upstream}", POST, API, CALLER, BODY, xmlrpc,                               \
      "makes a call, or several, of XML-RPC")                                                      \
    X(mcp, "/mcp/{mcp}", POST, API, CALLER, BODY, mcp,                                             \
      "lists and calls tools of MCP, see [mcp.md](mcp.md)")                                        \
    X(upstreams, "/v1", GET, API, CALLER, NO_BODY, rest, "lists the upstreams and their state")    \
    X(openapi, "/openapi.json", GET, API, CALLER, NO_BODY, rest,                                   \
      "describes all that the caller may use, in OpenAPI 3.1")                                     \
    X(openapi, "/openapi/{upstream}.json", GET, API, CALLER, NO_BODY, rest,                        \
      "describes what it may use of an upstream")                                                  \
    X(routes, "/-/routes.json", GET, API, CALLER, NO_BODY, rest,                                   \
      "describes the routes alone, and asks no upstream")                                          \
    X(explorer, "/", GET, API, VISITOR, NO_BODY, page,                                             \
      "shows a browser the [explorer](explorer.md)")                                               \
    X(root, "/", GET, API, CALLER, NO_BODY, rest, "names what there is besides")                   \
    X(livez, "/livez", GET, HEALTH, ANYBODY, NO_BODY, rest, "tells that the process serves")       \
    X(readyz, "/readyz", GET, HEALTH, ANYBODY, NO_BODY, rest,                                      \
      "tells whether calls should come here")                                                      \
    X(metrics, "/metrics", GET, METRICS, CALLER, NO_BODY, exposition,                              \
      "shows numbers for Prometheus")                                                              \
    X(route, "{route}", GET, API, CALLER, NO_BODY, rest,                                           \
      "makes the call of a route, see [routes.md](routes.md)")                                     \
    X(route, "{route}", DELETE, API, CALLER, NO_BODY, rest, "the same, of a route for DELETE")     \
    X(route, "{route}", POST, API, CALLER, BODY, rest, "the same, with params in the body")        \
    X(route, "{route}", PUT, API, CALLER, BODY, rest, "the same")                                  \
    X(route, "{route}", PATCH, API, CALLER, BODY, rest, "the same")                                \
    X(server, "*", OPTIONS, API, CALLER, NO_BODY, rest, "tells by `Allow` which methods there are")

#endif
