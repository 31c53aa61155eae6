/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/options.h"

#include "base/macros.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>

#define VALUE_OF_LONG 256 /* getopt's value of a row without a letter: this and its place */
#define ROWS_MAX 16

enum option_word {
#define X(word, letter, name, argument, help) OPTION_##word,
    DAEMON_OPTIONS(X)
#undef X
        OPTION_WORDS
};

static const struct row {
    char letter;
    const char *name, *argument, *help;
} rows[] = {
#define X(word, letter, name, argument, help) { letter, name, argument, help },
    DAEMON_OPTIONS(X)
#undef X
};

static_assert(OPTION_WORDS < ROWS_MAX, "getopt's table has room for every row");

static void print_help(void)
{
    puts("usage: rpcgated [-c FILE] [-t | --show-config]\n"
         "       rpcgated --demo [--listen ADDRESS:PORT]\n"
         "\n"
         "Lets JSON programs call XML-RPC servers. It stays in the foreground and logs to "
         "stderr.\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", rows[i].name, rows[i].argument ? " " : "",
                 rows[i].argument ? rows[i].argument : "");
        if (rows[i].letter != 0)
            printf("  -%c, %-22s %s\n", rows[i].letter, left, rows[i].help);
        else
            printf("      %-22s %s\n", left, rows[i].help);
    }
    puts("\nExit status: 0 ended well, 64 usage, 66 no configuration file, 69 cannot serve,\n"
         "78 the configuration is wrong. Manual: rpcgated(8).");
}

static void choose(struct daemon_options *options, enum daemon_mode mode)
{
    options->clash = options->clash || (options->mode != DAEMON_RUN && options->mode != mode);
    options->mode = mode;
}

static void apply(struct daemon_options *options, enum option_word word, const char *argument)
{
    switch (word) {
    case OPTION_CONFIG:
        options->config = argument;
        break;
    case OPTION_TEST:
        choose(options, DAEMON_TEST);
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
    case OPTION_WORDS:
        break;
    }
}

static void fill_table(struct option table[ROWS_MAX], char letters[2 * ROWS_MAX])
{
    size_t at = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        table[i] = (struct option){ .name = rows[i].name,
                                    .has_arg = rows[i].argument != NULL,
                                    .val = VALUE_OF_LONG + (int)i };
        if (rows[i].letter != 0)
            letters[at++] = rows[i].letter;
        if (rows[i].letter != 0 && rows[i].argument != NULL)
            letters[at++] = ':';
    }
}

static enum option_word word_of(int value)
{
    unsigned i = 0;
    if (value >= VALUE_OF_LONG)
        return (enum option_word)(value - VALUE_OF_LONG);
    while (rows[i].letter != value)
        i++;
    return (enum option_word)i;
}

/* What is wrong with the options as a whole, or NULL. */
static const char *complaint(const struct daemon_options *options, bool stray)
{
    bool demo = options->mode == DAEMON_DEMO;
    if (stray)
        return "it takes options only";
    if (options->clash)
        return "take only one of --test, --show-config and --demo";
    if (options->listen != NULL && !demo)
        return "--listen goes with --demo";
    if (options->config != NULL && demo)
        return "--demo needs no configuration: leave out --config";
    return NULL;
}

bool daemon_options_read(int argc, char **argv, struct daemon_options *ret)
{
    struct option table[ROWS_MAX] = { 0 };
    char letters[2 * ROWS_MAX] = { 0 };
    int value;
    *ret = (struct daemon_options){ .mode = DAEMON_RUN };
    fill_table(table, letters);
    while (ret->mode != DAEMON_END &&
           (value = getopt_long(argc, argv, letters, table, NULL)) >= 0) {
        if (value == '?') {
            fputs("Try `rpcgated --help`.\n", stderr);
            return false;
        }
        apply(ret, word_of(value), optarg);
    }
    if (ret->mode == DAEMON_END)
        return true;
    const char *wrong = complaint(ret, optind < argc);
    if (wrong != NULL) {
        fprintf(stderr, "rpcgated: %s\nTry `rpcgated --help`.\n", wrong);
        return false;
    }
    if (ret->config == NULL)
        ret->config = RPCGATE_SYSCONFDIR "/rpcgate/rpcgate.conf";
    return true;
}
