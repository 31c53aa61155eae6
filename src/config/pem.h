/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a PEM file (RFC 7468), as far as it can be seen without a TLS library. Pure. */
#ifndef RPCGATE_CONFIG_PEM_H
#define RPCGATE_CONFIG_PEM_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct pem_content {
    size_t n_certificates, n_keys;
    bool encrypted; /* a key needs a password */
};

/* False: `why` has the rest of a sentence that begins with the file's name, and nothing of its
 * content. */
bool pem_look(struct str text, struct pem_content *ret, struct buf *why) MUST_CHECK;

#endif
