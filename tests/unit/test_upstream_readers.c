/* SPDX-License-Identifier: Apache-2.0 */
/* Two readers, one meaning: of answers that are changed by chance our own exchanges take none that
 * libcurl's transfers refuse, or read in another way, but for lines without a colon (decision 16).
 */
#include "llhttp_reader.h"
#include "upstream_harness.h"

#include "base/macros.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* RPCGATE_READERS makes it more. */
#define ANSWERS 400

#define HEAD "HTTP/1.1 200 OK\r\n"

static const char *const seeds[] = {
    HEAD "Content-Length: 5\r\n\r\n<ok/>",
    HEAD "Content-Type: text/xml\r\n\r\n<ok/>",
    HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\n<ok\r\n2;a=b\r\n/>\r\n0\r\nX: y\r\n\r\n",
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n<ok/>",
    "HTTP/1.1 100 Continue\r\n\r\n" HEAD "Content-Length: 5\r\n\r\n<ok/>",
    "HTTP/1.1 500 Oops\r\nContent-Length: 5\r\nConnection: close\r\n\r\n<ok/>",
    "HTTP/1.1 204 No\r\nServer: x\r\n\r\n",
};

static const char *const parts[] = {
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    ":",
    ",",
    ";",
    "0",
    "1",
    "5",
    "f",
    "-",
    "+",
    "x",
    "Content-Length: 5\r\n",
    "Content-Length: 6\r\n",
    "Content-Length:\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: identity\r\n",
    "Transfer-Encoding: gzip\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/",
    "\r\n\r\n",
    "0\r\n\r\n",
    "Connection: close\r\n",
    "X: y\r\n",
    " z\r\n",
};

static uint64_t number = 7;

static size_t pick(size_t n)
{
    number = number * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(number >> 33) % n;
}

static void change(struct buf *to)
{
    char copy[2048];
    const char *seed = seeds[pick(ARRAY_LEN(seeds))];
    size_t len = strlen(seed);
    memcpy(copy, seed, len);
    for (size_t n = 1 + pick(2); n > 0; n--) {
        size_t at = pick(len + 1);
        if (pick(3) == 0 && at < len) {
            size_t out = 1 + pick(4);
            out = out > len - at ? len - at : out;
            memmove(copy + at, copy + at + out, len - at - out);
            len -= out;
        } else {
            const char *part = parts[pick(ARRAY_LEN(parts))];
            size_t more = strlen(part);
            memmove(copy + at + more, copy + at, len - at);
            memcpy(copy + at, part, more);
            len += more;
        }
    }
    buf_clear(to);
    buf_append(to, (struct str){ copy, len });
}

struct reading {
    struct upstream_result result;
    struct buf body;
};

static void read_by(enum transport_use transport, const char *bytes, struct reading *ret)
{
    struct server server = { .answer = bytes };
    struct client client;
    struct probe probe;
    server_start(&server, serve_once);
    client_init(&client, &server);
    client.config.transport = transport;
    client_open(&client);
    probe_init(&probe, "<call/>");
    probe_run(&probe, &client);
    ret->result = probe.result;
    buf_clear(&ret->body);
    buf_append(&ret->body, buf_str(&probe.answer));
    probe_done(&probe);
    client_close(&client);
    server_stop(&server);
}

/* libcurl refuses them; we pass them over, and use the connection for nothing else. */
static bool is_line_that_is_none(const struct upstream_result *theirs)
{
    return strstr(theirs->detail, "no colon") != NULL ||
           strstr(theirs->detail, "no header") != NULL ||
           strstr(theirs->detail, "Content-Length") != NULL;
}

static const char *shown(const char *bytes)
{
    static struct buf text;
    buf_init(&text, SIZE_MAX - 1, NULL);
    for (; *bytes != '\0'; bytes++) {
        if (*bytes < ' ')
            buf_printf(&text, "\\x%02x", (unsigned)*bytes);
        else
            buf_append_byte(&text, *bytes);
    }
    return buf_c(&text);
}

