/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that are no answer, and documents that mean harm. */
#include "decode_rig.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define OPEN "<methodResponse><params><param>"
#define CLOSE "</param></params></methodResponse>"
#define GOOD "<?xml version='1.0'?>" OPEN "<value>a</value>" CLOSE

#define BYTES(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static const struct {
    struct str xml;
    const char *reason;
} refused[] = {
    { BYTES(""), "the document is empty" },
    { BYTES(" \n"), "line 2, column 1: the document is empty" },
    { BYTES("\xEF\xBB\xBF"), "line 1, column 2: the document is empty" },
    { BYTES("\xEF\xBB"), "line 1, column 1: " },
    { BYTES(" \xEF\xBB\xBF\n\n  nothing"), "line 3, column 3: it does not begin with \"<\"" },
    { BYTES(" \n<a/>"), "line 2, column " },
    { BYTES("\n" OPEN "\n<value a=''>&b;</value>" CLOSE), "line 3, column " },
    { BYTES("<?xml version='1.0'?>"), "the document ends before its first tag" },
    { BYTES("<?xml version='1.0'?><methodRes"), "the document ends before its first tag" },
    { BYTES("<methodResponse/"), "the document ends before its first tag" },
    { BYTES("<methodResponse>\n<params>\n"), "the document is cut off inside <params>" },
    { BYTES("<methodResponse><params><para"), "the document is cut off inside <params>" },
    { BYTES(OPEN "<value><i4>5</i4"), "the document is cut off inside <i4>" },
    { BYTES(OPEN "<value>&am"), "the document is cut off inside <value>" },
    { BYTES(OPEN "<!-- x"), "the document is cut off inside <param>" },
    { BYTES(OPEN "<value><![CDATA[x"), "the document is cut off inside <value>" },
    { BYTES("{\"result\": 1}"), "line 1, column 1: it does not begin with \"<\"" },
    { BYTES("OK"), "line 1, column 1: it does not begin with \"<\"" },
    { BYTES("Notice: x\n" GOOD), "line 1, column 1: it does not begin with \"<\"" },
    { BYTES("<br />\n<b>Warning</b>: x\n" GOOD), "is it an HTML page?" },
    { BYTES("<s:Envelope xmlns:s='x'/>"), "is it SOAP?" },
    { BYTES("<html><body>502</body></html>"), "is it an HTML page?" },
    { BYTES("<!DOCTYPE html>\n<html></html>"), "is it an HTML page?" },
    { BYTES("<!doctype HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\">\n<html>"), "HTML page?" },
    { BYTES("<!DOCTYPE methodResponse SYSTEM 'http://127.0.0.1:1/x.dtd'>" GOOD), "(DTD)" },
    { BYTES("<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>" OPEN
            "<value>&b;</value>" CLOSE),
      "(DTD)" },
    { BYTES("<!DOCTYPE x"), "line 1, column " },
    { BYTES(OPEN "<value>&a;</value>" CLOSE), "Entity 'a' not defined" },
    { BYTES(GOOD "x"), "more behind the end of the document" },
    { BYTES(GOOD "<a/>"), "more behind the end of the document" },
    { BYTES(GOOD "<a"), "more behind the end of the document" },
    { BYTES(GOOD GOOD), "line 1, column " },
    { BYTES(GOOD "\0"), "NUL" },
    { BYTES(OPEN "<value>a\0b</value>" CLOSE), "NUL" },
    { BYTES(OPEN "<value>a\x01</value>" CLOSE), "there is a U+0001" },
    { BYTES(OPEN "<value>&#0;</value>" CLOSE), "there is a U+0000" },
    { BYTES(OPEN "<value>&#xD800;</value>" CLOSE), "there is a U+D800" },
    { BYTES(OPEN "<value>\xFF</value>" CLOSE), "no character of XML in UTF-8" },
    { BYTES(OPEN "<value>a & b</value>" CLOSE), "bare \"&\"" },
    { BYTES(OPEN "<value>a < b</value>" CLOSE), "bare \"<\"" },
    { BYTES(OPEN "<value a=\"x>1</value>" CLOSE), "attributes" },
    { BYTES(OPEN "<int>1.5</int>" CLOSE), "\"1.5\" is no valid whole number" },
    { BYTES(OPEN "<double>1,5</double>" CLOSE), "\"1,5\" is no valid number" },
    { BYTES(OPEN "<struct><member><value/></member></struct>" CLOSE),
      "no <name> before its <value>" },
    { BYTES(OPEN "<value>\xED\xA0\x80</value>" CLOSE), "line 1, column " },
    { BYTES(OPEN "<value>\xC3</value>" CLOSE), "line 1, column " },
    { BYTES(OPEN "<value>\xEF\xBF\xBF</value>" CLOSE), "line 1, column " },
    { BYTES("<methodResponse/>"), "neither <params> nor <fault>" },
    { BYTES("<methodResponse><params/><fault/></methodResponse>"), "line 1, column " },
    { BYTES("<methodResponse><fault/></methodResponse>"), "<fault> has no <value>" },
    { BYTES("<methodResponse><fault><value>x</value></fault></methodResponse>"), "not a struct" },
    { BYTES("<methodResponse><fault><value><array/></value></fault></methodResponse>"),
      "not a struct" },
    { BYTES("<methodCall/>"), "neither <methodName> nor <params>" },
    { BYTES("<methodCall><methodName>a</methodName><methodName>b</methodName></methodCall>"),
      "one <methodName> too many" },
    { BYTES("<value>a</value>"), "the root is <value>" },
    { BYTES("<a b='1' b='2'/>"), "line 1, column " },
    { BYTES(OPEN "<value><string>a</value></string>" CLOSE), "mismatch" },
};

