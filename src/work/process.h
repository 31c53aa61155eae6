/* SPDX-License-Identifier: Apache-2.0 */
/* What the system knows of this process (proc(5)). */
#ifndef RPCGATE_WORK_PROCESS_H
#define RPCGATE_WORK_PROCESS_H

struct process_numbers {
    double cpu_seconds, resident_bytes, open_fds, max_fds;
    double start_seconds; /* since 1970 */
};

/* 0 for what the system does not tell. */
struct process_numbers process_numbers(void);

#endif
