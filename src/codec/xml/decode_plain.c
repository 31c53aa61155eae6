/* SPDX-License-Identifier: Apache-2.0 */
/* Most documents hold nothing but tags of XML-RPC without attributes, text and references: those
 * are read here, several times as fast as by libxml2. At the first byte of anything else (an
 * attribute, a prefix, a comment, CDATA, an element that must not stand there, bad UTF-8, a tag
 * that does not match) this gives up for the rest of the document, whether that is an error or not:
 * libxml2 is told which elements are open, and goes on from there. So nothing is refused here for
 * its XML, and nothing accepted that libxml2 would refuse. */
#include "codec/json/text.h"
#include "codec/xml/decode_private.h"

/* A reference that is read here is at most so long; longer ones are libxml2's. [bytes] */
#define REFERENCE_SHORT ((size_t)12)

/* No token from which one byte is missing is longer. */
_Static_assert(PLAIN_HOLD >= 2 * (PLAIN_NAME_MAX + 3), "a token that is cut must fit");

enum token {
    TOKEN_DONE,
    TOKEN_MORE,   /* its end is not there yet */
    TOKEN_STRANGE /* for libxml2 */
};

static const struct {
    const char *name;
    uint8_t len;
    uint8_t element;
} names[] = {
#define X(kind, name) { name, sizeof(name) - 1, ELEMENT_##kind },
    ELEMENT_LIST(X)
#undef X
};

_Static_assert(ARRAY_LEN(names) <= PLAIN_NAMES, "each name needs its place");

struct str plain_name(const struct frame *f)
{
    return (struct str){ names[f->name].name, names[f->name].len };
}

void plain_init(struct plain *p)
{
    for (size_t i = ARRAY_LEN(names); i-- > 0;) {
        struct plain_name *n = &p->names[i];
        static const unsigned char ones[PLAIN_NAME_MAX] = {
            255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255
        };
        memcpy(n->words, names[i].name, names[i].len);
        memcpy(n->masks, ones, names[i].len);
        uint8_t *first = &p->first[names[i].name[0] & 31];
        n->next = *first;
        *first = (uint8_t)(i + 1);
    }
}

void plain_begin(struct decoder *d)
{
    struct plain *p = &d->plain;
    /* Repairs are made to the document's text before it is read as XML. */
    p->active = d->options->text == TEXT_REJECT;
    p->begun = false;
    p->held = 0;
    p->line = 1;
    p->column = 0;
    p->base = NULL;
    p->at = NULL;
    if (!p->active)
        xml_reader_begin(d);
}

/* Characters between the line's begin and `at`. */
static size_t column_at(const struct plain *p, const char *at)
{
    const char *from = p->base;
    size_t column = p->column;
    if (from == NULL)
        return column;
    const char *newline = memrchr(from, '\n', (size_t)(at - from));
    if (newline != NULL) {
        from = newline + 1;
        column = 0;
    }
    return column + plain_count_characters(from, at);
}

void plain_place(const struct decoder *d, long *line, long *column)
{
    *line = (long)d->plain.line;
    *column = (long)column_at(&d->plain, d->plain.at) + 1;
}

/* All before `at` has been read; what is read next begins at `next`. */
static void move_base(struct plain *p, const char *at, const char *next)
{
    p->column = column_at(p, at);
    p->base = next;
    p->at = next;
}

/* ---- Tags ---- */

struct words {
    uint64_t first, second;
};

_Static_assert(sizeof(struct words) == PLAIN_NAME_MAX, "a name fits into two words");

static __attribute__((noinline)) struct words load_rest(const char *at, const char *end)
{
    struct words w = { 0, 0 };
    memcpy(&w, at, (size_t)(end - at));
    return w;
}

/* The bytes at `at`, with zeros behind the end. */
static inline struct words load_words(const char *at, const char *end)
{
    struct words w;
    if (UNLIKELY(end - at < PLAIN_NAME_MAX))
        return load_rest(at, end);
    memcpy(&w, at, sizeof w);
    return w;
}

static inline bool matches(const struct plain_name *n, struct words w)
{
    return (((w.first ^ n->words[0]) & n->masks[0]) | ((w.second ^ n->words[1]) & n->masks[1])) ==
           0;
}

/* No token of ours, or one that is cut. */
static enum token cut_or_strange(const char *at, const char *end)
{
    size_t n = (size_t)(end - at);
    return n < PLAIN_NAME_MAX + 3 && memchr(at, '>', n) == NULL ? TOKEN_MORE : TOKEN_STRANGE;
}

static enum token read_end_tag(struct decoder *d, const char *at, const char *end)
{
    struct plain *p = &d->plain;
    const struct frame *f = d->top;
    size_t len = names[f->name].len;
    if (UNLIKELY(f == d->frames))
        return TOKEN_STRANGE;
    if (UNLIKELY((size_t)(end - at) < len + 3))
        return cut_or_strange(at, end);
    if (UNLIKELY(!matches(&p->names[f->name], load_words(at + 2, end)) || at[2 + len] != '>'))
        return TOKEN_STRANGE;
    p->at = at + len + 3;
    tree_end(d);
    return TOKEN_DONE;
}

