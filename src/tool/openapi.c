/* SPDX-License-Identifier: Apache-2.0 */
/* `rpcgate openapi`: the gateway's description of itself, without the gateway. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "front/openapi_writer.h"
#include "tool/command.h"
#include "tool/harmless.h"
#include "tool/lone.h"
#include "tool/rights.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum { CONFIG, UPSTREAM, CALLER, ASK, HELP };

static const struct command_option options[] = {
    [CONFIG] = { 'c', "config", "FILE",
                 "the gateway's configuration (" RPCGATE_SYSCONFDIR "/rpcgate/rpcgate.conf)" },
    [UPSTREAM] = { 0, "upstream", "NAME", "what there is of that upstream alone" },
    [CALLER] = { 0, "caller", "NAME", "what that one of `callers`, or `anonymous`, may use" },
    [ASK] = { 0, "ask", NULL, "ask the upstreams for their methods" },
    [HELP] = { 'h', "help", NULL, "print this" },
};

const struct command_info command_openapi_info = {
    .usage = "rpcgate openapi [-c FILE] [--upstream NAME] [--caller NAME] [--ask]",
    .about =
        "Writes the OpenAPI 3.1 document that the gateway has at /openapi.json, or, with\n"
        "--upstream, at /openapi/NAME.json. Nothing is sent, and no file with a secret is opened:\n"
        "routes are there as they are configured, and of each upstream the one operation that\n"
        "stands for all of its methods. With --ask the upstreams are asked for them, as the\n"
        "gateway does; status 69: one of them did not answer, and has that operation.\n"
        "Without --caller it is what a caller without bounds may use.",
    .examples = "  rpcgate openapi -c rpcgate.conf >openapi.json\n"
                "  rpcgate openapi --caller shop --upstream odoo\n"
                "  rpcgate openapi -c rpcgate.conf --ask | jq '.paths | keys'\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
};

struct choices {
    const char *config;
    const char *upstream; /* NULL: all */
    const char *caller;   /* NULL: one without bounds */
    bool ask;
};

/* The document while it is written. */
struct writing {
    struct openapi_writer writer;
    struct lone *lone; /* which asks the upstreams; NULL: nobody does */
    bool told;         /* of what it waited for */
    int status;        /* how it ends, so far */
};

static bool apply(void *context, size_t row, const char *argument)
{
    struct choices *c = context;
    if (row == CONFIG)
        c->config = argument;
    else if (row == UPSTREAM)
        c->upstream = argument;
    else if (row == CALLER)
        c->caller = argument;
    else
        c->ask = true;
    return true;
}

static void on_told(struct once_wait *wait, bool in_time UNUSED)
{
    CONTAINER_OF(wait, struct writing, writer.waiter.wait)->told = true;
}

static void on_unknown(struct openapi_writer *writer, const struct error *err)
{
    const struct upstream_config *upstream = openapi_writer_upstream(writer);
    struct writing *w = CONTAINER_OF(writer, struct writing, writer);
    CLEANUP(buf_done) struct buf detail;
    buf_init(&detail, SIZE_MAX - 1, NULL);
    lone_tell_detail(w->lone, upstream, err, &detail);
    fprintf(stderr, "rpcgate: %s does not tell its methods: %s\n", upstream->name, buf_c(&detail));
    w->status = EX_UNAVAILABLE;
}

static void write_all(struct writing *w)
{
    enum openapi_step step;
    while ((step = openapi_writer_step(&w->writer)) != OPENAPI_DONE) {
        w->told = step == OPENAPI_MORE;
        if (!w->told)
            lone_run(w->lone, &w->told);
    }
}

static int write_document(struct writing *w, struct config *config, bool ask)
{
    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, false); /* what matters is told */
    if (ask && (w->lone = lone_open(config)) == NULL) {
        fprintf(stderr, "rpcgate: cannot begin: %s\n", strerror(errno));
        return EX_OSERR;
    }
    if (ask) {
        w->writer.waiter.site = lone_site(w->lone);
        w->writer.waiter.until_ms = CLOCK_NEVER;
        w->writer.waiter.wait.go_on = on_told;
        w->writer.on_unknown = on_unknown;
    }
    write_all(w);
    openapi_writer_done(&w->writer);
    if (w->lone != NULL)
        lone_close(w->lone);
    chain_append_byte(w->writer.document.to, '\n');
    return harmless_write_json(w->writer.document.to) ? w->status : EX_IOERR;
}

static int describe(const struct choices *c, struct config *config)
{
    CLEANUP(chain_done) struct chain text;
    struct writing w = { .status = EX_OK };
    struct tool_rights rights;
    openapi_writer_init(&w.writer);
    chain_init(&text, SIZE_MAX, NULL);
    w.writer.document = (struct openapi){ .config = config, .to = &text };
    if (c->upstream != NULL) {
        w.writer.document.only = config_upstream(config, str_of(c->upstream));
        if (w.writer.document.only == NULL)
            return command_misuse("openapi", "the configuration has no upstream \"%s\"",
                                  c->upstream);
    }
    if (c->caller != NULL) {
        if (!tool_rights_find(config, c->caller, &rights))
            return command_misuse("openapi", "the configuration has no caller \"%s\"", c->caller);
        w.writer.document.access = &rights.access;
    }
    return write_document(&w, config, c->ask);
}

int command_openapi(int argc, char **argv)
{
    struct choices c = { .config = RPCGATE_SYSCONFDIR "/rpcgate/rpcgate.conf" };
    struct config_report report;
    int status = EX_CONFIG;
    int operand = command_options(argc, argv, &command_openapi_info, apply, &c);
    if (operand <= 0)
        return operand == 0 ? EX_OK : EX_USAGE;
    if (argc > operand)
        return command_misuse("openapi", "it takes options only");
    config_report_init(&report);
    struct config *config =
        config_read_path(c.config, &(struct config_read_options){ .sealed = !c.ask }, &report);
    fputs(buf_c(&report.errors), stderr);
    if (config != NULL)
        status = describe(&c, config);
    else if (report.missing)
        status = EX_NOINPUT;
    config_unref(config);
    config_report_done(&report);
    return status;
}
