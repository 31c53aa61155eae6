/* SPDX-License-Identifier: Apache-2.0 */
#include "front/surface.h"

#include "front/task.h"
#include "settings/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_text.h"

static const struct {
    const char *path;
    const struct task *get, *post; /* NULL: 405; both: nothing is there */
    const char *upstream, *method;
} paths[] = {
    { "/", &task_root, NULL, "", "" },
    { "/livez", &task_livez, NULL, "", "" },
    { "/readyz", &task_readyz, NULL, "", "" },
    { "/v1", &task_upstreams, NULL, "", "" },
    { "/v1/demo", &task_describe, &task_batch, "demo", "" },
    { "/v1/demo/demo.add", &task_describe, &task_call, "demo", "demo.add" },
    { "/v1/demo/a:b", &task_describe, &task_call, "demo", "a:b" },
    { "/v1/demo/a%2Fb", &task_describe, &task_call, "demo", "a/b" },
    { "/v1/demo/a%2fb", &task_describe, &task_call, "demo", "a/b" },
    { "/v1/demo/%C3%A9", &task_describe, &task_call, "demo", "\xC3\xA9" },
    { "/v1/demo/\xC3\xA9", &task_describe, &task_call, "demo", "\xC3\xA9" },
    { "/v1/demo/\xC3%A9", &task_describe, &task_call, "demo", "\xC3\xA9" },
    { "/v1/demo/%252F", &task_describe, &task_call, "demo", "%2F" }, /* decoded once */
    { "/v1/demo/a+b", &task_describe, &task_call, "demo", "a+b" },
    { "/v1/demo/a;b=c", &task_describe, &task_call, "demo", "a;b=c" },
    { "/v1/demo/..", &task_describe, &task_call, "demo", ".." },
    { "/%76%31/d%65mo/x", &task_describe, &task_call, "demo", "x" },
    { "/v1/no%20such/x", &task_describe, &task_call, "no such", "x" },
    { "/v1/..", &task_describe, &task_batch, "..", "" },
    { "/jsonrpc/demo", NULL, &task_batch, "demo", "" },
    { "/jsonrpc", NULL, NULL, "", "" },
    { "/jsonrpc/", NULL, NULL, "", "" },
    { "/jsonrpc/demo/x", NULL, NULL, "", "" },
    { "/jsonrpc2/demo", NULL, NULL, "", "" },
    { "/v1/a%2Fb", &task_describe, &task_batch, "a/b", "" },

    { "/v1/", NULL, NULL, "", "" },
    { "/v1/demo/", NULL, NULL, "", "" },
    { "/v1/demo/x/", NULL, NULL, "", "" },
    { "/v1/demo/x/y", NULL, NULL, "", "" },
    { "/v1/demo/a%20b/", NULL, NULL, "", "" },
    { "/v1//x", NULL, NULL, "", "" },
    { "//", NULL, NULL, "", "" },
    { "//v1/demo/x", NULL, NULL, "", "" },
    { "/v1/demo//x", NULL, NULL, "", "" },
    { "/livez/", NULL, NULL, "", "" },
    { "/livez/x", NULL, NULL, "", "" },
    { "/Livez", NULL, NULL, "", "" },
    { "/V1/demo/x", NULL, NULL, "", "" },
    { "/v2/demo/x", NULL, NULL, "", "" },
    { "/v1%2Fdemo/x", NULL, NULL, "", "" },
    { "/readyzreadyzreadyz", NULL, NULL, "", "" },
    { "/v1000000000/demo/x", NULL, NULL, "", "" },
    { "/favicon.ico", NULL, NULL, "", "" },
    { "/v1/../livez", &task_describe, &task_call, "..", "livez" }, /* no path is ever simplified */
};

static const struct config config; /* without routes */

static bool find(const char *method, struct str path, struct target *ret)
{
    struct error err;
    const struct request_head head = { .method = str_of(method), .path = path };
    bool found = surface_find(&head, &config, ret, &err);
    if (!found)
        assert_int_equal(err.type, PROBLEM_INVALID_REQUEST);
    assert_true(found || ret->row == NULL);
    return found;
}

