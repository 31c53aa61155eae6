/* SPDX-License-Identifier: Apache-2.0 */
/* Most of a large document is members and elements that hold one scalar, in the form that all
 * writers give them. Such a one is read here in one go: its JSON is written behind the output's
 * end, and counts only when all of it is good. At anything else, were it only a number that is not
 * written as we would write it, nothing has happened, and decode_plain.c reads it token by token.
 * So nothing is refused here, and nothing is told that decode_plain.c would not tell. */
#include "base/sixteen.h"
#include "codec/json/text.h"
#include "codec/value/datetime.h"
#include "codec/xml/decode_private.h"

/* Bytes of the document that may be looked at behind `struct lane`'s limit: more than all tags and
 * the longest number between two looks at it. */
#define SLACK ((size_t)128)

/* Room that a member's beginning wants; a text that turns out longer is not for the lane. */
#define ROOM ((size_t)512)

/* Bytes that may be written behind its `full`. */
#define OVERRUN ((size_t)96)

/* A longer member's name is not for the lane. [bytes] */
#define NAME_MAX_HERE ((size_t)128)

/* A whole number or decimal of so many digits is the same as a double and as text. */
#define DIGITS_MAX 15

struct lane {
    const char *at;    /* in the document */
    const char *limit; /* SLACK bytes before its end */
    char *to;          /* behind what is written */
    const char *full;  /* OVERRUN bytes before the end of the room */
};

static inline bool stands_there(const char *at, const char *text, size_t len)
{
    return memcmp(at, text, len) == 0;
}

/* Is that text at `at`? */
#define IS(at, literal) stands_there(at, literal, sizeof(literal) - 1)

static inline bool pass(struct lane *l, const char *text, size_t len)
{
    if (UNLIKELY(!stands_there(l->at, text, len)))
        return false;
    l->at += len;
    return true;
}

/* Moves behind that text, if it is there. */
#define PASS(lane, literal) pass(lane, literal, sizeof(literal) - 1)

static __attribute__((noinline)) void skip_blanks(struct lane *l)
{
    while (l->at <= l->limit) {
        bytes16 b = sixteen_bytes(l->at);
        unsigned n =
            sixteen_first((bytes16)(b != ' ') & (bytes16)(b != '\n') & (bytes16)(b != '\t'));
        l->at += n;
        if (n < 16)
            return;
    }
}

/* Between tags there is nothing mostly, or a line's end. */
static inline void skip(struct lane *l)
{
    l->at += *l->at == '\n';
    if (UNLIKELY(*l->at != '<'))
        skip_blanks(l);
}

/* ---- Text ---- */

static bool copy_beyond_ascii(struct lane *l)
{
    do {
        size_t len = utf8_sequence((const unsigned char *)l->at, 4);
        if (len == 0 || utf8_is_noncharacter(l->at))
            return false;
        memcpy(l->to, l->at, 4);
        l->at += len;
        l->to += len;
    } while ((unsigned char)*l->at >= 0x80 && l->at <= l->limit && l->to <= l->full);
    return true;
}

/* A reference of those that XML itself has. */
static bool copy_reference(struct lane *l)
{
    if (PASS(l, "&amp;"))
        *l->to++ = '&';
    else if (PASS(l, "&lt;"))
        *l->to++ = '<';
    else if (PASS(l, "&gt;"))
        *l->to++ = '>';
    else if (PASS(l, "&apos;"))
        *l->to++ = '\'';
    else if (PASS(l, "&quot;"))
        memcpy((l->to += 2) - 2, "\\\"", 2);
    else
        return false;
    return true;
}

/* A character that cannot be copied as it is. */
static bool copy_special(struct lane *l)
{
    char c = *l->at;
    if ((unsigned char)c >= 0x80)
        return copy_beyond_ascii(l);
    switch (c) {
    case '&':
        return copy_reference(l);
    case '"':
    case '\\':
        *l->to++ = '\\';
        break;
    case '\n':
    case '\t':
        *l->to++ = '\\';
        c = c == '\n' ? 'n' : 't';
        break;
    case ']':
        if (l->at[1] == ']') /* `]]>` must not stand in text */
            return false;
        break;
    default:
        return false;
    }
    *l->to++ = c;
    l->at++;
    return true;
}

