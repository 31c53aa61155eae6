/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept for the next calls: as much as were in use at once, and no longer than it is. */
#include "base/spare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define AT_ONCE 1000

static size_t n_made, n_freed;

static void *take(struct spare *spare)
{
    void *item = spare_take(spare);
    if (item == NULL) {
        item = malloc(1);
        n_made++;
    }
    return item;
}

static void give(struct spare *spare, void *item)
{
    if (!spare_keep(spare, item)) {
        free(item);
        n_freed++;
    }
}

static void use(struct spare *spare, size_t at_once)
{
    void *items[AT_ONCE];
    for (size_t i = 0; i < at_once; i++)
        items[i] = take(spare);
    for (size_t i = 0; i < at_once; i++)
        give(spare, items[i]);
}

static void test_high_water(void **state)
{
    struct spare spare = { 0 };
    (void)state;
    n_made = n_freed = 0;
    for (int i = 0; i < 100; i++)
        use(&spare, AT_ONCE);
    assert_int_equal(n_made, AT_ONCE);
    assert_int_equal(n_freed, 0);
    spare_free(&spare);
    assert_null(spare_take(&spare));
}

/* A crowd that has gone is not waited for for ever, and what is still used stays. */
static void test_after_a_crowd(void **state)
{
    struct spare spare = { 0 };
    (void)state;
    use(&spare, AT_ONCE);
    n_made = n_freed = 0;
    for (int i = 0; i < 1000; i++)
        use(&spare, 100);
    assert_int_equal(n_made, 0);
    assert_int_equal(n_freed, AT_ONCE - 100);
    spare_free(&spare);
}

static void test_few_stay(void **state)
{
    struct spare spare = { 0 };
    (void)state;
    use(&spare, 64);
    n_made = n_freed = 0;
    for (int i = 0; i < 20000; i++)
        use(&spare, 1);
    assert_int_equal(n_freed, 0);
    use(&spare, 64);
    assert_int_equal(n_made, 0);
    spare_free(&spare);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_high_water),
        cmocka_unit_test(test_after_a_crowd),
        cmocka_unit_test(test_few_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
