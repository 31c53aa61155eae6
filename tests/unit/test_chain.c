/* SPDX-License-Identifier: Apache-2.0 */
#include "base/chain.h"

#include "base/buf.h"

#include <sys/uio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_chain(const struct chain *c, struct str expected)
{
    char *all = chain_dup(c);
    assert_int_equal(chain_len(c), expected.len);
    assert_memory_equal(all, expected.data, expected.len);
    free(all);
}

/* Bytes that tell where they stand. */
static char byte_at(size_t at)
{
    return (char)('a' + at * 7 % 23);
}

static void fill(struct chain *c, size_t from, size_t to)
{
    for (size_t at = from; at < to; at++)
        chain_append_byte(c, byte_at(at));
}

static void assert_filled(const struct chain *c, size_t len)
{
    char *all = chain_dup(c);
    assert_int_equal(chain_state(c), CHAIN_OK);
    assert_int_equal(chain_len(c), len);
    for (size_t at = 0; at < len; at++)
        if (all[at] != byte_at(at))
            fail_msg("byte %zu", at);
    free(all);
}

static void appends(void **state)
{
    struct chain c;
    (void)state;
    chain_init(&c, 1000, NULL);
    assert_int_equal(chain_len(&c), 0);
    assert_chain(&c, STR(""));
    chain_append(&c, STR("ab\0"));
    chain_append_c(&c, "cd");
    chain_append_byte(&c, 'e');
    chain_append(&c, (struct str){ NULL, 0 });
    memcpy(chain_reserve(&c, 10), "fgh", 3);
    chain_commit(&c, 3);
    assert_chain(&c, STR("ab\0cdefgh"));
    chain_done(&c);
    assert_int_equal(chain_len(&c), 0);
}

static void grows_over_many_blocks(void **state)
{
    struct chain c;
    struct iovec parts[64];
    size_t total = 0;
    (void)state;
    chain_init(&c, 1 << 20, NULL);
    fill(&c, 0, 300000);
    assert_filled(&c, 300000);
    assert_in_range(chain_blocks(&c), 2, ARRAY_LEN(parts));
    chain_iovec(&c, parts);
    for (size_t i = 0; i < chain_blocks(&c); i++)
        total += parts[i].iov_len;
    assert_int_equal(total, 300000);
    chain_done(&c);
}

static void appends_at_once_what_is_larger_than_a_block(void **state)
{
    struct chain c;
    size_t len = 500000;
    char *large = malloc(len);
    (void)state;
    assert_non_null(large);
    for (size_t at = 0; at < len; at++)
        large[at] = byte_at(at);
    chain_init(&c, len, NULL);
    chain_append(&c, (struct str){ large, len });
    assert_filled(&c, len);
    chain_append_byte(&c, 'x');
    assert_int_equal(chain_state(&c), CHAIN_FULL);
    chain_done(&c);
    free(large);
}

static void reads_in_pieces(void **state)
{
    struct chain c;
    struct chain_cursor cursor = { 0 };
    char piece[777];
    size_t at = 0, n;
    (void)state;
    chain_init(&c, 1 << 20, NULL);
    assert_int_equal(chain_read(&c, &cursor, piece, sizeof piece), 0);
    fill(&c, 0, 100000);
    cursor = (struct chain_cursor){ 0 };
    while ((n = chain_read(&c, &cursor, piece, sizeof piece)) > 0)
        for (size_t i = 0; i < n; i++, at++)
            assert_int_equal(piece[i], byte_at(at));
    assert_int_equal(at, 100000);
    chain_done(&c);
}

