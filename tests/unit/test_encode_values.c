/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "encode_document.h"

#include <stdio.h>

#define ALL UINT32_MAX /* extensions */

/* What stands between <params> and </params>. */
static void assert_params(const char *json, const struct encode_options *options,
                          const char *expected)
{
    struct encode_input input = { .kind = ENCODE_PARAMS, .json = str_of(json), .options = options };
    char *text = encode_document(&input);
    size_t len = strlen(expected);
    if (strncmp(text, "<params>", 8) != 0 || strncmp(text + 8, expected, len) != 0 ||
        strcmp(text + 8 + len, "</params>\n") != 0)
        fail_msg("%s: %s, not %s", json, text, expected);
    free(text);
}

static void assert_value(const char *json, const struct encode_options *options,
                         const char *expected)
{
    struct buf array, param;
    buf_init(&array, ENCODE_MAX, NULL);
    buf_init(&param, ENCODE_MAX, NULL);
    buf_printf(&array, "[%s]", json);
    buf_printf(&param, "<param><value>%s</value></param>", expected);
    assert_params(buf_c(&array), options, buf_c(&param));
    if (json[0] != '[')
        assert_params(json, options, buf_c(&param)); /* the one param */
    buf_done(&array);
    buf_done(&param);
}

static void assert_refused(const char *json, const struct encode_options *options,
                           const char *pointer, const char *says)
{
    struct encode_input input = {
        .kind = ENCODE_CALL, .method = STR("m"), .json = str_of(json), .options = options
    };
    struct encoder *e = encoder_new(NULL);
    struct chain out;
    struct error err;
    chain_init(&out, ENCODE_MAX, NULL);
    assert_int_equal(encode_run(e, &input, SIZE_MAX, &out, &err), CODEC_FAILED);
    assert_int_equal(err.type, PROBLEM_UNREPRESENTABLE);
    assert_true(err.has_pointer);
    assert_string_equal(err.pointer, pointer);
    if (strstr(err.detail, says) == NULL)
        fail_msg("%s: %s, without %s", json, err.detail, says);
    chain_done(&out);
    encoder_free(e);
}

static const struct {
    const char *json, *xml;
} plain_values[] = {
    { "true", "<boolean>1</boolean>" },
    { "false", "<boolean>0</boolean>" },
    { "0", "<int>0</int>" },
    { "-0", "<int>0</int>" },
    { "20", "<int>20</int>" },
    { "-2147483648", "<int>-2147483648</int>" },
    { "2147483647", "<int>2147483647</int>" },
    { "1.1", "<double>1.1</double>" },
    { "20.0", "<double>20.0</double>" },
    { "1e2", "<double>100.0</double>" },
    { "-0.0", "<double>-0.0</double>" },
    { "0.1", "<double>0.1</double>" },
    { "1E-7", "<double>0.0000001</double>" },
    { "0.30000000000000004", "<double>0.30000000000000004</double>" },
    { "0.1000000000000000055511151231257827021181583404541015625", "<double>0.1</double>" },
    { "\"\"", "<string></string>" },
    { "\" a \\t\\n \"", "<string> a \t\n </string>" },
    { "\"<&>]]>\\r\\\"\\\\\\/'\"", "<string>&lt;&amp;&gt;]]&gt;&#13;\"\\/'</string>" },
    { "\"\\u003c\\u0026\\u007f\\u00e9\\ud83d\\ude00\"",
      "<string>&lt;&amp;\x7F\xC3\xA9\xF0\x9F\x98\x80</string>" },
    { "\"\xEF\xBF\xBD\xEF\xBC\x8C\xEF\xBF\xBD\"",
      "<string>\xEF\xBF\xBD\xEF\xBC\x8C\xEF\xBF\xBD</string>" },
    { "\"1998-07-17T14:08:55\"", "<string>1998-07-17T14:08:55</string>" },
    { "\"NaN\"", "<string>NaN</string>" },
    { "[]", "<array><data></data></array>" },
    { "[[],[1]]", "<array><data><value><array><data></data></array></value><value><array><data>"
                  "<value><int>1</int></value></data></array></value></data></array>" },
    { "{}", "<struct></struct>" },
    { "{ \"b<\" : 1 , \"\" : {} }",
      "<struct><member><name>b&lt;</name><value><int>1</int></value></member><member><name></name>"
      "<value><struct></struct></value></member></struct>" },
    { "{\"$int\":1,\"b\":2}",
      "<struct><member><name>$int</name><value><int>1</int></value></member>"
      "<member><name>b</name><value><int>2</int></value></member></struct>" },
    { "{\"a\":{\"$int\":1}}",
      "<struct><member><name>a</name><value><int>1</int></value></member></struct>" },
    { "{\"$struct\":{\"$int\":{\"$int\":1}}}",
      "<struct><member><name>$int</name><value><int>1</int></value></member></struct>" },
    { " { \"\\u0024struct\" : { } } ", "<struct></struct>" },
    { "{\"$struct\":{\"$struct\":[{\"$struct\":{}}]}}",
      "<struct><member><name>$struct</name><value><array><data><value><struct></struct></value>"
      "</data></array></value></member></struct>" },
};

