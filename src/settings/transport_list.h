/* SPDX-License-Identifier: Apache-2.0 */
/* The ways to upstreams, once: X(WORD, new). `new` makes the row of io/transport.h of a worker's
 * loop. Which one an upstream has, the scheme of its URLs says (settings/url.c): who adds a second
 * row has config/checks_reach.c refuse an upstream with URLs of both. SCGI is none of its own
 * (docs/decisions/0024). */
#ifndef RPCGATE_SETTINGS_TRANSPORT_LIST_H
#define RPCGATE_SETTINGS_TRANSPORT_LIST_H

#define TRANSPORT_LIST(X) X(HTTP, upstreams_transport_new)

enum transport_word {
#define X(word, new) TRANSPORT_##word,
    TRANSPORT_LIST(X)
#undef X
        TRANSPORTS
};

#endif
