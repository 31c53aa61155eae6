/* SPDX-License-Identifier: Apache-2.0 */
/* Five things that libxml2 2.9's push parser does not do well are done before it. A start tag is
 * measured, since attributes by the hundred thousand cost it seconds, and goes to it whole. A
 * reference is measured, too: it gathers all that comes before the `;`. A DTD is refused unread.
 * Long comments, processing instructions and CDATA sections, which it would gather in memory, are
 * closed and opened anew where a slice of the document ends. And `]]>` in text, which it misses
 * where a slice ends within it, is seen. */
#include "base/alloc.h"
#include "codec/xml/decode_private.h"

/* Shorter parts of a comment or CDATA section wait for their end. Must be less than the 300 bytes
 * from which on libxml2 cuts CDATA itself. [bytes] */
#define RUN_MAX 256

/* How often in one slice it is worth while to look whether the rest of it is simple. */
#define SIMPLE_TRIES 2

static bool emit(struct decoder *d, struct str text)
{
    if (text.len == 0 || d->failed)
        return !d->failed;
    if (UNLIKELY(d->options->text != TEXT_REJECT))
        return repair_feed(d, text, d->scan.state == SCAN_TEXT || d->scan.state == SCAN_TAG);
    return xml_reader_feed(d, text);
}

/* A slice, up to where it has been emitted, and up to where it has been looked at. */
struct cut {
    struct str slice;
    size_t from;
    size_t at;
};

static bool emit_until(struct decoder *d, struct cut *c, size_t end)
{
    struct str text = str_slice(c->slice, c->from, end);
    c->from = end;
    return emit(d, text);
}

static void enter(struct scan *s, enum scan_state state)
{
    s->state = state;
    s->last[0] = '\0';
    s->last[1] = '\0';
    s->run = 0;
}

static bool fail_reference(struct decoder *d)
{
    return decode_fail(d, REFUSED_MARKUP,
                       "there is a bare \"&\", or a reference of more than %zu bytes; in text an "
                       "\"&\" is \"&amp;\"",
                       REFERENCE_MAX);
}

/* What comes next is text, or in a tag. It has been read only as far as its references go. */
static bool check_references(struct decoder *d, struct str text)
{
    struct scan *s = &d->scan;
    while (text.len > 0) {
        if (LIKELY(s->reference == 0)) {
            size_t begin = str_find(text, '&');
            s->reference = begin < text.len;
            text = str_slice(text, begin + s->reference, text.len);
            continue;
        }
        size_t room = REFERENCE_MAX - s->reference;
        size_t n = text.len < room ? text.len : room;
        size_t end = str_find(str_slice(text, 0, n), ';');
        if (end == n && n == room)
            return fail_reference(d);
        s->reference = end < n ? 0 : s->reference + n;
        text = str_slice(text, end < n ? end + 1 : n, text.len);
    }
    return true;
}

static bool begins_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
           (unsigned char)c >= 0x80;
}

/* The next byte of a tag. What cannot be one is left to the parser to complain of, as text. */
static void step_tag(struct scan *s, char c)
{
    static const char cdata[] = "CDATA[";
    switch (s->kind) {
    case TAG_OPEN:
        if (c == '?')
            enter(s, SCAN_PI);
        else if (c == '!')
            s->kind = TAG_BANG;
        else if (c == '/' || begins_name(c))
            s->kind = TAG_PLAIN;
        else
            s->state = SCAN_TEXT;
        break;
    case TAG_BANG:
        s->kind = c == '-' ? TAG_DASH : c == '[' ? TAG_BRACKET : TAG_DOCTYPE;
        s->matched = 0;
        break;
    case TAG_DASH:
        enter(s, c == '-' ? SCAN_COMMENT : SCAN_TEXT);
        break;
    case TAG_BRACKET:
        if (c != cdata[s->matched])
            s->state = SCAN_TEXT;
        else if (++s->matched == sizeof cdata - 1)
            enter(s, SCAN_CDATA);
        break;
    case TAG_PLAIN:
    case TAG_DOCTYPE:
        if (s->quote != '\0')
            s->quote = c == s->quote ? '\0' : s->quote;
        else if (c == '"' || c == '\'')
            s->quote = c;
        else if (c == '>')
            s->state = SCAN_TEXT;
        break;
    }
}

/* Goes on in a tag from `at`; returns the place behind what it has read of it. */
static size_t scan_tag(struct scan *s, struct str slice, size_t at)
{
    while (at < slice.len && s->state == SCAN_TAG && s->tag_len <= TAG_MAX) {
        step_tag(s, slice.data[at++]);
        s->tag_len++;
    }
    return at;
}

static void begin_tag(struct scan *s)
{
    s->state = SCAN_TAG;
    s->kind = TAG_OPEN;
    s->quote = '\0';
    s->tag_len = 1;
    s->held = 0;
}

