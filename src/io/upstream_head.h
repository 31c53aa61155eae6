/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the head of an upstream's response from its lines, as they come: the status, the
 * Content-Type, and the headers that a problem may show. Knows nothing of libcurl. */
#ifndef RPCGATE_IO_UPSTREAM_HEAD_H
#define RPCGATE_IO_UPSTREAM_HEAD_H

#include "base/str.h"
#include "io/upstream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a head may take, interim responses and trailers included. */
#define RESPONSE_HEAD_LINES ((size_t)100)
#define RESPONSE_HEAD_BYTES ((size_t)64 * 1024)

#define RESPONSE_SHOWN_HEADERS ((size_t)16)

/* Layers of Content-Encoding: RFC 9110 section 8.4. */
#define CODINGS_MAX ((size_t)4)
enum content_coding { CODING_GZIP, CODING_DEFLATE };

/* It must stay where it is: `shown` points into `texts`. */
struct response_head {
    int status; /* 0: no status line yet */
    bool complete;
    bool at_start; /* the next line is to be a status line, the first or behind an interim head */
    const char *fault;    /* why it is refused, for people, static; NULL: it is not */
    bool fault_of_length; /* the fault is one of Content-Length */
    bool keeps;           /* the connection, as far as the head tells */
    bool closes;          /* it says so, whatever else it says */
    bool is_http10;
    bool is_cgi;       /* RFC 3875 section 6: without a status line */
    bool has_no_field; /* a line of it has no colon */
    bool has_transfer_coding;
    bool is_chunked;
    bool has_length;
    uint64_t length;                          /* Content-Length [bytes] */
    enum content_coding codings[CODINGS_MAX]; /* in the order in which they were applied */
    size_t n_codings;                         /* over CODINGS_MAX: too many */
    char strange_coding[UPSTREAM_CODING_MAX]; /* one that nobody here knows; "": none */
    size_t n_lines, n_bytes;
    char reason_phrase[UPSTREAM_TEXT_MAX];
    char content_type[UPSTREAM_TEXT_MAX];
    struct upstream_header shown[RESPONSE_SHOWN_HEADERS];
    size_t n_shown;
    char texts[4096]; /* values of the shown headers, each with a NUL */
    size_t texts_len;
};

/* Could two readers see its answer end at different places (RFC 9112 section 6.1)? It is read, and
 * the connection ends behind it. */
static inline bool response_head_is_ambiguous(const struct response_head *head)
{
    return head->has_transfer_coding && (head->has_length || head->is_http10);
}

/* A line without its end: an LF, and the CR before it. Another CR is a part of its text. */
static inline struct str response_line_text(struct str line)
{
    if (line.len > 0 && line.data[line.len - 1] == '\n')
        line.len--;
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* Does a line look like a status line? */
static inline bool response_head_is_status(struct str text)
{
    return text.len > 0 && (text.data[0] == 'H' || str_is_blank(text.data[0])) &&
           str_starts_with(str_trim(text), STR("HTTP/"));
}

/* Counts a line that is passed over. False: there are too many. */
bool response_head_count(struct response_head *head, struct str line);

/* RFC 9112 section 5.2: a line that goes on from the one before it. Two readers take it for
 * different things, so it is refused wherever it stands: in interim heads, in trailers, and in what
 * a proxy answers to CONNECT. */
bool response_head_is_folded(struct str line) MUST_CHECK;
#define RESPONSE_FOLDED "the response's head has a line that begins with a blank"

void response_head_start(struct response_head *head);

/* The same for an answer of SCGI: its status is 200 where no `Status` says another (RFC 3875
 * section 6.3.3), its connection ends behind it, and framing other than a Content-Length is not its
 * business (section 6.3). */
void response_head_start_cgi(struct response_head *head);

/* Takes the next line, with its line end. False: the head is refused, `head->fault` says why.
 * `head->complete` becomes true with the empty line that ends the final head; lines behind it
 * (trailers) are dropped, but for folded ones. RFC 9112 sections 2.1, 4, 5, 6.3; RFC 9110
 * section 15.2. */
bool response_head_line(struct response_head *head, struct str line) MUST_CHECK;

#endif
