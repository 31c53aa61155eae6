/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_rig.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>

/* What stands in a response's one <param>, and its JSON. NULL: refused. */
struct value_case {
    const char *xml;
    const char *plain;
    const char *tagged; /* NULL: as plain */
};

#define LONG_40 "1234567890123456789012345678901234567890"

static const struct value_case scalars[] = {
    { "<value><boolean>1</boolean></value>", "true", NULL },
    { "<value><boolean>0</boolean></value>", "false", NULL },
    { "<value><boolean>true</boolean></value>", "true", NULL },
    { "<value><boolean>false</boolean></value>", "false", NULL },
    { "<value><boolean> 1</boolean></value>", NULL, NULL },
    { "<value><boolean>2</boolean></value>", NULL, NULL },
    { "<value><boolean/></value>", NULL, NULL },
    { "<value><int>-5</int></value>", "-5", NULL },
    { "<value><i1>1</i1></value>", "1", NULL },
    { "<value><i2>2</i2></value>", "2", NULL },
    { "<value><i4>\n +0042 </i4></value>", "42", NULL },
    { "<value><int>-0</int></value>", "0", NULL },
    { "<value><int>9223372036854775808</int></value>", "9223372036854775808", NULL },
    { "<value><int>1e+3</int></value>", "1000", NULL },
    { "<value><int>-1.5E1</int></value>", "-15", NULL },
    { "<value><int>0e9</int></value>", "0", NULL },
    { "<value><int>15e-1</int></value>", NULL, NULL },
    { "<value><int>1e400</int></value>", NULL, NULL },
    { "<value><int>1.0</int></value>", NULL, NULL },
    { "<value><int>1_000</int></value>", NULL, NULL },
    { "<value><int/></value>", NULL, NULL },
    { "<value><int>0x10</int></value>", NULL, NULL },
    { "<value><i8>9007199254740993</i8></value>", "9007199254740993",
      "{\"$i8\":\"9007199254740993\"}" },
    { "<value><biginteger>-" LONG_40 "</biginteger></value>", "-" LONG_40,
      "{\"$biginteger\":\"-" LONG_40 "\"}" },
    { "<value><double>20</double></value>", "20.0", NULL },
    { "<value><double>-0.0</double></value>", "-0.0", NULL },
    { "<value><double>.5</double></value>", "0.5", NULL },
    { "<value><float>0.1000000000000000055</float></value>", "0.1", NULL },
    { "<value><double>5e-324</double></value>", "5e-324", NULL },
    { "<value><double>1.7976931348623157e308</double></value>", "1.7976931348623157e+308", NULL },
    { "<value><double> nan </double></value>", "\"NaN\"", "{\"$double\":\"NaN\"}" },
    { "<value><double>-INF</double></value>", "\"-Infinity\"", "{\"$double\":\"-Infinity\"}" },
    { "<value><double>1e999</double></value>", "\"Infinity\"", "{\"$double\":\"Infinity\"}" },
    { "<value><double>1,5</double></value>", NULL, NULL },
    { "<value><double/></value>", NULL, NULL },
    { "<value><bigdecimal>1.10</bigdecimal></value>", "1.10", "{\"$bigdecimal\":\"1.10\"}" },
    { "<value><bigdecimal>+00.50E+05</bigdecimal></value>", "0.50E+05",
      "{\"$bigdecimal\":\"0.50E+05\"}" },
    { "<value><bigdecimal>5.</bigdecimal></value>", "5", "{\"$bigdecimal\":\"5\"}" },
    { "<value><bigdecimal>NaN</bigdecimal></value>", "\"NaN\"", "{\"$bigdecimal\":\"NaN\"}" },
    { "<value><bigdecimal>1.1.1</bigdecimal></value>", NULL, NULL },
    { "<value><string> a\tb </string></value>", "\" a\\tb \"", NULL },
    { "<value><string/></value>", "\"\"", NULL },
    { "<value/>", "\"\"", NULL },
    { "<value>  </value>", "\"  \"", NULL },
    { "<value>a&lt;&#38;&#x1F600;<!-- c -->\"\\</value>", "\"a<&\xF0\x9F\x98\x80\\\"\\\\\"", NULL },
    { "<value><![CDATA[<&]] ]]>]]&gt;</value>", "\"<&]] ]]>\"", NULL },
    { "<value>a\r\nb\rc&#13;d</value>", "\"a\\nb\\nc\\rd\"", NULL },
    { "<value><![CDATA[a\r\nb\rc]]></value>", "\"a\\nb\\nc\"", NULL },
    { "<value>\n <nil/> </value>", "null", NULL },
    { "<value><ex:nil/></value>", "null", NULL },
    { "<value><any:i4>7</any:i4></value>", "7", NULL },
    { "<a:b:value><:int>7</:int></a:b:value>", "7", NULL },
    { "<a::value a:b:c='1'><a:b:c:i8>7</a:b:c:i8></a::value>", "7", "{\"$i8\":\"7\"}" },
    { "<value><a:b:uint>7</a:b:uint></value>", NULL, NULL },
    { "<value><int:>7</int:></value>", NULL, NULL },
    { "<int>7</int>", "7", NULL },
    { "<value>dropped<int>7</int>dropped</value>", "7", NULL },
    { "<value><dateTime.iso8601>19980717T14:08:55</dateTime.iso8601></value>",
      "\"1998-07-17T14:08:55\"", "{\"$dateTime\":\"19980717T14:08:55\"}" },
    { "<value><dateTime.iso8601> 20240229T00:00:00\n</dateTime.iso8601></value>",
      "\"2024-02-29T00:00:00\"", "{\"$dateTime\":\"20240229T00:00:00\"}" },
    { "<value><dateTime.iso8601>20230229T00:00:00</dateTime.iso8601></value>",
      "\"20230229T00:00:00\"", "{\"$dateTime\":\"20230229T00:00:00\"}" },
    { "<value><dateTime.iso8601>2024-02-29T12:34:56.000Z</dateTime.iso8601></value>",
      "\"2024-02-29T12:34:56.000Z\"", "{\"$dateTime\":\"2024-02-29T12:34:56.000Z\"}" },
    { "<value><dateTime.iso8601/></value>", "\"\"", "{\"$dateTime\":\"\"}" },
    { "<value><base64>\nQUJD\r\nRA==\n</base64></value>", "\"QUJDRA==\"",
      "{\"$base64\":\"QUJDRA==\"}" },
    { "<value><base64/></value>", "\"\"", "{\"$base64\":\"\"}" },
    { "<value><base64>QUJDR</base64></value>", NULL, NULL },
    { "<value><base64>QQ=</base64></value>", NULL, NULL },
    { "<value><base64>QQ==QQ==</base64></value>", NULL, NULL },
    { "<value><base64>QQ-_</base64></value>", NULL, NULL },
    { "<value><base64>====</base64></value>", NULL, NULL },
};

