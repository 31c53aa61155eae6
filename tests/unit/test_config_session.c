/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials, what is added to calls, sessions and envelopes, as they are read. */
#include "codec/xml/encode.h"
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config_text.h"

#define LOGIN "session = { login = { method = \"in\"; params = [ \"x\" ]; }; };"

#define SAFE "methods = ( { match = \"get.*\"; safe = true; } );"

static struct config *upstream_of(const char *settings)
{
    char text[4096];
    snprintf(text, sizeof text, "upstreams = { u = { url = \"http://h\"; %s }; };", settings);
    struct config_report report;
    config_report_init(&report);
    struct config *config =
        config_read_text("t.conf", str_of(text), &(struct config_read_options){ 0 }, &report);
    if (config == NULL)
        fail_msg("%s\nis refused: %s", text, buf_c(&report.errors));
    config_report_done(&report);
    return config;
}

static void reads_all(void **state)
{
    (void)state;
    struct config *c = upstream_of(
        "credentials = { username = \"api\"; password = \"s3cret-pw\"; pin = 1234567; on = true; };"
        "inject = ( { match = [ \"auth.*\", \"api.?\" ]; },"
        "  { match = \"*\"; at = -1; params = ( \"{session}\", 5, -2.50, false, ( \"a\\\"\", 1 ),"
        "      { n = { json = \" { \\\"{\\\": null } \"; }; } );"
        "    in = 2; member = { token = \"{session}\"; N = 7; }; headers = [ \"X-A: {k}\" ];"
        "    cookies = true; path = \"/{k}\"; } );"
        "session = { idle = \"50m\"; max_age = \"23h\"; parallel = 3; serial = true;"
        "  settle = \"1s\"; retry = \"2s\";"
        "  login = { method = \"in\"; params = [ \"{username}\" ]; path = \"common\";"
        "    headers = [ \"A: b\" ]; keep = { k = \"/0/key\"; all = \"\"; };"
        "    good = { at = \"/x~1y\"; from = 1; to = 2.50; }; };"
        "  logout = { method = \"out\"; }; keepalive = { every = \"5m\"; method = \"ping\"; }; };"
        "faults = ( { match = \"a*\"; text = \"*for <n> s\"; retry_after = \"<n>\"; },"
        "  { code = 7; session_expired = true; } );"
        "envelope = ( { good = { at = \"/0\"; is = true; }; value = \"\"; code = \"/2\"; },"
        "  { match = \"b\"; bad = { has = [ \"/e\" ]; }; text = \"/e\"; } );");
    const struct upstream_config *u = &c->upstreams[0];
    assert_int_equal(u->credentials.n, 4);
    assert_string_equal(u->credentials.items[1].name, "password");
    assert_string_equal(u->credentials.items[1].text, "\"s3cret-pw\"");
    assert_string_equal(u->credentials.items[2].text, "1234567");
    assert_string_equal(u->credentials.items[3].text, "true");
    assert_int_equal(u->n_inject, 2);
    assert_int_equal(u->inject[0].match.n, 2);
    const struct inject_rule_config *rule = &u->inject[1];
    assert_string_equal(rule->match.items[0], "*");
    assert_int_equal(rule->at, -1);
    static const char *const params[] = { "\"{session}\"", "5",
                                          "-2.5",          "false",
                                          "[\"a\\\"\",1]", "{\"n\":{ \"{\": null }}" };
    assert_int_equal(rule->params.n, ARRAY_LEN(params));
    for (size_t i = 0; i < ARRAY_LEN(params); i++)
        assert_string_equal(rule->params.items[i], params[i]);
    assert_int_equal(rule->in, 2);
    assert_string_equal(rule->member.items[1].name, "N");
    assert_string_equal(rule->member.items[1].text, "7");
    assert_string_equal(rule->headers.items[0], "X-A: {k}");
    assert_true(rule->cookies);
    assert_string_equal(rule->path, "/{k}");
    assert_true(u->session.present);
    assert_int_equal(u->session.idle, 3000000);
    assert_int_equal(u->session.parallel, 3);
    assert_true(u->session.serial);
    assert_string_equal(u->session.login.keep.items[0].text, "/0/key");
    assert_string_equal(u->session.login.good.at, "/x~1y");
    assert_string_equal(u->session.login.good.from, "1");
    assert_string_equal(u->session.login.good.to, "2.5");
    assert_string_equal(u->session.logout.method, "out");
    assert_int_equal(u->session.keepalive.every, 300000);
    assert_int_equal(u->faults[0].retry_after, PAUSE_OF_TEXT);
    assert_true(u->faults[1].session_expired);
    assert_string_equal(u->envelope[0].good.is, "true");
    assert_string_equal(u->envelope[0].value, "");
    assert_false(u->envelope[0].bad.present);
    assert_null(u->envelope[1].value);
    assert_string_equal(u->envelope[1].bad.has.items[0], "/e");
    config_unref(c);
}

