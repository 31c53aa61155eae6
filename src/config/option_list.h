/* SPDX-License-Identifier: Apache-2.0 */
/* Every setting of the configuration file, once. The structs (config.h), the reader with its
 * defaults and bounds, `--show-config`, the sample file etc/rpcgate.conf and the reference
 * (docs/reference/configuration.md, rpcgate.conf(5)) are made from these lists.
 *
 * A row: X(kind, name, "default", "least", "greatest", reload, "help")
 *
 *   kind      what it is in the file and in the struct (see config.h, OPTION_C_kind):
 *             flag      true or false
 *             count     a plain number
 *             size      "64K", "16M", "1G": bytes, powers of 1024
 *             duration  "250ms", "30s", "10m", "1h": milliseconds
 *             text      a string
 *             secret    a string that is never shown
 *             mode      a file mode as an octal string, "0660"
 *             texts     a list of strings
 *             WORD      a word of the list WORD_LIST (log_level, types_form ...)
 *             words     extensions: a list of words
 *   default   as text, read by the kind's own reader; NULL: none
 *   least, greatest
 *             bounds as text, for count, size and duration; else NULL
 *   reload    LIVE: SIGHUP changes it; RESTART: a restart does
 *
 * Groups (`limits = { … }`) are lists of their own, named in GROUP rows of their parent:
 *   G(group, name, "help"). */
#ifndef RPCGATE_CONFIG_OPTION_LIST_H
#define RPCGATE_CONFIG_OPTION_LIST_H

/* Top level. */
#define MAIN_OPTIONS(X)                                                                            \
    X(count, workers, "0", "0", "256", RESTART,                                                    \
      "Worker threads. 0: one for each CPU that the process may run on.")                          \
    X(texts, hosts, NULL, NULL, NULL, LIVE,                                                        \
      "Further names that a request's `Host` may have, beside loopback names and the local "       \
      "address.")

#define MAIN_GROUPS(G)                                                                             \
    G(anonymous, anonymous, "What callers without credentials may do. Without it: nothing.")       \
    G(limits, limits, "What one request, and all together, may take.")                             \
    G(log, log, "What goes to the log on stderr.")

/* listen = ( { … }, … ) */
#define LISTEN_OPTIONS(X)                                                                          \
    X(text, unix, NULL, NULL, NULL, RESTART, "Path of a unix socket.")                             \
    X(mode, mode, "0660", NULL, NULL, RESTART, "File mode of the unix socket.")                    \
    X(text, group, NULL, NULL, NULL, RESTART, "Group that the unix socket is given to.")           \
    X(text, address, NULL, NULL, NULL, RESTART, "IPv4 or IPv6 address to listen on.")              \
    X(count, port, NULL, "0", "65535", RESTART,                                                    \
      "TCP port. 0: any free one, which is printed at start.")                                     \
    X(flag, insecure, "false", NULL, NULL, RESTART,                                                \
      "Allows an address beyond loopback without TLS and callers.")

/* anonymous = { … } */
#define ANONYMOUS_OPTIONS(X)                                                                       \
    X(texts, allow, NULL, NULL, NULL, LIVE,                                                        \
      "Globs over `upstream/method` of what is allowed. Each side matches by itself.")             \
    X(texts, deny, NULL, NULL, NULL, LIVE, "Globs of what is not; deny wins.")

/* limits = { … } */
#define LIMITS_OPTIONS(X)                                                                          \
    X(size, body, "4M", "1K", "1G", LIVE, "Largest request body; a larger one is answered 413.")   \
    X(size, headers, "16K", "1K", "256K", RESTART,                                                 \
      "Largest request head: request line and header lines together.")                             \
    X(count, header_count, "64", "8", "1000", LIVE, "Most header lines of a request.")             \
    X(count, depth, "128", "1", "1000", LIVE, "Greatest nesting of a request's JSON.")             \
    X(count, connections, "4096", "8", "1000000", RESTART,                                         \
      "Most connections of callers; at the limit the oldest idle ones make room.")                 \
    X(size, memory, "256M", "8M", "1T", LIVE,                                                      \
      "What bodies, documents and replies of all callers together may hold.")                      \
    X(duration, header_time, "10s", "100ms", "1h", LIVE, "Longest time a request's head may take.") \
    X(duration, body_time, "30s", "100ms", "1h", LIVE, "Longest time a request's body may take.")  \
    X(duration, write_time, "30s", "100ms", "1h", LIVE, "Longest time a reply may take to send.")  \
    X(duration, idle, "60s", "1s", "1h", LIVE, "How long an unused connection is kept.")           \
    X(duration, drain, "35s", "0s", "1h", LIVE, "How long running calls may take at shutdown.")    \
    X(duration, lame_duck, "0s", "0s", "10m", LIVE,                                                \
      "How long new connections are still accepted at shutdown, with /readyz saying 503.")

