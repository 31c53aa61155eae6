/* SPDX-License-Identifier: Apache-2.0 */
#include "config/lexer.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* The byte at `at`, NUL behind the end (the text itself has none). */
static char peek(const struct lexer *l, size_t at)
{
    return at < l->text.len ? l->text.data[at] : '\0';
}

static size_t skip_digits(const struct lexer *l, size_t at)
{
    while (is_digit(peek(l, at)))
        at++;
    return at;
}

/* Behind `[eE][-+]?[0-9]+`, or `at` where that does not stand there. */
static size_t skip_exponent(const struct lexer *l, size_t at)
{
    if (peek(l, at) != 'e' && peek(l, at) != 'E')
        return at;
    size_t digits = at + 1;
    if (peek(l, digits) == '-' || peek(l, digits) == '+')
        digits++;
    size_t end = skip_digits(l, digits);
    return end > digits ? end : at;
}

static size_t skip_long_suffix(const struct lexer *l, size_t at)
{
    for (int i = 0; i < 2 && peek(l, at) == 'L'; i++)
        at++;
    return at;
}

/* The longest number at `at`; its type, or TOKEN_GARBAGE where there is none. */
static enum token_type number(const struct lexer *l, size_t at, size_t *ret_end)
{
    size_t digits = at;
    if (peek(l, at) == '-' || peek(l, at) == '+')
        digits++;
    if (peek(l, at) == '0' && (peek(l, at + 1) | 0x20) == 'x' && is_hex(peek(l, at + 2))) {
        size_t end = at + 2;
        while (is_hex(peek(l, end)))
            end++;
        *ret_end = skip_long_suffix(l, end);
        return TOKEN_INTEGER;
    }
    size_t end = skip_digits(l, digits);
    if (peek(l, end) == '.') {
        *ret_end = skip_exponent(l, skip_digits(l, end + 1));
        return TOKEN_DECIMAL;
    }
    if (end == digits)
        return TOKEN_GARBAGE;
    if (skip_exponent(l, end) > end) {
        *ret_end = skip_exponent(l, end);
        return TOKEN_DECIMAL;
    }
    *ret_end = skip_long_suffix(l, end);
    return TOKEN_INTEGER;
}

/* Behind the closing quote of the string whose text begins at `at`, or 0 where there is none. */
static size_t skip_text(const struct lexer *l, size_t at)
{
    while (at < l->text.len && l->text.data[at] != '"') {
        bool escape =
            l->text.data[at] == '\\' && (peek(l, at + 1) == '"' || peek(l, at + 1) == '\\');
        at += escape ? 2 : 1;
    }
    return at < l->text.len ? at + 1 : 0;
}

/* Moves over white space and comments; false where a comment has no end. */
static bool skip_blanks(struct lexer *l)
{
    for (;;) {
        char c = peek(l, l->at);
        if (l->at < l->text.len && strchr(" \t\r\n\f", c) != NULL) {
            l->line += c == '\n';
            l->at++;
        } else if (c == '#' || (c == '/' && peek(l, l->at + 1) == '/')) {
            while (l->at < l->text.len && l->text.data[l->at] != '\n')
                l->at++;
        } else if (c == '/' && peek(l, l->at + 1) == '*') {
            size_t end = l->at + 2;
            while (end < l->text.len && !(peek(l, end) == '*' && peek(l, end + 1) == '/'))
                end++;
            if (end >= l->text.len)
                return false;
            for (size_t i = l->at; i < end; i++)
                l->line += l->text.data[i] == '\n';
            l->at = end + 2;
        } else {
            return true;
        }
    }
}

/* Does an `@include "` stand here, at the beginning of its line? Where its text begins, or 0. */
static size_t include_text(const struct lexer *l)
{
    static const struct str word = { "@include", 8 };
    size_t at = l->at;
    while (at > 0 && (l->text.data[at - 1] == ' ' || l->text.data[at - 1] == '\t'))
        at--;
    if (at > 0 && l->text.data[at - 1] != '\n')
        return 0;
    if (!str_starts_with(str_slice(l->text, l->at, l->text.len), word))
        return 0;
    size_t blanks = l->at + word.len;
    size_t quote = blanks;
    while (peek(l, quote) == ' ' || peek(l, quote) == '\t')
        quote++;
    return quote > blanks && peek(l, quote) == '"' ? quote + 1 : 0;
}

static struct token finish(struct lexer *l, enum token_type type, struct token token)
{
    token.type = type;
    if (token.text.data == NULL)
        token.text = str_slice(l->text, token.start, token.end);
    for (size_t i = token.start; i < token.end; i++)
        l->line += l->text.data[i] == '\n';
    l->at = token.end;
    return token;
}

/* A string, or an include, whose text begins at `from`. */
static struct token quoted(struct lexer *l, size_t from, enum token_type type, struct token token)
{
    size_t end = skip_text(l, from);
    if (end == 0) {
        token.end = l->text.len;
        return finish(l, TOKEN_OPEN_TEXT, token);
    }
    token.end = end;
    token.text = str_slice(l->text, from, end - 1);
    return finish(l, type, token);
}

static enum token_type punctuation(char c)
{
    switch (c) {
    case '=':
    case ':':
        return TOKEN_EQUALS;
    case ',':
        return TOKEN_COMMA;
    case ';':
        return TOKEN_SEMICOLON;
    case '{':
    case '[':
    case '(':
        return TOKEN_OPEN;
    case '}':
    case ']':
    case ')':
        return TOKEN_CLOSE;
    default:
        return TOKEN_GARBAGE;
    }
}

void lexer_init(struct lexer *l, struct str text)
{
    *l = (struct lexer){ .text = text, .line = 1 };
}

struct token lexer_next(struct lexer *l)
{
    bool complete = skip_blanks(l);
    struct token token = { .start = l->at, .end = l->at, .line = l->line };
    if (!complete) {
        token.end = l->text.len;
        return finish(l, TOKEN_OPEN_COMMENT, token);
    }
    if (l->at == l->text.len)
        return finish(l, TOKEN_END, token);
    char c = l->text.data[l->at];
    if (c == '"')
        return quoted(l, l->at + 1, TOKEN_TEXT, token);
    if (c == '@' && include_text(l) > 0)
        return quoted(l, include_text(l), TOKEN_INCLUDE, token);
    if (is_letter(c) || c == '*') {
        while (is_letter(c) || is_digit(c) || c == '*' || c == '-' || c == '_')
            c = peek(l, ++token.end);
        struct str word = str_slice(l->text, token.start, token.end);
        bool flag = str_eq_nocase(word, STR("true")) || str_eq_nocase(word, STR("false"));
        return finish(l, flag ? TOKEN_FLAG : TOKEN_NAME, token);
    }
    enum token_type type = number(l, l->at, &token.end);
    if (type == TOKEN_GARBAGE) {
        token.end = l->at + 1;
        type = punctuation(c);
    }
    return finish(l, type, token);
}
