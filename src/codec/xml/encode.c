/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/xml/encode.h"

#include "base/alloc.h"
#include "codec/json/cursor.h"
#include "codec/json/text.h"
#include "codec/xml/encode_inside.h"

#include <stdlib.h>

#define SCRATCH_MAX (SIZE_MAX / 4)

/* [bytes] */
#define WRITE_STEP ((size_t)1024 * 1024)

/* Apache's namespace of extensions, where <ex:nil/> comes from. */
#define EX_NAMESPACE " xmlns:ex=\"http://ws.apache.org/xmlrpc/namespaces/extensions\""

/* What stands around the values of each kind of document. */
static const struct frame {
    const char *root;                         /* without its `>`; NULL: none */
    const char *before_method, *after_method; /* NULL: there is no method */
    const char *begin, *end;
} frames[] = {
    [ENCODE_CALL] = { .root = "<methodCall",
                      .before_method = "<methodName>",
                      .after_method = "</methodName>",
                      .begin = "<params>",
                      .end = "</params></methodCall>\n" },
    [ENCODE_PARAMS] = { .root = "<params", .begin = "", .end = "</params>\n" },
    [ENCODE_RESPONSE] = { .root = "<methodResponse",
                          .begin = "<params>",
                          .end = "</params></methodResponse>\n" },
    [ENCODE_FAULT] = { .root = "<methodResponse",
                       .begin = "<fault>",
                       .end = "</fault></methodResponse>\n" },
    [ENCODE_VALUE] = { .begin = "", .end = "" },
    [ENCODE_MULTICALL_BEGIN] = { .root = "<methodCall",
                                 .begin = "<methodName>system.multicall</methodName>"
                                          "<params><param><value><array><data>",
                                 .end = "" },
    [ENCODE_MULTICALL_ITEM] = { .before_method = "<value><struct><member><name>methodName</name>"
                                                 "<value><string>",
                                .after_method = "</string></value></member>",
                                .begin = "<member><name>params</name><value><array><data>",
                                .end = "</data></array></value></member></struct></value>" },
    [ENCODE_MULTICALL_END] = { .begin = "",
                               .end = "</data></array></value></param></params></methodCall>\n" },
};

