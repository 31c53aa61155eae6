/* SPDX-License-Identifier: Apache-2.0 */
/* The fewest digits of a double by exact arithmetic in 128 bits, where that suffices: most
 * doubles come with the 16 or 17 digits that some other program has found for them, and the C
 * library's way costs a microsecond for each. */
#ifndef RPCGATE_CODEC_VALUE_NUMBER_SHORTEST_H
#define RPCGATE_CODEC_VALUE_NUMBER_SHORTEST_H

#include "base/macros.h"

#include <stdbool.h>
#include <stdint.h>

/* For the double nearest to `digits * 10^-scale`, finds the fewest digits that read back, the
 * nearest ones of so few. `digits` has 16 or 17 digits. False: out of this function's reach. */
bool number_shortest(uint64_t digits, int scale, uint64_t *ret_digits, int *ret_scale) MUST_CHECK;

#endif
