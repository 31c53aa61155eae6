/* SPDX-License-Identifier: Apache-2.0 */
/* Strings, numbers and words of a text that nobody has checked. */
#include "base/sixteen.h"
#include "codec/json/text.h"
#include "codec/xml/encode_lane.h"

/* Longer strings are not for the lane: it does not stop within one. [bytes] */
#define TEXT_MAX ((size_t)64 * 1024)

/* A decimal of so many digits is the shortest one of its double. */
#define DIGITS_MAX 15

/* Longer runs of digits are for the two passes, which read eight at a time. */
#define DIGITS_PASSED 400

/* Of DIGITS_MAX digits with a sign and a point. [bytes] */
#define NUMBER_MAX (DIGITS_MAX + 2)

#define SMALL_INTEGER_MAX 9 /* digits that always fit into 32 bits */

/* ---- Text ---- */

static __attribute__((noinline)) bytes16 load_rest(const struct lane *l)
{
    bytes16 b = { 0 };
    memcpy(&b, l->at, (size_t)(l->end - l->at));
    return b;
}

/* The next 16 bytes, with zeros behind the end. */
static inline bytes16 load(const struct lane *l)
{
    return LIKELY(l->end - l->at >= 16) ? sixteen_bytes(l->at) : load_rest(l);
}

/* Of each 16 bytes those that cannot be copied as they are. Of two pairs both differ in one bit. */
static inline bytes16 specials(bytes16 b)
{
    return (bytes16)((signed16)b < 0x20) | (bytes16)(b == '\\') | (bytes16)((b | 4) == '&') |
           (bytes16)((b | 2) == '>');
}

static bool copy_beyond_ascii(struct lane *l)
{
    do {
        size_t len = utf8_sequence((const unsigned char *)l->at, (size_t)(l->end - l->at));
        if (len == 0 || (len == 3 && utf8_is_noncharacter(l->at)))
            return false;
        lane_put(l, l->at, len);
        l->at += len;
    } while ((unsigned char)lane_peek(l) >= 0x80 && l->to <= l->full);
    return true;
}

/* A character by itself; false where XML cannot carry it. */
static bool put_character(struct lane *l, uint32_t c)
{
    switch (c) {
    case '&':
        LANE_PUT(l, "&amp;");
        return true;
    case '<':
        LANE_PUT(l, "&lt;");
        return true;
    case '>':
        LANE_PUT(l, "&gt;");
        return true;
    case '\r':
        LANE_PUT(l, "&#13;");
        return true;
    default:
        l->to += utf8_write(c, l->to);
        return xml_is_char(c);
    }
}

static bool hex4(const char *at, uint32_t *ret)
{
    *ret = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i], letter = (char)(c | 0x20);
        bool digit = c >= '0' && c <= '9';
        if (!digit && (letter < 'a' || letter > 'f'))
            return false;
        *ret = *ret << 4 | (uint32_t)(digit ? c - '0' : letter - 'a' + 10);
    }
    return true;
}

/* `\uXXXX`, or two of them for one character. */
static bool copy_unicode(struct lane *l)
{
    uint32_t c, low;
    size_t left = (size_t)(l->end - l->at);
    if (left < 6 || !hex4(l->at + 2, &c))
        return false;
    l->at += 6;
    if (c < 0xD800 || c > 0xDFFF)
        return put_character(l, c);
    if (c > 0xDBFF || left < 12 || l->at[0] != '\\' || l->at[1] != 'u' || !hex4(l->at + 2, &low) ||
        low < 0xDC00 || low > 0xDFFF)
        return false;
    l->at += 6;
    return put_character(l, 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00));
}

static bool copy_escape(struct lane *l)
{
    static const char known[128] = {
        ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['n'] = '\n', ['t'] = '\t', ['r'] = '\r'
    };
    if (l->end - l->at < 2)
        return false;
    unsigned char c = (unsigned char)l->at[1];
    if (c == 'u')
        return copy_unicode(l);
    if (c >= sizeof known || known[c] == '\0')
        return false;
    l->at += 2;
    return put_character(l, (uint32_t)known[c]);
}

static bool copy_special(struct lane *l)
{
    unsigned char c = (unsigned char)*l->at;
    if (c >= 0x80)
        return copy_beyond_ascii(l);
    if (c == '\\')
        return copy_escape(l);
    l->at++;
    return c >= 0x20 && put_character(l, c);
}

