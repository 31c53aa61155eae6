/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    const char *query;
    int types, integers; /* -1: not there */
} queries[] = {
    { "", -1, -1 },
    { "&", -1, -1 },
    { "types=plain", TYPES_PLAIN, -1 },
    { "types=tagged", TYPES_TAGGED, -1 },
    { "integers=number", -1, INTEGERS_NUMBER },
    { "integers=safe", -1, INTEGERS_SAFE },
    { "integers=string", -1, INTEGERS_STRING },
    { "types=tagged&integers=safe", TYPES_TAGGED, INTEGERS_SAFE },
    { "&integers=safe&&types=plain&", TYPES_PLAIN, INTEGERS_SAFE },
    { "t%79pes=t%61gged", TYPES_TAGGED, -1 },
};

static void reads_queries(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        struct query q;
        struct error err;
        if (!query_parse(str_of(queries[i].query), &q, &err))
            fail_msg("%s: %s", queries[i].query, err.detail);
        assert_int_equal(q.has_types, queries[i].types >= 0);
        assert_int_equal(q.has_integers, queries[i].integers >= 0);
        if (q.has_types)
            assert_int_equal(q.types, queries[i].types);
        if (q.has_integers)
            assert_int_equal(q.integers, queries[i].integers);
    }
    struct query q;
    struct error err;
    assert_true(query_parse((struct str){ NULL, 0 }, &q, &err));
}

static void refuses_queries(void **state)
{
    static const struct {
        const char *query, *detail;
    } cases[] = {
        { "x=1", "no `x`: use types or integers" },
        { "type=tagged", "no `type`: use types or integers" },
        { "Types=tagged", "use types or integers" },
        { "=", "use types or integers" },
        { "types=tagged&debug", "no `debug`" },
        { "types=tagged?x=1", "use plain or tagged" },
        { "types", "use plain or tagged" },
        { "types=", "use plain or tagged" },
        { "types=Tagged", "use plain or tagged" },
        { "types=tagged=", "use plain or tagged" },
        { "types=+tagged", "use plain or tagged" },
        { "types=taggedtaggedtaggedtaggedtaggedtagged", "use plain or tagged" },
        { "integers=5", "use number, safe or string" },
        { "types=plain&types=plain", "`types` twice" },
        { "integers=safe&integers=number", "`integers` twice" },
        { "types=%", "not percent-encoded" },
        { "types=plain&x%ZZ", "not percent-encoded" },
        { "types=%00", "not percent-encoded" },
        { "%FF=1", "not percent-encoded" },
        { "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx%", "not percent-encoded" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct query q;
        struct error err;
        if (query_parse(str_of(cases[i].query), &q, &err))
            fail_msg("%s", cases[i].query);
        if (strstr(err.detail, cases[i].detail) == NULL)
            fail_msg("%s: %s", cases[i].query, err.detail);
        assert_int_equal(err.type, PROBLEM_INVALID_REQUEST);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_queries),
        cmocka_unit_test(refuses_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
