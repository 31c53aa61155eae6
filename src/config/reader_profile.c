/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles are read into an upstream before its own settings, which so replace theirs. */
#include "config/reader_inside.h"

#include "base/nearest.h"
#include "config/indexes.h"
#include "config/profiles.h"

#include <stdio.h>
#include <string.h>

#define NAMES_MAX 256

static struct setting *child(const struct setting *group, const char *name)
{
    for (size_t i = 0; group != NULL && group->type == SETTING_GROUP && i < group->n; i++) {
        if (group->items[i].name != NULL && strcmp(group->items[i].name, name) == 0)
            return &group->items[i];
    }
    return NULL;
}

const struct setting *reader_profiles(struct setting *root, struct store *store)
{
    struct setting *profiles = child(root, "profiles");
    for (size_t i = 0; profiles != NULL && profiles->type == SETTING_GROUP && i < profiles->n; i++)
        profile_mark(&profiles->items[i], store_text(store, str_of(profiles->items[i].name)));
    return profiles;
}

static void refuse_unknown(struct reader *r, const struct setting *at, const char *name)
{
    const char *names[NAMES_MAX];
    size_t n = 0;
    for (; n < n_profile_texts && n < NAMES_MAX; n++)
        names[n] = profile_texts[n].name;
    for (size_t i = 0; r->profiles != NULL && i < r->profiles->n && n < NAMES_MAX; i++)
        names[n++] = r->profiles->items[i].name;
    const char *nearest = nearest_name(name, names, n);
    if (nearest != NULL)
        findings_error(r->findings, at->place,
                       "%sprofile: there is no profile `%.80s`; did you mean `%s`?",
                       buf_c(&r->path), name, nearest);
    else
        findings_error(
            r->findings, at->place,
            "%sprofile: there is no profile `%.80s`; `rpcgate profiles` lists those that "
            "are built in",
            buf_c(&r->path), name);
}

/* Reads its settings under its own name: what is wrong with them is told of it, once. */
static void read_own(struct reader *r, const struct section *section, const struct setting *profile,
                     void *base)
{
    char path[READER_PATH_MAX];
    snprintf(path, sizeof path, "%s", buf_c(&r->path));
    buf_clear(&r->path);
    buf_printf(&r->path, "profiles.%.64s.", profile->name);
    reader_read(r, section, profile, base);
    buf_clear(&r->path);
    buf_append_c(&r->path, path);
}

static void read_built_in(struct reader *r, const struct section *section,
                          const struct profile_text *profile, struct place place, void *base)
{
    place.profile = profile->name;
    place.built_in = true;
    struct setting *root = profile_settings(profile, r->store, place);
    reader_read(r, section, &root->items[0], base);
    setting_free(root);
}

static void forget(struct origin *origin, char **text)
{
    if (origin->place.profile == NULL)
        return;
    *text = NULL;
    *origin = (struct origin){ .unused = true };
}

void reader_end_profile(struct upstream_config *u)
{
    struct auth_config *a = &u->auth;
    const struct place *scheme = &a->origins[AUTH_scheme].place;
    if (scheme->file == NULL || scheme->profile != NULL)
        return;
    if (a->scheme != AUTH_SCHEME_BASIC && a->scheme != AUTH_SCHEME_DIGEST) {
        forget(&a->origins[AUTH_username], &a->username);
        forget(&a->origins[AUTH_password], &a->password);
    }
    if (a->scheme != AUTH_SCHEME_BEARER)
        forget(&a->origins[AUTH_token], &a->token);
}

void reader_refuse_profile(struct reader *r, const struct setting *profile)
{
    const struct setting *inner = child(profile, "profile");
    if (inner != NULL)
        findings_error(r->findings, inner->place, "%sprofile: a profile cannot have a profile",
                       buf_c(&r->path));
}

void reader_read_profile(struct reader *r, const struct section *section,
                         const struct setting *upstream, void *base)
{
    const struct setting *named = child(upstream, "profile");
    if (named == NULL || named->bad || named->type != SETTING_TEXT)
        return; /* of another type: the reader tells */
    struct value name;
    struct buf ignored;
    value_init(&name);
    buf_init(&ignored, READER_WHY_MAX, NULL);
    if (substitute(&r->substitution, str_of(named->text), &name, &ignored) && !name.hidden) {
        const struct setting *own = child(r->profiles, buf_c(&name.text));
        const struct profile_text *built_in = profile_find(buf_str(&name.text));
        if (own != NULL)
            read_own(r, section, own, base);
        else if (built_in != NULL)
            read_built_in(r, section, built_in, named->place, base);
        else
            refuse_unknown(r, named, buf_c(&name.text));
    }
    buf_done(&ignored);
    value_done(&name);
}