static void values(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(plain_values); i++)
        assert_value(plain_values[i].json, &encode_defaults, plain_values[i].xml);
}

static const struct {
    const char *json, *xml;
} tagged_values[] = {
    { "{\"$int\":5}", "<int>5</int>" },
    { "{\"$int\":\"-05\"}", "<int>-5</int>" },
    { "{\"$int\":5.0}", "<int>5</int>" },
    { "{\"$int\":1.5e3}", "<int>1500</int>" },
    { "{\"$int\":100e-2}", "<int>1</int>" },
    { "{\"$int\":-0.0}", "<int>0</int>" },
    { "{\"$int\":\"\\u0037\"}", "<int>7</int>" },
    { "{\"$i8\":\"5\"}", "<i8>5</i8>" },
    { "{\"$i8\":-9223372036854775808}", "<i8>-9223372036854775808</i8>" },
    { "{\"$biginteger\":\"1234567890123456789012345678901234567890\"}",
      "<biginteger>1234567890123456789012345678901234567890</biginteger>" },
    { "{\"$biginteger\":1e20}", "<biginteger>100000000000000000000</biginteger>" },
    { "{\"$bigdecimal\":1.10}", "<bigdecimal>1.10</bigdecimal>" },
    { "{\"$bigdecimal\":\"+1.10\"}", "<bigdecimal>1.10</bigdecimal>" },
    { "{\"$bigdecimal\":1e999}", "<bigdecimal>1e999</bigdecimal>" },
    { "{\"$double\":5}", "<double>5.0</double>" },
    { "{\"$double\":\"1e2\"}", "<double>100.0</double>" },
    { "{\"$double\":\"NaN\"}", "<double>NaN</double>" },
    { "{\"$double\":\"-Infinity\"}", "<double>-Infinity</double>" },
    { "{\"$string\":\"a\"}", "<string>a</string>" },
    { "{\"$boolean\":true}", "<boolean>1</boolean>" },
    { "{\"$boolean\":0}", "<boolean>0</boolean>" },
    { "{\"$nil\":true}", "<nil/>" },
    { "null", "<nil/>" },
    { "2147483648", "<i8>2147483648</i8>" },
    { "9223372036854775807", "<i8>9223372036854775807</i8>" },
    { "-9223372036854775809", "<biginteger>-9223372036854775809</biginteger>" },
    { "{\"$base64\":\"\"}", "<base64></base64>" },
    { "{ \"$base64\" : \"-_\\/\\u002B\" }", "<base64>+//+</base64>" },
    { "{\"$base64\":\"Zg\"}", "<base64>Zg==</base64>" },
    { "{\"$dateTime\":\"19980717T14:08:55\"}",
      "<dateTime.iso8601>19980717T14:08:55</dateTime.iso8601>" },
    { "{\"$dateTime\":\"1998-07-17T14:08:55\"}",
      "<dateTime.iso8601>19980717T14:08:55</dateTime.iso8601>" },
    { "{\"$dateTime\":\"1998-07-17T14:08:55.9+02:00\"}",
      "<dateTime.iso8601>19980717T12:08:55</dateTime.iso8601>" },
    { "{\"$dateTime\":0}", "<dateTime.iso8601>19700101T00:00:00</dateTime.iso8601>" },
    { "{\"$dateTime\":1.5e9}", "<dateTime.iso8601>20170714T02:40:00</dateTime.iso8601>" },
    { "{\"$dateTime\":0.999}", "<dateTime.iso8601>19700101T00:00:00</dateTime.iso8601>" },
    { "{\"$dateTime\":-0.5}", "<dateTime.iso8601>19691231T23:59:59</dateTime.iso8601>" },
    { "{\"$dateTime\":-62135596800}", "<dateTime.iso8601>00010101T00:00:00</dateTime.iso8601>" },
    { "{\"$dateTime\":253402300799.9}", "<dateTime.iso8601>99991231T23:59:59</dateTime.iso8601>" },
};