static void failure_sticks(void **state)
{
    struct chain c;
    (void)state;
    chain_init(&c, 5, NULL);
    chain_append_c(&c, "abc");
    chain_append_c(&c, "def");
    assert_int_equal(chain_state(&c), CHAIN_FULL);
    chain_append_c(&c, "g");
    memset(chain_reserve(&c, CHAIN_RESERVE_MAX), 'x', CHAIN_RESERVE_MAX); /* still memory */
    chain_commit(&c, CHAIN_RESERVE_MAX);
    assert_chain(&c, STR("abc"));
    chain_clear(&c);
    chain_append_c(&c, "defgh");
    assert_int_equal(chain_state(&c), CHAIN_OK);
    assert_chain(&c, STR("defgh"));
    chain_done(&c);
}

static void counts_in_the_budget(void **state)
{
    struct budget budget = { .max = 50000 };
    struct chain c;
    (void)state;
    chain_init(&c, 1 << 20, &budget);
    fill(&c, 0, 100000);
    assert_int_equal(chain_state(&c), CHAIN_NO_MEMORY);
    assert_in_range(atomic_load(&budget.used), 1, 50000);
    chain_done(&c);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void is_cut_anywhere(void **state)
{
    static const size_t cuts[] = { 120000, 100000, 99999, 65536, 4000, 1024, 1000, 1, 0 };
    struct budget budget = { .max = 1 << 20 };
    struct chain c;
    (void)state;
    chain_init(&c, 1 << 20, &budget);
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        size_t len = cuts[i] < 100000 ? cuts[i] : 100000;
        chain_clear(&c);
        fill(&c, 0, 100000);
        chain_truncate(&c, cuts[i]);
        assert_filled(&c, len);
        fill(&c, len, 110000); /* and goes on from there */
        assert_filled(&c, 110000);
    }
    chain_done(&c);
    assert_int_equal(atomic_load(&budget.used), 0);
}

/* A block can be smaller than its head: where the maximum was near, or text was put in. */
static void goes_on_after_a_tiny_block(void **state)
{
    struct budget budget = { .max = 1 << 20 };
    (void)state;
    for (size_t tiny = 1; tiny <= 40; tiny++) {
        struct chain c;
        chain_init(&c, tiny, &budget);
        fill(&c, 0, tiny);
        assert_int_equal(c.last->cap, tiny);
        c.max = SIZE_MAX;
        fill(&c, tiny, tiny + 64);
        assert_filled(&c, tiny + 64);
        assert_in_range(c.last->cap, 64, 4096);
        chain_done(&c);
        assert_int_equal(atomic_load(&budget.used), 0);
    }
}

static void copies_ranges(void **state)
{
    struct chain c, from;
    (void)state;
    chain_init(&c, 1 << 20, NULL);
    chain_init(&from, 1 << 20, NULL);
    fill(&from, 0, 50000);
    chain_append_range(&c, &from, 0, 20000);
    chain_append_range(&c, &from, 20000, 0);
    chain_append_range(&c, &from, 20000, 30000);
    assert_filled(&c, 50000);
    chain_clear(&c);
    chain_append_c(&c, "abc");
    for (int i = 0; i < 12; i++)
        chain_append_range(&c, &c, 0, chain_len(&c)); /* of itself */
    char *all = chain_dup(&c);
    assert_int_equal(chain_len(&c), 3 << 12);
    for (size_t at = 0; at < (size_t)3 << 12; at++)
        assert_int_equal(all[at], "abc"[at % 3]);
    free(all);
    chain_done(&from);
    chain_done(&c);
}

static void moves(void **state)
{
    struct budget budget = { .max = 10000 };
    struct chain c, to;
    (void)state;
    chain_init(&c, 100, &budget);
    chain_append_c(&c, "abc");
    chain_move(&to, &c);
    assert_int_equal(chain_len(&c), 0);
    chain_append_c(&c, "d");
    assert_chain(&to, STR("abc"));
    assert_chain(&c, STR("d"));
    chain_done(&to);
    chain_done(&c);
    assert_int_equal(atomic_load(&budget.used), 0);
}

/* Insertions everywhere, of which the last of each round stands near the end, against a flat copy.
 */
