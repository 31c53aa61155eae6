/* SPDX-License-Identifier: Apache-2.0 */
/* Dates and times of the Gregorian calendar, years 0001 to 9999, without a time zone unless one
 * is said: XML-RPC's dateTime.iso8601 has none. */
#ifndef RPCGATE_CODEC_VALUE_DATETIME_H
#define RPCGATE_CODEC_VALUE_DATETIME_H

#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct datetime {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second;
};

/* `19980717T14:08:55`, the one form of the XML-RPC specification. [bytes] */
#define DATETIME_BASIC_LEN 17
/* `1998-07-17T14:08:55`. [bytes] */
#define DATETIME_EXTENDED_LEN 19

/* The specification's form, exactly; false where it is no date and time. */
bool datetime_read_basic(struct str text, struct datetime *ret) MUST_CHECK;

struct datetime_offset {
    bool known;
    int seconds; /* east of UTC */
};

/* `YYYY-MM-DDTHH:MM:SS`, with or without a fraction, which is dropped, and with or without an
 * offset: RFC 3339 with one. A leap second, at 23:59:60 UTC, is the next day's first. */
bool datetime_read_extended(struct str text, struct datetime *ret,
                            struct datetime_offset *offset) MUST_CHECK;

void datetime_write_basic(const struct datetime *d, char to[DATETIME_BASIC_LEN]);
void datetime_write_extended(const struct datetime *d, char to[DATETIME_EXTENDED_LEN]);

/* Seconds since 1970-01-01T00:00:00, leap seconds not counted, and back; false where the year is
 * not 1 to 9999. */
int64_t datetime_to_seconds(const struct datetime *d);
bool datetime_from_seconds(int64_t seconds, struct datetime *ret) MUST_CHECK;

/* Days since 1970-01-01. The day may be beyond its month. */
int64_t datetime_days(int year, int month, int day);

/* 1 to 31 */
int datetime_month_days(int year, int month);

#endif
