/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "config_text.h"

static void reads_a_whole_configuration(void **state)
{
    (void)state;
    struct config *c = config_of(
        "workers = 4; hosts = ( \"gw.internal\", \"10.0.0.1\" );\n"
        "listen = ( { unix = \"/run/a.sock\"; mode = \"0600\"; group = \"g\"; },\n"
        "           { address = \"::1\"; port = 0; }, { address = \"0.0.0.0\"; port = 81;\n"
        "             insecure = true; } );\n"
        "anonymous = { allow = [ \"de\" \"mo/*\" ]; deny = [ \"demo/x\" ]; };\n"
        "limits = { body = \"1024\"; memory = \"1g\"; depth = 0x10; drain = \"2m\"; };\n"
        "log = { level = \"debug\"; format = \"json\"; access = FALSE; };\n"
        "upstreams : { demo : { url = \"https://h:444/x\"; headers = [ \"A: b\" ];\n"
        "  extensions = [ \"nil\", \"i8\" ]; types = \"tagged\"; integers = \"safe\";\n"
        "  text = \"base64\"; timezone = \"+02:00\"; encoding = \"ISO-8859-1\";\n"
        "  user_agent = \"me\"; auth = { scheme = \"basic\"; username = \"u\"; password = \"p\" }\n"
        "  timeouts = { connect = \"250ms\", total = \"24h\" } limits = { response = \"4G\" } },\n"
        "  a-b_C9 = { url = \"http://h\" } }\n");
    assert_int_equal(c->workers, 4);
    assert_int_equal(c->hosts.n, 2);
    assert_string_equal(c->hosts.items[1], "10.0.0.1");
    assert_int_equal(c->n_listen, 3);
    assert_string_equal(c->listen[0].unix, "/run/a.sock");
    assert_int_equal(c->listen[0].mode, 0600);
    assert_null(c->listen[0].address);
    assert_int_equal(c->listen[1].port, 0);
    assert_int_equal(c->listen[1].place.line, 3);
    assert_true(c->listen[2].insecure);
    assert_true(c->anonymous.present);
    assert_string_equal(c->anonymous.allow[0].match, "demo/*");
    assert_int_equal(c->anonymous.n_deny, 1);
    assert_int_equal(c->limits.body, 1024);
    assert_int_equal(c->limits.memory, 1 << 30);
    assert_int_equal(c->limits.depth, 16);
    assert_int_equal(c->limits.drain, 120000);
    assert_int_equal(c->log.level, LOG_LEVEL_DEBUG);
    assert_int_equal(c->log.format, LOG_FORMAT_JSON);
    assert_false(c->log.access);
    assert_int_equal(c->n_upstreams, 2);
    const struct upstream_config *u = config_upstream(c, STR("demo"));
    assert_ptr_equal(u, &c->upstreams[0]);
    assert_string_equal(u->target.url, "https://h:444/x");
    assert_string_equal(u->target.username, "u");
    assert_string_equal(u->target.password, "p");
    assert_int_equal(u->extensions, EXTENSION_NIL | EXTENSION_I8);
    assert_int_equal(u->types, TYPES_TAGGED);
    assert_int_equal(u->integers, INTEGERS_SAFE);
    assert_int_equal(u->text, TEXT_BASE64);
    assert_int_equal(u->timeouts.connect, 250);
    assert_int_equal(u->timeouts.total, 86400000);
    assert_int_equal(u->timeouts.idle, 30000);
    assert_true(u->limits.response == (size_t)4 << 30);
    assert_int_equal(config_upstream(c, STR("a-b_C9"))->index, 1);
    assert_null(config_upstream(c, STR("dem")));
    config_unref(c);
}

