/* SPDX-License-Identifier: Apache-2.0 */
#include "base/nearest.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment, with three rows of its table, and of these only what is no further than
 * `most` from the diagonal: all else is further apart. Case does not count. */
static size_t distance_within(const char *a, const char *b, size_t most)
{
    size_t rows[3][NEAREST_FAR + 1];
    size_t len_a = strlen(a), len_b = strlen(b);
    if (len_a >= NEAREST_FAR || len_b >= NEAREST_FAR || len_a > len_b + most ||
        len_b > len_a + most)
        return NEAREST_FAR;
    for (size_t j = 0; j <= len_b; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= len_a; i++) {
        size_t *row = rows[i % 3], *before = rows[(i + 2) % 3], *before_that = rows[(i + 1) % 3];
        size_t first = i > most ? i - most : 1, last = least(len_b, i + most);
        row[first - 1] = first == 1 ? i : NEAREST_FAR;
        row[last + 1] = NEAREST_FAR;
        for (size_t j = first; j <= last; j++) {
            size_t change = before[j - 1] + ((a[i - 1] | 0x20) != (b[j - 1] | 0x20));
            row[j] = least(change, least(before[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before_that[j - 2] + 1);
        }
    }
    return rows[len_a % 3][len_b];
}

size_t nearest_distance(const char *a, const char *b)
{
    return distance_within(a, b, NEAREST_FAR);
}

const char *nearest_name(const char *name, const char *const *names, size_t n)
{
    size_t len = strlen(name);
    size_t longest = len < 2 ? 0 : len < 6 ? 1 : len < 12 ? 2 : 3;
    const char *best = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t distance = distance_within(name, names[i], longest);
        if (distance <= longest) {
            longest = distance - (distance > 0);
            best = names[i];
        }
    }
    return best;
}
