/* SPDX-License-Identifier: Apache-2.0 */
/* The file as text: syntax, numbers, strings, includes, substitution. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "config/config.h"
#include "config_text.h"
#include "settings/store.h"

/* A folder of files; gone at the end. */
static int make_folder(void **state)
{
    char template[] = "/tmp/rpcgate-test-config-XXXXXX";
    if (mkdtemp(template) == NULL)
        return -1;
    *state = xstrdup(template);
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const names[] = { "main", "a", "b", "sub/c", "pw" };
    char path[256];
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", (char *)*state, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/sub", (char *)*state);
    rmdir(path);
    int rc = rmdir(*state);
    free(*state);
    return rc;
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Reads FOLDER/main; the errors have the folder taken out. */
static struct config *read_main(const char *folder, struct buf *errors)
{
    char path[256];
    snprintf(path, sizeof path, "%s/main", folder);
    struct config_report report;
    config_report_init(&report);
    struct config *c = config_read_path(path, &(struct config_read_options){ 0 }, &report);
    buf_init(errors, 65536, NULL);
    for (const char *at = buf_c(&report.errors); *at != '\0'; at++) {
        if (strncmp(at, folder, strlen(folder)) == 0)
            at += strlen(folder);
        buf_append_byte(errors, *at);
    }
    assert_false(report.missing);
    assert_int_equal(c == NULL, report.n_errors > 0);
    config_report_done(&report);
    return c;
}

static void refuses_main(const char *folder, const char *expected)
{
    struct buf errors;
    assert_null(read_main(folder, &errors));
    assert_string_equal(buf_c(&errors), expected);
    buf_done(&errors);
}

static void refuses_syntax(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        { "workers", "t.conf:1: syntax error: expected `=` behind the name, but the file ends" },
        { "workers =", "expected a value, but the file ends" },
        { "workers = ;", "expected a value, not `;`" },
        { "workers = four;", "expected a value (text stands in quotes), not `four`" },
        { "workers 4", "expected `=` behind the name, not `4`" },
        { "4 = workers", "expected the name of a setting, not `4`" },
        { "workers = 1;;", "expected the name of a setting, not `;`" },
        { "true = 1", "expected the name of a setting, not `true`" },
        { "log = {\n", "t.conf:1: syntax error: the file ends, but a `}` is missing for what was "
                       "opened in line 1 of t.conf" },
        { "}", "expected the name of a setting, not `}`" },
        { "hosts = [ \"a\" \n\"b\", ];", "t.conf:2: syntax error: expected a value after the `,`" },
        { "hosts = [ 1 2 ];", "expected `,` or `]`, not `2`" },
        { "hosts = [ \"a\" };", "expected `,` or `]`, not `}`" },
        { "hosts = [ ( ) ];", "plain values between `[` and `]`" },
        { "hosts = [ \"a\", 1 ];", "must be of one type" },
        { "workers = 1;\nworkers = 2;", "t.conf:2: this name is set twice in its group" },
        { "/* x", "t.conf:1: this comment has no end: a `*/` is missing" },
        { "\n\"x", "t.conf:2: this string has no end: a `\"` is missing" },
        { "@include\"x\"", "an include has a line of its own" },
        { "workers = 1; @include \"x\"", "an include has a line of its own" },
        { "w\xc3\xb6rkers = 1;", "characters beyond ASCII stand in quotes only" },
        { "\nworkers = \xff;", "t.conf:2: this is not valid UTF-8" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        refuses_with(cases[i].text, cases[i].part);
    struct config_report report;
    config_report_init(&report);
    assert_null(config_read_text("t.conf", STR("workers = 1;\n\0"),
                                 &(struct config_read_options){ 0 }, &report));
    assert_string_equal(buf_c(&report.errors), "t.conf:2: there is a NUL byte\n");
    config_report_done(&report);
}

static void refuses_deep_nesting(void **state)
{
    (void)state;
    char text[100000];
    memset(text, '(', sizeof text);
    memcpy(text, "x = ", 4);
    text[sizeof text - 1] = '\0';
    refuses_with(text, "t.conf:1: this is nested more than 32 deep");
}

static void refuses_wrapped_numbers(void **state)
{
    static const char *const cases[] = {
        "workers = 5000000000;",
        "workers = 2147483648;",
        "workers = -2147483649;",
        "workers = 0x80000000;",
        "workers = 9223372036854775808L;",
        "workers = 0x8000000000000000L;",
        "workers = 99999999999999999999999999999;",
        "unknown_list = ( 1, ( 4294967296 ) );",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases) - 1; i++)
        refuses_with(cases[i], "is too large");
    refuses_with("x = \"5000000000\";", "unknown setting");
    refuses_with("workers = 2147483647;", "it must be from 0 to 256");
    refuses_with("workers = -2147483648;", "-2147483648 is too small");
    refuses_with("workers = 9223372036854775807L;", "9223372036854775807 is too large: it must");
    refuses_with("/* 5000000000 */ workers = 257; // 5000000000\n# 5000000000", "257 is too");
    refuses("workers = 5000000000;\n\nlog = { access = 1; };",
            "t.conf:1: the number 5000000000 is too large; one beyond 32 bits has an L at its end, "
            "and sizes are strings with a unit, such as \"4G\"\n"
            "t.conf:3: log.access: a number stands here, but it must be `true` or `false`\n");
    config_unref(config_of("limits = { connections = 1000000L; };"));
}

