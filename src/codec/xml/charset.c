/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/xml/charset.h"

#include "base/alloc.h"

#include <assert.h>
#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 40
#define OUT_LEN ((size_t)1024)

/* What markup and numeric references are made of. */
#define MARKUP                                                                                     \
    "<?xml version=\"1.0\" encoding=\"-_:.\"?>\n</abcdefghijklmnopqrstuvwxyz>ABCDEFGHIJKLMNOP"     \
    "QRSTUVWXYZ 0123456789 &#;+"

/* Text that is tried at once. [bytes] */
#define PIECE_MAX ((size_t)256)

struct charset {
    iconv_t to;
    iconv_t there, back; /* for trying what a reader makes of a text; `to` keeps its state */
    char *name;
    bool ascii;   /* all of ASCII survives */
    char held[4]; /* the begin of a character */
    size_t n_held;
    char last[4]; /* the character before: Vietnamese ones are joined with the next */
    size_t n_last;
};

bool charset_is_utf8(const char *name)
{
    return name == NULL || str_eq_nocase(str_of(name), STR("UTF-8")) ||
           str_eq_nocase(str_of(name), STR("UTF8"));
}

/* XML 1.0 production 81, which also keeps out iconv's suffixes such as `//IGNORE`. */
static bool is_encoding_name(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-";
    size_t len = strlen(name);
    return len > 0 && len <= NAME_MAX_LEN && strspn(name, letters) == len &&
           ((name[0] | 0x20) >= 'a' && (name[0] | 0x20) <= 'z');
}

/* Markup must be ASCII, but for the NULs and byte order mark of UTF-16 and UTF-32: no reader would
 * find the declaration in anything else (XML 1.0 appendix F). */
static bool writes_markup(iconv_t to)
{
    char in[] = MARKUP;
    char out[sizeof in * 4 + 16];
    char *from = in;
    char *at = out;
    size_t n_in = sizeof in - 1;
    size_t n_out = sizeof out;
    size_t n = 0;
    if (iconv(to, &from, &n_in, &at, &n_out) != 0)
        return false;
    for (const char *p = out; p < at; p++) {
        if (*p == '\0' || *p == '\xFE' || *p == '\xFF')
            continue;
        if (n == sizeof in - 1 || *p != MARKUP[n++])
            return false;
    }
    return n == sizeof in - 1;
}

/* Converts a text by itself; 0 where that cannot be, or where there is no room. */
static size_t convert_alone(iconv_t cd, struct str text, char *to, size_t room)
{
    char *from = (char *)(uintptr_t)text.data; /* iconv's type is not const, but it only reads. */
    char *at = to;
    size_t left = text.len;
    iconv(cd, NULL, NULL, NULL, NULL);
    if (iconv(cd, &from, &left, &at, &room) == (size_t)-1 ||
        iconv(cd, NULL, NULL, &at, &room) == (size_t)-1)
        return 0;
    return (size_t)(at - to);
}

/* Does a reader get back the text, of at most PIECE_MAX bytes, behind what was written last? Some
 * encodings have one byte for two characters: in Shift_JIS that of the backslash is the yen's. */
static bool survives(struct charset *c, struct str text)
{
    char source[PIECE_MAX + sizeof c->last], coded[8 * PIECE_MAX], again[2 * PIECE_MAX];
    size_t n = c->n_last + text.len;
    memcpy(source, c->last, c->n_last);
    memcpy(source + c->n_last, text.data, text.len);
    size_t len = convert_alone(c->there, (struct str){ source, n }, coded, sizeof coded);
    if (len == 0)
        return false;
    len = convert_alone(c->back, (struct str){ coded, len }, again, sizeof again);
    return len == n && memcmp(source, again, n) == 0;
}

static bool ascii_survives(struct charset *c)
{
    char ascii[128];
    size_t n = 0;
    for (char i = 0x20; i < 0x7F; i++)
        ascii[n++] = i;
    memcpy(ascii + n, "\t\n\x7F", 3);
    return survives(c, (struct str){ ascii, n + 3 });
}

struct charset *charset_new(const char *name)
{
    const iconv_t none = (iconv_t)-1; /* NOLINT(performance-no-int-to-ptr): iconv's own word */
    if (!is_encoding_name(name))
        return NULL;
    struct charset *c = xcalloc(1, sizeof *c);
    c->name = xstrdup(name);
    c->to = iconv_open(name, "UTF-8");
    c->there = iconv_open(name, "UTF-8");
    c->back = iconv_open("UTF-8", name);
    if (c->to == none || c->there == none || c->back == none || !writes_markup(c->to) ||
        !survives(c, STR(MARKUP))) {
        charset_free(c);
        return NULL;
    }
    c->ascii = ascii_survives(c);
    charset_begin(c);
    return c;
}

