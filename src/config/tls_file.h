/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a `tls` group names. They are read with the configuration, so that a fault in them
 * is told then and not by the first call, and so that a snapshot never changes. */
#ifndef RPCGATE_CONFIG_TLS_FILE_H
#define RPCGATE_CONFIG_TLS_FILE_H

#include "base/macros.h"
#include "config/checks.h"
#include "config/pem.h"

#include <stdbool.h>

struct tls_file {
    const char *group;           /* "upstreams.demo.tls" */
    const char *setting;         /* "ca_file" */
    const char *name;            /* as the setting has it; NULL: not set */
    const struct origin *origin; /* of the setting */
    struct str content;          /* once it is read; in memory for secrets. NULL data: none */
    struct pem_content found;    /* in it */
};

/* "GROUP.SETTING: `NAME` REASON" */
void tls_file_refuse(const struct checking *c, const struct tls_file *file, const char *reason);

/* Reads the file, in which there must be a certificate. False: there is none, or what is wrong with
 * it is told. */
bool tls_file_read_certificates(const struct checking *c, struct tls_file *file) MUST_CHECK;

/* Reads a certificate and its key, which stands in `key` or, where that is not set, in `cert`:
 * content and what is found come into both. False as above. */
bool tls_file_read_pair(const struct checking *c, struct tls_file *cert,
                        struct tls_file *key) MUST_CHECK;

/* Its name as it is seen from the main file's folder; in the store. */
char *tls_file_path(const struct checking *c, const struct tls_file *file);

#endif