static void refuses_strings_that_change(void **state)
{
    (void)state;
    refuses_with("hosts = [ \"a\nb\" ];", "t.conf:1: a string must end in the line");
    refuses_with("hosts = [ \"a\" \"b\\x00c\" ];", "t.conf:1: a string cannot hold \\x00");
    refuses_with("hosts = [ \"a\\X00\" ];", "cannot hold \\x00");
    struct config *c = config_of(
        "upstreams = { u = { url = \"http://h\"; user_agent = \"a\\\\x00\\\"\\x41\"; }; };");
    assert_string_equal(c->upstreams[0].user_agent, "a\\x00\"A");
    config_unref(c);
}

static void reads_other_line_ends(void **state)
{
    (void)state;
    struct config *c = config_of("\xef\xbb\xbfworkers = 3; // x\r\nhosts = [ \"a\" ]\r\n");
    assert_int_equal(c->workers, 3);
    config_unref(c);
    config_unref(config_of("workers = 3; # a comment without a newline"));
}

static void includes(void **state)
{
    const char *folder = *state;
    char sub[256];
    snprintf(sub, sizeof sub, "%s/sub", folder);
    assert_int_equal(mkdir(sub, 0700), 0);
    put(folder, "main",
        "/*\n@include \"nope\"\n*/ hosts = [ \"a\",\n  @include \"a\"  # comment\n ];"
        "\n@include \"sub/c\"\nworkers = 300;\n");
    put(folder, "a", "\"b\",\n\"c\""); /* without a newline */
    put(folder, "b", "\nlog = { levl = 1; };\n");
    put(folder, "sub/c", "# c\n\n@include \"b\"\nlimits = { idle = 1; };\n");
    refuses_main(folder,
                 "/b:2: unknown setting `levl`; did you mean `level`?\n"
                 "/sub/c:4: limits.idle: a number stands here, but it must be a string with one of "
                 "the units ms, s, m and h: `\"250ms\"`, `\"30s\"`, `\"10m\"`\n"
                 "/main:7: workers: 300 is too large: it must be from 0 to 256\n");
    put(folder, "b", "");
    put(folder, "sub/c", "workers = 5;");
    put(folder, "main", "@include \"b\"\nhosts = [\n@include \"a\"\n];\n@include \"sub/c\"");
    struct buf errors;
    struct config *c = read_main(folder, &errors);
    assert_string_equal(buf_c(&errors), "");
    assert_int_equal(c->workers, 5);
    assert_int_equal(c->hosts.n, 2);
    config_unref(c);
    buf_done(&errors);
}