#define MEMBER(name, value) "<member><name>" name "</name><value>" value "</value></member>"

static const struct value_case containers[] = {
    { "<value><array><data/></array></value>", "[]", NULL },
    { "<value><array/></value>", "[]", NULL },
    { "<value><array><value>a</value><int>1</int></array></value>", "[\"a\",1]", NULL },
    { "<value><array><data>\n<value>a</value>\n<value/>\n</data></array></value>", "[\"a\",\"\"]",
      NULL },
    { "<value><array><data/><data/></array></value>", NULL, NULL },
    { "<value><array><data><struct/></data></array></value>", "[{}]", NULL },
    { "<value><struct/></value>", "{}", NULL },
    { "<value><struct>" MEMBER("b", "1") MEMBER("a", "2") "</struct></value>",
      "{\"b\":\"1\",\"a\":\"2\"}", NULL },
    { "<value><struct>" MEMBER("", "1") MEMBER("a\"&#10;", "2") "</struct></value>",
      "{\"\":\"1\",\"a\\\"\\n\":\"2\"}", NULL },
    { "<value><struct>" MEMBER("a", "1") MEMBER("b", "2") MEMBER("&#97;", "3") "</struct></value>",
      "{\"a\":\"3\",\"b\":\"2\"}", NULL },
    { "<value><struct>" MEMBER("a", "1")
          MEMBER("a", "<struct>" MEMBER("a", "1") MEMBER("a", "2") "</struct>")
              MEMBER("b", "3") "</struct></value>",
      "{\"a\":{\"a\":\"2\"},\"b\":\"3\"}", NULL },
    { "<value><struct>" MEMBER("$a", "1") "</struct></value>", "{\"$a\":\"1\"}",
      "{\"$struct\":{\"$a\":\"1\"}}" },
    { "<value><struct>" MEMBER("$a", "1") MEMBER("b", "2") "</struct></value>",
      "{\"$a\":\"1\",\"b\":\"2\"}", NULL },
    { "<value><struct>" MEMBER("$a", "1")
          MEMBER("$a", "<struct>" MEMBER("$b", "2") "</struct>") "</struct></value>",
      "{\"$a\":{\"$b\":\"2\"}}", "{\"$struct\":{\"$a\":{\"$struct\":{\"$b\":\"2\"}}}}" },
    { "<value><array><struct><member><name>$</name><value>1</value></member></struct>"
      "<i8>-34001079754</i8><value>more than the block of the tag has</value></array></value>",
      "[{\"$\":\"1\"},-34001079754,\"more than the block of the tag has\"]",
      "[{\"$struct\":{\"$\":\"1\"}},{\"$i8\":\"-34001079754\"},"
      "\"more than the block of the tag has\"]" },
    { "<value><array><struct><member><name>$a</name><struct><member><name>$b</name><value/>"
      "</member></struct></member></struct>"
      "<struct><member><name>$c</name><value/></member></struct></array></value>",
      "[{\"$a\":{\"$b\":\"\"}},{\"$c\":\"\"}]",
      "[{\"$struct\":{\"$a\":{\"$struct\":{\"$b\":\"\"}}}},{\"$struct\":{\"$c\":\"\"}}]" },
    { "<value><struct><member><name>a</name></member></struct></value>", NULL, NULL },
    { "<value><struct><member><value>a</value></member></struct></value>", NULL, NULL },
    { "<value><struct><member><value>a</value><name>a</name></member></struct></value>", NULL,
      NULL },
    { "<value><struct><value>a</value></struct></value>", NULL, NULL },
    { "<value><int>1</int><int>2</int></value>", NULL, NULL },
    { "<value><value>a</value></value>", NULL, NULL },
    { "<value><string>a<b/></string></value>", NULL, NULL },
    { "<value><string><int>1</int></string></value>", NULL, NULL },
    { "<value><foo>1</foo></value>", NULL, NULL },
    { "<value>1</value><value>2</value>", NULL, NULL },
    { "", NULL, NULL },
};

