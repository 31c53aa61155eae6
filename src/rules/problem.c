/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/problem.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "codec/json_write.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* cJSON takes bytes for UTF-8 and NUL for the end: neither may come from foreign text. */
static void append_clean(struct buf *to, struct str text)
{
    while (text.len > 0) {
        size_t valid = utf8_valid_prefix(text);
        struct str good = str_slice(text, 0, valid);
        good.len = str_find(good, '\0');
        buf_append(to, good);
        text = str_slice(text, good.len, text.len);
        if (text.len > 0) {
            buf_append_c(to, REPLACEMENT);
            text = str_slice(text, 1, text.len);
        }
    }
}

/* Half a text would be a wrong one. */
static struct str whole(const struct buf *text)
{
    if (text->state != BUF_OK)
        die_without_memory();
    return buf_str(text);
}

static void add_text(cJSON *object, const char *name, struct str text)
{
    struct buf clean;
    buf_init(&clean, SIZE_MAX - 1, NULL);
    append_clean(&clean, text);
    (void)whole(&clean);
    cJSON_AddStringToObject(object, name, buf_c(&clean));
    buf_done(&clean);
}

/* The last part of a URN of ours, or a URI (RFC 9457 section 3.1.1). */
static void add_type(cJSON *document, const struct error *err)
{
    struct buf type;
    const char *name = err->type_uri != NULL ? err->type_uri : problem_info(err->type)->name;
    buf_init(&type, SIZE_MAX - 1, NULL);
    if (strchr(name, ':') == NULL)
        buf_append_c(&type, "urn:rpcgate:problem:");
    buf_append_c(&type, name);
    add_text(document, "type", whole(&type));
    buf_done(&type);
}

static void add_text_or_null(cJSON *object, const char *name, struct str text)
{
    if (text.data != NULL)
        add_text(object, name, text);
    else
        cJSON_AddNullToObject(object, name);
}

static void add_fault(cJSON *document, const struct fault *fault)
{
    char code[24];
    cJSON *object = cJSON_AddObjectToObject(document, "fault");
    /* A cJSON number is a double, which has not all digits of 64 bits. */
    snprintf(code, sizeof code, "%" PRId64, fault->code);
    cJSON_AddRawToObject(object, "code", code);
    if (fault->code_text.data != NULL)
        add_text(object, "code_text", fault->code_text);
    add_text_or_null(object, "string", fault->string);
}

/* Without the part of a character that a cut may have left at the end. */
static struct str without_torn_end(struct str s)
{
    for (size_t back = 1; back <= 3 && back <= s.len; back++) {
        unsigned char c = (unsigned char)s.data[s.len - back];
        if ((c & 0xC0) == 0x80)
            continue;
        size_t whole = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
        return whole > back ? str_slice(s, 0, s.len - back) : s;
    }
    return s;
}

/* Text in some encoding: no NUL, and few bytes that are control characters or not UTF-8. */
static bool is_text(struct str s)
{
    size_t odd = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c == '\0')
            return false;
        odd += (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f') || c == 0x7F;
    }
    for (struct str rest = s; rest.len > 0;) {
        size_t valid = utf8_valid_prefix(rest);
        odd += valid < rest.len;
        rest = str_slice(rest, valid < rest.len ? valid + 1 : valid, rest.len);
    }
    return odd <= s.len / 4;
}

static void add_body(cJSON *object, struct str body)
{
    if (body.len >= PROBLEM_BODY_MAX)
        body = without_torn_end(str_slice(body, 0, PROBLEM_BODY_MAX));
    if (!is_text(body))
        body = (struct str){ NULL, 0 };
    add_text_or_null(object, "body", body);
}

static bool is_first_of_name(const struct problem_protocol *protocol, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (str_eq_nocase(protocol->headers[i].name, protocol->headers[at].name))
            return false;
    return true;
}

/* Lines of one name are one value (RFC 9110 section 5.3): a JSON name must not come twice. */
static void add_headers(cJSON *object, const struct problem_protocol *protocol)
{
    struct buf name, value;
    cJSON *headers = cJSON_AddObjectToObject(object, "headers");
    buf_init(&name, SIZE_MAX - 1, NULL);
    buf_init(&value, SIZE_MAX - 1, NULL);
    for (size_t i = 0; i < protocol->n_headers; i++) {
        if (!is_first_of_name(protocol, i))
            continue;
        buf_clear(&name);
        buf_clear(&value);
        append_clean(&name, protocol->headers[i].name);
        for (size_t k = i; k < protocol->n_headers; k++) {
            if (!str_eq_nocase(protocol->headers[k].name, protocol->headers[i].name))
                continue;
            if (k > i)
                buf_append_c(&value, ", ");
            buf_append(&value, protocol->headers[k].value);
        }
        (void)whole(&name);
        add_text(headers, buf_c(&name), whole(&value));
    }
    buf_done(&name);
    buf_done(&value);
}

static void add_protocol(cJSON *document, const struct problem_protocol *protocol)
{
    cJSON *object = cJSON_AddObjectToObject(document, "protocol");
    add_text(object, "url", protocol->url);
    cJSON_AddNumberToObject(object, "status", protocol->status);
    add_text(object, "message", protocol->message);
    add_headers(object, protocol);
    add_text_or_null(object, "content_type", protocol->content_type);
    add_body(object, protocol->body);
}

static cJSON *make_document(const struct problem *problem)
{
    const struct error *err = problem->error;
    const struct problem_info *info = problem_info(err->type);
    cJSON *document = cJSON_CreateObject();
    add_type(document, err);
    cJSON_AddStringToObject(document, "title", info->title);
    cJSON_AddNumberToObject(document, "status", err->status);
    add_text(document, "detail", str_of(err->detail));
    if (problem->request_id.data != NULL)
        add_text(document, "request_id", problem->request_id);
    if (problem->upstream.data != NULL)
        add_text(document, "upstream", problem->upstream);
    if (problem->method.data != NULL)
        add_text(document, "method", problem->method);
    if (err->has_pointer)
        add_text(document, "pointer", str_of(err->pointer));
    if (err->setting != NULL)
        cJSON_AddStringToObject(document, "setting", err->setting);
    cJSON_AddStringToObject(document, "executed", executed_name(err->executed));
    if (problem->fault != NULL)
        add_fault(document, problem->fault);
    if (problem->protocol != NULL)
        add_protocol(document, problem->protocol);
    return document;
}

static void *allocate(size_t size)
{
    return xcalloc(1, size);
}

void problem_init(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){ .malloc_fn = allocate, .free_fn = free });
}

void problem_write(const struct problem *problem, struct chain *to)
{
    cJSON *document = make_document(problem);
    char *text = cJSON_PrintUnformatted(document);
    if (text != NULL) {
        chain_append_c(to, text);
    } else { /* no memory, which is no reason to answer with nothing */
        chain_append_c(to, "{\"type\":\"urn:rpcgate:problem:");
        chain_append_c(to, problem_info(problem->error->type)->name);
        chain_append_c(to, "\",\"executed\":\"");
        chain_append_c(to, executed_name(problem->error->executed));
        chain_append_c(to, "\"}");
    }
    cJSON_free(text);
    cJSON_Delete(document);
}

void problem_write_text(struct str text, struct chain *to)
{
    struct buf clean;
    buf_init(&clean, SIZE_MAX - 1, NULL);
    append_clean(&clean, text);
    json_write_string(to, buf_str(&clean));
    buf_done(&clean);
}