static void refuses_includes(void **state)
{
    const char *folder = *state;
    put(folder, "main", "\n@include \"nope\"\n");
    char nope[256], expected[512];
    snprintf(nope, sizeof nope, "%s/nope", folder);
    refuses_main(folder, "/main:2: the included file `/nope` cannot be opened: No such file or "
                         "directory\n");
    put(folder, "main", "@include \".\"\n");
    refuses_main(folder, "/main:1: the included file `/.` is a folder, not a file\n");
    put(folder, "main", "@include \"/dev/null\"\n");
    refuses_main(folder, "/main:1: the included file `/dev/null` is not a regular file\n");
    put(folder, "main", "@include \"\"\n");
    refuses_main(folder, "/main:1: the name of the included file is empty\n");
    put(folder, "main", "@include \"a\" x = 1;\n");
    refuses_main(folder, "/main:1: an @include must stand alone in its line\n");
    put(folder, "main", "@include \"main\"\n");
    refuses_main(folder, "/main:1: the file `/main` includes itself\n");
    put(folder, "main", "@include \"a\"\n");
    put(folder, "a", "\n@include \"b\"\n");
    put(folder, "b", "\n\n@include \"a\"\n");
    refuses_main(folder, "/b:3: the file `/a` includes itself\n");
    put(folder, "a", "x = \"y");
    refuses_main(folder, "/a:1: this string has no end: a `\"` is missing\n");
    put(folder, "a", "log = {\n");
    snprintf(expected, sizeof expected,
             "/a:1: syntax error: the file ends, but a `}` is missing for what was opened in line "
             "1 of /a\n");
    refuses_main(folder, expected);
}

static void says_when_the_file_is_missing(void **state)
{
    (void)state;
    struct config_report report;
    config_report_init(&report);
    assert_null(
        config_read_path("/nowhere/rpcgate.conf", &(struct config_read_options){ 0 }, &report));
    assert_true(report.missing);
    assert_string_equal(buf_c(&report.errors), "/nowhere/rpcgate.conf: the configuration file "
                                               "cannot be opened: No such file or directory\n");
    config_report_done(&report);
}

