/* SPDX-License-Identifier: Apache-2.0 */
/* A growing, contiguous run of bytes with a maximum that cannot be left out. Its error is sticky:
 * after an append that did not fit, nothing more is appended, so that one test of buf_ok() at the
 * end is enough. The maximum, and the budget where there is one, bound what input can make us
 * allocate. */
#ifndef RPCGATE_BASE_BUF_H
#define RPCGATE_BASE_BUF_H

#include "base/budget.h"
#include "base/macros.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum buf_state { BUF_OK, BUF_FULL, BUF_NO_MEMORY };

struct buf {
    char *data;            /* owned; NULL until the first append, then always NUL-terminated */
    size_t len;            /* [bytes], without the NUL */
    size_t cap;            /* [bytes] */
    size_t max;            /* [bytes], without the NUL */
    struct budget *budget; /* borrowed; NULL: none */
    enum buf_state state;
};

static inline void buf_init(struct buf *b, size_t max_bytes, struct budget *budget)
{
    *b = (struct buf){ .max = max_bytes, .budget = budget };
}

void buf_free(struct buf *b);

static inline void buf_done(struct buf *b)
{
    if (b->data != NULL)
        buf_free(b);
    buf_init(b, b->max, b->budget);
}

/* As buf_done, after the bytes were overwritten: for secrets. */
void buf_wipe(struct buf *b);

/* Empties it and forgets a failure; the memory is kept. */
static inline void buf_clear(struct buf *b)
{
    b->len = 0;
    b->state = BUF_OK;
    if (b->data != NULL)
        b->data[0] = '\0';
}

/* So many bytes of memory more would be taken by an append of `more` bytes; 0 where that does not
 * fit into the maximum. */
size_t buf_growth(const struct buf *b, size_t more);

/* Makes room for `more` bytes now, so that appends of that many cannot fail; false and a sticky
 * failure where that exceeds the maximum (BUF_FULL) or the budget (BUF_NO_MEMORY). */
bool buf_reserve(struct buf *b, size_t more);

/* Leaves the first `len` bytes, where there are more; a failure stays one. */
void buf_truncate(struct buf *b, size_t len);

void buf_append(struct buf *b, struct str s);
void buf_append_c(struct buf *b, const char *text);
void buf_append_byte(struct buf *b, char byte);
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *format, va_list args) PRINTF_LIKE(2, 0);

static inline bool buf_ok(const struct buf *b)
{
    return b->state == BUF_OK;
}

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){ b->data, b->len };
}

/* The bytes with a NUL behind them, "" where there are none; borrowed. */
const char *buf_c(const struct buf *b);

/* Gives the bytes (free() them) and leaves the buffer empty. Never NULL. The budget, where there
 * is one, is given back: the new owner counts. */
char *buf_take(struct buf *b) MUST_CHECK;

#endif
