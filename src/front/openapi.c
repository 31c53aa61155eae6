/* SPDX-License-Identifier: Apache-2.0 */
#include "front/openapi.h"

#include "codec/json/cursor.h"
#include "codec/json/write.h"
#include "front/openapi_schema.h"
#include "rules/path.h"
#include "settings/method_rule.h"
#include "settings/route.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>

static void put(struct openapi *o, const char *json)
{
    chain_append_c(o->to, json);
}

static void put_text(struct openapi *o, struct str text)
{
    json_write_string(o->to, text);
}

/* ---- Head and foot -------------------------------------------------------------------------- */

/* What callers prove themselves by. */
static void find_schemes(const struct config *config, bool *ret_bearer, bool *ret_certificate,
                         bool *ret_none)
{
    *ret_bearer = *ret_certificate = false;
    *ret_none = config->anonymous.present;
    for (size_t i = 0; i < config->n_callers; i++) {
        const struct caller_config *c = &config->callers[i];
        *ret_bearer |= c->n_digests > 0;
        *ret_certificate |= c->cert != NULL;
        *ret_none |= c->user != NULL || c->group != NULL;
    }
}

static void write_security(struct openapi *o)
{
    bool bearer, certificate, none;
    find_schemes(o->config, &bearer, &certificate, &none);
    put(o, ",\"security\":[");
    put(o, bearer ? "{\"bearer\":[]}" : "");
    put(o, bearer && certificate ? "," : "");
    put(o, certificate ? "{\"certificate\":[]}" : "");
    put(o, (bearer || certificate) && none ? "," : "");
    put(o, none || (!bearer && !certificate) ? "{}" : "");
    put(o, "]");
}

static bool may_see(const struct openapi *o, const struct route_config *route,
                    const struct upstream_config *upstream)
{
    const struct access_call call = { .upstream = str_of(route->upstream->name),
                                      .method = str_of(route->method),
                                      .route = str_of(route->name) };
    return (upstream == NULL || upstream == route->upstream) &&
           (o->access == NULL || (access_may_see_route(o->access, &call) &&
                                  access_answer(o->access, &call) != ACCESS_NO));
}

/* An upstream of which the caller may use a method or a route. */
static bool may_see_any(const struct openapi *o, const struct upstream_config *upstream)
{
    bool may = o->access == NULL || access_may_see(o->access, str_of(upstream->name));
    for (size_t i = 0; i < o->config->n_routes && !may; i++)
        may = may_see(o, &o->config->routes[i], upstream);
    return may;
}

/* Was the tag told of an upstream, or of a route before that one? */
static bool is_told(const struct openapi *o, const struct upstream_config *upstream, size_t before,
                    const char *tag)
{
    const struct config *config = o->config;
    for (size_t i = 0; i < config->n_upstreams; i++)
        if (strcmp(config->upstreams[i].name, tag) == 0)
            return true;
    for (size_t i = 0; i < before; i++) {
        const struct route_config *route = &config->routes[i];
        for (size_t k = 0; k < route->tags.n && may_see(o, route, upstream); k++)
            if (strcmp(route->tags.items[k], tag) == 0)
                return true;
    }
    return false;
}

static void write_route_tag_names(struct openapi *o, const struct upstream_config *upstream,
                                  bool *any)
{
    for (size_t i = 0; i < o->config->n_routes; i++) {
        const struct route_config *route = &o->config->routes[i];
        for (size_t k = 0; k < route->tags.n && may_see(o, route, upstream); k++) {
            if (is_told(o, upstream, i, route->tags.items[k]))
                continue;
            put(o, *any ? ",{\"name\":" : "{\"name\":");
            put_text(o, str_of(route->tags.items[k]));
            put(o, "}");
            *any = true;
        }
    }
}

static void write_tags(struct openapi *o, const struct upstream_config *upstream)
{
    const struct config *config = o->config;
    bool any = false;
    put(o, ",\"tags\":[");
    for (size_t i = 0; i < config->n_upstreams; i++) {
        const struct upstream_config *u = &config->upstreams[i];
        if (upstream != NULL ? upstream != u : !may_see_any(o, u))
            continue;
        put(o, any ? ",{\"name\":" : "{\"name\":");
        put_text(o, str_of(config->upstreams[i].name));
        put(o, ",\"description\":\"An XML-RPC server behind the gateway.\"}");
        any = true;
    }
    write_route_tag_names(o, upstream, &any);
    put(o, "]");
}

