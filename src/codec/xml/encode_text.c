/* SPDX-License-Identifier: Apache-2.0 */
/* JSON strings to XML text. */
#include "codec/xml/encode_inside.h"

#include "codec/json/text.h"
#include "codec/value/text_repair.h"

/* Bit 0x80 of each byte that ends a run of plain characters: `"`, `&`, `<`, `>`, `\`, and the
 * first byte of U+FFFE and U+FFFF. Two pairs of them differ in one bit. */
static uint64_t special_bytes(uint64_t x)
{
    return eight_zeros((x | EACH_BYTE(0x04)) ^ EACH_BYTE('&')) |
           eight_zeros((x | EACH_BYTE(0x02)) ^ EACH_BYTE('>')) | eight_zeros(x ^ EACH_BYTE('\\')) |
           eight_zeros(x ^ EACH_BYTE(0xEF));
}

static bool is_special(char c)
{
    return c == '"' || c == '&' || c == '<' || c == '>' || c == '\\' || c == '\xEF';
}

static const char *skip_plain(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t special = special_bytes(eight_bytes(at));
        if (special != 0)
            break;
        at += 8;
    }
    while (at < end && !is_special(*at))
        at++;
    return at;
}

/* A character by itself: markup is escaped, and CR, which readers would take for a line's end. */
static void write_character(struct encoder *e, uint32_t c)
{
    char *to = chain_reserve(e->to, 8);
    size_t len;
    switch (c) {
    case '<':
        len = 4;
        memcpy(to, "&lt;", len);
        break;
    case '>': /* `]]>` must not stand in text (XML 1.0 section 2.4). */
        len = 4;
        memcpy(to, "&gt;", len);
        break;
    case '&':
        len = 5;
        memcpy(to, "&amp;", len);
        break;
    case '\r':
        len = 5;
        memcpy(to, "&#13;", len);
        break;
    default:
        len = utf8_write(c, to);
    }
    chain_commit(e->to, len);
}

static bool write_forbidden(struct encoder *e, uint32_t c, struct error *err)
{
    if (e->input.options->text == TEXT_REPLACE) {
        chain_append(e->to, STR(TEXT_REPLACEMENT));
        e->repaired++;
        return true;
    }
    return encode_refuse(e, err,
                         "XML cannot carry the character U+%04X; leave it out, send the bytes as "
                         "{\"$base64\": \"…\"}, or set the upstream's text to \"replace\" or "
                         "\"base64\".",
                         (unsigned)c);
}

/* Writes the special character at *at and moves behind it. */
static bool write_special(struct encoder *e, const char **at, struct error *err)
{
    uint32_t c = (unsigned char)**at;
    if (c == '\\') {
        c = json_read_escape(at);
    } else if (c == 0xEF) {
        c = (*at)[2] == '\xBE' ? 0xFFFE : 0xFFFF;
        *at += 3;
    } else {
        *at += 1;
    }
    if (!xml_is_char(c))
        return write_forbidden(e, c, err);
    write_character(e, c);
    return true;
}

/* Writes the inside of the string from e->at on. True with e->open where it goes on behind. */
static bool write_text(struct encoder *e, struct error *err)
{
    const char *run = e->at;
    const char *at = run;
    for (;;) {
        at = skip_plain(at, e->stop);
        if (at >= e->stop && at < e->end) {
            chain_append(e->to, (struct str){ run, (size_t)(at - run) });
            e->at = at;
            return true;
        }
        if (*at == '\xEF' && !utf8_is_noncharacter(at)) {
            at += 3;
            continue;
        }
        chain_append(e->to, (struct str){ run, (size_t)(at - run) });
        if (*at == '"')
            break;
        if (!write_special(e, &at, err))
            return false;
        run = at;
    }
    e->at = at + 1;
    e->open = OPEN_NONE;
    return true;
}

/* What stands before the text. */
static void begin_form(struct encoder *e)
{
    bool base64 = e->form == FORM_BASE64;
    if (e->open == OPEN_DATE)
        chain_append(e->to, STR("<value><dateTime.iso8601>"));
    if (e->open == OPEN_STRING)
        chain_append(e->to, base64 ? STR("<value><base64>") : STR("<value><string>"));
    if (base64)
        base64_begin(&e->base64, e->to, e->open == OPEN_NAME ? 0 : BASE64_LINE);
}

/* Writes what the step has room for, and behind the last of it the end tags. */
static bool go_on(struct encoder *e, struct error *err)
{
    enum encode_open open = e->open;
    if (e->form == FORM_BASE64)
        encode_as_base64(e);
    else if (!write_text(e, err))
        return false;
    if (e->open != OPEN_NONE)
        return true;
    if (open == OPEN_NAME)
        chain_append(e->to, STR("</name>"));
    else if (open == OPEN_DATE)
        chain_append(e->to, STR("</dateTime.iso8601></value>"));
    else
        chain_append(e->to,
                     e->form == FORM_BASE64 ? STR("</base64></value>") : STR("</string></value>"));
    return true;
}

bool encode_text_go_on(struct encoder *e, struct error *err)
{
    if (e->open == OPEN_BASE64)
        return encode_base64_go_on(e, err);
    if (e->form != FORM_UNKNOWN)
        return go_on(e, err);
    encode_look(e);
    if (e->form != FORM_UNKNOWN)
        begin_form(e); /* This step has no room for more. */
    return true;
}

bool encode_text(struct encoder *e, enum encode_open what, struct error *err)
{
    e->open = what;
    e->open_in_tag = false;
    e->begin = ++e->at;
    e->form = FORM_TEXT;
    if (e->scan.not_xml && e->input.options->text == TEXT_BASE64 && what != OPEN_DATE) {
        e->form = FORM_UNKNOWN;
        encode_look(e);
        if (e->form == FORM_UNKNOWN)
            return true;
    }
    begin_form(e);
    return go_on(e, err);
}

bool encode_plain_text(struct encoder *e, struct str text)
{
    if (utf8_valid_prefix(text) != text.len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x80 ? !xml_is_char(c) : utf8_is_noncharacter(text.data + i))
            return false;
        if (c < 0x80)
            write_character(e, c);
        else
            chain_append_byte(e->to, text.data[i]);
    }
    return true;
}
