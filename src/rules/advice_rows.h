/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of advice, for advice*.c alone. */
#ifndef RPCGATE_RULES_ADVICE_ROWS_H
#define RPCGATE_RULES_ADVICE_ROWS_H

#include <stddef.h>

struct advice_row {
    const char *mark; /* a part of the reason, case aside */
    const char *text;
};

/* The first row whose mark is in the reason; without one, that there is no advice. */
const char *advice_find(const struct advice_row *rows, size_t n, const char *detail);

#endif
