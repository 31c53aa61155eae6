/* SPDX-License-Identifier: Apache-2.0 */
/* Where a setting stands in its group's `origins`: `limits.origins[LIMITS_body]`. Those of `listen`
 * are in config.h. */
#ifndef RPCGATE_CONFIG_INDEXES_H
#define RPCGATE_CONFIG_INDEXES_H

#include "settings/option_list.h"

enum limits_index {
#define X(kind, name, ...) LIMITS_##name,
    LIMITS_OPTIONS(X)
#undef X
};
enum upstream_index {
#define X(kind, name, ...) UPSTREAM_##name,
    UPSTREAM_OPTIONS(X)
#undef X
};
enum auth_index {
#define X(kind, name, ...) AUTH_##name,
    AUTH_OPTIONS(X)
#undef X
};
enum proxy_index {
#define X(kind, name, ...) PROXY_##name,
    PROXY_OPTIONS(X)
#undef X
};
enum tls_index {
#define X(kind, name, ...) TLS_##name,
    TLS_OPTIONS(X)
#undef X
};
enum timeouts_index {
#define X(kind, name, ...) TIMEOUTS_##name,
    TIMEOUTS_OPTIONS(X)
#undef X
};
enum compression_index {
#define X(kind, name, ...) COMPRESSION_##name,
    COMPRESSION_OPTIONS(X)
#undef X
};
enum fault_rule_index {
#define X(kind, name, ...) FAULT_##name,
    FAULT_RULE_OPTIONS(X)
#undef X
};
enum method_rule_index {
#define X(kind, name, ...) METHOD_##name,
    METHOD_RULE_OPTIONS(X)
#undef X
};
enum value_test_index {
#define X(kind, name, ...) TEST_##name,
    VALUE_TEST_OPTIONS(X)
#undef X
};
enum inject_rule_index {
#define X(kind, name, ...) INJECT_##name,
    INJECT_RULE_OPTIONS(X)
#undef X
};
enum login_index {
#define X(kind, name, ...) LOGIN_##name,
    LOGIN_OPTIONS(X)
#undef X
};
enum logout_index {
#define X(kind, name, ...) LOGOUT_##name,
    LOGOUT_OPTIONS(X)
#undef X
};
enum keepalive_index {
#define X(kind, name, ...) KEEPALIVE_##name,
    KEEPALIVE_OPTIONS(X)
#undef X
};
enum session_index {
#define X(kind, name, ...) SESSION_##name,
    SESSION_OPTIONS(X)
#undef X
};
enum join_index {
#define X(kind, name, ...) JOIN_##name,
    JOIN_OPTIONS(X)
#undef X
};
enum envelope_rule_index {
#define X(kind, name, ...) ENVELOPE_##name,
    ENVELOPE_RULE_OPTIONS(X)
#undef X
};
enum caller_index {
#define X(kind, name, ...) CALLER_##name,
    CALLER_OPTIONS(X)
#undef X
};
enum access_rule_index {
#define X(kind, name, ...) ACCESS_RULE_##name,
    ACCESS_RULE_OPTIONS(X)
#undef X
};
enum param_rule_index {
#define X(kind, name, ...) PARAM_RULE_##name,
    PARAM_RULE_OPTIONS(X)
#undef X
};
enum listen_tls_index {
#define X(kind, name, ...) LISTEN_TLS_##name,
    LISTEN_TLS_OPTIONS(X)
#undef X
};
enum traces_index {
#define X(kind, name, ...) TRACES_##name,
    TRACES_OPTIONS(X)
#undef X
};
enum traces_tls_index {
#define X(kind, name, ...) TRACES_TLS_##name,
    TRACES_TLS_OPTIONS(X)
#undef X
};
enum route_index {
#define X(kind, name, ...) ROUTE_##name,
    ROUTE_OPTIONS(X)
#undef X
};
enum route_result_index {
#define X(kind, name, ...) ROUTE_RESULT_##name,
    ROUTE_RESULT_OPTIONS(X)
#undef X
};
enum mcp_index {
#define X(kind, name, ...) MCP_##name,
    MCP_OPTIONS(X)
#undef X
};
enum mcp_tool_index {
#define X(kind, name, ...) MCP_TOOL_##name,
    MCP_TOOL_OPTIONS(X)
#undef X
};
enum main_index {
#define X(kind, name, ...) MAIN_##name,
    MAIN_OPTIONS(X)
#undef X
};

#endif
