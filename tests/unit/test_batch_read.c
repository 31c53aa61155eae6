/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/buf.h"
#include "codec/json/batch_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const size_t steps[] = { 1, 2, 3, 5, 17, SIZE_MAX };

static enum codec_step check_all(struct batch_reader *b, size_t step, struct error *err)
{
    enum codec_step end;
    do
        end = batch_reader_check(b, step, err);
    while (end == CODEC_MORE);
    return end;
}

static void show(struct buf *to, const char *name, struct str value)
{
    if (value.data != NULL)
        buf_printf(to, " %s=%.*s", name, STR_ARGS(value));
}

/* One line for each item. */
static void show_item(struct buf *to, const struct batch_item *item, const struct error *err)
{
    buf_printf(to, "%zu", item->index);
    if (item->failed) {
        buf_printf(to, " %s", problem_info(err->type)->name);
        if (err->has_pointer)
            buf_printf(to, " at=%s", err->pointer);
    } else {
        show(to, "method", item->method);
        show(to, "params", item->params);
    }
    show(to, "id", item->id);
    buf_printf(to, "%s\n", item->notification ? " notification" : "");
}

static char *read_all(struct batch_reader *b, size_t step)
{
    struct batch_item item;
    struct error err;
    struct buf text;
    size_t n = 0;
    buf_init(&text, (size_t)1 << 20, NULL);
    for (;;) {
        enum batch_step next = batch_reader_next(b, step, &item, &err);
        if (next == BATCH_END)
            break;
        if (next == BATCH_MORE)
            continue;
        assert_int_equal(item.index, n++);
        show_item(&text, &item, &err);
    }
    assert_int_equal(n, batch_reader_count(b));
    return buf_take(&text);
}

struct batch_case {
    const char *text, *items;
};

static void check_cases(enum batch_dialect dialect, const struct batch_case *cases, size_t n)
{
    struct batch_reader *b = batch_reader_new(NULL);
    struct error err;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < ARRAY_LEN(steps); j++) {
            /* A copy: the sanitizer sees what is read behind the end. */
            size_t len = strlen(cases[i].text);
            char *text = malloc(len);
            assert_non_null(text);
            memcpy(text, cases[i].text, len);
            batch_reader_begin(b, dialect, (struct str){ text, len });
            if (check_all(b, steps[j], &err) != CODEC_DONE)
                fail_msg("%s: %s", cases[i].text, err.detail);
            for (int again = 0; again < 2; again++) {
                char *items = read_all(b, steps[j]);
                assert_string_equal(items, cases[i].items);
                free(items);
                batch_reader_rewind(b);
            }
            free(text);
        }
    }
    batch_reader_free(b);
}

static void rest(void **state)
{
    (void)state;
    static const struct batch_case cases[] = {
        { "[]", "" },
        { " [ ] ", "" },
        { "[{\"method\":\"a.b\"}]", "0 method=a.b\n" },
        { " [ { \"method\" : \"a\" , \"params\" : [ 1 , 2 ] } , {\"params\":[],\"method\":\"b\"} "
          "] ",
          "0 method=a params=[ 1 , 2 ]\n1 method=b params=[]\n" },
        { "[{\"\\u006dethod\":\"\\u00e9\\n\",\"param\\u0073\":{\"a\":[{}]}}]",
          "0 method=\xC3\xA9\n params={\"a\":[{}]}\n" },
        { "[{\"method\":\"a\",\"params\":null},{\"method\":\"b\",\"params\":-1.5e3}]",
          "0 method=a params=null\n1 method=b params=-1.5e3\n" },
        { "[{\"method\":\"\"}]", "0 method=\n" },
        { "[1,\"a\",null,[],{},[{\"method\":\"a\"}],{\"method\":\"b\"}]",
          "0 invalid-request at=/0\n1 invalid-request at=/1\n2 invalid-request at=/2\n"
          "3 invalid-request at=/3\n4 invalid-request at=/4\n5 invalid-request at=/5\n"
          "6 method=b\n" },
        { "[{\"method\":1},{\"method\":null},{\"params\":[]},{\"method\":[\"a\"]}]",
          "0 invalid-request at=/0/method\n1 invalid-request at=/1/method\n"
          "2 invalid-request at=/2\n3 invalid-request at=/3/method\n" },
        { "[{\"method\":\"a\",\"id\":1},{\"methodName\":\"a\"},{\"a/"
          "b~\\u0063\":1,\"method\":\"a\"}]",
          "0 invalid-request at=/0/id\n1 invalid-request at=/1/methodName\n"
          "2 invalid-request at=/2/a~1b~0c\n" },
        { "[{\"method\":\"],}\",\"params\":[\"]\\\"}\",{\"}\":\"{\"}]}]",
          "0 method=],} params=[\"]\\\"}\",{\"}\":\"{\"}]\n" },
    };
    check_cases(BATCH_REST, cases, ARRAY_LEN(cases));
}

