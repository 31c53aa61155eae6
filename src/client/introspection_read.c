/* SPDX-License-Identifier: Apache-2.0 */
#include "client/introspection_read.h"

#include "codec/json/cursor.h"

static const struct str nothing = { NULL, 0 };

static bool begins_with(struct str json, char byte)
{
    return json.len > 0 && json.data[0] == byte;
}

bool introspection_read_methods(struct str json, struct chain *to)
{
    struct str name;
    bool first = true;
    if (!begins_with(json, '['))
        return false;
    struct json_cursor names = json_enter(json);
    chain_append_byte(to, '[');
    while (json_next(&names, NULL, &name)) {
        if (!begins_with(name, '"'))
            continue;
        if (!first)
            chain_append_byte(to, ',');
        chain_append(to, name);
        first = false;
    }
    chain_append_byte(to, ']');
    return true;
}

/* The element of an array that has just that one; NULL data: there are others, or it is none. */
static struct str only_element(struct str json)
{
    struct str element, other;
    if (!begins_with(json, '['))
        return nothing;
    struct json_cursor elements = json_enter(json);
    if (!json_next(&elements, NULL, &element) || json_next(&elements, NULL, &other))
        return nothing;
    return element;
}

/* In the array of one that most servers put around a result? Help is a string, so that it shows;
 * where it is a fault, signatures are a list of lists of strings, in one list more or not. */
static bool is_wrapped(struct str signatures, struct str help)
{
    if (begins_with(help, '"'))
        return false;
    return begins_with(help, '[') || str_starts_with(signatures, STR("[[["));
}

static struct str unwrap(struct str json, bool is_in_array)
{
    if (begins_with(json, '{'))
        return nothing;
    return is_in_array ? only_element(json) : json;
}

bool introspection_split(struct str json, struct str *signatures, struct str *help)
{
    struct str other;
    if (!begins_with(json, '['))
        return false;
    struct json_cursor results = json_enter(json);
    if (!json_next(&results, NULL, signatures) || !json_next(&results, NULL, help) ||
        json_next(&results, NULL, &other))
        return false;
    bool wrapped = is_wrapped(*signatures, *help);
    *signatures = unwrap(*signatures, wrapped);
    *help = unwrap(*help, wrapped);
    return true;
}

static bool is_list_of_strings(struct str json)
{
    struct str element;
    if (!begins_with(json, '['))
        return false;
    struct json_cursor elements = json_enter(json);
    while (json_next(&elements, NULL, &element))
        if (!begins_with(element, '"'))
            return false;
    return true;
}

static bool are_signatures(struct str json)
{
    struct str signature;
    if (!begins_with(json, '['))
        return false;
    struct json_cursor signatures = json_enter(json);
    while (json_next(&signatures, NULL, &signature))
        if (!is_list_of_strings(signature))
            return false;
    return true;
}

void introspection_write_signatures(struct str json, struct chain *to)
{
    bool is_one = is_list_of_strings(json) && json.len > 2;
    chain_append(to, is_one ? STR("\"signatures\":[") : STR("\"signatures\":"));
    chain_append(to, is_one || are_signatures(json) ? json : STR("null"));
    if (is_one)
        chain_append_byte(to, ']');
}

void introspection_write_help(struct str json, struct chain *to)
{
    chain_append(to, STR(",\"help\":"));
    chain_append(to, begins_with(json, '"') ? json : STR("\"\""));
}
