/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static void print_help(const struct command_info *info)
{
    const char *end = strchr(info->usage, '\n');
    size_t len = end != NULL ? (size_t)(end - info->usage) : strlen(info->usage);
    printf("usage: %.*s\n", (int)len, info->usage);
    if (end != NULL)
        printf("       %s\n", end + 1);
    printf("\n%s\n\n", info->about);
    command_line_print(info->options, info->n_options);
    printf("\nExamples:\n%s", info->examples);
}

/* A command's reader, with the one option that all of them have. */
struct reading {
    const struct command_info *info;
    bool (*apply)(void *context, size_t row, const char *argument);
    void *context;
    bool helped;
};

static bool apply_option(void *context, size_t row, const char *argument)
{
    struct reading *r = context;
    r->helped = strcmp(r->info->options[row].name, "help") == 0;
    if (r->helped)
        print_help(r->info);
    return !r->helped && r->apply(r->context, row, argument);
}

int command_options(int argc, char **argv, const struct command_info *info,
                    bool (*apply)(void *context, size_t row, const char *argument), void *context)
{
    struct reading reading = { .info = info, .apply = apply, .context = context };
    char title[64];
    snprintf(title, sizeof title, "rpcgate %s", argv[0]);
    int operand = command_line_read(
        argc, argv,
        &(struct command_line){ title, info->options, info->n_options, info->ends_early },
        apply_option, &reading);
    return reading.helped ? 0 : operand;
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
