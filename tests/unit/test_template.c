/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "settings/snapshot.h"
#include "settings/store.h"

static struct named_text credential_items[] = {
    { .name = "user", .text = "\"ann\"" },
    { .name = "password", .text = "\"a\\\"b\\n\"" },
    { .name = "uid", .text = "7" },
    { .name = "on", .text = "true" },
    { .name = "name", .text = "\"a b/c\xC3\xA9\"" },
    { .name = "dots", .text = "\"..\"" },
};
static const struct named_texts credentials = { credential_items, ARRAY_LEN(credential_items) };
static struct named_text kept_items[] = { { .name = "key" }, { .name = "id" } };
static const struct named_texts kept = { kept_items, ARRAY_LEN(kept_items) };

static const struct template_scope in_session = { .credentials = &credentials,
                                                  .keep = &kept,
                                                  .session = TEMPLATE_IN_SESSION };

/* Of {session}, {count}, {key}, {id}. */
static const struct str values[] = {
    { "{\"$i8\": \"5\"}", 12 }, { "3", 1 }, { "\"k/\\u00e9\\\"\"", 12 }, { "[1]", 3 }
};

/* What it becomes; NULL: it is refused with `why`. */
struct row {
    enum template_form form;
    const char *source, *result, *why;
    bool constant;
};

static const struct row rows[] = {
    { TEMPLATE_JSON, "\"{user}\"", "\"ann\"", NULL, true },
    { TEMPLATE_JSON, "\"{uid}\"", "7", NULL, true },
    { TEMPLATE_JSON, "\"{on}\"", "true", NULL, true },
    { TEMPLATE_JSON, "\"{user}:{password}\"", "\"ann:a\\\"b\\u000a\"", NULL, true },
    { TEMPLATE_JSON, "\"x{uid}{{}}\"", "\"x7{}\"", NULL, true },
    { TEMPLATE_JSON, "5", "5", NULL, true },
    { TEMPLATE_JSON, " [ \"{uid}\" , {\"{user}\": \"{user}\"}, null ] ",
      "[7,{\"{user}\":\"ann\"},null]", NULL, true },
    { TEMPLATE_JSON, "\"{session}\"", "{\"$i8\": \"5\"}", NULL, false },
    { TEMPLATE_JSON, "\"n{session}\"", "\"n5\"", NULL, false },
    { TEMPLATE_JSON, "\"{id}\"", "[1]", NULL, false },
    { TEMPLATE_JSON, "\"{key}{user}\"", "\"k/\xC3\xA9\\\"ann\"", NULL, false },
    { TEMPLATE_JSON, "\"{base64({user}:{uid})}\"", "\"YW5uOjc=\"", NULL, true },
    { TEMPLATE_JSON, "\"{base64()}\"", "\"\"", NULL, true },
    { TEMPLATE_JSON, "\"{base64(a{{b)}.\"", "\"YXti.\"", NULL, true },
    { TEMPLATE_HEADER, "A: Session {base64({user}:{session}:{key})}.",
      "A: Session YW5uOjU6ay/DqSI=.", NULL, false },
    { TEMPLATE_HEADER, "A: {name}", "A: a b/c\xC3\xA9", NULL, true },
    { TEMPLATE_PATH, "/x y/{name}/{session}", "/x%20y/a%20b%2Fc%C3%A9/5", NULL, false },
    { TEMPLATE_PATH, "a?b%2F{{", "a%3Fb%2F%7B", NULL, true },
    { TEMPLATE_PATH, "{dots}.", "...", NULL, true },

    { TEMPLATE_FIELD, "{password}&", "a%22b%0A%26", NULL, true },
    { TEMPLATE_FIELD, "", "", NULL, true },

    { TEMPLATE_JSON, "\"{user\"", NULL, "a `{` has no `}`", false },
    { TEMPLATE_JSON, "\"user}\"", NULL, "a `}` has no `{`", false },
    { TEMPLATE_JSON, "\"{usr}\"", NULL, "nothing defines `{usr}`; there are `user`, `password`",
      false },
    { TEMPLATE_JSON, "\"{}\"", NULL, "nothing defines `{}`", false },
    { TEMPLATE_JSON, "\"{base64(x\"", NULL, "has no `)}`", false },
    { TEMPLATE_JSON, "\"{base64({base64(x)})}\"", NULL, "has no `)}`", false },
    { TEMPLATE_JSON, "\"x{id}\"", NULL, "`{id}` is neither a text nor a number", false },
    { TEMPLATE_HEADER, "A: {password}", NULL, "a control character", false },
    { TEMPLATE_PATH, "/a/{dots}/b", NULL, "`.` or `..`", false },
    { TEMPLATE_PATH, "/a/%2E.", NULL, "`.` or `..`", false },
};

