/* SPDX-License-Identifier: Apache-2.0 */
/* `rpcgate encode`: xmlrpc.client's dumps(). */
#include "codec/xml/encode.h"
#include "base/alloc.h"
#include "codec/json/write.h"
#include "codec/value/base64.h"
#include "tool/command.h"
#include "tool/harmless.h"
#include "tool/input.h"
#include "tool/words.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum { METHOD, RESPONSE, FAULT, EXTENSIONS, ENCODING, TIMEZONE, DATES, TEXT, LINES, HELP };

static const struct command_option options[] = {
    [METHOD] = { 'm', "method", "NAME", "write a call of that method" },
    [RESPONSE] = { 0, "response", NULL, "write a response; the array has exactly one value" },
    [FAULT] = { 0, "fault", NULL, "write a fault: {\"code\":1,\"string\":\"x\"}" },
    [EXTENSIONS] = { 'x', "extensions", "LIST",
                     "types beyond the specification: nil, ex:nil, i8, biginteger, bigdecimal, "
                     "nonfinite" },
    [ENCODING] = { 0, "encoding", "NAME", "encoding of the document (UTF-8)" },
    [TIMEZONE] = { 0, "timezone", "ZONE", "zone for dates with an offset (UTC)" },
    [DATES] = { 0, "dates", "FORM", "how dates are written: basic, extended, zulu (basic)" },
    [TEXT] = { 0, "text", "POLICY",
               "text that XML cannot carry: reject, replace, base64 (reject)" },
    [LINES] = { 0, "lines", NULL, "each line is one array, and one line {\"xml\":…} comes out" },
    [HELP] = { 'h', "help", NULL, "print this" },
};

const struct command_info command_encode_info = {
    .usage = "rpcgate encode [-m NAME | --response | --fault] [OPTION…] [FILE]",
    .about =
        "Reads a JSON array of params and writes an XML-RPC document. Without -m, --response\n"
        "and --fault it is the bare <params>. Without FILE, or with -, it reads standard input.",
    .examples = "  echo '[1, \"two\"]' | rpcgate encode -m demo.echo\n"
                "  echo '[{\"$dateTime\":\"2026-01-31T12:00:00\"}]' | rpcgate encode --response\n"
                "  echo '[null, 9007199254740993]' | rpcgate encode -x nil,i8\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
};

struct choices {
    enum encode_kind kind;
    const char *method;
    struct encode_options encoding;
    bool lines;
    bool kind_given;
};

static bool set_kind(struct choices *c, enum encode_kind kind)
{
    if (c->kind_given)
        command_misuse("encode", "only one of --method, --response and --fault");
    bool first = !c->kind_given;
    c->kind_given = true;
    c->kind = kind;
    return first;
}

static bool set_encoding(struct choices *c, const char *name)
{
    c->encoding.encoding = name;
    if (!encode_encoding_known(name))
        command_misuse("encode", "documents cannot be written in the encoding \"%s\"", name);
    return encode_encoding_known(name);
}

static bool set_timezone(struct choices *c, const char *name)
{
    c->encoding.timezone = name;
    if (!encode_timezone_known(name))
        command_misuse("encode", "there is no time zone \"%s\"; use +02:00, or Europe/Berlin",
                       name);
    return encode_timezone_known(name);
}

static bool apply(void *context, size_t row, const char *argument)
{
    struct choices *c = context;
    switch (row) {
    case METHOD:
        c->method = argument;
        return set_kind(c, ENCODE_CALL);
    case RESPONSE:
        return set_kind(c, ENCODE_RESPONSE);
    case FAULT:
        return set_kind(c, ENCODE_FAULT);
    case EXTENSIONS:
        return words_extensions(argument, &c->encoding.extensions);
    case ENCODING:
        return set_encoding(c, argument);
    case TIMEZONE:
        return set_timezone(c, argument);
    case DATES:
        return words_dates(argument, &c->encoding.dates);
    case TEXT:
        return words_text(argument, &c->encoding.text);
    default:
        c->lines = true;
        return true;
    }
}

