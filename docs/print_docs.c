/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the parts of the documentation that are made from tables in the code. `make update-docs`
 * writes them into the source tree, `make check` fails where they differ. */
#include "base/alloc.h"
#include "codec/error.h"
#include "codec/xml/decode_reasons.h"
#include "config/config.h"
#include "config/profiles.h"
#include "front/metric_list.h"
#include "front/surface_list.h"
#include "print_man.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void print_problems(struct buf *to)
{
    buf_append_c(to,
                 "# Problems\n\n"
                 "Every error is a document of type `application/problem+json` (RFC 9457) whose "
                 "`type` is\n`urn:rpcgate:problem:NAME`. `executed` says whether the upstream ran "
                 "the call; where the table says\n`yes` or `no`, it is so unless the document says "
                 "otherwise.\n\n"
                 "| NAME | status | when | `executed` |\n| --- | --- | --- | --- |\n");
    for (unsigned i = 0; i < PROBLEM_TYPES; i++) {
        const struct problem_info *info = problem_info((enum problem_type)i);
        buf_printf(to, "| `%s` | %d | %s | %s |\n", info->name, info->status, info->when,
                   executed_name(info->executed));
    }
}

static void print_metrics(struct buf *to)
{
    buf_append_c(to, "# Metrics\n\n"
                     "`GET /metrics` shows them in Prometheus' text format, to callers that are "
                     "known (or anonymous).\nNo label holds what a caller chose but the names of "
                     "methods that have succeeded, 200 for an upstream.\n\n"
                     "| name | type | meaning |\n| --- | --- | --- |\n");
#define X(word, name, type, help) buf_append_c(to, "| `" name "` | " type " | " help " |\n");
    METRIC_LIST(X)
#undef X
}

#define METHODS_GET "GET"
#define METHODS_POST "POST"
#define METHODS_PUT "PUT"
#define METHODS_PATCH "PATCH"
#define METHODS_DELETE "DELETE"
#define METHODS_OPTIONS "OPTIONS"
#define ON_API "api"
#define ON_HEALTH "health"
#define ON_METRICS "metrics"
#define FOR_CALLER "yes"
#define FOR_VISITOR "no"
#define FOR_ANYBODY "no"

static void print_surface(struct buf *to)
{
    buf_append_c(to, "| request | what it does | `serve` | asks for a caller |\n"
                     "| --- | --- | --- | --- |\n");
#define X(task, pattern, methods, serve, who, body, form, help)                                    \
    buf_append_c(to, "| `" METHODS_##methods " " pattern "` | " help " | `" ON_##serve             \
                 "` | " FOR_##who " |\n");
    SURFACE_LIST(X)
#undef X
}

static void print_reasons(struct buf *to)
{
    buf_append_c(to, "| what the upstream sent | what to do |\n| --- | --- |\n");
    for (unsigned i = 0; i < REFUSED_REASONS; i++) {
        const struct decode_reason_info *info = decode_reason_info((enum decode_reason)i);
        buf_printf(to, "| %s | %s |\n", info->what, info->advice);
    }
}

/* A page written by hand with parts that are made: comes by standard input. */
static void print_api(struct buf *to)
{
    static const struct {
        const char *begin;
        void (*print)(struct buf *to);
    } parts[] = {
        { "<!-- made from src/front/surface_list.h -->\n", print_surface },
        { "<!-- made from src/codec/xml/decode_reasons.h -->\n", print_reasons },
    };
    char line[1024];
    bool is_made = false;
    while (fgets(line, sizeof line, stdin) != NULL) {
        is_made = is_made && strcmp(line, "<!-- end -->\n") != 0;
        if (!is_made)
            buf_append_c(to, line);
        for (size_t i = 0; i < ARRAY_LEN(parts) && !is_made; i++) {
            is_made = strcmp(line, parts[i].begin) == 0;
            if (is_made)
                parts[i].print(to);
        }
    }
}

static void print_profiles(struct buf *to)
{
    buf_append_c(
        to, "# Profiles\n\n"
            "What servers of a kind want to know of their callers, and how they refuse, is a "
            "profile:\n`profile = \"NAME\";` of an upstream takes its settings, which those of "
            "the upstream replace: lists as a\nwhole, groups member by member; an `auth` with a "
            "`scheme` of its own takes what that scheme wants.\n`rpcgated --show-config` tells "
            "where each comes from. `rpcgate profiles NAME` prints one as "
            "it stands here, to paste into `profiles = { … };` and change.\n"
            "[credentials.md](credentials.md) says what is in them. This page is made from the "
            "files.\n");
    for (size_t i = 0; i < n_profile_texts; i++)
        buf_printf(to, "\n## %s\n\n```\n%s```\n", profile_texts[i].name, profile_texts[i].text);
}

static const struct page {
    const char *name;
    void (*print)(struct buf *to);
} pages[] = {
    { "api.md", print_api },
    { "metrics.md", print_metrics },
    { "problems.md", print_problems },
    { "profiles.md", print_profiles },
    { "configuration.md", config_print_reference },
    { "rpcgate.conf", config_print_sample },
    { "rpcgate.1", print_man_tool },
    { "rpcgated.8", print_man_daemon },
    { "rpcgate.conf.5", print_man_conf },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (argc != 2 || strcmp(argv[1], pages[i].name) != 0)
            continue;
        struct buf text;
        buf_init(&text, SIZE_MAX - 1, NULL);
        pages[i].print(&text);
        fputs(buf_c(&text), stdout);
        buf_done(&text);
        return fflush(stdout) == 0 ? 0 : 1;
    }
    fputs("usage: print-docs PAGE\n", stderr);
    return 2;
}