static void inserts(void **state)
{
    struct chain c;
    struct buf flat;
    uint32_t random = 1;
    (void)state;
    chain_init(&c, (size_t)1 << 24, NULL);
    buf_init(&flat, (size_t)1 << 24, NULL);
    for (int i = 0; i < 4000; i++) {
        char text[64];
        size_t n = 1 + (size_t)(random >> 8) % 60;
        memset(text, 'a' + i % 26, sizeof text);
        chain_append(&c, (struct str){ text, n });
        buf_append(&flat, (struct str){ text, n });
        random = random * 1664525 + 1013904223;
        size_t back = (random >> 8) % (i % 16 == 0 ? flat.len + 1 : n);
        size_t at = flat.len - back;
        chain_insert(&c, at, STR("{mark}"));
        assert_true(buf_reserve(&flat, 6));
        memmove(flat.data + at + 6, flat.data + at, flat.len - at);
        memcpy(flat.data + at, "{mark}", 6);
        flat.len += 6;
    }
    char *all = chain_dup(&c);
    assert_int_equal(chain_len(&c), flat.len);
    assert_memory_equal(all, flat.data, flat.len);
    free(all);
    chain_done(&c);
    buf_done(&flat);
}

/* An insertion counts in the maximum and the budget as all else does. */
static void cuts(void **state)
{
    (void)state;
    static const size_t len = 200000, sizes[] = { 0, 1, 700, 1024, 66000, 199999 };
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        for (size_t from = 0; from + sizes[i] <= len; from += 17011) {
            struct chain c;
            chain_init(&c, 1 << 20, NULL);
            fill(&c, 0, from);
            for (size_t n = 0; n < sizes[i]; n++)
                chain_append_byte(&c, '!');
            fill(&c, from, len - sizes[i]);
            chain_cut(&c, from, from + sizes[i]);
            fill(&c, len - sizes[i], len); /* it can be written to as before */
            assert_filled(&c, len);
            chain_done(&c);
        }
    }
}

static void inserts_no_more_than_the_maximum(void **state)
{
    struct chain c;
    (void)state;
    chain_init(&c, 10, NULL);
    chain_append_c(&c, "12345");
    chain_insert(&c, 2, STR("abcde"));
    assert_int_equal(chain_state(&c), CHAIN_OK);
    assert_int_equal(chain_len(&c), 10);
    chain_insert(&c, 2, STR("x"));
    assert_int_equal(chain_state(&c), CHAIN_FULL);
    chain_done(&c);
}

static void recovers(void **state)
{
    struct budget budget = { .used = 0, .max = 4096 };
    struct chain c;
    (void)state;
    chain_init(&c, SIZE_MAX, &budget);
    chain_append_c(&c, "kept");
    for (size_t i = 0; i < 10000; i++)
        chain_append_byte(&c, 'x');
    assert_int_equal(chain_state(&c), CHAIN_NO_MEMORY);
    chain_recover(&c, 4);
    assert_int_equal(chain_state(&c), CHAIN_OK);
    chain_append_c(&c, "!");
    char *text = chain_dup(&c);
    assert_string_equal(text, "kept!");
    free(text);
    chain_done(&c);
    assert_int_equal(budget.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends),
        cmocka_unit_test(grows_over_many_blocks),
        cmocka_unit_test(appends_at_once_what_is_larger_than_a_block),
        cmocka_unit_test(reads_in_pieces),
        cmocka_unit_test(failure_sticks),
        cmocka_unit_test(counts_in_the_budget),
        cmocka_unit_test(is_cut_anywhere),
        cmocka_unit_test(goes_on_after_a_tiny_block),
        cmocka_unit_test(copies_ranges),
        cmocka_unit_test(recovers),
        cmocka_unit_test(moves),
        cmocka_unit_test(inserts),
        cmocka_unit_test(cuts),
        cmocka_unit_test(inserts_no_more_than_the_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
