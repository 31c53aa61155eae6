/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an SCGI request. SCGI (https://python.ca/scgi/protocol.txt) carries what a web server
 * has made of a request of HTTP: its head becomes a netstring of variables, named as those of CGI
 * (RFC 3875 section 4.1), and the document follows as it is. */
#ifndef RPCGATE_IO_SCGI_HEAD_H
#define RPCGATE_IO_SCGI_HEAD_H

#include "base/buf.h"
#include "base/str.h"

#include <stddef.h>

/* Leaves in `to` the head of a request of HTTP/1.1, as io/upstream_request.c makes it, as one of
 * SCGI, whose document has that many bytes. Lines of one name become one variable, with commas
 * between their values (RFC 9110 section 5.3). */
void scgi_head_write(struct str http, size_t document_len, struct buf *to);

#endif
