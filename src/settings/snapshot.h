/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: a snapshot that never changes once it is made. Any thread may read it; who
 * keeps it holds a reference, and a request ends on the snapshot that it began with. */
#ifndef RPCGATE_SETTINGS_SNAPSHOT_H
#define RPCGATE_SETTINGS_SNAPSHOT_H

#include "base/buf.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/str.h"
#include "codec/options.h"
#include "codec/xml/decode.h"
#include "settings/option_list.h"
#include "settings/template.h"
#include "settings/transport_list.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct digest;
struct mcp_tool;
struct route_input;
struct encode_around;
struct origin;
struct store;

enum empty_answer { EMPTY_ANSWER_ERROR, EMPTY_ANSWER_IS_NULL };
enum auth_scheme { AUTH_SCHEME_NONE, AUTH_SCHEME_BASIC, AUTH_SCHEME_DIGEST, AUTH_SCHEME_BEARER };
enum tls_version { TLS_VERSION_1_0, TLS_VERSION_1_1, TLS_VERSION_1_2, TLS_VERSION_1_3 };
enum serve {
    SERVE_API = 1 << 0,
    SERVE_ADMIN = 1 << 1, /* the two that follow */
    SERVE_HEALTH = 1 << 2,
    SERVE_METRICS = 1 << 3
};
enum face { FACE_JSON = 1 << 0, FACE_JSONRPC = 1 << 1, FACE_XMLRPC = 1 << 2, FACE_MCP = 1 << 3 };
enum route_in { ROUTE_IN_UNSET, ROUTE_IN_PATH, ROUTE_IN_QUERY, ROUTE_IN_BODY };
enum route_type {
#define X(word, text, one, several) ROUTE_TYPE_##word,
    ROUTE_TYPE_LIST(X)
#undef X
        ROUTE_TYPES,
    ROUTE_TYPE_SEVERAL = 1 << 4 /* with one of the others: a list of it */
};
enum route_method {
#define X(word, name) ROUTE_##word,
    ROUTE_METHOD_LIST(X)
#undef X
        ROUTE_METHODS
};
enum multicall_use { MULTICALL_USE_AUTO, MULTICALL_USE_ALWAYS, MULTICALL_USE_NEVER };
enum transport_use { TRANSPORT_USE_AUTO, TRANSPORT_USE_CURL };
enum multicall_shape { MULTICALL_SHAPE_AUTO, MULTICALL_SHAPE_WRAPPED, MULTICALL_SHAPE_BARE };

/* A list of strings; owned by the snapshot. */
struct texts {
    char **items;
    size_t n;
};

/* Texts under names, in the order of the file. */
struct named_text {
    const char *name; /* owned by the snapshot, as the others */
    const char *text;
    struct origin *origin;
};

struct named_texts {
    struct named_text *items;
    size_t n;
};

/* A condition on a fault's code. */
struct fault_code {
    enum { FAULT_CODE_ANY, FAULT_CODE_NUMBER, FAULT_CODE_GLOB } form;
    int64_t number;
    char *glob; /* owned by the snapshot */
};

/* Where something stands. */
struct place {
    const char *file;    /* owned by the snapshot; NULL: nowhere, it is a default */
    unsigned line;       /* in `file`; 0: the file as a whole */
    const char *profile; /* it is of that profile; NULL: of none */
    bool built_in;       /* which is built in: file and line are of the setting that names it */
    unsigned at;         /* line in the whole text with its includes: the order of the file */
};

/* An entry of a route's `params`, or of `list` or `struct` within: a constant or a group. */
struct route_shape {
    const char *constant; /* JSON text; NULL: it is a group. Owned by the snapshot, as the others */
    const char *shown;    /* of a constant, as settings are printed */
    struct route_param_config *group;
    struct place place;
};

struct route_shapes {
    struct route_shape *items;
    size_t n;
};

/* Where a setting's value comes from, and how it is shown. */
struct origin {
    struct place place;
    const char *shown; /* as the file has it, with secrets as ***; NULL: the table's default.
                          Owned by the snapshot */
    bool unused;       /* it has no meaning beside other settings */
    bool unresolved;   /* a secret in it was not read: it is sealed, or under -t was not there */
    bool hidden;       /* some of it came from a file or a credential, and is not told */
};

/* A setting's text as messages and the log have it. */
static inline const char *origin_told(const struct origin *origin, const char *text)
{
    return origin->hidden ? "***" : text;
}

