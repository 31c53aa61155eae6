/* SPDX-License-Identifier: Apache-2.0 */
/* JSON strings to XML text. */
#include "codec/xml/encode_inside.h"

#include "codec/json/text.h"
#include "codec/value/base64.h"
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

/* U+FFFE or U+FFFF */
static bool is_noncharacter(const char *at)
{
    return at[0] == '\xEF' && at[1] == '\xBF' && (unsigned char)at[2] >= 0xBE;
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
        if (*at == '\xEF' && !is_noncharacter(at)) {
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

bool encode_text_go_on(struct encoder *e, struct error *err)
{
    enum encode_open open = e->open;
    if (!write_text(e, err))
        return false;
    if (e->open != OPEN_NONE)
        return true;
    chain_append(e->to, open == OPEN_NAME ? STR("</name>") : STR("</string></value>"));
    return true;
}

bool encode_text(struct encoder *e, enum encode_open what, struct error *err)
{
    e->open = what;
    e->open_in_tag = false;
    e->at++;
    return encode_text_go_on(e, err);
}

bool encode_is_base64(const struct encoder *e)
{
    if (!e->scan.not_xml || e->input.options->text != TEXT_BASE64)
        return false;
    for (const char *at = e->at + 1; *at != '"';) {
        if (*at == '\\') {
            if (!xml_is_char(json_read_escape(&at)))
                return true;
        } else if (is_noncharacter(at)) {
            return true;
        } else {
            at++;
        }
    }
    return false;
}

void encode_text_as_base64(struct encoder *e, unsigned line_max)
{
    struct base64 b;
    base64_begin(&b, e->to, line_max);
    const char *at = e->at + 1;
    for (;;) {
        const char *run = json_run_end(at, e->end);
        base64_encode(&b, (struct str){ at, (size_t)(run - at) });
        if (*run == '"')
            break;
        char bytes[4];
        at = run;
        size_t len = utf8_write(json_read_escape(&at), bytes);
        base64_encode(&b, (struct str){ bytes, len });
        run = at;
    }
    base64_encode_end(&b);
    e->at = json_string_end(at, e->end) + 1;
    e->repaired++;
}

bool encode_plain_text(struct encoder *e, struct str text)
{
    if (utf8_valid_prefix(text) != text.len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x80 ? !xml_is_char(c) : is_noncharacter(text.data + i))
            return false;
        if (c < 0x80)
            write_character(e, c);
        else
            chain_append_byte(e->to, text.data[i]);
    }
    return true;
}
