/* SPDX-License-Identifier: Apache-2.0 */
/* Time zones without the process's own: offsets such as `+02:00`, and the system's zone database
 * (TZif files, RFC 8536). A zone is read once and is immutable then. */
#ifndef RPCGATE_CODEC_VALUE_TIME_ZONE_H
#define RPCGATE_CODEC_VALUE_TIME_ZONE_H

#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct time_zone;

/* "UTC", "Z", "+02:00" or a name of the database, such as "Europe/Berlin"; NULL where there is no
 * such zone. */
struct time_zone *time_zone_new(const char *name) MUST_CHECK;
void time_zone_free(struct time_zone *z);

/* Seconds east of UTC at a moment, which is in seconds since 1970. */
int time_zone_offset(const struct time_zone *z, int64_t moment);

/* What the footer of a TZif file says of all later years: a POSIX TZ string. */
struct time_zone_day {
    enum { TIME_ZONE_JULIAN, TIME_ZONE_DAY, TIME_ZONE_WEEKDAY } kind;
    int month, week, day;
    int time; /* of that day, in the local time that then ends [s] */
};

struct time_zone_rule {
    bool has_summer;
    int winter, summer;              /* seconds east of UTC */
    struct time_zone_day begin, end; /* of summer time */
};

bool time_zone_rule_read(struct str text, struct time_zone_rule *ret) MUST_CHECK;
int time_zone_rule_offset(const struct time_zone_rule *r, int64_t moment);

#endif
