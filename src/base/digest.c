/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include <assert.h>
#include <gnutls/crypto.h>

static_assert(DIGEST_BYTES == 256 / 8, "SHA-256");

void digest_of(struct str text, struct digest *ret)
{
    const char *data = text.data != NULL ? text.data : "";
    int failed = gnutls_hash_fast(GNUTLS_DIG_SHA256, data, text.len, ret->bytes);
    assert(failed == 0 && "GnuTLS has SHA-256");
    (void)failed;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return gnutls_memcmp(a->bytes, b->bytes, DIGEST_BYTES) == 0;
}
