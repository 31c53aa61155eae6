/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept, for how long, and what makes room. */
#include "base/alloc.h"
#include "base/budget.h"
#include "base/macros.h"
#include "client/kept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KB ((size_t)1024)

struct fixture {
    struct kept_store *store;
    struct kept_shelf shelf, other;
};

static int set_up(void **state)
{
    static struct fixture f;
    f.store = kept_store_new();
    kept_shelf_init(&f.shelf, "one");
    kept_shelf_bind(&f.shelf, f.store);
    kept_shelf_init(&f.other, "two");
    kept_shelf_bind(&f.other, f.store);
    kept_set_max(f.store, 64 * KB);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    kept_shelf_done(&f->shelf);
    kept_shelf_done(&f->other);
    assert_int_equal(kept_bytes(f->store), 0);
    kept_store_free(f->store);
    return 0;
}

static struct digest key_of(const struct fixture *f, const struct kept_shelf *shelf,
                            const char *text)
{
    struct str texts[] = { str_of(text) };
    struct digest key;
    (void)f;
    kept_key(shelf, texts, 1, &key);
    return key;
}

static struct kept *result_of(const char *text, size_t at, size_t filler)
{
    struct chain chain;
    chain_init(&chain, SIZE_MAX, NULL);
    chain_append_c(&chain, text);
    for (; filler > 0; filler--)
        chain_append_byte(&chain, '.');
    struct kept *kept = kept_new(&chain, at, 3);
    chain_done(&chain);
    return kept;
}

/* One of `size` bytes that is made now. */
static bool put(struct fixture *f, const char *name, size_t size, int64_t made_ms, int64_t until_ms)
{
    struct kept_making making = { .key = key_of(f, &f->shelf, name) };
    struct kept *kept = result_of("", 0, size);
    kept->made_ms = made_ms;
    bool is_kept = kept_made(f->store, &f->shelf, &making, kept, until_ms);
    kept_unref(kept);
    return is_kept;
}

static bool has(struct fixture *f, const char *name, int64_t oldest_ms)
{
    struct digest key = key_of(f, &f->shelf, name);
    struct kept *kept = kept_find(f->store, &key, oldest_ms);
    kept_unref(kept);
    return kept != NULL;
}

static void a_result_is_what_was_written(void **state)
{
    struct chain chain, to;
    (void)state;
    chain_init(&chain, SIZE_MAX, NULL);
    chain_init(&to, SIZE_MAX, NULL);
    chain_append_byte(&chain, ' ');
    for (size_t i = 0; i < 300000; i++)
        chain_append_byte(&chain, (char)('a' + i % 26));
    struct kept *kept = kept_new(&chain, 1, 7);
    assert_true(kept->is_flat);
    assert_int_equal(kept->len, 300000);
    assert_int_equal(kept->repaired, 7);
    kept_append(kept, 26, 100000, &to);
    assert_int_equal(chain_len(&to), 100000);
    char *text = chain_dup(&to);
    for (size_t i = 0; i < 100000; i++)
        assert_int_equal(text[i], 'a' + i % 26);
    free(text);
    kept_unref(kept_ref(kept));
    kept_unref(kept);
    chain_done(&chain);
    chain_done(&to);
}

static void a_large_one_stays_in_its_chain(void **state)
{
    struct fixture *f = *state;
    struct kept_making making = { .key = key_of(f, &f->shelf, "large") };
    struct chain to;
    struct kept *kept = result_of(" value", 1, KEPT_LEN_MAX);
    assert_false(kept->is_flat);
    assert_int_equal(kept->len, KEPT_LEN_MAX + 5);
    chain_init(&to, SIZE_MAX, NULL);
    kept_append(kept, 0, 6, &to);
    char *text = chain_dup(&to);
    assert_string_equal(text, "value.");
    free(text);
    chain_done(&to);
    kept_set_max(f->store, 1024 * KEPT_LEN_MAX);
    assert_false(kept_made(f->store, &f->shelf, &making, kept, INT64_MAX));
    kept_unref(kept);
}

