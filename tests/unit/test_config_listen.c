/* SPDX-License-Identifier: Apache-2.0 */
/* Where callers connect: `listen`, `cors_origins`; and which settings of two files are the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config_text.h"

#define CALLER "callers = ( { name = \"a\"; user = \"root\"; allow = [ \"*/*\" ]; } );"

static void reads_listeners(void **state)
{
    (void)state;
    struct config *c = config_of(
        "listen = ( { systemd = \"api\"; serve = [ \"api\" ]; insecure = true; },\n"
        "  { unix = \"/run/x\"; serve = [ \"admin\", \"api\" ]; },\n"
        "  { address = \"127.0.0.1\"; port = 9; serve = [ \"admin\" ]; } );\n"
        "cors_origins = [ \"https://app.example\", \"http://[::1]:8000\", \"moz-extension://a-1\", "
        "\"http://10.0.0.1\" ];");
    assert_string_equal(c->listen[0].systemd, "api");
    assert_int_equal(c->listen[0].serve, SERVE_API);
    assert_int_equal(c->listen[1].serve, SERVE_API | SERVE_ADMIN);
    assert_int_equal(c->listen[2].serve, SERVE_ADMIN);
    assert_false(c->listen[2].tls.present);
    assert_int_equal(c->cors_origins.n, 4);
    assert_true(config_may_face_network(c, &c->listen[0]));
    assert_false(config_may_face_network(c, &c->listen[2]));
    config_unref(c);
    c = config_of("listen = ( { address = \"0.0.0.0\"; port = 9; serve = [ \"health\" ]; },\n"
                  "  { systemd = \"a\"; serve = [ \"metrics\", \"health\" ]; } );");
    assert_int_equal(c->listen[0].serve, SERVE_HEALTH);
    assert_true(config_may_face_network(c, &c->listen[0]));
    assert_int_equal(c->listen[1].serve, SERVE_HEALTH | SERVE_METRICS);
    assert_false(config_may_face_network(c, &c->listen[1]));
    config_unref(c);
    c = config_of("");
    assert_int_equal(c->listen[0].serve, SERVE_API | SERVE_ADMIN);
    config_unref(c);
}

static void refuses_listeners(void **state)
{
    static const struct {
        const char *listen, *error;
    } cases[] = {
        { "{ systemd = \"a\"; unix = \"/a\"; }", "set either `unix` (a path), `systemd` (a name)" },
        { "{ systemd = \"a\"; port = 1; }", "`port` is for `address`, and this is another kind" },
        { "{ systemd = \"a\"; mode = \"0600\"; }", "`mode` is for `unix`, and this is another" },
        { "{ unix = \"/a\"; insecure = true; }", "`insecure` is for `address` or `systemd`" },
        { "{ unix = \"/a\"; tls = { }; }", "listen[0]: `tls` is for `address` or `systemd`" },
        { "{ systemd = \"a\"; }, { systemd = \"a\"; }", "listen[1]: the same as listen[0]" },
        { "{ unix = \"/a\"; serve = [ ]; }", "listen[0].serve: nothing would be served here" },
        { "{ unix = \"/a\"; serve = [ \"all\" ]; }",
          "\"all\" is none of the words `api`, `admin`" },
        { "{ address = \"::1\"; port = 1; tls = { }; }", "listen[0].tls: `cert_file` is missing" },
        { "{ address = \"10.0.0.1\"; port = 1; }", "set `tls` here and `callers`" },
        { "{ address = \"10.0.0.1\"; port = 1; serve = [ \"health\", \"metrics\" ]; }",
          "set `tls` here and `callers`" },
        { "{ address = \"::\"; port = 1; serve = [ \"admin\" ]; }", "or serve `health` alone" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[512];
        snprintf(text, sizeof text, "listen = ( %s );\n" CALLER, cases[i].listen);
        refuses_with(text, cases[i].error);
    }
}

static void warns_of_a_group_that_is_not_there(void **state)
{
    (void)state;
    warns_with("listen = ( { unix = \"/a\"; group = \"no-such-group\"; } );\n" CALLER,
               "t.conf:1: listen[0].group: there is no group `no-such-group`");
    warns_with("listen = ( { unix = \"/a\"; group = \"root\"; } );\n" CALLER
               "upstreams = { u = { url = \"http://u\"; }; };",
               "");
}

static void refuses_origins(void **state)
{
    static const char *const cases[] = {
        "*",
        "null",
        "app.example",
        "https://",
        "https://*.example",
        "https://App.example",
        "HTTPS://app.example",
        "https://app.example/",
        "https://app.example/a",
        "https://app.example:443",
        "http://app.example:80",
        "https://app.example:0",
        "https://app.example:08",
        "https://app.example:65536",
        "https://app.example:",
        "https://:8000",
        "https://u@app.example",
        "https://[::1",
        "https://[]",
        "https://a b",
        "://a",
        "1a://a",
        "",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256];
        snprintf(text, sizeof text, "cors_origins = [ \"%s\" ];", cases[i]);
        refuses_with(text, "cors_origins: this is not an origin as browsers send it");
    }
}

/* Both sides as a whole file, of which the first listener and upstream are compared. */
static bool same(const char *a, const char *b)
{
    struct config *x = config_of(a), *y = config_of(b);
    bool upstreams = x->n_upstreams == 0 || config_same_upstream(x->upstreams, y->upstreams);
    bool same = upstreams && config_same_listen(x->listen, y->listen);
    config_unref(x);
    config_unref(y);
    return same;
}

