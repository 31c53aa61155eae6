/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for many texts at once, in one walk over what may hold them: the automaton of Aho and
 * Corasick (1975). Where one stands says which longest beginning of a pattern the text that was
 * read ends with; a step costs the same whatever number of patterns there are. */
#ifndef RPCGATE_SETTINGS_PATTERNS_H
#define RPCGATE_SETTINGS_PATTERNS_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* A beginning of some pattern. The one with index 0 is that of no bytes. */
struct pattern_node {
    uint32_t children;   /* the first: those longer by one byte, side by side, sorted by it */
    uint32_t fallback;   /* the longest other node that it ends with */
    uint32_t found;      /* the longest pattern that it ends with; 0: none */
    uint32_t depth;      /* [bytes] */
    uint16_t n_children; /* at most 256 */
    unsigned char byte;  /* its last */
};

struct patterns {
    struct pattern_node *nodes; /* in memory for secrets */
    uint32_t first[256];        /* node of a pattern's first byte; 0: none begins with it */
    bool occurs[256];           /* in any of them */
};

/* Made once, in the store's memory for secrets. Sorts the texts. None may be empty. */
void patterns_init(struct patterns *p, struct store *store, struct str *texts, size_t n);

/* The node after one byte more. */
uint32_t patterns_step(const struct patterns *p, uint32_t at, unsigned char byte);

#endif
