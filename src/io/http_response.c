/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/step.h"
#include "io/http_connection.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <sys/uio.h>

/* Up to this size a reply in several blocks is sent from a copy: one system call with the head
 * instead of two is worth more than the copying. [bytes] */
#define FLAT_MAX ((size_t)32 * 1024)

/* The library keeps an iovec in the connection's pool, next to the request's head. Longer chains
 * are read piece by piece. */
#define IOVEC_MAX ((size_t)128)

/* Size of such a piece. [bytes] */
#define PIECE ((size_t)128 * 1024)

static void free_body(void *context)
{
    struct http_exchange *x = context;
    chain_done(&x->body);
    free(x->flat);
    x->flat = NULL;
    budget_give(x->flat_budget, x->flat_bytes);
    x->flat_bytes = 0;
}

static ssize_t read_body(void *context, uint64_t at UNUSED, char *to, size_t size)
{
    struct http_exchange *x = context;
    step_begin("reply");
    size_t n = chain_read(&x->body, &x->sent, to, size);
    return n > 0 ? (ssize_t)n : (ssize_t)MHD_CONTENT_READER_END_WITH_ERROR;
}

/* False: there is no room for a copy, which is no error. */
static bool make_flat(struct http_exchange *x, size_t len)
{
    struct chain_cursor cursor = { .started = false };
    if (len > FLAT_MAX || !budget_take(x->body.budget, len))
        return false;
    x->flat = xcalloc(len, 1);
    x->flat_bytes = len;
    x->flat_budget = x->body.budget;
    chain_read(&x->body, &cursor, x->flat, len);
    chain_done(&x->body);
    return true;
}

static struct MHD_Response *from_iovec(struct http_exchange *x, size_t n)
{
    struct iovec blocks[IOVEC_MAX];
    struct MHD_IoVec pieces[IOVEC_MAX];
    chain_iovec(&x->body, blocks);
    for (size_t i = 0; i < n; i++)
        pieces[i] = (struct MHD_IoVec){ blocks[i].iov_base, blocks[i].iov_len };
    return MHD_create_response_from_iovec(pieces, (unsigned)n, free_body, x);
}

static struct MHD_Response *from_body(struct http_exchange *x)
{
    size_t len = chain_len(&x->body);
    size_t n = chain_blocks(&x->body);
    void *data = n == 1 ? x->body.first->data : NULL;
    if (len == 0) {
        free_body(x);
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    }
    if (n > 1 && make_flat(x, len))
        data = x->flat;
    if (data != NULL)
        return MHD_create_response_from_buffer_with_free_callback_cls(len, data, free_body, x);
    if (n <= IOVEC_MAX)
        return from_iovec(x, n);
    x->sent = (struct chain_cursor){ .started = false };
    return MHD_create_response_from_callback(len, PIECE, read_body, x, free_body);
}

/* Names and values are good: what may fail is the memory for them. */
static bool add_headers(struct MHD_Response *response, const struct http_reply *reply, bool close)
{
    for (size_t i = 0; i < reply->n_headers; i++) {
        const struct http_reply_header *h = &reply->headers[i];
        if (MHD_add_response_header(response, h->name, h->value) != MHD_YES)
            return false;
    }
    return !close || MHD_add_response_header(response, "Connection", "close") == MHD_YES;
}

struct MHD_Response *http_response_new(struct http_exchange *x, const struct http_reply *reply,
                                       bool close)
{
    if (reply->body != NULL)
        chain_move(&x->body, reply->body);
    else
        chain_init(&x->body, 0, NULL);
    struct MHD_Response *response = from_body(x);
    if (response == NULL) {
        free_body(x);
        return NULL;
    }
    if (!add_headers(response, reply, close)) {
        MHD_destroy_response(response); /* frees the body */
        return NULL;
    }
    return response;
}
