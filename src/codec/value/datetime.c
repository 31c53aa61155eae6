/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/value/datetime.h"

#include <stddef.h>

#define DAY_SECONDS 86400
#define SECONDS_LEAST INT64_C(-62135596800)    /* 0001-01-01T00:00:00 */
#define SECONDS_GREATEST INT64_C(253402300799) /* 9999-12-31T23:59:59 */

static bool is_leap_year(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int datetime_month_days(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return days[month - 1] + (month == 2 && is_leap_year(year));
}

/* Reads `n` digits. */
static bool read_digits(const char *at, int n, int *ret)
{
    int value = 0;
    for (int i = 0; i < n; i++) {
        if (at[i] < '0' || at[i] > '9')
            return false;
        value = value * 10 + (at[i] - '0');
    }
    *ret = value;
    return true;
}

/* `HH:MM:SS` */
static bool read_time(const char *at, struct datetime *ret)
{
    return read_digits(at, 2, &ret->hour) && at[2] == ':' && read_digits(at + 3, 2, &ret->minute) &&
           at[5] == ':' && read_digits(at + 6, 2, &ret->second);
}

static bool is_valid(const struct datetime *d, int second_max)
{
    return d->year >= 1 && d->month >= 1 && d->month <= 12 && d->day >= 1 &&
           d->day <= datetime_month_days(d->year, d->month) && d->hour <= 23 && d->minute <= 59 &&
           d->second <= second_max;
}

bool datetime_read_basic(struct str text, struct datetime *ret)
{
    struct datetime d;
    const char *at = text.data;
    if (text.len != DATETIME_BASIC_LEN || at[8] != 'T')
        return false;
    if (!read_digits(at, 4, &d.year) || !read_digits(at + 4, 2, &d.month) ||
        !read_digits(at + 6, 2, &d.day) || !read_time(at + 9, &d) || !is_valid(&d, 59))
        return false;
    *ret = d;
    return true;
}

/* `Z`, `+HH:MM`, `-HH:MM` or nothing (RFC 3339 section 5.6). */
static bool read_offset(struct str text, struct datetime_offset *ret)
{
    int hours, minutes;
    *ret = (struct datetime_offset){ .known = text.len > 0 };
    if (text.len == 0 || (text.len == 1 && (text.data[0] == 'Z' || text.data[0] == 'z')))
        return true;
    if (text.len != 6 || (text.data[0] != '+' && text.data[0] != '-') || text.data[3] != ':' ||
        !read_digits(text.data + 1, 2, &hours) || !read_digits(text.data + 4, 2, &minutes) ||
        hours > 23 || minutes > 59)
        return false;
    ret->seconds = (hours * 60 + minutes) * 60;
    if (text.data[0] == '-')
        ret->seconds = -ret->seconds;
    return true;
}

static struct str skip_fraction(struct str text)
{
    size_t at = 1;
    if (text.len < 2 || text.data[0] != '.')
        return text;
    while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9')
        at++;
    return at > 1 ? str_slice(text, at, text.len) : text;
}

/* The second 60 is one of UTC's, at midnight. */
static bool is_leap_second(const struct datetime *d, struct datetime_offset offset)
{
    int64_t utc = datetime_to_seconds(d) - offset.seconds;
    return offset.known && ((utc % DAY_SECONDS) + DAY_SECONDS) % DAY_SECONDS == 0;
}

bool datetime_read_extended(struct str text, struct datetime *ret, struct datetime_offset *offset)
{
    struct datetime d;
    const char *at = text.data;
    if (text.len < DATETIME_EXTENDED_LEN || at[4] != '-' || at[7] != '-' ||
        (at[10] != 'T' && at[10] != 't'))
        return false;
    if (!read_digits(at, 4, &d.year) || !read_digits(at + 5, 2, &d.month) ||
        !read_digits(at + 8, 2, &d.day) || !read_time(at + 11, &d) || !is_valid(&d, 60))
        return false;
    if (!read_offset(skip_fraction(str_slice(text, DATETIME_EXTENDED_LEN, text.len)), offset))
        return false;
    if (d.second == 60 && !is_leap_second(&d, *offset))
        return false;
    *ret = d;
    return true;
}

static void write_digits(char *to, int n, int value)
{
    while (n-- > 0) {
        to[n] = (char)('0' + value % 10);
        value /= 10;
    }
}

static void write_time(char *to, const struct datetime *d)
{
    write_digits(to, 2, d->hour);
    to[2] = ':';
    write_digits(to + 3, 2, d->minute);
    to[5] = ':';
    write_digits(to + 6, 2, d->second);
}

void datetime_write_basic(const struct datetime *d, char to[DATETIME_BASIC_LEN])
{
    write_digits(to, 4, d->year);
    write_digits(to + 4, 2, d->month);
    write_digits(to + 6, 2, d->day);
    to[8] = 'T';
    write_time(to + 9, d);
}

void datetime_write_extended(const struct datetime *d, char to[DATETIME_EXTENDED_LEN])
{
    write_digits(to, 4, d->year);
    to[4] = '-';
    write_digits(to + 5, 2, d->month);
    to[7] = '-';
    write_digits(to + 8, 2, d->day);
    to[10] = 'T';
    write_time(to + 11, d);
}

/* Days from 0000-03-01 are counted in eras of 400 years, each beginning in March, so that the leap
 * day is the last (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
int64_t datetime_days(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

int64_t datetime_to_seconds(const struct datetime *d)
{
    return datetime_days(d->year, d->month, d->day) * DAY_SECONDS + d->hour * 3600 +
           d->minute * 60 + d->second;
}

static void set_date(int64_t days, struct datetime *ret)
{
    int64_t z = days + 719468; /* never negative here */
    int64_t era = z / 146097;
    int64_t day_of_era = z % 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* from March */
    ret->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    ret->month = (int)(month < 10 ? month + 3 : month - 9);
    ret->year = (int)(year_of_era + era * 400 + (ret->month <= 2));
}

bool datetime_from_seconds(int64_t seconds, struct datetime *ret)
{
    if (seconds < SECONDS_LEAST || seconds > SECONDS_GREATEST)
        return false;
    int64_t days = seconds / DAY_SECONDS;
    int rest = (int)(seconds % DAY_SECONDS);
    if (rest < 0) {
        rest += DAY_SECONDS;
        days--;
    }
    set_date(days, ret);
    ret->hour = rest / 3600;
    ret->minute = rest / 60 % 60;
    ret->second = rest % 60;
    return true;
}
