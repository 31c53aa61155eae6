/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/demo.h"

#include "config/config.h"
#include "daemon/service.h"
#include "demo/server.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define TEXT_MAX 1024

/* The text that a user would have written for it. */
static bool write_config(char text[TEXT_MAX], const char *listen, unsigned port)
{
    const char *colon = strrchr(listen, ':');
    if (colon == NULL || colon[1] == '\0' || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strpbrk(listen, "\"\\$") != NULL)
        return false;
    int host_len = (int)(colon - listen);
    if (host_len > 2 && listen[0] == '[' && listen[host_len - 1] == ']') {
        listen++;
        host_len -= 2;
    }
    int n = snprintf(text, TEXT_MAX,
                     "listen = ( { address = \"%.*s\"; port = %s; } );\n"
                     "anonymous = { allow = [ \"demo/*\" ]; };\n"
                     "routes = ( { name = \"sum\"; get = \"/sums/{a}\"; call = \"demo/demo.add\";\n"
                     "  safe = true; summary = \"The sum of two integers\";\n"
                     "  params = ( { name = \"a\"; type = \"int\"; },\n"
                     "             { name = \"b\"; type = \"int\"; default = 1; } ); } );\n"
                     "upstreams = { demo = {\n"
                     "  url = \"http://127.0.0.1:%u/RPC2\";\n"
                     "  extensions = [ \"nil\", \"i8\", \"biginteger\", \"bigdecimal\", "
                     "\"nonfinite\" ];\n"
                     "  methods = ( { match = \"demo.sleep\"; }, { match = \"demo.fault\"; },\n"
                     "              { match = \"demo.*\"; safe = true; } );\n"
                     "}; };\n",
                     host_len, listen, colon + 1, port);
    return n > 0 && n < TEXT_MAX;
}

static int serve(const char *listen, unsigned port)
{
    char text[TEXT_MAX];
    struct config_report report;
    int status = EX_USAGE;
    if (!write_config(text, listen, port)) {
        fprintf(stderr, "rpcgated: --listen takes ADDRESS:PORT, such as 127.0.0.1:8081\n");
        return EX_USAGE;
    }
    config_report_init(&report);
    struct config *config =
        config_read_text("demo", str_of(text), &(struct config_read_options){ 0 }, &report);
    if (config != NULL)
        status = service_run(config, &(struct service_options){ 0 });
    else
        fputs(buf_c(&report.errors), stderr);
    config_report_done(&report);
    return status;
}

int demo_run(const char *listen)
{
    struct demo_server *server = demo_server_start();
    if (server == NULL)
        return EX_UNAVAILABLE;
    int status = serve(listen != NULL ? listen : "127.0.0.1:8080", demo_server_port(server));
    demo_server_stop(server);
    return status;
}