static void test_refused(void **state UNUSED)
{
    struct decode_options options = decode_rig_options();
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        decode_rig_refuse(&options, refused[i].xml, refused[i].reason);
}

/* A document that ends too early is never an answer. */
static void test_truncated(void **state UNUSED)
{
    struct decode_options options = decode_rig_options();
    struct decoder *d = decoder_new();
    struct str document = STR(OPEN "<value><array><data><value>a</value><value><struct><member>"
                                   "<name>n&amp;</name><value><!-- c --><![CDATA[x]]></value>"
                                   "</member></struct></value></data></array></value>" CLOSE);
    for (size_t n = 0; n <= document.len; n++) {
        struct decoded got = decode_rig_run(d, &options, str_slice(document, 0, n), 0);
        assert_int_equal(got.ok, n == document.len);
        if (!got.ok) {
            assert_int_equal(got.err.type, PROBLEM_BAD_RESPONSE);
            assert_true(strstr(got.err.detail, "the document is empty") ||
                        strstr(got.err.detail, "the document ends before") ||
                        strstr(got.err.detail, "the document is cut off inside <"));
        }
        decode_rig_done(&got);
    }
    decoder_free(d);
}

/* `n` times `text`, between `before` and `after`. */
static void repeat(struct buf *to, const char *before, const char *text, size_t n,
                   const char *after)
{
    buf_clear(to);
    buf_append_c(to, before);
    while (n-- > 0)
        buf_append_c(to, text);
    buf_append_c(to, after);
}

static void test_tags(void **state UNUSED)
{
    struct decode_options options = decode_rig_options();
    struct buf xml;
    buf_init(&xml, (size_t)1 << 24, NULL);
    repeat(&xml, OPEN "<value a='", "x", 1024, "'>a</value>" CLOSE);
    decode_rig_refuse(&options, buf_str(&xml), "a tag is longer than 1024 bytes");
    repeat(&xml, OPEN "<value a='", ">", 1024, "'>a</value>" CLOSE);
    decode_rig_refuse(&options, buf_str(&xml), "a tag is longer than 1024 bytes");
    repeat(&xml, OPEN "<value", " a='>'", 100000, ">a</value>" CLOSE);
    decode_rig_refuse(&options, buf_str(&xml), "a tag is longer than 1024 bytes");
    repeat(&xml, OPEN "<value", " ", 2000, ">a</value>" CLOSE);
    decode_rig_refuse(&options, buf_str(&xml), "a tag is longer than 1024 bytes");
    repeat(&xml, OPEN "<value>a</value", " ", 2000, ">" CLOSE);
    decode_rig_refuse(&options, buf_str(&xml), "a tag is longer than 1024 bytes");
    repeat(&xml, OPEN "<value a='", "<>", 0, "'>a</value>" CLOSE);
    decode_rig_expect(&options, buf_str(&xml), "[\"a\"]");
    repeat(&xml, OPEN "<value a='", ">", 900, "'>a</value>" CLOSE);
    decode_rig_expect(&options, buf_str(&xml), "[\"a\"]");
    buf_done(&xml);
}

