/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/framing.h"

#include "head_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct framing_limits limits = { .head_bytes = 1000, .header_count = 20 };

#define HOST "Host: localhost:8080\n"

/* NULL: accepted; else a part of the refusal's detail. */
static const struct {
    const char *lines, *refusal;
} cases[] = {
    { HOST, NULL },
    { "host: [::1]:80\n", NULL },
    { "Host:\n", NULL }, /* no name at all is judged by rules/origin */
    { "Host: under_score.example.\n", NULL },
    { "Host: a:\n", NULL },
    { "", "0 Host" },
    { HOST HOST, "2 Host" },
    { HOST "host: other\n", "2 Host" },
    { "Host: a b\n", "Host header is not" },
    { "Host: a/b\n", "Host header is not" },
    { "Host: u@a\n", "Host header is not" },
    { "Host: a:b\n", "Host header is not" },
    { "Host: a:80:80\n", "Host header is not" },
    { "Host: a:65536\n", "Host header is not" },
    { "Host: a:-1\n", "Host header is not" },
    { "Host: ::1\n", "Host header is not" },
    { "Host: [::1\n", "Host header is not" },
    { "Host: [::1]x\n", "Host header is not" },
    { "Host: [localhost]\n", "Host header is not" },
    { "Host: [127.0.0.1]\n", "Host header is not" },
    { "Host: a\xC3\xA9\n", "Host header is not" },
    { "Host: [fe80::1%25eth0]:80\n", NULL },
    { "Host: [fe80::1%eth0.1]\n", NULL },
    { "Host: [fe80::1%]\n", "Host header is not" },
    { "Host: [fe80::1%25]\n", "Host header is not" },
    { "Host: [fe80::1%e/x]\n", "Host header is not" },
    { "Host: [localhost%eth0]\n", "Host header is not" },

    { HOST "Content-Length: 5\n", NULL },
    { HOST "Content-Length:  0005\t\n", NULL },
    { HOST "Content-Length: 9223372036854775807\n", NULL },
    { HOST "Content-Length: 9223372036854775808\n", "not a number" },
    { HOST "Content-Length: 18446744073709551617\n", "not a number" },
    { HOST "Content-Length: \n", "not a number" },
    { HOST "Content-Length: +5\n", "not a number" },
    { HOST "Content-Length: -5\n", "not a number" },
    { HOST "Content-Length: 0x5\n", "not a number" },
    { HOST "Content-Length: 5, 5\n", "not a number" },
    { HOST "Content-Length: 5 5\n", "not a number" },
    { HOST "Content-Length: 5\ncontent-length: 5\n", "2 Content-Length" },
    { HOST "Content-Length: 5\nContent-Length: 6\n", "2 Content-Length" },

    { HOST "Transfer-Encoding: chunked\n", NULL },
    { HOST "transfer-encoding:  CHUNKED\n", NULL },
    { HOST "Transfer-Encoding: chunked \n", "not `chunked` alone" },
    { HOST "Transfer-Encoding: chunked\nContent-Length: 5\n", "Content-Length and" },
    { HOST "Content-Length: 0\nTransfer-Encoding: chunked\n", "Content-Length and" },
    { HOST "Transfer-Encoding: gzip\n", "not `chunked` alone" },
    { HOST "Transfer-Encoding: identity\n", "not `chunked` alone" },
    { HOST "Transfer-Encoding: gzip, chunked\n", "not `chunked` alone" },
    { HOST "Transfer-Encoding: chunked, chunked\n", "not `chunked` alone" },
    { HOST "Transfer-Encoding: chunked;x=1\n", "not `chunked` alone" },
    { HOST "Transfer-Encoding: chunke\n", "not `chunked` alone" },
    { HOST "Transfer-Encoding: \n", "not `chunked` alone" },
    { HOST "Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n", "not `chunked` alone" },

    { HOST "X!#$%&'*+-.^_`|~09azAZ: v\n", NULL },
    { HOST "X : v\n", "header 2 is not a token" },
    { HOST " X: v\n", "header 2 is not a token" },
    { HOST ": v\n", "header 2 is not a token" },
    { HOST "X(y): v\n", "header 2 is not a token" },
    { HOST "X\xC3\xA9: v\n", "header 2 is not a token" },
    { HOST "X\ty: v\n", "header 2 is not a token" },
    { HOST "Transfer-Encoding : chunked\n", "header 2 is not a token" },
    { HOST "X: a\tb \xC3\xA9 \xFF\n", NULL },
    { HOST "X:\n", NULL },
    { HOST "X: a\rb\n", "\"X\" holds a control character" },
    { HOST "X: a\x01\n", "\"X\" holds a control character" },
    { HOST "X: a\x7F\n", "\"X\" holds a control character" },
    { HOST "X: \x1B[0m\n", "\"X\" holds a control character" },
    { HOST "Transfer-Encoding: \x0B"
           "chunked\n",
      "control character" },

    { HOST "Expect: 100-Continue\n", NULL },
    { HOST "Expect: 200-ok\n", "Expect" },
    { HOST "Expect: \n", NULL },
    { HOST "Expect: 100-continue, 100-CONTINUE,,\n", NULL },
    { HOST "Expect: 100-continue, x=y\n", "Expect" },
    { HOST "Expect: 100-continue\nExpect: x\n", "Expect" },
};

