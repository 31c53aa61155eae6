/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/answer.h"

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

void answer_init(struct answer *answer)
{
    *answer = (struct answer){ .who = "" };
    buf_init(&answer->body, SIZE_MAX - 1, NULL);
}

void answer_done(struct answer *answer)
{
    buf_done(&answer->body);
}

static bool is_object(struct str text)
{
    struct error ignored;
    if (!json_scan_all(text, ENVELOPE + CODEC_DEPTH_MAX, &ignored))
        return false;
    text = json_trim(text);
    return text.len > 0 && text.data[0] == '{';
}

int answer_foreign(const struct answer *answer)
{
    fprintf(stderr,
            "rpcgate: %s does not answer like a gateway (HTTP status %d). Check --url or "
            "$" GATEWAY_URL_NAME ".\n",
            answer->who, answer->http_status);
    return EX_UNAVAILABLE;
}

bool answer_is_document(const struct answer *answer)
{
    return is_object(buf_str(&answer->body));
}

int answer_check(const struct answer *answer)
{
    bool known = false;
    int status = EX_OK;
    if (!answer_is_document(answer))
        return answer_foreign(answer);
    if (answer->http_status == 200)
        return EX_OK;
    status = answer_problem(answer, &known);
    return known ? status : answer_foreign(answer);
}

bool answer_member(struct str document, const char *name, struct str *ret)
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

void answer_text(struct str quoted, struct buf *to)
{
    append_text(quoted, /* lines */ true, to);
}

void answer_word(struct str quoted, struct buf *to)
{
    append_text(quoted, /* lines */ false, to);
}

int answer_write(struct str json)
{
    CLEANUP(chain_done) struct chain text;
    chain_init(&text, SIZE_MAX, NULL);
    json_lay_out(json, isatty(STDOUT_FILENO) ? JSON_FOR_EYES : JSON_COMPACT, &text);
    chain_append_byte(&text, '\n');
    return command_write_chain(&text) ? EX_OK : EX_IOERR;
}
