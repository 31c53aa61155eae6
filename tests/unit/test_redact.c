/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/redact.h"
#include "settings/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <time.h>

#define STR_INIT(literal)                                                                          \
    {                                                                                              \
        "" literal "", sizeof(literal) - 1                                                         \
    }

static const struct str secrets[] = {
    { "hunter2hunter2", 14 },
    { "p&ss \"w<rd>/?", 13 },
    { "user:hunter2hunter2", 19 },
};

static const struct {
    const char *text, *shown;
} cases[] = {
    { "", "" },
    { "nothing of ours", "nothing of ours" },
    { "hunter2hunter2", "***" },
    { "it is hunter2hunter2.", "it is ***." },
    { "hunter2hunter2hunter2hunter2", "******" },
    { "hunter2hunter", "hunter2hunter" },
    { "hhunter2hunter2", "h***" },
    /* The longest one counts. */
    { "user:hunter2hunter2", "***" },
    { "Basic dXNlcjpodW50ZXIyaHVudGVyMg==", "Basic ***==" },
    { "Basic dXNlcjpodW50ZXIyaHVudGVyMg", "Basic ***" },
    { "aHVudGVyMmh1bnRlcjI=", "***=" },
    { "cCZzcyAidzxyZD4vPw", "***" }, /* the second one */
    { "p%26ss%20%22w%3Crd%3E%2F%3F", "***" },
    { "p%26ss%20%22w%3crd%3e%2f%3f", "***" },
    /* Programs differ in what they encode. */
    { "p%26ss%20%22w%3Crd%3E/?", "***" },
    { "p%26ss+%22w%3Crd%3e%2F%3F", "***" },
    { "%70%26%73%73%20%22%77%3C%72%64%3E%2F%3F", "***" },
    { "%68unter2hunter%32", "***" },
    { "%68unter2hunter%3", "%68unter2hunter%3" },
    { "100%", "100%" },
    { "dXNlcjpodW50ZXIyaHVudGVyMg%3D%3D", "***%3D%3D" },
    { "p&amp;ss \"w&lt;rd&gt;/?", "***" },
    { "p&amp;ss &quot;w&lt;rd&gt;/?", "***" },
    { "p&ss \"w<rd>/?", "***" },
};

static void secrets_become_stars(void **state)
{
    struct store *store = store_new();
    struct redactor *redactor = redactor_new(store, secrets, ARRAY_LEN(secrets));
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf shown;
        buf_init(&shown, 1000, NULL);
        redact(redactor, str_of(cases[i].text), &shown);
        assert_string_equal(buf_c(&shown), cases[i].shown);
        assert_true(shown.len <= strlen(cases[i].text));
        buf_done(&shown);
    }
    store_free(store);
}

/* A password in Latin-1, and what becomes of bytes that are not UTF-8 on their way to who reads. */
static void bytes_that_are_not_utf_8(void **state)
{
    static const struct str latin[] = { STR_INIT("p\xFC\xDF-secret\xE4"),
                                        STR_INIT("a\tb\x01-control"),
                                        STR_INIT("ka\xC3\xA4se-word") };
    static const struct {
        const char *text, *shown;
    } read[] = {
        { "it is p\xFC\xDF-secret\xE4.", "it is ***." },
        { "it is p?\?-secret?.", "it is ***." },
        { "it is p\xEF\xBF\xBD\xEF\xBF\xBD-secret\xEF\xBF\xBD.", "it is ***." },
        { "it is p\xC3\xBC\xC3\x9F-secret\xC3\xA4.", "it is ***." },
        { "p%C3%BC%C3%9F-secret%c3%a4", "***" },
        { "p%FC%DF-secret%E4", "***" },
        { "a b -control", "***" },
        { "a\tb\xEF\xBF\xBD-control", "***" },
        { "ka\xC3\x83\xC2\xA4se-word", "***" }, /* UTF-8 that was taken for Latin-1 */
        { "a ?b of its own", "a ?b of its own" },
    };
    struct store *store = store_new();
    struct redactor *redactor = redactor_new(store, latin, ARRAY_LEN(latin));
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(read); i++) {
        struct buf shown;
        buf_init(&shown, 1000, NULL);
        redact(redactor, str_of(read[i].text), &shown);
        assert_string_equal(buf_c(&shown), read[i].shown);
        buf_done(&shown);
    }
    store_free(store);
}

