/* SPDX-License-Identifier: Apache-2.0 */
/* `rpcgate decode`: xmlrpc.client's loads(). */
#include "codec/xml/decode.h"
#include "base/terminal.h"
#include "codec/json/write.h"
#include "tool/command.h"
#include "tool/decode_line.h"
#include "tool/harmless.h"
#include "tool/input.h"
#include "tool/words.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sysexits.h>

enum { TYPES, INTEGERS, ENCODING, TEXT, LINES, HELP };

static const struct command_option options[] = {
    [TYPES] = { 0, "types", "FORM", "plain or tagged (plain)" },
    [INTEGERS] = { 0, "integers", "FORM", "number, string or safe (number)" },
    [ENCODING] = { 0, "encoding", "NAME", "read in this encoding, whatever the document declares" },
    [TEXT] = { 0, "text", "POLICY", "text that is not allowed: reject, replace, base64 (reject)" },
    [LINES] = { 0, "lines", NULL,
                "each line is {\"xml\":…} or {\"base64\":…}, and one line comes out" },
    [HELP] = { 'h', "help", NULL, "print this" },
};

const struct command_info command_decode_info = {
    .usage = "rpcgate decode [OPTION…] [FILE]",
    .about = "Reads an XML-RPC document and writes {\"method\":\"name\",\"params\":[…]},\n"
             "{\"params\":[…]} or {\"fault\":{\"code\":1,\"string\":\"x\"}}. Without FILE, or with "
             "-, it reads\n"
             "standard input.",
    .examples = "  rpcgate decode < response.xml\n"
                "  echo '[20.0]' | rpcgate encode --response | rpcgate decode\n"
                "  rpcgate decode --types tagged --integers string recorded.xml\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
};

struct choices {
    struct decode_options decoding;
    bool lines;
};

static bool set_encoding(struct choices *c, const char *name)
{
    c->decoding.encoding_forced = name;
    if (!decode_encoding_known(name))
        command_misuse("decode", "documents cannot be read in the encoding \"%s\"", name);
    return decode_encoding_known(name);
}

static bool apply(void *context, size_t row, const char *argument)
{
    struct choices *c = context;
    switch (row) {
    case TYPES:
        return words_types(argument, &c->decoding.types);
    case INTEGERS:
        return words_integers(argument, &c->decoding.integers);
    case TEXT:
        return words_text(argument, &c->decoding.text);
    case ENCODING:
        return set_encoding(c, argument);
    default:
        c->lines = true;
        return true;
    }
}

static void write_fault(const struct fault *fault, struct chain *to)
{
    char code[32];
    snprintf(code, sizeof code, "%" PRId64, fault->code);
    chain_append(to, STR("{\"fault\":{\"code\":"));
    chain_append_c(to, code);
    if (fault->code_text.data != NULL) {
        chain_append(to, STR(",\"code_text\":"));
        json_write_string(to, fault->code_text);
    }
    chain_append(to, STR(",\"string\":"));
    if (fault->string.data != NULL)
        json_write_string(to, fault->string);
    else
        chain_append(to, STR("null"));
    chain_append(to, STR("}}\n"));
}

/* What stands before and behind the params, which are an array already. */
static bool write_document(const struct decode_result *result, const struct chain *params)
{
    CLEANUP(chain_done) struct chain head;
    chain_init(&head, SIZE_MAX, NULL);
    if (result->kind == DOCUMENT_FAULT) {
        write_fault(&result->fault, &head);
        return harmless_write_json(&head);
    }
    chain_append_byte(&head, '{');
    if (result->kind == DOCUMENT_CALL) {
        chain_append(&head, STR("\"method\":"));
        if (result->method.data != NULL)
            json_write_string(&head, result->method);
        else
            chain_append(&head, STR("null"));
        chain_append_byte(&head, ',');
    }
    chain_append(&head, STR("\"params\":"));
    return harmless_write_json(&head) && harmless_write_json(params) && command_write(STR("}\n"));
}

static bool feed_all(struct decoder *d, struct input *in, struct error *err)
{
    char piece[65536];
    size_t n;
    while ((n = input_read(in, piece, sizeof piece)) > 0)
        if (!decoder_feed(d, (struct str){ piece, n }, err))
            return false;
    return true;
}

/* As the gateway has it for an upstream's answer. */
static void advise(struct error *err)
{
    if (err->advice != NULL)
        error_advise(err, err->advice);
}

static int decode_one(struct decoder *d, const struct choices *c, struct input *in)
{
    CLEANUP(chain_done) struct chain params;
    struct decode_result result;
    struct error err;
    chain_init(&params, SIZE_MAX, NULL);
    decoder_begin(d, &c->decoding, &params);
    bool good = feed_all(d, in, &err);
    if (in->broken)
        return EX_NOINPUT;
    if (!good || !decoder_finish(d, &result, &err)) {
        CLEANUP(buf_done) struct buf detail;
        advise(&err);
        buf_init(&detail, SIZE_MAX - 1, NULL);
        terminal_clean(&detail, str_of(err.detail), /* lines */ false);
        fprintf(stderr, "rpcgate: %s: %s\n", in->name, buf_c(&detail));
        return EX_DATAERR;
    }
    return write_document(&result, &params) ? EX_OK : EX_IOERR;
}

static bool write_error(struct error *err)
{
    CLEANUP(chain_done) struct chain line;
    advise(err);
    chain_init(&line, SIZE_MAX, NULL);
    chain_append(&line, STR("{\"error\":"));
    json_write_string(&line, str_of(err->detail));
    chain_append(&line, STR("}\n"));
    return harmless_write_json(&line);
}

static int decode_lines(struct decoder *d, const struct choices *c, struct input *in)
{
    CLEANUP(buf_done) struct buf document;
    CLEANUP(chain_done) struct chain params;
    struct str line;
    int status = EX_OK;
    buf_init(&document, SIZE_MAX - 1, NULL);
    chain_init(&params, SIZE_MAX, NULL);
    while (input_line(in, &line)) {
        struct decode_result result;
        struct error err;
        buf_clear(&document);
        chain_clear(&params);
        decoder_begin(d, &c->decoding, &params);
        bool good = decode_line_document(line, &document, &err) &&
                    decoder_feed(d, buf_str(&document), &err) && decoder_finish(d, &result, &err);
        if (!good)
            status = EX_DATAERR;
        if (good ? !write_document(&result, &params) : !write_error(&err))
            return EX_IOERR;
    }
    return in->broken ? EX_NOINPUT : status;
}

int command_decode(int argc, char **argv)
{
    struct choices c = { .decoding = { .depth = CODEC_DEPTH_MAX, .document_max = SIZE_MAX } };
    struct input in;
    int operand = command_options(argc, argv, &command_decode_info, apply, &c);
    if (operand <= 0)
        return operand == 0 ? EX_OK : EX_USAGE;
    if (argc - operand > 1)
        return command_misuse("decode", "it reads one file");
    if (!input_open(&in, argv[operand]))
        return EX_NOINPUT;
    struct decoder *d = decoder_new();
    int status = c.lines ? decode_lines(d, &c, &in) : decode_one(d, &c, &in);
    decoder_free(d);
    input_close(&in);
    return status;
}
