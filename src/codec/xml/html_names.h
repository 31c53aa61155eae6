/* SPDX-License-Identifier: Apache-2.0 */
/* The characters that HTML has names for, which XML does not know: servers write `&nbsp;` all the
 * same. Pure. */
#ifndef RPCGATE_CODEC_XML_HTML_NAMES_H
#define RPCGATE_CODEC_XML_HTML_NAMES_H

#include "base/macros.h"
#include "base/str.h"

#include <stdint.h>

/* `thetasym` [bytes] */
#define HTML_NAME_MAX 8

/* The character of a reference's inside (without `&` and `;`); 0: there is no such name, or XML
 * knows it. Case counts. */
uint32_t html_name_find(struct str name) MUST_CHECK;

#endif
