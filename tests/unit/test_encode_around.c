/* SPDX-License-Identifier: Apache-2.0 */
/* What is written around the params that a text has: the document is that of a text which has it
 * all. */
#include "encode_document.h"

#define ADDED_MAX 3
#define NO_VALUES                                                                                  \
    {                                                                                              \
        NULL                                                                                       \
    }

struct added {
    size_t at;
    const char *values[ADDED_MAX]; /* JSON */
    size_t in;
    struct {
        const char *name, *value; /* UTF-8, JSON */
    } members[ADDED_MAX];
};

/* An encode_around, with its texts. */
struct pieces {
    struct encode_around around;
    struct str values[ADDED_MAX];
    struct encode_member members[ADDED_MAX];
    char *texts[2 * ADDED_MAX];
    size_t n_texts;
};

static struct str make_piece(struct pieces *p, const char *json,
                             const struct encode_options *options)
{
    struct encode_input input = { .kind = ENCODE_VALUE, .json = str_of(json), .options = options };
    char *text = p->texts[p->n_texts++] = encode_document(&input);
    return str_of(text);
}

static void make(struct pieces *p, const struct added *added, const struct encode_options *options)
{
    *p = (struct pieces){ 0 };
    for (size_t i = 0; i < ADDED_MAX && added->values[i] != NULL; i++)
        p->values[p->around.n_values++] = make_piece(p, added->values[i], options);
    for (size_t i = 0; i < ADDED_MAX && added->members[i].name != NULL; i++) {
        struct encode_member *m = &p->members[p->around.n_members++];
        m->name = str_of(added->members[i].name);
        m->value = make_piece(p, added->members[i].value, options);
    }
    p->around.values = p->values;
    p->around.members = p->members;
    p->around.at = added->at;
    p->around.in = added->in;
}

static void done(struct pieces *p)
{
    for (size_t i = 0; i < p->n_texts; i++)
        free(p->texts[i]);
}

static void values_alone(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "5", "<value><int>5</int></value>" },
        { " [] ", "<value><array><data></data></array></value>" },
        { "[\"a<\"]",
          "<value><array><data><value><string>a&lt;</string></value></data></array></value>" },
        { "{\"a\":[{}]}",
          "<value><struct><member><name>a</name><value><array><data><value><struct></struct>"
          "</value></data></array></value></member></struct></value>" },
        { "\"\xC3\xA9\"", "<value><string>\xC3\xA9</string></value>" },
        { "null", "<value><ex:nil/></value>" },
    };
    struct encode_options options = { .depth = 8,
                                      .extensions = EXTENSION_EX_NIL,
                                      .encoding = "UTF-16" };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pieces p = { 0 };
        assert_string_equal(make_piece(&p, cases[i][0], &options).data, cases[i][1]);
        done(&p);
    }
}