static void compares_upstreams(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        { "url = \"http://h\";", "url = \"http://h\";", true },
        { "url = \"http://h\";", "# moved\n\nurl = \"http://\" \"h\"; verbose = false;", true },
        { "url = \"http://h\";", "url = \"http://h/\";", false },
        { "url = \"http://h\";", "urls = [ \"http://h\" ];", false },
        { "url = \"http://h\";", "url = \"http://u:p@h\";", false },
        { "url = \"http://h\";", "url = \"http://h\"; timeouts = { };", true },
        { "url = \"http://h\";", "url = \"http://h\"; timeouts = { idle = \"30000ms\"; };", true },
        { "url = \"http://h\";", "url = \"http://h\"; timeouts = { idle = \"31s\"; };", false },
        { "url = \"http://h\"; headers = [ \"A: b\" ];", "url = \"http://h\";", false },
        { "url = \"http://h\"; headers = [ \"A: b\" ];",
          "url = \"http://h\"; headers = [ \"A: c\" ];", false },
        { "url = \"http://h\"; extensions = [ \"nil\", \"i8\" ];",
          "url = \"http://h\"; extensions = ( \"i8\", \"nil\" );", true },
        { "url = \"http://h\"; extensions = [ \"nil\" ];",
          "url = \"http://h\"; extensions = [ \"i8\" ];", false },
        { "url = \"http://h\"; faults = ( { code = 1; status = 404; } );",
          "url = \"http://h\"; faults = ( { code = 1; status = 404; } );", true },
        { "url = \"http://h\"; faults = ( { code = 1; status = 404; } );",
          "url = \"http://h\"; faults = ( { code = \"1\"; status = 404; } );", false },
        { "url = \"http://h\"; faults = ( { code = 1; status = 404; } );",
          "url = \"http://h\"; faults = ( { code = 2; status = 404; } );", false },
        { "url = \"http://h\"; faults = ( { code = \"a*\"; status = 404; } );",
          "url = \"http://h\"; faults = ( { code = \"b*\"; status = 404; } );", false },
        { "url = \"http://h\"; faults = ( { code = 1; status = 404; } );", "url = \"http://h\";",
          false },
        { "url = \"http://h\"; methods = ( { match = \"a\"; }, { match = \"b\"; } );",
          "url = \"http://h\"; methods = ( { match = \"b\"; }, { match = \"a\"; } );", false },
        { "url = \"http://h\"; multicall = \"never\";", "url = \"http://h\";", false },
        { "url = \"http://h\"; auth = { scheme = \"bearer\"; token = \"abcdefgh\"; };",
          "url = \"http://h\"; auth = { scheme = \"bearer\"; token = \"abcdefgi\"; };", false },
        { "url = \"http://h\"; introspection = { ttl = \"1m\"; };", "url = \"http://h\";", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char a[512], b[512];
        snprintf(a, sizeof a, "upstreams = { u = { %s }; };", cases[i].a);
        snprintf(b, sizeof b, "workers = 3; upstreams = { u = { %s }; };", cases[i].b);
        if (same(a, b) != cases[i].same || same(b, a) != cases[i].same)
            fail_msg("%s\n%s", cases[i].a, cases[i].b);
    }
    assert_false(same("upstreams = { u = { url = \"http://h\"; }; };",
                      "upstreams = { v = { url = \"http://h\"; }; };"));
}

static void compares_listeners(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        { "unix = \"/a\";", "unix = \"/a\"; mode = \"0660\";", true },
        { "unix = \"/a\";", "unix = \"/b\";", false },
        { "unix = \"/a\";", "unix = \"/a\"; group = \"g\";", false },
        { "address = \"::1\"; port = 0;", "address = \"::1\"; port = 0;", true },
        { "address = \"::1\"; port = 0;", "address = \"::1\"; port = 0; serve = [ \"api\" ];",
          false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char a[256], b[256];
        snprintf(a, sizeof a, "listen = ( { %s } );", cases[i].a);
        snprintf(b, sizeof b, "\n\nlisten = ( { %s } );", cases[i].b);
        if (same(a, b) != cases[i].same)
            fail_msg("%s\n%s", cases[i].a, cases[i].b);
    }
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* The file's name is the same; what counts is what is in it. */
static void compares_the_content_of_files(void **state)
{
    static const char head[] = "-----BEGIN CERTIFICATE-----\n";
    char folder[] = "/tmp/rpcgate-test-listen-XXXXXX", path[64], text[256], pem[128];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/ca.pem", folder);
    snprintf(text, sizeof text,
             "upstreams = { u = { url = \"https://h\"; tls = { ca_file = \"%s\"; }; }; };", path);
    snprintf(pem, sizeof pem, "%sAAAA\n-----END CERTIFICATE-----\n", head);
    write_file(path, pem);
    struct config *a = config_of(text), *b = config_of(text);
    snprintf(pem, sizeof pem, "%sAAAB\n-----END CERTIFICATE-----\n", head);
    write_file(path, pem);
    struct config *c = config_of(text);
    assert_true(config_same_upstream(a->upstreams, b->upstreams));
    assert_false(config_same_upstream(a->upstreams, c->upstreams));
    config_unref(a);
    config_unref(b);
    config_unref(c);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_listeners),
        cmocka_unit_test(refuses_listeners),
        cmocka_unit_test(warns_of_a_group_that_is_not_there),
        cmocka_unit_test(refuses_origins),
        cmocka_unit_test(compares_upstreams),
        cmocka_unit_test(compares_listeners),
        cmocka_unit_test(compares_the_content_of_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
