/* SPDX-License-Identifier: Apache-2.0 */
/* What `inject` adds to a call, as `rpcgate explain` shows it: which params, members and lines, and
 * for each value `***`, whatever it is. */
#include "tool/explain.h"

#include "base/alloc.h"
#include "settings/match.h"

#include <stdlib.h>
#include <string.h>

#define HIDDEN STR("<value>***</value>")

static const struct inject_rule_config *find(const struct upstream_config *u, struct str method)
{
    for (size_t i = 0; i < u->n_inject; i++)
        if (match_text(&u->inject[i].match, method))
            return &u->inject[i];
    return NULL;
}

static void hide_params(const struct inject_rule_config *rule, struct explain_added *ret)
{
    ret->values = xcalloc(rule->params.n + 1, sizeof *ret->values);
    ret->members = xcalloc(rule->member.n + 1, sizeof *ret->members);
    for (size_t i = 0; i < rule->params.n; i++)
        ret->values[i] = HIDDEN;
    for (size_t i = 0; i < rule->member.n; i++)
        ret->members[i] = (struct encode_member){ str_of(rule->member.items[i].name), HIDDEN };
    ret->around = (struct encode_around){ .values = ret->values,
                                          .n_values = rule->params.n,
                                          .at = rule->at < 0 ? ENCODE_BEHIND : (size_t)rule->at,
                                          .members = ret->members,
                                          .n_members = rule->member.n,
                                          .in = (size_t)rule->in };
}

static void hide_request(const struct inject_rule_config *rule, struct explain_added *ret)
{
    ret->lines = xcalloc(rule->headers.n + 1, sizeof *ret->lines);
    for (size_t i = 0; i < rule->headers.n; i++) {
        struct str line = str_of(rule->headers.items[i]);
        ret->lines[i] =
            (struct upstream_line){ str_slice(line, 0, str_find(line, ':')), STR("***") };
    }
    ret->added = (struct upstream_added){ .lines = ret->lines, .n_lines = rule->headers.n };
    if (rule->path != NULL)
        ret->added.path = strpbrk(rule->path, "{}") == NULL ? str_of(rule->path) : STR("***");
}

void explain_added_init(struct explain_added *a, const struct upstream_config *u, struct str method)
{
    *a = (struct explain_added){ .rule = find(u, method) };
    if (a->rule == NULL)
        return;
    hide_params(a->rule, a);
    hide_request(a->rule, a);
}

void explain_added_done(struct explain_added *a)
{
    free(a->values);
    free(a->members);
    free(a->lines);
}

void explain_added_tell(const struct explain_added *a, struct buf *to)
{
    const struct inject_rule_config *rule = a->rule;
    if (rule == NULL)
        return;
    const struct {
        bool is_there;
        const char *name;
    } parts[] = { { rule->params.n > 0, "params" },
                  { rule->member.n > 0, "members" },
                  { rule->headers.n > 0, "header lines" },
                  { rule->cookies, "the session's cookies" },
                  { rule->path != NULL, "a part of the path" } };
    const char *before = "";
    if (rule->place.built_in)
        buf_printf(to, "# The entry of `inject` of the profile %s adds ", rule->place.profile);
    else
        buf_printf(to, "# The entry of `inject` of %s, line %u, adds ",
                   rule->place.file != NULL ? rule->place.file : "no file", rule->place.line);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (!parts[i].is_there)
            continue;
        buf_printf(to, "%s%s", before, parts[i].name);
        before = ", ";
    }
    buf_append_c(to, *before != '\0' ? "; each value shows as ***.\n" : "nothing.\n");
}
