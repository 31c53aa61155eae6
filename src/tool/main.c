/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/secret.h"
#include "tool/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct command {
    const char *name, *what;
    int (*run)(int argc, char **argv);
} commands[] = {
#define X(name, what) { #name, what, command_##name },
    COMMAND_LIST(X)
#undef X
};

static void print_help(FILE *to)
{
    fputs("usage: rpcgate COMMAND [OPTION…]\n\n", to);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].what);
    fputs("\n`rpcgate COMMAND --help` tells each one's options, with examples.\n"
          "Exit status: 0 good, 1 a fault, 64 usage, 65 bad data, 66 no input, 69 an upstream or\n"
          "the gateway failed, 74 cannot write, 75 try again, 77 refused, 78 the configuration is\n"
          "wrong. Manual: rpcgate(1).\n",
          to);
}

int main(int argc, char **argv)
{
    secret_forbid_dumps(); /* it reads tokens, and the daemon's configuration */
    if (argc < 2) {
        print_help(stderr);
        return EX_USAGE;
    }
    if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0) {
        print_help(stdout);
        return EX_OK;
    }
    if (strcmp(argv[1], "-V") == 0 || strcmp(argv[1], "--version") == 0) {
        puts("rpcgate " RPCGATE_VERSION);
        return EX_OK;
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        int status = commands[i].run(argc - 1, argv + 1);
        if (fflush(stdout) != 0 && status == EX_OK) {
            fprintf(stderr, "rpcgate: cannot write: %s\n", strerror(errno));
            return EX_IOERR;
        }
        return status;
    }
    fprintf(stderr, "rpcgate: there is no command \"%s\"\nTry `rpcgate --help`.\n", argv[1]);
    return EX_USAGE;
}
