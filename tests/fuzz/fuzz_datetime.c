/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a date and time, in both forms, and as a time zone's rule: what is read is a day of
 * the calendar and writes itself again. */
#include "codec/value/datetime.h"
#include "codec/value/time_zone.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_date(const struct datetime *d)
{
    struct datetime again;
    int64_t seconds = datetime_to_seconds(d);
    if (!datetime_from_seconds(seconds, &again)) {
        check(d->year == 9999 && d->second == 60); /* the leap second after the last day */
        return;
    }
    check(datetime_to_seconds(&again) == seconds);
    if (d->second == 60)
        return;
    check(again.year == d->year && again.month == d->month && again.day == d->day);
    check(again.hour == d->hour && again.minute == d->minute && again.second == d->second);
}

static void check_extended(struct str text)
{
    struct datetime d;
    struct datetime_offset offset;
    char written[DATETIME_EXTENDED_LEN];
    if (!datetime_read_extended(text, &d, &offset))
        return;
    check_date(&d);
    check(abs(offset.seconds) < 24 * 3600 && (offset.known || offset.seconds == 0));
    datetime_write_extended(&d, written);
    check(memcmp(written, text.data, 10) == 0 && memcmp(written + 11, text.data + 11, 8) == 0);
}

static void check_basic(struct str text)
{
    struct datetime d;
    char written[DATETIME_BASIC_LEN];
    if (!datetime_read_basic(text, &d))
        return;
    check_date(&d);
    datetime_write_basic(&d, written);
    check(str_eq(text, (struct str){ written, sizeof written }));
}

static void check_rule(struct str text)
{
    struct time_zone_rule rule;
    if (!time_zone_rule_read(text, &rule))
        return;
    for (int64_t moment = INT64_C(-70000000000); moment < INT64_C(300000000000);
         moment += INT64_C(10000000001)) {
        int offset = time_zone_rule_offset(&rule, moment);
        check(offset == rule.winter || offset == rule.summer);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);
    check(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    struct str text = { copy, size };
    check_basic(text);
    check_extended(text);
    check_rule(text);
    free(copy);
    return 0;
}
