/* SPDX-License-Identifier: Apache-2.0 */
/* What the service manager is told: sd_notify(3)'s protocol, one datagram to $NOTIFY_SOCKET. */
#ifndef RPCGATE_DAEMON_NOTIFY_H
#define RPCGATE_DAEMON_NOTIFY_H

#include "base/macros.h"

#include <stdbool.h>

/* Opens the socket, while there is a descriptor left for it. False, with errno: a service manager
 * waits for messages, and there can be none. */
bool notify_open(void) MUST_CHECK;

/* Sends lines such as "READY=1\nSTATUS=…". Without a service manager it does nothing; a failure is
 * nothing that anybody could act on, and is left alone. */
void notify_send(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
