/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_file.h"

#include "base/alloc.h"
#include "codec/value/number.h"

#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Copying libconfig's tree. */
struct copying {
    const struct source *source;
    const struct marks *marks;
    size_t n; /* values so far: the next one's mark */
};

static void copy_value(struct copying *c, config_setting_t *from, struct setting *to);

/* As JSON has it. */
static char *decimal_text(double value)
{
    char text[64], json[NUMBER_JSON_MAX];
    struct decimal decimal;
    snprintf(text, sizeof text, "%.17g", value);
    if (number_parse_double(str_of(text), &decimal) != NUMBER_OK)
        return xstrdup("0.0"); /* beyond all doubles */
    return xmemdup0(json, number_write_json(&decimal, json));
}

static void copy_items(struct copying *c, config_setting_t *from, struct setting *to)
{
    to->n = (size_t)config_setting_length(from);
    to->items = xcalloc(to->n, sizeof *to->items);
    for (size_t i = 0; i < to->n; i++) {
        config_setting_t *item = config_setting_get_elem(from, (unsigned)i);
        struct setting *copy = &to->items[i];
        if (config_setting_name(item) != NULL)
            copy->name = xstrdup(config_setting_name(item));
        else if (config_setting_is_group(from))
            die_without_memory(); /* which libconfig passes over */
        unsigned line = (unsigned)config_setting_source_line(item);
        if (c->n < c->marks->n) {
            line = c->marks->items[c->n].line;
            copy->bad = c->marks->items[c->n].bad;
        }
        c->n++;
        copy->place = source_place(c->source, line);
        copy_value(c, item, copy);
    }
}

static void copy_value(struct copying *c, config_setting_t *from, struct setting *to)
{
    switch (config_setting_type(from)) {
    case CONFIG_TYPE_INT:
        to->type = SETTING_INTEGER;
        to->integer = config_setting_get_int(from);
        break;
    case CONFIG_TYPE_INT64:
        to->type = SETTING_INTEGER;
        to->integer = config_setting_get_int64(from);
        break;
    case CONFIG_TYPE_FLOAT:
        to->type = SETTING_DECIMAL;
        to->text = decimal_text(config_setting_get_float(from));
        break;
    case CONFIG_TYPE_BOOL:
        to->type = SETTING_FLAG;
        to->integer = config_setting_get_bool(from) != 0;
        break;
    case CONFIG_TYPE_STRING: {
        to->type = SETTING_TEXT;
        /* An empty string may be NULL there. Its own copy is overwritten: it may be a password. */
        char *text = (char *)(uintptr_t)config_setting_get_string(from);
        to->text = xstrdup(text != NULL ? text : "");
        if (text != NULL)
            wipe(text, strlen(text));
        break;
    }
    default:
        to->type = config_setting_is_group(from) ? SETTING_GROUP : SETTING_LIST;
        copy_items(c, from, to);
        break;
    }
}

static void done(struct setting *setting)
{
    for (size_t i = 0; i < setting->n; i++)
        done(&setting->items[i]);
    if (setting->text != NULL)
        wipe(setting->text, strlen(setting->text));
    free(setting->text);
    free(setting->name);
    free(setting->items);
}

static bool has_error_at(const struct findings *findings, unsigned at)
{
    for (size_t i = 0; i < findings->n; i++)
        if (!findings->items[i].warning && findings->items[i].at == at)
            return true;
    return false;
}

static void tell_error(const config_t *parsed, const struct source *source,
                       struct findings *findings)
{
    struct place place = source_place(source, (unsigned)config_error_line(parsed));
    const char *text = config_error_text(parsed);
    if (text != NULL && strstr(text, "duplicate") != NULL)
        findings_error(findings, place, "this name is set twice in its group");
    else if (text != NULL && strstr(text, "mismatched") != NULL)
        findings_error(findings, place, "the values between `[` and `]` must be of one type");
    else if (!has_error_at(findings, place.at)) /* newer versions refuse large numbers, too */
        findings_error(findings, place, "%s", text != NULL ? text : "syntax error");
}

const char *setting_type_name(enum setting_type type)
{
    static const char *const names[] = { "a group `{ … }`", "a list",           "a string",
                                         "a number",        "a decimal number", "a flag" };
    return names[type];
}

struct setting *config_file_parse(const struct source *source, const struct marks *marks,
                                  struct findings *findings)
{
    config_t parsed;
    config_init(&parsed);
    struct setting *root = NULL;
    if (config_read_string(&parsed, buf_c(&source->text)) == CONFIG_TRUE) {
        struct copying copying = { .source = source, .marks = marks };
        root = xcalloc(1, sizeof *root);
        copy_value(&copying, config_root_setting(&parsed), root);
        root->place = source_place(source, 1);
    } else {
        tell_error(&parsed, source, findings);
    }
    config_destroy(&parsed);
    return root;
}

void setting_free(struct setting *root)
{
    if (root == NULL)
        return;
    done(root);
    free(root);
}
