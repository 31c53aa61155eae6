/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens of a configuration file, cut exactly as libconfig 1.5's own scanner cuts them. We look
 * at them before libconfig does, because it resolves includes against the working folder, wraps
 * numbers that are too large, and leaks on syntax errors. Pure; views borrow from the text. */
#ifndef RPCGATE_CONFIG_LEXER_H
#define RPCGATE_CONFIG_LEXER_H

#include "base/str.h"

#include <stddef.h>

enum token_type {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_FLAG,
    TOKEN_INTEGER,
    TOKEN_DECIMAL,
    TOKEN_TEXT, /* `text` is what stands between the quotes, escapes as they are */
    TOKEN_EQUALS,
    TOKEN_COMMA,
    TOKEN_SEMICOLON,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_INCLUDE,      /* `text` is what stands between the quotes */
    TOKEN_OPEN_TEXT,    /* a string without its end */
    TOKEN_OPEN_COMMENT, /* a comment without its end */
    TOKEN_GARBAGE       /* one byte that begins nothing */
};

struct token {
    enum token_type type;
    struct str text;
    size_t start, end; /* offsets of its first byte and behind its last */
    unsigned line;     /* of its first byte, from 1 */
};

struct lexer {
    struct str text;
    size_t at;
    unsigned line;
};

void lexer_init(struct lexer *l, struct str text);
struct token lexer_next(struct lexer *l);

#endif
