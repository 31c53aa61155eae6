/* SPDX-License-Identifier: Apache-2.0 */
#include "print_man.h"

#include "daemon/options.h"
#include "roff.h"
#include "tool/command.h"
#include "tool/gateway.h"

static void add(struct buf *to, const char *text)
{
    roff_text(to, str_of(text));
}

static void begin(struct buf *to, const char *name, int section, const char *what)
{
    buf_printf(to, ".TH %s %d " PRINT_MAN_DATE " \"rpcgate\"\n.SH NAME\n%s \\- %s\n", name, section,
               name, what);
}

static void add_synopsis(struct buf *to, const char *const *lines, size_t n)
{
    buf_append_c(to, ".SH SYNOPSIS\n.nf\n");
    for (size_t i = 0; i < n; i++) {
        add(to, lines[i]);
        buf_append_byte(to, '\n');
    }
    buf_append_c(to, ".fi\n");
}

static void add_option(struct buf *to, const struct command_option *o)
{
    buf_append_c(to, ".TP\n\\fB");
    if (o->letter != 0)
        buf_printf(to, "\\-%c\\fR, \\fB", o->letter);
    add(to, "--");
    add(to, o->name);
    buf_append_c(to, "\\fR");
    if (o->argument != NULL)
        buf_printf(to, " \\fI%s\\fR", o->argument);
    buf_append_byte(to, '\n');
    add(to, o->help);
    buf_append_byte(to, '\n');
}

static void add_command(struct buf *to, const char *name, const struct command_info *info)
{
    buf_printf(to, ".SH \"rpcgate %s\"\n", name);
    add(to, info->about);
    buf_append_byte(to, '\n');
    for (size_t i = 0; i < info->n_options; i++)
        add_option(to, &info->options[i]);
    buf_append_c(to, ".PP\nExamples:\n.PP\n.nf\n");
    add(to, info->examples);
    buf_append_c(to, ".fi\n");
}

/* Rows of a name and what is said of it, as roff. */
static void add_section(struct buf *to, const char *title, const char *const (*rows)[2], size_t n)
{
    buf_printf(to, ".SH %s\n", title);
    for (size_t i = 0; i < n; i++)
        buf_printf(to, ".TP\n%s\n%s\n", rows[i][0], rows[i][1]);
}

/* Each is what it does, and the command. */
static void add_examples(struct buf *to, const char *const (*rows)[2], size_t n)
{
    buf_append_c(to, ".SH EXAMPLES\n");
    for (size_t i = 0; i < n; i++) {
        buf_printf(to, "%s%s\n.PP\n.nf\n.RS 4\n", i > 0 ? ".PP\n" : "", rows[i][0]);
        add(to, rows[i][1]);
        buf_append_c(to, "\n.RE\n.fi\n");
    }
}

static void add_statuses(struct buf *to, const char *const (*rows)[2], size_t n)
{
    add_section(to, "\"EXIT STATUS\"", rows, n);
}

void print_man_tool(struct buf *to)
{
    static const char *const statuses[][2] = {
        { "0", "All went well." },
        { "1", "The call was answered with a fault." },
        { "64", "The words of the command are wrong, or name an upstream that is not there." },
        { "65", "The input is no such document, or the params are refused; the reason is on "
                "standard error." },
        { "66",
          "The input, a file that an option names or the configuration file cannot be read." },
        { "69", "The upstream or the gateway failed." },
        { "74", "The output cannot be written." },
        { "75", "Try again later: overloaded, rate\\-limited, draining, circuit\\-open, timeout." },
        { "77", "Refused: the gateway does not know the caller, or does not allow it the call." },
        { "78", "The configuration is wrong; every error is on standard error." },
    };
    static const char *const environment[][2] = {
        { GATEWAY_URL_NAME, "The gateway, where \\-\\-url does not name it." },
        { GATEWAY_TOKEN_NAME, "The file with the token, where \\-\\-token\\-file does not name it. "
                              "\\fBrpcgate ready\\fR shows none." },
        { "CREDENTIALS_DIRECTORY", "For \\fBcheck\\fR and \\fBopenapi \\-\\-ask\\fR: where "
                                   "${credential:NAME} is looked for." },
        { "http_proxy, no_proxy, \\&...", "The proxies of the environment are not used." },
    };
    static const char *const files[][2] = {
        { RPCGATE_SYSCONFDIR "/rpcgate/rpcgate.conf",
          "The gateway's configuration, for \\fBexplain\\fR, \\fBopenapi\\fR and "
          "\\fBcheck\\fR." },
        { "/run/rpcgate/rpcgate.sock", "The unix socket of a gateway that is not told any other." },
    };
    static const char *const examples[][2] = {
        { "A call, its result as JSON:",
          "rpcgate call supervisor supervisor.getProcessInfo '\"web\"'" },
        { "Another gateway, for a whole session:",
          "export " GATEWAY_URL_NAME "=https://gateway.example:8443\n"
          "export " GATEWAY_TOKEN_NAME "=$HOME/.config/rpcgate/token\n"
          "rpcgate upstreams" },
        { "A container's health check:", "rpcgate ready --url http://127.0.0.1:8080 --timeout 2s" },
        { "Why does an upstream not answer?",
          "rpcgate check -c " RPCGATE_SYSCONFDIR "/rpcgate/rpcgate.conf supervisor" },
    };
    const char *const synopsis[] = {
#define X(name, what) command_##name##_info.usage,
        COMMAND_LIST(X)
#undef X
    };
    begin(to, "rpcgate", 1, "call XML-RPC servers, translate between JSON and XML-RPC");
    add_synopsis(to, synopsis, ARRAY_LEN(synopsis));
    buf_append_c(
        to, ".SH DESCRIPTION\nCalls through the gateway \\fBrpcgated\\fR(8) or without it, its "
            "translation for documents at hand, and a check of its upstreams.\n"
            "How values translate is told in values.md of the documentation.\n");
#define X(name, what) add_command(to, #name, &command_##name##_info);
    COMMAND_LIST(X)
#undef X
    add_statuses(to, statuses, ARRAY_LEN(statuses));
    add_section(to, "ENVIRONMENT", environment, ARRAY_LEN(environment));
    add_section(to, "FILES", files, ARRAY_LEN(files));
    add_examples(to, examples, ARRAY_LEN(examples));
    buf_append_c(to, ".SH \"SEE ALSO\"\n\\fBrpcgated\\fR(8), \\fBrpcgate.conf\\fR(5)\n");
}

