/* SPDX-License-Identifier: Apache-2.0 */
/* A test of a result: is this part of it that? It looks at values that the decoder has noted while
 * it wrote them, so nothing is read again but those. Pure. */
#ifndef RPCGATE_RULES_TEST_H
#define RPCGATE_RULES_TEST_H

#include "base/chain.h"
#include "codec/xml/decode.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

/* Longer texts match no `text`: it is for words that tell a failure. [bytes] */
#define TEST_TEXT_MAX ((size_t)16 * 1024)

/* Does it hold, of the result that `d` has just written to `out`? `first` is the index of its `at`
 * among the pointers that were looked for; those of `has` follow. A part that is not there is
 * nothing. */
bool test_holds(const struct value_test_config *test, size_t first, struct decoder *d,
                const struct chain *out);

#endif
