/* SPDX-License-Identifier: Apache-2.0 */
/* All that is read of a request's head: the target, and the values of headers. The first byte of
 * an input says what the rest is. */
#include "base/digest.h"
#include "front/surface.h"
#include "rules/caller.h"
#include "rules/framing.h"
#include "rules/host.h"
#include "rules/media.h"
#include "rules/origin.h"
#include "rules/query.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_path(struct str path)
{
    static const struct str methods[] = { { "GET", 3 }, { "POST", 4 }, { "OPTIONS", 7 } };
    static const struct config config;
    struct target target;
    struct error err;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        const struct request_head head = { .method = methods[i], .path = path };
        if (!surface_find(&head, &config, &target, &err)) {
            assert(err.type == PROBLEM_INVALID_REQUEST && target.row == NULL);
            continue;
        }
        struct str upstream = target_upstream(&target), method = target_method(&target);
        assert(utf8_valid_prefix(upstream) == upstream.len);
        assert(utf8_valid_prefix(method) == method.len);
        assert(str_find(upstream, '\0') == upstream.len && str_find(method, '\0') == method.len);
        assert(method.len == 0 || (target.row != NULL && upstream.len > 0));
        assert(upstream.len == 0 || target.row != NULL);
    }
}

/* Nobody's digest is all zeros. */
static void try_caller(const struct request_head *head)
{
    static struct digest digest;
    static struct caller_config known = { .digests = &digest, .n_digests = 1 };
    static const struct config config = { .callers = &known, .n_callers = 1 };
    static const struct request_peer peer;
    struct caller caller;
    struct error err;
    for (int basic = 0; basic < 2; basic++) {
        struct credentials credentials = { head, &peer, basic != 0 };
        assert(caller_find(&config, &credentials, &caller, &err) != CALLER_KNOWN);
        assert(err.type == PROBLEM_UNAUTHENTICATED);
    }
}

static void try_query(struct str text)
{
    struct query query;
    struct error err;
    if (!query_parse(text, &query, &err))
        assert(err.type == PROBLEM_INVALID_REQUEST);
}

/* `Name: value` lines as a server would give them. */
static void try_head(struct str lines)
{
    static const struct framing_limits limits = { .head_bytes = 1 << 20, .header_count = 12 };
    static char name[] = "gateway.internal", address[] = "[2001:db8::1]";
    static char *items[] = { name, address };
    static const struct texts hosts = { items, ARRAY_LEN(items) };
    struct header headers[16];
    struct request_head head = { .method = STR("POST"),
                                 .path = STR("/"),
                                 .headers = headers,
                                 .head_bytes = lines.len,
                                 .local = { .ip = STR("192.0.2.1"), .port = 8080 } };
    struct error err;
    uint64_t length;
    int64_t ms;
    while (lines.len > 0 && head.n_headers < ARRAY_LEN(headers)) {
        size_t end = str_find(lines, '\n');
        struct str line = str_slice(lines, 0, end);
        size_t colon = str_find(line, ':');
        headers[head.n_headers++] = (struct header){
            str_slice(line, 0, colon),
            str_slice(line, colon < line.len ? colon + 1 : colon, line.len),
            head_name_of(str_slice(line, 0, colon)),
        };
        lines = str_slice(lines, end < lines.len ? end + 1 : end, lines.len);
    }
    bool framed = framing_check(&head, &limits, &err);
    if (framed && head_count(&head, HEADER_CONTENT_LENGTH) > 0)
        assert(head_content_length(&head, &length) && length <= INT64_MAX);
    if (!origin_check_host(&head, &hosts, &err))
        assert(err.type == PROBLEM_MISDIRECTED);
    const char *cors;
    if (!origin_check_origin(&head, &hosts, &cors, &err))
        assert(err.type == PROBLEM_FORBIDDEN);
    try_caller(&head);
    if (!media_check(&head, STR("json-rpc"), &err))
        assert(err.type == PROBLEM_UNSUPPORTED_MEDIA_TYPE);
    if (head_timeout(&head, &ms, &err))
        assert(ms > 0);
    assert(head_request_id(&head).len <= 64);
    assert(head_traceparent(&head).data == NULL || head_traceparent(&head).len >= 55);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct host host;
    if (size == 0)
        return 0;
    struct str rest = { (const char *)data + 1, size - 1 };
    switch (data[0]) {
    case 'p':
        try_path(rest);
        break;
    case 'q':
        try_query(rest);
        break;
    case 'c':
        assert(media_charset(rest).len <= rest.len);
        break;
    case 'o':
        if (host_parse(rest, &host))
            assert(host_same(&host, &host) && host.name.len <= rest.len && host.port <= 65535);
        break;
    default:
        try_head(rest);
    }
    return 0;
}
