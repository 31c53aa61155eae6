/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/layout.h"

#include "base/alloc.h"
#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *text, *compact, *for_eyes;
} cases[] = {
    { "1", "1", "1" },
    { " \t\r\n\"a b\" ", "\"a b\"", "\"a b\"" },
    { "[ ]", "[]", "[]" },
    { "{ \n }", "{}", "{}" },
    { "[[],{}]", "[[],{}]", "[\n  [],\n  {}\n]" },
    { "[1 , true,null]", "[1,true,null]", "[\n  1,\n  true,\n  null\n]" },
    { "{\"a\" : {\"b\":[ 1 ]} , \"c\":2}", "{\"a\":{\"b\":[1]},\"c\":2}",
      "{\n  \"a\": {\n    \"b\": [\n      1\n    ]\n  },\n  \"c\": 2\n}" },
    /* Each digit stays. */
    { "[123456789012345678901234567890, -0.0, 1.10, 1e+300, 20.0, 5E-324]",
      "[123456789012345678901234567890,-0.0,1.10,1e+300,20.0,5E-324]",
      "[\n  123456789012345678901234567890,\n  -0.0,\n  1.10,\n  1e+300,\n  20.0,\n  5E-324\n]" },
    /* Marks and quotes in strings are none. */
    { "[\"{,}:[ ]\\\"\\\\\", \"\\u0000\"]", "[\"{,}:[ ]\\\"\\\\\",\"\\u0000\"]",
      "[\n  \"{,}:[ ]\\\"\\\\\",\n  \"\\u0000\"\n]" },
    /* What a terminal might obey: DEL, U+009B (CSI); U+00A0 and U+20AC are letters to it. */
    { "\"a\x7f"
      "b\xc2\x9b\xc2\xa0\xe2\x82\xac\"",
      "\"a\x7f"
      "b\xc2\x9b\xc2\xa0\xe2\x82\xac\"",
      "\"a\\u007fb\\u009b\xc2\xa0\xe2\x82\xac\"" },
    /* The order of text is turned round by U+202E, and by tags of two escapes. */
    { "\"\xe2\x80\xae\xd8\x9c\xef\xbb\xbf\xf3\xa0\x80\x81\xf0\x9f\x98\x80\"",
      "\"\xe2\x80\xae\xd8\x9c\xef\xbb\xbf\xf3\xa0\x80\x81\xf0\x9f\x98\x80\"",
      "\"\\u202e\\u061c\\ufeff\\udb40\\udc01\xf0\x9f\x98\x80\"" },
    { "{\"\xc2\x80\":\"\xc2\x9f\"}", "{\"\xc2\x80\":\"\xc2\x9f\"}",
      "{\n  \"\\u0080\": \"\\u009f\"\n}" },
};

static void check(const char *text, enum json_layout layout, const char *expected)
{
    struct chain to;
    chain_init(&to, SIZE_MAX, NULL);
    json_lay_out(str_of(text), layout, &to);
    char *written = chain_dup(&to);
    assert_string_equal(written, expected);
    free_charp(&written);
    chain_done(&to);
}

static void test_layouts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        check(cases[i].text, JSON_COMPACT, cases[i].compact);
        check(cases[i].text, JSON_FOR_EYES, cases[i].for_eyes);
        check(cases[i].for_eyes, JSON_FOR_EYES, cases[i].for_eyes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
