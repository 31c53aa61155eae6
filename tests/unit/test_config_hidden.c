/* SPDX-License-Identifier: Apache-2.0 */
/* What came from a file is told nowhere: each setting of the tables gets its value from one, good
 * or bad, and neither errors nor warnings nor --show-config have it. */
#include "settings/sections.h"

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

/* What is in the file, and what must not be told of it. */
static const struct {
    const char *content, *told;
} contents[] = {
    { "zq7marker", "zq7" },
    { "zq7", "zq7" },
    { "zq7marker/*", "zq7" },
    { "http://zq7marker/zq7", "zq7" },
    { "http://u:p@zq7:4711", "zq7" },
    { "/zq7marker", "zq7" },
    { "zq7marker: 1", "zq7" },
    { "Host: zq7", "Host" },
    { "zq7marker:", "zq7" },
    { "zq7\x01marker", "zq7" },
    { "9977553", "9977553" },
    { "-9977553", "9977553" },
    { "77h", "77h" },
    { "127.7.7.7", "7.7.7" },
    { "192.0.2.77", "2.77" },
};

/* What must stand beside some settings for them to have a meaning. */
static const char *const beside[] = {
    "",
    "unix = \"/s\";",
    "address = \"127.0.0.1\"; port = 0;",
    "systemd = \"s\";",
    "cert_file = \"/none\";",
    "url = \"http://h\";",
    "name = \"n\"; allow = [ \"x/y\" ];",
    "match = \"x/y\";",
    "username = \"u\"; password = \"pass-word\";",
    "scheme = \"basic\";",
    "from = 9; to = 1;",
    "at = 0;",
    "memory = \"1M\"; body = \"1K\";",
};

static char file[] = "/tmp/rpcgate-hidden-XXXXXX";

static void write_file(const char *content)
{
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    assert_true(fputs(content, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void assert_untold(const char *config, const struct buf *text, const char *told)
{
    if (strstr(buf_c(text), told) != NULL)
        fail_msg("%s\ntells %s: %s", config, told, buf_c(text));
}

static void try_text(const char *text, const char *told)
{
    struct config_report report;
    struct buf shown;
    config_report_init(&report);
    buf_init(&shown, 1 << 20, NULL);
    struct config *config =
        config_read_text("t.conf", str_of(text), &(struct config_read_options){ 0 }, &report);
    assert_untold(text, &report.errors, told);
    assert_untold(text, &report.warnings, told);
    if (config != NULL)
        config_print(config, &shown);
    assert_untold(text, &shown, told);
    buf_done(&shown);
    config_report_done(&report);
    config_unref(config);
}

/* Writes the text around one setting, from the outermost group inwards. */
struct around {
    char before[512], behind[128];
};

static struct around within(const struct around *outer, const struct group_row *group)
{
    static const struct {
        const char *open, *close;
    } forms[] = {
        [GROUP_PLAIN] = { "{", "}" },     [GROUP_OPTIONAL] = { "{", "}" },
        [GROUP_LIST] = { "( {", "} )" },  [GROUP_RULES] = { "( {", "} )" },
        [GROUP_ITEMS] = { "( {", "} )" }, [GROUP_NAMED] = { "{ x = {", "}; }" },
    };
    struct around inner;
    assert_true(snprintf(inner.before, sizeof inner.before, "%s%s = %s ", outer->before,
                         group->name, forms[group->form].open) < (int)sizeof inner.before);
    assert_true(snprintf(inner.behind, sizeof inner.behind, "%s;%s", forms[group->form].close,
                         outer->behind) < (int)sizeof inner.behind);
    return inner;
}

static void try_option(const struct around *around, const struct option_row *row, const char *told)
{
    char text[1200];
    bool list = row->kind->type == SETTING_LIST, group = row->kind->type == SETTING_GROUP;
    const char *open = list ? "[ " : group ? "{ username = " : "";
    const char *close = list ? " ]" : group ? "; }" : "";
    for (size_t i = 0; i < ARRAY_LEN(beside); i++) {
        if (strstr(beside[i], row->name) != NULL)
            continue;
        assert_true(snprintf(text, sizeof text, "%s%s%s = %s\"${file:%s}\"%s;%s", around->before,
                             beside[i], row->name, open, file, close,
                             around->behind) < (int)sizeof text);
        try_text(text, told);
    }
}

static size_t try_section(const struct section *section, const struct around *around,
                          const char *told)
{
    size_t n = section->n_options;
    for (size_t i = 0; i < section->n_options; i++)
        try_option(around, &section->options[i], told);
    for (size_t i = 0; i < section->n_groups; i++) {
        struct around inner = within(around, &section->groups[i]);
        n += try_section(section->groups[i].section, &inner, told);
    }
    return n;
}

static void tells_no_setting(void **state)
{
    const struct around nothing = { .before = "" };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
        write_file(contents[i].content);
        assert_true(try_section(&section_main, &nothing, contents[i].told) > 80);
    }
}

/* Messages about two settings, and rules that are mere strings. */
static void tells_no_pair(void **state)
{
    static const char *const texts[] = {
        "callers = ( { name = \"%s\"; user = \"0\"; }, { name = \"%s\"; user = \"1\"; } );",
        "anonymous = { allow = ( \"%s\" ); }; upstreams = { u = { url = \"http://h\"; }; };",
        "listen = ( { unix = \"/s\"; group = \"%s\"; } ); anonymous = { allow = [ \"u/*\" ]; };"
        "upstreams = { u = { url = \"http://h\"; }; };",
        "listen = ( { address = \"::1\"; port = 0; tls = { cert_file = \"%s\"; }; } );",
        "upstreams = { u = { url = \"https://h\"; tls = { ca_file = \"a%sb\"; ca_path = \"%s\"; "
        "cert_file = \"c\"; key_file = \"%s\"; }; }; };",
        "limits = { body = \"%s\"; memory = \"1M\"; };",
        "upstreams = { u = { url = \"http://h\"; headers = [ \"%s: 1\", \"A: %s\" ]; }; };",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts) * ARRAY_LEN(contents); i++) {
        char text[1200], name[80];
        size_t k = i % ARRAY_LEN(contents);
        snprintf(name, sizeof name, "${file:%s}", file);
        write_file(contents[k].content);
        struct buf full;
        buf_init(&full, sizeof text, NULL);
        for (const char *at = texts[i / ARRAY_LEN(contents)]; *at != '\0'; at++) {
            if (at[0] == '%' && at[1] == 's') {
                buf_append_c(&full, name);
                at++;
            } else {
                buf_append_byte(&full, *at);
            }
        }
        try_text(buf_c(&full), contents[k].told);
        buf_done(&full);
    }
}

/* Nor what it is nearly. */
static void tells_no_neighbour(void **state)
{
    static const char *const contents_near[] = { "@strat", "tset/x" };
    char text[600];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(contents_near); i++) {
        struct config_report report;
        write_file(contents_near[i]);
        snprintf(
            text, sizeof text,
            "upstreams = { test = { url = \"http://h\"; }; };\n"
            "routes = ( { name = \"start\"; post = \"/s\"; call = \"test/x\"; } );\n"
            "mcp = ( { name = \"m\"; tools = ( { match = \"${file:%s}\"; write = true; } ); } );",
            file);
        config_report_init(&report);
        assert_null(
            config_read_text("t.conf", str_of(text), &(struct config_read_options){ 0 }, &report));
        assert_non_null(strstr(buf_c(&report.errors), "mcp[0].tools[0]: there is no "));
        assert_non_null(strstr(buf_c(&report.errors), "\"***\""));
        assert_untold(text, &report.errors, "did you mean");
        config_report_done(&report);
    }
}