static void check_value(const struct value_case *c, enum types_form types)
{
    struct decode_options options = decode_rig_options();
    struct buf xml, json;
    const char *value = types == TYPES_TAGGED && c->tagged != NULL ? c->tagged : c->plain;
    options.types = types;
    buf_init(&xml, 65536, NULL);
    buf_init(&json, 65536, NULL);
    buf_printf(&xml,
               "<?xml version=\"1.0\"?>\n<methodResponse><params><param>%s</param></params>"
               "</methodResponse>\n",
               c->xml);
    if (value != NULL) {
        buf_printf(&json, "[%s]", value);
        decode_rig_expect(&options, buf_str(&xml), json.data);
    } else {
        decode_rig_refuse(&options, buf_str(&xml), "line 2, column ");
    }
    buf_done(&xml);
    buf_done(&json);
}

static void test_scalars(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(scalars); i++) {
        check_value(&scalars[i], TYPES_PLAIN);
        check_value(&scalars[i], TYPES_TAGGED);
    }
}

static void test_containers(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(containers); i++) {
        check_value(&containers[i], TYPES_PLAIN);
        check_value(&containers[i], TYPES_TAGGED);
    }
}

/* `integers`: what a double holds, and what it does not. */
/* Marking a struct must cost neither a block nor a look at all that stands before. */
static void test_many_marked(void **state UNUSED)
{
    const struct str structure = STR("<struct><member><name>$</name><value/></member></struct>");
    const size_t n = 20000;
    struct decode_options options = decode_rig_options();
    struct decoder *d = decoder_new();
    struct decode_result result;
    struct error err;
    struct chain out;
    options.types = TYPES_TAGGED;
    chain_init(&out, (size_t)1 << 24, NULL);
    decoder_begin(d, &options, &out);
    assert_true(decoder_feed(d, STR("<params><array><data>"), &err));
    for (size_t i = 0; i < n; i++)
        assert_true(decoder_feed(d, structure, &err));
    assert_true(decoder_feed(d, STR("</data></array></params>"), &err));
    assert_true(decoder_finish(d, &result, &err));
    assert_int_equal(chain_len(&out), n * sizeof("{\"$struct\":{\"$\":\"\"}}") + 3);
    assert_true(chain_blocks(&out) < 100);
    chain_done(&out);
    decoder_free(d);
}

