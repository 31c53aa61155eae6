/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/sections.h"

/* For each list OWNER names the struct that its rows are members of. */
#define ROW(kind_, name_, standard_, example_, least_, greatest_, reload_, help_)                  \
    { .name = #name_,                                                                              \
      .kind = &kinds[KIND_##kind_],                                                                \
      .offset = offsetof(OWNER, name_),                                                            \
      .standard = (standard_),                                                                     \
      .example = (example_),                                                                       \
      .least = (least_),                                                                           \
      .greatest = (greatest_),                                                                     \
      .live = RELOAD_##reload_,                                                                    \
      .help = (help_) },
#define ROW_W(kind_, member_, name_, standard_, example_, least_, greatest_, reload_, help_)       \
    { .name = #name_,                                                                              \
      .kind = &kinds[KIND_##kind_],                                                                \
      .offset = offsetof(OWNER, member_),                                                          \
      .standard = (standard_),                                                                     \
      .example = (example_),                                                                       \
      .least = (least_),                                                                           \
      .greatest = (greatest_),                                                                     \
      .live = RELOAD_##reload_,                                                                    \
      .help = (help_) },
#define RELOAD_LIVE true
#define RELOAD_RESTART false

#define ONE(form_, group_, name_, help_)                                                           \
    { .form = (form_),                                                                             \
      .name = #name_,                                                                              \
      .help = (help_),                                                                             \
      .section = &section_##group_,                                                                \
      .offset = offsetof(OWNER, name_) },
#define SEVERAL(form_, group_, name_, example_, help_)                                             \
    { .form = (form_),                                                                             \
      .name = #name_,                                                                              \
      .help = (help_),                                                                             \
      .example = (example_),                                                                       \
      .section = &section_##group_,                                                                \
      .offset = offsetof(OWNER, name_),                                                            \
      .count_offset = offsetof(OWNER, n_##name_) },
#define PLAIN(group, name, help) ONE(GROUP_PLAIN, group, name, help)
#define OPTIONAL(group, name, help) ONE(GROUP_OPTIONAL, group, name, help)
#define LIST(group, name, help) SEVERAL(GROUP_LIST, group, name, NULL, help)
#define ITEMS(group, name, help) SEVERAL(GROUP_ITEMS, group, name, NULL, help)
#define NAMED(group, name, help) SEVERAL(GROUP_NAMED, group, name, NULL, help)
#define RULES(group, name, example, help) SEVERAL(GROUP_RULES, group, name, example, help)

#define SECTION(owner, title_, rows)                                                               \
    .title = (title_), .size = sizeof(owner), .options = (rows), .n_options = ARRAY_LEN(rows),     \
    .present_offset = offsetof(owner, present), .place_offset = offsetof(owner, place),            \
    .origins_offset = offsetof(owner, origins)
#define GROUPS(rows) .groups = (rows), .n_groups = ARRAY_LEN(rows)

#define OWNER struct listen_tls_config
static const struct option_row listen_tls_options[] = { LISTEN_TLS_OPTIONS(ROW) };
static const struct section section_listen_tls = { SECTION(OWNER, "listen.tls",
                                                           listen_tls_options) };
#undef OWNER

#define OWNER struct listen_config
static const struct option_row listen_options[] = { LISTEN_OPTIONS(ROW) };
static const struct group_row listen_groups[] = { LISTEN_GROUPS(OPTIONAL) };
const struct section section_listen = { SECTION(OWNER, "listen", listen_options),
                                        GROUPS(listen_groups) };
#undef OWNER

#define OWNER struct param_rule_config
static const struct option_row param_rule_options[] = { PARAM_RULE_OPTIONS(ROW) };
static const struct section section_param_rule = { SECTION(OWNER, "callers.allow.params",
                                                           param_rule_options) };
#undef OWNER

#define OWNER struct access_rule_config
static const struct option_row access_rule_options[] = { ACCESS_RULE_OPTIONS(ROW) };
static const struct group_row access_rule_groups[] = { ACCESS_RULE_LISTS(LIST) };
static const struct section section_access_rule = {
    SECTION(OWNER, "callers.allow", access_rule_options), GROUPS(access_rule_groups)
};
#undef OWNER

#define OWNER struct caller_config
static const struct option_row caller_options[] = { CALLER_OPTIONS(ROW) };
static const struct group_row caller_groups[] = { CALLER_RULES(RULES) };
static const struct section section_caller = { SECTION(OWNER, "callers", caller_options),
                                               GROUPS(caller_groups) };
#undef OWNER

#define OWNER struct anonymous_config
static const struct option_row anonymous_options[] = { ANONYMOUS_OPTIONS(ROW) };
static const struct group_row anonymous_groups[] = { ANONYMOUS_RULES(RULES) };
static const struct section section_anonymous = { SECTION(OWNER, "anonymous", anonymous_options),
                                                  GROUPS(anonymous_groups) };
#undef OWNER

#define OWNER struct limits_config
static const struct option_row limits_options[] = { LIMITS_OPTIONS(ROW) };
static const struct section section_limits = { SECTION(OWNER, "limits", limits_options) };
#undef OWNER

#define OWNER struct log_config
static const struct option_row log_options[] = { LOG_OPTIONS(ROW) };
static const struct section section_log = { SECTION(OWNER, "log", log_options) };
#undef OWNER

#define OWNER struct traces_tls_config
static const struct option_row traces_tls_options[] = { TRACES_TLS_OPTIONS(ROW) };
static const struct section section_traces_tls = { SECTION(OWNER, "traces.tls",
                                                           traces_tls_options) };
#undef OWNER

#define OWNER struct traces_config
static const struct option_row traces_options[] = { TRACES_OPTIONS(ROW) };
static const struct group_row traces_groups[] = { TRACES_GROUPS(OPTIONAL) };
static const struct section section_traces = { SECTION(OWNER, "traces", traces_options),
                                               GROUPS(traces_groups) };
#undef OWNER

#define OWNER struct auth_config
static const struct option_row auth_options[] = { AUTH_OPTIONS(ROW) };
static const struct section section_auth = { SECTION(OWNER, "upstreams.NAME.auth", auth_options) };
#undef OWNER

#define OWNER struct tls_config
static const struct option_row tls_options[] = { TLS_OPTIONS(ROW) };
static const struct section section_tls = { SECTION(OWNER, "upstreams.NAME.tls", tls_options) };
#undef OWNER

#define OWNER struct proxy_config
static const struct option_row proxy_options[] = { PROXY_OPTIONS(ROW) };
static const struct section section_proxy = { SECTION(OWNER, "upstreams.NAME.proxy",
                                                      proxy_options) };
#undef OWNER

#define OWNER struct timeouts_config
static const struct option_row timeouts_options[] = { TIMEOUTS_OPTIONS(ROW) };
static const struct section section_timeouts = { SECTION(OWNER, "upstreams.NAME.timeouts",
                                                         timeouts_options) };
#undef OWNER

#define OWNER struct pool_config
static const struct option_row pool_options[] = { POOL_OPTIONS(ROW) };
static const struct section section_pool = { SECTION(OWNER, "upstreams.NAME.pool", pool_options) };
#undef OWNER

#define OWNER struct upstream_limits_config
static const struct option_row upstream_limits_options[] = { UPSTREAM_LIMITS_OPTIONS(ROW) };
static const struct section section_upstream_limits = { SECTION(OWNER, "upstreams.NAME.limits",
                                                                upstream_limits_options) };
#undef OWNER

#define OWNER struct compression_config
static const struct option_row compression_options[] = { COMPRESSION_OPTIONS(ROW) };
static const struct section section_compression = { SECTION(OWNER, "upstreams.NAME.compression",
                                                            compression_options) };
#undef OWNER

#define OWNER struct retry_config
static const struct option_row retry_options[] = { RETRY_OPTIONS(ROW) };
static const struct section section_retry = { SECTION(OWNER, "upstreams.NAME.retry",
                                                      retry_options) };
#undef OWNER

#define OWNER struct breaker_config
static const struct option_row breaker_options[] = { BREAKER_OPTIONS(ROW) };
static const struct section section_breaker = { SECTION(OWNER, "upstreams.NAME.breaker",
                                                        breaker_options) };
#undef OWNER

#define OWNER struct introspection_config
static const struct option_row introspection_options[] = { INTROSPECTION_OPTIONS(ROW) };
static const struct section section_introspection = { SECTION(OWNER, "upstreams.NAME.introspection",
                                                              introspection_options) };
#undef OWNER

#define OWNER struct fault_rule_config
static const struct option_row fault_rule_options[] = { FAULT_RULE_OPTIONS(ROW) };
static const struct section section_fault_rule = { SECTION(OWNER, "upstreams.NAME.faults",
                                                           fault_rule_options) };
#undef OWNER

#define OWNER struct cache_config
static const struct option_row cache_options[] = { CACHE_OPTIONS(ROW) };
static const struct section section_cache = { SECTION(OWNER, "upstreams.NAME.cache",
                                                      cache_options) };
#undef OWNER

#define OWNER struct method_rule_config
static const struct option_row method_rule_options[] = { METHOD_RULE_OPTIONS(ROW) };
static const struct group_row method_rule_groups[] = { METHOD_RULE_GROUPS(OPTIONAL) };
const struct section section_method_rule = {
    SECTION(OWNER, "upstreams.NAME.methods", method_rule_options), GROUPS(method_rule_groups)
};
#undef OWNER

#define OWNER struct value_test_config
static const struct option_row value_test_options[] = { VALUE_TEST_OPTIONS(ROW) };
static const struct section section_value_test = { SECTION(OWNER, "upstreams.NAME.envelope.good",
                                                           value_test_options) };
#undef OWNER

#define OWNER struct inject_rule_config
static const struct option_row inject_rule_options[] = { INJECT_RULE_OPTIONS(ROW) };
static const struct section section_inject_rule = { SECTION(OWNER, "upstreams.NAME.inject",
                                                            inject_rule_options) };
#undef OWNER

#define OWNER struct login_config
static const struct option_row login_options[] = { LOGIN_OPTIONS(ROW) };
static const struct group_row login_groups[] = { LOGIN_GROUPS(OPTIONAL) };
static const struct section section_login = {
    SECTION(OWNER, "upstreams.NAME.session.login", login_options), GROUPS(login_groups)
};
#undef OWNER

#define OWNER struct logout_config
static const struct option_row logout_options[] = { LOGOUT_OPTIONS(ROW) };
static const struct section section_logout = { SECTION(OWNER, "upstreams.NAME.session.logout",
                                                       logout_options) };
#undef OWNER

#define OWNER struct keepalive_config
static const struct option_row keepalive_options[] = { KEEPALIVE_OPTIONS(ROW) };
static const struct section section_keepalive = { SECTION(OWNER, "upstreams.NAME.session.keepalive",
                                                          keepalive_options) };
#undef OWNER

#define OWNER struct session_config
static const struct option_row session_options[] = { SESSION_OPTIONS(ROW) };
static const struct group_row session_groups[] = { SESSION_GROUPS(OPTIONAL) };
static const struct section section_session = {
    SECTION(OWNER, "upstreams.NAME.session", session_options), GROUPS(session_groups)
};
#undef OWNER

#define OWNER struct join_config
static const struct option_row join_options[] = { JOIN_OPTIONS(ROW) };
static const struct section section_join = { SECTION(OWNER, "upstreams.NAME.join", join_options) };
#undef OWNER

#define OWNER struct envelope_rule_config
static const struct option_row envelope_rule_options[] = { ENVELOPE_RULE_OPTIONS(ROW) };
static const struct group_row envelope_rule_groups[] = { ENVELOPE_RULE_GROUPS(OPTIONAL) };
static const struct section section_envelope_rule = {
    SECTION(OWNER, "upstreams.NAME.envelope", envelope_rule_options), GROUPS(envelope_rule_groups)
};
#undef OWNER

#define OWNER struct upstream_config
static const struct option_row upstream_options[] = { UPSTREAM_OPTIONS(ROW) };
static const struct group_row upstream_groups[] = { UPSTREAM_GROUPS(PLAIN) UPSTREAM_OPTIONAL_GROUPS(
    OPTIONAL) UPSTREAM_LISTS(ITEMS) };
const struct section section_upstream = { SECTION(OWNER, "upstreams.NAME", upstream_options),
                                          GROUPS(upstream_groups),
                                          .name_offset = offsetof(OWNER, name),
                                          .index_offset = offsetof(OWNER, index) };
#undef OWNER

#define OWNER struct route_param_config
static const struct option_row route_param_options[] = { ROUTE_PARAM_OPTIONS(ROW) };
const struct section section_route_param = { SECTION(OWNER, "routes.params", route_param_options) };
#undef OWNER

#define OWNER struct route_result_config
static const struct option_row route_result_options[] = { ROUTE_RESULT_OPTIONS(ROW) };
static const struct section section_route_result = { SECTION(OWNER, "routes.result",
                                                             route_result_options) };
#undef OWNER

#define OWNER struct route_config
static const struct option_row route_options[] = { ROUTE_OPTIONS(ROW) };
static const struct group_row route_groups[] = { ROUTE_GROUPS(OPTIONAL) };
static const struct section section_route = { SECTION(OWNER, "routes", route_options),
                                              GROUPS(route_groups) };
#undef OWNER

#define OWNER struct mcp_tool_config
static const struct option_row mcp_tool_options[] = { MCP_TOOL_OPTIONS(ROW) };
static const struct section section_mcp_tool = { SECTION(OWNER, "mcp.tools", mcp_tool_options) };
#undef OWNER

#define OWNER struct mcp_config
static const struct option_row mcp_options[] = { MCP_OPTIONS(ROW) };
static const struct group_row mcp_groups[] = { MCP_RULES(RULES) };
static const struct section section_mcp = { SECTION(OWNER, "mcp", mcp_options),
                                            GROUPS(mcp_groups) };
#undef OWNER

#define OWNER struct config
static const struct option_row main_options[] = { MAIN_OPTIONS(ROW) };
static const struct group_row main_groups[] = { MAIN_LISTS(LIST) MAIN_ITEMS(
    ITEMS) MAIN_OPTIONAL_GROUPS(OPTIONAL) MAIN_GROUPS(PLAIN) MAIN_NAMED_GROUPS(NAMED) };
const struct section section_main = { SECTION(OWNER, "", main_options), GROUPS(main_groups) };
#undef OWNER

const struct section *const sections[] = {
    &section_main,
    &section_listen,
    &section_listen_tls,
    &section_caller,
    &section_access_rule,
    &section_param_rule,
    &section_route,
    &section_route_param,
    &section_route_result,
    &section_mcp,
    &section_mcp_tool,
    &section_anonymous,
    &section_limits,
    &section_log,
    &section_traces,
    &section_traces_tls,
    &section_upstream,
    &section_auth,
    &section_tls,
    &section_proxy,
    &section_timeouts,
    &section_pool,
    &section_upstream_limits,
    &section_compression,
    &section_retry,
    &section_breaker,
    &section_introspection,
    &section_fault_rule,
    &section_method_rule,
    &section_inject_rule,
    &section_cache,
    &section_session,
    &section_login,
    &section_logout,
    &section_keepalive,
    &section_join,
    &section_envelope_rule,
    &section_value_test,
};
const size_t n_sections = ARRAY_LEN(sections);
