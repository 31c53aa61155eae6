/* SPDX-License-Identifier: Apache-2.0 */
/* Every setting of the configuration file, once. The structs (config.h), the reader with its
 * defaults and bounds, `--show-config`, the sample file etc/rpcgate.conf and the reference
 * (docs/reference/configuration.md, rpcgate.conf(5)) are made from these lists.
 *
 * A row: X(kind, name, "default", "example", "least", "greatest", reload, "help")
 *
 *   kind      what it is in the file and in the struct: a row of kind_list.h, and a type
 *             OPTION_C_kind in config.h
 *   default   as text, read by the kind's own reader; NULL: none
 *   example   for the sample file where there is no default; else NULL. Of a list: what stands
 *             between its brackets
 *   least, greatest
 *             bounds as text, for count, size and duration; else NULL
 *   reload    LIVE: a reload (SIGHUP) changes it; RESTART: it takes effect at the next start
 *
 * Groups (`limits = { … }`) are lists of their own, named in rows G(group, name, "help") of their
 * parent: group##_config is the struct, name the member and the name in the file. Lists whose
 * entries are groups, or the string that an entry's `match` is, are rows
 * R(group, name, "example", "help"). */
#ifndef RPCGATE_SETTINGS_OPTION_LIST_H
#define RPCGATE_SETTINGS_OPTION_LIST_H

#include "settings/cache_list.h"
#include "settings/kind_list.h"
#include "settings/mcp_list.h"
#include "settings/route_list.h"
#include "settings/session_list.h"

/* Top level. */
#define MAIN_OPTIONS(X)                                                                            \
    X(count, workers, "0", NULL, "0", "256", RESTART,                                              \
      "Worker threads. 0: one for each CPU that the process may run on.")                          \
    X(host_names, hosts, NULL, "\"gateway.internal\"", NULL, NULL, LIVE,                           \
      "Further names that a request's `Host` may have, beside loopback names and the local "       \
      "address.")                                                                                  \
    X(origins, cors_origins, NULL, "\"https://app.example\"", NULL, NULL, LIVE,                    \
      "Web sites whose scripts may call; each as browsers send it in `Origin`.")                   \
    X(flag, explorer, "true", NULL, NULL, NULL, LIVE,                                              \
      "`GET /` is for browsers a page where one looks for methods and routes and calls them.")     \
    X(flag, server_timing, "false", NULL, NULL, NULL, LIVE,                                        \
      "Whether answers tell what took their time, in `Server-Timing`.")

/* Lists of groups: `listen = ( { … }, { … } )`. */
#define MAIN_LISTS(G)                                                                              \
    G(listen, listen,                                                                              \
      "Where callers connect, each entry with one of `unix`, `systemd`, or `address` and `port`. " \
      "Without `listen`: the unix socket /run/rpcgate/rpcgate.sock, mode 0660, group rpcgate.")    \
    G(caller, callers,                                                                             \
      "Who may call. A caller is known by a Bearer token, a client certificate, or the user or "   \
      "group of the process at the other end of a unix socket, in this order; one that none of "   \
      "it fits is `anonymous`.")

/* The same, which may be empty. */
#define MAIN_ITEMS(G)                                                                              \
    G(route, routes,                                                                               \
      "Paths of your own, each of which makes a call: what callers give in path, query and body "  \
      "is checked and put into its params.")                                                       \
    G(mcp, mcp,                                                                                    \
      "Servers of MCP (Model Context Protocol), each at `POST /mcp/NAME`: tools for language "     \
      "models, which call routes and methods. Without it there are none.")

/* Groups whose presence alone means something. */
#define MAIN_OPTIONAL_GROUPS(G)                                                                    \
    G(anonymous, anonymous,                                                                        \
      "What callers without credentials may do. Without it nobody unauthenticated gets in.")       \
    G(traces, traces,                                                                              \
      "Sends a span of each call to a collector, by OTLP over HTTP in JSON. Without it no trace "  \
      "is begun, and callers' `traceparent` goes on as it is.")

#define MAIN_GROUPS(G)                                                                             \
    G(limits, limits, "What one request, and all together, may take.")                             \
    G(log, log, "What goes to the log on stderr.")

/* Groups of named groups: `upstreams = { NAME = { … }; }`. */
#define MAIN_NAMED_GROUPS(G)                                                                       \
    G(upstream, upstreams,                                                                         \
      "The XML-RPC servers, each under a name of its own, by which callers reach it: a letter, "   \
      "then up to 63 letters, digits, `_` and `-`.")                                               \
    G(upstream, profiles,                                                                          \
      "Named sets of an upstream's settings, for `profile`. One of the name of a built-in one "    \
      "stands in its place.")

