/* SPDX-License-Identifier: Apache-2.0 */
/* Tells while a struct of many members is read whether one of its names comes twice, so that there
 * is not all of that work at its end. One hash table for all open structs of that size: what is
 * added last leaves first, so each chain's head is its newest name. */
#include "codec/decode_private.h"

#define HEADS_FIRST ((size_t)64)

struct link {
    uint32_t member; /* index in d->members */
    uint32_t hash;
    uint32_t older; /* index + 1 of the next in its chain; 0: none */
};

static struct link *links_of(const struct decoder *d)
{
    return (struct link *)(void *)d->table.links.data;
}

static uint32_t *heads_of(const struct decoder *d)
{
    return (uint32_t *)(void *)d->table.heads.data;
}

static struct str name_of(const struct decoder *d, size_t member)
{
    const struct member *m = (const struct member *)(void *)d->members.data + member;
    return (struct str){ buf_c(&d->names) + m->name, m->len };
}

static void put_link(struct decoder *d, size_t i)
{
    struct link *link = links_of(d) + i;
    uint32_t *head = heads_of(d) + (link->hash & (d->table.n_heads - 1));
    link->older = *head;
    *head = (uint32_t)i + 1;
}

static bool make_heads(struct decoder *d, size_t n_heads)
{
    struct name_table *t = &d->table;
    buf_clear(&t->heads);
    if (!buf_reserve(&t->heads, n_heads * sizeof(uint32_t)))
        return decode_fail_buf(d, &t->heads);
    memset(t->heads.data, 0, n_heads * sizeof(uint32_t));
    t->n_heads = n_heads;
    for (size_t i = 0; i < t->n; i++) /* The oldest first: each chain stays in order. */
        put_link(d, i);
    return true;
}

static bool is_known(const struct decoder *d, const struct frame *of, uint32_t hash,
                     struct str name)
{
    const struct link *links = links_of(d);
    for (uint32_t i = heads_of(d)[hash & (d->table.n_heads - 1)]; i != 0; i = links[i - 1].older) {
        if (links[i - 1].member < of->members) /* All that follow are of outer structs, too. */
            return false;
        if (links[i - 1].hash == hash && str_eq(name_of(d, links[i - 1].member), name))
            return true;
    }
    return false;
}

static bool add_name(struct decoder *d, struct frame *of, size_t member)
{
    struct name_table *t = &d->table;
    struct str name = name_of(d, member);
    uint32_t hash = (uint32_t)sip_hash(&t->key, name);
    if (t->n >= t->n_heads && !make_heads(d, t->n_heads == 0 ? HEADS_FIRST : t->n_heads * 4))
        return false;
    if (is_known(d, of, hash, name)) {
        of->twice = true;
        return true;
    }
    if (!buf_reserve(&t->links, sizeof(struct link)))
        return decode_fail_buf(d, &t->links);
    t->links.len += sizeof(struct link);
    links_of(d)[t->n] = (struct link){ .member = (uint32_t)member, .hash = hash };
    put_link(d, t->n++);
    return true;
}

void names_add(struct decoder *d, struct frame *of)
{
    size_t end = of->members + of->count;
    size_t from = of->count == MEMBERS_FEW + 1 ? of->members : end - 1;
    while (from < end && add_name(d, of, from))
        from++;
}

void names_close(struct decoder *d, const struct frame *of)
{
    struct name_table *t = &d->table;
    const struct link *links = links_of(d);
    while (t->n > 0 && links[t->n - 1].member >= of->members) {
        const struct link *link = links + --t->n;
        heads_of(d)[link->hash & (t->n_heads - 1)] = link->older;
        t->links.len -= sizeof *link;
    }
}
