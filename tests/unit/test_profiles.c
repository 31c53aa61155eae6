/* SPDX-License-Identifier: Apache-2.0 */
/* Each profile that is built in, and what an upstream makes of one. */
#include "config/profiles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "config_text.h"

#define ALL_CREDENTIALS                                                                            \
    "credentials = { username = \"api\"; password = \"s3cret-pw\"; key = \"s3cret-key\"; "         \
    "database = \"prod\"; };"

static struct config *quietly(const char *text)
{
    struct config_report report;
    config_report_init(&report);
    struct config *config =
        config_read_text("t.conf", str_of(text), &(struct config_read_options){ 0 }, &report);
    if (config == NULL)
        fail_msg("%s\nis refused: %s", text, buf_c(&report.errors));
    config_report_done(&report);
    return config;
}

/* Read by name, and as it is printed, pasted into `profiles`. */
static void all_are_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_profile_texts; i++) {
        const struct profile_text *p = &profile_texts[i];
        char text[16384];
        assert_true(i == 0 || strcmp(profile_texts[i - 1].name, p->name) < 0);
        assert_true(profile_title(p).len > 0);
        assert_non_null(strstr(p->text, "# Known from"));
        snprintf(text, sizeof text,
                 "upstreams = { u = { profile = \"%s\"; url = \"http://h\"; " ALL_CREDENTIALS
                 " }; };",
                 p->name);
        struct config *a = quietly(text);
        size_t len = (size_t)snprintf(text, sizeof text,
                                      "profiles = {\n%s};\nupstreams = { u = { profile = \"%s\"; "
                                      "url = \"http://h\"; " ALL_CREDENTIALS " }; };",
                                      p->text, p->name);
        assert_true(len < sizeof text);
        struct config *b = quietly(text);
        assert_true(config_same_upstream(&a->upstreams[0], &b->upstreams[0]));
        config_unref(a);
        config_unref(b);
    }
    assert_int_equal(n_profile_texts, 32);
    assert_null(profile_find(STR("none")));
}

static void upstreams_replace_its_settings(void **state)
{
    (void)state;
    struct config *c = quietly(
        "upstreams = { u = { url = \"http://h\"; profile = \"mine\"; multicall = \"always\";\n"
        "  faults = ( { code = 9; } ); session = { login = { method = \"other\"; }; };\n"
        "  credentials = { a = \"longer-2\"; c = 3; }; }; };\n"
        "profiles = { mine = { multicall = \"never\"; extensions = [ \"nil\" ];\n"
        "  credentials = { a = \"longer-1\"; b = 2; };\n"
        "  faults = ( { code = 1; }, { code = 2; } );\n"
        "  session = { idle = \"5m\"; login = { method = \"in\"; params = [ \"{a}\" ]; }; };\n"
        "}; };\n");
    const struct upstream_config *u = &c->upstreams[0];
    assert_string_equal(u->profile, "mine");
    assert_int_equal(u->multicall, MULTICALL_USE_ALWAYS);
    assert_int_equal(u->extensions, EXTENSION_NIL);
    assert_int_equal(u->n_faults, 1);
    assert_int_equal(u->faults[0].code.number, 9);
    assert_int_equal(u->session.idle, 300000);
    assert_string_equal(u->session.login.method, "other");
    assert_int_equal(u->session.login.params.n, 1);
    assert_int_equal(u->credentials.n, 3);
    assert_string_equal(u->credentials.items[0].text, "\"longer-2\"");
    struct buf shown;
    buf_init(&shown, 1 << 20, NULL);
    config_print(c, &shown);
    assert_non_null(strstr(buf_c(&shown), "// t.conf:4, profile mine\n"));
    assert_non_null(strstr(buf_c(&shown), "code = 9;"));
    assert_non_null(strstr(buf_c(&shown), "// t.conf:2\n"));
    buf_done(&shown);
    config_unref(c);
}

static void origins_are_told(void **state)
{
    (void)state;
    struct config *c =
        quietly("upstreams = { u = { url = \"http://h\"; profile = \"supervisor\"; " ALL_CREDENTIALS
                " }; };");
    struct buf shown;
    buf_init(&shown, 1 << 20, NULL);
    assert_string_equal(c->upstreams[0].target.username, "api");
    assert_string_equal(c->upstreams[0].target.password, "s3cret-pw");
    config_print(c, &shown);
    assert_non_null(strstr(buf_c(&shown), "// profile supervisor\n"));
    assert_null(strstr(buf_c(&shown), "s3cret-pw"));
    buf_done(&shown);
    config_unref(c);
}

/* Another scheme has no use for the profile's user, whose credentials need not be there then. */
static void another_scheme_takes_its_own(void **state)
{
    (void)state;
    struct config *c = quietly(
        "upstreams = {\n"
        "  bearer = { url = \"http://h\"; profile = \"dokuwiki\"; credentials = { key = "
        "\"a-token\"; };\n"
        "    auth = { scheme = \"bearer\"; token = \"{key}\"; }; };\n"
        "  none = { url = \"http://h\"; profile = \"supervisor\"; auth = { scheme = \"none\"; }; "
        "};\n"
        "  digest = { url = \"http://h\"; profile = \"supervisor\"; auth = { scheme = \"digest\"; "
        "};\n"
        "    " ALL_CREDENTIALS " };\n"
        "  back = { url = \"http://h\"; profile = \"token\"; auth = { scheme = \"basic\"; username "
        "= \"u\";\n"
        "    password = \"s3cret-2\"; }; };\n"
        "};\n"
        "profiles = { token = { auth = { scheme = \"bearer\"; token = \"abcdefgh\"; }; }; };\n");
    const struct upstream_config *u = c->upstreams;
    assert_string_equal(u[0].auth.token, "a-token");
    assert_null(u[0].auth.username);
    assert_int_equal(u[1].auth.scheme, AUTH_SCHEME_NONE);
    assert_null(u[1].auth.password);
    assert_int_equal(u[1].multicall_results, MULTICALL_SHAPE_BARE);
    assert_true(u[2].target.digest);
    assert_string_equal(u[2].target.password, "s3cret-pw");
    assert_null(u[3].auth.token);
    assert_string_equal(u[3].auth.username, "u");
    config_unref(c);
    refuses_with("upstreams = { u = { url = \"http://h\"; profile = \"mine\"; }; };\n"
                 "profiles = { mine = { auth = { username = \"u\"; }; }; };",
                 "need `scheme = \"basic\";`");
}

static void refuses_bad_ones(void **state)
{
    (void)state;
    refuses_with("upstreams = { u = { url = \"http://h\"; profile = \"odo\"; }; };",
                 "there is no profile `odo`; did you mean `odoo`?");
    refuses_with("upstreams = { u = { url = \"http://h\"; profile = \"zzzzzz\"; }; };",
                 "`rpcgate profiles` lists those");
    refuses_with("profiles = { a = { profile = \"odoo\"; }; };", "cannot have a profile");
    refuses_with("profiles = { a = { typs = \"tagged\"; }; };", "did you mean `types`?");
    refuses_with("upstreams = { u = { url = \"http://h\"; profile = 5; }; };", "a number stands");
    /* What it names is missing: told where the profile is named. */
    refuses_with("upstreams = { u = {\n url = \"http://h\";\n profile = \"aria2\"; }; };",
                 "t.conf:3: upstreams.u.inject[1].params: nothing defines `{key}`");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_good),     cmocka_unit_test(upstreams_replace_its_settings),
        cmocka_unit_test(origins_are_told), cmocka_unit_test(another_scheme_takes_its_own),
        cmocka_unit_test(refuses_bad_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
