/* SPDX-License-Identifier: Apache-2.0 */
#include "front/openapi_part.h"

#include "front/openapi_schema.h"
#include "settings/method_rule.h"

#include <stdio.h>

/* Do its answers have an ETag, and does a caller that has one get 304? So front/freshness.c. */
static bool is_kept(const struct route_config *route)
{
    struct method_rule rule = method_rule_of_route(route);
    return route->http_method == ROUTE_GET && route->status == 200 && rule.cache != NULL &&
           rule.cache->ttl > 0;
}

static void write_parameters(struct openapi *o, const struct route_config *route, bool kept)
{
    bool any = kept;
    put(o, kept ? ",\"parameters\":[" OPENAPI_IF_NONE_MATCH : "");
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

static void write_route_answer(struct openapi *o, const struct route_config *route, bool kept)
{
    char status[8];
    snprintf(status, sizeof status, "%d", (int)route->status);
    put(o, ",\"responses\":{\"");
    put(o, status);
    put(o, "\":{\"description\":\"The result.\"");
    put(o, kept ? "," OPENAPI_KEPT_HEADERS : "");
    if (route->status != 204)
        put(o, ",\"content\":{\"application/json\":{\"schema\":");
    if (route->status != 204 && route->result.wrap)
        put(o, "{\"type\":\"object\",\"required\":[\"result\"],\"properties\":{\"result\":{}}}}}");
    else if (route->status != 204)
        put(o, "{}}}");
    put(o, kept ? "}," OPENAPI_NOT_MODIFIED : "}");
    openapi_close_responses(o);
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
    bool safe = method_rule_of_route(route).safe, kept = is_kept(route);
    o->any_kept |= kept;
    put(o, methods[route->http_method]);
    put_text(o, str_of(route->name));
    put(o, ",\"summary\":");
    put_text(o, str_of(route->summary != NULL ? route->summary : route->name));
    put(o, ",\"description\":");
    put_text(o, route->description != NULL ? str_of(route->description)
                                           : STR("A route of the gateway's configuration."));
    write_route_tags(o, route);
    openapi_write_call(o, safe, route->upstream->name, str_of(route->method));
    write_parameters(o, route, kept);
    write_body(o, route);
    write_route_answer(o, route, kept);
}

/* The routes of a path, by their methods. */
static const struct route_node *routes_at(const struct openapi *o, size_t i)
{
    return route_table_find(o->config->route_table, str_of(o->config->routes[i].path));
}

/* All methods of a path stand together, where the first is that the caller may use. */
static bool is_first(const struct openapi *o, size_t i)
{
    const struct route_node *node = routes_at(o, i);
    if (!openapi_may_see(o, &o->config->routes[i]))
        return false;
    for (size_t k = 0; k < ROUTE_METHODS; k++)
        if (node->routes[k] > 0 && node->routes[k] - 1 < i &&
            openapi_may_see(o, &o->config->routes[node->routes[k] - 1]))
            return false;
    return true;
}

void openapi_write_route(struct openapi *o, size_t i)
{
    const struct config *config = o->config;
    bool any = false;
    if (!is_first(o, i))
        return;
    const struct route_node *node = routes_at(o, i);
    openapi_open_path(o);
    put_text(o, str_of(config->routes[i].path));
    put(o, ":{");
    for (size_t k = 0; k < ROUTE_METHODS; k++) {
        if (node->routes[k] == 0 || !openapi_may_see(o, &config->routes[node->routes[k] - 1]))
            continue;
        put(o, any ? "," : "");
        write_route(o, &config->routes[node->routes[k] - 1]);
        any = true;
    }
    put(o, "}");
}
