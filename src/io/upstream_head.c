/* SPDX-License-Identifier: Apache-2.0 */
#include "io/upstream_head.h"

#include <stdint.h>
#include <string.h>

static void copy_text(char to[UPSTREAM_TEXT_MAX], struct str text)
{
    size_t len = text.len < UPSTREAM_TEXT_MAX ? text.len : UPSTREAM_TEXT_MAX - 1;
    if (len > 0)
        memcpy(to, text.data, len);
    to[len] = '\0';
}

static void refuse(struct response_head *head, const char *why)
{
    if (head->fault == NULL)
        head->fault = why;
}

/* RFC 9112 section 4: the reason phrase may be missing, with or without the space before it. */
static void read_status_line(struct response_head *head, struct str line)
{
    size_t space = str_find(line, ' ');
    struct str rest = str_trim(str_slice(line, space, line.len));
    uint64_t status;

    head->status = 0;
    head->is_http10 = str_starts_with(line, STR("HTTP/1.0"));
    head->keeps = !head->is_http10;
    head->closes = false;
    head->has_transfer_coding = false;
    head->is_chunked = false;
    head->has_length = false;
    head->n_codings = 0;
    head->strange_coding[0] = '\0';
    head->n_shown = 0;
    head->texts_len = 0;
    head->content_type[0] = '\0';
    head->reason_phrase[0] = '\0';
    /* libcurl takes HTTP/2 in the words of HTTP/1 for an answer. */
    if (!str_starts_with(line, STR("HTTP/1.")))
        refuse(head, "the answer is not HTTP/1");
    if (rest.len < 3 || !str_to_uint(str_slice(rest, 0, 3), 999, &status))
        return;
    head->status = (int)status;
    copy_text(head->reason_phrase, str_trim(str_slice(rest, 3, rest.len)));
}

static void keep_shown(struct response_head *head, const char *name, struct str value)
{
    if (head->n_shown == RESPONSE_SHOWN_HEADERS ||
        value.len >= sizeof head->texts - head->texts_len)
        return;
    char *text = head->texts + head->texts_len;
    if (value.len > 0)
        memcpy(text, value.data, value.len);
    text[value.len] = '\0';
    head->texts_len += value.len + 1;
    head->shown[head->n_shown++] = (struct upstream_header){ name, text };
}

/* RFC 9112 section 6.3: the same number again is no error, anything else is. libcurl takes the last
 * one, and of that the digits at its start. */
static void read_length(struct response_head *head, struct str value)
{
    uint64_t length;
    while (head->fault == NULL) {
        size_t comma = str_find(value, ',');
        bool good = str_to_uint(str_trim(str_slice(value, 0, comma)), INT64_MAX, &length);
        if (!good || (head->has_length && head->length != length)) {
            refuse(head, good ? "the response has two different Content-Length"
                              : "the response's Content-Length is not a number");
            head->fault_of_length = true;
        }
        head->has_length = true;
        head->length = length;
        if (comma == value.len)
            break;
        value = str_slice(value, comma + 1, value.len);
    }
}

static bool find_coding(struct str name, enum content_coding *ret)
{
    bool is_gzip = str_eq_nocase(name, STR("gzip")) || str_eq_nocase(name, STR("x-gzip"));
    *ret = is_gzip ? CODING_GZIP : CODING_DEFLATE;
    return is_gzip || str_eq_nocase(name, STR("deflate"));
}

static void note_strange(struct response_head *head, struct str name)
{
    size_t len = name.len < UPSTREAM_CODING_MAX ? name.len : UPSTREAM_CODING_MAX - 1;
    memcpy(head->strange_coding, name.data, len);
    head->strange_coding[len] = '\0';
}

/* Servers put there what is no coding (`UTF-8`, `binary`, `none`): what nobody knows is passed by,
 * and the document tells whether it can be read. */
static void read_codings(struct response_head *head, struct str value)
{
    while (value.len > 0) {
        size_t comma = str_find(value, ',');
        struct str name = str_trim(str_slice(value, 0, comma));
        enum content_coding coding;
        value = str_slice(value, comma < value.len ? comma + 1 : comma, value.len);
        if (name.len == 0 || str_eq_nocase(name, STR("identity")))
            continue;
        if (!find_coding(name, &coding)) {
            note_strange(head, name);
            continue;
        }
        if (head->n_codings < CODINGS_MAX)
            head->codings[head->n_codings] = coding;
        head->n_codings++;
    }
}

/* libcurl undoes chunks, and takes what is under another coding as it comes. */
static void check_transfer(struct response_head *head, struct str value)
{
    head->has_transfer_coding = true;
    if (head->is_cgi)
        refuse(head, "an answer of SCGI has no Transfer-Encoding");
    head->is_chunked |= str_eq_nocase(value, STR("chunked"));
    if (!str_eq_nocase(value, STR("chunked")) && !str_eq_nocase(value, STR("identity")))
        refuse(head, "the response's Transfer-Encoding is not chunked");
}