/* Of no task: the path takes other methods, or nothing is there. */
static void expect(size_t i, const char *method, const struct task *task)
{
    struct target target;
    bool is_there = paths[i].get != NULL || paths[i].post != NULL;
    if (!find(method, str_of(paths[i].path), &target))
        fail_msg("%s %s", method, paths[i].path);
    if ((target.row != NULL) != is_there || (target.allow != 0) != (is_there && task == NULL))
        fail_msg("%s %s: allow %x", method, paths[i].path, target.allow);
    if (task != NULL && target.row->task != task)
        fail_msg("%s %s: another task", method, paths[i].path);
    if (is_there && (!str_eq_c(target_upstream(&target), paths[i].upstream) ||
                     !str_eq_c(target_method(&target), paths[i].method)))
        fail_msg("%s: \"%.*s\" \"%.*s\"", paths[i].path, STR_ARGS(target_upstream(&target)),
                 STR_ARGS(target_method(&target)));
}

static void finds_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        expect(i, "GET", paths[i].get);
        expect(i, "HEAD", paths[i].get);
        expect(i, "POST", paths[i].post);
        expect(i, "PUT", NULL);
        expect(i, "OPTIONS", NULL);
        expect(i, "get", NULL);
        expect(i, "GET, HEAD", NULL);
        expect(i, "", NULL);
    }
}

static void refuses_what_is_no_path_or_name(void **state)
{
    static const char *const bad[] = {
        "", "*", "v1/demo/x", "/v1/demo/%", "/v1/de%00mo", "/x/y/z/a/%", "/%FF", "/v1/demo/a%20b"
    };
    struct target target;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(find("POST", str_of(bad[i]), &target));
}

/* Finds /v1/, `n` times `unit`, and `end`. */
static bool find_long(const char *unit, size_t n, const char *end, struct target *ret)
{
    char path[8192] = "/v1/";
    for (size_t i = 0; i < n; i++)
        strcat(path, unit);
    strcat(path, end);
    return find("POST", str_of(path), ret);
}

/* A name that no upstream can have is not found; it is not cut to one that may exist. */
static void takes_names_as_long_as_they_may_be(void **state)
{
    struct target target;
    (void)state;
    assert_true(find_long("x", 255, "/m", &target));
    assert_ptr_equal(target.row->task, &task_call);
    assert_int_equal(target.upstream_len, 255);
    assert_true(find_long("x", 256, "/m", &target));
    assert_null(target.row);
    assert_true(find_long("x", 256, "", &target));
    assert_null(target.row);
    assert_true(find_long("a/", 2000, "b", &target));
    assert_null(target.row);
    assert_false(find_long("a/", 2000, "%", &target));
    assert_true(find_long("%F0%9F%98%80", 63, "/m", &target));
    assert_ptr_equal(target.row->task, &task_call);
    assert_true(find("POST", STR("/v1/demo/%F0%9F%98%80"), &target));
    assert_int_equal(target.method_len, 4);
}

/* Nor where the name is a part of a segment. */
static void takes_documents_of_names_as_long_as_they_may_be(void **state)
{
    struct target target;
    char path[512] = "/openapi/";
    size_t begin = strlen(path);
    (void)state;
    memset(path + begin, 'x', 256);
    strcpy(path + begin + 255, ".json");
    assert_true(find("GET", str_of(path), &target));
    assert_ptr_equal(target.row->task, &task_openapi);
    assert_int_equal(target.upstream_len, 255);
    strcpy(path + begin + 255, "x.json");
    assert_true(find("GET", str_of(path), &target));
    assert_null(target.row);
    assert_true(find("GET", STR("/openapi/.json"), &target));
    assert_null(target.row);
}

static void knows_the_server(void **state)
{
    struct target target;
    (void)state;
    assert_true(find("OPTIONS", STR("*"), &target));
    assert_ptr_equal(target.row, surface_server());
    assert_ptr_equal(target.row->task, &task_server);
    assert_int_equal(target.allow, 0);
    assert_true(find("OPTIONS", STR("/*"), &target));
    assert_null(target.row);
}

