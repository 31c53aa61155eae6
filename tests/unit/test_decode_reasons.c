/* SPDX-License-Identifier: Apache-2.0 */
/* Each reason to refuse a document has one that is refused for it, and an advice of its own that
 * names a setting, or says that none helps. */
#include "decode_rig.h"

#include "base/buf.h"
#include "codec/xml/decode_reasons.h"
#include "settings/option_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OPEN "<methodResponse><params><param>"
#define CLOSE "</param></params></methodResponse>"
#define GOOD OPEN "<value>a</value>" CLOSE
#define MEMBER(name) "<member><name>" name "</name><value/></member>"

/* A document is `before`, `n` times `text`, and `after`. */
struct row {
    enum decode_reason reason;
    const char *before, *text;
    size_t n;
    const char *after;
    enum text_policy policy;
    const char *forced;
    size_t document_max, depth, memory_max, n_calls; /* 0: as many as there are */
};

#define ONE(word, document)                                                                        \
    {                                                                                              \
        .reason = REFUSED_##word, .before = document                                               \
    }
#define MANY(word, begin, piece, times, end)                                                       \
    {                                                                                              \
        .reason = REFUSED_##word, .before = begin, .text = piece, .n = times, .after = end         \
    }
#define VALUE(word, xml) ONE(word, OPEN "<value>" xml "</value>" CLOSE)

