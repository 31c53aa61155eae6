/* SPDX-License-Identifier: Apache-2.0 */
#include "front/openapi_part.h"

#include "front/openapi_schema.h"

#include <stdint.h>

/* ---- Parts ---------------------------------------------------------------------------------- */

bool openapi_may_see(const struct openapi *o, const struct route_config *route)
{
    const struct access_call call = { .upstream = str_of(route->upstream->name),
                                      .method = str_of(route->method),
                                      .route = str_of(route->name) };
    return (o->only == NULL || o->only == route->upstream) &&
           (route->upstream->faces & FACE_JSON) != 0 &&
           (o->access == NULL || (access_may_see_route(o->access, &call) &&
                                  access_answer(o->access, &call) != ACCESS_NO));
}

void openapi_open_path(struct openapi *o)
{
    put(o, o->any ? "," : "");
    o->any = true;
}

void openapi_close_responses(struct openapi *o)
{
    put(o, ",\"4XX\":{\"$ref\":\"#/components/responses/Problem\"},"
           "\"5XX\":{\"$ref\":\"#/components/responses/Problem\"}}}");
}

void openapi_write_call(struct openapi *o, bool safe, const char *upstream, struct str method)
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

/* From among the responses on. */
static const char kept_components[] =
    ",\"NotModified\":{\"description\":\"The answer is the one with that ETag still, and not sent "
    "again.\"," OPENAPI_KEPT_HEADERS
    "}},\"headers\":{\"ETag\":{\"description\":\"Which answer this "
    "is, for the next request's If-None-Match. A very long one has none.\",\"schema\":{\"type\":"
    "\"string\"}},\"CacheControl\":{\"description\":\"For how long it may be used again.\","
    "\"schema\":{\"type\":\"string\"}}},\"parameters\":{\"IfNoneMatch\":{\"name\":"
    "\"If-None-Match\",\"in\":\"header\",\"description\":\"The ETag of an answer that is there "
    "already: where it is the same still, 304 comes instead of it.\",\"schema\":{\"type\":"
    "\"string\"}}}";

void openapi_begin(struct openapi *o)
{
    put(o, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":");
    put_text(o, o->only != NULL ? str_of(o->only->name) : STR("rpcgate"));
    put(o, ",\"version\":\"" PACKAGE_VERSION "\",\"description\":\"Calls of XML-RPC servers, made "
           "by rpcgate.\",\"license\":{\"name\":\"Apache-2.0\","
           "\"identifier\":\"Apache-2.0\"}},\"servers\":[{\"url\":\"/\"}]");
    write_security(o);
    put(o, ",\"paths\":{");
}

void openapi_end_paths(struct openapi *o)
{
    put(o, "},\"tags\":[");
}

void openapi_end(struct openapi *o)
{
    bool bearer, certificate, none;
    find_schemes(o->config, &bearer, &certificate, &none);
    put(o, "],\"components\":{");
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
        put(o, o->any_kept ? kept_components : "}");
    }
    put(o, "}}");
}

/* ---- Tags ----------------------------------------------------------------------------------- */

static void open_tag(struct openapi *o, const char *name)
{
    put(o, o->any_tag ? ",{\"name\":" : "{\"name\":");
    put_text(o, str_of(name));
    o->any_tag = true;
}

/* One of which the caller may use a method or a route. */
static bool may_see_any(const struct openapi *o, const struct upstream_config *upstream)
{
    if (o->only != NULL)
        return o->only == upstream;
    bool may = openapi_may_ask(o, upstream);
    for (size_t i = 0; i < o->config->n_routes && !may; i++)
        may =
            o->config->routes[i].upstream == upstream && openapi_may_see(o, &o->config->routes[i]);
    return may;
}

void openapi_write_upstream_tag(struct openapi *o, size_t i)
{
    const struct upstream_config *upstream = &o->config->upstreams[i];
    if (!may_see_any(o, upstream))
        return;
    open_tag(o, upstream->name);
    put(o, ",\"description\":\"An XML-RPC server behind the gateway.\"}");
}

/* Was the tag told of an upstream, or of a route before that one? */
static bool is_told(const struct openapi *o, size_t before, const char *tag)
{
    const struct config *config = o->config;
    for (size_t i = 0; i < config->n_upstreams; i++)
        if (strcmp(config->upstreams[i].name, tag) == 0)
            return true;
    for (size_t i = 0; i < before; i++)
        for (size_t k = 0; k < config->routes[i].tags.n; k++)
            if (strcmp(config->routes[i].tags.items[k], tag) == 0 &&
                openapi_may_see(o, &config->routes[i]))
                return true;
    return false;
}

void openapi_write_route_tags(struct openapi *o, size_t i)
{
    const struct route_config *route = &o->config->routes[i];
    if (route->tags.n == 0 || !openapi_may_see(o, route))
        return;
    for (size_t k = 0; k < route->tags.n; k++) {
        if (is_told(o, i, route->tags.items[k]))
            continue;
        open_tag(o, route->tags.items[k]);
        put(o, "}");
    }
}
