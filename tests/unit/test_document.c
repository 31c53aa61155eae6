/* SPDX-License-Identifier: Apache-2.0 */
#include "client/document.h"

#include "base/alloc.h"
#include "codec/json/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<methodCall>"
#define MULTICALL                                                                                  \
    HEAD "<methodName>system.multicall</methodName><params><param><value><array><data>"
#define MEMBER(name, params)                                                                       \
    "<value><struct><member><name>methodName</name><value><string>" name                           \
    "</string></value></member><member><name>params</name><value><array><data>" params             \
    "</data></array></value></member></struct></value>"
#define MULTICALL_END "</data></array></value></param></params></methodCall>\n"

#define KEY "<value><string>k</string></value>"

static const struct encode_options options = { .depth = 64 };

static void assert_text(const struct document *d, const char *expected)
{
    char *text = chain_dup(&d->text);
    assert_string_equal(text, expected);
    free(text);
}

static void test_call(void **state)
{
    struct document d;
    struct error err;
    struct document_call call = { .method = STR("add"), .params = STR("[2, true]") };
    (void)state;
    document_init(&d, NULL);
    assert_true(document_write(&d, &options, &call, &err));
    assert_text(&d, HEAD "<methodName>add</methodName><params>"
                         "<param><value><int>2</int></value></param>"
                         "<param><value><boolean>1</boolean></value></param>"
                         "</params></methodCall>\n");
    document_done(&d);
}

static void test_call_refused(void **state)
{
    struct document d;
    struct error err;
    struct document_call call = { .method = STR("add"), .params = STR("[null]") };
    (void)state;
    document_init(&d, NULL);
    assert_false(document_write(&d, &options, &call, &err));
    assert_int_equal(err.type, PROBLEM_UNREPRESENTABLE);
    assert_string_equal(err.pointer, "/0");
    document_done(&d);
}

/* What is not the caller's stands where it belongs, in a call and in each of several. */
static void test_around(void **state)
{
    static const struct str key = { KEY, sizeof KEY - 1 };
    static const struct encode_around around = { .values = &key, .n_values = 1 };
    struct document d;
    struct error err;
    struct document_call call = { .method = STR("add"), .params = STR("[2]"), .around = &around };
    (void)state;
    document_init(&d, NULL);
    assert_true(document_write(&d, &options, &call, &err));
    assert_text(&d, HEAD "<methodName>add</methodName><params>"
                         "<param><value><string>k</string></value></param>"
                         "<param><value><int>2</int></value></param>"
                         "</params></methodCall>\n");
    document_done(&d);
}

/* ---- Members -------------------------------------------------------------------------------- */

struct source {
    const char *const *params; /* of each; NULL at the end */
    const struct encode_around *around;
    size_t at;
    unsigned begun;
    size_t n_written, n_failed;
    size_t refused; /* the one of that number, from 1, is taken out again; 0: none is */
    struct error last;
};

static void on_begin(void *context)
{
    struct source *s = context;
    s->begun++;
    s->at = s->n_written = s->n_failed = 0;
}

static bool on_next(void *context, struct document_call *ret)
{
    struct source *s = context;
    if (s->params[s->at] == NULL)
        return false;
    *ret = (struct document_call){ .method = STR("m"),
                                   .params = str_of(s->params[s->at++]),
                                   .around = s->around };
    return true;
}

static bool on_end(void *context, struct error *err)
{
    struct source *s = context;
    s->n_written += err == NULL;
    s->n_failed += err != NULL;
    if (err != NULL)
        s->last = *err;
    return s->refused == 0 || s->at != s->refused;
}

struct rig {
    struct document document;
    struct encoder *encoder;
    struct source source;
    struct document_members members;
    struct error err;
};

static void begin_members(struct rig *r, const char *const *params, struct budget *budget)
{
    document_init(&r->document, budget);
    r->encoder = encoder_new(NULL);
    r->source = (struct source){ .params = params };
    r->members = (struct document_members){ &r->source, on_begin, on_next, on_end };
    document_begin_members(&r->document, r->encoder, &options, &r->members);
}

static enum codec_step write_all(struct rig *r, size_t *steps)
{
    enum codec_step step;
    *steps = 0;
    do {
        step = document_step(&r->document, &r->err);
        ++*steps;
    } while (step == CODEC_MORE);
    return step;
}

static void end_members(struct rig *r)
{
    document_done(&r->document);
    encoder_free(r->encoder);
}

static void test_members(void **state)
{
    static const char *const params[] = { "[1]", "", NULL };
    struct rig r;
    size_t steps;
    (void)state;
    begin_members(&r, params, NULL);
    assert_int_equal(write_all(&r, &steps), CODEC_DONE);
    assert_int_equal(steps, 1);
    assert_int_equal(r.source.n_written, 2);
    assert_text(&r.document,
                MULTICALL MEMBER("m", "<value><int>1</int></value>") MEMBER("m", "") MULTICALL_END);
    end_members(&r);
}

