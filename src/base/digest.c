/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include "base/alloc.h"

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

void digest_of_all(const struct str *texts, size_t n, struct digest *ret)
{
    gnutls_hash_hd_t hash;
    int failed = gnutls_hash_init(&hash, GNUTLS_DIG_SHA256);
    assert(failed == 0 && "GnuTLS has SHA-256");
    for (size_t i = 0; i < n; i++) {
        uint64_t len = texts[i].len;
        failed |= gnutls_hash(hash, &len, sizeof len);
        if (texts[i].len > 0)
            failed |= gnutls_hash(hash, texts[i].data, texts[i].len);
    }
    gnutls_hash_deinit(hash, ret->bytes);
    assert(failed == 0 && "hashing cannot fail");
    (void)failed;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return gnutls_memcmp(a->bytes, b->bytes, DIGEST_BYTES) == 0;
}

bool hash_joined(enum hash_kind kind, const struct str *texts, size_t n, char ret[HASH_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    gnutls_digest_algorithm_t algorithm = kind == HASH_MD5 ? GNUTLS_DIG_MD5 : GNUTLS_DIG_SHA256;
    unsigned char bytes[32];
    size_t len = gnutls_hash_get_len(algorithm);
    gnutls_hash_hd_t hash;
    bool good = true;

    assert(len <= sizeof bytes);
    if (gnutls_hash_init(&hash, algorithm) != 0)
        return false;
    for (size_t i = 0; i < n && good; i++) {
        good = i == 0 || gnutls_hash(hash, ":", 1) == 0;
        if (texts[i].len > 0)
            good = good && gnutls_hash(hash, texts[i].data, texts[i].len) == 0;
    }
    gnutls_hash_deinit(hash, bytes);
    for (size_t i = 0; i < len; i++) {
        ret[2 * i] = digits[bytes[i] >> 4];
        ret[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret[2 * len] = '\0';
    return good;
}

void random_bytes(void *ret, size_t len)
{
    if (gnutls_rnd(GNUTLS_RND_NONCE, ret, len) != 0)
        die_without("random bytes");
}