static const struct {
    struct added added;
    const char *json, *merged;
} documents[] = {
    { { 0, { "\"K\"" }, 0, { { NULL } } }, "[1,\"a\"]", "[\"K\",1,\"a\"]" },
    { { 0, { "\"K\"", "7" }, 0, { { NULL } } }, "[]", "[\"K\",7]" },
    { { 0, { "\"K\"" }, 0, { { NULL } } }, "", "[\"K\"]" },
    { { 0, { "\"K\"" }, 0, { { NULL } } }, " \n", "[\"K\"]" },
    { { 0, { "\"K\"" }, 0, { { NULL } } }, "{\"a\":[1]}", "[\"K\",{\"a\":[1]}]" },
    { { 0, { "\"K\"" }, 0, { { NULL } } }, "\"a\"", "[\"K\",\"a\"]" },
    { { 1, { "\"K\"" }, 0, { { NULL } } }, "[1,\"a\"]", "[1,\"K\",\"a\"]" },
    { { 1, { "\"K\"", "{\"x\":[null]}" }, 0, { { NULL } } },
      "[[[]],{\"a\":1}]",
      "[[[]],\"K\",{\"x\":[null]},{\"a\":1}]" },
    { { 2, { "\"K\"" }, 0, { { NULL } } }, "[ 1 , \"a\" ] ", "[1,\"a\",\"K\"]" },
    { { 1, { "\"K\"" }, 0, { { NULL } } }, "7", "[7,\"K\"]" },
    { { ENCODE_BEHIND, { "\"K\"" }, 0, { { NULL } } }, "[1,\"a\"]", "[1,\"a\",\"K\"]" },
    { { ENCODE_BEHIND, { "\"K\"" }, 0, { { NULL } } }, "[]", "[\"K\"]" },
    { { ENCODE_BEHIND, { "\"K\"" }, 0, { { NULL } } }, "", "[\"K\"]" },
    { { ENCODE_BEHIND, { "\"K\"" }, 0, { { NULL } } }, "{\"$int\":\"5\"}", "[5,\"K\"]" },
    /* Members stand before those of the text. */
    { { 0, NO_VALUES, 0, { { "t", "\"K\"" } } }, "[{\"a\":1},2]", "[{\"t\":\"K\",\"a\":1},2]" },
    { { 0, NO_VALUES, 0, { { "t<", "\"K\"" }, { "u", "[{\"t<\":1}]" } } },
      "{\"a\":{\"t<\":1},\"b\":{\"u\":2}}",
      "{\"t<\":\"K\",\"u\":[{\"t<\":1}],\"a\":{\"t<\":1},\"b\":{\"u\":2}}" },
    { { 0, NO_VALUES, 0, { { "t", "1" } } }, "[{}]", "[{\"t\":1}]" },
    { { 0, NO_VALUES, 0, { { "t", "1" } } }, "{ }", "{\"t\":1}" },
    { { 0, NO_VALUES, 0, { { "t", "1" } } }, "", "{\"t\":1}" },
    { { 0, NO_VALUES, 0, { { "t", "1" } } }, "[]", "{\"t\":1}" },
    { { 0, NO_VALUES, 1, { { "t", "1" } } }, "[\"x\"]", "[\"x\",{\"t\":1}]" },
    { { 0, NO_VALUES, 1, { { "t", "1" } } }, "\"x\"", "[\"x\",{\"t\":1}]" },
    { { 0, NO_VALUES, 1, { { "t", "1" } } },
      "[{\"t\":2},{\"a\":[{\"t\":3}]},{\"t\":4}]",
      "[{\"t\":2},{\"t\":1,\"a\":[{\"t\":3}]},{\"t\":4}]" },
    { { 0, NO_VALUES, 0, { { "t", "1" } } }, "[{\"$struct\":{\"$a\":1}}]", "[{\"t\":1,\"$a\":1}]" },
    { { 0, NO_VALUES, 0, { { "$t", "1" } } },
      "[{ \"\\u0024struct\" : {\"b\":1} }]",
      "[{\"$t\":1,\"b\":1}]" },
    { { 0, NO_VALUES, 0, { { "abc", "1" } } },
      "[{\"ab\":1,\"abcd\":2,\"\":3,\"\\u0061b\\u0064\":4}]",
      "[{\"abc\":1,\"ab\":1,\"abcd\":2,\"\":3,\"abd\":4}]" },
    /* Both. A struct that is made counts as one of the text's. */
    { { 0, { "\"K\"" }, 0, { { "t", "1" } } }, "[{\"a\":2}]", "[\"K\",{\"t\":1,\"a\":2}]" },
    { { 0, { "\"K\"" }, 0, { { "t", "1" } } }, "[]", "[\"K\",{\"t\":1}]" },
    { { 1, { "\"K\"" }, 0, { { "t", "1" } } }, "[]", "[{\"t\":1},\"K\"]" },
    { { ENCODE_BEHIND, { "\"K\"" }, 0, { { "t", "1" } } }, "", "[{\"t\":1},\"K\"]" },
    { { 1, { "\"K\"" }, 1, { { "t", "1" } } }, "[5]", "[5,\"K\",{\"t\":1}]" },
    { { 1, { "\"\xE6\xBC\xA2\"" }, 1, { { "\xC3\xA9", "\"\xE6\xBC\xA2\"" } } },
      "[\"\xE6\xBC\xA2\",{\"a\":\"\xE6\xBC\xA2\"}]",
      "[\"\xE6\xBC\xA2\",\"\xE6\xBC\xA2\",{\"\xC3\xA9\":\"\xE6\xBC\xA2\",\"a\":\"\xE6\xBC\xA2\"}"
      "]" },
    { { 3, NO_VALUES, 5, { { NULL } } }, "[1]", "[1]" },
};

/* The document, in whatever encoding; free() it. */
static char *encode_bytes(const struct encode_input *input, size_t *len)
{
    struct encoder *e = encoder_new(NULL);
    struct chain out;
    struct error err;
    chain_init(&out, ENCODE_MAX, NULL);
    if (encode_run(e, input, 3, &out, &err) != CODEC_DONE)
        fail_msg("%.*s: %s", STR_ARGS(input->json), err.detail);
    *len = chain_len(&out);
    char *text = chain_dup(&out);
    chain_done(&out);
    encoder_free(e);
    return text;
}

