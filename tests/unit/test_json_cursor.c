/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_str(struct str s, const char *expected)
{
    assert_int_equal(s.len, strlen(expected));
    assert_memory_equal(s.data, expected, s.len);
}

static void trimming(void **state)
{
    (void)state;
    assert_str(json_trim(STR(" \t\r\n[1] \n")), "[1]");
    assert_str(json_trim(STR("1")), "1");
    assert_str(json_trim(STR(" \n ")), "");
    assert_str(json_trim(STR("                 \n [1\x8A]\t\r\n                ")), "[1\x8A]");
    assert_str(json_trim(STR("                 \x0B                ")), "\x0B");
    assert_str(json_trim(STR("                 \n\t\r                ")), "");
}

static void elements(void **state)
{
    (void)state;
    static const char *const expected[] = { "1",    "-2.5e+3", "\"a]\\\"\"", "[ [ ] , {} ]",
                                            "true", "false",   "null",       "{\"x\" : \"}\"}" };
    struct json_cursor c = json_enter(
        STR("[ 1 ,-2.5e+3,\"a]\\\"\" , [ [ ] , {} ],true,false, null,{\"x\" : \"}\"} ]"));
    struct str value;
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_true(json_next(&c, NULL, &value));
        assert_str(value, expected[i]);
    }
    assert_false(json_next(&c, NULL, &value));
    assert_false(json_next(&c, NULL, &value));
}

static void members(void **state)
{
    (void)state;
    struct json_cursor c = json_enter(STR("{\"a\" : 1 , \"b\\\"\":[2,3],\"\":{}}"));
    struct str name, value;
    assert_true(json_next(&c, &name, &value));
    assert_str(name, "\"a\"");
    assert_str(value, "1");
    assert_true(json_next(&c, &name, &value));
    assert_str(name, "\"b\\\"\"");
    assert_str(value, "[2,3]");
    assert_true(json_next(&c, &name, &value));
    assert_str(name, "\"\"");
    assert_str(value, "{}");
    assert_false(json_next(&c, &name, &value));
}

static void nothing_inside(void **state)
{
    (void)state;
    struct str value;
    struct json_cursor array = json_enter(STR("[ ]"));
    struct json_cursor object = json_enter(STR("{}"));
    assert_false(json_next(&array, NULL, &value));
    assert_false(json_next(&object, NULL, &value));
}

static void escapes(void **state)
{
    (void)state;
    static const char expected[] = "a\"\\/\b\f\n\r\t\0\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";
    struct buf text;
    buf_init(&text, 1000, NULL);
    json_unquote(STR("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e9\\u20AC\\uD83D\\ude00z\""), &text);
    assert_int_equal(text.len, sizeof expected - 1);
    assert_memory_equal(text.data, expected, text.len);
    buf_clear(&text);
    json_unquote(STR("\"\""), &text);
    assert_int_equal(text.len, 0);
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trimming),       cmocka_unit_test(elements), cmocka_unit_test(members),
        cmocka_unit_test(nothing_inside), cmocka_unit_test(escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
