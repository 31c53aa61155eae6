/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/xml/decode.h"

#include "base/alloc.h"
#include "codec/xml/decode_private.h"

#include <assert.h>
#include <stdlib.h>

/* All buffers, whose budget is the output's. */
static void init_buffers(struct decoder *d, struct budget *budget)
{
    buf_init(&d->text, SCALAR_MAX, budget);
    buf_init(&d->method, SCALAR_MAX, budget);
    buf_init(&d->names, SIZE_MAX / 2, budget);
    buf_init(&d->members, SIZE_MAX / 2, budget);
    buf_init(&d->table.levels, SIZE_MAX / 2, budget);
    buf_init(&d->table.links, SIZE_MAX / 2, budget);
    buf_init(&d->edits.list, SIZE_MAX / 2, budget);
    buf_init(&d->edits.parts, SIZE_MAX / 2, budget);
    buf_init(&d->fault_code_text, SIZE_MAX / 2, budget);
    buf_init(&d->fault_string, SIZE_MAX / 2, budget);
}

static void free_buffers(struct decoder *d)
{
    buf_done(&d->text);
    buf_done(&d->method);
    buf_done(&d->names);
    buf_done(&d->members);
    names_clear(d);
    edits_clear(d);
    buf_done(&d->fault_code_text);
    buf_done(&d->fault_string);
}

static void set_frames(struct decoder *d, size_t n)
{
    d->frames = xreallocarray(d->frames, n, sizeof *d->frames);
    d->n_frames = n;
    d->top = d->frames;
}

struct decoder *decoder_new(void)
{
    struct decoder *d = xcalloc(1, sizeof *d);
    set_frames(d, FRAMES_FIRST);
    plain_init(&d->plain);
    decode_charset_init(&d->charset);
    init_buffers(d, NULL);
    return d;
}

void decoder_free(struct decoder *d)
{
    if (d == NULL)
        return;
    decode_charset_reset(&d->charset);
    free_buffers(d);
    xml_reader_free(d->xml);
    free(d->scratch);
    free(d->frames);
    free(d);
}

void decoder_clear(struct decoder *d)
{
    free_buffers(d);
    init_buffers(d, NULL);
    d->options = NULL;
    d->out = NULL;
    d->failed = true;
}

/* The arrays that stand around the values whose depth is limited. */
static unsigned items_depth(const struct decode_options *options)
{
    if (options->items == NULL)
        return 0;
    return options->items->shape == ITEMS_WRAPPED ? ITEMS_DEPTH : 1;
}

void decoder_begin(struct decoder *d, const struct decode_options *options, struct chain *out)
{
    assert(options->depth <= CODEC_DEPTH_MAX);
    free_buffers(d);
    init_buffers(d, out->budget);
    decode_charset_reset(&d->charset);
    if (d->n_frames > FRAMES_FIRST)
        set_frames(d, FRAMES_FIRST);
    d->options = options;
    d->out = out;
    d->failed = false;
    d->marked = false;
    d->renamed = false;
    d->root_closed = false;
    d->begun = false;
    d->lines = 0;
    d->columns = 0;
    d->kind = DOCUMENT_RESPONSE;
    d->bytes = 0;
    d->n_params = 0;
    d->repaired = 0;
    d->depth = 0;
    d->depth_max = options->depth + items_depth(options);
    d->items = (struct items){ .n = 0 };
    watched_begin(d, options->items == NULL ? options->watch : NULL, 0);
    d->begin = chain_len(out);
    d->carried = 0;
    d->has_method = false;
    d->has_fault_code_text = false;
    d->has_fault_string = false;
    d->fault_truncated = false;
    d->fault_code = 0;
    d->scan.state = SCAN_TEXT;
    d->scan.brackets = 0;
    d->scan.reference = 0;
    d->scan.held = 0;
    d->repair = (struct repair){ .n = 0 };
    tree_begin(d);
    plain_begin(d);
    if (options->items == NULL)
        chain_append_byte(out, '[');
}

size_t decode_leading(struct str text)
{
    size_t n = 0;
    while (n < text.len) {
        char byte = text.data[n];
        if (byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t')
            n++;
        else if (str_starts_with(str_slice(text, n, text.len), STR("\xEF\xBB\xBF")))
            n += 3;
        else
            break;
    }
    return n;
}

void decode_pass_over(struct decoder *d, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool is_line_end = text.data[i] == '\n';
        d->lines += is_line_end;
        d->columns = is_line_end ? 0 : d->columns + (((unsigned char)text.data[i] & 0xC0) != 0x80);
    }
}

/* Whole characters, for the next stage. */
static bool push(struct decoder *d, struct str text)
{
    if (UNLIKELY(!d->begun)) {
        size_t n = decode_leading(text);
        decode_pass_over(d, str_slice(text, 0, n));
        text = str_slice(text, n, text.len);
        d->begun = text.len > 0;
        if (!d->begun)
            return true;
    }
    return scan_feed(d, text);
}

