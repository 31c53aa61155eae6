/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/access.h"

#include "rules/token.h"

/* No upstream's name has a `/`, so the first one parts a glob. */
static void split(const char *glob, struct str *upstream, struct str *method)
{
    struct str text = str_of(glob);
    size_t slash = str_find(text, '/');
    *upstream = (struct str){ text.data, slash };
    *method = slash < text.len ? str_slice(text, slash + 1, text.len) : (struct str){ NULL, 0 };
}

static bool matches(const struct access_rule_config *rules, size_t n, struct str upstream,
                    struct str method)
{
    for (size_t i = 0; i < n; i++) {
        struct str for_upstream, for_method;
        split(rules[i].match, &for_upstream, &for_method);
        if (glob_match(for_upstream, upstream) && glob_match(for_method, method))
            return true;
    }
    return false;
}

bool access_may_call(const struct access *access, struct str upstream, struct str method)
{
    return matches(access->allow, access->n_allow, upstream, method) &&
           !matches(access->deny, access->n_deny, upstream, method);
}

/* Does `wide` surely match whatever `narrow` does? Read as a text, a glob is matched by those that
 * are at least as wide, but for a `?` that meets a `*`. */
static bool covers(struct str wide, struct str narrow)
{
    return glob_match(wide, narrow) &&
           (str_find(wide, '?') == wide.len || str_find(narrow, '*') == narrow.len);
}

static bool all_denied(const struct access *access, struct str upstream, struct str allowed)
{
    for (size_t i = 0; i < access->n_deny; i++) {
        struct str for_upstream, for_method;
        split(access->deny[i].match, &for_upstream, &for_method);
        if (glob_match(for_upstream, upstream) && covers(for_method, allowed))
            return true;
    }
    return false;
}

bool access_may_see(const struct access *access, struct str upstream)
{
    for (size_t i = 0; i < access->n_allow; i++) {
        struct str for_upstream, for_method;
        split(access->allow[i].match, &for_upstream, &for_method);
        if (glob_match(for_upstream, upstream) && !all_denied(access, upstream, for_method))
            return true;
    }
    return false;
}

/* What names of upstreams are made of, and wildcards. */
static bool is_upstream_glob(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!token_is_one_of(s.data[i], "_-*?"))
            return false;
    return s.len > 0;
}

static bool is_method_glob(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] <= ' ' || s.data[i] == 0x7F)
            return false;
    return s.len > 0 && utf8_valid_prefix(s) == s.len;
}

bool access_glob_valid(struct str glob)
{
    size_t slash = str_find(glob, '/');
    return slash < glob.len && is_upstream_glob((struct str){ glob.data, slash }) &&
           is_method_glob(str_slice(glob, slash + 1, glob.len));
}
