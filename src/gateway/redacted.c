/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/redacted.h"

#include <stdint.h>

/* `to` has room for it and does not move: a secret is longer than what it becomes. */
static struct str copy(const struct redactor *redactor, struct str text, struct buf *to)
{
    size_t from = to->len;
    if (text.data == NULL)
        return text;
    redact(redactor, text, to);
    return str_slice(buf_str(to), from, to->len);
}

void redacted_fault(const struct redactor *redactor, struct fault *fault, struct buf *text)
{
    buf_init(text, SIZE_MAX - 1, NULL);
    (void)buf_reserve(text, fault->string.len + fault->code_text.len + 1);
    fault->string = copy(redactor, fault->string, text);
    fault->code_text = copy(redactor, fault->code_text, text);
}

void redacted_protocol(const struct redactor *redactor, struct outcome_protocol *shown,
                       struct buf *text)
{
    struct problem_protocol *p = &shown->protocol;
    size_t all = p->url.len + p->message.len + p->content_type.len + p->body.len + 1;
    for (size_t i = 0; i < p->n_headers; i++)
        all += shown->headers[i].value.len;
    buf_init(text, SIZE_MAX - 1, NULL);
    (void)buf_reserve(text, all);
    p->url = copy(redactor, p->url, text);
    p->message = copy(redactor, p->message, text);
    p->content_type = copy(redactor, p->content_type, text);
    p->body = copy(redactor, p->body, text);
    for (size_t i = 0; i < p->n_headers; i++)
        shown->headers[i].value = copy(redactor, shown->headers[i].value, text);
}

void redacted_error(const struct redactor *redactor, struct error *err)
{
    struct buf text;
    buf_init(&text, sizeof err->detail, NULL);
    redact(redactor, str_of(err->detail), &text);
    if (buf_ok(&text))
        memcpy(err->detail, buf_c(&text), text.len + 1);
    buf_done(&text);
}
