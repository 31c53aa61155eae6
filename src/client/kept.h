/* SPDX-License-Identifier: Apache-2.0 */
/* Results that are kept, for all workers, and which are being made: by keys that nobody can choose
 * so that they are alike. What is kept has limits.cache together; the result that was not asked for
 * the longest time makes room. It knows no call: a result is JSON text.
 *
 * All of it is behind one lock, which is held for a look into a table; what is found is read
 * without it, by reference. */
#ifndef RPCGATE_CLIENT_KEPT_H
#define RPCGATE_CLIENT_KEPT_H

#include "base/chain.h"
#include "base/digest.h"
#include "base/list.h"
#include "base/macros.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is larger is not kept, nor is what is larger than a part of limits.cache: it would put out
 * many others, and take long to copy. [bytes] */
#define KEPT_LEN_MAX ((size_t)2 * 1024 * 1024)
#define KEPT_PART 16

struct budget;
struct kept_store;

/* A result. It does not change, and lives as long as somebody refers to it. Its bytes count in
 * limits.cache once it was kept, and in the budget of the document that it was made of until then.
 */
struct kept {
    atomic_uint references;
    atomic_bool was_moved;
    struct budget *budget;    /* in which `data` counts, borrowed; NULL: in none */
    struct kept_store *store; /* that has it, or had; NULL: none */
    int64_t made_ms;
    size_t repaired; /* values that the text policy has changed */
    size_t len;      /* [bytes] */
    bool is_flat;    /* they are in `data`; else in `chain` */
    struct chain chain;

    /* The store's. */
    struct digest key;
    struct kept *next; /* of its slot */
    struct list in_use, in_shelf;
    int64_t until_ms;
    char data[];
};

/* One that is being made. Zeroed but for the key before it is shown. */
struct kept_making {
    struct digest key;
    atomic_uint references; /* the owner's; the store takes one for whom it gives it to */
    bool is_shown;          /* others find it */
    struct kept_making *next;
};

/* X(WORD, "word"): how a call of which results are kept came by its answer. */
#define KEPT_RESULT_LIST(X)                                                                        \
    X(HIT, "hit") X(MISS, "miss") X(STALE, "stale") X(COLLAPSED, "collapsed")
enum kept_result {
#define X(word, name) KEPT_RESULT_##word,
    KEPT_RESULT_LIST(X)
#undef X
        KEPT_RESULTS
};

struct kept_store;
struct kept_tally;

/* Those of one upstream: they go with it. */
struct kept_shelf {
    const char *name; /* of the upstream; borrowed */
    _Atomic(struct kept_tally *)
        tally; /* NULL: it is in no store yet, else what follows is there */
    struct kept_store *store;
    uint64_t number;     /* which no other shelf has had */
    struct list results; /* of struct kept */
};

/* "hit" and the like. */
const char *kept_result_name(enum kept_result result);

struct kept_store *kept_store_new(void) MUST_CHECK;

/* Whoever has references may keep them. */
void kept_store_free(struct kept_store *store);

/* limits.cache; what is over it goes, some now, some with what comes. Any thread, as all that
 * follows. */
void kept_set_max(struct kept_store *store, size_t bytes);

/* What it holds; NULL: nothing. [bytes] */
size_t kept_bytes(const struct kept_store *store);

/* Would a result of that length be kept? */
bool kept_fits(const struct kept_store *store, size_t len) MUST_CHECK;

/* The key of what the texts say, for a shelf that has its place. */
void kept_key(const struct kept_shelf *shelf, const struct str *texts, size_t n,
              struct digest *ret);

/* A result of the document `from` on from that offset, in one piece where it is of at most
 * KEPT_LEN_MAX; else the chain is moved. With one reference. NULL: there is no memory for it. */
struct kept *kept_new(struct chain *from, size_t at, size_t repaired) MUST_CHECK;

struct kept *kept_ref(struct kept *kept);

/* NULL is fine. */
void kept_unref(struct kept *kept);

/* For whoever had it made, who found room for it in that budget and needs no more: as
 * kept_append(), once. False: it does not count there, or was given so before. */
bool kept_move(struct kept *kept, size_t at, size_t len, struct chain *to) MUST_CHECK;

/* Appends so many of its bytes. */
void kept_append(const struct kept *kept, size_t at, size_t len, struct chain *to);

enum kept_answer {
    KEPT_HIT,    /* `result`, with a reference */
    KEPT_MAKING, /* `making`, with a reference: another one makes it */
    KEPT_NONE    /* whoever asks is to make it: `making` is shown now, if there was one */
};

/* What is asked for. */
struct kept_ask {
    const struct digest *key;
    int64_t oldest_ms;          /* made before this, it is none */
    bool waits;                 /* one that is being made is an answer, too */
    struct kept *result;        /* NULL, or what was found */
    struct kept_making *making; /* what would be shown; or what was found */
};
enum kept_answer kept_ask(struct kept_store *store, struct kept_ask *ask) MUST_CHECK;

/* The newest result of that key that was made then or later, with a reference; NULL: none. */
struct kept *kept_find(struct kept_store *store, const struct digest *key,
                       int64_t oldest_ms) MUST_CHECK;

/* It is not being made any more. With a result that is kept until then; NULL: there is none, or it
 * is not to be kept. Returns whether it is. */
bool kept_made(struct kept_store *store, struct kept_shelf *shelf, struct kept_making *making,
               struct kept *result, int64_t until_ms);

/* Some of those whose time is over go. Now and then. */
void kept_sweep(struct kept_store *store, int64_t now_ms);

void kept_shelf_init(struct kept_shelf *shelf, const char *name);

/* Gives it its place, if it has none yet. */
void kept_shelf_bind(struct kept_shelf *shelf, struct kept_store *store);

/* Counts how a call came by its answer, and tells how many have so: by the upstream's name, over
 * reloads. */
void kept_count(struct kept_shelf *shelf, enum kept_result result);
uint64_t kept_counted(const struct kept_shelf *shelf, enum kept_result result);

/* All of them go. Nobody asks for them any more. */
void kept_shelf_done(struct kept_shelf *shelf);

#endif