typedef bool OPTION_C_flag;
typedef int64_t OPTION_C_count;
typedef size_t OPTION_C_size;      /* [bytes] */
typedef int64_t OPTION_C_duration; /* [ms] */
typedef unsigned OPTION_C_mode;
typedef char *OPTION_C_text; /* texts of all kinds: NULL: not set */
typedef char *OPTION_C_secret;
typedef char *OPTION_C_path;
typedef char *OPTION_C_problem;
typedef char *OPTION_C_pin;
typedef char *OPTION_C_url;
typedef char *OPTION_C_proxy_url;
typedef char *OPTION_C_address;
typedef char *OPTION_C_socket_path;
typedef char *OPTION_C_zone;
typedef char *OPTION_C_encoding;
typedef char *OPTION_C_decoding;
typedef char *OPTION_C_name;
typedef char *OPTION_C_call_glob; /* "upstream/method", checked */
typedef struct texts OPTION_C_urls;
typedef struct texts OPTION_C_host_names;
typedef struct texts OPTION_C_no_proxy;
typedef struct texts OPTION_C_headers; /* "Name: value", checked */
typedef struct texts OPTION_C_origins; /* "scheme://host:port" as browsers write it: in lower case,
                                          without the scheme's own port */
typedef struct texts OPTION_C_globs;
typedef struct texts OPTION_C_secrets;
typedef char *OPTION_C_auth_text; /* these three: what their templates are */
typedef char *OPTION_C_auth_secret;
typedef struct texts OPTION_C_own_headers;
typedef struct texts OPTION_C_match; /* empty: not set, all match */
typedef int64_t OPTION_C_pause;      /* [ms]; PAUSE_OF_TEXT: what `<n>` stands for */
typedef char *OPTION_C_number;       /* JSON text, as what follows */
typedef char *OPTION_C_scalar;
typedef char *OPTION_C_pointer;
typedef struct texts OPTION_C_pointers;
typedef struct texts OPTION_C_values;            /* each JSON text, with templates in its strings */
typedef struct named_texts OPTION_C_members;     /* as values */
typedef struct named_texts OPTION_C_credentials; /* JSON texts of scalars */
typedef struct named_texts OPTION_C_pointer_names;
typedef struct named_texts OPTION_C_fields; /* templates */
typedef char *OPTION_C_route_path;          /* checked, as what follows */
typedef char *OPTION_C_route_call;
typedef struct route_shapes OPTION_C_shapes;
typedef char *OPTION_C_value; /* JSON text */
typedef char *OPTION_C_json_text;
typedef struct texts OPTION_C_scalars; /* each JSON text */
typedef struct texts OPTION_C_words;
typedef char *OPTION_C_path_template;
typedef struct texts OPTION_C_header_templates; /* "Name: template" */
typedef unsigned OPTION_C_extensions;           /* set of enum extension */
typedef unsigned OPTION_C_faces;                /* set of enum face */
typedef unsigned OPTION_C_serve;                /* set of enum serve */
typedef enum log_level OPTION_C_log_level;
typedef enum log_format OPTION_C_log_format;
typedef enum route_in OPTION_C_route_in;
typedef unsigned OPTION_C_route_type; /* of enum route_type */
typedef enum types_form OPTION_C_types_form;
typedef enum integers_form OPTION_C_integers_form;
typedef enum text_policy OPTION_C_text_policy;
typedef enum dates_form OPTION_C_dates_form;
typedef enum empty_answer OPTION_C_empty_answer;
typedef enum auth_scheme OPTION_C_auth_scheme;
typedef enum tls_version OPTION_C_tls_version;
typedef enum tls_version OPTION_C_any_tls_version;
typedef enum multicall_use OPTION_C_multicall_use;
typedef enum multicall_shape OPTION_C_multicall_shape;
typedef enum transport_use OPTION_C_transport_use;
typedef struct fault_code OPTION_C_fault_code;

/* Seconds that a fault's text tells. */
#define PAUSE_OF_TEXT ((int64_t)-1)
#define FAULT_PLACE "<n>" /* where they stand in `text` */

#define OPTION_MEMBER(kind, name, ...) OPTION_C_##kind name;
#define OPTION_COUNT(kind, name, ...) +1
#define OPTION_MEMBER_W(kind, member, name, ...) OPTION_C_##kind member;
#define OPTION_COUNT_W(kind, member, name, ...) +1
#define GROUP_MEMBER(group, name, help) struct group##_config name;
#define GROUPS_MEMBER(group, name, help)                                                           \
    struct group##_config *name;                                                                   \
    size_t n_##name;
