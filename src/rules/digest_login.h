/* SPDX-License-Identifier: Apache-2.0 */
/* Digest access authentication (RFC 7616), a client's side: a challenge is read, and answered. With
 * MD5 and SHA-256, both also as -sess; of `qop` none, or auth. */
#ifndef RPCGATE_RULES_DIGEST_LOGIN_H
#define RPCGATE_RULES_DIGEST_LOGIN_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* One that has longer texts is none that we can answer. [bytes, with the NUL] */
#define DIGEST_REALM_SIZE 512
#define DIGEST_NONCE_SIZE 1024

struct digest_challenge {
    enum hash_kind hash;
    const char *algorithm; /* as it is sent back, static; NULL: none was named */
    bool per_session;      /* -sess */
    bool has_qop;          /* it is auth then */
    bool hash_user;
    bool stale; /* the login was right, the nonce is used up */
    bool has_opaque;
    char realm[DIGEST_REALM_SIZE];
    char nonce[DIGEST_NONCE_SIZE];
    char opaque[DIGEST_NONCE_SIZE];
};

#define DIGEST_CNONCE_SIZE 33

struct digest_request {
    const char *username, *password;
    struct str method, uri;
    uint32_t count; /* of requests with that nonce, this one included */
    const char *cnonce;
};

/* The first challenge of a WWW-Authenticate that can be answered; there may be several schemes in
 * it. False: there is none. */
bool digest_challenge_read(struct str value, struct digest_challenge *ret) MUST_CHECK;

/* Appends the value of Authorization. False: this system does without the hash. */
bool digest_login_write(const struct digest_challenge *challenge,
                        const struct digest_request *request, struct buf *to) MUST_CHECK;

#endif
