/* SPDX-License-Identifier: Apache-2.0 */
#include "config/syntax.h"

#include "base/alloc.h"
#include "config/lexer.h"
#include "settings/sections.h"

#include <stdint.h>
#include <stdlib.h>

/* libconfig frees its tree by recursion, and no setting is nested this deep. */
#define NESTING_MAX 32

/* What may stand next. */
enum expect {
    EXPECT_NAME, /* or the group's end */
    EXPECT_EQUALS,
    EXPECT_VALUE,
    EXPECT_FIRST,  /* a list's first value, or its end */
    EXPECT_AFTER,  /* behind a value */
    EXPECT_NOTHING /* all is read */
};

struct parser {
    const struct source *source;
    struct findings *findings;
    struct marks *marks;
    struct lexer lexer;
    struct token token;
    struct token name; /* of the setting that is being read */
    char closers[NESTING_MAX];
    unsigned openers[NESTING_MAX]; /* their lines */
    size_t depth;
    size_t secret_depth; /* of the group `credentials` that is open; 0: none is */
    bool after_text;     /* the value before is a string: another one continues it */
};

static struct place here(const struct parser *p)
{
    return source_place(p->source, p->token.line);
}

static bool in_group(const struct parser *p)
{
    return p->depth == 0 || p->closers[p->depth - 1] == '}';
}

/* Is what stands here the value of a password, or what is left of one without quotes? */
static bool is_secret(const struct parser *p)
{
    if (p->secret_depth > 0)
        return true;
    for (size_t i = 0; i < n_sections && p->name.text.len > 0; i++) {
        for (size_t k = 0; k < sections[i]->n_options; k++) {
            const struct option_row *row = &sections[i]->options[k];
            if (row->kind->sensitive && str_eq_c(p->name.text, row->name))
                return true;
        }
    }
    return false;
}

/* "syntax error: expected …, not …" */
static bool refuse(struct parser *p, const char *expected)
{
    struct token t = p->token;
    if (t.type == TOKEN_END && p->depth > 0) {
        struct place opener = source_place(p->source, p->openers[p->depth - 1]);
        findings_error(p->findings, here(p),
                       "syntax error: the file ends, but a `%c` is missing for what was opened in "
                       "line %u of %s",
                       p->closers[p->depth - 1], opener.line, opener.file);
    } else if (t.type == TOKEN_END) {
        findings_error(p->findings, here(p), "syntax error: expected %s, but the file ends",
                       expected);
    } else if (t.type == TOKEN_TEXT) {
        findings_error(p->findings, here(p), "syntax error: expected %s, not a string", expected);
    } else if (t.type == TOKEN_GARBAGE && t.text.data[0] == '@') {
        findings_error(p->findings, here(p),
                       "syntax error: an include has a line of its own: `@include \"file\"`");
    } else if (t.type == TOKEN_GARBAGE && (t.text.data[0] & 0x80) != 0) {
        findings_error(p->findings, here(p),
                       "syntax error: expected %s; characters beyond ASCII stand in quotes only",
                       expected);
    } else if (is_secret(p)) {
        findings_error(p->findings, here(p), "syntax error: expected %s", expected);
    } else {
        findings_error(p->findings, here(p), "syntax error: expected %s, not `%.*s`", expected,
                       t.text.len < 24 ? (int)t.text.len : 24, t.text.data);
    }
    return false;
}

static void add_mark(struct parser *p, bool bad)
{
    struct marks *m = p->marks;
    if (m->n == m->room) {
        m->room = m->room == 0 ? 256 : 2 * m->room;
        m->items = xreallocarray(m->items, m->room, sizeof *m->items);
    }
    unsigned line = in_group(p) ? p->name.line : p->token.line;
    m->items[m->n++] = (struct mark){ line, bad };
}