static void has_defaults(void **state)
{
    (void)state;
    struct config *c = upstream_of(LOGIN "inject = ( { params = [ \"{session}\" ]; } );");
    const struct upstream_config *u = &c->upstreams[0];
    assert_int_equal(u->inject[0].match.n, 0);
    assert_int_equal(u->inject[0].at, 0);
    assert_int_equal(u->session.idle, 0);
    assert_int_equal(u->session.parallel, 1);
    assert_int_equal(u->session.settle, 30000);
    assert_int_equal(u->session.retry, 5000);
    assert_false(u->session.logout.present);
    assert_false(u->session.login.good.present);
    config_unref(c);
    c = upstream_of("inject = ( ); envelope = ( ); faults = ( ); methods = ( );");
    assert_false(c->upstreams[0].session.present);
    assert_int_equal(c->upstreams[0].n_inject, 0);
    config_unref(c);
}

static bool is_secret(const struct config *c, const char *text)
{
    size_t n;
    const struct str *secrets = config_secrets(c, &n);
    for (size_t i = 0; i < n; i++) {
        if (str_eq_c(secrets[i], text))
            return true;
    }
    return false;
}

static void knows_secrets(void **state)
{
    (void)state;
    struct config *c =
        upstream_of("credentials = { username = \"api-user\"; database = \"prod-db\";"
                    "  password = \"s3\\\"cret-pw\"; key = 1234567; on = true; };");
    assert_true(is_secret(c, "s3\"cret-pw"));
    assert_true(is_secret(c, "1234567"));
    assert_false(is_secret(c, "api-user"));
    assert_false(is_secret(c, "prod-db"));
    assert_false(is_secret(c, "true"));
    struct buf shown;
    buf_init(&shown, 1 << 20, NULL);
    config_print(c, &shown);
    assert_non_null(strstr(buf_c(&shown), "username = \"api-user\";"));
    assert_non_null(strstr(buf_c(&shown), "password = \"***\";"));
    assert_non_null(strstr(buf_c(&shown), "key = \"***\";"));
    assert_null(strstr(buf_c(&shown), "s3"));
    assert_null(strstr(buf_c(&shown), "1234567"));
    buf_done(&shown);
    config_unref(c);
}