/* Of each 16 bytes those that cannot be copied as they are. Two differ in one bit from another one
 * that cannot: `"` from `&`, and `\` from `]`. */
static inline bytes16 specials(bytes16 b)
{
    return (bytes16)((signed16)b < 0x20) | (bytes16)(b == '<') | (bytes16)((b | 4) == '&') |
           (bytes16)((b | 1) == ']');
}

/* Copies text as a JSON string's inside up to its `<`. False: not for the lane; what was copied up
 * to l->at is good. */
static inline bool copy_text(struct lane *l)
{
    for (;;) {
        if (UNLIKELY(l->at > l->limit || l->to > l->full))
            return false;
        bytes16 b = sixteen_bytes(l->at);
        memcpy(l->to, &b, sizeof b);
        unsigned n = sixteen_first(specials(b));
        l->at += n;
        l->to += n;
        if (n < 16 && *l->at == '<')
            return true;
        if (UNLIKELY(n < 16) && !copy_special(l))
            return false;
    }
}

/* ---- Values ---- */

static inline unsigned copy_digits(struct lane *l)
{
    unsigned n = 0;
    while (n <= DIGITS_MAX && (unsigned)(unsigned char)*l->at - '0' < 10) {
        *l->to++ = *l->at++;
        n++;
    }
    return n;
}

/* -?(0|[1-9][0-9]*), and what follows it is no digit; but not -0. */
static inline bool copy_integer(struct lane *l)
{
    bool negative = *l->at == '-';
    if (negative)
        *l->to++ = *l->at++;
    bool zero = *l->at == '0';
    unsigned n = copy_digits(l);
    return n > 0 && n <= DIGITS_MAX && !(zero && (n > 1 || negative));
}

/* A decimal that is as the shortest one of that double is written. */
static inline bool copy_double(struct lane *l)
{
    if (*l->at == '-')
        *l->to++ = *l->at++;
    bool zero = *l->at == '0';
    unsigned whole = copy_digits(l);
    if (whole == 0 || (zero && whole > 1) || *l->at != '.')
        return false;
    *l->to++ = *l->at++;
    const char *fraction = l->at;
    unsigned n = copy_digits(l);
    if (n == 0 || whole + n > DIGITS_MAX || (n > 1 && l->at[-1] == '0'))
        return false;
    return !(zero && n > 3 && IS(fraction, "0000")); /* it has an exponent */
}

static bool copy_date(struct lane *l)
{
    struct datetime date;
    if (!datetime_read_basic((struct str){ l->at, DATETIME_BASIC_LEN }, &date))
        return false;
    l->at += DATETIME_BASIC_LEN;
    *l->to++ = '"';
    datetime_write_extended(&date, l->to);
    l->to += DATETIME_EXTENDED_LEN;
    *l->to++ = '"';
    return true;
}

static inline bool copy_string(struct lane *l)
{
    *l->to++ = '"';
    if (!copy_text(l))
        return false;
    *l->to++ = '"';
    return true;
}

static bool copy_boolean(struct lane *l)
{
    bool is_true = *l->at == '1';
    if (!is_true && *l->at != '0')
        return false;
    l->at++;
    memcpy(l->to, is_true ? "true" : "false", 5);
    l->to += is_true ? 4 : 5;
    return true;
}

static bool copy_nil(struct lane *l)
{
    memcpy(l->to, "null", 4);
    l->to += 4;
    return true;
}

/* In whose JSON there is nothing of the type. */
static inline bool is_bare(const struct decoder *d)
{
    return d->options->types == TYPES_PLAIN;
}

/* The element of a type that begins here, to its end. */
static inline bool copy_typed(const struct decoder *d, struct lane *l)
{
    switch (l->at[1]) {
    case 's':
        return PASS(l, "<string>") && copy_string(l) && PASS(l, "</string>");
    case 'i':
        if (PASS(l, "<int>"))
            return copy_integer(l) && PASS(l, "</int>");
        if (PASS(l, "<i4>"))
            return copy_integer(l) && PASS(l, "</i4>");
        return is_bare(d) && d->options->integers != INTEGERS_STRING && PASS(l, "<i8>") &&
               copy_integer(l) && PASS(l, "</i8>");
    case 'b':
        return PASS(l, "<boolean>") && copy_boolean(l) && PASS(l, "</boolean>");
    case 'd':
        if (PASS(l, "<double>"))
            return copy_double(l) && PASS(l, "</double>");
        return is_bare(d) && PASS(l, "<dateTime.iso8601>") && copy_date(l) &&
               PASS(l, "</dateTime.iso8601>");
    case 'n':
        return PASS(l, "<nil/>") && copy_nil(l);
    default:
        return false;
    }
}