/* A document that ends early, or late, leaves nothing in the budget. */
static void test_clear(void **state UNUSED)
{
    struct budget budget = { .max = 1 << 20 };
    struct decode_options options = decode_rig_options();
    struct decoder *d = decoder_new();
    struct error err;
    struct chain out;
    chain_init(&out, 1 << 16, &budget);
    decoder_begin(d, &options, &out);
    assert_true(decoder_feed(d, STR("<params><struct><member><name>a</name><int>12345"), &err));
    chain_done(&out);
    assert_true(atomic_load(&budget.used) > 0);
    decoder_clear(d);
    assert_int_equal(atomic_load(&budget.used), 0);
    decoder_clear(d);
    decoder_free(d);
}

/* Structs that lie in several of the output's blocks are marked where they begin. */
static void test_marked_deep(void **state UNUSED)
{
    struct decode_options options = decode_rig_options();
    struct buf xml, json;
    buf_init(&xml, 1 << 20, NULL);
    buf_init(&json, 1 << 20, NULL);
    options.types = TYPES_TAGGED;
    options.depth = 200;
    buf_append_c(&xml, "<params>");
    buf_append_c(&json, "[");
    for (int i = 0; i < 100; i++) {
        buf_append_c(&xml, "<struct><member><name>$</name><array><value>some text</value>");
        buf_append_c(&json, "{\"$struct\":{\"$\":[\"some text\"");
        if (i < 99)
            buf_append_c(&json, ",");
    }
    for (int i = 0; i < 100; i++) {
        buf_append_c(&xml, "</array></member></struct>");
        buf_append_c(&json, "]}}");
    }
    buf_append_c(&xml, "</params>");
    buf_append_c(&json, "]");
    decode_rig_expect(&options, buf_str(&xml), buf_c(&json));
    buf_done(&xml);
    buf_done(&json);
}

static void test_integers(void **state UNUSED)
{
    struct decode_options options = decode_rig_options();
    struct str document =
        STR("<params><param><array>"
            "<int>9007199254740992</int><int>9007199254740993</int><i8>5</i8>"
            "<biginteger>9007199254740993</biginteger><bigdecimal>0.5</bigdecimal>"
            "<bigdecimal>1.10</bigdecimal><bigdecimal>12e22</bigdecimal>"
            "<bigdecimal>12e23</bigdecimal><bigdecimal>-0.00</bigdecimal>"
            "<bigdecimal>9007199254740993e0</bigdecimal><double>1.1</double>"
            "</array></param></params>");
    options.integers = INTEGERS_NUMBER;
    decode_rig_expect(&options, document,
                      "[[9007199254740992,9007199254740993,5,9007199254740993,0.5,1.10,12e22,"
                      "12e23,-0.00,9007199254740993e0,1.1]]");
    options.integers = INTEGERS_SAFE;
    decode_rig_expect(&options, document,
                      "[[9007199254740992,\"9007199254740993\",5,\"9007199254740993\",0.5,\"1.10\","
                      "12e22,\"12e23\",-0.00,\"9007199254740993e0\",1.1]]");
    options.integers = INTEGERS_STRING;
    decode_rig_expect(&options, document,
                      "[[9007199254740992,9007199254740993,\"5\",\"9007199254740993\",\"0.5\","
                      "\"1.10\",\"12e22\",\"12e23\",\"-0.00\",\"9007199254740993e0\",1.1]]");
}

static const struct {
    const char *xml;
    enum document_kind kind;
    size_t n_params;
    const char *method;
    const char *json;
} documents[] = {
    { "<methodCall><methodName>a.b</methodName><params/></methodCall>", DOCUMENT_CALL, 0, "a.b",
      "[]" },
    { "<methodCall><methodName> a</methodName></methodCall>", DOCUMENT_CALL, 0, " a", "[]" },
    { "<methodCall><params><param><value>x</value></param></params></methodCall>", DOCUMENT_CALL, 1,
      NULL, "[\"x\"]" },
    { "<x:methodResponse xmlns:x='y'><params></params></x:methodResponse>", DOCUMENT_RESPONSE, 0,
      NULL, "[]" },
    { "<methodResponse><params><param><int>1</int></param><param><value>x</value></param></params>"
      "</methodResponse>",
      DOCUMENT_RESPONSE, 2, NULL, "[1,\"x\"]" },
    { "<params><int>1</int><value/></params>", DOCUMENT_PARAMS, 2, NULL, "[1,\"\"]" },
    { " <params/><!-- end --><?p?>\n", DOCUMENT_PARAMS, 0, NULL, "[]" },
};