#define RULES_MEMBER(group, name, example, help) GROUPS_MEMBER(group, name, help)

/* A section's settings, with the origin of each in the list's order. */
#define SECTION_MEMBERS(LIST)                                                                      \
    bool present;       /* does the group stand in the file at all? */                             \
    struct place place; /* of the group */                                                         \
    LIST(OPTION_MEMBER)                                                                            \
    struct origin origins[0 LIST(OPTION_COUNT)];

/* An entry of a rule's `params`: the param is a string that one of the globs matches. */
struct param_rule_config {
    SECTION_MEMBERS(PARAM_RULE_OPTIONS) /* at, in */
};

/* An entry of `allow` or `deny`; a mere string is its `match`. */
struct access_rule_config {
    SECTION_MEMBERS(ACCESS_RULE_OPTIONS)
    ACCESS_RULE_LISTS(GROUPS_MEMBER) /* params, n_params: all must hold */
};

struct anonymous_config {
    SECTION_MEMBERS(ANONYMOUS_OPTIONS)
    ANONYMOUS_RULES(RULES_MEMBER) /* allow, n_allow, deny, n_deny */
};

/* What stands in a route's `params` as a group. Texts are NULL where they are not set, counts 0. */
struct route_param_config {
    SECTION_MEMBERS(ROUTE_PARAM_OPTIONS)
};

/* `empty` is 0 where it is not set. */
struct route_result_config {
    SECTION_MEMBERS(ROUTE_RESULT_OPTIONS)
};

/* How results are kept. Absent: `present` is false. */
struct cache_config {
    SECTION_MEMBERS(CACHE_OPTIONS)
};

/* `timeout` is 0 where it is not set. */
struct route_config {
    SECTION_MEMBERS(ROUTE_OPTIONS)
    ROUTE_GROUPS(GROUP_MEMBER) /* result, cache */
    bool has_types, has_integers;
    enum route_method http_method;
    const char *path;                       /* that of `http_method` */
    const struct upstream_config *upstream; /* of `call`, */
    const char *method;                     /* and the rest of it */
    struct route_input *inputs;       /* what callers give; those of the path first, in its order */
    size_t n_inputs, n_in_path;       /* see settings/route.h */
    struct template document;         /* the call's params: JSON, of the inputs' values */
    const struct decode_watch *watch; /* what is looked for in its result, see
                                         settings/result_paths.h; NULL: it is taken whole */
};

/* An entry of an MCP server's `tools`; a mere string is its `match`. */
struct mcp_tool_config {
    SECTION_MEMBERS(MCP_TOOL_OPTIONS)
};

struct mcp_config {
    SECTION_MEMBERS(MCP_OPTIONS)
    MCP_RULES(RULES_MEMBER)       /* tools, n_tools */
    const struct mcp_tool *known; /* those that need no question to an upstream; see
                                     settings/mcp.h */
    size_t n_known;
    bool has_globs; /* there may be others, which upstreams tell of */
};

/* The counts are 0 where they are not set, but for `burst`, which is `rate` then. */
struct caller_config {
    size_t index;     /* place in config.callers */
    const char *told; /* its name for the log */
    SECTION_MEMBERS(CALLER_OPTIONS)
    CALLER_RULES(RULES_MEMBER) /* allow, n_allow, deny, n_deny */
    struct digest *digests;    /* of `token` and `tokens` */
    size_t n_digests;
    bool has_uid, has_gid; /* of `user` and `group` */
    uid_t uid;
    gid_t gid;
};

struct limits_config {
    SECTION_MEMBERS(LIMITS_OPTIONS)
};

struct log_config {
    SECTION_MEMBERS(LOG_OPTIONS)
};

struct auth_config {
    SECTION_MEMBERS(AUTH_OPTIONS)
};

struct tls_config {
    SECTION_MEMBERS(TLS_OPTIONS)
};

struct proxy_config {
    SECTION_MEMBERS(PROXY_OPTIONS)
};

struct pool_config {
    SECTION_MEMBERS(POOL_OPTIONS)
};

struct timeouts_config {
    SECTION_MEMBERS(TIMEOUTS_OPTIONS)
};

struct upstream_limits_config {
    SECTION_MEMBERS(UPSTREAM_LIMITS_OPTIONS)
};