/* listen = ( { … }, … ) */
#define LISTEN_OPTIONS(X)                                                                          \
    X(socket_path, unix, NULL, "/run/rpcgate/rpcgate.sock", NULL, NULL, LIVE,                      \
      "Path of a unix socket.")                                                                    \
    X(mode, mode, "0660", NULL, NULL, NULL, LIVE, "File mode of the unix socket.")                 \
    X(text, group, NULL, "rpcgate", NULL, NULL, LIVE,                                              \
      "Group that the unix socket is given to. Without it: the daemon's own.")                     \
    X(text, systemd, NULL, "api", NULL, NULL, LIVE,                                                \
      "Sockets that systemd opens: the `FileDescriptorName=` of a socket unit.")                   \
    X(address, address, NULL, "127.0.0.1", NULL, NULL, LIVE, "IPv4 or IPv6 address to listen on.") \
    X(count, port, NULL, "8080", "0", "65535", LIVE,                                               \
      "TCP port. 0: any free one, which is printed at start.")                                     \
    X(flag, insecure, "false", NULL, NULL, NULL, LIVE,                                             \
      "Allows an address beyond loopback without `tls` and `callers`, which one that serves "      \
      "`health` alone needs not.")                                                                 \
    X(serve, serve, "\"api\", \"admin\"", NULL, NULL, NULL, LIVE,                                  \
      "What is served here: `health` is /livez and /readyz, `metrics` is /metrics, `admin` is "    \
      "both, `api` is all else.")

#define LISTEN_GROUPS(G)                                                                           \
    G(listen_tls, tls, "Callers speak TLS here (https://). Not for unix sockets.")

/* listen = ( { tls = { … } }, … ) */
#define LISTEN_TLS_OPTIONS(X)                                                                      \
    X(path, cert_file, NULL, "/etc/rpcgate/server.pem", NULL, NULL, LIVE,                          \
      "Our certificate (PEM), with those between it and its CA behind it; required. This and the " \
      "other files are read together with the configuration.")                                     \
    X(path, key_file, NULL, "/etc/rpcgate/server.key", NULL, NULL, LIVE,                           \
      "Its private key (PEM), without a password; in a service `${credential_path:server.key}`. "  \
      "Without it: it stands in `cert_file`.")                                                     \
    X(path, client_ca_file, NULL, "/etc/rpcgate/client-ca.pem", NULL, NULL, LIVE,                  \
      "CAs (PEM) of callers' certificates. Without it: callers are not asked for one.")            \
    X(tls_version, min_version, "1.2", NULL, NULL, NULL, LIVE, "Oldest version of TLS.")

/* callers = ( { … }, … ) */
#define CALLER_OPTIONS(X)                                                                          \
    X(name, name, NULL, "billing", NULL, NULL, LIVE, "Name of the caller, for the log; required.") \
    X(secret, token, NULL, "${file:/etc/rpcgate/billing.token}", NULL, NULL, LIVE,                 \
      "Bearer token that the caller sends, of at least 32 characters.")                            \
    X(secrets, tokens, NULL,                                                                       \
      "\"${file:/etc/rpcgate/billing.new}\", \"${file:/etc/rpcgate/billing.old}\"", NULL, NULL,    \
      LIVE, "Several, of which each will do, so that tokens can be changed without a pause.")      \
    X(text, user, NULL, "billing", NULL, NULL, LIVE,                                               \
      "User of the process that calls over a unix socket: a name of this system, or a number.")    \
    X(text, group, NULL, "billing", NULL, NULL, LIVE,                                              \
      "Group that such a process is in, as its own or a further one: a name, or a number.")        \
    X(text, cert, NULL, "CN=billing,*", NULL, NULL, LIVE,                                          \
      "Glob over the subject of the client's certificate (RFC 4514), where `listen.tls` has a "    \
      "`client_ca_file`.")                                                                         \
    X(count, rate, NULL, "50", "1", "1000000", LIVE,                                               \
      "Most calls a second; each call of a batch counts. Without it: any number.")                 \
    X(count, burst, NULL, "100", "1", "1000000", LIVE,                                             \
      "Most calls at once after a pause. Without it: as `rate`.")                                  \
    X(count, max_in_flight, NULL, "32", "1", "1000000", LIVE,                                      \
      "Most requests that are answered at the same time. Without it: any number.")