/* `tag` is what there is of it. */
static bool check_tag(struct decoder *d, struct str tag)
{
    const struct scan *s = &d->scan;
    if (s->kind == TAG_DOCTYPE &&
        (s->state == SCAN_TEXT || s->tag_len >= sizeof "<!DOCTYPE html")) {
        bool html = tag.len >= 14 && str_eq_nocase(str_slice(tag, 10, 14), STR("html"));
        return html ? decode_fail(d, REFUSED_HTML, "there is a DOCTYPE; is it an HTML page?")
                    : decode_fail(d, REFUSED_DTD, DTD_REFUSED);
    }
    if (s->tag_len > TAG_MAX)
        return decode_fail(d, REFUSED_TOO_LONG, "a tag is longer than %zu bytes", TAG_MAX);
    return true;
}

/* Goes on with a tag that began in an earlier slice. */
static bool go_on_held(struct decoder *d, struct cut *c)
{
    struct scan *s = &d->scan;
    size_t end = scan_tag(s, c->slice, 0);
    size_t room = sizeof s->hold - s->held;
    size_t n = end < room ? end : room;
    memcpy(s->hold + s->held, c->slice.data, n);
    s->held += n;
    c->at = end;
    c->from = end;
    if (!check_tag(d, (struct str){ s->hold, s->held }) ||
        !check_references(d, str_slice(c->slice, 0, end)))
        return false;
    if (s->state == SCAN_TAG)
        return true;
    struct str tag = { s->hold, s->held };
    s->held = 0;
    return d->options->text == TEXT_REJECT ? xml_reader_feed(d, tag) : repair_feed(d, tag, true);
}

