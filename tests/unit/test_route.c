/* SPDX-License-Identifier: Apache-2.0 */
/* Routes: how they are read, which path leads to which, and what they make of what is given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/json/scan.h"
#include "codec/json/text.h"
#include "config_text.h"
#include "rules/route_fill.h"
#include "rules/route_find.h"

#define UPSTREAMS                                                                                  \
    "upstreams = { u = { url = \"http://h\"; methods = ( { match = \"get*\"; safe = true; } ); "   \
    "}; };\n"
#define ALL "anonymous = { allow = [ \"*/*\" ]; };\n"

/* ---- What is wrong with a configuration ----------------------------------------------------- */

static void tells_all_that_is_wrong(void **state)
{
    (void)state;
    refuses(UPSTREAMS ALL
            "routes = (\n"
            "  { name = \"a\"; get = \"/a/{id}\"; call = \"v/m\"; },\n"
            "  { name = \"a\"; get = \"/v1/x\"; call = \"u/m\"; },\n"
            "  { get = \"/b/{id}\"; call = \"u/m\"; },\n"
            "  { name = \"d\"; get = \"/d\"; post = \"/d\"; call = \"u/system.multicall\"; },\n"
            "  { name = \"e\"; put = \"/e/\"; call = \"u\"; },\n"
            "  { name = \"f\"; get = \"/f/{id}/{id}\"; call = \"u/m\"; } );\n",
            "t.conf:4: routes[0].call: there is no upstream \"v\"\n"
            "t.conf:5: routes[1].name: routes[0] has the name \"a\" already\n"
            "t.conf:5: routes[1]: the path begins as those of the gateway itself do; such are "
            "`v1`, `jsonrpc`, `xmlrpc`, `mcp`, `openapi…`, `livez`, `readyz`, `metrics` and `-`\n"
            "t.conf:6: routes[2]: `name` is missing\n"
            "t.conf:7: routes[3]: set one of `get`, `post`, `put`, `patch` and `delete`\n"
            "t.conf:7: routes[3]: `call` is system.multicall, which would pass by the rules about "
            "methods\n"
            "t.conf:8: routes[4].put: a path has no `/` at its end\n"
            "t.conf:8: routes[4].call: this is not of the form `upstream/method`, such as "
            "\"odoo/execute_kw\"\n"
            "t.conf:9: routes[5].get: GET is for calls that change nothing, and may run twice; say "
            "`safe = true;` if u/m with these params is one, else use `post`\n"
            "t.conf:9: routes[5]: the path has `{id}` twice\n");
}

