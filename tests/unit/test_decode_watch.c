/* SPDX-License-Identifier: Apache-2.0 */
/* Values that are looked for in a result: found, read, and kept as the whole of it. */
#include "base/alloc.h"
#include "decode_rig.h"

#include "codec/json/pointer.h"
#include "codec/value/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define OUT_MAX ((size_t)1 << 28) /* [bytes] */

#define SINGLE_OPEN "<methodResponse><params><param>"
#define SINGLE_CLOSE "</param></params></methodResponse>"
#define ARRAY(values) "<value><array><data>" values "</data></array></value>"
#define STRUCT(members) "<value><struct>" members "</struct></value>"
#define MEMBER(name, value) "<member><name>" name "</name>" value "</member>"
#define INT(n) "<value><int>" n "</int></value>"
#define STRING(s) "<value><string>" s "</string></value>"
#define ABC ARRAY(INT("1") STRING("b\n") STRUCT(MEMBER("c", INT("3"))))

/* A string that is made base64 at the end of the document, where the policy says so. */
#define LONG_40 "abcdefghijabcdefghijabcdefghijabcdefghij"
#define LONG_400 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40

struct sought {
    const char *value;   /* XML */
    const char *pointer; /* where a value is looked for, */
    const char *json;    /* and what it is; NULL: none */
    const char *text;    /* as decoder_read() has it; NULL: as `json` */
    enum decode_kind kind;
    enum types_form types;
};

