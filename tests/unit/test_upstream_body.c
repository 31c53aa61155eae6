/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies in pieces of any size, and framing that is refused. */
#include "io/upstream_body.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CHUNKED true, false, 0

static const struct body_case {
    const char *name;
    bool is_chunked, has_length;
    uint64_t length;
    const char *in;
    enum body_step end;
    const char *content, *rest; /* what is left over; NULL: not compared */
} cases[] = {
    { "a length", false, true, 5, "<ok/>", BODY_END, "<ok/>", "" },
    { "more than it", false, true, 5, "<ok/>more", BODY_END, "<ok/>", "more" },
    { "less than it", false, true, 6, "<ok/>", BODY_MORE, "<ok/>", "" },
    { "nothing", false, true, 0, "more", BODY_END, "", "more" },
    { "to the end", false, false, 0, "<ok/>", BODY_MORE, "<ok/>", "" },
    { "chunks", CHUNKED, "2\r\n<o\r\n3\r\nk/>\r\n0\r\nX: y\r\n\r\n", BODY_TRAILERS, "<ok/>",
      "X: y\r\n\r\n" },
    { "chunks win over a length", true, true, 3, "5\r\n<ok/>\r\n0\r\n", BODY_TRAILERS, "<ok/>",
      "" },
    { "extensions", CHUNKED, "5;a=\"b\" ; c\r\n<ok/>\r\n00 \r\n", BODY_TRAILERS, "<ok/>", "" },
    { "bare line feeds", CHUNKED, "5\n<ok/>\n0\n\n", BODY_TRAILERS, "<ok/>", "\n" },
    { "sizes in both cases", CHUNKED, "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n", BODY_TRAILERS,
      "01234567890123456789a", "" },
    { "cut in a size", CHUNKED, "5", BODY_MORE, "", "" },
    { "cut in a chunk", CHUNKED, "6\r\n<ok/>", BODY_MORE, "<ok/>", "" },
    { "no size", CHUNKED, "\r\n<ok/>", BODY_BAD, "", NULL },
    { "a negative size", CHUNKED, "-5\r\n<ok/>\r\n", BODY_BAD, "", NULL },
    { "a size with a sign", CHUNKED, "+5\r\n<ok/>\r\n", BODY_BAD, "", NULL },
    { "a size behind a blank", CHUNKED, " 5\r\n<ok/>\r\n", BODY_BAD, "", NULL },
    { "a size in words", CHUNKED, "five\r\n<ok/>", BODY_BAD, "", NULL },
    { "0x", CHUNKED, "0x5\r\n<ok/>\r\n", BODY_BAD, "", NULL },
    { "a size of 64 bits", CHUNKED, "ffffffffffffffff\r\n<ok/>", BODY_BAD, "", NULL },
    { "a size with zeros without end", CHUNKED, "0000000000000005\r\n<ok/>", BODY_BAD, "", NULL },
    { "more behind the size", CHUNKED, "5 z\r\n<ok/>\r\n", BODY_BAD, "", NULL },
    { "a CR in an extension", CHUNKED, "5;a\rb\r\n<ok/>\r\n", BODY_BAD, "", NULL },
    { "a chunk that is longer", CHUNKED, "4\r\n<ok/>\r\n", BODY_BAD, "<ok/", NULL },
    { "two CR behind a chunk", CHUNKED, "5\r\n<ok/>\r\r\n0\r\n", BODY_BAD, "<ok/>", NULL },
};

/* In pieces of that size; each is offered until it is taken, half of it at a time. */
static enum body_step run(const struct body_case *c, size_t size, struct buf *content,
                          struct str *ret_rest)
{
    struct response_head head = {
        .status = 200, .is_chunked = c->is_chunked, .has_length = c->has_length, .length = c->length
    };
    struct str all = str_of(c->in), piece;
    enum body_step step = BODY_MORE;
    struct body b;
    body_start(&b, &head);
    do {
        size_t n = all.len < size ? all.len : size;
        struct str in = str_slice(all, 0, n);
        while ((step = body_next(&b, &in, &piece)) == BODY_CONTENT) {
            size_t taken = (piece.len + 1) / 2;
            buf_append(content, str_slice(piece, 0, taken));
            body_take(&b, &in, taken);
        }
        all = str_slice(all, n - in.len, all.len);
    } while (all.len > 0 && step == BODY_MORE);
    assert_int_equal(b.fault != NULL, step == BODY_BAD);
    *ret_rest = all;
    return step;
}

static void however_it_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct body_case *c = &cases[i];
        for (size_t size = 1; size <= strlen(c->in); size++) {
            struct buf content;
            struct str rest;
            buf_init(&content, 1000, NULL);
            enum body_step step = run(c, size, &content, &rest);
            if (step != c->end || strcmp(buf_c(&content), c->content) != 0 ||
                (c->rest != NULL && !str_eq(rest, str_of(c->rest))))
                fail_msg("%s, by %zu: step %d, content '%s', rest '%.*s'", c->name, size, (int)step,
                         buf_c(&content), STR_ARGS(rest));
            buf_done(&content);
        }
    }
}

static void extensions_have_an_end(void **state)
{
    struct response_head head = { .status = 200, .is_chunked = true };
    struct body b;
    struct str in = STR("5;"), piece;
    size_t n = 0;
    (void)state;
    body_start(&b, &head);
    assert_int_equal(body_next(&b, &in, &piece), BODY_MORE);
    for (in = STR("x"); body_next(&b, &in, &piece) == BODY_MORE; in = STR("x"))
        n++;
    assert_in_range(n, 4000, 5000);
}

/* Some statuses have none, whatever the head says. */
static void statuses_without_a_body(void **state)
{
    static const int statuses[] = { 101, 204, 304 };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        struct response_head head = { .status = statuses[i], .has_length = true, .length = 5 };
        struct str in = STR("<ok/>"), piece;
        struct body b;
        body_start(&b, &head);
        assert_int_equal(body_next(&b, &in, &piece), BODY_END);
        assert_int_equal(in.len, 5);
        assert_true(body_may_end(&b));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(however_it_is_cut),
        cmocka_unit_test(extensions_have_an_end),
        cmocka_unit_test(statuses_without_a_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
