/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of the tool: each has its own options and ends with an exit status of sysexits.h. */
#ifndef RPCGATE_TOOL_COMMAND_H
#define RPCGATE_TOOL_COMMAND_H

#include "base/chain.h"
#include "base/command_line.h"
#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>

/* X(name, what it does) */
#define COMMAND_LIST(X)                                                                            \
    X(init, "write a first configuration; asks nothing")                                           \
    X(call, "call a method, through a gateway or without one")                                     \
    X(upstreams, "the upstreams of a gateway")                                                     \
    X(methods, "the methods of an upstream")                                                       \
    X(describe, "a method's signatures and help")                                                  \
    X(ready, "is a gateway ready for calls?")                                                      \
    X(profiles, "what is known of servers of some kinds: lists them, or prints one")               \
    X(explain, "what a call would send, and why; nothing is sent")                                 \
    X(openapi, "what a gateway would describe of itself, in OpenAPI; nothing is sent")             \
    X(check, "are the upstreams of a configuration there, and if not, why?")                       \
    X(encode, "JSON params on stdin to an XML-RPC document on stdout")                             \
    X(decode, "an XML-RPC document on stdin to JSON on stdout")

struct command_info {
    const char *usage;    /* one line, or two */
    const char *about;    /* what it does, in some lines */
    const char *examples; /* with the lines' indentation */
    const struct command_option *options;
    size_t n_options;
    bool ends_early; /* no word behind the first operand is an option */
};

/* `argv[0]` is the command's name. The manual shows what its help shows. */
#define X(name, what)                                                                              \
    int command_##name(int argc, char **argv);                                                     \
    extern const struct command_info command_##name##_info;
COMMAND_LIST(X)
#undef X

/* Reads options: calls `apply` with the row's place and its argument. Returns the place of the
 * first operand in argv, 0 after --help (printed) and -1 after a mistake (told on stderr). */
int command_options(int argc, char **argv, const struct command_info *info,
                    bool (*apply)(void *context, size_t row, const char *argument), void *context);

/* Says on stderr what is wrong with the words of the command; returns EX_USAGE. */
int command_misuse(const char *command, const char *format, ...) PRINTF_LIKE(2, 3);

/* The same of a profile that is none, with the nearest name there is. */
int command_no_profile(const char *command, const char *name);

/* Writes all of it to stdout. False: told on stderr. */
bool command_write(struct str text);
bool command_write_chain(const struct chain *text);

#endif
