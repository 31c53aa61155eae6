/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/caller.h"

#include "base/digest.h"
#include "codec/value/base64.h"
#include "head_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define TOKEN_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TOKEN_B "bbbbbbbbbbbbbbbb.bbbbbbbbbbbbbb_bbb-b~b+/="
#define TOKEN_OLD "!odd(but)visible#characters&are*fine^%$"

enum { ALICE, BOB, OPS, STAFF, CARD, N_CALLERS, ANONYMOUS = -1, NOBODY = -2, WRONG = -3 };

static struct digest alice_digests[1], bob_digests[2];
static struct caller_config callers[N_CALLERS] = {
    [ALICE] = { .name = (char[]){ "alice" }, .digests = alice_digests, .n_digests = 1 },
    [BOB] = { .name = (char[]){ "bob" }, .digests = bob_digests, .n_digests = 2 },
    [OPS] = { .name = (char[]){ "ops" }, .has_uid = true, .uid = 1000 },
    [STAFF] = { .name = (char[]){ "staff" }, .has_gid = true, .gid = 50 },
    [CARD] = { .name = (char[]){ "card" }, .cert = (char[]){ "CN=card-*,O=Example" } },
};

static struct config config_with(bool anonymous)
{
    static bool ready;
    if (!ready) {
        digest_of(STR(TOKEN_A), &alice_digests[0]);
        digest_of(STR(TOKEN_OLD), &bob_digests[0]);
        digest_of(STR(TOKEN_B), &bob_digests[1]);
    }
    ready = true;
    return (struct config){ .callers = callers,
                            .n_callers = N_CALLERS,
                            .anonymous = { .present = anonymous } };
}

/* The linker puts this in the place of digest_equal(). */
bool __real_digest_equal(const struct digest *a, const struct digest *b);
bool __wrap_digest_equal(const struct digest *a, const struct digest *b);

static size_t n_compared;

bool __wrap_digest_equal(const struct digest *a, const struct digest *b)
{
    n_compared++;
    return __real_digest_equal(a, b);
}

/* Who is found, as an index of `callers` or one of the negative values. */
static int find(const struct config *config, const struct request_peer *peer, const char *lines)
{
    struct head_text t;
    struct caller caller;
    struct error err;
    head_text_init(&t, lines);
    struct credentials credentials = { .head = &t.head, .peer = peer };
    switch (caller_find(config, &credentials, &caller, &err)) {
    case CALLER_KNOWN:
        return caller.config == NULL ? ANONYMOUS : (int)(caller.config - callers);
    case CALLER_NONE:
    case CALLER_WRONG:
        break;
    }
    assert_int_equal(err.type, PROBLEM_UNAUTHENTICATED);
    assert_int_equal(err.status, 401);
    assert_true(strlen(err.detail) > 20);
    assert_null(strstr(err.detail, "aaaa"));
    return caller_find(config, &credentials, &caller, &err) == CALLER_NONE ? NOBODY : WRONG;
}

static const struct {
    const char *lines;
    int who;
} token_cases[] = {
    { "", NOBODY },
    { "Authorization: Bearer " TOKEN_A "\n", ALICE },
    { "authorization: bearer " TOKEN_A "\n", ALICE },
    { "AUTHORIZATION:   BEARER   " TOKEN_A "\t\n", ALICE },
    { "Authorization: Bearer " TOKEN_B "\n", BOB },
    { "Authorization: Bearer " TOKEN_OLD "\n", BOB },
    /* Wrong ones */
    { "Authorization: Bearer " TOKEN_A "a\n", WRONG },
    { "Authorization: Bearer aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", WRONG },
    { "Authorization: Bearer Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", WRONG },
    { "Authorization: Bearer aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\n", WRONG },
    { "Authorization: Bearer x\n", WRONG },
    /* Malformed ones */
    { "Authorization:\n", WRONG },
    { "Authorization: Bearer\n", WRONG },
    { "Authorization: Bearer \n", WRONG },
    { "Authorization: Bearer\t" TOKEN_A "\n", WRONG },
    { "Authorization: Bearer" TOKEN_A "\n", WRONG },
    { "Authorization: Bearer: " TOKEN_A "\n", WRONG },
    { "Authorization: Bearer \"" TOKEN_A "\"\n", WRONG },
    { "Authorization: Bearer " TOKEN_A " " TOKEN_A "\n", WRONG },
    { "Authorization: Bearer " TOKEN_A ",\n", WRONG },
    { "Authorization: Bearer " TOKEN_A ", Bearer " TOKEN_A "\n", WRONG },
    { "Authorization: Bearer \xC3\xA9\n", WRONG },
    { "Authorization: " TOKEN_A "\n", WRONG },
    /* Other schemes */
    { "Authorization: Basic YTpi\n", WRONG },
    { "Authorization: Digest " TOKEN_A "\n", WRONG },
    /* More than one header */
    { "Authorization: Bearer " TOKEN_A "\nAuthorization: Bearer " TOKEN_A "\n", WRONG },
    { "Authorization: Bearer " TOKEN_A "\nauthorization:\n", WRONG },
};

