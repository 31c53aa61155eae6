/* SPDX-License-Identifier: Apache-2.0 */
/* What GET /metrics shows, once: X(WORD, name, type, help). */
#ifndef RPCGATE_FRONT_METRIC_LIST_H
#define RPCGATE_FRONT_METRIC_LIST_H

#define METRIC_LIST(X)                                                                             \
    X(REQUESTS, "rpcgate_requests_total", "counter",                                               \
      "Calls, those of a batch each by itself, and requests that made none, by upstream, method "  \
      "(the first 200 that succeeded, else other) and outcome.")                                   \
    X(FACE_REQUESTS, "rpcgate_face_requests_total", "counter",                                     \
      "Requests that are an upstream's, by the way they came: json, jsonrpc, xmlrpc or mcp.")      \
    X(REQUEST_DURATION, "rpcgate_request_duration_seconds", "histogram",                           \
      "From a call's head to the end of its reply.")                                               \
    X(UPSTREAM_DURATION, "rpcgate_upstream_duration_seconds", "histogram",                         \
      "What the upstream took of it.")                                                             \
    X(QUEUE_DURATION, "rpcgate_queue_duration_seconds", "histogram",                               \
      "What waiting for a connection took of it.")                                                 \
    X(UPSTREAM_CONNECTIONS, "rpcgate_upstream_connections", "gauge",                               \
      "Connections in use, and calls that wait for one.")                                          \
    X(CALLS, "rpcgate_calls", "gauge",                                                             \
      "Calls that run, by what they do or wait for. SIGUSR1 tells their ages in the log.")         \
    X(UPSTREAM_UP, "rpcgate_upstream_up", "gauge",                                                 \
      "1 unless the last that was seen of it failed.")                                             \
    X(URL_UP, "rpcgate_upstream_url_up", "gauge",                                                  \
      "Of upstreams with several urls: 0 for one that could not be connected to.")                 \
    X(BREAKER_STATE, "rpcgate_breaker_state", "gauge", "1 for the state that the breaker is in.")  \
    X(RETRIES, "rpcgate_retries_total", "counter", "Attempts beyond each call's first.")           \
    X(CACHE, "rpcgate_cache_total", "counter",                                                     \
      "Calls of which results are kept: hit, miss, stale, or collapsed, which shared an equal "    \
      "call that was under way.")                                                                  \
    X(CACHE_BYTES, "rpcgate_cache_bytes", "gauge", "What limits.cache counts.")                    \
    X(JOINS, "rpcgate_joins_total", "counter",                                                     \
      "Requests to upstreams with `join` that several calls went out in.")                         \
    X(JOINED_CALLS, "rpcgate_joined_calls_total", "counter", "The calls in them.")                 \
    X(SESSION_LOGINS, "rpcgate_session_logins_total", "counter",                                   \
      "Logins at upstreams with a session: ok, refused, or failed otherwise.")                     \
    X(SESSION_EXPIRED, "rpcgate_session_expired_total", "counter",                                 \
      "Sessions that an upstream has ended before we did.")                                        \
    X(SESSION_ACTIVE, "rpcgate_session_active", "gauge", "Sessions that calls may use.")           \
    X(RELOADS, "rpcgate_reloads_total", "counter",                                                 \
      "Times that the configuration was read again, by result.")                                   \
    X(LAST_RELOAD, "rpcgate_config_last_reload_successful", "gauge",                               \
      "1 unless the file was bad when it was last read.")                                          \
    X(CONNECTIONS, "rpcgate_connections", "gauge", "Connections of callers.")                      \
    X(HANDSHAKES_FAILED, "rpcgate_tls_handshakes_failed_total", "counter",                         \
      "TLS handshakes that callers began and that failed, by listener.")                           \
    X(MEMORY, "rpcgate_memory_bytes", "gauge", "What limits.memory counts.")                       \
    X(LOG_DROPPED, "rpcgate_log_dropped_total", "counter",                                         \
      "Lines that were not written because nobody read the log.")                                  \
    X(TRACE_SPANS, "rpcgate_trace_spans_total", "counter",                                         \
      "Spans that the collector has taken (sent), and that were given up: no room in "             \
      "traces.queue, or not taken within traces.retry (dropped).")                                 \
    X(TRACE_EXPORTS, "rpcgate_trace_exports_total", "counter",                                     \
      "Requests to the collector of spans, by result.")                                            \
    X(BUILD_INFO, "rpcgate_build_info", "gauge", "1, with the version.")                           \
    X(CPU, "process_cpu_seconds_total", "counter", "CPU time of the process.")                     \
    X(RESIDENT, "process_resident_memory_bytes", "gauge", "Memory of the process.")                \
    X(OPEN_FDS, "process_open_fds", "gauge", "Open file descriptors.")                             \
    X(MAX_FDS, "process_max_fds", "gauge", "How many there may be.")                               \
    X(START_TIME, "process_start_time_seconds", "gauge", "Start of the process, since 1970.")

#endif
