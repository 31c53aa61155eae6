/* SPDX-License-Identifier: Apache-2.0 */
/* Several calls in one document of system.multicall. */
#include "base/alloc.h"
#include "encode_document.h"

struct call {
    const char *method, *json;
};

/* Encodes in steps; false leaves what was written. */
static bool add_part(struct encoder *e, const struct encode_input *input, struct chain *out,
                     struct error *err)
{
    return encode_run(e, input, 3, out, err) == CODEC_DONE;
}

/* The whole document; calls that cannot be encoded are left out. free() it. */
static char *encode_calls(const struct encode_options *options, const struct call *calls, size_t n,
                          size_t *len)
{
    struct encoder *e = encoder_new(NULL);
    struct chain out;
    struct error err;
    struct encode_input input = { .kind = ENCODE_MULTICALL_BEGIN, .options = options };
    chain_init(&out, ENCODE_MAX, NULL);
    assert_true(add_part(e, &input, &out, &err));
    for (size_t i = 0; i < n; i++) {
        size_t mark = chain_len(&out);
        input.kind = ENCODE_MULTICALL_ITEM;
        input.method = str_of(calls[i].method);
        input.json = str_of(calls[i].json);
        if (!add_part(e, &input, &out, &err))
            chain_truncate(&out, mark);
        encoder_free(e); /* Nothing is kept between the parts. */
        e = encoder_new(NULL);
    }
    input = (struct encode_input){ .kind = ENCODE_MULTICALL_END, .options = options };
    assert_true(add_part(e, &input, &out, &err));
    *len = chain_len(&out);
    char *text = chain_dup(&out);
    chain_done(&out);
    encoder_free(e);
    return text;
}

/* What a single call of system.multicall with the same calls as its param gives. */
static char *encode_one(const struct encode_options *options, const char *json, size_t *len)
{
    struct encoder *e = encoder_new(NULL);
    struct chain out;
    struct error err;
    struct encode_input input = { .kind = ENCODE_CALL,
                                  .method = STR("system.multicall"),
                                  .json = str_of(json),
                                  .options = options };
    chain_init(&out, ENCODE_MAX, NULL);
    if (!add_part(e, &input, &out, &err))
        fail_msg("%s: %s", json, err.detail);
    *len = chain_len(&out);
    char *text = chain_dup(&out);
    chain_done(&out);
    encoder_free(e);
    return text;
}

static void requests(void **state)
{
    (void)state;
    static const struct {
        struct call calls[3];
        const char *json;
    } cases[] = {
        { { { NULL, NULL } }, "[[]]" },
        { { { "a.b", "" } }, "[[{\"methodName\":\"a.b\",\"params\":[]}]]" },
        { { { "a", " [ 1 , \"\xC3\xA9\\u20ac\\ud83d\\ude00\" ] " },
            { "b<&", "{\"x\":[{}]}" },
            { "c", "7" } },
          "[[{\"methodName\":\"a\",\"params\":[1,\"\xC3\xA9\\u20ac\\ud83d\\ude00\"]},{"
          "\"methodName\":\"b<&\",\"params\":"
          "[{\"x\":[{}]}]},{\"methodName\":\"c\",\"params\":[7]}]]" },
        { { { "a", "[{\"$base64\":\"AQID\"},{\"$struct\":{\"$a\":1}},5e9]" }, { "b", "[[]]" } },
          "[[{\"methodName\":\"a\",\"params\":[{\"$base64\":\"AQID\"},{\"$struct\":{\"$a\":1}},5e9]"
          "},"
          "{\"methodName\":\"b\",\"params\":[[]]}]]" },
        { { { "a", "[null,3000000000]" } },
          "[[{\"methodName\":\"a\",\"params\":[null,3000000000]}]]" },
        /* What fails in the middle leaves no trace. */
        { { { "\xE6\xBC\xA2", "[\"\xE6\xBC\xA2\"]" },
            { "b", "[\"\xE6\xBC\xA2\",\"\\u0001\"]" },
            { "c", "[\"\xE6\xBC\xA2\"]" } },
          "[[{\"methodName\":\"\xE6\xBC\xA2\",\"params\":[\"\xE6\xBC\xA2\"]},{\"methodName\":\"c\","
          "\"params\":[\"\xE6\xBC\xA2\"]}]]" },
    };
    static const char *const encodings[] = { NULL,       "US-ASCII", "ISO-8859-1", "UTF-16",
                                             "UTF-16LE", "UTF-32",   "Shift_JIS",  "ISO-2022-JP" };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t j = 0; j < ARRAY_LEN(encodings); j++) {
            struct encode_options options = { .depth = 128,
                                              .extensions = EXTENSION_EX_NIL | EXTENSION_I8,
                                              .encoding = encodings[j] };
            size_t n = 0, len, expected_len;
            while (n < ARRAY_LEN(cases[i].calls) && cases[i].calls[n].method != NULL)
                n++;
            if (!encode_encoding_known(encodings[j]))
                continue;
            char *text = encode_calls(&options, cases[i].calls, n, &len);
            char *expected = encode_one(&options, cases[i].json, &expected_len);
            assert_int_equal(len, expected_len);
            assert_memory_equal(text, expected, len);
            free(text);
            free(expected);
        }
    }
}

static void requests_refused(void **state)
{
    (void)state;
    static const char within[] = "[{\"method\":\"a\",\n\"params\":[1, 1e999]}]";
    static const struct {
        struct str json, within;
        enum problem_type type;
        const char *pointer, *detail;
    } cases[] = {
        { { "[1,{\"a\":[null]}]", 16 }, { NULL, 0 }, PROBLEM_UNREPRESENTABLE, "/1/a/0", "\"nil\"" },
        { { "null", 4 }, { NULL, 0 }, PROBLEM_UNREPRESENTABLE, "", "\"nil\"" },
        { { within + 25, 10 },
          { within, sizeof within - 1 },
          PROBLEM_INVALID_JSON,
          NULL,
          "line 2, column 14" },
        { { "[[[[]]]]", 8 }, { NULL, 0 }, PROBLEM_INVALID_JSON, NULL, "limits.depth" },
    };
    struct encode_options options = { .depth = 3 };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct encoder *e = encoder_new(NULL);
        struct encode_input input = { .kind = ENCODE_MULTICALL_ITEM,
                                      .method = STR("m"),
                                      .json = cases[i].json,
                                      .within = cases[i].within,
                                      .options = &options };
        struct chain out;
        struct error err;
        chain_init(&out, ENCODE_MAX, NULL);
        assert_false(add_part(e, &input, &out, &err));
        assert_int_equal(err.type, cases[i].type);
        assert_int_equal(err.has_pointer, cases[i].pointer != NULL);
        if (cases[i].pointer != NULL)
            assert_string_equal(err.pointer, cases[i].pointer);
        if (strstr(err.detail, cases[i].detail) == NULL)
            fail_msg("%s", err.detail);
        chain_done(&out);
        encoder_free(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),
        cmocka_unit_test(requests_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
