/* SPDX-License-Identifier: Apache-2.0 */
#include "base/command_line.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>

#define VALUE_OF_LONG 256 /* getopt's value of a row without a letter: this and its place */
#define ROWS_MAX 24

/* What getopt wants to know. */
struct known {
    struct option table[ROWS_MAX + 1];
    char letters[2 * ROWS_MAX + 2];
};

static void fill(struct known *known, const struct command_line *line)
{
    size_t at = 0;
    assert(line->n_options <= ROWS_MAX);
    if (line->ends_early)
        known->letters[at++] = '+';
    for (size_t i = 0; i < line->n_options; i++) {
        const struct command_option *o = &line->options[i];
        known->table[i] = (struct option){ .name = o->name,
                                           .has_arg = o->argument != NULL,
                                           .val = VALUE_OF_LONG + (int)i };
        if (o->letter != 0)
            known->letters[at++] = o->letter;
        if (o->letter != 0 && o->argument != NULL)
            known->letters[at++] = ':';
    }
}

static size_t row_of(const struct command_line *line, int value)
{
    size_t i = 0;
    if (value >= VALUE_OF_LONG)
        return (size_t)(value - VALUE_OF_LONG);
    while (line->options[i].letter != value)
        i++;
    return i;
}

/* getopt's messages begin with argv[0]. */
static int next_option(int argc, char **argv, const struct command_line *line,
                       const struct known *known)
{
    char title[64];
    char *first = argv[0];
    snprintf(title, sizeof title, "%s", line->title);
    argv[0] = title;
    int value = getopt_long(argc, argv, known->letters, known->table, NULL);
    argv[0] = first;
    return value;
}

int command_line_read(int argc, char **argv, const struct command_line *line,
                      bool (*apply)(void *context, size_t row, const char *argument), void *context)
{
    struct known known = { 0 };
    int value;
    fill(&known, line);
    optind = 0; /* begins anew */
    while ((value = next_option(argc, argv, line, &known)) >= 0) {
        if (value == '?') {
            fprintf(stderr, "Try `%s --help`.\n", line->title);
            return -1;
        }
        if (!apply(context, row_of(line, value), optarg))
            return -1;
    }
    return optind;
}

void command_line_print(const struct command_option *options, size_t n_options)
{
    for (size_t i = 0; i < n_options; i++) {
        const struct command_option *o = &options[i];
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", o->name, o->argument != NULL ? " " : "",
                 o->argument != NULL ? o->argument : "");
        if (o->letter != 0)
            printf("  -%c, %-22s %s\n", o->letter, left, o->help);
        else
            printf("      %-22s %s\n", left, o->help);
    }
}
