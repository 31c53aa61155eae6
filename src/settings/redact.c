/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/redact.h"

#include "codec/error.h"
#include "settings/patterns.h"
#include "settings/secret_forms.h"
#include "settings/store.h"

#include <stdint.h>

/* So many ways to read a text at once are followed. More than two are needed only where secrets
 * begin with hex digits and repeat themselves. */
#define WAYS_MAX 8

/* So many finds are kept until it is certain that no longer one holds them. */
#define FINDS_MAX 64

struct redactor {
    struct patterns patterns;
    bool is_empty;
    bool begins[256]; /* may a secret begin with that byte of a text? */
};

/* One way to read the text. A program encodes all of a secret by the same rule, so `%41` within it
 * stands either for `A` or for itself, throughout. */
struct way {
    uint32_t node;
    size_t begin; /* where in the text what the node stands for begins */
    size_t until; /* it differs from the first way while it begins before this */
    bool is_raw;  /* `%41` is three bytes */
};

struct span {
    size_t begin, end;
};

struct scan {
    const struct redactor *redactor;
    struct str text;
    struct buf *to;
    struct way ways[WAYS_MAX]; /* the first reads each `%41` as `A` */
    size_t n_ways;
    size_t code_end;              /* of the last `%41` */
    struct span finds[FINDS_MAX]; /* both their begins and their ends rise */
    size_t n_finds;
    size_t shown;       /* so much of the text is done */
    size_t stars_until; /* what begins before this has its stars already */
};

struct redactor *redactor_new(struct store *store, const struct str *secrets, size_t n)
{
    struct redactor *redactor = store_alloc(store, 1, sizeof *redactor);
    struct secret_forms forms;
    secret_forms_make(&forms, secrets, n);
    patterns_init(&redactor->patterns, store, forms.texts, forms.n);
    secret_forms_done(&forms);
    redactor->is_empty = n == 0;
    for (unsigned c = 0; c < 256; c++)
        redactor->begins[c] = c == '%' || redactor->patterns.first[secret_fold((char)c)] != 0;
    return redactor;
}

/* ---- What was found ------------------------------------------------------------------------- */

static void show_find(struct scan *s, struct span find)
{
    if (find.begin > s->shown)
        buf_append(s->to, str_slice(s->text, s->shown, find.begin));
    if (find.begin >= s->stars_until) {
        buf_append_c(s->to, "***");
        s->stars_until = find.end;
    }
    if (find.end > s->shown)
        s->shown = find.end;
}

/* Where the earliest begins that may still become a find. */
static size_t earliest(const struct scan *s)
{
    size_t begin = s->ways[0].begin;
    for (size_t i = 1; i < s->n_ways; i++)
        if (s->ways[i].begin < begin)
            begin = s->ways[i].begin;
    return begin;
}

/* Shows those that nothing changes any more. Where none is such, two become one. */
static void make_room(struct scan *s)
{
    size_t n = 0, bound = earliest(s);
    while (n < s->n_finds && s->finds[n].end <= bound)
        show_find(s, s->finds[n++]);
    s->n_finds -= n;
    memmove(s->finds, s->finds + n, s->n_finds * sizeof *s->finds);
    if (n > 0)
        return;
    s->n_finds /= 2;
    for (size_t i = 0; i < s->n_finds; i++)
        s->finds[i] = (struct span){ s->finds[2 * i].begin, s->finds[2 * i + 1].end };
}

/* `end` is never before that of the last one. One that holds others stands for them. */
static void add_find(struct scan *s, size_t begin, size_t end)
{
    while (s->n_finds > 0 && s->finds[s->n_finds - 1].begin >= begin)
        s->n_finds--;
    if (s->n_finds > 0 && s->finds[s->n_finds - 1].end == end)
        return;
    if (s->n_finds == FINDS_MAX)
        make_room(s);
    s->finds[s->n_finds++] = (struct span){ begin, end };
}