static void test_documents(void **state UNUSED)
{
    struct decode_options options = decode_rig_options();
    struct decoder *d = decoder_new();
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        struct decoded got = decode_rig_run(d, &options, str_of(documents[i].xml), 5);
        assert_true(got.ok);
        assert_int_equal(got.result.kind, documents[i].kind);
        assert_int_equal(got.result.n_params, documents[i].n_params);
        assert_true(str_eq_c(got.result.method, documents[i].method));
        assert_int_equal(got.result.method.data == NULL, documents[i].method == NULL);
        assert_string_equal(got.json, documents[i].json);
        decode_rig_done(&got);
    }
    decoder_free(d);
}

#define CODE(value) "<member><name>faultCode</name>" value "</member>"
#define STRING(value) "<member><name>faultString</name>" value "</member>"

static const struct {
    const char *members;
    int64_t code;
    const char *code_text;
    const char *string;
} faults[] = {
    { CODE("<value><int>4</int></value>") STRING("<value>no \"x\"</value>"), 4, NULL, "no \"x\"" },
    { STRING("<value><string>s</string></value>") CODE("<value><i4>-1</i4></value>"), -1, NULL,
      "s" },
    { CODE("<value><string> 12 </string></value>"), 12, NULL, NULL },
    { CODE("<value>Client</value>") STRING("<value/>"), 0, "Client", "" },
    { CODE("<value><i8>-9223372036854775808</i8></value>"), INT64_MIN, NULL, NULL },
    { CODE("<value><i8>9223372036854775808</i8></value>"), 0, "9223372036854775808", NULL },
    { CODE("<value><double>1.5</double></value>"), 0, "1.5", NULL },
    { CODE("<value><nil/></value>") STRING("<value><nil/></value>"), 0, NULL, NULL },
    { CODE("<value>1</value>") MEMBER("x", "1") CODE("<value>2</value>"), 2, NULL, NULL },
    { STRING("<value><struct>" MEMBER("a", "1") "</struct></value>"), 0, NULL, "{\"a\":\"1\"}" },
    { STRING("<value>a\n\xC3\xA4&#x20;</value>"), 0, NULL, "a\n\xC3\xA4 " },
    { STRING("<value><array><int>1</int></array></value>"), 0, NULL, "[1]" },
    { STRING("<value><struct>" MEMBER("$a", "1") MEMBER("b", "2") "</struct></value>"), 0, NULL,
      "{\"$a\":\"1\",\"b\":\"2\"}" },
    { "\n", 0, NULL, NULL },
    { "", 0, NULL, NULL },
};

static const struct {
    const char *before, *after;
    enum types_form types;
} fault_forms[] = {
    { "<value><struct>", "</struct></value>", TYPES_PLAIN },
    { "<value><struct>", "</struct></value>", TYPES_TAGGED },
    { "<struct>", "</struct>", TYPES_PLAIN },
    { "\n<value>\n <struct>\n", "</struct>\n</value>\n", TYPES_PLAIN },
    { "<value>dropped<struct>", "</struct>dropped</value>", TYPES_PLAIN },
};

static void check_fault(size_t i, size_t form)
{
    struct decode_options options = decode_rig_options();
    struct decoder *d = decoder_new();
    struct buf xml;
    options.types = fault_forms[form].types;
    buf_init(&xml, 65536, NULL);
    buf_append_c(&xml, "<methodResponse><fault>");
    buf_append_c(&xml, fault_forms[form].before);
    buf_append_c(&xml, faults[i].members);
    buf_append_c(&xml, fault_forms[form].after);
    buf_append_c(&xml, "</fault></methodResponse>");
    struct decoded got = decode_rig_run(d, &options, buf_str(&xml), 0);
    assert_true(got.ok);
    assert_int_equal(got.result.kind, DOCUMENT_FAULT);
    assert_int_equal(got.result.n_params, 1);
    assert_true(got.result.fault.code == faults[i].code);
    assert_true(str_eq_c(got.result.fault.code_text, faults[i].code_text));
    assert_int_equal(got.result.fault.code_text.data == NULL, faults[i].code_text == NULL);
    assert_true(str_eq_c(got.result.fault.string, faults[i].string));
    assert_int_equal(got.result.fault.string.data == NULL, faults[i].string == NULL);
    decode_rig_done(&got);
    buf_done(&xml);
    decoder_free(d);
}

