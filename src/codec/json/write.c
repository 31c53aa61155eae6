/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/write.h"

#include "base/sixteen.h"

/* Text up to this length is copied and escaped in one go, without measuring first. */
#define SHORT_MAX ((size_t)64)

/* The longest escape, `\u001f`. [bytes] */
#define ESCAPE_MAX ((size_t)6)

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Is there a control, `"` or `\` among eight bytes? Each term sets the top bit of a byte that is
 * below the number that it takes away; what it says of bytes above such a one is of no use. */
static inline bool any_special(uint64_t eight)
{
    uint64_t quote = eight ^ EACH('"');
    uint64_t backslash = eight ^ EACH('\\');
    uint64_t below = (eight - EACH(0x20)) & ~eight;
    below |= (quote - EACH(1)) & ~quote;
    below |= (backslash - EACH(1)) & ~backslash;
    return (below & EACH(0x80)) != 0;
}

static inline bool is_special(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

static inline bool any_special_in_16(const char *at)
{
    bytes16 b = sixteen_bytes(at);
    uint64_t halves[2];
    b = (bytes16)(b < 0x20) | (bytes16)(b == '"') | (bytes16)(b == '\\');
    memcpy(halves, &b, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

/* Length of the first part that needs no escape. */
static size_t plain_prefix(struct str text)
{
    size_t at = 0;
    while (text.len - at >= 16 && !any_special_in_16(text.data + at))
        at += 16;
    while (text.len - at >= 8) {
        uint64_t eight;
        memcpy(&eight, text.data + at, 8);
        if (any_special(eight))
            break;
        at += 8;
    }
    while (at < text.len && !is_special((unsigned char)text.data[at]))
        at++;
    return at;
}

/* Writes the escape of a special byte; returns its length. */
static size_t put_escape(char *to, unsigned char c)
{
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
    };
    static const char hex[] = "0123456789abcdef";
    to[0] = '\\';
    if (c >= 0x20 || letters[c] != 0) {
        to[1] = c >= 0x20 ? (char)c : letters[c];
        return 2;
    }
    to[1] = 'u';
    to[2] = '0';
    to[3] = '0';
    to[4] = hex[c >> 4];
    to[5] = hex[c & 15];
    return ESCAPE_MAX;
}

/* What put_short() may touch: eight bytes are stored where fewer may count. */
#define SHORT_ROOM (SHORT_MAX * ESCAPE_MAX + 8)

/* Writes to at most SHORT_ROOM bytes; returns how many of them count. */
static size_t put_short(char *to, struct str text)
{
    size_t at = 0, n = 0;
    for (;;) {
        while (text.len - at >= 8) {
            uint64_t eight;
            memcpy(&eight, text.data + at, 8);
            if (any_special(eight))
                break;
            memcpy(to + n, &eight, 8);
            at += 8;
            n += 8;
        }
        size_t end = text.len - at >= 8 ? at + 8 : text.len;
        if (at == end)
            return n;
        for (; at < end; at++) {
            unsigned char c = (unsigned char)text.data[at];
            if (UNLIKELY(is_special(c)))
                n += put_escape(to + n, c);
            else
                to[n++] = (char)c;
        }
    }
}

void json_write_text(struct chain *to, struct str text)
{
    if (LIKELY(text.len <= SHORT_MAX && to->max - chain_len(to) >= SHORT_ROOM)) {
        char *room = chain_reserve(to, SHORT_ROOM);
        chain_commit(to, put_short(room, text));
        return;
    }
    for (;;) {
        size_t plain = plain_prefix(text);
        chain_append(to, str_slice(text, 0, plain));
        if (plain == text.len)
            return;
        char escape[ESCAPE_MAX];
        size_t n = put_escape(escape, (unsigned char)text.data[plain]);
        chain_append(to, (struct str){ escape, n });
        text = str_slice(text, plain + 1, text.len);
    }
}

void json_write_string(struct chain *to, struct str text)
{
    chain_append_byte(to, '"');
    json_write_text(to, text);
    chain_append_byte(to, '"');
}
