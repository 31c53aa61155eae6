/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/media.h"

#include "base/clock.h"
#include "rules/token.h"

static const char json_advice[] =
    "send it as UTF-8 with `Content-Type: application/json` (with curl: `--json` instead of "
    "`--data`).";
static const char xml_advice[] = "send it with `Content-Type: text/xml`.";

/* What is left of a header's value. */
struct reader {
    struct str rest;
};

static void skip_blanks(struct reader *r)
{
    while (r->rest.len > 0 && (r->rest.data[0] == ' ' || r->rest.data[0] == '\t'))
        r->rest = str_slice(r->rest, 1, r->rest.len);
}

static bool take_byte(struct reader *r, char byte)
{
    if (r->rest.len == 0 || r->rest.data[0] != byte)
        return false;
    r->rest = str_slice(r->rest, 1, r->rest.len);
    return true;
}

static bool take_token(struct reader *r, struct str *ret)
{
    size_t len = token_prefix(r->rest);
    if (len == 0)
        return false;
    *ret = str_slice(r->rest, 0, len);
    r->rest = str_slice(r->rest, len, r->rest.len);
    return true;
}

/* The rest of a quoted-string, RFC 9110 section 5.6.4; what stands between the quotes as it is. */
static bool take_quoted_rest(struct reader *r, struct str *ret)
{
    for (size_t i = 0; i < r->rest.len; i++) {
        if (r->rest.data[i] == '"') {
            *ret = str_slice(r->rest, 0, i);
            r->rest = str_slice(r->rest, i + 1, r->rest.len);
            return true;
        }
        if (r->rest.data[i] == '\\')
            i++;
    }
    return false;
}

enum parameter { PARAMETER_NONE, PARAMETER_FOUND, PARAMETER_WRONG };

/* What comes up to the next semicolon: not a token, as it should be, but a word that can be read in
 * one way only. `application/json; profile=http://a/b` has no quotes where it should. False: `ret`
 * is the token that it begins with. */
static bool take_word(struct reader *r, struct str *ret)
{
    size_t end = str_find(r->rest, ';');
    struct str word = str_trim(str_slice(r->rest, 0, end));
    *ret = str_slice(word, 0, token_prefix(word));
    for (size_t i = 0; i < word.len; i++) {
        if (strchr(" \t,\"\\", word.data[i]) != NULL)
            return false;
    }
    *ret = word;
    r->rest = str_slice(r->rest, end, r->rest.len);
    return true;
}

/* The next `; name=value`; empty ones between semicolons are allowed (RFC 9110 section 5.6.6), and
 * blanks around `=`, a value that is not there and a name alone have one meaning, too. */
static enum parameter take_parameter(struct reader *r, struct str *name, struct str *value)
{
    bool any = false;
    *name = *value = STR("");
    for (;;) {
        skip_blanks(r);
        if (r->rest.len == 0)
            return PARAMETER_NONE;
        if (take_byte(r, ';'))
            any = true;
        else
            break;
    }
    if (!any || !take_token(r, name))
        return PARAMETER_WRONG;
    skip_blanks(r);
    if (!take_byte(r, '='))
        return r->rest.len == 0 || r->rest.data[0] == ';' ? PARAMETER_FOUND : PARAMETER_WRONG;
    skip_blanks(r);
    bool taken = take_byte(r, '"') ? take_quoted_rest(r, value) : take_word(r, value);
    return taken ? PARAMETER_FOUND : PARAMETER_WRONG;
}

static bool take_media_type(struct reader *r, struct str *type, struct str *subtype)
{
    skip_blanks(r);
    return take_token(r, type) && take_byte(r, '/') && take_token(r, subtype);
}

static bool is_json(struct str type, struct str subtype, struct str also)
{
    static const struct str suffix = { "+json", 5 };
    if (!str_eq_nocase(type, STR("application")))
        return false;
    if (str_eq_nocase(subtype, STR("json")) || str_eq_nocase(subtype, also))
        return true;
    return subtype.len > suffix.len &&
           str_eq_nocase(str_slice(subtype, subtype.len - suffix.len, subtype.len), suffix);
}

