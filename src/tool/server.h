/* SPDX-License-Identifier: Apache-2.0 */
/* A server that the words of a command name, and one exchange with it. It becomes a configuration
 * of one upstream, so that its URL is read, and its credentials are kept and hidden, as those of a
 * file are. */
#ifndef RPCGATE_TOOL_SERVER_H
#define RPCGATE_TOOL_SERVER_H

#include "base/macros.h"
#include "base/str.h"
#include "io/upstream.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stdint.h>

/* What its upstream is called in messages. */
#define SERVER_NAME "server"

struct server_words {
    const char *option; /* that has the URL, for messages: "--url" */
    const char *url;
    struct str path;     /* to be put behind the URL; empty: nothing */
    const char *token;   /* NULL: none */
    const char *header;  /* one more, "Name: value"; NULL: none */
    const char *ca_file; /* NULL: the system's */
};

/* Returns EX_OK, or the exit status after telling on stderr what is wrong with the words. */
int server_config(const struct server_words *words, struct config **ret) MUST_CHECK;

/* Makes a call of that upstream, until one of its functions has set `done`. False: told on stderr
 * (EX_OSERR). */
bool server_call(const struct upstream_config *upstream, struct upstream_call *call,
                 const bool *done) MUST_CHECK;

/* `1500ms` and the like. False: told on stderr (EX_USAGE). */
bool server_duration(const char *option, const char *text, int64_t *ret_ms) MUST_CHECK;

#endif
