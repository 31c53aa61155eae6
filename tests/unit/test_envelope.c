/* SPDX-License-Identifier: Apache-2.0 */
/* Failures that come as results, and values within them. */
#include "rules/verdict.h"

#include "rules/test.h"
#include "settings/method_rule.h"
#include "settings/result_paths.h"
#include "settings/store.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define OUT_MAX ((size_t)1 << 28) /* [bytes] */

#define ARRAY(values) "<value><array><data>" values "</data></array></value>"
#define STRUCT(members) "<value><struct>" members "</struct></value>"
#define MEMBER(name, value) "<member><name>" name "</name>" value "</member>"
#define INT(n) "<value><int>" n "</int></value>"
#define STRING(s) "<value><string>" s "</string></value>"
#define BOOLEAN(b) "<value><boolean>" b "</boolean></value>"
#define DOUBLE(n) "<value><double>" n "</double></value>"

/* What a server of the kind answers. */
#define ONE_GOOD ARRAY(BOOLEAN("1") STRING("&lt;VM/&gt;") INT("0"))
#define ONE_BAD ARRAY(BOOLEAN("0") STRING("[one.vm.info] No") INT("1024"))
#define XAPI_GOOD STRUCT(MEMBER("Status", STRING("Success")) MEMBER("Value", ARRAY(INT("1"))))
#define XAPI_BAD                                                                                   \
    STRUCT(MEMBER("Status", STRING("Failure"))                                                     \
               MEMBER("ErrorDescription", ARRAY(STRING("SESSION_INVALID") STRING("OpaqueRef:1"))))
#define INWX(code) STRUCT(MEMBER("code", INT(code)) MEMBER("msg", STRING("said")))

#define TEXT(s) ((char *)(uintptr_t)(s))

static char *globs[] = { TEXT("OK*"), TEXT("done") };
static char *parts[] = { TEXT("/code"), TEXT("/msg") };

#define ONE                                                                                        \
    {                                                                                              \
        .good = { .present = true, .at = TEXT("/0"), .is = TEXT("true") }, .value = TEXT("/1"),    \
        .code = TEXT("/2"), .text = TEXT("/1")                                                     \
    }
#define XAPI                                                                                       \
    {                                                                                              \
        .good = { .present = true, .at = TEXT("/Status"), .is = TEXT("\"Success\"") },             \
        .value = TEXT("/Value"), .code = TEXT("/ErrorDescription/0"),                              \
        .text = TEXT("/ErrorDescription")                                                          \
    }
#define GOOD_OF(...)                                                                               \
    {                                                                                              \
        .good = { .present = true, __VA_ARGS__ }, .value = TEXT("")                                \
    }

