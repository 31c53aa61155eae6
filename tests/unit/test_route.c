/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    const char *path;
    enum route_kind kind;
    const char *upstream, *method;
} routes[] = {
    { "/", ROUTE_ROOT, "", "" },
    { "/livez", ROUTE_LIVEZ, "", "" },
    { "/readyz", ROUTE_READYZ, "", "" },
    { "/v1", ROUTE_UPSTREAMS, "", "" },
    { "/v1/demo", ROUTE_UPSTREAM, "demo", "" },
    { "/v1/demo/demo.add", ROUTE_METHOD, "demo", "demo.add" },
    { "/v1/demo/a:b", ROUTE_METHOD, "demo", "a:b" },
    { "/v1/demo/a%2Fb", ROUTE_METHOD, "demo", "a/b" },
    { "/v1/demo/a%2fb", ROUTE_METHOD, "demo", "a/b" },
    { "/v1/demo/%C3%A9", ROUTE_METHOD, "demo", "\xC3\xA9" },
    { "/v1/demo/\xC3\xA9", ROUTE_METHOD, "demo", "\xC3\xA9" },
    { "/v1/demo/\xC3%A9", ROUTE_METHOD, "demo", "\xC3\xA9" },
    { "/v1/demo/%252F", ROUTE_METHOD, "demo", "%2F" }, /* decoded once */
    { "/v1/demo/a+b", ROUTE_METHOD, "demo", "a+b" },
    { "/v1/demo/a;b=c", ROUTE_METHOD, "demo", "a;b=c" },
    { "/v1/demo/..", ROUTE_METHOD, "demo", ".." },
    { "/%76%31/d%65mo/x", ROUTE_METHOD, "demo", "x" },
    { "/v1/no%20such/x", ROUTE_METHOD, "no such", "x" },
    { "/v1/..", ROUTE_UPSTREAM, "..", "" },
    { "/jsonrpc/demo", ROUTE_JSONRPC, "demo", "" },
    { "/jsonrpc", ROUTE_UNKNOWN, "", "" },
    { "/jsonrpc/", ROUTE_UNKNOWN, "", "" },
    { "/jsonrpc/demo/x", ROUTE_UNKNOWN, "", "" },
    { "/jsonrpc2/demo", ROUTE_UNKNOWN, "", "" },
    { "/v1/a%2Fb", ROUTE_UPSTREAM, "a/b", "" },

    { "/v1/", ROUTE_UNKNOWN, "", "" },
    { "/v1/demo/", ROUTE_UNKNOWN, "", "" },
    { "/v1/demo/x/", ROUTE_UNKNOWN, "", "" },
    { "/v1/demo/x/y", ROUTE_UNKNOWN, "", "" },
    { "/v1/demo/a%20b/", ROUTE_UNKNOWN, "", "" },
    { "/v1//x", ROUTE_UNKNOWN, "", "" },
    { "//", ROUTE_UNKNOWN, "", "" },
    { "//v1/demo/x", ROUTE_UNKNOWN, "", "" },
    { "/v1/demo//x", ROUTE_UNKNOWN, "", "" },
    { "/livez/", ROUTE_UNKNOWN, "", "" },
    { "/livez/x", ROUTE_UNKNOWN, "", "" },
    { "/Livez", ROUTE_UNKNOWN, "", "" },
    { "/V1/demo/x", ROUTE_UNKNOWN, "", "" },
    { "/v2/demo/x", ROUTE_UNKNOWN, "", "" },
    { "/v1%2Fdemo/x", ROUTE_UNKNOWN, "", "" },
    { "/readyzreadyzreadyz", ROUTE_UNKNOWN, "", "" },
    { "/v1000000000/demo/x", ROUTE_UNKNOWN, "", "" },
    { "/favicon.ico", ROUTE_UNKNOWN, "", "" },
    { "/v1/../livez", ROUTE_METHOD, "..", "livez" }, /* no path is ever simplified */
};

static void finds_routes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        struct route route;
        struct error err;
        if (!route_parse(str_of(routes[i].path), &route, &err))
            fail_msg("%s: %s", routes[i].path, err.detail);
        if (route.kind != routes[i].kind)
            fail_msg("%s: kind %d", routes[i].path, route.kind);
        if (route.kind != ROUTE_UNKNOWN && (!str_eq_c(route_upstream(&route), routes[i].upstream) ||
                                            !str_eq_c(route_method(&route), routes[i].method)))
            fail_msg("%s: \"%s\" \"%s\"", routes[i].path, route.upstream, route.method);
    }
}

