/* SPDX-License-Identifier: Apache-2.0 */
/* `rpcgate explain --route NAME id=7 …`: what the route makes of that, by the gateway's own
 * reading. */
#include "tool/explain.h"

#include "codec/json/cursor.h"
#include "codec/json/scan.h"
#include "codec/options.h"
#include "rules/route_fill.h"
#include "tool/command.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* The request that would say so. */
struct said {
    const struct route_config *route;
    struct buf segments[ROUTE_SEGMENTS_MAX], query, body;
};

static const struct route_config *find_route(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->n_routes; i++)
        if (strcmp(config->routes[i].name, name) == 0)
            return &config->routes[i];
    return NULL;
}

/* RFC 3986 section 2.1. */
static void append_encoded(struct str text, struct buf *to)
{
    for (size_t i = 0; i < text.len; i++)
        buf_printf(to, "%%%02X", (unsigned char)text.data[i]);
}

static const struct route_input *find_input(const struct said *s, struct str name, size_t *ret)
{
    for (*ret = 0; *ret < s->route->n_inputs; ++*ret)
        if (str_eq(s->route->inputs[*ret].name, name))
            return &s->route->inputs[*ret];
    return NULL;
}

/* A text needs no quotes, unless it is one of several. */
static bool is_text(const struct route_input *input, struct str value)
{
    struct error err;
    bool has_quotes = input->type == ROUTE_TYPE_STRING || input->type == ROUTE_TYPE_DATE ||
                      input->type == ROUTE_TYPE_BASE64;
    bool is_written_out = value.len > 0 && (value.data[0] == '"' || value.data[0] == '{');
    return (has_quotes && !input->is_several && !is_written_out) ||
           !json_scan_all(value, CODEC_DEPTH_MAX, &err);
}

static void say_in_body(struct said *s, const struct route_input *input, struct str name,
                        struct str value)
{
    buf_append_byte(&s->body, s->body.len == 0 ? '{' : ',');
    json_quote(name, &s->body);
    buf_append_byte(&s->body, ':');
    if (input != NULL && !is_text(input, value))
        buf_append(&s->body, value);
    else
        json_quote(value, &s->body);
}

static void say(struct said *s, struct str name, struct str value)
{
    size_t i;
    const struct route_input *input = find_input(s, name, &i);
    bool has_body = s->route->http_method != ROUTE_GET && s->route->http_method != ROUTE_DELETE;
    if (input != NULL && input->in == ROUTE_IN_PATH) {
        append_encoded(value, &s->segments[i]);
    } else if (input != NULL ? input->in == ROUTE_IN_BODY : has_body) {
        say_in_body(s, input, name, value);
    } else {
        buf_append_c(&s->query, s->query.len > 0 ? "&" : "");
        append_encoded(name, &s->query);
        buf_append_byte(&s->query, '=');
        append_encoded(value, &s->query);
    }
}

static int read_words(struct said *s, char **words)
{
    for (; *words != NULL; words++) {
        struct str word = str_of(*words);
        size_t equals = str_find(word, '=');
        if (utf8_valid_prefix(word) < word.len || equals == word.len)
            return command_misuse("explain", "behind --route stand NAME=VALUE, in UTF-8");
        say(s, str_slice(word, 0, equals), str_slice(word, equals + 1, word.len));
    }
    buf_append_c(&s->body, s->body.len > 0 ? "}" : "");
    return EX_OK;
}

/* A name twice in the body is no valid JSON, and in the path one text. */
static int fill(const struct said *s, struct buf *params)
{
    struct str segments[ROUTE_SEGMENTS_MAX];
    struct route_filled filled;
    struct error err;
    for (size_t i = 0; i < ROUTE_SEGMENTS_MAX; i++)
        segments[i] = buf_str(&s->segments[i]);
    struct route_given given = { .segments = segments,
                                 .query = buf_str(&s->query),
                                 .body = buf_str(&s->body) };
    route_filled_init(&filled, NULL);
    bool ok = (given.body.len == 0 || json_scan_all(given.body, CODEC_DEPTH_MAX, &err)) &&
              route_fill(s->route, &given, &filled, &err);
    if (ok)
        buf_append(params, buf_str(&filled.params));
    else
        fprintf(stderr, "rpcgate: %s\n", err.detail);
    route_filled_done(&filled);
    return ok ? EX_OK : EX_DATAERR;
}

int explain_route(const struct config *config, char **words, const struct route_config **ret,
                  struct buf *params)
{
    struct said s = { .route = find_route(config, words[0]) };
    if (s.route == NULL)
        return command_misuse("explain", "the configuration has no route \"%s\"", words[0]);
    for (size_t i = 0; i < ROUTE_SEGMENTS_MAX; i++)
        buf_init(&s.segments[i], SIZE_MAX - 1, NULL);
    buf_init(&s.query, SIZE_MAX - 1, NULL);
    buf_init(&s.body, SIZE_MAX - 1, NULL);
    int status = read_words(&s, words + 1);
    if (status == EX_OK)
        status = fill(&s, params);
    for (size_t i = 0; i < ROUTE_SEGMENTS_MAX; i++)
        buf_done(&s.segments[i]);
    buf_done(&s.query);
    buf_done(&s.body);
    *ret = s.route;
    return status;
}
