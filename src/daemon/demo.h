/* SPDX-License-Identifier: Apache-2.0 */
/* `rpcgated --demo`: the real gateway with the demo server as its one upstream. */
#ifndef RPCGATE_DAEMON_DEMO_H
#define RPCGATE_DAEMON_DEMO_H

/* Serves until a signal. `listen` is ADDRESS:PORT, NULL: 127.0.0.1:8080. Gives the exit status. */
int demo_run(const char *listen);

#endif
