/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/scan.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define DEPTH 8

static enum codec_step scan(struct json_scan *s, struct str text, size_t step, struct error *err)
{
    enum codec_step end;
    json_scan_begin(s, text, DEPTH);
    do
        end = json_scan_step(s, step, err);
    while (end == CODEC_MORE);
    return end;
}

static void valid_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0",
        "-0",
        "-0.0",
        "1.5",
        "1e5",
        "1E+5",
        "1e-5",
        "120",
        "\"\"",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        " [ 1 , 2 ] ",
        "\t\r\n{\"a\" : [ ] }\n",
        "[[[[[[[[1]]]]]]]]",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\"",
        "\"\\ud83d\\ude00\\uD7FF\\uE000\\uFFFF\"",
        "\"\x7F \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \xEF\xBF\xBF\"",
        "{\"\":1,\"a\":2,\"A\":3}",
        "{\"a\":{\"a\":{\"a\":1},\"b\":2},\"b\":{\"a\":1}}",
        "[{\"a\":1},{\"a\":1}]",
        "1e999",
        "123456789012345678901234567890",
    };
    struct json_scan s;
    struct error err;
    json_scan_init(&s, NULL);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(scan(&s, str_of(texts[i]), SIZE_MAX, &err), CODEC_DONE);
        assert_int_equal(scan(&s, str_of(texts[i]), 1, &err), CODEC_DONE);
    }
    json_scan_done(&s);
}

static void invalid_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *place;
    } cases[] = {
        { "", "line 1, column 1" },
        { " ", "line 1, column 2" },
        { "[1,]", "line 1, column 4" },
        { "[,1]", "line 1, column 2" },
        { "[1 2]", "line 1, column 4" },
        { "[1", "line 1, column 3" },
        { "[1}", "line 1, column 3" },
        { "]", "line 1, column 1" },
        { "{\"a\":1,}", "line 1, column 8" },
        { "{\"a\"}", "line 1, column 5" },
        { "{\"a\":}", "line 1, column 6" },
        { "{a:1}", "line 1, column 2" },
        { "{\"a\":1]", "line 1, column 7" },
        { "{\"a\":1 \"b\":2}", "line 1, column 8" },
        { "01", "line 1, column 1" },
        { "-01", "line 1, column 2" },
        { "1.", "line 1, column 3" },
        { ".5", "line 1, column 1" },
        { "+1", "line 1, column 1" },
        { "1e", "line 1, column 3" },
        { "-", "line 1, column 2" },
        { "0x10", "line 1, column 2" },
        { "NaN", "line 1, column 1" },
        { "Infinity", "line 1, column 1" },
        { "-Infinity", "line 1, column 2" },
        { "tru", "line 1, column 1" },
        { "True", "line 1, column 1" },
        { "nulll", "line 1, column 5" },
        { "'a'", "line 1, column 1" },
        { "\"a", "line 1, column 3" },
        { "\"a\\", "line 1, column 4" },
        { "\"a\tb\"", "line 1, column 3" },
        { "\"\x1F\"", "line 1, column 2" },
        { "\"\\x\"", "line 1, column 2" },
        { "\"\\u12\"", "line 1, column 2" },
        { "\"\\u12g4\"", "line 1, column 2" },
        { "\"\\ud800\"", "line 1, column 2" },
        { "\"\\udc00\"", "line 1, column 2" },
        { "\"\\ud800\\u0041\"", "line 1, column 2" },
        { "\"\\ud800\\ud800\"", "line 1, column 2" },
        { "\"\xC0\x80\"", "line 1, column 2" },
        { "\"\xE0\x80\x80\"", "line 1, column 2" },
        { "\"\xED\xA0\x80\"", "line 1, column 2" },
        { "\"\xF5\x80\x80\x80\"", "line 1, column 2" },
        { "\"\xF4\x90\x80\x80\"", "line 1, column 2" },
        { "\"\xE2\x82\"", "line 1, column 2" },
        { "\"\x80\"", "line 1, column 2" },
        { "\"\xC3", "line 1, column 2" },
        { "[] x", "line 1, column 4" },
        { "[][]", "line 1, column 3" },
        { "1 2", "line 1, column 3" },
        { "\xEF\xBB\xBF[]", "line 1, column 1" },
        { "[1,\n \"\xC3\xA9\xE2\x82\xAC\", x]", "line 2, column 8" },
        { "[\r\n\r\n!]", "line 3, column 1" },
        { "// no\n1", "line 1, column 1" },
        { "{\"a\":1,\"a\":2}", "line 1, column 8" },
        { "{\"a\":1,\"\\u0061\":2}", "line 1, column 8" },
        { "{\"\":1,\"b\":{\"\":2},\"\":3}", "line 1, column 18" },
        { "{\"\\/\":1,\"/\":2}", "line 1, column 9" },
        { "{\"\\ud83d\\ude00\":1,\"\xF0\x9F\x98\x80\":2}", "line 1, column 19" },
    };
    struct json_scan s;
    json_scan_init(&s, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err, in_steps;
        assert_int_equal(scan(&s, str_of(cases[i].text), SIZE_MAX, &err), CODEC_FAILED);
        assert_int_equal(err.type, PROBLEM_INVALID_JSON);
        if (strncmp(err.detail, cases[i].place, strlen(cases[i].place)) != 0 ||
            err.detail[strlen(cases[i].place)] != ':')
            fail_msg("%s: %s, not %s", cases[i].text, err.detail, cases[i].place);
        assert_int_equal(scan(&s, str_of(cases[i].text), 1, &in_steps), CODEC_FAILED);
        assert_string_equal(in_steps.detail, err.detail);
    }
    json_scan_done(&s);
}

