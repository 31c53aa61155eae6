/* SPDX-License-Identifier: Apache-2.0 */
/* Who may call and what: `callers` and `anonymous`. */
#include "base/digest.h"
#include "config/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "config_text.h"

#define TOKEN "0123456789abcdef0123456789abcdef"
#define OTHER "abcdefghijklmnopqrstuvwxyz-._~+/=="
#define UPSTREAM "upstreams = { odoo = { url = \"http://h\"; }; };\n"

static void reads_callers(void **state)
{
    (void)state;
    struct config *c = config_of(
        "callers = (\n"
        "  { name = \"billing\"; token = \"" TOKEN "\"; tokens = [ \"" OTHER "\" ];\n"
        "    allow = [ \"odoo/*\", \"odoo/x\" ]; rate = 50; burst = 100; max_in_flight = 32; },\n"
        "  { name = \"ops\"; user = \"root\"; group = \"0\"; cert = \"CN=ops,*\"; rate = 7;\n"
        "    allow = ( \"*/*\", { match = \"odoo/execute_kw\"; params = ( { at = 4; in = [ "
        "\"read\", "
        "\"search_*\" ]; }, { at = 0; in = ( \"db\" ); } ); } );\n"
        "    deny = [ \"odoo/drop\" ]; } );\n" UPSTREAM);
    assert_int_equal(c->n_callers, 2);
    const struct caller_config *a = &c->callers[0], *b = &c->callers[1];
    struct digest digest;
    assert_string_equal(a->name, "billing");
    assert_int_equal(a->index, 0);
    assert_int_equal(a->n_digests, 2);
    digest_of(STR(TOKEN), &digest);
    assert_true(digest_equal(&a->digests[0], &digest));
    digest_of(STR(OTHER), &digest);
    assert_true(digest_equal(&a->digests[1], &digest));
    assert_int_equal(a->n_allow, 2);
    assert_string_equal(a->allow[1].match, "odoo/x");
    assert_int_equal(a->allow[1].n_params, 0);
    assert_int_equal(a->n_deny, 0);
    assert_int_equal(a->burst, 100);
    assert_int_equal(a->max_in_flight, 32);
    assert_false(a->has_uid || a->has_gid);
    assert_int_equal(b->index, 1);
    assert_int_equal(b->n_digests, 0);
    assert_true(b->has_uid && b->has_gid);
    assert_int_equal(b->uid, 0);
    assert_int_equal(b->gid, 0);
    assert_string_equal(b->cert, "CN=ops,*");
    assert_int_equal(b->burst, 7); /* as `rate` */
    assert_int_equal(b->max_in_flight, 0);
    assert_int_equal(b->n_allow, 2);
    assert_string_equal(b->allow[0].match, "*/*");
    const struct access_rule_config *rule = &b->allow[1];
    assert_string_equal(rule->match, "odoo/execute_kw");
    assert_int_equal(rule->n_params, 2);
    assert_int_equal(rule->params[0].at, 4);
    assert_int_equal(rule->params[0].in.n, 2);
    assert_string_equal(rule->params[0].in.items[1], "search_*");
    assert_string_equal(rule->params[1].in.items[0], "db");
    assert_string_equal(b->deny[0].match, "odoo/drop");
    config_unref(c);
}

/* The tokens are among the secrets that foreign text is searched for. */
static void knows_tokens_as_secrets(void **state)
{
    (void)state;
    struct config *c = config_of("callers = ( { name = \"a\"; token = \"" TOKEN "\"; tokens = [ "
                                 "\"" OTHER "\" ]; } );");
    size_t n = 0, found = 0;
    const struct str *secrets = config_secrets(c, &n);
    for (size_t i = 0; i < n; i++)
        found += str_eq_c(secrets[i], TOKEN) || str_eq_c(secrets[i], OTHER);
    assert_int_equal(found, 2);
    struct buf shown;
    buf_init(&shown, 65536, NULL);
    config_print(c, &shown);
    assert_null(strstr(buf_c(&shown), TOKEN));
    assert_null(strstr(buf_c(&shown), OTHER));
    assert_non_null(strstr(buf_c(&shown), "token = \"***\";"));
    assert_non_null(strstr(buf_c(&shown), "tokens = [ \"***\" ];"));
    buf_done(&shown);
    config_unref(c);
}

