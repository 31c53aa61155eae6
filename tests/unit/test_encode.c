/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "encode_document.h"

#include <stdio.h>

#define DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static void documents(void **state)
{
    (void)state;
    static const struct {
        enum encode_kind kind;
        const char *json, *xml;
    } cases[] = {
        { ENCODE_CALL, "",
          DECLARATION "<methodCall><methodName>a.b&lt;&amp;</methodName><params>"
                      "</params></methodCall>\n" },
        { ENCODE_CALL, " [ ] \n",
          DECLARATION
          "<methodCall><methodName>a.b&lt;&amp;</methodName><params></params></methodCall>\n" },
        { ENCODE_CALL, "7",
          DECLARATION
          "<methodCall><methodName>a.b&lt;&amp;</methodName><params><param><value><int>7</int>"
          "</value></param></params></methodCall>\n" },
        { ENCODE_PARAMS, "[1,2]",
          "<params><param><value><int>1</int></value></param><param><value>"
          "<int>2</int></value></param></params>\n" },
        { ENCODE_RESPONSE, " [ [] ] ",
          DECLARATION
          "<methodResponse><params><param><value><array><data></data></array></value></param>"
          "</params></methodResponse>\n" },
        { ENCODE_FAULT, " { \"string\" : \"a<b\", \"c\\u006fde\":-4 }",
          DECLARATION
          "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>-4</int>"
          "</value></member><member><name>faultString</name><value><string>a&lt;b</string></value>"
          "</member></struct></value></fault></methodResponse>\n" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct encode_input input = { .kind = cases[i].kind,
                                      .method = STR("a.b<&"),
                                      .json = str_of(cases[i].json),
                                      .options = &encode_defaults };
        char *text = encode_document(&input);
        assert_string_equal(text, cases[i].xml);
        free(text);
    }
}

static void documents_refused(void **state)
{
    (void)state;
    static const struct {
        enum encode_kind kind;
        const char *json, *method;
    } cases[] = {
        { ENCODE_RESPONSE, "", "" },
        { ENCODE_RESPONSE, "[]", "" },
        { ENCODE_RESPONSE, "[1,2]", "" },
        { ENCODE_FAULT, "", "" },
        { ENCODE_FAULT, "[]", "" },
        { ENCODE_FAULT, "{\"code\":1}", "" },
        { ENCODE_FAULT, "{\"code\":1.0,\"string\":\"\"}", "" },
        { ENCODE_FAULT, "{\"code\":\"1\",\"string\":\"\"}", "" },
        { ENCODE_FAULT, "{\"code\":1,\"string\":null}", "" },
        { ENCODE_FAULT, "{\"code\":1,\"string\":\"\",\"x\":1}", "" },
        { ENCODE_FAULT, "{\"code\":5000000000,\"string\":\"\"}", "" },
        { ENCODE_CALL, "[]", "a\x01" },
        { ENCODE_CALL, "[]", "a\xFF" },
        { ENCODE_CALL, "[]", "\xEF\xBF\xBF" },
    };
    struct encoder *e = encoder_new(NULL);
    struct chain out;
    chain_init(&out, ENCODE_MAX, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct encode_input input = { .kind = cases[i].kind,
                                      .method = str_of(cases[i].method),
                                      .json = str_of(cases[i].json),
                                      .options = &encode_defaults };
        struct error err;
        assert_int_equal(encode_run(e, &input, SIZE_MAX, &out, &err), CODEC_FAILED);
        assert_int_equal(err.type, PROBLEM_UNREPRESENTABLE);
    }
    chain_done(&out);
    encoder_free(e);
}

static void what_is_no_json(void **state)
{
    (void)state;
    static const char *const texts[] = { "[1",
                                         "{\"a\":1,\"a\":2}",
                                         "[\"\\ud800\"]",
                                         "[1e999]",
                                         "[{\"$double\":-1e999}]",
                                         "\xEF\xBB\xBF\xEF\xBB\xBF[1]",
                                         "[1]\xEF\xBB\xBF",
                                         "\xEF\xBB[1]",
                                         "\xFF\xFE[1]" };
    struct encoder *e = encoder_new(NULL);
    struct chain out;
    struct error err;
    chain_init(&out, ENCODE_MAX, NULL);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct encode_input input = { .kind = ENCODE_CALL,
                                      .method = STR("m"),
                                      .json = str_of(texts[i]),
                                      .options = &encode_defaults };
        assert_int_equal(encode_run(e, &input, SIZE_MAX, &out, &err), CODEC_FAILED);
        assert_int_equal(err.type, PROBLEM_INVALID_JSON);
        assert_non_null(strstr(err.detail, "line 1, column "));
    }
    chain_done(&out);
    encoder_free(e);
}

