/* SPDX-License-Identifier: Apache-2.0 */
/* Every setting of the configuration file, once. The structs (config.h), the reader with its
 * defaults and bounds, `--show-config`, the sample file etc/rpcgate.conf and the reference
 * (docs/reference/configuration.md, rpcgate.conf(5)) are made from these lists.
 *
 * A row: X(kind, name, "default", "example", "least", "greatest", reload, "help")
 *
 *   kind      what it is in the file and in the struct: a row of KIND_LIST below, and a type
 *             OPTION_C_kind in config.h
 *   default   as text, read by the kind's own reader; NULL: none
 *   example   for the sample file where there is no default; else NULL. Of a list: what stands
 *             between its brackets
 *   least, greatest
 *             bounds as text, for count, size and duration; else NULL
 *   reload    LIVE: SIGHUP changes it; RESTART: a restart does
 *
 * Groups (`limits = { … }`) are lists of their own, named in rows G(group, name, "help") of their
 * parent: group##_config is the struct, name the member and the name in the file. */
#ifndef RPCGATE_CONFIG_OPTION_LIST_H
#define RPCGATE_CONFIG_OPTION_LIST_H

/* Kinds: K(kind, form, "name for users", "how it is written"). The form says what it becomes: a
 * NUMBER (enum values and flags too), a TEXT, TEXTS, or WORDS, which are a set of bits. */
#define KIND_LIST(K)                                                                               \
    K(flag, NUMBER, "flag", "`true` or `false`")                                                   \
    K(count, NUMBER, "number", "a plain number, such as `64`")                                     \
    K(size, NUMBER, "size", "a string of bytes, with K, M, G or T for powers of 1024: `\"64K\"`")  \
    K(duration, NUMBER, "duration",                                                                \
      "a string with one of the units ms, s, m and h: `\"250ms\"`, `\"30s\"`, `\"10m\"`")          \
    K(mode, NUMBER, "mode", "a file mode as an octal string, such as `\"0660\"`")                  \
    K(text, TEXT, "string", "a string without control characters")                                 \
    K(secret, TEXT, "secret", "a string that is never shown")                                      \
    K(url, TEXT, "URL", "a string with a URL")                                                     \
    K(address, TEXT, "address", "an IPv4 or IPv6 address, such as `\"127.0.0.1\"` or `\"::1\"`")   \
    K(socket_path, TEXT, "path", "the absolute path of a unix socket, of at most 107 bytes")       \
    K(zone, TEXT, "time zone",                                                                     \
      "`\"UTC\"`, an offset such as `\"+02:00\"`, or a name of the system's zone database")        \
    K(encoding, TEXT, "encoding", "the name of an encoding, such as `\"UTF-8\"`")                  \
    K(decoding, TEXT, "encoding", "the name of an encoding, such as `\"ISO-8859-1\"`")             \
    K(host_names, TEXTS, "list of host names",                                                     \
      "a list of host names without a port: `[ \"gw.internal\" ]`")                                \
    K(headers, TEXTS, "list of headers", "a list of header lines: `[ \"X-Tenant: blue\" ]`")       \
    K(globs, TEXTS, "list of globs", "a list of globs over `upstream/method`: `[ \"demo/*\" ]`")   \
    K(extensions, WORDS, "list of words", "a list of words: `[ \"nil\", \"i8\" ]`")                \
    K(log_level, NUMBER, "word", "a string with one of the words listed")                          \
    K(log_format, NUMBER, "word", "a string with one of the words listed")                         \
    K(types_form, NUMBER, "word", "a string with one of the words listed")                         \
    K(integers_form, NUMBER, "word", "a string with one of the words listed")                      \
    K(text_policy, NUMBER, "word", "a string with one of the words listed")                        \
    K(auth_scheme, NUMBER, "word", "a string with one of the words listed")