#define CALLER_RULES(R)                                                                            \
    R(access_rule, allow, "\"billing/*\"",                                                         \
      "What is allowed. An entry is a glob over `upstream/method`, each side of which matches by " \
      "itself, `@` with a glob over the names of `routes`, or a group. Without `allow` nothing "   \
      "is.")                                                                                       \
    R(access_rule, deny, "\"supervisor/supervisor.shutdown\"",                                     \
      "What is not, in the same way; deny wins.")

/* anonymous = { … } */
#define ANONYMOUS_OPTIONS(X)

#define ANONYMOUS_RULES(R)                                                                         \
    R(access_rule, allow, "\"demo/*\"", "What is allowed, as in `callers`.")                       \
    R(access_rule, deny, "\"demo/system.*\"", "What is not; deny wins.")

/* callers = ( { allow = ( { … }, … ) }, … ) */
#define ACCESS_RULE_OPTIONS(X)                                                                     \
    X(call_glob, match, NULL, "odoo/execute_kw", NULL, NULL, LIVE,                                 \
      "Glob over `upstream/method`, or `@` with a glob over the names of `routes`; required.")

#define ACCESS_RULE_LISTS(G)                                                                       \
    G(param_rule, params, "Params that such a call must have, too; all entries must hold.")

/* callers = ( { allow = ( { params = ( { … }, … ) }, … ) }, … ) */
#define PARAM_RULE_OPTIONS(X)                                                                      \
    X(count, at, NULL, "1", "0", "10000", LIVE,                                                    \
      "Which param, as the caller sends them, without what `inject` adds; the first one is 0. "    \
      "Required.")                                                                                 \
    X(globs, in, NULL, "\"read\", \"search_*\"", NULL, NULL, LIVE,                                 \
      "Globs, one of which it must match; it must be a string. In a `deny` any other form of it "  \
      "(base64, a number, a date, a struct …) matches, too. Required.")

/* limits = { … } */
#define LIMITS_OPTIONS(X)                                                                          \
    X(size, body, "4M", NULL, "1K", "1G", LIVE,                                                    \
      "Largest request body; a larger one is answered 413. At most `limits.memory`.")              \
    X(size, headers, "16K", NULL, "1K", "256K", LIVE,                                              \
      "Largest request head: request line and header lines together.")                             \
    X(count, header_count, "64", NULL, "8", "1000", LIVE, "Most header lines of a request.")       \
    X(count, depth, "128", NULL, "1", "1000", LIVE, "Greatest nesting of a request's JSON.")       \
    X(count, connections, "4096", NULL, "8", "1000000", LIVE,                                      \
      "Most connections of callers to one listener, shared out evenly to the workers; at the "     \
      "limit the oldest idle ones make room.")                                                     \
    X(size, memory, "256M", NULL, "8M", "1T", LIVE,                                                \
      "What bodies, documents and replies of all callers together may hold, one caller a quarter " \
      "of it, all anonymous ones together as much as one, or a half where there are no "           \
      "`callers`; but at least one body and one response; what does not fit waits, and where "     \
      "callers together hold all of it the one who holds most gives way.")                         \
    X(size, cache, "32M", NULL, "0", "1T", LIVE,                                                   \
      "What results that are kept (`cache`) may hold together, beside `memory`; those that were "  \
      "not asked for the longest time make room.")                                                 \
    X(size, fault_text, "64K", NULL, "256", "1M", LIVE,                                            \
      "Most of the text of an upstream's fault that a problem shows.")                             \
    X(count, batch, "10000", NULL, "1", "1000000", LIVE, "Most calls of a batch.")                 \
    X(duration, header_time, "10s", NULL, "100ms", "1h", LIVE,                                     \
      "Longest time a request's head may take.")                                                   \
    X(duration, body_time, "30s", NULL, "100ms", "1h", LIVE,                                       \
      "Longest time a request's body may take.")                                                   \
    X(duration, write_time, "30s", NULL, "100ms", "1h", LIVE,                                      \
      "Longest time a reply may take to send.")                                                    \
    X(duration, idle, "60s", NULL, "1s", "1h", LIVE, "How long an unused connection is kept.")     \
    X(duration, drain, "35s", NULL, "0s", "1h", LIVE,                                              \
      "How long running calls may take at shutdown.")                                              \
    X(duration, lame_duck, "0s", NULL, "0s", "10m", LIVE,                                          \
      "How long new connections are still accepted at shutdown, with /readyz saying 503.")

