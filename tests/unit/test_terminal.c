/* SPDX-License-Identifier: Apache-2.0 */
#include "base/terminal.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *text;
    size_t len; /* of the command that it begins with; 0: none */
    uint32_t c; /* 0: it is no UTF-8, or no command */
} cases[] = {
    { "", 0, 0 },
    { "a", 0, 0 },
    { "\n", 0, 0 },
    { "\t", 0, 0 },
    { "\r", 1, 0x0D },
    { "\x1b[2J", 1, 0x1B },
    { "\x07", 1, 0x07 },
    { "\x7f", 1, 0x7F },
    { "\xc2\x9b"
      "2J",
      2, 0x9B },
    { "\xc2\x9d"
      "0;x",
      2, 0x9D },
    { "\xc2\x80", 2, 0x80 },
    { "\xc2\x9f", 2, 0x9F },
    { "\xc2\xa0", 0, 0 },
    { "\xc3\xa9", 0, 0 },
    { "\xd8\x9c", 2, 0x061C },
    { "\xe2\x80\x8d", 0, 0 }, /* a joiner, as in emoji */
    { "\xe2\x80\x8e", 3, 0x200E },
    { "\xe2\x80\xa8", 3, 0x2028 },
    { "\xe2\x80\xae", 3, 0x202E },
    { "\xe2\x81\xa6", 3, 0x2066 },
    { "\xe2\x81\xa9", 3, 0x2069 },
    { "\xef\xbb\xbf", 3, 0xFEFF },
    { "\xf3\xa0\x81\xa1", 4, 0xE0061 },
    { "\xf0\x9f\x98\x80", 0, 0 },
    /* What an old terminal takes for C1, and what else is no UTF-8. */
    { "\x9b"
      "2J",
      1, 0 },
    { "\x9d", 1, 0 },
    { "\xc2", 1, 0 },
    { "\xe2\x80", 1, 0 },
    { "\xff", 1, 0 },
};

static void knows_commands(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint32_t c = 0;
        size_t len = terminal_command(str_of(cases[i].text), &c);
        if (len != cases[i].len || (len > 0 && c != cases[i].c))
            fail_msg("case %zu: %zu, U+%04X", i, len, (unsigned)c);
    }
}

static void takes_them_out(void **state)
{
    static const struct {
        const char *text, *lines, *word;
    } texts[] = {
        { "", "", "" },
        { "gr\xc3\xb6\xc3\x9f"
          "er \xf0\x9f\x98\x80",
          "gr\xc3\xb6\xc3\x9f"
          "er \xf0\x9f\x98\x80",
          "gr\xc3\xb6\xc3\x9f"
          "er \xf0\x9f\x98\x80" },
        { "a\nb\tc", "a\nb\tc", "a?b?c" },
        { "\x1b[2J\xc2\x9b"
          "2J\x9b"
          "2J",
          "?[2J?2J?2J", "?[2J?2J?2J" },
        { "\xe2\x80\xae"
          "abc\xe2\x80\xac",
          "?abc?", "?abc?" },
        { "end \xe2\x80", "end ??", "end ??" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct buf lines, word;
        buf_init(&lines, 1000, NULL);
        buf_init(&word, 1000, NULL);
        terminal_clean(&lines, str_of(texts[i].text), true);
        terminal_clean(&word, str_of(texts[i].text), false);
        assert_string_equal(buf_c(&lines), texts[i].lines);
        assert_string_equal(buf_c(&word), texts[i].word);
        buf_done(&lines);
        buf_done(&word);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_commands),
        cmocka_unit_test(takes_them_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
