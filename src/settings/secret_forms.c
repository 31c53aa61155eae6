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

/* How each may be written: escaped for HTML or XML, for JSON, as a literal of some language, or in
 * Base64. */
enum form {
    FORM_PLAIN,
    FORM_XML,
    FORM_XML_QUOTES,
    FORM_HTML_39,  /* Ruby, JavaScript */
    FORM_HTML_039, /* PHP */
    FORM_HTML_X27, /* Python */
    FORM_HTML_APOS,
    FORM_HTML_NUMBERS, /* Go */
    FORM_XML_TWICE,    /* and these seven by one who takes them for plain text */
    FORM_TWICE_LAST = FORM_XML_TWICE + (FORM_HTML_NUMBERS - FORM_XML),
    FORM_JSON,
    FORM_JSON_SLASH,
    FORM_JSON_ASCII,
    FORM_JSON_ASCII_SLASH, /* PHP */
    FORM_JSON_HTML,        /* Go */
    FORM_LITERAL,          /* Python's repr() */
    FORM_SLASHES,          /* PHP's addslashes(), SQL */
    FORM_BASE64,
    FORM_URL_BASE64,
    FORMS
};

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

/* What becomes of some characters; NULL: they are written as they are. */
struct escapes {
    const char *amp, *lt, *gt, *quot, *apos, *backslash, *slash;
    bool ascii; /* other characters than those of ASCII are `\u00e4` */
};

static const struct escapes escapes[FORMS] = {
    [FORM_XML] = { .amp = "&amp;", .lt = "&lt;", .gt = "&gt;" },
    [FORM_XML_QUOTES] = { .amp = "&amp;", .lt = "&lt;", .gt = "&gt;", .quot = "&quot;" },
    [FORM_HTML_39] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;", NULL, NULL, false },
    [FORM_HTML_039] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#039;", NULL, NULL, false },
    [FORM_HTML_X27] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#x27;", NULL, NULL, false },
    [FORM_HTML_APOS] = { "&amp;", "&lt;", "&gt;", "&quot;", "&apos;", NULL, NULL, false },
    [FORM_HTML_NUMBERS] = { "&amp;", "&lt;", "&gt;", "&#34;", "&#39;", NULL, NULL, false },
    [FORM_JSON] = { .quot = "\\\"", .backslash = "\\\\" },
    [FORM_JSON_SLASH] = { .quot = "\\\"", .backslash = "\\\\", .slash = "\\/" },
    [FORM_JSON_ASCII] = { .quot = "\\\"", .backslash = "\\\\", .ascii = true },
    [FORM_JSON_ASCII_SLASH] = { .quot = "\\\"",
                                .backslash = "\\\\",
                                .slash = "\\/",
                                .ascii = true },
    [FORM_JSON_HTML] = { .amp = "\\u0026",
                         .lt = "\\u003c",
                         .gt = "\\u003e",
                         .quot = "\\\"",
                         .backslash = "\\\\" },
    [FORM_LITERAL] = { .apos = "\\'", .backslash = "\\\\" },
    [FORM_SLASHES] = { .quot = "\\\"", .apos = "\\'", .backslash = "\\\\" },
};

static const char *escape_of(const struct escapes *e, char c)
{
    switch (c) {
    case '&':
        return e->amp;
    case '<':
        return e->lt;
    case '>':
        return e->gt;
    case '"':
        return e->quot;
    case '\'':
        return e->apos;
    case '\\':
        return e->backslash;
    case '/':
        return e->slash;
    default:
        return NULL;
    }
}

static void append_unit(struct buf *to, unsigned unit)
{
    static const char digits[] = "0123456789abcdef";
    buf_append_c(to, "\\u");
    for (unsigned shift = 16; shift > 0; shift -= 4)
        buf_append_byte(to, digits[unit >> (shift - 4) & 15]);
}

/* RFC 8259 section 7. Returns the character's length; what is none stays. */
static size_t append_ascii(struct buf *to, struct str text)
{
    unsigned char first = (unsigned char)text.data[0];
    size_t len = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (len == 1 || utf8_valid_prefix(str_slice(text, 0, len < text.len ? len : text.len)) < len) {
        buf_append_byte(to, text.data[0]);
        return 1;
    }
    uint32_t code = first & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++)
        code = code << 6 | ((unsigned char)text.data[i] & 0x3F);
    if (code >= 0x10000)
        append_unit(to, 0xD800 + ((code - 0x10000) >> 10));
    append_unit(to, code >= 0x10000 ? 0xDC00 + (code & 0x3FF) : code);
    return len;
}