static void tells_what_a_path_takes(void **state)
{
    static const struct {
        const char *path, *allow;
    } cases[] = {
        { "/", "GET, HEAD" },        { "/livez", "GET, HEAD" },
        { "/v1", "GET, HEAD" },      { "/v1/demo", "GET, HEAD, POST" },
        { "/jsonrpc/demo", "POST" }, { "/v1/demo/demo.add", "GET, HEAD, POST" },
        { "/metrics", "GET, HEAD" },
    };
    char text[SURFACE_ALLOW_TEXT];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct target target;
        assert_true(find("PUT", str_of(cases[i].path), &target));
        surface_write_allow(target.allow, text);
        assert_string_equal(text, cases[i].allow);
    }
    surface_write_allow(surface_methods(&config), text);
    assert_string_equal(text, "GET, HEAD, OPTIONS, POST");
}

/* Who asks which listeners for what. */
static void rows_say_what_is_checked(void **state)
{
    static const struct {
        const char *method, *path;
        unsigned serve;
        enum surface_who who;
        bool takes_body;
    } cases[] = {
        { "GET", "/livez", SERVE_ADMIN | SERVE_HEALTH, FOR_ANYBODY, false },
        { "POST", "/readyz", SERVE_ADMIN | SERVE_HEALTH, FOR_ANYBODY, false },
        { "GET", "/metrics", SERVE_ADMIN | SERVE_METRICS, FOR_CALLER, false },
        { "GET", "/", SERVE_API, FOR_CALLER, false },
        { "GET", "/v1", SERVE_API, FOR_CALLER, false },
        { "GET", "/v1/demo", SERVE_API, FOR_CALLER, false },
        { "POST", "/v1/demo", SERVE_API, FOR_CALLER, true },
        { "GET", "/v1/demo/x", SERVE_API, FOR_CALLER, false },
        { "POST", "/v1/demo/x", SERVE_API, FOR_CALLER, true },
        { "POST", "/jsonrpc/demo", SERVE_API, FOR_CALLER, true },
        { "OPTIONS", "*", SERVE_API, FOR_CALLER, false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct target target;
        assert_true(find(cases[i].method, str_of(cases[i].path), &target));
        assert_int_equal(target.row->serve, cases[i].serve);
        assert_int_equal(target.row->who, cases[i].who);
        assert_int_equal(target.row->takes_body, cases[i].takes_body);
    }
}

struct found {
    const struct route_config *routes[4];
    unsigned methods;
    size_t n;
};

static void note(void *context, const struct route_config *route, unsigned method)
{
    struct found *found = context;
    assert_in_range(found->n, 0, ARRAY_LEN(found->routes) - 1);
    found->routes[found->n++] = route;
    found->methods |= method;
}

/* All that are at a path, and nothing of its neighbours in the table. */
static void finds_routes_of_all_methods(void **state)
{
    struct config *routed = config_of(
        "upstreams = { u = { url = \"http://h\"; methods = ( { match = \"get\"; safe = true; } ); "
        "}; "
        "};\n"
        "anonymous = { allow = [ \"*/*\" ]; };\n"
        "routes = ( { name = \"get\"; get = \"/a\"; call = \"u/get\"; },\n"
        "{ name = \"post\"; post = \"/a\"; call = \"u/m\"; },\n"
        "{ name = \"one\"; get = \"/b/{x}\"; call = \"u/get\"; params = ( { name = \"x\"; } ); "
        "},\n"
        "{ name = \"three\"; get = \"/c\"; call = \"u/get\"; },\n"
        "{ name = \"four\"; get = \"/d\"; call = \"u/get\"; } );");
    const struct request_head head = { .method = STR("GET"), .path = STR("/a") };
    struct found found = { .n = 0 };
    (void)state;
    surface_find_routes(&head, routed, note, &found);
    assert_int_equal(found.n, 2);
    assert_ptr_equal(found.routes[0], &routed->routes[0]);
    assert_ptr_equal(found.routes[1], &routed->routes[1]);
    assert_int_equal(found.methods, SURFACE_GET | SURFACE_POST);
    config_unref(routed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_rows),
        cmocka_unit_test(refuses_what_is_no_path_or_name),
        cmocka_unit_test(takes_names_as_long_as_they_may_be),
        cmocka_unit_test(takes_documents_of_names_as_long_as_they_may_be),
        cmocka_unit_test(knows_the_server),
        cmocka_unit_test(tells_what_a_path_takes),
        cmocka_unit_test(rows_say_what_is_checked),
        cmocka_unit_test(finds_routes_of_all_methods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
