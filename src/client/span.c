/* SPDX-License-Identifier: Apache-2.0 */
#include "client/span.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "client/call.h"
#include "client/client.h"
#include "client/traces.h"
#include "codec/json/cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A method's name of 255 bytes stands there twice, and each byte may become six. [bytes] */
#define SPAN_MAX ((size_t)16 * 1024)

/* Span.SpanKind and Status.StatusCode of OTLP; bits 8 and 9 of its flags say that it is known
 * whether the parent is in another process, and that it is. */
#define KIND_CLIENT 3
#define STATUS_ERROR 2
#define FLAGS_KNOWN 0x100u
#define FLAGS_REMOTE 0x200u

void span_begin(struct call *c)
{
    struct span *s = c->span = xcalloc(1, sizeof *s);
    trace_span_id(work_next_number(call_work(c)), s->id);
    trace_write_parent(c->origin.trace, s->id, s->traceparent);
    c->origin.traceparent = (struct str){ s->traceparent, TRACEPARENT_SIZE - 1 };
    s->began_us = clock_now_us();
    s->began_wall_us = clock_wall_us();
}

void span_drop(struct call *c)
{
    free(TAKE(c->span));
}

/* ---- What stands in it ---------------------------------------------------------------------- */

/* An attribute's beginning: `{"key":"NAME","value":{"TYPE":`. */
static void open(struct buf *to, const char *name, const char *type)
{
    if (to->data[to->len - 1] != '[')
        buf_append_c(to, ",");
    buf_printf(to, "{\"key\":\"%s\",\"value\":{\"%s\":", name, type);
}

static void add_text(struct buf *to, const char *name, struct str value)
{
    open(to, name, "stringValue");
    json_quote(value, to);
    buf_append_c(to, "}}");
}

/* Integers of 64 bits are strings in the JSON of protocol buffers. */
static void add_number(struct buf *to, const char *name, int64_t value)
{
    open(to, name, "intValue");
    buf_printf(to, "\"%" PRId64 "\"}}", value);
}

/* In seconds. */
static void add_duration(struct buf *to, const char *name, int64_t us)
{
    open(to, name, "doubleValue");
    buf_printf(to, "%" PRId64 ".%06u}}", us / 1000000, (unsigned)(us % 1000000));
}

/* "http://HOST:PORT/…", without secrets. */
static void add_host(struct buf *to, struct str url)
{
    bool https = str_starts_with(url, STR("https:"));
    struct str rest = str_slice(url, str_find(url, ':'), url.len);
    rest = str_slice(rest, rest.len < 3 ? rest.len : 3, rest.len);
    struct str host = str_slice(rest, 0, str_find(rest, '/')), port = { NULL, 0 };
    size_t end = host.len > 0 && host.data[0] == '[' ? str_find(host, ']') : 0;
    size_t colon = end + str_find(str_slice(host, end, host.len), ':');
    uint64_t number = https ? 443 : 80;
    if (colon < host.len) {
        port = str_slice(host, colon + 1, host.len);
        host = str_slice(host, 0, colon);
    }
    if (end > 0 && host.len > 1) /* without the brackets of an IPv6 address */
        host = str_slice(host, 1, end);
    add_text(to, "server.address", host);
    if (port.len == 0 || str_to_uint(port, UINT16_MAX, &number))
        add_number(to, "server.port", (int64_t)number);
}

static void add_server(struct buf *to, const struct upstream_target *target)
{
    if (target->unix_socket != NULL)
        add_text(to, "server.address", str_of(target->socket_shown));
    else
        add_host(to, str_of(target->shown));
}

/* A fault's code is what the server has said, if it is one of few; else the problem's name. */
static void add_error(struct buf *to, const struct verdict *verdict)
{
    const struct error *err = verdict->error;
    bool has_code = err->type == PROBLEM_FAULT && verdict->fault != NULL &&
                    verdict->fault->code_text.data == NULL;
    char code[24];
    snprintf(code, sizeof code, "%" PRId64, has_code ? verdict->fault->code : 0);
    if (has_code)
        add_text(to, "rpc.response.status_code", str_of(code));
    add_text(to, "error.type", str_of(has_code ? code : problem_info(err->type)->name));
    add_text(to, "rpcgate.executed", str_of(executed_name(err->executed)));
}

static void add_attributes(struct buf *to, const struct call *c, const struct verdict *verdict)
{
    add_text(to, "rpc.system.name", STR("xmlrpc"));
    add_text(to, "rpc.method", c->text.method);
    add_server(to, &c->upstream->targets[c->target]);
    add_text(to, "rpcgate.upstream", str_of(c->upstream->name));
    if (c->origin.request_id != NULL)
        add_text(to, "rpcgate.request_id", str_of(c->origin.request_id));
    if (c->queue_us > 0)
        add_duration(to, "rpcgate.queue.duration", c->queue_us);
    if (c->http_status != 0)
        add_number(to, "http.response.status_code", c->http_status);
    if (c->attempts > 1)
        add_number(to, "http.request.resend_count", (int64_t)c->attempts - 1);
    if (verdict->error != NULL)
        add_error(to, verdict);
}

static void write_span(struct buf *to, const struct call *c, const struct verdict *verdict)
{
    const struct trace *trace = c->origin.trace;
    const struct span *s = c->span;
    int64_t end_us = s->began_wall_us + (clock_now_us() - s->began_us);
    unsigned flags = trace->flags | FLAGS_KNOWN | (trace->has_parent ? FLAGS_REMOTE : 0);
    buf_printf(to, "{\"traceId\":\"%.*s\",\"spanId\":\"%.*s\",", TRACE_ID_LEN, trace->id,
               SPAN_ID_LEN, s->id);
    if (trace->has_parent)
        buf_printf(to, "\"parentSpanId\":\"%.*s\",", SPAN_ID_LEN, trace->parent);
    buf_printf(to, "\"flags\":%u,\"name\":", flags);
    json_quote(c->text.method, to);
    buf_printf(to,
               ",\"kind\":%d,\"startTimeUnixNano\":\"%" PRId64
               "000\",\"endTimeUnixNano\":\"%" PRId64 "000\",\"attributes\":[",
               KIND_CLIENT, s->began_wall_us, end_us);
    add_attributes(to, c, verdict);
    buf_append_c(to, "]");
    if (verdict->error != NULL)
        buf_printf(to, ",\"status\":{\"code\":%d}", STATUS_ERROR);
    buf_append_c(to, "}");
}

void span_end(struct call *c, const struct verdict *verdict)
{
    if (trace_is_sampled(c->origin.trace)) {
        struct buf text;
        buf_init(&text, SPAN_MAX, NULL);
        buf_reserve(&text, 1024);
        write_span(&text, c, verdict);
        if (buf_ok(&text))
            traces_put(c->site->client->traces, &c->site->config->traces, buf_str(&text));
        buf_done(&text);
    }
    span_drop(c);
}
