/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log_line.h"

#include "base/clock.h"

/* Room that every line keeps for its end. */
#define LINE_END_MAX 2

static void put(struct log_line *line, struct str s)
{
    line->full = line->full || s.len > sizeof line->data - LINE_END_MAX - line->len;
    if (line->full)
        return;
    if (s.len > 0)
        memcpy(line->data + line->len, s.data, s.len);
    line->len += s.len;
}

static void put_byte(struct log_line *line, char byte)
{
    put(line, (struct str){ &byte, 1 });
}

/* An escape with `digits` hexadecimal digits. */
static void put_hex(struct log_line *line, char letter, unsigned value, unsigned digits)
{
    put_byte(line, '\\');
    put_byte(line, letter);
    while (digits-- > 0)
        put_byte(line, "0123456789abcdef"[value >> 4 * digits & 0xF]);
}

static bool is_plain(char c)
{
    return c >= 0x20 && c <= 0x7E && c != '"' && c != '\\';
}

/* Code point of the character at the start of `s`, its length in `ret_len`; 0 if it is no UTF-8. */
static unsigned character_at(struct str s, size_t *ret_len)
{
    unsigned char first = (unsigned char)s.data[0];
    size_t len = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (len > s.len || utf8_valid_prefix(str_slice(s, 0, len)) != len)
        return 0;
    unsigned code = first & (0xFFU >> (len + 1));
    for (size_t i = 1; i < len; i++)
        code = code << 6 | ((unsigned char)s.data[i] & 0x3FU);
    *ret_len = len;
    return code;
}

/* What a terminal or viewer would act on: C1, line and paragraph separators, directions. */
static bool is_active(unsigned code)
{
    return code <= 0x9F || code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

/* One character that is not plain; returns how many bytes it had. */
static size_t put_special(struct log_line *line, struct str s, enum log_format format)
{
    unsigned char c = (unsigned char)s.data[0];
    size_t len = 1;
    if (c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t') {
        put_byte(line, '\\');
        put_byte(line, c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : (char)c);
        return 1;
    }
    unsigned code = c >= 0x80 ? character_at(s, &len) : 0;
    if (code != 0 && !is_active(code))
        put(line, str_slice(s, 0, len));
    else if (code != 0)
        put_hex(line, 'u', code, 4);
    else if (format == LOG_FORMAT_TEXT)
        put_hex(line, 'x', c, 2);
    else
        put_hex(line, 'u', c < 0x80 ? c : 0xFFFD, 4);
    return len;
}

static struct str cut(struct str s)
{
    size_t len = LOG_VALUE_MAX;
    while (len > LOG_VALUE_MAX - 3 && ((unsigned char)s.data[len] & 0xC0) == 0x80)
        len--;
    return str_slice(s, 0, len);
}

static void put_quoted(struct log_line *line, struct str s, enum log_format format)
{
    struct str shown = s.len > LOG_VALUE_MAX ? cut(s) : s;
    size_t at = 0;
    put_byte(line, '"');
    while (at < shown.len) {
        size_t plain = at;
        while (plain < shown.len && is_plain(shown.data[plain]))
            plain++;
        put(line, str_slice(shown, at, plain));
        at = plain;
        if (at < shown.len)
            at += put_special(line, str_slice(shown, at, shown.len), format);
    }
    if (shown.len < s.len)
        put(line, STR("..."));
    put_byte(line, '"');
}

/* Text that can stand without quotes: visible ASCII without `"`, `=` and `\`. */
static bool is_bare(struct str s, bool spaces_allowed)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_plain(s.data[i]) || s.data[i] == '=' || (s.data[i] == ' ' && !spaces_allowed))
            return false;
    return s.len > 0 && s.len <= LOG_VALUE_MAX;
}

static void put_number(struct log_line *line, int64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do
        digits[--at] = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (number < 0)
        put_byte(line, '-');
    put(line, (struct str){ digits + at, sizeof digits - at });
}

static void put_decimal(struct log_line *line, int64_t thousandths)
{
    int rest = (int)(thousandths % 1000);
    if (thousandths < 0 && thousandths > -1000)
        put_byte(line, '-');
    put_number(line, thousandths / 1000);
    rest = rest < 0 ? -rest : rest;
    char fraction[] = { '.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10),
                        (char)('0' + rest % 10) };
    put(line, (struct str){ fraction, sizeof fraction });
}

static void put_value(struct log_line *line, const struct log_field *field, enum log_format format)
{
    if (field->kind == LOG_KIND_NUMBER)
        put_number(line, field->number);
    else if (field->kind == LOG_KIND_DECIMAL)
        put_decimal(line, field->number);
    else if (format == LOG_FORMAT_TEXT && is_bare(field->text, false))
        put(line, field->text);
    else
        put_quoted(line, field->text, format);
}

static void put_fields(struct log_line *line, const struct log_field *fields,
                       enum log_format format)
{
    for (const struct log_field *f = fields; f != NULL && f->kind != LOG_KIND_END; f++) {
        size_t before = line->len;
        if (f->kind == LOG_KIND_TEXT && f->text.len == 0)
            continue;
        put(line, format == LOG_FORMAT_TEXT ? STR(" ") : STR(",\""));
        put(line, str_of(f->key));
        put(line, format == LOG_FORMAT_TEXT ? STR("=") : STR("\":"));
        put_value(line, f, format);
        if (line->full) {
            line->len = before;
            line->full = false;
        }
    }
}

/* journald has the time of each line. */
static void put_time(struct log_line *line, bool journald, const char *before, const char *behind)
{
    char time[CLOCK_TEXT];
    if (journald)
        return;
    clock_wall_text(time);
    put(line, str_of(before));
    put(line, str_of(time));
    put(line, str_of(behind));
}

void log_line_make(struct log_line *line, const struct log_event *event, enum log_format format,
                   bool journald)
{
    static const char *const names[] = { "error", "warn", "info", "debug" };
    static const char *const prefixes[] = { "<3>", "<4>", "<6>", "<7>" }; /* sd-daemon(3) */
    line->len = 0;
    line->full = false;
    if (format == LOG_FORMAT_JSON) {
        put(line, STR("{"));
        put_time(line, journald, "\"time\":\"", "\",");
        put(line, STR("\"level\":\""));
        put(line, str_of(names[event->level]));
        put(line, STR("\",\"msg\":"));
        put_quoted(line, event->msg, format);
    } else {
        put(line, journald ? str_of(prefixes[event->level]) : STR(""));
        put_time(line, journald, "", " ");
        put(line, str_of(names[event->level]));
        put_byte(line, ' ');
        if (is_bare(event->msg, true))
            put(line, event->msg);
        else
            put_quoted(line, event->msg, format);
    }
    put_fields(line, event->fields, format);
    if (format == LOG_FORMAT_JSON)
        line->data[line->len++] = '}';
    line->data[line->len++] = '\n';
}
