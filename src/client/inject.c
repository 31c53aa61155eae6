/* SPDX-License-Identifier: Apache-2.0 */
#include "client/inject.h"

#include "base/alloc.h"
#include "settings/match.h"

#include <stdlib.h>

struct upstream_line inject_line(struct str text)
{
    size_t colon = str_find(text, ':');
    size_t behind = colon < text.len ? colon + 1 : colon;
    return (struct upstream_line){ str_trim(str_slice(text, 0, colon)),
                                   str_trim(str_slice(text, behind, text.len)) };
}

static bool same(const struct upstream_added *a, const struct upstream_added *b)
{
    if (a->n_lines != b->n_lines || !str_eq(a->path, b->path))
        return false;
    for (size_t i = 0; i < a->n_lines; i++)
        if (!str_eq(a->lines[i].name, b->lines[i].name) ||
            !str_eq(a->lines[i].value, b->lines[i].value))
            return false;
    return true;
}

static size_t find_kind(const struct inject *all, size_t i)
{
    const struct inject_rule_config *rule = all[i].rule;
    if (rule->needs_session && (rule->headers.n > 0 || rule->cookies || rule->path != NULL))
        return i + 1;
    if (all[i].added.n_lines == 0 && all[i].added.path.len == 0)
        return 0;
    for (size_t k = 0; k < i; k++)
        if (same(&all[k].added, &all[i].added))
            return all[k].kind;
    return i + 1;
}

static void make(struct inject *inject, const struct inject_rule_config *rule)
{
    inject->rule = rule;
    if (rule->needs_session)
        return;
    inject->lines = xcalloc(rule->headers.n > 0 ? rule->headers.n : 1, sizeof *inject->lines);
    for (size_t i = 0; i < rule->headers.n; i++)
        inject->lines[i] = inject_line(template_constant(&rule->header_templates[i]));
    inject->added = (struct upstream_added){ .lines = inject->lines,
                                             .n_lines = rule->headers.n,
                                             .path = template_constant(&rule->path_template) };
}

struct inject *inject_open(const struct upstream_config *upstream)
{
    size_t n = upstream->n_inject;
    if (n == 0)
        return NULL;
    struct inject *all = xcalloc(n, sizeof *all);
    for (size_t i = 0; i < n; i++) {
        make(&all[i], &upstream->inject[i]);
        all[i].kind = find_kind(all, i);
    }
    return all;
}

void inject_close(struct inject *all, const struct upstream_config *upstream)
{
    for (size_t i = 0; all != NULL && i < upstream->n_inject; i++)
        free(all[i].lines);
    free(all);
}

const struct inject *inject_find(const struct inject *all, const struct upstream_config *upstream,
                                 struct str method)
{
    for (size_t i = 0; all != NULL && i < upstream->n_inject; i++)
        if (match_text(&upstream->inject[i].match, method))
            return &all[i];
    return NULL;
}
