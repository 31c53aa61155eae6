/* SPDX-License-Identifier: Apache-2.0 */
#include "front/explorer.h"

#include "base/chain.h"
#include "base/digest.h"
#include "codec/value/base64.h"
#include "front/explorer_text.h"
#include "front/form.h"
#include "front/request.h"
#include "front/task.h"
#include "rules/negotiate.h"

#include <assert.h>
#include <stdio.h>

#define HASH_SIZE 45 /* 32 bytes in base64, and a NUL */

struct str explorer_page(void)
{
    return (struct str){ (const char *)explorer_text, explorer_text_len };
}

/* Where `what` begins in the page; it is there once. */
static size_t place_of(struct str what)
{
    struct str page = explorer_page();
    for (size_t at = 0; at + what.len <= page.len; at++)
        if (str_eq(str_slice(page, at, at + what.len), what))
            return at;
    assert(false && "the explorer's page has its style and its script");
    return 0;
}

/* Of the text between the two tags, as a browser takes it. */
static void hash_between(struct str open, struct str close, char ret[HASH_SIZE])
{
    struct digest digest;
    struct base64 base64;
    struct chain text;
    struct chain_cursor start = { 0 };
    digest_of(str_slice(explorer_page(), place_of(open) + open.len, place_of(close)), &digest);
    chain_init(&text, HASH_SIZE, NULL);
    base64_begin(&base64, &text, 0);
    base64_encode(&base64, (struct str){ (const char *)digest.bytes, DIGEST_BYTES });
    base64_encode_end(&base64);
    ret[chain_read(&text, &start, ret, HASH_SIZE - 1)] = '\0';
    chain_done(&text);
}

void explorer_init(struct explorer *ret)
{
    char script[HASH_SIZE], style[HASH_SIZE];
    struct digest digest;
    hash_between(STR("<script>"), STR("</script>"), script);
    hash_between(STR("<style>"), STR("</style>"), style);
    snprintf(ret->policy, sizeof ret->policy,
             "default-src 'none'; script-src 'sha256-%s'; style-src 'sha256-%s'; connect-src "
             "'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
             "require-trusted-types-for 'script'; trusted-types 'none'",
             script, style);
    digest_of(explorer_page(), &digest);
    ret->etag[0] = '"';
    for (size_t i = 0; i < 16; i++)
        snprintf(ret->etag + 1 + 2 * i, 3, "%02x", digest.bytes[i]);
    strcpy(ret->etag + 33, "\"");
}

/* Of a 304 the page's length is told and no byte sent, as of HEAD: RFC 9110 section 8.6. */
static void begin_page(struct request *r)
{
    struct str etag = str_of(r->front->shared->explorer.etag);
    chain_append(&r->reply, explorer_page());
    request_succeed(r, negotiate_has(http_head(r->exchange), etag) ? 304 : 200);
}

const struct form form_page = { .content_type = "text/html; charset=utf-8", .is_page = true };

const struct task task_explorer = { .begin = begin_page };