void openapi_begin(struct openapi *o, const struct upstream_config *upstream)
{
    put(o, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":");
    put_text(o, upstream != NULL ? str_of(upstream->name) : STR("rpcgate"));
    put(o, ",\"version\":\"" PACKAGE_VERSION "\",\"description\":\"Calls of XML-RPC servers, made "
           "by rpcgate.\",\"license\":{\"name\":\"Apache-2.0\","
           "\"identifier\":\"Apache-2.0\"}},\"servers\":[{\"url\":\"/\"}]");
    write_security(o);
    write_tags(o, upstream);
    put(o, ",\"paths\":{");
}

void openapi_end(struct openapi *o)
{
    bool bearer, certificate, none;
    find_schemes(o->config, &bearer, &certificate, &none);
    put(o, "},\"components\":{");
    if (bearer || certificate) {
        put(o, "\"securitySchemes\":{");
        put(o, bearer ? "\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"}" : "");
        put(o, bearer && certificate ? "," : "");
        put(o, certificate ? "\"certificate\":{\"type\":\"mutualTLS\"}" : "");
        put(o, "}");
    }
    if (o->any) {
        put(o, bearer || certificate ? "," : "");
        openapi_schema_problem(o->to);
    }
    put(o, "}}");
}

/* ---- Operations ----------------------------------------------------------------------------- */

static void open_path(struct openapi *o)
{
    put(o, o->any ? "," : "");
    o->any = true;
}

static void write_problems(struct openapi *o)
{
    put(o, ",\"4XX\":{\"$ref\":\"#/components/responses/Problem\"},"
           "\"5XX\":{\"$ref\":\"#/components/responses/Problem\"}}}");
}

static void write_call(struct openapi *o, bool safe, const char *upstream, struct str method)
{
    CLEANUP(buf_done) struct buf call;
    buf_init(&call, SIZE_MAX - 1, NULL);
    buf_printf(&call, "%s/%.*s", upstream, STR_ARGS(method));
    put(o, ",\"x-rpcgate\":{\"safe\":");
    put(o, safe ? "true" : "false");
    put(o, ",\"call\":");
    put_text(o, buf_str(&call));
    put(o, "}");
}

/* ---- Routes --------------------------------------------------------------------------------- */

static void write_parameters(struct openapi *o, const struct route_config *route)
{
    bool any = false;
    for (size_t i = 0; i < route->n_inputs; i++) {
        const struct route_input *input = &route->inputs[i];
        if (input->in == ROUTE_IN_BODY)
            continue;
        put(o, any ? ",{\"name\":" : ",\"parameters\":[{\"name\":");
        put_text(o, input->name);
        put(o, input->in == ROUTE_IN_PATH ? ",\"in\":\"path\"" : ",\"in\":\"query\"");
        put(o, input->config->optional || input->fallback.data != NULL ? "" : ",\"required\":true");
        if (input->config->description != NULL) {
            put(o, ",\"description\":");
            put_text(o, str_of(input->config->description));
        }
        put(o, ",\"schema\":");
        openapi_schema_input(input, o->to);
        put(o, "}");
        any = true;
    }
    put(o, any ? "]" : "");
}

static void write_body(struct openapi *o, const struct route_config *route)
{
    bool any = false, any_required = false;
    for (size_t i = 0; i < route->n_inputs; i++) {
        const struct route_input *input = &route->inputs[i];
        if (input->in != ROUTE_IN_BODY)
            continue;
        put(o, any ? ","
                   : ",\"requestBody\":{\"content\":{\"application/json\":{\"schema\":{\"type\":"
                     "\"object\",\"additionalProperties\":false,\"properties\":{");
        put_text(o, input->name);
        put(o, ":");
        openapi_schema_input(input, o->to);
        any = true;
        any_required |= !input->config->optional && input->fallback.data == NULL;
    }
    if (!any)
        return;
    put(o, any_required ? "},\"required\":[" : "}");
    any = false;
    for (size_t i = 0; i < route->n_inputs && any_required; i++) {
        const struct route_input *input = &route->inputs[i];
        if (input->in != ROUTE_IN_BODY || input->config->optional || input->fallback.data != NULL)
            continue;
        put(o, any ? "," : "");
        put_text(o, input->name);
        any = true;
    }
    put(o, any_required ? "]}}},\"required\":true}" : "}}}}");
}

