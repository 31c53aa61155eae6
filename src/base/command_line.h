/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a command: getopt_long() over one list of options, from which the help and the
 * manual are made too. */
#ifndef RPCGATE_BASE_COMMAND_LINE_H
#define RPCGATE_BASE_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>

struct command_option {
    char letter; /* 0: none */
    const char *name, *argument, *help;
};

struct command_line {
    const char *title; /* "rpcgated", "rpcgate decode": messages begin with it */
    const struct command_option *options;
    size_t n_options;
    /* At the first operand: what follows is never an option, whatever it begins with. */
    bool ends_early;
};

/* Calls `apply` for each option with its place in the list and its argument, until that says false.
 * Returns the place of the first operand in argv, all of which come last then; -1 where a word is
 * wrong, which is told on stderr, or where `apply` has said false. */
int command_line_read(int argc, char **argv, const struct command_line *line,
                      bool (*apply)(void *context, size_t row, const char *argument),
                      void *context);

/* The options with their help, for people. */
void command_line_print(const struct command_option *options, size_t n_options);

#endif
