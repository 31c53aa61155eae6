/* SPDX-License-Identifier: Apache-2.0 */
/* {"$dateTime": …} */
#include "codec/xml/encode_inside.h"

#include "base/alloc.h"
#include "codec/json/cursor.h"
#include "codec/json/text.h"
#include "codec/value/datetime.h"
#include "codec/value/number_text.h"

#include <stdlib.h>

/* Longer texts are no dates, but for the digits of a fraction. [bytes] */
#define TEXT_MAX 256

static const char advice[] =
    "Write a date and time, as in {\"$dateTime\": \"1998-07-17T14:08:55\"}, the same with an "
    "offset such as Z or +02:00, or seconds since 1970.";

/* The zone of the options; kept for the next document. */
static const struct time_zone *zone(struct encoder *e)
{
    const char *name = e->input.options->timezone;
    if (name == NULL)
        name = "UTC";
    if (e->zone == NULL || strcmp(e->zone_name, name) != 0) {
        time_zone_free(e->zone);
        free(e->zone_name);
        e->zone = time_zone_new(name);
        e->zone_name = xstrdup(name);
    }
    return e->zone;
}

static bool write(struct encoder *e, const struct datetime *d)
{
    char text[DATETIME_EXTENDED_LEN];
    size_t len = DATETIME_BASIC_LEN;
    if (e->input.options->dates == DATES_EXTENDED) {
        datetime_write_extended(d, text);
        len = DATETIME_EXTENDED_LEN;
    } else {
        datetime_write_basic(d, text);
    }
    if (e->input.options->dates == DATES_ZULU)
        text[len++] = 'Z';
    encode_element(e, "dateTime.iso8601", (struct str){ text, len });
    return true;
}

_Static_assert(DATETIME_EXTENDED_LEN > DATETIME_BASIC_LEN, "there is room for a Z");

/* A tagged date as such a server has sent it. */
static bool read_zulu(const struct encoder *e, struct str text, struct datetime *ret)
{
    return e->input.options->dates == DATES_ZULU && text.len == DATETIME_BASIC_LEN + 1 &&
           text.data[DATETIME_BASIC_LEN] == 'Z' &&
           datetime_read_basic(str_slice(text, 0, DATETIME_BASIC_LEN), ret);
}

static bool write_moment(struct encoder *e, int64_t moment, struct error *err)
{
    struct datetime d;
    const struct time_zone *z = zone(e);
    if (z == NULL)
        return encode_refuse(e, err, "The upstream's timezone is not known on this machine.");
    if (!datetime_from_seconds(moment + time_zone_offset(z, moment), &d))
        return encode_refuse(e, err, "XML-RPC has dates from the year 0001 to 9999 only.");
    return write(e, &d);
}

static bool write_seconds(struct encoder *e, struct error *err)
{
    const char *start = e->at;
    struct number_text n;
    int64_t moment;
    e->at = json_number_end(start, e->end);
    if (!number_text_read((struct str){ start, (size_t)(e->at - start) }, &n))
        return encode_refuse(e, err, "%s", advice);
    if (!number_text_floor(&n, &moment))
        return encode_refuse(e, err, "XML-RPC has dates from the year 0001 to 9999 only.");
    return write_moment(e, moment, err);
}

static bool write_text(struct encoder *e, struct str text, struct error *err)
{
    struct datetime d;
    struct datetime_offset offset;
    if (datetime_read_basic(text, &d) || read_zulu(e, text, &d))
        return write(e, &d);
    if (!datetime_read_extended(text, &d, &offset))
        return encode_refuse(e, err, "%s", advice);
    if (!offset.known)
        return write(e, &d);
    return write_moment(e, datetime_to_seconds(&d) - offset.seconds, err);
}

bool encode_datetime(struct encoder *e, struct error *err)
{
    const char *start = e->at;
    if (*start == '"' && e->input.options->as_decoded)
        return encode_text(e, OPEN_DATE, err);
    if (*start == '-' || (*start >= '0' && *start <= '9'))
        return write_seconds(e, err);
    if (*start != '"')
        return encode_refuse(e, err, "%s", advice);
    struct buf text;
    e->at = json_string_end(start + 1, e->end) + 1;
    buf_init(&text, TEXT_MAX, NULL);
    json_unquote((struct str){ start, (size_t)(e->at - start) }, &text);
    bool ok = buf_ok(&text) && text.len > 0 ? write_text(e, buf_str(&text), err)
                                            : encode_refuse(e, err, "%s", advice);
    buf_done(&text);
    return ok;
}