static void keys_differ_by_text_and_shelf(void **state)
{
    struct fixture *f = *state;
    struct digest a = key_of(f, &f->shelf, "a"), again = key_of(f, &f->shelf, "a");
    struct digest b = key_of(f, &f->shelf, "b"), other = key_of(f, &f->other, "a");
    assert_true(digest_equal(&a, &again));
    assert_false(digest_equal(&a, &b));
    assert_false(digest_equal(&a, &other));
    struct str one[] = { STR("ab"), STR("c") }, two[] = { STR("a"), STR("bc") };
    kept_key(&f->shelf, one, 2, &a);
    kept_key(&f->shelf, two, 2, &b);
    assert_false(digest_equal(&a, &b));
}

static void it_is_as_old_as_it_is(void **state)
{
    struct fixture *f = *state;
    assert_false(has(f, "a", 0));
    assert_true(put(f, "a", 10, 1000, 2000));
    assert_true(has(f, "a", 1000));
    assert_false(has(f, "a", 1001));
    kept_sweep(f->store, 1999);
    assert_true(has(f, "a", 0));
    kept_sweep(f->store, 2000);
    assert_false(has(f, "a", 0));
    assert_int_equal(kept_bytes(f->store), 0);
}

static void the_newest_counts(void **state)
{
    struct fixture *f = *state;
    struct digest key = key_of(f, &f->shelf, "a");
    put(f, "a", 10, 1000, 9000);
    struct kept *before = kept_find(f->store, &key, 0);
    size_t bytes = kept_bytes(f->store);
    put(f, "a", 10, 2000, 9000);
    struct kept *after = kept_find(f->store, &key, 0);
    assert_int_equal(after->made_ms, 2000);
    assert_int_equal(before->made_ms, 1000);           /* whoever has it may still read it */
    assert_int_equal(kept_bytes(f->store), 2 * bytes); /* both are there */
    kept_unref(before);
    assert_int_equal(kept_bytes(f->store), bytes);
    kept_unref(after);
}

static void who_was_not_asked_for_makes_room(void **state)
{
    struct fixture *f = *state;
    char name[16];
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "%u", i);
        assert_true(put(f, name, 2 * KB, 0, INT64_MAX));
        assert_true(has(f, "0", 0));
        assert_true(kept_bytes(f->store) <= 64 * KB);
    }
    assert_true(has(f, "99", 0));
    assert_true(has(f, "80", 0));
    assert_false(has(f, "1", 0));
    assert_false(has(f, "60", 0));
    kept_set_max(f->store, 10 * KB);
    assert_true(kept_bytes(f->store) <= 10 * KB);
    assert_true(has(f, "80", 0)); /* asked for last but one */
    kept_set_max(f->store, 0);
    assert_int_equal(kept_bytes(f->store), 0);
}

static void what_is_large_is_not_kept(void **state)
{
    struct fixture *f = *state;
    assert_true(put(f, "a", 3 * KB, 0, INT64_MAX));
    assert_false(put(f, "b", 4 * KB, 0, INT64_MAX));
    assert_false(has(f, "b", 0));
    kept_set_max(f->store, 0);
    assert_false(put(f, "c", 0, 0, INT64_MAX));
}

static void it_goes_with_its_shelf(void **state)
{
    struct fixture *f = *state;
    char name[16];
    kept_set_max(f->store, 1024 * KB);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "%u", i);
        put(f, name, 10, 0, INT64_MAX);
    }
    struct digest key = key_of(f, &f->shelf, "7");
    struct kept *kept = kept_find(f->store, &key, 0);
    kept_shelf_done(&f->shelf);
    assert_int_equal(kept->len, 10);
    assert_true(kept_bytes(f->store) > 0);
    kept_unref(kept);
    assert_int_equal(kept_bytes(f->store), 0);
}

