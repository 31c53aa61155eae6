/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes judge as who has the whole result at hand: a document is made of the input, with
 * structs that have names twice and texts that are repaired, and judged while it is decoded, and by
 * a tree of what it is without any envelope. */
#include "codec/xml/decode.h"
#include "rules/verdict.h"
#include "settings/result_paths.h"
#include "settings/store.h"

#include <cJSON.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define OUT_MAX ((size_t)1 << 24)
#define DEPTH_MAX 4
#define TEXT(s) ((char *)(uintptr_t)(s))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

struct input {
    const uint8_t *at, *end;
};

static unsigned take(struct input *in, unsigned n)
{
    return in->at < in->end ? *in->at++ % n : 0;
}

/* ---- The rule ---- */

static const char *const pointers[] = { "/0", "",   "/a",  "/a/a", "/0/a",   "/b/0",
                                        "/1", "/b", "/$a", "/0/1", "/a/b/0", "/\xEF\xBF\xBD" };
static const char *const scalars[] = { "0", "1", "true", "false", "\"\"", "\"x\"", "\"1\"", "0.5" };

static char *take_pointer(struct input *in)
{
    return TEXT(pointers[take(in, ARRAY_LEN(pointers))]);
}

static void take_test(struct input *in, struct value_test_config *ret)
{
    static char *globs[] = { TEXT("x*"), TEXT("") };
    static char *has[2];
    ret->present = true;
    ret->at = take(in, 4) > 0 ? take_pointer(in) : NULL;
    switch (take(in, 4)) {
    case 0:
        ret->is = TEXT(scalars[take(in, ARRAY_LEN(scalars))]);
        break;
    case 1:
        ret->from = take(in, 2) ? TEXT("0.5") : NULL;
        ret->to = ret->from == NULL || take(in, 2) ? TEXT("1") : NULL;
        break;
    case 2:
        ret->text = (struct texts){ globs, 1 + take(in, 2) };
        break;
    default:
        has[0] = take_pointer(in);
        has[1] = take_pointer(in);
        ret->has = (struct texts){ has, 1 + take(in, 2) };
    }
}

static void take_rule(struct input *in, struct envelope_rule_config *ret)
{
    take_test(in, take(in, 2) ? &ret->good : &ret->bad);
    ret->value = take(in, 4) > 0 ? take_pointer(in) : NULL;
    ret->code = take(in, 4) > 0 ? take_pointer(in) : NULL;
    ret->text = take(in, 4) > 0 ? take_pointer(in) : NULL;
}

/* ---- The result ---- */

static void write_value(struct input *in, unsigned depth, struct buf *to);

/* More than what is made base64 at once. */
static void write_text(struct input *in, struct buf *to)
{
    static const char *const texts[] = { "", "x", "1", " x \n", "x&lt;\"\\", "\x01", "xx" };
    buf_append_c(to, texts[take(in, ARRAY_LEN(texts))]);
    for (unsigned n = take(in, 16) == 1 ? 5000 : 0; n > 0; n--)
        buf_append_byte(to, 'x');
}

static void write_container(struct input *in, unsigned depth, bool is_struct, struct buf *to)
{
    static const char *const names[] = { "a", "b", "$a", "\x01" };
    buf_append_c(to, is_struct ? "<struct>" : "<array><data>");
    for (unsigned n = take(in, 4); n > 0; n--) {
        if (is_struct)
            buf_printf(to, "<member><name>%s</name>", names[take(in, ARRAY_LEN(names))]);
        write_value(in, depth + 1, to);
        if (is_struct)
            buf_append_c(to, "</member>");
    }
    buf_append_c(to, is_struct ? "</struct>" : "</data></array>");
}

static void write_value(struct input *in, unsigned depth, struct buf *to)
{
    static const char *const others[] = { "<int>0</int>",         "<int>1</int>",
                                          "<i8>7</i8>",           "<boolean>1</boolean>",
                                          "<boolean>0</boolean>", "<double>0.5</double>",
                                          "<double>1</double>",   "<nil/>",
                                          "<base64>eHh4</base64>" };
    unsigned kind = take(in, depth < DEPTH_MAX ? 5 : 2);
    buf_append_c(to, "<value>");
    if (kind == 0)
        buf_append_c(to, others[take(in, ARRAY_LEN(others))]);
    else if (kind == 1)
        write_text(in, to);
    else
        write_container(in, depth, kind > 2, to);
    buf_append_c(to, "</value>");
}

/* ---- What a tree says ---- */

/* The one there, or NULL. All members have different names. */
static const cJSON *walk(const cJSON *at, const char *pointer)
{
    while (at != NULL && *pointer == '/') {
        char token[16];
        size_t len = strcspn(pointer + 1, "/");
        check(len < sizeof token);
        memcpy(token, pointer + 1, len);
        token[len] = '\0';
        if (cJSON_IsArray(at))
            at = token[0] >= '0' && token[0] <= '9' ? cJSON_GetArrayItem(at, atoi(token)) : NULL;
        else
            at = cJSON_GetObjectItemCaseSensitive(at, token);
        pointer += 1 + len;
    }
    return at;
}

