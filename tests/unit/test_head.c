/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/head.h"

#include "head_text.h"

#include <ctype.h>
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
    head_text_init(&t, "Hos: c\nHost: a\nTraceState: 1\ntracestate: 2\nHosts: b\n");
    assert_true(str_eq_c(head_find(&t.head, HEADER_TRACESTATE)->value, "1"));
    assert_true(str_eq_c(head_find(&t.head, HEADER_HOST)->value, "a"));
    assert_int_equal(head_count(&t.head, HEADER_TRACESTATE), 2);
    assert_int_equal(head_count(&t.head, HEADER_HOST), 1);
    assert_int_equal(head_count(&t.head, HEADER_TRACEPARENT), 0);
    head_text_init(&t, "");
    assert_null(head_find(&t.head, HEADER_HOST));
}

static void knows_names(void **state)
{
    static const struct {
        struct str name;
        enum header_name is;
    } rows[] = {
#define X(word, name) { { name, sizeof(name) - 1 }, HEADER_##word },
        HEADER_LIST(X)
#undef X
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[64];
        size_t len = rows[i].name.len;
        assert_true(len < sizeof text);
        for (size_t k = 0; k <= len; k++)
            text[k] = (char)tolower((unsigned char)rows[i].name.data[k]);
        assert_int_equal(head_name_of((struct str){ text, len }), rows[i].is);
        assert_int_equal(head_name_of((struct str){ text, len - 1 }), HEADER_OTHER);
        text[len - 1] ^= 1;
        assert_int_equal(head_name_of((struct str){ text, len }), HEADER_OTHER);
    }
    assert_int_equal(head_name_of((struct str){ NULL, 0 }), HEADER_OTHER);
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
        cmocka_unit_test(knows_names),
        cmocka_unit_test(knows_whether_a_body_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