/* Whoever still reads what had to go keeps it from limits.cache, and does not get all of that. */
static void what_went_counts_while_it_is_read(void **state)
{
    struct fixture *f = *state;
    struct kept *read[64];
    char name[16];
    size_t n = 0;
    for (unsigned i = 0; i < ARRAY_LEN(read); i++) {
        snprintf(name, sizeof name, "%u", i);
        struct digest key = key_of(f, &f->shelf, name);
        if (put(f, name, 3 * KB, 0, INT64_MAX) && (read[n] = kept_find(f->store, &key, 0)) != NULL)
            n++;
        assert_true(kept_bytes(f->store) <= 68 * KB);
    }
    assert_in_range(n, 16, 22);
    while (n > 0)
        kept_unref(read[--n]);
    assert_true(put(f, "a", 3 * KB, 0, INT64_MAX));
}

static void it_counts_in_a_budget_until_it_is_kept(void **state)
{
    struct fixture *f = *state;
    struct budget budget = { .max = 10 * KB };
    struct chain chain, reply;
    chain_init(&reply, SIZE_MAX, &budget);
    for (int is_kept = 0; is_kept < 2; is_kept++) {
        struct kept_making making = { .key = key_of(f, &f->shelf, "a") };
        chain_init(&chain, SIZE_MAX, &budget);
        for (size_t i = 0; i < 3 * KB; i++)
            chain_append_byte(&chain, 'x');
        struct kept *kept = kept_new(&chain, 0, 0);
        chain_done(&chain);
        assert_in_range(budget.used, 3 * KB, 4 * KB);
        if (is_kept) {
            assert_true(kept_made(f->store, &f->shelf, &making, kept, INT64_MAX));
            assert_int_equal(budget.used, 0);
            assert_false(kept_move(kept, 0, 10, &reply));
        } else {
            budget.max = 0; /* it goes there all the same, once */
            assert_true(kept_move(kept, 1 * KB, 2 * KB, &reply));
            assert_false(kept_move(kept, 0, 10, &reply));
            assert_int_equal(chain_len(&reply), 2 * KB);
            assert_true(budget.used > 5 * KB);
            budget.max = 10 * KB;
        }
        kept_unref(kept);
        chain_done(&reply);
        assert_int_equal(budget.used, 0);
    }
}

static void one_makes_it_and_others_find_that(void **state)
{
    struct fixture *f = *state;
    struct digest key = key_of(f, &f->shelf, "a");
    struct kept_making making = { .key = key }, second = { .key = key };
    struct kept_ask ask = { .key = &key, .waits = true };
    making.references = second.references = 1;
    assert_int_equal(kept_ask(f->store, &ask), KEPT_NONE); /* nothing to show yet */
    ask.making = &making;
    assert_int_equal(kept_ask(f->store, &ask), KEPT_NONE);
    ask.making = &second;
    assert_int_equal(kept_ask(f->store, &ask), KEPT_MAKING);
    assert_ptr_equal(ask.making, &making);
    assert_int_equal(making.references, 2);
    struct kept_ask alone = { .key = &key, .waits = false, .making = &second };
    assert_int_equal(kept_ask(f->store, &alone), KEPT_NONE);
    assert_false(second.is_shown);
    struct kept *kept = result_of("x", 0, 0);
    assert_true(kept_made(f->store, &f->shelf, &making, kept, INT64_MAX));
    kept_unref(kept);
    assert_int_equal(kept_ask(f->store, &ask), KEPT_HIT);
    kept_unref(ask.result);
    assert_false(kept_made(f->store, &f->shelf, &second, NULL, 0)); /* it has failed */
    assert_true(has(f, "a", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_is_what_was_written),
        cmocka_unit_test_setup_teardown(a_large_one_stays_in_its_chain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys_differ_by_text_and_shelf, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_as_old_as_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_newest_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_was_not_asked_for_makes_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_large_is_not_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_goes_with_its_shelf, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_makes_it_and_others_find_that, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_went_counts_while_it_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_counts_in_a_budget_until_it_is_kept, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
