/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/value/text_repair.h"

#include "base/alloc.h"
#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* So many times that one, and what it must become. */
static void assert_replaced(const char *before, const char *piece, const char *replaced, size_t n)
{
    char *text = xcalloc(strlen(before) + n * strlen(piece) + 1, 1);
    char *wanted = xcalloc(strlen(before) + n * strlen(replaced) + 1, 1);
    strcpy(text, before);
    strcpy(wanted, before);
    size_t len = strlen(before), wanted_len = len;
    for (size_t i = 0; i < n; i++) {
        memcpy(text + len, piece, strlen(piece));
        len += strlen(piece);
        memcpy(wanted + wanted_len, replaced, strlen(replaced));
        wanted_len += strlen(replaced);
    }
    const size_t rooms[] = { wanted_len, wanted_len + 100, 4 * wanted_len + 100 };
    for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
        struct buf to;
        buf_init(&to, rooms[i], NULL);
        text_repair((struct str){ text, len }, TEXT_REPLACE, &to);
        assert_true(buf_ok(&to));
        assert_int_equal(to.len, wanted_len);
        assert_memory_equal(buf_c(&to), wanted, wanted_len);
        assert_int_equal(buf_c(&to)[to.len], '\0');
        buf_done(&to);
    }
    assert_int_equal(text_is_xml((struct str){ text, len }), strcmp(piece, replaced) == 0);
    free(text);
    free(wanted);
}

static void replaces_wherever_it_stands(void **state)
{
    (void)state;
    static const struct {
        const char *piece, *replaced;
    } cases[] = {
        { "a", "a" },
        { "a\x01", "a\xEF\xBF\xBD" },
        { "\x1F", "\xEF\xBF\xBD" },
        { "\xEF\xBF\xBE", "\xEF\xBF\xBD" },
        { "\xEF\xBF\xBF.", "\xEF\xBF\xBD." },
        { "\xEF\xBC\xA1", "\xEF\xBC\xA1" },
        { "\xEF\xBF\xBD", "\xEF\xBF\xBD" },
        { "\xF0\x9F\x98\x80\x0B", "\xF0\x9F\x98\x80\xEF\xBF\xBD" },
        { "\t\r\n \x7F", "\t\r\n \x7F" },
    };
    static const char *const befores[] = { "x", "xy", "xyz", "xyzw", "12345678" };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (size_t b = 0; b < ARRAY_LEN(befores); b++) {
            for (size_t n = 1; n < 12; n++)
                assert_replaced(befores[b], cases[i].piece, cases[i].replaced, n);
            assert_replaced(befores[b], cases[i].piece, cases[i].replaced, 5000);
        }
}

/* What is one replacement: a character, or as much as could begin one (Unicode, 3.9, "maximal
 * subpart"). */
static void tells_how_long_what_is_forbidden_is(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {
        { "\x01", 1 },
        { "\xEF\xBF\xBE", 3 },
        { "\xEF\xBF\xBF"
          "a",
          3 },
        { "\x80\x80", 1 },
        { "\xC1\x80", 1 },
        { "\xF5\x80\x80\x80", 1 },
        { "\xC2", 1 },
        { "\xC2\xC0", 1 },
        { "\xE0\x80\x80", 1 },
        { "\xE0\x9F\xBF", 1 },
        { "\xE0\xA0", 2 },
        { "\xE0\xA0"
          "a",
          2 },
        { "\xE1\x80\xC0", 2 },
        { "\xED\x9F", 2 },
        { "\xED\xA0\x80", 1 },
        { "\xF0\x80\x80\x80", 1 },
        { "\xF0\x8F\xBF\xBF", 1 },
        { "\xF0\x90\x80", 3 },
        { "\xF0\x90\x80"
          "a",
          3 },
        { "\xF0\x90\xC0\x80", 2 },
        { "\xF4\x8F\xBF"
          "a",
          3 },
        { "\xF4\x90\x80\x80", 1 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (text_forbidden_length(str_of(cases[i].text)) != cases[i].len)
            fail_msg("%zu: %zu bytes", i, text_forbidden_length(str_of(cases[i].text)));
}

static void tells_when_there_is_no_room(void **state)
{
    (void)state;
    struct buf to;
    buf_init(&to, 3, NULL);
    text_repair(STR("a\x01"
                    "b"),
                TEXT_REPLACE, &to);
    assert_false(buf_ok(&to));
    buf_done(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replaces_wherever_it_stands),
        cmocka_unit_test(tells_how_long_what_is_forbidden_is),
        cmocka_unit_test(tells_when_there_is_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
