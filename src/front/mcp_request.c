/* SPDX-License-Identifier: Apache-2.0 */
#include "front/mcp.h"

#include "codec/json/cursor.h"
#include "codec/json/write.h"
#include "codec/value/base64.h"
#include "front/request.h"

#include <stdlib.h>

#define KEY_PREFIX "io.modelcontextprotocol/"

/* Longer names and header lines are none that we know. [bytes] */
#define NAME_MAX_BYTES ((size_t)1024)

/* The revisions that begin with `initialize`, the newest first. */
static const struct str legacy[] = { { "2025-11-25", 10 }, { "2025-06-18", 10 } };

/* ---- JSON ----------------------------------------------------------------------------------- */

bool mcp_unquote(struct str json, size_t max, struct buf *to)
{
    if (json.len < 2 || json.data[0] != '"')
        return false;
    buf_init(to, max, NULL);
    json_unquote(json, to);
    return true;
}

/* Names may be written with escapes. */
static bool is_named(struct str quoted, const char *name)
{
    CLEANUP(buf_done) struct buf text = { .data = NULL };
    struct str inside = str_slice(quoted, 1, quoted.len - 1);
    if (memchr(inside.data, '\\', inside.len) == NULL || inside.len > 6 * NAME_MAX_BYTES)
        return str_eq_c(inside, name);
    buf_init(&text, 8 * NAME_MAX_BYTES, NULL);
    json_unquote(quoted, &text);
    return str_eq_c((struct str){ buf_c(&text), text.len }, name);
}

bool mcp_is_object(struct str json)
{
    return json.len > 0 && json.data[0] == '{';
}

struct str mcp_member(struct str object, const char *wanted)
{
    struct str name, value;
    if (!mcp_is_object(object))
        return (struct str){ NULL, 0 };
    struct json_cursor members = json_enter(object);
    while (json_next(&members, &name, &value))
        if (is_named(name, wanted))
            return value;
    return (struct str){ NULL, 0 };
}

static void read_params(struct mcp *m)
{
    static const char *const names[] = { "name", "arguments", "_meta", "cursor" };
    struct str *const values[] = { &m->name, &m->arguments, &m->meta, &m->cursor };
    struct str name, value;
    if (!mcp_is_object(m->params))
        return;
    struct json_cursor members = json_enter(m->params);
    while (json_next(&members, &name, &value))
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            if (is_named(name, names[i]))
                *values[i] = value;
    m->version = mcp_member(m->meta, KEY_PREFIX "protocolVersion");
}

/* ---- Refusals ------------------------------------------------------------------------------- */

static bool refuse_params(struct request *r, const char *detail)
{
    error_set(&r->error, PROBLEM_INVALID_REQUEST, "%s", detail);
    mcp_refuse(r, r->mcp->is_modern ? 400 : 200, MCP_INVALID_PARAMS, (struct str){ NULL, 0 });
    return false;
}

/* 2026-07-28, "Streamable HTTP", Server Validation. */
static bool refuse_header(struct request *r, const char *name, const char *what)
{
    error_set(&r->error, PROBLEM_INVALID_REQUEST,
              "Header mismatch: the line %s %s: send it once, with what the body has.", name, what);
    mcp_refuse(r, 400, MCP_HEADER_MISMATCH, (struct str){ NULL, 0 });
    return false;
}

static bool refuse_version(struct request *r, struct str version)
{
    struct chain data;
    chain_init(&data, SIZE_MAX, NULL);
    chain_append(&data, STR("{\"supported\":[\"" MCP_MODERN "\"],\"requested\":"));
    json_write_string(&data, version);
    chain_append_byte(&data, '}');
    char *text = chain_dup(&data);
    chain_done(&data);
    error_set(&r->error, PROBLEM_INVALID_REQUEST,
              "Unsupported protocol version: use " MCP_MODERN ", or begin with `initialize` for "
              "2025-11-25 or 2025-06-18.");
    mcp_refuse(r, 400, MCP_UNSUPPORTED_VERSION, str_of(text));
    free(text);
    return false;
}

