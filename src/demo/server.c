/* SPDX-License-Identifier: Apache-2.0 */
#include "demo/server.h"

#include "base/alloc.h"
#include "base/chain.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "codec/xml/decode.h"
#include "codec/xml/encode.h"
#include "demo/methods.h"
#include "io/http_server.h"
#include "io/listener.h"
#include "io/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENT_MAX ((size_t)64 * 1024 * 1024)
#define FAULT_BAD_XML (-32700)

struct demo_server {
    struct listener listener;
    struct loop *loop;
    struct http_server *http;
    struct decoder *decoder;
    struct encoder *encoder;
    struct list sleepers; /* of struct exchange */
    atomic_bool stop;
    pthread_t thread;
};

struct exchange {
    struct demo_server *demo;
    struct http_exchange *http;
    struct buf body;
    struct buf result;       /* JSON, or the fault's text */
    struct list in_sleepers; /* waiting until: */
    int64_t until_ms;
};

/* The demo takes and sends every type that there is. */
static const struct encode_options all_types = {
    .extensions = EXTENSION_NIL | EXTENSION_I8 | EXTENSION_BIGINTEGER | EXTENSION_BIGDECIMAL |
                  EXTENSION_NONFINITE,
    .depth = CODEC_DEPTH_MAX,
};
static const struct decode_options tagged = {
    .types = TYPES_TAGGED,
    .depth = CODEC_DEPTH_MAX,
    .document_max = DOCUMENT_MAX,
};

static void reply(struct exchange *x, int status, struct chain *document)
{
    static const struct http_reply_header lines[] = { { "Content-Type", "text/xml" } };
    http_reply(x->http, &(struct http_reply){ .status = status,
                                              .headers = lines,
                                              .n_headers = ARRAY_LEN(lines),
                                              .body = document });
}

static bool encode(struct exchange *x, enum encode_kind kind, struct str json, struct chain *to)
{
    struct error err;
    struct encode_input input = { .kind = kind, .json = json, .options = &all_types };
    return encoder_write(x->demo->encoder, &input, to, &err) && chain_state(to) == CHAIN_OK;
}

static void reply_fault(struct exchange *x, int64_t code, const char *text)
{
    struct chain document;
    CLEANUP(buf_done) struct buf input;
    buf_init(&input, DOCUMENT_MAX, NULL);
    chain_init(&document, DOCUMENT_MAX, NULL);
    demo_methods_write_fault(&input, "code", "string", &(struct demo_fault){ code, text });
    if (!encode(x, ENCODE_FAULT, buf_str(&input), &document))
        log_error("the demo cannot encode a fault");
    reply(x, 200, &document);
    chain_done(&document);
}

static void reply_result(struct exchange *x)
{
    CLEANUP(buf_done) struct buf params;
    struct chain document;
    buf_init(&params, DOCUMENT_MAX, NULL);
    chain_init(&document, DOCUMENT_MAX, NULL);
    buf_append_byte(&params, '[');
    buf_append(&params, buf_str(&x->result));
    buf_append_byte(&params, ']');
    if (encode(x, ENCODE_RESPONSE, buf_str(&params), &document))
        reply(x, 200, &document);
    else
        reply_fault(x, FAULT_BAD_XML, "the demo cannot answer with that value");
    chain_done(&document);
}

static void run(struct exchange *x, struct str method, struct str params)
{
    struct demo_call call = { .method = method, .params = params, .result = &x->result };
    switch (demo_methods_run(&call)) {
    case DEMO_RESULT:
        reply_result(x);
        break;
    case DEMO_FAULT:
        reply_fault(x, call.fault_code, buf_c(&x->result));
        break;
    case DEMO_SLEEP:
        x->until_ms = clock_now_ms() + call.sleep_ms;
        list_add_last(&x->demo->sleepers, &x->in_sleepers);
        break;
    }
}

static void on_head(void *context, struct http_exchange *http)
{
    struct exchange *x = xcalloc(1, sizeof *x);
    x->demo = context;
    x->http = http;
    buf_init(&x->body, DOCUMENT_MAX, NULL);
    buf_init(&x->result, DOCUMENT_MAX, NULL);
    list_init(&x->in_sleepers);
    http_set_user(http, x);
    if (!str_eq(http_head(http)->method, STR("POST")))
        http_reply(http, &(struct http_reply){ .status = 405 });
}

static bool on_body(void *context, struct http_exchange *http, struct str bytes)
{
    struct exchange *x = http_user(http);
    (void)context;
    buf_append(&x->body, bytes);
    if (!buf_ok(&x->body))
        http_abort(http);
    return true;
}

