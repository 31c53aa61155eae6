/* SPDX-License-Identifier: Apache-2.0 */
/* `rpcgate call`: one call, through a gateway or without one. */
#include "base/alloc.h"
#include "settings/url.h"
#include "tool/command.h"
#include "tool/direct.h"
#include "tool/gateway.h"
#include "tool/params.h"
#include "tool/reply.h"
#include "tool/server.h"
#include "tool/words.h"

#include <stdint.h>
#include <string.h>
#include <sysexits.h>

enum { DIRECT = GATEWAY_ROWS, CONFIG, STRINGS, TYPES, INTEGERS, TIMEOUT, EXTENSIONS, HELP };

static const struct command_option options[] = {
    GATEWAY_OPTIONS(GATEWAY_ROW)
        [DIRECT] = { 0, "direct", "URL",
                     "call this XML-RPC server without a gateway; no UPSTREAM is named then" },
    [CONFIG] = { 'c', "config", "FILE",
                 "call this configuration's UPSTREAM without a gateway, as one would" },
    [STRINGS] = { 's', "strings", NULL, "each PARAM is a string as it stands, not JSON" },
    [TYPES] = { 0, "types", "FORM", "plain or tagged (as the upstream's setting says)" },
    [INTEGERS] = { 0, "integers", "FORM",
                   "number, string or safe (as the upstream's setting says)" },
    [TIMEOUT] = { 0, "timeout", "TIME", "lower the call's time limit, as 1500ms or 2s" },
    [EXTENSIONS] = { 'x', "extensions", "LIST",
                     "with --direct: types that the server takes: nil, ex:nil, i8, biginteger, "
                     "bigdecimal, nonfinite" },
    [HELP] = { 'h', "help", NULL, "print this" },
};

const struct command_info command_call_info = {
    .usage = "rpcgate call [OPTION…] UPSTREAM METHOD [PARAM…]\n"
             "rpcgate call --config FILE [OPTION…] UPSTREAM METHOD [PARAM…]\n"
             "rpcgate call --direct URL [OPTION…] METHOD [PARAM…]",
    .about = "Calls a method and writes its result as JSON, indented on a terminal, in one line\n"
             "elsewhere. A fault or problem is told on standard error, and by the exit "
             "status.\n" PARAMS_HELP,
    .examples = "  rpcgate call supervisor supervisor.getProcessInfo '\"web\"'\n"
                "  rpcgate call -s supervisor supervisor.getProcessInfo web\n"
                "  rpcgate call --url http://127.0.0.1:8080 demo demo.add 2 -5\n"
                "  echo '[[1, 2], {\"a\": null}]' | rpcgate call demo demo.echo -\n"
                "  rpcgate call -c rpcgate.conf odoo version\n"
                "  rpcgate call --direct http://127.0.0.1:9001/RPC2 system.listMethods\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .ends_early = true,
};

struct choices {
    struct gateway_words gateway;
    char *direct; /* a word of argv */
    bool strings;
    struct str types, integers; /* NULL data: not chosen */
    struct direct_call call;    /* for both ways, as far as it goes */
};

static bool apply(void *context, size_t row, const char *argument)
{
    struct choices *c = context;
    switch (row) {
    case DIRECT:
        c->direct = (char *)(uintptr_t)argument;
        return true;
    case CONFIG:
        c->call.config = argument;
        return true;
    case STRINGS:
        c->strings = true;
        return true;
    case TYPES:
        c->types = str_of(argument);
        return words_types(argument, &c->call.decoding.types);
    case INTEGERS:
        c->integers = str_of(argument);
        return words_integers(argument, &c->call.decoding.integers);
    case TIMEOUT:
        return server_duration("--timeout", argument, &c->call.timeout_ms);
    case EXTENSIONS:
        return words_extensions(argument, &c->call.encoding.extensions);
    default:
        gateway_take(&c->gateway, row, argument);
        return true;
    }
}

