/* SPDX-License-Identifier: Apache-2.0 */
#include "client/redacted.h"

#include "settings/url.h"

#include <stdint.h>

/* A beginning of a secret may be shorter than what it becomes. */
#define LONGER_MAX ((size_t)3)

/* `to` has room for it and does not move: a secret is longer than what it becomes. Of a text of
 * `max` bytes more may have been cut off. */
static struct str copy_within(const struct redactor *redactor, struct str text, size_t max,
                              struct buf *to)
{
    size_t from = to->len;
    if (text.data == NULL)
        return text;
    if (text.len < max)
        redact(redactor, text, to);
    else
        redact_cut(redactor, text, to);
    return str_slice(buf_str(to), from, to->len);
}

static struct str copy(const struct redactor *redactor, struct str text, struct buf *to)
{
    return copy_within(redactor, text, SIZE_MAX, to);
}

/* A redirect's target may have a login of the server's own. */
static struct str copy_header(const struct redactor *redactor, const struct problem_header *header,
                              struct buf *to)
{
    CLEANUP(buf_wipe) struct buf hidden;
    buf_init(&hidden, header->value.len + 8, NULL);
    if (str_eq(header->name, STR("Location")))
        url_append_hidden(header->value, &hidden);
    else
        buf_append(&hidden, header->value);
    return copy(redactor, buf_str(&hidden), to);
}

/* What of a fault's texts there is always room for. [bytes] */
#define FAULT_LEAST ((size_t)512)

static void shorten(struct str *text, bool *truncated)
{
    if (text->len <= FAULT_LEAST)
        return;
    text->len = utf8_valid_prefix(str_slice(*text, 0, FAULT_LEAST));
    *truncated = true;
}

void fault_shorten(struct fault *fault)
{
    shorten(&fault->string, &fault->truncated);
    shorten(&fault->code_text, &fault->truncated);
}

void redacted_fault(const struct redactor *redactor, struct fault *fault, struct budget *budget,
                    struct buf *text)
{
    size_t spare = 2 * LONGER_MAX + 1;
    buf_init(text, SIZE_MAX - 1, budget);
    if (!buf_reserve(text, fault->string.len + fault->code_text.len + spare)) {
        fault_shorten(fault);
        buf_init(text, SIZE_MAX - 1, NULL);
        (void)buf_reserve(text, fault->string.len + fault->code_text.len + spare);
    }
    size_t max = fault->truncated ? 0 : SIZE_MAX;
    fault->string = copy_within(redactor, fault->string, max, text);
    fault->code_text = copy_within(redactor, fault->code_text, max, text);
}

void redacted_protocol(const struct redactor *redactor, struct outcome_protocol *shown,
                       struct buf *text)
{
    struct problem_protocol *p = &shown->protocol;
    size_t all =
        p->url.len + p->message.len + p->content_type.len + p->body.len + 3 * LONGER_MAX + 1;
    for (size_t i = 0; i < p->n_headers; i++)
        all += shown->headers[i].value.len + LONGER_MAX;
    buf_init(text, SIZE_MAX - 1, NULL);
    (void)buf_reserve(text, all);
    p->url = copy(redactor, p->url, text);
    p->message = copy_within(redactor, p->message, UPSTREAM_TEXT_MAX - 1, text);
    p->content_type = copy_within(redactor, p->content_type, UPSTREAM_TEXT_MAX - 1, text);
    p->body = copy_within(redactor, p->body, OUTCOME_BODY_MAX, text);
    for (size_t i = 0; i < p->n_headers; i++)
        shown->headers[i].value = copy_header(redactor, &shown->headers[i], text);
}

/* A detail of that length may have been cut, within a character at the latest. */
#define DETAIL_FULL ((size_t)ERROR_DETAIL_MAX - 4)

/* What it becomes is longer where many beginnings of secrets are hidden. */
void redacted_error(const struct redactor *redactor, struct error *err)
{
    struct str detail = str_of(err->detail);
    struct buf text;
    buf_init(&text, SIZE_MAX - 1, NULL);
    redact_sentence(redactor, detail, detail.len >= DETAIL_FULL, &text);
    struct str shown = error_cut(buf_str(&text), ERROR_DETAIL_MAX - 1).text;
    memcpy(err->detail, shown.data, shown.len);
    err->detail[shown.len] = '\0';
    buf_done(&text);
}
