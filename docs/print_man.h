/* SPDX-License-Identifier: Apache-2.0 */
/* Man pages from the lists of options and settings. */
#ifndef RPCGATE_DOCS_PRINT_MAN_H
#define RPCGATE_DOCS_PRINT_MAN_H

#include "base/buf.h"

/* When the manuals were last gone through as a whole. */
#define PRINT_MAN_DATE "2026-11-29"

void print_man_tool(struct buf *to);   /* rpcgate(1) */
void print_man_daemon(struct buf *to); /* rpcgated(8) */
void print_man_conf(struct buf *to);   /* rpcgate.conf(5) */

#endif