/* From `&` to `;` at most 64 bytes, wherever a reference may stand, and however it is cut. */
static void test_references(void **state UNUSED)
{
    static const struct {
        const char *before, *text;
        size_t n;
        const char *after;
        bool good;
    } cases[] = {
        { "<value>&#", "0", 59, "65;</value>", true }, /* 64 bytes */
        { "<value>&#", "0", 60, "65;</value>", false },
        { "<value a='&#", "0", 59, "65;'>A</value>", true },
        { "<value a='&#", "0", 60, "65;'>A</value>", false },
        { "<value a='1'>&#", "0", 59, "65;</value>", true },
        { "<value a='1'>&#x", "0", 3000000, "41;</value>", false },
        { "<value>&", "a", 3000000, ";</value>", false },
        { "<value>AT&T ", "is <b>large</b> ", 200000, "</value>", false },
        { "<value>AT&T<![CDATA[", "x", 3000000, "]]></value>", false },
        { "<value>AT&T<!--", "x", 3000000, "--></value>", false },
        { "<value>AT&T<?x ", "x", 3000000, "?></value>", false },
        { "<value a='&", " ", 900, "'>A</value>", false },
        { "<value a='1' b='&", "&", 900, "'>A</value>", false },
        { "<!-- AT&T -->&", "x", 3000000, "<value>A</value>", false },
        { "<value>A<!-- &", "x", 3000, "--><?x &?></value>", true },
        { "<value><![CDATA[A]]><!-- & --></value>", "<!-- & -->", 100, "", true },
    };
    static const enum text_policy policies[] = { TEXT_REJECT, TEXT_REPLACE, TEXT_BASE64 };
    struct decoder *d = decoder_new();
    struct buf xml;
    buf_init(&xml, (size_t)1 << 24, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases) * ARRAY_LEN(policies); i++) {
        struct decode_options options = decode_rig_options();
        size_t at = i / ARRAY_LEN(policies);
        options.text = policies[i % ARRAY_LEN(policies)];
        buf_clear(&xml);
        buf_printf(&xml, OPEN "%s", cases[at].before);
        for (size_t n = cases[at].n; n > 0; n--)
            buf_append_c(&xml, cases[at].text);
        buf_printf(&xml, "%s" CLOSE, cases[at].after);
        for (size_t piece = 0; piece < 100; piece += piece < 20 ? 1 : 40) {
            if (xml.len > 10000 && piece != 0)
                break;
            struct decoded got = decode_rig_run(d, &options, buf_str(&xml), piece);
            assert_int_equal(got.ok, cases[at].good);
            if (!got.ok)
                assert_non_null(strstr(got.err.detail, "a bare \"&\""));
            else
                assert_string_equal(got.json, "[\"A\"]");
            decode_rig_done(&got);
        }
    }
    buf_done(&xml);
    decoder_free(d);
}

/* Long text, comments and CDATA are legal, whatever they hold. */
static void test_long_sections(void **state UNUSED)
{
    struct decode_options options = decode_rig_options();
    struct buf xml, json;
    buf_init(&xml, (size_t)1 << 24, NULL);
    buf_init(&json, (size_t)1 << 24, NULL);
    repeat(&xml, OPEN "<value>a<!--", "- <x a=' ->", 10000, "-->b</value>" CLOSE);
    decode_rig_expect(&options, buf_str(&xml), "[\"ab\"]");
    repeat(&xml, OPEN "<value>a<?p ", "?? <x a='", 10000, "?>b</value>" CLOSE);
    decode_rig_expect(&options, buf_str(&xml), "[\"ab\"]");
    repeat(&xml, OPEN "<value><![CDATA[", "]] ><x a=']\r\n]", 10000, "]]]></value>" CLOSE);
    repeat(&json, "[\"", "]] ><x a=']\\n]", 10000, "]\"]");
    decode_rig_expect(&options, buf_str(&xml), json.data);
    repeat(&xml, OPEN "<value>", "a > b = \"! ?' ", 10000, "</value>" CLOSE);
    repeat(&json, "[\"", "a > b = \\\"! ?' ", 10000, "\"]");
    decode_rig_expect(&options, buf_str(&xml), json.data);
    repeat(&xml, OPEN "<value><base64>", "QUJD\n", 50000, "</base64></value>" CLOSE);
    repeat(&json, "[\"", "QUJD", 50000, "\"]");
    decode_rig_expect(&options, buf_str(&xml), json.data);
    repeat(&xml, OPEN "<value><!--", "a", 20000, "--a--></value>" CLOSE);
    decode_rig_refuse(&options, buf_str(&xml), "line 1, column ");
    buf_done(&xml);
    buf_done(&json);
}

