/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of callers that speak XML-RPC: what their documents ask for, and what they get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "xmlrpc_rig.h"

#define SETTINGS                                                                                   \
    "callers = ( { name = \"bot\"; token = \"" EXCHANGE_TOKEN "\"; allow = [ \"*/*\" ];\n"         \
    "  deny = ( \"a/secret\", { match = \"a/drop\"; params = ( { at = 0; in = [ \"root\" ]; } ); " \
    "} ); } );\n"                                                                                  \
    "upstreams = { a = { url = \"http://a/\"; multicall = \"never\"; retry = { attempts = 1; };\n" \
    "  extensions = [ \"nil\", \"i8\" ]; types = \"plain\"; integers = \"string\"; };\n"           \
    " e = { url = \"http://e/\"; extensions = [ \"ex:nil\" ]; }; };\n"                             \
    "limits = { depth = 20; };\n"

#define STRING(text) "<value><string>" text "</string></value>"
#define ARRAY(values) "<value><array><data>" values "</data></array></value>"
#define MEMBER(name, value) "<member><name>" name "</name>" value "</member>"
#define STRUCT(members) "<value><struct>" members "</struct></value>"
#define ITEM(name, params)                                                                         \
    STRUCT(MEMBER("methodName", STRING(name)) MEMBER("params", ARRAY(params)))

static struct front_rig rig;
static struct fake *const fake = &rig.rig.workers[0].fake;

static int set_up(void **state)
{
    (void)state;
    front_rig_open(&rig, SETTINGS);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    front_rig_close(&rig);
    return 0;
}

static void answer(const char *document)
{
    fake_answer(fake, 0, 200, document);
    front_rig_run(&rig);
}

static void expect_sent(const char *text)
{
    char *document = fake_document(fake, 0);
    if (strstr(document, text) == NULL)
        fail_msg("%s\nhas no\n%s", document, text);
    free(document);
}

/* ---- Values --------------------------------------------------------------------------------- */

