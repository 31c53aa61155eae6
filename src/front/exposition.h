/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of all workers in Prometheus' text format, version 0.0.4. */
#ifndef RPCGATE_FRONT_EXPOSITION_H
#define RPCGATE_FRONT_EXPOSITION_H

#include "base/chain.h"
#include "daemon/generation.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

void exposition_write(struct gateway *g, const struct generation *generation, struct chain *to);

#endif
