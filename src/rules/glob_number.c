/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/glob_number.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define DAY 86400u /* [s] */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Behind the character of UTF-8 that begins there. */
static size_t next_character(struct str text, size_t i)
{
    do
        i++;
    while (i < text.len && ((unsigned char)text.data[i] & 0xC0) == 0x80);
    return i;
}

/* For each place: does the glob match all before it? */
static void match_before(struct str glob, struct str text, bool *at)
{
    memset(at, 0, text.len + 1);
    at[0] = true;
    for (size_t g = 0; g < glob.len; g++) {
        if (glob.data[g] == '*') {
            for (size_t i = 0; i < text.len; i++)
                at[i + 1] = at[i + 1] || at[i];
            continue;
        }
        for (size_t i = text.len; i > 0; i--) {
            size_t from = i - 1;
            while (glob.data[g] == '?' && from > 0 &&
                   ((unsigned char)text.data[from] & 0xC0) == 0x80)
                from--;
            at[i] = at[from] && (glob.data[g] == '?' || text.data[from] == glob.data[g]);
        }
        at[0] = false;
    }
}

/* For each place: does the glob match all from it on? */
static void match_behind(struct str glob, struct str text, bool *at)
{
    memset(at, 0, text.len + 1);
    at[text.len] = true;
    for (size_t g = glob.len; g-- > 0;) {
        if (glob.data[g] == '*') {
            for (size_t i = text.len; i-- > 0;)
                at[i] = at[i] || at[i + 1];
            continue;
        }
        for (size_t i = 0; i < text.len; i++) {
            bool any = glob.data[g] == '?';
            at[i] =
                at[any ? next_character(text, i) : i + 1] && (any || text.data[i] == glob.data[g]);
        }
        at[text.len] = false;
    }
}

static unsigned read_seconds(struct str digits)
{
    unsigned n = 0;
    for (size_t i = 0; i < digits.len && n < DAY; i++)
        n = n * 10 + (unsigned)(digits.data[i] - '0');
    return n < DAY ? n : DAY;
}

bool glob_number_match(struct str glob, const char *mark, struct str text, unsigned *ret)
{
    const char *place = memmem(glob.data, glob.len, mark, strlen(mark));
    bool found = false;
    if (place == NULL)
        return false;
    if (text.len > GLOB_NUMBER_TEXT_MAX)
        text = str_slice(text, 0, GLOB_NUMBER_TEXT_MAX);
    size_t begin = (size_t)(place - glob.data);
    bool *before = xcalloc(2, text.len + 1);
    bool *behind = before + text.len + 1;
    match_before(str_slice(glob, 0, begin), text, before);
    match_behind(str_slice(glob, begin + strlen(mark), glob.len), text, behind);
    for (size_t i = 0, end; i < text.len && !found; i = end + 1) {
        for (end = i; end < text.len && is_digit(text.data[end]);)
            end++;
        found = end > i && before[i] && behind[end];
        if (found)
            *ret = read_seconds(str_slice(text, i, end));
    }
    free(before);
    return found;
}
