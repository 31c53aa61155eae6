/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/reply.h"

#include "base/chain.h"
#include "base/terminal.h"
#include "codec/json/cursor.h"
#include "codec/json/layout.h"
#include "codec/json/scan.h"
#include "codec/options.h"
#include "tool/command.h"
#include "tool/gateway.h"

#include <stdint.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

/* By so much a document may be deeper than the value in it. */
#define ENVELOPE 4

void reply_init(struct reply *reply)
{
    *reply = (struct reply){ .who = "" };
    buf_init(&reply->body, SIZE_MAX - 1, NULL);
}

void reply_done(struct reply *reply)
{
    buf_done(&reply->body);
}

static bool is_object(struct str text)
{
    struct error ignored;
    if (!json_scan_all(text, ENVELOPE + CODEC_DEPTH_MAX, &ignored))
        return false;
    text = json_trim(text);
    return text.len > 0 && text.data[0] == '{';
}

int reply_foreign(const struct reply *reply)
{
    fprintf(stderr,
            "rpcgate: %s does not answer like a gateway (HTTP status %d). Check --url or "
            "$" GATEWAY_URL_NAME ".\n",
            reply->who, reply->http_status);
    return EX_UNAVAILABLE;
}

bool reply_is_document(const struct reply *reply)
{
    return is_object(buf_str(&reply->body));
}

int reply_check(const struct reply *reply)
{
    bool known = false;
    int status = EX_OK;
    if (!reply_is_document(reply))
        return reply_foreign(reply);
    if (reply->http_status == 200)
        return EX_OK;
    status = reply_problem(reply, &known);
    return known ? status : reply_foreign(reply);
}

bool reply_member(struct str document, const char *name, struct str *ret)
{
    document = json_trim(document);
    if (document.len == 0 || document.data[0] != '{')
        return false;
    struct json_cursor members = json_enter(document);
    struct str quoted;
    while (json_next(&members, &quoted, ret))
        if (str_eq_c(str_slice(quoted, 1, quoted.len - 1), name))
            return true;
    return false;
}

static void append_text(struct str quoted, bool lines, struct buf *to)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX - 1, NULL);
    if (quoted.len < 2 || quoted.data[0] != '"')
        return;
    json_unquote(quoted, &text);
    terminal_clean(to, buf_str(&text), lines);
}

void reply_text(struct str quoted, struct buf *to)
{
    append_text(quoted, /* lines */ true, to);
}

void reply_word(struct str quoted, struct buf *to)
{
    append_text(quoted, /* lines */ false, to);
}

int reply_write(struct str json)
{
    CLEANUP(chain_done) struct chain text;
    chain_init(&text, SIZE_MAX, NULL);
    json_lay_out(json, isatty(STDOUT_FILENO) ? JSON_FOR_EYES : JSON_COMPACT, &text);
    chain_append_byte(&text, '\n');
    return command_write_chain(&text) ? EX_OK : EX_IOERR;
}