static void refuses_paths(void **state)
{
    static const char *const paths[] = {
        "", "*", "v1/demo/x", "http://localhost/v1/demo/x", "/v1/demo/%", "/v1/demo/%2",
        "/v1/demo/%2G", "/v1/demo/%G2", "/v1/demo/%%", "/%", "/x/y/z/a/b/c/%", "/v1/demo/%00",
        "/%00", "/v1/de%00mo", "/v1/demo/%0A", "/v1/demo/a%0Db", "/x%1F", "/%7F", "/v1/\x01",
        "/v1/demo/%C2%85", "/%C2%80", "/%C2%9F", "/v1/demo/%FF", "/%FF", "/v1/demo/%C3",
        "/v1/demo/%C3/x", "/%C3%28", "/v1/demo/%C0%AF", "/v1/demo/%E0%80%AF", "/%ED%A0%80",
        "/%F4%90%80%80", "/\xFF",
        /* no visible characters */
        "/v1/demo/a%20b", "/v1/demo/%20", "/v1/demo/%C2%A0", "/v1/demo/%E3%80%80",
        "/v1/demo/a%E2%80%8Bb", "/v1/demo/%E2%80%AEx", "/v1/demo/%EF%BB%BF", "/v1/demo/%EF%BF%BE",
        "/v1/demo/%EF%BF%BF", "/v1/demo/%F0%9F%BF%BE"
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct route route;
        struct error err;
        if (route_parse(str_of(paths[i]), &route, &err))
            fail_msg("%s: kind %d", paths[i], route.kind);
        assert_int_equal(err.type, PROBLEM_INVALID_REQUEST);
        assert_int_equal(err.status, 400);
    }
}

/* Parses /v1/ and `n` times `unit` and `end`. */
static bool parse_long(const char *unit, size_t n, const char *end, struct route *ret)
{
    struct error err;
    char path[8192] = "/v1/";
    size_t len = strlen(path);
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(path + len, sizeof path - len, "%s", unit);
    len += (size_t)snprintf(path + len, sizeof path - len, "%s", end);
    assert_true(len < sizeof path);
    return route_parse((struct str){ path, len }, ret, &err);
}

static bool parse_long_method(const char *unit, size_t n, struct route *ret)
{
    struct error err;
    char path[8192] = "/v1/demo/";
    size_t len = strlen(path);
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(path + len, sizeof path - len, "%s", unit);
    return route_parse((struct str){ path, len }, ret, &err);
}

static void counts_characters(void **state)
{
    struct route route;
    (void)state;
    assert_true(parse_long_method("x", 255, &route));
    assert_int_equal(route.method_len, 255);
    assert_false(parse_long_method("x", 256, &route));
    assert_false(parse_long_method("x", 5000, &route));
    assert_true(parse_long_method("%F0%9F%98%80", 255, &route));
    assert_int_equal(route.kind, ROUTE_METHOD);
    assert_int_equal(route.method_len, 4 * 255);
    assert_int_equal(route.method[route.method_len], '\0');
    assert_false(parse_long_method("%F0%9F%98%80", 256, &route));
    /* A name that no upstream can have is not found; it is not cut to one that may exist. */
    assert_true(parse_long("x", 255, "/m", &route));
    assert_int_equal(route.kind, ROUTE_METHOD);
    assert_true(parse_long("x", 256, "/m", &route));
    assert_int_equal(route.kind, ROUTE_UNKNOWN);
    assert_true(parse_long("x", 256, "", &route));
    assert_int_equal(route.kind, ROUTE_UNKNOWN);
    assert_true(parse_long("a/", 2000, "b", &route));
    assert_int_equal(route.kind, ROUTE_UNKNOWN);
    assert_false(parse_long("a/", 2000, "%", &route));
}

