/* SPDX-License-Identifier: Apache-2.0 */
/* Members and elements of a usual form are read in one go, where enough of the document is there.
 * In pieces of less than that they are read token by token: the two must not differ, in what they
 * give nor in what they refuse, nor in the place that they name. */
#include "decode_rig.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define OPEN "<methodResponse><params><param>"
#define CLOSE "</param></params></methodResponse>"

/* So that there is always enough behind what is tested. */
#define FILLER                                                                                     \
    "<value><string>a text that has no end for long, so that there is enough of it</string>"       \
    "</value><value><string>and another one of them, to be on the safe side</string></value>"

#define MANY "0123456789012345678901234567890123456789012345678901234567890123456789"

static const char *const values[] = {
    "<value><int>7</int></value>",
    "<value><int>-7</int></value>",
    "<value><int>0</int></value>",
    "<value><int>-0</int></value>",
    "<value><int>00</int></value>",
    "<value><int>+7</int></value>",
    "<value><int> 7 </int></value>",
    "<value><int></int></value>",
    "<value><int>-</int></value>",
    "<value><int>7x</int></value>",
    "<value><int>1e3</int></value>",
    "<value><int>999999999999999</int></value>",
    "<value><int>1000000000000000</int></value>",
    "<value><int>9007199254740993</int></value>",
    "<value><int>" MANY "</int></value>",
    "<value><i4>7</i4></value>",
    "<value><i4>7</i8></value>",
    "<value><i8>7</i8></value>",
    "<value><i8>-9223372036854775808</i8></value>",
    "<value><i1>7</i1></value>",
    "<value><biginteger>7</biginteger></value>",
    "<value><boolean>1</boolean></value>",
    "<value><boolean>0</boolean></value>",
    "<value><boolean>2</boolean></value>",
    "<value><boolean>true</boolean></value>",
    "<value><double>1.5</double></value>",
    "<value><double>-1.5</double></value>",
    "<value><double>0.0</double></value>",
    "<value><double>-0.0</double></value>",
    "<value><double>1.0</double></value>",
    "<value><double>1.50</double></value>",
    "<value><double>01.5</double></value>",
    "<value><double>.5</double></value>",
    "<value><double>5.</double></value>",
    "<value><double>5</double></value>",
    "<value><double>0.0001</double></value>",
    "<value><double>0.00012</double></value>",
    "<value><double>0.00001</double></value>",
    "<value><double>0.1234567890123</double></value>",
    "<value><double>0.12345678901234</double></value>",
    "<value><double>0.123456789012345678</double></value>",
    "<value><double>99999999999999.9</double></value>",
    "<value><double>999999999999999.9</double></value>",
    "<value><double>1.7976931348623157e308</double></value>",
    "<value><double>nan</double></value>",
    "<value><dateTime.iso8601>19980717T14:08:55</dateTime.iso8601></value>",
    "<value><dateTime.iso8601>19981717T14:08:55</dateTime.iso8601></value>",
    "<value><dateTime.iso8601>1998-07-17T14:08:55</dateTime.iso8601></value>",
    "<value><nil/></value>",
    "<value><nil></nil></value>",
    "<value><base64>aGFsbG8=</base64></value>",
    "<value><string></string></value>",
    "<value><string/></value>",
    "<value><string>text</string></value>",
    "<value>text</value>",
    "<value></value>",
    "<value/>",
    "<value> </value>",
    "<value>\n</value>",
    "<value>\n <int>7</int>\t\n</value>",
    "<value> text <int>7</int></value>",
    "<value>text<int>7</int></value>",
    "<value><int>7</int>text</value>",
    "<value><int>7</int><int>8</int></value>",
    "<value>a &lt;&gt;&amp;&quot;&apos; b</value>",
    "<value>a &#65;&#x42; b</value>",
    "<value>a &other; b</value>",
    "<value>a & b</value>",
    "<value>a\"b\\c\nd\te\rf\r\ng</value>",
    "<value>a]b]]c]]]</value>",
    "<value>a]]>b</value>",
    "<value>na\xC3\xAFve \xE2\x82\xAC \xF0\x9F\x98\x80 \xEF\xBF\xBD \xEF\xBF\xBE</value>",
    "<value>\xC3\xAF\xE2\x82\xAC\xF0\x9F\x98\x80</value>",
    "<value>\xC0\x80</value>",
    "<value>\xC3</value>",
    "<value>\xE0\x80\x80</value>",
    "<value>\xED\xA0\x80</value>",
    "<value>\xF4\x90\x80\x80</value>",
    "<value>\xF0\x80\x80\x80</value>",
    "<value>\x01</value>",
    "<value>a<!-- b -->c</value>",
    "<value><![CDATA[a]]></value>",
    "<value a='b'>c</value>",
    "<value><string>" MANY MANY MANY MANY MANY MANY MANY MANY "\"" MANY "</string></value>",
    "<value>" MANY MANY MANY "\xC3\xAF" MANY MANY MANY MANY MANY MANY "&amp;</value>",
    "<value><array><data></data></array></value>",
    "<value><array><data><value>1</value><value><int>2</int></value></data></array></value>",
    "<value><struct></struct></value>",
    "<value><struct><member><name>a</name><value>1</value></member></struct></value>",
    "<int>7</int>",
};

static const char *const names[] = {
    "a",    "",     " a ",          "$i8",  "$base64", "a&amp;b", "a\"b", "a\\b",
    "a\nb", "a]]b", "na\xC3\xAFve", "\xC3", MANY,      MANY MANY, "n1",
};