static void jsonrpc(void **state)
{
    (void)state;
    static const struct batch_case cases[] = {
        { "[]", "" },
        { "{\"jsonrpc\":\"2.0\",\"method\":\"subtract\",\"params\":[42,23],\"id\":1}",
          "0 method=subtract params=[42,23] id=1\n" },
        { "{\"jsonrpc\": \"2.0\", \"method\": \"subtract\", \"params\": {\"subtrahend\": 23}, "
          "\"id\": \"\\u0041\"}",
          "0 method=subtract params={\"subtrahend\": 23} id=\"\\u0041\"\n" },
        { "{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"params\":[1]}",
          "0 method=update params=[1] notification\n" },
        { "{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":null}", "0 method=a id=null\n" },
        { "{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":123456789012345678901234567890.50}",
          "0 method=a id=123456789012345678901234567890.50\n" },
        { "{\"json\\u0072pc\":\"\\u0032.0\",\"method\":\"a\",\"id\":-0,\"extra\":{\"id\":7}}",
          "0 method=a id=-0\n" },
        { "{\"jsonrpc\": \"2.0\", \"method\": 1, \"params\": \"bar\"}",
          "0 invalid-request at=/method\n" },
        { "{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"params\":\"bar\",\"id\":5}",
          "0 invalid-request at=/params id=5\n" },
        { "{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"params\":null,\"id\":5}", "0 method=a id=5\n" },
        { "{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"params\":null}", "0 method=a notification\n" },
        { "{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"params\":true,\"id\":5}",
          "0 invalid-request at=/params id=5\n" },
        { "\xEF\xBB\xBF{\"jsonrpc\":\"2.0\",\"method\":\"a\"}", "0 method=a notification\n" },
        { "{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"params\":1}", "0 invalid-request at=/params\n" },
        { "{\"jsonrpc\":\"1.0\",\"method\":\"a\",\"id\":6}",
          "0 invalid-request at=/jsonrpc id=6\n" },
        { "{\"jsonrpc\":2.0,\"method\":\"a\",\"id\":6}", "0 invalid-request at=/jsonrpc id=6\n" },
        { "{\"method\":\"a\",\"id\":6}", "0 invalid-request at= id=6\n" },
        { "{\"jsonrpc\":\"2.0\",\"id\":6}", "0 invalid-request at= id=6\n" },
        { "{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":true}", "0 invalid-request at=/id\n" },
        { "[{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":[1]},{\"jsonrpc\":\"2.0\",\"method\":"
          "\"a\","
          "\"id\":{}},{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":\"\"}]",
          "0 invalid-request at=/0/id\n1 invalid-request at=/1/id\n2 method=a id=\"\"\n" },
        { "{}", "0 invalid-request at=\n" },
        { "7", "0 invalid-request at=\n" },
        { "[1,2]", "0 invalid-request at=/0\n1 invalid-request at=/1\n" },
        { "[{\"foo\":\"boo\"},{\"jsonrpc\":\"2.0\",\"method\":\"a\"}]",
          "0 invalid-request at=/0\n1 method=a notification\n" },
    };
    check_cases(BATCH_JSONRPC, cases, ARRAY_LEN(cases));
}