static void has_defaults(void **state)
{
    (void)state;
    struct config *c = config_of("upstreams = { u = { url = \"http://h\"; }; };");
    assert_int_equal(c->workers, 0);
    assert_false(c->anonymous.present);
    assert_int_equal(c->n_listen, 1);
    assert_string_equal(c->listen[0].unix, "/run/rpcgate/rpcgate.sock");
    assert_string_equal(c->listen[0].group, "rpcgate");
    assert_int_equal(c->listen[0].mode, 0660);
    assert_null(c->listen[0].place.file);
    assert_int_equal(c->limits.body, 4 << 20);
    assert_int_equal(c->limits.drain, 35000);
    assert_int_equal(c->log.level, LOG_LEVEL_INFO);
    assert_true(c->log.access);
    assert_string_equal(c->upstreams[0].encoding, "UTF-8");
    assert_null(c->upstreams[0].timezone);
    assert_int_equal(c->upstreams[0].timeouts.connect, 2000);
    assert_int_equal(c->upstreams[0].limits.depth, 128);
    assert_string_equal(c->upstreams[0].target.url, "http://h/RPC2");
    config_unref(c);
    c = config_of("");
    assert_int_equal(c->n_upstreams, 0);
    config_unref(c);
}

static void counts_references(void **state)
{
    (void)state;
    struct config *c = config_of("workers = 3;");
    assert_ptr_equal(config_ref(c), c);
    assert_null(config_unref(c));
    assert_int_equal(c->workers, 3);
    assert_null(config_unref(c));
    assert_null(config_unref(NULL));
}

static void tells_all_errors_in_order(void **state)
{
    (void)state;
    refuses("timeout = 3;\n"
            "upstreams = {\n"
            "  b = { timeout = { }; };\n"
            "  a = { url = \"http://h\"; timeouts = { total = \"5\"; }; };\n"
            "};\n"
            "log = { access = 1; level = \"loud\"; };\n"
            "workers = 257;\n",
            "t.conf:1: unknown setting `timeout`; known here are `workers`, `hosts`, "
            "`cors_origins`, `explorer`, `server_timing`, `listen`, `callers`, `routes`, `mcp`, "
            "`anonymous`, `traces`, `limits`, `log`, `upstreams` and `profiles`\n"
            "t.conf:3: unknown setting `timeout`; did you mean `timeouts`?\n"
            "t.conf:3: upstreams.b: `url` is missing\n"
            "t.conf:4: upstreams.a.timeouts.total: \"5\" is not a duration: write a whole number "
            "and ms, s, m or h, such as \"250ms\" or \"30s\"\n"
            "t.conf:6: log.access: a number stands here, but it must be `true` or `false`\n"
            "t.conf:6: log.level: \"loud\" is none of the words `error`, `warn`, `info` and "
            "`debug`\n"
            "t.conf:7: workers: 257 is too large: it must be from 0 to 256\n");
}

static void places_items_of_lists(void **state)
{
    (void)state;
    refuses(
        "anonymous = { allow = [\n  \"a/b\",\n  \"c\"\n]; };\nhosts = (\n\"h\",\n1\n);\n",
        "t.conf:3: anonymous.allow[1].match: this is not of the form `upstream/method`, such as "
        "\"demo/*\" or \"*/system.*\"\n"
        "t.conf:7: hosts: each item must be a string, not a number\n");
}

