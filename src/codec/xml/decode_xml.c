/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "codec/xml/decode_private.h"
#include "codec/xml/html_names.h"

#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* The parser's dictionary never shrinks. */
#define DICT_NAMES_MAX 1000

/* Names in one document; each costs memory that nobody counts. Those of attributes, which have no
 * meaning here, are all that there can be beyond XML-RPC's own. */
#define DOCUMENT_NAMES_MAX 20000

#define SLOTS 256 /* first_slot() gives 8 bits */

/* The parser gives a name always at the same address, so that looking it up is comparing
 * pointers. */
struct slot {
    const xmlChar *name;
    enum element element;
};

struct xml_reader {
    struct decoder *decoder; /* borrowed; owns this */
    xmlParserCtxtPtr parser; /* owned */
    bool ending;             /* no more text comes */
    struct slot slots[SLOTS];
};

static const struct {
    const char *name;
    enum element element;
} elements[] = {
#define X(kind, name) { name, ELEMENT_##kind },
    ELEMENT_LIST(X)
#undef X
};

static size_t first_slot(const xmlChar *name)
{
    return ((uintptr_t)name * UINT64_C(0x9E3779B97F4A7C15)) >> 56;
}

static enum element find_name(const struct xml_reader *x, const xmlChar *name)
{
    size_t at = first_slot(name);
    while (x->slots[at].name != name) {
        if (x->slots[at].name == NULL)
            return ELEMENT_NONE;
        at = (at + 1) % SLOTS;
    }
    return x->slots[at].element;
}

/* Any prefix is ignored: Apache's `ex:` is bound to more than one namespace in the wild. The
 * parser takes one off; as in `xmlrpc.client`, what stands behind the last colon counts. */
static enum element find_element(const struct xml_reader *x, const xmlChar *name)
{
    enum element element = find_name(x, name);
    if (LIKELY(element != ELEMENT_NONE))
        return element;
    const char *colon = strrchr((const char *)name, ':');
    if (colon == NULL)
        return ELEMENT_NONE;
    name = xmlDictExists(x->parser->dict, (const xmlChar *)colon + 1, -1);
    return name != NULL ? find_name(x, name) : ELEMENT_NONE;
}