/* A charset of which JSON's UTF-8 is a reading: names of UTF-8, of ASCII, which is a part of it
 * (the bytes are checked whatever is said), and none at all. Labels of the Encoding standard and
 * aliases of IANA's list; Perl and others ask the C library, which says ANSI_X3.4-1968. */
static bool is_utf8(struct str charset)
{
    static const char *const names[] = { "",         "utf-8",          "utf8",
                                         "utf_8",    "csutf8",         "unicode-1-1-utf-8",
                                         "ascii",    "us-ascii",       "csascii",
                                         "us",       "ansi_x3.4-1968", "ansi_x3.4-1986",
                                         "iso646-us" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eq_nocase(charset, str_of(names[i])))
            return true;
    }
    return false;
}

static bool check_json(struct str value, struct str also, struct error *err)
{
    struct reader r = { value };
    struct str type, subtype, name, charset;
    enum parameter found = PARAMETER_NONE;
    int shown = (int)(value.len < 100 ? value.len : 100);
    if (!take_media_type(&r, &type, &subtype) || !is_json(type, subtype, also))
        return error_set(err, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                         "The body is \"%.*s\", but must be JSON: %s", shown,
                         value.len > 0 ? value.data : "", json_advice);
    while ((found = take_parameter(&r, &name, &charset)) == PARAMETER_FOUND)
        if (str_eq_nocase(name, STR("charset")) && !is_utf8(str_trim(charset)))
            return error_set(err, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                             "The body's charset is \"%.*s\", but JSON is UTF-8: %s",
                             (int)(charset.len < 100 ? charset.len : 100), charset.data,
                             json_advice);
    if (found == PARAMETER_WRONG)
        return error_set(err, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                         "The Content-Type \"%.*s\" has a parameter that cannot be read: %s", shown,
                         value.data, json_advice);
    return true;
}

/* RFC 7303 has both; what parameters there are is no matter but for `charset`, which the decoder
 * is told. */
static bool check_xml(struct str value, struct error *err)
{
    struct reader r = { value };
    struct str type, subtype;
    if (take_media_type(&r, &type, &subtype) && str_eq_nocase(subtype, STR("xml")) &&
        (str_eq_nocase(type, STR("text")) || str_eq_nocase(type, STR("application"))))
        return true;
    return error_set(
        err, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "The body is \"%.*s\", but must be XML: %s",
        (int)(value.len < 100 ? value.len : 100), value.len > 0 ? value.data : "", xml_advice);
}

/* `identity` is none (RFC 9110 section 8.4.1 knows it as the absence of one). */
static bool is_encoded(const struct request_head *head)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        struct str value = str_trim(head->headers[i].value);
        if (head->headers[i].is == HEADER_CONTENT_ENCODING && value.len > 0 &&
            !str_eq_nocase(value, STR("identity")))
            return true;
    }
    return false;
}

/* The only Content-Type, of a body that is not encoded. */
static bool find_type(const struct request_head *head, const char *advice, struct str *ret,
                      struct error *err)
{
    size_t n = head_count(head, HEADER_CONTENT_TYPE);
    if (is_encoded(head))
        return error_set(err, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                         "The body has a Content-Encoding, but must come uncompressed: leave that "
                         "header out, and %s",
                         advice);
    if (n == 0)
        return error_set(err, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "The body has no Content-Type: %s",
                         advice);
    if (n > 1)
        return error_set(err, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                         "The body has %zu Content-Type headers, but must have one: %s", n, advice);
    *ret = str_trim(head_find(head, HEADER_CONTENT_TYPE)->value);
    return true;
}

bool media_check(const struct request_head *head, struct str also, struct error *err)
{
    struct str type;
    return find_type(head, json_advice, &type, err) && check_json(type, also, err);
}

bool media_check_xml(const struct request_head *head, struct error *err)
{
    struct str type;
    return find_type(head, xml_advice, &type, err) && check_xml(type, err);
}

