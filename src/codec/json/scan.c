/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/scan.h"

#include "base/alloc.h"
#include "codec/json/text.h"
#include "codec/value/digits.h"

#include <assert.h>
#include <stdlib.h>

/* What may come next. */
enum expected {
    EXPECT_VALUE,
    EXPECT_FIRST_VALUE, /* or the end of the array */
    EXPECT_FIRST_NAME,  /* or the end of the object */
    EXPECT_NAME,
    EXPECT_COLON,
    EXPECT_COMMA, /* or the end of the array or object, or of the document */
    EXPECT_NOTHING
};

#define NO_NOTE SIZE_MAX
#define NOTES_KEPT ((size_t)4096) /* from one document to the next [bytes] */

struct json_level {
    bool is_object;
    size_t note; /* which of the notes is this object's; NO_NOTE: none */
};

bool json_scan_fail(const struct json_scan *s, const char *at, const char *what, struct error *err)
{
    struct json_place here = { .at = NULL };
    struct json_place *place = s->place != NULL ? s->place : &here;
    json_place_move(place, s->within, at);
    return error_set(err, PROBLEM_INVALID_JSON, "line %zu, column %zu: %s", place->line + 1,
                     place->column + 1, what);
}

static bool fail_memory(struct error *err)
{
    return error_limit(err, PROBLEM_OVERLOADED, "limits.memory",
                       "The gateway has no memory for this document now; try again later, send "
                       "less at once, or raise limits.memory.");
}

/* Bit 0x80 of each byte that ends a run of plain characters: controls, `"`, `\` and all that is
 * not ASCII. */
static uint64_t special_bytes(uint64_t x)
{
    uint64_t controls = (x - EACH_BYTE(0x20)) & ~x;
    return (controls | x | eight_zeros(x ^ EACH_BYTE('"')) | eight_zeros(x ^ EACH_BYTE('\\'))) &
           EACH_BYTE(0x80);
}

static const char *skip_plain(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t special = special_bytes(eight_bytes(at));
        if (special != 0)
            break;
        at += 8;
    }
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' &&
           *at != '\\')
        at++;
    return at;
}

static bool is_hex(const char *at)
{
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}

static bool is_surrogate(const char *digits, char least, char greatest)
{
    char third = (char)(digits[1] | 0x20);
    return (digits[0] | 0x20) == 'd' && third >= least && third <= greatest;
}

/* Checks the escape at `at`; moves behind it. */
static bool scan_escape(struct json_scan *s, const char **at, struct error *err)
{
    const char *p = *at;
    if (s->end - p < 2)
        return json_scan_fail(s, s->end, "the document ends within a string; close it with `\"`",
                              err);
    if (p[1] != 'u') {
        if (p[1] == '\0' || strchr("\"\\/bfnrt", p[1]) == NULL)
            return json_scan_fail(s, p, "no such escape; write `\\\\` for a backslash", err);
        s->not_xml = s->not_xml || p[1] == 'b' || p[1] == 'f';
        *at = p + 2;
        return true;
    }
    if (s->end - p < 6 || !is_hex(p + 2))
        return json_scan_fail(s, p, "write four hexadecimal digits behind `\\u`", err);
    *at = p + 6;
    if (is_surrogate(p + 2, 'c', 'f'))
        return json_scan_fail(
            s, p, "a low surrogate without a high one before it; escape both halves", err);
    if (is_surrogate(p + 2, '8', '9') || is_surrogate(p + 2, 'a', 'b')) {
        if (s->end - p < 12 || p[6] != '\\' || p[7] != 'u' || !is_hex(p + 8) ||
            !is_surrogate(p + 8, 'c', 'f'))
            return json_scan_fail(
                s, p, "a high surrogate without a low one behind it; escape both halves", err);
        *at = p + 12;
    } else if (!s->not_xml) {
        const char *escape = p;
        s->not_xml = !xml_is_char(json_read_escape(&escape));
    }
    return true;
}

/* Checks the string whose opening quote is at s->at, or what is left of it; moves behind it, or up
 * to the step's end, and s->in_string. */
static bool scan_string(struct json_scan *s, struct error *err)
{
    const char *at = s->in_string ? s->at : s->at + 1;
    s->in_string = true;
    for (;;) {
        at = skip_plain(at, s->stop);
        if (at >= s->stop && at < s->end) {
            s->at = at;
            return true;
        }
        if (at == s->end)
            return json_scan_fail(s, at, "the document ends within a string; close it with `\"`",
                                  err);
        unsigned char c = (unsigned char)*at;
        if (c == '"')
            break;
        if (c == '\\') {
            if (!scan_escape(s, &at, err))
                return false;
        } else if (c < 0x20) {
            return json_scan_fail(s, at, "a control character in a string; write it as an escape",
                                  err);
        } else {
            const unsigned char *p = (const unsigned char *)at;
            size_t len = utf8_sequence(p, (size_t)(s->end - at));
            if (len == 0)
                return json_scan_fail(s, at, "no valid UTF-8; send the document in UTF-8", err);
            s->not_xml = s->not_xml || (c == 0xEF && p[1] == 0xBF && p[2] >= 0xBE);
            at += len;
        }
    }
    s->in_string = false;
    s->at = at + 1;
    return true;
}