static void xmlrpc(void **state)
{
    static const struct {
        const char *text, *items;
    } cases[] = {
        { "[]", "" },
        { "[{\"methodName\":\"a.b\",\"params\":[1,[2]]},{\"params\":[],\"methodName\":\"c\"}]",
          "0 method=a.b params=[1,[2]]\n1 method=c params=[]\n" },
        { "[{\"methodName\":\"a\"},{\"method\":\"a\"},{\"methodName\":{\"$base64\":\"\"}}]",
          "0 method=a\n1 invalid-request at=/1\n2 invalid-request at=/2/methodName\n" },
        { "[5,{\"methodName\":\"a\",\"params\":{}},{\"methodName\":\"a\",\"params\":null}]",
          "0 invalid-request at=/0\n1 invalid-request at=/1/params\n"
          "2 invalid-request at=/2/params\n" },
        { "[{\"methodName\":\"a\",\"id\":7,\"jsonrpc\":[],\"x\":1}]", "0 method=a\n" },
    };
    struct batch_reader *b = batch_reader_new(NULL);
    struct error err;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
            batch_reader_begin(b, BATCH_XMLRPC, str_of(cases[i].text));
            assert_int_equal(check_all(b, steps[k], &err), CODEC_DONE);
            char *items = read_all(b, steps[k]);
            assert_string_equal(items, cases[i].items);
            free(items);
        }
    }
    batch_reader_begin(b, BATCH_XMLRPC, STR("{}"));
    assert_int_equal(check_all(b, SIZE_MAX, &err), CODEC_FAILED);
    batch_reader_free(b);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        enum batch_dialect dialect;
        const char *text;
        enum problem_type type;
        const char *detail;
    } cases[] = {
        { BATCH_REST, "{\"method\":\"a\"}", PROBLEM_INVALID_REQUEST, "A batch is an array" },
        { BATCH_REST, "\"a\"", PROBLEM_INVALID_REQUEST, "A batch is an array" },
        { BATCH_REST, "", PROBLEM_INVALID_JSON, "line 1, column 1" },
        { BATCH_REST, "\xEF\xBB\xBF", PROBLEM_INVALID_JSON, "line 1, column 1" },
        { BATCH_REST, "\xEF\xBB\xBF\xEF\xBB\xBF[]", PROBLEM_INVALID_JSON, "line 1, column 1" },
        { BATCH_REST, " \xEF\xBB\xBF[]", PROBLEM_INVALID_JSON, "line 1, column 2" },
        { BATCH_REST, "\xEF\xBB\xBF[1,]", PROBLEM_INVALID_JSON, "line 1, column 4" },
        { BATCH_REST, "[{\"method\":\"a\",\n \"method\":\"b\"}]", PROBLEM_INVALID_JSON,
          "line 2, column 2" },
        { BATCH_JSONRPC, "{\"jsonrpc\": \"2.0\", \"method\": \"foobar, \"params\": \"bar\", \"baz]",
          PROBLEM_INVALID_JSON, "line 1, column 40" },
        { BATCH_JSONRPC,
          "[{\"jsonrpc\": \"2.0\", \"method\": \"sum\", \"id\": \"1\"},{\"jsonrpc\": "
          "\"2.0\", \"method\"",
          PROBLEM_INVALID_JSON, "line 1" },
        { BATCH_JSONRPC, "{\"jsonrpc\":\"2.0\",\"id\":1,\"\\u0069d\":2}", PROBLEM_INVALID_JSON,
          "twice" },
        { BATCH_JSONRPC, "  ", PROBLEM_INVALID_JSON, "line 1" },
    };
    struct batch_reader *b = batch_reader_new(NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t j = 0; j < ARRAY_LEN(steps); j++) {
            struct error err;
            batch_reader_begin(b, cases[i].dialect, str_of(cases[i].text));
            assert_int_equal(check_all(b, steps[j], &err), CODEC_FAILED);
            assert_int_equal(err.type, cases[i].type);
            if (strstr(err.detail, cases[i].detail) == NULL)
                fail_msg("%s: %s", cases[i].text, err.detail);
        }
    }
    batch_reader_free(b);
}

