/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/digest_login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NEW_NONCE "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define NEW_OPAQUE "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
#define NEW_CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
#define NEW(algorithm)                                                                             \
    "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=" algorithm         \
    ", nonce=\"" NEW_NONCE "\", opaque=\"" NEW_OPAQUE "\""

/* The examples of RFC 2617 section 3.5, and RFC 7616 section 3.9.1. */
static const struct {
    const char *challenge, *password, *cnonce, *response, *more;
} answers[] = {
    { "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\","
      "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\",opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
      "Circle Of Life", "0a4f113b", "response=\"6629fae49393a05397450978507c4ef1\"",
      ", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\", qop=auth, nc=00000001, cnonce=\"0a4f113b\"" },
    { NEW("MD5"), "Circle of Life", NEW_CNONCE, "response=\"8ca523f5e9506fed4657c9700eebdbec\"",
      ", algorithm=MD5, opaque=" },
    { NEW("sha-256"), "Circle of Life", NEW_CNONCE,
      "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"",
      ", algorithm=SHA-256, opaque=" },
    /* By Python's hashlib. */
    { "Digest realm=\"r\\\"1\\\"\", nonce=n", "p", "c",
      "response=\"0446ad2157dbf299c7a94b4b41f7a4f3\"", "realm=\"r\\\"1\\\"\", nonce=\"n\"" },
    { "Digest realm=r, nonce=n, algorithm=MD5-sess, qop=auth", "p", "c",
      "response=\"b7d3aedaa7e5fc933d4166d0246eeccf\"", "algorithm=MD5-sess, qop=auth" },
    { "Digest realm=r, nonce=n, userhash=true", "p", "c",
      "username=\"f22c6a3b9a5760c7952710252a94d0f4\"", ", userhash=true" },
};

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct digest_challenge challenge;
        struct buf to;
        struct digest_request request = {
            .username = "Mufasa",
            .password = answers[i].password,
            .method = STR("GET"),
            .uri = STR("/dir/index.html"),
            .count = 1,
            .cnonce = answers[i].cnonce,
        };
        buf_init(&to, 4096, NULL);
        assert_true(digest_challenge_read(str_of(answers[i].challenge), &challenge));
        assert_true(digest_login_write(&challenge, &request, &to));
        if (strstr(buf_c(&to), answers[i].response) == NULL ||
            strstr(buf_c(&to), answers[i].more) == NULL)
            fail_msg("%s: %s", answers[i].challenge, buf_c(&to));
        buf_done(&to);
    }
}

/* NULL: none of them can be answered. */
static const struct {
    const char *value, *realm;
} challenges[] = {
    { "Digest realm=\"a\", nonce=\"n\"", "a" },
    { "digest\trealm = a , nonce = n", "a" },
    { "Basic realm=\"b\", Digest realm=\"a\", nonce=\"n\"", "a" },
    { "Negotiate abc==, Digest realm=\"a\", nonce=\"n\"", "a" },
    { "Negotiate YII/a+c=, Digest realm=\"a\", nonce=\"n\"", "a" },
    { "Negotiate, NTLM, Digest realm=\"a\", nonce=\"n\"", "a" },
    { "Digest realm=\"a\", nonce=\"n\", Basic realm=\"b\"", "a" },
    { "Basic realm=\"Digest realm=x, nonce=y\"", NULL },
    { "Digest realm=\"b\", nonce=\"n\", algorithm=SHA-512-256, Digest realm=\"a\", nonce=\"m\"",
      "a" },
    { "Digest realm=\"b\", nonce=\"n\", qop=\"auth-int\"", NULL },
    { "Digest realm=\"b\", nonce=\"n\", algorithm=token", NULL },
    { "Digest realm=\"b\"", NULL },
    { "Digest realm=\"b\", nonce=\"n", NULL },
    { "Digest realm=\"b\", nonce=", NULL },
    { "Digest", NULL },
    { "Basic", NULL },
    { "=", NULL },
    { "", NULL },
};

static void test_challenges(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(challenges); i++) {
        struct digest_challenge challenge;
        bool good = digest_challenge_read(str_of(challenges[i].value), &challenge);
        if (good != (challenges[i].realm != NULL) ||
            (good && strcmp(challenge.realm, challenges[i].realm) != 0))
            fail_msg("%s: %d, %s", challenges[i].value, good, challenge.realm);
    }
}

static void test_long_texts(void **state)
{
    static const size_t lengths[] = { DIGEST_NONCE_SIZE - 1, DIGEST_NONCE_SIZE, 4000 };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct digest_challenge challenge;
        struct buf value;
        buf_init(&value, 8192, NULL);
        buf_append_c(&value, "Digest realm=a, nonce=\"");
        for (size_t n = 0; n < lengths[i]; n++)
            buf_append_byte(&value, 'n');
        buf_append_c(&value, "\"");
        bool good = digest_challenge_read(buf_str(&value), &challenge);
        assert_int_equal(good, lengths[i] < DIGEST_NONCE_SIZE);
        buf_done(&value);
    }
}

static void test_stale(void **state)
{
    struct digest_challenge challenge;
    (void)state;
    assert_true(digest_challenge_read(STR("Digest nonce=n, stale=TRUE"), &challenge));
    assert_true(challenge.stale);
    assert_true(digest_challenge_read(STR("Digest nonce=n, stale=\"false\""), &challenge));
    assert_false(challenge.stale);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_challenges),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_stale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