static void substitutes(void **state)
{
    static const struct {
        const char *written, *read;
    } cases[] = {
        { "${env:CONFIG_TEST}", "va${env:X}lue" }, /* once */
        { "a${env:CONFIG_TEST_NONE:-b}c", "abc" },
        { "${env:CONFIG_TEST_NONE:-}", "" },
        { "${env:CONFIG_TEST_EMPTY:-x:-y}", "x:-y" },
        { "${env:CONFIG_TEST_EMPTY}", "" },
        { "$${env:X}", "${env:X}" },
        { "$$${env:CONFIG_TEST_NONE:-b}", "$${env:CONFIG_TEST_NONE:-b}" },
        { "$ $$ $x {}", "$ $$ $x {}" },
        { "${file:pw}!", "hunter2!" },
        { "${credential:pw}", "hunter2" },
        { "${credential_path:pw}", NULL }, /* the path; it need not be there yet */
        { "${credential_path:none}", NULL },
    };
    const char *folder = *state;
    setenv("CONFIG_TEST", "va${env:X}lue", 1);
    setenv("CONFIG_TEST_EMPTY", "", 1);
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    put(folder, "pw", "hunter2\n");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "upstreams = { u = { url = \"http://h\"; user_agent = \"%s\"; }; };",
                 cases[i].written);
        put(folder, "main", text);
        struct buf errors;
        struct config *c = read_main(folder, &errors);
        assert_string_equal(buf_c(&errors), "");
        char path[512] = "";
        if (cases[i].read == NULL) {
            const char *name = cases[i].written + strlen("${credential_path:");
            snprintf(path, sizeof path, "%s/%.*s", folder, (int)strcspn(name, "}"), name);
        }
        assert_string_equal(c->upstreams[0].user_agent,
                            cases[i].read != NULL ? cases[i].read : path);
        assert_int_equal(store_is_secret(c->store, c->upstreams[0].user_agent),
                         cases[i].read != NULL && strstr(cases[i].read, "hunter2") != NULL);
        config_unref(c);
        buf_done(&errors);
    }
    setenv("CONFIG_TEST", "7", 1);
    struct config *c = config_of("workers = \"${env:CONFIG_TEST}\"; limits = { drain = "
                                 "\"${env:CONFIG_TEST}s\"; }; log = { access = "
                                 "\"${env:CONFIG_TEST_NONE:-false}\"; };");
    assert_int_equal(c->workers, 7);
    assert_int_equal(c->limits.drain, 7000);
    assert_false(c->log.access);
    config_unref(c);
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void refuses_substitutions(void **state)
{
    static const struct {
        const char *written, *part;
    } cases[] = {
        { "${env:CONFIG_TEST_NONE}", "the environment variable CONFIG_TEST_NONE of" },
        { "${env:}", "does not name an environment variable" },
        { "${env:a b}", "does not name an environment variable" },
        { "${HOME}", "`${HOME}` is unknown" },
        { "${exec:ls}", "`${exec:ls}` is unknown" },
        { "${env:X", "a `${` has no `}`" },
        { "${file:/nowhere/x}", "the file `/nowhere/x` of `${file:/nowhere/x}` cannot be opened" },
        { "${file:/}", "is a folder" },
        { "${file:/dev/zero}", "is not a regular file" },
        { "${file:}", "names no file" },
        { "${credential:x}", "$CREDENTIALS_DIRECTORY is not set" },
        { "${file:a\\nt.conf:9: b}", "`${file:a?t.conf:9: b}` cannot be opened" },
        { "${credential:../x}", "does not name a credential" },
        { "${credential_path:x}",
          "`${credential_path:x}` is not known: $CREDENTIALS_DIRECTORY is" },
        { "${credential_path:}", "does not name a credential" },
        { "${credential_path:../x}", "does not name a credential" },
        { "${credential_paths:x}", "is unknown: there are" },
    };
    (void)state;
    unsetenv("CREDENTIALS_DIRECTORY");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[512];
        snprintf(text, sizeof text, "\nhosts = [ \"%s\" ];", cases[i].written);
        refuses_with(text, cases[i].part);
        refuses_with(text, "t.conf:2: hosts: ");
    }
}

static void warns_of_credentials_in_tests(void **state)
{
    (void)state;
    unsetenv("CREDENTIALS_DIRECTORY");
    struct config_report report;
    config_report_init(&report);
    struct config *c = config_read_text(
        "t.conf",
        STR("anonymous = { allow = [ \"u/*\" ]; };\n"
            "listen = ( { address = \"${credential:a}\"; port = \"${credential:b}\"; } );\n"
            "upstreams = { u = { url = \"http://u:${credential:c}@h\"; headers = [ "
            "\"X-Key: ${credential:d}\" ]; }; v = { url = \"${credential:e}\"; };\n"
            "w = { url = \"https://h\"; tls = { ca_file = \"${credential_path:f}\"; }; }; };"),
        &(struct config_read_options){ .testing = true }, &report);
    assert_string_equal(buf_c(&report.errors), "");
    assert_non_null(c);
    assert_non_null(strstr(buf_c(&report.warnings), "t.conf:2: listen[0].address: "
                                                    "`${credential:a}` is not checked"));
    assert_non_null(strstr(buf_c(&report.warnings), "t.conf:3: upstreams.v.url: "));
    assert_non_null(strstr(buf_c(&report.warnings),
                           "t.conf:4: upstreams.w.tls.ca_file: `${credential_path:f}` is not "
                           "checked: $CREDENTIALS_DIRECTORY is not set"));
    config_unref(c);
    config_report_done(&report);
}

