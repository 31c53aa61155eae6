/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/cookie_date.h"
#include "rules/cookies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define URL "http://api.example:8080/rpc/RPC2?x=/y"
#define TLS "https://api.example/rpc/RPC2"
#define NOW_S ((int64_t)1445412480) /* Wed, 21 Oct 2015 07:28:00 GMT */

static void take(struct cookies *c, const char *url, const char *value, int64_t now_ms)
{
    char room[256];
    struct cookie_place place;
    assert_true(cookie_place_of(url, room, sizeof room, &place));
    cookies_take(c, &place, str_of(value), now_ms, NOW_S + now_ms / 1000);
}

static void assert_sent(struct cookies *c, const char *url, int64_t now_ms, const char *expected,
                        const char *what)
{
    char room[256];
    struct cookie_place place;
    struct buf to;
    assert_true(cookie_place_of(url, room, sizeof room, &place));
    buf_init(&to, (size_t)64 * 1024, NULL);
    cookies_write(c, &place, now_ms, &to);
    if (strcmp(buf_c(&to), expected) != 0)
        fail_msg("%s: '%s', not '%s'", what, buf_c(&to), expected);
    buf_done(&to);
}

/* One Set-Cookie, and what goes with a request then. */
static const struct {
    const char *from, *value, *to, *sent;
} ones[] = {
    { URL, "a=1", URL, "a=1" },
    { URL, " a = 1 ; Path=/", URL, "a=1" },
    { URL, "a=", URL, "a=" },
    { URL, "a=b=c", URL, "a=b=c" },
    { URL, "a=\"1 2\"; HttpOnly; SameSite=Lax", URL, "a=\"1 2\"" },
    { URL, "=1", URL, "" },
    { URL, "a", URL, "" },
    { URL, "", URL, "" },
    { URL, "a=1\x01", URL, "" },
    /* Hosts. */
    { URL, "a=1", "http://API.example/rpc/x", "a=1" },
    { URL, "a=1", "http://www.api.example/rpc/x", "" },
    { URL, "a=1", "http://other.example/rpc/x", "" },
    { URL, "a=1; Domain=api.example", "http://www.api.example/rpc/x", "a=1" },
    { "http://www.api.example/rpc/x", "a=1; domain=.API.example", URL, "a=1" },
    { URL, "a=1; Domain=example", URL, "" },
    { URL, "a=1; Domain=other.example", URL, "" },
    { URL, "a=1; Domain=i.example", URL, "" },
    { URL, "a=1; Domain=www.api.example", URL, "" },
    { URL, "a=1; Domain=", URL, "a=1" },
    { "http://10.0.0.1/", "a=1; Domain=0.0.1", "http://10.0.0.1/", "" },
    { "http://10.0.0.1/", "a=1; Domain=10.0.0.1", "http://10.0.0.1:81/", "a=1" },
    { "http://[fd00::1]:80/", "a=1", "http://[fd00::1]/", "a=1" },
    { "http://localhost/RPC2", "a=1; Domain=localhost", "http://localhost/", "a=1" },
    { "http://localhost/RPC2", "a=1; Domain=localhost", "http://localhost/RPC2", "a=1" },
    /* Paths. */
    { URL, "a=1", "http://api.example/rpc", "a=1" },
    { URL, "a=1", "http://api.example/rpc/other", "a=1" },
    { URL, "a=1", "http://api.example/rpcs", "" },
    { URL, "a=1", "http://api.example/", "" },
    { URL, "a=1; Path=/rpc/RPC2", "http://api.example/rpc/RPC2?q", "a=1" },
    { URL, "a=1; Path=/rpc/", "http://api.example/rpc", "" },
    { URL, "a=1; Path=nothing", "http://api.example/rpc/x", "a=1" },
    { URL, "a=1; Path=/other", "http://api.example/other/x", "a=1" },
    { "http://api.example/RPC2", "a=1", "http://api.example/x", "a=1" },
    /* Safety. */
    { TLS, "a=1; Secure", TLS, "a=1" },
    { TLS, "a=1; Secure", URL, "" },
    { TLS, "a=1", URL, "a=1" },
    { URL, "a=1; Secure", TLS, "" },
    { "http://127.0.0.1:81/RPC2", "a=1; secure", "http://127.0.0.1/RPC2", "a=1" },
    { "http://localhost/RPC2", "a=1; secure", "http://localhost/RPC2", "a=1" },
    { TLS, "__Secure-a=1", TLS, "" },
    { TLS, "__Secure-a=1; Secure", TLS, "__Secure-a=1" },
    { TLS, "__Host-a=1; Secure; Path=/", TLS, "__Host-a=1" },
    { TLS, "__Host-a=1; Secure", TLS, "" },
    { TLS, "__Host-a=1; Secure; Path=/; Domain=api.example", TLS, "" },
    /* Times. */
    { URL, "a=1; Max-Age=1", URL, "a=1" },
    { URL, "a=1; Max-Age=0", URL, "" },
    { URL, "a=1; Max-Age=-99999999999999999999", URL, "" },
    { URL, "a=1; Max-Age=99999999999999999999", URL, "a=1" },
    { URL, "a=1; Max-Age=x", URL, "a=1" },
    { URL, "a=1; Expires=Wed, 21 Oct 2015 07:28:01 GMT", URL, "a=1" },
    { URL, "a=1; Expires=Wed, 21-Oct-15 07:28:01 GMT", URL, "a=1" },
    { URL, "a=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT", URL, "" },
    { URL, "a=1; Expires=Thu, 01-Jan-1970 00:00:00 GMT", URL, "" },
    { URL, "a=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT", URL, "a=1" },
    { URL, "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=5", URL, "a=1" },
    { URL, "a=1; Expires=never", URL, "a=1" },
};