/* Reads the tag that begins at c->at; keeps it if the slice ends in it. */
static bool read_tag(struct decoder *d, struct cut *c)
{
    struct scan *s = &d->scan;
    size_t start = c->at;
    begin_tag(s);
    c->at = scan_tag(s, c->slice, start + 1);
    struct str tag = str_slice(c->slice, start, c->at);
    if (UNLIKELY(s->tag_len > TAG_MAX || s->kind == TAG_DOCTYPE)) {
        if (!emit_until(d, c, start) || !check_tag(d, tag))
            return false;
    }
    if (!check_references(d, tag))
        return false;
    if (s->state == SCAN_TEXT || d->failed)
        return !d->failed;
    if (s->state == SCAN_TAG) {
        if (!emit_until(d, c, start))
            return false;
        memcpy(s->hold, tag.data, tag.len);
        s->held = tag.len;
        c->from = c->at;
        return true;
    }
    if (d->options->text != TEXT_REJECT) {
        struct str text = str_slice(c->slice, c->from, c->at);
        c->from = c->at;
        return repair_feed(d, text, true);
    }
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Does an attribute's value begin behind this `=`? */
static bool before_quote(const char *equals, const char *end)
{
    const char *p = equals + 1;
    while (p < end && is_blank(*p))
        p++;
    return p < end && (*p == '"' || *p == '\'');
}

/* Are there only tags without attributes, and text? That is so nearly always, and seen at the
 * speed of memchr(). */
static bool is_simple(struct str text)
{
    const char *end = text.data + text.len;
    static const char after_bracket[] = "!?";
    for (size_t i = 0; i < 2; i++) {
        const char *at = text.data;
        while ((at = memchr(at, after_bracket[i], (size_t)(end - at))) != NULL) {
            if (at > text.data && at[-1] == '<')
                return false;
            at++;
        }
    }
    const char *at = text.data;
    while ((at = memchr(at, '=', (size_t)(end - at))) != NULL) {
        if (before_quote(at, end))
            return false;
        at++;
    }
    return true;
}

/* The rest of a simple slice: only whether it ends in a tag is of interest. */
static bool read_simple(struct decoder *d, struct cut *c)
{
    struct str rest = str_slice(c->slice, c->at, c->slice.len);
    const char *open = memrchr(rest.data, '<', rest.len);
    size_t behind = open != NULL ? (size_t)(rest.data + rest.len - open) : 0;
    if (open == NULL || memchr(open, '>', behind) != NULL)
        behind = 0;
    c->at = c->slice.len - behind;
    return check_references(d, str_slice(rest, 0, rest.len - behind)) &&
           (behind == 0 || read_tag(d, c));
}

static bool read_text(struct decoder *d, struct cut *c, unsigned *tries)
{
    struct str rest = str_slice(c->slice, c->at, c->slice.len);
    if (*tries > 0) {
        (*tries)--;
        if (is_simple(rest))
            return read_simple(d, c);
    }
    size_t open = str_find(rest, '<');
    c->at += open;
    return check_references(d, str_slice(rest, 0, open)) && (open == rest.len || read_tag(d, c));
}

/* The byte `back` before place `at` of a section that goes on in this slice from `base`. */
static char byte_before(const struct scan *s, const char *data, size_t base, size_t at, size_t back)
{
    return at - base >= back ? data[at - back] : s->last[2 - (back - (at - base))];
}

/* Goes on in a comment, processing instruction or CDATA section. */
static bool read_section(struct decoder *d, struct cut *c)
{
    struct scan *s = &d->scan;
    const char *data = c->slice.data;
    size_t base = c->at, n = c->slice.len;
    char mark = s->state == SCAN_COMMENT ? '-' : s->state == SCAN_CDATA ? ']' : '?';
    if (s->reference > 0) /* which no section can be within; libxml2 would gather it, too */
        return fail_reference(d);
    for (;;) {
        const char *close = memchr(data + c->at, '>', n - c->at);
        if (close == NULL)
            break;
        size_t at = (size_t)(close - data);
        c->at = at + 1;
        if (byte_before(s, data, base, at, 1) != mark)
            continue;
        if (s->state != SCAN_PI && byte_before(s, data, base, at, 2) != mark)
            continue;
        bool ok = d->options->text == TEXT_REJECT || emit_until(d, c, c->at);
        s->state = SCAN_TEXT;
        return ok;
    }
    char last[2] = { byte_before(s, data, base, n, 2), byte_before(s, data, base, n, 1) };
    memcpy(s->last, last, sizeof last);
    s->run += n - base;
    c->at = n;
    return true;
}

/* Bytes at the end of an unfinished section that may belong to what ends it, or to CR LF. */
static size_t undecided(enum scan_state state, struct str text)
{
    char mark = state == SCAN_COMMENT ? '-' : state == SCAN_CDATA ? ']' : '?';
    size_t n = 0;
    if (text.len > 0 && text.data[text.len - 1] == '\r')
        return 1;
    while (n < 2 && n < text.len && text.data[text.len - 1 - n] == mark)
        n++;
    return n;
}

/* Closes the section that the slice ends in, and opens it anew. */
static bool reopen(struct decoder *d, struct cut *c)
{
    static const struct {
        struct str close, open;
    } marks[] = {
        [SCAN_COMMENT] = { { "-->", 3 }, { "<!--", 4 } },
        [SCAN_PI] = { { "?>", 2 }, { "<?x ", 4 } },
        [SCAN_CDATA] = { { "]]>", 3 }, { "<![CDATA[", 9 } },
    };
    struct scan *s = &d->scan;
    struct str rest = str_slice(c->slice, c->from, c->slice.len);
    size_t tail = undecided(s->state, rest);
    if (s->run < RUN_MAX || rest.len <= tail)
        return emit_until(d, c, c->slice.len);
    struct str head = str_slice(rest, 0, rest.len - tail);
    struct str close = marks[s->state].close;
    if (d->scratch == NULL)
        d->scratch = xcalloc(SCRATCH_SIZE, 1);
    memcpy(d->scratch, head.data, head.len);
    memcpy(d->scratch + head.len, close.data, close.len);
    s->run = tail;
    return emit(d, (struct str){ d->scratch, head.len + close.len }) &&
           emit(d, marks[s->state].open) && emit(d, str_slice(rest, head.len, rest.len));
}

/* Text must not hold `]]>` (XML 1.0 section 2.4), however it is cut. */
static bool check_brackets(struct decoder *d, struct str slice)
{
    size_t before = d->scan.brackets;
    size_t n = 0;
    if (LIKELY(before == 0 || d->scan.state != SCAN_TEXT))
        return true;
    while (n < 2 && n < slice.len && slice.data[n] == ']')
        n++;
    if (before + n >= 2 && n < slice.len && slice.data[n] == '>')
        return decode_fail(d, REFUSED_MARKUP, BRACKETS_REFUSED);
    return true;
}

static void count_brackets(struct scan *s, struct str slice)
{
    size_t n = 0;
    while (n < 2 && n < slice.len && slice.data[slice.len - 1 - n] == ']')
        n++;
    n += n == slice.len ? s->brackets : 0;
    s->brackets = n < 2 ? n : 2;
}

bool scan_feed(struct decoder *d, struct str slice)
{
    struct scan *s = &d->scan;
    if (d->plain.active && (!plain_feed(d, &slice) || slice.len == 0))
        return !d->failed;
    struct cut c = { .slice = slice };
    unsigned tries = SIMPLE_TRIES;
    bool ok = check_brackets(d, slice) && (s->state != SCAN_TAG || go_on_held(d, &c));
    while (ok && c.at < slice.len)
        ok = s->state == SCAN_TEXT ? read_text(d, &c, &tries) : read_section(d, &c);
    if (!ok)
        return false;
    count_brackets(s, slice);
    if (s->state == SCAN_TEXT || s->state == SCAN_TAG)
        return emit_until(d, &c, slice.len);
    return reopen(d, &c);
}

bool scan_finish(struct decoder *d)
{
    struct scan *s = &d->scan;
    if (d->plain.active && (!plain_finish(d) || d->plain.active))
        return !d->failed;
    if (s->state == SCAN_TAG)
        return emit(d, (struct str){ s->hold, s->held });
    return !d->failed;
}