/* In a process that may not look into `folder`: 0 if all is as it should be. */
static int test_shut_out(const char *folder)
{
    char text[512];
    if (getuid() == 0 && setuid(65534) != 0)
        return 2;
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    snprintf(text, sizeof text,
             "callers = ( { name = \"a\"; token = \"${credential:a}\"; allow = [ \"u/*\" ]; } );\n"
             "upstreams = { u = { url = \"https://h\"; tls = { ca_file = \"%s/ca.pem\"; "
             "cert_file = \"${credential_path:cert}\"; }; }; };",
             folder);
    struct config_report report;
    config_report_init(&report);
    struct config *c = config_read_text("t.conf", str_of(text),
                                        &(struct config_read_options){ .testing = true }, &report);
    bool ok = c != NULL && report.warnings.len == 0;
    config_unref(c);
    config_report_done(&report);
    config_report_init(&report);
    ok = ok && config_read_text("t.conf", str_of(text), &(struct config_read_options){ 0 },
                                &report) == NULL;
    config_report_done(&report);
    return ok ? 0 : 1;
}

/* systemd shuts the credentials to the check in ExecReload=: at each reload the same is no news. */
static void is_quiet_about_credentials_out_of_reach(void **state)
{
    char folder[] = "/tmp/rpcgate-test-shut-XXXXXX";
    int status = 0;
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(test_shut_out(folder));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    rmdir(folder);
}

/* None of these files is there. */
static void leaves_secrets_sealed(void **state)
{
    struct buf shown;
    (void)state;
    unsetenv("CREDENTIALS_DIRECTORY");
    struct config_report report;
    config_report_init(&report);
    struct config *c = config_read_text(
        "t.conf",
        STR("listen = ( { address = \"127.0.0.1\"; port = \"${file:/none/b}\"; } );\n"
            "callers = ( { name = \"a\"; token = \"${credential:a}\"; allow = [ \"*/*\" ]; } );\n"
            "upstreams = { u = { url = \"http://u:${file:/none/c}@h\"; headers = [ "
            "\"X-Y: 1 ${credential:d} 2\" ]; tls = { cert_file = \"/none/c\"; key_file = "
            "\"/none/k\"; ca_file = \"${file:/none/ca}\"; ca_path = "
            "\"${credential_path:ca}/$${x}\"; }; }; };"),
        &(struct config_read_options){ .sealed = true }, &report);
    assert_string_equal(buf_c(&report.errors), "");
    assert_string_equal(buf_c(&report.warnings), "");
    assert_non_null(c);
    assert_string_equal(c->upstreams[0].targets[0].url, "http://h/RPC2");
    assert_string_equal(c->upstreams[0].targets[0].password, "***");
    assert_string_equal(c->upstreams[0].headers.items[0], "X-Y: 1 *** 2");
    buf_init(&shown, SIZE_MAX - 1, NULL);
    config_print_upstream(&c->upstreams[0], &shown);
    assert_non_null(strstr(buf_c(&shown), "headers = [ \"X-Y: 1 *** 2\" ];"));
    assert_non_null(strstr(buf_c(&shown), "ca_path = \"${credential_path:ca}/$${x}\";"));
    buf_done(&shown);
    config_unref(c);
    config_report_done(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_syntax),
        cmocka_unit_test(leaves_secrets_sealed),
        cmocka_unit_test(refuses_deep_nesting),
        cmocka_unit_test(refuses_wrapped_numbers),
        cmocka_unit_test(refuses_strings_that_change),
        cmocka_unit_test(reads_other_line_ends),
        cmocka_unit_test_setup_teardown(includes, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(refuses_includes, make_folder, remove_folder),
        cmocka_unit_test(says_when_the_file_is_missing),
        cmocka_unit_test_setup_teardown(substitutes, make_folder, remove_folder),
        cmocka_unit_test(refuses_substitutions),
        cmocka_unit_test(warns_of_credentials_in_tests),
        cmocka_unit_test(is_quiet_about_credentials_out_of_reach),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
