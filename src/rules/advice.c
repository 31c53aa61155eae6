/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/advice.h"

#include "base/macros.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "rules/advice_rows.h"

const char *advice_find(const struct advice_row *rows, size_t n, const char *detail)
{
    for (size_t i = 0; i < n; i++)
        if (strcasestr(detail, rows[i].mark) != NULL)
            return rows[i].text;
    return ADVICE_NONE;
}

const char *advice_dns(const char *detail)
{
    static const struct advice_row rows[] = {
        { "timed out", "The resolver is slow, or one of its servers does not answer: raise "
                       "timeouts.connect, or look into /etc/resolv.conf." },
        { "timeout", "The resolver is slow, or one of its servers does not answer: raise "
                     "timeouts.connect, or look into /etc/resolv.conf." },
        { "", ADVICE_DNS },
    };
    return advice_find(rows, ARRAY_LEN(rows), detail);
}

const char *advice_connect(const char *detail)
{
    static const struct advice_row rows[] = {
        { "refused", "Start the server, or check the port of `url`: nothing listens there." },
        { "No such file", "Start the server, or check the socket's path in `url`." },
        { "Not a directory", "Check the socket's path in `url`." },
        { "File name too long", "Check the socket's path in `url`." },
        { "Permission denied", "Give this user the right to connect to the socket." },
        { "not permitted", "A firewall of this machine, or a sandbox, forbids it." },
        { "timed out", "Check the address and firewalls, or raise timeouts.connect." },
        { "timeout", "Check the address and firewalls, or raise timeouts.connect." },
        { "unreachable", "This machine has no way there: check its routes, VPN, and the address." },
        { "No route", "This machine has no way there, or a firewall says so: check its routes, "
                      "VPN, and the address." },
        { "Host is down", "Check that the machine runs, and the address." },
        { "assign requested", "This machine has no address for that, or no free port: check that "
                              "it speaks that version of IP." },
        { "not available", "This machine has no address for that, or no free port: check that it "
                           "speaks that version of IP." },
        { "Address family", "This machine does not speak that version of IP: give `url` an "
                            "address of the other." },
        { "Too many open files", "Raise the limit of open files (LimitNOFILE=)." },
        { "No buffer space", "This machine is short of memory for connections." },
        { "reset",
          "It, or a firewall before it, ends connections at once: check the port of `url`, "
          "and whether this machine may connect." },
        { "aborted", "It, or a firewall before it, ends connections at once: check the port of "
                     "`url`, and whether this machine may connect." },
        { "Could not resolve", ADVICE_DNS },
        { "URL", "Check `url`." },
        { "connect to", "Check the host and port of `url`, and the way there." },
    };
    return advice_find(rows, ARRAY_LEN(rows), detail);
}

#define ADVICE_LESS                                                                                \
    "It sent less than it promised: look into the server's log for why it broke off."

const char *advice_lost(const char *detail, bool kept)
{
    static const struct advice_row rows[] = {
        { "Content-Length", "Its Content-Length is no length: the server, or a proxy before it, "
                            "has to be mended." },
        { "chunk", "The chunks of its answer are broken: the server, or a proxy before it, has to "
                   "be mended." },
        { "remaining", ADVICE_LESS },     /* as libcurl says it up to 8.6, */
        { "bytes missing", ADVICE_LESS }, /* and later */
        { "head was cut off", "It closed in the middle of its answer's head: look into the "
                              "server's log." },
        { "", "Look into the server's log: it closed the connection." },
    };
    if (kept)
        return ADVICE_KEPT;
    return advice_find(rows, ARRAY_LEN(rows), detail);
}

#define MEND "the server, or what stands before it, has to be mended."

