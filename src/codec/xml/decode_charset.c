/* SPDX-License-Identifier: Apache-2.0 */
/* All encodings become UTF-8 here, so that everything behind this sees only that one. Which one it
 * is: forced by the configuration, else told by a byte order mark or by the zeros of UTF-16, else
 * declared by the document, else by HTTP, else UTF-8. */
#include "codec/xml/decode_private.h"

#include <errno.h>

/* The longest character of any encoding, with the shifts before it. [bytes] */
#define CHARACTER_MAX ((size_t)32)

void decode_charset_init(struct decode_charset *c)
{
    c->state = CHARSET_UNKNOWN;
    c->marked = false;
    c->cd = (iconv_t)-1;
    c->name[0] = '\0';
    c->n = 0;
}

void decode_charset_reset(struct decode_charset *c)
{
    if (c->cd != (iconv_t)-1)
        iconv_close(c->cd);
    decode_charset_init(c);
}

/* XML section 4.3.3, EncName; that keeps iconv's own `//` away, too. */
static bool is_name(struct str name)
{
    if (name.len == 0 || name.len >= sizeof((struct decode_charset *)NULL)->name)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool other = (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == ':';
        if (!letter && (i == 0 ? c < '0' || c > '9' : !other))
            return false;
    }
    return true;
}

static bool is_one_of(struct str name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (str_eq_nocase(name, str_of(*names)))
            return true;
    return false;
}

/* UTF-8, and ASCII, which servers declare and then send UTF-8. */
static bool is_utf8(struct str name)
{
    static const char *const names[] = { "UTF-8",          "UTF8",      "US-ASCII", "ASCII",
                                         "ANSI_X3.4-1968", "ISO646-US", "us",       NULL };
    return is_one_of(name, names);
}

/* Encodings in which no byte is ASCII. */
static bool is_wide(struct str name)
{
    static const char *const names[] = { "UTF-16", "UTF16", "UTF-16LE",        "UTF-16BE",
                                         "UCS-2",  "UCS2",  "ISO-10646-UCS-2", "UNICODE",
                                         "UTF-32", "UTF32", "UTF-32LE",        "UTF-32BE",
                                         "UCS-4",  "UCS4",  "ISO-10646-UCS-4", NULL };
    return is_one_of(name, names);
}

static bool open_charset(struct decode_charset *c, struct str name)
{
    if (!is_name(name))
        return false;
    memcpy(c->name, name.data, name.len);
    c->name[name.len] = '\0';
    if (is_utf8(name)) {
        c->state = CHARSET_UTF8;
        return true;
    }
    c->cd = iconv_open("UTF-8", c->name);
    if (c->cd == (iconv_t)-1)
        return false;
    c->state = CHARSET_CONVERTED;
    return true;
}

bool decode_encoding_known(const char *name)
{
    struct decode_charset c;
    decode_charset_init(&c);
    bool known = open_charset(&c, str_of(name));
    decode_charset_reset(&c);
    return known;
}

/* What the first bytes of a document tell. */
struct sign {
    struct str bytes;
    size_t skip; /* length of the byte order mark */
    const char *encoding;
};

#define SIGN(bytes, skip, encoding)                                                                \
    {                                                                                              \
        { bytes, sizeof(bytes) - 1 }, skip, encoding                                               \
    }

/* Its mark has been passed over. */
static const struct sign utf8_sign = SIGN("", 0, "UTF-8");

static const struct sign *find_sign(struct str head)
{
    static const struct sign signs[] = {
        SIGN("\xFF\xFE\0\0", 4, "UTF-32LE"), SIGN("\0\0\xFE\xFF", 4, "UTF-32BE"),
        SIGN("<\0\0\0", 0, "UTF-32LE"),      SIGN("\0\0\0<", 0, "UTF-32BE"),
        SIGN("\xFF\xFE", 2, "UTF-16LE"),     SIGN("\xFE\xFF", 2, "UTF-16BE"),
        SIGN("<\0", 0, "UTF-16LE"),          SIGN("\0<", 0, "UTF-16BE"),
        SIGN("\xEF\xBB\xBF", 3, "UTF-8"),
    };
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (str_starts_with(head, signs[i].bytes))
            return &signs[i];
    return NULL;
}

