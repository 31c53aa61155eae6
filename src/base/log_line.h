/* SPDX-License-Identifier: Apache-2.0 */
/* The text of one log line. No input, whatever it holds, makes a second line or another field of
 * it. */
#ifndef RPCGATE_BASE_LOG_LINE_H
#define RPCGATE_BASE_LOG_LINE_H

#include "base/log.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* Longest line; fields that do not fit into it are left out. [bytes] */
#define LOG_LINE_MAX ((size_t)16 * 1024)

/* What is shown of a text. [bytes] */
#define LOG_VALUE_MAX ((size_t)1024)

struct log_line {
    bool full;
    size_t len;
    char data[LOG_LINE_MAX];
};

struct log_event {
    enum log_level level;
    struct str msg;
    const struct log_field *fields; /* ends with LOG_END; NULL: none */
};

/* Makes the line with its newline, and with its time, which journald has already. */
void log_line_make(struct log_line *line, const struct log_event *event, enum log_format format,
                   bool journald);

#endif
