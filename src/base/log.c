/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/log_line.h"
#include "base/log_writer.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static atomic_int configured_level = LOG_LEVEL_INFO;
static atomic_int configured_format = LOG_FORMAT_TEXT;
static atomic_bool configured_journald;

void log_configure(enum log_level level, enum log_format format, bool journald)
{
    atomic_store_explicit(&configured_level, (int)level, memory_order_relaxed);
    atomic_store_explicit(&configured_format, (int)format, memory_order_relaxed);
    atomic_store_explicit(&configured_journald, journald, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&configured_level, memory_order_relaxed);
}

static void make(struct log_line *line, const struct log_event *event)
{
    int format = atomic_load_explicit(&configured_format, memory_order_relaxed);
    log_line_make(line, event, (enum log_format)format,
                  atomic_load_explicit(&configured_journald, memory_order_relaxed));
}

void log_event(enum log_level level, const char *msg, const struct log_field *fields)
{
    struct log_line line;
    struct log_event event = { level, str_of(msg), fields };
    if (!log_enabled(level))
        return;
    make(&line, &event);
    log_writer_put((struct str){ line.data, line.len });
}

void log_writer_report(struct log_line *line, uint64_t dropped)
{
    const struct log_field fields[] = { LOG_NUM("lines", (int64_t)dropped), LOG_END };
    struct log_event event = { LOG_LEVEL_WARN, STR("log lines were dropped"), fields };
    make(line, &event);
}

static void PRINTF_LIKE(2, 0) log_formatted(enum log_level level, const char *format, va_list args)
{
    char msg[LOG_VALUE_MAX + 8];
    if (!log_enabled(level))
        return;
    if (vsnprintf(msg, sizeof msg, format, args) < 0)
        return;
    log_event(level, msg, NULL);
}

void log_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_formatted(LOG_LEVEL_ERROR, format, args);
    va_end(args);
}

void log_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_formatted(LOG_LEVEL_WARN, format, args);
    va_end(args);
}

void log_info(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_formatted(LOG_LEVEL_INFO, format, args);
    va_end(args);
}

void log_debug(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_formatted(LOG_LEVEL_DEBUG, format, args);
    va_end(args);
}

static void log_one(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

static void log_one(enum log_level level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_formatted(level, format, args);
    va_end(args);
}

void log_lines(enum log_level level, const char *text)
{
    while (*text != '\0') {
        int len = (int)strcspn(text, "\n");
        log_one(level, "%.*s", len, text);
        text += len + (text[len] == '\n');
    }
}