/* Reads it in pieces and at once; asserts that nothing differs. */
static void compare(struct decoder *d, const struct decode_options *options, struct str document)
{
    static const size_t pieces[] = { 1, 64, 127, 700 };
    struct decoded whole = decode_rig_run(d, options, document, 0);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct decoded cut = decode_rig_run(d, options, document, pieces[i]);
        if (whole.ok != cut.ok)
            fail_msg("%.*s, cut into %zu: %s", STR_ARGS(document), pieces[i],
                     whole.ok ? cut.err.detail : whole.err.detail);
        if (whole.ok)
            assert_string_equal(whole.json, cut.json);
        else
            assert_int_equal(whole.err.type, cut.err.type);
        decode_rig_done(&cut);
    }
    decode_rig_done(&whole);
}

static void compare_all_options(struct decoder *d, struct str document)
{
    for (unsigned types = 0; types < 2; types++)
        for (unsigned integers = 0; integers < 3; integers++) {
            struct decode_options options = decode_rig_options();
            options.types = types == 0 ? TYPES_PLAIN : TYPES_TAGGED;
            options.integers = (enum integers_form)integers;
            compare(d, &options, document);
        }
}

static void add_member(struct buf *xml, const char *name, const char *value)
{
    buf_append_c(xml, "<member>\n<name>");
    buf_append_c(xml, name);
    buf_append_c(xml, "</name>");
    buf_append_c(xml, value);
    buf_append_c(xml, " </member>\n");
}

static void test_elements(void **state)
{
    struct decoder *d = decoder_new();
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct buf xml;
        buf_init(&xml, SIZE_MAX / 2, NULL);
        buf_append_c(&xml, OPEN "<value><array><data>\n" FILLER);
        buf_append_c(&xml, values[i]);
        buf_append_c(&xml, FILLER FILLER "</data></array></value>" CLOSE);
        compare_all_options(d, buf_str(&xml));
        buf_done(&xml);
    }
    decoder_free(d);
}

static void test_members(void **state)
{
    struct decoder *d = decoder_new();
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct buf xml;
        buf_init(&xml, SIZE_MAX / 2, NULL);
        buf_append_c(&xml, OPEN "<value><struct>");
        add_member(&xml, "first", "<value><int>1</int></value>");
        add_member(&xml, "tested", values[i]);
        add_member(&xml, "third", "<value>" MANY MANY MANY "</value>");
        buf_append_c(&xml, "</struct></value>" CLOSE);
        compare_all_options(d, buf_str(&xml));
        buf_done(&xml);
    }
    decoder_free(d);
}

/* Also of structs that have each name twice, and of more members than are compared in pairs. */
static void test_names(void **state)
{
    struct decoder *d = decoder_new();
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        for (size_t before = 0; before < 20; before += 6) {
            struct buf xml;
            buf_init(&xml, SIZE_MAX / 2, NULL);
            buf_append_c(&xml, OPEN "<value><struct>");
            for (size_t n = 0; n < before; n++) {
                char name[8] = { 'n', (char)('a' + n), '\0' };
                add_member(&xml, name, "<value><i4>1</i4></value>");
            }
            add_member(&xml, names[i], "<value>old</value>");
            add_member(&xml, "other", "<value>" MANY "</value>");
            add_member(&xml, names[(i + before) % ARRAY_LEN(names)], "<value>new</value>");
            add_member(&xml, "last", "<value>" MANY MANY MANY "</value>");
            buf_append_c(&xml, "</struct></value>" CLOSE);
            compare_all_options(d, buf_str(&xml));
            buf_done(&xml);
        }
    decoder_free(d);
}

/* What is written ahead counts for no limit before it is the output. */
static void test_limit(void **state)
{
    static const char document[] =
        OPEN "<value><array><data>" FILLER FILLER FILLER FILLER "</data></array></value>" CLOSE;
    struct decode_options options = decode_rig_options();
    struct decoder *d = decoder_new();
    (void)state;
    struct decoded whole = decode_rig_run(d, &options, str_of(document), 0);
    assert_true(whole.ok);
    size_t len = strlen(whole.json);
    decode_rig_done(&whole);
    for (size_t max = 1; max <= len; max++) {
        struct error err;
        struct chain out;
        chain_init(&out, max, NULL);
        decoder_begin(d, &options, &out);
        struct decode_result result;
        bool ok = decoder_feed(d, str_of(document), &err) && decoder_finish(d, &result, &err);
        assert_int_equal(ok, max == len);
        chain_done(&out);
    }
    decoder_free(d);
}

static void test_place(void **state)
{
    struct decode_options options = decode_rig_options();
    (void)state;
    decode_rig_refuse(&options,
                      str_of(OPEN "<value><struct>\n<member>\n<name>a</name>\n"
                                  "<value>" MANY MANY "</value>\n</member>\n<member><name>b</name>"
                                  "<value><int>x</int></value></member></struct></value>" CLOSE),
                      "line 6, column 42: \"x\"");
    decode_rig_refuse(&options,
                      str_of(OPEN "<value><array><data>\n<value>1</value>\n<value>" MANY MANY
                                  "</value>\n<value/><!-- from here on others read -->\n"
                                  "<value>\n</data>"),
                      "line 6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements), cmocka_unit_test(test_members),
        cmocka_unit_test(test_names),    cmocka_unit_test(test_limit),
        cmocka_unit_test(test_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
