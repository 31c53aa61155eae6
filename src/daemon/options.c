/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/options.h"

#include "base/command_line.h"
#include "base/macros.h"

#include <stdio.h>

enum option_word {
#define X(word, letter, name, argument, help) OPTION_##word,
    DAEMON_OPTIONS(X)
#undef X
};

static const struct command_option rows[] = {
#define X(word, letter, name, argument, help) { letter, name, argument, help },
    DAEMON_OPTIONS(X)
#undef X
};

static void print_help(void)
{
    puts("usage: rpcgated [-c FILE] [-t [-q] | --show-config]\n"
         "       rpcgated --demo [--listen ADDRESS:PORT]\n"
         "\n"
         "Lets JSON programs call XML-RPC servers. It stays in the foreground and logs to "
         "stderr.\n");
    command_line_print(rows, ARRAY_LEN(rows));
    puts("\nExit status: 0 ended well, 64 usage, 66 no configuration file, 69 cannot serve,\n"
         "78 the configuration is wrong. Manual: rpcgated(8).");
}

static void choose(struct daemon_options *options, enum daemon_mode mode)
{
    options->clash = options->clash || (options->mode != DAEMON_RUN && options->mode != mode);
    options->mode = mode;
}

/* After -h and -V nothing else counts. */
static bool apply(void *context, size_t row, const char *argument)
{
    struct daemon_options *options = context;
    switch ((enum option_word)row) {
    case OPTION_CONFIG:
        options->config = argument;
        break;
    case OPTION_TEST:
        choose(options, DAEMON_TEST);
        break;
    case OPTION_QUIET:
        options->quiet = true;
        break;
    case OPTION_SHOW:
        choose(options, DAEMON_SHOW);
        break;
    case OPTION_DEMO:
        choose(options, DAEMON_DEMO);
        break;
    case OPTION_LISTEN:
        options->listen = argument;
        break;
    case OPTION_HELP:
        options->mode = DAEMON_END;
        print_help();
        break;
    case OPTION_VERSION:
        options->mode = DAEMON_END;
        puts("rpcgated " RPCGATE_VERSION);
        break;
    }
    return options->mode != DAEMON_END;
}

/* What is wrong with the options as a whole, or NULL. */
static const char *complaint(const struct daemon_options *options, bool stray)
{
    bool demo = options->mode == DAEMON_DEMO;
    if (stray)
        return "it takes options only";
    if (options->clash)
        return "take only one of --test, --show-config and --demo";
    if (options->quiet && options->mode != DAEMON_TEST)
        return "--quiet goes with --test";
    if (options->listen != NULL && !demo)
        return "--listen goes with --demo";
    if (options->config != NULL && demo)
        return "--demo needs no configuration: leave out --config";
    return NULL;
}

bool daemon_options_read(int argc, char **argv, struct daemon_options *ret)
{
    const struct command_line line = { "rpcgated", rows, ARRAY_LEN(rows), false };
    *ret = (struct daemon_options){ .mode = DAEMON_RUN };
    int operand = command_line_read(argc, argv, &line, apply, ret);
    if (ret->mode == DAEMON_END)
        return true;
    if (operand < 0)
        return false;
    const char *wrong = complaint(ret, operand < argc);
    if (wrong != NULL) {
        fprintf(stderr, "rpcgated: %s\nTry `rpcgated --help`.\n", wrong);
        return false;
    }
    if (ret->config == NULL)
        ret->config = RPCGATE_SYSCONFDIR "/rpcgate/rpcgate.conf";
    return true;
}
