/* SPDX-License-Identifier: Apache-2.0 */
#include "config/redact.h"

#include "base/alloc.h"
#include "base/chain.h"
#include "codec/base64.h"
#include "config/store.h"

#include <stdint.h>
#include <stdlib.h>

#define FORMS 7 /* at most, of one secret */

struct redactor {
    struct str *patterns; /* the longest first */
    size_t n;
    bool begins[256]; /* is that byte the first of some pattern? */
};

/* Base64 without padding, which may or may not be shown. `url` chooses the other alphabet
 * (RFC 4648 section 5). */
static void append_base64(struct buf *to, struct str secret, bool url)
{
    struct base64 state;
    struct chain text;
    chain_init(&text, SIZE_MAX, NULL);
    base64_begin(&state, &text, 0);
    base64_encode(&state, secret);
    base64_encode_end(&state);
    for (const struct chain_block *b = text.first; b != NULL; b = b->next)
        buf_append(to, (struct str){ b->data, b->len });
    wipe(text.first->data, text.first->len);
    chain_done(&text);
    while (to->len > 0 && to->data[to->len - 1] == '=')
        to->len--;
    for (size_t i = 0; url && i < to->len; i++)
        to->data[i] = to->data[i] == '+' ? '-' : to->data[i] == '/' ? '_' : to->data[i];
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* RFC 3986 section 2.1; both cases of the digits are seen. */
static void append_percent(struct buf *to, struct str secret, const char *digits)
{
    for (size_t i = 0; i < secret.len; i++) {
        unsigned char c = (unsigned char)secret.data[i];
        if (is_unreserved(secret.data[i]))
            buf_append_byte(to, secret.data[i]);
        else
            buf_printf(to, "%%%c%c", digits[c >> 4], digits[c & 0xF]);
    }
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

static void append_form(struct buf *to, struct str secret, unsigned form)
{
    switch (form) {
    case 0:
        buf_append(to, secret);
        break;
    case 1:
    case 2:
        append_base64(to, secret, form == 2);
        break;
    case 3:
        append_percent(to, secret, "0123456789ABCDEF");
        break;
    case 4:
        append_percent(to, secret, "0123456789abcdef");
        break;
    default:
        append_escaped(to, secret, form == 6);
        break;
    }
}

static int longest_first(const void *a, const void *b)
{
    const struct str *one = a, *other = b;
    return (one->len < other->len) - (one->len > other->len);
}

struct redactor *redactor_new(struct store *store, const struct str *secrets, size_t n)
{
    struct redactor *redactor = store_alloc(store, 1, sizeof *redactor);
    redactor->patterns = store_alloc(store, n * FORMS, sizeof *redactor->patterns);
    for (size_t i = 0; i < n; i++) {
        for (unsigned form = 0; form < FORMS; form++) {
            struct buf text;
            buf_init(&text, SIZE_MAX - 1, NULL);
            append_form(&text, secrets[i], form);
            if (form == 0 || !str_eq(buf_str(&text), secrets[i]))
                redactor->patterns[redactor->n++] =
                    (struct str){ store_secret(store, buf_str(&text)), text.len };
            buf_wipe(&text);
        }
    }
    qsort(redactor->patterns, redactor->n, sizeof *redactor->patterns, longest_first);
    for (size_t i = 0; i < redactor->n; i++)
        redactor->begins[(unsigned char)redactor->patterns[i].data[0]] = true;
    return redactor;
}

/* Length of the longest secret that `text` begins with; 0: none. */
static size_t secret_at(const struct redactor *redactor, struct str text)
{
    for (size_t i = 0; i < redactor->n; i++)
        if (str_starts_with(text, redactor->patterns[i]))
            return redactor->patterns[i].len;
    return 0;
}

void redact(const struct redactor *redactor, struct str text, struct buf *to)
{
    size_t clean = 0, at = 0;
    while (redactor != NULL && at < text.len) {
        size_t found = 0;
        if (redactor->begins[(unsigned char)text.data[at]])
            found = secret_at(redactor, str_slice(text, at, text.len));
        if (found == 0) {
            at++;
            continue;
        }
        buf_append(to, str_slice(text, clean, at));
        buf_append_c(to, "***");
        at += found;
        clean = at;
    }
    buf_append(to, str_slice(text, clean, text.len));
}