static void a_nul_ends_nothing(void **state)
{
    (void)state;
    struct json_scan s;
    struct error err;
    json_scan_init(&s, NULL);
    assert_int_equal(scan(&s, (struct str){ "[\0]", 3 }, SIZE_MAX, &err), CODEC_FAILED);
    assert_int_equal(scan(&s, (struct str){ "[]\0", 3 }, SIZE_MAX, &err), CODEC_FAILED);
    assert_int_equal(scan(&s, (struct str){ "\"\0\"", 3 }, SIZE_MAX, &err), CODEC_FAILED);
    assert_int_equal(scan(&s, (struct str){ "\"\\\0\"", 4 }, SIZE_MAX, &err), CODEC_FAILED);
    json_scan_done(&s);
}

static void depth_has_a_limit(void **state)
{
    (void)state;
    struct json_scan s;
    struct error err;
    char *deep = xcalloc(100001, 1);
    memset(deep, '[', 100000);
    json_scan_init(&s, NULL);
    assert_int_equal(scan(&s, (struct str){ deep, 100000 }, SIZE_MAX, &err), CODEC_FAILED);
    assert_int_equal(err.type, PROBLEM_INVALID_JSON);
    assert_string_equal(err.setting, "limits.depth");
    assert_int_equal(scan(&s, STR("[[[[{\"a\":[{\"b\":[[1]]}]}]]]]"), SIZE_MAX, &err),
                     CODEC_FAILED);
    assert_string_equal(err.setting, "limits.depth");
    free(deep);
    json_scan_done(&s);
}

static void first_names_with_a_dollar_are_noted(void **state)
{
    (void)state;
    static const char text[] = "[{\"$a\":1},{\"a\":1,\"$b\":2},{\"$c\":{\"\\u0024d\":1},\"e\":{}},"
                               "{\"$f\":[{\"$g\":1,\"h\":2}]}, {\"\\\\u0024\":1}]";
    static const bool single[] = { true, false, true, true, false };
    struct json_scan s;
    struct error err;
    json_scan_init(&s, NULL);
    assert_int_equal(scan(&s, str_of(text), 1, &err), CODEC_DONE);
    assert_int_equal(s.n_notes, ARRAY_LEN(single));
    for (size_t i = 0; i < ARRAY_LEN(single); i++)
        assert_int_equal(json_scan_is_single(&s, i), single[i]);
    assert_false(s.not_xml);
    json_scan_done(&s);
}

static void what_xml_forbids_is_noted(void **state)
{
    (void)state;
    static const char *const texts[] = { "\"\\u0000\"",      "\"\\b\"",
                                         "\"\\f\"",          "\"\\u001f\"",
                                         "\"\\ufffe\"",      "\"\\uFFFF\"",
                                         "\"\xEF\xBF\xBE\"", "{\"\xEF\xBF\xBF\":1}" };
    struct json_scan s;
    struct error err;
    json_scan_init(&s, NULL);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(scan(&s, str_of(texts[i]), 1, &err), CODEC_DONE);
        assert_true(s.not_xml);
    }
    json_scan_done(&s);
}