static enum token read_tag(struct decoder *d, const char *at, const char *end)
{
    struct plain *p = &d->plain;
    size_t i;
    if (UNLIKELY(end - at < 2))
        return TOKEN_MORE;
    if (at[1] == '/')
        return read_end_tag(d, at, end);
    struct words words = load_words(at + 1, end);
    for (i = p->first[at[1] & 31]; i > 0; i = p->names[i - 1].next)
        if (matches(&p->names[i - 1], words) && (size_t)(end - at) > names[i - 1].len + 1U &&
            (at[names[i - 1].len + 1] == '>' || at[names[i - 1].len + 1] == '/'))
            break;
    if (UNLIKELY(i-- == 0))
        return cut_or_strange(at, end);
    const char *behind = at + names[i].len + 1;
    bool empty = *behind == '/';
    if (UNLIKELY(empty)) {
        behind++;
        if (behind == end || *behind != '>')
            return cut_or_strange(at, end);
    }
    if (UNLIKELY(!(d->top->allowed >> names[i].element & 1)))
        return TOKEN_STRANGE;
    p->at = behind;
    tree_start(d, (enum element)names[i].element, names[i].name);
    d->top->name = (uint8_t)i;
    d->top->line = p->line;
    p->at = behind + 1;
    if (UNLIKELY(empty && !d->failed))
        tree_end(d);
    return TOKEN_DONE;
}

/* ---- Text ---- */

static bool is_blank(struct str text)
{
    return xml_trim(text).len == 0;
}

static enum token read_text(struct decoder *d, const char *at, const char *end)
{
    struct plain *p = &d->plain;
    struct str text = { at, (size_t)(end - at) };
    if (UNLIKELY(d->top == d->frames) && !is_blank(text))
        return TOKEN_STRANGE;
    p->line += plain_count_lines(at, end);
    p->at = end;
    tree_text(d, text);
    return TOKEN_DONE;
}

static enum token read_reference(struct decoder *d, const char *at, const char *end)
{
    size_t n = (size_t)(end - at) < REFERENCE_SHORT ? (size_t)(end - at) : REFERENCE_SHORT;
    const char *close = memchr(at, ';', n);
    char bytes[4];
    if (close == NULL)
        return n < REFERENCE_SHORT ? TOKEN_MORE : TOKEN_STRANGE;
    uint32_t c = plain_referenced((struct str){ at + 1, (size_t)(close - at) - 1 });
    if (c == 0)
        return TOKEN_STRANGE;
    d->plain.at = close + 1;
    tree_text(d, (struct str){ bytes, utf8_write(c, bytes) });
    return TOKEN_DONE;
}

/* `]]>` must not stand in text. */
static enum token read_bracket(struct decoder *d, const char *at, const char *end)
{
    size_t n = 1;
    while (n < 3 && at + n < end && at[n] == ']')
        n++;
    if (n < 3 && at + n == end)
        return TOKEN_MORE;
    if (n == 2 && at[2] == '>')
        return TOKEN_STRANGE;
    d->plain.at = at + 1;
    tree_text(d, STR("]"));
    return TOKEN_DONE;
}

/* Line ends are LF (XML section 2.11). */
static enum token read_return(struct decoder *d, const char *at, const char *end)
{
    if (end - at < 2)
        return TOKEN_MORE;
    d->plain.at = at + 1;
    if (at[1] != '\n')
        tree_text(d, STR("\n"));
    return TOKEN_DONE;
}

static enum token read_special(struct decoder *d, const char *at, const char *end)
{
    bool outside = d->top == d->frames;
    if (*at == '\r')
        return read_return(d, at, end);
    if (*at == '&' && !outside)
        return read_reference(d, at, end);
    if (*at == ']' && !outside)
        return read_bracket(d, at, end);
    return TOKEN_STRANGE;
}

/* What was read from d->plain.at up to there had no more to it. */
static bool move_to(struct plain *p, const char *at)
{
    bool moved = at > p->at;
    p->line += plain_count_lines(p->at, at);
    p->at = at;
    return moved;
}

/* Is what is at the top a string whose text has begun? */
static inline bool is_in_string(const struct decoder *d)
{
    const struct frame *top = d->top;
    return top->element == ELEMENT_STRING ||
           (top->element == ELEMENT_VALUE && top->text && top->allowed != 0);
}

/* Members and elements of a usual form. */
static inline void read_usual(struct decoder *d, const char *end)
{
    enum element element = (enum element)d->top->element;
    if ((element == ELEMENT_STRUCT || element == ELEMENT_DATA) && d->options->items == NULL &&
        d->depth != d->watch.depth)
        move_to(&d->plain, lane_read(d, d->plain.at, end));
}