static const struct sought cases[] = {
    { ABC, "", "[1,\"b\\n\",{\"c\":3}]", NULL, DECODE_ARRAY, 0 },
    { ABC, "/0", "1", NULL, DECODE_INTEGER, 0 },
    { ABC, "/1", "\"b\\n\"", "b\n", DECODE_STRING, 0 },
    { ABC, "/2", "{\"c\":3}", NULL, DECODE_STRUCT, 0 },
    { ABC, "/2/c", "3", NULL, DECODE_INTEGER, 0 },
    { ABC, "/3", NULL, NULL, 0, 0 },
    { ABC, "/-", NULL, NULL, 0, 0 },
    { ABC, "/00", NULL, NULL, 0, 0 },
    { ABC, "/a", NULL, NULL, 0, 0 },
    { ABC, "/0/0", NULL, NULL, 0, 0 },
    { ABC, "/2/0", NULL, NULL, 0, 0 },
    { ABC, "/2/c/", NULL, NULL, 0, 0 },
    { STRING(""), "", "\"\"", "", DECODE_STRING, 0 },
    { "<value>x &amp; y</value>", "", "\"x & y\"", "x & y", DECODE_STRING, 0 },
    { "<value> <int>5</int> </value>", "", "5", NULL, DECODE_INTEGER, 0 },
    { "<value><nil/></value>", "", "null", NULL, DECODE_NIL, 0 },
    { "<value><boolean>1</boolean></value>", "", "true", NULL, DECODE_BOOLEAN, 0 },
    { "<value><double>-1.5</double></value>", "", "-1.5", NULL, DECODE_DOUBLE, 0 },
    { "<value><base64>AQID</base64></value>", "", "\"AQID\"", "AQID", DECODE_BINARY, 0 },
    { "<value><base64>AQID</base64></value>", "", "{\"$base64\":\"AQID\"}", "AQID", DECODE_BINARY,
      TYPES_TAGGED },
    { ARRAY("<value><dateTime.iso8601>20200102T03:04:05</dateTime.iso8601></value>"), "/0",
      "{\"$dateTime\":\"20200102T03:04:05\"}", "20200102T03:04:05", DECODE_DATE, TYPES_TAGGED },
    { "<value><i8>5</i8></value>", "", "{\"$i8\":\"5\"}", "5", DECODE_INTEGER, TYPES_TAGGED },
    { ARRAY(""), "/0", NULL, NULL, 0, 0 },
    { STRUCT(""), "/", NULL, NULL, 0, 0 },
    { STRUCT(MEMBER("", INT("1")) MEMBER("a/b~", INT("2"))), "/", "1", NULL, DECODE_INTEGER, 0 },
    { STRUCT(MEMBER("", INT("1")) MEMBER("a/b~", INT("2"))), "/a~1b~0", "2", NULL, DECODE_INTEGER,
      0 },
    { STRUCT(MEMBER("0", INT("1"))), "/0", "1", NULL, DECODE_INTEGER, 0 },
    { ARRAY(ARRAY(ARRAY(INT("1") INT("2")) INT("3")) ARRAY(ARRAY(INT("4")))), "/0/0/1", "2", NULL,
      DECODE_INTEGER, 0 },
    { ARRAY(ARRAY(ARRAY(INT("1") INT("2")) INT("3")) ARRAY(ARRAY(INT("4")))), "/1/0", "[4]", NULL,
      DECODE_ARRAY, 0 },
    /* Of members of one name the last counts, with all that is in it. */
    { STRUCT(MEMBER("a", INT("1")) MEMBER("b", INT("2")) MEMBER("a", STRING("x"))), "/a", "\"x\"",
      "x", DECODE_STRING, 0 },
    { STRUCT(MEMBER("a", INT("1")) MEMBER("b", INT("2")) MEMBER("a", STRING("x"))), "/b", "2", NULL,
      DECODE_INTEGER, 0 },
    { STRUCT(MEMBER("a", INT("1")) MEMBER("b", INT("2")) MEMBER("a", STRING("x"))), "",
      "{\"a\":\"x\",\"b\":2}", NULL, DECODE_STRUCT, 0 },
    { STRUCT(MEMBER("a", STRUCT(MEMBER("b", INT("1")))) MEMBER("a", STRUCT(MEMBER("c", INT("2"))))),
      "/a/b", NULL, NULL, 0, 0 },
    { STRUCT(MEMBER("a", INT("1")) MEMBER(
          "a", STRUCT(MEMBER("b", INT("1")) MEMBER("c", INT("5")) MEMBER("b", ARRAY(INT("2")))))
                 MEMBER("d", INT("7")) MEMBER("d", INT("8"))),
      "/a", "{\"b\":[2],\"c\":5}", NULL, DECODE_STRUCT, 0 },
    { STRUCT(MEMBER("a", INT("1")) MEMBER(
          "a", STRUCT(MEMBER("b", INT("1")) MEMBER("c", INT("5")) MEMBER("b", ARRAY(INT("2")))))
                 MEMBER("d", INT("7")) MEMBER("d", INT("8"))),
      "/a/b", "[2]", NULL, DECODE_ARRAY, 0 },
    { ARRAY(STRUCT(MEMBER("a", INT("1")) MEMBER("a", INT("2"))) INT("3")
                STRUCT(MEMBER("a", INT("4")) MEMBER("a", INT("5")))),
      "/1", "3", NULL, DECODE_INTEGER, 0 },
    /* What a tag is put around moves. */
    { STRUCT(MEMBER("$a", ARRAY(INT("1") INT("2")))), "/$a/1", "2", NULL, DECODE_INTEGER,
      TYPES_TAGGED },
    { STRUCT(MEMBER("$a", ARRAY(INT("1") INT("2")))), "", "{\"$struct\":{\"$a\":[1,2]}}", NULL,
      DECODE_STRUCT, TYPES_TAGGED },
    { ARRAY(STRUCT(MEMBER("$a", STRUCT(MEMBER("$b", INT("1"))))) INT("2")), "/0/$a",
      "{\"$struct\":{\"$b\":1}}", NULL, DECODE_STRUCT, TYPES_TAGGED },
    { ARRAY(STRUCT(MEMBER("$a", STRUCT(MEMBER("$b", INT("1"))))) INT("2")), "/0/$a/$b", "1", NULL,
      DECODE_INTEGER, TYPES_TAGGED },
    { ARRAY(STRUCT(MEMBER("b", INT("0")) MEMBER("b", STRUCT(MEMBER("$a", INT("1"))))) INT("2")),
      "/0/b", "{\"$struct\":{\"$a\":1}}", NULL, DECODE_STRUCT, TYPES_TAGGED },
};

#define N_WATCHED 4

/* The pointers: some beside the one that counts. */
static void open_paths(struct json_path paths[N_WATCHED], const char *pointer)
{
    const char *all[N_WATCHED] = { "/0/0/0/0/0", pointer, "", "/a/b/c" };
    for (size_t i = 0; i < N_WATCHED; i++) {
        void *memory = xcalloc(1, json_path_size(str_of(all[i])) + 1);
        assert_true(json_path_read(str_of(all[i]), memory, &paths[i]));
        if (paths[i].n == 0)
            free(memory);
    }
}

static void close_paths(struct json_path paths[N_WATCHED])
{
    for (size_t i = 0; i < N_WATCHED; i++)
        if (paths[i].n > 0)
            free((void *)(uintptr_t)paths[i].tokens);
}