static void check_document(size_t i, enum encode_kind kind, const struct encode_options *options)
{
    struct pieces p;
    size_t len, merged_len;
    make(&p, &documents[i].added, options);
    struct encode_input input = { .kind = kind,
                                  .method = STR("m"),
                                  .json = str_of(documents[i].json),
                                  .options = options,
                                  .around = &p.around };
    char *text = encode_bytes(&input, &len);
    input.json = str_of(documents[i].merged);
    input.around = NULL;
    char *merged = encode_bytes(&input, &merged_len);
    if (len != merged_len || memcmp(text, merged, len) != 0)
        fail_msg("%s: %s instead of %s", documents[i].json, text, merged);
    free(text);
    free(merged);
    done(&p);
}

static void as_merged(void **state)
{
    (void)state;
    static const char *const encodings[] = { NULL, "US-ASCII", "UTF-16", "ISO-2022-JP" };
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        for (size_t j = 0; j < ARRAY_LEN(encodings); j++) {
            struct encode_options options = { .depth = 8,
                                              .extensions = EXTENSION_EX_NIL,
                                              .encoding = encodings[j] };
            if (!encode_encoding_known(encodings[j]))
                continue;
            check_document(i, ENCODE_CALL, &options);
            check_document(i, ENCODE_MULTICALL_ITEM, &options);
        }
    }
}

#define CALL(params)                                                                               \
    "<?xml version=\"1.0\" "                                                                       \
    "encoding=\"UTF-8\"?>\n<methodCall><methodName>m</methodName><params>" params                  \
    "</params></methodCall>\n"
#define STRING(text) "<value><string>" text "</string></value>"
#define PARAM(value) "<param>" value "</param>"

