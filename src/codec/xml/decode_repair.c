/* SPDX-License-Identifier: Apache-2.0 */
/* What XML cannot carry makes a document ill-formed, and is refused, unless the text policy wants
 * it repaired: then it is replaced before the parser sees it. For TEXT_BASE64, which must know the
 * bytes again at the string's end, each becomes a mark: U+10FFFF, no character of any text, and
 * two letters for the byte. */
#include "codec/json/cursor.h"
#include "codec/json/text.h"
#include "codec/value/base64.h"
#include "codec/value/text_repair.h"
#include "codec/xml/decode_private.h"
#include "codec/xml/html_names.h"

#define MARK "\xF4\x8F\xBF\xBF"
#define MARK_LEN ((size_t)4)
#define MARKED_LEN (MARK_LEN + 2)

/* What is collected for the parser. */
struct sink {
    size_t n;
    char bytes[4096];
};

static bool flush(struct decoder *d, struct sink *s)
{
    size_t n = s->n;
    s->n = 0;
    return n == 0 || xml_reader_feed(d, (struct str){ s->bytes, n });
}

static bool put(struct decoder *d, struct sink *s, struct str text)
{
    if (text.len > sizeof s->bytes - s->n && !flush(d, s))
        return false;
    if (text.len > sizeof s->bytes)
        return xml_reader_feed(d, text);
    memcpy(s->bytes + s->n, text.data, text.len);
    s->n += text.len;
    return true;
}

/* Puts what stands for forbidden bytes. */
static bool put_repair(struct decoder *d, struct sink *s, struct str bytes)
{
    if (d->options->text == TEXT_REPLACE) {
        d->repaired++;
        return put(d, s, STR("\xEF\xBF\xBD"));
    }
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];
        char mark[MARKED_LEN + 1] = MARK;
        mark[MARK_LEN] = (char)('A' + (byte >> 4));
        mark[MARK_LEN + 1] = (char)('A' + (byte & 15));
        if (!put(d, s, (struct str){ mark, MARKED_LEN }))
            return false;
    }
    return true;
}

/* Length of the character at the beginning if XML can carry it, else 0. */
static size_t allowed_character(const struct decoder *d, struct str text)
{
    unsigned char c = (unsigned char)text.data[0];
    if (c < 0x80)
        return c >= 0x20 || c == '\t' || c == '\n' || c == '\r';
    size_t len = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    if (len > text.len || utf8_valid_prefix(str_slice(text, 0, len)) != len)
        return 0;
    if (str_starts_with(text, STR("\xEF\xBF\xBE")) || str_starts_with(text, STR("\xEF\xBF\xBF")))
        return 0; /* U+FFFE, U+FFFF */
    return d->options->text == TEXT_BASE64 && str_starts_with(text, STR(MARK)) ? 0 : len;
}

/* The code point of `&#…;`, saturated; false where it is no such reference. */
static bool parse_reference(struct str text, uint32_t *ret)
{
    uint32_t base = 10, value = 0;
    size_t at = 2;
    if (text.len > 2 && text.data[2] == 'x') {
        base = 16;
        at++;
    }
    if (at + 1 >= text.len)
        return false;
    for (; at + 1 < text.len; at++) {
        char c = text.data[at];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
                                                : 16;
        if (digit >= base)
            return false;
        value = value > 0x110000 ? value : value * base + digit;
    }
    *ret = value;
    return true;
}

static bool put_reference(struct decoder *d, struct sink *s, struct str text)
{
    uint32_t c;
    char bytes[4];
    if (!parse_reference(text, &c) || c > 0x10FFFF)
        return put(d, s, text); /* for the parser to refuse */
    bool mark = d->options->text == TEXT_BASE64 && c == 0x10FFFF;
    if (xml_is_char(c) && !mark)
        return put(d, s, text);
    size_t len = utf8_write(c, bytes);
    return put_repair(d, s, (struct str){ bytes, len });
}

/* HTML's names stand for a character each; what else is a name is the parser's. */
static bool put_named(struct decoder *d, struct sink *s, struct str text)
{
    uint32_t c = html_name_find(str_slice(text, 1, text.len - 1));
    char bytes[4];
    if (c == 0)
        return put(d, s, text);
    d->repaired++;
    return put(d, s, (struct str){ bytes, utf8_write(c, bytes) });
}

