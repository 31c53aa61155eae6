/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/cursor.h"

#include "base/alloc.h"
#include "codec/json/pointer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

static void finds_by_pointer(void **state)
{
    static const struct {
        const char *json, *pointer, *found; /* NULL: it is not there */
    } cases[] = {
        { "7", "", "7" },
        { "{\"a\":1,\"b\": [2, {\"c\":3}] }", "/b/1/c", "3" },
        { "{\"a\": 1, \"a\": 2 }", "/a", "2" },
        { "{\"a/b\":1,\"~\":2}", "/a~1b", "1" },
        { "{\"\\u00e9\":1,\"~\":2}", "/\xC3\xA9", "1" },
        { "{\"~\":2,\"\":3}", "/~0", "2" },
        { "{\"\":3}", "/", "3" },
        { "{\"0\":[4]}", "/0/0", "4" },
        { "[5,6]", "/1", "6" },
        { "[5,6]", "/01", NULL },
        { "[5,6]", "/2", NULL },
        { "[5,6]", "/a", NULL },
        { "{\"a\":1}", "/b", NULL },
        { "{\"a\":1}", "/a/b", NULL },
        { "\"a\"", "/a", NULL },
        { "[[],{\"a\":[1,{\"b\":[]}]} , [{\"c\":null , \"d\" : false}]]", "/2/0/d", "false" },
        { "[[],{\"a\":[1,{\"b\":[]}]},7]", "/1/a/1/b", "[]" },
        { "[[],{\"a\":[1,{\"b\":[]}]},7]", "/1/a/1/b/0", NULL },
        { "{\"a\":{\"b\":1},\"c\":[],\"a\":{\"c\":2}}", "/a/c", "2" },
        { "{\"a\":{\"b\":1},\"c\":[],\"a\":{\"c\":2}}", "/a/b", NULL },
        { "[]", "/0", NULL },
        { "{}", "/a", NULL },
        { "", "/a", NULL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str pointer = str_of(cases[i].pointer);
        void *memory = xcalloc(1, json_path_size(pointer) + 1);
        struct json_path path;
        assert_true(json_path_read(pointer, memory, &path));
        struct str found = json_path_find(&path, str_of(cases[i].json));
        assert_int_equal(found.data != NULL, cases[i].found != NULL);
        if (cases[i].found != NULL)
            assert_str(found, cases[i].found);
        struct json_search search;
        json_search_begin(&search, &path, str_of(cases[i].json));
        while (!json_search_step(&search, 1))
            assert_false(search.is_over);
        assert_ptr_equal(search.json.data, found.data);
        assert_int_equal(search.json.len, found.len);
        free(memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trimming), cmocka_unit_test(elements),
        cmocka_unit_test(members),  cmocka_unit_test(nothing_inside),
        cmocka_unit_test(escapes),  cmocka_unit_test(finds_by_pointer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