static bool translate(struct encoder *e, const struct choices *c, struct str json,
                      struct chain *document, struct error *err)
{
    return encoder_write(
        e,
        &(struct encode_input){
            .kind = c->kind, .method = str_of(c->method), .json = json, .options = &c->encoding },
        document, err);
}

static void tell(const char *name, const struct error *err)
{
    fprintf(stderr, "rpcgate: %s: %s", name, err->detail);
    if (err->has_pointer)
        fprintf(stderr, " (at \"%s\")", err->pointer);
    fputc('\n', stderr);
}

static int encode_one(struct encoder *e, const struct choices *c, struct input *in)
{
    CLEANUP(buf_done) struct buf json;
    CLEANUP(chain_done) struct chain document;
    struct error err;
    buf_init(&json, SIZE_MAX - 1, NULL);
    chain_init(&document, SIZE_MAX, NULL);
    if (!input_all(in, &json))
        return EX_NOINPUT;
    if (!translate(e, c, buf_str(&json), &document, &err)) {
        tell(in->name, &err);
        return EX_DATAERR;
    }
    return command_write_chain(&document) ? EX_OK : EX_IOERR;
}

/* A document as a member: as text where it is UTF-8, else as base64 of its bytes. */
static void write_line(const struct chain *document, struct chain *line)
{
    size_t len = chain_len(document);
    char *bytes = chain_dup(document);
    struct str text = { bytes, len };
    if (utf8_valid_prefix(text) == len) {
        chain_append(line, STR("{\"xml\":"));
        json_write_string(line, text);
        chain_append(line, STR("}\n"));
    } else {
        struct base64 base64;
        chain_append(line, STR("{\"base64\":\""));
        base64_begin(&base64, line, 0);
        base64_encode(&base64, text);
        base64_encode_end(&base64);
        chain_append(line, STR("\"}\n"));
    }
    free_charp(&bytes);
}

static void write_error(const struct error *err, struct chain *line)
{
    chain_append(line, STR("{\"error\":"));
    json_write_string(line, str_of(err->detail));
    if (err->has_pointer) {
        chain_append(line, STR(",\"pointer\":"));
        json_write_string(line, str_of(err->pointer));
    }
    chain_append(line, STR("}\n"));
}

static int encode_lines(struct encoder *e, const struct choices *c, struct input *in)
{
    CLEANUP(chain_done) struct chain document;
    CLEANUP(chain_done) struct chain line;
    struct str json;
    int status = EX_OK;
    chain_init(&document, SIZE_MAX, NULL);
    chain_init(&line, SIZE_MAX, NULL);
    while (input_line(in, &json)) {
        struct error err;
        chain_clear(&document);
        chain_clear(&line);
        if (translate(e, c, json, &document, &err)) {
            write_line(&document, &line);
        } else {
            write_error(&err, &line);
            status = EX_DATAERR;
        }
        if (!harmless_write_json(&line))
            return EX_IOERR;
    }
    return in->broken ? EX_NOINPUT : status;
}

int command_encode(int argc, char **argv)
{
    struct choices c = { .kind = ENCODE_PARAMS, .encoding.depth = CODEC_DEPTH_MAX };
    struct input in;
    int operand = command_options(argc, argv, &command_encode_info, apply, &c);
    if (operand <= 0)
        return operand == 0 ? EX_OK : EX_USAGE;
    if (argc - operand > 1)
        return command_misuse("encode", "it reads one file");
    if (c.encoding.dates == DATES_ZULU && c.encoding.timezone != NULL)
        return command_misuse("encode", "--dates zulu says UTC: leave out --timezone");
    if (!input_open(&in, argv[operand]))
        return EX_NOINPUT;
    struct encoder *e = encoder_new(NULL);
    int status = c.lines ? encode_lines(e, &c, &in) : encode_one(e, &c, &in);
    encoder_free(e);
    input_close(&in);
    return status;
}