/* One setting of a param that cannot be, in a route for POST with `{p}` in its path. */
static void tells_what_is_wrong_with_params(void **state)
{
    static const struct {
        const char *params, *why;
    } cases[] = {
        { "", "the path has `{p}`, but `params` has no such `name`" },
        { "{ name = \"p\"; optional = true; }", "what the path has is always given" },
        { "{ name = \"p\"; in = \"body\"; }", "the path has `{p}`, so it is given there" },
        { "{ name = \"p\"; type = \"int[]\"; }", "a segment of the path is no list" },
        { "{ name = \"p\"; type = \"any\"; }", "`any` is of the body alone" },
        { "{ name = \"p\"; }, { name = \"p\"; }", "there is a param \"p\" already" },
        { "{ name = \"p\"; }, { name = \"\"; }", "`name` must have 1 to 64 bytes" },
        { "{ name = \"p\"; }, { name = \"a{\"; }", "without braces" },
        { "{ name = \"p\"; }, { name = \"a\"; in = \"path\"; }", "the path has no `{a}`" },
        { "{ name = \"p\"; }, { name = \"types\"; in = \"query\"; }", "each query may have" },
        { "{ name = \"p\"; }, { name = \"a\"; optional = true; }, 5",
          "a constant is always there" },
        { "{ name = \"p\"; }, { name = \"a\"; optional = true; }, { name = \"b\"; }",
          "\"b\" is always there, so \"a\" before it" },
        { "{ name = \"p\"; }, { name = \"a\"; optional = true; default = \"x\"; }",
          "set either `default` or `optional`" },
        { "{ name = \"p\"; default = 5; type = \"int\"; }", "what the path has is always given" },
        { "{ name = \"p\"; }, { name = \"a\"; default = 5; }",
          "`default` must be a string, not 5" },
        { "{ name = \"p\"; }, { name = \"a\"; type = \"int\"; default = 5; min = 6; }",
          "`default` must be at least 6, not 5" },
        { "{ name = \"p\"; }, { name = \"a\"; type = \"int\"; enum = ( 1, \"x\" ); }",
          "`enum` must be an int, not \"x\"" },
        { "{ name = \"p\"; }, { name = \"a\"; type = \"date\"; example = \"soon\"; }",
          "`example` must be a date" },
        { "{ name = \"p\"; }, { name = \"a\"; min = 1; }", "are for the types int, i8 and double" },
        { "{ name = \"p\"; }, { name = \"a\"; type = \"int\"; max = 1.5; }", "are integers" },
        { "{ name = \"p\"; }, { name = \"a\"; type = \"int\"; match = \"*\"; }",
          "are for the type string" },
        { "{ name = \"p\"; }, { name = \"a\"; type = \"date\"; enum = ( 5 ); }",
          "`enum` is for the types" },
        { "{ name = \"p\"; member = \"x\"; }", "`member` is for what stands in a `struct`" },
        { "{ name = \"p\"; list = ( ); }", "set one of `name`, `list`" },
        { "{ name = \"p\"; }, { list = ( 5 ); optional = true; }", "it has no `name`" },
        { "{ name = \"p\"; }, { struct = ( 5 ); }", "is a group with a `name` or a `member`" },
        { "{ name = \"p\"; }, { struct = ( { member = \"a\"; value = 5; }, { name = \"a\"; } ); }",
          "has that member already" },
        { "{ name = \"p\"; }, ( ( { name = \"a\"; type = \"int\"; } ) )",
          "stands within a constant" },
        { "{ name = \"p\"; }, { json = \"{\"; }", "this is no JSON" },
        { "{ name = \"p\"; }, { name = \"a\"; kind = 5; }", "unknown setting `kind`" },
        { "{ name = \"p\"; }, { name = \"a\"; type = \"integer\"; }", "is none of the words" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[1024];
        snprintf(
            text, sizeof text,
            UPSTREAMS ALL
            "routes = ( { name = \"r\"; post = \"/r/{p}\"; call = \"u/m\"; params = ( %s ); } );",
            cases[i].params);
        refuses_with(text, cases[i].why);
    }
}

static void tells_paths_that_cannot_be(void **state)
{
    static const char *const paths[] = {
        "",      "/",      "a",     "/a/",
        "//a",   "/a//b",  "/a{b}", "/{}",
        "/a b",  "/a%20b", "/a?b",  "/a#b",
        "/../a", "/.",     "/{a}}", "/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g/h"
    };
    static const char *const own[] = { "/v1",    "/v1/x",         "/jsonrpc/{a}",
                                       "/-/x",   "/openapi.json", "/openapi-x",
                                       "/mcp/x", "/livez",        "/metrics/x" };
    char text[1024];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(paths) + ARRAY_LEN(own); i++) {
        bool is_own = i >= ARRAY_LEN(paths);
        const char *path = is_own ? own[i - ARRAY_LEN(paths)] : paths[i];
        snprintf(text, sizeof text,
                 UPSTREAMS ALL "routes = ( { name = \"r\"; post = \"%s\"; call = \"u/m\"; } );",
                 path);
        refuses_with(text, is_own ? "the path begins as those" : "path");
    }
}

static void tells_paths_that_clash(void **state)
{
#define TWO(a, b)                                                                                  \
    UPSTREAMS ALL "routes = ( { name = \"a\"; " a "; call = \"u/m\"; params = ( { name = \"x\"; "  \
                  "} ); }, { name = \"b\"; " b "; call = \"u/m\"; params = ( { name = \"y\"; } );" \
                  " } );"
    (void)state;
    refuses_with(TWO("post = \"/p/{x}\"", "post = \"/p/{y}\""),
                 "routes[1].post: routes[0] has a path of that shape already, \"/p/{x}\"");
    refuses_with(TWO("post = \"/p/{x}\"", "put = \"/p/{y}\""),
                 "routes[0] has the same path with other names");
#undef TWO
}

