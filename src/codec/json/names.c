/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/names.h"

#include "codec/json/cursor.h"
#include "codec/value/text_repair.h"

#define HEADS_FIRST ((size_t)64)
#define MEMORY_MAX (SIZE_MAX / 4)

struct json_name {
    uint64_t hash;
    struct str text; /* without quotes, with escapes; borrowed */
    uint32_t older;  /* index + 1 of the next in its chain; 0: none */
    unsigned depth;
};

static struct json_name *names_of(const struct json_names *s)
{
    return (struct json_name *)(void *)s->names.data;
}

static uint32_t *heads_of(const struct json_names *s)
{
    return (uint32_t *)(void *)s->heads.data;
}

/* The name without escapes. */
static struct str plain_text(struct str text, struct buf *scratch)
{
    if (text.len == 0 || memchr(text.data, '\\', text.len) == NULL)
        return text;
    buf_clear(scratch);
    json_unquote((struct str){ text.data - 1, text.len + 2 }, scratch);
    return (struct str){ buf_c(scratch), scratch->len };
}

/* How the name, without escapes, will be written. */
static struct str written_text(const struct json_names *s, struct str plain,
                               struct json_name_text *scratch)
{
    if (LIKELY(s->policy == TEXT_REJECT) || text_is_xml(plain))
        return plain;
    buf_clear(&scratch->written);
    text_repair(plain, s->policy, &scratch->written);
    return (struct str){ buf_c(&scratch->written), scratch->written.len };
}

static bool text_ok(const struct json_name_text *scratch)
{
    return buf_ok(&scratch->plain) && buf_ok(&scratch->written);
}

static void link_name(struct json_names *s, size_t i)
{
    struct json_name *name = names_of(s) + i;
    uint32_t *head = heads_of(s) + (name->hash & (s->n_heads - 1));
    name->older = *head;
    *head = (uint32_t)i + 1;
}

static bool make_heads(struct json_names *s, size_t n_heads)
{
    buf_clear(&s->heads);
    if (!buf_reserve(&s->heads, n_heads * sizeof(uint32_t)))
        return false;
    memset(s->heads.data, 0, n_heads * sizeof(uint32_t));
    s->n_heads = n_heads;
    for (size_t i = 0; i < s->n; i++) /* The oldest first: each chain stays in order. */
        link_name(s, i);
    return true;
}

static void text_init(struct json_name_text *scratch, struct budget *budget)
{
    buf_init(&scratch->plain, MEMORY_MAX, budget);
    buf_init(&scratch->written, MEMORY_MAX, budget);
}

void json_names_init(struct json_names *s, struct budget *budget)
{
    *s = (struct json_names){ 0 };
    buf_init(&s->names, MEMORY_MAX, budget);
    buf_init(&s->heads, MEMORY_MAX, budget);
    text_init(&s->text, budget);
    text_init(&s->other, budget);
}

void json_names_done(struct json_names *s)
{
    buf_done(&s->names);
    buf_done(&s->heads);
    buf_done(&s->text.plain);
    buf_done(&s->text.written);
    buf_done(&s->other.plain);
    buf_done(&s->other.written);
}

/* What a large document has needed is given back. */
static void shrink(struct buf *b)
{
    if (b->cap > 64 * 1024)
        buf_done(b);
    else
        buf_clear(b);
}

void json_names_clear(struct json_names *s)
{
    s->policy = TEXT_REJECT;
    s->seen = 0;
    s->escaped = false;
    s->judged = 0;
    s->repaired = false;
    s->n = 0;
    s->n_heads = 0;
    shrink(&s->names);
    shrink(&s->heads);
    shrink(&s->text.plain);
    shrink(&s->text.written);
    shrink(&s->other.plain);
    shrink(&s->other.written);
}

static bool is_written(struct json_names *s, const struct json_name *name, struct str written)
{
    struct str plain = plain_text(name->text, &s->other.plain);
    return str_eq(written_text(s, plain, &s->other), written);
}

/* The name at that depth which is written as this one; NULL: there is none. */
static const struct json_name *find_name(struct json_names *s, unsigned depth, uint64_t hash,
                                         struct str written)
{
    const struct json_name *names = names_of(s);
    for (uint32_t i = heads_of(s)[hash & (s->n_heads - 1)]; i != 0; i = names[i - 1].older) {
        const struct json_name *name = names + i - 1;
        if (name->depth < depth) /* All that follow are of outer objects, too. */
            return NULL;
        if (name->hash == hash && is_written(s, name, written))
            return name;
    }
    return NULL;
}