/* log = { … } */
#define LOG_OPTIONS(X)                                                                             \
    X(log_level, level, "info", NULL, NULL, NULL, LIVE, "Least weight of what is logged.")         \
    X(log_format, format, "text", NULL, NULL, NULL, LIVE, "Lines of text, or of JSON.")            \
    X(flag, access, "true", NULL, NULL, NULL, LIVE, "One line for each request.")

/* traces = { … } */
#define TRACES_OPTIONS(X)                                                                          \
    X(url, url, NULL, "http://127.0.0.1:4318/v1/traces", NULL, NULL, LIVE,                         \
      "Where the collector takes traces: `http://`, `https://` or `http+unix://`, with the path; " \
      "required.")                                                                                 \
    X(number, ratio, "1", NULL, NULL, NULL, LIVE,                                                  \
      "Of requests without a `traceparent`, this part is traced: 0 is none, 1 all. With one, its " \
      "`sampled` flag decides.")                                                                   \
    X(text, service, "rpcgate", NULL, NULL, NULL, LIVE, "The `service.name` of our spans.")        \
    X(headers, headers, NULL, "\"Authorization: Bearer ${file:/etc/rpcgate/collector.token}\"",    \
      NULL, NULL, LIVE, "`Name: value` lines that are sent with the spans.")                       \
    X(duration, interval, "5s", NULL, "100ms", "1m", LIVE,                                         \
      "How long spans are gathered before they are sent.")                                         \
    X(count, batch, "512", NULL, "1", "100000", LIVE,                                              \
      "Most spans that are sent at once; so many do not wait for `interval`.")                     \
    X(size, queue, "4M", NULL, "64K", "1G", LIVE,                                                  \
      "What spans that wait may hold; more are dropped, and counted.")                             \
    X(duration, timeout, "10s", NULL, "100ms", "5m", LIVE,                                         \
      "How long the collector may take for an answer.")                                            \
    X(duration, retry, "1m", NULL, "0s", "1h", LIVE,                                               \
      "How long spans are sent again that the collector does not take for now; then they are "     \
      "dropped. 0s: they are sent once.")

#define TRACES_GROUPS(G) G(traces_tls, tls, "How `https://` is spoken with the collector.")

/* traces = { tls = { … } } */
#define TRACES_TLS_OPTIONS(X)                                                                      \
    X(path, ca_file, NULL, "/etc/rpcgate/ca.pem", NULL, NULL, LIVE,                                \
      "CAs (PEM) that the collector's certificate may be of, in place of the system's.")           \
    X(path, cert_file, NULL, "/etc/rpcgate/client.pem", NULL, NULL, LIVE,                          \
      "Our certificate (PEM), for collectors that want one.")                                      \
    X(path, key_file, NULL, "/etc/rpcgate/client.key", NULL, NULL, LIVE,                           \
      "Its private key (PEM), without a password. Without it: it stands in `cert_file`.")

