/* SPDX-License-Identifier: Apache-2.0 */
/* `rpcgate ready`: what `GET /readyz` tells, as an exit status for health checks. */
#include "tool/command.h"
#include "tool/gateway.h"
#include "tool/reply.h"
#include "tool/server.h"

#include <stdint.h>
#include <stdio.h>
#include <sysexits.h>

/* A health check that hangs is one that failed. [ms] */
#define TIMEOUT_USUAL 5000

enum { TIMEOUT = GATEWAY_ROWS, HELP };

static const struct command_option options[] = {
    GATEWAY_OPTIONS(GATEWAY_ROW)[TIMEOUT] = { 0, "timeout", "TIME",
                                              "wait no longer, as 1500ms or 2s (5s)" },
    [HELP] = { 'h', "help", NULL, "print this" },
};

const struct command_info command_ready_info = {
    .usage = "rpcgate ready [OPTION…]",
    .about =
        "Asks the gateway's /readyz, which needs no token, and writes the state that it tells:\n"
        "ready (status 0), starting or draining (75), upstream-down (69: a required upstream\n"
        "cannot be reached). Without an answer the status is 69, or 75 where it is late. For\n"
        "the health checks of containers and the conditions of scripts.",
    .examples =
        "  rpcgate ready && rpcgate call supervisor supervisor.getState\n"
        "  HEALTHCHECK CMD [\"rpcgate\", \"ready\", \"--url\", \"http://127.0.0.1:8080\"]\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
};

struct choices {
    struct gateway_words gateway;
    int64_t timeout_ms;
};

static bool apply(void *context, size_t row, const char *argument)
{
    struct choices *c = context;
    if (row == TIMEOUT)
        return server_duration("--timeout", argument, &c->timeout_ms);
    gateway_take(&c->gateway, row, argument);
    return true;
}

static int status_of(struct str state)
{
    if (str_eq(state, STR("ready")))
        return EX_OK;
    if (str_eq(state, STR("starting")) || str_eq(state, STR("draining")))
        return EX_TEMPFAIL;
    return EX_UNAVAILABLE;
}

/* A 503 that tells a state is an answer, too. */
static int print(const struct reply *reply)
{
    CLEANUP(buf_done) struct buf line;
    struct str quoted;
    buf_init(&line, SIZE_MAX - 1, NULL);
    bool expected = reply->http_status == 200 || reply->http_status == 503;
    if (!expected || !reply_is_document(reply) ||
        !reply_member(buf_str(&reply->body), "status", &quoted) || quoted.data[0] != '"') {
        int status = reply_check(reply);
        return status != EX_OK ? status : reply_foreign(reply);
    }
    reply_word(quoted, &line);
    int status = status_of(buf_str(&line));
    if (status == EX_OK && reply->http_status != 200)
        status = EX_UNAVAILABLE;
    buf_append_byte(&line, '\n');
    return command_write(buf_str(&line)) ? status : EX_IOERR;
}

int command_ready(int argc, char **argv)
{
    struct choices c = { .timeout_ms = TIMEOUT_USUAL };
    CLEANUP(reply_done) struct reply reply;
    reply_init(&reply);
    int operand = command_options(argc, argv, &command_ready_info, apply, &c);
    if (operand <= 0)
        return operand == 0 ? EX_OK : EX_USAGE;
    if (argc > operand)
        return command_misuse("ready", "it takes options only");
    int status =
        gateway_ask(&c.gateway,
                    &(struct gateway_request){
                        .path = STR("/readyz"), .timeout_ms = c.timeout_ms, .is_probe = true },
                    &reply);
    return status == EX_OK ? print(&reply) : status;
}
