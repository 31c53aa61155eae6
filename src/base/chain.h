/* SPDX-License-Identifier: Apache-2.0 */
/* A growing document in a chain of blocks: it never moves what it holds and never needs one large
 * allocation, and each block is counted in the memory budget. JSON replies and XML requests are
 * written into chains and sent from them. Like `struct buf` it has a maximum and a sticky failure:
 * what is written after one goes nowhere, chain_state() at the end tells. */
#ifndef RPCGATE_BASE_CHAIN_H
#define RPCGATE_BASE_CHAIN_H

#include "base/budget.h"
#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct iovec;

/* What chain_reserve() can be asked for at once. [bytes] */
#define CHAIN_RESERVE_MAX ((size_t)4096)

enum chain_state {
    CHAIN_OK,
    CHAIN_FULL,     /* over its own maximum */
    CHAIN_NO_MEMORY /* over the budget, or malloc said no */
};

struct chain_block {
    struct chain_block *next;
    size_t start; /* offset of the first byte in the document [bytes] */
    size_t len;   /* [bytes] */
    size_t cap;   /* [bytes] */
    char data[];
};

struct chain {
    struct chain_block *first, *last; /* owned; NULL while empty */
    size_t max;                       /* [bytes] */
    struct budget *budget;            /* borrowed; NULL: none */
    enum chain_state state;
};

/* A place in a chain that is read from front to back. */
struct chain_cursor {
    const struct chain_block *block; /* NULL: at the start or past the end */
    size_t at;                       /* offset in the block */
    bool started;
};

void chain_init(struct chain *c, size_t max_bytes, struct budget *budget);
void chain_done(struct chain *c);

/* The same, and overwrites what it had. */
void chain_wipe(struct chain *c);

/* Empties it and forgets a failure; a small first block is kept. */
void chain_clear(struct chain *c);

/* A thread keeps first blocks for its next documents: frees them, as it must before it ends. */
void chain_free_spare(void);

/* Moves the whole document to `to`, which must be uninitialised or done; `c` is empty after. */
void chain_move(struct chain *to, struct chain *c);

static inline enum chain_state chain_state(const struct chain *c)
{
    return c->state;
}

/* Length of what is written. [bytes] */
static inline size_t chain_len(const struct chain *c)
{
    return c->last != NULL ? c->last->start + c->last->len : 0;
}

char *chain_reserve_slow(struct chain *c, size_t n);

/* Room for `n` (at most CHAIN_RESERVE_MAX) contiguous bytes; never NULL. After a failure it is
 * scratch memory whose content is lost. Follow it with chain_commit() of at most `n`. */
static inline char *chain_reserve(struct chain *c, size_t n)
{
    struct chain_block *b = c->last;
    if (LIKELY(b != NULL && n <= b->cap - b->len && c->state == CHAIN_OK))
        return b->data + b->len;
    return chain_reserve_slow(c, n);
}

static inline void chain_commit(struct chain *c, size_t n)
{
    if (LIKELY(c->state == CHAIN_OK && c->last != NULL))
        c->last->len += n;
}

void chain_append_slow(struct chain *c, struct str s);

static inline void chain_append(struct chain *c, struct str s)
{
    struct chain_block *b = c->last;
    if (LIKELY(b != NULL && s.len <= b->cap - b->len && c->state == CHAIN_OK)) {
        if (s.len > 0)
            memcpy(b->data + b->len, s.data, s.len);
        b->len += s.len;
    } else {
        chain_append_slow(c, s);
    }
}

/* The same, of bytes that have their place in the budget and are about to leave it: they count
 * beyond its maximum, too. */
void chain_append_moved(struct chain *c, struct str s);

static inline void chain_append_c(struct chain *c, const char *text)
{
    chain_append(c, str_of(text));
}

static inline void chain_append_byte(struct chain *c, char byte)
{
    *chain_reserve(c, 1) = byte;
    chain_commit(c, 1);
}

/* Overwrites the byte at offset `at`, which is there. */
void chain_set_byte(struct chain *c, size_t at, char byte);

/* As if there were no room for more. */
void chain_fail(struct chain *c);

/* Forgets all that was written from offset `len` on. */
void chain_truncate(struct chain *c, size_t len);

/* So, and forgets a failure that came of it. */
void chain_recover(struct chain *c, size_t len);

/* Takes out the bytes from offset `from` to `end`, which are there; what follows moves up. The cost
 * is that of a block or two, and a step for each block. */
void chain_cut(struct chain *c, size_t from, size_t end);

/* Appends `len` bytes that the document `from` holds at offset `at`; `from` may be `c` itself. */
void chain_append_range(struct chain *c, const struct chain *from, size_t at, size_t len);

/* Moves all that is in `from` to the end of `to`, at no cost that grows with its length: the two
 * have one budget. `from` is empty then; its failure is that of `to`, too. */
void chain_join(struct chain *to, struct chain *from);

/* Puts text between the bytes that are there, at offset `at`. At the end of the document the cost
 * does not grow with what stands before, and a block is cut only where it is full, so that many
 * insertions do not make many blocks. */
void chain_insert(struct chain *c, size_t at, struct str text);

/* Copies up to `size` bytes to `to` and moves the cursor ({0} is the start). Returns how many: 0
 * at the end. */
size_t chain_read(const struct chain *c, struct chain_cursor *cursor, char *to, size_t size);

/* How many blocks there are, and an iovec for each. `ret` has room for chain_blocks(c). */
size_t chain_blocks(const struct chain *c);
void chain_iovec(const struct chain *c, struct iovec *ret);

/* The whole document in one allocation with a NUL behind it, for tests and tools: free() it. */
char *chain_dup(const struct chain *c) MUST_CHECK;

#endif