bool lane_copy_text(struct lane *l)
{
    const char *begin = l->at;
    for (;;) {
        if (UNLIKELY(!lane_has_room(l)))
            return false;
        bytes16 b = load(l);
        memcpy(l->to, &b, sizeof b);
        unsigned n = sixteen_first(specials(b));
        l->at += n;
        l->to += n;
        if (UNLIKELY((size_t)(l->at - begin) > TEXT_MAX || l->at >= l->end))
            return false;
        if (n == 16)
            continue;
        if (LIKELY(*l->at == '"'))
            break;
        if (!copy_special(l))
            return false;
    }
    l->at++;
    return true;
}

/* ---- Values ---- */

static bool pass(struct lane *l, const char *word, size_t len)
{
    if ((size_t)(l->end - l->at) < len || memcmp(l->at, word, len) != 0)
        return false;
    l->at += len;
    return true;
}

#define PASS(lane, literal) pass(lane, literal, sizeof(literal) - 1)

/* A value that the second pass writes as here: `at` is where it begins and l->at behind it. */
static bool write_as_ever(struct lane *l, const char *at,
                          bool (*write)(struct encoder *e, struct error *err))
{
    struct error ignored;
    lane_commit(l);
    l->e->at = at;
    l->e->end = l->end;
    return write(l->e, &ignored) && l->e->at == l->at && lane_open(l);
}

static bool write_nil(struct encoder *e, struct error *err)
{
    e->at += 4;
    return encode_nil(e, err);
}

/* How many there are; 0, too, where they are not for the lane. */
static inline size_t pass_digits(struct lane *l)
{
    const char *at = l->at;
    const char *end = l->end - at > DIGITS_PASSED ? at + DIGITS_PASSED : l->end;
    while (l->at < end && (unsigned)(unsigned char)*l->at - '0' < 10)
        l->at++;
    return l->at - at < DIGITS_PASSED ? (size_t)(l->at - at) : 0;
}

/* What may follow the digits: what is no decimal, and is no number at all, is for the two passes.
 */
static bool pass_exponent(struct lane *l)
{
    l->at++;
    if (lane_peek(l) == '+' || lane_peek(l) == '-')
        l->at++;
    return pass_digits(l) > 0;
}

/* What begins there and is as short as a number that is copied. */
static inline void put_number(struct lane *l, const char *at)
{
    if (LIKELY(l->end - at >= NUMBER_MAX)) {
        memcpy(l->to, at, NUMBER_MAX);
        l->to += l->at - at;
    } else {
        lane_put(l, at, (size_t)(l->at - at));
    }
}

/* A number with a fraction or an exponent, of which `whole` digits and what is before are read. */
static bool copy_double(struct lane *l, const char *at, size_t whole, bool zero)
{
    size_t n = 0;
    bool plain = true;
    const char *fraction = l->at + 1;
    if (lane_peek(l) == '.') {
        l->at++;
        n = pass_digits(l);
        if (n == 0)
            return false;
        plain = whole + n <= DIGITS_MAX && (n == 1 || l->at[-1] != '0') &&
                !(zero && n > 3 && memcmp(fraction, "0000", 4) == 0);
    }
    if (lane_peek(l) == 'e' || lane_peek(l) == 'E') {
        plain = false;
        if (!pass_exponent(l))
            return false;
    }
    if (!plain || n == 0)
        return write_as_ever(l, at, encode_number);
    LANE_PUT(l, "<value><double>");
    put_number(l, at);
    LANE_PUT(l, "</double></value>");
    return true;
}

static bool copy_number(struct lane *l)
{
    const char *at = l->at;
    bool negative = *at == '-';
    l->at += negative;
    bool zero = lane_peek(l) == '0';
    size_t n = pass_digits(l);
    if (n == 0 || (zero && n > 1))
        return false;
    char next = lane_peek(l);
    if (next == '.' || next == 'e' || next == 'E')
        return copy_double(l, at, n, zero);
    if (n > SMALL_INTEGER_MAX || (zero && negative))
        return write_as_ever(l, at, encode_number);
    LANE_PUT(l, "<value><int>");
    put_number(l, at);
    LANE_PUT(l, "</int></value>");
    return true;
}

bool lane_copy_scalar(struct lane *l)
{
    const char *at = l->at;
    switch (lane_peek(l)) {
    case '"':
        l->at++;
        LANE_PUT(l, "<value><string>");
        if (!lane_copy_text(l))
            return false;
        LANE_PUT(l, "</string></value>");
        return true;
    case 't':
        LANE_PUT(l, "<value><boolean>1</boolean></value>");
        return PASS(l, "true");
    case 'f':
        LANE_PUT(l, "<value><boolean>0</boolean></value>");
        return PASS(l, "false");
    case 'n':
        return PASS(l, "null") && write_as_ever(l, at, write_nil);
    case '-':
    case '0' ... '9':
        return copy_number(l);
    default:
        return false;
    }
}
