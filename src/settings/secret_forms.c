/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/secret_forms.h"

#include "base/alloc.h"
#include "base/chain.h"
#include "codec/error.h"
#include "codec/json/text.h"
#include "codec/value/base64.h"
#include "codec/value/text_repair.h"

#include <stdlib.h>

/* What a secret becomes where text is made fit to be shown. Bytes that are not UTF-8 are `?` in a
 * detail and U+FFFD where a document is repaired, and servers take bytes for Latin-1. */
enum reading { READ_AS_IT_IS, READ_IN_DETAIL, READ_REPAIRED, READ_LATIN_1, READINGS };

/* How each may be written. */
enum form { FORM_PLAIN, FORM_ESCAPED, FORM_ESCAPED_QUOTES, FORM_BASE64, FORM_URL_BASE64, FORMS };

/* In Base64 it stands alone, or within a text: then it begins at one of three places of a group. */
enum place { PLACE_ALONE, PLACE_WITHIN, PLACES = PLACE_WITHIN + 3 };

/* RFC 4648 section 5. */
static void use_url_alphabet(char *digits, size_t n)
{
    for (size_t i = 0; i < n; i++)
        digits[i] = (char)(digits[i] == '+' ? '-' : digits[i] == '/' ? '_' : digits[i]);
}

/* Without padding, which may or may not be shown. Within a text only the digits that say nothing of
 * what is around it. */
static void append_base64(struct buf *to, struct str secret, enum place place)
{
    struct base64 state;
    struct chain text;
    size_t begin = to->len;
    size_t skip = place == PLACE_ALONE ? 0 : (size_t)(place - PLACE_WITHIN);
    size_t bits = (skip + secret.len) * 8, first = (skip * 8 + 5) / 6;
    size_t n = place == PLACE_ALONE ? (bits + 5) / 6 : bits / 6;
    chain_init(&text, SIZE_MAX, NULL);
    base64_begin(&state, &text, 0);
    base64_encode(&state, str_slice(STR("--"), 0, skip));
    base64_encode(&state, secret);
    base64_encode_end(&state);
    for (struct chain_block *b = text.first; b != NULL; b = b->next) {
        buf_append(to, (struct str){ b->data, b->len });
        wipe(b->data, b->len);
    }
    chain_done(&text);
    if (!buf_ok(to))
        return;
    memmove(to->data + begin, to->data + begin + first, n - first);
    to->len = begin + n - first;
}

static void append_escaped(struct buf *to, struct str secret, bool quotes)
{
    for (size_t i = 0; i < secret.len; i++) {
        char c = secret.data[i];
        if (c == '&')
            buf_append_c(to, "&amp;");
        else if (c == '<')
            buf_append_c(to, "&lt;");
        else if (c == '>')
            buf_append_c(to, "&gt;");
        else if (c == '"' && quotes)
            buf_append_c(to, "&quot;");
        else
            buf_append_byte(to, c);
    }
}

static void append_form(struct buf *to, struct str secret, enum form form, enum place place)
{
    size_t begin = to->len;
    switch (form) {
    case FORM_PLAIN:
        buf_append(to, secret);
        break;
    case FORM_ESCAPED:
    case FORM_ESCAPED_QUOTES:
        append_escaped(to, secret, form == FORM_ESCAPED_QUOTES);
        break;
    case FORM_BASE64:
    case FORM_URL_BASE64:
        append_base64(to, secret, place);
        if (form == FORM_URL_BASE64)
            use_url_alphabet(to->data + begin, to->len - begin);
        break;
    case FORMS:
        break;
    }
}

static void append_latin_1(struct buf *to, struct str secret)
{
    for (size_t i = 0; i < secret.len; i++) {
        char bytes[4];
        buf_append(to, (struct str){ bytes, utf8_write((unsigned char)secret.data[i], bytes) });
    }
}

static void append_repaired(struct buf *to, struct str secret)
{
    while (secret.len > 0) {
        size_t valid = utf8_valid_prefix(secret);
        text_repair(str_slice(secret, 0, valid), TEXT_REPLACE, to);
        secret = str_slice(secret, valid, secret.len);
        if (secret.len == 0)
            return;
        buf_append_c(to, TEXT_REPLACEMENT);
        secret = str_slice(secret, text_forbidden_length(secret), secret.len);
    }
}

static void append_reading(struct buf *to, struct str secret, enum reading reading)
{
    size_t begin = to->len;
    switch (reading) {
    case READ_IN_DETAIL:
        buf_append(to, secret);
        if (buf_ok(to))
            to->len = begin + error_clean(to->data + begin, secret.len);
        break;
    case READ_REPAIRED:
        append_repaired(to, secret);
        break;
    case READ_LATIN_1:
        append_latin_1(to, secret);
        break;
    case READ_AS_IT_IS:
    case READINGS:
        buf_append(to, secret);
        break;
    }
}

static void add_form(struct secret_forms *f, struct str secret, enum form form, enum place place)
{
    struct buf *to = &f->text;
    size_t begin = to->len;
    append_form(to, secret, form, place);
    for (size_t i = begin; i < to->len; i++)
        to->data[i] = (char)secret_fold(to->data[i]);
    f->texts[f->n++] = str_slice(buf_str(to), begin, to->len);
}

static void add_secret(struct secret_forms *f, struct str secret)
{
    for (int form = 0; form < FORMS; form++) {
        bool has_places = form == FORM_BASE64 || form == FORM_URL_BASE64;
        for (int place = 0; place < (has_places ? PLACES : 1); place++)
            add_form(f, secret, (enum form)form, (enum place)place);
    }
}

static void add_readings(struct secret_forms *f, struct str secret)
{
    for (int reading = 0; reading < READINGS; reading++) {
        size_t begin = f->text.len;
        append_reading(&f->text, secret, (enum reading)reading);
        struct str read = str_slice(buf_str(&f->text), begin, f->text.len);
        if (reading == READ_AS_IT_IS || !str_eq(read, secret))
            add_secret(f, read);
    }
}

/* No reading is more than so much longer than the secret, U+FFFD for each byte, and no form than a
 * reading, `&quot;`. */
#define READING_FACTOR 3
#define FORM_FACTOR 6

#define FORMS_MAX (READINGS * (FORMS + 2 * (PLACES - 1))) /* of one secret, at most */

void secret_forms_make(struct secret_forms *f, const struct str *secrets, size_t n)
{
    size_t room = 0;
    *f = (struct secret_forms){ .texts = xcalloc(n * FORMS_MAX + 1, sizeof *f->texts) };
    for (size_t i = 0; i < n; i++)
        room += secrets[i].len * READING_FACTOR * (FORMS_MAX * FORM_FACTOR + READINGS);
    buf_init(&f->text, room, NULL);
    (void)buf_reserve(&f->text, room); /* at once: growing would leave copies behind */
    for (size_t i = 0; i < n; i++)
        add_readings(f, secrets[i]);
    if (!buf_ok(&f->text))
        die_without_memory();
}

void secret_forms_done(struct secret_forms *f)
{
    buf_wipe(&f->text);
    free(f->texts);
}
