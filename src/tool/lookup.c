/* SPDX-License-Identifier: Apache-2.0 */
/* `rpcgate upstreams`, `rpcgate methods` and `rpcgate describe`: what a gateway tells of its
 * upstreams, as lines for people and scripts. */
#include "codec/json/cursor.h"
#include "tool/command.h"
#include "tool/gateway.h"
#include "tool/named.h"
#include "tool/reply.h"
#include "tool/server.h"

#include <stdint.h>
#include <stdio.h>
#include <sysexits.h>

/* Where the states of upstreams stand, unless a name is longer. [columns] */
#define STATE_COLUMN 24

/* The last one is of `upstreams` alone. */
enum { TIMEOUT = GATEWAY_ROWS, JSON, HELP, CONFIG };

static const struct command_option options[] = {
    GATEWAY_OPTIONS(GATEWAY_ROW)[TIMEOUT] = { 0, "timeout", "TIME",
                                              "wait no longer, as 1500ms or 2s" },
    [JSON] = { 0, "json", NULL, "write the gateway's answer, for programs" },
    [HELP] = { 'h', "help", NULL, "print this" },
};

static const struct command_option upstreams_options[] = {
    GATEWAY_OPTIONS(GATEWAY_ROW)[TIMEOUT] = { 0, "timeout", "TIME",
                                              "wait no longer, as 1500ms or 2s" },
    [JSON] = { 0, "json", NULL, "write the gateway's answer, for programs" },
    [HELP] = { 'h', "help", NULL, "print this" },
    [CONFIG] = { 'c', "config", "FILE",
                 "list those that this configuration names; nobody is asked" },
};

const struct command_info command_upstreams_info = {
    .usage = "rpcgate upstreams [OPTION…]\n"
             "rpcgate upstreams -c FILE [--json]",
    .about =
        "Lists the upstreams that the gateway lets you use, one on a line, and whether each is\n"
        "up, down or unknown (nobody has called it yet).",
    .examples =
        "  rpcgate upstreams\n"
        "  rpcgate upstreams --url http://127.0.0.1:8080 | awk '$2 == \"down\" { print $1 }'\n",
    .options = upstreams_options,
    .n_options = ARRAY_LEN(upstreams_options),
};

const struct command_info command_methods_info = {
    .usage = "rpcgate methods [OPTION…] UPSTREAM [GLOB]",
    .about = "Lists the methods of an upstream, one on a line, or those that the glob matches, as\n"
             "its system.listMethods tells them. An upstream without that has status 69.",
    .examples = "  rpcgate methods supervisor\n"
                "  rpcgate methods supervisor '*.get*'\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
};

const struct command_info command_describe_info = {
    .usage = "rpcgate describe [OPTION…] UPSTREAM METHOD",
    .about = "Tells the signatures of a method, and its help, as the upstream's\n"
             "system.methodSignature and system.methodHelp tell them.",
    .examples = "  rpcgate describe supervisor supervisor.startProcess\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
};

struct lookup {
    struct gateway_words gateway;
    int64_t timeout_ms; /* 0: as long as it takes */
    bool json;
    const char *config;   /* NULL: the gateway is asked */
    const char *upstream; /* NULL: of all */
    const char *method;   /* NULL: of none */
    const char *glob;     /* NULL: all */
};

static bool apply(void *context, size_t row, const char *argument)
{
    struct lookup *l = context;
    if (row == TIMEOUT)
        return server_duration("--timeout", argument, &l->timeout_ms);
    if (row == JSON)
        l->json = true;
    else if (row == CONFIG)
        l->config = argument;
    else
        gateway_take(&l->gateway, row, argument);
    return true;
}

/* Asks, and has the answer's document printed. Returns the exit status. */
static int look(const struct lookup *l,
                int (*print)(const struct lookup *l, struct str document, struct buf *to))
{
    CLEANUP(buf_done) struct buf path;
    CLEANUP(buf_done) struct buf text;
    CLEANUP(reply_done) struct reply reply;
    buf_init(&path, SIZE_MAX - 1, NULL);
    buf_init(&text, SIZE_MAX - 1, NULL);
    reply_init(&reply);
    buf_append_c(&path, "/v1");
    if (l->upstream != NULL)
        gateway_add_segment(&path, l->upstream);
    if (l->method != NULL)
        gateway_add_segment(&path, l->method);
    int status = gateway_ask(
        &l->gateway,
        &(struct gateway_request){ .path = buf_str(&path), .timeout_ms = l->timeout_ms }, &reply);
    if (status == EX_OK)
        status = reply_check(&reply);
    if (status != EX_OK)
        return status;
    if (l->json)
        return reply_write(buf_str(&reply.body));
    status = print(l, buf_str(&reply.body), &text);
    if (status < 0)
        return reply_foreign(&reply);
    return command_write(buf_str(&text)) ? status : EX_IOERR;
}

/* What a printer returns for a document that no gateway writes. */
#define FOREIGN (-1)

static bool member_array(struct str document, const char *name, struct str *ret)
{
    return reply_member(document, name, ret) && ret->data[0] == '[';
}