/* upstreams = { NAME = { … } } */
#define UPSTREAM_OPTIONS(X)                                                                        \
    X(name, profile, NULL, "odoo", NULL, NULL, LIVE,                                               \
      "Settings for servers of that kind, which those of the upstream replace: lists as a whole, " \
      "groups member by member; an `auth` with a `scheme` of its own takes what that scheme "      \
      "wants. `rpcgate profiles` lists those that are built in.")                                  \
    X(url, url, NULL, "http://127.0.0.1:9001/RPC2", NULL, NULL, LIVE,                              \
      "Where the server is; this or `urls` must be set: `http://`, `https://`, "                   \
      "`http+unix://%2Frun%2Fx.sock/RPC2`, or of a server that speaks SCGI, as rTorrent does, "    \
      "`scgi://HOST:PORT` or `scgi+unix://%2Frun%2Fx.sock`. The path is `/RPC2` where there is "   \
      "none; an IPv6 "                                                                             \
      "address may have a zone: `[fe80::1%25eth0]`. "                                              \
      "`user:password@` is sent as credentials, as Basic unless `auth.scheme` is digest.")         \
    X(urls, urls, NULL, "\"http://10.0.0.1:9001/\", \"http://10.0.0.2:9001/\"", NULL, NULL, LIVE,  \
      "Several servers that are one: the next is tried when one cannot be connected to.")          \
    X(own_headers, headers, NULL, "\"X-Tenant: blue\"", NULL, NULL, LIVE,                          \
      "`Name: value` lines that are sent with every request.")                                     \
    X(flag, cookies, "false", NULL, NULL, NULL, LIVE,                                              \
      "Keeps the server's cookies and sends them back, for all workers: at most 64 of 4 KiB. "     \
      "Those "                                                                                     \
      "in a trailer are none.")                                                                    \
    X(extensions, extensions, NULL, "\"nil\", \"i8\"", NULL, NULL, LIVE,                           \
      "Types beyond the specification that the server takes.")                                     \
    X(types_form, types, "plain", NULL, NULL, NULL, LIVE, "How XML-RPC types show in JSON.")       \
    X(integers_form, integers, "number", NULL, NULL, NULL, LIVE, "How integers show in JSON.")     \
    X(text_policy, text, "reject", NULL, NULL, NULL, LIVE,                                         \
      "What happens to text that XML or JSON cannot carry.")                                       \
    X(dates_form, dates, "basic", NULL, NULL, NULL, LIVE,                                          \
      "How dates are sent: `19980717T14:08:55`, with hyphens, or as the first with `Z`, which "    \
      "says that they are UTC's.")                                                                 \
    X(zone, timezone, NULL, "+02:00", NULL, NULL, LIVE,                                            \
      "Zone of the dates that are sent: `+02:00` or a name of the zone database. Without it: "     \
      "UTC.")                                                                                      \
    X(encoding, encoding, "UTF-8", NULL, NULL, NULL, LIVE,                                         \
      "Encoding of the documents that are sent.")                                                  \
    X(decoding, response_encoding, NULL, "ISO-8859-1", NULL, NULL, LIVE,                           \
      "Encoding in which responses are read, whatever they declare.")                              \
    X(faces, faces, "\"json\", \"jsonrpc\", \"xmlrpc\", \"mcp\"", NULL, NULL, NULL, LIVE,          \
      "The ways that callers have to it: `json` is `/v1`, `jsonrpc` JSON-RPC, `xmlrpc` XML-RPC, "  \
      "`mcp` tools of MCP. By the others it is not there.")                                        \
    X(flag, required, "false", NULL, NULL, NULL, LIVE, "Makes /readyz depend on this server.")     \
    X(count, fault_status, "500", NULL, "400", "599", LIVE,                                        \
      "HTTP status of faults for which neither a rule of `faults` nor their code has one.")        \
    X(flag, verbose, "false", NULL, NULL, NULL, LIVE,                                              \
      "Writes requests and responses to the log, with secrets as `***`.")                          \
    X(text, user_agent, NULL, "billing-gateway/1", NULL, NULL, LIVE,                               \
      "`User-Agent` of our requests. Without it: rpcgate/VERSION.")                                \
    X(multicall_use, multicall, "auto", NULL, NULL, NULL, LIVE,                                    \
      "Whether a batch goes out as one `system.multicall`; auto: where the server has it, else "   \
      "its calls go side by side.")                                                                \
    X(multicall_shape, multicall_results, "auto", NULL, NULL, NULL, LIVE,                          \
      "Whether the server wraps each result of a `system.multicall` in an array of one; auto: "    \
      "found out by a first, harmless one.")                                                       \
    X(count, multicall_max, "1000", NULL, "1", "100000", LIVE,                                     \
      "Most calls of one `system.multicall`; a larger batch goes out as several.")                 \
    X(transport_use, transport, "auto", NULL, NULL, NULL, LIVE,                                    \
      "Who speaks HTTP with the server: rpcgate itself, on connections that libcurl opens, but "   \
      "not for logins by Digest and proxies without a tunnel; or libcurl, always.")                \
    X(credentials, credentials, NULL,                                                              \
      "username = \"api\"; password = \"${file:/etc/rpcgate/api.pw}\"; ", NULL, NULL, LIVE,        \
      "What templates may name. All are secrets but `username` and `database`.")

#define UPSTREAM_GROUPS(G)                                                                         \
    G(auth, auth, "Our credentials at the server.")                                                \
    G(tls, tls, "How `https://` is spoken. The CAs hold for an `https://` proxy, too.")            \
    G(proxy, proxy, "A proxy on the way to the server. Those of the environment are not used.")    \
    G(timeouts, timeouts, "How long things may take.")                                             \
    G(pool, pool, "How many calls run at once; who waits, and how long.")                          \
    G(upstream_limits, limits, "How large answers may be.")                                        \
    G(compression, compression, "What is sent compressed.")                                        \
    G(retry, retry,                                                                                \
      "What is tried again: calls that did not reach the server, and calls of `safe` methods "     \
      "whose answer was lost. Nothing else is ever sent twice.")                                   \
    G(breaker, breaker, "When a server that fails gets no calls for a while.")                     \
    G(introspection, introspection, "What is kept of what the server tells of its methods.")