static void append_escaped(struct buf *to, struct str secret, const struct escapes *e)
{
    for (size_t i = 0; i < secret.len;) {
        const char *escape = escape_of(e, secret.data[i]);
        if (escape == NULL && e->ascii) {
            i += append_ascii(to, str_slice(secret, i, secret.len));
            continue;
        }
        if (escape != NULL)
            buf_append_c(to, escape);
        else
            buf_append_byte(to, secret.data[i]);
        i++;
    }
}

/* Of what the first escaping leaves, only `&` is escaped again. */
static void append_twice(struct buf *to, struct str secret, enum form form)
{
    for (size_t i = 0; i < secret.len; i++) {
        const char *escape = escape_of(&escapes[form], secret.data[i]);
        if (escape != NULL)
            buf_printf(to, "&amp;%s", escape + 1);
        else
            buf_append_byte(to, secret.data[i]);
    }
}

static void append_form(struct buf *to, struct str secret, enum form form, enum place place)
{
    size_t begin = to->len;
    if (form == FORM_PLAIN)
        buf_append(to, secret);
    else if (form >= FORM_XML_TWICE && form <= FORM_TWICE_LAST)
        append_twice(to, secret, form - FORM_XML_TWICE + FORM_XML);
    else if (form < FORM_BASE64)
        append_escaped(to, secret, &escapes[form]);
    else
        append_base64(to, secret, place);
    if (form == FORM_URL_BASE64)
        use_url_alphabet(to->data + begin, to->len - begin);
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

/* What was added last may be again; most secrets have nothing to escape. */
static bool is_known(const struct secret_forms *f, size_t first, struct str text)
{
    for (size_t i = first; i < f->n; i++)
        if (str_eq(f->texts[i], text))
            return true;
    return false;
}

static void add_form(struct secret_forms *f, size_t first, struct str secret, enum form form,
                     enum place place)
{
    struct buf *to = &f->text;
    size_t begin = to->len;
    append_form(to, secret, form, place);
    for (size_t i = begin; i < to->len; i++)
        to->data[i] = (char)secret_fold(to->data[i]);
    struct str text = str_slice(buf_str(to), begin, to->len);
    if (!is_known(f, first, text)) {
        f->texts[f->n++] = text;
        return;
    }
    wipe(to->data + begin, to->len - begin);
    to->len = begin;
}

static void add_secret(struct secret_forms *f, struct str secret)
{
    size_t first = f->n;
    for (int form = 0; form < FORMS; form++)
        for (int place = 0; place < (form >= FORM_BASE64 ? PLACES : 1); place++)
            add_form(f, first, secret, (enum form)form, (enum place)place);
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
 * reading, `&amp;quot;`, or where nothing is to be escaped for HTML `\\u00e4`. */
#define READING_FACTOR 3
#define FORM_FACTOR 10
#define FORM_FACTOR_PLAIN 6

#define FORMS_MAX (READINGS * (FORMS + 2 * (PLACES - 1))) /* of one secret, at most */

static size_t form_factor(struct str secret)
{
    for (size_t i = 0; i < secret.len; i++)
        if (strchr("&<>\"'", secret.data[i]) != NULL)
            return FORM_FACTOR;
    return FORM_FACTOR_PLAIN;
}

void secret_forms_make(struct secret_forms *f, const struct str *secrets, size_t n)
{
    size_t room = 0;
    *f = (struct secret_forms){ .texts = xcalloc(n * FORMS_MAX + 1, sizeof *f->texts) };
    for (size_t i = 0; i < n; i++)
        room += secrets[i].len * READING_FACTOR * (FORMS_MAX * form_factor(secrets[i]) + READINGS);
    buf_init(&f->text, room, NULL);
    (void)buf_reserve(&f->text, room); /* at once: growing would leave copies behind */
    for (size_t i = 0; i < n; i++)
        add_readings(f, secrets[i]);
    if (!buf_ok(&f->text))
        die_without_memory();
}

/* Nearly all of its room was never used. */
void secret_forms_done(struct secret_forms *f)
{
    if (f->text.len > 0)
        wipe(f->text.data, f->text.len);
    buf_done(&f->text);
    free(f->texts);
}
