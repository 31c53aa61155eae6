/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/head.h"

#include "head_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void finds_headers(void **state)
{
    struct head_text t;
    (void)state;
    head_text_init(&t, "Host: a\nX-A: 1\nx-a: 2\nHosts: b\n");
    assert_true(str_eq_c(head_find(&t.head, STR("X-a"))->value, "1"));
    assert_true(str_eq_c(head_find(&t.head, STR("HOST"))->value, "a"));
    assert_null(head_find(&t.head, STR("Hos")));
    assert_int_equal(head_count(&t.head, STR("X-A")), 2);
    assert_int_equal(head_count(&t.head, STR("X-B")), 0);
    head_text_init(&t, "");
    assert_null(head_find(&t.head, STR("Host")));
}

static void knows_whether_a_body_follows(void **state)
{
    static const struct {
        const char *lines;
        bool has_length, has_body;
        uint64_t length;
    } cases[] = {
        { "", false, false, 0 },
        { "Content-Length: 0\n", true, false, 0 },
        { "Content-Length:  12 \n", true, true, 12 },
        { "content-length: 9223372036854775807\n", true, true, INT64_MAX },
        { "Content-Length: 9223372036854775808\n", false, false, 0 },
        { "Content-Length: x\n", false, false, 0 },
        { "Content-Length: \n", false, false, 0 },
        { "Transfer-Encoding: chunked\n", false, true, 0 },
        { "transfer-encoding: x\n", false, true, 0 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct head_text t;
        uint64_t length = 0;
        head_text_init(&t, cases[i].lines);
        bool has_length = head_content_length(&t.head, &length);
        if (has_length != cases[i].has_length || length != cases[i].length ||
            head_has_body(&t.head) != cases[i].has_body)
            fail_msg("%s", cases[i].lines);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_headers),
        cmocka_unit_test(knows_whether_a_body_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
