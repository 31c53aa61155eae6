/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/value/text_repair.h"

#include "base/chain.h"
#include "base/eight.h"
#include "codec/value/base64.h"

#include <string.h>

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

/* Words are passed over whole: a text may have megabytes, and this is one step of a worker. */
size_t text_find_forbidden(struct str text, size_t at)
{
    while (text.len - at >= 8) {
        uint64_t x = eight_bytes(text.data + at);
        uint64_t found =
            ((x - EACH_BYTE(0x20)) & ~x & EACH_BYTE(0x80)) | eight_zeros(x ^ EACH_BYTE(0xEF));
        if (found == 0) {
            at += 8;
            continue;
        }
        at += eight_first(found);
        if (forbidden(text, at) > 0)
            return at;
        at++;
    }
    while (at < text.len && forbidden(text, at) == 0)
        at++;
    return at;
}

bool text_is_xml(struct str text)
{
    return text_find_forbidden(text, 0) == text.len;
}

/* A part, for the longest of which room is made before. [bytes] */
#define REPLACE_BYTES ((size_t)4 * 1024)

static size_t write_replacement(char *to)
{
    memcpy(to, TEXT_REPLACEMENT, sizeof TEXT_REPLACEMENT - 1);
    return sizeof TEXT_REPLACEMENT - 1;
}

/* There is room for what it becomes at most. */
static void replace_part(struct str text, struct buf *to)
{
    for (size_t at = 0; at < text.len;) {
        size_t len = forbidden(text, at);
        if (len > 0) {
            to->len += write_replacement(to->data + to->len);
            at += len;
            continue;
        }
        size_t run = text_find_forbidden(text, at) - at;
        memcpy(to->data + to->len, text.data + at, run);
        to->len += run;
        at += run;
    }
    to->data[to->len] = '\0';
}

/* Into a buffer that has hardly more room than is needed. */
static void replace_tightly(struct str text, struct buf *to)
{
    for (size_t at = 0; at < text.len;) {
        size_t end = text_find_forbidden(text, at);
        buf_append(to, str_slice(text, at, end));
        at = end;
        if (end < text.len) {
            buf_append(to, STR(TEXT_REPLACEMENT));
            at += forbidden(text, end);
        }
    }
}

/* Where a part ends that begins there; between two characters. */
static size_t part_end(struct str text, size_t at)
{
    if (text.len - at <= REPLACE_BYTES)
        return text.len;
    size_t end = at + REPLACE_BYTES;
    while (end > at + REPLACE_BYTES / 2 && ((unsigned char)text.data[end] & 0xC0) == 0x80)
        end--;
    return end;
}

static void replace(struct str text, struct buf *to)
{
    for (size_t at = 0; at < text.len;) {
        struct str part = str_slice(text, at, part_end(text, at));
        size_t most = part.len * (sizeof TEXT_REPLACEMENT - 1);
        at += part.len;
        if (most > to->max - to->len)
            replace_tightly(part, to);
        else if (buf_reserve(to, most))
            replace_part(part, to);
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