static bool is_hexadecimal(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Can `c` come next in a reference that is of interest here? Names are, where text is replaced. */
static bool goes_on(const struct decoder *d, char c)
{
    const struct repair *r = &d->repair;
    bool named = d->options->text == TEXT_REPLACE;
    if (r->n == 1)
        return c == '#' || (named && is_letter(c));
    if (r->bytes[1] == '#')
        return is_hexadecimal(c) || c == 'x' || c == ';';
    return is_letter(c) || (c >= '0' && c <= '9') || c == ';';
}

/* Goes on with a reference that the text before ended in. */
static bool go_on_reference(struct decoder *d, struct sink *s, struct str *text)
{
    struct repair *r = &d->repair;
    while (text->len > 0) {
        char c = text->data[0];
        if (!goes_on(d, c) || r->n == sizeof r->bytes) {
            size_t n = r->n;
            r->n = 0;
            return put(d, s, (struct str){ r->bytes, n });
        }
        r->bytes[r->n++] = c;
        *text = str_slice(*text, 1, text->len);
        if (c != ';')
            continue;
        size_t n = r->n;
        r->n = 0;
        struct str whole = { r->bytes, n };
        return r->bytes[1] == '#' ? put_reference(d, s, whole) : put_named(d, s, whole);
    }
    return true;
}

/* Length of the part that may pass as it is. */
static size_t sound_prefix(const struct decoder *d, struct str text, bool references)
{
    size_t at = 0;
    while (at < text.len) {
        char c = text.data[at];
        if ((c == '&' && references) || (c == '\r' && !references))
            break;
        size_t n = allowed_character(d, str_slice(text, at, text.len));
        if (n == 0)
            break;
        at += n;
    }
    return at;
}

bool repair_feed(struct decoder *d, struct str text, bool references)
{
    struct sink sink = { .n = 0 };
    bool ok = true;
    if (d->repair.cr && !references && text.len > 0 && text.data[0] == '\n')
        text = str_slice(text, 1, text.len);
    d->repair.cr = false;
    while (ok && text.len > 0) {
        if (d->repair.n > 0) {
            ok = go_on_reference(d, &sink, &text);
            continue;
        }
        size_t n = sound_prefix(d, text, references);
        ok = put(d, &sink, str_slice(text, 0, n));
        text = str_slice(text, n, text.len);
        if (text.len == 0 || !ok)
            break;
        n = 1;
        if (text.data[0] == '&' && references) {
            d->repair.bytes[d->repair.n++] = '&';
        } else if (text.data[0] == '\r') {
            d->repair.cr = text.len == 1; /* XML section 2.11 */
            n += text.len > 1 && text.data[1] == '\n';
            ok = put(d, &sink, STR("\n"));
        } else {
            n = text_forbidden_length(text);
            ok = put_repair(d, &sink, str_slice(text, 0, n));
        }
        text = str_slice(text, n, text.len);
    }
    return ok && flush(d, &sink);
}

bool repair_flush(struct decoder *d)
{
    size_t n = d->repair.n;
    d->repair.n = 0;
    return n == 0 || xml_reader_feed(d, (struct str){ d->repair.bytes, n });
}

bool repair_is_marked(struct str text)
{
    return text.len >= MARKED_LEN && memmem(text.data, text.len, MARK, MARK_LEN) != NULL;
}

void repair_resolve_marks(struct buf *text)
{
    size_t to = 0;
    for (size_t at = 0; at < text->len;) {
        struct str rest = { text->data + at, text->len - at };
        if (rest.len >= MARKED_LEN && str_starts_with(rest, STR(MARK))) {
            text->data[to++] =
                (char)((rest.data[MARK_LEN] - 'A') << 4 | (rest.data[MARK_LEN + 1] - 'A'));
            at += MARKED_LEN;
        } else {
            text->data[to++] = text->data[at++];
        }
    }
    text->len = to;
}

void repair_text_to_base64(struct buf *text)
{
    struct buf base64;
    buf_init(&base64, text->max, text->budget);
    repair_resolve_marks(text);
    text_repair(buf_str(text), TEXT_BASE64, &base64);
    bool ok = buf_ok(&base64);
    buf_clear(text);
    buf_append(text, buf_str(&base64));
    if (!ok)
        text->state = base64.state;
    buf_done(&base64);
}

void repair_to_base64(struct decoder *d, size_t mark)
{
    struct base64 base64;
    struct buf json, text;
    buf_init(&json, SIZE_MAX / 2, d->out->budget);
    buf_init(&text, SIZE_MAX / 2, d->out->budget);
    buf_append_byte(&json, '"');
    decode_copy_range(d, mark, chain_len(d->out), &json);
    buf_append_byte(&json, '"');
    if (buf_ok(&json) && chain_state(d->out) == CHAIN_OK)
        json_unquote(buf_str(&json), &text);
    if (!buf_ok(&json) || !buf_ok(&text)) {
        decode_fail_buf(d, buf_ok(&json) ? &text : &json);
    } else {
        repair_resolve_marks(&text);
        chain_truncate(d->out, mark);
        base64_begin(&base64, d->out, 0);
        base64_encode(&base64, buf_str(&text));
        base64_encode_end(&base64);
        d->repaired++;
    }
    buf_done(&text);
    buf_done(&json);
}

size_t repair_write_base64(struct base64 *to, struct str json, size_t end)
{
    size_t at = 0;
    while (at < end) {
        struct str rest = str_slice(json, at, json.len);
        const char *next = rest.data;
        char bytes[4];
        if (*next == '\\') {
            size_t len = utf8_write(json_read_escape(&next), bytes);
            base64_encode(to, (struct str){ bytes, len });
        } else if (rest.len >= MARKED_LEN && str_starts_with(rest, STR(MARK))) {
            bytes[0] = (char)((next[MARK_LEN] - 'A') << 4 | (next[MARK_LEN + 1] - 'A'));
            base64_encode(to, (struct str){ bytes, 1 });
            next += MARKED_LEN;
        } else {
            do
                next++;
            while (next < json.data + end && *next != '\\' && *next != MARK[0]);
            base64_encode(to, str_slice(rest, 0, (size_t)(next - rest.data)));
        }
        at = (size_t)(next - json.data);
    }
    return at;
}