/* log = { … } */
#define LOG_OPTIONS(X)                                                                             \
    X(log_level, level, "info", NULL, NULL, LIVE, "Least weight of what is logged.")               \
    X(log_format, format, "text", NULL, NULL, LIVE, "Lines of text, or of JSON.")                  \
    X(flag, access, "true", NULL, NULL, LIVE, "One line for each request.")

/* upstreams = { NAME = { … } } */
#define UPSTREAM_OPTIONS(X)                                                                        \
    X(text, url, NULL, NULL, NULL, LIVE,                                                           \
      "Where the server is: `http://`, `https://`, or `http+unix://%2Frun%2Fx.sock/RPC2`. The "    \
      "path is `/RPC2` where there is none; `user:password@` is sent as Basic credentials.")       \
    X(texts, headers, NULL, NULL, NULL, LIVE,                                                      \
      "`Name: value` lines that are sent with every request.")                                     \
    X(words, extensions, NULL, NULL, NULL, LIVE,                                                   \
      "Types beyond the specification that the server takes.")                                     \
    X(types_form, types, "plain", NULL, NULL, LIVE, "How XML-RPC types show in JSON.")             \
    X(integers_form, integers, "number", NULL, NULL, LIVE, "How integers show in JSON.")           \
    X(text_policy, text, "reject", NULL, NULL, LIVE,                                               \
      "What happens to text that XML or JSON cannot carry.")                                       \
    X(text, timezone, NULL, NULL, NULL, LIVE,                                                      \
      "Zone of the dates that are sent: `+02:00` or a name of the zone database. Without it: "     \
      "UTC.")                                                                                      \
    X(text, encoding, "UTF-8", NULL, NULL, LIVE, "Encoding of the documents that are sent.")       \
    X(text, response_encoding, NULL, NULL, NULL, LIVE,                                             \
      "Encoding in which responses are read, whatever they declare.")                              \
    X(text, user_agent, NULL, NULL, NULL, LIVE, "`User-Agent` of our requests. Without it: "       \
      "rpcgate/VERSION.")

#define UPSTREAM_GROUPS(G)                                                                         \
    G(auth, auth, "Our credentials at the server.")                                                \
    G(timeouts, timeouts, "How long things may take.")                                             \
    G(upstream_limits, limits, "How large answers may be.")

/* upstreams.NAME.auth = { … } */
#define AUTH_OPTIONS(X)                                                                            \
    X(auth_scheme, scheme, "none", NULL, NULL, LIVE, "How we log in; Basic is sent at once.")      \
    X(text, username, NULL, NULL, NULL, LIVE, "User name.")                                        \
    X(secret, password, NULL, NULL, NULL, LIVE, "Password.")

/* upstreams.NAME.timeouts = { … } */
#define TIMEOUTS_OPTIONS(X)                                                                        \
    X(duration, connect, "2s", "10ms", "10m", LIVE, "Longest time for opening a connection.")      \
    X(duration, total, "30s", "10ms", "24h", LIVE, "Longest time for a call, all together.")       \
    X(duration, idle, "30s", "0s", "1h", LIVE, "How long an unused connection is kept.")

/* upstreams.NAME.limits = { … } */
#define UPSTREAM_LIMITS_OPTIONS(X)                                                                 \
    X(size, response, "32M", "1K", "4G", LIVE, "Largest response, after decompression.")           \
    X(count, depth, "128", "1", "1000", LIVE, "Greatest nesting of a response.")

/* Words: X(WORD, "word"). */
#define LOG_LEVEL_LIST(X) X(ERROR, "error") X(WARN, "warn") X(INFO, "info") X(DEBUG, "debug")
#define LOG_FORMAT_LIST(X) X(TEXT, "text") X(JSON, "json")
#define AUTH_SCHEME_LIST(X) X(NONE, "none") X(BASIC, "basic")

#endif
