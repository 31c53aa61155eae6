/* SPDX-License-Identifier: Apache-2.0 */
#include "front/openapi_schema.h"

#include "codec/json/cursor.h"
#include "codec/json/write.h"

#include <stdint.h>
#include <stdio.h>

/* ---- Routes --------------------------------------------------------------------------------- */

static void add_bound(struct chain *to, const char *name, const char *bound)
{
    if (bound == NULL)
        return;
    chain_append_c(to, name);
    chain_append_c(to, bound);
}

/* `"a":VALUE`, of JSON from the configuration. */
static void add_json(struct chain *to, const char *name, const char *json)
{
    add_bound(to, name, json);
}

static void write_type(const struct route_input *input, struct chain *to)
{
    bool in_body = input->in == ROUTE_IN_BODY;
    switch (input->type) {
    case ROUTE_TYPE_STRING:
        chain_append_c(to, "\"type\":\"string\"");
        break;
    case ROUTE_TYPE_INT:
        chain_append_c(to, "\"type\":\"integer\",\"format\":\"int32\"");
        break;
    case ROUTE_TYPE_I8: /* digits in a string survive every reader */
        chain_append_c(to, in_body ? "\"type\":[\"integer\",\"string\"],\"format\":\"int64\","
                                     "\"pattern\":\"^-?[0-9]+$\""
                                   : "\"type\":\"integer\",\"format\":\"int64\"");
        break;
    case ROUTE_TYPE_DOUBLE:
        chain_append_c(to, "\"type\":\"number\",\"format\":\"double\"");
        break;
    case ROUTE_TYPE_BOOLEAN:
        chain_append_c(to, "\"type\":\"boolean\"");
        break;
    case ROUTE_TYPE_DATE:
        chain_append_c(to, in_body ? "\"type\":[\"string\",\"number\"]" : "\"type\":\"string\"");
        break;
    case ROUTE_TYPE_BASE64:
        chain_append_c(to, "\"type\":\"string\",\"contentEncoding\":\"base64\"");
        break;
    case ROUTE_TYPE_ANY:
    default:
        chain_append_c(to, "\"title\":\"Any JSON\"");
        break;
    }
}

static void write_rules(const struct route_input *input, struct chain *to)
{
    const struct route_param_config *p = input->config;
    char length[40];
    add_bound(to, ",\"minimum\":", p->min);
    add_bound(to, ",\"maximum\":", p->max);
    snprintf(length, sizeof length, ",\"maxLength\":%lld", (long long)p->max_length);
    chain_append_c(to, p->max_length > 0 ? length : "");
    for (size_t i = 0; i < p->choices.n; i++) {
        chain_append_c(to, i == 0 ? ",\"enum\":[" : ",");
        chain_append_c(to, p->choices.items[i]);
    }
    chain_append_c(to, p->choices.n > 0 ? "]" : "");
}

void openapi_schema_input(const struct route_input *input, struct chain *to)
{
    const struct route_param_config *p = input->config;
    chain_append_c(to, input->is_several ? "{\"type\":\"array\",\"items\":{" : "{");
    write_type(input, to);
    write_rules(input, to);
    chain_append_c(to, input->is_several ? "}" : "");
    if (p->description != NULL) {
        chain_append_c(to, ",\"description\":");
        json_write_string(to, str_of(p->description));
    }
    if (!p->origins[ROUTE_PARAM_default].hidden)
        add_json(to, ",\"default\":", p->fallback);
    if (p->example != NULL) {
        add_json(to, ",\"examples\":[", p->example);
        chain_append_c(to, "]");
    }
    chain_append_c(to, "}");
}

/* Methods with more have none that have a number. */
#define ARGUMENTS_MAX 64

/* ---- Methods -------------------------------------------------------------------------------- */

struct type_schema {
    const char *type;            /* as servers write it */
    const char *param;           /* as callers send it */
    const char *result, *tagged; /* as they get it, by `types` */
};

#define TAGGED(tag, of)                                                                            \
    "{\"type\":\"object\",\"required\":[\"" tag "\"],\"properties\":{\"" tag "\":" of              \
    "},\"additionalProperties\":false}"
#define DATE_PARAM TAGGED("$dateTime", "{\"type\":[\"string\",\"number\"]}")
#define BASE64_PARAM TAGGED("$base64", "{\"type\":\"string\"}")
#define BASE64_TEXT "{\"type\":\"string\",\"contentEncoding\":\"base64\"}"