/* faults = ( { … }, … ) */
#define UPSTREAM_OPTIONAL_GROUPS(G)                                                                \
    G(session, session, "A login that calls need, and how it lives and ends.")                     \
    G(cache, cache, CACHE_GROUP_HELP " Here for all `safe` methods.")                              \
    G(join, join,                                                                                  \
      "Calls of `safe` methods that are there at once go out together, as one "                    \
      "`system.multicall`, where the server has it. Without it each goes by itself.")

#define UPSTREAM_LISTS(G)                                                                          \
    G(fault_rule, faults,                                                                          \
      "What faults mean to callers. Each entry has conditions, all of which must hold, and what "  \
      "follows; the first entry that fits counts.")                                                \
    G(method_rule, methods, "What is known of methods; the first entry that matches counts.")      \
    G(inject_rule, inject,                                                                         \
      "What is added to calls: params, members of structs, headers, a path. The first entry that " \
      "matches the method counts; one with `match` alone lets the call pass as it is.")            \
    G(envelope_rule, envelope,                                                                     \
      "Results that are failures, or that have the value within them; the first entry that "       \
      "matches the method counts.")

/* upstreams.NAME.auth = { … } */
#define AUTH_OPTIONS(X)                                                                            \
    X(auth_scheme, scheme, "none", NULL, NULL, NULL, LIVE,                                         \
      "How we log in; Basic and Bearer are sent at once.")                                         \
    X(auth_text, username, NULL, "rpcgate", NULL, NULL, LIVE, "User name, for basic and digest.")  \
    X(auth_secret, password, NULL, "${file:/etc/rpcgate/upstream.pw}", NULL, NULL, LIVE,           \
      "Password, for basic and digest.")                                                           \
    X(auth_secret, token, NULL, "${file:/etc/rpcgate/upstream.token}", NULL, NULL, LIVE,           \
      "Token, for bearer.")

/* upstreams.NAME.tls = { … } */
#define TLS_OPTIONS(X)                                                                             \
    X(path, ca_file, NULL, "/etc/rpcgate/ca.pem", NULL, NULL, LIVE,                                \
      "Certificates (PEM) that are trusted in place of the system's. This and the other files "    \
      "are read together with the configuration.")                                                 \
    X(path, ca_path, NULL, "/etc/rpcgate/ca", NULL, NULL, LIVE,                                    \
      "Folder of such certificates, prepared by `openssl rehash`.")                                \
    X(path, cert_file, NULL, "/etc/rpcgate/client.pem", NULL, NULL, LIVE,                          \
      "Our certificate (PEM), with those between it and its CA behind it.")                        \
    X(path, key_file, NULL, "/etc/rpcgate/client.key", NULL, NULL, LIVE,                           \
      "The private key (PEM) of `cert_file`. Without it: it stands in `cert_file`.")               \
    X(secret, key_password, NULL, "${file:/etc/rpcgate/client.pw}", NULL, NULL, LIVE,              \
      "Password of the private key.")                                                              \
    X(flag, verify_peer, "true", NULL, NULL, NULL, LIVE,                                           \
      "Whether the server's certificate must come from a CA that is trusted.")                     \
    X(flag, verify_host, "true", NULL, NULL, NULL, LIVE,                                           \
      "Whether it must be for the host in the URL.")                                               \
    X(any_tls_version, min_version, "1.2", NULL, NULL, NULL, LIVE,                                 \
      "Oldest version of TLS. `1.0` and `1.1` are for appliances that speak no other: they are "   \
      "broken, and come with weak keys and ciphers unless `ciphers` says otherwise.")              \
    X(text, ciphers, NULL, "ECDHE+AESGCM:TLS_AES_256_GCM_SHA384", NULL, NULL, LIVE,                \
      "Ciphers by OpenSSL's names, with `:` between them; those that begin with `TLS_` are for "   \
      "TLS 1.3.")                                                                                  \
    X(pin, pinned_public_key, NULL, "sha256//YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMwE=", NULL,  \
      NULL, LIVE, "The public key that the server's certificate must have, whoever signed it.")