/* The settings of one caller, and what is said of them. */
static void refuses_callers(void **state)
{
    static const struct {
        const char *caller, *error;
    } cases[] = {
        { "token = \"" TOKEN "\";", "callers[0]: `name` is missing" },
        { "name = \"a b\"; token = \"" TOKEN "\";", "callers[0].name: a name is a letter" },
        { "name = \"9\"; token = \"" TOKEN "\";", "callers[0].name: a name is a letter" },
        { "name = \"a\";", "callers[0]: set one of `token`, `tokens`, `user`, `group` and `cert`" },
        { "name = \"a\"; tokens = [ ];", "callers[0]: set one of `token`, `tokens`," },
        { "name = \"a\"; token = \"0123456789abcdef0123456789abcde\";",
          "callers[0].token: a token has at least 32 characters" },
        { "name = \"a\"; tokens = [ \"" TOKEN "\", \"short\" ];",
          "callers[0].tokens: a token has at least 32 characters" },
        { "name = \"a\"; token = \"0123456789abcdef 0123456789abcdef\";",
          "callers[0].token: a token is made of letters, digits" },
        { "name = \"a\"; token = \"=0123456789abcdef0123456789abcdef\";",
          "callers[0].token: a token is made of letters, digits" },
        { "name = \"a\"; user = \"no-such-user\";",
          "callers[0].user: there is no user `no-such-user` on this system" },
        { "name = \"a\"; group = \"no-such-group\";",
          "callers[0].group: there is no group `no-such-group` on this system" },
        { "name = \"a\"; user = \"4294967295\";", "there is no user `4294967295`" },
        { "name = \"a\"; user = \"root\"; burst = 3;", "callers[0]: `burst` needs a `rate`" },
        { "name = \"a\"; user = \"root\"; rate = 0;", "rate: 0 is too small" },
        { "name = \"a\"; user = \"root\"; allow = [ \"odoo\" ];",
          "callers[0].allow[0].match: this is not of the form `upstream/method`" },
        { "name = \"a\"; user = \"root\"; deny = [ \"od oo/x\" ];",
          "callers[0].deny[0].match: this is not of the form `upstream/method`" },
        { "name = \"a\"; user = \"root\"; allow = \"odoo/x\";",
          "callers[0].allow: this must be a list of globs over `upstream/method` and groups" },
        { "name = \"a\"; user = \"root\"; allow = ( 1 );",
          "callers[0].allow[0]: this must be a glob or a group" },
        { "name = \"a\"; user = \"root\"; allow = ( { } );",
          "callers[0].allow[0]: `match` is missing" },
        { "name = \"a\"; user = \"root\"; allow = ( { match = \"odoo/x\"; with = 1; } );",
          "unknown setting `with`; known here are `match` and `params`" },
        { "name = \"a\"; user = \"root\"; allow = ( { match = \"odoo/x\"; params = ( ); } );",
          "callers[0].allow[0].params: this must be a list of groups" },
        { "name = \"a\"; user = \"root\"; deny = ( { match = \"odoo/x\"; params = ( { in = [ \"a\" "
          "]; } ); } );",
          "callers[0].deny[0].params[0]: `at` is missing" },
        { "name = \"a\"; user = \"root\"; allow = ( { match = \"odoo/x\"; params = ( { at = 1; } "
          "); "
          "} );",
          "callers[0].allow[0].params[0]: `in` is missing" },
        { "name = \"a\"; user = \"root\"; allow = ( { match = \"odoo/x\"; params = ( { at = 1; in "
          "= "
          "[ ]; } ); } );",
          "callers[0].allow[0].params[0]: `in` is missing" },
        { "name = \"a\"; user = \"root\"; allow = ( { match = \"odoo/x\"; params = ( { at = -1; in "
          "= "
          "[ \"a\" ]; } ); } );",
          "callers[0].allow[0].params[0].at: -1 is too small" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[1024];
        snprintf(text, sizeof text, "callers = ( { %s } );\n" UPSTREAM, cases[i].caller);
        refuses_with(text, cases[i].error);
    }
}

static void keeps_callers_apart(void **state)
{
    static const struct {
        const char *callers, *error;
    } cases[] = {
        { "{ name = \"a\"; user = \"root\"; }, { name = \"b\"; cert = \"*\"; },\n"
          "{ name = \"a\"; token = \"" TOKEN "\"; }",
          "t.conf:2: callers[2]: the name `a` is that of callers[0], too" },
        { "{ name = \"a\"; token = \"" TOKEN "\"; }, { name = \"b\"; token = \"" TOKEN "\"; }",
          "callers[1].token: this token is that of callers[0], too" },
        { "{ name = \"a\"; tokens = [ \"" OTHER "\", \"" TOKEN "\" ]; },\n"
          "{ name = \"b\"; tokens = [ \"" TOKEN "\" ]; }",
          "t.conf:2: callers[1].tokens: this token is that of callers[0], too" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[1024];
        snprintf(text, sizeof text, "callers = ( %s );\n" UPSTREAM, cases[i].callers);
        refuses_with(text, cases[i].error);
    }
    config_unref(config_of("callers = ( { name = \"a\"; token = \"" TOKEN "\"; tokens = [ \"" TOKEN
                           "\" ]; } );"));
}

static void warns_of_callers(void **state)
{
    static const char root[] = "name = \"a\"; user = \"root\"; allow = [ \"odoo/*\" ];";
    static const struct {
        const char *text, *warning; /* "": none */
    } cases[] = {
        { "callers = ( { %s } );", "" },
        { "callers = ( { name = \"a\"; user = \"root\"; } );",
          "t.conf:1: callers[0]: it may not call anything: `allow` is not set" },
        { "callers = ( { name = \"a\"; user = \"root\"; allow = [ ]; } );", "" },
        { "callers = ( { name = \"a\"; user = \"root\"; allow = ( ); } );", "" },
        { "anonymous = { allow = [ ]; };", "" },
        { "anonymous = { };", "`anonymous.allow` is not set" },
        { "callers = ( { %s deny = [ \"odo/x\" ]; } );",
          "callers[0].deny[0]: no upstream has a name that \"odo/x\" matches" },
        { "callers = ( { %s deny = ( { match = \"x*/*\"; } ); } );",
          "callers[0].deny[0]: no upstream has a name that \"x*/*\" matches" },
        { "callers = ( { %s }, { name = \"b\"; user = \"0\"; allow = [ \"odoo/*\" ]; } );",
          "callers[1]: the user is that of callers[0], too, which comes first" },
        { "callers = ( { name = \"a\"; cert = \"CN=a\"; allow = [ \"odoo/*\" ]; } );",
          "callers[0].cert: no listener has `tls` with a `client_ca_file`" },
        { "listen = ( { address = \"::1\"; port = 0; } ); callers = ( { %s } );",
          "callers[0]: no listener is a unix socket" },
        { "listen = ( { systemd = \"api\"; } ); callers = ( { %s } );", "" },
        { "anonymous = { allow = ( { match = \"x/y\"; } ); };",
          "anonymous.allow[0]: no upstream has a name that \"x/y\" matches" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf text;
        buf_init(&text, 4096, NULL);
        for (const char *at = cases[i].text; *at != '\0'; at++) {
            bool caller = at[0] == '%' && at[1] == 's';
            if (caller)
                buf_append_c(&text, root);
            else
                buf_append_byte(&text, *at);
            at += caller;
        }
        buf_append_c(&text, "\n" UPSTREAM);
        warns_with(buf_c(&text), cases[i].warning);
        buf_done(&text);
    }
}

static void prints_what_reads_the_same(void **state)
{
    static const char text[] =
        "callers = ( { name = \"a\"; user = \"root\"; allow = [ \"odoo/a\", \"odoo/b\" ];\n"
        "deny = ( \"odoo/c\", { match = \"odoo/d\"; params = ( { at = 1; in = [ \"x\" ]; } ); },\n"
        "\"odoo/e\" ); } );\nanonymous = { allow = [ ]; };\n" UPSTREAM;
    (void)state;
    struct config *config = config_of(text);
    struct buf first;
    buf_init(&first, 65536, NULL);
    config_print(config, &first);
    assert_non_null(strstr(buf_c(&first), "allow = [ \"odoo/a\", \"odoo/b\" ];"));
    assert_non_null(strstr(buf_c(&first), "\"odoo/c\", "));
    struct config *again = config_of(buf_c(&first));
    const struct caller_config *a = &again->callers[0];
    assert_int_equal(a->n_deny, 3);
    assert_string_equal(a->deny[2].match, "odoo/e");
    assert_string_equal(a->deny[1].params[0].in.items[0], "x");
    config_unref(config);
    config_unref(again);
    buf_done(&first);
}

/* Under -t a credential may be missing: then nothing is said of what it will be. */
static void waits_for_credentials(void **state)
{
    static const char text[] =
        "callers = ( { name = \"a\"; token = \"${credential:a}\"; allow = [ "
        "\"odoo/*\" ]; },\n{ name = \"b\"; tokens = [ \"${credential:b}\" ]; "
        "allow = [ \"odoo/*\" ]; } );\n" UPSTREAM;
    (void)state;
    unsetenv("CREDENTIALS_DIRECTORY");
    struct config_report report;
    config_report_init(&report);
    struct config *config = config_read_text(
        "t.conf", str_of(text), &(struct config_read_options){ .testing = true }, &report);
    assert_string_equal(buf_c(&report.errors), "");
    assert_non_null(config);
    assert_int_equal(config->callers[0].n_digests, 0);
    assert_int_equal(config->callers[1].n_digests, 0);
    config_unref(config);
    config_report_done(&report);
    refuses_with("callers = ( { name = \"a\"; token = \"${credential:a}\"; } );",
                 "callers[0].token: ");
}

static void looks_up_accounts(void **state)
{
    struct buf why;
    uid_t uid = 1;
    gid_t gid = 1;
    (void)state;
    buf_init(&why, 512, NULL);
    assert_true(account_user("root", &uid, &why));
    assert_int_equal(uid, 0);
    assert_true(account_user("65536", &uid, &why));
    assert_int_equal(uid, 65536);
    assert_true(account_group("root", &gid, &why));
    assert_int_equal(gid, 0);
    assert_false(account_group("", &gid, &why));
    assert_string_equal(buf_c(&why), "there is no group `` on this system");
    buf_done(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_callers),         cmocka_unit_test(knows_tokens_as_secrets),
        cmocka_unit_test(refuses_callers),       cmocka_unit_test(keeps_callers_apart),
        cmocka_unit_test(warns_of_callers),      cmocka_unit_test(prints_what_reads_the_same),
        cmocka_unit_test(waits_for_credentials), cmocka_unit_test(looks_up_accounts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