/* Half of `n` brackets that open, as many that close. */
static char *nested(size_t n)
{
    char *text = xcalloc(2 * n + 64, 1);
    size_t at = (size_t)sprintf(text, "[{\"method\":\"a\",\"params\":");
    memset(text + at, '[', n);
    memset(text + at + n, ']', n);
    strcpy(text + at + 2 * n, "}]");
    return text;
}

static void depth(void **state)
{
    (void)state;
    static const struct {
        size_t depth;
        enum codec_step end;
    } cases[] = { { 1000, CODEC_DONE }, { 1001, CODEC_FAILED } };
    struct batch_reader *b = batch_reader_new(NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err;
        char *text = nested(cases[i].depth);
        batch_reader_begin(b, BATCH_REST, str_of(text));
        assert_int_equal(check_all(b, SIZE_MAX, &err), cases[i].end);
        free(text);
    }
    batch_reader_free(b);
}

/* Finding an item takes as many steps as its size wants, and memory is given back. */
static void large(void **state)
{
    (void)state;
    const size_t n = 100000;
    struct budget budget = { 0 };
    struct batch_item item;
    struct error err;
    atomic_store(&budget.max, (size_t)1 << 20);
    struct batch_reader *b = batch_reader_new(&budget);
    char *text = xcalloc(2 * n + 64, 1);
    size_t at = (size_t)sprintf(text, "[{\"method\":\"\\u0061\",\"params\":[0");
    for (size_t i = 0; i < n; i++)
        memcpy(text + at + 2 * i, ",0", 2);
    strcpy(text + at + 2 * n, "]},{\"method\":\"b\"}]");
    batch_reader_begin(b, BATCH_REST, str_of(text));
    assert_int_equal(check_all(b, 4096, &err), CODEC_DONE);
    assert_int_equal(batch_reader_count(b), 2);
    size_t n_steps = 1;
    while (batch_reader_next(b, 4096, &item, &err) == BATCH_MORE)
        n_steps++;
    assert_in_range(n_steps, 2 * n / 4096, 2 * n / 4096 + 2);
    assert_int_equal(item.params.len, 2 * n + 3);
    assert_true(str_eq_c(item.method, "a"));
    assert_int_equal(batch_reader_next(b, 4096, &item, &err), BATCH_ITEM);
    assert_int_equal(batch_reader_next(b, 4096, &item, &err), BATCH_END);
    batch_reader_clear(b);
    assert_int_equal(batch_reader_count(b), 0);
    assert_int_equal(batch_reader_next(b, 4096, &item, &err), BATCH_END);
    batch_reader_free(b);
    assert_int_equal(atomic_load(&budget.used), 0);
    free(text);
}

/* Only the item whose method has no room fails. */
static void no_memory(void **state)
{
    (void)state;
    struct budget budget = { 0 };
    struct batch_item item;
    struct error err;
    atomic_store(&budget.max, (size_t)1 << 20);
    struct batch_reader *b = batch_reader_new(&budget);
    batch_reader_begin(b, BATCH_REST, STR("[{\"method\":\"\\u0061\"},{\"method\":\"b\"}]"));
    assert_int_equal(check_all(b, SIZE_MAX, &err), CODEC_DONE);
    atomic_store(&budget.max, 0);
    assert_int_equal(batch_reader_next(b, SIZE_MAX, &item, &err), BATCH_ITEM);
    assert_true(item.failed);
    assert_int_equal(err.type, PROBLEM_OVERLOADED);
    assert_string_equal(err.setting, "limits.memory");
    assert_int_equal(batch_reader_next(b, SIZE_MAX, &item, &err), BATCH_ITEM);
    assert_false(item.failed);
    batch_reader_free(b);
    assert_int_equal(atomic_load(&budget.used), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rest),      cmocka_unit_test(jsonrpc), cmocka_unit_test(xmlrpc),
        cmocka_unit_test(refused),   cmocka_unit_test(depth),   cmocka_unit_test(large),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