static bool scan_number(struct json_scan *s, struct error *err)
{
    const char *at = s->at;
    const char *end = s->end;
    at += *at == '-';
    const char *digits = at;
    at = digits_end(at, end);
    if (at == digits)
        return json_scan_fail(s, at, "a digit must follow the minus sign", err);
    if (*digits == '0' && at - digits > 1)
        return json_scan_fail(s, digits, "a number has no leading zeros; leave them out", err);
    if (at < end && *at == '.') {
        digits = at + 1;
        at = digits_end(digits, end);
        if (at == digits)
            return json_scan_fail(s, at, "a digit must follow the decimal point", err);
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        digits = at + 1;
        if (digits < end && (*digits == '+' || *digits == '-'))
            digits++;
        at = digits_end(digits, end);
        if (at == digits)
            return json_scan_fail(s, at, "a digit must follow the exponent's `e`", err);
    }
    s->at = at;
    return true;
}

static bool scan_word(struct json_scan *s, struct error *err)
{
    static const struct str words[] = { { "true", 4 }, { "false", 5 }, { "null", 4 } };
    struct str rest = { s->at, (size_t)(s->end - s->at) };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_starts_with(rest, words[i])) {
            s->at += words[i].len;
            return true;
        }
    }
    if (rest.len == 0)
        return json_scan_fail(s, s->at, "the document ends where a value must stand", err);
    if (s->at == s->text.data && str_starts_with(rest, STR("\xEF\xBB\xBF")))
        return json_scan_fail(s, s->at, "a byte order mark; leave it out", err);
    return json_scan_fail(
        s, s->at,
        "no JSON value; write a string in double quotes, a number, an array, an object, "
        "true, false or null",
        err);
}

static bool open_level(struct json_scan *s, struct error *err)
{
    if (s->depth == s->depth_max) {
        json_scan_fail(s, s->at, "arrays and objects are nested too deep for limits.depth", err);
        err->setting = "limits.depth";
        return false;
    }
    if (s->depth == s->n_levels) {
        s->n_levels = s->n_levels == 0 ? 16 : s->n_levels * 2;
        s->levels = xreallocarray(s->levels, s->n_levels, sizeof *s->levels);
    }
    bool is_object = *s->at == '{';
    s->levels[s->depth++] = (struct json_level){ .is_object = is_object, .note = NO_NOTE };
    s->state = is_object ? EXPECT_FIRST_NAME : EXPECT_FIRST_VALUE;
    s->at++;
    return true;
}

static bool scan_value(struct json_scan *s, struct error *err)
{
    char c = s->at < s->end ? *s->at : '\0';
    s->state = EXPECT_COMMA;
    s->n_elements += s->depth == 1;
    switch (c) {
    case '"':
        return scan_string(s, err);
    case '[':
    case '{':
        return open_level(s, err);
    case '-':
    case '0' ... '9':
        return scan_number(s, err);
    default:
        return scan_word(s, err);
    }
}

static bool begins_with_dollar(struct str name)
{
    return str_starts_with(name, STR("$")) || str_starts_with(name, STR("\\u0024"));
}

/* Keeps a bit for pass two; set until another member comes. */
static bool note_first_name(struct json_scan *s, struct json_level *level, struct error *err)
{
    size_t byte = s->n_notes / 8;
    unsigned bit = 1U << s->n_notes % 8;
    if (byte == s->notes.len)
        buf_append_byte(&s->notes, 0);
    if (!buf_ok(&s->notes))
        return fail_memory(err);
    s->notes.data[byte] = (char)((unsigned char)s->notes.data[byte] | bit);
    level->note = s->n_notes++;
    return true;
}

static void note_more_names(struct json_scan *s, struct json_level *level)
{
    char *byte = s->notes.data + level->note / 8;
    *byte = (char)((unsigned char)*byte & ~(1U << level->note % 8));
    level->note = NO_NOTE;
}

static bool scan_colon(struct json_scan *s, struct error *err)
{
    if (s->at == s->end || *s->at != ':')
        return json_scan_fail(s, s->at, "a colon must follow the member's name", err);
    s->at++;
    s->state = EXPECT_VALUE;
    return true;
}

