/* SPDX-License-Identifier: Apache-2.0 */
/* `rpcgate check`: are the upstreams there, and if not, why? */
#include "tool/check.h"

#include "base/alloc.h"
#include "base/log.h"
#include "config/config.h"
#include "tool/command.h"
#include "tool/harmless.h"
#include "tool/lone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* So many are under way at once: one that does not answer does not hold up all others. */
#define AT_ONCE 16

enum { CONFIG, JSON, HELP };

static const struct command_option options[] = {
    [CONFIG] = { 'c', "config", "FILE",
                 "the gateway's configuration (" RPCGATE_SYSCONFDIR "/rpcgate/rpcgate.conf)" },
    [JSON] = { 0, "json", NULL, "write one JSON object, for programs" },
    [HELP] = { 'h', "help", NULL, "print this" },
};

const struct command_info command_check_info = {
    .usage = "rpcgate check [-c FILE] [--json] [UPSTREAM]",
    .about = "Goes the way of a call to each URL of the configuration's upstreams, or of the one\n"
             "that is named: DNS, connect, TLS, authentication, and one call of\n"
             "system.listMethods; then, where the upstream has a session, a login and a logout.\n"
             "Each step is ok, failed or skipped, with its time and the reason; below a failed\n"
             "one stands what to do.",
    .examples = "  rpcgate check\n"
                "  rpcgate check -c rpcgate.conf supervisor\n"
                "  rpcgate check --json | jq '.upstreams[] | select(.ok | not)'\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
};

struct choices {
    const char *config;
    bool json;
};

/* All that are to be made. */
struct checks {
    struct config *config;
    struct lone *lone; /* which makes the calls */
    struct check *items;
    size_t n;
    size_t started, running, printed;
    bool all_called;
    bool json;
    bool written; /* so far */
};

static bool apply(void *context, size_t row, const char *argument)
{
    struct choices *c = context;
    if (row == CONFIG)
        c->config = argument;
    else
        c->json = true;
    return true;
}

/* Those that are done, as far as all before them are. */
static bool print_ready(struct checks *checks)
{
    CLEANUP(chain_done) struct chain text;
    chain_init(&text, SIZE_MAX, NULL);
    while (checks->printed < checks->n && checks->items[checks->printed].done) {
        if (checks->printed > 0)
            chain_append_byte(&text, '\n');
        check_print(&checks->items[checks->printed++], &text);
    }
    return command_write_chain(&text) && fflush(stdout) == 0;
}

static void on_told(void *context)
{
    struct checks *checks = context;
    if (!checks->json)
        checks->written = print_ready(checks) && checks->written;
}

/* Those without a session are printed by now, and the others as theirs ends. */
static bool run_sessions(struct checks *checks)
{
    if (check_sessions(checks->config, checks->items, checks->n, on_told, checks))
        return true;
    fprintf(stderr, "rpcgate: cannot log in: %s\n", strerror(errno));
    return false;
}

static void start_more(struct checks *checks)
{
    while (checks->started < checks->n && checks->running < AT_ONCE) {
        size_t i = checks->started++;
        checks->running++;
        check_start(&checks->items[i], checks->lone, i);
    }
}

static void on_done(struct check *check)
{
    struct checks *checks = check->user;
    checks->running--;
    start_more(checks);
    if (!checks->json)
        checks->written = print_ready(checks) && checks->written;
    checks->all_called = checks->running == 0;
}

static void add_upstream(struct checks *checks, const struct config *config,
                         const struct upstream_config *upstream)
{
    checks->items =
        xreallocarray(checks->items, checks->n + upstream->n_targets, sizeof *checks->items);
    for (size_t i = 0; i < upstream->n_targets; i++)
        checks->items[checks->n++] = (struct check){
            .config = config,
            .upstream = upstream,
            .target = i,
            .on_done = on_done,
            .user = checks,
        };
}

static bool run_calls(struct checks *checks)
{
    struct config *config = check_config_open(checks->items, checks->n);
    checks->all_called = checks->n == 0;
    checks->lone = lone_open(config);
    if (checks->lone == NULL) {
        fprintf(stderr, "rpcgate: cannot begin: %s\n", strerror(errno));
        check_config_close(config);
        return false;
    }
    start_more(checks);
    lone_run(checks->lone, &checks->all_called);
    lone_close(checks->lone);
    check_config_close(config);
    return true;
}

static bool run(struct checks *checks)
{
    if (!run_sessions(checks))
        return false;
    if (!checks->json)
        return checks->written;
    CLEANUP(chain_done) struct chain text;
    chain_init(&text, SIZE_MAX, NULL);
    check_print_json(checks->items, checks->n, &text);
    return harmless_write_json(&text);
}

static int end(struct checks *checks, bool written)
{
    int status = written ? EX_OK : EX_IOERR;
    for (size_t i = 0; i < checks->n; i++) {
        if (status == EX_OK && check_failed(&checks->items[i]))
            status = EX_UNAVAILABLE;
        check_end(&checks->items[i]);
    }
    return status;
}

static int check_all(struct checks *checks)
{
    int status = EX_OSERR;
    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, false); /* the steps say it all */
    if (run_calls(checks))
        status = end(checks, run(checks));
    free(checks->items);
    return status;
}

static int check_config(const struct choices *c, struct config *config, const char *name)
{
    struct checks checks = { .config = config, .json = c->json, .written = true };
    const struct upstream_config *named = NULL;
    if (name != NULL && (named = config_upstream(config, str_of(name))) == NULL)
        return command_misuse("check", "the configuration has no upstream \"%s\"", name);
    for (size_t i = 0; i < config->n_upstreams; i++)
        if (named == NULL || named == &config->upstreams[i])
            add_upstream(&checks, config, &config->upstreams[i]);
    if (checks.n == 0)
        fputs("rpcgate: the configuration has no upstreams: nothing is checked\n", stderr);
    return check_all(&checks);
}

int command_check(int argc, char **argv)
{
    struct choices c = { .config = RPCGATE_SYSCONFDIR "/rpcgate/rpcgate.conf" };
    struct config_report report;
    int status = EX_CONFIG;
    int operand = command_options(argc, argv, &command_check_info, apply, &c);
    if (operand <= 0)
        return operand == 0 ? EX_OK : EX_USAGE;
    if (argc - operand > 1)
        return command_misuse("check", "it takes the name of one upstream, or none for all");
    config_report_init(&report);
    struct config *config =
        config_read_path(c.config, &(struct config_read_options){ .testing = false }, &report);
    fputs(buf_c(&report.warnings), stderr);
    fputs(buf_c(&report.errors), stderr);
    if (config != NULL)
        status = check_config(&c, config, argv[operand]);
    else if (report.missing)
        status = EX_NOINPUT;
    config_unref(config);
    config_report_done(&report);
    return status;
}
