/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of rpcgated: one list makes the reader, `--help` and the manual's OPTIONS. */
#ifndef RPCGATE_DAEMON_OPTIONS_H
#define RPCGATE_DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* X(WORD, short letter or 0, long name, argument or NULL, help) */
#define DAEMON_OPTIONS(X)                                                                          \
    X(CONFIG, 'c', "config", "FILE",                                                               \
      "read this configuration instead of " RPCGATE_SYSCONFDIR "/rpcgate/rpcgate.conf")            \
    X(TEST, 't', "test", NULL, "check the configuration: print `ok`, or every error, and end")     \
    X(QUIET, 'q', "quiet", NULL, "with --test: print errors alone")                                \
    X(SHOW, 0, "show-config", NULL, "print the settings in force, each with its origin, and end")  \
    X(DEMO, 0, "demo", NULL, "serve a demo upstream on 127.0.0.1:8080, without any configuration") \
    X(LISTEN, 0, "listen", "ADDRESS:PORT", "where --demo listens; port 0: any free one")           \
    X(HELP, 'h', "help", NULL, "print this, and end")                                              \
    X(VERSION, 'V', "version", NULL, "print the version, and end")

enum daemon_mode { DAEMON_RUN, DAEMON_TEST, DAEMON_SHOW, DAEMON_DEMO, DAEMON_END };

struct daemon_options {
    enum daemon_mode mode;
    bool clash; /* two modes were asked for */
    bool quiet; /* of --test */
    const char *config;
    const char *listen; /* of --demo */
};

/* Reads the command line. For -h and -V it prints and sets DAEMON_END. False: a message is on
 * stderr, the exit status is EX_USAGE. */
bool daemon_options_read(int argc, char **argv, struct daemon_options *ret);

#endif
