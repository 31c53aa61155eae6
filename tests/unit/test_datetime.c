/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/value/datetime.h"

#include "codec/value/time_zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void dates_of_the_specification(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        { "19700101T00:00:00", 0 },
        { "19691231T23:59:59", -1 },
        { "19980717T14:08:55", 900684535 },
        { "20000229T00:00:00", 951782400 },
        { "20240229T23:59:59", 1709251199 },
        { "00010101T00:00:00", INT64_C(-62135596800) },
        { "99991231T23:59:59", INT64_C(253402300799) },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct datetime d, again;
        char text[DATETIME_BASIC_LEN];
        assert_true(datetime_read_basic(str_of(cases[i].text), &d));
        assert_int_equal(datetime_to_seconds(&d), cases[i].seconds);
        assert_true(datetime_from_seconds(cases[i].seconds, &again));
        datetime_write_basic(&again, text);
        assert_memory_equal(text, cases[i].text, sizeof text);
    }
    struct datetime d;
    assert_false(datetime_from_seconds(INT64_C(-62135596801), &d));
    assert_false(datetime_from_seconds(INT64_C(253402300800), &d));
    assert_false(datetime_from_seconds(INT64_MAX, &d));
    assert_false(datetime_from_seconds(INT64_MIN, &d));
}

static void no_dates(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "19980717T140855",
        "19980717 14:08:55",
        "1998-07-17T14:08:55",
        "19980717T14:08:55Z",
        "19980717T14:08:5",
        "00000717T14:08:55",
        "19980017T14:08:55",
        "19981317T14:08:55",
        "19980700T14:08:55",
        "19980732T14:08:55",
        "19980631T14:08:55",
        "20230229T14:08:55",
        "19000229T14:08:55",
        "19980717T24:00:00",
        "19980717T14:60:55",
        "19980717T14:08:60",
        "1998071\xD9\xA0T14:08:55",
        "-9980717T14:08:55",
        "19980717t14:08:55",
    };
    struct datetime d;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_false(datetime_read_basic(str_of(texts[i]), &d));
}

static void extended_dates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
        bool known;
        int offset;
    } cases[] = {
        { "1998-07-17T14:08:55", 900684535, false, 0 },
        { "1998-07-17T14:08:55.999", 900684535, false, 0 },
        { "1998-07-17T14:08:55Z", 900684535, true, 0 },
        { "1998-07-17t14:08:55z", 900684535, true, 0 },
        { "1998-07-17T14:08:55.5+02:00", 900684535, true, 7200 },
        { "1998-07-17T14:08:55-23:59", 900684535, true, -86340 },
        { "1998-07-17T14:08:55-00:00", 900684535, true, 0 },
        { "1990-12-31T23:59:60Z", 662688000, true, 0 },
        { "1990-12-31T15:59:60-08:00", 662659200, true, -28800 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct datetime d;
        struct datetime_offset offset;
        assert_true(datetime_read_extended(str_of(cases[i].text), &d, &offset));
        assert_int_equal(datetime_to_seconds(&d), cases[i].seconds);
        assert_int_equal(offset.known, cases[i].known);
        assert_int_equal(offset.seconds, cases[i].offset);
    }
}

static void no_extended_dates(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "1998-07-17",
        "1998-07-17 14:08:55",
        "1998-07-17T14:08",
        "1998-07-17T14:08:55.",
        "1998-07-17T14:08:55.Z",
        "1998-07-17T14:08:55+2:00",
        "1998-07-17T14:08:55+0200",
        "1998-07-17T14:08:55+24:00",
        "1998-07-17T14:08:55+02:60",
        "1998-07-17T14:08:55 Z",
        "1998-07-17T14:08:60",
        "1998-07-17T14:08:60Z",
        "1990-12-31T23:59:60+01:00",
        "2023-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "1998-07-17T24:00:00Z",
        "1998/07/17T14:08:55Z",
    };
    struct datetime d;
    struct datetime_offset offset;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_false(datetime_read_extended(str_of(texts[i]), &d, &offset));
}

