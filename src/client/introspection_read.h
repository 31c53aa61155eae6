/* SPDX-License-Identifier: Apache-2.0 */
/* What upstreams answer to the methods of introspection, which is not always what it should be. All
 * JSON here was written by the decoder: it is valid and has no white space between tokens. */
#ifndef RPCGATE_CLIENT_INTROSPECTION_READ_H
#define RPCGATE_CLIENT_INTROSPECTION_READ_H

#include "base/chain.h"
#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>

/* Appends the names as an array of strings; what is none of them is left out. False: it is no
 * list. */
bool introspection_read_methods(struct str json, struct chain *to) MUST_CHECK;

/* Takes the two results of a system.multicall apart, whichever shape they have; a fault becomes
 * NULL data. False: they are not there. */
bool introspection_split(struct str json, struct str *signatures, struct str *help) MUST_CHECK;

/* Appends `"signatures":…`: an array of arrays of strings as it is, a lone array of strings as the
 * only one (supervisord), null for anything else. */
void introspection_write_signatures(struct str json, struct chain *to);

/* Appends `,"help":…`: a string as it is, "" for anything else. */
void introspection_write_help(struct str json, struct chain *to);

#endif
