/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct problem_info infos[] = {
#define X(word, name, status, executed, title, when)                                               \
    [PROBLEM_##word] = { name, status, EXECUTED_##executed, title, when },
    PROBLEM_LIST(X)
#undef X
};

const struct problem_info *problem_info(enum problem_type type)
{
    assert(type < PROBLEM_TYPES);
    return &infos[type];
}

const char *executed_name(enum executed executed)
{
    static const char *const names[] = { "no", "yes", "unknown" };
    return names[executed];
}

/* How much of a character there is before a mark that says that the rest was cut off. A secret is
 * known by its beginning, which a `?` would be no part of. */
static size_t cut_character(struct str text)
{
    for (size_t n = 1; n <= 3 && n < text.len; n++)
        if (str_starts_with(str_slice(text, n, text.len), STR(ERROR_CUT)))
            return n;
        else if (((unsigned char)text.data[n] & 0xC0) != 0x80)
            break;
    return 0;
}

size_t error_clean(char *text, size_t len)
{
    size_t at = 0, to = 0;
    while (at < len) {
        struct str rest = { text + at, len - at };
        size_t valid = utf8_valid_prefix(rest);
        for (size_t i = 0; i < valid; i++, at++)
            text[to++] = (unsigned char)text[at] < 0x20 || text[at] == 0x7F ? ' ' : text[at];
        rest = str_slice(rest, valid, rest.len);
        if (rest.len == 0)
            break;
        size_t cut = (unsigned char)rest.data[0] >= 0xC0 ? cut_character(rest) : 0;
        if (cut == 0)
            text[to++] = '?';
        at += cut > 0 ? cut : 1;
    }
    return to;
}

static void PRINTF_LIKE(2, 0) set_detail(struct error *err, const char *format, va_list args)
{
    int n = vsnprintf(err->detail, sizeof err->detail, format, args);
    size_t len = n < 0 ? 0 : (size_t)n;
    err->is_cut = len >= sizeof err->detail;
    if (err->is_cut) {
        len = sizeof err->detail - 1;
        /* Take back the part of a character that the cut has left. */
        for (size_t part = 1; part <= 3 && part <= len; part++) {
            if ((unsigned char)err->detail[len - part] < 0x80)
                break;
            if ((unsigned char)err->detail[len - part] >= 0xC0) {
                struct str tail = { err->detail + len - part, part };
                len -= utf8_valid_prefix(tail) == part ? 0 : part;
                break;
            }
        }
        err->detail[len] = '\0';
    }
    /* Foreign text may have got into it. */
    err->detail[error_clean(err->detail, len)] = '\0';
}

struct error_cut error_cut(struct str text, size_t max)
{
    if (text.len <= max)
        return (struct error_cut){ text, "" };
    while (max > 0 && ((unsigned char)text.data[max] & 0xC0) == 0x80)
        max--;
    return (struct error_cut){ str_slice(text, 0, max), ERROR_CUT };
}

static void set(struct error *err, enum problem_type type)
{
    const struct problem_info *info = problem_info(type);
    err->type = type;
    err->executed = info->executed;
    err->status = info->status;
    err->retry_after = 0;
    err->setting = NULL;
    err->advice = NULL;
    err->type_uri = NULL;
    err->no_method = false;
    err->fault_code = 0;
    err->has_pointer = false;
    err->pointer[0] = '\0';
}

bool error_set(struct error *err, enum problem_type type, const char *format, ...)
{
    va_list args;
    set(err, type);
    va_start(args, format);
    set_detail(err, format, args);
    va_end(args);
    return false;
}

bool error_limit(struct error *err, enum problem_type type, const char *setting, const char *format,
                 ...)
{
    va_list args;
    set(err, type);
    err->setting = setting;
    va_start(args, format);
    set_detail(err, format, args);
    va_end(args);
    return false;
}

void error_advise(struct error *err, const char *advice)
{
    assert(strlen(advice) < sizeof err->detail / 2);
    size_t room = sizeof err->detail - strlen(advice) - sizeof ERROR_CUT - sizeof ". ";
    struct error_cut kept = error_cut(str_of(err->detail), room);
    size_t len = kept.text.len;
    bool has_end = kept.mark[0] == '\0' && len > 0 && strchr(".?!", err->detail[len - 1]) != NULL;
    err->is_cut = false;
    snprintf(err->detail + len, sizeof err->detail - len, "%s%s %s", kept.mark, has_end ? "" : ".",
             advice);
}

void error_preface(struct error *err, const char *sentence)
{
    char detail[2 * ERROR_DETAIL_MAX];
    int len = snprintf(detail, sizeof detail, "%s%s", sentence, err->detail);
    struct str whole = { detail, len > 0 ? (size_t)len : 0 };
    struct str shown = error_cut(whole, sizeof err->detail - 1).text;
    err->is_cut |= shown.len < whole.len;
    memcpy(err->detail, shown.data, shown.len);
    err->detail[shown.len] = '\0';
}

void error_at(struct error *err, struct str pointer)
{
    err->has_pointer = pointer.len < sizeof err->pointer;
    if (!err->has_pointer)
        pointer.len = 0;
    if (pointer.len > 0)
        memcpy(err->pointer, pointer.data, pointer.len);
    err->pointer[pointer.len] = '\0';
}
