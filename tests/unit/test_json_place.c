/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* All kinds of lengths, beyond the eight bytes that are counted at once; what is next to a line
 * feed in value, and 0x80 and above, is there, too. */
static const char text[] =
    "{\n\n\"a\x0B\t\":\r\n  [1, \"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\", 2],\n"
    "\n\n\n\n\n\n\n\n\n\n\n"
    "\"\xC2\x8A\xC2\x80\xC2\xBF\xF4\x8F\xBF\xBF 1234567890 12345678901234567\""
    "\n}                                   \n";

static struct str whole(void)
{
    return (struct str){ text, sizeof text - 1 };
}

/* As the definition says it, byte by byte. */
static struct json_place find(size_t n)
{
    struct json_place p = { .at = text + n };
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\n') {
            p.line++;
            p.column = 0;
        } else if (((unsigned char)text[i] & 0xC0) != 0x80) {
            p.column++;
        }
    }
    return p;
}

static void assert_place(const struct json_place *p, size_t n)
{
    struct json_place expected = find(n);
    assert_ptr_equal(p->at, expected.at);
    assert_int_equal(p->line, expected.line);
    assert_int_equal(p->column, expected.column);
}

static void from_the_beginning(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof text; n++) {
        struct json_place p = { .at = NULL };
        json_place_move(&p, whole(), text + n);
        assert_place(&p, n);
    }
}

/* From each place to each other, backwards, too. */
static void from_another_place(void **state)
{
    (void)state;
    for (size_t from = 0; from < sizeof text; from++) {
        for (size_t to = 0; to < sizeof text; to++) {
            struct json_place p = { .at = NULL };
            json_place_move(&p, whole(), text + from);
            json_place_move(&p, whole(), text + to);
            assert_place(&p, to);
        }
    }
}

static void lines_and_columns(void **state)
{
    (void)state;
    struct json_place p = { .at = NULL };
    json_place_move(&p, whole(), strstr(text, "2]"));
    assert_int_equal(p.line, 3);
    assert_int_equal(p.column, 13);
    json_place_move(&p, whole(), text + 1);
    assert_int_equal(p.line, 0);
    assert_int_equal(p.column, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_the_beginning),
        cmocka_unit_test(from_another_place),
        cmocka_unit_test(lines_and_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