static void write_route_answer(struct openapi *o, const struct route_config *route)
{
    char status[8];
    snprintf(status, sizeof status, "%d", (int)route->status);
    put(o, ",\"responses\":{\"");
    put(o, status);
    put(o, "\":{\"description\":\"The result.\"");
    if (route->status != 204)
        put(o, ",\"content\":{\"application/json\":{\"schema\":");
    if (route->status != 204 && route->result.wrap)
        put(o, "{\"type\":\"object\",\"required\":[\"result\"],\"properties\":{\"result\":{}}}}}");
    else if (route->status != 204)
        put(o, "{}}}");
    put(o, "}");
    write_problems(o);
}

static void write_route_tags(struct openapi *o, const struct route_config *route)
{
    put(o, ",\"tags\":[");
    for (size_t i = 0; i < route->tags.n; i++) {
        put(o, i > 0 ? "," : "");
        put_text(o, str_of(route->tags.items[i]));
    }
    if (route->tags.n == 0)
        put_text(o, str_of(route->upstream->name));
    put(o, "]");
}

static void write_route(struct openapi *o, const struct route_config *route)
{
    static const char *const methods[] = {
#define X(word, name) [ROUTE_##word] = "\"" #name "\":{\"operationId\":",
        ROUTE_METHOD_LIST(X)
#undef X
    };
    bool safe = route->safe || method_rule_find(route->upstream, str_of(route->method)).safe;
    put(o, methods[route->http_method]);
    put_text(o, str_of(route->name));
    put(o, ",\"summary\":");
    put_text(o, str_of(route->summary != NULL ? route->summary : route->name));
    put(o, ",\"description\":");
    put_text(o, route->description != NULL ? str_of(route->description)
                                           : STR("A route of the gateway's configuration."));
    write_route_tags(o, route);
    write_call(o, safe, route->upstream->name, str_of(route->method));
    write_parameters(o, route);
    write_body(o, route);
    write_route_answer(o, route);
}

/* All methods of a path stand together, where its first route is. */
static void write_path(struct openapi *o, size_t first, const struct upstream_config *upstream)
{
    const struct config *config = o->config;
    bool any = false;
    open_path(o);
    put_text(o, str_of(config->routes[first].path));
    put(o, ":{");
    for (size_t i = first; i < config->n_routes; i++) {
        const struct route_config *route = &config->routes[i];
        if (!may_see(o, route, upstream) || strcmp(route->path, config->routes[first].path) != 0)
            continue;
        put(o, any ? "," : "");
        write_route(o, route);
        any = true;
    }
    put(o, "}");
}

void openapi_write_routes(struct openapi *o, const struct upstream_config *upstream)
{
    const struct config *config = o->config;
    for (size_t i = 0; i < config->n_routes; i++) {
        bool is_first = may_see(o, &config->routes[i], upstream);
        for (size_t k = 0; k < i && is_first; k++)
            is_first = strcmp(config->routes[k].path, config->routes[i].path) != 0 ||
                       !may_see(o, &config->routes[k], upstream);
        if (is_first)
            write_path(o, i, upstream);
    }
}

/* ---- Methods -------------------------------------------------------------------------------- */

bool openapi_may_call(const struct openapi *o, const struct upstream_config *upstream,
                      struct str method)
{
    struct error ignored;
    return !str_eq(method, STR("system.multicall")) && path_check_method_name(method, &ignored) &&
           (o->access == NULL ||
            access_may_call(o->access, str_of(upstream->name), method) != ACCESS_NO);
}

/* RFC 3986 section 2.3, and what stands in names of methods: in a path with `%`, in an id with
 * `_`, which any reader takes. */
static void append_name(struct str method, char escape, struct buf *to)
{
    for (size_t i = 0; i < method.len; i++) {
        unsigned char c = (unsigned char)method.data[i];
        if (c < 0x80 && (isalnum(c) || strchr("._~-", c) != NULL))
            buf_append_byte(to, (char)c);
        else
            buf_printf(to, "%c%02X", escape, c);
    }
}