static void knows_methods_of_http(void **state)
{
    static const struct {
        enum route_kind kind;
        bool get, post;
    } cases[] = {
        { ROUTE_ROOT, true, false },     { ROUTE_LIVEZ, true, false },
        { ROUTE_READYZ, true, false },   { ROUTE_UPSTREAMS, true, false },
        { ROUTE_UPSTREAM, true, true },  { ROUTE_METHOD, true, true },
        { ROUTE_UNKNOWN, false, false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(route_takes(cases[i].kind, STR("GET")), cases[i].get);
        assert_int_equal(route_takes(cases[i].kind, STR("HEAD")), cases[i].get);
        assert_int_equal(route_takes(cases[i].kind, STR("POST")), cases[i].post);
        assert_false(route_takes(cases[i].kind, STR("get")));
        assert_false(route_takes(cases[i].kind, STR("GET, HEAD")));
        assert_false(route_takes(cases[i].kind, STR("")));
        assert_false(route_takes(cases[i].kind, STR("PUT")));
    }
    assert_string_equal(route_allow(ROUTE_METHOD), "GET, HEAD, POST");
    assert_string_equal(route_allow(ROUTE_LIVEZ), "GET, HEAD");
}

static const struct {
    const char *query;
    int types, integers; /* -1: not there */
} queries[] = {
    { "", -1, -1 },
    { "&", -1, -1 },
    { "types=plain", TYPES_PLAIN, -1 },
    { "types=tagged", TYPES_TAGGED, -1 },
    { "integers=number", -1, INTEGERS_NUMBER },
    { "integers=safe", -1, INTEGERS_SAFE },
    { "integers=string", -1, INTEGERS_STRING },
    { "types=tagged&integers=safe", TYPES_TAGGED, INTEGERS_SAFE },
    { "&integers=safe&&types=plain&", TYPES_PLAIN, INTEGERS_SAFE },
    { "t%79pes=t%61gged", TYPES_TAGGED, -1 },
};

static void reads_queries(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        struct query q;
        struct error err;
        if (!query_parse(str_of(queries[i].query), &q, &err))
            fail_msg("%s: %s", queries[i].query, err.detail);
        assert_int_equal(q.has_types, queries[i].types >= 0);
        assert_int_equal(q.has_integers, queries[i].integers >= 0);
        if (q.has_types)
            assert_int_equal(q.types, queries[i].types);
        if (q.has_integers)
            assert_int_equal(q.integers, queries[i].integers);
    }
    struct query q;
    struct error err;
    assert_true(query_parse((struct str){ NULL, 0 }, &q, &err));
}

static void refuses_queries(void **state)
{
    static const struct {
        const char *query, *detail;
    } cases[] = {
        { "x=1", "no `x`: use types or integers" },
        { "type=tagged", "no `type`: use types or integers" },
        { "Types=tagged", "use types or integers" },
        { "=", "use types or integers" },
        { "types=tagged&debug", "no `debug`" },
        { "types=tagged?x=1", "use plain or tagged" },
        { "types", "use plain or tagged" },
        { "types=", "use plain or tagged" },
        { "types=Tagged", "use plain or tagged" },
        { "types=tagged=", "use plain or tagged" },
        { "types=+tagged", "use plain or tagged" },
        { "types=taggedtaggedtaggedtaggedtaggedtagged", "use plain or tagged" },
        { "integers=5", "use number, safe or string" },
        { "types=plain&types=plain", "`types` twice" },
        { "integers=safe&integers=number", "`integers` twice" },
        { "types=%", "not percent-encoded" },
        { "types=plain&x%ZZ", "not percent-encoded" },
        { "types=%00", "not percent-encoded" },
        { "%FF=1", "not percent-encoded" },
        { "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx%", "not percent-encoded" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct query q;
        struct error err;
        if (query_parse(str_of(cases[i].query), &q, &err))
            fail_msg("%s", cases[i].query);
        if (strstr(err.detail, cases[i].detail) == NULL)
            fail_msg("%s: %s", cases[i].query, err.detail);
        assert_int_equal(err.type, PROBLEM_INVALID_REQUEST);
    }
}

/* A name in a body is not percent-encoded. */
static void checks_methods_of_batches(void **state)
{
    static const char *const good[] = { "a", "demo.add", "a/b", "100%", "%zz", "\xC3\xA9" };
    static const char *const bad[] = { "", "a b", "\t", "\x7F", "a\xC2\xA0", "\xE2\x80\x8B" };
    char text[2 * ROUTE_NAME_MAX + 3] = "";
    struct error err;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(route_method_check(str_of(good[i]), &err));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(route_method_check(str_of(bad[i]), &err));
        assert_int_equal(err.type, PROBLEM_INVALID_REQUEST);
    }
    for (size_t i = 0; i < ROUTE_NAME_MAX; i++)
        strcat(text, "\xC3\xA9");
    assert_true(route_method_check(str_of(text), &err));
    strcat(text, "x");
    assert_false(route_method_check(str_of(text), &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_routes),
        cmocka_unit_test(refuses_paths),
        cmocka_unit_test(counts_characters),
        cmocka_unit_test(knows_methods_of_http),
        cmocka_unit_test(reads_queries),
        cmocka_unit_test(refuses_queries),
        cmocka_unit_test(checks_methods_of_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
