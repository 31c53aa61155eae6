/* SPDX-License-Identifier: Apache-2.0 */
/* Backslashes in strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config_text.h"

/* One meaning with every libconfig, of which newer ones know more escapes. */
static void refuses_other_escapes(void **state)
{
    static const char *const texts[] = {
        "CORP\\bob",    "CORP\\alice",   "CORP\\victor", "CORP\\eve",      "CORP\\Tom",
        "CORP\\",       "CORP\\0",       "CORP\\101",    "CORP\\u00e9",    "CORP\\x4",
        "CORP\\xavier", "CORP\\Xabel",   "CORP\\x",      "CORP\\ x",       "CORP\\/x",
        "CORP\\'",      "CORP\\\\\\bob", "CORP\\$${",    "CORP\\\xc3\xa9",
    };
    char text[200];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        snprintf(text, sizeof text, "hosts = [ \"%s\" ];\n", texts[i]);
        if (strcmp(texts[i], "CORP\\") == 0)
            refuses_with(text, "has no end: a `\"` is missing, or a backslash before one, which is "
                               "written `\\\\`");
        else
            refuses_with(text, "t.conf:1: a `\\` in this string begins none of the escapes \\\\ "
                               "\\\" \\n \\r \\t \\f \\xHH; a backslash itself is written `\\\\`");
    }
    refuses_with("cors_origins = [ \"a\" \"\\q\" ];", "a backslash itself is written `\\\\`");
    refuses_with("anonymous = { allow = [ \"u/CORP\\tom\" ]; };",
                 "there is a control character in it (a backslash itself is written `\\\\`)");
    refuses_with("@include \"sub\\dir\"", "begins none of the escapes \\\\ and \\\"");
}

static void reads_all_escapes(void **state)
{
    (void)state;
    struct config *c =
        config_of("upstreams = { u = { url = \"http://h\"; auth = { scheme = \"basic\"; "
                  "username = \"CORP\\\\tom\\\"\\x41\\xC3\\xa4\"; password = \"secret\"; "
                  "}; }; };");
    assert_string_equal(c->upstreams[0].auth.username, "CORP\\tom\"A\xC3\xA4");
    config_unref(c);
}

/* They are bytes, but hardly meant so. */
static void warns_of_numbers_in_names(void **state)
{
    static const char begin[] = "upstreams = { u = { url = \"http://h\"; user_agent = ";
    static const struct {
        const char *text;
        bool warns;
    } cases[] = {
        { "\"CORP\\xabel\"", true },    { "\"CORP\\x41b\"", true },    { "\"\\x41\"", true },
        { "\"CORP\\\\xabel\"", false }, { "\"a \\xC3\\xA4\"", false }, { "\"plain\"", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[200];
        snprintf(text, sizeof text, "anonymous = { allow = [ \"u/*\" ]; };\n%s%s; }; };", begin,
                 cases[i].text);
        warns_with(text, cases[i].warns
                             ? "t.conf:2: a `\\xHH` in this string stands for one byte; a "
                               "backslash itself is written `\\\\`"
                             : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_other_escapes),
        cmocka_unit_test(reads_all_escapes),
        cmocka_unit_test(warns_of_numbers_in_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