/* What comes from a file is no template. */
static void substitutes(void **state)
{
    (void)state;
    char file[] = "/tmp/rpcgate-session-XXXXXX", settings[512];
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a{b}}c{{\n", 9), 9);
    assert_int_equal(close(fd), 0);
    snprintf(settings, sizeof settings,
             "credentials = { key = \"${file:%s}\"; }; inject = ( { params = ( \"x${file:%s}y\" ); "
             "} );",
             file, file);
    struct config *c = upstream_of(settings);
    assert_string_equal(c->upstreams[0].credentials.items[0].text, "\"a{b}}c{{\"");
    assert_string_equal(c->upstreams[0].inject[0].params.items[0], "\"xa{{b}}}}c{{{{y\"");
    assert_true(is_secret(c, "a{b}}c{{"));
    assert_false(is_secret(c, "a{{b}}}}c{{{{"));
    struct buf shown;
    buf_init(&shown, 1 << 20, NULL);
    config_print(c, &shown);
    assert_non_null(strstr(buf_c(&shown), "params = ( \"x***y\" );"));
    buf_done(&shown);
    config_unref(c);
    unlink(file);
}

static bool same(const char *a, const char *b)
{
    struct config *x = upstream_of(a), *y = upstream_of(b);
    bool ret = config_same_upstream(&x->upstreams[0], &y->upstreams[0]);
    config_unref(x);
    config_unref(y);
    return ret;
}

static void compares(void **state)
{
    (void)state;
    static const char *const different[] = {
        "",
        "credentials = { a = \"longer-a\"; };",
        "credentials = { a = \"longer-b\"; };",
        "credentials = { b = \"longer-a\"; };",
        "credentials = { a = \"longer-a\"; b = 1; };",
        LOGIN,
        LOGIN "inject = ( { params = [ \"a\" ]; } );",
        LOGIN "inject = ( { params = ( \"a\", 1 ); } );",
        LOGIN "inject = ( { member = { a = 1; }; } );",
        LOGIN "inject = ( { member = { a = 2; }; } );",
        "envelope = ( { good = { is = 1; }; } );",
        "envelope = ( { bad = { is = 1; }; } );",
        "envelope = ( { bad = { is = 1; }; value = \"\"; } );",
    };
    for (size_t i = 0; i < ARRAY_LEN(different); i++) {
        for (size_t k = 0; k < ARRAY_LEN(different); k++)
            assert_int_equal(same(different[i], different[k]), i == k);
    }
}

static const struct {
    const char *settings, *part;
} bad[] = {
    { "credentials = { session = \"x\"; };", "`session` has a meaning in templates already" },
    { "credentials = { a = ( 1 ); };", "must be a string, a number, `true` or `false`" },
    { "credentials = ( 1 );", "it must be a group of strings" },
    { "credentials = { a*b = \"xxxxxx\"; };", "must be a letter, then up to 63" },
    { "inject = ( { at = 1; } );", "`at` says where `params` go" },
    { "inject = ( { at = -2; params = ( 1 ); } );", "from -1 to 10000" },
    { "inject = ( { in = 1; } );", "`in` says where `member` goes" },
    { "inject = ( { cookies = true; } );", "`cookies` are those of a `session`" },
    { "inject = ( { match = [ ]; } );", "there is no glob in it" },
    { "inject = ( { match = 5; } );", "it must be a glob" },
    { "inject = ( { params = \"x\"; } );", "it must be a list of strings" },
    { "inject = ( { params = ( { json = \"{1}\"; } ); } );", "this is no JSON" },
    { "inject = ( { headers = [ \"Host: a\" ]; } );", "is made by rpcgate itself" },
    { "inject = ( { parms = ( 1 ); } );", "did you mean `params`?" },
    { "inject = { };", "must be a list of groups" },
    { "session = { };", "`login` is missing" },
    { "session = { login = { }; };", "set either `method` or `form`" },
    { "session = { login = { method = \"a\"; form = { u = \"x\"; }; }; };", "not both" },
    { "session = { login = { form = { u = \"x\"; }; keep = { k = \"\"; }; }; };", "are of a call" },
    { "session = { login = { method = \"a\"; keep = { k = \"x\"; }; }; };", "begins with `/`" },
    { "session = { login = { method = \"a\"; keep = { k = \"/~2\"; }; }; };", "is written `~0`" },
    { "session = { login = { method = \"a\"; keep = { count = \"\"; }; }; };", "has a meaning" },
    { "credentials = { k = \"sixchars\"; }; session = { login = { method = \"a\"; keep = { k = "
      "\"/a\"; }; }; };",
      "`credentials` has a `k`, too" },
    { "session = { login = { method = \"a\"; good = { at = \"/a\"; }; }; };", "set one of `is`" },
    { "session = { login = { method = \"a\"; good = { is = 1; from = 2; }; }; };",
      "set one of `is`" },
    { "session = { login = { method = \"a\"; good = { is = ( 1 ); }; }; };", "must be a string" },
    { "session = { login = { method = \"a\"; good = { from = \"1\"; }; }; };",
      "it must be a number, with" },
    { "session = { login = { method = \"a\"; }; logout = { }; };", "logout: `method` is missing" },
    { "session = { login = { method = \"a\"; }; keepalive = { method = \"p\"; }; };",
      "`every` is missing" },
    { "session = { login = { method = \"a\"; }; exclusive = true; parallel = 2; };",
      "cannot have several" },
    { "faults = ( { session_expired = true; } );", "no `session` that could expire" },
    { "faults = ( { retry_after = \"<n>\"; } );", "must stand once in `text`" },
    { "faults = ( { retry_after = \"<n>\"; text = \"<n> <n>\"; } );", "must stand once in `text`" },
    { "faults = ( { retry_after = \"25h\"; } );", "from 1s to 24h" },
    { "inject = ( { params = [ \"{x}\" ]; } );", "nothing defines `{x}`; there are no" },
    { "inject = ( { params = [ \"{session}\" ]; } );", "of a `session`, which is not set" },
    { "session = { login = { method = \"a\"; params = [ \"{session}\" ]; }; };",
      "cannot stand in the login" },
    { "credentials = { k = 1; }; headers = [ \"A: {session}\" ];", "stand in `inject` alone" },
    { "credentials = { k = \"a\\nb-longer\"; }; headers = [ \"A: {k}\" ];", "control character" },
    { "inject = ( { params = ( { json = \"null\"; } ); } );", "inject[0].params: " },
    { "inject = ( { params = ( 5000000000L ); } );", "extension" },
    { "inject = ( { path = \"/a/../b\"; } );", "`.` or `..`" },
    { "envelope = ( { } );", "set either `good` or `bad`" },
    { "envelope = ( { good = { is = 1; }; bad = { is = 2; }; } );", "not both" },
    { "envelope = ( { good = { has = [ ]; }; } );", "there is no pointer in it" },
    { "envelope = ( { good = { is = 1; }; value = \"x\"; } );", "begins with `/`" },
};

/* Templates are checked when they are read, and what is the same in each call is written then. */
static void compiles(void **state)
{
    (void)state;
    struct config *c = upstream_of(
        "credentials = { username = \"ann\"; password = \"s3cret-pw\"; uid = 7; };"
        "auth = { scheme = \"basic\"; username = \"{username}\"; password = \"{password}{{\"; };"
        "headers = [ \"X-Key: {base64({username}:{uid})}\" ];"
        "inject = ( { match = \"a\"; at = -1; params = ( \"{uid}\", \"<{username}>\" ); in = 1;"
        "    member = { key = \"{password}\"; }; path = \"/{username}\"; },"
        "  { match = \"b\"; params = [ \"{session}\" ]; headers = [ \"X-S: {k}\" ]; } );"
        "session = { login = { method = \"in\"; params = [ \"{password}\" ]; keep = { k = \"/0\"; "
        "}; };"
        "  logout = { method = \"out\"; params = [ \"{session}\" ]; }; };");
    const struct upstream_config *u = &c->upstreams[0];
    assert_string_equal(u->target.username, "ann");
    assert_string_equal(u->target.password, "s3cret-pw{");
    assert_string_equal(u->headers.items[0], "X-Key: YW5uOjc=");
    assert_true(is_secret(c, "s3cret-pw{"));
    assert_true(is_secret(c, "YW5uOjc="));
    const struct inject_rule_config *rule = &u->inject[0];
    assert_false(rule->needs_session);
    assert_int_equal(rule->around->n_values, 2);
    assert_true(rule->around->at == ENCODE_BEHIND);
    assert_int_equal(rule->around->in, 1);
    assert_true(str_eq(rule->around->values[0], STR("<value><int>7</int></value>")));
    assert_true(
        str_eq(rule->around->values[1], STR("<value><string>&lt;ann&gt;</string></value>")));
    assert_true(str_eq(rule->around->members[0].name, STR("key")));
    assert_true(str_eq(template_constant(&rule->path_template), STR("/ann")));
    assert_true(u->inject[1].needs_session);
    assert_null(u->inject[1].around);
    assert_int_equal(u->session.logout.templates.params[0].pieces[0].kind, PIECE_VALUE);
    config_unref(c);
    /* Without credentials braces are braces. */
    c = upstream_of("headers = [ \"X-A: {b}\" ];");
    assert_string_equal(c->upstreams[0].headers.items[0], "X-A: {b}");
    config_unref(c);
}

static void refuses_bad_ones(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char text[1024];
        snprintf(text, sizeof text, "upstreams = { u = { url = \"http://h\"; %s }; };",
                 bad[i].settings);
        refuses_with(text, bad[i].part);
    }
}

