/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and keys as GnuTLS reads them, behind a wall. Pure. */
#ifndef RPCGATE_CONFIG_X509_H
#define RPCGATE_CONFIG_X509_H

#include "base/buf.h"
#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>

enum x509_pair {
    X509_PAIR_GOOD,
    X509_PAIR_DIFFERENT,  /* the key is that of another certificate */
    X509_PAIR_LOCKED,     /* the password is wrong */
    X509_PAIR_UNREADABLE, /* by GnuTLS: `why` ends a sentence that begins with the files */
};

/* Texts in PEM; the first certificate of `cert` is the one. `password` may be NULL. */
enum x509_pair x509_check_pair(struct str cert, struct str key, const char *password,
                               struct buf *why) MUST_CHECK;

/* Can the certificates be trusted as CAs? False: `why` ends a sentence that begins with the file.
 */
bool x509_check_trust(struct str certificates, struct buf *why) MUST_CHECK;

#endif