/* request_over: SIZE_MAX where it is not set. */
struct compression_config {
    SECTION_MEMBERS(COMPRESSION_OPTIONS)
};

struct retry_config {
    SECTION_MEMBERS(RETRY_OPTIONS)
};

struct breaker_config {
    SECTION_MEMBERS(BREAKER_OPTIONS)
};

struct introspection_config {
    SECTION_MEMBERS(INTROSPECTION_OPTIONS)
};

/* An entry of `faults`. Without `from` it is INT64_MIN, without `to` INT64_MAX; the other numbers
 * are 0 and the texts NULL where they are not set. */
struct fault_rule_config {
    SECTION_MEMBERS(FAULT_RULE_OPTIONS)
    bool has_range; /* `from` or `to` is set: codes that are no numbers do not match */
};

/* A test of a value; all that is set must hold. Absent: `present` is false. */
struct value_test_config {
    SECTION_MEMBERS(VALUE_TEST_OPTIONS)
};

/* An entry of `inject`, with its templates: each list has as many as the setting it is of. */
struct inject_rule_config {
    SECTION_MEMBERS(INJECT_RULE_OPTIONS)
    struct template *param_templates, *member_templates; /* TEMPLATE_JSON */
    struct template *header_templates;                   /* TEMPLATE_HEADER: whole lines */
    struct template path_template;                       /* no pieces: not set */
    bool needs_session;                 /* some of it, `cookies` included, is of a session */
    const struct encode_around *around; /* `params` and `member` as they are written into each call;
                                           NULL: some of it is of a session, or there are none */
};

/* The templates of a call that a session makes. */
struct call_templates {
    struct template *params, *headers;
    struct template path; /* no pieces: not set */
};

struct login_config {
    SECTION_MEMBERS(LOGIN_OPTIONS)
    LOGIN_GROUPS(GROUP_MEMBER) /* good */
    struct decode_watch watch; /* what is looked for in its result, see settings/result_paths.h */
    struct call_templates templates;
    struct template
        *form_templates; /* TEMPLATE_FIELD, of `form`; their names are as they are sent */
};

struct logout_config {
    SECTION_MEMBERS(LOGOUT_OPTIONS)
    struct call_templates templates;
};

struct keepalive_config {
    SECTION_MEMBERS(KEEPALIVE_OPTIONS)
    struct call_templates templates;
};

/* `idle` and `max_age` are 0 where they are not set. */
struct session_config {
    SECTION_MEMBERS(SESSION_OPTIONS)
    SESSION_GROUPS(GROUP_MEMBER) /* login, logout, keepalive */
    bool is_used_whole;          /* `{session}` stands in a template */
};

struct join_config {
    SECTION_MEMBERS(JOIN_OPTIONS)
};

/* An entry of `envelope`; the pointers are NULL where they are not set. */
struct envelope_rule_config {
    SECTION_MEMBERS(ENVELOPE_RULE_OPTIONS)
    ENVELOPE_RULE_GROUPS(GROUP_MEMBER) /* good, bad */
    struct decode_watch watch; /* what is looked for in results, see settings/result_paths.h */
};

/* An entry of `methods`; `timeout` is 0 where it is not set. */
struct method_rule_config {
    SECTION_MEMBERS(METHOD_RULE_OPTIONS)
    METHOD_RULE_GROUPS(GROUP_MEMBER) /* cache */
};

/* The content of the files that `tls` names; NULL data: none. */
struct tls_files {
    struct str ca, cert, key; /* the key is a secret; a listener's CA is that of the clients */
};

struct listen_tls_config {
    SECTION_MEMBERS(LISTEN_TLS_OPTIONS)
};

/* Index of a setting's origin: LISTEN_port … */
enum listen_index {
#define X(kind, name, ...) LISTEN_##name,
    LISTEN_OPTIONS(X)
#undef X
        LISTEN_SETTINGS
};

struct listen_config {
    SECTION_MEMBERS(LISTEN_OPTIONS)
    LISTEN_GROUPS(GROUP_MEMBER) /* tls.present: callers speak TLS here */
    struct tls_files tls_files;
};

/* The parts of an upstream's URL, checked and decoded when the file is read. */
struct upstream_target {
    char *url;          /* http or https, without user and password, with a path: for curl. Of
                           http+unix: http://localhost/PATH; of scgi: as if it were http */
    char *shown;        /* the same without any other secret: for the log, metrics and problems */
    char *unix_socket;  /* path of the socket; NULL: none */
    char *socket_shown; /* without any secret; NULL: none */
    enum transport_word transport;
    bool scgi;      /* the head of a request is SCGI's, that of an answer CGI's */
    char *username; /* from the URL or `auth`; NULL: none */
    char *password; /* NULL: none; secret */
    bool digest;    /* they are for Digest, not Basic */
};

