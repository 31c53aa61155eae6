/* SPDX-License-Identifier: Apache-2.0 */
/* Header lines of answers that are kept: which there are, and who gets 304 in a body's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/macros.h"
#include "front/freshness.h"
#include "front_rig.h"

#define SETTINGS                                                                                   \
    "anonymous = { allow = [ \"*/*\", \"@*\" ]; };\n"                                              \
    "upstreams = { a = { url = \"http://a/\"; multicall = \"never\"; retry = { attempts = 1; };\n" \
    "  methods = ( { match = \"get\"; safe = true;\n"                                              \
    "    cache = { ttl = \"60s\"; stale_if_error = \"1h\"; }; },\n"                                \
    "   { match = \"join\"; safe = true; cache = { ttl = \"0s\"; collapse = true; }; } ); }; };\n" \
    "routes = (\n"                                                                                 \
    "  { name = \"r\"; get = \"/r\"; call = \"a/get\"; },\n"                                       \
    "  { name = \"silent\"; get = \"/silent\"; call = \"a/get\"; status = 204; },\n"               \
    "  { name = \"post\"; post = \"/post\"; call = \"a/get\"; },\n"                                \
    "  { name = \"join\"; get = \"/join\"; call = \"a/join\"; },\n"                                \
    "  { name = \"plain\"; get = \"/plain\"; call = \"a/other\"; safe = true; } );\n"              \
    "mcp = ( { name = \"m\"; tools = ( \"@r\" ); } );\n"

#define LINES "Host: 127.0.0.1:8080\n"
#define JSON_LINES LINES "Content-Type: application/json\nTransfer-Encoding: chunked\n"
#define CONTROL "Cache-Control: private, max-age=60"

static struct front_rig rig;
static struct fake *const fake = &rig.rig.workers[0].fake;
static struct kept_store *store;

static int set_up(void **state)
{
    (void)state;
    front_rig_open(&rig, SETTINGS);
    store = kept_store_new();
    for (size_t i = 0; i < RIG_WORKERS; i++)
        rig.rig.workers[i].client.kept = store;
    kept_set_max(store, (size_t)64 * 1024 * 1024);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    front_rig_close(&rig);
    kept_store_free(store);
    return 0;
}

static void answer(const char *document)
{
    fake_answer(fake, 0, 200, document);
    front_rig_run(&rig);
}

/* A GET with these lines besides. */
static void get(struct exchange *x, const char *path, const char *lines)
{
    static char all[256]; /* which the head borrows */
    char target[64];
    snprintf(target, sizeof target, "GET %s", path);
    snprintf(all, sizeof all, LINES "%s", lines);
    exchange_begin(&rig, x, target, all);
    exchange_go_on(&rig, x, "");
}

/* The same, which the upstream answers with that string. */
static void get_told(struct exchange *x, const char *path, const char *lines, const char *document)
{
    get(x, path, lines);
    answer(document);
    exchange_expect(x, 200, NULL);
}

/* The value of a header line; "": there is none. The next call forgets it. */
static const char *line(const struct exchange *x, const char *name)
{
    static char value[256];
    struct str rest = buf_str(&x->headers);
    size_t len = strlen(name);
    value[0] = '\0';
    while (rest.len > 0) {
        size_t end = str_find(rest, '\n');
        struct str at = str_slice(rest, 0, end);
        if (at.len > len + 2 && memcmp(at.data, name, len) == 0 && at.data[len] == ':')
            snprintf(value, sizeof value, "%.*s", STR_ARGS(str_slice(at, len + 2, at.len)));
        rest = str_slice(rest, end + 1, rest.len);
    }
    return value;
}

static void expect_line(const struct exchange *x, const char *name, const char *value)
{
    if (strcmp(line(x, name), value) != 0)
        fail_msg("%s: %s, and not %s", name, line(x, name), value);
}

/* ---- How an answer came about --------------------------------------------------------------- */

static void each_way_has_its_lines(void **state)
{
    struct exchange x;
    (void)state;
    get_told(&x, "/r", "", RIG_ANSWER("a"));
    expect_line(&x, "Cache-Status", "rpcgate; fwd=miss; stored");
    expect_line(&x, "Age", "");
    assert_true(exchange_has(&x, CONTROL) && exchange_has(&x, "Vary: Authorization"));
    exchange_end(&x);
    fake_clock_add_ms(12999);
    get(&x, "/r", "");
    exchange_expect(&x, 200, "{\"result\":\"a\"}");
    expect_line(&x, "Cache-Status", "rpcgate; hit; ttl=48");
    expect_line(&x, "Age", "12");
    assert_true(exchange_has(&x, CONTROL));
    exchange_end(&x);
    fake_clock_add_ms(60001);
    get(&x, "/r", "");
    fake_fail(fake, 0, UPSTREAM_CONNECT_FAILED, false);
    front_rig_run(&rig);
    exchange_expect(&x, 200, "{\"result\":\"a\"}");
    expect_line(&x, "Cache-Status", "rpcgate; hit; ttl=-13; detail=STALE-IF-ERROR");
    expect_line(&x, "Age", "73");
    exchange_end(&x);
    assert_int_equal(fake->n_submitted, 2);
}

