/* SPDX-License-Identifier: Apache-2.0 */
/* Rules over more than one setting, and what follows from settings (upstream_config.target). */
#ifndef RPCGATE_CONFIG_CHECKS_H
#define RPCGATE_CONFIG_CHECKS_H

#include "config/config.h"
#include "config/findings.h"

void checks_run(struct config *config, struct findings *findings);

#endif
