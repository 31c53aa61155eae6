/* SPDX-License-Identifier: Apache-2.0 */
/* The results in one answer of system.multicall. */
#include "base/alloc.h"
#include "decode_rig.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define OUT_MAX ((size_t)1 << 28) /* [bytes] */

#define OPEN "<methodResponse><params><param><value><array><data>"
#define CLOSE "</data></array></value></param></params></methodResponse>"
#define WRAPPED(value) "<value><array><data>" value "</data></array></value>"
#define MEMBER(name, value) "<member><name>" name "</name>" value "</member>"
#define INT(n) "<value><int>" n "</int></value>"
#define FAULT(code, string)                                                                        \
    "<value><struct>" MEMBER("faultCode", code)                                                    \
        MEMBER("faultString", "<value>" string "</value>") "</struct></value>"

/* Writes each item on a line, as the gateway writes its own text around values. */
struct owner {
    struct chain *out;
    size_t mark;
    size_t n;
};

static void on_begin(void *context, size_t index)
{
    struct owner *o = context;
    char text[32];
    if (index == 0)
        o->n = 0;
    assert_int_equal(index, o->n);
    o->mark = chain_len(o->out);
    snprintf(text, sizeof text, "%zu ", index);
    chain_append_c(o->out, text);
}

static void on_end(void *context, const struct decode_item *item)
{
    struct owner *o = context;
    char text[256];
    assert_int_equal(item->index, o->n++);
    if (item->kind != ITEM_VALUE) {
        assert_in_range(chain_len(o->out) - o->mark, 2, 20);
        chain_truncate(o->out, o->mark);
    }
    if (item->kind == ITEM_NEITHER)
        snprintf(text, sizeof text, "neither");
    else if (item->kind == ITEM_FAULT)
        snprintf(text, sizeof text, "fault %" PRId64 " %.*s %.*s", item->fault.code,
                 item->fault.code_text.data != NULL ? (int)item->fault.code_text.len : 4,
                 item->fault.code_text.data != NULL ? item->fault.code_text.data : "none",
                 item->fault.string.data != NULL ? (int)item->fault.string.len : 4,
                 item->fault.string.data != NULL ? item->fault.string.data : "none");
    else
        snprintf(text, sizeof text, " ");
    chain_append_c(o->out, text);
    chain_append_byte(o->out, '\n');
}

static const size_t pieces[] = { SIZE_MAX, 1, 2, 3, 7, 64 };

struct reading {
    enum items_shape shape;
    size_t n;
    const char *document;
    unsigned way; /* which piece, and with which parser (libxml2 reads what may be repaired) */
    struct decode_result result;
    struct error err;
    char *lines; /* owned; NULL: refused */
};

#define WAYS (2 * (unsigned)ARRAY_LEN(pieces))

static bool feed(struct decoder *d, struct reading *r)
{
    struct str rest = str_of(r->document);
    size_t piece = pieces[r->way / 2];
    while (rest.len > 0) {
        size_t now = rest.len < piece ? rest.len : piece;
        if (!decoder_feed(d, str_slice(rest, 0, now), &r->err))
            return false;
        rest = str_slice(rest, now, rest.len);
    }
    return decoder_finish(d, &r->result, &r->err);
}

/* free() r->lines. */
static bool decode_items(struct reading *r)
{
    struct decoder *d = decoder_new();
    struct chain out;
    struct owner owner = { .out = &out };
    struct decode_items items = {
        .shape = r->shape, .n = r->n, .context = &owner, .begin = on_begin, .end = on_end
    };
    struct decode_options options = decode_rig_options();
    options.items = &items;
    options.depth = 4;
    options.text = r->way % 2 == 1 ? TEXT_REPLACE : TEXT_REJECT;
    chain_init(&out, OUT_MAX, NULL);
    chain_append(&out, STR("begin\n"));
    decoder_begin(d, &options, &out);
    r->lines = feed(d, r) ? chain_dup(&out) : NULL;
    chain_done(&out);
    decoder_free(d);
    return r->lines != NULL;
}