static const struct row rows[] = {
    ONE(EMPTY, ""),
    ONE(EMPTY, " \r\n"),
    ONE(HTML, "<html><body>It works!</body></html>"),
    ONE(HTML, "<!DOCTYPE html>\n<html></html>"),
    ONE(HTML, "<br />\n<b>Warning</b>: x\n" GOOD),
    VALUE(HTML, "a<br/>b"),
    ONE(SOAP, "<s:Envelope xmlns:s='x'/>"),
    ONE(NO_XML, "{\"result\": 1}"),
    ONE(NO_XML, "Notice: x\n" GOOD),
    ONE(ROOT, "<rss version='2.0'/>"),
    ONE(ROOT, "<value>a</value>"),
    ONE(CUT_OFF, "<?xml version='1.0'?><methodRes"),
    ONE(CUT_OFF, OPEN "<value>a"),
    ONE(EXTRA, GOOD "Warning"),
    ONE(EXTRA, GOOD GOOD),
    ONE(DTD, "<!DOCTYPE methodResponse [<!ENTITY a 'b'>]>" GOOD),
    ONE(ENCODING, "<?xml version='1.0' encoding='klingon'?>" GOOD),
    ONE(ENCODING, "<?xml version='1.0' encoding='UTF-16'?>" GOOD),
    VALUE(BYTES, "\xE4"),
    ONE(BYTES, "<?xml version='1.0' encoding='EUC-JP'?>" OPEN "<value>\xFF\xFF</value>" CLOSE),
    { .reason = REFUSED_BYTES, .before = OPEN "<value>\xE4</value>" CLOSE, .forced = "US-ASCII" },
    VALUE(CHARACTER, "a\x01"),
    VALUE(CHARACTER, "&#0;"),
    VALUE(CHARACTER, "&#xFFFF;"),
    VALUE(HTML_NAME, "a&nbsp;b"),
    VALUE(ENTITY, "&nosuch;"),
    VALUE(MARKUP, "AT&T"),
    VALUE(MARKUP, "a & b"),
    VALUE(MARKUP, "a < b"),
    VALUE(MARKUP, "a]]>b"),
    MANY(MARKUP, OPEN "<value>&", "a", 100, ";</value>" CLOSE),
    VALUE(ILL_FORMED, "<string>a</value></string>"),
    ONE(ILL_FORMED, OPEN "<value a=\"x>1</value>" CLOSE),
    ONE(ILL_FORMED, "<methodResponse a='1' a='2'/>"),
    MANY(ILL_FORMED, "<methodResponse></", "longish", 140, ">"),
    MANY(ELEMENT, OPEN "<value><", "longish", 140, "/></value>" CLOSE),
    VALUE(ELEMENT, "<decimal>1</decimal>"),
    VALUE(ELEMENT, "<date>19980717T14:08:55</date>"),
    ONE(STRUCTURE, "<methodResponse/>"),
    ONE(STRUCTURE, "<methodResponse><fault/></methodResponse>"),
    ONE(STRUCTURE, "<methodResponse><fault><value>x</value></fault></methodResponse>"),
    ONE(STRUCTURE, "<methodCall/>"),
    ONE(STRUCTURE, "<methodResponse><params/><params/></methodResponse>"),
    VALUE(STRUCTURE, "<struct><member><value/></member></struct>"),
    VALUE(STRUCTURE, "<struct><member/></struct>"),
    VALUE(STRUCTURE, "<struct><value/></struct>"),
    VALUE(NUMBER, "<int>1,5</int>"),
    VALUE(NUMBER, "<int></int>"),
    VALUE(NUMBER, "<double>1,5</double>"),
    VALUE(NUMBER, "<boolean>yes</boolean>"),
    { .reason = REFUSED_DATE,
      .before = OPEN "<value><dateTime.iso8601>\x01</dateTime.iso8601></value>" CLOSE,
      .policy = TEXT_BASE64 },
    VALUE(BASE64, "<base64>Y!</base64>"),
    VALUE(BASE64, "<base64>YQ</base64>"),
    VALUE(BASE64, "<base64>YQ==YQ==</base64>"),
    { .reason = REFUSED_SAME_NAME,
      .before = OPEN "<value><struct>" MEMBER("a\x01") MEMBER("a\x02") "</struct></value>" CLOSE,
      .policy = TEXT_REPLACE },
    MANY(TOO_LONG, OPEN "<value a='", "x", 2000, "'/>" CLOSE),
    MANY(TOO_LONG, OPEN "<value", " ", 2000, "/>" CLOSE),
    MANY(TOO_LONG, OPEN "<value><int>", "1", 2000000, "</int></value>" CLOSE),
    MANY(TOO_LONG, OPEN "<value><struct><member><name>", "longish", 200000,
         "</name><value/></member></struct></value>" CLOSE),
    { .reason = REFUSED_MULTICALL, .before = GOOD, .n_calls = 2 },
    { .reason = REFUSED_MULTICALL,
      .before = OPEN "<value><array><data/></array></value>" CLOSE,
      .n_calls = 2 },
    { .reason = REFUSED_MULTICALL,
      .before = OPEN "<value><array><data>",
      .text = "<value/>",
      .n = 3,
      .after = "</data></array></value>" CLOSE,
      .n_calls = 2 },
    { .reason = REFUSED_OVER_RESPONSE, .before = GOOD, .document_max = 60 },
    { .reason = REFUSED_OVER_DEPTH,
      .before = OPEN,
      .text = "<value><array><data>",
      .n = 100,
      .depth = 50 },
    { .reason = REFUSED_OVER_MEMORY,
      .before = OPEN "<value>",
      .text = "longish",
      .n = 20000,
      .after = "</value>" CLOSE,
      .memory_max = 50000 },
};

static void begin_item(void *context UNUSED, size_t index UNUSED)
{
}

static void end_item(void *context UNUSED, const struct decode_item *item UNUSED)
{
}

/* The error that it fails with, in pieces of that size. */
static struct error refuse(const struct row *row, struct str document, size_t piece)
{
    const struct decode_items items = {
        .shape = ITEMS_BARE, .n = row->n_calls, .begin = begin_item, .end = end_item
    };
    struct decode_options options = decode_rig_options();
    struct budget budget = { .max = row->memory_max };
    struct decoder *d = decoder_new();
    struct decode_result result;
    struct error err;
    struct chain out;
    bool good = true;
    options.text = row->policy;
    options.encoding_forced = row->forced;
    options.document_max = row->document_max > 0 ? row->document_max : options.document_max;
    options.depth = row->depth > 0 ? (unsigned)row->depth : options.depth;
    options.items = row->n_calls > 0 ? &items : NULL;
    chain_init(&out, (size_t)1 << 30, row->memory_max > 0 ? &budget : NULL);
    decoder_begin(d, &options, &out);
    while (good && document.len > 0) {
        size_t n = piece < document.len ? piece : document.len;
        good = decoder_feed(d, str_slice(document, 0, n), &err);
        document = str_slice(document, n, document.len);
    }
    if (good && decoder_finish(d, &result, &err))
        fail_msg("%s is taken", row->before);
    chain_done(&out);
    decoder_free(d);
    return err;
}

