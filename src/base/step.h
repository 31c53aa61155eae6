/* SPDX-License-Identifier: Apache-2.0 */
/* A step is what a worker does for one connection or call before it asks itself whether it is
 * somebody else's turn. The build for tests/steps counts the work of each; others do nothing here.
 */
#ifndef RPCGATE_BASE_STEP_H
#define RPCGATE_BASE_STEP_H

/* Ends the step before and begins one of that kind; NULL: the worker waits. */
#ifdef RPCGATE_COUNT_STEPS
void step_begin(const char *kind);
#else
static inline void step_begin(const char *kind __attribute__((unused)))
{
}
#endif

#endif
