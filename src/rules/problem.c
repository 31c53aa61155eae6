/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/problem.h"

#include "codec/json/write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* An object that is being written. */
struct object {
    struct chain *to;
    bool any; /* a member was written */
};

static struct object begin_object(struct chain *to)
{
    chain_append_byte(to, '{');
    return (struct object){ .to = to };
}

static void end_object(struct object *o)
{
    chain_append_byte(o->to, '}');
}

/* Inside a string. Foreign text need not be UTF-8, and a NUL ends a text for many a reader. */
static void write_clean(struct chain *to, struct str text)
{
    while (text.len > 0) {
        struct str good = str_slice(text, 0, utf8_valid_prefix(text));
        good.len = str_find(good, '\0');
        json_write_text(to, good);
        text = str_slice(text, good.len, text.len);
        if (text.len > 0) {
            chain_append_c(to, REPLACEMENT);
            text = str_slice(text, 1, text.len);
        }
    }
}

static void add_name(struct object *o, struct str name)
{
    if (o->any)
        chain_append_byte(o->to, ',');
    o->any = true;
    problem_write_text(name, o->to);
    chain_append_byte(o->to, ':');
}

static void add_text(struct object *o, const char *name, struct str text)
{
    add_name(o, str_of(name));
    problem_write_text(text, o->to);
}

/* JSON as it stands. */
static void add_json(struct object *o, const char *name, const char *json)
{
    add_name(o, str_of(name));
    chain_append_c(o->to, json);
}

static void add_number(struct object *o, const char *name, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, number);
    add_json(o, name, text);
}

/* The last part of a URN of ours, or a URI (RFC 9457 section 3.1.1). */
static void add_type(struct object *o, const struct error *err)
{
    const char *name = err->type_uri != NULL ? err->type_uri : problem_info(err->type)->name;
    add_name(o, STR("type"));
    chain_append_byte(o->to, '"');
    if (strchr(name, ':') == NULL)
        chain_append_c(o->to, "urn:rpcgate:problem:");
    write_clean(o->to, str_of(name));
    chain_append_byte(o->to, '"');
}

static void add_text_or_null(struct object *o, const char *name, struct str text)
{
    if (text.data != NULL)
        add_text(o, name, text);
    else
        add_json(o, name, "null");
}

static void add_fault(struct object *document, const struct fault *fault)
{
    add_name(document, STR("fault"));
    struct object o = begin_object(document->to);
    add_number(&o, "code", fault->code);
    if (fault->code_text.data != NULL)
        add_text(&o, "code_text", fault->code_text);
    add_text_or_null(&o, "string", fault->string);
    if (fault->truncated)
        add_json(&o, "truncated", "true");
    end_object(&o);
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

static void add_body(struct object *o, struct str body)
{
    if (body.len >= PROBLEM_BODY_MAX)
        body = without_torn_end(str_slice(body, 0, PROBLEM_BODY_MAX));
    if (!is_text(body))
        body = (struct str){ NULL, 0 };
    add_text_or_null(o, "body", body);
}

static bool is_first_of_name(const struct problem_protocol *protocol, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (str_eq_nocase(protocol->headers[i].name, protocol->headers[at].name))
            return false;
    return true;
}

/* Lines of one name are one value (RFC 9110 section 5.3): a JSON name must not come twice. */
static void add_header(struct object *o, const struct problem_protocol *protocol, size_t first)
{
    struct str name = protocol->headers[first].name;
    add_name(o, name);
    chain_append_byte(o->to, '"');
    for (size_t i = first; i < protocol->n_headers; i++) {
        if (!str_eq_nocase(protocol->headers[i].name, name))
            continue;
        if (i > first)
            chain_append_c(o->to, ", ");
        write_clean(o->to, protocol->headers[i].value);
    }
    chain_append_byte(o->to, '"');
}

static void add_headers(struct object *parent, const struct problem_protocol *protocol)
{
    add_name(parent, STR("headers"));
    struct object o = begin_object(parent->to);
    for (size_t i = 0; i < protocol->n_headers; i++)
        if (is_first_of_name(protocol, i))
            add_header(&o, protocol, i);
    end_object(&o);
}

static void add_protocol(struct object *document, const struct problem_protocol *protocol)
{
    add_name(document, STR("protocol"));
    struct object o = begin_object(document->to);
    add_text(&o, "url", protocol->url);
    add_number(&o, "status", protocol->status);
    add_text(&o, "message", protocol->message);
    add_headers(&o, protocol);
    add_text_or_null(&o, "content_type", protocol->content_type);
    add_body(&o, protocol->body);
    end_object(&o);
}

void problem_write(const struct problem *problem, struct chain *to)
{
    const struct error *err = problem->error;
    struct object o = begin_object(to);
    add_type(&o, err);
    add_text(&o, "title", str_of(problem_info(err->type)->title));
    add_number(&o, "status", err->status);
    add_text(&o, "detail", str_of(err->detail));
    if (problem->request_id.data != NULL)
        add_text(&o, "request_id", problem->request_id);
    if (problem->upstream.data != NULL)
        add_text(&o, "upstream", problem->upstream);
    if (problem->method.data != NULL)
        add_text(&o, "method", problem->method);
    if (problem->route.data != NULL)
        add_text(&o, "route", problem->route);
    if (err->has_pointer)
        add_text(&o, "pointer", str_of(err->pointer));
    if (err->setting != NULL)
        add_text(&o, "setting", str_of(err->setting));
    add_text(&o, "executed", str_of(executed_name(err->executed)));
    if (problem->errors.data != NULL) {
        add_name(&o, STR("errors"));
        chain_append(to, problem->errors);
    }
    if (problem->fault != NULL)
        add_fault(&o, problem->fault);
    if (problem->protocol != NULL)
        add_protocol(&o, problem->protocol);
    end_object(&o);
}

void problem_write_text(struct str text, struct chain *to)
{
    chain_append_byte(to, '"');
    write_clean(to, text);
    chain_append_byte(to, '"');
}
