/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* FIPS 180-4's examples, and nothing. */
static const struct {
    const char *text, *hex;
} cases[] = {
    { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static void is_sha_256(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct digest digest;
        char hex[2 * DIGEST_BYTES + 1];
        digest_of(str_of(cases[i].text), &digest);
        for (size_t k = 0; k < DIGEST_BYTES; k++)
            snprintf(hex + 2 * k, 3, "%02x", digest.bytes[k]);
        assert_string_equal(hex, cases[i].hex);
    }
}

static void takes_a_view_of_nothing(void **state)
{
    struct digest a, b;
    (void)state;
    digest_of((struct str){ NULL, 0 }, &a);
    digest_of(STR(""), &b);
    assert_true(digest_equal(&a, &b));
}

static void tells_apart_by_any_bit(void **state)
{
    struct digest a;
    (void)state;
    digest_of(STR("abc"), &a);
    for (size_t bit = 0; bit < 8 * DIGEST_BYTES; bit++) {
        struct digest b = a;
        assert_true(digest_equal(&a, &b));
        b.bytes[bit / 8] = (unsigned char)(b.bytes[bit / 8] ^ 1U << bit % 8);
        assert_false(digest_equal(&a, &b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_sha_256),
        cmocka_unit_test(takes_a_view_of_nothing),
        cmocka_unit_test(tells_apart_by_any_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
