/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/path.h"

#include "rules/percent.h"

#include <string.h>

/* Visible ASCII that stands for itself is what nearly all names are made of. */
static void take_plain(struct str *raw, struct path_segment *segment)
{
    size_t n = 0, max = sizeof segment->bytes - segment->len;
    if (max > raw->len)
        max = raw->len;
    for (; n < max; n++) {
        unsigned char c = (unsigned char)raw->data[n];
        if (c <= ' ' || c >= 0x7F || c == '%')
            break;
        segment->bytes[segment->len + n] = (char)c;
    }
    segment->len += n;
    segment->n_characters += n;
    *raw = str_slice(*raw, n, raw->len);
}

static bool take_character(struct str *raw, struct path_segment *segment, struct error *err)
{
    struct percent_character c;
    if (!percent_next(raw, &c))
        return error_set(err, PROBLEM_INVALID_REQUEST,
                         "The path is not percent-encoded UTF-8: write each byte that is not "
                         "a letter, a digit or one of `-._~:` as `%%` and two hexadecimal "
                         "digits.");
    if (percent_is_control(&c))
        return error_set(err, PROBLEM_INVALID_REQUEST,
                         "The path holds a control character: remove it.");
    segment->is_visible = segment->is_visible && percent_is_visible(&c);
    segment->n_characters++;
    segment->fits = segment->fits && c.len <= sizeof segment->bytes - segment->len;
    if (segment->fits) {
        memcpy(segment->bytes + segment->len, c.bytes, c.len);
        segment->len += c.len;
    }
    return true;
}

static bool read_segment(struct str raw, struct path_segment *segment, struct error *err)
{
    segment->len = 0;
    segment->n_characters = 0;
    segment->is_visible = true;
    segment->fits = true;
    for (take_plain(&raw, segment); raw.len > 0; take_plain(&raw, segment))
        if (!take_character(&raw, segment, err))
            return false;
    return true;
}

bool path_read(struct str raw, struct path *ret, struct error *err)
{
    ret->n = 0;
    if (raw.len == 0 || raw.data[0] != '/')
        return error_set(err, PROBLEM_INVALID_REQUEST,
                         "The request's target is neither a path nor an `http://` URL: send the "
                         "path alone, as in `POST /v1/UPSTREAM/METHOD`.");
    if (raw.len == 1)
        return true;
    while (raw.len > 0) {
        struct path_segment rest;
        struct path_segment *segment = ret->n < PATH_SEGMENTS_MAX ? &ret->segments[ret->n] : &rest;
        raw = str_slice(raw, 1, raw.len);
        size_t end = str_find(raw, '/');
        if (!read_segment(str_slice(raw, 0, end), segment, err))
            return false;
        raw = str_slice(raw, end, raw.len);
        ret->n++;
    }
    return true;
}

static bool check_method(size_t n_characters, bool is_visible, struct error *err)
{
    if (n_characters > PATH_NAME_MAX)
        return error_set(err, PROBLEM_INVALID_REQUEST,
                         "The method's name has %zu characters: at most %d are allowed.",
                         n_characters, PATH_NAME_MAX);
    if (!is_visible)
        return error_set(err, PROBLEM_INVALID_REQUEST,
                         "The method's name holds white space or an invisible character: remove "
                         "it.");
    return true;
}

bool path_check_method(const struct path_segment *segment, struct error *err)
{
    return check_method(segment->n_characters, segment->is_visible, err);
}

bool path_check_method_name(struct str name, struct error *err)
{
    struct percent_character c;
    size_t n_characters = 0;
    bool is_visible = true;
    if (name.len == 0)
        return error_set(err, PROBLEM_INVALID_REQUEST, "The method's name is empty.");
    while (name.len > 0 && n_characters <= PATH_NAME_MAX && percent_next_plain(&name, &c)) {
        is_visible = is_visible && percent_is_visible(&c);
        n_characters++;
    }
    for (size_t i = 0; i < name.len; i++) /* it is too long: how long? */
        n_characters += ((unsigned char)name.data[i] & 0xC0) != 0x80;
    return check_method(n_characters, is_visible, err);
}
