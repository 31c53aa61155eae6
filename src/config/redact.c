/* SPDX-License-Identifier: Apache-2.0 */
#include "config/redact.h"

#include "base/alloc.h"
#include "base/chain.h"
#include "codec/base64.h"
#include "config/store.h"

#include <stdint.h>
#include <stdlib.h>

#define FORMS 5 /* at most, of one secret */

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
    default:
        append_escaped(to, secret, form == 4);
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
    redactor->begins['+'] |= redactor->begins[' '];
    redactor->begins['%'] = n > 0;
    return redactor;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* How much of `text` stands for that byte, as it is or percent-encoded; 0: nothing does. Which
 * bytes are encoded (RFC 3986 section 2.1) differs from program to program, as does a blank's form.
 */
static size_t byte_at(struct str text, char byte)
{
    if (text.len >= 3 && text.data[0] == '%') {
        int high = digit_of(text.data[1]), low = digit_of(text.data[2]);
        if (high >= 0 && low >= 0 && high * 16 + low == (unsigned char)byte)
            return 3;
    }
    return text.len > 0 && (text.data[0] == byte || (byte == ' ' && text.data[0] == '+')) ? 1 : 0;
}

/* Is this the end of a text that was cut, within a byte's form at the latest? */
static bool is_cut_here(struct str rest)
{
    return rest.len == 0 || (rest.len < 3 && rest.data[0] == '%');
}

static size_t pattern_at(struct str text, struct str pattern, bool cut)
{
    size_t at = 0;
    for (size_t i = 0; i < pattern.len; i++) {
        struct str rest = str_slice(text, at, text.len);
        size_t len = byte_at(rest, pattern.data[i]);
        if (len == 0)
            return cut && is_cut_here(rest) ? text.len : 0;
        at += len;
    }
    return at;
}

/* Length of the longest secret that `text` begins with; 0: none. */
static size_t secret_at(const struct redactor *redactor, struct str text, bool cut)
{
    for (size_t i = 0; i < redactor->n; i++) {
        size_t len = pattern_at(text, redactor->patterns[i], cut);
        if (len > 0)
            return len;
    }
    return 0;
}

static void run(const struct redactor *redactor, struct str text, bool cut, struct buf *to)
{
    size_t clean = 0, at = 0;
    while (redactor != NULL && at < text.len) {
        size_t found = 0;
        if (redactor->begins[(unsigned char)text.data[at]])
            found = secret_at(redactor, str_slice(text, at, text.len), cut);
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

void redact(const struct redactor *redactor, struct str text, struct buf *to)
{
    run(redactor, text, false, to);
}

void redact_cut(const struct redactor *redactor, struct str text, struct buf *to)
{
    run(redactor, text, true, to);
}