/* A fence of backticks that is longer than any in the text. */
static void append_block(struct str text, struct buf *to)
{
    size_t longest = 2, run = 0;
    for (size_t i = 0; i < text.len; i++) {
        run = text.data[i] == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    for (size_t i = 0; i <= longest; i++)
        buf_append_byte(to, '`');
    buf_append_c(to, "text\n");
    buf_append(to, text);
    buf_append_byte(to, '\n');
    for (size_t i = 0; i <= longest; i++)
        buf_append_byte(to, '`');
}

static void write_help(struct openapi *o, struct str help)
{
    CLEANUP(buf_done) struct buf text, block;
    buf_init(&text, SIZE_MAX - 1, NULL);
    buf_init(&block, SIZE_MAX - 1, NULL);
    if (help.len > 2 && help.data[0] == '"')
        json_unquote(help, &text);
    if (text.len > 0)
        append_block(buf_str(&text), &block);
    else
        buf_append_c(&block, "The server tells nothing of it.");
    put(o, ",\"description\":");
    put_text(o, buf_str(&block));
}

/* A member of what is known of a method; NULL data: there is none. */
static struct str member_of(struct str described, const char *name)
{
    struct json_cursor members = { .rest = described, .in_object = true, .first = true };
    struct str member, value;
    while (described.len > 0 && json_next(&members, &member, &value))
        if (str_eq_c(str_slice(member, 1, member.len - 1), name))
            return json_trim(value);
    return (struct str){ NULL, 0 };
}

static void write_operation(struct openapi *o, const struct upstream_config *upstream,
                            struct str method, struct str described)
{
    struct str signatures = member_of(described, "signatures");
    put(o, ",\"tags\":[");
    put_text(o, str_of(upstream->name));
    put(o, "]");
    write_help(o, member_of(described, "help"));
    write_call(o, method.len > 0 && method_rule_find(upstream, method).safe, upstream->name,
               method.len > 0 ? method : STR("*"));
    put(o, ",\"requestBody\":{\"content\":{\"application/json\":{\"schema\":");
    openapi_schema_params(signatures, o->to);
    put(o, "}}},\"responses\":{\"200\":{\"description\":\"The result.\",\"content\":{"
           "\"application/json\":{\"schema\":{\"type\":\"object\",\"required\":[\"result\"],"
           "\"properties\":{\"result\":");
    bool is_enveloped = method.len == 0 || method_envelope(upstream, method) != NULL;
    openapi_schema_result(is_enveloped ? (struct str){ NULL, 0 } : signatures, upstream, o->to);
    put(o, "}}}}}");
    write_problems(o);
}

void openapi_write_method(struct openapi *o, const struct upstream_config *upstream,
                          struct str method, struct str described)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX - 1, NULL);
    open_path(o);
    buf_printf(&text, "/v1/%s/", upstream->name);
    append_name(method, '%', &text);
    put_text(o, buf_str(&text));
    put(o, ":{\"post\":{\"operationId\":");
    buf_clear(&text);
    buf_printf(&text, "%s__", upstream->name);
    append_name(method, '_', &text);
    put_text(o, buf_str(&text));
    put(o, ",\"summary\":");
    put_text(o, method);
    write_operation(o, upstream, method, described);
    put(o, "}");
}

void openapi_write_any_method(struct openapi *o, const struct upstream_config *upstream)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX - 1, NULL);
    open_path(o);
    buf_printf(&text, "/v1/%s/{method}", upstream->name);
    put_text(o, buf_str(&text));
    put(o, ":{\"post\":{\"operationId\":");
    buf_clear(&text);
    buf_printf(&text, "%s__call", upstream->name);
    put_text(o, buf_str(&text));
    put(o, ",\"summary\":\"Any method\",\"parameters\":[{\"name\":\"method\",\"in\":\"path\","
           "\"required\":true,\"description\":\"The method's name.\",\"schema\":{\"type\":"
           "\"string\",\"minLength\":1,\"maxLength\":255}}]");
    write_operation(o, upstream, STR(""), (struct str){ NULL, 0 });
    put(o, "}");
}