/* Whatever the upstream's settings say of JSON. */
static void types_stay_what_they_are(void **state)
{
    static const struct {
        const char *xml, *made; /* NULL: the same */
    } cases[] = {
        { "<value><int>5</int></value>", NULL },
        { "<value><i4>-5</i4></value>", "<value><int>-5</int></value>" },
        { "<value><i8>5</i8></value>", NULL },
        { "<value><nil/></value>", NULL },
        { "<value><double>5.0</double></value>", NULL },
        { "<value><boolean>0</boolean></value>", NULL },
        { "<value><base64>AP8=</base64></value>", NULL },
        { "<value><dateTime.iso8601>20240229T24:00:00Z</dateTime.iso8601></value>", NULL },
        { "<value><dateTime.iso8601>some &lt; day</dateTime.iso8601></value>", NULL },
        { "<value>é&amp;&lt;</value>", STRING("é&amp;&lt;") },
        { "<value/>", STRING("") },
        { ARRAY(""), NULL },
        { "<value><struct></struct></value>", NULL },
        { STRUCT(MEMBER("$i8", STRING("7")) MEMBER("b", ARRAY("<value><nil/></value>"))), NULL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct xmlrpc_exchange e;
        char document[512], params[512];
        const char *made = cases[i].made != NULL ? cases[i].made : cases[i].xml;
        snprintf(document, sizeof document, "<param>%s</param>", cases[i].xml);
        xmlrpc_call(&rig, &e, "m", document);
        snprintf(params, sizeof params, "<params><param>%s</param></params>", made);
        expect_sent(params);
        snprintf(document, sizeof document,
                 "<methodResponse><params><param>%s</param></params>"
                 "</methodResponse>",
                 cases[i].xml);
        answer(document);
        xmlrpc_expect(&e, params);
        exchange_end(&e.x);
    }
}

/* Clients of some servers know it by no other name. */
static void nil_has_the_upstreams_name(void **state)
{
    struct xmlrpc_exchange e;
    (void)state;
    xmlrpc_begin(&rig, &e, "POST /xmlrpc/e", "");
    exchange_go_on(&rig, &e.x, "<methodCall><methodName>m</methodName></methodCall>");
    answer(RIG_ANSWER("<nil/>"));
    xmlrpc_expect(&e, "<value><ex:nil");
    exchange_end(&e.x);
}

static void params_may_be_absent(void **state)
{
    static const char *const bodies[] = {
        "<methodCall><methodName>m</methodName></methodCall>",
        "<methodCall><methodName>m</methodName><params/></methodCall>",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct xmlrpc_exchange e;
        xmlrpc_send(&rig, &e, bodies[i]);
        expect_sent("<methodName>m</methodName><params></params></methodCall>");
        exchange_end(&e.x);
    }
}

/* The header line says it, for a document that does not. */
static void the_encoding_may_be_in_the_head(void **state)
{
    struct xmlrpc_exchange e;
    (void)state;
    xmlrpc_begin_as(&rig, &e, "POST /xmlrpc/a", "text/xml; charset=ISO-8859-1", "");
    exchange_go_on(&rig, &e.x,
                   "<methodCall><methodName>m</methodName><params><param><value>\xe9"
                   "</value></param></params></methodCall>");
    expect_sent(STRING("é"));
    exchange_end(&e.x);
}

/* ---- Faults --------------------------------------------------------------------------------- */

static void faults_are_the_upstreams_own(void **state)
{
    struct xmlrpc_exchange e;
    (void)state;
    xmlrpc_call(&rig, &e, "m", "");
    answer(RIG_FAULT("-42", "no &lt;ünï&gt;"));
    xmlrpc_expect_fault(&e, "<int>-42</int>", "<string>no &lt;ünï&gt;</string>");
    exchange_end(&e.x);
    xmlrpc_call(&rig, &e, "m", "");
    answer("<methodResponse><fault>" STRUCT(MEMBER("faultCode", STRING("E_NO")) MEMBER(
        "faultString", STRING("x"))) "</fault>"
                                     "</methodResponse>");
    xmlrpc_expect_fault(&e, "<string>E_NO</string>", "<string>x</string>");
    exchange_end(&e.x);
}

static void problems_have_codes_and_say_what_ran(void **state)
{
    struct xmlrpc_exchange e;
    char end[128];
    (void)state;
    xmlrpc_call(&rig, &e, "m", "");
    fake_fail(fake, 0, UPSTREAM_LOST, true);
    front_rig_run(&rig);
    snprintf(end, sizeof end, "; executed: unknown; request %s</string>", e.x.request->id);
    xmlrpc_expect_fault(&e, "<int>-32300</int>", "<string>connection-lost: ");
    xmlrpc_expect_fault(&e, "<int>-32300</int>", end);
    exchange_end(&e.x);
    xmlrpc_call(&rig, &e, "m", "");
    answer("<methodResponse><params>");
    xmlrpc_expect_fault(&e, "<int>-32300</int>", "; executed: unknown; ");
    exchange_end(&e.x);
    xmlrpc_call(&rig, &e, "m", "");
    client_cut_off(&rig.rig.workers[0].client);
    front_cut_off(&rig.front);
    xmlrpc_expect_fault(&e, "<int>-32096</int>", "<string>draining: ");
    exchange_end(&e.x);
}

/* The first call fails, and opens the breaker; of two at once one has no place to wait. */
static void what_keeps_calls_back_has_codes(void **state)
{
    struct xmlrpc_exchange e, f, g;
    (void)state;
    front_rig_close(&rig);
    front_rig_open(&rig, "callers = ( { name = \"bot\"; token = \"" EXCHANGE_TOKEN
                         "\"; allow = [ \"*/*\" ]; } );\nupstreams = { a = { url = \""
                         "http://a/\"; retry = { attempts = 1; }; breaker = { failures = 1; };\n"
                         "  pool = { max_connections = 1; max_queue = 1; }; }; };\n");
    xmlrpc_call(&rig, &e, "m", "");
    xmlrpc_call(&rig, &f, "m", "");
    xmlrpc_call(&rig, &g, "m", "");
    xmlrpc_expect_fault(&g, "<int>-32098</int>", "<string>overloaded: ");
    exchange_end(&g.x);
    exchange_end(&f.x);
    fake_fail(fake, 0, UPSTREAM_CONNECT_FAILED, false);
    front_rig_run(&rig);
    exchange_end(&e.x);
    xmlrpc_call(&rig, &e, "m", "");
    xmlrpc_expect_fault(&e, "<int>-32097</int>", "<string>circuit-open: ");
    exchange_end(&e.x);
}

static void the_rate_has_its_code(void **state)
{
    static const struct {
        const char *method, *code, *text;
    } cases[] = {
        { "secret", "<int>-32601</int>", "forbidden: " }, /* which takes none */
        { "system.getCapabilities", NULL, "faults_interop" },
        { "m", "<int>-32099</int>", "<string>rate-limited: " },
        { "system.getCapabilities", "<int>-32099</int>", "<string>rate-limited: " },
        { "system.listMethods", "<int>-32099</int>", "<string>rate-limited: " },
    };
    (void)state;
    front_rig_close(&rig);
    front_rig_open(&rig, "callers = ( { name = \"bot\"; token = \"" EXCHANGE_TOKEN
                         "\"; allow = [ \"*/*\" ]; deny = [ \"a/secret\" ]; rate = 1; burst = 1; } "
                         ");\nupstreams = { a = { url = \"http://a/\"; }; };\n");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct xmlrpc_exchange e;
        xmlrpc_call(&rig, &e, cases[i].method, "");
        if (cases[i].code != NULL)
            xmlrpc_expect_fault(&e, cases[i].code, cases[i].text);
        else
            xmlrpc_expect(&e, cases[i].text);
        assert_int_equal(exchange_has(&e.x, "Retry-After: 1"), i > 1);
        exchange_end(&e.x);
    }
    assert_int_equal(fake->n_submitted, 0);
}

