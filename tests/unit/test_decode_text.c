/* SPDX-License-Identifier: Apache-2.0 */
/* Encodings, and text that XML cannot carry. */
#include "decode_rig.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }
#define OPEN "<params><param><value>"
#define CLOSE "</value></param></params>"

static const struct {
    struct str xml;
    const char *forced, *http;
    const char *text; /* NULL: refused */
} encodings[] = {
    { BYTES(OPEN "\xC3\xA4\xF0\x9F\x98\x80" CLOSE), NULL, NULL, "\xC3\xA4\xF0\x9F\x98\x80" },
    { BYTES("\xEF\xBB\xBF" OPEN "\xC3\xA4" CLOSE), NULL, NULL, "\xC3\xA4" },
    { BYTES("<?xml version='1.0' encoding='utf-8'?>" OPEN "\xC3\xA4" CLOSE), NULL, "latin1",
      "\xC3\xA4" },
    { BYTES("<?xml version='1.0' encoding='ISO-8859-1'?>" OPEN "\xC3\xA4" CLOSE), NULL, "utf-8",
      "\xC3\x83\xC2\xA4" },
    { BYTES("<?xml version='1.0' encoding=\"us-ascii\" ?>" OPEN "\xC3\xA4" CLOSE), NULL, NULL,
      "\xC3\xA4" },
    { BYTES("<?xml version='1.0' encoding='windows-1252'?>" OPEN "\x80" CLOSE), NULL, NULL,
      "\xE2\x82\xAC" },
    { BYTES("<?xml version='1.0' encoding='Shift_JIS'?>" OPEN "\x93\xFA\x96\x7B" CLOSE), NULL, NULL,
      "\xE6\x97\xA5\xE6\x9C\xAC" },
    { BYTES("<?xml version='1.0' encoding='Shift_JIS'?>" OPEN "\x93" CLOSE), NULL, NULL, NULL },
    { BYTES("<?xml version='1.0'?>" OPEN "\xE4" CLOSE), NULL, "ISO-8859-15", "\xC3\xA4" },
    { BYTES(OPEN "\xC3\xA4" CLOSE), NULL, "no-such", "\xC3\xA4" },
    { BYTES(OPEN "\xC3\xA4" CLOSE), NULL, "utf-16", "\xC3\xA4" },
    { BYTES("<?xml version='1.0' encoding='no-such'?>" OPEN CLOSE), NULL, NULL, NULL },
    { BYTES("<?xml version='1.0' encoding='utf-16'?>" OPEN CLOSE), NULL, NULL, NULL },
    { BYTES("<?xml version='1.0' encoding='utf-8'?>" OPEN "\xE4" CLOSE), "iso-8859-1", NULL,
      "\xC3\xA4" },
    { BYTES("<?xml version='1.0' encoding='no-such'?>" OPEN "\xC3\xA4" CLOSE), "utf-8", NULL,
      "\xC3\xA4" },
    { BYTES("\xEF\xBB\xBF" OPEN "\xE4" CLOSE), "iso-8859-1", NULL, "\xC3\xA4" },
    { BYTES("\xFF\xFE<\0p\0a\0r\0a\0m\0s\0>\0<\0v\0a\0l\0u\0e\0>\0\xE4\0=\xD8\0\xDE<\0/\0v\0a\0"
            "l\0u\0e\0>\0<\0/\0p\0a\0r\0a\0m\0s\0>\0"),
      NULL, "utf-8", "\xC3\xA4\xF0\x9F\x98\x80" },
    { BYTES("\xFE\xFF\0<\0p\0a\0r\0a\0m\0s\0>\0<\0v\0a\0l\0u\0e\0>\0\xE4\0<\0/\0v\0a\0l\0u\0e\0>"
            "\0<\0/\0p\0a\0r\0a\0m\0s\0>"),
      NULL, NULL, "\xC3\xA4" },
    { BYTES("<\0p\0a\0r\0a\0m\0s\0>\0<\0v\0a\0l\0u\0e\0/\0>\0<\0/\0p\0a\0r\0a\0m\0s\0>\0"), NULL,
      NULL, "" },
    { BYTES("\0<\0p\0a\0r\0a\0m\0s\0>\0<\0v\0a\0l\0u\0e\0/\0>\0<\0/\0p\0a\0r\0a\0m\0s\0>"),
      "UTF-16", NULL, "" },
    { BYTES("\xFF\xFE<\0p\0a\0r\0a\0m\0s\0>\0<\0v\0a\0l\0u\0e\0/\0>\0<\0/\0p\0a\0r\0a\0m\0s\0>"),
      NULL, NULL, NULL },
};