/* A wrong token never falls back, neither to anonymous nor to what the connection tells. */
static void knows_tokens(void **state)
{
    const struct config closed = config_with(false), open = config_with(true);
    const struct request_peer peers[] = {
        { .is_unix = false },
        { .is_unix = true, .known = true, .uid = 1000, .gid = 50 },
        { .cert = PEER_CERT_GOOD, .subject = STR("CN=card-1,O=Example") },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(token_cases); i++) {
        if (find(&closed, &peers[0], token_cases[i].lines) != token_cases[i].who)
            fail_msg("%s", token_cases[i].lines);
        if (token_cases[i].who == NOBODY)
            continue;
        for (size_t k = 0; k < ARRAY_LEN(peers); k++)
            if (find(&open, &peers[k], token_cases[i].lines) != token_cases[i].who)
                fail_msg("%s of peer %zu", token_cases[i].lines, k);
    }
}

/* RFC 7617, where it is allowed; the wrong ones never fall back, either. `alice:` and `bob:` with
 * their tokens, in base64 of the tests' own. */
static void knows_basic(void **state)
{
    static const struct {
        const char *pair;
        int who;
    } cases[] = {
        { "alice:" TOKEN_A, ALICE },     { "bob:" TOKEN_B, BOB },      { "bob:" TOKEN_OLD, BOB },
        { "alice:" TOKEN_B, WRONG },     { "bob:" TOKEN_A, WRONG },    { "Alice:" TOKEN_A, WRONG },
        { ":" TOKEN_A, WRONG },          { TOKEN_A, WRONG },           { "alice:", WRONG },
        { "alice:" TOKEN_A ":", WRONG }, { "alice: " TOKEN_A, WRONG }, { "", WRONG },
    };
    const struct config open = config_with(true);
    const struct request_peer peer = { .is_unix = true, .known = true, .uid = 1000, .gid = 50 };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct head_text t;
        struct caller caller;
        struct error err;
        struct base64 base64;
        struct chain text;
        char lines[512];
        chain_init(&text, SIZE_MAX, NULL);
        base64_begin(&base64, &text, 0);
        base64_encode(&base64, str_of(cases[i].pair));
        base64_encode_end(&base64);
        char *pair = chain_dup(&text);
        snprintf(lines, sizeof lines, "Authorization: %s %s\n", i % 2 ? "BASIC" : "Basic", pair);
        head_text_init(&t, lines);
        struct credentials credentials = { .head = &t.head, .peer = &peer, .may_be_basic = true };
        enum caller_answer answer = caller_find(&open, &credentials, &caller, &err);
        assert_int_equal(answer, cases[i].who == WRONG ? CALLER_WRONG : CALLER_KNOWN);
        if (cases[i].who != WRONG)
            assert_ptr_equal(caller.config, &callers[cases[i].who]);
        else
            assert_null(strstr(err.detail, "aaaa"));
        credentials.may_be_basic = false;
        assert_int_equal(caller_find(&open, &credentials, &caller, &err), CALLER_WRONG);
        free(pair);
        chain_done(&text);
    }
}

/* Neither which token it is nor that it is one shows in how much is compared. */
static void compares_all_digests(void **state)
{
    static const char *const lines[] = {
        "Authorization: Bearer " TOKEN_A "\n", "Authorization: Bearer " TOKEN_OLD "\n",
        "Authorization: Bearer " TOKEN_B "\n", "Authorization: Bearer " TOKEN_A "x\n",
        "Authorization: Bearer x\n",
    };
    const struct config config = config_with(true);
    const struct request_peer peer = { .is_unix = false };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct head_text t;
        struct caller caller;
        struct error err;
        head_text_init(&t, lines[i]);
        n_compared = 0;
        enum caller_answer answer = caller_find(
            &config, &(struct credentials){ .head = &t.head, .peer = &peer }, &caller, &err);
        assert_int_equal(answer, i < 3 ? CALLER_KNOWN : CALLER_WRONG);
        assert_int_equal(n_compared, ARRAY_LEN(alice_digests) + ARRAY_LEN(bob_digests));
    }
}