static bool is_space(xmlChar c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* decode_scan.c looks into tags that can have attributes; others are long by their blanks, of
 * which one stands before `back` bytes behind the place where the parser is. */
static bool tag_is_long(const struct xml_reader *x, size_t back)
{
    const xmlParserInput *input = x->parser->input;
    size_t n = (size_t)(input->cur - input->base);
    if (LIKELY(n < back || !is_space(input->cur[-(ptrdiff_t)back])))
        return false;
    for (size_t i = back; i <= n && i <= TAG_MAX; i++)
        if (input->cur[-(ptrdiff_t)i] == '<')
            return false;
    return true;
}

/* Has the document ended, at most `rest` bytes from where the parser is? */
static bool has_ended(const struct xml_reader *x, ptrdiff_t rest)
{
    const xmlParserInput *input = x->parser->input;
    return x->ending && input->end - input->cur <= rest;
}

static void fail_cut_off(struct decoder *d)
{
    const char *inside = (const char *)d->xml->parser->name;
    if (inside == NULL) {
        decode_fail(d, REFUSED_CUT_OFF, "the document ends before its first tag does");
        return;
    }
    struct error_cut shown = decode_shown(d, str_of(inside), TREE_NAME_SHOWN);
    decode_fail(d, REFUSED_CUT_OFF, "the document is cut off inside <%.*s%s>",
                ERROR_CUT_ARGS(shown));
}

static void on_start(void *data, const xmlChar *name, const xmlChar *prefix UNUSED,
                     const xmlChar *uri UNUSED, int n_namespaces UNUSED,
                     const xmlChar **namespaces UNUSED, int n_attributes UNUSED,
                     int n_defaulted UNUSED, const xmlChar **attributes UNUSED)
{
    struct decoder *d = data;
    if (UNLIKELY(d->failed || d->plain.active)) /* in xml_reader_resume() */
        return;
    if (UNLIKELY(tag_is_long(d->xml, 1))) {
        decode_fail(d, REFUSED_TOO_LONG, "a tag is longer than %zu bytes", TAG_MAX);
        return;
    }
    if (UNLIKELY(has_ended(d->xml, 0)))
        fail_cut_off(d); /* the name may be cut off, too */
    else
        tree_start(d, find_element(d->xml, name), (const char *)name);
}

static void on_end(void *data, const xmlChar *name UNUSED, const xmlChar *prefix UNUSED,
                   const xmlChar *uri UNUSED)
{
    struct decoder *d = data;
    if (UNLIKELY(d->failed || d->plain.active)) /* in xml_reader_resume() */
        return;
    if (UNLIKELY(tag_is_long(d->xml, 2)))
        decode_fail(d, REFUSED_TOO_LONG, "a tag is longer than %zu bytes", TAG_MAX);
    else
        tree_end(d);
}

static void on_text(void *data, const xmlChar *text, int len)
{
    struct decoder *d = data;
    if (LIKELY(!d->failed))
        tree_text(d, (struct str){ (const char *)text, (size_t)len });
}

/* The push parser leaves line ends in CDATA as they are (XML section 2.11 wants LF). A section is
 * never cut between CR and LF: decode_scan.c sees to it. */
static void on_cdata(void *data, const xmlChar *text, int len)
{
    struct decoder *d = data;
    struct str rest = { (const char *)text, (size_t)len };
    if (d->failed)
        return;
    while (rest.len > 0) {
        size_t cr = str_find(rest, '\r');
        tree_text(d, str_slice(rest, 0, cr));
        if (cr == rest.len)
            return;
        tree_text(d, STR("\n"));
        if (cr + 1 < rest.len && rest.data[cr + 1] == '\n')
            cr++;
        rest = str_slice(rest, cr + 1, rest.len);
    }
}

/* decode_scan.c has refused it before; this is for certainty. */
static void on_doctype(void *data, const xmlChar *name UNUSED, const xmlChar *public_id UNUSED,
                       const xmlChar *system_id UNUSED)
{
    struct decoder *d = data;
    decode_fail(d, REFUSED_DTD, DTD_REFUSED);
    xmlStopParser(d->xml->parser);
}

#define BARE_AMPERSAND "there is a bare \"&\"; in text it is \"&amp;\""
#define NO_TAG "it does not begin with \"<\"; is it XML at all?"

/* Of a message of libxml2's, which may have names of a document's own. [bytes] */
#define MESSAGE_SHOWN ((size_t)160)

/* How libxml2's messages begin that tell its users more than ours. */
static const struct {
    const char *begin;
    enum decode_reason reason;
    const char *text; /* NULL: a character's number is told */
} messages[] = {
    { "Document is empty", REFUSED_NO_XML, NO_TAG },
    { "Start tag expected", REFUSED_NO_XML, NO_TAG },
    { "Extra content", REFUSED_EXTRA, "there is more behind the end of the document" },
    { "xmlParseEntityRef: no name", REFUSED_MARKUP, BARE_AMPERSAND },
    { "EntityRef: expecting ';'", REFUSED_MARKUP, BARE_AMPERSAND },
    { "StartTag: invalid element name", REFUSED_MARKUP,
      "there is a bare \"<\"; in text it is \"&lt;\"" },
    { "Sequence ']]>'", REFUSED_MARKUP, BRACKETS_REFUSED },
    { "Input is not proper UTF-8", REFUSED_BYTES, "there is what is no character of XML in UTF-8" },
    { "PCDATA invalid Char", REFUSED_CHARACTER, NULL },
    { "Char 0x", REFUSED_CHARACTER, NULL },
    { "xmlParseCharRef: invalid xmlChar", REFUSED_CHARACTER, NULL },
};

/* "Entity 'nbsp' not defined" */
static void fail_otherwise(struct decoder *d, struct str text)
{
    struct str begin = STR("Entity '");
    struct str name = str_slice(text, begin.len, text.len);
    struct error_cut shown =
        decode_shown(d, str_slice(text, 0, strcspn(text.data, "\r\n")), MESSAGE_SHOWN);
    if (d->options->is_secret)
        decode_fail(d, REFUSED_ILL_FORMED, "it is not well-formed");
    else if (!str_starts_with(text, begin))
        decode_fail(d, REFUSED_ILL_FORMED, "%.*s%s", ERROR_CUT_ARGS(shown));
    else if (html_name_find(str_slice(name, 0, str_find(name, '\''))) == 0)
        decode_fail(d, REFUSED_ENTITY, "%.*s%s", ERROR_CUT_ARGS(shown));
    else
        decode_fail(d, REFUSED_HTML_NAME, "%.*s%s: that is HTML's", ERROR_CUT_ARGS(shown));
}

static void fail_ill_formed(struct decoder *d, const xmlError *error)
{
    struct str text = str_of(error->message != NULL ? error->message : "it is not well-formed");
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        if (!str_starts_with(text, str_of(messages[i].begin)))
            continue;
        if (messages[i].text == NULL)
            decode_fail(d, messages[i].reason, "there is a U+%04X, which XML cannot carry",
                        (unsigned)error->int1);
        else
            decode_fail(d, messages[i].reason, "%s", messages[i].text);
        return;
    }
    fail_otherwise(d, text);
}

/* Only what makes a document ill-formed counts. An undeclared prefix, for one, does not. */
static void on_error(void *data, xmlErrorPtr error)
{
    struct decoder *d = data;
    if (error == NULL || error->level != XML_ERR_FATAL || d->failed)
        return;
    /* A parser that could not be made, or not be made ready for the next document. */
    if (d->xml == NULL || d->xml->parser == NULL || d->xml->parser->input == NULL)
        die_without_memory();
    bool unfinished = error->code == XML_ERR_DOCUMENT_END || has_ended(d->xml, 1) ||
                      (d->scan.state != SCAN_TEXT && d->scan.state != SCAN_TAG);
    bool cut_off = d->xml->ending && !d->root_closed && unfinished;
    if (cut_off)
        fail_cut_off(d);
    else
        fail_ill_formed(d, error);
}