/* A file with the constant of a route is a secret. */
static void is_shown_and_read_again(void **state)
{
    static const char routes[] =
        "routes = ( { name = \"r\"; get = \"/r/{id}\"; call = \"u/get\"; params = ( \"a\", 5, 1.5, "
        "true, ( 1, \"x\" ), { a = ( ); }, { json = \"[null]\"; },\n"
        "{ list = ( { name = \"id\"; type = \"i8\"; min = 1; max = 9; description = \"d\"; } ); "
        "},\n"
        "{ struct = ( { name = \"f\"; type = \"string[]\"; default = [ \"a\" ]; enum = [ \"a\", "
        "\"b\" ]; member = \"F\"; }, { member = \"l\"; value = { x = 5; }; }, { member = \"n\"; "
        "list = ( ); } ); }, { name = \"o\"; optional = true; match = \"a*\"; max_length = 5; "
        "example = \"ab\"; } ); result = { at = \"/0\"; empty = 404; wrap = false; }; } );\n";
    struct buf first, again;
    char text[2048];
    (void)state;
    snprintf(text, sizeof text, UPSTREAMS ALL "%s", routes);
    struct config *config = config_of(text);
    buf_init(&first, 1 << 20, NULL);
    buf_init(&again, 1 << 20, NULL);
    config_print(config, &first);
    struct config *copy = config_of(buf_c(&first));
    config_print(copy, &again);
    const char *params = strstr(buf_c(&first), "params = ("),
               *other = strstr(buf_c(&again), "params = (");
    assert_non_null(params);
    assert_non_null(other);
    assert_memory_equal(params, other, strcspn(params, "\n") - 20);
    assert_non_null(strstr(params,
                           "{ name = \"f\"; type = \"string[]\"; default = ( \"a\" ); enum = "
                           "( \"a\", \"b\" ); member = \"F\"; }"));
    buf_done(&first);
    buf_done(&again);
    config_unref(config);
    config_unref(copy);
}

/* ---- Which route it is ---------------------------------------------------------------------- */

static void finds_the_right_one(void **state)
{
    static const struct {
        enum route_method method;
        const char *path, *name; /* NULL: none */
        const char *segments;
    } cases[] = {
        { ROUTE_GET, "/p", "list", "" },
        { ROUTE_GET, "/p/7", "one", "7" },
        { ROUTE_GET, "/p/new", "new", "" }, /* a text beats a name */
        { ROUTE_GET, "/%70/n%65w", "new", "" },
        { ROUTE_GET, "/p/a%2Fb", "one", "a%2Fb" },
        { ROUTE_GET, "/p/%6Eew/x", "sub", "%6Eew" }, /* and where it leads nowhere, does not */
        { ROUTE_GET, "/p/7/x", "sub", "7" },
        { ROUTE_GET, "/p/7/8/x", "two", "7 8" },
        { ROUTE_POST, "/p/new", "post", "new" }, /* GET has a text there */
        { ROUTE_POST, "/p", NULL, NULL },
        { ROUTE_PUT, "/p/7", NULL, NULL },
        { ROUTE_GET, "/p/", NULL, NULL },
        { ROUTE_GET, "/p//x", NULL, NULL },
        { ROUTE_GET, "/P", "any", "P" },
        { ROUTE_GET, "/any", "any", "any" },
        { ROUTE_GET, "/v1", NULL, NULL }, /* which stays the gateway's */
        { ROUTE_GET, "/%76%31", NULL, NULL },
        { ROUTE_GET, "/openapi.yaml", NULL, NULL },
        { ROUTE_GET, "/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g/h", NULL, NULL },
    };
    struct config *config = config_of(
        UPSTREAMS ALL
        "routes = ( { name = \"list\"; get = \"/p\"; call = \"u/get\"; },\n"
        "{ name = \"one\"; get = \"/p/{a}\"; call = \"u/get\"; params = ( { name = \"a\"; } ); },\n"
        "{ name = \"new\"; get = \"/p/new\"; call = \"u/get\"; },\n"
        "{ name = \"sub\"; get = \"/p/{a}/x\"; call = \"u/get\"; params = ( { name = \"a\"; } ); "
        "},\n"
        "{ name = \"two\"; get = \"/p/{a}/{b}/x\"; call = \"u/get\"; params = ( { name = \"b\"; }, "
        "{ "
        "name = \"a\"; } ); },\n"
        "{ name = \"post\"; post = \"/p/{a}\"; call = \"u/m\"; params = ( { name = \"a\"; } ); },\n"
        "{ name = \"any\"; get = \"/{a}\"; call = \"u/get\"; params = ( { name = \"a\"; } ); } );");
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct route_match match;
        struct buf segments;
        bool found = route_find(config, str_of(cases[i].path), cases[i].method, &match);
        if (found != (cases[i].name != NULL) ||
            (found && strcmp(match.route->name, cases[i].name) != 0))
            fail_msg("%s: %s", cases[i].path, found ? match.route->name : "none");
        buf_init(&segments, 1024, NULL);
        for (size_t k = 0; found && k < match.route->n_in_path; k++)
            buf_printf(&segments, "%s%.*s", k > 0 ? " " : "", STR_ARGS(match.segments[k]));
        if (found)
            assert_string_equal(buf_c(&segments), cases[i].segments);
        buf_done(&segments);
    }
    config_unref(config);
}