static gid_t some_groups[] = { 7, 50, 9 }, other_groups[] = { 7, 8 };

static const struct {
    struct request_peer peer;
    int who;
} peer_cases[] = {
    { { .is_unix = true, .known = true, .uid = 1000, .gid = 1000 }, OPS },
    { { .is_unix = true, .known = true, .uid = 1001, .gid = 50 }, STAFF },
    { { .is_unix = true, .known = true, .uid = 1001, .gid = 1, some_groups, 3 }, STAFF },
    /* The first of the file that fits */
    { { .is_unix = true, .known = true, .uid = 1000, .gid = 50 }, OPS },
    { { .is_unix = true, .known = true, .uid = 1001, .gid = 1, other_groups, 2 }, ANONYMOUS },
    { { .is_unix = true, .known = true, .uid = 50, .gid = 1000 }, ANONYMOUS },
    { { .is_unix = true, .known = true }, ANONYMOUS },
    /* A process that the system does not tell is nobody, whatever the numbers say. */
    { { .is_unix = true, .uid = 1000, .gid = 50 }, ANONYMOUS },
    { { .is_unix = false }, ANONYMOUS },
    { { .cert = PEER_CERT_GOOD, .subject = STR("CN=card-1,O=Example") }, CARD },
    { { .cert = PEER_CERT_GOOD, .subject = STR("CN=card-1,O=Example,C=DE") }, ANONYMOUS },
    { { .cert = PEER_CERT_GOOD, .subject = STR("CN=other,O=Example") }, ANONYMOUS },
    { { .cert = PEER_CERT_GOOD }, ANONYMOUS },
    { { .cert = PEER_CERT_NONE, .subject = STR("CN=card-1,O=Example") }, ANONYMOUS },
    { { .cert = PEER_CERT_FOREIGN, .subject = STR("CN=card-1,O=Example") }, WRONG },
};

static void knows_peers(void **state)
{
    const struct config closed = config_with(false), open = config_with(true);
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(peer_cases); i++) {
        int who = peer_cases[i].who;
        if (find(&open, &peer_cases[i].peer, "") != who)
            fail_msg("case %zu", i);
        if (find(&closed, &peer_cases[i].peer, "") != (who == ANONYMOUS ? NOBODY : who))
            fail_msg("case %zu, closed", i);
        if (find(&closed, &peer_cases[i].peer, "Authorization: Bearer " TOKEN_B "\n") != BOB)
            fail_msg("case %zu, with a token", i);
    }
}

static void knows_nobody_without_callers(void **state)
{
    const struct config config = { .n_callers = 0 };
    const struct request_peer root = { .is_unix = true, .known = true };
    (void)state;
    assert_int_equal(find(&config, &root, ""), NOBODY);
    assert_int_equal(find(&config, &root, "Authorization: Bearer " TOKEN_A "\n"), WRONG);
}

static void gives_the_rights_of_whom_it_has_found(void **state)
{
    struct access_rule_config allow[2] = { { .n_params = 0 } }, deny[3] = { { .n_params = 0 } };
    struct caller_config one = { .has_uid = true, .uid = 5, .deny = deny, .n_deny = 3 };
    const struct config config = {
        .callers = &one,
        .n_callers = 1,
        .anonymous = { .present = true, .allow = allow, .n_allow = 2 },
    };
    struct request_peer peer = { .is_unix = true, .known = true, .uid = 5 };
    struct head_text t;
    struct caller caller;
    struct error err;
    (void)state;
    head_text_init(&t, "");
    struct credentials credentials = { .head = &t.head, .peer = &peer };
    assert_int_equal(caller_find(&config, &credentials, &caller, &err), CALLER_KNOWN);
    assert_ptr_equal(caller.config, &one);
    assert_int_equal(caller.access.allow.n, 0);
    assert_ptr_equal(caller.access.deny.items, deny);
    assert_int_equal(caller.access.deny.n, 3);
    peer.uid = 6;
    assert_int_equal(caller_find(&config, &credentials, &caller, &err), CALLER_KNOWN);
    assert_null(caller.config);
    assert_ptr_equal(caller.access.allow.items, allow);
    assert_int_equal(caller.access.allow.n, 2);
    assert_int_equal(caller.access.deny.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_tokens),
        cmocka_unit_test(knows_basic),
        cmocka_unit_test(compares_all_digests),
        cmocka_unit_test(knows_peers),
        cmocka_unit_test(knows_nobody_without_callers),
        cmocka_unit_test(gives_the_rights_of_whom_it_has_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
