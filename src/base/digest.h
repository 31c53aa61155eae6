/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4) of secrets: two of them are compared by their digests, so that neither a
 * length nor the place of a difference shows in the time it takes. */
#ifndef RPCGATE_BASE_DIGEST_H
#define RPCGATE_BASE_DIGEST_H

#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>

#define DIGEST_BYTES 32

struct digest {
    unsigned char bytes[DIGEST_BYTES];
};

void digest_of(struct str text, struct digest *ret);

/* Of all of them, one after the other; of each its length counts, too, so that other pieces are
 * another whole. */
void digest_of_all(const struct str *texts, size_t n, struct digest *ret);

/* Takes the same time whatever the two are. */
bool digest_equal(const struct digest *a, const struct digest *b) MUST_CHECK;

/* Hashes that a protocol asks for, of which none is of a secret's choosing. */
enum hash_kind { HASH_MD5, HASH_SHA256 };

#define HASH_HEX_SIZE ((size_t)2 * 32 + 1)

/* The hash of the texts with a colon between them, in lower-case hex with a NUL. False: this system
 * does without that kind. */
bool hash_joined(enum hash_kind kind, const struct str *texts, size_t n,
                 char ret[HASH_HEX_SIZE]) MUST_CHECK;

/* Bytes that nobody can guess. Without any the process ends (base/alloc.h). */
void random_bytes(void *ret, size_t len);

#endif
