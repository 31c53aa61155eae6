/* SPDX-License-Identifier: Apache-2.0 */
#include "base/command_line.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 8

static const struct command_option options[] = {
    { 'f', "file", "FILE", "reads it" },
    { 0, "strict", NULL, "refuses more" },
    { 's', "strings", NULL, "takes them as they are" },
};

/* What was called, as text: "0=x 1 2 ". */
struct seen {
    char text[128];
    size_t stop_at; /* at that row `apply` says false; SIZE_MAX: never */
};

static bool apply(void *context, size_t row, const char *argument)
{
    struct seen *seen = context;
    size_t len = strlen(seen->text);
    snprintf(seen->text + len, sizeof seen->text - len, "%zu%s%s ", row,
             argument != NULL ? "=" : "", argument != NULL ? argument : "");
    return row != seen->stop_at;
}

struct one {
    const char *words[WORDS_MAX];
    bool ends_early;
    const char *seen;
    int operand;
    const char *first; /* NULL: none */
};

static const struct one cases[] = {
    { { "x", NULL }, false, "", 1, NULL },
    { { "x", "-f", "a", "--strict", "b", NULL }, false, "0=a 1 ", 4, "b" },
    { { "x", "--file=a", "-sfb", NULL }, false, "0=a 2 0=b ", 3, NULL },
    { { "x", "--stric", NULL }, false, "1 ", 2, NULL },
    { { "x", "a", "-s", "b", NULL }, false, "2 ", 2, "a" },
    { { "x", "a", "-s", "b", NULL }, true, "", 1, "a" },
    { { "x", "-s", "a", "-5", "--strict", NULL }, true, "2 ", 2, "a" },
    { { "x", "-s", "--", "-5", NULL }, true, "2 ", 3, "-5" },
    { { "x", "-5", NULL }, true, "", -1, NULL },
    { { "x", "--st", NULL }, false, "", -1, NULL },
    { { "x", "-f", NULL }, false, "", -1, NULL },
};

/* getopt changes the order of the words, not the words. Returns how many there are. */
static int take_words(const char *const *words, char *to[WORDS_MAX])
{
    int n = 0;
    for (; words[n] != NULL; n++)
        to[n] = (char *)(uintptr_t)words[n];
    to[n] = NULL;
    return n;
}

static void test_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct one one = cases[i];
        struct seen seen = { .stop_at = SIZE_MAX };
        char *words[WORDS_MAX];
        int argc = take_words(one.words, words);
        int operand = command_line_read(
            argc, words, &(struct command_line){ "test", options, 3, one.ends_early }, apply,
            &seen);
        assert_int_equal(operand, one.operand);
        assert_string_equal(seen.text, one.seen);
        if (one.first != NULL)
            assert_string_equal(words[operand], one.first);
        assert_string_equal(words[0], "x");
    }
}

static void test_stops_where_told(void **state)
{
    static const char *const line[] = { "x", "-s", "--strict", "-f", "a", NULL };
    char *words[WORDS_MAX];
    struct seen seen = { .stop_at = 1 };
    (void)state;
    int argc = take_words(line, words);
    assert_int_equal(command_line_read(argc, words,
                                       &(struct command_line){ "test", options, 3, false }, apply,
                                       &seen),
                     -1);
    assert_string_equal(seen.text, "2 1 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_stops_where_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
