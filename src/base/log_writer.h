/* SPDX-License-Identifier: Apache-2.0 */
/* Brings finished log lines to stderr: through the ring and its thread where that runs, at once
 * otherwise. log_start(), log_stop() and log_dropped() of base/log.h are made here, too. */
#ifndef RPCGATE_BASE_LOG_WRITER_H
#define RPCGATE_BASE_LOG_WRITER_H

#include "base/str.h"

/* What may wait to be written. [bytes] */
#define LOG_RING_SIZE ((size_t)256 * 1024)

/* Any thread. Never waits while the writing thread runs. */
void log_writer_put(struct str line);

/* The format of the line that the writer adds: how many were dropped. Made in base/log.c. */
struct log_line;
void log_writer_report(struct log_line *line, uint64_t dropped);

#endif