/* The work for each of `n` routes and for paths that lead nowhere, on the average. */
static double looks_of(size_t n)
{
    struct buf text;
    size_t looks = 0;
    buf_init(&text, 1 << 20, NULL);
    buf_append_c(&text, UPSTREAMS ALL "routes = (");
    for (size_t i = 0; i < n; i++)
        buf_printf(&text,
                   "%s { name = \"r%zu\"; get = \"/api/things%zu/{id}/parts\"; call = \"u/get\"; "
                   "params = ( { name = \"id\"; } ); }",
                   i > 0 ? "," : "", i, i);
    buf_append_c(&text, " );");
    struct config *config = config_of(buf_c(&text));
    for (size_t i = 0; i < 2 * n; i++) {
        struct route_match match;
        char path[64];
        snprintf(path, sizeof path, "/api/things%zu/7/parts", i);
        assert_int_equal(route_find(config, str_of(path), ROUTE_GET, &match), i < n);
        looks += match.n_looks;
        snprintf(path, sizeof path, "/api/things%zu/{id}/parts", i);
        if (i < n)
            assert_int_equal(route_table_find(config->route_table, str_of(path))->routes[ROUTE_GET],
                             i + 1);
    }
    config_unref(config);
    buf_done(&text);
    return (double)looks / (double)(2 * n);
}

static void a_thousand_take_no_more_than_ten(void **state)
{
    (void)state;
    double ten = looks_of(10), thousand = looks_of(1000);
    if (thousand > 1.5 * ten)
        fail_msg("%.2f looks for ten routes, %.2f for a thousand", ten, thousand);
}

/* ---- What is given -------------------------------------------------------------------------- */

/* The route's params and its method; what is given; the call's params, or what is wrong. */
struct given_case {
    const char *setting, *params;
    const char *path, *query, *body;
    const char *filled; /* NULL: refused */
    const char *detail;
};

static void fill_one(const struct given_case *c)
{
    struct buf text;
    struct route_match match;
    struct route_filled filled;
    struct error err;
    buf_init(&text, 1 << 16, NULL);
    buf_printf(&text,
               UPSTREAMS ALL
               "routes = ( { name = \"r\"; %s; call = \"u/get\"; params = ( %s ); } );",
               c->setting, c->params);
    struct config *config = config_of(buf_c(&text));
    enum route_method method = config->routes[0].http_method;
    if (!route_find(config, str_of(c->path), method, &match))
        fail_msg("%s leads nowhere", c->path);
    struct route_given given = { .segments = match.segments,
                                 .query = str_of(c->query),
                                 .body = str_of(c->body) };
    route_filled_init(&filled, NULL);
    assert_true(given.body.len == 0 || json_scan_all(json_without_mark(given.body), 64, &err));
    bool ok = route_fill(match.route, &given, &filled, &err);
    if (ok != (c->filled != NULL))
        fail_msg("%s %s %s: %s", c->params, c->query, c->body, ok ? "is filled" : err.detail);
    if (ok && strcmp(buf_c(&filled.params), c->filled) != 0)
        fail_msg("%s %s %s: %s", c->params, c->query, c->body, buf_c(&filled.params));
    if (!ok) {
        if (strcmp(err.detail, c->detail) != 0)
            fail_msg("%s: %s", c->detail, err.detail);
        assert_int_equal(err.type, PROBLEM_INVALID_REQUEST);
        assert_true(json_scan_all(buf_str(&filled.errors), 64, &err));
    }
    route_filled_done(&filled);
    config_unref(config);
    buf_done(&text);
}

#define GET "get = \"/r\""
#define POST "post = \"/r\""
#define P(type) "{ name = \"p\"; type = \"" type "\"; }"

