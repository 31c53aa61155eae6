/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/negotiate.h"

#include "head_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void knows_who_wants_a_page(void **state)
{
    static const struct {
        const char *lines;
        bool html;
    } cases[] = {
        { "", false },
        { "Accept: */*\n", false },
        { "Accept: application/json\n", false },
        { "Accept: text/html\n", true },
        { "accept: TEXT/HTML\n", true },
        { "Accept: text/*\n", true },
        { "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\n", true },
        { "Accept: text/html, application/json\n", false },
        { "Accept: application/json, text/html;q=0.9\n", false },
        { "Accept: application/json;q=0.9, text/html\n", true },
        { "Accept: application/json ; charset=utf-8 ; q=0.1,\ttext/html ; q=0.2\n", true },
        { "Accept: application/*;q=0.5, text/html;q=0.6\n", true },
        { "Accept: text/html;q=0.3, text/*;q=0.9, application/json;q=0.5\n", false },
        { "Accept: text/*;q=0.9, text/html;q=0.3, application/json;q=0.5\n", false },
        { "Accept: */*;q=0.4, text/html;q=0\n", false },
        { "Accept: */*, application/json;q=0.999\n", true },
        { "Accept: text/html;q=1.000, application/json;q=0.999\n", true },
        { "Accept: text/html;q=1.001\n", false },
        { "Accept: text/html;q=0.0001\n", false },
        { "Accept: text/html;q=\n", false },
        { "Accept: text/html;q=x\n", false },
        { "Accept: text/html;q=2\n", false },
        { "Accept: text/htmlx, x-text/html, text, /, ,;\n", false },
        { "Accept: application/json;q=0.2\nAccept: text/html\n", true },
        { "Accept: text/html\nAccept: application/json\n", false },
        { "Accept:\n", false },
        { "X-Accept: text/html\n", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct head_text t;
        head_text_init(&t, cases[i].lines);
        if (negotiate_prefers_html(&t.head) != cases[i].html)
            fail_msg("%s", cases[i].lines);
    }
}

static void knows_what_is_there_already(void **state)
{
    static const struct {
        const char *lines;
        bool has;
    } cases[] = {
        { "", false },
        { "If-None-Match: \"a1\"\n", true },
        { "if-none-match: W/\"a1\"\n", true },
        { "If-None-Match: \"b\", \"a1\"\n", true },
        { "If-None-Match: \"b\"\nIf-None-Match:  \"a1\" \n", true },
        { "If-None-Match: *\n", true },
        { "If-None-Match: \"a\"\n", false },
        { "If-None-Match: \"a12\"\n", false },
        { "If-None-Match: a1\n", false },
        { "If-None-Match:\n", false },
        { "If-None-Match: ,,\n", false },
        { "If-Match: \"a1\"\n", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct head_text t;
        head_text_init(&t, cases[i].lines);
        if (negotiate_has(&t.head, STR("\"a1\"")) != cases[i].has)
            fail_msg("%s", cases[i].lines);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_who_wants_a_page),
        cmocka_unit_test(knows_what_is_there_already),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
