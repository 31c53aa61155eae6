/* SPDX-License-Identifier: Apache-2.0 */
/* Templates, and what servers give for their names. The first byte of an input is the form; a
 * newline ends the template, and what is behind it is the text of a session. */
#include "settings/template.h"

#include "base/alloc.h"
#include "codec/json/cursor.h"
#include "codec/json/scan.h"
#include "settings/snapshot.h"
#include "settings/store.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEPTH 64
#define MARK "zq7-marker"

static struct named_text credential_items[] = {
    { .name = "user", .text = "\"ann\"" },
    { .name = "password", .text = "\"" MARK "\\\"\\n{\"" },
    { .name = "uid", .text = "7" },
};
static const struct named_texts credentials = { credential_items, ARRAY_LEN(credential_items) };
static struct named_text kept_items[] = { { .name = "key" } };
static const struct named_texts kept = { kept_items, ARRAY_LEN(kept_items) };

static bool is_json(struct str text)
{
    struct error err;
    return json_scan_all(text, DEPTH, &err);
}

/* What may stand where it goes. */
static void check_result(enum template_form form, struct str result)
{
    if (form == TEMPLATE_JSON)
        assert(is_json(result));
    for (size_t i = 0; i < result.len; i++) {
        unsigned char c = (unsigned char)result.data[i];
        if (form == TEMPLATE_HEADER)
            assert(c >= 0x20 && c != 0x7f);
        else if (form != TEMPLATE_JSON)
            assert(c > 0x20 && c < 0x7f && strchr("?#\"<>\\^`{|}", c) == NULL);
    }
}

static void fill(const struct template *t, struct str session)
{
    struct buf json, result, why;
    buf_init(&json, SIZE_MAX - 1, NULL);
    buf_init(&result, SIZE_MAX - 1, NULL);
    buf_init(&why, 4096, NULL);
    json_quote(session, &json);
    const struct str values[] = { buf_str(&json), STR("3"), STR("{\"$i8\":\"5\"}") };
    if (template_fill(t, values, &result, &why)) {
        check_result(t->form, buf_str(&result));
        assert(!template_is_constant(t) || str_eq(template_constant(t), buf_str(&result)));
    } else {
        assert(why.len > 0 && !template_is_constant(t));
    }
    assert(strstr(buf_c(&why), MARK) == NULL);
    buf_done(&json);
    buf_done(&result);
    buf_done(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct template_scope scope = { .credentials = &credentials,
                                                 .keep = &kept,
                                                 .session = TEMPLATE_IN_SESSION };
    /* Messages show a template's own text. */
    if (size == 0 || memmem(data, size, MARK, sizeof MARK - 1) != NULL)
        return 0;
    enum template_form form = (enum template_form)(data[0] & 3);
    struct str input = { (const char *)data + 1, size - 1 };
    size_t end = str_find(input, '\n');
    struct str source = str_slice(input, 0, end);
    struct str session = str_slice(input, end < input.len ? end + 1 : end, input.len);
    if (utf8_valid_prefix(input) < input.len || (form == TEMPLATE_JSON && !is_json(source)))
        return 0; /* the configuration's reader refuses it */
    struct store *store = store_new();
    struct template t;
    struct buf why;
    buf_init(&why, 4096, NULL);
    if (template_compile(store, source, form, &scope, &t, &why))
        fill(&t, session);
    else
        assert(why.len > 0);
    assert(strstr(buf_c(&why), MARK) == NULL);
    buf_done(&why);
    store_free(store);
    return 0;
}
