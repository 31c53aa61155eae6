/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/named.h"

#include "base/buf.h"
#include "config/config.h"
#include "tool/command.h"

#include <stdint.h>
#include <stdio.h>
#include <sysexits.h>

/* Names need no escapes: they are letters, digits, `_` and `-`. */
static void write_json(const struct config *config, struct buf *to)
{
    buf_append_c(to, "{\"upstreams\":[");
    for (size_t i = 0; i < config->n_upstreams; i++)
        buf_printf(to, "%s{\"name\":\"%s\",\"state\":\"unknown\"}", i > 0 ? "," : "",
                   config->upstreams[i].name);
    buf_append_c(to, "]}\n");
}

static int print(const struct config *config, bool json)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX - 1, NULL);
    if (json)
        write_json(config, &text);
    for (size_t i = 0; i < config->n_upstreams && !json; i++)
        buf_printf(&text, "%s\n", config->upstreams[i].name);
    return command_write(buf_str(&text)) ? EX_OK : EX_IOERR;
}

int named_print(const char *path, bool json)
{
    struct config_report report;
    config_report_init(&report);
    struct config *config =
        config_read_path(path, &(struct config_read_options){ .sealed = true }, &report);
    int status = report.missing ? EX_NOINPUT : EX_CONFIG;
    fputs(buf_c(&report.errors), stderr);
    if (config != NULL)
        status = print(config, json);
    config_unref(config);
    config_report_done(&report);
    return status;
}