/* RFC 3875 section 6.3.3: `Status: 200 OK`. */
static void read_status(struct response_head *head, struct str value)
{
    uint64_t status = 0;
    size_t end = value.len < 3 ? value.len : 3;
    if (!str_to_uint(str_slice(value, 0, end), 999, &status) || status < 200 ||
        (value.len > 3 && value.data[3] != ' '))
        refuse(head, "the answer's Status is no number from 200 to 999");
    head->status = (int)status;
    copy_text(head->reason_phrase, str_trim(str_slice(value, end, value.len)));
}

/* RFC 9112 section 9.3. */
static void read_connection(struct response_head *head, struct str value)
{
    if (head->is_cgi)
        return;
    while (value.len > 0) {
        size_t comma = str_find(value, ',');
        struct str word = str_trim(str_slice(value, 0, comma));
        value = str_slice(value, comma < value.len ? comma + 1 : comma, value.len);
        if (str_eq_nocase(word, STR("close")))
            head->closes = true;
        else if (str_eq_nocase(word, STR("keep-alive")))
            head->keeps = true;
    }
    head->keeps = head->keeps && !head->closes;
}

static void read_status_of_cgi(struct response_head *head, struct str value)
{
    if (head->is_cgi)
        read_status(head, value);
}

static void read_type(struct response_head *head, struct str value)
{
    if (head->content_type[0] == '\0')
        copy_text(head->content_type, value);
}

/* What counts of a head: may a problem show it, and what else is read of it? */
static const struct field {
    struct str name;
    bool is_shown;
    bool is_framing;                                            /* it says where the answer ends */
    void (*read)(struct response_head *head, struct str value); /* NULL: nothing */
} fields[] = {
#define FIELD(name, ...)                                                                           \
    {                                                                                              \
        { name, sizeof(name) - 1 }, __VA_ARGS__                                                    \
    }
    FIELD("Allow", true, false, NULL),
    FIELD("Connection", false, false, read_connection),
    FIELD("Content-Encoding", false, false, read_codings),
    FIELD("Content-Length", true, true, read_length),
    FIELD("Content-Type", true, false, read_type),
    FIELD("Date", true, false, NULL),
    FIELD("Location", true, false, NULL),
    FIELD("Retry-After", true, false, NULL),
    FIELD("Server", true, false, NULL),
    FIELD("Status", false, false, read_status_of_cgi),
    FIELD("Transfer-Encoding", false, true, check_transfer),
    FIELD("WWW-Authenticate", true, false, NULL),
#undef FIELD
};

static const struct field *find_field(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (str_eq_nocase(name, fields[i].name))
            return &fields[i];
    return NULL;
}

static void read_field(struct response_head *head, struct str line)
{
    size_t colon = str_find(line, ':');
    if (colon == line.len) {
        head->has_no_field = true;
        if (head->is_cgi)
            refuse(head, "the answer has no head of CGI: a line of it has no colon");
        return;
    }
    struct str name = str_trim(str_slice(line, 0, colon));
    struct str value = str_trim(str_slice(line, colon + 1, line.len));
    const struct field *field = find_field(name);
    if (field == NULL)
        return;
    /* RFC 9112 section 5.1: some readers take the blank off, others take it for another name. */
    if (name.len < colon && field->is_framing)
        refuse(head, "the response's head has a blank before the colon of its framing");
    if (field->is_shown)
        keep_shown(head, field->name.data, value);
    if (field->read != NULL)
        field->read(head, value);
}

void response_head_start(struct response_head *head)
{
    head->status = 0;
    head->complete = false;
    head->at_start = true;
    head->fault = NULL;
    head->fault_of_length = false;
    head->is_http10 = false;
    head->is_cgi = false;
    head->has_no_field = false;
    head->keeps = false;
    head->closes = false;
    head->has_transfer_coding = false;
    head->is_chunked = false;
    head->has_length = false;
    head->length = 0;
    head->n_codings = 0;
    head->strange_coding[0] = '\0';
    head->n_lines = 0;
    head->n_bytes = 0;
    head->reason_phrase[0] = '\0';
    head->content_type[0] = '\0';
    head->n_shown = 0;
    head->texts_len = 0;
}

void response_head_start_cgi(struct response_head *head)
{
    response_head_start(head);
    head->is_cgi = true;
    head->at_start = false;
    head->status = 200;
}

bool response_head_is_folded(struct str line)
{
    return line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t');
}

bool response_head_count(struct response_head *head, struct str line)
{
    head->n_lines++;
    head->n_bytes += line.len;
    if (head->n_lines > RESPONSE_HEAD_LINES || head->n_bytes > RESPONSE_HEAD_BYTES)
        refuse(head, "the response's head has more than 100 lines or 64 KiB");
    return head->fault == NULL;
}

bool response_head_line(struct response_head *head, struct str line)
{
    head->at_start = false;
    (void)response_head_count(head, line);
    if (response_head_is_folded(line))
        refuse(head, RESPONSE_FOLDED);
    if (head->complete || head->fault != NULL)
        return head->fault == NULL;
    line = response_line_text(line);
    if (line.len == 0) {
        /* Interim responses end here, too; 101 is none that we asked for, so it is final. */
        head->complete = head->status >= 200 || head->status == 101;
        head->at_start = !head->complete;
        return true;
    }
    if (response_head_is_status(line))
        read_status_line(head, line);
    else
        read_field(head, line);
    return head->fault == NULL;
}
