/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/words.h"

#include "base/str.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct word {
    const char *name;
    unsigned value;
};

/* False: told. */
static bool find(const char *option, struct str name, const struct word *words, size_t n,
                 unsigned *ret)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq_c(name, words[i].name)) {
            *ret = words[i].value;
            return true;
        }
    }
    fprintf(stderr, "rpcgate: %s takes", option);
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "%s %s", i > 0 ? "," : "", words[i].name);
    fprintf(stderr, "; not \"%.*s\"\n", STR_ARGS(name));
    return false;
}

bool words_types(const char *argument, enum types_form *ret)
{
#define X(word, name) { name, TYPES_##word },
    static const struct word words[] = { TYPES_FORM_LIST(X) };
#undef X
    unsigned value = 0;
    bool found = find("--types", str_of(argument), words, ARRAY_LEN(words), &value);
    *ret = (enum types_form)value;
    return found;
}

bool words_integers(const char *argument, enum integers_form *ret)
{
#define X(word, name) { name, INTEGERS_##word },
    static const struct word words[] = { INTEGERS_FORM_LIST(X) };
#undef X
    unsigned value = 0;
    bool found = find("--integers", str_of(argument), words, ARRAY_LEN(words), &value);
    *ret = (enum integers_form)value;
    return found;
}

bool words_text(const char *argument, enum text_policy *ret)
{
#define X(word, name) { name, TEXT_##word },
    static const struct word words[] = { TEXT_POLICY_LIST(X) };
#undef X
    unsigned value = 0;
    bool found = find("--text", str_of(argument), words, ARRAY_LEN(words), &value);
    *ret = (enum text_policy)value;
    return found;
}

bool words_dates(const char *argument, enum dates_form *ret)
{
#define X(word, name) { name, DATES_##word },
    static const struct word words[] = { DATES_FORM_LIST(X) };
#undef X
    unsigned value = 0;
    bool found = find("--dates", str_of(argument), words, ARRAY_LEN(words), &value);
    *ret = (enum dates_form)value;
    return found;
}

bool words_extensions(const char *argument, unsigned *set)
{
#define X(word, name) { name, EXTENSION_##word },
    static const struct word words[] = { EXTENSION_LIST(X) };
#undef X
    while (*argument != '\0') {
        size_t len = strcspn(argument, ",");
        unsigned value = 0;
        if (!find("--extensions", (struct str){ argument, len }, words, ARRAY_LEN(words), &value))
            return false;
        *set |= value;
        argument += len;
        argument += *argument == ',';
    }
    return true;
}