/* How programs write a text into pages, JSON and messages. */
static void escapes_of_programs(void **state)
{
    static const struct str secret[] = { STR_INIT("pa\"ss\\wo/rd'<&>\xC3\xA4\xF0\x9F\x98\x80z") };
    static const char *const written[] = {
        "pa\"ss\\wo/rd'&lt;&amp;&gt;\xC3\xA4\xF0\x9F\x98\x80z",
        "pa&quot;ss\\wo/rd'&lt;&amp;&gt;\xC3\xA4\xF0\x9F\x98\x80z",
        "pa&quot;ss\\wo/rd&#39;&lt;&amp;&gt;\xC3\xA4\xF0\x9F\x98\x80z",
        "pa&quot;ss\\wo/rd&#039;&lt;&amp;&gt;\xC3\xA4\xF0\x9F\x98\x80z",
        "pa&quot;ss\\wo/rd&#x27;&lt;&amp;&gt;\xC3\xA4\xF0\x9F\x98\x80z",
        "pa&quot;ss\\wo/rd&apos;&lt;&amp;&gt;\xC3\xA4\xF0\x9F\x98\x80z",
        "pa&#34;ss\\wo/rd&#39;&lt;&amp;&gt;\xC3\xA4\xF0\x9F\x98\x80z",
        "pa\\\"ss\\\\wo/rd'<&>\xC3\xA4\xF0\x9F\x98\x80z",
        "pa\\\"ss\\\\wo\\/rd'<&>\xC3\xA4\xF0\x9F\x98\x80z",
        "pa\\\"ss\\\\wo/rd'<&>\\u00e4\\ud83d\\ude00z",
        "pa\\\"ss\\\\wo\\/rd'<&>\\u00e4\\ud83d\\ude00z",
        "pa\\\"ss\\\\wo/rd'\\u003c\\u0026\\u003e\xC3\xA4\xF0\x9F\x98\x80z",
        "pa\"ss\\\\wo/rd\\'<&>\xC3\xA4\xF0\x9F\x98\x80z",
        "pa\\\"ss\\\\wo/rd\\'<&>\xC3\xA4\xF0\x9F\x98\x80z",
    };
    struct store *store = store_new();
    struct redactor *redactor = redactor_new(store, secret, 1);
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(written); i++) {
        struct buf text, shown;
        buf_init(&text, 1000, NULL);
        buf_init(&shown, 1000, NULL);
        buf_printf(&text, "it is [%s].", written[i]);
        redact(redactor, buf_str(&text), &shown);
        assert_string_equal(buf_c(&shown), "it is [***].");
        buf_done(&text);
        buf_done(&shown);
    }
    store_free(store);
}

/* A text that becomes Base64 as a whole has the secret at any place of a group. */
static void base64_of_more_than_a_secret(void **state)
{
    static const char *const texts[] = {
        "aHVudGVyMmh1bnRlcjIhIQ==",
        "IWh1bnRlcjJodW50ZXIyIQ==",
        "ISFodW50ZXIyaHVudGVyMiEh",
    };
    struct store *store = store_new();
    struct redactor *redactor = redactor_new(store, secrets, ARRAY_LEN(secrets));
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct buf shown;
        buf_init(&shown, 1000, NULL);
        redact(redactor, str_of(texts[i]), &shown);
        assert_non_null(strstr(buf_c(&shown), "***"));
        assert_null(strstr(buf_c(&shown), "1bnRl"));
        assert_null(strstr(buf_c(&shown), "50ZX"));
        assert_null(strstr(buf_c(&shown), "dW50"));
        buf_done(&shown);
    }
    store_free(store);
}

/* Foreign texts in a sentence of ours, each cut at its mark. */
static void cut_parts_of_a_sentence(void **state)
{
    static const struct {
        const char *text;
        bool cut;
        const char *shown;
    } sentences[] = {
        { "\"hunter2hunt…\" is no number", false, "\"***…\" is no number" },
        { "<user:hunter2h…> in <hunter2…>", false, "<***…> in <***…>" },
        { "\"hunter2hunt\" is no number", false, "\"hunter2hunt\" is no number" },
        { "aHVudGVyMmh1…", false, "***…" },
        { "p%26ss%2…", false, "***…" },
        { "p&amp;ss &quo…", false, "***…" },
        { "… hunter2hunter2 …", false, "… *** …" },
        { "at its end hunter2h", true, "at its end ***" },
        { "at its end hunter2h", false, "at its end hunter2h" },
        { "", true, "" },
        { "…", true, "…" },
    };
    struct store *store = store_new();
    struct redactor *redactor = redactor_new(store, secrets, ARRAY_LEN(secrets));
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sentences); i++) {
        struct buf shown;
        buf_init(&shown, 1000, NULL);
        redact_sentence(redactor, str_of(sentences[i].text), sentences[i].cut, &shown);
        assert_string_equal(buf_c(&shown), sentences[i].shown);
        buf_done(&shown);
    }
    store_free(store);
}

