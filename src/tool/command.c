/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/command.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define VALUE_OF_LONG 256 /* getopt's value of a row without a letter: this and its place */
#define ROWS_MAX 16

static void print_help(const struct command_info *info)
{
    printf("usage: %s\n\n%s\n\n", info->usage, info->about);
    for (size_t i = 0; i < info->n_options; i++) {
        const struct command_option *o = &info->options[i];
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", o->name, o->argument != NULL ? " " : "",
                 o->argument != NULL ? o->argument : "");
        if (o->letter != 0)
            printf("  -%c, %-20s %s\n", o->letter, left, o->help);
        else
            printf("      %-20s %s\n", left, o->help);
    }
    printf("\nExamples:\n%s", info->examples);
}

static size_t row_of(const struct command_info *info, int value)
{
    size_t i = 0;
    if (value >= VALUE_OF_LONG)
        return (size_t)(value - VALUE_OF_LONG);
    while (info->options[i].letter != value)
        i++;
    return i;
}

/* getopt_long(), whose messages begin with the program's name and the command's. */
static int next_option(int argc, char **argv, const char *letters, const struct option *table)
{
    char *command = argv[0];
    char title[64];
    snprintf(title, sizeof title, "rpcgate %s", command);
    argv[0] = title;
    int value = getopt_long(argc, argv, letters, table, NULL);
    argv[0] = command;
    return value;
}

int command_options(int argc, char **argv, const struct command_info *info,
                    bool (*apply)(void *context, size_t row, const char *argument), void *context)
{
    struct option table[ROWS_MAX + 1] = { 0 };
    char letters[2 * ROWS_MAX + 1] = { 0 };
    size_t at = 0;
    int value;
    assert(info->n_options < ROWS_MAX);
    for (size_t i = 0; i < info->n_options; i++) {
        const struct command_option *o = &info->options[i];
        table[i] = (struct option){ .name = o->name,
                                    .has_arg = o->argument != NULL,
                                    .val = VALUE_OF_LONG + (int)i };
        if (o->letter != 0)
            letters[at++] = o->letter;
        if (o->letter != 0 && o->argument != NULL)
            letters[at++] = ':';
    }
    while ((value = next_option(argc, argv, letters, table)) >= 0) {
        if (value == '?') {
            fprintf(stderr, "Try `rpcgate %s --help`.\n", argv[0]);
            return -1;
        }
        size_t row = row_of(info, value);
        if (strcmp(info->options[row].name, "help") == 0) {
            print_help(info);
            return 0;
        }
        if (!apply(context, row, optarg))
            return -1;
    }
    return optind;
}

int command_misuse(const char *command, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "rpcgate %s: ", command);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nTry `rpcgate %s --help`.\n", command);
    return EX_USAGE;
}

bool command_word(const char *option, const char *word, const char *const *words, size_t n_words,
                  unsigned *ret)
{
    for (size_t i = 0; i < n_words; i++) {
        if (strcmp(word, words[i]) == 0) {
            *ret = (unsigned)i;
            return true;
        }
    }
    fprintf(stderr, "rpcgate: %s takes one of", option);
    for (size_t i = 0; i < n_words; i++)
        fprintf(stderr, "%s %s", i > 0 ? "," : "", words[i]);
    fprintf(stderr, ", not \"%s\"\n", word);
    return false;
}

static bool written(bool good)
{
    if (!good)
        fprintf(stderr, "rpcgate: cannot write: %s\n", strerror(errno));
    return good;
}

bool command_write(struct str text)
{
    return written(text.len == 0 || fwrite(text.data, 1, text.len, stdout) == text.len);
}

bool command_write_chain(const struct chain *text)
{
    struct chain_cursor cursor = { 0 };
    char piece[16384];
    size_t n;
    while ((n = chain_read(text, &cursor, piece, sizeof piece)) > 0)
        if (!command_write((struct str){ piece, n }))
            return false;
    return true;
}
