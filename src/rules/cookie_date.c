/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/cookie_date.h"

#include "codec/value/datetime.h"

struct found {
    bool time, day, month, year;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What separates words: all but digits, letters, colons and what is beyond ASCII. */
static bool is_delimiter(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte == 0x09 || (byte >= 0x20 && byte <= 0x2f) || (byte >= 0x3b && byte <= 0x40) ||
           (byte >= 0x5b && byte <= 0x60) || (byte >= 0x7b && byte <= 0x7e);
}

/* A number of `least` to `most` digits, behind which none may stand. */
static bool take_number(struct str *text, size_t least, size_t most, int *ret)
{
    size_t n = 0;
    uint64_t number;
    while (n < text->len && is_digit(text->data[n]))
        n++;
    if (n < least || n > most || !str_to_uint(str_slice(*text, 0, n), 9999, &number))
        return false;
    *ret = (int)number;
    *text = str_slice(*text, n, text->len);
    return true;
}

static bool take_colon(struct str *text)
{
    if (text->len == 0 || text->data[0] != ':')
        return false;
    *text = str_slice(*text, 1, text->len);
    return true;
}

static bool read_time(struct str word, struct datetime *ret)
{
    return take_number(&word, 1, 2, &ret->hour) && take_colon(&word) &&
           take_number(&word, 1, 2, &ret->minute) && take_colon(&word) &&
           take_number(&word, 1, 2, &ret->second);
}

static bool read_month(struct str word, struct datetime *ret)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (size_t i = 0; i < 12 && word.len >= 3; i++) {
        if (!str_eq_nocase(str_slice(word, 0, 3), (struct str){ names + 3 * i, 3 }))
            continue;
        ret->month = (int)i + 1;
        return true;
    }
    return false;
}

static void take_word(struct str word, struct found *found, struct datetime *ret)
{
    struct str rest = word;
    if (!found->time && read_time(word, ret))
        found->time = true;
    else if (!found->day && take_number(&rest, 1, 2, &ret->day))
        found->day = true;
    else if (!found->month && read_month(word, ret))
        found->month = true;
    else if (rest = word, !found->year && take_number(&rest, 2, 4, &ret->year))
        found->year = true;
}

bool cookie_date_read(struct str text, int64_t *ret_s)
{
    struct found found = { false };
    struct datetime date = { 0 };
    size_t at = 0;
    while (at < text.len) {
        size_t from = at;
        while (at < text.len && !is_delimiter(text.data[at]))
            at++;
        if (at > from)
            take_word(str_slice(text, from, at), &found, &date);
        else
            at++;
    }
    if (date.year < 100)
        date.year += date.year < 70 ? 2000 : 1900;
    if (!found.time || !found.day || !found.month || !found.year || date.year < 1601 ||
        date.day < 1 || date.day > datetime_month_days(date.year, date.month) || date.hour > 23 ||
        date.minute > 59 || date.second > 59)
        return false;
    *ret_s = datetime_to_seconds(&date);
    return true;
}