static void fills_in(void **state)
{
    static const struct given_case cases[] = {
        { GET, "", "/r", "", "", "[]", "" },
        { GET, "1, \"a\", { json = \"null\"; }", "/r", "", "", "[1,\"a\",null]", "" },
        /* of each type, from text and from JSON */
        { GET, P("string"), "/r", "p=a+b%2Bc%20%22%C3%A9", "", "[\"a b+c \\\"é\"]", "" },
        { GET, P("string"), "/r", "p=", "", "[\"\"]", "" },
        { GET, P("string"), "/r", "p", "", "[\"\"]", "" },
        { GET, P("string"), "/r", "p=7", "", "[\"7\"]", "" },
        { GET, P("int"), "/r", "p=-2147483648", "", "[-2147483648]", "" },
        { GET, P("i8"), "/r", "p=9223372036854775807", "", "[{\"$i8\":\"9223372036854775807\"}]",
          "" },
        { GET, P("double"), "/r", "p=1e2", "", "[{\"$double\":1e2}]", "" },
        { GET, P("double"), "/r", "p=5", "", "[{\"$double\":5}]", "" },
        { GET, P("boolean"), "/r", "p=true", "", "[true]", "" },
        { GET, P("date"), "/r", "p=2024-02-29T12:00:00%2B02:00", "",
          "[{\"$dateTime\":\"2024-02-29T12:00:00+02:00\"}]", "" },
        { GET, P("date"), "/r", "p=1709208000", "", "[{\"$dateTime\":1709208000}]", "" },
        { GET, P("base64"), "/r", "p=_-8", "", "[{\"$base64\":\"_-8\"}]", "" },
        { GET, P("int[]"), "/r", "p=1&p=2&&p=3", "", "[[1,2,3]]", "" },
        { GET, P("int[]"), "/r", "p=1", "", "[[1]]", "" },
        { POST, P("string"), "/r", "", "{\"p\":\"a\\u0041\"}", "[\"a\\u0041\"]", "" },
        { POST, P("string"), "/r", "", "\xEF\xBB\xBF{\"\\u0070\":\"a\"}", "[\"a\"]", "" },
        { POST, P("int"), "/r", "", "{\"p\":{\"$int\":5}}", "[5]", "" },
        { POST, P("i8"), "/r", "", "{\"p\":\"12345678901\"}", "[{\"$i8\":\"12345678901\"}]", "" },
        { POST, P("i8"), "/r", "", "{\"p\":12345678901}", "[{\"$i8\":\"12345678901\"}]", "" },
        { POST, P("double"), "/r", "", "{\"p\":5}", "[{\"$double\":5}]", "" },
        { POST, P("boolean"), "/r", "", "{\"p\":false}", "[false]", "" },
        { POST, P("date"), "/r", "", "{\"p\":{\"$dateTime\":\"20240229T12:00:00\"}}",
          "[{\"$dateTime\":\"20240229T12:00:00\"}]", "" },
        { POST, P("base64[]"), "/r", "", "{\"p\":[\"aGk=\",\"\"]}",
          "[[{\"$base64\":\"aGk=\"},{\"$base64\":\"\"}]]", "" },
        { POST, P("any"), "/r", "", "{\"p\":{\"a\":[null,{\"$i8\":\"5\"}]}}",
          "[{\"a\":[null,{\"$i8\":\"5\"}]}]", "" },
        { POST, P("any[]"), "/r", "", "{\"p\":[1,\"a\",[]]}", "[[1,\"a\",[]]]", "" },
        { POST, "{ name = \"p\"; in = \"query\"; }", "/r", "p=x", "", "[\"x\"]", "" },
        { "delete = \"/r/{p}\"", P("string"), "/r/a%2Fb+c", "", "", "[\"a/b+c\"]", "" },
        { "patch = \"/{b}/{a}\"", "{ name = \"a\"; }, { name = \"b\"; type = \"int\"; }", "/5/x",
          "", "{}", "[\"x\",5]", "" },
        /* what may be left out */
        { GET, "{ name = \"a\"; optional = true; }, { name = \"b\"; optional = true; }", "/r", "",
          "", "[]", "" },
        { GET, "{ name = \"a\"; optional = true; }, { name = \"b\"; optional = true; }", "/r",
          "a=1", "", "[\"1\"]", "" },
        { GET, "{ name = \"a\"; optional = true; }, { name = \"b\"; optional = true; }", "/r",
          "b=2&a=1", "", "[\"1\",\"2\"]", "" },
        { GET,
          "{ name = \"a\"; default = \"x\"; }, { name = \"b\"; type = \"int[]\"; default = ( 1, 2 "
          "); }",
          "/r", "", "", "[\"x\",[1,2]]", "" },
        { GET,
          "{ struct = ( { name = \"a\"; optional = true; }, { member = \"m\"; value = 5; }, { name "
          "= "
          "\"b\"; optional = true; member = \"B\"; } ); }",
          "/r", "", "", "[{\"m\":5}]", "" },
        { GET,
          "{ struct = ( { name = \"a\"; optional = true; }, { member = \"m\"; value = 5; }, { name "
          "= "
          "\"b\"; optional = true; member = \"B\"; } ); }",
          "/r", "b=1&a=2", "", "[{\"a\":\"2\",\"m\":5,\"B\":\"1\"}]", "" },
        { GET,
          "{ struct = ( { name = \"a\"; optional = true; }, { name = \"b\"; optional = true; } ); "
          "}",
          "/r", "b=1", "", "[{\"b\":\"1\"}]", "" },
        { GET, "{ list = ( 1, { list = ( { name = \"a\"; optional = true; } ); }, 2 ); }, 3", "/r",
          "", "", "[[1,[],2],3]", "" },
        { GET, P("int"), "/r", "p=5&types=tagged&integers=safe", "", "[5]", "" },
        /* rules */
        { GET, "{ name = \"p\"; enum = [ \"a\", \"b\" ]; }", "/r", "p=b", "", "[\"b\"]", "" },
        { GET, "{ name = \"p\"; type = \"double\"; enum = ( 1.5, 2 ); }", "/r", "p=2.0", "",
          "[{\"$double\":2.0}]", "" },
        { GET, "{ name = \"p\"; type = \"i8\"; min = -5; max = 9223372036854775806L; }", "/r",
          "p=9223372036854775806", "", "[{\"$i8\":\"9223372036854775806\"}]", "" },
        { GET, "{ name = \"p\"; max_length = 2; match = [ \"x\", \"é?\" ]; }", "/r", "p=%C3%A9y",
          "", "[\"éy\"]", "" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        fill_one(&cases[i]);
}

static void tells_what_is_wrong(void **state)
{
    static const struct given_case cases[] = {
        { GET, P("int"), "/r", "p=x", "", NULL, "`p` must be an int, not \"x\"." },
        { GET, P("int"), "/r", "p=01", "", NULL, "`p` must be an int, not \"01\"." },
        { GET, P("int"), "/r", "p=+1", "", NULL, "`p` must be an int, not \" 1\"." },
        { GET, P("int"), "/r", "p=-", "", NULL, "`p` must be an int, not \"-\"." },
        { GET, P("int"), "/r", "p=2147483648", "", NULL,
          "`p` must be an int, not \"2147483648\"." },
        { GET, P("i8"), "/r", "p=9223372036854775808", "", NULL,
          "`p` must be an integer of 64 bits, not \"9223372036854775808\"." },
        { GET, P("double"), "/r", "p=1.", "", NULL, "`p` must be a number, not \"1.\"." },
        { GET, P("double"), "/r", "p=1e999", "", NULL, "`p` must be a number, not \"1e999\"." },
        { GET, P("double"), "/r", "p=NaN", "", NULL, "`p` must be a number, not \"NaN\"." },
        { GET, P("boolean"), "/r", "p=1", "", NULL, "`p` must be true or false, not \"1\"." },
        { GET, P("date"), "/r", "p=2024-02-30T12:00:00", "", NULL,
          "`p` must be a date such as 2024-02-29T12:00:00, not \"2024-02-30T12:00:00\"." },
        { GET, P("base64"), "/r", "p=a", "", NULL, "`p` must be base64, not \"a\"." },
        { GET, P("int[]"), "/r", "p=1&p=x", "", NULL, "`p` must be an int, not \"x\"." },
        { GET, P("int"), "/r", "p=1&p=2", "", NULL, "`p` is given several times: give it once." },
        { GET, P("int"), "/r", "", "", NULL, "`p` is missing: an int." },
        { GET, P("int[]"), "/r", "", "", NULL, "`p` is missing: a list of ints." },
        { GET, P("int"), "/r", "p=%FF", "", NULL, "`p` must be percent-encoded UTF-8." },
        { GET, P("int"), "/r", "p=1&types=x", "", NULL, "`types` must be plain or tagged." },
        { GET, P("int"), "/r", "p=1&types=plain&types=plain", "", NULL,
          "`types` is given twice: give it once." },
        { GET, "{ name = \"fields\"; optional = true; }", "/r", "feilds=a", "", NULL,
          "`feilds` is not known here: did you mean `fields`?" },
        { GET, "{ name = \"fields\"; optional = true; }", "/r", "x=a", "", NULL,
          "`x` is not known here; known are `fields`." },
        { GET, "", "/r", "x=a&%FF=1", "", NULL,
          "`x` is not known here; `?` must be percent-encoded UTF-8." },
        { GET, "{ name = \"a\"; optional = true; }, { name = \"b\"; optional = true; }", "/r",
          "b=1", "", NULL, "`a` must be given, for `b`, which stands behind it, is." },
        { GET, "{ name = \"p\"; type = \"int\"; min = 1; }", "/r", "p=0", "", NULL,
          "`p` must be at least 1, not 0." },
        { GET, "{ name = \"p\"; type = \"int\"; max = 10; }", "/r", "p=11", "", NULL,
          "`p` must be at most 10, not 11." },
        { GET, "{ name = \"p\"; type = \"double\"; min = -1.5; }", "/r", "p=-1.6", "", NULL,
          "`p` must be at least -1.5, not -1.6." },
        { GET, "{ name = \"p\"; type = \"i8\"; max = 9223372036854775806L; }", "/r",
          "p=9223372036854775807", "", NULL,
          "`p` must be at most 9223372036854775806, not 9223372036854775807." },
        { GET, "{ name = \"p\"; enum = [ \"a\", \"b\" ]; }", "/r", "p=c", "", NULL,
          "`p` must be \"a\" or \"b\"." },
        { GET, "{ name = \"p\"; max_length = 2; }", "/r", "p=%C3%A9%C3%A9%C3%A9", "", NULL,
          "`p` must have at most 2 characters, not 3." },
        { GET, "{ name = \"p\"; match = \"a*\"; }", "/r", "p=b", "", NULL,
          "`p` must match \"a*\"." },
        { "post = \"/r/{p}\"", P("int"), "/r/x", "y=1", "{\"z\":1}", NULL,
          "`p` must be an int, not \"x\"; `y` is not known here; `z` is not known here." },
        { POST, P("int"), "/r", "", "[1]", NULL,
          "the body must be an object, whose members are what the route asks for; `p` is missing: "
          "an int." },
        { POST, P("int"), "/r", "", "{\"p\":\"5\"}", NULL, "`p` must be an int, not \"5\"." },
        { POST, P("int"), "/r", "", "{\"p\":null}", NULL, "`p` must be an int, not null." },
        { POST, P("int"), "/r", "", "{\"p\":1.0}", NULL, "`p` must be an int, not 1.0." },
        { POST, P("int"), "/r", "", "{\"p\":{\"a\":1}}", NULL,
          "`p` must be an int, not an object." },
        { POST, P("string"), "/r", "", "{\"p\":5}", NULL, "`p` must be a string, not 5." },
        { POST, P("int[]"), "/r", "", "{\"p\":5}", NULL, "`p` must be a list of ints, not 5." },
        { POST, P("int[]"), "/r", "", "{\"p\":[1,\"x\"]}", NULL,
          "`p` must be a list of ints: item 1 must be an int, not \"x\"." },
        { POST, P("int"), "/r", "p=5", "", NULL, "`p` is not known here; `p` is missing: an int." },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        fill_one(&cases[i]);
}

static void tells_no_more_than_it_may(void **state)
{
    struct buf body;
    struct route_filled filled;
    struct error err;
    struct config *config =
        config_of(UPSTREAMS ALL
                  "routes = ( { name = \"r\"; post = \"/r\"; call = \"u/m\"; params = ( ); } );");
    (void)state;
    buf_init(&body, 1 << 24, NULL);
    for (size_t i = 0; i < 20000; i++)
        buf_printf(&body, "%s\"x%zu\":1", i == 0 ? "{" : ",", i);
    buf_append_byte(&body, '}');
    struct route_given given = { .query = STR(""), .body = buf_str(&body) };
    route_filled_init(&filled, NULL);
    assert_false(route_fill(&config->routes[0], &given, &filled, &err));
    assert_true(json_scan_all(buf_str(&filled.errors), 64, &err));
    assert_non_null(strstr(buf_c(&filled.errors), "\"x31\""));
    assert_null(strstr(buf_c(&filled.errors), "\"x32\""));
    route_filled_done(&filled);
    buf_done(&body);
    config_unref(config);
}

/* An error of the document as it was built. */
static void points_into_what_was_given(void **state)
{
    static const struct {
        const char *built, *given, *detail;
    } cases[] = {
        { "/0", NULL, "In the route's own params: Why." },
        { "/1/0", NULL, "`q`: Why." },
        { "/2/B/a", "/b~1/a", "`b/`: Why." },
        { "/2/Bc", NULL, "In the route's own params: Why." },
    };
    struct config *config =
        config_of(UPSTREAMS ALL "routes = ( { name = \"r\"; post = \"/r\"; call = \"u/m\"; params "
                                "= ( 1, { list = ( { name = "
                                "\"q\"; in = \"query\"; } ); }, { struct = ( { name = \"b/\"; "
                                "member = \"B\"; type = \"any\"; "
                                "} ); } ); } );");
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err;
        error_set(&err, PROBLEM_UNREPRESENTABLE, "Why.");
        error_at(&err, str_of(cases[i].built));
        route_error_is_of(&config->routes[0], &err, NULL);
        assert_string_equal(err.detail, cases[i].detail);
        assert_int_equal(err.has_pointer, cases[i].given != NULL);
        if (err.has_pointer)
            assert_string_equal(err.pointer, cases[i].given);
    }
    config_unref(config);
}

/* What is large takes several steps, and what comes of it is the same; what stands behind something
 * wrong is read, too. */
static void large_bodies_take_steps(void **state)
{
    static const struct {
        const char *before, *piece, *after;
        bool ok;
    } cases[] = {
        { "{\"n\":[", "7, ", "8]}", true },
        { "{\"n\":[", "7,", "7.5], \"s\":\"ab\"}", false },
        { "{\"n\":[", "7,", "{\"$int\":7}],\"s\":\"a\"}", true },
        { "{\"b\":\"", "QU\\/D", "QQ==\"}", true },
        { "{\"b\":{\"$base64\":\"", "QUJD", "\"}}", true },
        { "{\"b\":\"", "QUJD", "Q\",\"s\":\"ab\"}", false },
        { "{\"a\":[", "[], ", "{}]}", true },
        { "{\"a\":\"", "\\u00e9", "\"}", true },
        { "{\"s\":[", "[1],", "2],\"n\":\"x\"}", false },
    };
    struct config *config = config_of(
        UPSTREAMS ALL "routes = ( { name = \"r\"; post = \"/r\"; call = \"u/m\"; params = (\n"
                      "  { name = \"n\"; type = \"int[]\"; default = ( ); },\n"
                      "  { name = \"b\"; type = \"base64\"; default = \"\"; },\n"
                      "  { name = \"a\"; type = \"any\"; default = 1; },\n"
                      "  { name = \"s\"; max_length = 1; default = \"\"; } ); } );");
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf body;
        struct route_filled filled;
        struct error err;
        size_t n_steps = 1;
        enum codec_step step;
        buf_init(&body, 1 << 24, NULL);
        buf_append_c(&body, cases[i].before);
        while (body.len < 3000000)
            buf_append_c(&body, cases[i].piece);
        buf_append_c(&body, cases[i].after);
        assert_true(json_scan_all(buf_str(&body), 64, &err));
        route_filled_init(&filled, NULL);
        struct route_given given = { .query = STR(""), .body = buf_str(&body) };
        struct route_filling *f = route_fill_begin(&config->routes[0], &given, &filled);
        while ((step = route_fill_step(f, &err)) == CODEC_MORE)
            n_steps++;
        route_fill_end(f);
        if (n_steps < 2 || (step == CODEC_DONE) != cases[i].ok)
            fail_msg("%s…%s: %zu steps, %s", cases[i].before, cases[i].after, n_steps, err.detail);
        if (cases[i].ok)
            assert_true(filled.params.len > 1900000);
        else
            assert_non_null(strstr(err.detail, "; `"));
        route_filled_done(&filled);
        buf_done(&body);
    }
    config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_all_that_is_wrong),
        cmocka_unit_test(tells_what_is_wrong_with_params),
        cmocka_unit_test(tells_paths_that_cannot_be),
        cmocka_unit_test(tells_paths_that_clash),
        cmocka_unit_test(is_shown_and_read_again),
        cmocka_unit_test(finds_the_right_one),
        cmocka_unit_test(a_thousand_take_no_more_than_ten),
        cmocka_unit_test(fills_in),
        cmocka_unit_test(tells_what_is_wrong),
        cmocka_unit_test(tells_no_more_than_it_may),
        cmocka_unit_test(points_into_what_was_given),
        cmocka_unit_test(large_bodies_take_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
