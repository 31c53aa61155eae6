/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/retry.h"

/* A pause that is doubled so often is long enough. */
#define DOUBLINGS_MAX 10

bool retry_allowed(enum problem_type problem, enum executed executed, bool safe)
{
    switch (problem) {
    case PROBLEM_CONNECT_FAILED:
    case PROBLEM_TLS_FAILED:
        return true;
    case PROBLEM_CONNECTION_LOST:
        return safe || executed == EXECUTED_NO;
    case PROBLEM_TIMEOUT:
        return safe;
    default:
        return false;
    }
}

int64_t retry_pause_ms(int64_t backoff_ms, unsigned attempt, uint32_t random)
{
    unsigned doublings = attempt > DOUBLINGS_MAX ? DOUBLINGS_MAX : attempt - 1;
    int64_t thousandths = 500 + (int64_t)(random % 1001);
    return ((backoff_ms << doublings) * thousandths + 500) / 1000;
}
