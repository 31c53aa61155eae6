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

/* Takes the same time whatever the two are. */
bool digest_equal(const struct digest *a, const struct digest *b) MUST_CHECK;

#endif