/* What looks like a tagged value is a struct where values are plain. */
static void test_fault_structs(void **state UNUSED)
{
    static const char *const texts[] = {
        [TYPES_PLAIN] = "{\"$i8\":\"2\"}", [TYPES_TAGGED] = "{\"$struct\":{\"$i8\":\"2\"}}"
    };
    struct decode_options options = decode_rig_options();
    struct decoder *d = decoder_new();
    struct str document =
        STR("<fault><struct>" CODE("<struct>" MEMBER("$i8", "2") "</struct>")
                STRING("<struct>" MEMBER("$i8", "2") "</struct>") "</struct></fault>");
    for (size_t types = 0; types < ARRAY_LEN(texts); types++) {
        options.types = (enum types_form)types;
        struct decoded got = decode_rig_run(d, &options, document, 0);
        assert_true(got.ok);
        assert_true(got.result.fault.code == 0);
        assert_true(str_eq_c(got.result.fault.code_text, texts[types]));
        assert_true(str_eq_c(got.result.fault.string, texts[types]));
        decode_rig_done(&got);
    }
    decoder_free(d);
}

/* What is kept is so long at most, and ends with a whole character. */
static void test_long_faults(void **state UNUSED)
{
    static const struct {
        const char *value, *kept;
        bool truncated;
    } cases[] = {
        { "<string>12345678</string>", "12345678", false },
        { "<string>123456789</string>", "12345678", true },
        { "<string>1234567\xC3\xA9</string>", "1234567", true },
        { "<string>123456\xC3\xA9</string>", "123456\xC3\xA9", false },
        { "<string>\"\\\n\"\\\n\"\\</string>", "\"\\\n\"\\\n\"\\", false },
        { "<string>\"\\\n\"\\\n\"\\\n</string>", "\"\\\n\"\\\n\"\\", true },
        { "<int>12345678</int>", "12345678", false },
        { "<i8>123456789</i8>", "12345678", true },
        { "<array><data><value>aaaaaaa</value></data></array>", "[\"aaaaaa", true },
    };
    for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
        char xml[500];
        struct decoder *d = decoder_new();
        struct decode_options options = decode_rig_options();
        options.fault_max = 8;
        options.types = i % 2 == 0 ? TYPES_PLAIN : TYPES_TAGGED;
        snprintf(xml, sizeof xml,
                 "<methodResponse><fault><value><struct>" CODE("<value><int>4</int></value>")
                     STRING("<value>%s</value>") "</struct></value></fault></methodResponse>",
                 cases[i / 2].value);
        struct decoded got = decode_rig_run(d, &options, str_of(xml), 0);
        assert_true(got.ok);
        assert_true(str_eq_c(got.result.fault.string, cases[i / 2].kept));
        assert_int_equal(got.result.fault.truncated, cases[i / 2].truncated);
        decode_rig_done(&got);
        decoder_free(d);
    }
}

/* Escapes may stand at any place of the pieces that a long text is read in. */
static void test_faults_of_many_escapes(void **state UNUSED)
{
    enum { LEN = 50000 };
    for (size_t shift = 0; shift < 8; shift++) {
        CLEANUP(buf_done) struct buf xml, text;
        struct decoder *d = decoder_new();
        struct decode_options options = decode_rig_options();
        options.fault_max = LEN - 10;
        buf_init(&xml, SIZE_MAX - 1, NULL);
        buf_init(&text, SIZE_MAX - 1, NULL);
        for (size_t i = 0; i < LEN; i++)
            buf_append_byte(&text, i < shift ? 'x' : "\"\\\ny"[i % 4]);
        buf_append_c(&xml, "<methodResponse><fault><value><struct>" CODE(
                               "<value><int>4</int></value>") "<member><name>faultString</name>"
                                                              "<value>");
        buf_append(&xml, buf_str(&text));
        buf_append_c(&xml, "</value></member></struct></value></fault></methodResponse>");
        struct decoded got = decode_rig_run(d, &options, buf_str(&xml), 0);
        assert_true(got.ok && got.result.fault.truncated);
        assert_true(str_eq(got.result.fault.string, str_slice(buf_str(&text), 0, LEN - 10)));
        decode_rig_done(&got);
        decoder_free(d);
    }
}

static void test_faults(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(faults); i++)
        for (size_t form = 0; form < ARRAY_LEN(fault_forms); form++)
            check_fault(i, form);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_containers),
        cmocka_unit_test(test_many_marked),
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_marked_deep),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_fault_structs),
        cmocka_unit_test(test_long_faults),
        cmocka_unit_test(test_faults_of_many_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