/* Nearly all documents: what begins so has no sign. */
static bool begins_as_text(struct str head)
{
    return head.len >= 2 && head.data[0] == '<' && head.data[1] != '\0';
}

/* Blanks of 16 or 32 bits tell the encoding as `<` does. */
static const struct sign *find_sign_of_blank(struct str head)
{
    char probe[4];
    size_t n = head.len < sizeof probe ? head.len : sizeof probe;
    for (size_t i = 0; i < n; i++)
        probe[i] = decode_leading(str_slice(head, i, i + 1)) > 0 ? '<' : head.data[i];
    return find_sign((struct str){ probe, n });
}

static struct str skip_blanks(struct str s)
{
    size_t n = 0;
    while (n < s.len &&
           (s.data[n] == ' ' || s.data[n] == '\t' || s.data[n] == '\r' || s.data[n] == '\n'))
        n++;
    return str_slice(s, n, s.len);
}

/* The encoding in the text of an XML declaration, from behind `<?xml` on; empty: none. What is no
 * declaration at all is the parser's to refuse. */
static struct str declared_encoding(struct str text)
{
    for (;;) {
        text = skip_blanks(text);
        size_t equals = str_find(text, '=');
        if (equals == text.len)
            return (struct str){ NULL, 0 };
        struct str name = xml_trim(str_slice(text, 0, equals));
        text = skip_blanks(str_slice(text, equals + 1, text.len));
        if (text.len == 0 || (text.data[0] != '"' && text.data[0] != '\''))
            return (struct str){ NULL, 0 };
        char quote = text.data[0];
        text = str_slice(text, 1, text.len);
        size_t end = str_find(text, quote);
        if (str_eq(name, STR("encoding")))
            return str_slice(text, 0, end);
        text = str_slice(text, end < text.len ? end + 1 : end, text.len);
    }
}

/* Finds the whole declaration, if the document begins with one. False: more bytes are needed. */
static bool find_declaration(struct str head, bool final, struct str *ret)
{
    struct str open = STR("<?xml");
    bool more = !final && head.len < HEAD_MAX;
    *ret = (struct str){ NULL, 0 };
    if (head.len <= open.len)
        return !(more && str_starts_with(open, str_slice(head, 0, head.len)));
    if (!str_starts_with(head, open))
        return true;
    const char *close = memmem(head.data, head.len, "?>", 2);
    if (close == NULL)
        return !more;
    *ret = str_slice(head, open.len, (size_t)(close - head.data));
    return true;
}

static bool fail_unknown(struct decoder *d, struct str name)
{
    struct error_cut shown = decode_shown(d, name, 64);
    return decode_fail(d, REFUSED_ENCODING, "its encoding \"%.*s%s\" is not known",
                       ERROR_CUT_ARGS(shown));
}

static bool choose_forced(struct decoder *d, const struct sign *sign)
{
    struct str name = str_of(d->options->encoding_forced);
    static const char *const without_order[] = { "UTF-16", "UTF16", "UTF-32", "UTF32", NULL };
    if (is_one_of(name, without_order)) {
        bool four = str_find(name, '3') < name.len;
        name = four ? STR("UTF-32BE") : STR("UTF-16BE");
        if (sign != NULL && is_wide(str_of(sign->encoding)))
            name = str_of(sign->encoding);
    }
    return open_charset(&d->charset, name) || fail_unknown(d, name);
}

/* Decides on the encoding of 8-bit text. *more: with what there is, it cannot be told yet. */
static bool choose_by_text(struct decoder *d, struct str head, bool final, bool *more)
{
    struct str declaration;
    *more = !find_declaration(head, final, &declaration);
    if (*more)
        return true;
    struct str name = declared_encoding(declaration);
    if (name.len > 0) {
        if (is_wide(name))
            return decode_fail(d, REFUSED_ENCODING,
                               "it declares the encoding %.*s, but is in none of 16 or 32 bits",
                               STR_ARGS(name));
        return open_charset(&d->charset, name) || fail_unknown(d, name);
    }
    /* HTTP's charset is often wrong or unknown: only what can be true counts. */
    name = d->options->encoding_declared;
    if (name.len == 0 || is_wide(name) || !open_charset(&d->charset, name))
        d->charset.state = CHARSET_UTF8;
    return true;
}