static const struct {
    struct envelope_rule_config rule;
    const char *result; /* XML */
    const char *value;  /* JSON; NULL: it has failed: */
    int64_t code;
    const char *code_text, *text; /* NULL: none */
} cases[] = {
    { ONE, ONE_GOOD, "\"<VM/>\"", 0, NULL, NULL },
    { ONE, ONE_BAD, NULL, 1024, NULL, "[one.vm.info] No" },
    { ONE, ARRAY(""), NULL, 0, NULL, NULL },
    { ONE, ARRAY(BOOLEAN("1")), "null", 0, NULL, NULL },
    { ONE, ARRAY(INT("1") STRING("x")), NULL, 0, NULL, "x" },
    { ONE, ARRAY(STRING("true") STRING("x") STRING("5")), NULL, 0, "5", "x" },
    { ONE, INT("1"), NULL, 0, NULL, NULL },
    { XAPI, XAPI_GOOD, "[1]", 0, NULL, NULL },
    { XAPI, XAPI_BAD, NULL, 0, "SESSION_INVALID", "[\"SESSION_INVALID\",\"OpaqueRef:1\"]" },
    { XAPI, STRUCT(MEMBER("Status", STRING("Success "))), NULL, 0, NULL, NULL },
    { XAPI, STRUCT(MEMBER("Status", STRING("Success"))), "null", 0, NULL, NULL },
    { XAPI,
      STRUCT(MEMBER("Status", STRING("Failure")) MEMBER("Status", STRING("Success"))
                 MEMBER("Value", INT("1")) MEMBER("Value", INT("2"))),
      "2", 0, NULL, NULL },
    { XAPI, "<value>x</value>", NULL, 0, NULL, NULL },
    /* Without pointers. */
    { { .bad = { .present = true, .is = TEXT("0") } }, INT("0"), NULL, 0, NULL, NULL },
    { { .bad = { .present = true, .is = TEXT("0") } }, INT("1"), "null", 0, NULL, NULL },
    { { .bad = { .present = true, .is = TEXT("0") }, .value = TEXT("") },
      INT("1"),
      "1",
      0,
      NULL,
      NULL },
    { { .bad = { .present = true, .is = TEXT("0") }, .value = TEXT(""), .code = TEXT("") },
      DOUBLE("0.0"),
      NULL,
      0,
      "0.0",
      NULL },
    /* Numbers, however they are written. */
    { GOOD_OF(.is = TEXT("1")), INT("+01"), "1", 0, NULL, NULL },
    { GOOD_OF(.is = TEXT("1")), DOUBLE("1.0"), "1.0", 0, NULL, NULL },
    { GOOD_OF(.is = TEXT("1")), "<value><i8>1</i8></value>", "1", 0, NULL, NULL },
    { GOOD_OF(.is = TEXT("1")), STRING("1"), NULL, 0, NULL, NULL },
    { GOOD_OF(.is = TEXT("1")), BOOLEAN("1"), NULL, 0, NULL, NULL },
    { GOOD_OF(.is = TEXT("\"1\"")), INT("1"), NULL, 0, NULL, NULL },
    { GOOD_OF(.is = TEXT("\"\\u0061\\\"\"")), STRING("a\""), "\"a\\\"\"", 0, NULL, NULL },
    { GOOD_OF(.is = TEXT("\"\"")), STRING(""), "\"\"", 0, NULL, NULL },
    { GOOD_OF(.is = TEXT("\"\"")), "<value><nil/></value>", NULL, 0, NULL, NULL },
    { GOOD_OF(.is = TEXT("false")), BOOLEAN("0"), "false", 0, NULL, NULL },
    { GOOD_OF(.from = TEXT("1000"), .to = TEXT("1999")), INT("1000"), "1000", 0, NULL, NULL },
    { GOOD_OF(.from = TEXT("1000"), .to = TEXT("1999")), INT("1999"), "1999", 0, NULL, NULL },
    { GOOD_OF(.from = TEXT("1000"), .to = TEXT("1999")), DOUBLE("1999.1"), NULL, 0, NULL, NULL },
    { GOOD_OF(.from = TEXT("1000"), .to = TEXT("1999")), INT("999"), NULL, 0, NULL, NULL },
    { GOOD_OF(.from = TEXT("1000"), .to = TEXT("1999")), STRING("1500"), NULL, 0, NULL, NULL },
    { GOOD_OF(.from = TEXT("-0.5")), INT("-1"), NULL, 0, NULL, NULL },
    { GOOD_OF(.from = TEXT("-0.5")), INT("0"), "0", 0, NULL, NULL },
    { GOOD_OF(.to = TEXT("1e2")),
      "<value><biginteger>123456789012345678901234567890</biginteger></value>", NULL, 0, NULL,
      NULL },
    { GOOD_OF(.to = TEXT("1e2")),
      "<value><biginteger>-123456789012345678901234567890</biginteger></value>",
      "-123456789012345678901234567890", 0, NULL, NULL },
    /* Texts. */
    { GOOD_OF(.text = { globs, 2 }), STRING(" OK, then\n"), "\" OK, then\\n\"", 0, NULL, NULL },
    { GOOD_OF(.text = { globs, 2 }), STRING("\tdone "), "\"\\tdone \"", 0, NULL, NULL },
    { GOOD_OF(.text = { globs, 2 }), STRING("done."), NULL, 0, NULL, NULL },
    { GOOD_OF(.text = { globs, 2 }), ARRAY(STRING("done")), NULL, 0, NULL, NULL },
    /* Parts. */
    { GOOD_OF(.has = { parts, 2 }), INWX("5"), "{\"code\":5,\"msg\":\"said\"}", 0, NULL, NULL },
    { GOOD_OF(.has = { parts, 2 }), STRUCT(MEMBER("code", INT("5"))), NULL, 0, NULL, NULL },
    { { .bad = { .present = true, .at = TEXT("/0"), .has = { parts, 2 } },
        .value = TEXT("/1"),
        .code = TEXT("/0/code"),
        .text = TEXT("/0/msg") },
      ARRAY(INWX("-7") INT("1")),
      NULL,
      -7,
      NULL,
      "said" },
    { { .bad = { .present = true, .at = TEXT("/0"), .has = { parts, 2 } },
        .value = TEXT("/1"),
        .code = TEXT("/0/code"),
        .text = TEXT("/0/msg") },
      ARRAY(INT("2") INWX("-7")),
      "{\"code\":-7,\"msg\":\"said\"}",
      0,
      NULL,
      NULL },
    /* Codes and texts of all kinds. */
    { { .bad = { .present = true }, .code = TEXT("/0"), .text = TEXT("/1") },
      ARRAY("<value><nil/></value><value><nil/></value>"),
      NULL,
      0,
      NULL,
      NULL },
    { { .bad = { .present = true }, .code = TEXT("/0"), .text = TEXT("/1") },
      ARRAY("<value><biginteger>9223372036854775808</biginteger></value>" DOUBLE("1.5")),
      NULL,
      0,
      "9223372036854775808",
      "1.5" },
    { { .bad = { .present = true }, .code = TEXT("/0"), .text = TEXT("/1") },
      ARRAY("<value><i8>-9223372036854775808</i8></value>" STRUCT(MEMBER("a", INT("1"))
                                                                      MEMBER("a", INT("2")))),
      NULL,
      INT64_MIN,
      NULL,
      "{\"a\":2}" },
    { { .bad = { .present = true }, .code = TEXT("/0"), .text = TEXT("/1") },
      ARRAY(BOOLEAN("1") "<value><base64>AQID</base64></value>"),
      NULL,
      0,
      "true",
      "AQID" },
};

