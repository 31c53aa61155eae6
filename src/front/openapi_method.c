/* SPDX-License-Identifier: Apache-2.0 */
#include "front/openapi_part.h"

#include "codec/json/cursor.h"
#include "front/openapi_schema.h"
#include "rules/path.h"
#include "settings/method_rule.h"

#include <ctype.h>
#include <stdint.h>

/* Of a help text so much stands in the document. [bytes] */
#define HELP_MAX ((size_t)16 * 1024)

/* What is made of a byte of a description at most, and of a method whatever is known of it. */
#define GROWTH ((size_t)6)
#define METHOD_BYTES ((size_t)2048)

bool openapi_may_ask(const struct openapi *o, const struct upstream_config *upstream)
{
    return !o->without_methods && (o->only == NULL || o->only == upstream) &&
           (upstream->faces & FACE_JSON) != 0 &&
           (o->access == NULL || access_may_see(o->access, str_of(upstream->name)));
}

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
        json_unquote_start(str_slice(help, 1, help.len - 1), HELP_MAX, &text);
    if (text.len > 0)
        append_block(buf_str(&text), &block);
    else
        buf_append_c(&block, "The server tells nothing of it.");
    put(o, ",\"description\":");
    put_text(o, buf_str(&block));
}

static void write_operation(struct openapi *o, const struct upstream_config *upstream,
                            struct str method, struct str described)
{
    struct str signatures = openapi_member_of(described, "signatures");
    put(o, ",\"tags\":[");
    put_text(o, str_of(upstream->name));
    put(o, "]");
    write_help(o, openapi_member_of(described, "help"));
    openapi_write_call(o, method.len > 0 && method_rule_find(upstream, method).safe, upstream->name,
                       method.len > 0 ? method : STR("*"));
    put(o, ",\"requestBody\":{\"content\":{\"application/json\":{\"schema\":");
    openapi_schema_params(signatures, o->to);
    put(o, "}}},\"responses\":{\"200\":{\"description\":\"The result.\",\"content\":{"
           "\"application/json\":{\"schema\":{\"type\":\"object\",\"required\":[\"result\"],"
           "\"properties\":{\"result\":");
    bool is_enveloped = method.len == 0 || method_envelope(upstream, method) != NULL;
    openapi_schema_result(is_enveloped ? (struct str){ NULL, 0 } : signatures, upstream, o->to);
    put(o, "}}}}}");
    openapi_close_responses(o);
}

size_t openapi_method_size(struct str method, struct str described)
{
    struct str help = openapi_member_of(described, "help");
    size_t cut = help.len > HELP_MAX ? help.len - HELP_MAX : 0;
    return METHOD_BYTES + GROWTH * (method.len + described.len - cut);
}

void openapi_write_method(struct openapi *o, const struct upstream_config *upstream,
                          struct str method, struct str described)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX - 1, NULL);
    openapi_open_path(o);
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
    openapi_open_path(o);
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