static bool report_invalid(struct decoder *d)
{
    if (d->options->text == TEXT_REJECT)
        return decode_fail(d, REFUSED_BYTES, "it holds bytes that are not valid %s",
                           d->charset.name);
    d->repaired++;
    return decode_push_utf8(d, STR("\xEF\xBF\xBD"));
}

/* What one mistake takes away: a byte, or what the encoding has instead of bytes. */
static size_t unit_length(struct str encoding)
{
    static const char *const two[] = { "UTF-16", "UTF16",           "UTF-16LE", "UTF-16BE", "UCS-2",
                                       "UCS2",   "ISO-10646-UCS-2", "UNICODE",  NULL };
    return is_one_of(encoding, two) ? 2 : is_wide(encoding) ? 4 : 1;
}

/* Converts from *text and moves it on; what remains is an unfinished character. */
static bool convert(struct decoder *d, struct str *text)
{
    while (text->len > 0) {
        char out[SLICE_MAX];
        char *in = (char *)(uintptr_t)text->data, *to = out;
        size_t left = text->len, room = sizeof out;
        size_t rc = iconv(d->charset.cd, &in, &left, &to, &room);
        int error = rc == (size_t)-1 ? errno : 0;
        *text = str_slice(*text, text->len - left, text->len);
        if (!decode_push_utf8(d, (struct str){ out, sizeof out - room }))
            return false;
        if (error == EINVAL)
            return true;
        if (error == EILSEQ) {
            if (!report_invalid(d))
                return false;
            size_t unit = unit_length(str_of(d->charset.name));
            *text = str_slice(*text, unit < text->len ? unit : text->len, text->len);
        }
    }
    return true;
}

static bool pass_converted(struct decoder *d, struct str bytes)
{
    struct decode_charset *c = &d->charset;
    while (c->n > 0 && bytes.len > 0) {
        size_t before = c->n;
        size_t n = bytes.len < CHARACTER_MAX ? bytes.len : CHARACTER_MAX;
        memcpy(c->bytes + before, bytes.data, n);
        struct str text = { c->bytes, before + n };
        if (!convert(d, &text))
            return false;
        size_t done = before + n - text.len;
        if (done >= before) {
            c->n = 0;
            bytes = str_slice(bytes, done - before, bytes.len);
            break;
        }
        c->n = text.len;
        memmove(c->bytes, text.data, text.len);
        bytes = str_slice(bytes, n, bytes.len);
        if (c->n > CHARACTER_MAX)
            return decode_fail(d, REFUSED_BYTES, "it holds bytes that are not valid %s", c->name);
    }
    if (bytes.len == 0 || !convert(d, &bytes))
        return !d->failed;
    if (bytes.len > CHARACTER_MAX)
        return decode_fail(d, REFUSED_BYTES, "it holds bytes that are not valid %s", c->name);
    memcpy(c->bytes, bytes.data, bytes.len);
    c->n = bytes.len;
    return true;
}

static bool pass(struct decoder *d, struct str bytes)
{
    if (LIKELY(d->charset.state == CHARSET_UTF8))
        return decode_push_utf8(d, bytes);
    return pass_converted(d, bytes);
}

/* Of `n` bytes that look like blanks and marks of UTF-8, how many are such for sure: behind the
 * last one there may be a zero that makes it a blank of more bits. */
static size_t sure(struct str text, size_t n, bool final)
{
    bool ends_in_blank = n > 0 && (unsigned char)text.data[n - 1] < 0x80;
    return n - (ends_in_blank && (n < text.len ? text.data[n] == '\0' : !final));
}

static void pass_over(struct decoder *d, struct str text)
{
    d->charset.marked |= memmem(text.data, text.len, "\xEF\xBB\xBF", 3) != NULL;
    decode_pass_over(d, text);
}

