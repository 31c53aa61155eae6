/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that come while a request is still being sent. A server that refuses a large request
 * answers and closes, and what it has not read makes that a reset: our next write fails, and
 * libcurl gives up without a look at the answer, which says why. Here it is read all the same. */
#include "io/upstream_inside.h"

#include <string.h>
#include <sys/socket.h>

void late_answer_take(struct exchange *x, curl_socket_t fd)
{
    char bytes[LATE_ANSWER_MAX];

    if (x->call == NULL || !x->began || x->head.n_lines > 0)
        return;
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_PEEK);
    if (n <= 0)
        return;
    buf_clear(&x->late);
    buf_append(&x->late, (struct str){ bytes, (size_t)n });
}

/* The head is all that counts: a body that was cut off is of no use, and a refusal says enough by
 * its status. A success cannot be one, as the request was not complete. */
bool late_answer_use(struct exchange *x)
{
    struct str rest = buf_str(&x->late);

    if (x->refused || x->head.n_lines > 0 || !str_starts_with(rest, STR("HTTP/1.")))
        return false;
    while (rest.len > 0 && !x->head.complete) {
        size_t end = str_find(rest, '\n');
        if (end == rest.len || !response_head_line(&x->head, str_slice(rest, 0, end + 1)))
            break;
        rest = str_slice(rest, end + 1, rest.len);
    }
    if (!x->head.complete || x->head.status < 300) {
        response_head_start(&x->head);
        return false;
    }
    return true;
}
