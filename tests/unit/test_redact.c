/* SPDX-License-Identifier: Apache-2.0 */
#include "config/redact.h"
#include "config/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
        cmocka_unit_test(a_cut_secret_becomes_stars),
        cmocka_unit_test(without_secrets_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