static void what_a_caller_wishes_is_told(void **state)
{
    struct exchange x;
    (void)state;
    get_told(&x, "/r", "", RIG_ANSWER("a"));
    exchange_end(&x);
    get_told(&x, "/r", "Cache-Control: no-cache\n", RIG_ANSWER("b"));
    expect_line(&x, "Cache-Status", "rpcgate; fwd=request; stored");
    exchange_end(&x);
    get_told(&x, "/r", "Cache-Control: no-store\n", RIG_ANSWER("c"));
    expect_line(&x, "Cache-Status", "rpcgate; fwd=request");
    exchange_end(&x);
    get(&x, "/r", "");
    exchange_expect(&x, 200, "{\"result\":\"b\"}");
    exchange_end(&x);
}

/* One call for both; who waited says so. */
static void equal_requests_are_one(void **state)
{
    struct exchange first, second;
    (void)state;
    get(&first, "/r", "");
    get(&second, "/r", "");
    assert_int_equal(fake->n_submitted, 1);
    answer(RIG_ANSWER("a"));
    exchange_expect(&first, 200, "{\"result\":\"a\"}");
    exchange_expect(&second, 200, "{\"result\":\"a\"}");
    expect_line(&first, "Cache-Status", "rpcgate; fwd=miss; stored");
    expect_line(&second, "Cache-Status", "rpcgate; fwd=miss; collapsed; stored");
    expect_line(&second, "Age", "");
    assert_string_equal(line(&second, "ETag"), line(&first, "ETag"));
    exchange_end(&first);
    exchange_end(&second);
}

/* ---- What others may keep ------------------------------------------------------------------- */

/* What has no path of its own, no body, or no time says how it came about, and no more. */
static void only_a_route_of_get_may_be_kept(void **state)
{
    static const struct {
        const char *target, *body;
        int status;
        const char *cache_status;
    } cases[] = {
        { "POST /post", "{}", 200, "rpcgate; fwd=miss; stored" },
        { "POST /post", "{}", 200, "rpcgate; hit; ttl=60" },
        { "POST /v1/a/get", "[]", 200, "rpcgate; hit; ttl=60" },
        { "POST /mcp/m",
          "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"r\"}}",
          200, "rpcgate; fwd=miss; stored" },
        { "GET /silent", "", 204, "rpcgate; hit; ttl=60" },
        { "GET /join", "", 200, "rpcgate; fwd=miss" },
        { "GET /plain", "", 200, "" },
        { "GET /livez", "", 200, "" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct exchange x;
        exchange_begin(&rig, &x, cases[i].target, cases[i].body[0] != '\0' ? JSON_LINES : LINES);
        exchange_go_on(&rig, &x, cases[i].body);
        if (fake_n(fake) > 0)
            answer(RIG_ANSWER("a"));
        exchange_expect(&x, cases[i].status, NULL);
        expect_line(&x, "Cache-Status", cases[i].cache_status);
        expect_line(&x, "ETag", "");
        expect_line(&x, "Vary", "");
        expect_line(&x, "Cache-Control", "no-store");
        exchange_end(&x);
    }
    assert_int_equal(fake->n_submitted, 4);
}

static void a_failure_may_not(void **state)
{
    struct exchange x;
    (void)state;
    get(&x, "/r", "If-None-Match: *\n");
    answer(RIG_FAULT("1", "no"));
    exchange_expect_problem(&x, 500, "fault");
    expect_line(&x, "Cache-Status", "rpcgate; fwd=miss");
    expect_line(&x, "ETag", "");
    expect_line(&x, "Cache-Control", "no-store");
    exchange_end(&x);
}

/* ---- Versions ------------------------------------------------------------------------------- */

static void who_has_it_gets_no_body(void **state)
{
    static const struct {
        const char *format;
        int status;
    } cases[] = {
        { "If-None-Match: %s\n", 304 },
        { "If-None-Match: W/%s\n", 304 },
        { "If-None-Match: \"x\", W/\"y\" , %s\n", 304 },
        { "If-None-Match: \"x\"\nIf-None-Match: %s,\n", 304 },
        { "If-None-Match: *\n", 304 },
        { "If-None-Match: \"x\"\n", 200 },
        { "If-None-Match: X%s\n", 200 },
        { "If-None-Match: w/%s\n", 200 },
        { "If-Match: %s\n", 200 },
    };
    struct exchange x;
    char etag[32], lines[160];
    (void)state;
    get_told(&x, "/r", "", RIG_ANSWER("a"));
    snprintf(etag, sizeof etag, "%s", line(&x, "ETag"));
    assert_int_equal(strlen(etag), 18);
    assert_int_equal(strspn(etag + 1, "0123456789abcdef"), 16);
    assert_true(etag[0] == '"' && etag[17] == '"');
    exchange_end(&x);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str format = str_of(cases[i].format);
        size_t at = str_find(format, '%');
        snprintf(lines, sizeof lines, "%.*s%s%s", (int)at, format.data, at < format.len ? etag : "",
                 at < format.len ? format.data + at + 2 : "");
        get(&x, "/r", lines);
        exchange_expect(&x, cases[i].status, cases[i].status == 304 ? "" : "{\"result\":\"a\"}");
        expect_line(&x, "ETag", etag);
        expect_line(&x, "Content-Type", cases[i].status == 304 ? "" : "application/json");
        expect_line(&x, "Cache-Status", "rpcgate; hit; ttl=60");
        expect_line(&x, "Age", "0");
        assert_true(exchange_has(&x, CONTROL));
        exchange_end(&x);
    }
    assert_int_equal(fake->n_submitted, 1);
}