static void check_failure(size_t i, const struct fault *fault)
{
    assert_int_equal(fault->code, cases[i].code);
    assert_int_equal(fault->code_text.data != NULL, cases[i].code_text != NULL);
    if (cases[i].code_text != NULL)
        assert_true(str_eq_c(fault->code_text, cases[i].code_text));
    assert_int_equal(fault->string.data != NULL, cases[i].text != NULL);
    if (cases[i].text != NULL)
        assert_true(str_eq_c(fault->string, cases[i].text));
    assert_false(fault->truncated);
}

static void check_value(size_t i, struct decoder *d, struct chain *out, bool unarranged)
{
    struct error err;
    char expected[256];
    while (unarranged && decoder_arrange(d, 1, &err) == CODEC_MORE)
        ;
    char *json = chain_dup(out);
    snprintf(expected, sizeof expected, "[%s]", cases[i].value);
    assert_string_equal(json, expected);
    free(json);
}

static void judge(size_t i, struct decoder *d, struct envelope_rule_config *rule,
                  enum integers_form integers)
{
    struct decode_options options = {
        .depth = 64, .document_max = OUT_MAX, .integers = integers, .watch = &rule->watch
    };
    struct decode_result result;
    struct verdict_fault failure;
    struct chain out;
    struct error err;
    char document[1024];
    snprintf(document, sizeof document,
             "<methodResponse><params><param>%s</param></params></methodResponse>",
             cases[i].result);
    chain_init(&out, OUT_MAX, NULL);
    decoder_begin(d, &options, &out);
    if (!decoder_feed(d, str_of(document), &err) || !decoder_end(d, &result, &err))
        fail_msg("%s: %s", document, err.detail);
    bool good = verdict_on_result(rule, d, &out, 0, &failure);
    if (good != (cases[i].value != NULL))
        fail_msg("case %zu, %s: %d", i, document, good);
    if (!good)
        check_failure(i, &failure.fault);
    else if (integers == INTEGERS_NUMBER)
        check_value(i, d, &out, result.unarranged);
    verdict_fault_done(&failure);
    chain_done(&out);
}