static void tells_each_in_its_line(void **state)
{
    (void)state;
    refuses("upstreams = { u = { url = \"http://h\";\n"
            "  credentials = {\n"
            "    a = 50000000000000;\n"
            "    b = ( 1 ); };\n"
            "  inject = (\n"
            "    { params = (\n"
            "      { json = \"x\"; } ); } );\n"
            "}; };\n",
            "t.conf:3: the number *** is too large; one beyond 32 bits has an L at its end, and "
            "sizes are strings with a unit, such as \"4G\"\n"
            "t.conf:4: upstreams.u.credentials: this must be a string, a number, `true` or "
            "`false`\n"
            "t.conf:7: upstreams.u.inject[0].params: this is no JSON: line 1, column 1: no JSON "
            "value; write a string in double quotes, a number, an array, an object, true, false "
            "or null\n");
}

#define UP(settings)                                                                               \
    "anonymous = { allow = [ \"*/*\" ]; }; upstreams = { u = { url = \"http://h\"; " settings      \
    " }; };"

static void reads_join(void **state)
{
    (void)state;
    struct config *c = config_of(UP(SAFE "join = { };"));
    assert_true(c->upstreams[0].join.present);
    assert_int_equal(c->upstreams[0].join.max, 50);
    assert_int_equal(c->upstreams[0].join.wait, 0);
    config_unref(c);
    c = config_of(UP(SAFE "join = { max = 7; wait = \"5ms\"; }; multicall_max = 7;"));
    assert_int_equal(c->upstreams[0].join.max, 7);
    assert_int_equal(c->upstreams[0].join.wait, 5);
    config_unref(c);
    c = config_of(UP(SAFE));
    assert_false(c->upstreams[0].join.present);
    config_unref(c);
}

