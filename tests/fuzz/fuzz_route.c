/* SPDX-License-Identifier: Apache-2.0 */
/* Routes, and what requests give them. The lines of an input are the setting of the path, such as
 * `get = "/a/{b}"`, the `params`, and a request's path and query; what is behind is its body. */
#include "codec/json/scan.h"
#include "codec/json/text.h"
#include "config/config.h"
#include "rules/path.h"
#include "rules/route_fill.h"
#include "rules/route_find.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEPTH 64

static bool is_json(struct str text)
{
    struct error err;
    return json_scan_all(text, DEPTH + ROUTE_DEPTH_MAX + 2, &err);
}

static struct str take_line(struct str *input)
{
    size_t end = str_find(*input, '\n');
    struct str line = str_slice(*input, 0, end);
    *input = str_slice(*input, end < input->len ? end + 1 : end, input->len);
    return line;
}

static struct config *read(struct str path, struct str params)
{
    struct buf text;
    struct config_report report;
    config_report_init(&report);
    buf_init(&text, SIZE_MAX - 1, NULL);
    buf_append_c(&text, "upstreams = { u = { url = \"http://h\"; }; };\n"
                        "routes = ( { name = \"r\"; call = \"u/m\"; safe = true; params = ( ");
    buf_append(&text, params);
    buf_append_c(&text, " );\n");
    buf_append(&text, path);
    buf_append_c(&text, "; } );\n");
    struct config *config = config_read_text(
        "t.conf", buf_str(&text), &(struct config_read_options){ .sealed = true }, &report);
    assert(config != NULL || report.n_errors > 0);
    config_report_done(&report);
    buf_done(&text);
    return config;
}

static void fill(const struct route_config *route, const struct route_given *given)
{
    struct route_filled filled;
    struct error err;
    route_filled_init(&filled, NULL);
    if (route_fill(route, given, &filled, &err)) {
        assert(is_json(buf_str(&filled.params)) && filled.params.data[0] == '[');
        assert(filled.errors.len == 0);
        error_set(&err, PROBLEM_UNREPRESENTABLE, "Why.");
        error_at(&err, route->n_inputs > 0 ? route->inputs[0].pointer : STR("/0"));
        route_error_is_of(route, &err, NULL);
    } else {
        assert(err.type == PROBLEM_INVALID_REQUEST && err.detail[0] != '\0');
        assert(is_json(buf_str(&filled.errors)) && filled.errors.data[0] == '[');
    }
    route_filled_done(&filled);
}

static void ask(const struct config *config, struct str path, struct str query, struct str body)
{
    struct path segments;
    struct error err;
    if (!path_read(path, &segments, &err) || (body.len > 0 && !is_json(json_without_mark(body))))
        return;
    for (size_t i = 0; i < ROUTE_METHODS; i++) {
        struct route_match match;
        if (!route_find(config, path, (enum route_method)i, &match))
            continue;
        assert(match.route->http_method == (enum route_method)i);
        fill(match.route,
             &(struct route_given){ .segments = match.segments, .query = query, .body = body });
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = { (const char *)data, size };
    struct str setting = take_line(&input), params = take_line(&input);
    struct str path = take_line(&input), query = take_line(&input);
    struct config *config = read(setting, params);
    if (config == NULL)
        return 0;
    ask(config, path, query, input);
    config_unref(config);
    return 0;
}
