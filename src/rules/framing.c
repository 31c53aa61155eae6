/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/framing.h"

#include "rules/host.h"
#include "rules/token.h"

static bool is_value(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

static bool check_size(const struct request_head *head, const struct framing_limits *limits,
                       struct error *err)
{
    if (head->n_headers > limits->header_count)
        return error_limit(err, PROBLEM_INVALID_REQUEST, "limits.header_count",
                           "The request has %zu header lines; limits.header_count allows %zu. "
                           "Send fewer, or raise the limit.",
                           head->n_headers, limits->header_count);
    if (head->head_bytes > limits->head_bytes)
        return error_limit(err, PROBLEM_INVALID_REQUEST, "limits.headers",
                           "The request's head has %zu bytes; limits.headers allows %zu. "
                           "Send less, or raise the limit.",
                           head->head_bytes, limits->head_bytes);
    return true;
}

static bool check_layout(const struct request_head *head, struct error *err)
{
    if (head->malformed)
        return error_set(err, PROBLEM_INVALID_REQUEST,
                         "The request's head has a NUL, a folded line, a bare line feed or a "
                         "header without a name: send each header on one line that ends with CR "
                         "LF.");
    if (!token_is_valid(head->method))
        return error_set(err, PROBLEM_INVALID_REQUEST,
                         "The request's HTTP method is not a token: use POST, GET or HEAD.");
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct header *h = &head->headers[i];
        if (h->is == HEADER_OTHER && !token_is_valid(h->name)) /* the known ones are tokens */
            return error_set(err, PROBLEM_INVALID_REQUEST,
                             "The name of header %zu is not a token: use letters, digits and "
                             "`-`, and no space before the colon.",
                             i + 1);
        if (!is_value(h->value))
            return error_set(err, PROBLEM_INVALID_REQUEST,
                             "The value of header \"%.*s\" holds a control character: remove it.",
                             (int)(h->name.len < 100 ? h->name.len : 100), h->name.data);
    }
    return true;
}

/* Over a unix socket nothing follows from it, and clients write the socket's path there. */
static bool check_host(const struct request_head *head, struct error *err)
{
    struct host host;
    size_t n = head_count(head, HEADER_HOST);
    if (n == 0 && head->http_1_0)
        return true;
    if (n != 1)
        return error_set(err, PROBLEM_INVALID_REQUEST,
                         "The request has %zu Host headers: send exactly one.", n);
    if (!head->local.is_unix && !host_parse(str_trim(head_find(head, HEADER_HOST)->value), &host))
        return error_set(err, PROBLEM_INVALID_REQUEST,
                         "The Host header is not a host with an optional port: send `Host: "
                         "NAME:PORT`, an IPv6 address in brackets.");
    return true;
}

/* RFC 9110 sections 4.2.1 and 4.2.4: a host must be there, and a user in front of it may be meant
 * to be taken for one. */
static bool check_authority(const struct request_head *head, struct error *err)
{
    struct host host;
    struct str authority = head->authority;
    if (authority.data == NULL)
        return true;
    bool good = head->local.is_unix ? str_find(authority, '@') == authority.len
                                    : host_parse(authority, &host) && host.name.len > 0;
    if (authority.len > 0 && good)
        return true;
    return error_set(err, PROBLEM_INVALID_REQUEST,
                     "The request's target has no host with an optional port behind `://`: send "
                     "the path alone, as in `POST /v1/UPSTREAM/METHOD`, or a host without a user.");
}

/* With a blank behind it the HTTP server that we stand on would not see that it is. */
static bool is_chunked(struct str value)
{
    struct str trimmed = str_trim(value);
    return str_eq_nocase(trimmed, STR("chunked")) &&
           trimmed.data + trimmed.len == value.data + value.len;
}

/* RFC 9112 section 6.3: with both, or with a coding that is unknown, one reader ends the body at
 * another place than the next. */
static bool check_body_length(const struct request_head *head, struct error *err)
{
    uint64_t length;
    size_t n_lengths = head_count(head, HEADER_CONTENT_LENGTH);
    size_t n_codings = head_count(head, HEADER_TRANSFER_ENCODING);
    if (n_lengths > 1)
        return error_set(err, PROBLEM_INVALID_REQUEST,
                         "The request has %zu Content-Length headers: send at most one.",
                         n_lengths);
    if (n_lengths == 1 && !head_content_length(head, &length))
        return error_set(err, PROBLEM_INVALID_REQUEST,
                         "The Content-Length is not a number of bytes: send decimal digits only.");
    if (n_codings == 0)
        return true;
    if (n_lengths == 1)
        return error_set(err, PROBLEM_INVALID_REQUEST,
                         "The request has a Content-Length and a Transfer-Encoding: send only one "
                         "of them.");
    if (head->http_1_0)
        return error_set(err, PROBLEM_INVALID_REQUEST,
                         "HTTP/1.0 has no Transfer-Encoding: send a Content-Length, or use "
                         "HTTP/1.1.");
    const struct header *coding = head_find(head, HEADER_TRANSFER_ENCODING);
    if (n_codings > 1 || !is_chunked(coding->value))
        return error_set(err, PROBLEM_INVALID_REQUEST,
                         "The Transfer-Encoding is not `chunked` alone: send `Transfer-Encoding: "
                         "chunked`, or a Content-Length.");
    return true;
}

/* A list, whose elements may be empty (RFC 9110 section 5.6.1). */
static bool is_expectation(struct str value)
{
    while (value.len > 0) {
        size_t end = str_find(value, ',');
        struct str one = str_trim(str_slice(value, 0, end));
        if (one.len > 0 && !str_eq_nocase(one, STR("100-continue")))
            return false;
        value = str_slice(value, end < value.len ? end + 1 : end, value.len);
    }
    return true;
}

static bool check_expect(const struct request_head *head, struct error *err)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct header *h = &head->headers[i];
        if (h->is == HEADER_EXPECT && !is_expectation(h->value))
            return error_set(err, PROBLEM_INVALID_REQUEST,
                             "The Expect header is not `100-continue`: leave it out.");
    }
    return true;
}

bool framing_check(const struct request_head *head, const struct framing_limits *limits,
                   struct error *err)
{
    return check_size(head, limits, err) && check_layout(head, err) && check_host(head, err) &&
           check_authority(head, err) && check_body_length(head, err) && check_expect(head, err);
}