struct str media_charset(struct str content_type)
{
    struct reader r = { content_type };
    struct str type, subtype, name, value;
    if (!take_media_type(&r, &type, &subtype))
        return (struct str){ NULL, 0 };
    while (r.rest.len > 0) {
        switch (take_parameter(&r, &name, &value)) {
        case PARAMETER_FOUND:
            break;
        case PARAMETER_WRONG: /* servers write much; look behind the next semicolon */
            r.rest = str_slice(r.rest, str_find(r.rest, ';'), r.rest.len);
            break;
        case PARAMETER_NONE:
            break;
        }
        if (value.len > 0 && str_eq_nocase(name, STR("charset")))
            return value;
    }
    return (struct str){ NULL, 0 };
}

struct str head_request_id(const struct request_head *head)
{
    static const struct str none = { NULL, 0 };
    if (head_count(head, HEADER_REQUEST_ID) != 1)
        return none;
    struct str id = str_trim(head_find(head, HEADER_REQUEST_ID)->value);
    if (id.len < 1 || id.len > 64)
        return none;
    for (size_t i = 0; i < id.len; i++)
        if (id.data[i] <= 0x20 || id.data[i] >= 0x7F)
            return none;
    return id;
}

static bool read_duration(struct str text, int64_t *ret_ms)
{
    static const struct {
        struct str name;
        int64_t ms;
    } units[] = { { { "ms", 2 }, 1 },
                  { { "s", 1 }, 1000 },
                  { { "m", 1 }, 60 * 1000 },
                  { { "h", 1 }, 60 * 60 * 1000 } };
    size_t digits = 0;
    uint64_t number;
    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    for (size_t i = 0; digits > 0 && i < ARRAY_LEN(units); i++) {
        if (!str_eq(str_slice(text, digits, text.len), units[i].name))
            continue;
        if (!str_to_uint(str_slice(text, 0, digits), (uint64_t)(INT64_MAX / 2 / units[i].ms),
                         &number))
            return false;
        *ret_ms = (int64_t)number * units[i].ms;
        return *ret_ms > 0;
    }
    return false;
}

bool head_timeout(const struct request_head *head, int64_t *ret_ms, struct error *err)
{
    int64_t ms = CLOCK_NEVER;
    size_t n = head_count(head, HEADER_TIMEOUT);
    if (n > 1)
        return error_set(err, PROBLEM_INVALID_REQUEST,
                         "The request has %zu X-Rpcgate-Timeout headers: send at most one.", n);
    if (n == 1 && !read_duration(str_trim(head_find(head, HEADER_TIMEOUT)->value), &ms))
        return error_set(err, PROBLEM_INVALID_REQUEST,
                         "The value of X-Rpcgate-Timeout is no duration: send a whole number over "
                         "0 with a unit (ms, s, m, h), as in `1500ms`.");
    *ret_ms = ms;
    return true;
}

/* Lower-case hexadecimal digits, as the specification wants them, and not all of them `0`. */
static bool is_hex(struct str s, bool zeros_allowed)
{
    bool zeros = true;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return false;
        zeros = zeros && c == '0';
    }
    return zeros_allowed || !zeros;
}

struct str head_traceparent(const struct request_head *head)
{
    static const struct str none = { NULL, 0 };
    if (head_count(head, HEADER_TRACEPARENT) != 1)
        return none;
    /* version "-" trace-id "-" parent-id "-" flags: 2, 32, 16 and 2 digits. */
    struct str s = str_trim(head_find(head, HEADER_TRACEPARENT)->value);
    if (s.len < 55 || s.data[2] != '-' || s.data[35] != '-' || s.data[52] != '-')
        return none;
    if (!is_hex(str_slice(s, 0, 2), true) || !is_hex(str_slice(s, 3, 35), false) ||
        !is_hex(str_slice(s, 36, 52), false) || !is_hex(str_slice(s, 53, 55), true))
        return none;
    struct str version = str_slice(s, 0, 2);
    if (str_eq(version, STR("ff")) || (s.len > 55 && str_eq(version, STR("00"))))
        return none;
    return s.len == 55 || s.data[55] == '-' ? s : none;
}
