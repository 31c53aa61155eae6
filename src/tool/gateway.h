/* SPDX-License-Identifier: Apache-2.0 */
/* The way to a gateway: the options that commands have for it, and one request. */
#ifndef RPCGATE_TOOL_GATEWAY_H
#define RPCGATE_TOOL_GATEWAY_H

#include "base/buf.h"
#include "base/macros.h"
#include "base/str.h"
#include "tool/reply.h"

#include <stdint.h>

#define GATEWAY_USUAL_URL "http+unix://%2Frun%2Frpcgate%2Frpcgate.sock"

/* Variables of the environment that stand for --url and --token-file. */
#define GATEWAY_URL_NAME "RPCGATE_URL"
#define GATEWAY_TOKEN_NAME "RPCGATE_TOKEN_FILE"

/* The first rows of an option list: X(WORD, letter, name, argument, help) */
#define GATEWAY_OPTIONS(X)                                                                         \
    X(URL, 0, "url", "URL",                                                                        \
      "the gateway, as http://HOST:PORT or http+unix://%2FRUN%2FX.SOCK ($" GATEWAY_URL_NAME        \
      ", or its usual socket)")                                                                    \
    X(TOKEN_FILE, 0, "token-file", "FILE",                                                         \
      "a file with the token to show to the gateway ($" GATEWAY_TOKEN_NAME ")")                    \
    X(CA_FILE, 0, "ca-file", "FILE",                                                               \
      "certificates (PEM) that https trusts, in place of the system's")

#define GATEWAY_ROW(word, letter, name, argument, help) { letter, name, argument, help },

enum {
#define X(word, letter, name, argument, help) GATEWAY_##word,
    GATEWAY_OPTIONS(X)
#undef X
        GATEWAY_ROWS
};

struct gateway_words {
    const char *url;        /* NULL: that of the environment, or the usual one */
    const char *token_file; /* NULL: that of the environment, or none */
    const char *ca_file;    /* NULL: the system's */
};

struct gateway_request {
    struct str path;        /* percent-encoded, with its query */
    const struct buf *body; /* JSON; NULL: a GET */
    int64_t timeout_ms;     /* 0: as long as the gateway takes */
    bool is_probe;          /* it needs no token, and is over after timeout_ms */
};

/* Takes one of the rows. */
void gateway_take(struct gateway_words *words, size_t row, const char *argument);

/* Appends `/` and the segment, percent-encoded. */
void gateway_add_segment(struct buf *path, const char *segment);

/* Makes the request. Returns EX_OK with an answer, of whatever HTTP status; else the exit status,
 * after telling on stderr. */
int gateway_ask(const struct gateway_words *words, const struct gateway_request *request,
                struct reply *ret) MUST_CHECK;

#endif
