/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/buf.h"
#include "io/gzip.h"
#include "io/unpack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define PACKED_MAX ((size_t)1024 * 1024)

/* `<ok/>` as Python's zlib packs it: bare, with a head, as gzip. */
static const char bare[] = "\xb3\xc9\xcf\xd6\xb7\x03\x00";
static const char headed[] = "\x78\x9c\xb3\xc9\xcf\xd6\xb7\x03\x00\x04\xca\x01\x84";
#define GZIPPED                                                                                    \
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xb3\xc9\xcf\xd6"                                     \
    "\xb7\x03\x00\xc8\x44\x49\x56\x05\x00\x00\x00"
static const char gzipped[] = GZIPPED;

/* Unpacks what comes in pieces of `step` bytes. NULL: it is damaged. */
static char *unpacked(const struct response_head *head, struct str packed, size_t step,
                      size_t *ret_len)
{
    struct buf out;
    struct unpack *u = unpack_new(head);
    bool good = u != NULL;
    buf_init(&out, PACKED_MAX * 8, NULL);
    for (size_t at = 0; at < packed.len && good; at += step) {
        struct str in = str_slice(packed, at, at + step < packed.len ? at + step : packed.len);
        struct str piece;
        do {
            good = unpack_next(u, &in, &piece);
            if (good)
                buf_append(&out, piece);
        } while (good && (in.len > 0 || unpack_has_more(u)));
    }
    unpack_free(u);
    char *text = good ? xmemdup0(out.data, out.len) : NULL;
    *ret_len = out.len;
    buf_done(&out);
    return text;
}

static void expect(const struct response_head *head, struct str packed, struct str text)
{
    static const size_t steps[] = { 1, 2, 7, 1000, PACKED_MAX };
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        size_t len = 0;
        CLEANUP(free_charp) char *found = unpacked(head, packed, steps[i], &len);
        assert_non_null(found);
        assert_int_equal(len, text.len);
        assert_memory_equal(found, text.data, len);
    }
}

#define PACKED(text) ((struct str){ text, sizeof text - 1 })

static const struct response_head gzip = { .codings = { CODING_GZIP }, .n_codings = 1 };
static const struct response_head deflate = { .codings = { CODING_DEFLATE }, .n_codings = 1 };

static void test_forms(void **state UNUSED)
{
    expect(&deflate, PACKED(bare), STR("<ok/>"));
    expect(&deflate, PACKED(headed), STR("<ok/>"));
    expect(&gzip, PACKED(gzipped), STR("<ok/>"));
}

static void test_several_members(void **state UNUSED)
{
    char two[2 * (sizeof gzipped - 1)];
    memcpy(two, gzipped, sizeof gzipped - 1);
    memcpy(two + sizeof gzipped - 1, gzipped, sizeof gzipped - 1);
    expect(&gzip, (struct str){ two, sizeof two }, STR("<ok/><ok/>"));
}

static void test_padding(void **state UNUSED)
{
    expect(&gzip, STR(GZIPPED "\0"), STR("<ok/>"));
    expect(&gzip, STR(GZIPPED "\0\0\0\0\r\n \t"), STR("<ok/>"));
    expect(&gzip, STR(GZIPPED "\0\0" GZIPPED "\n"), STR("<ok/><ok/>"));
    expect(&deflate, STR("\x78\x9c\xb3\xc9\xcf\xd6\xb7\x03\0\x04\xca\x01\x84\0\n"), STR("<ok/>"));
}

/* Much that packs well, in three layers. */
static void test_layers(void **state UNUSED)
{
    static const struct response_head head = { .codings = { CODING_GZIP, CODING_GZIP, CODING_GZIP },
                                               .n_codings = 3 };
    struct chain layers[4];
    size_t size = 300 * 1000;
    CLEANUP(free_charp) char *text = xcalloc(size + 1, 1);
    memset(text, 'x', size);
    for (size_t i = 0; i < ARRAY_LEN(layers); i++)
        chain_init(&layers[i], PACKED_MAX, NULL);
    chain_append(&layers[0], (struct str){ text, size });
    for (size_t i = 0; i < 3; i++)
        assert_true(gzip_chain(&layers[i], &layers[i + 1]));
    size_t len = chain_len(&layers[3]);
    CLEANUP(free_charp) char *packed = xcalloc(len, 1);
    struct chain_cursor cursor = { 0 };
    assert_int_equal(chain_read(&layers[3], &cursor, packed, len), len);
    expect(&head, (struct str){ packed, len }, (struct str){ text, size });
    for (size_t i = 0; i < ARRAY_LEN(layers); i++)
        chain_done(&layers[i]);
}

static void test_damaged(void **state UNUSED)
{
    static const struct response_head many = { .n_codings = CODINGS_MAX + 1 };
    char wrong_sum[sizeof gzipped];
    size_t len;
    memcpy(wrong_sum, gzipped, sizeof gzipped);
    wrong_sum[sizeof gzipped - 6] ^= 1;
    assert_null(unpacked(&gzip, PACKED(wrong_sum), 1, &len));
    assert_null(unpacked(&gzip, STR("<ok/>"), 100, &len));
    assert_null(unpacked(&gzip, PACKED(headed), 100, &len));
    assert_null(unpacked(&deflate, PACKED(gzipped), 100, &len));
    assert_null(unpacked(&deflate, STR("\x78\x9c\xff\xff\xff\xff"), 100, &len));
    assert_null(unpacked(&gzip, STR(GZIPPED "more"), 100, &len));
    assert_null(unpacked(&many, STR("<ok/>"), 100, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),   cmocka_unit_test(test_several_members),
        cmocka_unit_test(test_padding), cmocka_unit_test(test_layers),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
