/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The memory alone. */
void buf_free(struct buf *b)
{
    budget_give(b->budget, b->cap);
    free(b->data);
}

void buf_wipe(struct buf *b)
{
    wipe(b->data, b->cap);
    buf_done(b);
}

static bool grow(struct buf *b, size_t cap)
{
    if (!budget_take(b->budget, cap - b->cap)) {
        b->state = BUF_NO_MEMORY;
        return false;
    }
    char *grown = realloc(b->data, cap);
    if (grown == NULL) {
        budget_give(b->budget, cap - b->cap);
        b->state = BUF_NO_MEMORY;
        return false;
    }
    b->data = grown;
    b->cap = cap;
    return true;
}

size_t buf_growth(const struct buf *b, size_t more)
{
    if (more > b->max - b->len || b->len + more + 1 <= b->cap)
        return 0;
    size_t need = b->len + more + 1;
    size_t cap = b->cap == 0 ? need : b->cap + b->cap / 2;
    if (cap < need)
        cap = need;
    if (cap < 64)
        cap = 64;
    if (cap > b->max + 1)
        cap = b->max + 1;
    return cap - b->cap;
}

bool buf_reserve(struct buf *b, size_t more)
{
    if (b->state != BUF_OK)
        return false;
    if (more > b->max - b->len || b->max == SIZE_MAX) {
        b->state = BUF_FULL;
        return false;
    }
    size_t growth = buf_growth(b, more);
    return growth == 0 || grow(b, b->cap + growth);
}

void buf_truncate(struct buf *b, size_t len)
{
    if (len >= b->len)
        return;
    b->len = len;
    b->data[len] = '\0';
}

/* Most find room that was made before; `cap` is never beyond what `max` allows. */
static bool has_room(const struct buf *b, size_t more)
{
    return b->state == BUF_OK && b->cap > b->len && more < b->cap - b->len;
}

void buf_append(struct buf *b, struct str s)
{
    if (UNLIKELY(!has_room(b, s.len)) && !buf_reserve(b, s.len))
        return;
    if (s.len > 0)
        memcpy(b->data + b->len, s.data, s.len);
    b->len += s.len;
    b->data[b->len] = '\0';
}

void buf_append_c(struct buf *b, const char *text)
{
    buf_append(b, str_of(text));
}

void buf_append_byte(struct buf *b, char byte)
{
    buf_append(b, (struct str){ &byte, 1 });
}

void buf_vprintf(struct buf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    if (len >= 0 && buf_reserve(b, (size_t)len)) {
        vsnprintf(b->data + b->len, (size_t)len + 1, format, again);
        b->len += (size_t)len;
    }
    va_end(again);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vprintf(b, format, args);
    va_end(args);
}

const char *buf_c(const struct buf *b)
{
    return b->data != NULL ? b->data : "";
}

char *buf_take(struct buf *b)
{
    char *data = b->data != NULL ? b->data : xstrdup("");
    budget_give(b->budget, b->cap);
    b->data = NULL;
    b->cap = 0;
    b->len = 0;
    return data;
}
