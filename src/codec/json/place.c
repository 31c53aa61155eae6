/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/place.h"

#include "codec/json/text.h"

/* How many of the bytes are 0x80. The others are zero. */
static size_t count_bytes(uint64_t marks)
{
    return (size_t)((marks >> 7) * EACH_BYTE(0x01) >> 56);
}

/* Bit 0x80 of each byte that is a line feed, and of no other. */
static uint64_t line_feeds(uint64_t x)
{
    uint64_t others = x ^ EACH_BYTE('\n');
    return ~(((others & EACH_BYTE(0x7F)) + EACH_BYTE(0x7F)) | others) & EACH_BYTE(0x80);
}

static size_t count_lines(const char *at, const char *end)
{
    size_t n = 0;
    for (; end - at >= 8; at += 8)
        n += count_bytes(line_feeds(eight_bytes(at)));
    for (; at < end; at++)
        n += *at == '\n';
    return n;
}

/* All bytes but those that go on with a character. */
static size_t count_characters(const char *at, const char *end)
{
    size_t n = (size_t)(end - at);
    for (; end - at >= 8; at += 8) {
        uint64_t x = eight_bytes(at);
        n -= count_bytes(x & ~(x << 1) & EACH_BYTE(0x80));
    }
    for (; at < end; at++)
        n -= ((unsigned char)*at & 0xC0) == 0x80;
    return n;
}

void json_place_move(struct json_place *p, struct str text, const char *at)
{
    if (p->at == NULL || at < p->at)
        *p = (struct json_place){ .at = text.data };
    size_t lines = count_lines(p->at, at);
    const char *from = p->at;
    if (lines > 0) {
        from = at;
        while (from[-1] != '\n')
            from--;
        p->column = 0;
    }
    p->line += lines;
    p->column += count_characters(from, at);
    p->at = at;
}
