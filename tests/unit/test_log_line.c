/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log_line.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define TIME_LEN (sizeof "2000-01-01T00:00:00.000Z" - 1)

static void assert_time(const char *text)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    for (size_t i = 0; i < TIME_LEN; i++)
        if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
            fail_msg("%.*s", (int)TIME_LEN, text);
}

/* Makes a line with one field and compares what comes after the time. */
static void assert_line(const struct log_event *event, enum log_format format, const char *expected)
{
    static struct log_line line;
    size_t before = format == LOG_FORMAT_JSON ? strlen("{\"time\":\"") : 0;
    log_line_make(&line, event, format, false);
    assert_time(line.data + before);
    struct str rest = { line.data + before + TIME_LEN, line.len - before - TIME_LEN };
    if (!str_eq_c(rest, expected))
        fail_msg("\n%.*sbut expected\n%s", STR_ARGS(rest), expected);
}

static const struct {
    struct str value;
    const char *text, *json;
} values[] = {
    { STR("plain-1.2:/x"), "plain-1.2:/x", "\"plain-1.2:/x\"" },
    { STR("a b"), "\"a b\"", "\"a b\"" },
    { STR("a=b"), "\"a=b\"", "\"a=b\"" },
    { STR("\"q\""), "\"\\\"q\\\"\"", "\"\\\"q\\\"\"" },
    { STR("a\\b"), "\"a\\\\b\"", "\"a\\\\b\"" },
    { STR("a\nb"), "\"a\\nb\"", "\"a\\nb\"" },
    { STR("\r\t"), "\"\\r\\t\"", "\"\\r\\t\"" },
    { STR("\x1B[0m"), "\"\\x1b[0m\"", "\"\\u001b[0m\"" },
    { STR("a\0b"), "\"a\\x00b\"", "\"a\\u0000b\"" },
    { STR("\x7F"), "\"\\x7f\"", "\"\\u007f\"" },
    { STR("\xC3\xA9"), "\"\xC3\xA9\"", "\"\xC3\xA9\"" },
    { STR("\xF0\x9F\x98\x80"), "\"\xF0\x9F\x98\x80\"", "\"\xF0\x9F\x98\x80\"" },
    { STR("\xC2\x9B"), "\"\\u009b\"", "\"\\u009b\"" },     /* a terminal's CSI */
    { STR("\xE2\x80\xA8"), "\"\\u2028\"", "\"\\u2028\"" }, /* line separator */
    { STR("\xE2\x80\xAE"
          "x"),
      "\"\\u202ex\"", "\"\\u202ex\"" }, /* right to left */
    { STR("\xFF"
          "a\xC3"),
      "\"\\xffa\\xc3\"", "\"\\ufffda\\ufffd\"" },
    { STR("\xED\xA0\x80"), "\"\\xed\\xa0\\x80\"", "\"\\ufffd\\ufffd\\ufffd\"" },
    { STR("\xC0\xAF"), "\"\\xc0\\xaf\"", "\"\\ufffd\\ufffd\"" },
    { STR("x\n<3>2000-01-01T00:00:00.000Z error forged"),
      "\"x\\n<3>2000-01-01T00:00:00.000Z error forged\"",
      "\"x\\n<3>2000-01-01T00:00:00.000Z error forged\"" },
};

static void escapes_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        const struct log_field fields[] = { LOG_STR("key", values[i].value), LOG_END };
        struct log_event event = { LOG_LEVEL_INFO, STR("call done"), fields };
        char expected[200];
        snprintf(expected, sizeof expected, " info call done key=%s\n", values[i].text);
        assert_line(&event, LOG_FORMAT_TEXT, expected);
        snprintf(expected, sizeof expected,
                 "\",\"level\":\"info\",\"msg\":\"call done\",\"key\":%s}\n", values[i].json);
        assert_line(&event, LOG_FORMAT_JSON, expected);
    }
}

