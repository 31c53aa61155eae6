/* SPDX-License-Identifier: Apache-2.0 */
#include "front/mcp.h"

#include "codec/json/cursor.h"
#include "codec/json/write.h"
#include "front/openapi_schema.h"
#include "settings/route.h"

#include <stdint.h>
#include <stdio.h>

/* Of a server's text about a method. [bytes] */
#define HELP_MAX ((size_t)4 * 1024)

static bool is_required(const struct route_input *input)
{
    return !input->config->optional && input->fallback.data == NULL;
}

/* As they are given here: by name, whatever their place in a request by the route's path. */
static void write_inputs(const struct route_config *route, struct chain *to)
{
    bool any = false;
    chain_append_c(to, "{\"type\":\"object\",\"properties\":{");
    for (size_t i = 0; i < route->n_inputs; i++) {
        struct route_input input = route->inputs[i];
        input.in = ROUTE_IN_BODY;
        chain_append_c(to, i > 0 ? "," : "");
        json_write_string(to, input.name);
        chain_append_byte(to, ':');
        openapi_schema_input(&input, to);
    }
    chain_append_c(to, "}");
    for (size_t i = 0; i < route->n_inputs; i++) {
        if (!is_required(&route->inputs[i]))
            continue;
        chain_append_c(to, any ? "," : ",\"required\":[");
        json_write_string(to, route->inputs[i].name);
        any = true;
    }
    chain_append_c(to, any ? "]" : "");
    chain_append_c(to, ",\"additionalProperties\":false}");
}

/* ---- What it says of itself ----------------------------------------------------------------- */

static void write_title(const struct mcp_tool *tool, struct chain *to)
{
    if (tool->route != NULL) {
        json_write_string(
            to, str_of(tool->route->summary != NULL ? tool->route->summary : tool->route->name));
        return;
    }
    chain_append_byte(to, '"');
    json_write_text(to, str_of(tool->upstream->name));
    chain_append_byte(to, '/');
    json_write_text(to, tool->method);
    chain_append_byte(to, '"');
}

/* NULL: only what it calls is known. */
static const char *own_description(const struct mcp_tool *tool)
{
    if (tool->rule->description != NULL || tool->route == NULL)
        return tool->rule->description;
    return tool->route->description != NULL ? tool->route->description : tool->route->summary;
}

/* A model reads all of it, with that of all other tools. */
static void write_help(struct str inside, struct chain *to)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX - 1, NULL);
    json_unquote_start(inside, HELP_MAX, &text);
    json_write_string(to, buf_str(&text));
}

static void write_description(const struct mcp_tool *tool, struct str help, struct chain *to)
{
    const char *own = own_description(tool);
    if (own != NULL) {
        json_write_string(to, str_of(own));
    } else if (help.len > 2 && help.data[0] == '"') {
        write_help(str_slice(help, 1, help.len - 1), to);
    } else {
        chain_append_c(to, "\"Calls ");
        json_write_text(to, tool->method);
        chain_append_c(to, " of the XML-RPC server ");
        json_write_text(to, str_of(tool->upstream->name));
        chain_append_c(to, ".\"");
    }
}

static void write_hint(const char *name, bool is, struct chain *to)
{
    chain_append_c(to, name);
    chain_append_c(to, is ? "true" : "false");
}

void mcp_write_tool(const struct mcp_tool *tool, struct str described, struct chain *to)
{
    chain_append_c(to, "{\"name\":");
    json_write_string(to, str_of(tool->name));
    chain_append_c(to, ",\"title\":");
    write_title(tool, to);
    chain_append_c(to, ",\"description\":");
    write_description(tool, openapi_member_of(described, "help"), to);
    chain_append_c(to, ",\"inputSchema\":");
    if (tool->route != NULL)
        write_inputs(tool->route, to);
    else
        openapi_schema_arguments(openapi_member_of(described, "signatures"), to);
    write_hint(",\"annotations\":{\"readOnlyHint\":", tool->safe, to);
    write_hint(",\"destructiveHint\":", !tool->safe, to);
    write_hint(",\"idempotentHint\":", tool->safe || tool->rule->idempotent, to);
    chain_append_c(to, ",\"openWorldHint\":false}}");
}