static void a_cut_secret_becomes_stars(void **state)
{
    static const struct {
        const char *text, *shown;
    } cut[] = {
        { "it is hunter2hunt", "it is ***" },     { "it is h", "it is ***" },
        { "it is hunter2hunter2", "it is ***" },  { "p%26ss%2", "***" },
        { "Basic dXNlcjpodW5", "Basic ***" },     { "hunter2hunt er", "hunter2hunt er" },
        { "nothing of ours", "nothing of ours" },
    };
    struct store *store = store_new();
    struct redactor *redactor = redactor_new(store, secrets, ARRAY_LEN(secrets));
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cut); i++) {
        struct buf shown;
        buf_init(&shown, 1000, NULL);
        redact_cut(redactor, str_of(cut[i].text), &shown);
        assert_string_equal(buf_c(&shown), cut[i].shown);
        buf_done(&shown);
    }
    store_free(store);
}

/* Where one secret begins another, or holds it, or ends where another begins. */
static void secrets_may_overlap(void **state)
{
    static const struct str overlapping[] = {
        STR_INIT("secret"),         STR_INIT("secret-of-many"), STR_INIT("secret-of-many-words"),
        STR_INIT("of-man"),         STR_INIT("wordsandmore"),   STR_INIT("41/and/codes"),
        STR_INIT("100%25%41%zz%a"),
    };
    static const struct {
        const char *text, *whole, *cut;
    } overlaps[] = {
        { "a secret.", "a ***.", "a ***." },
        { "a secret-of-man", "a ***-***", "a ***" },
        { "a secret-of-many", "a ***", "a ***" },
        { "a secret-of-many-word", "a ***-word", "a ***" },
        { "a secret-of-many-words", "a ***", "a ***" },
        { "a secret-of-many-wordsandmore", "a ***", "a ***" },
        { "a secret-of-many-wordsandmor", "a ***andmor", "a ***" },
        { "secretsecret", "******", "******" },
        { "secretsecre", "***secre", "******" },
        /* A secret may begin with what looks like the rest of a code, and hold codes itself. */
        { "%41/and/codes", "%***", "%***" },
        { "%41%2fand%2Fcodes", "%***", "%***" },
        { "%41%2fand%2Fcod", "%41%2fand%2Fcod", "%***" },
        { "%%41%2fand%2Fcodes%41", "%%***%41", "%%***%***" },
        { "100%25%41%zz%a", "***", "***" },
        { "100%25%41%zz%aq", "***q", "***q" },
        { "100%2525%2541%25zz%25a", "***", "***" },
        { "100%25", "100%25", "***" },
    };
    struct store *store = store_new();
    struct redactor *redactor = redactor_new(store, overlapping, ARRAY_LEN(overlapping));
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(overlaps); i++) {
        CLEANUP(buf_done) struct buf shown;
        buf_init(&shown, 1000, NULL);
        redact(redactor, str_of(overlaps[i].text), &shown);
        assert_string_equal(buf_c(&shown), overlaps[i].whole);
        buf_clear(&shown);
        redact_cut(redactor, str_of(overlaps[i].text), &shown);
        assert_string_equal(buf_c(&shown), overlaps[i].cut);
    }
    store_free(store);
}

/* ---- Against a reading that tries each secret at each place ---------------------------------- */

#define RANDOM_SECRETS 6
#define RANDOM_LEN 48

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static size_t random_text(uint32_t *state, char *to, size_t least, size_t most)
{
    static const char letters[] = "aaab416%% +";
    size_t len = least + next_random(state) % (most - least + 1);
    for (size_t i = 0; i < len; i++)
        to[i] = letters[next_random(state) % (sizeof letters - 1)];
    to[len] = '\0';
    return len;
}

static bool same_byte(char a, char b)
{
    return a == b || ((a == ' ' || a == '+') && (b == ' ' || b == '+'));
}

/* How much of the text the secret takes there; 0: it does not stand there. */
static size_t naive_at(const char *text, const char *secret, bool raw)
{
    size_t at = 0;
    unsigned code;
    for (; *secret != '\0'; secret++) {
        char byte = text[at];
        size_t len = 1;
        if (!raw && byte == '%' && isxdigit((unsigned char)text[at + 1]) &&
            isxdigit((unsigned char)text[at + 2]) && sscanf(text + at + 1, "%2x", &code) == 1) {
            byte = (char)code;
            len = 3;
        }
        if (byte == '\0' || !same_byte(byte, *secret))
            return 0;
        at += len;
    }
    return at;
}