/* Reads a tag, a run of text or a reference. d->plain.at is behind it then. */
static inline enum token read_token(struct decoder *d, const char *at, const char *end)
{
    if (*at == '<')
        return read_tag(d, at, end);
    if (is_in_string(d) && move_to(&d->plain, lane_read_text(d, at, end)))
        return TOKEN_DONE;
    const char *behind = plain_text_end(at, end);
    return behind > at ? read_text(d, at, behind) : read_special(d, at, end);
}

/* ---- The document ---- */

/* Leaves the rest of the document to libxml2. */
static void give_up(struct decoder *d)
{
    struct plain *p = &d->plain;
    long line, column;
    plain_place(d, &line, &column);
    xml_reader_begin(d);
    if (p->begun)
        xml_reader_resume(d, line, column);
    p->active = false;
}

/* Reads up to the root's tag. Before that there is nothing to resume from, so all is kept. */
static enum token begin_document(struct decoder *d, struct str *slice)
{
    struct plain *p = &d->plain;
    char text[PLAIN_HOLD];
    struct str head = *slice;
    if (p->held > 0) {
        size_t room = sizeof text - p->held;
        head = (struct str){ text, p->held + (slice->len < room ? slice->len : room) };
        memcpy(text, p->hold, p->held);
        memcpy(text + p->held, slice->data, head.len - p->held);
    }
    const char *end = head.data + head.len;
    const char *root = plain_skip_prolog(head);
    if (root != NULL && root < end && *root == '<') {
        p->line = 1 + plain_count_lines(head.data, root);
        p->base = head.data;
        if (read_tag(d, root, end) == TOKEN_DONE) {
            *slice = str_slice(*slice, (size_t)(p->at - head.data) - p->held, slice->len);
            p->held = 0;
            p->begun = true;
            move_base(p, p->at, slice->data);
            return TOKEN_DONE;
        }
        p->line = 1;
        p->base = p->at = NULL;
    }
    if (head.len == sizeof text || p->held + slice->len > sizeof text)
        return TOKEN_STRANGE;
    memcpy(p->hold + p->held, slice->data, slice->len);
    p->held += slice->len;
    *slice = str_slice(*slice, slice->len, slice->len);
    return TOKEN_MORE;
}

/* Goes on with what the last slice ended in. *slice: what comes behind it. */
static enum token read_held(struct decoder *d, struct str *slice)
{
    struct plain *p = &d->plain;
    char text[PLAIN_HOLD];
    size_t room = sizeof text - p->held;
    size_t n = slice->len < room ? slice->len : room;
    memcpy(text, p->hold, p->held);
    memcpy(text + p->held, slice->data, n);
    p->base = text;
    p->at = text;
    enum token token;
    do /* of brackets there may be two */
        token = read_token(d, p->at, text + p->held + n);
    while (token == TOKEN_DONE && p->at < text + p->held && !d->failed);
    if (d->failed)
        return token;
    size_t used = (size_t)(p->at - text);
    size_t taken = token == TOKEN_MORE ? n : token == TOKEN_DONE ? used - p->held : 0;
    p->held = token == TOKEN_DONE ? 0 : p->held + taken - used;
    memmove(p->hold, text + used, p->held);
    *slice = str_slice(*slice, taken, slice->len);
    move_base(p, p->at, slice->data);
    return token;
}

/* Keeps what the slice ends in for the next one. */
static void hold(struct plain *p, const char *at, const char *end)
{
    p->held = (size_t)(end - at);
    memcpy(p->hold, at, p->held);
    move_base(p, at, NULL);
}

static bool feed_held(struct decoder *d)
{
    struct str held = { d->plain.hold, d->plain.held };
    return held.len == 0 || scan_feed(d, held);
}

bool plain_feed(struct decoder *d, struct str *slice)
{
    struct plain *p = &d->plain;
    enum token token = TOKEN_DONE;
    const char *end = slice->data + slice->len;
    p->base = p->at = slice->data;
    if (!p->begun)
        token = begin_document(d, slice);
    else if (p->held > 0)
        token = read_held(d, slice);
    while (token == TOKEN_DONE && p->at < end && !d->failed) {
        read_usual(d, end);
        if (p->at < end && !d->failed)
            token = read_token(d, p->at, end);
    }
    if (d->failed)
        return false;
    if (token == TOKEN_STRANGE) {
        if (p->begun)
            *slice = (struct str){ p->at, (size_t)(end - p->at) };
        give_up(d);
        return feed_held(d);
    }
    *slice = (struct str){ end, 0 };
    if (p->held == 0)
        hold(p, p->at, end);
    p->base = p->at = NULL;
    return decode_check_chain(d);
}

bool plain_finish(struct decoder *d)
{
    if (d->root_closed && d->plain.held == 0)
        return true;
    give_up(d);
    return feed_held(d);
}
