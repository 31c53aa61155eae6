/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/retry_after.h"

#include "codec/value/datetime.h"

#include <string.h>

static bool read_number(struct str text, size_t from, size_t to, int *ret)
{
    uint64_t number;
    if (!str_to_uint(str_slice(text, from, to), 9999, &number))
        return false;
    *ret = (int)number;
    return true;
}

static bool read_month(struct str name, int *ret)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int month = 1; month <= 12; month++)
        if (memcmp(name.data, names + (month - 1) * 3, 3) == 0) {
            *ret = month;
            return true;
        }
    return false;
}

/* What stands behind the name of the weekday, and where in it. */
static const struct date_form {
    const char *text;
    size_t day, month, year, year_end, time;
} forms[] = {
    { ", __ ___ ____ __:__:__ GMT", 2, 5, 9, 13, 14 },
    { ", __-___-__ __:__:__ GMT", 2, 5, 9, 11, 12 }, /* RFC 850 */
    { " ___ __ __:__:__ ____", 5, 1, 17, 21, 8 },    /* asctime(3), */
    { " ___  _ __:__:__ ____", 6, 1, 17, 21, 8 },    /* which writes no zeros before days */
};

static bool has_form(struct str text, const char *form)
{
    if (text.len != strlen(form))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (form[i] != '_' && form[i] != text.data[i])
            return false;
    return true;
}

static bool read_date(struct str text, const struct date_form *form, struct datetime *ret)
{
    size_t time = form->time;
    size_t digits = form->text[form->day + 1] == '_' ? 2 : 1;
    if (!read_number(text, form->day, form->day + digits, &ret->day) ||
        !read_month(str_slice(text, form->month, form->month + 3), &ret->month) ||
        !read_number(text, form->year, form->year_end, &ret->year) ||
        !read_number(text, time, time + 2, &ret->hour) ||
        !read_number(text, time + 3, time + 5, &ret->minute) ||
        !read_number(text, time + 6, time + 8, &ret->second))
        return false;
    if (form->year_end - form->year == 2)
        ret->year += ret->year < 70 ? 2000 : 1900;
    return ret->year >= 1 && ret->day >= 1 &&
           ret->day <= datetime_month_days(ret->year, ret->month) && ret->hour <= 23 &&
           ret->minute <= 59 && ret->second <= 60;
}

/* `Sun, 06 Nov 1994 08:49:37 GMT` in seconds since 1970, or one of the two obsolete forms, which
 * are read, too (RFC 9110 section 5.6.7); years of two digits are those from 1970 to 2069. */
static bool read_http_date(struct str text, int64_t *ret_s)
{
    size_t weekday = str_find(text, ',') < text.len ? str_find(text, ',') : str_find(text, ' ');
    struct str rest = str_slice(text, weekday, text.len);
    struct datetime d;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        if (has_form(rest, forms[i].text) && read_date(rest, &forms[i], &d)) {
            *ret_s = datetime_to_seconds(&d);
            return true;
        }
    return false;
}

unsigned retry_after_read(struct str value, struct str date, int64_t now_s)
{
    uint64_t number;
    int64_t then_s, date_s, seconds;

    value = str_trim(value);
    if (read_http_date(value, &then_s)) {
        if (read_http_date(str_trim(date), &date_s))
            now_s = date_s;
        seconds = then_s - now_s;
    } else if (str_to_uint(value, INT64_MAX, &number)) {
        seconds = (int64_t)number;
    } else {
        return 0;
    }
    if (seconds < 0)
        return 0;
    return (unsigned)(seconds < RETRY_AFTER_MAX ? seconds : RETRY_AFTER_MAX);
}
