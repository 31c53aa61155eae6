/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    struct str text;
    const char *json;
} cases[] = {
    { { "", 0 }, "\"\"" },
    { { "a\"b\\c/d", 7 }, "\"a\\\"b\\\\c/d\"" },
    { { "\b\t\n\f\r\x01\x1F\0\x7F", 9 }, "\"\\b\\t\\n\\f\\r\\u0001\\u001f\\u0000\x7F\"" },
    { { "\xC3\xA4\xF0\x9F\x98\x80", 6 }, "\"\xC3\xA4\xF0\x9F\x98\x80\"" },
};

static void test_strings(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct chain c;
        chain_init(&c, 1000, NULL);
        json_write_string(&c, cases[i].text);
        char *json = chain_dup(&c);
        assert_string_equal(json, cases[i].json);
        free(json);
        chain_done(&c);
    }
}

/* Each special byte at each place of texts of many lengths, against a plain reading of the rule. */
static void test_places(void **state UNUSED)
{
    char text[200], want[256];
    for (size_t len = 1; len < sizeof text; len++)
        for (size_t at = 0; at < len; at += 1 + len / 9) {
            struct chain c;
            size_t n = 0;
            memset(text, 'a', len);
            text[at] = '\n';
            for (size_t i = 0; i < len; i++) {
                if (i == at)
                    want[n++] = '\\';
                want[n++] = i == at ? 'n' : 'a';
            }
            want[n] = '\0';
            chain_init(&c, 1000, NULL);
            json_write_text(&c, (struct str){ text, len });
            char *json = chain_dup(&c);
            assert_string_equal(json, want);
            free(json);
            chain_done(&c);
        }
}

/* What fits exactly is written; one byte less room is a failure. */
static void test_maximum(void **state UNUSED)
{
    struct chain c;
    chain_init(&c, 8, NULL);
    json_write_string(&c, STR("abcd\n"));
    assert_int_equal(chain_state(&c), CHAIN_OK);
    assert_int_equal(chain_len(&c), 8);
    chain_done(&c);
    chain_init(&c, 7, NULL);
    json_write_string(&c, STR("abcd\n"));
    assert_int_equal(chain_state(&c), CHAIN_FULL);
    chain_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