static void fail_at(const char *bytes, const struct reading *ours, const struct reading *theirs)
{
    fail_msg("%s\nours: %d \"%s\"\nlibcurl's: %d %d \"%s\" %s", shown(bytes),
             ours->result.http_status, buf_c(&ours->body), (int)theirs->result.status,
             theirs->result.http_status, buf_c(&theirs->body), theirs->result.detail);
}

/* Why llhttp refuses what we take: lines that are none and names that are no token (decision 16), a
 * Content-Length that is blank or stands there twice with one value, one beside a Transfer-Encoding
 * (RFC 9112 section 6.3; the connection ends behind both), a tab behind it (section 5), blanks
 * behind a chunk's size, a LF alone, and what the name or value of a chunk's extension is made of,
 * which nobody reads. */
static const char *const stricter[] = {
    "Invalid header token",
    "Data after `Connection: close`", /* behind a 100 that says so */
    "Invalid header field char",
    "Empty Content-Length",
    "Duplicate Content-Length",
    "Content-Length can't be",
    "Transfer-Encoding can't be",
    "Expected LF after",
    "Invalid character in chunk extensions",
    "Invalid character in chunk size",
    "Missing expected CR before",
    "Invalid character in Content-Length",
};

static bool is_stricter(const char *why)
{
    for (size_t i = 0; why != NULL && i < ARRAY_LEN(stricter); i++)
        if (str_starts_with(str_of(why), str_of(stricter[i])))
            return true;
    return false;
}

/* A third reader, where it is: it may refuse for one of these reasons, and reads nothing else. */
static void compare_with_llhttp(const char *bytes, const struct reading *ours)
{
    struct llhttp_reading theirs;
    buf_init(&theirs.body, 4096, NULL);
    bool is_there = llhttp_read(str_of(bytes), &theirs);
    bool is_same = is_there && theirs.is_good && theirs.status == ours->result.http_status &&
                   str_eq(buf_str(&theirs.body), buf_str(&ours->body));
    if (is_there && !is_same && (theirs.is_good || !is_stricter(theirs.why)))
        fail_msg("%s\nours: %d \"%s\"\nllhttp's: %d \"%s\" %s", shown(bytes),
                 ours->result.http_status, buf_c(&ours->body), theirs.status, buf_c(&theirs.body),
                 theirs.why);
    buf_done(&theirs.body);
}

static void compare(const char *bytes, struct reading *ours, struct reading *theirs)
{
    read_by(TRANSPORT_USE_AUTO, bytes, ours);
    if (ours->result.status != UPSTREAM_OK)
        return;
    compare_with_llhttp(bytes, ours);
    read_by(TRANSPORT_USE_CURL, bytes, theirs);
    bool is_same = theirs->result.status == UPSTREAM_OK &&
                   ours->result.http_status == theirs->result.http_status &&
                   str_eq(buf_str(&ours->body), buf_str(&theirs->body));
    if (!is_same && !is_line_that_is_none(&theirs->result))
        fail_at(bytes, ours, theirs);
}

static void what_we_take_libcurl_takes(void **state)
{
    const char *more = getenv("RPCGATE_READERS");
    int n = more != NULL ? atoi(more) : ANSWERS;
    struct reading ours, theirs;
    struct buf bytes;
    (void)state;
    buf_init(&bytes, 4096, NULL);
    buf_init(&ours.body, 4096, NULL);
    buf_init(&theirs.body, 4096, NULL);
    for (int i = 0; i < n; i++) {
        change(&bytes);
        compare(buf_c(&bytes), &ours, &theirs);
    }
    buf_done(&bytes);
    buf_done(&ours.body);
    buf_done(&theirs.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_we_take_libcurl_takes) };
    signal(SIGPIPE, SIG_IGN);
    if (!upstreams_global_init())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