static void values_that_say_their_type(void **state)
{
    (void)state;
    struct encode_options all = { .extensions = ALL, .depth = 128 };
    for (size_t i = 0; i < ARRAY_LEN(tagged_values); i++)
        assert_value(tagged_values[i].json, &all, tagged_values[i].xml);
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *json, *pointer, *says;
    } cases[] = {
        { "[null]", "/0", "\"nil\"" },
        { "[{\"$nil\":true}]", "/0", "\"nil\"" },
        { "[1,{\"a/b~c\":[2147483648]}]", "/1/a~1b~0c/0", "\"i8\"" },
        { "[-9223372036854775809]", "/0", "\"biginteger\"" },
        { "[{\"$i8\":1}]", "/0", "\"i8\"" },
        { "[{\"$biginteger\":1}]", "/0", "\"biginteger\"" },
        { "[{\"$bigdecimal\":1}]", "/0", "\"bigdecimal\"" },
        { "[{\"$double\":\"NaN\"}]", "/0", "\"nonfinite\"" },
        { "{\"$a\":1}", "", "$struct" },
        { "{\"\\u0024\":1}", "", "$struct" },
        { "{\"$struct\":{\"$a\":[0,null]}}", "/$struct/$a/1", "nil" },
        { "[[],{\"\":{\"\\u00e9\":\"\\u0000\"}}]", "/1//\xC3\xA9", "U+0000" },
        { "[{\"a\\u001fb\":1}]",
          "/0/a\x1F"
          "b",
          "U+001F" },
        { "[\"\\ufffe\"]", "/0", "U+FFFE" },
        { "[\"\xEF\xBF\xBF\"]", "/0", "U+FFFF" },
        { "[{\"$string\":\"\\b\"}]", "/0", "U+0008" },
        { "[{\"$string\":5}]", "/0", "$string" },
        { "[{\"$struct\":[]}]", "/0", "$struct" },
        { "[{\"$int\":2147483648}]", "/0", "$i8" },
        { "[{\"$int\":1.5}]", "/0", "$int" },
        { "[{\"$int\":1e1000000000000}]", "/0", "$int" },
        { "[{\"$int\":\"x\"}]", "/0", "$int" },
        { "[{\"$int\":\"\"}]", "/0", "$int" },
        { "[{\"$int\":true}]", "/0", "$int" },
        { "[{\"$int\":[1]}]", "/0", "$int" },
        { "[{\"$double\":\"1e999\"}]", "/0", "double" },
        { "[{\"$double\":\"nan\"}]", "/0", "$double" },
        { "[{\"$double\":null}]", "/0", "$double" },
        { "[{\"$boolean\":\"true\"}]", "/0", "$boolean" },
        { "[{\"$boolean\":2}]", "/0", "$boolean" },
        { "[{\"$nil\":false}]", "/0", "$nil" },
        { "[{\"$base64\":1}]", "/0", "$base64" },
        { "[{\"$base64\":\"Zg=\"}]", "/0", "padding" },
        { "[{\"$base64\":\"Z!==\"}]", "/0", "$base64" },
        { "[{\"$base64\":\"Z\\u0000==\"}]", "/0", "$base64" },
        { "[{\"$dateTime\":\"\"}]", "/0", "$dateTime" },
        { "[{\"$dateTime\":\"1998-07-17\"}]", "/0", "$dateTime" },
        { "[{\"$dateTime\":\"20230229T00:00:00\"}]", "/0", "$dateTime" },
        { "[{\"$dateTime\":true}]", "/0", "$dateTime" },
        { "[{\"$dateTime\":253402300800}]", "/0", "9999" },
        { "[{\"$dateTime\":1e300}]", "/0", "9999" },
        { "[{\"$dateTime\":\"0001-01-01T00:00:00+00:01\"}]", "/0", "0001" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_refused(cases[i].json, &encode_defaults, cases[i].pointer, cases[i].says);
}

static void time_zones(void **state)
{
    (void)state;
    struct encode_options options = { .depth = 128, .timezone = "-03:30" };
    assert_true(encode_timezone_known(NULL));
    assert_true(encode_timezone_known("-03:30"));
    assert_false(encode_timezone_known("Nowhere/Land"));
    assert_value("{\"$dateTime\":0}", &options,
                 "<dateTime.iso8601>19691231T20:30:00</dateTime.iso8601>");
    assert_value("{\"$dateTime\":\"1970-01-01T00:00:00\"}", &options,
                 "<dateTime.iso8601>19700101T00:00:00</dateTime.iso8601>");
}

static void forms_of_dates(void **state)
{
    (void)state;
    struct encode_options extended = { .depth = 128, .dates = DATES_EXTENDED };
    struct encode_options zulu = { .depth = 128, .dates = DATES_ZULU };
    static const char *const dates[] = { "\"19980717T14:08:55\"", "\"1998-07-17T14:08:55\"",
                                         "\"1998-07-17T14:08:55Z\"", "900684535" };
    for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
        char json[64];
        snprintf(json, sizeof json, "{\"$dateTime\":%s}", dates[i]);
        assert_value(json, &extended, "<dateTime.iso8601>1998-07-17T14:08:55</dateTime.iso8601>");
        assert_value(json, &zulu, "<dateTime.iso8601>19980717T14:08:55Z</dateTime.iso8601>");
    }
    assert_value("{\"$dateTime\":\"19980717T14:08:55Z\"}", &zulu,
                 "<dateTime.iso8601>19980717T14:08:55Z</dateTime.iso8601>");
    assert_refused("[{\"$dateTime\":\"19980717T14:08:55Z\"}]", &extended, "/0", "$dateTime");
    assert_refused("[{\"$dateTime\":\"19980717T14:08:55z\"}]", &zulu, "/0", "$dateTime");
    assert_refused("[{\"$dateTime\":\"19980732T14:08:55Z\"}]", &zulu, "/0", "$dateTime");
}

