/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX TZ strings (IEEE 1003.1-2017, 8.3), with hours beyond a day as RFC 8536 has them. */
#include "codec/value/time_zone.h"

#include "codec/value/datetime.h"

#define DAY_SECONDS 86400

/* What is left to read; fails for good once something does not fit. */
struct reader {
    struct str rest;
    bool failed;
};

static char peek(const struct reader *r)
{
    return r->rest.len > 0 ? r->rest.data[0] : '\0';
}

static void skip(struct reader *r, size_t n)
{
    r->rest = str_slice(r->rest, n, r->rest.len);
}

static bool take(struct reader *r, char c)
{
    if (r->rest.len == 0 || peek(r) != c)
        return false;
    skip(r, 1);
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* `CEST` or `<+0530>` */
static void read_name(struct reader *r)
{
    size_t len = 0;
    if (peek(r) == '<') {
        len = str_find(r->rest, '>') + 1;
        r->failed = r->failed || len > r->rest.len;
    } else {
        while (len < r->rest.len && is_letter(r->rest.data[len]))
            len++;
        r->failed = r->failed || len < 3;
    }
    if (!r->failed)
        skip(r, len);
}

static int read_number(struct reader *r, int least, int greatest)
{
    int value = 0;
    bool any = false;
    while (peek(r) >= '0' && peek(r) <= '9' && value <= greatest) {
        value = value * 10 + (peek(r) - '0');
        any = true;
        skip(r, 1);
    }
    r->failed = r->failed || !any || value < least || value > greatest;
    return value;
}

/* `[+-]hh[:mm[:ss]]` in seconds */
static int read_time(struct reader *r)
{
    bool negative = take(r, '-');
    if (!negative)
        take(r, '+');
    int seconds = read_number(r, 0, 167) * 3600;
    if (take(r, ':'))
        seconds += read_number(r, 0, 59) * 60;
    if (take(r, ':'))
        seconds += read_number(r, 0, 59);
    return negative ? -seconds : seconds;
}

/* `,Mm.w.d/time`, `,Jn/time`, `,n/time` */
static struct time_zone_day read_day(struct reader *r)
{
    struct time_zone_day d = { .kind = TIME_ZONE_DAY, .time = 2 * 3600 };
    r->failed = r->failed || !take(r, ',');
    if (take(r, 'M')) {
        d.kind = TIME_ZONE_WEEKDAY;
        d.month = read_number(r, 1, 12);
        r->failed = r->failed || !take(r, '.');
        d.week = read_number(r, 1, 5);
        r->failed = r->failed || !take(r, '.');
        d.day = read_number(r, 0, 6);
    } else if (take(r, 'J')) {
        d.kind = TIME_ZONE_JULIAN;
        d.day = read_number(r, 1, 365);
    } else {
        d.day = read_number(r, 0, 365);
    }
    if (take(r, '/'))
        d.time = read_time(r);
    return d;
}

bool time_zone_rule_read(struct str text, struct time_zone_rule *ret)
{
    struct reader r = { .rest = text };
    *ret = (struct time_zone_rule){ 0 };
    read_name(&r);
    ret->winter = -read_time(&r); /* POSIX counts west of Greenwich. */
    ret->summer = ret->winter + 3600;
    if (r.rest.len > 0) {
        ret->has_summer = true;
        read_name(&r);
        if (peek(&r) != ',')
            ret->summer = -read_time(&r);
        ret->begin = read_day(&r);
        ret->end = read_day(&r);
    }
    return !r.failed && r.rest.len == 0;
}

/* Seconds since 1970 of a rule's day and time, in local time. */
static int64_t day_in_year(const struct time_zone_day *d, int year)
{
    int64_t day;
    switch (d->kind) {
    case TIME_ZONE_JULIAN: /* February 29 is never counted. */
        day = datetime_days(year, 1, d->day);
        if (d->day > 59 && datetime_month_days(year, 2) == 29)
            day++;
        break;
    case TIME_ZONE_DAY:
        day = datetime_days(year, 1, d->day + 1);
        break;
    default: {
        int64_t first = datetime_days(year, d->month, 1);
        int weekday = (int)(((first + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday. */
        int month_day = (d->day - weekday + 7) % 7 + (d->week - 1) * 7;
        while (month_day >= datetime_month_days(year, d->month))
            month_day -= 7;
        day = first + month_day;
    }
    }
    return day * DAY_SECONDS + d->time;
}

int time_zone_rule_offset(const struct time_zone_rule *r, int64_t moment)
{
    struct datetime local;
    if (!r->has_summer || !datetime_from_seconds(moment + r->winter, &local))
        return r->winter;
    int64_t begin = day_in_year(&r->begin, local.year) - r->winter;
    int64_t end = day_in_year(&r->end, local.year) - r->summer;
    bool summer = begin < end ? moment >= begin && moment < end : moment >= begin || moment < end;
    return summer ? r->summer : r->winter;
}
