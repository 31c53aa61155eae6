/* SPDX-License-Identifier: Apache-2.0 */
/* One side of the codec's benchmark; tests/bench/codec.py starts several and runs them in turn.
 *
 *   bench_codec parse|decode|encode FILE OUT
 *
 * Works once on FILE and writes what comes of it to OUT, so that it can be checked. Then reads
 * lines, each with a number of seconds, works on FILE for about so long, and answers with how
 * often it did and with the CPU time that this took in seconds. */
#include "base/alloc.h"
#include "base/chain.h"
#include "base/str.h"
#include "codec/error.h"
#include "codec/xml/decode.h"
#include "codec/xml/encode.h"

#include <libxml/parser.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What libcurl hands over at once, and about what the gateway encodes at once. [bytes] */
#define PIECE ((size_t)16 * 1024)
#define STEP ((size_t)256 * 1024)

#define DOCUMENT_MAX ((size_t)1024 * 1024 * 1024)

/* Between two looks at the clock. [s] */
#define BATCH_TIME 0.002

struct bench {
    struct str document;
    struct chain out; /* what the last run has written */
    xmlParserCtxtPtr parser;
    struct decoder *decoder;
    struct encoder *encoder;
};

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_codec: %s: %s\n", what, why);
    exit(65);
}

static void on_start(void *data UNUSED, const xmlChar *name UNUSED, const xmlChar *prefix UNUSED,
                     const xmlChar *uri UNUSED, int n_namespaces UNUSED,
                     const xmlChar **namespaces UNUSED, int n_attributes UNUSED,
                     int n_defaulted UNUSED, const xmlChar **attributes UNUSED)
{
}

static void on_end(void *data UNUSED, const xmlChar *name UNUSED, const xmlChar *prefix UNUSED,
                   const xmlChar *uri UNUSED)
{
}

static void on_text(void *data UNUSED, const xmlChar *text UNUSED, int len UNUSED)
{
}

static void begin_parser(struct bench *b)
{
    xmlSAXHandler handler = {
        .initialized = XML_SAX2_MAGIC,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
    };
    b->parser = xmlCreatePushParserCtxt(&handler, NULL, NULL, 0, NULL);
    if (b->parser == NULL)
        fail("libxml2", "no parser");
    xmlCtxtUseOptions(b->parser, XML_PARSE_NONET | XML_PARSE_HUGE);
}

/* The floor under every decoder that is built on this parser. */
static void parse(struct bench *b)
{
    xmlCtxtResetPush(b->parser, NULL, 0, NULL, NULL);
    for (size_t at = 0; at < b->document.len; at += PIECE) {
        size_t n = b->document.len - at < PIECE ? b->document.len - at : PIECE;
        if (xmlParseChunk(b->parser, b->document.data + at, (int)n, 0) != 0)
            fail("parse", "the document is not well-formed");
    }
    if (xmlParseChunk(b->parser, NULL, 0, 1) != 0)
        fail("parse", "the document is cut off");
}

static void decode(struct bench *b)
{
    static const struct decode_options options = { .depth = 64, .document_max = DOCUMENT_MAX };
    struct decode_result result;
    struct error err;
    chain_done(&b->out);
    decoder_begin(b->decoder, &options, &b->out);
    for (size_t at = 0; at < b->document.len; at += PIECE) {
        size_t n = b->document.len - at < PIECE ? b->document.len - at : PIECE;
        if (!decoder_feed(b->decoder, str_slice(b->document, at, at + n), &err))
            fail("decode", err.detail);
    }
    if (!decoder_finish(b->decoder, &result, &err))
        fail("decode", err.detail);
}

static void encode(struct bench *b)
{
    static const struct encode_options options = { .depth = 64 };
    struct encode_input input = {
        .kind = ENCODE_CALL, .method = STR("bench.call"), .json = b->document, .options = &options
    };
    struct error err;
    enum codec_step step;
    chain_done(&b->out);
    encoder_begin(b->encoder, &input, &b->out);
    do {
        step = encoder_step(b->encoder, STEP, &err);
        if (step == CODEC_FAILED)
            fail("encode", err.detail);
    } while (step == CODEC_MORE);
}

static const struct variant {
    const char *name;
    void (*run)(struct bench *b);
} variants[] = { { "parse", parse }, { "decode", decode }, { "encode", encode } };

static const struct variant *find_variant(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(variants); i++)
        if (strcmp(variants[i].name, name) == 0)
            return &variants[i];
    fail(name, "no such variant");
    return NULL;
}

static char *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0)
        fail(path, "cannot be read");
    long size = ftell(f);
    rewind(f);
    *len = size > 0 ? (size_t)size : 0;
    char *data = xcalloc(*len + 1, 1);
    if (fread(data, 1, *len, f) != *len)
        fail(path, "cannot be read");
    fclose(f);
    return data;
}

static void write_out(const struct bench *b, const char *path)
{
    FILE *f = fopen(path, "wb");
    char *text = chain_dup(&b->out);
    if (f == NULL || fwrite(text, 1, chain_len(&b->out), f) != chain_len(&b->out) || fclose(f) != 0)
        fail(path, "cannot be written");
    free(text);
}

/* Others may run on the machine: only time that was spent here counts. */
static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void measure(struct bench *b, const struct variant *v, double seconds)
{
    unsigned long n = 0, batch = 1;
    double start = cpu_seconds(), now = start;
    while (now - start < seconds) {
        double before = now;
        for (unsigned long i = 0; i < batch; i++)
            v->run(b);
        n += batch;
        now = cpu_seconds();
        if (now - before < BATCH_TIME)
            batch *= 2;
    }
    printf("%lu %.9f\n", n, now - start);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct bench b = { 0 };
    char line[64];
    if (argc != 4) {
        fputs("usage: bench_codec parse|decode|encode FILE OUT\n", stderr);
        return 64;
    }
    const struct variant *v = find_variant(argv[1]);
    char *data = read_file(argv[2], &b.document.len);
    b.document.data = data;
    chain_init(&b.out, DOCUMENT_MAX, NULL);
    begin_parser(&b);
    b.decoder = decoder_new();
    b.encoder = encoder_new(NULL);
    v->run(&b);
    write_out(&b, argv[3]);
    while (fgets(line, sizeof line, stdin) != NULL)
        measure(&b, v, strtod(line, NULL));
    xmlFreeParserCtxt(b.parser);
    decoder_free(b.decoder);
    encoder_free(b.encoder);
    chain_done(&b.out);
    free(data);
    return 0;
}
