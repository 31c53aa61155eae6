/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/value/number.h"

#include "base/alloc.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    const char *text, *plain, *json;
} doubles[] = {
    { "1.1", "1.1", "1.1" },
    { "20", "20.0", "20.0" },
    { "20.0", "20.0", "20.0" },
    { "20.000", "20.0", "20.0" },
    { "1e2", "100.0", "100.0" },
    { "0.1", "0.1", "0.1" },
    { ".5", "0.5", "0.5" },
    { "5.", "5.0", "5.0" },
    { "+5", "5.0", "5.0" },
    { "007.5", "7.5", "7.5" },
    { "0", "0.0", "0.0" },
    { "-0", "-0.0", "-0.0" },
    { "-0.0", "-0.0", "-0.0" },
    { "-0e999999999999", "-0.0", "-0.0" },
    { "1E-5", "0.00001", "1e-05" },
    { "0.0001", "0.0001", "0.0001" },
    { "1e15", "1000000000000000.0", "1000000000000000.0" },
    { "1e16", "10000000000000000.0", "1e+16" },
    { "0.1000000000000000055511151231257827", "0.1", "0.1" },
    { "0.30000000000000004", "0.30000000000000004", "0.30000000000000004" },
    { "9007199254740993.0", "9007199254740992.0", "9007199254740992.0" },
    { "9007199254740993.00000000000000000000000000000001", "9007199254740994.0",
      "9007199254740994.0" },
    { "123456789012345678901234567890", "123456789012345680000000000000.0",
      "1.2345678901234568e+29" },
    { "1e-400", "0.0", "0.0" },
    { "-1e-99999999999999999999", "-0.0", "-0.0" },
    { "2.4703282292062327e-324", "0.0", "0.0" },
};

static void assert_text(const char *expected, const char *text, size_t len)
{
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(text, expected, len);
}

static void doubles_in_their_shortest_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(doubles); i++) {
        struct decimal d;
        char plain[NUMBER_PLAIN_MAX], json[NUMBER_JSON_MAX];
        assert_int_equal(number_parse_double(str_of(doubles[i].text), &d), NUMBER_OK);
        assert_text(doubles[i].plain, plain, number_write_plain(&d, plain));
        assert_text(doubles[i].json, json, number_write_json(&d, json));
    }
}

static void extremes(void **state)
{
    (void)state;
    struct decimal d;
    char plain[NUMBER_PLAIN_MAX], json[NUMBER_JSON_MAX];
    assert_int_equal(number_parse_double(str_of("-4.9406564584124654e-324"), &d), NUMBER_OK);
    assert_text("-5e-324", json, number_write_json(&d, json));
    assert_int_equal(number_write_plain(&d, plain), 327);
    assert_memory_equal(plain, "-0.000", 6);
    assert_int_equal(number_parse_double(str_of("1.7976931348623157e308"), &d), NUMBER_OK);
    assert_text("1.7976931348623157e+308", json, number_write_json(&d, json));
    assert_int_equal(number_write_plain(&d, plain), 311);
    assert_int_equal(number_parse_double(str_of("2.2250738585072014e-308"), &d), NUMBER_OK);
    assert_text("2.2250738585072014e-308", json, number_write_json(&d, json));
    assert_int_equal(number_parse_double(str_of("1.7976931348623159e308"), &d), NUMBER_OVERFLOW);
    assert_int_equal(number_parse_double(str_of("-1e309"), &d), NUMBER_OVERFLOW);
    assert_int_equal(number_parse_double(str_of("1e99999999999999999999"), &d), NUMBER_OVERFLOW);
}

static void no_numbers(void **state)
{
    (void)state;
    static const char *const texts[] = { "",    "-",     "+",     ".",   "e5",   "1e",
                                         "1e+", "1.2.3", "1e5.0", "nan", "0x10", "1_0",
                                         " 1",  "1 ",    "--1",   "inf", "1,5",  "1d5" };
    struct decimal d;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_int_equal(number_parse_double(str_of(texts[i]), &d), NUMBER_INVALID);
}

/* A megabyte of digits, and an exponent that brings it back. */
static void long_texts(void **state)
{
    (void)state;
    size_t zeros = 1000000;
    char *text = xcalloc(zeros + 32, 1);
    char json[NUMBER_JSON_MAX];
    struct decimal d;
    memset(text, '0', zeros);
    text[0] = '1';
    assert_int_equal(number_parse_double(str_of(text), &d), NUMBER_OVERFLOW);
    memcpy(text + zeros, "e-999999", 9);
    assert_int_equal(number_parse_double(str_of(text), &d), NUMBER_OK);
    assert_text("1.0", json, number_write_json(&d, json));
    memset(text, '7', zeros);
    text[1] = '.';
    text[zeros] = '\0';
    assert_int_equal(number_parse_double(str_of(text), &d), NUMBER_OK);
    assert_text("7.777777777777778", json, number_write_json(&d, json));
    free(text);
}

static void the_locale_has_no_say(void **state)
{
    (void)state;
    static const char *const locales[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "ps_AF.UTF-8" };
    for (size_t i = 0; i < ARRAY_LEN(locales); i++) {
        if (setlocale(LC_ALL, locales[i]) != NULL)
            doubles_in_their_shortest_form(state);
        setlocale(LC_ALL, "C");
    }
}

static void integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool negative;
        const char *digits;
        bool in_32, in_64, safe, is_double;
    } cases[] = {
        { "0", false, "0", true, true, true, true },
        { "-0", false, "0", true, true, true, true },
        { "+5", false, "5", true, true, true, true },
        { "-007", true, "7", true, true, true, true },
        { "2147483647", false, "2147483647", true, true, true, true },
        { "2147483648", false, "2147483648", false, true, true, true },
        { "-2147483648", true, "2147483648", true, true, true, true },
        { "-2147483649", true, "2147483649", false, true, true, true },
        { "9007199254740991", false, "9007199254740991", false, true, true, true },
        { "9007199254740992", false, "9007199254740992", false, true, false, true },
        { "-9007199254740993", true, "9007199254740993", false, true, false, false },
        { "9223372036854775807", false, "9223372036854775807", false, true, false, false },
        { "9223372036854775808", false, "9223372036854775808", false, false, false, true },
        { "-9223372036854775808", true, "9223372036854775808", false, true, false, true },
        { "-9223372036854775809", true, "9223372036854775809", false, false, false, false },
        { "1000000000000000000000", false, "1000000000000000000000", false, false, false, true },
        { "100000000000000000000000", false, "100000000000000000000000", false, false, false,
          false },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct integer n;
        assert_true(number_parse_integer(str_of(cases[i].text), &n));
        assert_int_equal(n.negative, cases[i].negative);
        assert_true(str_eq_c(n.digits, cases[i].digits));
        assert_int_equal(number_integer_fits(n, INTEGER_32), cases[i].in_32);
        assert_int_equal(number_integer_fits(n, INTEGER_64), cases[i].in_64);
        assert_int_equal(number_integer_fits(n, INTEGER_SAFE), cases[i].safe);
        assert_int_equal(number_integer_is_double(n), cases[i].is_double);
    }
}

static void no_integers(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "-", "+", "1.0", "1e5", " 1", "0x1", "1_000", "--1" };
    struct integer n;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_false(number_parse_integer(str_of(texts[i]), &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_in_their_shortest_form),
        cmocka_unit_test(extremes),
        cmocka_unit_test(no_numbers),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(the_locale_has_no_say),
        cmocka_unit_test(integers),
        cmocka_unit_test(no_integers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
