/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/media.h"

#include "base/clock.h"
#include "head_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* NULL: accepted; else a part of the refusal's detail. */
static const struct {
    const char *lines, *refusal;
} types[] = {
    { "Content-Type: application/json\n", NULL },
    { "content-type:  Application/JSON \n", NULL },
    { "Content-Type: application/json;charset=utf-8\n", NULL },
    { "Content-Type: application/json ; Charset=\"UTF-8\"\n", NULL },
    { "Content-Type: application/json; x=\"a;charset=latin1\\\"\"; charset=utf-8\n", NULL },
    { "Content-Type: application/json;\n", NULL },
    { "Content-Type: application/json;;x=y;\n", NULL },
    { "Content-Type: application/vnd.api+json\n", NULL },
    { "Content-Type: application/problem+JSON; charset=utf-8\n", NULL },
    { "Content-Type: application/JSON-RPC; charset=utf-8\n", NULL },
    { "Content-Type: application/json-rpcx\n", "must be JSON" },
    { "", "no Content-Type" },
    { "Content-Type:\n", "must be JSON" },
    { "Content-Type: application/x-www-form-urlencoded\n",
      "\"application/x-www-form-urlencoded\"" },
    { "Content-Type: text/json\n", "must be JSON" },
    { "Content-Type: text/plain\n", "must be JSON" },
    { "Content-Type: application/jsonx\n", "must be JSON" },
    { "Content-Type: application/+json\n", "must be JSON" },
    { "Content-Type: application/xml\n", "must be JSON" },
    { "Content-Type: text/x+json\n", "must be JSON" },
    { "Content-Type: application\n", "must be JSON" },
    { "Content-Type: application/\n", "must be JSON" },
    { "Content-Type: */*\n", "must be JSON" },
    { "Content-Type: application /json\n", "must be JSON" },
    { "Content-Type: application/json, text/plain\n", "parameter that cannot be read" },
    { "Content-Type: application/json text/plain\n", "parameter that cannot be read" },
    { "Content-Type: application/json; charset\n", NULL },
    { "Content-Type: application/json; charset =utf-8\n", NULL },
    { "Content-Type: application/json; charset = \"utf-8\" ;x\n", NULL },
    { "Content-Type: application/json; charset =latin1\n", "charset is \"latin1\"" },
    { "Content-Type: application/json; charset=\n", NULL },
    { "Content-Type: application/json; profile=http://a.example/b?c; charset=utf8\n", NULL },
    { "Content-Type: application/json; profile=http://a;charset=utf-16\n", "\"utf-16\"" },
    { "Content-Type: application/json; a=b c; charset=utf-8\n", "cannot be read" },
    { "Content-Type: application/json; a=b, text/plain\n", "cannot be read" },
    { "Content-Type: application/json; a=b\"c\n", "cannot be read" },
    { "Content-Type: application/json; charset=utf-8, text/plain\n", "cannot be read" },
    { "Content-Type: application/json; =utf-8\n", "cannot be read" },
    { "Content-Type: application/json; a b\n", "cannot be read" },
    { "Content-Type: application/json; charset=\"utf-8\n", "parameter that cannot be read" },
    { "Content-Type: application/json; charset=\"utf-8\\\n", "parameter that cannot be read" },
    { "Content-Type: application/json; charset=\"utf-8\"x\n", "parameter that cannot be read" },
    { "Content-Type: application/json; charset=latin1\n", "charset is \"latin1\"" },
    { "Content-Type: application/json; charset=utf8\n", NULL },
    { "Content-Type: application/json; charset=\"UTF8\"\n", NULL },
    { "Content-Type: application/json; charset=us-ascii\n", NULL },
    { "Content-Type: application/json; charset=\"US-ASCII\"\n", NULL },
    { "Content-Type: application/json; charset=ANSI_X3.4-1968\n", NULL },
    { "Content-Type: application/json; charset=\"\"\n", NULL },
    { "Content-Type: application/json; charset=utf8; charset=latin1\n", "charset is \"latin1\"" },
    { "Content-Type: application/json; charset=utf-7\n", "charset is \"utf-7\"" },
    { "Content-Type: application/json; charset=utf-16\n", "charset is \"utf-16\"" },
    { "Content-Type: application/json; charset=utf-8x\n", "charset is \"utf-8x\"" },
    { "Content-Type: application/json; charset=\"utf 8\"\n", "charset is \"utf 8\"" },
    { "Content-Type: application/json; charset=utf-8; charset=utf-16\n", "charset is \"utf-16\"" },
    { "Content-Type: application/json\nContent-Type: application/json\n", "2 Content-Type" },
    { "Content-Type: application/json\nContent-Encoding: gzip\n", "Content-Encoding" },
    { "Content-Type: application/json\ncontent-encoding: Identity\n", NULL },
    { "Content-Type: application/json\nContent-Encoding:\n", NULL },
    { "Content-Type: application/json\nContent-Encoding: identity, gzip\n", "Content-Encoding" },
    { "Content-Type: application/json\nContent-Encoding: identity\nContent-Encoding: br\n",
      "Content-Encoding" },
};