static void write_document(const struct row *row, struct buf *to)
{
    buf_clear(to);
    buf_append_c(to, row->before);
    for (size_t i = 0; i < row->n; i++)
        buf_append_c(to, row->text);
    if (row->after != NULL)
        buf_append_c(to, row->after);
    assert_true(buf_ok(to));
}

static void check(const struct row *row, const struct error *err)
{
    const struct decode_reason_info *info = decode_reason_info(row->reason);
    struct error told = *err;
    if (err->advice != info->advice)
        fail_msg("%s: %s: %s", row->before, err->detail, err->advice);
    assert_int_equal(err->type,
                     info->setting != NULL ? PROBLEM_RESPONSE_TOO_LARGE : PROBLEM_BAD_RESPONSE);
    assert_ptr_equal(err->setting, info->setting);
    error_advise(&told, err->advice);
    size_t end = strlen(told.detail) - strlen(info->advice);
    assert_string_equal(told.detail + end, info->advice);
    /* Nothing of the reason had to give way. */
    assert_memory_equal(told.detail, err->detail, strlen(err->detail));
}

static void test_each_reason(void **state UNUSED)
{
    static const size_t pieces[] = { SIZE_MAX, 1, 7 };
    bool seen[REFUSED_REASONS] = { false };
    struct buf document;
    buf_init(&document, (size_t)1 << 24, NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        write_document(&rows[i], &document);
        seen[rows[i].reason] = true;
        for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
            struct error err = refuse(&rows[i], buf_str(&document), pieces[k]);
            check(&rows[i], &err);
        }
    }
    for (enum decode_reason reason = 0; reason < REFUSED_REASONS; reason++)
        if (!seen[reason])
            fail_msg("nothing is refused for this reason: %s", decode_reason_info(reason)->what);
    buf_done(&document);
}

/* What an advice may name, with the group before it where there is one. */
static const char *const settings[] = {
#define X(type, name, ...) #name,
    UPSTREAM_OPTIONS(X)
#undef X
#define X(type, name, ...) "limits." #name,
        UPSTREAM_LIMITS_OPTIONS(X) LIMITS_OPTIONS(X)
#undef X
            "methods",
};

static bool names_setting(const char *advice)
{
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        char forms[2][80];
        snprintf(forms[0], sizeof forms[0], "`%s`", settings[i]);
        snprintf(forms[1], sizeof forms[1], "%s = ", settings[i]);
        if (strstr(advice, forms[0]) != NULL || strstr(advice, forms[1]) != NULL ||
            (strchr(settings[i], '.') != NULL && strstr(advice, settings[i]) != NULL))
            return true;
    }
    return false;
}

static void test_each_advice(void **state UNUSED)
{
    for (enum decode_reason i = 0; i < REFUSED_REASONS; i++) {
        const char *advice = decode_reason_info(i)->advice;
        bool has_none = strncmp(advice, DECODE_NO_SETTING, strlen(DECODE_NO_SETTING)) == 0;
        assert_in_range(strlen(advice), 10, 200);
        assert_int_equal(advice[strlen(advice) - 1], '.');
        if (!has_none && !names_setting(advice))
            fail_msg("neither a setting nor that there is none: %s", advice);
        for (enum decode_reason k = 0; k < i; k++)
            assert_string_not_equal(advice, decode_reason_info(k)->advice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_reason),
        cmocka_unit_test(test_each_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