void charset_free(struct charset *c)
{
    const iconv_t none = (iconv_t)-1; /* NOLINT(performance-no-int-to-ptr): as above */
    if (c == NULL)
        return;
    const iconv_t all[] = { c->to, c->there, c->back };
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i] != none)
            iconv_close(all[i]);
    free(c->name);
    free(c);
}

const char *charset_name(const struct charset *c)
{
    return c->name;
}

void charset_begin(struct charset *c)
{
    iconv(c->to, NULL, NULL, NULL, NULL);
    c->n_held = 0;
    c->n_last = 0;
}

void charset_go_on(struct charset *c)
{
    char text[] = "\n";
    char *from = text;
    size_t left = 1;
    char dropped[32];
    char *at = dropped;
    size_t room = sizeof dropped;
    charset_begin(c);
    iconv(c->to, &from, &left, &at, &room);
    assert(left == 0);
}

/* Converts what can be; errno tells why it has stopped short. */
static bool convert(struct charset *c, char **from, size_t *left, struct chain *to)
{
    char *start = chain_reserve(to, OUT_LEN);
    char *at = start;
    size_t room = OUT_LEN;
    size_t n = iconv(c->to, from, left, &at, &room);
    int why = errno;
    chain_commit(to, (size_t)(at - start));
    errno = why;
    return n != (size_t)-1;
}

static size_t utf8_len(unsigned char first)
{
    if (first < 0xC0)
        return 1;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

static uint32_t utf8_read(const char *at)
{
    const unsigned char *p = (const unsigned char *)at;
    size_t len = utf8_len(p[0]);
    if (len == 1)
        return p[0];
    uint32_t c = p[0] & (0x7FU >> len);
    for (size_t i = 1; i < len; i++)
        c = c << 6 | (p[i] & 0x3F);
    return c;
}

static void write_reference(struct charset *c, uint32_t character, struct chain *to)
{
    char text[16];
    int len = snprintf(text, sizeof text, "&#%u;", (unsigned)character);
    char *from = text;
    size_t left = (size_t)len;
    bool ok = convert(c, &from, &left, to);
    assert(ok);
}

/* Writes whole characters, of which `last` bytes are the last one. */
static void write_raw(struct charset *c, struct str text, size_t last, struct chain *to)
{
    char *from = (char *)(uintptr_t)text.data;
    size_t left = text.len;
    while (left > 0) {
        if (convert(c, &from, &left, to) || errno == E2BIG)
            continue;
        size_t len = utf8_len((unsigned char)*from);
        write_reference(c, utf8_read(from), to);
        from += len;
        left -= len;
    }
    memcpy(c->last, text.data + text.len - last, last);
    c->n_last = last;
}

static void write_characters(struct charset *c, struct str text, struct chain *to)
{
    while (text.len > 0) {
        size_t len = utf8_len((unsigned char)text.data[0]);
        struct str character = str_slice(text, 0, len);
        if (memchr(MARKUP, text.data[0], sizeof MARKUP - 1) != NULL || survives(c, character)) {
            write_raw(c, character, len, to);
        } else {
            write_reference(c, utf8_read(text.data), to);
            c->n_last = 0;
        }
        text = str_slice(text, len, text.len);
    }
}

/* Whole characters at the beginning, at most PIECE_MAX bytes; *last: of the last one. */
static size_t piece_len(struct str text, size_t *last)
{
    size_t n = text.len < PIECE_MAX ? text.len : PIECE_MAX;
    size_t end = n;
    while (n > 0) {
        size_t start = n - 1;
        while (start > 0 && ((unsigned char)text.data[start] & 0xC0) == 0x80)
            start--;
        *last = utf8_len((unsigned char)text.data[start]);
        if (start + *last <= end)
            return start + *last;
        n = start;
    }
    return 0;
}

static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] >= 0x80)
            return false;
    return true;
}

/* Converts text; what remains is the begin of a character. */
static struct str write_whole(struct charset *c, struct str text, struct chain *to)
{
    size_t last, n;
    while ((n = piece_len(text, &last)) > 0) {
        struct str piece = str_slice(text, 0, n);
        if ((c->ascii && is_ascii(piece)) || survives(c, piece))
            write_raw(c, piece, last, to);
        else
            write_characters(c, piece, to);
        text = str_slice(text, n, text.len);
    }
    return text;
}

void charset_write(struct charset *c, struct str text, struct chain *to)
{
    while (c->n_held != 0 && text.len > 0) {
        c->held[c->n_held++] = text.data[0];
        text = str_slice(text, 1, text.len);
        if (c->n_held == utf8_len((unsigned char)c->held[0])) {
            write_whole(c, (struct str){ c->held, c->n_held }, to);
            c->n_held = 0;
        }
    }
    if (text.len == 0)
        return;
    struct str rest = write_whole(c, text, to);
    assert(rest.len < sizeof c->held);
    memcpy(c->held, rest.data, rest.len);
    c->n_held = rest.len;
}

void charset_end(struct charset *c, struct chain *to)
{
    assert(c->n_held == 0);
    convert(c, NULL, NULL, to);
}