/* Is that literal what libconfig makes of it? Plain ones have 32 bits, those with an L 64. */
static bool integer_fits(struct str text)
{
    bool is_long = text.data[text.len - 1] == 'L';
    while (text.data[text.len - 1] == 'L')
        text.len--;
    bool negative = text.data[0] == '-';
    if (negative || text.data[0] == '+')
        text = str_slice(text, 1, text.len);
    bool hex = text.len > 2 && (text.data[1] | 0x20) == 'x';
    if (hex)
        text = str_slice(text, 2, text.len);
    uint64_t max = is_long ? (uint64_t)INT64_MAX + negative : (uint64_t)INT32_MAX + negative;
    uint64_t value = 0;
    uint64_t base = hex ? 16 : 10;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        uint64_t digit = (uint64_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        if (value > (max - digit) / base)
            return false;
        value = value * base + digit;
    }
    return true;
}

static bool check_integer(struct parser *p)
{
    if (integer_fits(p->token.text))
        return true;
    struct str text = is_secret(p) ? STR("***") : p->token.text;
    bool is_long = p->token.text.data[p->token.text.len - 1] == 'L';
    findings_error(p->findings, here(p), "the number %.*s is too large%s",
                   text.len < 64 ? (int)text.len : 64, text.data,
                   is_long ? ""
                           : "; one beyond 32 bits has an L at its end, and sizes are "
                             "strings with a unit, such as \"4G\"");
    return false;
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* One digit of `\xHH`; -1: none. */
static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What `\xHH` at the `x` stands for; -1: it is none. */
static int hex_code(struct str text, size_t at)
{
    if (text.len - at < 3 || (text.data[at] | 0x20) != 'x')
        return -1;
    int high = hex_digit(text.data[at + 1]), low = hex_digit(text.data[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Other escapes are what libconfig's version makes of them. `at` is behind the backslash. What is
 * wrong, or NULL; nothing of the text is told, for it may be a password. */
static const char *check_escape(struct str text, size_t at)
{
    char c = at < text.len ? text.data[at] : '\0';
    int code = hex_code(text, at);
    if (code == 0)
        return "a string cannot hold \\x00";
    if ((c == 'x' && code > 0) || (c != '\0' && strchr("\\\"nrtf", c) != NULL))
        return NULL;
    return "a `\\` in this string begins none of the escapes \\\\ \\\" \\n \\r \\t \\f \\xHH; a "
           "backslash itself is written `\\\\`";
}

/* `DOMAIN\xabel`: nobody writes a letter as a number, nor half a character. */
static bool is_doubtful(int code, struct str before, struct str behind)
{
    struct str last = str_slice(before, before.len > 0 ? before.len - 1 : 0, before.len);
    bool joined =
        last.len > 0 && behind.len > 0 && is_word(last.data[0]) && is_word(behind.data[0]);
    return (code > 0x20 && code < 0x7F) || (code >= 0x80 && joined);
}

static bool check_text(struct parser *p)
{
    struct str text = p->token.text;
    const char *wrong = NULL;
    bool doubtful = false;
    for (size_t i = 0; i < text.len && wrong == NULL; i++) {
        if (text.data[i] == '\n')
            wrong = "a string must end in the line that it begins in; a newline in it is \\n";
        if (text.data[i] != '\\')
            continue;
        wrong = check_escape(text, ++i);
        int code = wrong == NULL ? hex_code(text, i) : -1;
        if (code < 0)
            continue;
        doubtful |= is_doubtful(code, str_slice(text, 0, i - 1), str_slice(text, i + 3, text.len));
        i += 2;
    }
    if (wrong != NULL)
        findings_error(p->findings, here(p), "%s", wrong);
    else if (doubtful)
        findings_warn(p->findings, here(p),
                      "a `\\xHH` in this string stands for one byte; a backslash itself is written "
                      "`\\\\`");
    return wrong == NULL;
}

static bool open_bracket(struct parser *p, enum expect *next)
{
    char c = p->token.text.data[0];
    if (p->depth > 0 && p->closers[p->depth - 1] == ']')
        return refuse(p, "plain values between `[` and `]` (lists of groups stand in `(` and `)`)");
    if (p->depth == NESTING_MAX) {
        findings_error(p->findings, here(p), "this is nested more than %d deep", NESTING_MAX);
        return false;
    }
    add_mark(p, false);
    p->closers[p->depth] = c == '{' ? '}' : c == '[' ? ']' : ')';
    p->openers[p->depth++] = p->token.line;
    if (p->secret_depth == 0 && c == '{' && str_eq_c(p->name.text, "credentials"))
        p->secret_depth = p->depth;
    *next = c == '{' ? EXPECT_NAME : EXPECT_FIRST;
    return true;
}

static bool close_bracket(struct parser *p, const char *expected, enum expect *next)
{
    if (p->depth == 0 || p->token.text.data[0] != p->closers[p->depth - 1])
        return refuse(p, expected);
    if (p->secret_depth == p->depth)
        p->secret_depth = 0;
    p->depth--;
    *next = EXPECT_AFTER;
    return true;
}

static bool read_value(struct parser *p, enum expect *next)
{
    *next = EXPECT_AFTER;
    switch (p->token.type) {
    case TOKEN_FLAG:
    case TOKEN_DECIMAL:
        add_mark(p, false);
        return true;
    case TOKEN_INTEGER:
        add_mark(p, !check_integer(p));
        return true;
    case TOKEN_TEXT:
        add_mark(p, !check_text(p));
        p->after_text = true;
        return true;
    case TOKEN_OPEN:
        return open_bracket(p, next);
    case TOKEN_NAME:
        return refuse(p, "a value (text stands in quotes)");
    case TOKEN_CLOSE:
        return refuse(p, in_group(p) ? "a value" : "a value after the `,`");
    default:
        return refuse(p, "a value");
    }
}

static bool read_name(struct parser *p, enum expect *next)
{
    static const char expected[] = "the name of a setting";
    switch (p->token.type) {
    case TOKEN_NAME:
        p->name = p->token;
        *next = EXPECT_EQUALS;
        return true;
    case TOKEN_CLOSE:
        return close_bracket(p, expected, next);
    case TOKEN_END:
        if (p->depth > 0)
            return refuse(p, expected);
        *next = EXPECT_NOTHING;
        return true;
    default:
        return refuse(p, expected);
    }
}

static bool read_after(struct parser *p, enum expect *next)
{
    bool after_text = p->after_text;
    p->after_text = false;
    if (after_text && p->token.type == TOKEN_TEXT) {
        p->marks->items[p->marks->n - 1].bad |= !check_text(p);
        p->after_text = true;
        return true;
    }
    if (in_group(p)) {
        *next = EXPECT_NAME;
        bool ends = p->token.type == TOKEN_SEMICOLON || p->token.type == TOKEN_COMMA;
        return ends || read_name(p, next);
    }
    if (p->token.type == TOKEN_COMMA) {
        *next = EXPECT_VALUE;
        return true;
    }
    const char *expected = p->closers[p->depth - 1] == ']' ? "`,` or `]`" : "`,` or `)`";
    if (p->token.type != TOKEN_CLOSE)
        return refuse(p, expected);
    return close_bracket(p, expected, next);
}

static bool step(struct parser *p, enum expect *next)
{
    switch (*next) {
    case EXPECT_NAME:
        return read_name(p, next);
    case EXPECT_EQUALS:
        *next = EXPECT_VALUE;
        return p->token.type == TOKEN_EQUALS || refuse(p, "`=` behind the name");
    case EXPECT_FIRST:
        if (p->token.type == TOKEN_CLOSE)
            return close_bracket(p, "a value", next);
        return read_value(p, next);
    case EXPECT_VALUE:
        return read_value(p, next);
    default:
        return read_after(p, next);
    }
}

void marks_done(struct marks *marks)
{
    free(marks->items);
    *marks = (struct marks){ 0 };
}

bool syntax_check(const struct source *source, struct findings *findings, struct marks *ret)
{
    struct parser p = { .source = source, .findings = findings, .marks = ret };
    lexer_init(&p.lexer, buf_str(&source->text));
    enum expect next = EXPECT_NAME;
    while (next != EXPECT_NOTHING) {
        p.token = lexer_next(&p.lexer);
        if (!step(&p, &next))
            return false;
    }
    return true;
}
