/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/server.h"

#include "config/config.h"
#include "config/shown.h"
#include "io/loop.h"
#include "settings/kinds.h"
#include "settings/url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)256 * 1024)
#define WHY_MAX 512

static bool check_url(const struct server_words *words, struct str url)
{
    CLEANUP(buf_done) struct buf why;
    buf_init(&why, WHY_MAX, NULL);
    if (url_parse(NULL, url, NULL, &why))
        return true;
    fprintf(stderr, "rpcgate: %s: %s\n", words->option, buf_c(&why));
    return false;
}

static void append_setting(struct buf *to, const char *begin, struct str value, const char *end)
{
    buf_append_c(to, begin);
    shown_quote(to, value);
    buf_append_c(to, end);
}

/* In the configuration's own syntax. Room is made at once: growing would leave copies of secrets
 * behind. */
static void write_config(const struct server_words *words, struct str url, struct buf *to)
{
    buf_reserve(to, TEXT_MAX);
    append_setting(to, "upstreams = { " SERVER_NAME " = { url = ", url, ";\n");
    if (words->token != NULL)
        append_setting(to, "auth = { scheme = \"bearer\"; token = ", str_of(words->token),
                       "; };\n");
    if (words->header != NULL)
        append_setting(to, "headers = [ ", str_of(words->header), " ];\n");
    if (words->ca_file != NULL)
        append_setting(to, "tls = { ca_file = ", str_of(words->ca_file), "; };\n");
    buf_append_c(to, "}; };\n");
}

static struct config *read_config(const struct server_words *words, struct str url)
{
    struct buf text;
    struct config_report report;
    buf_init(&text, TEXT_MAX, NULL);
    config_report_init(&report);
    write_config(words, url, &text);
    struct config *config = config_read_text(words->option, buf_str(&text),
                                             &(struct config_read_options){ 0 }, &report);
    if (config == NULL)
        fprintf(stderr, "rpcgate: %s", buf_c(&report.errors));
    config_report_done(&report);
    buf_wipe(&text);
    return config;
}

static bool check_ca_file(const char *path)
{
    if (path == NULL || access(path, R_OK) == 0)
        return true;
    fprintf(stderr, "rpcgate: --ca-file: cannot open `%s`: %s\n", path, strerror(errno));
    return false;
}

int server_config(const struct server_words *words, struct config **ret)
{
    struct buf url;
    *ret = NULL;
    if (!check_ca_file(words->ca_file))
        return EX_NOINPUT;
    buf_init(&url, TEXT_MAX / 4, NULL);
    buf_append_c(&url, words->url);
    while (words->path.len > 0 && url.len > 0 && url.data[url.len - 1] == '/')
        url.len--;
    buf_append(&url, words->path);
    if (check_url(words, buf_str(&url)))
        *ret = read_config(words, buf_str(&url));
    buf_wipe(&url);
    return *ret != NULL ? EX_OK : EX_USAGE;
}

static void run(struct loop *loop, struct upstreams *all, const bool *done)
{
    for (;;) {
        upstreams_run(all);
        if (*done)
            return;
        loop_wait(loop, upstreams_deadline_ms(all));
    }
}

bool server_call(const struct upstream_config *upstream, struct upstream_call *call,
                 const bool *done)
{
    struct loop *loop = loop_new();
    if (loop == NULL || !upstreams_global_init()) {
        fprintf(stderr, "rpcgate: cannot begin: %s\n", strerror(errno));
        loop_free(loop);
        return false;
    }
    struct upstreams *all = upstreams_new(loop);
    struct upstream *client = upstream_open(all, upstream, NULL);
    upstream_submit(client, call);
    run(loop, all, done);
    upstream_close(client);
    upstreams_free(all);
    loop_free(loop);
    upstreams_global_done();
    return true;
}

bool server_duration(const char *option, const char *text, int64_t *ret_ms)
{
    CLEANUP(buf_done) struct buf why;
    const struct kind *kind = &kinds[KIND_duration];
    buf_init(&why, WHY_MAX, NULL);
    if (kind->parse(kind, str_of(text), ret_ms, &why) && *ret_ms > 0)
        return true;
    if (why.len == 0)
        buf_append_c(&why, "is no time at all");
    fprintf(stderr, "rpcgate: %s: \"%s\" %s\n", option, text, buf_c(&why));
    return false;
}