static const struct {
    enum items_shape shape;
    size_t n;
    const char *document, *lines;
} good[] = {
    { ITEMS_WRAPPED, 0, OPEN CLOSE, "" },
    { ITEMS_BARE, 0,
      "<methodResponse><params><param><value><array/></value></param></params></"
      "methodResponse>",
      "" },
    { ITEMS_WRAPPED, 2, OPEN WRAPPED(INT("1")) WRAPPED("<value>a&lt;b</value>") CLOSE,
      "0 1 \n1 \"a<b\" \n" },
    { ITEMS_BARE, 2, OPEN INT("1") "<value>a</value>" CLOSE, "0 1 \n1 \"a\" \n" },
    /* A list of one never comes out as its element. */
    { ITEMS_WRAPPED, 1, OPEN WRAPPED(WRAPPED(INT("1"))) CLOSE, "0 [1] \n" },
    { ITEMS_BARE, 1, OPEN WRAPPED(INT("1")) CLOSE, "0 [1] \n" },
    { ITEMS_BARE, 1, OPEN WRAPPED(WRAPPED(INT("1") INT("2"))) CLOSE, "0 [[1,2]] \n" },
    { ITEMS_WRAPPED, 3, OPEN WRAPPED(WRAPPED("")) WRAPPED("") WRAPPED(INT("1") INT("2")) CLOSE,
      "0 [] \nneither\nneither\n" },
    { ITEMS_WRAPPED, 4,
      OPEN INT(
          "1") "<value>text</value><value><struct></struct></value><value><nil/></value>" CLOSE,
      "neither\nneither\nneither\nneither\n" },
    { ITEMS_WRAPPED, 3,
      OPEN FAULT(INT("4"), "x") WRAPPED(INT("7"))
          FAULT("<value>Client</value>", "<string>y</string>") CLOSE,
      "fault 4 none x\n1 7 \nfault 0 Client y\n" },
    { ITEMS_BARE, 2, OPEN FAULT(INT("-4"), "x") INT("7") CLOSE, "fault -4 none x\n1 7 \n" },
    /* A fault's struct may have more, but not where values are such structs. */
    { ITEMS_WRAPPED, 2,
      OPEN "<value><struct>" MEMBER("faultString", "<value>x</value>") MEMBER("more", INT("1"))
          MEMBER("faultCode", INT("2")) "</struct></value>"
                                        "<value><struct>" MEMBER(
                                            "faultCode", INT("2")) "</struct></value>" CLOSE,
      "fault 2 none x\nneither\n" },
    { ITEMS_BARE, 2,
      OPEN "<value><struct>" MEMBER("faultString", "<value>x</value>") MEMBER("more", INT("1"))
          MEMBER("faultCode", INT("2")) "</struct></value>"
                                        "<value><struct>" MEMBER(
                                            "faultCode", INT("2")) "</struct></value>" CLOSE,
      "0 {\"faultString\":\"x\",\"more\":1,\"faultCode\":2} \n1 {\"faultCode\":2} \n" },
    { ITEMS_BARE, 1,
      OPEN "<value><struct>" MEMBER("faultCode", INT("1")) MEMBER("faultString", "<value>x</value>")
          MEMBER("faultCode", INT("2")) "</struct></value>" CLOSE,
      "fault 2 none x\n" },
    /* nzbget wraps faults; a value that only looks like one has another code. */
    { ITEMS_WRAPPED, 4,
      OPEN WRAPPED(FAULT(INT("9"), "x")) WRAPPED(FAULT("<value>nine</value>", "x"))
          WRAPPED(FAULT(INT("9"), "x") INT("1")) WRAPPED(WRAPPED(FAULT(INT("9"), "x"))) CLOSE,
      "fault 9 none x\n1 {\"faultCode\":\"nine\",\"faultString\":\"x\"} \nneither\n"
      "3 [{\"faultCode\":9,\"faultString\":\"x\"}] \n" },
    { ITEMS_WRAPPED, 2,
      OPEN WRAPPED("<value><struct>" MEMBER("faultCode", INT("1")) MEMBER("faultString", "<value/>")
                       MEMBER("a", INT("2")) "</struct></value>")
          WRAPPED("<value><struct>" MEMBER("a", FAULT(INT("9"), "x")) "</struct></value>") CLOSE,
      "0 {\"faultCode\":1,\"faultString\":\"\",\"a\":2} \n"
      "1 {\"a\":{\"faultCode\":9,\"faultString\":\"x\"}} \n" },
    { ITEMS_BARE, 2,
      OPEN FAULT("<value><nil/></value>", "<nil/>") WRAPPED(FAULT(INT("9"), "x")) CLOSE,
      "fault 0 none none\n1 [{\"faultCode\":9,\"faultString\":\"x\"}] \n" },
    /* The leniencies: blanks, text that is none, values without <value>, no <data>. */
    { ITEMS_WRAPPED, 2,
      " <methodResponse>\n<params><param><value> text <array> <data> <value> <array>\n<data> "
      "<value> <int> 1 </int> </value> </data> </array> </value> "
      "<array><int>2</int></array>\n</data> </array> "
      "</value></param></params></methodResponse>",
      "0 1 \n1 2 \n" },
    { ITEMS_BARE, 3,
      "<methodResponse><params><array><value>a<int>1</int></value><array/><!-- c "
      "--><string/></array></params></methodResponse>",
      "0 1 \n1 [] \n2 \"\" \n" },
    /* Each result may be as deep as limits.depth. */
    { ITEMS_WRAPPED, 1, OPEN WRAPPED(WRAPPED(WRAPPED(WRAPPED(WRAPPED(INT("1")))))) CLOSE,
      "0 [[[[1]]]] \n" },
    { ITEMS_BARE, 1, OPEN WRAPPED(WRAPPED(WRAPPED(WRAPPED(INT("1"))))) CLOSE, "0 [[[[1]]]] \n" },
};

static void answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        for (unsigned way = 0; way < WAYS; way++) {
            struct reading r = {
                .shape = good[i].shape, .n = good[i].n, .document = good[i].document, .way = way
            };
            char expected[512];
            if (!decode_items(&r))
                fail_msg("%s: %s", r.document, r.err.detail);
            snprintf(expected, sizeof expected, "begin\n%s", good[i].lines);
            assert_string_equal(r.lines, expected);
            assert_int_equal(r.result.kind, DOCUMENT_RESPONSE);
            assert_null(r.result.fault.string.data);
            free(r.lines);
        }
    }
}

