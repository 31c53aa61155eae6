/* SPDX-License-Identifier: Apache-2.0 */
/* What is found wrong while a configuration is read, in any order; told in the order of the
 * file. */
#ifndef RPCGATE_CONFIG_FINDINGS_H
#define RPCGATE_CONFIG_FINDINGS_H

#include "base/macros.h"
#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>

struct finding {
    char *text; /* owned: `FILE:LINE: message` */
    unsigned at;
    size_t number; /* in the order of finding, to sort those of one line */
    bool warning;
};

struct findings {
    struct finding *items;
    size_t n;
    size_t n_errors;
};

void findings_done(struct findings *f);

void findings_error(struct findings *f, struct place place, const char *format, ...)
    PRINTF_LIKE(3, 4);
void findings_warn(struct findings *f, struct place place, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Sorts them and writes them out. */
void findings_report(struct findings *f, struct config_report *report);

#endif