/* ---- Reading -------------------------------------------------------------------------------- */

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that is percent-encoded there (RFC 3986 section 2.1); -1: none. */
static int code_at(struct str text, size_t at)
{
    if (text.data[at] != '%' || text.len - at < 3)
        return -1;
    int high = digit_of(text.data[at + 1]), low = digit_of(text.data[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Where in the text the last `n` bytes begin that were read until `end`. */
static size_t begin_of(const struct scan *s, const struct way *way, size_t end, size_t n)
{
    if (way->is_raw || s->code_end <= way->begin)
        return end - n;
    for (; n > 0; n--)
        end -= end >= way->begin + 3 && code_at(s->text, end - 3) >= 0 ? 3 : 1;
    return end;
}

/* What the node stands for begins `n` bytes later. */
static void begin_later(const struct scan *s, struct way *way, size_t n)
{
    for (; n > 0; n--)
        way->begin += !way->is_raw && code_at(s->text, way->begin) >= 0 ? 3 : 1;
}

/* The way goes on with a byte, which stands in the text until `end`. */
static void go_on(struct scan *s, struct way *way, unsigned char byte, size_t end)
{
    const struct pattern_node *nodes = s->redactor->patterns.nodes;
    size_t depth = nodes[way->node].depth + 1;
    way->node = patterns_step(&s->redactor->patterns, way->node, byte);
    if (way->node == 0) {
        way->begin = end;
        return;
    }
    begin_later(s, way, depth - nodes[way->node].depth);
    uint32_t found = nodes[way->node].found;
    if (found == way->node)
        add_find(s, way->begin, end);
    else if (found != 0)
        add_find(s, begin_of(s, way, end, nodes[found].depth), end);
}

/* The way that takes codes as they stand. Where it does not differ from the first way it is what
 * that has of the text behind the last code. */
static struct way *raw_way(struct scan *s)
{
    const struct pattern_node *nodes = s->redactor->patterns.nodes;
    for (size_t i = 1; i < s->n_ways; i++)
        if (s->ways[i].is_raw)
            return &s->ways[i];
    if (s->n_ways == WAYS_MAX)
        s->n_ways--;
    struct way *way = &s->ways[s->n_ways++];
    *way = s->ways[0];
    while (way->begin < s->code_end) {
        uint32_t shorter = nodes[way->node].fallback;
        begin_later(s, way, nodes[way->node].depth - nodes[shorter].depth);
        way->node = shorter;
    }
    way->is_raw = true;
    return way;
}

/* A secret may begin with the code's digits, and have codes that count behind them. */
static void begin_within(struct scan *s, size_t at)
{
    struct way way = { .begin = at + 1, .until = at + 3 };
    go_on(s, &way, (unsigned char)s->text.data[at + 1], at + 2);
    go_on(s, &way, (unsigned char)s->text.data[at + 2], at + 3);
    if (way.node != 0 && s->n_ways < WAYS_MAX)
        s->ways[s->n_ways++] = way;
}

/* In the order in which finds end. */
static void read_code(struct scan *s, size_t at, int code)
{
    struct way *raw = raw_way(s);
    raw->until = at + 3;
    for (size_t i = at; i < at + 3; i++)
        go_on(s, raw, secret_fold(s->text.data[i]), i + 1);
    s->code_end = at + 3;
    for (size_t i = 0; i < s->n_ways; i++)
        if (!s->ways[i].is_raw)
            go_on(s, &s->ways[i], secret_fold((char)code), at + 3);
    begin_within(s, at);
}

static void read_byte(struct scan *s, size_t at)
{
    for (size_t i = 0; i < s->n_ways; i++)
        go_on(s, &s->ways[i], secret_fold(s->text.data[at]), at + 1);
}

/* Those that read the same as the first, or less of it. */
static void drop_ways(struct scan *s)
{
    size_t n = 1;
    for (size_t i = 1; i < s->n_ways; i++)
        if (s->ways[i].begin < s->ways[i].until)
            s->ways[n++] = s->ways[i];
    s->n_ways = n;
}

static void read_text(struct scan *s, size_t end)
{
    for (size_t at = 0; at < end;) {
        if (s->n_ways == 1 && s->ways[0].node == 0) {
            while (at < end && !s->redactor->begins[(unsigned char)s->text.data[at]])
                at++;
            s->ways[0].begin = at;
            if (at == end)
                return;
        }
        int code = code_at(s->text, at);
        if (code >= 0)
            read_code(s, at, code);
        else
            read_byte(s, at);
        at += code >= 0 ? 3 : 1;
        drop_ways(s);
    }
}

/* Where a code begins that was cut off; at the end if none was. */
static size_t cut_code(struct str text)
{
    for (size_t n = 1; n <= 2 && n <= text.len; n++)
        if (text.data[text.len - n] == '%' && (n == 1 || digit_of(text.data[text.len - 1]) >= 0))
            return text.len - n;
    return text.len;
}

static void run(const struct redactor *redactor, struct str text, bool cut, struct buf *to)
{
    if (redactor == NULL || redactor->is_empty || text.len == 0) {
        buf_append(to, text);
        return;
    }
    struct scan s = { .redactor = redactor, .text = text, .to = to, .n_ways = 1 };
    size_t end = cut ? cut_code(text) : text.len;
    read_text(&s, end);
    if (cut && earliest(&s) < text.len)
        add_find(&s, earliest(&s), text.len);
    for (size_t i = 0; i < s.n_finds; i++)
        show_find(&s, s.finds[i]);
    buf_append(to, str_slice(text, s.shown, text.len));
}

void redact(const struct redactor *redactor, struct str text, struct buf *to)
{
    run(redactor, text, false, to);
}

void redact_cut(const struct redactor *redactor, struct str text, struct buf *to)
{
    run(redactor, text, true, to);
}

void redact_sentence(const struct redactor *redactor, struct str text, bool cut, struct buf *to)
{
    for (;;) {
        const char *mark = memmem(text.data, text.len, ERROR_CUT, strlen(ERROR_CUT));
        size_t end = mark != NULL ? (size_t)(mark - text.data) : text.len;
        run(redactor, str_slice(text, 0, end), cut || mark != NULL, to);
        if (mark == NULL)
            return;
        buf_append_c(to, ERROR_CUT);
        text = str_slice(text, end + strlen(ERROR_CUT), text.len);
    }
}
