/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/explain.h"

#include "client/document.h"
#include "config/config.h"
#include "rules/retry.h"
#include "tool/command.h"
#include "tool/params.h"
#include "tool/reply.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sysexits.h>

enum { CONFIG, STRINGS, CALLER, ROUTE, HELP };

static const struct command_option options[] = {
    [CONFIG] = { 'c', "config", "FILE",
                 "the gateway's configuration (" RPCGATE_SYSCONFDIR "/rpcgate/rpcgate.conf)" },
    [STRINGS] = { 's', "strings", NULL, "each PARAM is a string as it stands, not JSON" },
    [CALLER] = { 0, "caller", "NAME",
                 "tell whether that caller may make the call, and by which rule" },
    [ROUTE] = { 0, "route", NULL,
                "what stands behind is a route's name, and what a request gives it: NAME=VALUE" },
    [HELP] = { 'h', "help", NULL, "print this" },
};

const struct command_info command_explain_info = {
    .usage = "rpcgate explain [-c FILE] [-s] [--caller NAME] UPSTREAM METHOD [PARAM…]\n"
             "       rpcgate explain [-c FILE] [--caller NAME] --route ROUTE [NAME=VALUE…]",
    .about =
        "Shows the HTTP request that the call would send, with *** for secrets, the XML in it,\n"
        "and the settings that apply, each with its origin. Nothing is sent, no name is looked\n"
        "up, and no file with a secret is opened, so whoever can read the configuration can\n"
        "ask. With --caller it tells instead whether one of `callers`, or `anonymous`, may make\n"
        "the call, and which rule of which line decides; status 77: it may not. With --route the\n"
        "call is the one that a route makes of what a request gives it.\n" PARAMS_HELP,
    .examples = "  rpcgate explain supervisor supervisor.getProcessInfo '\"web\"'\n"
                "  rpcgate explain --caller bot odoo execute_kw '\"res.partner\"' '\"unlink\"'\n"
                "  rpcgate explain --route partner id=7 fields=name\n"
                "  rpcgate explain -c rpcgate.conf books lookup '[1, {\"$dateTime\": 0}]'\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .ends_early = true,
};

struct choices {
    const char *config;
    const char *caller; /* NULL: what is sent is asked for */
    bool strings;
    bool route; /* the words are of a route */
};

struct subject {
    const struct config *config;
    const struct upstream_config *upstream;
    const char *method;
    const struct explain_added *added;
    const struct route_config *route; /* by which it is called; NULL: by none */
};

static bool apply(void *context, size_t row, const char *argument)
{
    struct choices *c = context;
    if (row == CONFIG)
        c->config = argument;
    else if (row == CALLER)
        c->caller = argument;
    else if (row == ROUTE)
        c->route = true;
    else
        c->strings = true;
    return true;
}

static int write_document(const struct subject *s, struct str params, struct document *to)
{
    struct encode_options encoding = document_options(s->config, s->upstream);
    struct document_call call = { .method = str_of(s->method), .params = params };
    struct error err;
    if (s->added->rule != NULL)
        call.around = &s->added->around;
    if (params_check_method(call.method, &err) && document_write(to, &encoding, &call, &err))
        return EX_OK;
    fprintf(stderr, "rpcgate: %s", err.detail);
    if (err.has_pointer)
        fprintf(stderr, " (at \"%s\")", err.pointer);
    fputc('\n', stderr);
    return reply_status(err.type);
}

static void add_request(const struct subject *s, const struct chain *document, struct buf *to)
{
    const struct upstream_target *target = &s->upstream->targets[0];
    if (target->url == NULL) {
        buf_append_c(to,
                     "# The request; its head is not known without the secret that `url` is.\n\n");
        return;
    }
    buf_printf(to, "# The request to %s", target->shown);
    if (target->unix_socket != NULL)
        buf_printf(to, " by the unix socket %s", target->socket_shown);
    if (s->upstream->proxy_target.url != NULL)
        buf_printf(to, " by the proxy %s", s->upstream->proxy_target.shown);
    if (target->scgi)
        buf_append_c(to, ", its head as variables of SCGI");
    buf_append_byte(to, '\n');
    explain_added_tell(s->added, to);
    buf_append_byte(to, '\n');
    if (!explain_head(s->upstream, document, &s->added->added, to))
        buf_append_c(to, "# Its head could not be found out.\n\n");
}

static void add_kept(const struct subject *s, const struct method_rule *rule, struct buf *to)
{
    const struct cache_config *cache = rule->cache;
    if (s->route != NULL && s->route->cache.present && (rule->safe || s->route->safe))
        cache = cache_choose(&s->route->cache, NULL);
    if (cache == NULL) {
        buf_append_c(to, "# Nothing is kept of its results.\n");
        return;
    }
    buf_printf(to,
               "# Its result is kept for %" PRId64 " ms, and %" PRId64
               " ms more for when the upstream "
               "fails,\n# %s. Equal calls that are under way are made %s.\n",
               cache->ttl, cache->stale_if_error,
               cache->by_caller ? "for each caller apart" : "for all callers together",
               cache->collapse ? "once" : "each by itself");
}