static bool scan_name(struct json_scan *s, struct error *err)
{
    struct json_level *level = &s->levels[s->depth - 1];
    if (!s->in_string)
        s->quote = s->at;
    const char *quote = s->quote;
    if (quote == s->end || *quote != '"')
        return json_scan_fail(s, quote, "a member's name in double quotes must stand here", err);
    if (!scan_string(s, err))
        return false;
    if (s->in_string) {
        json_names_part(&s->names, (struct str){ quote + 1, (size_t)(s->at - quote) - 1 });
        return true;
    }
    struct str name = { quote + 1, (size_t)(s->at - quote) - 2 };
    switch (json_names_add(&s->names, s->depth, name)) {
    case JSON_NAMES_TWICE:
        return json_scan_fail(s, quote, "this name stands twice in its object; leave one out", err);
    case JSON_NAMES_NO_MEMORY:
        return fail_memory(err);
    case JSON_NAMES_ALIKE:
        if (s->alike == NULL)
            s->alike = quote;
        break;
    case JSON_NAMES_ADDED:
        break;
    }
    if (s->state == EXPECT_FIRST_NAME && begins_with_dollar(name)) {
        if (!note_first_name(s, level, err))
            return false;
    } else if (level->note != NO_NOTE) {
        note_more_names(s, level);
    }
    s->state = EXPECT_COLON;
    return s->at == s->end || *s->at != ':' || scan_colon(s, err);
}

static bool close_level(struct json_scan *s)
{
    if (s->levels[s->depth - 1].is_object)
        json_names_close(&s->names, s->depth);
    s->depth--;
    s->at++;
    s->state = EXPECT_COMMA;
    return true;
}

static bool scan_after_value(struct json_scan *s, struct error *err)
{
    if (s->depth == 0) {
        if (s->at < s->end)
            return json_scan_fail(s, s->at, "text behind the document; send one JSON value", err);
        s->state = EXPECT_NOTHING;
        return true;
    }
    bool is_object = s->levels[s->depth - 1].is_object;
    char c = s->at < s->end ? *s->at : '\0';
    if (c == (is_object ? '}' : ']'))
        return close_level(s);
    if (c == ',') {
        s->at++;
        s->state = is_object ? EXPECT_NAME : EXPECT_VALUE;
        return true;
    }
    return json_scan_fail(s, s->at,
                          is_object ? "a comma or the object's closing brace must stand here"
                                    : "a comma or the array's closing bracket must stand here",
                          err);
}

static bool scan_token(struct json_scan *s, struct error *err)
{
    if (s->in_string)
        return s->state == EXPECT_COMMA ? scan_string(s, err) : scan_name(s, err);
    switch ((enum expected)s->state) {
    case EXPECT_FIRST_VALUE:
        if (s->at < s->end && *s->at == ']')
            return close_level(s);
        return scan_value(s, err);
    case EXPECT_VALUE:
        return scan_value(s, err);
    case EXPECT_FIRST_NAME:
        if (s->at < s->end && *s->at == '}')
            return close_level(s);
        return scan_name(s, err);
    case EXPECT_NAME:
        return scan_name(s, err);
    case EXPECT_COLON:
        return scan_colon(s, err);
    case EXPECT_COMMA:
        return scan_after_value(s, err);
    case EXPECT_NOTHING:
        break;
    }
    return true;
}

void json_scan_init(struct json_scan *s, struct budget *budget)
{
    *s = (struct json_scan){ .state = EXPECT_NOTHING };
    buf_init(&s->notes, SIZE_MAX / 4, budget);
    json_names_init(&s->names, budget);
}

void json_scan_done(struct json_scan *s)
{
    buf_done(&s->notes);
    json_names_done(&s->names);
    free(s->levels);
}

void json_scan_clear(struct json_scan *s)
{
    s->n_notes = 0;
    if (s->notes.cap > NOTES_KEPT)
        buf_done(&s->notes);
    else
        buf_clear(&s->notes);
    json_names_clear(&s->names);
}

void json_scan_begin(struct json_scan *s, struct str text, unsigned depth_max)
{
    s->text = text.data != NULL ? text : STR("");
    s->within = s->text;
    s->place = NULL;
    s->at = s->text.data;
    s->end = s->text.data + s->text.len;
    s->depth = 0;
    s->n_elements = 0;
    s->depth_max = depth_max;
    s->state = EXPECT_VALUE;
    s->in_string = false;
    s->not_xml = false;
    s->alike = NULL;
    json_scan_clear(s);
}

enum codec_step json_scan_step(struct json_scan *s, size_t bytes, struct error *err)
{
    s->stop = (size_t)(s->end - s->at) > bytes ? s->at + bytes : s->end;
    do {
        if (!s->in_string)
            s->at = json_skip_space(s->at, s->stop);
        if (s->at == s->stop && s->stop < s->end)
            return CODEC_MORE;
        if (!scan_token(s, err))
            return CODEC_FAILED;
        if (s->state == EXPECT_NOTHING)
            return CODEC_DONE;
    } while (s->at < s->stop || (s->at == s->end && s->stop == s->end));
    return CODEC_MORE;
}

bool json_scan_all(struct str text, unsigned depth_max, struct error *err)
{
    struct json_scan scan;
    enum codec_step step;
    json_scan_init(&scan, NULL);
    json_scan_begin(&scan, text, depth_max);
    do
        step = json_scan_step(&scan, SIZE_MAX / 2, err);
    while (step == CODEC_MORE);
    json_scan_done(&scan);
    return step == CODEC_DONE;
}

bool json_scan_is_single(const struct json_scan *s, size_t i)
{
    assert(i < s->n_notes);
    return ((unsigned char)s->notes.data[i / 8] >> i % 8 & 1) != 0;
}
