/* SPDX-License-Identifier: Apache-2.0 */
/* Usual documents are read without libxml2, and all others up to where they become unusual. With a
 * text policy that repairs, libxml2 reads everything: the two must not differ. */
#include "decode_rig.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define OPEN "<methodResponse><params><param>"
#define CLOSE "</param></params></methodResponse>"
#define DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
#define BYTES(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

/* Each is put into a value: the unusual in the middle of the usual. */
static const struct str insides[] = {
    BYTES(""),
    BYTES("text"),
    BYTES("a]b]]c]]]d]"),
    BYTES("a]]>b"),
    BYTES("]]"),
    BYTES("a\rb\r\nc\n\rd\r"),
    BYTES("&lt;&gt;&amp;&quot;&apos;&#65;&#x4a;&#x4A;&#13;&#x1F600;"),
    BYTES("&#0;"),
    BYTES("&#xD800;"),
    BYTES("&#xFFFE;"),
    BYTES("&#x110000;"),
    BYTES("&#99999999999999999999;"),
    BYTES("&#00000000000000000065;"),
    BYTES("&other;"),
    BYTES("& "),
    BYTES("&#x;"),
    BYTES("&;"),
    BYTES("na\xC3\xAFve \xE6\xBC\xA2 \xF0\x9F\x98\x80 \xEF\xBC\x81"),
    BYTES("\xEF\xBF\xBE"),
    BYTES("\xC3"),
    BYTES("\xED\xA0\x80"),
    BYTES("\x01"),
    BYTES("\x7F"),
    BYTES("more than sixteen bytes of it, and then \x0B"),
    BYTES("\0"),
    BYTES("<!-- a comment -->b"),
    BYTES("a<![CDATA[<b>]]>c"),
    BYTES("<?pi?>a"),
    BYTES("<!DOCTYPE a>"),
    BYTES("<string>a</string>"),
    BYTES("<string />"),
    BYTES("<string/>"),
    BYTES("<string a='b'>c</string>"),
    BYTES("<ex:nil/>"),
    BYTES("<nil/>"),
    BYTES("<nil>a</nil>"),
    BYTES("<int>1</int >"),
    BYTES("<int>1</i4>"),
    BYTES("<int>1</int"),
    BYTES("<int>x</int>"),
    BYTES("<int>1</int><int>2</int>"),
    BYTES("<dateTime.iso8601>19980717T14:08:55</dateTime.iso8601>"),
    BYTES("<dateTime.iso8602>19980717T14:08:55</dateTime.iso8602>"),
    BYTES("<integer>1</integer>"),
    BYTES("<base64>aGFs\r\nbG8=</base64>"),
    BYTES("<array><data><value>1</value>\n<value><i8>2</i8></value></data></array>"),
    BYTES("<struct><member><name>a</name><value/></member></struct>"),
    BYTES("<struct><member><value/></member></struct>"),
    BYTES("<struct><member><name>a</name><value/><!----></member></struct>"),
    BYTES("</value><value>"),
    BYTES("<"),
    BYTES("< a>"),
    BYTES("</>"),
};

static const struct str documents[] = {
    BYTES("\n" OPEN "<value/>" CLOSE "\r\n\t "),
    BYTES("\n" DECLARATION OPEN "<value/>" CLOSE),
    BYTES(DECLARATION DECLARATION OPEN "<value/>" CLOSE),
    BYTES(OPEN "<value/>" CLOSE DECLARATION),
    BYTES("<?xml version='1.0' ?>" OPEN "<value/>" CLOSE),
    BYTES("<?xml version='1.0' encoding='8'?>" OPEN "<value/>" CLOSE),
    BYTES("<?xml version='1.0' standalone='yes'?>" OPEN "<value/>" CLOSE),
    BYTES("<?xml version='1.1'?>" OPEN "<value/>" CLOSE),
    BYTES("<?xml version=1.01?>" OPEN "<value/>" CLOSE),
    BYTES("<?xml version='1.0'encoding='UTF-8'?>" OPEN "<value/>" CLOSE),
    BYTES("<?xml version='1.0'_encoding='UTF-8'?>" OPEN "<value/>" CLOSE),
    BYTES("<?xml version='1.0' anything='UTF-8'?>" OPEN "<value/>" CLOSE),
    BYTES("<?xml version='1.0'?><!-- a --> <?b c?>" OPEN "<value/>" CLOSE "<!-- d -->"),
    BYTES(OPEN "<value/>" CLOSE "a"),
    BYTES(OPEN "<value/>" CLOSE "&lt;"),
    BYTES(OPEN "<value/>" CLOSE "]"),
    BYTES(OPEN "<value/>" CLOSE OPEN "<value/>" CLOSE),
    BYTES(OPEN "<value/>" CLOSE "</methodResponse>"),
    BYTES("<params/>"),
    BYTES("<params/"),
    BYTES("<methodCall><methodName>a.b</methodName></methodCall>"),
    BYTES("<methodResponse><fault><value><struct><member><name>faultCode</name><value>"
          "<int>4</int></value></member></struct></value></fault></methodResponse>"),
    BYTES("<value>1</value>"),
    BYTES("a"),
    BYTES("<"),
    BYTES(" "),
};

static void compare(struct decoder *d, struct str document, size_t piece)
{
    struct decode_options plain = decode_rig_options(), all = decode_rig_options();
    all.text = TEXT_REPLACE;
    struct decoded want = decode_rig_run(d, &all, document, 0);
    bool repaired = want.ok && want.result.repaired > 0;
    struct decoded got = decode_rig_run(d, &plain, document, piece);
    if (got.ok != (want.ok && !repaired))
        fail_msg("%.*s, cut into %zu: %s", STR_ARGS(document), piece,
                 got.ok ? got.json : got.err.detail);
    if (got.ok)
        assert_string_equal(got.json, want.json);
    else if (!repaired)
        assert_int_equal(got.err.type, want.err.type);
    decode_rig_done(&got);
    decode_rig_done(&want);
}

/* However it is cut, and at each length that is not all of it. */
static void compare_all_ways(struct decoder *d, struct str document)
{
    for (size_t piece = 0; piece <= document.len && piece <= 140; piece++)
        compare(d, document, piece);
    for (size_t len = 1; len < document.len; len++)
        compare(d, str_slice(document, 0, len), 0);
}

static void test_values(void **state)
{
    struct decoder *d = decoder_new();
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(insides); i++) {
        struct buf xml;
        buf_init(&xml, 4096, NULL);
        buf_append_c(&xml, DECLARATION OPEN "<value>");
        buf_append(&xml, insides[i]);
        buf_append_c(&xml, "</value>\n" CLOSE "\n");
        compare_all_ways(d, buf_str(&xml));
        buf_done(&xml);
    }
    decoder_free(d);
}

static void test_documents(void **state)
{
    struct decoder *d = decoder_new();
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(documents); i++)
        compare_all_ways(d, documents[i]);
    decoder_free(d);
}

/* A place is that of the document, whoever has read how much of it. */
static void test_place(void **state)
{
    struct decode_options options = decode_rig_options();
    (void)state;
    decode_rig_refuse(&options,
                      str_of("<methodResponse>\r\n <params>\n<param>\n\xC3\xA9<value><int>x"
                             "</int></value></param></params></methodResponse>"),
                      "line 4, column 21: \"x\"");
    decode_rig_refuse(&options,
                      str_of("<methodResponse>\r\n <params>\n<param>\n\xC3\xA9<value></a>"),
                      "line 4, column 13");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