static bool is_scalar(const cJSON *at, const char *wanted)
{
    cJSON *want = cJSON_Parse(wanted);
    bool same = cJSON_Compare(at, want, true);
    cJSON_Delete(want);
    return same;
}

static bool text_matches(const cJSON *at, const struct texts *globs)
{
    for (size_t i = 0; i < globs->n && cJSON_IsString(at); i++)
        if (glob_match(str_of(globs->items[i]), str_trim(str_of(at->valuestring))))
            return true;
    return false;
}

static bool holds(const struct value_test_config *test, const cJSON *root)
{
    const cJSON *at = walk(root, test->at != NULL ? test->at : "");
    if (at == NULL)
        return false;
    if (test->is != NULL)
        return is_scalar(at, test->is);
    if (test->from != NULL || test->to != NULL)
        return cJSON_IsNumber(at) && (test->from == NULL || at->valuedouble >= atof(test->from)) &&
               (test->to == NULL || at->valuedouble <= atof(test->to));
    if (test->text.n > 0)
        return text_matches(at, &test->text);
    for (size_t i = 0; i < test->has.n; i++)
        if (walk(at, test->has.items[i]) == NULL)
            return false;
    return true;
}

/* Is the text what a fault has for that value? */
static bool is_text_of(struct str text, const cJSON *value)
{
    if (value == NULL || cJSON_IsNull(value))
        return text.data == NULL;
    if (cJSON_IsString(value))
        return str_eq_c(text, value->valuestring);
    cJSON *read = cJSON_ParseWithLength(text.data, text.len);
    bool same = read != NULL && cJSON_Compare(read, value, true);
    cJSON_Delete(read);
    return same;
}

static void check_fault(const struct envelope_rule_config *rule, const struct fault *fault,
                        const cJSON *root)
{
    const cJSON *code = rule->code != NULL ? walk(root, rule->code) : NULL;
    const cJSON *text = rule->text != NULL ? walk(root, rule->text) : NULL;
    check(!fault->truncated && is_text_of(fault->string, text));
    if (fault->code_text.data != NULL)
        check(fault->code == 0 && is_text_of(fault->code_text, code));
    else if (cJSON_IsNumber(code))
        check((double)fault->code == code->valuedouble);
    else
        check(fault->code == 0 && (code == NULL || cJSON_IsNull(code)));
}

static void check_value(const struct envelope_rule_config *rule, struct chain *out,
                        const cJSON *root)
{
    const cJSON *value = rule->value != NULL ? walk(root, rule->value) : NULL;
    char *json = chain_dup(out);
    cJSON *read = cJSON_Parse(json);
    check(cJSON_IsArray(read) && cJSON_GetArraySize(read) == 1);
    if (value == NULL)
        check(cJSON_IsNull(read->child));
    else
        check(cJSON_Compare(read->child, value, true));
    cJSON_Delete(read);
    free(json);
}

/* ---- */

static bool decode(struct decoder *d, struct str document, const struct decode_options *options,
                   struct chain *out, struct decode_result *ret)
{
    struct error err;
    chain_init(out, OUT_MAX, NULL);
    decoder_begin(d, options, out);
    return decoder_feed(d, document, &err) && decoder_end(d, ret, &err);
}

static void arrange(struct decoder *d, const struct decode_result *result)
{
    struct error err;
    enum codec_step step = result->unarranged ? CODEC_MORE : CODEC_DONE;
    while (step == CODEC_MORE)
        step = decoder_arrange(d, 100, &err);
    check(step == CODEC_DONE);
}

static void judge(struct decoder *d, struct str document, struct decode_options *options,
                  const struct envelope_rule_config *rule)
{
    struct decode_result result;
    struct verdict_fault failure;
    struct chain out;
    options->watch = NULL;
    if (!decode(d, document, options, &out, &result)) {
        chain_done(&out);
        return;
    }
    arrange(d, &result);
    char *json = chain_dup(&out);
    cJSON *root = cJSON_Parse(json);
    check(cJSON_GetArraySize(root) == 1);
    chain_done(&out);
    options->watch = &rule->watch;
    check(decode(d, document, options, &out, &result));
    bool good = verdict_on_result(rule, d, &out, 0, &failure);
    check(good ==
          (rule->good.present ? holds(&rule->good, root->child) : !holds(&rule->bad, root->child)));
    if (!good) {
        check_fault(rule, &failure.fault, root->child);
    } else {
        arrange(d, &result);
        check_value(rule, &out, root->child);
    }
    verdict_fault_done(&failure);
    cJSON_Delete(root);
    free(json);
    chain_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, data + size };
    struct envelope_rule_config rule = { .present = true };
    struct store *store = store_new();
    struct decoder *d = decoder_new();
    CLEANUP(buf_done) struct buf document;
    struct decode_options options = { .depth = 64,
                                      .document_max = OUT_MAX,
                                      .text = (enum text_policy)take(&in, 3) };
    take_rule(&in, &rule);
    check(result_paths_of_envelope(store, &rule));
    buf_init(&document, OUT_MAX, NULL);
    buf_append_c(&document, "<methodResponse><params><param>");
    write_value(&in, 0, &document);
    buf_append_c(&document, "</param></params></methodResponse>");
    judge(d, buf_str(&document), &options, &rule);
    decoder_free(d);
    store_free(store);
    return 0;
}