static void refuses_what_is_wrong_alone(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        { "workers = -1;", "t.conf:1: workers: -1 is too small: it must be from 0 to 256" },
        { "workers = \"4\";", "workers: a string stands here, but it must be a plain number" },
        { "workers = 1.5;", "workers: a decimal number stands here" },
        { "workers = { };", "workers: a group" },
        { "limits = { body = 65536; };", "limits.body: a number stands here, but it must be a" },
        { "limits = { body = \"64X\"; };", "limits.body: \"64X\" is not a size" },
        { "limits = { body = \"\"; };", "is not a size" },
        { "limits = { body = \"-1\"; };", "is not a size" },
        { "limits = { body = \"99999999999999999999\"; };", "is not a size" },
        { "limits = { body = \"9223372036854775807T\"; };", "is not a size" },
        { "limits = { body = \"2G\"; };", "\"2G\" is too large: it must be from 1K to 1G" },
        { "limits = { body = \"100M\"; memory = \"64M\"; };", "limits.body: 104857600 bytes" },
        { "limits = { idle = \"1 s\"; };", "is not a duration" },
        { "limits = { idle = \"1d\"; };", "is not a duration" },
        { "limits = { idle = \"500ms\"; };", "it must be from 1s to 1h" },
        { "limits = 5;", "limits: this must be a group `{ … }`, not a number" },
        { "upstreams = ( );", "upstreams: this must be a group of named groups" },
        { "upstreams = { a = 1; };", "upstreams.a: this must be a group" },
        { "upstreams = { a* = { url = \"http://h\"; }; };", "the name `a*` must be a letter" },
        { "hosts = \"h\";", "hosts: a string stands here, but it must be a list of host names" },
        { "hosts = [ \"h:80\" ];", "hosts: this is not a host name" },
        { "listen = ( );", "listen: this must be a list of groups" },
        { "listen = { };", "listen: this must be a list of groups" },
        { "listen = ( 1 );", "listen[0]: this must be a group" },
        { "listen = ( { } );", "listen[0]: set either `unix` (a path), `systemd` (a name), or" },
        { "listen = ( { unix = \"/a\"; address = \"::1\"; port = 1; } );", "not both" },
        { "listen = ( { address = \"::1\"; } );", "listen[0]: `address` needs a `port`" },
        { "listen = ( { address = \"localhost\"; port = 1; } );", "not an IPv4 or IPv6 address" },
        { "listen = ( { address = \"127.0.0.1\"; port = 65536; } );", "from 0 to 65535" },
        { "listen = ( { address = \"10.0.0.1\"; port = 1; } );", "set `insecure = true;`" },
        { "listen = ( { address = \"::\"; port = 1; } );", "is not a loopback address" },
        { "listen = ( { unix = \"a\"; } );", "must begin with `/`" },
        { "listen = ( { unix = \"/a\"; mode = 0660; } );", "stands in quotes, such as \"0660\"" },
        { "listen = ( { unix = \"/a\"; mode = \"0880\"; } );", "is not a file mode" },
        { "listen = ( { unix = \"/a\"; mode = \"07777\"; } );", "is not a file mode" },
        { "listen = ( { unix = \"/a\"; port = 1; } );", "`port` is for `address`" },
        { "listen = ( { address = \"::1\"; port = 1; mode = \"0600\"; } );",
          "`mode` is for `unix`" },
        { "listen = ( { unix = \"/a\"; }, { unix = \"/a\"; } );", "the same as listen[0]" },
        { "log = { level = \"INFO\"; };", "`error`, `warn`, `info` and `debug`" },
        { "anonymous = { allow = [ \"/x\" ]; };", "not of the form `upstream/method`" },
        { "traces = { ratio = 0.5; };", "traces: `url` is missing" },
        { "traces = { url = \"http://h:4318\"; };", "traces.url: write the path, too" },
        { "traces = { url = \"scgi://h:1/v1/traces\"; };", "traces.url: the URL must begin with" },
        { "anonymous = { alow = [ ]; };", "unknown setting `alow`; did you mean `allow`?" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        refuses_with(cases[i].text, cases[i].part);
}

static void refuses_upstreams(void **state)
{
    static const struct {
        const char *settings, *part;
    } cases[] = {
        { "", "upstreams.u: `url` is missing" },
        { "url = \"ftp://h\"", "upstreams.u.url: the URL must begin with" },
        { "url = \"http://h\"; headers = [ \"Host: x\" ]", "the header `Host` is made by rpcgate" },
        { "url = \"http://h\"; headers = [ \"content-length: 1\" ]", "`Content-Length` is made" },
        { "url = \"http://h\"; headers = [ \"A: b\\r\\nC: d\" ]", "control character" },
        { "url = \"http://h\"; headers = [ \"A b: c\" ]", "not a header line" },
        { "url = \"http://h\"; headers = [ \"A\" ]", "not a header line" },
        { "url = \"http://h\"; headers = [ \"A: \" ]", "the header `A` has no value" },
        { "url = \"http://h\"; extensions = [ \"i9\" ]", "\"i9\" is none of the words `nil`" },
        { "url = \"http://h\"; encoding = \"nope\"", "in such an encoding" },
        { "url = \"http://h\"; timezone = \"Mars/Olympus\"", "no such time zone" },
        { "url = \"http://h\"; user_agent = \"a\\x01\"", "control character" },
        { "url = \"http://h\"; auth = { scheme = \"basic\"; }", "needs a `username`" },
        { "url = \"http://h\"; auth = { username = \"u\"; }", "need `scheme = \"basic\";`" },
        { "url = \"http://h\"; auth = { scheme = \"digest\"; }", "needs a `username`" },
        { "url = \"http://h\"; auth = { scheme = \"ntlm\"; }", "`digest` and `bearer`" },
        { "url = \"http://h\"; auth = { scheme = \"bearer\"; }", "needs a `token`" },
        { "url = \"http://h\"; auth = { token = \"abcdef\"; }", "`token` needs" },
        { "url = \"http://h\"; auth = { scheme = \"basic\"; username = \"a:b\"; }", "a `:`" },
        { "url = \"http://a:b@h\"; auth = { scheme = \"basic\"; username = \"u\"; }", "take them" },
        { "url = \"http://a:b@h\"; headers = [ \"authorization: x\" ]", "take them out of one" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[512];
        snprintf(text, sizeof text, "upstreams = { u = { %s }; };", cases[i].settings);
        refuses_with(text, cases[i].part);
    }
}

static void tells_no_secret_in_errors(void **state)
{
    static const char *const cases[] = {
        "upstreams = { u = { url = \"http://u:hunter2/@h/\"; }; };",
        "upstreams = { u = { url = \"http://u:hunter2@h:x/\"; }; };",
        "upstreams = { u = { url = \"http://u:hunter2%0a@h/\"; }; };",
        "upstreams = { u = { url = \"http://h\"; headers = [ \"X-Key: hunter2\\n\" ]; }; };",
        "upstreams = { u = { url = \"http://h\"; headers = [ \"hunter2\" ]; }; };",
        "upstreams = { u = { url = \"http://h\"; auth = { password = \"hunter2\"; }; }; };",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config_report report;
        config_report_init(&report);
        assert_null(config_read_text("t.conf", str_of(cases[i]), &(struct config_read_options){ 0 },
                                     &report));
        assert_null(strstr(buf_c(&report.errors), "hunter2"));
        config_report_done(&report);
    }
}

static void warns_where_nobody_may_call(void **state)
{
    static const struct {
        const char *text, *warning;
    } cases[] = {
        { "workers = 1;",
          "t.conf:1: nobody may make calls: there are no `callers`, and there is no `anonymous`" },
        { "\nanonymous = { };", "t.conf:2: nobody may make calls: there are no `callers`, and "
                                "`anonymous.allow` is not set" },
        { "anonymous = { allow = [ \"x/*\" ]; };", "no upstream has a name that \"x/*\" matches" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config_report report;
        config_report_init(&report);
        struct config *c = config_read_text("t.conf", str_of(cases[i].text),
                                            &(struct config_read_options){ 0 }, &report);
        assert_non_null(c);
        assert_int_equal(report.n_errors, 0);
        assert_non_null(strstr(buf_c(&report.warnings), cases[i].warning));
        config_unref(c);
        config_report_done(&report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_whole_configuration),
        cmocka_unit_test(has_defaults),
        cmocka_unit_test(counts_references),
        cmocka_unit_test(tells_all_errors_in_order),
        cmocka_unit_test(places_items_of_lists),
        cmocka_unit_test(refuses_what_is_wrong_alone),
        cmocka_unit_test(refuses_upstreams),
        cmocka_unit_test(tells_no_secret_in_errors),
        cmocka_unit_test(warns_where_nobody_may_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
