/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/retry_after.h"

#include "codec/datetime.h"

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

bool http_date_read(struct str text, int64_t *ret_s)
{
    static const char form[] = "???, ?? ??? ???? ??:??:?? GMT";
    struct datetime d;
    if (text.len != sizeof form - 1)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (form[i] != '?' && form[i] != text.data[i])
            return false;
    if (!read_number(text, 5, 7, &d.day) || !read_month(str_slice(text, 8, 11), &d.month) ||
        !read_number(text, 12, 16, &d.year) || !read_number(text, 17, 19, &d.hour) ||
        !read_number(text, 20, 22, &d.minute) || !read_number(text, 23, 25, &d.second))
        return false;
    if (d.year < 1 || d.day < 1 || d.day > datetime_month_days(d.year, d.month) || d.hour > 23 ||
        d.minute > 59 || d.second > 60)
        return false;
    *ret_s = datetime_to_seconds(&d);
    return true;
}

unsigned retry_after_read(struct str value, struct str date, int64_t now_s)
{
    uint64_t number;
    int64_t then_s, date_s, seconds;

    value = str_trim(value);
    if (http_date_read(value, &then_s)) {
        if (http_date_read(str_trim(date), &date_s))
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