static void try_row(const struct row *row)
{
    struct store *store = store_new();
    struct template t;
    struct buf why, result;
    buf_init(&why, 4096, NULL);
    buf_init(&result, 4096, NULL);
    bool ok = template_compile(store, str_of(row->source), row->form, &in_session, &t, &why);
    if (ok && row->result != NULL)
        assert_int_equal(template_is_constant(&t), row->constant);
    ok = ok && template_fill(&t, values, &result, &why);
    if (ok != (row->result != NULL))
        fail_msg("%s: %s", row->source, ok ? buf_c(&result) : buf_c(&why));
    if (ok)
        assert_string_equal(buf_c(&result), row->result);
    else if (strstr(buf_c(&why), row->why) == NULL)
        fail_msg("%s: %s", row->source, buf_c(&why));
    if (ok && row->constant)
        assert_true(str_eq(template_constant(&t), buf_str(&result)));
    buf_done(&why);
    buf_done(&result);
    store_free(store);
}

static void becomes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        try_row(&rows[i]);
}

static void knows_where_it_stands(void **state)
{
    (void)state;
    static const struct {
        int session;
        const char *source, *why;
    } cases[] = {
        { TEMPLATE_WITHOUT_SESSION, "\"{session}\"", "of a `session`, which is not set" },
        { TEMPLATE_BEFORE_SESSION, "\"{count}\"", "cannot stand in the login" },
        { TEMPLATE_BEFORE_SESSION, "\"{key}\"", "cannot stand in the login" },
        { TEMPLATE_WITHOUT_SESSION, "\"{nothing}\"", "nothing defines `{nothing}`" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct template_scope scope = in_session;
        struct store *store = store_new();
        struct template t;
        struct buf why;
        scope.session = cases[i].session;
        buf_init(&why, 4096, NULL);
        assert_false(
            template_compile(store, str_of(cases[i].source), TEMPLATE_JSON, &scope, &t, &why));
        if (strstr(buf_c(&why), cases[i].why) == NULL)
            fail_msg("%s: %s", cases[i].source, buf_c(&why));
        buf_done(&why);
        store_free(store);
    }
}

/* What a server gives as a session is not trusted. */
static void checks_what_comes(void **state)
{
    (void)state;
    static const struct {
        enum template_form form;
        const char *source, *value, *why;
    } cases[] = {
        { TEMPLATE_HEADER, "A: {session}", "\"x\\r\\nB: y\"", "a control character" },
        { TEMPLATE_PATH, "/s/{session}/x", "\"..\"", "`.` or `..`" },
        { TEMPLATE_HEADER, "A: {session}", "null", "neither a text nor a number" },
        { TEMPLATE_HEADER, "A: {session}", "{\"a\": 1}", "neither a text nor a number" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct store *store = store_new();
        struct template t;
        struct buf why, result;
        struct str value = str_of(cases[i].value);
        buf_init(&why, 4096, NULL);
        buf_init(&result, 4096, NULL);
        assert_true(
            template_compile(store, str_of(cases[i].source), cases[i].form, &in_session, &t, &why));
        assert_false(template_fill(&t, &value, &result, &why));
        assert_non_null(strstr(buf_c(&why), cases[i].why));
        buf_done(&why);
        buf_done(&result);
        store_free(store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(becomes),
        cmocka_unit_test(knows_where_it_stands),
        cmocka_unit_test(checks_what_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