static void fixed_zones(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int offset;
    } cases[] = { { "UTC", 0 }, { "Z", 0 }, { "+02:00", 7200 }, { "-05:30", -19800 } };
    static const char *const unknown[] = { "",         "+2:00",  "+02:60",      "+24:00",
                                           "+0200",    "utc/no", "/etc/passwd", "../passwd",
                                           "No/Where", "a b",    "America" };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct time_zone *z = time_zone_new(cases[i].name);
        assert_non_null(z);
        assert_int_equal(time_zone_offset(z, 900684535), cases[i].offset);
        time_zone_free(z);
    }
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
        assert_null(time_zone_new(unknown[i]));
}

static void zones_of_the_database(void **state)
{
    (void)state;
    struct time_zone *z = time_zone_new("Europe/Berlin");
    if (z == NULL) { /* A machine without the database. */
        skip();
        return;
    }
    assert_int_equal(time_zone_offset(z, INT64_C(-62135596800)), 3208); /* local mean time */
    assert_int_equal(time_zone_offset(z, 900684535), 7200);
    assert_int_equal(time_zone_offset(z, 1711846799), 3600); /* 2024-03-31T00:59:59Z */
    assert_int_equal(time_zone_offset(z, 1711846800), 7200);
    assert_int_equal(time_zone_offset(z, 1729990799), 7200); /* 2024-10-27T00:59:59Z */
    assert_int_equal(time_zone_offset(z, 1729990800), 3600);
    assert_int_equal(time_zone_offset(z, INT64_C(4087324800)), 7200);   /* July 2099 */
    assert_int_equal(time_zone_offset(z, INT64_C(253402300799)), 3600); /* December 9999 */
    time_zone_free(z);
}

static void rules(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        int64_t moment;
        int offset;
    } cases[] = {
        { "UTC0", 0, 0 },
        { "<+0530>-5:30", 0, 19800 },
        { "CET-1CEST,M3.5.0,M10.5.0/3", 1711846799, 3600 },
        { "CET-1CEST,M3.5.0,M10.5.0/3", 1711846800, 7200 },
        { "CET-1CEST,M3.5.0,M10.5.0/3", 1729990799, 7200 },
        { "CET-1CEST,M3.5.0,M10.5.0/3", 1729990800, 3600 },
        /* The southern summer goes over the year's end. */
        { "AEST-10AEDT,M10.1.0,M4.1.0/3", 1704067200, 39600 },
        { "AEST-10AEDT,M10.1.0,M4.1.0/3", 1719792000, 36000 },
        /* Ireland's winter is the exception, an hour back. */
        { "IST-1GMT0,M10.5.0,M3.5.0/1", 1704067200, 0 },
        { "IST-1GMT0,M10.5.0,M3.5.0/1", 1719792000, 3600 },
        { "AAA0BBB,J60/0,J61/0", 1709251200, 3600 }, /* 2024-03-01, leap year */
        { "AAA0BBB,J60/0,J61/0", 1709164800, 0 },    /* 2024-02-29 */
        { "AAA0BBB,59/0,60/0", 1709164800, 3600 },
    };
    static const char *const wrong[] = { "",
                                         "C-1",
                                         "CET",
                                         "CET-1CEST",
                                         "CET-1CEST,M3.5.0",
                                         "CET-1CEST,M13.5.0,M10.5.0",
                                         "CET-1CEST,M3.6.0,M10.5.0",
                                         "CET-1CEST,J0,J1",
                                         "<+05-5",
                                         "CET-1 " };
    struct time_zone_rule rule;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(time_zone_rule_read(str_of(cases[i].rule), &rule));
        assert_int_equal(time_zone_rule_offset(&rule, cases[i].moment), cases[i].offset);
    }
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(time_zone_rule_read(str_of(wrong[i]), &rule));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_of_the_specification),
        cmocka_unit_test(no_dates),
        cmocka_unit_test(extended_dates),
        cmocka_unit_test(no_extended_dates),
        cmocka_unit_test(fixed_zones),
        cmocka_unit_test(zones_of_the_database),
        cmocka_unit_test(rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