static const struct type_schema types[] = {
    { "int", "{\"type\":\"integer\"}", "{\"type\":[\"integer\",\"string\"]}", NULL },
    { "i4", "{\"type\":\"integer\"}", "{\"type\":[\"integer\",\"string\"]}", NULL },
    { "boolean", "{\"type\":\"boolean\"}", "{\"type\":\"boolean\"}", NULL },
    { "string", "{\"type\":\"string\"}", "{\"type\":\"string\"}", NULL },
    { "double", "{\"type\":\"number\"}", "{\"type\":[\"number\",\"string\"]}", "{}" },
    { "dateTime.iso8601", DATE_PARAM, "{\"type\":\"string\"}", "{\"type\":\"object\"}" },
    { "base64", BASE64_PARAM, BASE64_TEXT, "{\"type\":\"object\"}" },
    { "array", "{\"type\":\"array\",\"items\":{}}", "{\"type\":\"array\",\"items\":{}}", NULL },
    { "struct", "{\"type\":\"object\"}", "{\"type\":\"object\"}", NULL },
};

/* NULL: the name says nothing that can be relied on. */
static const struct type_schema *find_type(struct str quoted)
{
    for (size_t i = 0; i < ARRAY_LEN(types) && quoted.len > 2; i++)
        if (str_eq_c(str_slice(quoted, 1, quoted.len - 1), types[i].type))
            return &types[i];
    return NULL;
}

static bool is_list(struct str json)
{
    return json.len > 0 && json.data[0] == '[';
}

static size_t count(struct str list)
{
    struct json_cursor items = json_enter(list);
    struct str item;
    size_t n = 0;
    while (json_next(&items, NULL, &item))
        n++;
    return n;
}

static void write_title(struct str signature, struct chain *to)
{
    struct json_cursor items = json_enter(signature);
    struct str item;
    CLEANUP(buf_done) struct buf title;
    buf_init(&title, SIZE_MAX - 1, NULL);
    buf_append_byte(&title, '(');
    for (size_t i = 0; json_next(&items, NULL, &item); i++) {
        if (i == 0 || item.len < 2)
            continue;
        buf_append_c(&title, i > 1 ? ", " : "");
        json_unquote(item, &title);
    }
    buf_append_byte(&title, ')');
    json_write_string(to, buf_str(&title));
}

/* Always with `items`, without which generators end (openapi-generator issue 19704). */
static void write_signature(struct str signature, struct chain *to)
{
    struct json_cursor items = json_enter(signature);
    struct str item;
    char bounds[64];
    size_t n = count(signature);
    n -= n > 0;
    chain_append_c(to, "{\"title\":");
    write_title(signature, to);
    chain_append_c(to, ",\"type\":\"array\",\"items\":{}");
    for (size_t i = 0; json_next(&items, NULL, &item); i++) {
        const struct type_schema *type = find_type(item);
        if (i == 0)
            continue;
        chain_append_c(to, i == 1 ? ",\"prefixItems\":[" : ",");
        chain_append_c(to, type != NULL ? type->param : "{}");
    }
    chain_append_c(to, n > 0 ? "]" : "");
    snprintf(bounds, sizeof bounds, ",\"minItems\":%zu,\"maxItems\":%zu}", n, n);
    chain_append_c(to, bounds);
}

void openapi_schema_params(struct str signatures, struct chain *to)
{
    struct str signature;
    if (!is_list(signatures) || count(signatures) == 0) {
        chain_append_c(to, "{\"type\":\"array\",\"items\":{}}");
        return;
    }
    bool several = count(signatures) > 1;
    struct json_cursor items = json_enter(signatures);
    chain_append_c(to, several ? "{\"anyOf\":[" : "");
    for (size_t i = 0; json_next(&items, NULL, &signature); i++) {
        chain_append_c(to, i > 0 ? "," : "");
        if (is_list(signature))
            write_signature(signature, to);
        else
            chain_append_c(to, "{}");
    }
    chain_append_c(to, several ? "]}" : "");
}

struct str openapi_member_of(struct str described, const char *name)
{
    struct json_cursor members = { .rest = described, .in_object = true, .first = true };
    struct str member, value;
    while (described.len > 0 && json_next(&members, &member, &value))
        if (str_eq_c(str_slice(member, 1, member.len - 1), name))
            return json_trim(value);
    return (struct str){ NULL, 0 };
}

/* The type that all signatures which are so long have there; NULL: there is none. */
static const struct type_schema *common_param(struct str signatures, size_t number)
{
    const struct type_schema *common = NULL;
    struct json_cursor all = json_enter(signatures);
    struct str signature, item = { NULL, 0 };
    while (json_next(&all, NULL, &signature)) {
        struct json_cursor items = json_enter(signature);
        size_t i = 0;
        while (i <= number && json_next(&items, NULL, &item))
            i++;
        if (i <= number)
            continue;
        const struct type_schema *type = find_type(item);
        if (type == NULL || (common != NULL && type != common))
            return NULL;
        common = type;
    }
    return common;
}