/* An object with so many names, the first of which comes again at the end. */
static char *many_names(size_t n, bool twice)
{
    struct buf b;
    buf_init(&b, SIZE_MAX / 2, NULL);
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%c\"name %zu\":{\"x\":%zu}", i == 0 ? '{' : ',', i, i);
    buf_append_c(&b, twice ? ",\"name\\u00200\":1}" : "}");
    char *text = buf_take(&b);
    return text;
}

static void many_names_in_one_object(void **state)
{
    (void)state;
    struct json_scan s;
    struct error err;
    json_scan_init(&s, NULL);
    char *good = many_names(50000, false);
    char *bad = many_names(50000, true);
    assert_int_equal(scan(&s, str_of(good), 100, &err), CODEC_DONE);
    assert_int_equal(scan(&s, str_of(bad), 100, &err), CODEC_FAILED);
    assert_int_equal(err.type, PROBLEM_INVALID_JSON);
    free(good);
    free(bad);
    json_scan_done(&s);
}

static void names_count_in_the_budget(void **state)
{
    (void)state;
    struct budget budget = { 0 };
    struct json_scan s;
    struct error err;
    atomic_store(&budget.max, 200000);
    json_scan_init(&s, &budget);
    char *text = many_names(50000, false);
    assert_int_equal(scan(&s, str_of(text), 1000, &err), CODEC_FAILED);
    assert_int_equal(err.type, PROBLEM_OVERLOADED);
    assert_string_equal(err.setting, "limits.memory");
    atomic_store(&budget.max, 100 << 20);
    assert_int_equal(scan(&s, str_of(text), 1000, &err), CODEC_DONE);
    free(text);
    json_scan_done(&s);
    assert_int_equal(atomic_load(&budget.used), 0);
}

/* A name that is read in parts counts as the one that is written like it, as if read at once. */
static void repaired_names_in_parts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum text_policy policy;
        bool is_alike;
    } cases[] = {
        { "{\"a\\u0001b\":1,\"a\\ufffdb\":2}", TEXT_REPLACE, true },
        { "{\"\xEF\xBF\xBFx\":1,\"\\uFFFDx\":2}", TEXT_REPLACE, true },
        { "{\"x\xEF\xBF\xBE\":1,\"x\xEF\xBF\xBD\":2}", TEXT_REPLACE, true },
        { "{\"\xC3\xA9\\u0001\xC3\xA9\":1,\"\xC3\xA9\\ufffd\xC3\xA9\":2}", TEXT_REPLACE, true },
        { "{\"\xC3\xA9\\u0001\xC3\xA9\":1,\"\xC3\xA9\\ufffde\":2}", TEXT_REPLACE, false },
        { "{\"\xE6\x97\xA5\xE6\x9C\xAC\\u0002\":1,\"\xE6\x97\xA5\xE6\x9C\xAC\xEF\xBF\xBF\":2}",
          TEXT_REPLACE, true },
        { "{\"\xEF\xBC\xA1\":1,\"\xEF\xBF\xBD\":2}", TEXT_REPLACE, false },
        { "{\"\\u0001\":1,\"AQ==\":2}", TEXT_BASE64, true },
        { "{\"\xF0\x9F\x98\x80\\u0001\":1,\"8J+YgAE=\":2}", TEXT_BASE64, true },
        { "{\"\xF0\x9F\x98\x80\":1,\"8J+YgA==\":2}", TEXT_BASE64, false },
    };
    struct json_scan s;
    struct error err;
    json_scan_init(&s, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t step = 1; step < 40; step++) {
            enum codec_step end;
            json_scan_begin(&s, str_of(cases[i].text), DEPTH);
            s.names.policy = cases[i].policy;
            do
                end = json_scan_step(&s, step, &err);
            while (end == CODEC_MORE);
            assert_int_equal(end, CODEC_DONE);
            assert_int_equal(s.alike != NULL, cases[i].is_alike);
        }
    }
    json_scan_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_texts),
        cmocka_unit_test(repaired_names_in_parts),
        cmocka_unit_test(invalid_texts),
        cmocka_unit_test(a_nul_ends_nothing),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(first_names_with_a_dollar_are_noted),
        cmocka_unit_test(what_xml_forbids_is_noted),
        cmocka_unit_test(many_names_in_one_object),
        cmocka_unit_test(names_count_in_the_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