/* A password that has lost its quotes. */
static void tells_no_literal(void **state)
{
    static const char *const texts[] = {
        "upstreams = { u = { auth = { password = hunter2; }; }; };",
        "upstreams = { u = { auth = { password = 77001; }; }; };",
        "upstreams = { u = { auth = { password = 7700177001770017700177001; }; }; };",
        "upstreams = { u = { auth = { password = 9.hunter2; }; }; };",
        "upstreams = { u = { auth = { password = \"a\"hunter2\"; }; }; };",
        "upstreams = { u = { auth = { password = \"a\" 77001; }; }; };",
        "upstreams = { u = { auth = { token = hunter2; }; }; };",
        "upstreams = { u = { tls = { key_password = \"a\" \"b\" hunter2; }; }; };",
        "upstreams = { u = { url = hunter2; }; };",
        "callers = ( { tokens = [ hunter2, 77001 ]; } );",
        "callers = ( { tokens = [ \"a\", 77001 77001 ]; } );",
        "callers = ( { token = \"a\\hunter2\"; } );",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        try_text(texts[i], "hunter2");
        try_text(texts[i], "77001");
    }
}

/* URLs and sockets of upstreams are told by their `shown` alone. */
static void shows_no_target(void **state)
{
    char text[600];
    (void)state;
    write_file("zq7");
    snprintf(text, sizeof text,
             "upstreams = { u = { url = \"http://h/${file:%s}\"; proxy = { url = "
             "\"http://${file:%s}:1\"; }; }; s = { url = \"http+unix://%%2F${file:%s}/\"; }; "
             "o = { url = \"http://u:${file:%s}@h/\"; }; };",
             file, file, file, file);
    struct config *config = config_of(text);
    assert_string_equal(config->upstreams[0].targets[0].url, "http://h/zq7");
    assert_string_equal(config->upstreams[0].targets[0].shown, "***");
    assert_string_equal(config->upstreams[0].proxy_target.shown, "***");
    assert_string_equal(config->upstreams[1].targets[0].unix_socket, "/zq7");
    assert_string_equal(config->upstreams[1].targets[0].socket_shown, "***");
    assert_string_equal(config->upstreams[2].targets[0].shown, "http://h/");
    config_unref(config);
}

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(file);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_no_setting),   cmocka_unit_test(tells_no_pair),
        cmocka_unit_test(tells_no_neighbour), cmocka_unit_test(tells_no_literal),
        cmocka_unit_test(shows_no_target),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
