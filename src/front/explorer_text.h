/* SPDX-License-Identifier: Apache-2.0 */
/* The files of src/front/explorer/ as they are sent, compiled in by src/front/embed-explorer. */
#ifndef RPCGATE_FRONT_EXPLORER_TEXT_H
#define RPCGATE_FRONT_EXPLORER_TEXT_H

#include <stddef.h>

extern const unsigned char explorer_text[]; /* UTF-8 */
extern const size_t explorer_text_len;      /* [bytes] */

#endif
