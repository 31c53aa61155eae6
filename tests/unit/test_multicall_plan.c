/* SPDX-License-Identifier: Apache-2.0 */
#include "base/chain.h"
#include "client/multicall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define USE(word) MULTICALL_USE_##word
#define SHAPE(word) MULTICALL_SHAPE_##word

/* What is set and known, and what follows. */
static void plans(void **state)
{
    static const struct {
        enum multicall_use use;
        enum multicall_shape shape;
        enum multicall_known known;
        enum multicall_plan plan;
    } cases[] = {
        { USE(AUTO), SHAPE(AUTO), MULTICALL_UNKNOWN, MULTICALL_ASK },
        { USE(AUTO), SHAPE(AUTO), MULTICALL_ASKED, MULTICALL_WAIT },
        { USE(AUTO), SHAPE(AUTO), MULTICALL_KNOWN_WRAPPED, MULTICALL_WRAPPED },
        { USE(AUTO), SHAPE(AUTO), MULTICALL_KNOWN_BARE, MULTICALL_BARE },
        { USE(AUTO), SHAPE(AUTO), MULTICALL_KNOWN_NONE, MULTICALL_PARALLEL },
        { USE(AUTO), SHAPE(WRAPPED), MULTICALL_UNKNOWN, MULTICALL_ASK },
        { USE(AUTO), SHAPE(BARE), MULTICALL_UNKNOWN, MULTICALL_ASK },
        { USE(AUTO), SHAPE(BARE), MULTICALL_KNOWN_WRAPPED, MULTICALL_BARE },
        { USE(AUTO), SHAPE(WRAPPED), MULTICALL_KNOWN_BARE, MULTICALL_WRAPPED },
        { USE(AUTO), SHAPE(BARE), MULTICALL_KNOWN_NONE, MULTICALL_PARALLEL },
        { USE(AUTO), SHAPE(BARE), MULTICALL_ASKED, MULTICALL_WAIT },
        { USE(ALWAYS), SHAPE(AUTO), MULTICALL_UNKNOWN, MULTICALL_ASK },
        { USE(ALWAYS), SHAPE(AUTO), MULTICALL_KNOWN_BARE, MULTICALL_BARE },
        { USE(ALWAYS), SHAPE(AUTO), MULTICALL_KNOWN_NONE, MULTICALL_WRAPPED },
        { USE(ALWAYS), SHAPE(BARE), MULTICALL_KNOWN_NONE, MULTICALL_BARE },
        { USE(ALWAYS), SHAPE(BARE), MULTICALL_UNKNOWN, MULTICALL_BARE },
        { USE(ALWAYS), SHAPE(WRAPPED), MULTICALL_ASKED, MULTICALL_WRAPPED },
        { USE(NEVER), SHAPE(AUTO), MULTICALL_UNKNOWN, MULTICALL_PARALLEL },
        { USE(NEVER), SHAPE(BARE), MULTICALL_KNOWN_BARE, MULTICALL_PARALLEL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct upstream_config config = { .multicall = cases[i].use,
                                          .multicall_results = cases[i].shape };
        struct upstream_state shared = { .config = &config };
        once_init(&shared.multicall_told);
        multicall_learn(&shared, cases[i].known);
        assert_int_equal(multicall_plan(&shared), cases[i].plan);
        once_done(&shared.multicall_told);
    }
}

static void one_asks(void **state)
{
    struct upstream_config config = { .multicall = MULTICALL_USE_AUTO };
    struct upstream_state shared = { .config = &config };
    (void)state;
    once_init(&shared.multicall_told);
    assert_int_equal(multicall_plan(&shared), MULTICALL_ASK);
    assert_int_equal(multicall_plan(&shared), MULTICALL_WAIT);
    multicall_learn(&shared, MULTICALL_UNKNOWN);
    assert_int_equal(multicall_plan(&shared), MULTICALL_ASK);
    multicall_learn(&shared, MULTICALL_KNOWN_BARE);
    assert_int_equal(multicall_plan(&shared), MULTICALL_BARE);
    once_done(&shared.multicall_told);
}

/* Only what is known can be doubted. */
static void doubts(void **state)
{
    static const struct {
        enum multicall_known known, after;
    } cases[] = {
        { MULTICALL_KNOWN_WRAPPED, MULTICALL_UNKNOWN }, { MULTICALL_KNOWN_BARE, MULTICALL_UNKNOWN },
        { MULTICALL_KNOWN_NONE, MULTICALL_KNOWN_NONE }, { MULTICALL_ASKED, MULTICALL_ASKED },
        { MULTICALL_UNKNOWN, MULTICALL_UNKNOWN },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct upstream_state shared = { .config = NULL };
        once_init(&shared.multicall_told);
        multicall_learn(&shared, cases[i].known);
        multicall_doubt(&shared);
        assert_int_equal(atomic_load(&shared.multicall), cases[i].after);
        once_done(&shared.multicall_told);
    }
}

static void reads_answers(void **state)
{
    static const struct {
        const char *json;
        enum multicall_known known;
    } cases[] = {
        { "[[[\"a\",\"b\"]]]", MULTICALL_KNOWN_BARE },
        { "[[[[\"a\",\"b\"]]]]", MULTICALL_KNOWN_WRAPPED },
        { "[[{\"faultCode\":1,\"faultString\":\"x\"}]]", MULTICALL_KNOWN_WRAPPED },
        { "[[]]", MULTICALL_KNOWN_WRAPPED },
        { "[5]", MULTICALL_KNOWN_WRAPPED },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct chain json;
        chain_init(&json, SIZE_MAX, NULL);
        chain_append_c(&json, cases[i].json);
        assert_int_equal(multicall_read_answer(&json), cases[i].known);
        chain_done(&json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans),
        cmocka_unit_test(one_asks),
        cmocka_unit_test(doubts),
        cmocka_unit_test(reads_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