static void test_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ones); i++) {
        struct cookies c = { .n = 0 };
        take(&c, ones[i].from, ones[i].value, 0);
        assert_sent(&c, ones[i].to, 0, ones[i].sent, ones[i].value);
        cookies_clear(&c);
    }
}

static void test_change_and_end(void **state)
{
    struct cookies c = { .n = 0 };
    (void)state;
    take(&c, URL, "a=1; Path=/", 0);
    take(&c, URL, "b=1; Path=/rpc", 0);
    take(&c, URL, "c=1; Path=/", 0);
    assert_sent(&c, URL, 0, "b=1; a=1; c=1", "longer paths first");
    take(&c, URL, "a=2; Path=/; Max-Age=10", 0);
    take(&c, URL, "c=; Path=/other; Max-Age=0", 0);
    assert_sent(&c, URL, 9999, "b=1; a=2; c=1", "changed");
    assert_sent(&c, URL, 10000, "b=1; c=1", "its time is over");
    take(&c, URL, "c=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 10000);
    assert_sent(&c, URL, 10000, "b=1", "deleted");
    take(&c, URL, "b=; Path=/rpc; Max-Age=0", 10000);
    assert_sent(&c, URL, 10000, "", "none is left");
    assert_int_equal(c.n, 0);
    cookies_clear(&c);
}

static void test_bounds(void **state)
{
    struct cookies c = { .n = 0 };
    char value[5000], expected[5000];
    (void)state;
    take(&c, URL, "first=1", 0);
    for (int i = 0; i < 1000; i++) {
        snprintf(value, sizeof value, "n%d=%d", i, i);
        take(&c, URL, value, 1000 + i);
        take(&c, URL, "first=2", 1000 + i);
        assert_true(c.n <= COOKIES_MAX);
    }
    assert_int_equal(c.n, COOKIES_MAX);
    /* What is set anew stays; and a deletion makes room for one more. */
    take(&c, URL, "n999=; Max-Age=0", 3000);
    take(&c, URL, "last=1", 3000);
    assert_int_equal(c.n, COOKIES_MAX);
    size_t len = (size_t)snprintf(expected, sizeof expected, "first=2");
    for (int i = 1000 - ((int)COOKIES_MAX - 1); i < 999; i++)
        len += (size_t)snprintf(expected + len, sizeof expected - len, "; n%d=%d", i, i);
    snprintf(expected + len, sizeof expected - len, "; last=1");
    assert_sent(&c, URL, 3000, expected, "the newest");
    cookies_clear(&c);

    /* With its domain and path: 11 + 4 bytes. */
    for (size_t size = COOKIE_BYTES_MAX - 15 - 1; size <= COOKIE_BYTES_MAX - 15 + 1; size++) {
        memset(value, 'v', size);
        memcpy(value, "a=", 2);
        value[size + 1] = '\0';
        value[size] = 'v';
        take(&c, URL, value, 0);
        assert_int_equal(c.n, size <= COOKIE_BYTES_MAX - 15);
        cookies_clear(&c);
    }
}

static void test_line_is_bounded(void **state)
{
    struct cookies c = { .n = 0 };
    struct cookie_place place;
    struct buf to;
    char value[4000], room[256];
    (void)state;
    memset(value, 'v', sizeof value);
    value[sizeof value - 1] = '\0';
    for (char name = 'a'; name < 'f'; name++) {
        value[0] = name;
        value[1] = '=';
        take(&c, URL, value, name);
    }
    assert_true(cookie_place_of(URL, room, sizeof room, &place));
    buf_init(&to, (size_t)64 * 1024, NULL);
    cookies_write(&c, &place, 200, &to);
    assert_int_equal(to.len, 2 * (sizeof value - 1) + 2);
    buf_done(&to);
    cookies_clear(&c);
}

static const struct {
    const char *text;
    int64_t seconds; /* -1: it is no date */
} dates[] = {
    { "Wed, 21 Oct 2015 07:28:00 GMT", NOW_S },
    { "Wednesday, 21-Oct-15 07:28:00 GMT", NOW_S },
    { "Wed Oct 21 07:28:00 2015", NOW_S },
    { "21 october 2015 7:28:0", NOW_S },
    { "2015 Oct 21 07:28:00", NOW_S },
    { "07:28:00 21 Oct 2015", NOW_S },
    { "21 Oct 69 07:28:00", 3149566080 },
    { "21 Oct 70 07:28:00", 25342080 },
    { "31 Feb 2015 07:28:00", -1 },
    { "29 Feb 2016 24:00:00", -1 },
    { "21 Oct 2015", -1 },
    { "21 Oct 1600 07:28:00", -1 },
    { "0", -1 },
    { "", -1 },
};

static void test_dates(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
        int64_t seconds = -1;
        bool good = cookie_date_read(str_of(dates[i].text), &seconds);
        if (good != (dates[i].seconds >= 0) || (good && seconds != dates[i].seconds))
            fail_msg("%s: %d, %lld", dates[i].text, good, (long long)seconds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),    cmocka_unit_test(test_change_and_end),
        cmocka_unit_test(test_bounds), cmocka_unit_test(test_line_is_bounded),
        cmocka_unit_test(test_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