static void answers_refused(void **state)
{
    (void)state;
    static const struct {
        enum items_shape shape;
        size_t n;
        const char *document, *detail;
    } cases[] = {
        { ITEMS_WRAPPED, 2, OPEN WRAPPED(INT("1")) CLOSE, "1 results of 2 calls" },
        { ITEMS_WRAPPED, 1, OPEN WRAPPED(INT("1")) WRAPPED(INT("2")) CLOSE,
          "more results than the 1 calls" },
        { ITEMS_BARE, 0, OPEN INT("1") CLOSE, "more results" },
        { ITEMS_BARE, 1, OPEN CLOSE, "0 results of 1 calls" },
        { ITEMS_WRAPPED, 0,
          "<methodResponse><params><param><value><struct/></value></param></params></"
          "methodResponse>",
          "is an array, and this is none" },
        { ITEMS_WRAPPED, 0,
          "<methodResponse><params><param><value>text</value></param></params></methodResponse>",
          "is an array, and this is none" },
        { ITEMS_BARE, 0,
          "<methodResponse><params><param><value/></param></params></methodResponse>",
          "is an array, and this is none" },
        { ITEMS_BARE, 0,
          "<methodResponse><params><param><value><nil/></value></param></params></methodResponse>",
          "is an array, and this is none" },
        { ITEMS_BARE, 0, "<methodResponse><params/></methodResponse>",
          "one value, and here are 0" },
        { ITEMS_BARE, 0,
          "<methodResponse><params><param><value><array/></value></param><param><value><array/></"
          "value></param></params></methodResponse>",
          "here are 2" },
        { ITEMS_WRAPPED, 1, OPEN WRAPPED(WRAPPED(WRAPPED(WRAPPED(WRAPPED(WRAPPED("")))))) CLOSE,
          "limits.depth" },
        { ITEMS_BARE, 1, OPEN WRAPPED(WRAPPED(WRAPPED(WRAPPED(WRAPPED(""))))) CLOSE,
          "limits.depth" },
        { ITEMS_BARE, 1, OPEN INT("1"), "cut off" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (unsigned way = 0; way < WAYS; way++) {
            struct reading r = {
                .shape = cases[i].shape, .n = cases[i].n, .document = cases[i].document, .way = way
            };
            if (decode_items(&r))
                fail_msg("%s is taken: %s", r.document, r.lines);
            if (strstr(r.err.detail, cases[i].detail) == NULL)
                fail_msg("%s: %s", r.document, r.err.detail);
        }
    }
}

/* A fault as a whole is one as ever. */
static void fault_of_all(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        struct reading r = { .shape = ITEMS_WRAPPED,
                             .n = 3,
                             .document = "<methodResponse><fault>" FAULT(
                                 INT("-32601"), "no such method") "</fault></methodResponse>",
                             .way = way };
        assert_true(decode_items(&r));
        assert_int_equal(r.result.kind, DOCUMENT_FAULT);
        assert_int_equal(r.result.fault.code, -32601);
        assert_string_equal(r.lines, "begin\n");
        free(r.lines);
    }
}

static void shapes(void **state)
{
    (void)state;
    static const struct {
        const char *item;
        bool told;
        enum items_shape shape;
    } cases[] = {
        { WRAPPED(WRAPPED("<value>a</value>")), true, ITEMS_WRAPPED },
        { WRAPPED(WRAPPED("")), true, ITEMS_WRAPPED },
        { WRAPPED("<value>a</value><value>b</value>"), true, ITEMS_BARE },
        { WRAPPED("<value/>"), true, ITEMS_BARE },
        { WRAPPED(""), false, ITEMS_WRAPPED },
        { WRAPPED(INT("1")), false, ITEMS_WRAPPED },
        { FAULT(INT("1"), "x"), false, ITEMS_WRAPPED },
        { WRAPPED(FAULT(INT("1"), "x")), false, ITEMS_WRAPPED },
        { INT("1"), false, ITEMS_WRAPPED },
        { "", false, ITEMS_WRAPPED },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decode_options options = decode_rig_options();
        struct decoder *d = decoder_new();
        struct decode_result result;
        struct chain out;
        struct error err;
        enum items_shape shape;
        chain_init(&out, OUT_MAX, NULL);
        decoder_begin(d, &options, &out);
        assert_true(decoder_feed(d, STR(OPEN), &err));
        assert_true(decoder_feed(d, str_of(cases[i].item), &err));
        assert_true(decoder_feed(d, STR(CLOSE), &err));
        assert_true(decoder_finish(d, &result, &err));
        assert_int_equal(decode_items_shape(&out, &shape), cases[i].told);
        assert_int_equal(shape, cases[i].shape);
        chain_done(&out);
        decoder_free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(answers_refused),
        cmocka_unit_test(fault_of_all),
        cmocka_unit_test(shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
