/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/value/base64.h"

#include <assert.h>
#include <stdint.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* What copying writes for each byte: the digit of the standard alphabet; 0: look closer. */
static const char copies[256] = {
    ['A'] = 'A', ['B'] = 'B', ['C'] = 'C', ['D'] = 'D', ['E'] = 'E', ['F'] = 'F', ['G'] = 'G',
    ['H'] = 'H', ['I'] = 'I', ['J'] = 'J', ['K'] = 'K', ['L'] = 'L', ['M'] = 'M', ['N'] = 'N',
    ['O'] = 'O', ['P'] = 'P', ['Q'] = 'Q', ['R'] = 'R', ['S'] = 'S', ['T'] = 'T', ['U'] = 'U',
    ['V'] = 'V', ['W'] = 'W', ['X'] = 'X', ['Y'] = 'Y', ['Z'] = 'Z', ['a'] = 'a', ['b'] = 'b',
    ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i',
    ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p',
    ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v', ['w'] = 'w',
    ['x'] = 'x', ['y'] = 'y', ['z'] = 'z', ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3',
    ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9', ['+'] = '+',
    ['/'] = '/', ['-'] = '+', ['_'] = '/',
};

/* Room for `want` characters in the current line, at most; a full line ends first. */
static unsigned room(struct base64 *b, size_t want)
{
    unsigned most = 1024;
    if (b->line_max != 0) {
        if (b->line == b->line_max) {
            chain_append_byte(b->to, '\n');
            b->line = 0;
        }
        most = b->line_max - b->line;
    }
    return want < most ? (unsigned)want : most;
}

static void wrote(struct base64 *b, unsigned n)
{
    chain_commit(b->to, n);
    if (b->line_max != 0)
        b->line += n;
}

static void put_group(char *to, const unsigned char *from)
{
    to[0] = digits[from[0] >> 2];
    to[1] = digits[(from[0] & 3) << 4 | from[1] >> 4];
    to[2] = digits[(from[1] & 15) << 2 | from[2] >> 6];
    to[3] = digits[from[2] & 63];
}

static void write_group(struct base64 *b, const char *four)
{
    for (unsigned done = 0; done < 4;) {
        unsigned n = room(b, 4 - done);
        memcpy(chain_reserve(b->to, n), four + done, n);
        wrote(b, n);
        done += n;
    }
}

/* Whole groups; returns how many bytes it has taken. */
static size_t encode_groups(struct base64 *b, struct str bytes)
{
    const unsigned char *from = (const unsigned char *)bytes.data;
    size_t left = bytes.len;
    while (left >= 3) {
        unsigned n = room(b, left / 3 * 4);
        unsigned groups = n / 4;
        if (groups == 0) { /* A line whose length is no multiple of four. */
            char four[4];
            put_group(four, from);
            write_group(b, four);
            from += 3;
            left -= 3;
            continue;
        }
        char *to = chain_reserve(b->to, (size_t)groups * 4);
        for (unsigned i = 0; i < groups; i++, from += 3, to += 4)
            put_group(to, from);
        left -= (size_t)groups * 3;
        wrote(b, groups * 4);
    }
    return bytes.len - left;
}

void base64_begin(struct base64 *b, struct chain *to, unsigned line_max)
{
    assert(line_max <= CHAIN_RESERVE_MAX);
    *b = (struct base64){ .to = to, .line_max = line_max };
}

void base64_encode(struct base64 *b, struct str bytes)
{
    size_t at = 0;
    while (b->n_held > 0 && b->n_held < 3 && at < bytes.len)
        b->held[b->n_held++] = (unsigned char)bytes.data[at++];
    if (b->n_held == 3) {
        encode_groups(b, (struct str){ (const char *)b->held, 3 });
        b->n_held = 0;
    }
    if (b->n_held != 0)
        return;
    at += encode_groups(b, str_slice(bytes, at, bytes.len));
    while (at < bytes.len)
        b->held[b->n_held++] = (unsigned char)bytes.data[at++];
}

void base64_encode_end(struct base64 *b)
{
    char four[4];
    if (b->n_held == 0)
        return;
    for (unsigned i = b->n_held; i < 3; i++)
        b->held[i] = 0;
    put_group(four, b->held);
    four[3] = '=';
    if (b->n_held == 1)
        four[2] = '=';
    write_group(b, four);
    b->n_held = 0;
}

static unsigned char digit_value(char c)
{
    const char *at = memchr(digits, c, sizeof digits - 1);
    return (unsigned char)(at - digits);
}

/* Copies digits of the alphabets; returns how many came before something else. */
static size_t copy_digits(struct base64 *b, struct str text)
{
    size_t done = 0;
    while (done < text.len) {
        const char *from = text.data + done;
        unsigned n = room(b, text.len - done);
        char *to = chain_reserve(b->to, n);
        unsigned i = 0;
        for (; i < n; i++) {
            char c = copies[(unsigned char)from[i]];
            if (c == 0)
                break;
            to[i] = c;
        }
        if (i > 0)
            b->last = (unsigned char)to[i - 1];
        wrote(b, i);
        done += i;
        if (i < n)
            break;
    }
    b->n_held = (unsigned)((b->n_held + done) % 4);
    return done;
}

bool base64_copy(struct base64 *b, struct str text)
{
    size_t at = 0;
    while (at < text.len) {
        if (!b->padded)
            at += copy_digits(b, str_slice(text, at, text.len));
        if (at == text.len)
            break;
        switch (text.data[at++]) {
        case ' ':
        case '\t':
        case '\n':
        case '\r':
            break;
        case '=': /* Third or fourth in its group. */
            if (b->n_held < 2)
                return false;
            b->n_held = (b->n_held + 1) % 4;
            if (!b->padded)
                b->last = digit_value((char)b->last) & (b->n_held == 0 ? 3 : 15);
            b->padded = true;
            room(b, 1);
            chain_append_byte(b->to, '=');
            b->line++;
            break;
        default:
            return false;
        }
    }
    return true;
}

bool base64_copy_end(struct base64 *b)
{
    if (b->padded)
        return b->n_held == 0 && b->last == 0;
    if (b->n_held == 0)
        return true;
    if (b->n_held == 1 || (digit_value((char)b->last) & (b->n_held == 3 ? 3 : 15)) != 0)
        return false;
    for (; b->n_held < 4; b->n_held++) {
        room(b, 1);
        chain_append_byte(b->to, '=');
        b->line++;
    }
    return true;
}

bool base64_read(struct str text, struct buf *to)
{
    uint32_t bits = 0;
    unsigned n_bits = 0;
    for (int pads = 0; pads < 2 && text.len > 0 && text.data[text.len - 1] == '='; pads++)
        text.len--;
    for (size_t i = 0; i < text.len; i++) {
        const char *at = memchr(digits, text.data[i], sizeof digits - 1);
        if (at == NULL)
            return false;
        bits = (bits << 6 | (uint32_t)(at - digits)) & 0xFFFF;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            buf_append_byte(to, (char)(bits >> n_bits & 0xFF));
        }
    }
    return n_bits < 6 && (bits & ((1U << n_bits) - 1)) == 0 && buf_ok(to);
}
