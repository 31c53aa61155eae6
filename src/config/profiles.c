/* SPDX-License-Identifier: Apache-2.0 */
#include "config/profiles.h"

#include "config/findings.h"
#include "config/source.h"
#include "config/syntax.h"

#include <assert.h>

const struct profile_text *profile_find(struct str name)
{
    for (size_t i = 0; i < n_profile_texts; i++) {
        if (str_eq_c(name, profile_texts[i].name))
            return &profile_texts[i];
    }
    return NULL;
}

/* The first line is `# NAME: TITLE`. */
struct str profile_title(const struct profile_text *profile)
{
    struct str text = str_of(profile->text);
    struct str line = str_slice(text, 0, str_find(text, '\n'));
    size_t colon = str_find(line, ':');
    return str_trim(str_slice(line, colon < line.len ? colon + 1 : colon, line.len));
}

static void move(struct setting *setting, struct place place)
{
    setting->place = place;
    for (size_t i = 0; i < setting->n; i++)
        move(&setting->items[i], place);
}

struct setting *profile_settings(const struct profile_text *profile, struct store *store,
                                 struct place place)
{
    struct findings findings = { 0 };
    struct source source;
    struct marks marks = { 0 };
    source_init(&source, store, &findings);
    struct setting *root = NULL;
    if (source_take(&source, profile->name, str_of(profile->text)) &&
        syntax_check(&source, &findings, &marks))
        root = config_file_parse(&source, &marks, &findings);
    marks_done(&marks);
    source_done(&source);
    findings_done(&findings);
    assert(root != NULL && root->n == 1); /* the unit tests read each of them */
    move(root, place);
    return root;
}

void profile_mark(struct setting *setting, const char *name)
{
    setting->place.profile = name;
    for (size_t i = 0; i < setting->n; i++)
        profile_mark(&setting->items[i], name);
}