static void escapes_messages(void **state)
{
    static const struct {
        const char *msg, *text;
    } cases[] = {
        { "ready", "ready" },
        { "ready on port 8080 (all \"fine\")", "\"ready on port 8080 (all \\\"fine\\\")\"" },
        { "x status=200", "\"x status=200\"" },
        { "x\ny", "\"x\\ny\"" },
        { "", "\"\"" },
        { "\xC3\xA9", "\"\xC3\xA9\"" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct log_event event = { LOG_LEVEL_WARN, str_of(cases[i].msg), NULL };
        char expected[200];
        snprintf(expected, sizeof expected, " warn %s\n", cases[i].text);
        assert_line(&event, LOG_FORMAT_TEXT, expected);
    }
}

static void writes_numbers(void **state)
{
    const struct log_field fields[] = {
        LOG_NUM("a", 0),         LOG_NUM("b", -7),         LOG_NUM("c", INT64_MAX),
        LOG_NUM("d", INT64_MIN), LOG_US_AS_MS("e", 0),     LOG_US_AS_MS("f", 12345),
        LOG_US_AS_MS("g", -1),   LOG_US_AS_MS("h", -1002), LOG_US_AS_MS("i", INT64_MIN),
        LOG_TEXT("none", ""),    LOG_TEXT("null", NULL),   LOG_END,
    };
    struct log_event event = { LOG_LEVEL_DEBUG, STR("n"), fields };
    (void)state;
    assert_line(&event, LOG_FORMAT_TEXT,
                " debug n a=0 b=-7 c=9223372036854775807 d=-9223372036854775808 e=0.000 f=12.345 "
                "g=-0.001 h=-1.002 i=-9223372036854775.808\n");
    assert_line(&event, LOG_FORMAT_JSON,
                "\",\"level\":\"debug\",\"msg\":\"n\",\"a\":0,\"b\":-7,\"c\":9223372036854775807,"
                "\"d\":-9223372036854775808,\"e\":0.000,\"f\":12.345,\"g\":-0.001,\"h\":-1.002,"
                "\"i\":-9223372036854775.808}\n");
}

static void cuts_long_values(void **state)
{
    static const struct {
        struct str unit;
        size_t n, kept; /* units */
    } cases[] = {
        { STR("x"), 1024, 1024 },          { STR("x"), 1025, 1024 },
        { STR("x"), 100000, 1024 },        { STR("\xC3\xA9"), 600, 512 },
        { STR("\xE2\x82\xAC"), 400, 341 }, { STR("\xF0\x9F\x98\x80"), 300, 256 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf value, expected;
        buf_init(&value, 1 << 20, NULL);
        buf_init(&expected, 1 << 20, NULL);
        bool quoted = cases[i].unit.len > 1 || cases[i].kept < cases[i].n;
        buf_append_c(&expected, quoted ? " info m k=\"" : " info m k=");
        for (size_t n = 0; n < cases[i].n; n++) {
            buf_append(&value, cases[i].unit);
            buf_append(&expected, n < cases[i].kept ? cases[i].unit : STR(""));
        }
        buf_append_c(&expected, cases[i].kept < cases[i].n ? "..." : "");
        buf_append_c(&expected, quoted ? "\" z=1\n" : " z=1\n");
        const struct log_field fields[] = { LOG_STR("k", buf_str(&value)), LOG_NUM("z", 1),
                                            LOG_END };
        struct log_event event = { LOG_LEVEL_INFO, STR("m"), fields };
        assert_line(&event, LOG_FORMAT_TEXT, buf_c(&expected));
        buf_done(&value);
        buf_done(&expected);
    }
}

static void a_full_line_ends_well(void **state)
{
    static struct log_line line;
    static char worst[LOG_VALUE_MAX];
    const struct str value = { worst, sizeof worst }; /* of NULs: six bytes each in JSON */
    const struct log_field fields[] = { LOG_STR("a", value), LOG_STR("b", value),
                                        LOG_STR("c", value), LOG_NUM("d", 1), LOG_END };
    struct log_event event = { LOG_LEVEL_INFO, value, fields };
    (void)state;
    log_line_make(&line, &event, LOG_FORMAT_JSON, false);
    struct str end = str_slice((struct str){ line.data, line.len }, line.len - 14, line.len);
    assert_true(str_eq_c(end, "u0000\",\"d\":1}\n"));
    assert_in_range(line.len, 12000, LOG_LINE_MAX);
    log_line_make(&line, &event, LOG_FORMAT_TEXT, true);
    end = str_slice((struct str){ line.data, line.len }, line.len - 10, line.len);
    assert_true(str_eq_c(end, "\\x00\" d=1\n"));
}

static void priorities_are_systemds(void **state)
{
    static const char *const prefixes[] = { "<3>", "<4>", "<6>", "<7>" };
    static struct log_line line;
    (void)state;
    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
        struct log_event event = { (enum log_level)level, STR("m"), NULL };
        log_line_make(&line, &event, LOG_FORMAT_TEXT, true);
        assert_memory_equal(line.data, prefixes[level], 3);
        assert_true(line.data[3] >= 'a' && line.data[3] <= 'z'); /* journald has the time */
        log_line_make(&line, &event, LOG_FORMAT_JSON, true);
        assert_memory_equal(line.data, "{\"level\":\"", 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_values),        cmocka_unit_test(escapes_messages),
        cmocka_unit_test(writes_numbers),        cmocka_unit_test(cuts_long_values),
        cmocka_unit_test(a_full_line_ends_well), cmocka_unit_test(priorities_are_systemds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