static void test_depth(void **state UNUSED)
{
    struct decode_options options = decode_rig_options();
    struct decoder *d = decoder_new();
    struct buf xml;
    options.depth = 3;
    decode_rig_expect(
        &options,
        STR("<params><param><array><value><array><data><value><struct/></value>"
            "</data></array></value><value><array/></value></array></param></params>"),
        "[[[{}],[]]]");
    options.depth = CODEC_DEPTH_MAX;
    buf_init(&xml, (size_t)1 << 24, NULL);
    repeat(&xml, OPEN, "<value><array><data>", 100000, "");
    struct decoded got = decode_rig_run(d, &options, buf_str(&xml), 0);
    assert_false(got.ok);
    assert_int_equal(got.err.type, PROBLEM_RESPONSE_TOO_LARGE);
    assert_string_equal(got.err.setting, "limits.depth");
    buf_done(&xml);
    decoder_free(d);
}

static void test_document_max(void **state UNUSED)
{
    struct decode_options options = decode_rig_options();
    struct decoder *d = decoder_new();
    struct str document = STR(GOOD);
    for (size_t piece = 0; piece < 20; piece++) {
        options.document_max = document.len;
        struct decoded got = decode_rig_run(d, &options, document, piece);
        assert_true(got.ok);
        decode_rig_done(&got);
        options.document_max = document.len - 1;
        got = decode_rig_run(d, &options, document, piece);
        assert_false(got.ok);
        assert_int_equal(got.err.type, PROBLEM_RESPONSE_TOO_LARGE);
        assert_string_equal(got.err.setting, "limits.response");
    }
    decoder_free(d);
}

/* The budget bounds the output and what structs need beside it, and gets all of it back. */
static void test_memory(void **state UNUSED)
{
    struct decode_options options = decode_rig_options();
    struct budget budget = { .max = 200000 };
    struct decoder *d = decoder_new();
    struct decode_result result;
    struct error err;
    struct chain out;
    struct buf xml;
    buf_init(&xml, (size_t)1 << 24, NULL);
    static const size_t counts[] = { 10, 100, 1000, 10000, 20000 };
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        size_t n = counts[i];
        repeat(&xml, OPEN "<value><struct>", "<member><name>a</name><value>12345</value></member>",
               n, "</struct></value>" CLOSE);
        chain_init(&out, (size_t)1 << 24, &budget);
        decoder_begin(d, &options, &out);
        bool ok = decoder_feed(d, buf_str(&xml), &err) && decoder_finish(d, &result, &err);
        assert_int_equal(ok, n <= 1000);
        if (!ok)
            assert_string_equal(err.setting, "limits.memory");
        chain_done(&out);
        assert_int_equal(atomic_load(&budget.used), 0);
    }
    buf_done(&xml);
    decoder_free(d);
}

/* 50,000 members, all twice: one and the same cost for any order. */
static void test_many_members(void **state UNUSED)
{
    struct decode_options options = decode_rig_options();
    struct decoder *d = decoder_new();
    struct buf xml, json;
    buf_init(&xml, (size_t)1 << 24, NULL);
    buf_init(&json, (size_t)1 << 24, NULL);
    buf_append_c(&xml, OPEN "<value><struct>");
    for (unsigned i = 0; i < 100000; i++)
        buf_printf(&xml, "<member><name>n%u</name><value>%u</value></member>", i % 50000, i);
    buf_append_c(&xml, "</struct></value>" CLOSE);
    buf_append_c(&json, "[{");
    for (unsigned i = 0; i < 50000; i++)
        buf_printf(&json, "%s\"n%u\":\"%u\"", i > 0 ? "," : "", i, i + 50000);
    buf_append_c(&json, "}]");
    struct decoded got = decode_rig_run(d, &options, buf_str(&xml), 0);
    assert_true(got.ok);
    assert_string_equal(got.json, json.data);
    decode_rig_done(&got);
    buf_done(&xml);
    buf_done(&json);
    decoder_free(d);
}

/* A struct of `n` members, of which the first comes again where `twice`. */
static void write_inner(struct buf *xml, struct buf *json, unsigned n, bool twice)
{
    buf_append_c(xml, "<struct>");
    buf_append_c(json, "{");
    for (unsigned i = 0; i < n; i++) {
        buf_printf(xml, "<member><name>n%u</name><int>%u</int></member>", i, i);
        buf_printf(json, "%s\"n%u\":%u", i > 0 ? "," : "", i, i == 0 && twice ? 7 : i);
    }
    if (twice)
        buf_append_c(xml, "<member><name>n0</name><int>7</int></member>");
    buf_append_c(xml, "</struct>");
    buf_append_c(json, "}");
}