/* The fewest and the most params that a method has; false: they are not known. */
static bool count_params(struct str signatures, size_t *ret_least, size_t *ret_most)
{
    struct str signature;
    *ret_least = SIZE_MAX;
    *ret_most = 0;
    if (!is_list(signatures))
        return false;
    struct json_cursor all = json_enter(signatures);
    while (json_next(&all, NULL, &signature)) {
        size_t n = is_list(signature) ? count(signature) : 0;
        if (n == 0 || n > ARGUMENTS_MAX)
            return false;
        *ret_least = n - 1 < *ret_least ? n - 1 : *ret_least;
        *ret_most = n - 1 > *ret_most ? n - 1 : *ret_most;
    }
    return *ret_least != SIZE_MAX;
}

void openapi_schema_arguments(struct str signatures, struct chain *to)
{
    size_t least, most;
    char text[32];
    if (!count_params(signatures, &least, &most)) {
        chain_append_c(to, "{\"type\":\"object\",\"properties\":{\"params\":{\"type\":\"array\","
                           "\"items\":{},\"description\":\"The method's params, in order.\"}},"
                           "\"additionalProperties\":false}");
        return;
    }
    chain_append_c(to, "{\"type\":\"object\",\"properties\":{");
    for (size_t i = 1; i <= most; i++) {
        const struct type_schema *type = common_param(signatures, i);
        snprintf(text, sizeof text, "%s\"a%zu\":", i > 1 ? "," : "", i);
        chain_append_c(to, text);
        chain_append_c(to, type != NULL ? type->param : "{}");
    }
    chain_append_c(to, least > 0 ? "},\"required\":[" : "}");
    for (size_t i = 1; i <= least; i++) {
        snprintf(text, sizeof text, "%s\"a%zu\"", i > 1 ? "," : "", i);
        chain_append_c(to, text);
    }
    chain_append_c(to, least > 0 ? "],\"additionalProperties\":false}"
                                 : ",\"additionalProperties\":false}");
}

/* The one type that all signatures begin with; NULL: there is none. */
static const struct type_schema *common_result(struct str signatures)
{
    const struct type_schema *common = NULL;
    struct str signature, first;
    if (!is_list(signatures))
        return NULL;
    struct json_cursor items = json_enter(signatures);
    for (size_t i = 0; json_next(&items, NULL, &signature); i++) {
        struct json_cursor names;
        if (!is_list(signature))
            return NULL;
        names = json_enter(signature);
        const struct type_schema *type = json_next(&names, NULL, &first) ? find_type(first) : NULL;
        if (type == NULL || (i > 0 && type != common))
            return NULL;
        common = type;
    }
    return common;
}

void openapi_schema_result(struct str signatures, const struct upstream_config *upstream,
                           struct chain *to)
{
    const struct type_schema *type = common_result(signatures);
    bool is_tagged = upstream->types == TYPES_TAGGED;
    if (type == NULL)
        chain_append_c(to, "{}");
    else
        chain_append_c(to, is_tagged && type->tagged != NULL ? type->tagged : type->result);
}

void openapi_schema_problem(struct chain *to)
{
    chain_append_c(
        to,
        "\"schemas\":{\"Problem\":{\"type\":\"object\",\"description\":\"What went wrong, as RFC "
        "9457 has it.\",\"required\":[\"type\",\"title\",\"status\",\"detail\",\"executed\"],"
        "\"properties\":{\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},"
        "\"status\":{\"type\":\"integer\"},\"detail\":{\"type\":\"string\"},\"request_id\":{"
        "\"type\":\"string\"},\"upstream\":{\"type\":\"string\"},\"method\":{\"type\":\"string\"},"
        "\"route\":{\"type\":\"string\"},\"pointer\":{\"type\":\"string\"},\"setting\":{\"type\":"
        "\"string\"},\"executed\":{\"enum\":[\"no\",\"yes\",\"unknown\"]},\"errors\":{\"type\":"
        "\"array\",\"items\":{\"type\":\"object\",\"required\":[\"in\",\"detail\"],\"properties\":{"
        "\"in\":{\"enum\":[\"path\",\"query\",\"body\"]},\"name\":{\"type\":\"string\"},"
        "\"pointer\":{\"type\":\"string\"},\"detail\":{\"type\":\"string\"}}}},\"fault\":{\"type\":"
        "\"object\",\"required\":[\"code\",\"string\"],\"properties\":{\"code\":{\"type\":"
        "\"integer\"},\"code_text\":{\"type\":\"string\"},\"string\":{\"type\":[\"string\","
        "\"null\"]},\"truncated\":{\"type\":\"boolean\"}}},\"protocol\":{\"type\":\"object\"}}}},"
        "\"responses\":{\"Problem\":{\"description\":\"A problem.\",\"content\":{"
        "\"application/problem+json\":{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}");
}