/* ---- Header lines --------------------------------------------------------------------------- */

/* What the line says, which may be base64 of it. */
static bool read_line(struct str line, struct buf *to)
{
    const struct str begin = STR("=?base64?"), end = STR("?=");
    bool is_base64 = line.len >= begin.len + end.len && str_starts_with(line, begin) &&
                     str_eq(str_slice(line, line.len - end.len, line.len), end);
    if (is_base64)
        return base64_read(str_slice(line, begin.len, line.len - end.len), to);
    buf_append(to, line);
    return buf_ok(to);
}

/* Is there one such line, and does it say that? */
static bool check_line(struct request *r, const char *name, struct str body, bool may_be_base64)
{
    const struct request_head *head = http_head(r->exchange);
    CLEANUP(buf_done) struct buf said;
    enum header_name which = head_name_of(str_of(name));
    size_t n = head_count(head, which);
    buf_init(&said, 4 * NAME_MAX_BYTES, NULL);
    if (n != 1)
        return refuse_header(r, name, n == 0 ? "is missing" : "is there several times");
    struct str line = str_trim(head_find(head, which)->value);
    if (may_be_base64 && !read_line(line, &said))
        return refuse_header(r, name, "is no base64");
    if (!str_eq(may_be_base64 ? (struct str){ buf_c(&said), said.len } : line, body))
        return refuse_header(r, name, "differs from the body");
    return true;
}

/* ---- Which revision ------------------------------------------------------------------------- */

struct str mcp_legacy(struct str version)
{
    for (size_t i = 0; i < ARRAY_LEN(legacy); i++)
        if (version.data == NULL || str_eq(version, legacy[i]))
            return legacy[i];
    return (struct str){ NULL, 0 };
}

/* Its `_meta` tells; or else the header line, for those that came before have no `_meta` with a
 * version. */
static bool is_modern(const struct request *r)
{
    const struct header *line = head_find(http_head(r->exchange), HEADER_MCP_VERSION);
    return r->mcp->version.data != NULL ||
           (line != NULL && mcp_legacy(str_trim(line->value)).data == NULL);
}

static bool check_tool_line(struct request *r)
{
    CLEANUP(buf_done) struct buf name = { .data = NULL };
    if (!str_eq(buf_str(&r->mcp->method), STR("tools/call")))
        return true;
    if (!mcp_unquote(r->mcp->name, NAME_MAX_BYTES, &name) || !buf_ok(&name))
        return refuse_params(r, "`params.name` must be the name of a tool: see tools/list.");
    return check_line(r, "Mcp-Name", (struct str){ buf_c(&name), name.len }, true);
}

static bool check_modern(struct request *r)
{
    struct mcp *m = r->mcp;
    CLEANUP(buf_done) struct buf version = { .data = NULL };
    if (!mcp_unquote(m->version, NAME_MAX_BYTES, &version) || !buf_ok(&version))
        return refuse_params(r,
                             "`params._meta` must have `" KEY_PREFIX "protocolVersion`, a string.");
    if (!mcp_is_object(mcp_member(m->meta, KEY_PREFIX "clientCapabilities")))
        return refuse_params(r, "`params._meta` must have `" KEY_PREFIX
                                "clientCapabilities`, an object.");
    struct str said = { buf_c(&version), version.len };
    if (!check_line(r, "MCP-Protocol-Version", said, false))
        return false;
    if (!str_eq(said, STR(MCP_MODERN)))
        return refuse_version(r, error_cut(said, 64).text);
    return check_line(r, "Mcp-Method", (struct str){ buf_c(&m->method), m->method.len }, false) &&
           check_tool_line(r);
}

bool mcp_read_request(struct request *r)
{
    struct mcp *m = r->mcp;
    read_params(m);
    m->is_modern = is_modern(r);
    if (m->params.data != NULL && !mcp_is_object(m->params))
        return refuse_params(r, "`params` must be an object.");
    return !m->is_modern || check_modern(r);
}