static void naive(const char *text, char given[][RANDOM_LEN + 1], size_t n, char *to)
{
    size_t hidden = 0;
    bool stars = false;
    for (size_t at = 0; text[at] != '\0'; at++) {
        for (size_t i = 0; i < 2 * n; i++) {
            size_t len = naive_at(text + at, given[i / 2], i % 2 == 1);
            if (at + len > hidden && len > 0)
                hidden = at + len;
        }
        if (at >= hidden)
            *to++ = text[at];
        else if (!stars)
            *to++ = '*';
        stars = at < hidden;
    }
    *to = '\0';
}

static void one_star_each(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++)
        if (*from != '*' || to == text || to[-1] != '*')
            *to++ = *from;
    *to = '\0';
}

static void nothing_is_missed(void **state)
{
    char secrets_of[RANDOM_SECRETS][RANDOM_LEN + 1], text[RANDOM_LEN + 1], want[RANDOM_LEN + 1];
    uint32_t seed = 2463534242;
    (void)state;
    for (size_t round = 0; round < 20000; round++) {
        struct str given[RANDOM_SECRETS];
        size_t n = 1 + next_random(&seed) % RANDOM_SECRETS;
        for (size_t i = 0; i < n; i++)
            given[i] = (struct str){ secrets_of[i], random_text(&seed, secrets_of[i], 3, 8) };
        struct store *store = store_new();
        struct redactor *redactor = redactor_new(store, given, n);
        for (size_t i = 0; i < 10; i++) {
            CLEANUP(buf_done) struct buf shown;
            struct str part = { text, random_text(&seed, text, 0, RANDOM_LEN) };
            buf_init(&shown, 1000, NULL);
            redact(redactor, part, &shown);
            naive(text, secrets_of, n, want);
            one_star_each(shown.data);
            assert_string_equal(buf_c(&shown), want);
        }
        store_free(store);
    }
}

/* ---- What it costs --------------------------------------------------------------------------- */

#define MANY 300
#define LONG_TEXT ((size_t)256 * 1024)

static int64_t cost_us(const struct str *given, size_t n, struct str text)
{
    int64_t best = INT64_MAX;
    struct store *store = store_new();
    struct redactor *redactor = redactor_new(store, given, n);
    for (size_t i = 0; i < 5; i++) {
        CLEANUP(buf_done) struct buf shown;
        struct timespec begin, end;
        buf_init(&shown, 2 * text.len, NULL);
        assert_true(buf_reserve(&shown, text.len));
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
        redact(redactor, text, &shown);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
        int64_t took = (end.tv_sec - begin.tv_sec) * 1000000 + (end.tv_nsec - begin.tv_nsec) / 1000;
        best = took < best ? took : best;
    }
    store_free(store);
    return best;
}

/* The text is made of their common beginning, the worst that there is. */
static void many_cost_what_one_does(void **state)
{
    static char many[MANY][64], text[LONG_TEXT];
    struct str given[MANY];
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        memset(many[i], 'a', sizeof many[i]);
        snprintf(many[i] + 40, sizeof many[i] - 40, "b%zu", i * 7919);
        given[i] = str_of(many[i]);
    }
    memset(text, 'a', sizeof text);
    struct str all = { text, sizeof text };
    int64_t one = cost_us(given, 1, all), of_many = cost_us(given, MANY, all);
    assert_true(of_many < 5 * one + 1000);
}

static void without_secrets_nothing_changes(void **state)
{
    struct store *store = store_new();
    struct redactor *redactor = redactor_new(store, NULL, 0);
    struct buf shown;
    (void)state;
    buf_init(&shown, 1000, NULL);
    redact(redactor, STR("a\0b"), &shown);
    redact(NULL, STR("c"), &shown);
    assert_int_equal(shown.len, 4);
    assert_memory_equal(shown.data, "a\0bc", 4);
    buf_done(&shown);
    store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_become_stars),
        cmocka_unit_test(bytes_that_are_not_utf_8),
        cmocka_unit_test(escapes_of_programs),
        cmocka_unit_test(base64_of_more_than_a_secret),
        cmocka_unit_test(a_cut_secret_becomes_stars),
        cmocka_unit_test(cut_parts_of_a_sentence),
        cmocka_unit_test(secrets_may_overlap),
        cmocka_unit_test(nothing_is_missed),
        cmocka_unit_test(many_cost_what_one_does),
        cmocka_unit_test(without_secrets_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
