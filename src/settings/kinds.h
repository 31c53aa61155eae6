/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of settings: how each is read from text. Defaults and bounds are read by the same
 * functions as the file's values. Pure. */
#ifndef RPCGATE_SETTINGS_KINDS_H
#define RPCGATE_SETTINGS_KINDS_H

#include "base/buf.h"
#include "base/str.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a setting is written in the file. */
enum setting_type {
    SETTING_GROUP,
    SETTING_LIST, /* of either kind, [ ] and ( ) */
    SETTING_TEXT,
    SETTING_INTEGER,
    SETTING_DECIMAL,
    SETTING_FLAG
};

/* What a setting becomes: a number (also of an enum or flag), a text, texts, a set of bits, a
 * struct fault_code, texts with names, or a tree of struct route_shape. */
enum kind_form {
    FORM_NUMBER,
    FORM_TEXT,
    FORM_TEXTS,
    FORM_WORDS,
    FORM_CODE,
    FORM_NAMED,
    FORM_SHAPES
};

struct word {
    const char *text;
    int64_t value;
};

struct kind {
    const char *name;    /* for users */
    const char *written; /* how, in Markdown */
    enum kind_form form;
    enum setting_type type;   /* in the file */
    bool sensitive;           /* kept in memory for secrets */
    const struct word *words; /* NULL: none */
    size_t n_words;

    /* Of numbers and words. False: `why` ends a sentence that begins with the value. */
    bool (*parse)(const struct kind *kind, struct str text, int64_t *ret, struct buf *why);
    void (*put)(void *member, int64_t value);
    int64_t (*get)(const void *member);
    /* Of texts. False: `why` has a sentence, which has nothing of a secret in it. */
    bool (*check)(struct str text, struct buf *why);
};

enum kind_id {
#define K(kind, form, name, written) KIND_##kind,
    KIND_LIST(K)
#undef K
        KINDS
};

extern const struct kind kinds[KINDS];

/* Is all of its text a secret? */
static inline bool kind_is_secret(const struct kind *kind)
{
    return kind == &kinds[KIND_secret] || kind == &kinds[KIND_secrets] ||
           kind == &kinds[KIND_auth_secret];
}

/* Is each of its texts a header line? */
static inline bool kind_is_headers(const struct kind *kind)
{
    return kind == &kinds[KIND_headers] || kind == &kinds[KIND_own_headers] ||
           kind == &kinds[KIND_header_templates];
}

/* "`a`, `b` and `c`" */
void kind_list_words(const struct kind *kind, struct buf *to);

#endif
