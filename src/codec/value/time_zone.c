/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/value/time_zone.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZONE_FOLDER "/usr/share/zoneinfo/"
#define ZONE_NAME_MAX 128
#define ZONE_FILE_MAX ((size_t)64 * 1024)
#define HEADER_LEN 44

struct time_zone {
    size_t n;         /* transitions */
    int64_t *moments; /* of the transitions, in order; owned */
    int *offsets;     /* from each transition on, seconds east of UTC; owned */
    int first;        /* offset before them all */
    bool has_rule;    /* for what comes after the last one */
    struct time_zone_rule rule;
};

/* The numbers of a TZif header (RFC 8536 section 3.1). */
struct header {
    size_t utc_flags, wall_flags, leaps, transitions, types, names;
    size_t block; /* length of the data behind it [bytes] */
};

static uint32_t read_32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t read_64(const unsigned char *at)
{
    return (int64_t)((uint64_t)read_32(at) << 32 | read_32(at + 4));
}

/* `+HH:MM` or `-HH:MM` */
static bool read_fixed(const char *name, int *ret)
{
    uint64_t hours, minutes;
    struct str s = str_of(name);
    if (s.len != 6 || (name[0] != '+' && name[0] != '-') || name[3] != ':' ||
        !str_to_uint(str_slice(s, 1, 3), 23, &hours) ||
        !str_to_uint(str_slice(s, 4, 6), 59, &minutes))
        return false;
    int seconds = (int)(hours * 60 + minutes) * 60;
    *ret = name[0] == '-' ? -seconds : seconds;
    return true;
}

/* The name becomes part of a path: it must stay below the folder. */
static bool is_zone_name(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > ZONE_NAME_MAX || name[0] == '/' || strstr(name, "..") != NULL)
        return false;
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") ==
           len;
}

static bool read_file(const char *name, unsigned char *to, size_t *ret_len)
{
    char path[sizeof ZONE_FOLDER + ZONE_NAME_MAX];
    snprintf(path, sizeof path, ZONE_FOLDER "%s", name);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    *ret_len = fread(to, 1, ZONE_FILE_MAX, f);
    bool ok = ferror(f) == 0 && *ret_len < ZONE_FILE_MAX;
    fclose(f);
    return ok;
}

/* Reads a header; false where its data block goes beyond `len`. */
static bool read_header(const unsigned char *at, size_t len, size_t time_size, struct header *ret)
{
    if (len < HEADER_LEN || memcmp(at, "TZif", 4) != 0 || at[4] < '2')
        return false;
    *ret = (struct header){ .utc_flags = read_32(at + 20),
                            .wall_flags = read_32(at + 24),
                            .leaps = read_32(at + 28),
                            .transitions = read_32(at + 32),
                            .types = read_32(at + 36),
                            .names = read_32(at + 40) };
    if (ret->utc_flags > len || ret->wall_flags > len || ret->leaps > len ||
        ret->transitions > len || ret->types > len || ret->names > len || ret->types == 0)
        return false;
    ret->block = ret->transitions * (time_size + 1) + ret->types * 6 + ret->names +
                 ret->leaps * (time_size + 4) + ret->wall_flags + ret->utc_flags;
    return ret->block <= len - HEADER_LEN;
}

/* The transitions of a version 2 block. */
static bool read_block(struct time_zone *z, const unsigned char *at, const struct header *h)
{
    const unsigned char *indices = at + h->transitions * 8;
    const unsigned char *types = indices + h->transitions;
    z->n = h->transitions;
    z->moments = xcalloc(z->n, sizeof *z->moments);
    z->offsets = xcalloc(z->n, sizeof *z->offsets);
    z->first = (int)read_32(types);
    for (size_t i = 0; i < z->n; i++) {
        if (indices[i] >= h->types)
            return false;
        z->moments[i] = read_64(at + i * 8);
        z->offsets[i] = (int)read_32(types + indices[i] * (size_t)6);
    }
    return true;
}

/* The block of version 1 comes first and is skipped: its times have 32 bits. */
static bool read_zone(struct time_zone *z, const unsigned char *data, size_t len)
{
    struct header h;
    if (!read_header(data, len, 4, &h))
        return false;
    data += HEADER_LEN + h.block;
    len -= HEADER_LEN + h.block;
    if (!read_header(data, len, 8, &h) || !read_block(z, data + HEADER_LEN, &h))
        return false;
    data += HEADER_LEN + h.block;
    len -= HEADER_LEN + h.block;
    if (len < 2 || data[0] != '\n')
        return true;
    struct str footer = { (const char *)data + 1, len - 1 };
    footer = str_slice(footer, 0, str_find(footer, '\n'));
    z->has_rule = footer.len > 0;
    return footer.len == 0 || time_zone_rule_read(footer, &z->rule);
}

static bool load(struct time_zone *z, const char *name)
{
    size_t len;
    unsigned char *data = xcalloc(1, ZONE_FILE_MAX);
    bool ok = is_zone_name(name) && read_file(name, data, &len) && read_zone(z, data, len);
    free(data);
    return ok;
}

struct time_zone *time_zone_new(const char *name)
{
    struct time_zone *z = xcalloc(1, sizeof *z);
    if (strcmp(name, "UTC") == 0 || strcmp(name, "Z") == 0 || read_fixed(name, &z->first))
        return z;
    if (load(z, name))
        return z;
    time_zone_free(z);
    return NULL;
}

void time_zone_free(struct time_zone *z)
{
    if (z == NULL)
        return;
    free(z->moments);
    free(z->offsets);
    free(z);
}

int time_zone_offset(const struct time_zone *z, int64_t moment)
{
    size_t low = 0;
    size_t high = z->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (z->moments[middle] <= moment)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == z->n && z->has_rule)
        return time_zone_rule_offset(&z->rule, moment);
    return low == 0 ? z->first : z->offsets[low - 1];
}