void print_man_daemon(struct buf *to)
{
    static const struct command_option options[] = {
#define X(word, letter, name, argument, help) { letter, name, argument, help },
        DAEMON_OPTIONS(X)
#undef X
    };
    static const char *const synopsis[] = { "rpcgated [-c FILE] [-t [-q] | --show-config]",
                                            "rpcgated --demo [--listen ADDRESS:PORT]" };
    static const char *const statuses[][2] = {
        { "0", "It was asked to end, or did what the option says." },
        { "64", "The words of the command are wrong." },
        { "66", "The configuration file cannot be opened." },
        { "69", "It cannot serve: a listener or a thread failed; the log says why." },
        { "78", "The configuration is wrong; every error is on standard error." },
    };
    static const char *const environment[][2] = {
        { "CREDENTIALS_DIRECTORY",
          "The folder of ${credential:NAME} and ${credential_path:NAME}, which systemd makes for "
          "LoadCredential=." },
        { "LISTEN_FDS, LISTEN_FDNAMES, LISTEN_PID",
          "Sockets that systemd has opened, for listeners with the setting \\fBsystemd\\fR." },
        { "NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID",
          "The service manager, which is told of readiness, reloads and progress "
          "(\\fBsd_notify\\fR(3))." },
        { "JOURNAL_STREAM", "Where it names stderr the log goes to journald: lines have priorities "
                            "as <N>, and no time." },
        { "any other", "What ${env:NAME} in the configuration names. The proxies of the "
                       "environment (http_proxy and the like) are not used." },
    };
    static const char *const files[][2] = {
        { RPCGATE_SYSCONFDIR "/rpcgate/rpcgate.conf",
          "The configuration, see \\fBrpcgate.conf\\fR(5)." },
        { "/run/rpcgate/rpcgate.sock", "The unix socket, where \\fBlisten\\fR is not set." },
    };
    static const char *const examples[][2] = {
        { "Is the configuration right, and what is in force?",
          "rpcgated --test\nrpcgated --show-config | less" },
        { "In the foreground, with another file:", "rpcgated --config rpcgate.conf" },
        { "A gateway and a server to call, without any configuration:",
          "rpcgated --demo &\ncurl --json '[20, 22]' http://127.0.0.1:8080/v1/demo/demo.add" },
        { "The configuration has changed:",
          "systemctl reload rpcgate    # or: rpcgated --test && kill -HUP PID" },
        { "With its credentials, outside of the service:",
          "CREDENTIALS_DIRECTORY=" RPCGATE_SYSCONFDIR "/rpcgate/secrets rpcgated --test" },
    };
    begin(to, "rpcgated", 8, "gateway that lets JSON programs call XML-RPC servers");
    add_synopsis(to, synopsis, ARRAY_LEN(synopsis));
    buf_append_c(to,
                 ".SH DESCRIPTION\nCallers send JSON over HTTP to a loopback address or a unix "
                 "socket; \\fBrpcgated\\fR calls the XML\\-RPC server that the path names, with "
                 "that server's credentials, and gives back the result or a problem document "
                 "(RFC 9457). It stays in the foreground and logs to standard error.\n"
                 ".SH OPTIONS\n");
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        add_option(to, &options[i]);
    buf_append_c(to, ".SH SIGNALS\n.TP\nSIGHUP\nThe configuration file is read again. One that "
                     "is wrong changes nothing; the log has its errors.\n.TP\nSIGUSR1\nThe "
                     "log gets a line for each state that calls are in: how many there are, and "
                     "how old the oldest is.\n.TP\nSIGTERM, SIGINT\nNo "
                     "new connections; running calls have "
                     "limits.drain to end. A second one ends it at once.\n");
    add_statuses(to, statuses, ARRAY_LEN(statuses));
    add_section(to, "ENVIRONMENT", environment, ARRAY_LEN(environment));
    add_section(to, "FILES", files, ARRAY_LEN(files));
    add_examples(to, examples, ARRAY_LEN(examples));
    buf_append_c(to, ".SH \"SEE ALSO\"\n\\fBrpcgate.conf\\fR(5), \\fBrpcgate\\fR(1), "
                     "\\fBcurl\\fR(1)\n");
}
