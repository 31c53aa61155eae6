/* SPDX-License-Identifier: Apache-2.0 */
/* One line for each event, to stderr, as text (`time level msg key=value …`) or as JSON. Lines go
 * into a ring that a thread of its own writes out: logging never waits for whoever reads stderr.
 * When the ring is full lines are dropped and counted, and a later line says how many.
 *
 * Values are quoted and escaped, so that no input can forge a line. The base and codec layers do
 * not log: they return errors, and each error is logged once, by whom it concerns. */
#ifndef RPCGATE_BASE_LOG_H
#define RPCGATE_BASE_LOG_H

#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

enum log_kind { LOG_KIND_TEXT, LOG_KIND_NUMBER, LOG_KIND_DECIMAL, LOG_KIND_END };

/* A key with its value. A text of no bytes is left out of the line. */
struct log_field {
    const char *key;
    enum log_kind kind;
    struct str text;
    int64_t number; /* LOG_KIND_DECIMAL: thousandths */
};

#define LOG_STR(key, value) ((struct log_field){ (key), LOG_KIND_TEXT, (value), 0 })
#define LOG_TEXT(key, value) LOG_STR(key, str_of(value))
#define LOG_NUM(key, value) ((struct log_field){ (key), LOG_KIND_NUMBER, { NULL, 0 }, (value) })
/* A duration in microseconds, shown in milliseconds with three digits. */
#define LOG_US_AS_MS(key, us) ((struct log_field){ (key), LOG_KIND_DECIMAL, { NULL, 0 }, (us) })
#define LOG_END ((struct log_field){ NULL, LOG_KIND_END, { NULL, 0 }, 0 })

/* Starts the writing thread. Lines written before (and in programs that never start it) go out at
 * once. */
void log_start(void);

/* Writes what is waiting and ends the thread; for half a second at most if nobody reads. */
void log_stop(void);

/* May be called at any time, by any thread. `journald` reads the lines: those of text begin with
 * `<N>` (sd-daemon(3)), and none has a time. Until it is called: info, text, without. */
void log_configure(enum log_level level, enum log_format format, bool journald);

bool log_enabled(enum log_level level);

/* A line; `fields` ends with LOG_END. */
void log_event(enum log_level level, const char *msg, const struct log_field *fields);

/* Lines without fields, with printf's formats. */
void log_error(const char *format, ...) PRINTF_LIKE(1, 2);
void log_warn(const char *format, ...) PRINTF_LIKE(1, 2);
void log_info(const char *format, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *format, ...) PRINTF_LIKE(1, 2);

/* A line for each line of the text. */
void log_lines(enum log_level level, const char *text);

/* How many lines were dropped since the start. */
uint64_t log_dropped(void);

#define LOG_EVENT(level, msg, ...)                                                                 \
    do {                                                                                           \
        if (log_enabled(level))                                                                    \
            log_event((level), (msg), (const struct log_field[]){ __VA_ARGS__, LOG_END });         \
    } while (0)

#endif