/* Top level. */
#define MAIN_OPTIONS(X)                                                                            \
    X(count, workers, "0", NULL, "0", "256", RESTART,                                              \
      "Worker threads. 0: one for each CPU that the process may run on.")                          \
    X(host_names, hosts, NULL, "\"gateway.internal\"", NULL, NULL, LIVE,                           \
      "Further names that a request's `Host` may have, beside loopback names and the local "       \
      "address.")

/* Lists of groups: `listen = ( { … }, { … } )`. */
#define MAIN_LISTS(G)                                                                              \
    G(listen, listen,                                                                              \
      "Where callers connect, each entry with either `unix` or `address` and `port`. Without "     \
      "`listen`: the unix socket /run/rpcgate/rpcgate.sock, mode 0660, group rpcgate.")

/* Groups whose presence alone means something. */
#define MAIN_OPTIONAL_GROUPS(G)                                                                    \
    G(anonymous, anonymous,                                                                        \
      "What callers without credentials may do. Without it nobody unauthenticated gets in.")

#define MAIN_GROUPS(G)                                                                             \
    G(limits, limits, "What one request, and all together, may take.")                             \
    G(log, log, "What goes to the log on stderr.")

/* Groups of named groups: `upstreams = { NAME = { … }; }`. */
#define MAIN_NAMED_GROUPS(G)                                                                       \
    G(upstream, upstreams,                                                                         \
      "The XML-RPC servers, each under a name of its own, by which callers reach it: a letter, "   \
      "then up to 63 letters, digits, `_` and `-`.")

/* listen = ( { … }, … ) */
#define LISTEN_OPTIONS(X)                                                                          \
    X(socket_path, unix, NULL, "/run/rpcgate/rpcgate.sock", NULL, NULL, RESTART,                   \
      "Path of a unix socket.")                                                                    \
    X(mode, mode, "0660", NULL, NULL, NULL, RESTART, "File mode of the unix socket.")              \
    X(text, group, NULL, "rpcgate", NULL, NULL, RESTART,                                           \
      "Group that the unix socket is given to. Without it: the daemon's own.")                     \
    X(address, address, NULL, "127.0.0.1", NULL, NULL, RESTART,                                    \
      "IPv4 or IPv6 address to listen on.")                                                        \
    X(count, port, NULL, "8080", "0", "65535", RESTART,                                            \
      "TCP port. 0: any free one, which is printed at start.")                                     \
    X(flag, insecure, "false", NULL, NULL, NULL, RESTART,                                          \
      "Allows an address beyond loopback without TLS and callers.")

/* anonymous = { … } */
#define ANONYMOUS_OPTIONS(X)                                                                       \
    X(globs, allow, NULL, "\"demo/*\"", NULL, NULL, LIVE,                                          \
      "Globs over `upstream/method` of what is allowed. Each side matches by itself.")             \
    X(globs, deny, NULL, "\"supervisor/supervisor.shutdown\"", NULL, NULL, LIVE,                   \
      "Globs of what is not; deny wins.")

/* limits = { … } */
#define LIMITS_OPTIONS(X)                                                                          \
    X(size, body, "4M", NULL, "1K", "1G", LIVE,                                                    \
      "Largest request body; a larger one is answered 413. At most `limits.memory`.")              \
    X(size, headers, "16K", NULL, "1K", "256K", RESTART,                                           \
      "Largest request head: request line and header lines together.")                             \
    X(count, header_count, "64", NULL, "8", "1000", LIVE, "Most header lines of a request.")       \
    X(count, depth, "128", NULL, "1", "1000", LIVE, "Greatest nesting of a request's JSON.")       \
    X(count, connections, "4096", NULL, "8", "1000000", RESTART,                                   \
      "Most connections of callers; at the limit the oldest idle ones make room.")                 \
    X(size, memory, "256M", NULL, "8M", "1T", LIVE,                                                \
      "What bodies, documents and replies of all callers together may hold.")                      \
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

