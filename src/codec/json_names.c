/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json_names.h"

#include "codec/json_cursor.h"

#include <sys/random.h>

#define HEADS_FIRST ((size_t)64)
#define MEMORY_MAX (SIZE_MAX / 4)

struct json_name {
    uint64_t hash;
    struct str text; /* without quotes, with escapes; borrowed */
    uint32_t older;  /* index + 1 of the next in its chain; 0: none */
    unsigned depth;
};

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson and Bernstein, 2012). */
static uint64_t sip_hash(const uint64_t key[2], struct str s)
{
    uint64_t v[4] = { key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                      key[0] ^ UINT64_C(0x6c7967656e657261),
                      key[1] ^ UINT64_C(0x7465646279746573) };
    uint64_t m;
    size_t at = 0;
    for (; s.len - at >= sizeof m; at += sizeof m) {
        memcpy(&m, s.data + at, sizeof m);
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    m = (uint64_t)s.len << 56;
    for (size_t i = 0; at + i < s.len; i++)
        m |= (uint64_t)(unsigned char)s.data[at + i] << (8 * i);
    v[3] ^= m;
    sip_round(v);
    v[0] ^= m;
    v[2] ^= 0xFF;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static struct json_name *names_of(const struct json_names *s)
{
    return (struct json_name *)(void *)s->names.data;
}

static uint32_t *heads_of(const struct json_names *s)
{
    return (uint32_t *)(void *)s->heads.data;
}

/* The name without escapes; `scratch` holds it where it has any. */
static struct str plain_text(struct str text, struct buf *scratch)
{
    if (text.len == 0 || memchr(text.data, '\\', text.len) == NULL)
        return text;
    buf_clear(scratch);
    json_unquote((struct str){ text.data - 1, text.len + 2 }, scratch);
    return buf_str(scratch);
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

void json_names_init(struct json_names *s, struct budget *budget)
{
    *s = (struct json_names){ 0 };
    buf_init(&s->names, MEMORY_MAX, budget);
    buf_init(&s->heads, MEMORY_MAX, budget);
    buf_init(&s->text, MEMORY_MAX, budget);
    buf_init(&s->other, MEMORY_MAX, budget);
    if (getrandom(s->key, sizeof s->key, GRND_NONBLOCK) != sizeof s->key)
        s->key[0] = (uint64_t)(uintptr_t)s; /* Early at boot: better than no key. */
}

void json_names_done(struct json_names *s)
{
    buf_done(&s->names);
    buf_done(&s->heads);
    buf_done(&s->text);
    buf_done(&s->other);
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
    s->n = 0;
    s->n_heads = 0;
    shrink(&s->names);
    shrink(&s->heads);
    shrink(&s->text);
    shrink(&s->other);
}

static bool is_known(struct json_names *s, unsigned depth, uint64_t hash, struct str plain)
{
    const struct json_name *names = names_of(s);
    for (uint32_t i = heads_of(s)[hash & (s->n_heads - 1)]; i != 0; i = names[i - 1].older) {
        const struct json_name *name = names + i - 1;
        if (name->depth < depth) /* All that follow are of outer objects, too. */
            return false;
        if (name->hash == hash && str_eq(plain_text(name->text, &s->other), plain))
            return true;
    }
    return false;
}

enum json_names_result json_names_add(struct json_names *s, unsigned depth, struct str text)
{
    if (s->n + 1 > s->n_heads && !make_heads(s, s->n_heads == 0 ? HEADS_FIRST : s->n_heads * 4))
        return JSON_NAMES_NO_MEMORY;
    struct str plain = plain_text(text, &s->text);
    if (!buf_ok(&s->text) || s->n + 1 >= UINT32_MAX)
        return JSON_NAMES_NO_MEMORY;
    uint64_t hash = sip_hash(s->key, plain);
    if (is_known(s, depth, hash, plain))
        return buf_ok(&s->other) ? JSON_NAMES_TWICE : JSON_NAMES_NO_MEMORY;
    if (!buf_ok(&s->other) || !buf_reserve(&s->names, sizeof(struct json_name)))
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