static void join_has_a_way_and_calls(void **state)
{
    (void)state;
    refuses_with(UP(SAFE "join = { max = 1; };"), "u.join.max");
    refuses_with(UP(SAFE "join = { max = 201; };"), "u.join.max");
    refuses_with(UP(SAFE "join = { }; multicall_max = 20;"),
                 "upstreams.u.join.max: 50 calls are more than multicall_max allows for one "
                 "system.multicall (20)");
    refuses_with(UP(SAFE "join = { }; multicall = \"never\";"),
                 "upstreams.u.join: calls are joined by system.multicall, which multicall = "
                 "\"never\" rules out");
    warns_with(UP("join = { };"), "upstreams.u.join: only calls of `safe` methods are joined");
    warns_with(UP(SAFE "join = { };"), "");
    warns_with(UP("join = { };") "routes = ( { name = \"r\"; get = \"/r\"; call = \"u/m\"; "
                                 "safe = true; } );",
               "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_join),       cmocka_unit_test(join_has_a_way_and_calls),
        cmocka_unit_test(reads_all),        cmocka_unit_test(has_defaults),
        cmocka_unit_test(knows_secrets),    cmocka_unit_test(substitutes),
        cmocka_unit_test(compares),         cmocka_unit_test(compiles),
        cmocka_unit_test(refuses_bad_ones), cmocka_unit_test(tells_each_in_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