/* upstreams.NAME.proxy = { … } */
#define PROXY_OPTIONS(X)                                                                           \
    X(proxy_url, url, NULL, "http://proxy.internal:3128", NULL, NULL, LIVE,                        \
      "Where the proxy is: `http://`, `https://`, `socks5://` or `socks5h://` (which leaves it "   \
      "to the proxy to look names up), host and port. With `socks5://` a name's first address "    \
      "alone is tried; `localhost` is 127.0.0.1.")                                                 \
    X(text, username, NULL, "rpcgate", NULL, NULL, LIVE, "User name at the proxy.")                \
    X(secret, password, NULL, "${file:/etc/rpcgate/proxy.pw}", NULL, NULL, LIVE,                   \
      "Password at the proxy.")                                                                    \
    X(headers, headers, NULL, "\"X-Tenant: blue\"", NULL, NULL, LIVE,                              \
      "`Name: value` lines for the proxy alone.")                                                  \
    X(flag, tunnel, "false", NULL, NULL, NULL, LIVE,                                               \
      "Whether `http://` goes through a tunnel (CONNECT), too, as `https://` always does.")        \
    X(no_proxy, no_proxy, NULL, "\"intranet.example\", \"10.0.0.0/8\"", NULL, NULL, LIVE,          \
      "Hosts that are reached without the proxy.")

/* upstreams.NAME.timeouts = { … } */
#define TIMEOUTS_OPTIONS(X)                                                                        \
    X(duration, connect, "2s", NULL, "10ms", "10m", LIVE,                                          \
      "Longest time for opening a connection.")                                                    \
    X(duration, total, "30s", NULL, "10ms", "24h", LIVE,                                           \
      "Longest time for a call: waiting, attempts and the pauses between them together.")          \
    X(duration, max_age, "10m", NULL, "1s", "24h", LIVE,                                           \
      "How long a connection is used: behind that a new one is made, and the name looked up "      \
      "anew.")                                                                                     \
    X(duration, idle, "30s", NULL, "0s", "1h", LIVE,                                               \
      "How long an unused connection is kept. `0s`: not at all, for servers and proxies that end " \
      "connections without saying so before.")

/* upstreams.NAME.pool = { … } */
#define POOL_OPTIONS(X)                                                                            \
    X(count, max_connections, "64", NULL, "1", "10000", LIVE,                                      \
      "Most calls at once, over all workers.")                                                     \
    X(count, max_queue, "1024", NULL, "0", "1000000", LIVE,                                        \
      "Most calls that wait for that; further ones are refused at once.")                          \
    X(duration, queue_timeout, "5s", NULL, "0s", "1h", LIVE,                                       \
      "How long a call waits for its turn, and for room in limits.memory; an answer only a "       \
      "quarter of it where another caller's call waits for the connection.")

/* upstreams.NAME.limits = { … } */
#define UPSTREAM_LIMITS_OPTIONS(X)                                                                 \
    X(size, response, "32M", NULL, "1K", "4G", LIVE, "Largest response, after decompression.")     \
    X(count, depth, "128", NULL, "1", "1000", LIVE, "Greatest nesting of a response.")

/* upstreams.NAME.compression = { … } */
#define COMPRESSION_OPTIONS(X)                                                                     \
    X(flag, accept, "true", NULL, NULL, NULL, LIVE,                                                \
      "Whether responses may be compressed (gzip and deflate).")                                   \
    X(size, request_over, NULL, "64K", "0", "1G", LIVE,                                            \
      "Requests over this size are sent with gzip, which many servers do not take. Without it: "   \
      "none is.")

/* upstreams.NAME.retry = { … } */
#define RETRY_OPTIONS(X)                                                                           \
    X(count, attempts, "2", NULL, "1", "10", LIVE, "Most attempts of a call, the first included.") \
    X(duration, backoff, "50ms", NULL, "0ms", "1m", LIVE,                                          \
      "Pause before the next one; its length varies by chance.")

/* upstreams.NAME.breaker = { … } */
#define BREAKER_OPTIONS(X)                                                                         \
    X(count, failures, "5", NULL, "0", "1000000", LIVE,                                            \
      "After so many in a row the server gets no calls for a while. 0: it always gets them.")      \
    X(duration, open, "5s", NULL, "10ms", "1h", LIVE, "How long that is; then one call tries.")

/* upstreams.NAME.introspection = { … } */
#define INTROSPECTION_OPTIONS(X)                                                                   \
    X(duration, ttl, "10m", NULL, "0s", "24h", LIVE,                                               \
      "How long it is kept; then it is asked for again, and what is kept serves until then.")

