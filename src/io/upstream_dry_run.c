/* SPDX-License-Identifier: Apache-2.0 */
/* A call that goes nowhere, made to see what libcurl would send. Each name has an address without a
 * look-up, and what would be connected there is connected to a socket of ours, which nobody reads.
 */
#include "io/upstream_inside.h"

#include "base/alloc.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* For a function with an `ok`. */
#define SET(option, value) ok = curl_easy_setopt(easy, option, value) == CURLE_OK && ok

/* Every name is known at the port of that URL. */
static void add_names(struct exchange *x, const char *url)
{
    CURLU *parts = curl_url();
    char *port = NULL;
    if (url != NULL && parts != NULL &&
        curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        char entry[64];
        snprintf(entry, sizeof entry, "*:%.8s:127.0.0.1", port);
        struct curl_slist *longer = curl_slist_append(x->dry_names, entry);
        if (longer == NULL)
            die_without_memory();
        x->dry_names = longer;
    }
    curl_free(port);
    curl_url_cleanup(parts);
}

bool dry_run_prepare(struct exchange *x)
{
    CURL *easy = x->easy;
    bool ok = true;
    if (!x->extra->is_dry)
        return true;
    x->worn = true;
    dry_run_done(x);
    add_names(x, x->target->url);
    add_names(x, x->upstream->config->proxy_target.url);
    SET(CURLOPT_RESOLVE, x->dry_names);
    return ok;
}

int dry_run_open_socket(struct exchange *x, struct curl_sockaddr *address)
{
    /* Without a path the system gives it a short one that is no file (unix(7), autobind). */
    struct sockaddr any = { .sa_family = AF_UNIX };
    socklen_t len = sizeof address->addr;
    if (x->dry_fd >= 0)
        return -1;
    x->dry_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (x->dry_fd < 0 || bind(x->dry_fd, &any, sizeof any.sa_family) != 0 ||
        listen(x->dry_fd, 1) != 0 || getsockname(x->dry_fd, &address->addr, &len) != 0 ||
        len > sizeof address->addr)
        return -1;
    address->family = AF_UNIX;
    address->protocol = 0;
    address->addrlen = len;
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

void dry_run_done(struct exchange *x)
{
    if (x->dry_fd >= 0)
        close(x->dry_fd);
    x->dry_fd = -1;
    curl_slist_free_all(x->dry_names);
    x->dry_names = NULL;
}
