/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/route.h"

#include "rules/percent.h"

#include <assert.h>

/* A decoded segment goes to `to` as far as it fits. */
struct segment {
    char *to;
    size_t size; /* [bytes] of `to`, with the NUL */
    size_t len;  /* [bytes] */
    size_t n_characters;
    bool visible; /* all of them */
    bool fits;
};

static bool decode_segment(struct str raw, struct segment *segment, struct error *err)
{
    struct percent_character c;
    segment->len = 0;
    segment->n_characters = 0;
    segment->visible = true;
    segment->fits = true;
    while (raw.len > 0) {
        if (!percent_next(&raw, &c))
            return error_set(err, PROBLEM_INVALID_REQUEST,
                             "The path is not percent-encoded UTF-8: write each byte that is not "
                             "a letter, a digit or one of `-._~:` as `%%` and two hexadecimal "
                             "digits.");
        if (percent_is_control(&c))
            return error_set(err, PROBLEM_INVALID_REQUEST,
                             "The path holds a control character: remove it.");
        segment->visible = segment->visible && percent_is_visible(&c);
        segment->n_characters++;
        segment->fits = segment->fits && c.len < segment->size - segment->len;
        if (segment->fits) {
            memcpy(segment->to + segment->len, c.bytes, c.len);
            segment->len += c.len;
        }
    }
    segment->to[segment->len] = '\0';
    return true;
}

static enum route_kind kind_of_one(struct str name)
{
    if (str_eq(name, STR("v1")))
        return ROUTE_UPSTREAMS;
    if (str_eq(name, STR("livez")))
        return ROUTE_LIVEZ;
    if (str_eq(name, STR("readyz")))
        return ROUTE_READYZ;
    if (str_eq(name, STR("metrics")))
        return ROUTE_METRICS;
    return ROUTE_UNKNOWN;
}

/* By the first segment and how many there are. */
static enum route_kind kind_of(struct str first, size_t n)
{
    if (n == 1)
        return kind_of_one(first);
    if (str_eq(first, STR("jsonrpc")))
        return n == 2 ? ROUTE_JSONRPC : ROUTE_UNKNOWN;
    if (!str_eq(first, STR("v1")))
        return ROUTE_UNKNOWN;
    return n == 2 ? ROUTE_UPSTREAM : ROUTE_METHOD;
}

static bool check_method(const struct segment *method, struct error *err)
{
    if (method->n_characters > ROUTE_NAME_MAX)
        return error_set(err, PROBLEM_INVALID_REQUEST,
                         "The method's name has %zu characters: at most %d are allowed.",
                         method->n_characters, ROUTE_NAME_MAX);
    if (!method->visible)
        return error_set(err, PROBLEM_INVALID_REQUEST,
                         "The method's name holds white space or an invisible character: remove "
                         "it.");
    return true;
}

bool route_method_check(struct str method, struct error *err)
{
    struct percent_character c;
    struct segment segment = { .visible = true };
    if (method.len == 0)
        return error_set(err, PROBLEM_INVALID_REQUEST, "The method's name is empty.");
    while (method.len > 0 && segment.n_characters <= ROUTE_NAME_MAX &&
           percent_next_plain(&method, &c)) {
        segment.visible = segment.visible && percent_is_visible(&c);
        segment.n_characters++;
    }
    for (size_t i = 0; i < method.len; i++) /* it is too long: how long? */
        segment.n_characters += ((unsigned char)method.data[i] & 0xC0) != 0x80;
    return check_method(&segment, err);
}

bool route_parse(struct str path, struct route *ret, struct error *err)
{
    char first[8], rest[8];
    struct segment segments[] = {
        { .to = first, .size = sizeof first },
        { .to = ret->upstream, .size = sizeof ret->upstream },
        { .to = ret->method, .size = sizeof ret->method },
        { .to = rest, .size = sizeof rest }, /* all further ones: only to be checked */
    };
    size_t n = 0;
    bool known = true;
    ret->kind = ROUTE_UNKNOWN;
    ret->upstream_len = ret->method_len = 0;
    ret->upstream[0] = ret->method[0] = '\0';
    if (path.len == 0 || path.data[0] != '/')
        return error_set(err, PROBLEM_INVALID_REQUEST,
                         "The request's target is neither a path nor an `http://` URL: send the "
                         "path alone, as in `POST /v1/UPSTREAM/METHOD`.");
    if (path.len == 1) {
        ret->kind = ROUTE_ROOT;
        return true;
    }
    while (path.len > 0) {
        struct segment *segment = &segments[n < 3 ? n : 3];
        path = str_slice(path, 1, path.len);
        size_t end = str_find(path, '/');
        if (!decode_segment(str_slice(path, 0, end), segment, err))
            return false;
        path = str_slice(path, end, path.len);
        known = known && segment->len > 0 && (n == 2 || segment->fits);
        n++;
    }
    if (!known || n > 3)
        return true;
    enum route_kind kind = kind_of((struct str){ first, segments[0].len }, n);
    if (kind == ROUTE_UNKNOWN)
        return true;
    if (kind == ROUTE_METHOD && !check_method(&segments[2], err))
        return false;
    ret->kind = kind;
    ret->upstream_len = n > 1 ? segments[1].len : 0;
    ret->method_len = n > 2 ? segments[2].len : 0;
    return true;
}

const char *route_allow(enum route_kind kind)
{
    static const char *const allow[] = {
        [ROUTE_ROOT] = "GET, HEAD",
        [ROUTE_LIVEZ] = "GET, HEAD",
        [ROUTE_READYZ] = "GET, HEAD",
        [ROUTE_METRICS] = "GET, HEAD",
        [ROUTE_UPSTREAMS] = "GET, HEAD",
        [ROUTE_UPSTREAM] = "GET, HEAD, POST",
        [ROUTE_METHOD] = "GET, HEAD, POST",
        [ROUTE_JSONRPC] = "POST",
        [ROUTE_SERVER] = "GET, HEAD, OPTIONS, POST",
        [ROUTE_PREFLIGHT] = "",
        [ROUTE_UNKNOWN] = "",
    };
    assert(kind < ARRAY_LEN(allow));
    return allow[kind];
}

bool route_takes(enum route_kind kind, struct str http_method)
{
    struct str allow = str_of(route_allow(kind));
    while (allow.len > 0) {
        size_t end = str_find(allow, ',');
        if (str_eq(str_trim(str_slice(allow, 0, end)), http_method))
            return true;
        allow = str_slice(allow, end < allow.len ? end + 1 : end, allow.len);
    }
    return false;
}