/* What libxml2 has to say outside of any parser. */
static void ignore_error(void *data UNUSED, xmlErrorPtr error UNUSED)
{
}

/* Not before one is needed: most documents are not for libxml2. */
static void make_parser(struct xml_reader *x)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, xmlInitParser); /* it does not expect two threads to begin it at once */
    xmlSAXHandler handler = {
        .initialized = XML_SAX2_MAGIC,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_cdata,
        .internalSubset = on_doctype,
        .serror = on_error,
    };
    x->parser = xmlCreatePushParserCtxt(&handler, x->decoder, NULL, 0, NULL);
    if (x->parser == NULL || x->parser->input == NULL)
        die_without_memory();
    xmlCtxtUseOptions(x->parser, XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_IGNORE_ENC);
    memset(x->slots, 0, sizeof x->slots);
    for (size_t i = 0; i < ARRAY_LEN(elements); i++) {
        const xmlChar *text = (const xmlChar *)elements[i].name;
        const xmlChar *name = xmlDictLookup(x->parser->dict, text, -1);
        if (name == NULL)
            die_without_memory();
        size_t at = first_slot(name);
        while (x->slots[at].name != NULL)
            at = (at + 1) % SLOTS;
        x->slots[at] = (struct slot){ name, elements[i].element };
    }
}

static struct xml_reader *xml_reader_new(struct decoder *d)
{
    struct xml_reader *x = xcalloc(1, sizeof *x);
    x->decoder = d;
    return x;
}

void xml_reader_free(struct xml_reader *x)
{
    if (x == NULL)
        return;
    xmlFreeParserCtxt(x->parser);
    free(x);
}

void xml_reader_begin(struct decoder *d)
{
    if (d->xml == NULL)
        d->xml = xml_reader_new(d);
    struct xml_reader *x = d->xml;
    /* Of this thread; the decoder may have been made by another. */
    xmlSetStructuredErrorFunc(NULL, ignore_error);
    if (x->parser != NULL && xmlDictSize(x->parser->dict) > DICT_NAMES_MAX)
        xmlFreeParserCtxt(TAKE(x->parser));
    if (x->parser == NULL) {
        make_parser(x);
    } else if (xmlCtxtResetPush(x->parser, NULL, 0, NULL, NULL) != 0) {
        die_without_memory();
    }
    x->ending = false;
    /* All that comes is UTF-8 without a BOM, so nothing is to be guessed. */
    x->parser->charset = XML_CHAR_ENCODING_UTF8;
}

static void push_tag(struct xml_reader *x, const char *mark, const struct frame *f)
{
    char tag[PLAIN_NAME_MAX + 4];
    struct str name = plain_name(f);
    int n = snprintf(tag, sizeof tag, "<%s%.*s>", mark, STR_ARGS(name));
    x->parser->input->line = (int)f->line;
    xmlParseChunk(x->parser, tag, n, 0);
}

void xml_reader_resume(struct decoder *d, long line, long column)
{
    struct xml_reader *x = d->xml;
    const struct frame *root = d->frames + 1;
    push_tag(x, "", root);
    for (const struct frame *f = root + 1; f <= d->top; f++)
        push_tag(x, "", f);
    if (d->root_closed)
        push_tag(x, "/", root);
    x->parser->input->line = (int)line;
    x->parser->input->col = (int)column;
}

bool xml_reader_feed(struct decoder *d, struct str text)
{
    if (d->failed)
        return false;
    size_t nul = str_find(text, '\0');
    xmlParseChunk(d->xml->parser, text.data, (int)nul, 0);
    if (nul < text.len && !d->failed)
        decode_fail(d, REFUSED_CHARACTER, "there is a NUL (U+0000)");
    if (UNLIKELY(xmlDictSize(d->xml->parser->dict) > DICT_NAMES_MAX + DOCUMENT_NAMES_MAX))
        decode_fail(d, REFUSED_TOO_LONG, "there are more than %d different names",
                    DOCUMENT_NAMES_MAX);
    return !d->failed && decode_check_chain(d);
}

bool xml_reader_finish(struct decoder *d)
{
    if (d->failed)
        return false;
    d->xml->ending = true;
    xmlParseChunk(d->xml->parser, NULL, 0, 1);
    if (!d->failed && (!d->xml->parser->wellFormed || !d->root_closed))
        decode_fail(d, REFUSED_ILL_FORMED, "it is not well-formed XML");
    return !d->failed && decode_check_chain(d);
}

/* Not xmlStopParser(): that frees the text of which a callback may be in the middle. */
void xml_reader_stop(struct xml_reader *x)
{
    x->parser->disableSAX = 1;
}

void xml_reader_place(const struct xml_reader *x, long *line, long *column)
{
    const xmlParserInput *input = x->parser->input;
    *line = input != NULL ? input->line : 0;
    *column = input != NULL ? input->col : 0;
}