const char *advice_no_http(const char *detail)
{
    static const struct advice_row rows[] = {
        { "a blank before", "The head of its answer has a blank before a colon: " MEND },
        { "colon", "The head of its answer has a line that is no header: " MEND },
        { "Nul byte", "The head of its answer has a NUL: " MEND },
        { "NUL", "The head of its answer has a NUL: " MEND },
        { "a CR that", "The head of its answer has a CR within a line: " MEND },
        { "begins with a blank",
          "The head of its answer has a folded line, which two readers understand "
          "differently: " MEND },
        { "100 KB", "The head of its answer is too large: " MEND },
        { "64 KiB", "The head of its answer is too large: " MEND },
        { "too large", "The head of its answer is too large: " MEND },
        { "Transfer-Encoding", "Its Transfer-Encoding is none of HTTP/1.1's: " MEND },
        { "Content-Encoding", ADVICE_CODING },
        { "content encoding", ADVICE_CODING },
        { "compress", ADVICE_CODING },
        { "not HTTP", "Check the port of `url`, and whether it wants https." },
        { "HTTP/", "Check the port of `url`, and whether it wants https." },
        { "status line", "Check the port of `url`, and whether it wants https." },
        { "header", "The head of its answer has a line that is no header: " MEND },
    };
    return advice_find(rows, ARRAY_LEN(rows), detail);
}

/* Is there a value of that parameter that is none of ours? */
static bool has_other_algorithm(const char *wants)
{
    static const char *const ours[] = { "MD5", "MD5-sess", "SHA-256", "SHA-256-sess" };
    const char *at = strcasestr(wants, "algorithm");
    if (at == NULL)
        return false;
    at += strlen("algorithm");
    at += strspn(at, " \t=\"");
    size_t len = strcspn(at, "\", \t");
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (len == strlen(ours[i]) && strncasecmp(at, ours[i], len) == 0)
            return false;
    return true;
}

const char *advice_login(const char *wants, enum advice_login configured)
{
    bool basic = strcasestr(wants, "Basic") != NULL, digest = strcasestr(wants, "Digest") != NULL;
    bool bearer = strcasestr(wants, "Bearer") != NULL;
    bool foreign = wants[0] != '\0' && !basic && !digest && !bearer;
    if (foreign)
        return "rpcgate has Basic, Digest and Bearer alone, and it asks for another scheme: allow "
               "one of these there, or send a header of `headers`.";
    if (digest && !basic && has_other_algorithm(wants))
        return "rpcgate has Digest by MD5 and SHA-256 alone, and it asks for another algorithm: "
               "allow one of these there.";
    if (configured == ADVICE_LOGIN_NONE)
        return "Set `auth` with the scheme that it asks for.";
    if (configured == ADVICE_LOGIN_BASIC && digest && !basic)
        return "It asks for Digest: set auth.scheme = \"digest\".";
    if (configured == ADVICE_LOGIN_DIGEST && basic && !digest)
        return "It asks for Basic: set auth.scheme = \"basic\".";
    if (configured != ADVICE_LOGIN_BEARER && bearer && !basic && !digest)
        return "It asks for a token: set auth.scheme = \"bearer\" and auth.token.";
    if (configured == ADVICE_LOGIN_BEARER && (basic || digest) && !bearer)
        return "It asks for a user name and password: set auth.scheme to \"basic\" or \"digest\".";
    return "Check username, password or token of `auth`, and its scheme.";
}

const char *advice_forbidden(bool proxied)
{
    if (proxied)
        return "That may be the proxy's answer: check what `proxy` lets through; else what the "
               "server grants to these credentials.";
    return "Check what the server grants to these credentials and to this machine's address.";
}

const char *advice_status(int status, bool proxied)
{
    if (status == 404 || status == 405)
        return ADVICE_PATH;
    if (status >= 300 && status < 400)
        return "Redirects are not followed: set `url` to where the server really is.";
    if (proxied && (status == 407 || status >= 500))
        return "That may be the proxy's answer: check `proxy`, and whether it reaches the server; "
               "else look into the server's log.";
    if (status == 429 || status == 503)
        return "It is busy or restarting: try again later.";
    if (status == 502 || status == 504)
        return "Something before the server answers, and does not reach it: check that it runs.";
    if (status == 400 || status == 411 || status == 415 || status == 417 || status == 501)
        return "It does not take the request as it is: check `url`, `headers` and whether XML-RPC "
               "is served there.";
    if (status == 413 || status == 414 || status == 431)
        return "The request is too large for it: raise the server's limits, or send fewer "
               "`headers`.";
    if (status == 421)
        return "It does not serve this host name: use one of its names in `url`.";
    if (status == 426 || status == 505)
        return "It wants another version of HTTP than 1.1, or TLS: check `url`.";
    return "Look into the server's log.";
}
