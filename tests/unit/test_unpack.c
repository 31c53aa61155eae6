/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/buf.h"
#include "io/gzip.h"
#include "io/unpack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

/* Packs it in steps of so many bytes. Returns how many steps it took; 0: there was no room. */
static size_t pack(const struct chain *from, size_t step, struct chain *to)
{
    struct gzip *g = gzip_new(from, to->budget);
    enum gzip_state state = GZIP_MORE;
    size_t n = 0;
    if (g == NULL)
        return 0;
    for (; state == GZIP_MORE; n++)
        state = gzip_step(g, step, to);
    gzip_free(g);
    return state == GZIP_DONE ? n : 0;
}

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
        assert_true(pack(&layers[i], SIZE_MAX, &layers[i + 1]) == 1);
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

/* What packs badly, in blocks of several sizes. */
static char *write_noise(struct chain *c, size_t size)
{
    uint32_t x = 1;
    char *text = xcalloc(size + 1, 1);
    for (size_t i = 0; i < size; i++) {
        x = x * 1664525 + 1013904223;
        text[i] = (char)(x >> 24);
    }
    chain_append(c, (struct str){ text, size });
    return text;
}

static void test_packing_in_steps(void **state UNUSED)
{
    static const size_t steps[] = { 1, 7, 4095, 16384, 16385, 32768, 99999, 100000, 100001 };
    size_t size = 100000;
    struct chain from, to;
    chain_init(&from, PACKED_MAX, NULL);
    CLEANUP(free_charp) char *text = write_noise(&from, size);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct budget budget = { 0 };
        atomic_init(&budget.max, PACKED_MAX);
        chain_init(&to, PACKED_MAX, &budget);
        assert_int_equal(pack(&from, steps[i], &to), size / steps[i] + 1);
        CLEANUP(free_charp) char *packed = chain_dup(&to);
        size_t len = 0;
        CLEANUP(free_charp)
        char *found = unpacked(&gzip, (struct str){ packed, chain_len(&to) }, 1000, &len);
        assert_non_null(found);
        assert_int_equal(len, size);
        assert_memory_equal(found, text, size);
        chain_done(&to);
        assert_int_equal(atomic_load(&budget.used), 0);
    }
    chain_done(&from);
}

/* Neither for the stream, nor for what comes of it; and a chain with its own bound. */
static void test_packing_without_room(void **state UNUSED)
{
    struct chain from, to;
    chain_init(&from, PACKED_MAX, NULL);
    CLEANUP(free_charp) char *text = write_noise(&from, 100000);
    for (size_t max = 0; max < (size_t)360 * 1024; max += (size_t)40 * 1024) {
        struct budget budget = { 0 };
        atomic_init(&budget.max, max);
        chain_init(&to, PACKED_MAX, &budget);
        assert_int_equal(pack(&from, 1000, &to), 0);
        chain_done(&to);
        assert_int_equal(atomic_load(&budget.used), 0);
    }
    chain_init(&to, 90000, NULL);
    assert_int_equal(pack(&from, 1000, &to), 0);
    chain_done(&to);
    chain_done(&from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packing_in_steps),
        cmocka_unit_test(test_packing_without_room),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_several_members),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