static void keep_sought(struct decoder *d, struct chain *out, const struct sought *c)
{
    struct decode_found found;
    struct buf text;
    const char *expected = c->text != NULL ? c->text : c->json;
    bool there = decoder_find(d, 1, &found);
    assert_int_equal(there, c->json != NULL);
    assert_true(decoder_find(d, 2, &(struct decode_found){ .from = 0 }));
    if (there) {
        assert_int_equal(found.kind, c->kind);
        buf_init(&text, OUT_MAX, NULL);
        assert_true(decoder_read(d, out, &found, strlen(expected), &text));
        assert_string_equal(buf_c(&text), expected);
        buf_clear(&text);
        if (strlen(expected) > 0) {
            assert_false(decoder_read(d, out, &found, strlen(expected) - 1, &text));
            assert_int_equal(text.len, strlen(expected) - 1);
        }
        buf_done(&text);
    }
    decoder_keep(d, out, there ? &found : NULL);
}

static void feed(struct decoder *d, struct str document, size_t piece)
{
    struct error err;
    while (document.len > 0) {
        size_t n = piece > document.len ? document.len : piece;
        if (!decoder_feed(d, str_slice(document, 0, n), &err))
            fail_msg("%s", err.detail);
        document = str_slice(document, n, document.len);
    }
}

static char *finish(struct decoder *d, struct chain *out, const struct sought *c)
{
    struct decode_result result;
    struct error err;
    if (!decoder_end(d, &result, &err))
        fail_msg("%s", err.detail);
    if (c != NULL)
        keep_sought(d, out, c);
    while (result.unarranged && decoder_arrange(d, 1, &err) == CODEC_MORE)
        ;
    char *json = chain_dup(out);
    chain_done(out);
    return json;
}

static const char *wanted(const struct sought *c)
{
    return c->json != NULL ? c->json : "null";
}

static void check_single(struct decoder *d, const struct sought *c, struct decode_options *options,
                         size_t piece)
{
    struct json_path paths[N_WATCHED];
    struct decode_watch watch = { paths, N_WATCHED };
    CLEANUP(buf_done) struct buf document, expected;
    struct chain out;
    open_paths(paths, c->pointer);
    buf_init(&document, OUT_MAX, NULL);
    buf_init(&expected, OUT_MAX, NULL);
    buf_printf(&document, SINGLE_OPEN "%s" SINGLE_CLOSE, c->value);
    buf_printf(&expected, "x [%s]", wanted(c));
    chain_init(&out, OUT_MAX, NULL);
    chain_append(&out, STR("x "));
    options->items = NULL;
    options->watch = &watch;
    decoder_begin(d, options, &out);
    feed(d, buf_str(&document), piece);
    char *json = finish(d, &out, c);
    assert_string_equal(json, buf_c(&expected));
    free(json);
    close_paths(paths);
}

/* ---- As the second and third result of system.multicall ---- */

struct owner {
    struct decoder *d;
    struct chain *out;
    const struct sought *c;
    struct decode_watch watch;
};

static void on_begin(void *context, size_t index)
{
    struct owner *o = context;
    chain_append_c(o->out, index == 0 ? "" : " ");
}

static const struct decode_watch *on_watch(void *context, size_t index)
{
    struct owner *o = context;
    return index == 0 ? NULL : &o->watch;
}

static void on_end(void *context, const struct decode_item *item)
{
    struct owner *o = context;
    struct decode_found found;
    assert_int_equal(item->kind, ITEM_VALUE);
    if (item->index > 0)
        keep_sought(o->d, o->out, o->c);
    else
        assert_false(decoder_find(o->d, 1, &found));
    chain_append(o->out, STR(";"));
}

static void check_items(struct decoder *d, const struct sought *c, struct decode_options *options,
                        enum items_shape shape)
{
    struct json_path paths[N_WATCHED];
    struct chain out;
    struct owner owner = { d, &out, c, { paths, N_WATCHED } };
    struct decode_items items = { shape, 3, &owner, on_begin, on_end, on_watch };
    CLEANUP(buf_done) struct buf document, expected;
    open_paths(paths, c->pointer);
    buf_init(&document, OUT_MAX, NULL);
    buf_init(&expected, OUT_MAX, NULL);
    buf_printf(&document,
               shape == ITEMS_BARE ? SINGLE_OPEN ARRAY("%s%s%s") SINGLE_CLOSE
                                   : SINGLE_OPEN ARRAY(ARRAY("%s") ARRAY("%s") ARRAY("%s"))
                                         SINGLE_CLOSE,
               INT("7"), c->value, c->value);
    buf_printf(&expected, "7; %s; %s;", wanted(c), wanted(c));
    chain_init(&out, OUT_MAX, NULL);
    options->items = &items;
    options->watch = NULL;
    decoder_begin(d, options, &out);
    feed(d, buf_str(&document), 5);
    char *json = finish(d, &out, NULL);
    assert_string_equal(json, buf_c(&expected));
    free(json);
    close_paths(paths);
}

