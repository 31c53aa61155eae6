/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/value/text_repair.h"

#include "base/chain.h"
#include "codec/value/base64.h"

/* The length of the character at `at` where XML cannot carry it, else 0. */
static size_t forbidden(struct str text, size_t at)
{
    unsigned char c = (unsigned char)text.data[at];
    if (c < 0x20)
        return c != '\t' && c != '\n' && c != '\r';
    if (c != 0xEF || text.len - at < 3 || text.data[at + 1] != '\xBF')
        return 0;
    return (unsigned char)text.data[at + 2] >= 0xBE ? 3 : 0; /* U+FFFE, U+FFFF */
}

bool text_is_xml(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (forbidden(text, i) > 0)
            return false;
    return true;
}

static void replace(struct str text, struct buf *to)
{
    for (size_t at = 0; at < text.len;) {
        size_t len = forbidden(text, at);
        if (len > 0)
            buf_append(to, STR(TEXT_REPLACEMENT));
        else
            buf_append_byte(to, text.data[at]);
        at += len > 0 ? len : 1;
    }
}

static void write_base64(struct str text, struct buf *to)
{
    struct base64 base64;
    struct chain digits;
    chain_init(&digits, to->max, to->budget);
    base64_begin(&base64, &digits, 0);
    base64_encode(&base64, text);
    base64_encode_end(&base64);
    for (const struct chain_block *b = digits.first; b != NULL; b = b->next)
        buf_append(to, (struct str){ b->data, b->len });
    if (chain_state(&digits) != CHAIN_OK && buf_ok(to))
        to->state = BUF_NO_MEMORY;
    chain_done(&digits);
}

size_t text_forbidden_length(struct str text)
{
    unsigned char c = (unsigned char)text.data[0];
    if (c < 0xC2 || c > 0xF4)
        return 1;
    size_t len = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    if (len <= text.len && utf8_valid_prefix(str_slice(text, 0, len)) == len)
        return len;
    unsigned char low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    unsigned char high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    size_t n = 1;
    for (; n < len && n < text.len; n++) {
        unsigned char next = (unsigned char)text.data[n];
        if (next < (n == 1 ? low : 0x80) || next > (n == 1 ? high : 0xBF))
            break;
    }
    return n;
}

void text_repair(struct str text, enum text_policy policy, struct buf *to)
{
    if (policy == TEXT_BASE64)
        write_base64(text, to);
    else
        replace(text, to);
}