/* Through the gateway, whose settings hold where nothing is chosen. */
static int ask_gateway(const struct choices *c, const char *upstream, struct reply *ret)
{
    CLEANUP(buf_done) struct buf path;
    buf_init(&path, SIZE_MAX - 1, NULL);
    buf_append_c(&path, "/v1");
    gateway_add_segment(&path, upstream);
    gateway_add_segment(&path, c->call.method);
    if (c->types.data != NULL)
        buf_printf(&path, "?types=%.*s", STR_ARGS(c->types));
    if (c->integers.data != NULL)
        buf_printf(&path, "%sintegers=%.*s", c->types.data != NULL ? "&" : "?",
                   STR_ARGS(c->integers));
    return gateway_ask(&c->gateway,
                       &(struct gateway_request){ .path = buf_str(&path),
                                                  .body = c->call.params,
                                                  .timeout_ms = c->call.timeout_ms },
                       ret);
}

/* As a gateway with that configuration would. */
static int ask_as_configured(struct choices *c, const char *upstream, struct reply *ret)
{
    c->call.upstream = upstream;
    c->call.has_types = c->types.data != NULL;
    c->call.has_integers = c->integers.data != NULL;
    return direct_ask(&c->call, ret);
}

/* Other users of the machine see the words of a command. */
static void hide_credentials(char *word)
{
    struct str login = url_userinfo(str_of(word));
    memset(word + (login.data - word), '*', login.len);
}

static int ask_directly(struct choices *c, struct reply *ret)
{
    CLEANUP(free_charp) char *url = xstrdup(c->direct);
    hide_credentials(c->direct);
    c->call.url = url;
    c->call.ca_file = c->gateway.ca_file;
    c->call.encoding.depth = CODEC_DEPTH_MAX;
    int status = direct_ask(&c->call, ret);
    wipe(url, strlen(url));
    return status;
}

static int ask(struct choices *c, const char *upstream, struct reply *ret)
{
    if (c->call.config != NULL)
        return ask_as_configured(c, upstream, ret);
    return c->direct != NULL ? ask_directly(c, ret) : ask_gateway(c, upstream, ret);
}

static int print(const struct reply *reply)
{
    struct str result;
    int status = reply_check(reply);
    if (status != EX_OK)
        return status;
    if (!reply_member(buf_str(&reply->body), "result", &result))
        return reply_foreign(reply);
    return reply_write(result);
}

static int run(struct choices *c, const char *upstream, char **params)
{
    CLEANUP(buf_done) struct buf body;
    CLEANUP(reply_done) struct reply reply;
    buf_init(&body, SIZE_MAX - 1, NULL);
    reply_init(&reply);
    int status = params_from_words(&(struct params_words){ params, c->strings }, &body);
    if (status != EX_OK)
        return status;
    c->call.params = &body;
    status = ask(c, upstream, &reply);
    return status == EX_OK ? print(&reply) : status;
}

/* What is wrong with the words as a whole, or NULL. */
static const char *complaint(const struct choices *c, int n_operands)
{
    bool direct = c->direct != NULL;
    if (direct && c->call.config != NULL)
        return "--direct and --config name a server each: leave out one of them";
    if (c->call.config != NULL &&
        (c->gateway.url != NULL || c->gateway.token_file != NULL || c->gateway.ca_file != NULL))
        return "--config goes without a gateway: leave out --url, --token-file and --ca-file";
    if (direct && (c->gateway.url != NULL || c->gateway.token_file != NULL))
        return "--direct goes without a gateway: leave out --url and --token-file";
    if (!direct && c->call.encoding.extensions != 0)
        return "--extensions goes with --direct; a gateway has its settings for that";
    if (n_operands < (direct ? 1 : 2))
        return direct ? "a METHOD is missing" : "UPSTREAM and METHOD are needed";
    return NULL;
}

int command_call(int argc, char **argv)
{
    struct choices c = { .strings = false };
    int operand = command_options(argc, argv, &command_call_info, apply, &c);
    if (operand <= 0)
        return operand == 0 ? EX_OK : EX_USAGE;
    const char *wrong = complaint(&c, argc - operand);
    if (wrong != NULL)
        return command_misuse("call", "%s", wrong);
    const char *upstream = c.direct == NULL ? argv[operand++] : NULL;
    c.call.method = argv[operand++];
    return run(&c, upstream, argv + operand);
}