static void test_encodings(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(encodings); i++) {
        struct decode_options options = decode_rig_options();
        char json[64];
        options.encoding_forced = encodings[i].forced;
        options.encoding_declared = str_of(encodings[i].http);
        if (encodings[i].text == NULL) {
            decode_rig_refuse(&options, encodings[i].xml, "line 1, column ");
            continue;
        }
        snprintf(json, sizeof json, "[\"%s\"]", encodings[i].text);
        decode_rig_expect(&options, encodings[i].xml, json);
    }
}

#define BOM "\xEF\xBB\xBF"

/* White space and byte order marks before the document, which are none of XML's. */
static const struct str leads[] = {
    BYTES(" "),     BYTES("\n"),         BYTES(" \n   \n"),    BYTES("\r\n\t"),
    BYTES(BOM BOM), BYTES(BOM "\n" BOM), BYTES("\n" BOM "\n"), BYTES(" " BOM " " BOM " " BOM),
};

static void expect_behind(const struct decode_options *options, struct str lead, const char *xml)
{
    char document[256];
    size_t len = strlen(xml);
    assert_true(lead.len + len <= sizeof document);
    memcpy(document, lead.data, lead.len);
    memcpy(document + lead.len, xml, len);
    decode_rig_expect(options, (struct str){ document, lead.len + len }, "[\"\xC3\xA4\"]");
}

static void test_before_the_document(void **state UNUSED)
{
    static const enum text_policy policies[] = { TEXT_REJECT, TEXT_REPLACE, TEXT_BASE64 };
    for (size_t i = 0; i < ARRAY_LEN(leads) * ARRAY_LEN(policies); i++) {
        struct decode_options options = decode_rig_options();
        struct str lead = leads[i / ARRAY_LEN(policies)];
        bool marked = memmem(lead.data, lead.len, BOM, 3) != NULL;
        options.text = policies[i % ARRAY_LEN(policies)];
        expect_behind(&options, lead, OPEN "\xC3\xA4" CLOSE);
        expect_behind(&options, lead, "<?xml version='1.0'?>" OPEN "\xC3\xA4" CLOSE);
        expect_behind(&options, lead, "<?xml version='1.0'?><!-- x -->" OPEN "&#228;" CLOSE);
        expect_behind(&options, lead, "<params a='b'><param><value>\xC3\xA4" CLOSE);
        expect_behind(&options, lead,
                      marked ? "<?xml version='1.0' encoding='UTF-8'?>" OPEN "\xC3\xA4" CLOSE
                             : "<?xml version='1.0' encoding='ISO-8859-1'?>" OPEN "\xE4" CLOSE);
        options.encoding_declared = STR("iso-8859-1");
        expect_behind(&options, lead, marked ? OPEN "\xC3\xA4" CLOSE : OPEN "\xE4" CLOSE);
        options.encoding_forced = "iso-8859-1";
        expect_behind(&options, lead, "<?xml version='1.0'?>" OPEN "\xE4" CLOSE);
    }
}

/* Every byte of `text` becomes two; with `swap` the zero comes first. */
static struct str widened(const char *text, bool swap, char to[512])
{
    size_t len = strlen(text);
    assert_true(len <= 256);
    for (size_t i = 0; i < len; i++) {
        to[2 * i + swap] = text[i];
        to[2 * i + !swap] = '\0';
    }
    return (struct str){ to, 2 * len };
}

static void test_before_the_document_of_16_bits(void **state UNUSED)
{
    struct decode_options options = decode_rig_options();
    for (int swap = 0; swap < 2; swap++) {
        char wide[512], marked[516];
        struct str text = widened(" \r\n\t<?xml version='1.0'?>" OPEN "x" CLOSE, swap == 1, wide);
        decode_rig_expect(&options, text, "[\"x\"]");
        memcpy(marked, swap == 1 ? "\xFE\xFF\xFE\xFF" : "\xFF\xFE\xFF\xFE", 4);
        memcpy(marked + 4, text.data, text.len);
        decode_rig_expect(&options, (struct str){ marked, text.len + 4 }, "[\"x\"]");
        options.encoding_forced = swap == 1 ? "UTF-16BE" : "UTF-16LE";
        decode_rig_expect(&options, text, "[\"x\"]");
        options.encoding_forced = NULL;
    }
}

/* They are not kept, and `limits.response` is what bounds them. */
static void test_much_before_the_document(void **state UNUSED)
{
    size_t len = 3 * 1000 * 1000;
    static const char tail[] = "<?xml version='1.0'?>" OPEN "x" CLOSE;
    CLEANUP(free_charp) char *document = xcalloc(len + sizeof tail, 1);
    struct decode_options options = decode_rig_options();
    struct decoder *d = decoder_new();
    for (size_t i = 0; i + 3 <= len; i += 3)
        memcpy(document + i, i % 2 == 0 ? BOM : " \r\n", 3);
    memcpy(document + len, tail, sizeof tail);
    struct str text = { document, len + sizeof tail - 1 };
    options.document_max = text.len;
    for (size_t piece = 0; piece < 3; piece++) {
        struct decoded got = decode_rig_run(d, &options, text, piece);
        assert_true(got.ok);
        assert_string_equal(got.json, "[\"x\"]");
        decode_rig_done(&got);
    }
    options.document_max = text.len - 1;
    struct decoded got = decode_rig_run(d, &options, text, 0);
    assert_false(got.ok);
    assert_string_equal(got.err.setting, "limits.response");
    decode_rig_done(&got);
    decoder_free(d);
}

