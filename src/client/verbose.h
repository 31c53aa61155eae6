/* SPDX-License-Identifier: Apache-2.0 */
/* `verbose`: what goes to an upstream and what comes back, in the log; without our secrets, and at
 * most 64 KiB of each part. */
#ifndef RPCGATE_CLIENT_VERBOSE_H
#define RPCGATE_CLIENT_VERBOSE_H

#include "base/str.h"

#include <stdbool.h>

struct call;
struct verbose;

/* NULL where the call's upstream is not verbose; all functions take NULL. */
struct verbose *verbose_new(const struct call *c);

void verbose_head(struct verbose *v, bool sent, struct str bytes);
void verbose_body(struct verbose *v, struct str bytes); /* of the response */

/* Takes what it needs of the call, which may go then; its site may not. */
void verbose_close(struct verbose *v, const struct call *c);
/* Writes the lines of one that was closed, and frees it. */
void verbose_write(struct verbose *v);
/* Both. */
void verbose_end(struct verbose *v, const struct call *c);

#endif