static void on_complete(void *context, struct http_exchange *http)
{
    struct exchange *x = http_user(http);
    struct demo_server *demo = context;
    struct decode_result call;
    struct error err;
    struct chain params;
    chain_init(&params, DOCUMENT_MAX, NULL);
    decoder_begin(demo->decoder, &tagged, &params);
    if (decoder_feed(demo->decoder, buf_str(&x->body), &err) &&
        decoder_finish(demo->decoder, &call, &err) && call.kind == DOCUMENT_CALL) {
        CLEANUP(free_charp) char *text = chain_dup(&params);
        run(x, call.method, (struct str){ text, chain_len(&params) });
    } else {
        reply_fault(x, FAULT_BAD_XML, "this is no XML-RPC call");
    }
    chain_done(&params);
}

static void on_gone(void *context, struct http_exchange *http)
{
    (void)context;
    (void)http;
}

static void on_closed(void *context, struct http_exchange *http, bool sent)
{
    struct exchange *x = http_user(http);
    (void)context;
    (void)sent;
    list_remove(&x->in_sleepers);
    buf_done(&x->body);
    buf_done(&x->result);
    free(x);
}

/* Answers who has slept enough; all of them at the end. Returns when the next one has. */
static int64_t wake_sleepers(struct demo_server *demo, bool all)
{
    int64_t now = clock_now_ms(), next = CLOCK_NEVER;
    LIST_EACH (&demo->sleepers, at, following) {
        struct exchange *x = CONTAINER_OF(at, struct exchange, in_sleepers);
        if (!all && x->until_ms > now) {
            next = clock_min(next, x->until_ms);
            continue;
        }
        list_remove(&x->in_sleepers);
        reply_result(x);
    }
    return next;
}

static void *thread_main(void *argument)
{
    struct demo_server *demo = argument;
    int64_t next = CLOCK_NEVER;
    while (!atomic_load(&demo->stop)) {
        loop_wait(demo->loop, clock_min(next, http_server_deadline_ms(demo->http)));
        next = wake_sleepers(demo, false);
        http_server_run(demo->http);
        next = clock_min(next, wake_sleepers(demo, false));
    }
    wake_sleepers(demo, true);
    http_server_run(demo->http);
    chain_free_spare();
    return NULL;
}

static bool open_demo(struct demo_server *demo, const struct listen_config *where)
{
    static const struct http_handler handler = { on_head, on_body, on_complete, on_gone,
                                                 on_closed };
    CLEANUP(free_charp) char *why = NULL;
    const struct listener_options options = { .config = where, .n_workers = 1 };
    if (!listener_open(&options, &demo->listener, &why)) {
        log_error("the demo server cannot listen: %s", why);
        return false;
    }
    demo->loop = loop_new();
    if (demo->loop == NULL)
        return false;
    demo->http = http_server_new(&(struct http_server_options){
        .loop = demo->loop,
        .listen_fd = demo->listener.fds[0],
        .limits = { .head_bytes = 16384,
                    .head_lines = 64,
                    .connections = 65536,
                    .header_time_ms = 60000,
                    .body_time_ms = 600000,
                    .write_time_ms = 600000,
                    .idle_ms = 600000 },
        .handler = &handler,
        .context = demo,
    });
    return demo->http != NULL;
}

static void free_demo(struct demo_server *demo)
{
    if (demo->http != NULL)
        http_server_free(demo->http);
    if (demo->loop != NULL)
        loop_free(demo->loop);
    listener_close(&demo->listener, false);
    decoder_free(demo->decoder);
    encoder_free(demo->encoder);
    free(demo);
}

struct demo_server *demo_server_start(void)
{
    static char address[] = "127.0.0.1";
    static const struct listen_config where = { .address = address, .port = 0 };
    struct demo_server *demo = xcalloc(1, sizeof *demo);
    list_init(&demo->sleepers);
    demo->decoder = decoder_new();
    demo->encoder = encoder_new(NULL);
    if (open_demo(demo, &where) && pthread_create(&demo->thread, NULL, thread_main, demo) == 0)
        return demo;
    log_error("the demo server cannot start: %s", strerror(errno));
    free_demo(demo);
    return NULL;
}

unsigned demo_server_port(const struct demo_server *demo)
{
    return demo->listener.port;
}

void demo_server_stop(struct demo_server *demo)
{
    if (demo == NULL)
        return;
    atomic_store(&demo->stop, true);
    loop_wake(demo->loop);
    pthread_join(demo->thread, NULL);
    free_demo(demo);
}