static void nil_of_another_namespace(void **state)
{
    (void)state;
    struct encode_options ex = { .extensions = EXTENSION_EX_NIL, .depth = 128 };
    struct encode_input input = {
        .kind = ENCODE_CALL, .method = STR("m"), .json = STR("null"), .options = &ex
    };
    char *text = encode_document(&input);
    assert_string_equal(
        text,
        DECLARATION "<methodCall xmlns:ex=\"http://ws.apache.org/xmlrpc/namespaces/extensions\">"
                    "<methodName>m</methodName><params><param><value><ex:nil/></value></param>"
                    "</params></methodCall>\n");
    free(text);
}

static void text_policies(void **state)
{
    (void)state;
    static const struct {
        enum text_policy policy;
        const char *json, *xml;
        size_t repaired;
    } cases[] = {
        { TEXT_REPLACE, "[\"a\\u0000b\\ufffe\",\"c\"]",
          "<params><param><value><string>a\xEF\xBF\xBD"
          "b\xEF\xBF\xBD</string></value></param>"
          "<param><value><string>c</string></value></param></params>\n",
          2 },
        { TEXT_REPLACE, "{\"\\b\":\"\\t\"}",
          "<params><param><value><struct><member><name>\xEF\xBF\xBD</name><value><string>\t</"
          "string>"
          "</value></member></struct></value></param></params>\n",
          1 },
        { TEXT_REPLACE, "{\"a\\ufffe\":1,\"b\\uffff\":2,\"c\\ufffd\":3}",
          "<params><param><value><struct><member><name>a\xEF\xBF\xBD</name><value><int>1</int>"
          "</value></member><member><name>b\xEF\xBF\xBD</name><value><int>2</int></value></member>"
          "<member><name>c\xEF\xBF\xBD</name><value><int>3</int></value></member></struct></value>"
          "</param></params>\n",
          2 },
        { TEXT_BASE64, "[\"a\\u0000b\",\"c\\r\",{\"$string\":\"\\u001f\"}]",
          "<params><param><value><base64>YQBi</base64></value></param><param><value><string>c&#13;"
          "</string></value></param><param><value><base64>Hw==</base64></value></param></params>\n",
          2 },
        { TEXT_BASE64, "{\"\\b\":\"\\t\"}",
          "<params><param><value><struct><member><name>CA==</name><value><string>\t</string></"
          "value>"
          "</member></struct></value></param></params>\n",
          1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct encode_options options = { .depth = 128, .text = cases[i].policy };
        struct encode_input input = { .kind = ENCODE_PARAMS,
                                      .json = str_of(cases[i].json),
                                      .options = &options };
        struct encoder *e = encoder_new(NULL);
        struct chain out;
        struct error err;
        chain_init(&out, ENCODE_MAX, NULL);
        assert_int_equal(encode_run(e, &input, 1, &out, &err), CODEC_DONE);
        char *text = chain_dup(&out);
        assert_string_equal(text, cases[i].xml);
        assert_int_equal(encoder_repaired(e), cases[i].repaired);
        free(text);
        chain_done(&out);
        encoder_free(e);
    }
}

/* Names that are different are never made the same, of which an upstream would drop one. */
static void names_made_the_same(void **state)
{
    (void)state;
    static const struct {
        enum text_policy policy;
        const char *json, *pointer; /* NULL: taken */
    } cases[] = {
        { TEXT_REPLACE, "[{\"a\\u0001\":1,\"a\\u0002\":2}]", "/0/a\x02" },
        { TEXT_REPLACE, "[1,{\"x\":{\"a\\ufffd\":1,\"b\":2,\"a\\uffff\":3}}]",
          "/1/x/a\xEF\xBF\xBF" },
        { TEXT_REPLACE, "[{\"a\\u0001\":{\"a\\u0002\":1}},{\"a\\u0003\":1}]", NULL },
        { TEXT_REPLACE, "[{\"a\\u0001\":1,\"a\":2,\"a\\t\":3}]", NULL },
        { TEXT_BASE64, "[{\"AQ==\":1,\"\\u0001\":2}]", "/0/\x01" },
        { TEXT_BASE64, "[{\"\\u0002\":1,\"\\u0001\":2}]", NULL },
        { TEXT_REJECT, "[{\"AQ==\":1,\"AQ\":2}]", NULL },
    };
    struct encoder *e = encoder_new(NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct encode_options options = { .depth = 128, .text = cases[i].policy };
        struct encode_input input = { .kind = ENCODE_PARAMS,
                                      .json = str_of(cases[i].json),
                                      .options = &options };
        struct chain out;
        struct error err;
        chain_init(&out, ENCODE_MAX, NULL);
        enum codec_step end = encode_run(e, &input, 1, &out, &err);
        assert_int_equal(end, cases[i].pointer != NULL ? CODEC_FAILED : CODEC_DONE);
        if (cases[i].pointer != NULL) {
            assert_int_equal(err.type, PROBLEM_UNREPRESENTABLE);
            assert_string_equal(err.pointer, cases[i].pointer);
        }
        chain_done(&out);
    }
    encoder_free(e);
}

static void encodings(void **state)
{
    (void)state;
    static const struct {
        const char *name, *string;
    } cases[] = {
        { "US-ASCII", "a&#233;&#8364;&#128512;" },
        { "ISO-8859-1", "a\xE9&#8364;&#128512;" },
        { "windows-1252", "a\xE9\x80&#128512;" },
        { "utf-8", "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct encode_options options = { .depth = 128, .encoding = cases[i].name };
        struct encode_input input = { .kind = ENCODE_CALL,
                                      .method = STR("m"),
                                      .json = STR("\"a\xC3\xA9\\u20ac\\ud83d\\ude00\""),
                                      .options = &options };
        char expected[256];
        char *text = encode_document(&input);
        assert_true(encode_encoding_known(cases[i].name));
        snprintf(expected, sizeof expected, "<string>%s</string>", cases[i].string);
        assert_non_null(strstr(text, expected));
        snprintf(expected, sizeof expected, "<?xml version=\"1.0\" encoding=\"%s\"?>",
                 str_eq_c(str_of(cases[i].name), "utf-8") ? "UTF-8" : cases[i].name);
        assert_non_null(strstr(text, expected));
        free(text);
    }
    static const char *const known[] = { "UTF-16", "UTF-16LE", "UTF-32",  "Shift_JIS",
                                         "KOI8-R", "EUC-JP",   "GB18030", "ISO-2022-JP" };
    static const char *const unknown[] = {
        "", "x-none", "UTF-7", "IBM037", "ISO-8859-1//TRANSLIT", "-", "US-ASCII\n"
    };
    assert_true(encode_encoding_known(NULL));
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        assert_true(encode_encoding_known(known[i]));
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
        assert_false(encode_encoding_known(unknown[i]));
}

/* iconv writes some characters as the byte of another. */
static void characters_stay_apart(void **state)
{
    (void)state;
    static const char *const names[] = { "Shift_JIS", "EUC-JP", "windows-31j", "EUC-KR" };
    static const char *const pairs[][2] = {
        { "\"\\\\\"", "\"\xC2\xA5\"" },
        { "\"~\"", "\"\xE2\x80\xBE\"" },
        { "\"\\\\\"", "\"\xE2\x82\xA9\"" },
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct encode_options options = { .depth = 128, .encoding = names[i] };
        for (size_t j = 0; j < ARRAY_LEN(pairs); j++) {
            struct encode_input input = { .kind = ENCODE_CALL,
                                          .method = STR("m"),
                                          .json = str_of(pairs[j][0]),
                                          .options = &options };
            char *one = encode_document(&input);
            input.json = str_of(pairs[j][1]);
            char *other = encode_document(&input);
            assert_string_not_equal(one, other);
            free(one);
            free(other);
        }
    }
}

static void memory_is_counted(void **state)
{
    (void)state;
    struct budget budget = { 0 };
    struct error err;
    struct chain out;
    size_t n = 1 << 20;
    char *zeros = xcalloc(2 * n + 2, 1);
    for (size_t i = 0; i < n; i++)
        memcpy(zeros + 2 * i, i == 0 ? "[0" : ",0", 2);
    zeros[2 * n] = ']';
    struct encode_input input = { .kind = ENCODE_CALL,
                                  .method = STR("m"),
                                  .json = { zeros, 2 * n + 1 },
                                  .options = &encode_defaults };
    atomic_store(&budget.max, 1 << 20);
    struct encoder *e = encoder_new(&budget);
    chain_init(&out, ENCODE_MAX, &budget);
    assert_int_equal(encode_run(e, &input, 65536, &out, &err), CODEC_FAILED);
    assert_int_equal(err.type, PROBLEM_OVERLOADED);
    assert_string_equal(err.setting, "limits.memory");
    atomic_store(&budget.max, 100 << 20);
    chain_clear(&out);
    assert_int_equal(encode_run(e, &input, 65536, &out, &err), CODEC_DONE);
    chain_done(&out);
    encoder_free(e);
    free(zeros);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void a_document_may_be_given_up(void **state)
{
    (void)state;
    struct encoder *e = encoder_new(NULL);
    struct encode_input input = { .kind = ENCODE_PARAMS,
                                  .json = STR("[[1,{\"$a\":2,\"b\":3}],2]"),
                                  .options = &encode_defaults };
    struct chain out;
    struct error err;
    chain_init(&out, ENCODE_MAX, NULL);
    for (int steps = 0; steps < 30; steps++) {
        encoder_begin(e, &input, &out);
        for (int i = 0; i < steps; i++)
            assert_int_not_equal(encoder_step(e, 1, &err), CODEC_FAILED);
    }
    chain_clear(&out);
    assert_int_equal(encode_run(e, &input, 1, &out, &err), CODEC_DONE);
    chain_done(&out);
    encoder_free(e);
    encoder_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents),         cmocka_unit_test(documents_refused),
        cmocka_unit_test(what_is_no_json),   cmocka_unit_test(nil_of_another_namespace),
        cmocka_unit_test(text_policies),     cmocka_unit_test(names_made_the_same),
        cmocka_unit_test(encodings),         cmocka_unit_test(characters_stay_apart),
        cmocka_unit_test(memory_is_counted), cmocka_unit_test(a_document_may_be_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
