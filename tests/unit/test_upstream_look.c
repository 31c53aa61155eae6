/* SPDX-License-Identifier: Apache-2.0 */
#include "io/upstream_look.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OK "HTTP/1.1 200 OK\r\n"
#define EARLY "HTTP/1.1 103 Early\r\nLink: x\r\n\r\n"

/* `mended` of LOOK_MEND stands for the heads; the body is behind them in `bytes`. */
static const struct look_case {
    const char *name, *bytes;
    size_t len; /* 0: strlen */
    enum look_result result;
    const char *mended;
} cases[] = {
    { "nothing", "", 0, LOOK_MORE, "" },
    { "a good head", OK "A: b\r\nContent-Length: 5\r\n\r\n<ok/>", 0, LOOK_FINE, "" },
    { "no fields", OK "\r\n<ok/>", 0, LOOK_FINE, "" },
    { "no colon", OK "A: b\r\nnonsense here\r\nC: d\r\n\r\n<ok/>", 0, LOOK_MEND,
      OK "A: b\r\nC: d\r\n\r\n" },
    { "no colon, first", OK "nonsense\r\nC: d\r\n\r\n", 0, LOOK_MEND, OK "C: d\r\n\r\n" },
    { "no colon, all", OK "a\r\nb\r\n\r\n", 0, LOOK_MEND, OK "\r\n" },
    { "no colon, bare line ends", "HTTP/1.0 200 OK\na\nC: d\n\n", 0, LOOK_MEND,
      "HTTP/1.0 200 OK\nC: d\n\n" },
    { "blank length", OK "Content-Length:\r\nC: d\r\n\r\n", 0, LOOK_MEND, OK "C: d\r\n\r\n" },
    { "blank length in other letters", OK "content-LENGTH: \t \r\n\r\n", 0, LOOK_MEND, OK "\r\n" },
    { "blank length twice", OK "Content-Length:\r\nContent-Length: \r\n\r\n", 0, LOOK_MEND,
      OK "\r\n" },
    { "blank value of another", OK "Content-Lengths:\r\nX:\r\n\r\n", 0, LOOK_FINE, "" },
    { "blank length beside another", OK "Content-Length:\r\nContent-Length: 5\r\n\r\n", 0,
      LOOK_FINE, "" },
    { "blank length behind another, no colon",
      OK "Content-Length: 5\r\nContent-Length:\r\nx\r\n\r\n", 0, LOOK_MEND,
      OK "Content-Length: 5\r\nContent-Length:\r\n\r\n" },
    { "no colon in an interim head", "HTTP/1.1 100 Continue\r\nx\r\n\r\n" OK "A: b\r\n\r\nx", 0,
      LOOK_MEND, "HTTP/1.1 100 Continue\r\n\r\n" OK "A: b\r\n\r\n" },
    { "no colon behind interim heads", EARLY EARLY OK "x\r\n\r\n", 0, LOOK_MEND,
      EARLY EARLY OK "\r\n" },
    { "another head's length",
      EARLY "HTTP/1.1 103 x\r\nContent-Length: 5\r\n\r\n" OK "Content-Length:\r\n\r\n", 0,
      LOOK_MEND, EARLY "HTTP/1.1 103 x\r\nContent-Length: 5\r\n\r\n" OK "\r\n" },
    { "101", "HTTP/1.1 101 Switching\r\nA: b\r\n\r\nnonsense\r\n\r\n", 0, LOOK_FINE, "" },
    { "an interim head alone", EARLY, 0, LOOK_MORE, "" },
    { "an interim head and a little", EARLY "HTT", 0, LOOK_MORE, "" },
    { "an interim head and no head", EARLY "nonsense\r\n\r\n", 0, LOOK_FINE, "" },
    { "cut in the status line", "HTTP/1.1 20", 0, LOOK_MORE, "" },
    { "cut in its first word", "HT", 0, LOOK_MORE, "" },
    { "cut before the last line", OK "nonsense\r\n", 0, LOOK_MORE, "" },
    { "cut in the last line", OK "nonsense\r\n\r", 0, LOOK_MORE, "" },
    { "folded", OK "A: b\r\n c\r\nnonsense\r\n\r\n", 0, LOOK_FINE, "" },
    { "folded behind none", OK "nonsense\r\n\tc\r\n\r\n", 0, LOOK_FINE, "" },
    { "a line of blanks", OK "nonsense\r\n \r\n\r\n", 0, LOOK_FINE, "" },
    { "NUL", OK "non\0sense\r\n\r\n", sizeof OK - 1 + 13, LOOK_FINE, "" },
    { "NUL elsewhere", OK "A: \0\r\nx\r\n\r\n", sizeof OK - 1 + 11, LOOK_FINE, "" },
    { "two status lines", OK OK "A: b\r\n\r\n", 0, LOOK_FINE, "" },
    { "no status", "HTTP/1.1 OK\r\nx\r\n\r\n", 0, LOOK_FINE, "" },
    { "HTTP/2", "HTTP/2 200\r\nx\r\n\r\n", 0, LOOK_FINE, "" },
    { "HTTP/0.9", "<ok/>\r\nx\r\n\r\n", 0, LOOK_FINE, "" },
};

static struct str bytes_of(const struct look_case *c)
{
    return (struct str){ c->bytes, c->len != 0 ? c->len : strlen(c->bytes) };
}

static void test_look(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct look_case *c = &cases[i];
        struct str bytes = bytes_of(c);
        struct buf mended;
        size_t len = 0;
        enum look_result result = look_at_head(bytes, &len);
        buf_init(&mended, LOOK_MAX, NULL);
        if (result == LOOK_MEND)
            look_mend(str_slice(bytes, 0, len), &mended);
        if (result != c->result || !str_eq(buf_str(&mended), str_of(c->mended)))
            fail_msg("%s: %d, '%.*s'", c->name, (int)result, (int)mended.len, mended.data);
        buf_done(&mended);
    }
}

/* Wherever it is cut: nothing is decided too early. */
static void test_pieces(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str bytes = bytes_of(&cases[i]);
        size_t len = 0, ignored;
        if (look_at_head(bytes, &len) != LOOK_MEND)
            continue;
        for (size_t n = 0; n < len; n++)
            if (look_at_head(str_slice(bytes, 0, n), &ignored) != LOOK_MORE)
                fail_msg("%s: cut at %zu", cases[i].name, n);
        assert_int_equal(look_at_head(str_slice(bytes, 0, len), &ignored), LOOK_MEND);
    }
}

/* Nothing is kept back for ever. */
static void test_endless(void **state UNUSED)
{
    static char bytes[LOOK_MAX];
    size_t ignored;
    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, OK "A: ", sizeof OK - 1 + 3);
    assert_int_equal(look_at_head((struct str){ bytes, LOOK_MAX - 1 }, &ignored), LOOK_MORE);
    assert_int_equal(look_at_head((struct str){ bytes, LOOK_MAX }, &ignored), LOOK_FINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_look),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_endless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
