/* SPDX-License-Identifier: Apache-2.0 */
#include "client/introspection_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void methods(void **state UNUSED)
{
    static const struct {
        const char *json, *names; /* NULL: no list */
    } cases[] = {
        { "[]", "[]" },
        { "[\"a\"]", "[\"a\"]" },
        { "[\"a.b\",\"\\u0001\\\"\",7,[\"x\"],{\"y\":\"z\"},null,\"c\"]",
          "[\"a.b\",\"\\u0001\\\"\",\"c\"]" },
        { "{}", NULL },
        { "\"a\"", NULL },
        { "null", NULL },
        { "", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct chain out;
        chain_init(&out, 1000, NULL);
        assert_int_equal(introspection_read_methods(str_of(cases[i].json), &out),
                         cases[i].names != NULL);
        char *text = chain_dup(&out);
        assert_string_equal(text, cases[i].names != NULL ? cases[i].names : "");
        free(text);
        chain_done(&out);
    }
}

/* What comes of the two results of a system.multicall. */
static void descriptions(void **state UNUSED)
{
    static const struct {
        const char *json, *text; /* NULL: no results */
    } cases[] = {
        { "[[[[\"int\",\"string\"]]],[\"Help.\"]]",
          "\"signatures\":[[\"int\",\"string\"]],\"help\":\"Help.\"" },
        { "[[[\"int\",\"string\"]],\"Help.\"]",
          "\"signatures\":[[\"int\",\"string\"]],\"help\":\"Help.\"" },
        { "[[[[\"int\"],[\"nil\"]]],[\"\"]]",
          "\"signatures\":[[\"int\"],[\"nil\"]],\"help\":\"\"" },
        { "[[[]],[\"\"]]", "\"signatures\":[],\"help\":\"\"" },
        { "[[],\"\"]", "\"signatures\":[],\"help\":\"\"" },
        { "[[\"undef\"],[\"Help.\"]]", "\"signatures\":null,\"help\":\"Help.\"" },
        { "[\"undef\",\"Help.\"]", "\"signatures\":null,\"help\":\"Help.\"" },
        /* supervisord */
        { "[[\"boolean\",\"string\"],\"Help.\"]",
          "\"signatures\":[[\"boolean\",\"string\"]],\"help\":\"Help.\"" },
        /* faults, which nzbget wraps */
        { "[{\"faultCode\":1},{\"faultCode\":1}]", "\"signatures\":null,\"help\":\"\"" },
        { "[[{\"faultCode\":1}],[{\"faultCode\":1}]]", "\"signatures\":null,\"help\":\"\"" },
        { "[[[[\"int\"]]],{\"faultCode\":1}]", "\"signatures\":[[\"int\"]],\"help\":\"\"" },
        { "[[[\"int\"]],{\"faultCode\":1}]", "\"signatures\":[[\"int\"]],\"help\":\"\"" },
        { "[{\"faultCode\":1},[\"Help.\"]]", "\"signatures\":null,\"help\":\"Help.\"" },
        { "[{\"faultCode\":1},\"Help.\"]", "\"signatures\":null,\"help\":\"Help.\"" },
        { "[[[\"int\",7]],\"Help.\"]", "\"signatures\":null,\"help\":\"Help.\"" },
        { "[null,null]", "\"signatures\":null,\"help\":\"\"" },
        { "[1]", NULL },
        { "[1,2,3]", NULL },
        { "[]", NULL },
        { "{\"a\":1,\"b\":2}", NULL },
        { "\"ab\"", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str signatures, help;
        struct chain out;
        chain_init(&out, 1000, NULL);
        bool there = introspection_split(str_of(cases[i].json), &signatures, &help);
        assert_int_equal(there, cases[i].text != NULL);
        if (there) {
            introspection_write_signatures(signatures, &out);
            introspection_write_help(help, &out);
            char *text = chain_dup(&out);
            assert_string_equal(text, cases[i].text);
            free(text);
        }
        chain_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods),
        cmocka_unit_test(descriptions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
