/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/value/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* RFC 4648 section 10, and all digits. */
static const struct {
    struct str bytes;
    const char *text;
} cases[] = {
    { { "", 0 }, "" },
    { { "f", 1 }, "Zg==" },
    { { "fo", 2 }, "Zm8=" },
    { { "foo", 3 }, "Zm9v" },
    { { "foob", 4 }, "Zm9vYg==" },
    { { "fooba", 5 }, "Zm9vYmE=" },
    { { "foobar", 6 }, "Zm9vYmFy" },
    { { "\0\x10\x83\x10\x51\x87\x20\x92\x8B\x30\xD3\x8F\x41\x14\x93\x51\x55\x97\x61\x96\x9B\x71\xD7"
        "\x9F\x82\x18\xA3\x92\x59\xA7\xA2\x9A\xAB\xB2\xDB\xAF\xC3\x1C\xB3\xD3\x5D\xB7\xE3\x9E\xBB"
        "\xF3\xDF\xBF",
        48 },
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" },
};

static void assert_chain(struct chain *c, const char *expected)
{
    char *text = chain_dup(c);
    assert_string_equal(text, expected);
    free(text);
    chain_clear(c);
}

static bool copy(struct chain *to, const char *text, size_t piece)
{
    struct base64 b;
    struct str rest = str_of(text);
    base64_begin(&b, to, 0);
    for (; rest.len > 0; rest = str_slice(rest, piece, rest.len)) {
        piece = piece < rest.len ? piece : rest.len;
        if (!base64_copy(&b, str_slice(rest, 0, piece)))
            return false;
    }
    return base64_copy_end(&b);
}

static void bytes_to_text(void **state)
{
    (void)state;
    struct chain out;
    chain_init(&out, 1000, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t piece = 1; piece < 8; piece++) {
            struct base64 b;
            struct str rest = cases[i].bytes;
            base64_begin(&b, &out, 0);
            while (rest.len > 0) {
                size_t n = piece < rest.len ? piece : rest.len;
                base64_encode(&b, str_slice(rest, 0, n));
                rest = str_slice(rest, n, rest.len);
            }
            base64_encode_end(&b);
            assert_chain(&out, cases[i].text);
        }
    }
    chain_done(&out);
}

static void text_to_text(void **state)
{
    (void)state;
    struct chain out;
    chain_init(&out, 1000, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t piece = 1; piece < 8; piece++) {
            assert_true(copy(&out, cases[i].text, piece));
            assert_chain(&out, cases[i].text);
        }
    }
    assert_true(copy(&out, "-_-_", 4));
    assert_chain(&out, "+/+/");
    assert_true(copy(&out, "Zg", 4));
    assert_chain(&out, "Zg==");
    assert_true(copy(&out, "Zm8", 1));
    assert_chain(&out, "Zm8=");
    assert_true(copy(&out, " Z\tm9\r\nv\nYg=\n=\n", 3));
    assert_chain(&out, "Zm9vYg==");
    chain_done(&out);
}

static void no_base64(void **state)
{
    (void)state;
    static const char *const texts[] = { "Z",      "Zm9vY", "=",        "Z===",    "Zg=", "Zm8==",
                                         "Zg==Zg", "Zm9v=", "Zm9v====", "Zh==",    "Zm9", "Zm9=",
                                         "Zm!v",   "Zm9v.", "Zg=A",     "\xC3\xA9" };
    struct chain out;
    chain_init(&out, 1000, NULL);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_false(copy(&out, texts[i], 100));
    chain_done(&out);
}

static void lines_of_76(void **state)
{
    (void)state;
    struct chain out;
    struct base64 b;
    char bytes[200];
    memset(bytes, 'A', sizeof bytes);
    chain_init(&out, 1000, NULL);
    for (size_t len = 1; len <= sizeof bytes; len++) {
        base64_begin(&b, &out, BASE64_LINE);
        base64_encode(&b, (struct str){ bytes, len });
        base64_encode_end(&b);
        size_t digits = (len + 2) / 3 * 4;
        char *text = chain_dup(&out);
        assert_int_equal(strlen(text), digits + (digits - 1) / BASE64_LINE);
        for (size_t at = BASE64_LINE; at < strlen(text); at += BASE64_LINE + 1)
            assert_int_equal(text[at], '\n');
        chain_clear(&out);
        base64_begin(&b, &out, BASE64_LINE);
        assert_true(base64_copy(&b, str_of(text)));
        assert_true(base64_copy_end(&b));
        assert_chain(&out, text);
        free(text);
    }
    chain_done(&out);
}

static void text_to_bytes(void **state)
{
    static const char *const wrong[] = { "Z", "Zh==", "Zm9", "Zg==Zg==", "Zm 9v", "Z-9v" };
    struct buf out;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf_init(&out, 100, NULL);
        assert_true(base64_read(str_of(cases[i].text), &out));
        assert_true(str_eq(buf_str(&out), cases[i].bytes));
        buf_done(&out);
    }
    buf_init(&out, 100, NULL);
    assert_true(base64_read(STR("Zm8"), &out));
    assert_string_equal(buf_c(&out), "fo");
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(base64_read(str_of(wrong[i]), &out));
    buf_done(&out);
    buf_init(&out, 2, NULL);
    assert_false(base64_read(STR("Zm9v"), &out));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_to_text), cmocka_unit_test(text_to_text),
        cmocka_unit_test(text_to_bytes), cmocka_unit_test(no_base64),
        cmocka_unit_test(lines_of_76),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