/* What is kept of the beginning, without blanks and marks. */
static void trim_kept(struct decoder *d, bool final)
{
    struct decode_charset *c = &d->charset;
    struct str head = { c->bytes, c->n };
    size_t n = sure(head, decode_leading(head), final);
    if (n == 0)
        return;
    pass_over(d, str_slice(head, 0, n));
    c->n -= n;
    memmove(c->bytes, c->bytes + n, c->n);
}

/* The same for what comes, before it is kept: there may be megabytes. */
static struct str trim_new(struct decoder *d, struct str bytes)
{
    struct decode_charset *c = &d->charset;
    size_t n = sure(bytes, decode_leading(bytes), false);
    if (n == 0 || c->n > 1 || (c->n == 1 && decode_leading((struct str){ c->bytes, 1 }) == 0))
        return bytes;
    pass_over(d, (struct str){ c->bytes, c->n });
    c->n = 0;
    pass_over(d, str_slice(bytes, 0, n));
    return str_slice(bytes, n, bytes.len);
}

/* Chooses the encoding. *skip: how much of the beginning is no text. */
static bool choose(struct decoder *d, struct str head, bool final, size_t *skip, bool *more)
{
    struct decode_charset *c = &d->charset;
    const struct sign *sign = c->marked ? &utf8_sign : NULL;
    if (sign == NULL && !begins_as_text(head))
        sign = find_sign(head);
    if (sign == NULL && !begins_as_text(head))
        sign = find_sign_of_blank(head);
    *skip = sign != NULL ? sign->skip : 0;
    *more = false;
    if (d->options->encoding_forced != NULL)
        return choose_forced(d, sign);
    if (sign == NULL)
        return choose_by_text(d, head, final, more);
    return open_charset(c, str_of(sign->encoding)) || fail_unknown(d, str_of(sign->encoding));
}

/* Passes the document's beginning on when its encoding is known, or waits for more of it. */
static bool begin(struct decoder *d, bool final)
{
    struct decode_charset *c = &d->charset;
    char bytes[HEAD_MAX];
    size_t skip;
    bool more;
    trim_kept(d, final);
    struct str head = { bytes, c->n };
    memcpy(bytes, c->bytes, c->n);
    if (final ? head.len == 0 : head.len < 4)
        return true;
    bool ok = choose(d, head, final, &skip, &more);
    if (!ok || more)
        return ok;
    c->n = 0;
    return pass(d, str_slice(head, skip, head.len));
}

/* Nearly all documents: what comes first tells the encoding, and nothing need be kept. */
static bool begin_at_once(struct decoder *d, struct str bytes)
{
    size_t skip;
    bool more;
    struct str head = str_slice(bytes, 0, bytes.len < HEAD_MAX ? bytes.len : HEAD_MAX);
    return d->charset.n > 0 || !begins_as_text(bytes) || choose(d, head, false, &skip, &more);
}

bool decode_charset_feed(struct decoder *d, struct str bytes)
{
    struct decode_charset *c = &d->charset;
    if (c->state == CHARSET_UNKNOWN && !begin_at_once(d, bytes))
        return false;
    while (c->state == CHARSET_UNKNOWN && bytes.len > 0) {
        bytes = trim_new(d, bytes);
        /* Four bytes first, for those signs; then as much as a declaration may have. */
        size_t want = c->n < 4 ? 4 : HEAD_MAX;
        size_t n = bytes.len < want - c->n ? bytes.len : want - c->n;
        memcpy(c->bytes + c->n, bytes.data, n);
        c->n += n;
        bytes = str_slice(bytes, n, bytes.len);
        if (!begin(d, false))
            return false;
    }
    return bytes.len == 0 || pass(d, bytes);
}

bool decode_charset_is_empty(const struct decoder *d)
{
    struct str kept = { d->charset.bytes, d->charset.n };
    return decode_leading(kept) == kept.len;
}

bool decode_charset_finish(struct decoder *d)
{
    struct decode_charset *c = &d->charset;
    if (c->state == CHARSET_UNKNOWN && c->n > 0 && !begin(d, true))
        return false;
    if (c->state == CHARSET_CONVERTED && c->n > 0)
        return report_invalid(d);
    return !d->failed;
}
