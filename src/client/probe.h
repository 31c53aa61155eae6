/* SPDX-License-Identifier: Apache-2.0 */
/* For /readyz: whether upstreams that are `required` can be connected to while no call shows it.
 * The first worker tries them by bare connects, on which nothing is sent. */
#ifndef RPCGATE_CLIENT_PROBE_H
#define RPCGATE_CLIENT_PROBE_H

struct probe; /* of one pool */
struct client;

/* After a reload: those of the newest site's upstreams begin. Does nothing in other workers than
 * the first. */
void probes_follow(struct client *client);

void probe_free(struct probe *probe);

#endif