struct traces_tls_config {
    SECTION_MEMBERS(TRACES_TLS_OPTIONS)
};

/* Absent: `present` is false. */
struct traces_config {
    SECTION_MEMBERS(TRACES_OPTIONS)
    TRACES_GROUPS(GROUP_MEMBER)    /* tls */
    struct upstream_target target; /* of `url` */
    struct tls_files tls_files;
    uint64_t threshold; /* of `ratio`: it times 2 to the power of TRACE_RATIO_BITS */
};

/* Of a trace id's bits as many decide whether it is traced: those that W3C Trace Context 2 wants to
 * be random. */
#define TRACE_RATIO_BITS 56

/* The parts of `proxy.url`, and what stands beside it. */
struct proxy_target {
    char *url;      /* scheme://host:port; NULL: no proxy */
    char *shown;    /* the same without any secret */
    char *username; /* from the URL or `proxy`; NULL: none */
    char *password; /* NULL: none; secret */
    char *no_proxy; /* with commas between the hosts; "": none */
};

struct upstream_config {
    char *name;
    size_t index; /* place in config.upstreams: an upstream's number within the snapshot */
    SECTION_MEMBERS(UPSTREAM_OPTIONS)
    UPSTREAM_GROUPS(GROUP_MEMBER)
    bool templates; /* braces have a meaning in `auth` and `headers`, for it has credentials */
    UPSTREAM_OPTIONAL_GROUPS(GROUP_MEMBER) /* session.present: calls may need one; cache;
                                              join.present: they are joined */
    UPSTREAM_LISTS(GROUPS_MEMBER)
    struct upstream_target *targets; /* of `url` or `urls`, in their order: at least one */
    size_t n_targets;
    struct upstream_target target; /* the first */
    struct proxy_target proxy_target;
    struct tls_files tls_files;
};

struct redactor;
struct route_table;

struct config {
    SECTION_MEMBERS(MAIN_OPTIONS)
    MAIN_LISTS(GROUPS_MEMBER) /* listen, n_listen: at least one entry; callers, n_callers */
    MAIN_ITEMS(GROUPS_MEMBER) /* routes, n_routes, mcp, n_mcp */
    MAIN_OPTIONAL_GROUPS(GROUP_MEMBER)
    MAIN_GROUPS(GROUP_MEMBER)
    MAIN_NAMED_GROUPS(GROUPS_MEMBER) /* upstreams, n_upstreams: in the order of the file */
    const struct str *secrets;       /* config_secrets(); owned by the store */
    size_t n_secrets;
    const struct redactor *redactor;       /* of the secrets; owned by the store */
    const struct route_table *route_table; /* of the routes; owned by the store */
    struct store *store;                   /* owns all that the snapshot points to */
    atomic_uint references;
};

/* A shorter secret is not looked for in foreign text: it would be found where it is not. [bytes] */
#define SECRET_MIN ((size_t)6)

/* How values are written for that upstream. Borrows from the snapshot. */
struct encode_options config_encode_options(const struct config *config,
                                            const struct upstream_config *upstream);

struct config *config_ref(struct config *config);

/* Gives a reference back; the last one frees the snapshot and wipes its secrets. NULL is fine.
 * Returns NULL. */
struct config *config_unref(struct config *config);

/* The upstream of that name, or NULL. */
const struct upstream_config *config_upstream(const struct config *config, struct str name);

/* Are the settings the same, whatever files and places they come from? Of TLS files the content
 * counts. The two may be of different snapshots. */
bool config_same_upstream(const struct upstream_config *a, const struct upstream_config *b);
bool config_same_listen(const struct listen_config *a, const struct listen_config *b);

/* May that listener have an address beyond loopback? Health tells nothing, and takes nothing. */
bool config_may_face_network(const struct config *config, const struct listen_config *listen);

/* All secrets of the snapshot of at least SECRET_MIN bytes, each once, the longest first: what must
 * not appear in foreign text that is shown (of a user and password, `user:password` too, which
 * Basic credentials are made of). */
const struct str *config_secrets(const struct config *config, size_t *ret_n);

#endif
