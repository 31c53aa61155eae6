/* SPDX-License-Identifier: Apache-2.0 */
/* The way to a gateway: the options that commands have for it, and one request. */
#ifndef RPCGATE_TOOL_GATEWAY_H
#define RPCGATE_TOOL_GATEWAY_H

#include "base/buf.h"
#include "base/macros.h"
#include "base/str.h"
#include "tool/answer.h"

#include <stdbool.h>
#include <stdint.h>

#define GATEWAY_URL "http+unix://%2Frun%2Frpcgate%2Frpcgate.sock"

/* Rows of an option list: X(WORD, letter, name, argument, help) */
#define GATEWAY_OPTIONS(X)                                                                         \
    X(URL, 0, "url", "URL",                                                                        \
      "the gateway: http://HOST:PORT, or http+unix:// and the socket's path with %2F for /"        \
      " (/run/rpcgate/rpcgate.sock)")                                                              \
    X(TOKEN_FILE, 0, "token-file", "FILE", "a file with the token to show to the gateway")

struct gateway_words {
    const char *url;        /* NULL: the usual one */
    const char *token_file; /* NULL: none */
};

struct gateway_request {
    struct str path;        /* percent-encoded, with its query */
    const struct buf *body; /* JSON; NULL: a GET */
    int64_t timeout_ms;     /* 0: as long as the gateway takes */
};

/* Appends `/` and the segment, percent-encoded. */
void gateway_add_segment(struct buf *path, const char *segment);

/* Makes the request. Returns EX_OK with an answer, of whatever HTTP status; else the exit status,
 * after telling on stderr. */
int gateway_ask(const struct gateway_words *words, const struct gateway_request *request,
                struct answer *ret) MUST_CHECK;

#endif