/* ---- What is refused ------------------------------------------------------------------------ */

#define DEEP "<value><array><data>"
#define DEEP_END "</data></array></value>"
#define TIMES_7(text) text text text text text text text

static void documents_that_are_none(void **state)
{
#define CALLED(name, params)                                                                       \
    "<methodCall><methodName>" name "</methodName><params>" params "</params></methodCall>"
#define PARAM(value) "<param><value>" value "</value></param>"
    static const struct {
        const char *body, *code, *text;
    } cases[] = {
        { " ", "-32700", "invalid-" },
        { "{}", "-32700", "" },
        { "<methodCall>", "-32700", "" },
        { "<!DOCTYPE a><methodCall/>", "-32700", "" },
        { "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><methodCall>&b;</methodCall>",
          "-32700", "" },
        { "<?xml version='1.0' encoding='nope'?><methodCall/>", "-32701", "" },
        { "<methodCall><methodName>\xff</methodName></methodCall>", "-32701", "" },
        { "<methodCall><methodName>a&#1;</methodName></methodCall>", "-32702", "" },
        { "<html/>", "-32600", "" },
        { "<methodCall><params/></methodCall>", "-32600", "is no methodCall with a methodName" },
        { RIG_ANSWER("x"), "-32600", "is no methodCall with a methodName" },
        { CALLED("", ""), "-32600", "" },
        { CALLED("m", PARAM("<int>x</int>")), "-32600", "is no valid whole number" },
        { CALLED("secret", ""), "-32601", "forbidden: You may not call this method." },
        { CALLED("drop", PARAM("root")), "-32602", "forbidden: You may not call this method with" },
        { CALLED("m", PARAM("<biginteger>1</biginteger>")), "-32602", " (at /" },
        { CALLED("m", "<param>" TIMES_7(DEEP) TIMES_7(DEEP) TIMES_7(DEEP) TIMES_7(DEEP_END)
                          TIMES_7(DEEP_END) TIMES_7(DEEP_END) "</param>"),
          "-32602", "" },
        { CALLED("system.multicall", ""), "-32602", "system.multicall has one param: " },
        { CALLED("system.multicall", PARAM("5")), "-32602", "system.multicall has one param: " },
        { CALLED("system.multicall", "<param>" ARRAY("") "</param><param>" ARRAY("") "</param>"),
          "-32602", "system.multicall has one param: " },
        { CALLED("system.methodHelp", PARAM("<int>5</int>")), "-32602",
          "The param is a method's name" },
        { CALLED("system.methodHelp", PARAM("secret")), "-32601", "forbidden: " },
        { CALLED("system.methodSignature", PARAM("")), "-32600", "" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct xmlrpc_exchange e;
        char code[32];
        snprintf(code, sizeof code, "<int>%s</int>", cases[i].code);
        xmlrpc_send(&rig, &e, cases[i].body);
        xmlrpc_expect_fault(&e, code, "; executed: no; request ");
        xmlrpc_expect_fault(&e, code, cases[i].text[0] != '\0' ? cases[i].text : code);
        exchange_end(&e.x);
    }
    assert_int_equal(fake->n_submitted, 0);
}

/* Before the body is there, HTTP says it. */
static void what_the_head_says_is_no_fault(void **state)
{
    static const struct {
        const char *target, *type;
        int status;
        const char *problem;
    } cases[] = {
        { "POST /xmlrpc/a", "application/json", 415, "unsupported-media-type" },
        { "POST /xmlrpc/x", "text/xml", 404, "not-found" },
        { "POST /xmlrpc/a?types=tagged", "text/xml", 400, "invalid-request" },
        { "GET /xmlrpc/a", "text/xml", 405, "method-not-allowed" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct xmlrpc_exchange e;
        xmlrpc_begin_as(&rig, &e, cases[i].target, cases[i].type, "");
        exchange_go_on(&rig, &e.x, "<a/>");
        exchange_expect_problem(&e.x, cases[i].status, cases[i].problem);
        exchange_end(&e.x);
    }
}

/* ---- What the gateway answers itself -------------------------------------------------------- */

static void a_multicall_is_its_calls(void **state)
{
    struct xmlrpc_exchange e;
    (void)state;
    xmlrpc_call(&rig, &e, "system.multicall",
                "<param>" ARRAY(ITEM("m", "<value><i8>5</i8></value>") ITEM("secret", "")
                                    STRING("x") ITEM("n", "")) "</param>");
    assert_int_equal(e.x.request->target.method_len, 0); /* it is of no one method */
    while (fake_n(fake) > 0) {
        char *document = fake_document(fake, 0);
        bool is_m =
            strstr(document, "<methodName>m</methodName><params><param><value><i8>5</i8>") != NULL;
        free(document);
        answer(is_m ? RIG_ANSWER("<i8>6</i8>") : RIG_FAULT("7", "seven"));
    }
    assert_int_equal(fake->n_submitted, 2);
    xmlrpc_expect(&e, "<params><param><value><array><data>" ARRAY(
                          "<value><i8>6</i8></value>") "<value><struct><member><name>faultCode</"
                                                       "name><value><int>-32601</int>");
    xmlrpc_expect(&e, "<value><int>-32600</int></value>");
    xmlrpc_expect(
        &e, STRUCT(MEMBER("faultCode", "<value><int>7</int></value>") MEMBER(
                "faultString",
                STRING("seven"))) "</data></array></value></param></params></methodResponse>");
    exchange_end(&e.x);
    xmlrpc_call(&rig, &e, "system.multicall", "<param>" ARRAY("") "</param>");
    xmlrpc_expect(&e, "<params><param>" ARRAY("") "</param></params>");
    exchange_end(&e.x);
}

/* So many params as the conventions have; with others the upstream's own is meant. */
static void descriptions_are_ours(void **state)
{
    struct xmlrpc_exchange e;
    (void)state;
    xmlrpc_call(&rig, &e, "system.listMethods", "");
    answer(RIG_ANSWER("<array><data><value>m</value><value>secret</value><value>system.listMethods"
                      "</value></data></array>"));
    xmlrpc_expect(&e, "<params><param>" ARRAY(
                          STRING("m") STRING("system.getCapabilities") STRING("system.listMethods")
                              STRING("system.methodHelp") STRING("system.methodSignature")
                                  STRING("system.multicall")) "</param>");
    exchange_end(&e.x);
    xmlrpc_call(&rig, &e, "system.methodSignature", "<param>" STRING("m") "</param>");
    answer(RIG_ANSWER("<array><data><value><array><data><value>int</value></data></array></value>"
                      "</data></array>"));
    answer(RIG_ANSWER("helps"));
    xmlrpc_expect(&e, "<params><param>" ARRAY(ARRAY(STRING("int"))) "</param></params>");
    exchange_end(&e.x);
    xmlrpc_call(&rig, &e, "system.methodHelp", "<param>" STRING("m") "</param>");
    xmlrpc_expect(&e, "<params><param>" STRING("helps") "</param></params>");
    exchange_end(&e.x);
    assert_int_equal(fake->n_submitted, 3);
    static const char *const others[] = { "system.listMethods", "system.getCapabilities" };
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        xmlrpc_call(&rig, &e, others[i], "<param>" STRING("x") "</param>");
        expect_sent("</methodName><params><param>" STRING("x"));
        expect_sent(others[i]);
        answer(RIG_ANSWER("y"));
        xmlrpc_expect(&e, STRING("y"));
        exchange_end(&e.x);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(types_stay_what_they_are),
        TEST(nil_has_the_upstreams_name),
        TEST(params_may_be_absent),
        TEST(the_encoding_may_be_in_the_head),
        TEST(faults_are_the_upstreams_own),
        TEST(problems_have_codes_and_say_what_ran),
        TEST(what_keeps_calls_back_has_codes),
        TEST(the_rate_has_its_code),
        TEST(documents_that_are_none),
        TEST(what_the_head_says_is_no_fault),
        TEST(a_multicall_is_its_calls),
        TEST(descriptions_are_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