static void test_encoding_known(void **state UNUSED)
{
    assert_true(decode_encoding_known("UTF-8"));
    assert_true(decode_encoding_known("us-ascii"));
    assert_true(decode_encoding_known("ISO-8859-15"));
    assert_true(decode_encoding_known("EUC-JP"));
    assert_true(decode_encoding_known("UTF-16"));
    assert_false(decode_encoding_known("no-such"));
    assert_false(decode_encoding_known(""));
    assert_false(decode_encoding_known("UTF-8//TRANSLIT"));
}

#define FFFD "\xEF\xBF\xBD"

static const struct {
    struct str text; /* in an untyped <value> */
    const char *replaced;
    size_t n_replaced;
    const char *base64; /* NULL: nothing to repair, as `replaced` */
} repairs[] = {
    { BYTES("ok &#65;&amp;\xC3\xA4\t"), "ok A&\xC3\xA4\\t", 0, NULL },
    { BYTES("a\0b"), "a" FFFD "b", 1, "YQBi" },
    { BYTES("\x01\x1F"), FFFD FFFD, 2, "AR8=" },
    { BYTES("\xFF\xC3(\xE2\x82"), FFFD FFFD "(" FFFD, 3, "/8Mo4oI=" },
    { BYTES("\xED\xA0\x80"), FFFD FFFD FFFD, 3, "7aCA" },
    { BYTES("\xEF\xBF\xBE"), FFFD, 1, "77++" },
    { BYTES("&#0;&#x1;&#xFFFF;"), FFFD FFFD FFFD, 3, "AAHvv78=" },
    { BYTES("&#55296;"), FFFD, 1, "7aCA" },
    { BYTES("<![CDATA[&#0;]]>"), "&#0;", 0, NULL },
    { BYTES("<![CDATA[\x02\r\n]]>"), FFFD "\\n", 1, "Ago=" },
    { BYTES("\"\x02\\"), "\\\"" FFFD "\\\\", 1, "IgJc" },
    { BYTES("\xF4\x8F\xBF\xBFx\x01"), "\xF4\x8F\xBF\xBFx" FFFD, 1, "9I+/v3gB" },
};

/* HTML's names are characters with `text = "replace"` alone. */
static void test_names_of_html(void **state UNUSED)
{
    struct decode_options options = decode_rig_options();
    decode_rig_refuse(&options, STR(OPEN "a&nbsp;b" CLOSE), "that is HTML's");
    decode_rig_refuse(&options, STR(OPEN "&nosuch;" CLOSE), "Entity 'nosuch' not defined");
    options.text = TEXT_BASE64;
    decode_rig_refuse(&options, STR(OPEN "&nbsp;" CLOSE), "Entity 'nbsp' not defined");
    options.text = TEXT_REPLACE;
    decode_rig_expect(&options, STR(OPEN "a&nbsp;b&amp;&thetasym;&AElig;&zwnj;&zwj;&euro;" CLOSE),
                      "[\"a\xC2\xA0"
                      "b&\xCF\x91\xC3\x86\xE2\x80\x8C\xE2\x80\x8D\xE2\x82\xAC\"]");
    decode_rig_expect(&options, STR("<params a='&nbsp;'><param><value>x" CLOSE), "[\"x\"]");
    decode_rig_expect(&options, STR(OPEN "&frac12;&sup1;&there4;" CLOSE),
                      "[\"\xC2\xBD\xC2\xB9\xE2\x88\xB4\"]");
    decode_rig_refuse(&options, STR(OPEN "&nbs;" CLOSE), "Entity 'nbs' not defined");
    decode_rig_refuse(&options, STR(OPEN "&Nbsp;" CLOSE), "Entity 'Nbsp' not defined");
    decode_rig_refuse(&options, STR(OPEN "&thetasymb;" CLOSE), "Entity 'thetasymb' not defined");
}

