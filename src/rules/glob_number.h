/* SPDX-License-Identifier: Apache-2.0 */
/* Globs with a place where a number stands: "*try again in <n> seconds*". */
#ifndef RPCGATE_RULES_GLOB_NUMBER_H
#define RPCGATE_RULES_GLOB_NUMBER_H

#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>

/* Of a longer text only the beginning is looked at. [bytes] */
#define GLOB_NUMBER_TEXT_MAX ((size_t)16 * 1024)

/* As glob_match(), where `mark`, once in the glob, stands for a number of digits that no other
 * digits are beside; of several such the first counts. *ret is the number, at most a day's seconds.
 * Time is proportional to glob.len * text.len. */
bool glob_number_match(struct str glob, const char *mark, struct str text,
                       unsigned *ret) MUST_CHECK;

#endif