static void add_settings(const struct subject *s, struct buf *to)
{
    const struct upstream_config *u = s->upstream;
    struct method_rule rule = method_rule_find(u, str_of(s->method));
    buf_printf(to, "\n\n# The settings of upstreams.%s\n\n", u->name);
    config_print_upstream(u, to);
    buf_printf(to, "\n# The entry of `methods` for %s\n\n", s->method);
    size_t i = 0;
    while (i < u->n_methods && !glob_match(str_of(u->methods[i].match), str_of(s->method)))
        i++;
    if (i < u->n_methods)
        config_print_method_rule(&u->methods[i], to);
    else
        buf_append_c(to, "// There is none.\n");
    buf_printf(to, "\n# The call may take %" PRId64 " ms (%s). After a lost answer it is %s.\n",
               rule.timeout_ms, rule.timeout_setting,
               rule.safe ? "sent again: it is safe" : "not sent again: it is not known to be safe");
    add_kept(s, &rule, to);
    if (u->join.present && rule.safe)
        buf_printf(
            to,
            "# With others that are there at once it goes out in one system.multicall, if the "
            "server\n# has that: up to %" PRId64 " of them (join.max).\n",
            u->join.max);
    else if (u->join.present)
        buf_append_c(to, "# It goes out by itself: `join` is for safe methods.\n");
}

static int print(const struct subject *s, const struct chain *document)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX - 1, NULL);
    add_request(s, document, &text);
    if (!command_write(buf_str(&text)) || !command_write_chain(document))
        return EX_IOERR;
    buf_clear(&text);
    add_settings(s, &text);
    return command_write(buf_str(&text)) ? EX_OK : EX_IOERR;
}

static int explain(const struct subject *s, struct str params)
{
    struct document document;
    document_init(&document, NULL);
    int status = write_document(s, params, &document);
    if (status == EX_OK)
        status = print(s, &document.text);
    document_done(&document);
    return status;
}

static int explain_with(struct subject *s, struct str params)
{
    struct explain_added added;
    explain_added_init(&added, s->upstream, str_of(s->method));
    s->added = &added;
    int status = explain(s, params);
    s->added = NULL;
    explain_added_done(&added);
    return status;
}

static int explain_named(const struct choices *c, const struct config *config, char **words,
                         struct str params)
{
    struct subject s = { config, config_upstream(config, str_of(words[0])), words[1], NULL, NULL };
    if (s.upstream == NULL)
        return command_misuse("explain", "the configuration has no upstream \"%s\"", words[0]);
    if (c->caller != NULL)
        return explain_access(config, c->caller,
                              &(struct access_call){ .upstream = str_of(words[0]),
                                                     .method = str_of(words[1]),
                                                     .params = params });
    return explain_with(&s, params);
}

static int explain_by_route(const struct choices *c, const struct config *config, char **words)
{
    CLEANUP(buf_done) struct buf params;
    const struct route_config *route;
    buf_init(&params, SIZE_MAX - 1, NULL);
    int status = explain_route(config, words, &route, &params);
    if (status != EX_OK)
        return status;
    struct subject s = { config, route->upstream, route->method, NULL, route };
    if (c->caller != NULL)
        return explain_access(config, c->caller,
                              &(struct access_call){ .upstream = str_of(route->upstream->name),
                                                     .method = str_of(route->method),
                                                     .params = buf_str(&params),
                                                     .route = str_of(route->name) });
    return explain_with(&s, buf_str(&params));
}

static int explain_call(const struct choices *c, char **words, struct str params)
{
    struct config_report report;
    int status = EX_CONFIG;
    config_report_init(&report);
    struct config *config =
        config_read_path(c->config, &(struct config_read_options){ .sealed = true }, &report);
    fputs(buf_c(&report.errors), stderr);
    if (config == NULL) {
        status = report.missing ? EX_NOINPUT : EX_CONFIG;
    } else {
        status =
            c->route ? explain_by_route(c, config, words) : explain_named(c, config, words, params);
    }
    config_unref(config);
    config_report_done(&report);
    return status;
}

int command_explain(int argc, char **argv)
{
    struct choices c = { .config = RPCGATE_SYSCONFDIR "/rpcgate/rpcgate.conf" };
    CLEANUP(buf_done) struct buf params;
    buf_init(&params, SIZE_MAX - 1, NULL);
    int operand = command_options(argc, argv, &command_explain_info, apply, &c);
    if (operand <= 0)
        return operand == 0 ? EX_OK : EX_USAGE;
    if (c.route && argc - operand < 1)
        return command_misuse("explain", "a route's name is needed");
    if (c.route)
        return explain_call(&c, argv + operand, (struct str){ NULL, 0 });
    if (argc - operand < 2)
        return command_misuse("explain", "UPSTREAM and METHOD are needed");
    int status =
        params_from_words(&(struct params_words){ argv + operand + 2, c.strings }, &params);
    return status == EX_OK ? explain_call(&c, argv + operand, buf_str(&params)) : status;
}