/* What xmlrpc.client.dumps() of Python makes of the params, without its line ends. */
static void as_python(void **state)
{
    (void)state;
    static const struct {
        struct added added;
        const char *json, *xml;
    } cases[] = {
        { { 0, { "\"KEY\"" }, 0, { { NULL } } },
          "[1,\"a\"]",
          CALL(PARAM(STRING("KEY")) PARAM("<value><int>1</int></value>") PARAM(STRING("a"))) },
        { { 1, { "\"KEY\"", "7" }, 0, { { NULL } } },
          "[1,\"a\"]",
          CALL(PARAM("<value><int>1</int></value>") PARAM(STRING("KEY"))
                   PARAM("<value><int>7</int></value>") PARAM(STRING("a"))) },
        { { ENCODE_BEHIND, { "\"KEY\"", "7" }, 0, { { NULL } } },
          "[1,\"a\"]",
          CALL(PARAM("<value><int>1</int></value>") PARAM(STRING("a")) PARAM(STRING("KEY"))
                   PARAM("<value><int>7</int></value>")) },
        { { 0, NO_VALUES, 0, { { "token", "\"KEY\"" } } },
          "[{\"a\":1}]",
          CALL(PARAM("<value><struct><member><name>token</name>" STRING(
              "KEY") "</member><member><name>a</name><value><int>1</int></value></member></struct>"
                     "</value>")) },
        { { 0, NO_VALUES, 1, { { "token", "\"KEY\"" } } },
          "[\"x\"]",
          CALL(PARAM(STRING("x")) PARAM("<value><struct><member><name>token</name>" STRING(
              "KEY") "</member></struct></value>")) },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pieces p;
        make(&p, &cases[i].added, &encode_defaults);
        struct encode_input input = { .kind = ENCODE_CALL,
                                      .method = STR("m"),
                                      .json = str_of(cases[i].json),
                                      .options = &encode_defaults,
                                      .around = &p.around };
        char *text = encode_document(&input);
        assert_string_equal(text, cases[i].xml);
        free(text);
        done(&p);
    }
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        struct added added;
        enum text_policy text;
        const char *json;
        enum problem_type type;
        const char *pointer, *detail;
    } cases[] = {
        { { 0, NO_VALUES, 0, { { "t", "1" } } },
          TEXT_REJECT,
          "[{\"t\":1}]",
          PROBLEM_FORBIDDEN,
          "/0/t",
          "inject" },
        { { 0, { "1" }, 1, { { "s", "1" }, { "a/b~", "1" } } },
          TEXT_REJECT,
          "[0,{\"c\":1, \"\\u0061\\/b~\" : 1}]",
          PROBLEM_FORBIDDEN,
          "/1/a~1b~0",
          "inject" },
        { { 0, NO_VALUES, 0, { { "t", "1" } } },
          TEXT_REJECT,
          "{\"a\":[1],\"t\":1}",
          PROBLEM_FORBIDDEN,
          "/t",
          "inject" },
        { { 0, NO_VALUES, 0, { { "", "1" } } },
          TEXT_REJECT,
          "{\"\":1}",
          PROBLEM_FORBIDDEN,
          "/",
          "inject" },
        { { 0, NO_VALUES, 0, { { "t", "1" } } },
          TEXT_REJECT,
          "[{\"$struct\":{\"t\":1}}]",
          PROBLEM_FORBIDDEN,
          "/0/$struct/t",
          "inject" },
        { { 0, NO_VALUES, 0, { { "\xF0\x9F\x98\x80", "1" } } },
          TEXT_REJECT,
          "[{\"\\ud83d\\ude00\":1}]",
          PROBLEM_FORBIDDEN,
          "/0/\xF0\x9F\x98\x80",
          "inject" },
        /* What the policy makes of a name counts. */
        { { 0, NO_VALUES, 0, { { "a\xEF\xBF\xBD", "1" } } },
          TEXT_REPLACE,
          "[{\"a\\u0001\":1}]",
          PROBLEM_FORBIDDEN,
          NULL,
          "inject" },
        { { 0, NO_VALUES, 0, { { "AQ==", "1" } } },
          TEXT_BASE64,
          "[{\"\\u0001\":1}]",
          PROBLEM_FORBIDDEN,
          NULL,
          "inject" },
        { { 0, NO_VALUES, 1, { { "t", "1" } } },
          TEXT_REJECT,
          "[1,[{\"t\":1}]]",
          PROBLEM_INVALID_REQUEST,
          "/1",
          "object" },
        { { 0, NO_VALUES, 0, { { "t", "1" } } },
          TEXT_REJECT,
          "[null]",
          PROBLEM_INVALID_REQUEST,
          "/0",
          "object" },
        { { 0, NO_VALUES, 0, { { "t", "1" } } },
          TEXT_REJECT,
          "{\"$int\":1}",
          PROBLEM_INVALID_REQUEST,
          "",
          "object" },
        { { 0, NO_VALUES, 1, { { "t", "1" } } },
          TEXT_REJECT,
          "[]",
          PROBLEM_INVALID_REQUEST,
          "",
          "1 of the caller's before; there are 0" },
        { { 2, { "1" }, 0, { { NULL } } },
          TEXT_REJECT,
          "[1]",
          PROBLEM_INVALID_REQUEST,
          "",
          "2 of the caller's before; there are 1" },
        { { 2, { "1" }, 0, { { "t", "1" } } },
          TEXT_REJECT,
          "",
          PROBLEM_INVALID_REQUEST,
          "",
          "2 of the caller's before" },
        /* Pointers count what the text has. */
        { { 0, { "1", "2" }, 0, { { NULL } } },
          TEXT_REJECT,
          "[0,{\"a\":[null]}]",
          PROBLEM_UNREPRESENTABLE,
          "/1/a/0",
          "nil" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t step = 1; step < 100; step += 98) {
            struct encode_options options = { .depth = 8, .text = cases[i].text };
            struct encoder *e = encoder_new(NULL);
            struct pieces p;
            struct chain out;
            struct error err;
            make(&p, &cases[i].added, &encode_defaults);
            struct encode_input input = { .kind = ENCODE_CALL,
                                          .method = STR("m"),
                                          .json = str_of(cases[i].json),
                                          .options = &options,
                                          .around = &p.around };
            chain_init(&out, ENCODE_MAX, NULL);
            assert_int_equal(encode_run(e, &input, step, &out, &err), CODEC_FAILED);
            assert_int_equal(err.type, cases[i].type);
            assert_true(err.has_pointer);
            if (cases[i].pointer != NULL)
                assert_string_equal(err.pointer, cases[i].pointer);
            if (strstr(err.detail, cases[i].detail) == NULL)
                fail_msg("%s: %s", cases[i].json, err.detail);
            chain_done(&out);
            encoder_free(e);
            done(&p);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_alone),
        cmocka_unit_test(as_merged),
        cmocka_unit_test(as_python),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
