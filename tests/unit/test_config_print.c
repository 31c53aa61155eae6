/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"
#include "config_text.h"

/* With one space for any run of them. */
static char *printed(const struct config *config)
{
    struct buf text, squeezed;
    buf_init(&text, 1 << 20, NULL);
    buf_init(&squeezed, 1 << 20, NULL);
    config_print(config, &text);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != ' ' || text.data[i + 1] != ' ')
            buf_append_byte(&squeezed, text.data[i]);
    }
    buf_done(&text);
    return buf_take(&squeezed);
}

static void assert_line(const char *text, const char *line)
{
    if (strstr(text, line) == NULL)
        fail_msg("there is no `%s` in\n%s", line, text);
}

/* The same settings, read again from what is printed. */
static void prints_what_reads_the_same(void **state)
{
    static const char text[] =
        "workers = 4; hosts = [ \"a\", \"b\" ];\n"
        "listen = ( { address = \"::1\"; port = 0x10; }, { unix = \"/a b\"; } );\n"
        "anonymous = { allow = [ \"u/*\", \"*/\\\"\\\\$$${\" ]; };\n"
        "upstreams = { u = { url = \"http://h\"; extensions = ( \"i8\" ); \n"
        "timeouts = { total = \"1m\" } }; };";
    (void)state;
    struct config *config = config_of(text);
    char *first = printed(config);
    struct config *again = config_of(first);
    char *second = printed(again);
    assert_line(first, "\nworkers = 4; ");
    assert_line(first, "// default\nlisten = (\n {");
    assert_line(first, "\n port = 16; ");
    assert_line(first, "\n allow = [ \"u/*\", \"*/\\\"\\\\$$${\" ]; ");
    assert_line(first, "\nanonymous = { // t.conf:3\n");
    assert_line(first, " total = \"1m\"; // t.conf:5\n");
    assert_line(first, " connect = \"2s\"; // default\n");
    assert_line(first, "\n // timezone: not set\n");
    assert_line(second, "\n allow = [ \"u/*\", \"*/\\\"\\\\$$${\" ]; ");
    assert_int_equal(again->listen[0].port, 16);
    assert_int_equal(again->upstreams[0].timeouts.total, 60000);
    assert_string_equal(again->anonymous.allow[1].match, config->anonymous.allow[1].match);
    free(first);
    free(second);
    config_unref(config);
    config_unref(again);
}

static void prints_the_default_listener(void **state)
{
    (void)state;
    struct config *config = config_of("");
    char *text = printed(config);
    assert_line(text, "unix = \"/run/rpcgate/rpcgate.sock\"; // default\n");
    assert_line(text, "group = \"rpcgate\"; // default\n");
    assert_line(text, "\n// anonymous: not set\n");
    free(text);
    config_unref(config);
}

static void hides_secrets(void **state)
{
    (void)state;
    char name[] = "/tmp/rpcgate-test-secret-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "hunter2\n", 8), 8);
    close(fd);
    setenv("CONFIG_TEST_FILE", name, 1);
    char text[2048];
    snprintf(text, sizeof text,
             "upstreams = {\n"
             "a = { url = \"http://us%%65r:hunter2@h/x\"; };\n"
             "b = { url = \"http://hunter2@h/x\"; headers = [ \"X-Api-KEY: hunter2\",\n"
             "  \"Cookie:hunter2\", \"A: b${file:%s}c\", \"D: e\" ]; };\n"
             "c = { url = \"http://h/${file:%s}\"; };\n"
             "d = { url = \"http://u:${file:%s}@h\"; user_agent = \"x ${file:%s}\"; };\n"
             "e = { url = \"http://h\"; auth = { scheme = \"basic\"; username = \"u\";\n"
             "  password = \"hunter2\"; }; }; };",
             name, name, name, name);
    struct config *config = config_of(text);
    char *shown = printed(config);
    assert_null(strstr(shown, "hunter2"));
    assert_null(strstr(shown, "us%65r"));
    assert_line(shown, "url = \"http://***:***@h/x\";");
    assert_line(shown, "url = \"http://***@h/x\";");
    assert_line(shown,
                "headers = [ \"X-Api-KEY: ***\", \"Cookie: ***\", \"A: b***c\", \"D: e\" ];");
    assert_line(shown, "url = \"***\";");
    assert_line(shown, "url = \"http://***:***@h\";");
    assert_line(shown, "user_agent = \"x ***\";");
    assert_line(shown, "password = \"***\";");
    assert_string_equal(config->upstreams[3].target.password, "hunter2");
    assert_string_equal(config->upstreams[2].target.url, "http://h/hunter2");
    free(shown);
    config_unref(config);
    unlink(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_what_reads_the_same),
        cmocka_unit_test(prints_the_default_listener),
        cmocka_unit_test(hides_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