/* Length of the character that this byte begins; 1 where it begins none. */
static size_t utf8_length(char byte)
{
    unsigned char c = (unsigned char)byte;
    return c < 0xC2 || c > 0xF4 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

/* Bytes at the end that are the beginning of a character. */
static size_t unfinished(struct str text)
{
    for (size_t back = 1; back <= 3 && back <= text.len; back++) {
        unsigned char c = (unsigned char)text.data[text.len - back];
        if (c < 0x80)
            return 0;
        if (c >= 0xC0)
            return utf8_length((char)c) > back ? back : 0;
    }
    return 0;
}

static bool push_carry(struct decoder *d)
{
    struct str text = { d->carry, d->carried };
    d->carried = 0;
    return push(d, text);
}

/* Completes the character that the text before ended in. */
static bool go_on_carry(struct decoder *d, struct str *text)
{
    size_t want = utf8_length(d->carry[0]);
    while (d->carried < want && text->len > 0 && ((unsigned char)text->data[0] & 0xC0) == 0x80) {
        d->carry[d->carried++] = text->data[0];
        *text = str_slice(*text, 1, text->len);
    }
    if (d->carried < want && text->len == 0)
        return true;
    return push_carry(d);
}

bool decode_push_utf8(struct decoder *d, struct str text)
{
    if (d->carried > 0 && text.len > 0 && !go_on_carry(d, &text))
        return false;
    while (text.len > 0) {
        size_t n = text.len < SLICE_MAX ? text.len : SLICE_MAX;
        size_t tail = unfinished(str_slice(text, 0, n));
        if (n > tail && !push(d, str_slice(text, 0, n - tail)))
            return false;
        text = str_slice(text, n - tail, text.len);
        if (text.len == tail) {
            if (tail > 0)
                memcpy(d->carry, text.data, tail);
            d->carried = tail;
            break;
        }
    }
    return !d->failed;
}

/* What was kept for the document is freed; results stay until the next one, but nobody counts them
 * any more. */
static void settle(struct decoder *d)
{
    struct buf *working[] = { &d->text, &d->names, &d->members };
    struct buf *results[] = { &d->method, &d->fault_code_text, &d->fault_string };
    for (size_t i = 0; i < ARRAY_LEN(working); i++) {
        buf_done(working[i]);
        working[i]->budget = NULL;
    }
    names_clear(d);
    edits_clear(d);
    for (size_t i = 0; i < ARRAY_LEN(results); i++) {
        budget_give(results[i]->budget, results[i]->cap);
        results[i]->budget = NULL;
    }
    d->options = NULL;
    d->out = NULL;
}

static bool report(struct decoder *d, struct error *err)
{
    if (!d->failed)
        return true;
    if (d->out != NULL)
        settle(d);
    *err = d->err;
    return false;
}

bool decoder_feed(struct decoder *d, struct str bytes, struct error *err)
{
    if (!d->failed && bytes.len > 0) {
        size_t room = d->options->document_max - d->bytes;
        bool over = bytes.len > room;
        if (over)
            bytes.len = room;
        d->bytes += bytes.len;
        if (decode_charset_feed(d, bytes) && over)
            decode_fail(d, REFUSED_OVER_RESPONSE, "it is over limits.response (%zu bytes)",
                        d->options->document_max);
    }
    return report(d, err);
}

bool decoder_is_whole(const struct decoder *d)
{
    return d->root_closed && !d->failed;
}

bool decoder_is_empty(const struct decoder *d)
{
    return !d->begun && !d->failed && d->carried == 0 && decode_charset_is_empty(d);
}

static void end_params(struct decoder *d)
{
    watched_end(d);
    chain_append_byte(d->out, ']');
}

/* The end of the document; the output may still have to be arranged. */
static bool end(struct decoder *d)
{
    bool ok = !d->failed && decode_charset_finish(d) && (d->carried == 0 || push_carry(d));
    if (ok && !d->begun)
        ok = decode_fail(d, REFUSED_EMPTY, "the document is empty");
    ok = ok && scan_finish(d) && (d->plain.active || (repair_flush(d) && xml_reader_finish(d)));
    if (ok && d->options->items != NULL)
        ok = items_finish(d);
    else if (ok)
        end_params(d);
    return ok && decode_check_chain(d);
}

bool decoder_end(struct decoder *d, struct decode_result *ret, struct error *err)
{
    if (!end(d))
        return report(d, err);
    *ret = (struct decode_result){
        .kind = d->kind,
        .n_params = d->kind == DOCUMENT_FAULT ? 1 : d->n_params,
        .fault = decode_fault(d),
        .repaired = d->repaired,
        .unarranged = d->edits.n > 0,
    };
    if (d->has_method)
        ret->method = (struct str){ buf_c(&d->method), d->method.len };
    if (!ret->unarranged)
        settle(d);
    return true;
}

enum codec_step decoder_arrange(struct decoder *d, size_t bytes, struct error *err)
{
    enum codec_step step = d->failed || d->out == NULL ? CODEC_FAILED : edits_step(d, bytes);
    if (step == CODEC_DONE)
        settle(d);
    else if (step == CODEC_FAILED)
        report(d, err);
    return step;
}

bool decoder_finish(struct decoder *d, struct decode_result *ret, struct error *err)
{
    enum codec_step step = CODEC_MORE;
    if (!decoder_end(d, ret, err))
        return false;
    if (!ret->unarranged)
        return true;
    ret->unarranged = false;
    while (step == CODEC_MORE)
        step = decoder_arrange(d, SIZE_MAX / 2, err);
    return step == CODEC_DONE;
}
