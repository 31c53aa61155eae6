/* SPDX-License-Identifier: Apache-2.0 */
/* rpcgate.conf(5): the reference of the configuration as a man page. */
#include "print_man.h"

#include "config/config.h"
#include "roff.h"

#include <stdint.h>

/* What a manual has besides the reference. */
static void add_rest(struct buf *to)
{
    buf_append_c(to, ".SH ENVIRONMENT\n.TP\nCREDENTIALS_DIRECTORY\nThe folder of "
                     "${credential:NAME} and ${credential_path:NAME}.\n.TP\nany other\nWhat "
                     "${env:NAME} names.\n"
                     ".SH FILES\n.TP\n" RPCGATE_SYSCONFDIR "/rpcgate/rpcgate.conf\nThe file, where "
                     "\\-\\-config names no other; files that are named relatively are beside it.\n"
                     ".TP\n/run/rpcgate/rpcgate.sock\nThe listener, where \\fBlisten\\fR is not "
                     "set.\n"
                     ".SH EXAMPLES\nEverybody on this machine may call one server:\n.PP\n.nf\n.RS "
                     "4\n"
                     "listen = ( { address = \"127.0.0.1\"; port = 8080; } );\n"
                     "anonymous = { allow = [ \"supervisor/*\" ]; };\n"
                     "upstreams = { supervisor = { url = \"http://127.0.0.1:9001/RPC2\"; }; };\n"
                     ".RE\n.fi\n.PP\nA program with a token, by TLS; health for a load "
                     "balancer:\n.PP\n.nf\n.RS 4\n"
                     "listen = (\n"
                     "    { address = \"0.0.0.0\"; port = 8443; tls = {\n"
                     "        cert_file = \"" RPCGATE_SYSCONFDIR "/rpcgate/server.pem\";\n"
                     "        key_file = \"${credential_path:server.key}\"; }; },\n"
                     "    { address = \"0.0.0.0\"; port = 8081; serve = [ \"health\" ]; }\n"
                     ");\n"
                     "callers = ( { name = \"billing\"; token = \"${credential:billing}\";\n"
                     "              allow = [ \"books/stock.*\" ]; rate = 50; } );\n"
                     "upstreams = { books = {\n"
                     "    url = \"https://books.example/RPC2\";\n"
                     "    auth = { scheme = \"basic\"; username = \"rpcgate\";\n"
                     "             password = \"${credential:books}\"; };\n"
                     "}; };\n.RE\n.fi\n");
}

void print_man_conf(struct buf *to)
{
    struct buf reference;
    buf_init(&reference, SIZE_MAX - 1, NULL);
    config_print_reference(&reference);
    buf_append_c(to, ".TH rpcgate.conf 5 " PRINT_MAN_DATE " \"rpcgate\"\n"
                     ".SH NAME\nrpcgate.conf \\- configuration of rpcgated(8)\n"
                     ".SH SYNOPSIS\n" RPCGATE_SYSCONFDIR "/rpcgate/rpcgate.conf\n"
                     ".SH DESCRIPTION\n");
    roff_markdown(to, buf_str(&reference));
    add_rest(to);
    buf_append_c(to, ".SH \"SEE ALSO\"\n\\fBrpcgated\\fR(8), \\fBrpcgate\\fR(1), "
                     "\\fBsystemd.exec\\fR(5) for LoadCredential=\n");
    buf_done(&reference);
}
