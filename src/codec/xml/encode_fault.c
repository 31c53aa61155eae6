/* SPDX-License-Identifier: Apache-2.0 */
/* {"code": 1, "string": "x"}: a fault, as {"fault": …} of decoding has it. A code that is text,
 * which some servers send, stays text. */
#include "codec/xml/encode_inside.h"

#include "codec/json/cursor.h"
#include "codec/json/text.h"

/* The member of that name; false where there is none. */
static bool find_member(struct encoder *e, struct str object, const char *wanted, struct str *ret)
{
    struct json_cursor c = json_enter(object);
    struct str name;
    while (json_next(&c, &name, ret)) {
        buf_clear(&e->scratch);
        json_unquote(name, &e->scratch);
        if (str_eq_c(buf_str(&e->scratch), wanted))
            return true;
    }
    return false;
}

static size_t count_members(struct str object)
{
    struct json_cursor c = json_enter(object);
    struct str value;
    size_t n = 0;
    while (n < 3 && json_next(&c, NULL, &value))
        n++;
    return n;
}

static bool write_member(struct encoder *e, const char *name, struct str value, struct error *err)
{
    chain_append(e->to, STR("<member><name>"));
    chain_append_c(e->to, name);
    chain_append(e->to, STR("</name>"));
    e->at = value.data;
    if (value.data[0] == '"' ? !encode_string(e, err) : !encode_number(e, err))
        return false;
    chain_append(e->to, STR("</member>"));
    return true;
}

static bool is_code(const struct encoder *e, struct str code)
{
    return code.data[0] == '"' ? e->input.options->as_decoded
                               : json_number_end(code.data, e->end) != code.data;
}

bool encode_fault(struct encoder *e, struct error *err)
{
    struct str object = json_trim(e->input.json);
    struct str code, string;
    e->end = object.data + object.len;
    e->stop = e->end;
    e->depth = 0;
    if (object.len == 0 || object.data[0] != '{' || !find_member(e, object, "code", &code) ||
        !find_member(e, object, "string", &string) || count_members(object) != 2 ||
        !is_code(e, code) || string.data[0] != '"')
        return encode_refuse(e, err, "Write a fault as {\"code\": 1, \"string\": \"text\"}.");
    for (size_t i = 0; i < code.len && code.data[0] != '"'; i++)
        if (code.data[i] == '.' || (code.data[i] | 0x20) == 'e')
            return encode_refuse(e, err, "A fault's code is an integer.");
    chain_append(e->to, STR("<value><struct>"));
    if (!write_member(e, "faultCode", code, err) || !write_member(e, "faultString", string, err))
        return false;
    chain_append(e->to, STR("</struct></value>"));
    return true;
}