/* upstreams.NAME.join = { … } */
#define JOIN_OPTIONS(X)                                                                            \
    X(count, max, "50", NULL, "2", "200", LIVE,                                                    \
      "Most calls that go out together; at most `multicall_max`.")                                 \
    X(duration, wait, "0s", NULL, "0s", "1s", LIVE,                                                \
      "How long the first of them waits for others. `0s`: not at all; those that are there in "    \
      "the same turn of a worker are joined.")

/* upstreams.NAME.faults = ( { … }, … ) */
#define FAULT_RULE_OPTIONS(X)                                                                      \
    X(match, match, NULL, "\"billing.*\"", NULL, NULL, LIVE,                                       \
      "Condition: the method's name matches this.")                                                \
    X(fault_code, code, NULL, "100", NULL, NULL, LIVE,                                             \
      "Condition: the fault's code is this; as a string, a glob that a code of text matches.")     \
    X(count, from, NULL, "-32099", NULL, NULL, LIVE, "Condition: the code is at least this.")      \
    X(count, to, NULL, "-32000", NULL, NULL, LIVE, "Condition: the code is at most this.")         \
    X(text, text, NULL, "*not found*", NULL, NULL, LIVE,                                           \
      "Condition: the fault's string matches this glob.")                                          \
    X(count, http, NULL, "500", "200", "599", LIVE,                                                \
      "Condition: the answer came with this HTTP status. An entry with this and without a "        \
      "condition on the fault is for answers without one, too.")                                   \
    X(count, status, NULL, "404", "400", "599", LIVE, "The HTTP status of our answer.")            \
    X(problem, type, NULL, "no-such-record", NULL, NULL, LIVE,                                     \
      "The type of the problem; a name stands for `urn:rpcgate:problem:NAME`.")                    \
    X(pause, retry_after, NULL, "30s", "1s", "24h", LIVE,                                          \
      "The `Retry-After` of our answer. `\"<n>\"`: the number that stands where `text` has "       \
      "`<n>`.")                                                                                    \
    X(flag, session_expired, "false", NULL, NULL, NULL, LIVE,                                      \
      "The session has ended and the call did not run: one login is made, and the call is sent "   \
      "again, once.")

/* upstreams.NAME.methods = ( { … }, … ) */
#define METHOD_RULE_OPTIONS(X)                                                                     \
    X(text, match, NULL, "reports.*", NULL, NULL, LIVE, "Glob over the method's name; required.")  \
    X(flag, safe, "false", NULL, NULL, NULL, LIVE,                                                 \
      "Whether it may run twice: then it is called again where an answer was lost.")               \
    X(duration, timeout, NULL, "5m", "10ms", "24h", LIVE, "In place of timeouts.total.")           \
    X(empty_answer, empty, "error", NULL, NULL, NULL, LIVE,                                        \
      "What an answer with status 200 and nothing in it is, as some servers give it for methods "  \
      "without a result.")

/* Words: X(WORD, "word"). Those of the codec's choices stand in codec/options.h. */
#define LOG_LEVEL_LIST(X) X(ERROR, "error") X(WARN, "warn") X(INFO, "info") X(DEBUG, "debug")
#define LOG_FORMAT_LIST(X) X(TEXT, "text") X(JSON, "json")
#define AUTH_SCHEME_LIST(X)                                                                        \
    X(NONE, "none") X(BASIC, "basic") X(DIGEST, "digest") X(BEARER, "bearer")
#define TLS_VERSION_LIST(X) X(1_2, "1.2") X(1_3, "1.3")
#define ANY_TLS_VERSION_LIST(X) X(1_0, "1.0") X(1_1, "1.1") TLS_VERSION_LIST(X)
#define EMPTY_ANSWER_LIST(X) X(ERROR, "error") X(IS_NULL, "null")
#define SERVE_LIST(X) X(API, "api") X(ADMIN, "admin") X(HEALTH, "health") X(METRICS, "metrics")
#define FACE_LIST(X) X(JSON, "json") X(JSONRPC, "jsonrpc") X(XMLRPC, "xmlrpc") X(MCP, "mcp")
#define MULTICALL_USE_LIST(X) X(AUTO, "auto") X(ALWAYS, "always") X(NEVER, "never")
#define TRANSPORT_USE_LIST(X) X(AUTO, "auto") X(CURL, "curl")
#define MULTICALL_SHAPE_LIST(X) X(AUTO, "auto") X(WRAPPED, "wrapped") X(BARE, "bare")

#endif