static void judges(void **state)
{
    (void)state;
    struct decoder *d = decoder_new();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct store *store = store_new();
        struct envelope_rule_config rule = cases[i].rule;
        assert_true(result_paths_of_envelope(store, &rule));
        judge(i, d, &rule, INTEGERS_NUMBER);
        judge(i, d, &rule, INTEGERS_STRING); /* what a caller chooses decides nothing */
        store_free(store);
    }
    decoder_free(d);
}

static void the_first_that_matches(void **state)
{
    (void)state;
    char *one[] = { TEXT("one.*"), TEXT("two") };
    char *all[] = { TEXT("t*") };
    struct envelope_rule_config rules[] = { { .match = { one, 2 } }, { .match = { all, 1 } } };
    struct envelope_rule_config any[] = { { .match = { NULL, 0 } } };
    struct upstream_config upstream = { .envelope = rules, .n_envelope = 2 };
    assert_ptr_equal(method_envelope(&upstream, STR("one.vm")), &rules[0]);
    assert_ptr_equal(method_envelope(&upstream, STR("two")), &rules[0]);
    assert_ptr_equal(method_envelope(&upstream, STR("three")), &rules[1]);
    assert_null(method_envelope(&upstream, STR("one")));
    upstream = (struct upstream_config){ .envelope = any, .n_envelope = 1 };
    assert_ptr_equal(method_envelope(&upstream, STR("")), &any[0]);
    upstream.n_envelope = 0;
    assert_null(method_envelope(&upstream, STR("two")));
}

/* Of a long text there is as much as a fault may have; no test looks at more than it says. */
static void long_texts(void **state)
{
    (void)state;
    static const size_t lengths[] = { 100, 1000, TEST_TEXT_MAX, TEST_TEXT_MAX + 1 };
    char *starts[] = { TEXT("x*") };
    struct envelope_rule_config rule = { .bad = { .present = true, .text = { starts, 1 } },
                                         .text = TEXT(""),
                                         .value = TEXT("") };
    struct store *store = store_new();
    struct decoder *d = decoder_new();
    assert_true(result_paths_of_envelope(store, &rule));
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct decode_options options = { .depth = 64,
                                          .document_max = OUT_MAX,
                                          .watch = &rule.watch };
        struct decode_result result;
        struct verdict_fault failure;
        struct chain out;
        struct error err;
        CLEANUP(buf_done) struct buf document;
        buf_init(&document, OUT_MAX, NULL);
        buf_append_c(&document, "<methodResponse><params><param><value>");
        for (size_t n = 0; n < lengths[i]; n++)
            buf_append_byte(&document, 'x');
        buf_append_c(&document, "</value></param></params></methodResponse>");
        chain_init(&out, OUT_MAX, NULL);
        decoder_begin(d, &options, &out);
        assert_true(decoder_feed(d, buf_str(&document), &err));
        assert_true(decoder_end(d, &result, &err));
        bool good = verdict_on_result(&rule, d, &out, 500, &failure);
        assert_int_equal(good, lengths[i] > TEST_TEXT_MAX);
        if (!good) {
            assert_int_equal(failure.fault.string.len, lengths[i] < 500 ? lengths[i] : 500);
            assert_int_equal(failure.fault.truncated, lengths[i] > 500);
        }
        verdict_fault_done(&failure);
        chain_done(&out);
    }
    decoder_free(d);
    store_free(store);
}

static void paths_have_bounds(void **state)
{
    (void)state;
    char *many[DECODE_WATCH_MAX];
    struct store *store = store_new();
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = TEXT("/a");
    struct envelope_rule_config rule = { .good = { .present = true,
                                                   .has = { many, DECODE_WATCH_MAX - 4 } } };
    assert_true(result_paths_of_envelope(store, &rule));
    assert_int_equal(rule.watch.n, DECODE_WATCH_MAX);
    rule.good.has.n++;
    assert_false(result_paths_of_envelope(store, &rule));
    rule.good.has.n = 1;
    rule.good.at = TEXT("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15");
    assert_true(result_paths_of_envelope(store, &rule));
    assert_int_equal(rule.watch.paths[ENVELOPE_PATH_TEST + 1].n, DECODE_WATCH_DEPTH_MAX);
    rule.value = TEXT("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17");
    assert_false(result_paths_of_envelope(store, &rule));
    store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges),
        cmocka_unit_test(the_first_that_matches),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(paths_have_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
