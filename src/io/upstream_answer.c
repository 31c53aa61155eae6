/* SPDX-License-Identifier: Apache-2.0 */
/* An answer of HTTP/1.1 as its bytes come, on a connection of ours: its head, what may stand before
 * it, its body. What two readers could understand differently is refused, as it is with libcurl. */
#include "base/sixteen.h"
#include "io/upstream_inside.h"

#include <stdio.h>
#include <string.h>

#define BARE_CR "the response's head has a line with a CR that does not end it"

static bool refuse(struct exchange *x, const char *why)
{
    x->head.fault = why;
    return false;
}

/* RFC 9112 section 2.2: some readers take a CR for a line's end, some for a blank, some for a part
 * of the text. */
static bool has_bare_cr(struct str line)
{
    size_t cr = str_find(line, '\r');
    return cr < line.len && cr + 2 != line.len;
}

static bool is_odd(char byte)
{
    return byte == '\0' || byte == '\r';
}

/* Has it a NUL, or a CR before its end? Hardly any line has, so that this is asked before which. */
static bool has_odd_bytes(struct str line)
{
    struct str text = response_line_text(line);
    size_t at = 0;
    for (; text.len - at >= sizeof(bytes16); at += sizeof(bytes16)) {
        bytes16 b = sixteen_bytes(text.data + at);
        if (sixteen_first((bytes16)(b == 0) | (bytes16)(b == '\r')) < sizeof b)
            return true;
    }
    while (at < text.len && !is_odd(text.data[at]))
        at++;
    return at < text.len;
}

static bool is_blank_length(struct str text, size_t colon)
{
    return colon < text.len && str_trim(str_slice(text, colon + 1, text.len)).len == 0 &&
           str_eq_nocase(str_trim(str_slice(text, 0, colon)), STR("Content-Length"));
}

/* Does it end as one without a value would? */
static bool may_be_blank(struct str text)
{
    char last = text.len > 0 ? text.data[text.len - 1] : 'x';
    return last == ':' || last == ' ' || last == '\t';
}

/* What has one meaning only, and others read, is passed over (decision 16). `text`: the line
 * without its end. */
static bool is_passed_over(struct exchange *x, struct str line, struct str text)
{
    struct http1 *h = &x->http1;
    if (x->head.at_start || !may_be_blank(text) || response_head_is_folded(line))
        return false;
    bool is_blank = is_blank_length(text, str_find(text, ':'));
    h->has_blank_length |= is_blank;
    h->is_strange |= is_blank;
    return is_blank && response_head_count(&x->head, line);
}

static bool take_head_line(struct exchange *x, struct str line)
{
    struct str text = response_line_text(line);
    if (x->call->on_trace != NULL)
        x->call->on_trace(x->call, false, line);
    if (UNLIKELY(has_odd_bytes(line)))
        return refuse(x,
                      memchr(line.data, '\0', line.len) != NULL ? "Nul byte in header" : BARE_CR);
    if (x->head.is_cgi && str_starts_with(str_trim(text), STR("HTTP/")))
        return refuse(x,
                      "the answer is one of HTTP, not of SCGI: does the URL begin with http://?");
    if (!x->head.at_start && response_head_is_status(text))
        return refuse(x, "the response's head has a second status line, which is no header");
    bool at_start = x->head.at_start;
    if (!is_passed_over(x, line, text) && !response_head_line(&x->head, line))
        return false;
    x->http1.is_strange |= x->head.has_no_field;
    if (at_start && x->head.status < 100)
        return refuse(x, "the answer is not HTTP/1: its status line has no status");
    if (x->http1.has_blank_length && x->head.has_length) {
        x->head.fault_of_length = true;
        return refuse(x, "the response has two different Content-Length");
    }
    if (UNLIKELY(x->upstream->config->cookies || x->call->on_cookie != NULL))
        lines_take_cookie(x, line);
    return x->call != NULL; /* or it was cancelled meanwhile */
}

/* The next line of a head, or of trailers; empty: it has not ended. It stays until the next. */
static struct str next_line(struct exchange *x, struct str *in)
{
    struct buf *partial = &x->http1.partial;
    size_t end = str_find(*in, '\n');
    struct str line = str_slice(*in, 0, end < in->len ? end + 1 : end);
    bool has_ended = end < in->len;
    if (partial->len > 0 || !has_ended) {
        buf_append(partial, line);
        if (!buf_ok(partial))
            refuse(x, "the response's head has more than 100 lines or 64 KiB");
        line = buf_str(partial);
    }
    *in = str_slice(*in, has_ended ? end + 1 : end, in->len);
    return has_ended ? line : str_slice(line, 0, 0);
}

