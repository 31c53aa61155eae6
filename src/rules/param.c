/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/param.h"

#include "codec/json/text.h"

#include <stdint.h>

static bool is_list(const struct params *p)
{
    return p->json.len > 0 && p->json.data[0] == '[';
}

static void rewind_params(struct params *p)
{
    p->n_read = 0;
    if (is_list(p))
        p->cursor = json_enter(p->json);
}

void params_init(struct params *p, struct str json)
{
    *p = (struct params){ .json = json.len > 0 ? json_trim(json) : json, .current = SIZE_MAX };
    buf_init(&p->text, PARAM_TEXT_MAX, NULL);
    rewind_params(p);
}

void params_done(struct params *p)
{
    buf_done(&p->text);
}

static bool next_param(struct params *p, struct str *value)
{
    if (is_list(p))
        return json_next(&p->cursor, NULL, value);
    *value = p->json;
    return p->json.len > 0 && p->n_read == 0;
}

static bool find_param(struct params *p, size_t at, struct str *value)
{
    if (at < p->n_read && at < PARAMS_KEPT) {
        *value = p->kept[at];
        return true;
    }
    if (at < p->n_read)
        rewind_params(p);
    while (p->n_read <= at) {
        if (!next_param(p, value))
            return false;
        if (p->n_read < PARAMS_KEPT)
            p->kept[p->n_read] = *value;
        p->n_read++;
    }
    return true;
}

static bool is_xml(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20 && !xml_is_char(c))
            return false;
        /* U+FFFE and U+FFFF; the text is UTF-8. */
        if (c == 0xEF && text.data[i + 1] == '\xBF' && (unsigned char)text.data[i + 2] >= 0xBE)
            return false;
    }
    return true;
}

static enum param_form read_string(struct params *p, struct str quoted)
{
    buf_clear(&p->text);
    if (quoted.len - 2 > PARAM_TEXT_MAX)
        return PARAM_ALTERED;
    json_unquote(quoted, &p->text);
    return is_xml(buf_str(&p->text)) ? PARAM_TEXT : PARAM_ALTERED;
}

/* `{"$string": "…"}`: takes the string out of it. */
static bool take_tagged(struct params *p, struct str *value)
{
    struct json_cursor members = json_enter(*value);
    struct str name, text, more;
    if (!json_next(&members, &name, &text) || json_next(&members, NULL, &more))
        return false;
    buf_clear(&p->text);
    json_unquote(name, &p->text);
    *value = text;
    return str_eq(buf_str(&p->text), STR("$string"));
}

static enum param_form read_value(struct params *p, struct str value)
{
    if (value.data[0] == '{' && !take_tagged(p, &value))
        return PARAM_OTHER;
    return value.data[0] == '"' ? read_string(p, value) : PARAM_OTHER;
}

enum param_form params_read(struct params *p, size_t at, struct str *text)
{
    struct str value;
    if (at != p->current)
        p->form = find_param(p, at, &value) ? read_value(p, value) : PARAM_NONE;
    p->current = at;
    *text = buf_str(&p->text);
    return p->form;
}