/* What the owner does not want in it when it is written. */
static void test_member_taken_out(void **state)
{
    static const char *const params[] = { "[1]", "[\"\\u0001\"]", "[3]", NULL };
    static const struct encode_options replacing = { .depth = 64, .text = TEXT_REPLACE };
    struct rig r;
    size_t steps;
    (void)state;
    begin_members(&r, params, NULL);
    r.document.options = &replacing;
    r.source.refused = 2;
    assert_int_equal(write_all(&r, &steps), CODEC_DONE);
    assert_text(&r.document, MULTICALL MEMBER("m", "<value><int>1</int></value>")
                                 MEMBER("m", "<value><int>3</int></value>") MULTICALL_END);
    assert_int_equal(r.document.repaired, 0);
    end_members(&r);
}

static void test_members_around(void **state)
{
    static const char *const params[] = { "[1]", "", NULL };
    static const struct str key = { KEY, sizeof KEY - 1 };
    static const struct encode_around around = { .values = &key, .n_values = 1 };
    struct rig r;
    size_t steps;
    (void)state;
    begin_members(&r, params, NULL);
    r.source.around = &around;
    assert_int_equal(write_all(&r, &steps), CODEC_DONE);
    assert_text(&r.document, MULTICALL MEMBER("m", KEY "<value><int>1</int></value>")
                                 MEMBER("m", KEY) MULTICALL_END);
    end_members(&r);
}

/* What a member has written before it failed is not in the document. */
static void test_member_fails_alone(void **state)
{
    static const char *const params[] = { "[1, null]", "[2]", "[\"a\", null]", NULL };
    struct rig r;
    size_t steps;
    (void)state;
    begin_members(&r, params, NULL);
    assert_int_equal(write_all(&r, &steps), CODEC_DONE);
    assert_int_equal(r.source.n_written, 1);
    assert_int_equal(r.source.n_failed, 2);
    assert_int_equal(r.source.last.type, PROBLEM_UNREPRESENTABLE);
    assert_string_equal(r.source.last.pointer, "/1");
    assert_text(&r.document, MULTICALL MEMBER("m", "<value><int>2</int></value>") MULTICALL_END);
    end_members(&r);
}

static void test_no_members(void **state)
{
    static const char *const params[] = { "[null]", NULL };
    struct rig r;
    size_t steps;
    (void)state;
    begin_members(&r, params, NULL);
    assert_int_equal(write_all(&r, &steps), CODEC_DONE);
    assert_int_equal(r.source.n_written, 0);
    assert_text(&r.document, MULTICALL MULTICALL_END);
    end_members(&r);
}

/* Written again, it begins with the first, and nothing of before is in it. */
static void test_members_again(void **state)
{
    static const char *const params[] = { "[1]", NULL };
    struct rig r;
    size_t steps;
    (void)state;
    begin_members(&r, params, NULL);
    assert_int_equal(write_all(&r, &steps), CODEC_DONE);
    document_begin_members(&r.document, r.encoder, &options, &r.members);
    assert_int_equal(write_all(&r, &steps), CODEC_DONE);
    assert_int_equal(r.source.begun, 2);
    assert_int_equal(r.source.n_written, 1);
    assert_text(&r.document, MULTICALL MEMBER("m", "<value><int>1</int></value>") MULTICALL_END);
    end_members(&r);
}

/* Many small ones are several steps, for the sake of others. */
static void test_members_in_steps(void **state)
{
    enum { MANY = 5000 };
    static const char *params[MANY + 1];
    struct rig r;
    size_t steps;
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        params[i] = "[]";
    begin_members(&r, params, NULL);
    assert_int_equal(write_all(&r, &steps), CODEC_DONE);
    assert_int_equal(r.source.n_written, MANY);
    assert_in_range(steps, 4, MANY / 100);
    end_members(&r);
}

/* No room is nobody's own failure: the document as a whole waits for it. */
static void test_members_without_room(void **state)
{
    static const char *const params[] = { "[1]", "[2]", NULL };
    struct budget budget;
    struct rig r;
    size_t steps;
    (void)state;
    budget = (struct budget){ .max = 64 };
    begin_members(&r, params, &budget);
    assert_int_equal(write_all(&r, &steps), CODEC_FAILED);
    assert_int_equal(r.err.type, PROBLEM_OVERLOADED);
    assert_int_equal(r.source.n_failed, 0);
    end_members(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_call_refused),
        cmocka_unit_test(test_around),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_member_taken_out),
        cmocka_unit_test(test_members_around),
        cmocka_unit_test(test_member_fails_alone),
        cmocka_unit_test(test_no_members),
        cmocka_unit_test(test_members_again),
        cmocka_unit_test(test_members_in_steps),
        cmocka_unit_test(test_members_without_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