/* The first bytes tell already whether it is HTTP. */
static bool may_be_http(const struct exchange *x, struct str in)
{
    struct str begin = x->http1.partial.len > 0 ? buf_str(&x->http1.partial) : in;
    struct str word = STR("HTTP/");
    size_t n = begin.len < word.len ? begin.len : word.len;
    return str_eq(str_slice(begin, 0, n), str_slice(word, 0, n));
}

/* RFC 9112 section 4, as strictly as libcurl. */
static bool has_status_line(struct str line)
{
    uint64_t ignored;
    line = response_line_text(line);
    return line.len >= 12 &&
           (str_starts_with(line, STR("HTTP/1.1 ")) || str_starts_with(line, STR("HTTP/1.0 "))) &&
           str_to_uint(str_slice(line, 9, 12), 999, &ignored) &&
           (line.len == 12 || line.data[12] == ' ');
}

/* False: it has ended. */
static bool take_head(struct exchange *x, struct str *in)
{
    while (in->len > 0 && !x->head.complete) {
        bool at_start = x->head.at_start;
        struct str line = next_line(x, in);
        if (x->head.fault == NULL && at_start &&
            (!may_be_http(x, line) || (line.len > 0 && !has_status_line(line)))) {
            http1_tell(x, "Received HTTP/0.9 when not allowed");
            http1_end(x, CURLE_UNSUPPORTED_PROTOCOL);
            return false;
        }
        if (x->head.fault != NULL || (line.len > 0 && !take_head_line(x, line))) {
            http1_end(x, CURLE_WRITE_ERROR);
            return false;
        }
        if (line.len > 0)
            buf_clear(&x->http1.partial);
    }
    if (!x->head.complete)
        return true;
    body_start(&x->http1.body, &x->head);
    if (x->http1.is_strange)
        kept_tell_strange(x->upstream);
    exchange_tell_head(x);
    return x->call != NULL;
}

static bool take_trailers(struct exchange *x, struct str *in)
{
    while (in->len > 0 && !x->http1.is_over) {
        struct str line = next_line(x, in);
        if (x->head.fault == NULL && has_bare_cr(line))
            x->head.fault = BARE_CR;
        if (x->head.fault != NULL || (line.len > 0 && !response_head_line(&x->head, line))) {
            http1_end(x, CURLE_WRITE_ERROR);
            return false;
        }
        if (line.len == 0)
            break;
        x->http1.is_strange |= str_find(line, ':') == line.len && response_line_text(line).len > 0;
        x->http1.is_over = response_line_text(line).len == 0;
        buf_clear(&x->http1.partial);
    }
    return true;
}

/* It waits; the same bytes come again from there. */
static void hold(struct exchange *x, struct str rest)
{
    struct buf *held = &x->http1.held;
    if (rest.data == held->data)
        return;
    if (held->data != NULL && rest.data > held->data && rest.data <= held->data + held->len) {
        memmove(held->data, rest.data, rest.len);
        held->len = rest.len;
        return;
    }
    buf_clear(held);
    buf_append(held, rest);
}

static bool take_content(struct exchange *x, struct str *in, struct str piece)
{
    whole_begin(x);
    size_t taken = exchange_take(x, piece);
    if (taken == CURL_WRITEFUNC_PAUSE) {
        hold(x, *in);
        return false;
    }
    if (taken != piece.len) {
        http1_end(x, CURLE_WRITE_ERROR);
        return false;
    }
    whole_note(x, taken);
    body_take(&x->http1.body, in, taken);
    return true;
}

/* False: it has ended, or waits. */
static bool take_body(struct exchange *x, struct str *in)
{
    struct http1 *h = &x->http1;
    struct str piece;
    while (!h->is_over) {
        switch (body_next(&h->body, in, &piece)) {
        case BODY_MORE:
            return true;
        case BODY_CONTENT:
            if (!take_content(x, in, piece))
                return false;
            break;
        case BODY_TRAILERS:
            if (in->len == 0)
                return true;
            if (!take_trailers(x, in))
                return false;
            break;
        case BODY_END:
            h->is_over = true;
            break;
        case BODY_BAD:
            snprintf(x->error, sizeof x->error, "Problem in the chunked-encoded data: %s",
                     h->body.fault);
            http1_end(x, CURLE_RECV_ERROR);
            return false;
        }
    }
    return true;
}

bool http1_take(struct exchange *x, struct str in)
{
    struct http1 *h = &x->http1;
    if (!x->head.complete && !take_head(x, &in))
        return false;
    if (x->head.complete && !take_body(x, &in))
        return false;
    if (h->is_over) {
        h->is_surplus = in.len > 0;
        http1_end(x, CURLE_OK);
    }
    return !h->is_over;
}
