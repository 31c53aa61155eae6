/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments that are words of a list. Each returns false where there is no such word, which is told
 * on stderr then. */
#ifndef RPCGATE_TOOL_WORDS_H
#define RPCGATE_TOOL_WORDS_H

#include "base/macros.h"
#include "codec/options.h"

#include <stdbool.h>

bool words_types(const char *argument, enum types_form *ret) MUST_CHECK;
bool words_integers(const char *argument, enum integers_form *ret) MUST_CHECK;
bool words_text(const char *argument, enum text_policy *ret) MUST_CHECK;
bool words_dates(const char *argument, enum dates_form *ret) MUST_CHECK;

/* Several, with commas: added to the set of enum extension. */
bool words_extensions(const char *argument, unsigned *set) MUST_CHECK;

#endif