/* upstreams = { NAME = { … } } */
#define UPSTREAM_OPTIONS(X)                                                                        \
    X(url, url, NULL, "http://127.0.0.1:9001/RPC2", NULL, NULL, LIVE,                              \
      "Where the server is, which must be set: `http://`, `https://`, or "                         \
      "`http+unix://%2Frun%2Fx.sock/RPC2`. The path is `/RPC2` where there is none; "              \
      "`user:password@` is sent as Basic credentials.")                                            \
    X(headers, headers, NULL, "\"X-Tenant: blue\"", NULL, NULL, LIVE,                              \
      "`Name: value` lines that are sent with every request.")                                     \
    X(extensions, extensions, NULL, "\"nil\", \"i8\"", NULL, NULL, LIVE,                           \
      "Types beyond the specification that the server takes.")                                     \
    X(types_form, types, "plain", NULL, NULL, NULL, LIVE, "How XML-RPC types show in JSON.")       \
    X(integers_form, integers, "number", NULL, NULL, NULL, LIVE, "How integers show in JSON.")     \
    X(text_policy, text, "reject", NULL, NULL, NULL, LIVE,                                         \
      "What happens to text that XML or JSON cannot carry.")                                       \
    X(zone, timezone, NULL, "+02:00", NULL, NULL, LIVE,                                            \
      "Zone of the dates that are sent: `+02:00` or a name of the zone database. Without it: "     \
      "UTC.")                                                                                      \
    X(encoding, encoding, "UTF-8", NULL, NULL, NULL, LIVE,                                         \
      "Encoding of the documents that are sent.")                                                  \
    X(decoding, response_encoding, NULL, "ISO-8859-1", NULL, NULL, LIVE,                           \
      "Encoding in which responses are read, whatever they declare.")                              \
    X(text, user_agent, NULL, "billing-gateway/1", NULL, NULL, LIVE,                               \
      "`User-Agent` of our requests. Without it: rpcgate/VERSION.")

#define UPSTREAM_GROUPS(G)                                                                         \
    G(auth, auth, "Our credentials at the server.")                                                \
    G(timeouts, timeouts, "How long things may take.")                                             \
    G(pool, pool, "Who waits, and how long.")                                                      \
    G(upstream_limits, limits, "How large answers may be.")

/* upstreams.NAME.auth = { … } */
#define AUTH_OPTIONS(X)                                                                            \
    X(auth_scheme, scheme, "none", NULL, NULL, NULL, LIVE,                                         \
      "How we log in; Basic is sent at once.")                                                     \
    X(text, username, NULL, "rpcgate", NULL, NULL, LIVE, "User name.")                             \
    X(secret, password, NULL, "${file:/etc/rpcgate/upstream.pw}", NULL, NULL, LIVE, "Password.")

/* upstreams.NAME.timeouts = { … } */
#define TIMEOUTS_OPTIONS(X)                                                                        \
    X(duration, connect, "2s", NULL, "10ms", "10m", LIVE,                                          \
      "Longest time for opening a connection.")                                                    \
    X(duration, total, "30s", NULL, "10ms", "24h", LIVE, "Longest time for a call, all together.") \
    X(duration, idle, "30s", NULL, "0s", "1h", LIVE, "How long an unused connection is kept.")

/* upstreams.NAME.pool = { … } */
#define POOL_OPTIONS(X)                                                                            \
    X(duration, queue_timeout, "5s", NULL, "0s", "1h", LIVE,                                       \
      "How long a call waits for room in limits.memory.")

/* upstreams.NAME.limits = { … } */
#define UPSTREAM_LIMITS_OPTIONS(X)                                                                 \
    X(size, response, "32M", NULL, "1K", "4G", LIVE, "Largest response, after decompression.")     \
    X(count, depth, "128", NULL, "1", "1000", LIVE, "Greatest nesting of a response.")

/* Words: X(WORD, "word"). Those of the codec's choices stand in codec/options.h. */
#define LOG_LEVEL_LIST(X) X(ERROR, "error") X(WARN, "warn") X(INFO, "info") X(DEBUG, "debug")
#define LOG_FORMAT_LIST(X) X(TEXT, "text") X(JSON, "json")
#define AUTH_SCHEME_LIST(X) X(NONE, "none") X(BASIC, "basic")

#endif
