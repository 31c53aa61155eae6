/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/redacted.h"

#include "settings/url.h"

#include <stdint.h>
#include <string.h>

/* A beginning of a secret may be shorter than what it becomes. */
#define LONGER_MAX ((size_t)3)

/* `to` has room for it and does not move: a secret is longer than what it becomes. */
static struct str copy(const struct redactor *redactor, struct str text, bool cut, struct buf *to)
{
    size_t from = to->len;
    if (text.data == NULL)
        return text;
    if (cut)
        redact_cut(redactor, text, to);
    else
        redact(redactor, text, to);
    return str_slice(buf_str(to), from, to->len);
}

/* Of a text of `max` bytes more may have been cut off. */
static struct str copy_within(const struct redactor *redactor, struct str text, size_t max,
                              struct buf *to)
{
    return copy(redactor, text, text.len >= max, to);
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
    return copy(redactor, buf_str(&hidden), false, to);
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

static void take_fault(const struct redactor *redactor, struct budget *budget, struct redacted *ret)
{
    struct fault *fault = &ret->fault;
    struct buf *text = &ret->text;
    size_t spare = 2 * LONGER_MAX + 1;
    *fault = *ret->problem.fault;
    ret->problem.fault = fault;
    buf_init(text, SIZE_MAX - 1, budget);
    if (!buf_reserve(text, fault->string.len + fault->code_text.len + spare)) {
        fault_shorten(fault);
        buf_init(text, SIZE_MAX - 1, NULL);
        (void)buf_reserve(text, fault->string.len + fault->code_text.len + spare);
    }
    fault->string = copy(redactor, fault->string, fault->truncated, text);
    fault->code_text = copy(redactor, fault->code_text, fault->truncated, text);
}

static void take_headers(const struct redactor *redactor, struct redacted *ret)
{
    struct problem_protocol *p = &ret->protocol;
    if (p->n_headers > PROBLEM_HEADERS_MAX)
        p->n_headers = PROBLEM_HEADERS_MAX;
    for (size_t i = 0; i < p->n_headers; i++)
        ret->headers[i] =
            (struct problem_header){ p->headers[i].name,
                                     copy_header(redactor, &p->headers[i], &ret->text) };
    p->headers = ret->headers;
}

static void take_protocol(const struct redactor *redactor, struct redacted *ret)
{
    struct problem_protocol *p = &ret->protocol;
    struct buf *text = &ret->text;
    *p = *ret->problem.protocol;
    ret->problem.protocol = p;
    size_t all =
        p->url.len + p->message.len + p->content_type.len + p->body.len + 3 * LONGER_MAX + 1;
    for (size_t i = 0; i < p->n_headers; i++)
        all += p->headers[i].value.len + LONGER_MAX;
    (void)buf_reserve(text, all);
    p->url = copy(redactor, p->url, false, text);
    p->message = copy_within(redactor, p->message, PROBLEM_TEXT_MAX, text);
    p->content_type = copy_within(redactor, p->content_type, PROBLEM_TEXT_MAX, text);
    p->body = copy_within(redactor, p->body, PROBLEM_PEEK_MAX, text);
    take_headers(redactor, ret);
}

void redacted_detail(const struct redactor *redactor, const struct error *err, struct buf *to)
{
    redact_sentence(redactor, str_of(err->detail), err->is_cut, to);
}

/* What it becomes is longer where many beginnings of secrets are hidden. */
static void take_error(const struct redactor *redactor, struct redacted *ret)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX - 1, NULL);
    ret->error = *ret->problem.error;
    ret->problem.error = &ret->error;
    redacted_detail(redactor, &ret->error, &text);
    struct str shown = error_cut(buf_str(&text), ERROR_DETAIL_MAX - 1).text;
    memcpy(ret->error.detail, shown.data, shown.len);
    ret->error.detail[shown.len] = '\0';
}

void redacted_make(const struct problem *problem, const struct redactor *redactor,
                   struct budget *budget, struct redacted *ret)
{
    ret->problem = *problem;
    buf_init(&ret->text, SIZE_MAX - 1, NULL);
    take_error(redactor, ret);
    if (problem->fault != NULL)
        take_fault(redactor, budget, ret);
    else if (problem->protocol != NULL)
        take_protocol(redactor, ret);
}

void redacted_done(struct redacted *redacted)
{
    buf_done(&redacted->text);
}