static void check(const struct request_head *head, const char *refusal, const char *name)
{
    struct error err;
    bool ok = framing_check(head, &limits, &err);
    if (ok != (refusal == NULL))
        fail_msg("%s: %s", name, ok ? "accepted" : err.detail);
    if (ok)
        return;
    if (strstr(err.detail, refusal) == NULL)
        fail_msg("%s: %s", name, err.detail);
    assert_int_equal(err.type, PROBLEM_INVALID_REQUEST);
    assert_int_equal(err.status, 400);
    assert_int_equal(err.executed, EXECUTED_NO);
}

static void refuses_what_can_be_read_in_two_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct head_text t;
        head_text_init(&t, cases[i].lines);
        check(&t.head, cases[i].refusal, cases[i].lines);
    }
}

/* The two forms of the target with an authority, and what they are for. */
static void takes_a_host_from_the_target(void **state)
{
    static const struct {
        const char *target, *path, *authority; /* NULL: there is none */
        const char *refusal;
    } targets[] = {
        { "/v1/a", "/v1/a", NULL, NULL },
        { "http://a/v1/b", "/v1/b", "a", NULL },
        { "HTTP://A.example.:80/v1//b", "/v1//b", "A.example.:80", NULL },
        { "https://[::1]:8080/", "/", "[::1]:8080", NULL },
        { "http://a", "/", "a", NULL },
        { "http://", "/", "", "no host" },
        { "http:///v1", "/v1", "", "no host" },
        { "http://:80/v1", "/v1", ":80", "no host" },
        { "http://u@a/v1", "/v1", "u@a", "no host" },
        { "http://u:p@a/v1", "/v1", "u:p@a", "no host" },
        { "http://a b/v1", "/v1", "a b", "no host" },
        { "http://a\\b/v1", "/v1", "a\\b", "no host" },
        { "http://a:b/v1", "/v1", "a:b", "no host" },
        { "http://[::1/v1", "/v1", "[::1", "no host" },
        { "http:/a", "http:/a", NULL, NULL }, /* for rules/path to refuse */
        { "ftp://a/b", "ftp://a/b", NULL, NULL },
        { "*", "*", NULL, NULL },
        { "", "", NULL, NULL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        struct head_text t;
        head_text_init(&t, HOST);
        t.head.path = str_of(targets[i].target);
        head_split_target(&t.head);
        if (!str_eq_c(t.head.path, targets[i].path))
            fail_msg("%s: %.*s", targets[i].target, STR_ARGS(t.head.path));
        assert_int_equal(t.head.authority.data == NULL, targets[i].authority == NULL);
        if (targets[i].authority != NULL)
            assert_true(str_eq_c(t.head.authority, targets[i].authority));
        assert_true(str_eq_c(head_host(&t.head), targets[i].authority != NULL ? targets[i].authority
                                                                              : "localhost:8080"));
        check(&t.head, targets[i].refusal, targets[i].target);
    }
}

static void takes_any_host_on_unix_sockets(void **state)
{
    static const struct {
        const char *lines, *target, *refusal;
    } unix_cases[] = {
        { "Host: /run/rpcgate/rpcgate.sock\n", "/", NULL },
        { "Host: a b@c:d\n", "/", NULL },
        { "Host:\n", "/", NULL },
        { "Host: \xC3\xA4\n", "/", NULL },
        { "", "/", "0 Host" },
        { "Host: a\nHost: b\n", "/", "2 Host" },
        { "Host: a\x01\n", "/", "control character" },
        { "Host: a/b\n", "http://%2Frun%2Fx.sock/", NULL },
        { "Host: a/b\n", "http:///", "no host" },
        { "Host: a/b\n", "http://u@a/", "no host" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(unix_cases); i++) {
        struct head_text t;
        head_text_init(&t, unix_cases[i].lines);
        t.head.path = str_of(unix_cases[i].target);
        head_split_target(&t.head);
        t.head.local = (struct local_address){ .is_unix = true };
        check(&t.head, unix_cases[i].refusal, unix_cases[i].lines);
    }
}

static void reads_http_1_0(void **state)
{
    static const struct {
        const char *lines, *refusal;
    } old[] = {
        { "", NULL },
        { HOST, NULL },
        { HOST HOST, "2 Host" },
        { "Content-Length: 5\n", NULL },
        { "Transfer-Encoding: chunked\n", "HTTP/1.0 has no" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(old); i++) {
        struct head_text t;
        head_text_init(&t, old[i].lines);
        t.head.http_1_0 = true;
        check(&t.head, old[i].refusal, old[i].lines);
    }
}

static void refuses_odd_layouts_and_methods(void **state)
{
    static const char *const methods[] = { "", "PO ST", "P\xC3\xA9", "GET\x01", "G(T" };
    struct head_text t;
    (void)state;
    head_text_init(&t, HOST);
    t.head.malformed = true;
    check(&t.head, "folded line", "malformed");
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        head_text_init(&t, HOST);
        t.head.method = str_of(methods[i]);
        check(&t.head, "method is not a token", methods[i]);
    }
    head_text_init(&t, HOST "X: a\n");
    t.headers[1].value = STR("a\0b");
    check(&t.head, "control character", "NUL in a value");
    t.headers[1].name = STR("X\0");
    check(&t.head, "not a token", "NUL in a name");
}

static void keeps_limits(void **state)
{
    struct head_text t;
    struct error err;
    (void)state;
    head_text_init(&t, HOST);
    for (int i = 0; i < 19; i++)
        head_text_add(&t, "X: a\n");
    t.head.head_bytes = limits.head_bytes;
    assert_true(framing_check(&t.head, &limits, &err));
    head_text_add(&t, "X: a\n");
    assert_false(framing_check(&t.head, &limits, &err));
    assert_int_equal(err.type, PROBLEM_INVALID_REQUEST);
    assert_string_equal(err.setting, "limits.header_count");
    assert_non_null(strstr(err.detail, "limits.header_count allows 20"));
    t.head.n_headers = 20;
    t.head.head_bytes++;
    assert_false(framing_check(&t.head, &limits, &err));
    assert_string_equal(err.setting, "limits.headers");
    assert_non_null(strstr(err.detail, "1001 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_can_be_read_in_two_ways),
        cmocka_unit_test(takes_a_host_from_the_target),
        cmocka_unit_test(takes_any_host_on_unix_sockets),
        cmocka_unit_test(reads_http_1_0),
        cmocka_unit_test(refuses_odd_layouts_and_methods),
        cmocka_unit_test(keeps_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
