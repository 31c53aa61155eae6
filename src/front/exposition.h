/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of all workers in Prometheus' text format, version 0.0.4. */
#ifndef RPCGATE_FRONT_EXPOSITION_H
#define RPCGATE_FRONT_EXPOSITION_H

#include "base/chain.h"

struct front;

void exposition_write(const struct front *front, struct chain *to);

#endif
