/* SPDX-License-Identifier: Apache-2.0 */
/* The folder in which systemd puts a service's credentials (LoadCredential=). */
#ifndef RPCGATE_CONFIG_CREDENTIALS_H
#define RPCGATE_CONFIG_CREDENTIALS_H

#include "base/buf.h"
#include "base/macros.h"

#include <stdbool.h>

/* Its name, or NULL: `why` says that there is none, or that this process may not look into it. So
 * it is for the check in ExecReload=, which systemd runs beside the service and shuts out. */
const char *credentials_folder(struct buf *why) MUST_CHECK;

/* The same, whether this process may look into it or not; NULL: there is none. */
const char *credentials_folder_name(void) MUST_CHECK;

/* Is there one, and this process shut out? */
bool credentials_are_shut(void) MUST_CHECK;

/* Is `path` in that folder, and this process shut out? */
bool credentials_hide(const char *path) MUST_CHECK;

#endif
