/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/caching.h"

#include "base/macros.h"
#include "head_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void reads_what_is_wished(void **state)
{
    static const struct {
        const char *lines;
        bool no_cache, no_store;
    } cases[] = {
        { "", false, false },
        { "Cache-Control: no-cache\n", true, false },
        { "cache-control: max-age=0 ,No-Cache\n", true, false },
        { "Cache-Control: no-store\n", false, true },
        { "Cache-Control: max-age=0\nCache-Control: no-store, no-cache\n", true, true },
        { "Cache-Control: no-cache=\"set-cookie\"\n", true, false },
        { "Cache-Control: no-cached, xno-cache, only-if-cached,,\n", false, false },
        { "Cache-Control:\n", false, false },
        { "Pragma: no-store\n", false, false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct head_text t;
        head_text_init(&t, cases[i].lines);
        struct caching_wish wish = caching_wish(&t.head);
        assert_int_equal(wish.no_cache, cases[i].no_cache);
        assert_int_equal(wish.no_store, cases[i].no_store);
    }
}

static void knows_what_a_caller_has(void **state)
{
    static const struct {
        const char *lines;
        bool has;
    } cases[] = {
        { "", false },
        { "If-None-Match: \"abc\"\n", true },
        { "If-None-Match: W/\"abc\"\n", true },
        { "If-None-Match: \"x\" , \"abc\"\n", true },
        { "If-None-Match: \"x\"\nif-none-match: \"abc\"\n", true },
        { "If-None-Match: *\n", true },
        { "If-None-Match: abc\n", false },
        { "If-None-Match: \"ABC\"\n", false },
        { "If-None-Match: w/\"abc\"\n", false },
        { "If-None-Match: \"abcd\", \"ab\"\n", false },
        { "If-Match: \"abc\"\n", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct head_text t;
        head_text_init(&t, cases[i].lines);
        assert_int_equal(caching_has(&t.head, STR("\"abc\"")), cases[i].has);
    }
}

static void writes_how_it_came_about(void **state)
{
    static const struct {
        struct caching_told told;
        const char *text;
    } cases[] = {
        { { CACHING_HIT, false, false, 60, 12 }, "rpcgate; hit; ttl=48" },
        { { CACHING_STALE, false, false, 60, 360 },
          "rpcgate; hit; ttl=-300; detail=STALE-IF-ERROR" },
        { { CACHING_MISS, false, true, 60, 0 }, "rpcgate; fwd=miss; stored" },
        { { CACHING_MISS, false, false, 60, 0 }, "rpcgate; fwd=miss" },
        { { CACHING_MISS, true, true, 60, 0 }, "rpcgate; fwd=request; stored" },
        { { CACHING_COLLAPSED, false, true, 60, 0 }, "rpcgate; fwd=miss; collapsed; stored" },
        { { CACHING_HIT, false, false, INT64_MAX / 1000, 0 },
          "rpcgate; hit; ttl=9223372036854775" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[CACHING_STATUS_TEXT];
        caching_write_status(&cases[i].told, text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_wished),
        cmocka_unit_test(knows_what_a_caller_has),
        cmocka_unit_test(writes_how_it_came_about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
