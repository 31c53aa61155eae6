/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/patterns.h"

#include "base/alloc.h"
#include "settings/store.h"

#include <assert.h>
#include <stdlib.h>

/* Which of the sorted texts begin with a node's bytes. */
struct span {
    size_t begin, end;
};

struct build {
    struct patterns *patterns;
    const struct str *texts;
    struct span *spans; /* by node */
    uint32_t n_nodes;
};

static int compare(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static size_t common(struct str a, struct str b)
{
    size_t n = 0;
    while (n < a.len && n < b.len && a.data[n] == b.data[n])
        n++;
    return n;
}

static size_t count_nodes(const struct str *texts, size_t n)
{
    size_t nodes = 1;
    for (size_t i = 0; i < n; i++)
        nodes += texts[i].len - (i > 0 ? common(texts[i - 1], texts[i]) : 0);
    assert(nodes <= UINT32_MAX);
    return nodes;
}

static uint32_t child(const struct patterns *p, uint32_t at, unsigned char byte)
{
    const struct pattern_node *node = &p->nodes[at];
    uint32_t low = node->children, high = low + node->n_children;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (p->nodes[middle].byte == byte)
            return middle;
        if (p->nodes[middle].byte < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

uint32_t patterns_step(const struct patterns *p, uint32_t at, unsigned char byte)
{
    if (!p->occurs[byte])
        return 0;
    for (; at != 0; at = p->nodes[at].fallback) {
        uint32_t next = child(p, at, byte);
        if (next != 0)
            return next;
    }
    return p->first[byte];
}

static void add_child(struct build *b, uint32_t parent, struct span span)
{
    struct patterns *p = b->patterns;
    uint32_t at = b->n_nodes++;
    struct pattern_node *node = &p->nodes[at];
    node->depth = p->nodes[parent].depth + 1;
    node->byte = (unsigned char)b->texts[span.begin].data[node->depth - 1];
    b->spans[at] = span;
    p->nodes[parent].n_children++;
    p->occurs[node->byte] = true;
    if (parent == 0)
        p->first[node->byte] = at;
    else
        node->fallback = patterns_step(p, p->nodes[parent].fallback, node->byte);
    /* The first of its texts, in their order, is the one that ends here, if one does. */
    node->found = b->texts[span.begin].len == node->depth ? at : p->nodes[node->fallback].found;
}

/* Those of less depth have theirs already, which the fallbacks need. */
static void add_children(struct build *b, uint32_t parent)
{
    size_t depth = b->patterns->nodes[parent].depth;
    struct span all = b->spans[parent];
    b->patterns->nodes[parent].children = b->n_nodes;
    while (all.begin < all.end && b->texts[all.begin].len == depth)
        all.begin++;
    while (all.begin < all.end) {
        size_t end = all.begin + 1;
        while (end < all.end && b->texts[end].data[depth] == b->texts[all.begin].data[depth])
            end++;
        add_child(b, parent, (struct span){ all.begin, end });
        all.begin = end;
    }
}

void patterns_init(struct patterns *p, struct store *store, struct str *texts, size_t n)
{
    *p = (struct patterns){ 0 };
    if (n > 0)
        qsort(texts, n, sizeof *texts, compare);
    size_t n_nodes = count_nodes(texts, n);
    struct build b = { .patterns = p, .texts = texts, .n_nodes = 1 };
    p->nodes = store_secret_alloc(store, n_nodes, sizeof *p->nodes);
    b.spans = xcalloc(n_nodes, sizeof *b.spans);
    b.spans[0] = (struct span){ 0, n };
    for (uint32_t at = 0; at < b.n_nodes; at++)
        add_children(&b, at);
    assert(b.n_nodes == n_nodes);
    free(b.spans);
}
