/* SPDX-License-Identifier: Apache-2.0 */
/* Time. Deadlines and durations are on the monotonic clock, in milliseconds or microseconds since
 * some point in the past; the wall clock is for what is told to others only: log lines, spans. */
#ifndef RPCGATE_BASE_CLOCK_H
#define RPCGATE_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER INT64_MAX

/* Monotonic. */
int64_t clock_now_ms(void);
int64_t clock_now_us(void);

/* The wall clock in RFC 3339 with milliseconds and `Z`; `to` has CLOCK_TEXT bytes. */
#define CLOCK_TEXT 32
void clock_wall_text(char to[CLOCK_TEXT]);

/* The wall clock in microseconds since 1970. */
int64_t clock_wall_us(void);

/* The lesser of two times, for deadlines where CLOCK_NEVER means none. */
static inline int64_t clock_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What epoll_wait() takes to wait until `deadline_ms`: -1 for CLOCK_NEVER, 0 if it has passed. */
int clock_wait_ms(int64_t deadline_ms, int64_t now_ms);

#endif
