/* SPDX-License-Identifier: Apache-2.0 */
/* Tells while a struct of many members is read whether one of its names has come before, so that
 * there is not all of that work at its end. One hash table for all open structs of that size. It
 * grows by further levels beside those that are there, each with its own heads, so that no name
 * costs the moving of all others, and an ended struct leaves whole levels at once: the rest is
 * taken out of one level, whose size is bounded. What is added last leaves first, so each chain's
 * head is its newest name. */
#include "codec/xml/decode_private.h"

#include <stdlib.h>

/* Heads, and so names, of the first level; each has four times as many as the one before. */
#define HEADS_FIRST ((uint32_t)64)
#define HEADS_MOST ((uint32_t)65536)

struct link {
    uint32_t member; /* index in d->members */
    uint32_t hash;
    uint32_t older; /* index + 1 of the next in its chain; 0: none */
};

struct level {
    uint32_t *heads; /* index + 1 of the newest link; 0: none; owned */
    uint32_t n_heads;
    uint32_t first; /* index of its first link */
};

static struct link *links_of(const struct decoder *d)
{
    return (struct link *)(void *)d->table.links.data;
}

static struct level *levels_of(const struct decoder *d)
{
    return (struct level *)(void *)d->table.levels.data;
}

static struct str name_of(const struct decoder *d, size_t member)
{
    const struct member *m = (const struct member *)(void *)d->members.data + member;
    return (struct str){ buf_c(&d->names) + m->name, m->len };
}

static bool add_level(struct decoder *d)
{
    struct name_table *t = &d->table;
    struct budget *budget = t->levels.budget;
    uint32_t n = t->n_levels == 0 ? HEADS_FIRST : levels_of(d)[t->n_levels - 1].n_heads * 4;
    if (n > HEADS_MOST)
        n = HEADS_MOST;
    if (!buf_reserve(&t->levels, sizeof(struct level)))
        return decode_fail_buf(d, &t->levels);
    uint32_t *heads = budget_take(budget, n * sizeof *heads) ? calloc(n, sizeof *heads) : NULL;
    if (heads == NULL)
        return decode_fail(d, REFUSED_OVER_MEMORY, "there is no room for it in limits.memory");
    t->levels.len += sizeof(struct level);
    levels_of(d)[t->n_levels++] = (struct level){ heads, n, (uint32_t)t->n };
    return true;
}

static void drop_level(struct decoder *d)
{
    struct name_table *t = &d->table;
    struct level *last = levels_of(d) + --t->n_levels;
    budget_give(t->levels.budget, last->n_heads * sizeof *last->heads);
    free(last->heads);
    t->levels.len -= sizeof *last;
}

/* The one of that level that the struct has, or NOT_REPEATED. */
static size_t find_in(const struct decoder *d, const struct level *level, const struct frame *of,
                      const struct link *wanted)
{
    const struct link *links = links_of(d);
    struct str name = name_of(d, wanted->member);
    uint32_t i = level->heads[wanted->hash & (level->n_heads - 1)];
    for (; i != 0; i = links[i - 1].older) {
        if (links[i - 1].member < of->members) /* All that follow are of outer structs, too. */
            break;
        if (links[i - 1].hash == wanted->hash && str_eq(name_of(d, links[i - 1].member), name))
            return links[i - 1].member;
    }
    return NOT_REPEATED;
}

static size_t find(const struct decoder *d, const struct frame *of, const struct link *wanted)
{
    size_t found = NOT_REPEATED;
    for (size_t i = d->table.n_levels; i-- > 0 && found == NOT_REPEATED;)
        found = find_in(d, &levels_of(d)[i], of, wanted);
    return found;
}

static bool is_full(const struct decoder *d)
{
    const struct name_table *t = &d->table;
    if (t->n_levels == 0)
        return true;
    const struct level *last = levels_of(d) + t->n_levels - 1;
    return t->n == last->first + last->n_heads;
}

static size_t add_name(struct decoder *d, const struct frame *of, size_t member)
{
    struct name_table *t = &d->table;
    sip_key_need(&t->key);
    uint32_t hash = (uint32_t)sip_hash(&t->key, name_of(d, member));
    struct link link = { .member = (uint32_t)member, .hash = hash };
    size_t found = find(d, of, &link);
    if (found != NOT_REPEATED)
        return found;
    if (is_full(d) && !add_level(d))
        return NOT_REPEATED;
    if (!buf_reserve(&t->links, sizeof link)) {
        decode_fail_buf(d, &t->links);
        return NOT_REPEATED;
    }
    struct level *last = levels_of(d) + t->n_levels - 1;
    uint32_t *head = last->heads + (hash & (last->n_heads - 1));
    link.older = *head;
    t->links.len += sizeof link;
    links_of(d)[t->n] = link;
    *head = (uint32_t)++t->n;
    return NOT_REPEATED;
}

/* Those before it are in the table since there was one more than MEMBERS_FEW, and differ. */
size_t names_add(struct decoder *d, const struct frame *of)
{
    size_t newest = of->members + of->count - 1;
    if (of->count == MEMBERS_FEW + 1)
        for (size_t i = of->members; i < newest && !d->failed; i++)
            add_name(d, of, i);
    return d->failed ? NOT_REPEATED : add_name(d, of, newest);
}

void names_close(struct decoder *d, const struct frame *of)
{
    struct name_table *t = &d->table;
    const struct link *links = links_of(d);
    while (t->n_levels > 1) { /* the first one is kept for the next struct */
        const struct level *last = levels_of(d) + t->n_levels - 1;
        if (last->first < t->n && links[last->first].member < of->members)
            break;
        t->n = last->first;
        drop_level(d);
    }
    while (t->n > 0 && links[t->n - 1].member >= of->members) {
        const struct level *last = levels_of(d) + t->n_levels - 1;
        const struct link *link = links + --t->n;
        last->heads[link->hash & (last->n_heads - 1)] = link->older;
    }
    t->links.len = t->n * sizeof *links;
}

void names_clear(struct decoder *d)
{
    while (d->table.n_levels > 0)
        drop_level(d);
    d->table.n = 0;
    buf_done(&d->table.levels);
    buf_done(&d->table.links);
}