/* Blanks before a type are none of it; before `</value>` they are its text. */
static inline void skip_before_type(struct lane *l)
{
    const char *text = l->at;
    if (LIKELY(*text == '<') || (*text != ' ' && *text != '\n' && *text != '\t'))
        return;
    skip_blanks(l);
    if (*l->at != '<' || l->at[1] == '/')
        l->at = text;
}

static inline bool copy_value(const struct decoder *d, struct lane *l)
{
    if (UNLIKELY(!PASS(l, "<value>")))
        return false;
    skip_before_type(l);
    if (UNLIKELY(l->at > l->limit))
        return false;
    if (*l->at != '<' || l->at[1] == '/')
        return copy_string(l) && PASS(l, "</value>");
    if (!copy_typed(d, l))
        return false;
    skip(l);
    return PASS(l, "</value>");
}

/* ---- What holds them ---- */

static bool take_element(struct decoder *d, struct lane *l)
{
    const char *begin = l->to;
    if (d->top->count > 0)
        *l->to++ = ',';
    if (!copy_value(d, l))
        return false;
    d->top->count++;
    chain_commit(d->out, (size_t)(l->to - begin));
    return true;
}

static bool take_member(struct decoder *d, struct lane *l)
{
    const char *begin = l->to;
    if (UNLIKELY(!PASS(l, "<member>")))
        return false;
    skip(l);
    if (!PASS(l, "<name>"))
        return false;
    if (d->top->count > 0)
        *l->to++ = ',';
    *l->to++ = '"';
    struct str name = { l->at, 0 };
    const char *written = l->to;
    if (!copy_text(l))
        return false;
    name.len = (size_t)(l->at - name.data);
    if (name.len > NAME_MAX_HERE || (size_t)(l->to - written) != name.len ||
        memcmp(written, name.data, name.len) != 0) /* it has references or escapes */
        return false;
    memcpy(l->to, "\":", 2);
    l->to += 2;
    const char *value = l->to;
    if (!PASS(l, "</name>"))
        return false;
    skip(l);
    if (UNLIKELY(l->at > l->limit) || !copy_value(d, l))
        return false;
    skip(l);
    return PASS(l, "</member>") &&
           struct_take_member(d, d->top, name, (size_t)(value - begin), (size_t)(l->to - value));
}

/* Room for what is written, at the output's end; false: only for what counts there is any. */
static bool open_room(struct decoder *d, struct lane *l)
{
    if (UNLIKELY(d->out->max - chain_len(d->out) < ROOM))
        return false;
    l->to = chain_reserve(d->out, ROOM);
    if (UNLIKELY(chain_state(d->out) != CHAIN_OK))
        return false;
    const struct chain_block *b = d->out->last;
    l->full = b->data + b->cap - OVERRUN;
    return true;
}

static struct lane open_lane(const char *at, const char *end)
{
    return (struct lane){ .at = at, .limit = end - SLACK };
}

const char *lane_read(struct decoder *d, const char *at, const char *end)
{
    if ((size_t)(end - at) < SLACK)
        return at;
    struct lane l = open_lane(at, end);
    bool members = d->top->element == ELEMENT_STRUCT;
    while (at <= l.limit && open_room(d, &l)) {
        skip(&l);
        if (UNLIKELY(l.at > l.limit) || !(members ? take_member(d, &l) : take_element(d, &l)))
            break;
        at = l.at;
    }
    return at;
}

const char *lane_read_text(struct decoder *d, const char *at, const char *end)
{
    if ((size_t)(end - at) < SLACK)
        return at;
    struct lane l = open_lane(at, end);
    bool more = true;
    while (more && l.at <= l.limit && open_room(d, &l)) {
        const char *from = l.to, *before = l.at;
        more = !copy_text(&l) && l.at > before;
        chain_commit(d->out, (size_t)(l.to - from));
    }
    return l.at;
}
