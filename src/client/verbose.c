/* SPDX-License-Identifier: Apache-2.0 */
#include "client/verbose.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/log.h"
#include "client/call.h"
#include "client/hidden.h"
#include "client/session_store.h"
#include "settings/redact.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PART_MAX ((size_t)64 * 1024)
#define LINE_MAX_BYTES ((size_t)960) /* below what the log cuts */

enum { SENT_HEAD, SENT_BODY, RECEIVED_HEAD, RECEIVED_BODY, PARTS };

/* Some bytes more than are shown are kept: a secret may begin before the cut. Of one that is longer
 * the beginning is known. */
struct verbose {
    struct buf parts[PARTS];
    const struct site *site;
    const struct upstream_config *upstream;
    char *request_id; /* owned; NULL: nobody's */
    bool is_own;      /* a call that a session makes for itself */
};

struct verbose *verbose_new(const struct call *c)
{
    if (!c->upstream->verbose || !log_enabled(LOG_LEVEL_INFO))
        return NULL;
    struct verbose *v = xcalloc(1, sizeof *v);
    for (size_t i = 0; i < PARTS; i++)
        buf_init(&v->parts[i], PART_MAX + 1024, NULL);
    return v;
}

static void keep(struct buf *part, struct str bytes)
{
    size_t room = part->max - part->len;
    buf_append(part, str_slice(bytes, 0, bytes.len < room ? bytes.len : room));
}

void verbose_head(struct verbose *v, bool sent, struct str bytes)
{
    if (v != NULL)
        keep(&v->parts[sent ? SENT_HEAD : RECEIVED_HEAD], bytes);
}

void verbose_body(struct verbose *v, struct str bytes)
{
    if (v != NULL)
        keep(&v->parts[RECEIVED_BODY], bytes);
}

/* A piece of at most a line, which does not end within a character. */
static struct str next_piece(struct str text)
{
    size_t len = text.len < LINE_MAX_BYTES ? text.len : LINE_MAX_BYTES;
    for (size_t back = 0; back < 4 && back < len && len < text.len; back++)
        if (((unsigned char)text.data[len - back] & 0xC0) != 0x80)
            return str_slice(text, 0, len - back);
    return str_slice(text, 0, len);
}

/* What a server has set is nobody's secret in the configuration. */
static bool is_cookie(struct str line)
{
    struct str name = str_trim(str_slice(line, 0, str_find(line, ':')));
    return str_eq_nocase(name, STR("Cookie")) || str_eq_nocase(name, STR("Set-Cookie"));
}

static void hide_cookies(size_t part, struct buf *text)
{
    struct str rest = buf_str(text);
    struct buf shown;
    if (part != SENT_HEAD && part != RECEIVED_HEAD)
        return;
    buf_init(&shown, SIZE_MAX - 1, NULL);
    while (rest.len > 0) {
        size_t end = str_find(rest, '\n');
        struct str line = str_slice(rest, 0, end < rest.len ? end + 1 : end);
        rest = str_slice(rest, line.len, rest.len);
        bool hidden = is_cookie(line);
        buf_append(&shown, hidden ? str_slice(line, 0, str_find(line, ':')) : line);
        if (hidden)
            buf_append_c(&shown, ": ***\r\n");
    }
    buf_wipe(text);
    *text = shown;
}

/* What a login brings is nobody's to see, and not known yet. */
static void hide_all(struct buf *text)
{
    if (text->len == 0)
        return;
    buf_wipe(text);
    buf_init(text, PART_MAX + 1024, NULL);
    buf_append_c(text, "***");
}

/* `is_cut`: no more of it was kept. */
static void write_part(const struct verbose *v, const char *name, struct str part, bool is_cut)
{
    CLEANUP(buf_done) struct buf shown;
    int64_t n = 0;
    struct hidden *hidden = session_hidden(v->site, v->upstream);
    const struct redactor *redactor = hidden_redactor(hidden, v->site->config);
    buf_init(&shown, SIZE_MAX - 1, NULL);
    if (is_cut)
        redact_cut(redactor, part, &shown);
    else
        redact(redactor, part, &shown);
    hidden_unref(hidden);
    struct str rest = buf_str(&shown);
    is_cut |= rest.len > PART_MAX;
    if (rest.len > PART_MAX)
        rest.len = PART_MAX;
    while (rest.len > 0) {
        struct str piece = next_piece(rest);
        rest = str_slice(rest, piece.len, rest.len);
        LOG_EVENT(LOG_LEVEL_INFO, "verbose", LOG_TEXT("request_id", v->request_id),
                  LOG_TEXT("upstream", v->upstream->name), LOG_TEXT("part", name),
                  LOG_NUM("n", ++n), LOG_STR("text", piece),
                  LOG_TEXT("cut", is_cut && rest.len == 0 ? "at 64 KiB" : NULL));
    }
}

void verbose_close(struct verbose *v, const struct call *c)
{
    if (v == NULL)
        return;
    v->site = c->site;
    v->upstream = c->upstream;
    v->is_own = c->own != CALL_CALLERS;
    if (c->origin.request_id != NULL)
        v->request_id = xmemdup0(c->origin.request_id, strlen(c->origin.request_id));
    for (const struct chain_block *b = c->document.text.first; b != NULL; b = b->next)
        keep(&v->parts[SENT_BODY], (struct str){ b->data, b->len });
}

void verbose_write(struct verbose *v)
{
    static const char *const names[PARTS] = { "request head", "request", "response head",
                                              "response" };
    if (v == NULL)
        return;
    for (size_t i = 0; i < PARTS; i++) {
        bool is_cut = v->parts[i].len == v->parts[i].max;
        if (v->is_own && i == RECEIVED_BODY)
            hide_all(&v->parts[i]);
        hide_cookies(i, &v->parts[i]);
        write_part(v, names[i], buf_str(&v->parts[i]), is_cut);
        buf_done(&v->parts[i]);
    }
    free(v->request_id);
    free(v);
}

void verbose_end(struct verbose *v, const struct call *c)
{
    verbose_close(v, c);
    verbose_write(v);
}
