/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/charset.h"

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

struct charset {
    iconv_t to;
    char *name;
    char held[4]; /* the begin of a character */
    size_t n_held;
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

struct charset *charset_new(const char *name)
{
    if (!is_encoding_name(name))
        return NULL;
    iconv_t to = iconv_open(name, "UTF-8");
    if (to == (iconv_t)-1) /* NOLINT(performance-no-int-to-ptr): iconv's own word for failure */
        return NULL;
    if (!writes_markup(to)) {
        iconv_close(to);
        return NULL;
    }
    struct charset *c = xcalloc(1, sizeof *c);
    c->to = to;
    c->name = xstrdup(name);
    charset_begin(c);
    return c;
}

void charset_free(struct charset *c)
{
    if (c == NULL)
        return;
    iconv_close(c->to);
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

/* Converts text; what remains is the begin of a character. */
static struct str write_whole(struct charset *c, struct str text, struct chain *to)
{
    char *from = (char *)(uintptr_t)text.data; /* iconv's type is not const, but it only reads. */
    size_t left = text.len;
    while (left > 0) {
        if (convert(c, &from, &left, to) || errno == E2BIG)
            continue;
        size_t len = utf8_len((unsigned char)*from);
        if (len > left)
            break;
        write_reference(c, utf8_read(from), to);
        from += len;
        left -= len;
    }
    return (struct str){ from, left };
}

void charset_write(struct charset *c, struct str text, struct chain *to)
{
    while (c->n_held > 0 && text.len > 0) {
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
