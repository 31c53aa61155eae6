/* SPDX-License-Identifier: Apache-2.0 */
/* `rpcgate explain --caller NAME`: may that caller make the call, and which rule says so? By the
 * gateway's own judgement (rules/access.h). */
#include "tool/explain.h"

#include "codec/json/scan.h"
#include "config/indexes.h"
#include "rules/access.h"
#include "rules/path.h"
#include "tool/command.h"
#include "tool/reply.h"
#include "tool/rights.h"

#include <stdio.h>
#include <sysexits.h>

static bool is_sealed(const struct access_rule_config *rule)
{
    bool sealed = rule->origins[ACCESS_RULE_match].unresolved;
    for (size_t i = 0; i < rule->n_params; i++)
        sealed |= rule->params[i].origins[PARAM_RULE_at].unresolved ||
                  rule->params[i].origins[PARAM_RULE_in].unresolved;
    return sealed;
}

/* As the file has it. */
static void add_rule(const struct access_rule_config *rule, struct buf *to)
{
    const char *match = rule->origins[ACCESS_RULE_match].shown;
    if (rule->n_params == 0) {
        buf_append_c(to, match);
        return;
    }
    buf_printf(to, "{ match = %s; params = ( ", match);
    for (size_t i = 0; i < rule->n_params; i++)
        buf_printf(to, "%s{ at = %s; in = %s; }", i > 0 ? ", " : "",
                   rule->params[i].origins[PARAM_RULE_at].shown,
                   rule->params[i].origins[PARAM_RULE_in].shown);
    buf_append_c(to, " ); }");
}

/* "callers[0].allow[1], rpcgate.conf:12: RULE" */
static void add_place(const struct tool_rights *rights, bool deny, size_t i, struct buf *to)
{
    const struct access_rules *rules = deny ? &rights->access.deny : &rights->access.allow;
    const struct access_rule_config *rule = &rules->items[i];
    buf_printf(to, "%s.%s[%zu], %s:%u: ", rights->owner, deny ? "deny" : "allow", i,
               rule->place.file, rule->place.line);
    add_rule(rule, to);
    buf_append_byte(to, '\n');
}

static void add_other(const struct tool_rights *rights, bool deny, size_t i, const char *why,
                      struct buf *to)
{
    buf_printf(to, "  %s: ", why);
    add_place(rights, deny, i, to);
}

/* Rules that a reader would look at, too: about the method, but not about these params; and those
 * of which a secret would have to be opened. */
static void add_others(const struct tool_rights *rights, const struct access_call *call,
                       struct buf *to)
{
    for (unsigned deny = 0; deny <= 1; deny++) {
        const struct access_rules *rules = deny ? &rights->access.deny : &rights->access.allow;
        for (size_t i = 0; i < rules->n; i++) {
            if (is_sealed(&rules->items[i]))
                add_other(rights, deny, i, "not judged, for a secret is in it", to);
            else if (access_rule_names(&rules->items[i], call) &&
                     !access_rule_matches(rules, i, call, deny))
                add_other(rights, deny, i, "about this method, but not with these params", to);
        }
    }
}

static void add_decision(const struct tool_rights *rights, const struct access_call *call,
                         const struct access_decision *decision, struct buf *to)
{
    buf_append_c(to, decision->may ? "allowed: " : "refused: ");
    if (decision->by_rule) {
        add_place(rights, !decision->may, decision->rule, to);
        return;
    }
    buf_printf(to, "no rule of %s.allow is about this call\n", rights->owner);
    if (!access_may_see(&rights->access, call->upstream))
        buf_printf(to,
                   "  It may use nothing of this upstream, so it is answered as if there were none "
                   "(404).\n");
    add_others(rights, call, to);
}

static int tell(const struct tool_rights *rights, const struct access_call *call)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX - 1, NULL);
    struct access_decision decision = access_decide(&rights->access, call);
    if (str_eq(call->method, STR("system.multicall"))) {
        decision.may = false;
        buf_append_c(&text, "refused: nobody may call system.multicall by name; a batch is judged "
                            "call by call\n");
    } else {
        add_decision(rights, call, &decision, &text);
    }
    if (!command_write(buf_str(&text)))
        return EX_IOERR;
    return decision.may ? EX_OK : EX_NOPERM;
}

int explain_access(const struct config *config, const char *caller, const struct access_call *call)
{
    struct tool_rights rights;
    struct error err;
    if (!tool_rights_find(config, caller, &rights))
        return command_misuse("explain", "the configuration has no caller \"%s\"", caller);
    if (path_check_method_name(call->method, &err) &&
        json_scan_all(call->params, (unsigned)config->limits.depth, &err))
        return tell(&rights, call);
    fprintf(stderr, "rpcgate: %s\n", err.detail);
    return reply_status(err.type);
}