/* A name that is written as a known one: is it the same? */
static enum json_names_result compare(struct json_names *s, struct str plain,
                                      const struct json_name *known)
{
    if (s->policy == TEXT_REJECT)
        return JSON_NAMES_TWICE;
    bool same = str_eq(plain, plain_text(known->text, &s->other.plain));
    return same ? JSON_NAMES_TWICE : JSON_NAMES_ALIKE;
}

/* Where the last whole character ends of what there is; the one that stands last may go on. */
static size_t whole_characters(struct str text, size_t from)
{
    size_t end = text.len;
    while (end > from && ((unsigned char)text.data[end - 1] & 0xC0) == 0x80)
        end--;
    return end > from && (unsigned char)text.data[end - 1] >= 0xC0 ? end - 1 : end;
}

/* Looks at what it has not seen of the name without escapes, up to `end`. */
static void judge(struct json_names *s, struct str plain, size_t end)
{
    if (!s->repaired) {
        struct str known = str_slice(plain, 0, end);
        size_t at = text_find_forbidden(known, s->judged);
        s->judged = at;
        if (at == end)
            return;
        s->repaired = true;
        buf_clear(&s->text.written);
        if (s->policy == TEXT_REPLACE)
            buf_append(&s->text.written, str_slice(plain, 0, at));
    }
    if (s->policy == TEXT_REPLACE)
        text_repair(str_slice(plain, s->judged, end), TEXT_REPLACE, &s->text.written);
    s->judged = end;
}

/* What there is of it so far, without escapes. */
static struct str plain_so_far(const struct json_names *s, struct str text)
{
    return s->escaped ? (struct str){ buf_c(&s->text.plain), s->text.plain.len } : text;
}

static void read_part(struct json_names *s, struct str text)
{
    struct str part = str_slice(text, s->seen, text.len);
    if (!s->escaped && part.len > 0 && memchr(part.data, '\\', part.len) != NULL) {
        s->escaped = true;
        buf_clear(&s->text.plain);
        buf_append(&s->text.plain, str_slice(text, 0, s->seen));
    }
    if (s->escaped)
        json_unquote_part(part.data, part.data + part.len, &s->text.plain);
    s->seen = text.len;
}

void json_names_part(struct json_names *s, struct str text)
{
    read_part(s, text);
    struct str plain = plain_so_far(s, text);
    if (s->policy != TEXT_REJECT)
        judge(s, plain, whole_characters(plain, s->judged));
}

/* The end of a name of which json_names_part() has seen most; without escapes in `plain`. Returns
 * how it is written. */
static struct str read_last_part(struct json_names *s, struct str text, struct str *plain)
{
    read_part(s, text);
    *plain = plain_so_far(s, text);
    struct str written = *plain;
    if (s->policy != TEXT_REJECT)
        judge(s, *plain, plain->len);
    if (s->repaired) {
        if (s->policy == TEXT_BASE64)
            text_repair(*plain, TEXT_BASE64, &s->text.written);
        written = (struct str){ buf_c(&s->text.written), s->text.written.len };
    }
    s->seen = 0;
    s->escaped = false;
    s->judged = 0;
    s->repaired = false;
    return written;
}

static struct str read_name(struct json_names *s, struct str text, struct str *plain)
{
    if (UNLIKELY(s->seen > 0))
        return read_last_part(s, text, plain);
    *plain = plain_text(text, &s->text.plain);
    return written_text(s, *plain, &s->text);
}

enum json_names_result json_names_add(struct json_names *s, unsigned depth, struct str text)
{
    if (s->n >= s->n_heads && !make_heads(s, s->n_heads == 0 ? HEADS_FIRST : s->n_heads * 4))
        return JSON_NAMES_NO_MEMORY;
    struct str plain;
    struct str written = read_name(s, text, &plain);
    if (!text_ok(&s->text) || s->n + 1 >= UINT32_MAX)
        return JSON_NAMES_NO_MEMORY;
    sip_key_need(&s->key);
    uint64_t hash = sip_hash(&s->key, written);
    const struct json_name *known = find_name(s, depth, hash, written);
    if (!text_ok(&s->other))
        return JSON_NAMES_NO_MEMORY;
    if (known != NULL)
        return compare(s, plain, known);
    if (!buf_reserve(&s->names, sizeof(struct json_name)))
        return JSON_NAMES_NO_MEMORY;
    s->names.len += sizeof(struct json_name);
    names_of(s)[s->n] = (struct json_name){ .hash = hash, .text = text, .depth = depth };
    link_name(s, s->n++);
    return JSON_NAMES_ADDED;
}

void json_names_close(struct json_names *s, unsigned depth)
{
    struct json_name *names = names_of(s);
    while (s->n > 0 && names[s->n - 1].depth == depth) {
        const struct json_name *name = names + --s->n;
        heads_of(s)[name->hash & (s->n_heads - 1)] = name->older;
        s->names.len -= sizeof *name;
    }
}