static void finds(void **state)
{
    (void)state;
    static const size_t pieces[] = { SIZE_MAX, 1, 7 };
    static const enum text_policy policies[] = { TEXT_REJECT, TEXT_REPLACE, TEXT_BASE64 };
    struct decoder *d = decoder_new();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t j = 0; j < ARRAY_LEN(policies); j++) {
            struct decode_options options = decode_rig_options();
            options.types = cases[i].types;
            options.text = policies[j];
            for (size_t k = 0; k < ARRAY_LEN(pieces); k++)
                check_single(d, &cases[i], &options, pieces[k]);
            check_items(d, &cases[i], &options, ITEMS_WRAPPED);
            check_items(d, &cases[i], &options, ITEMS_BARE);
        }
    }
    decoder_free(d);
}

/* Strings that become base64 when all is there, and are read before. */
static void finds_what_is_repaired(void **state)
{
    (void)state;
    struct decoder *d = decoder_new();
    struct decode_options options = decode_rig_options();
    CLEANUP(buf_done) struct buf value, json;
    options.text = TEXT_BASE64;
    buf_init(&value, OUT_MAX, NULL);
    buf_init(&json, OUT_MAX, NULL);
    buf_append(&value, STR("<value><array><data><value><string>"));
    buf_append(&json, STR("\""));
    for (size_t i = 0; i < 15; i++) /* 6015 bytes: whole groups of three */
        buf_append(&value, STR(LONG_400 "\x01"));
    buf_append(&value, STR("</string></value><value><int>2</int></value></data></array></value>"));
    struct sought whole = { buf_c(&value), "/0", NULL, NULL, DECODE_STRING, 0 };
    struct sought other = { buf_c(&value), "/1", "2", NULL, DECODE_INTEGER, 0 };
    struct chain out;
    chain_init(&out, OUT_MAX, NULL);
    struct base64 base64;
    base64_begin(&base64, &out, 0);
    for (size_t i = 0; i < 15; i++)
        base64_encode(&base64, STR(LONG_400 "\x01"));
    base64_encode_end(&base64);
    char *text = chain_dup(&out);
    buf_printf(&json, "%s\"", text);
    chain_done(&out);
    whole.json = buf_c(&json);
    whole.text = text;
    check_single(d, &whole, &options, 1000);
    check_items(d, &whole, &options, ITEMS_WRAPPED);
    check_single(d, &other, &options, 1000);
    check_items(d, &other, &options, ITEMS_BARE);
    free(text);
    decoder_free(d);
}

/* Only a response with one value has a result that can be looked into. */
static void finds_nothing(void **state)
{
    (void)state;
    static const char *const documents[] = {
        "<methodResponse><params/></methodResponse>",
        "<methodResponse><params><param>" ABC "</param><param>" ABC
        "</param></params></methodResponse>",
        "<methodResponse><fault>" STRUCT(MEMBER("faultCode", INT("1")) MEMBER(
            "faultString", STRING("x"))) "</fault></methodResponse>",
        "<params><param>" ABC "</param></params>",
    };
    struct json_path paths[N_WATCHED];
    struct decode_watch watch = { paths, N_WATCHED };
    struct decoder *d = decoder_new();
    open_paths(paths, "/0");
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        struct decode_options options = decode_rig_options();
        struct decode_found found;
        struct chain out;
        options.watch = &watch;
        chain_init(&out, OUT_MAX, NULL);
        decoder_begin(d, &options, &out);
        feed(d, str_of(documents[i]), 3);
        free(finish(d, &out, NULL));
        for (size_t j = 0; j < N_WATCHED; j++)
            assert_false(decoder_find(d, j, &found));
    }
    close_paths(paths);
    decoder_free(d);
}

static void pointers(void **state)
{
    (void)state;
    static const char *const bad[] = { "a", "/~", "/~2", "/a/~" };
    struct json_path path;
    _Alignas(max_align_t) char memory[512];
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(json_path_read(str_of(bad[i]), memory, &path));
    assert_true(json_path_read(STR("/~01/10//~1/18446744073709551615"), memory, &path));
    assert_int_equal(path.n, 5);
    assert_true(str_eq(path.tokens[0].name, STR("~1")));
    assert_int_equal(path.tokens[0].index, SIZE_MAX);
    assert_int_equal(path.tokens[1].index, 10);
    assert_int_equal(path.tokens[2].name.len, 0);
    assert_int_equal(path.tokens[2].index, SIZE_MAX);
    assert_true(str_eq(path.tokens[3].name, STR("/")));
    assert_int_equal(path.tokens[4].index, SIZE_MAX);
    assert_true(json_path_read(STR(""), NULL, &path));
    assert_int_equal(path.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds),
        cmocka_unit_test(finds_what_is_repaired),
        cmocka_unit_test(finds_nothing),
        cmocka_unit_test(pointers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