/* A result that the upstream made anew, and the caller has: it need not go out again. */
static void a_version_is_what_is_sent(void **state)
{
    struct exchange x;
    char etag[32], lines[160];
    (void)state;
    get_told(&x, "/r", "", RIG_ANSWER("a"));
    snprintf(etag, sizeof etag, "%s", line(&x, "ETag"));
    exchange_end(&x);
    snprintf(lines, sizeof lines, "Cache-Control: no-cache\nIf-None-Match: %s\n", etag);
    get(&x, "/r", lines);
    answer(RIG_ANSWER("a"));
    exchange_expect(&x, 304, "");
    exchange_end(&x);
    get_told(&x, "/r", lines, RIG_ANSWER("b"));
    assert_string_not_equal(line(&x, "ETag"), etag);
    exchange_end(&x);
}

/* An answer with a string of that length, whose last byte is that. */
static char *long_document(size_t len, char last)
{
    static const char before[] = "<methodResponse><params><param><value>",
                      behind[] = "</value></param></params></methodResponse>";
    char *text = xcalloc(1, sizeof before + len + sizeof behind);
    strcpy(text, before);
    memset(text + strlen(text), 'x', len - 1);
    text[strlen(text)] = last;
    return strcat(text, behind);
}

/* Of several blocks each counts; of what would take too long to hash there is no version. */
static void only_the_longest_has_no_version(void **state)
{
    const size_t most = KEPT_LEN_MAX + KEPT_LEN_MAX / 2 - strlen("{\"result\":\"\"}");
    static const char lasts[] = { 'a', 'b', 'c' };
    char etags[3][32];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lasts); i++) {
        struct exchange x;
        char *document = long_document(lasts[i] == 'c' ? most + 1 : most, lasts[i]);
        get_told(&x, "/r", "", document);
        snprintf(etags[i], sizeof etags[i], "%s", line(&x, "ETag"));
        assert_true(exchange_has(&x, CONTROL));
        expect_line(&x, "Cache-Status", "rpcgate; fwd=miss");
        exchange_end(&x);
        free(document);
    }
    assert_int_equal(strlen(etags[0]), 18);
    assert_string_not_equal(etags[0], etags[1]);
    assert_string_equal(etags[2], "");
}

/* ---- What took its time --------------------------------------------------------------------- */

static void times_are_told_where_it_is_wished(void **state)
{
    static const struct {
        int64_t more_us;
        const char *total;
    } cases[] = { { 0, "10" }, { 1500, "11.5" }, { 50, "10.05" }, { 7, "10.007" } };
    (void)state;
    front_rig_close(&rig);
    front_rig_open(&rig, "server_timing = true;\n" SETTINGS);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct exchange x;
        char expected[96];
        get(&x, "/plain", "");
        x.request->began_us -= cases[i].more_us;
        fake_clock_add_ms(10);
        answer(RIG_ANSWER("a"));
        snprintf(expected, sizeof expected, "queue;dur=0, upstream;dur=10, total;dur=%s",
                 cases[i].total);
        expect_line(&x, "Server-Timing", expected);
        exchange_end(&x);
    }
    struct exchange x;
    get(&x, "/livez", "");
    expect_line(&x, "Server-Timing", "total;dur=0");
    exchange_end(&x);
}

static void else_they_are_not(void **state)
{
    struct exchange x;
    (void)state;
    get_told(&x, "/plain", "", RIG_ANSWER("a"));
    expect_line(&x, "Server-Timing", "");
    exchange_end(&x);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_way_has_its_lines),
        TEST(what_a_caller_wishes_is_told),
        TEST(equal_requests_are_one),
        TEST(only_a_route_of_get_may_be_kept),
        TEST(a_failure_may_not),
        TEST(who_has_it_gets_no_body),
        TEST(a_version_is_what_is_sent),
        TEST(only_the_longest_has_no_version),
        TEST(times_are_told_where_it_is_wished),
        TEST(else_they_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