/* Structs within structs, with the same names: each is looked at for itself. */
static void test_large_structs(void **state UNUSED)
{
    static const unsigned sizes[] = { 1, 15, 16, 17, 18, 70 };
    struct decode_options options = decode_rig_options();
    struct buf xml, json;
    buf_init(&xml, (size_t)1 << 22, NULL);
    buf_init(&json, (size_t)1 << 22, NULL);
    for (size_t i = 0; i < ARRAY_LEN(sizes) * ARRAY_LEN(sizes); i++) {
        unsigned outer = sizes[i / ARRAY_LEN(sizes)], inner = sizes[i % ARRAY_LEN(sizes)];
        buf_clear(&xml);
        buf_clear(&json);
        buf_append_c(&xml, OPEN "<value><struct>");
        buf_append_c(&json, "[{");
        for (unsigned j = 0; j < outer; j++) {
            buf_printf(&xml, "<member><name>n%u</name>", j);
            buf_printf(&json, "%s\"n%u\":", j > 0 ? "," : "", j);
            write_inner(&xml, &json, inner, j % 3 == 1);
            buf_append_c(&xml, "</member>");
        }
        /* The first once more, with what it was. */
        buf_append_c(&xml, "<member><name>n0</name>");
        size_t len = json.len;
        write_inner(&xml, &json, inner, false);
        json.len = len;
        buf_append_c(&xml, "</member></struct></value>" CLOSE);
        buf_append_c(&json, "}]");
        decode_rig_expect(&options, buf_str(&xml), buf_c(&json));
    }
    buf_done(&xml);
    buf_done(&json);
}

/* A decoder that has refused one document reads the next, and names do not pile up in it. */
static void test_again(void **state UNUSED)
{
    struct decode_options options = decode_rig_options();
    struct decoder *d = decoder_new();
    char xml[64];
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(xml, sizeof xml, "<params a%u='1'><x%u/></params>", i, i);
        struct decoded got = decode_rig_run(d, &options, str_of(xml), i % 5);
        assert_false(got.ok);
        got = decode_rig_run(d, &options, STR(GOOD), i % 7);
        assert_true(got.ok);
        assert_string_equal(got.json, "[\"a\"]");
        decode_rig_done(&got);
    }
    decoder_free(d);
}

/* So that a caller can be told what is wrong with its request. */
static void test_requests(void **state)
{
    static const struct {
        const char *xml;
        int code;
        const char *reason;
    } cases[] = {
        { "", -32700, "is empty" },
        { "{}", -32700, "is it XML at all?" },
        { "<methodCall>", -32700, "cut off" },
        { "<methodCall><a</methodCall>", -32700, "" },
        { "<!DOCTYPE a><methodCall/>", -32700, "(DTD)" },
        { "<?xml version='1.0' encoding='x-none'?><methodCall/>", -32701, "\"x-none\"" },
        { "<methodCall><methodName>\xC0\x80</methodName></methodCall>", -32701, "" },
        { "<methodCall><methodName>&#1;", -32702, "U+0001, which XML cannot carry" },
        { "<a/>", -32600, "not <methodCall>" },
        { "<methodCall/>", -32600, "neither" },
        { "<methodCall><params><param><value><i4>x</i4>", -32600, "whole number" },
        { "<methodCall><params><param><value><array><data><value><array><data><value><array>",
          -32602, "limits.depth" },
    };
    struct decoder *d = decoder_new();
    const struct decode_options options = { .is_request = true, .depth = 2, .document_max = 10000 };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct chain out;
        struct error err;
        struct decode_result result;
        chain_init(&out, SIZE_MAX, NULL);
        decoder_begin(d, &options, &out);
        bool ok = decoder_feed(d, str_of(cases[i].xml), &err) && decoder_finish(d, &result, &err);
        assert_false(ok);
        assert_int_equal(err.type, PROBLEM_INVALID_REQUEST);
        assert_int_equal(err.fault_code, cases[i].code);
        if (strstr(err.detail, cases[i].reason) == NULL)
            fail_msg("%s: %s", cases[i].xml, err.detail);
        assert_null(strstr(err.detail, "response_encoding"));
        assert_null(strstr(err.detail, "the setting"));
        chain_done(&out);
    }
    decoder_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_tags),          cmocka_unit_test(test_references),
        cmocka_unit_test(test_long_sections), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_document_max),  cmocka_unit_test(test_memory),
        cmocka_unit_test(test_many_members),  cmocka_unit_test(test_large_structs),
        cmocka_unit_test(test_again),         cmocka_unit_test(test_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
