/* SPDX-License-Identifier: Apache-2.0 */
/* A route's params: a list of constants and groups, which may have such lists in them. Groups are
 * read by the table of `routes.params`. */
#include "config/reader_inside.h"

#include "settings/route.h"

#include <string.h>

/* How it is read back: what a list of those has between its parentheses. */
#define SHOWN_LIST_MAX ((size_t)4 << 20)

static const struct setting *child(const struct setting *group, const char *name)
{
    for (size_t i = 0; group->type == SETTING_GROUP && i < group->n; i++)
        if (strcmp(group->items[i].name, name) == 0)
            return &group->items[i];
    return NULL;
}

static bool is_row(const char *name)
{
    for (size_t i = 0; i < section_route_param.n_options; i++)
        if (strcmp(section_route_param.options[i].name, name) == 0)
            return true;
    return false;
}

/* Within a constant: would it be a param elsewhere? */
static bool looks_like_param(const struct setting *group)
{
    if (child(group, "name") == NULL)
        return false;
    for (size_t i = 0; i < group->n; i++)
        if (!is_row(group->items[i].name))
            return false;
    return true;
}

static bool check_constant(struct reader *r, const struct target *t, const struct setting *from)
{
    bool ok = !looks_like_param(from);
    if (!ok)
        findings_error(r->findings, from->place,
                       "%s%s: this group with a `name` stands within a constant: write what is "
                       "around it as `{ list = ( … ); }` or `{ struct = ( … ); }`, or the "
                       "constant as `{ json = \"…\"; }`",
                       buf_c(&r->path), t->row->name);
    for (size_t i = 0;
         ok && (from->type == SETTING_GROUP || from->type == SETTING_LIST) && i < from->n; i++)
        ok = check_constant(r, t, &from->items[i]);
    return ok;
}

static char *read_json(struct reader *r, const struct target *t, struct json_form form,
                       const char **ret_shown)
{
    char *json = NULL;
    struct json_value v;
    json_value_init(&v);
    if (reader_write_json(r, t, form, &v)) {
        json = reader_keep_json(r, &v, false);
        *ret_shown = store_text(r->store, buf_str(&v.shown));
        t->origin->unresolved |= v.unresolved;
    }
    json_value_done(&v);
    return json;
}

void reader_read_value(struct reader *r, const struct target *t)
{
    *(char **)t->member = read_json(r, t, (struct json_form){ .scalar = false }, &t->origin->shown);
}

/* As `{ json = "…"; }` is read. */
void reader_read_json_text(struct reader *r, const struct target *t)
{
    struct setting text = *t->setting;
    struct setting group = { .type = SETTING_GROUP, .place = text.place, .items = &text, .n = 1 };
    struct target whole = *t;
    const char *shown = NULL;
    char name[] = "json";
    if (text.type != SETTING_TEXT) {
        reader_refuse_type(r, t);
        return;
    }
    text.name = name;
    whole.setting = &group;
    *(char **)t->member = read_json(r, &whole, (struct json_form){ .scalar = false }, &shown);
    if (shown == NULL)
        return;
    /* "{ json = TEXT; }" */
    struct str of_text = str_slice(str_of(shown), strlen("{ json = "), strlen(shown) - 3);
    t->origin->shown = store_text(r->store, of_text);
}

void reader_read_scalars(struct reader *r, const struct target *t)
{
    const struct setting *list = t->setting;
    if (list->type != SETTING_LIST || list->n > READER_LIST_MAX) {
        reader_refuse_type(r, t);
        return;
    }
    struct texts texts = { .items = store_alloc(r->store, list->n + 1, sizeof(char *)) };
    struct buf shown;
    buf_init(&shown, SHOWN_LIST_MAX, NULL);
    buf_append_byte(&shown, '(');
    for (size_t i = 0; i < list->n; i++) {
        struct target item = *t;
        const char *text = "";
        item.setting = &list->items[i];
        char *json = read_json(r, &item, (struct json_form){ .scalar = true }, &text);
        if (json != NULL)
            texts.items[texts.n++] = json;
        buf_printf(&shown, "%s%s", i > 0 ? ", " : " ", text);
    }
    buf_append_c(&shown, " )");
    *(struct texts *)t->member = texts;
    t->origin->shown = store_text(r->store, buf_str(&shown));
    buf_done(&shown);
}

/* ---- Params --------------------------------------------------------------------------------- */

static bool is_struct(const struct target *t)
{
    return strcmp(t->row->name, "struct") == 0;
}

/* In a struct each item is one, for it has a name there. */
static bool is_group(const struct target *t)
{
    const struct setting *s = t->setting;
    return s->type == SETTING_GROUP &&
           (is_struct(t) || child(s, "name") != NULL || child(s, "list") != NULL ||
            child(s, "struct") != NULL || child(s, "json") != NULL);
}

static bool is_set(const struct origin *origin)
{
    return origin->place.file != NULL;
}

static void show_group(const struct route_param_config *p, struct buf *to)
{
    buf_append_byte(to, '{');
    for (size_t i = 0; i < section_route_param.n_options; i++) {
        const struct origin *origin = &p->origins[i];
        if (is_set(origin) && origin->shown != NULL)
            buf_printf(to, " %s = %s;", section_route_param.options[i].name, origin->shown);
    }
    buf_append_c(to, " }");
}

static void read_group(struct reader *r, const struct target *t, struct route_shape *to,
                       struct buf *shown)
{
    size_t path_len = r->path.len;
    buf_printf(&r->path, "%s[%zu].", t->row->name,
               (size_t)(to - ((struct route_shapes *)t->member)->items));
    to->group = store_alloc(r->store, 1, sizeof *to->group);
    reader_defaults(&section_route_param, to->group);
    reader_read(r, &section_route_param, t->setting, to->group);
    for (size_t i = 0; i < section_route_param.n_options; i++) {
        t->origin->hidden |= to->group->origins[i].hidden;
        t->origin->unresolved |= to->group->origins[i].unresolved;
    }
    show_group(to->group, shown);
    buf_truncate(&r->path, path_len);
}

static void read_item(struct reader *r, const struct target *t, struct route_shape *to,
                      struct buf *shown)
{
    to->place = t->setting->place;
    if (is_group(t)) {
        read_group(r, t, to, shown);
        return;
    }
    to->constant = "null";
    to->shown = "\"\"";
    if (!check_constant(r, t, t->setting))
        return;
    const char *json = read_json(r, t, (struct json_form){ .scalar = false }, &to->shown);
    if (json != NULL)
        to->constant = json;
    buf_append_c(shown, to->shown);
}

void reader_read_shapes(struct reader *r, const struct target *t)
{
    const struct setting *list = t->setting;
    if (list->type != SETTING_LIST || list->n > READER_LIST_MAX) {
        reader_refuse_type(r, t);
        return;
    }
    struct route_shapes *shapes = t->member;
    struct buf shown;
    buf_init(&shown, SHOWN_LIST_MAX, NULL);
    shapes->items = store_alloc(r->store, list->n + 1, sizeof *shapes->items);
    shapes->n = list->n;
    buf_append_byte(&shown, '(');
    for (size_t i = 0; i < list->n; i++) {
        struct target item = *t;
        item.setting = &list->items[i];
        buf_append_c(&shown, i > 0 ? ", " : " ");
        read_item(r, &item, &shapes->items[i], &shown);
    }
    buf_append_c(&shown, " )");
    t->origin->shown = store_text(r->store, buf_str(&shown));
    buf_done(&shown);
}