static void print_upstream(struct str item, struct buf *to)
{
    struct str name, state;
    size_t start = to->len;
    if (!reply_member(item, "name", &name))
        return;
    reply_word(name, to);
    if (reply_member(item, "state", &state)) {
        size_t width = to->len - start;
        buf_printf(to, "%*s", width < STATE_COLUMN ? (int)(STATE_COLUMN - width) : 1, "");
        reply_word(state, to);
    }
    buf_append_byte(to, '\n');
}

static int print_upstreams(const struct lookup *l UNUSED, struct str document, struct buf *to)
{
    struct str list, item;
    if (!member_array(document, "upstreams", &list))
        return FOREIGN;
    struct json_cursor items = json_enter(list);
    while (json_next(&items, NULL, &item))
        print_upstream(item, to);
    return EX_OK;
}

static void print_method(const struct lookup *l, struct str item, struct buf *to)
{
    CLEANUP(buf_done) struct buf name;
    struct str quoted;
    buf_init(&name, SIZE_MAX - 1, NULL);
    if (!reply_member(item, "name", &quoted))
        return;
    reply_word(quoted, &name);
    if (l->glob != NULL && !glob_match(str_of(l->glob), buf_str(&name)))
        return;
    buf_append(to, buf_str(&name));
    buf_append_byte(to, '\n');
}

/* An upstream that does not tell them. */
static int tell_reason(const struct lookup *l, struct str document)
{
    CLEANUP(buf_done) struct buf reason;
    struct str quoted;
    buf_init(&reason, SIZE_MAX - 1, NULL);
    if (reply_member(document, "reason", &quoted))
        reply_text(quoted, &reason);
    fprintf(stderr, "rpcgate: %s does not tell its methods%s%s\n", l->upstream,
            reason.len > 0 ? ": " : "", buf_c(&reason));
    return EX_UNAVAILABLE;
}

static int print_methods(const struct lookup *l, struct str document, struct buf *to)
{
    struct str list, item;
    if (!reply_member(document, "methods", &list))
        return FOREIGN;
    if (list.data[0] != '[')
        return tell_reason(l, document);
    struct json_cursor items = json_enter(list);
    while (json_next(&items, NULL, &item))
        print_method(l, item, to);
    return EX_OK;
}

/* The first type is the result's. */
static void print_signature(const struct lookup *l, struct str signature, struct buf *to)
{
    struct str type, result = STR("\"\"");
    if (signature.data[0] != '[')
        return;
    struct json_cursor types = json_enter(signature);
    bool has_result = json_next(&types, NULL, &result);
    buf_printf(to, "%s(", l->method);
    for (size_t i = 0; has_result && json_next(&types, NULL, &type); i++) {
        buf_append_c(to, i > 0 ? ", " : "");
        reply_word(type, to);
    }
    buf_append_byte(to, ')');
    if (has_result) {
        buf_append_c(to, " -> ");
        reply_word(result, to);
    }
    buf_append_byte(to, '\n');
}

static int print_description(const struct lookup *l, struct str document, struct buf *to)
{
    struct str signatures, signature, help;
    if (!reply_member(document, "signatures", &signatures) ||
        !reply_member(document, "help", &help))
        return FOREIGN;
    if (signatures.data[0] == '[') {
        struct json_cursor items = json_enter(signatures);
        while (json_next(&items, NULL, &signature))
            print_signature(l, signature, to);
    }
    if (to->len == 0)
        buf_printf(to, "%s(…)\n", l->method);
    size_t before = to->len;
    buf_append_byte(to, '\n');
    reply_text(help, to);
    while (to->len > before && to->data[to->len - 1] == '\n')
        to->len--;
    if (to->len > before)
        buf_append_byte(to, '\n');
    return EX_OK;
}

int command_upstreams(int argc, char **argv)
{
    struct lookup l = { .json = false };
    int operand = command_options(argc, argv, &command_upstreams_info, apply, &l);
    if (operand <= 0)
        return operand == 0 ? EX_OK : EX_USAGE;
    if (argc > operand)
        return command_misuse("upstreams", "it takes options only");
    if (l.config != NULL && (l.gateway.url != NULL || l.gateway.token_file != NULL))
        return command_misuse("upstreams", "--config asks no gateway: leave out --url and "
                                           "--token-file");
    if (l.config != NULL)
        return named_print(l.config, l.json);
    return look(&l, print_upstreams);
}

int command_methods(int argc, char **argv)
{
    struct lookup l = { .json = false };
    int operand = command_options(argc, argv, &command_methods_info, apply, &l);
    if (operand <= 0)
        return operand == 0 ? EX_OK : EX_USAGE;
    if (argc - operand < 1 || argc - operand > 2)
        return command_misuse("methods", "it takes an UPSTREAM, and perhaps a GLOB");
    l.upstream = argv[operand];
    l.glob = argv[operand + 1];
    if (l.glob != NULL && l.json)
        return command_misuse("methods", "--json writes all methods: leave out the GLOB");
    return look(&l, print_methods);
}

int command_describe(int argc, char **argv)
{
    struct lookup l = { .json = false };
    int operand = command_options(argc, argv, &command_describe_info, apply, &l);
    if (operand <= 0)
        return operand == 0 ? EX_OK : EX_USAGE;
    if (argc - operand != 2)
        return command_misuse("describe", "it takes an UPSTREAM and a METHOD");
    l.upstream = argv[operand];
    l.method = argv[operand + 1];
    return look(&l, print_description);
}