/* What a decoder wrote goes out as it came in. */
static void as_decoded(void **state)
{
    const struct encode_options options = { .depth = 128, .extensions = ALL, .as_decoded = true };
    (void)state;
    assert_value("1099511627776", &options, "<int>1099511627776</int>");
    assert_value("-123456789012345678901", &options, "<int>-123456789012345678901</int>");
    assert_value("5", &options, "<int>5</int>");
    assert_value("{\"$i8\":\"5\"}", &options, "<i8>5</i8>");
    assert_value("{\"$dateTime\":\"20240229T24:00:00Z\"}", &options,
                 "<dateTime.iso8601>20240229T24:00:00Z</dateTime.iso8601>");
    assert_value("{\"$dateTime\":\"\"}", &options, "<dateTime.iso8601></dateTime.iso8601>");
    assert_value("{\"$dateTime\":\"a<\\r\\u00e9\"}", &options,
                 "<dateTime.iso8601>a&lt;&#13;\xC3\xA9</dateTime.iso8601>");
    assert_value("{\"$dateTime\":\"2024-02-29T23:59:58+01:00\"}", &options,
                 "<dateTime.iso8601>2024-02-29T23:59:58+01:00</dateTime.iso8601>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),         cmocka_unit_test(values_that_say_their_type),
        cmocka_unit_test(refusals),       cmocka_unit_test(time_zones),
        cmocka_unit_test(forms_of_dates), cmocka_unit_test(as_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