static void write_declaration(struct encoder *e)
{
    if (e->to != e->out) {
        chain_append(e->to, STR("<?xml version=\"1.0\" encoding=\""));
        chain_append_c(e->to, charset_name(e->charset));
        chain_append(e->to, STR("\"?>\n"));
    } else if (e->input.kind != ENCODE_PARAMS) {
        chain_append(e->to, STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
    }
}

static void open_root(struct encoder *e, const char *root)
{
    write_declaration(e);
    chain_append_c(e->to, root);
    if (encode_nil_is_ex(e))
        chain_append(e->to, STR(EX_NAMESPACE));
    chain_append_byte(e->to, '>');
}

static bool write_method(struct encoder *e, const struct frame *f, struct error *err)
{
    chain_append_c(e->to, f->before_method);
    if (!encode_plain_text(e, e->input.method))
        return error_set(err, PROBLEM_UNREPRESENTABLE,
                         "XML cannot carry the method's name; leave out its control characters.");
    chain_append_c(e->to, f->after_method);
    return true;
}

/* A response has one value. An answer that was read has no other, and may be too long to look. */
static bool check_response(struct encoder *e, struct error *err)
{
    if (e->input.options->as_decoded)
        return true;
    struct str text = json_trim(e->input.json);
    struct str value;
    if (text.len > 0 && text.data[0] != '[')
        return true;
    struct json_cursor c = json_enter(text.len > 0 ? text : STR("[]"));
    if (json_next(&c, NULL, &value) && !json_next(&c, NULL, &value))
        return true;
    return encode_refuse(e, err, "A response has exactly one value; write [VALUE].");
}

static bool write_frame(struct encoder *e, struct error *err)
{
    const struct frame *f = &frames[e->input.kind];
    if (f->root != NULL)
        open_root(e, f->root);
    if (f->before_method != NULL && !write_method(e, f, err))
        return false;
    chain_append_c(e->to, f->begin);
    return true;
}

static bool write_head(struct encoder *e, struct error *err)
{
    e->depth = 0;
    if (e->input.kind == ENCODE_RESPONSE && !check_response(e, err))
        return false;
    if (!write_frame(e, err))
        return false;
    if (e->input.kind == ENCODE_FAULT) {
        e->phase = ENCODE_TAIL;
        return encode_fault(e, err);
    }
    encode_values_begin(e);
    e->phase = ENCODE_VALUES;
    return true;
}

/* The text is for the two passes. */
static void leave_lane(struct encoder *e)
{
    chain_recover(e->out, e->lane.mark);
    e->phase = ENCODE_SCAN;
}

static void enter_lane(struct encoder *e)
{
    struct error ignored;
    e->phase = ENCODE_LANE;
    e->lane.mark = chain_len(e->out);
    if (!write_frame(e, &ignored) || !encode_lane_begin(e))
        leave_lane(e);
}

static void step_lane(struct encoder *e, size_t bytes)
{
    enum codec_step result = encode_lane_step(e, bytes);
    if (result == CODEC_FAILED)
        leave_lane(e);
    else if (result == CODEC_DONE)
        e->phase = ENCODE_TAIL;
}

/* One step of the phase, which may become the next. */
static bool step(struct encoder *e, size_t bytes, struct error *err)
{
    enum codec_step result;
    switch (e->phase) {
    case ENCODE_LANE:
        step_lane(e, bytes);
        return true;
    case ENCODE_SCAN:
        result = json_scan_step(&e->scan, bytes, err);
        if (result == CODEC_DONE)
            e->phase = ENCODE_HEAD;
        return result != CODEC_FAILED;
    case ENCODE_HEAD:
        return write_head(e, err);
    case ENCODE_VALUES:
        result = encode_values_step(e, bytes, err);
        if (result == CODEC_DONE)
            e->phase = ENCODE_TAIL;
        return result != CODEC_FAILED;
    case ENCODE_TAIL:
        if (UNLIKELY(e->input.around != NULL) && !encode_around_end(e, err))
            return false;
        chain_append_c(e->to, frames[e->input.kind].end);
        e->phase = ENCODE_END;
        break;
    case ENCODE_END:
        break;
    }
    return true;
}

/* What a byte of UTF-8 costs to convert, in bytes that are translated. */
#define CONVERT_COST 8

/* Moves what was written to the document, in its encoding; true when all of it is there. Much may
 * have been written at once, and a character costs more here than anywhere else. */
static bool convert(struct encoder *e, size_t bytes)
{
    char piece[1024];
    size_t n, done = 0;
    if (LIKELY(e->to == e->out))
        return true;
    while ((n = chain_read(&e->utf8, &e->converted, piece, sizeof piece)) > 0) {
        charset_write(e->charset, (struct str){ piece, n }, e->out);
        done += n;
        if (done >= bytes / CONVERT_COST)
            return false;
    }
    if (e->utf8.state != CHAIN_OK && e->out->state == CHAIN_OK)
        e->out->state = e->utf8.state;
    chain_clear(&e->utf8);
    e->converted = (struct chain_cursor){ 0 };
    if (e->phase == ENCODE_END)
        charset_end(e->charset, e->out);
    return true;
}

static bool fail_room(struct error *err)
{
    return error_limit(err, PROBLEM_OVERLOADED, "limits.memory",
                       "The gateway has no memory for this document now; try again later, send "
                       "less at once, or raise limits.memory.");
}

/* An encoder that waits for its next document must not hold much of the budget. */
static void release(struct encoder *e)
{
    e->phase = ENCODE_END;
    json_scan_clear(&e->scan);
    chain_clear(&e->utf8);
    buf_done(&e->scratch);
}

struct encoder *encoder_new(struct budget *budget)
{
    struct encoder *e = xcalloc(1, sizeof *e);
    e->budget = budget;
    e->phase = ENCODE_END;
    json_scan_init(&e->scan, budget);
    chain_init(&e->utf8, SIZE_MAX / 4, budget);
    buf_init(&e->scratch, SCRATCH_MAX, budget);
    return e;
}

void encoder_free(struct encoder *e)
{
    if (e == NULL)
        return;
    json_scan_done(&e->scan);
    chain_done(&e->utf8);
    buf_done(&e->scratch);
    charset_free(e->charset);
    time_zone_free(e->zone);
    free(e->zone_name);
    free(e->levels);
    free(e);
}

/* Chooses where the document's UTF-8 goes. */
static void choose_charset(struct encoder *e, struct chain *out)
{
    const char *name = e->input.options->encoding;
    e->out = out;
    e->to = out;
    if (charset_is_utf8(name) || e->input.kind == ENCODE_VALUE)
        return;
    if (e->charset == NULL || strcmp(charset_name(e->charset), name) != 0) {
        charset_free(e->charset);
        e->charset = charset_new(name);
    }
    if (e->charset == NULL) /* Nobody has asked encode_encoding_known(): UTF-8 is never wrong. */
        return;
    if (frames[e->input.kind].root != NULL)
        charset_begin(e->charset);
    else
        charset_go_on(e->charset);
    chain_clear(&e->utf8);
    e->to = &e->utf8;
}

void encoder_begin(struct encoder *e, const struct encode_input *input, struct chain *out)
{
    e->input = *input;
    e->repaired = 0;
    e->converting = false;
    e->converted = (struct chain_cursor){ 0 };
    choose_charset(e, out);
    e->input.json = e->input.json.data != NULL ? json_without_mark(e->input.json) : STR("");
    release(e);
    json_scan_begin(&e->scan, e->input.json, input->options->depth);
    e->scan.names.policy = input->options->text;
    if (e->input.within.data != NULL) {
        e->scan.within = json_without_mark(e->input.within);
        e->scan.place = e->input.place;
    }
    e->phase = json_trim(e->input.json).len == 0 ? ENCODE_HEAD : ENCODE_SCAN;
    if (e->phase == ENCODE_SCAN && encode_lane_may(e))
        enter_lane(e);
}

enum codec_step encoder_step(struct encoder *e, size_t bytes, struct error *err)
{
    bool ok = e->converting || step(e, bytes, err);
    e->converting = ok && !convert(e, bytes);
    if (chain_state(e->out) != CHAIN_OK || !buf_ok(&e->scratch))
        ok = fail_room(err);
    if (ok && (e->converting || e->phase != ENCODE_END))
        return CODEC_MORE;
    release(e);
    return ok ? CODEC_DONE : CODEC_FAILED;
}

bool encoder_write(struct encoder *e, const struct encode_input *input, struct chain *out,
                   struct error *err)
{
    enum codec_step step;
    encoder_begin(e, input, out);
    do
        step = encoder_step(e, WRITE_STEP, err);
    while (step == CODEC_MORE);
    return step == CODEC_DONE;
}

size_t encoder_repaired(const struct encoder *e)
{
    return e->repaired;
}

bool encode_encoding_known(const char *name)
{
    if (charset_is_utf8(name))
        return true;
    struct charset *c = charset_new(name);
    charset_free(c);
    return c != NULL;
}

bool encode_timezone_known(const char *name)
{
    if (name == NULL)
        return true;
    struct time_zone *z = time_zone_new(name);
    time_zone_free(z);
    return z != NULL;
}