static void check_repair(size_t i, enum text_policy policy, size_t piece)
{
    struct decode_options options = decode_rig_options();
    struct decoder *d = decoder_new();
    char xml[128], json[128];
    size_t n = sizeof OPEN - 1;
    bool base64 = policy == TEXT_BASE64 && repairs[i].base64 != NULL;
    memcpy(xml, OPEN, n);
    memcpy(xml + n, repairs[i].text.data, repairs[i].text.len);
    n += repairs[i].text.len;
    memcpy(xml + n, CLOSE, sizeof CLOSE - 1);
    n += sizeof CLOSE - 1;
    options.text = policy;
    snprintf(json, sizeof json, "[\"%s\"]", base64 ? repairs[i].base64 : repairs[i].replaced);
    struct decoded got = decode_rig_run(d, &options, (struct str){ xml, n }, piece);
    assert_true(got.ok);
    assert_string_equal(got.json, json);
    assert_int_equal(got.result.repaired, base64 ? 1 : repairs[i].n_replaced);
    decode_rig_done(&got);
    decoder_free(d);
}

static void test_repairs(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(repairs); i++)
        for (size_t piece = 0; piece < 10; piece++) {
            check_repair(i, TEXT_REPLACE, piece);
            check_repair(i, TEXT_BASE64, piece);
        }
}

/* A name is text as well; what is no text is not repaired. */
static void test_repaired_places(void **state UNUSED)
{
    struct decode_options options = decode_rig_options();
    struct str name = STR(OPEN "<struct><member><name>\x01</name><value>a</value></member><member>"
                               "<name>AQ==</name><value>b</value></member></struct>" CLOSE);
    struct str fault =
        STR("<methodResponse><fault><value><struct><member><name>faultString</name>"
            "<value>\x02</value></member></struct></value></fault></methodResponse>");
    struct decoder *d = decoder_new();
    options.text = TEXT_REPLACE;
    decode_rig_expect(&options, name, "[{\"" FFFD "\":\"a\",\"AQ==\":\"b\"}]");
    struct decoded got = decode_rig_run(d, &options, fault, 0);
    assert_true(got.ok && str_eq_c(got.result.fault.string, FFFD));
    decode_rig_done(&got);
    options.text = TEXT_BASE64;
    decode_rig_expect(
        &options,
        STR(OPEN "<struct><member><name>\x01</name><value>a</value></member></struct>" CLOSE),
        "[{\"AQ==\":\"a\"}]");
    decode_rig_refuse(&options, STR(OPEN "<int>1\x01</int>" CLOSE),
                      "\"1 \" is no valid whole number");
    decode_rig_refuse(&options,
                      STR("<methodCall><methodName>a\x01</methodName><params/></methodCall>"),
                      "the method's name has a character");
    decode_rig_refuse(&options, STR(OPEN "<dateTime.iso8601>\x01</dateTime.iso8601>" CLOSE),
                      "is no valid date");
    decoder_free(d);
}

#define MEMBER(name, value) "<member><name>" name "</name><value>" value "</value></member>"

/* Names that were different are never made the same, of which one would be lost. */
static void test_names_made_the_same(void **state UNUSED)
{
    static const struct {
        enum text_policy policy;
        const char *members;
        const char *json; /* NULL: refused */
    } cases[] = {
        { TEXT_REPLACE, MEMBER("a\x01", "1") MEMBER("a\x02", "2"), NULL },
        { TEXT_REPLACE, MEMBER("a\x01", "1") MEMBER("a" FFFD, "2"), NULL },
        { TEXT_REPLACE, MEMBER("a\x01", "1") MEMBER("b", "2") MEMBER("b", "3"),
          "[{\"a" FFFD "\":\"1\",\"b\":\"3\"}]" },
        { TEXT_REPLACE, MEMBER("a" FFFD, "1") MEMBER("a" FFFD, "2"), "[{\"a" FFFD "\":\"2\"}]" },
        { TEXT_BASE64, MEMBER("\x01", "a") MEMBER("AQ==", "b"), NULL },
        { TEXT_BASE64, MEMBER("\x01", "a") MEMBER("b", "1") MEMBER("b", "2"),
          "[{\"AQ==\":\"a\",\"b\":\"2\"}]" },
        { TEXT_BASE64, MEMBER("AQ==", "a") MEMBER("AQ==", "b\x01"), "[{\"AQ==\":\"YgE=\"}]" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decode_options options = decode_rig_options();
        char xml[512];
        options.text = cases[i].policy;
        snprintf(xml, sizeof xml, "%s<struct>%s</struct>%s", OPEN, cases[i].members, CLOSE);
        if (cases[i].json == NULL)
            decode_rig_refuse(&options, str_of(xml), "made two members of a struct the same");
        else
            decode_rig_expect(&options, str_of(xml), cases[i].json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_the_document),
        cmocka_unit_test(test_before_the_document_of_16_bits),
        cmocka_unit_test(test_much_before_the_document),
        cmocka_unit_test(test_names_of_html),
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_encoding_known),
        cmocka_unit_test(test_repairs),
        cmocka_unit_test(test_names_made_the_same),
        cmocka_unit_test(test_repaired_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