static void takes_json_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct head_text t;
        struct error err;
        head_text_init(&t, types[i].lines);
        bool ok = media_check(&t.head, STR("json-rpc"), &err);
        if (ok != (types[i].refusal == NULL))
            fail_msg("%s: %s", types[i].lines, ok ? "accepted" : err.detail);
        if (ok)
            continue;
        if (strstr(err.detail, types[i].refusal) == NULL)
            fail_msg("%s: %s", types[i].lines, err.detail);
        assert_int_equal(err.type, PROBLEM_UNSUPPORTED_MEDIA_TYPE);
        assert_int_equal(err.status, 415);
        assert_non_null(strstr(err.detail, "--json"));
    }
}

static void takes_xml(void **state)
{
    static const struct {
        const char *lines;
        const char *refusal; /* NULL: accepted */
    } cases[] = {
        { "Content-Type: text/xml\n", NULL },
        { "Content-Type: Application/XML; charset=latin1\n", NULL },
        { "Content-Type: text/xml;charset=\n", NULL },
        { "Content-Type: text/xmlx\n", "must be XML" },
        { "Content-Type: application/rss+xml\n", "must be XML" },
        { "Content-Type: application/json\n", "must be XML" },
        { "Content-Type:\n", "must be XML" },
        { "", "no Content-Type" },
        { "Content-Type: text/xml\nContent-Type: text/xml\n", "2 Content-Type" },
        { "Content-Type: text/xml\nContent-Encoding: gzip\n", "Content-Encoding" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct head_text t;
        struct error err;
        head_text_init(&t, cases[i].lines);
        assert_true(media_check_xml(&t.head, &err) == (cases[i].refusal == NULL));
        if (cases[i].refusal == NULL)
            continue;
        assert_non_null(strstr(err.detail, cases[i].refusal));
        assert_non_null(strstr(err.detail, "`Content-Type: text/xml`"));
        assert_int_equal(err.status, 415);
    }
}

static void finds_charsets(void **state)
{
    static const struct {
        const char *value, *charset; /* NULL: none */
    } cases[] = {
        { "text/xml", NULL },
        { "", NULL },
        { "text", NULL },
        { "text/xml; charset=utf-8", "utf-8" },
        { " text/xml;CHARSET=\"ISO-8859-1\"", "ISO-8859-1" },
        { "text/xml; x=\"; charset=no\"; charset=yes", "yes" },
        { "text/xml; broken; charset=yes", "yes" },
        { "text/xml; =; charset=yes", "yes" },
        { "text/xml charset=no", NULL },
        { "text/xml; charset = yes", "yes" },
        { "text/xml; charset=yes, text/xml", "yes" },
        { "text/xml; charset=; charset=yes", "yes" },
        { "text/xml; charset", NULL },
        { "text/xml; charset=", NULL },
        { "text/xml; charset=\"no", NULL },
        { "text/xml;;;", NULL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str charset = media_charset(str_of(cases[i].value));
        if ((charset.data == NULL) != (cases[i].charset == NULL) ||
            !str_eq(charset, str_of(cases[i].charset)))
            fail_msg("%s: %.*s", cases[i].value, STR_ARGS(charset));
    }
}

#define ID64 "0123456789012345678901234567890123456789012345678901234567890123"

static void keeps_good_request_ids(void **state)
{
    static const struct {
        const char *lines, *id; /* NULL: a new one is needed */
    } cases[] = {
        { "", NULL },
        { "X-Request-Id:\n", NULL },
        { "X-Request-Id: a\n", "a" },
        { "x-request-id:  ~!\"=\\9 \n", "~!\"=\\9" },
        { "X-Request-Id: " ID64 "\n", ID64 },
        { "X-Request-Id: " ID64 "4\n", NULL },
        { "X-Request-Id: a b\n", NULL },
        { "X-Request-Id: a\tb\n", NULL },
        { "X-Request-Id: \xC3\xA9\n", NULL },
        { "X-Request-Id: a\x7F\n", NULL },
        { "X-Request-Id: a\nX-Request-Id: a\n", NULL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct head_text t;
        head_text_init(&t, cases[i].lines);
        struct str id = head_request_id(&t.head);
        if ((id.data == NULL) != (cases[i].id == NULL) || !str_eq(id, str_of(cases[i].id)))
            fail_msg("%s: %.*s", cases[i].lines, STR_ARGS(id));
    }
}

static void reads_timeouts(void **state)
{
    static const struct {
        const char *lines;
        int64_t ms; /* 0: refused */
    } cases[] = {
        { "", CLOCK_NEVER },
        { "X-Rpcgate-Timeout: 1500ms\n", 1500 },
        { "x-rpcgate-timeout:  2s \n", 2000 },
        { "X-Rpcgate-Timeout: 1m\n", 60000 },
        { "X-Rpcgate-Timeout: 1h\n", 3600000 },
        { "X-Rpcgate-Timeout: 0001ms\n", 1 },
        { "X-Rpcgate-Timeout: 4611686018427387903ms\n", INT64_MAX / 2 },
        { "X-Rpcgate-Timeout: 4611686018427387904ms\n", 0 },
        { "X-Rpcgate-Timeout: 4611686018427387903s\n", 0 },
        { "X-Rpcgate-Timeout: 99999999999999999999999s\n", 0 },
        { "X-Rpcgate-Timeout:\n", 0 },
        { "X-Rpcgate-Timeout: 0ms\n", 0 },
        { "X-Rpcgate-Timeout: 0s\n", 0 },
        { "X-Rpcgate-Timeout: -1s\n", 0 },
        { "X-Rpcgate-Timeout: +1s\n", 0 },
        { "X-Rpcgate-Timeout: 1.5s\n", 0 },
        { "X-Rpcgate-Timeout: 1 s\n", 0 },
        { "X-Rpcgate-Timeout: 1\n", 0 },
        { "X-Rpcgate-Timeout: s\n", 0 },
        { "X-Rpcgate-Timeout: 1S\n", 0 },
        { "X-Rpcgate-Timeout: 1us\n", 0 },
        { "X-Rpcgate-Timeout: 1ms, 2ms\n", 0 },
        { "X-Rpcgate-Timeout: 1s\nX-Rpcgate-Timeout: 1s\n", 0 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct head_text t;
        struct error err;
        int64_t ms = 0;
        head_text_init(&t, cases[i].lines);
        bool ok = head_timeout(&t.head, &ms, &err);
        if (ok != (cases[i].ms != 0) || ms != cases[i].ms)
            fail_msg("%s: %lld", cases[i].lines, (long long)ms);
        if (ok)
            continue;
        assert_int_equal(err.type, PROBLEM_INVALID_REQUEST);
        assert_non_null(strstr(err.detail, "X-Rpcgate-Timeout"));
    }
}

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

static void knows_valid_traceparents(void **state)
{
    static const struct {
        const char *value;
        bool valid;
    } cases[] = {
        { "00-" TRACE "-" PARENT "-01", true },
        { "00-" TRACE "-" PARENT "-00", true },
        { "cc-" TRACE "-" PARENT "-01", true },
        { "cc-" TRACE "-" PARENT "-01-more", true },
        { "cc-" TRACE "-" PARENT "-01more", false },
        { "00-" TRACE "-" PARENT "-01-more", false },
        { "ff-" TRACE "-" PARENT "-01", false },
        { "0-" TRACE "-" PARENT "-01", false },
        { "00-" TRACE "-" PARENT "-1", false },
        { "00-" TRACE "-" PARENT, false },
        { "00-" TRACE "_" PARENT "-01", false },
        { "00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01", false },
        { "00-00000000000000000000000000000000-" PARENT "-01", false },
        { "00-" TRACE "-0000000000000000-01", false },
        { "00-" TRACE "-" PARENT "-0g", false },
        { "", false },
    };
    struct head_text t;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char line[200];
        snprintf(line, sizeof line, "Traceparent: %s\n", cases[i].value);
        head_text_init(&t, line);
        struct str got = head_traceparent(&t.head);
        if ((got.data != NULL) != cases[i].valid)
            fail_msg("%s", cases[i].value);
        if (cases[i].valid)
            assert_true(str_eq_c(got, cases[i].value));
    }
    head_text_init(&t, "");
    assert_null(head_traceparent(&t.head).data);
    head_text_add(&t, "traceparent: 00-" TRACE "-" PARENT "-01\n");
    assert_non_null(head_traceparent(&t.head).data);
    head_text_add(&t, "traceparent: 00-" TRACE "-" PARENT "-01\n");
    assert_null(head_traceparent(&t.head).data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_json_only), cmocka_unit_test(takes_xml),
        cmocka_unit_test(finds_charsets),  cmocka_unit_test(keeps_good_request_ids),
        cmocka_unit_test(reads_timeouts),  cmocka_unit_test(knows_valid_traceparents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
