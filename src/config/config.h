/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a configuration file into a snapshot (settings/snapshot.h), and writes one out. */
#ifndef RPCGATE_CONFIG_CONFIG_H
#define RPCGATE_CONFIG_CONFIG_H

#include "base/buf.h"
#include "base/macros.h"
#include "base/str.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

/* What is wrong with a file: complete lines, `FILE:LINE: message`, in the order of the file. */
struct config_report {
    struct buf errors;   /* each line ends with '\n' */
    struct buf warnings; /* as `errors` */
    size_t n_errors;
    bool missing; /* the main file cannot be opened */
};

struct config_read_options {
    bool testing; /* -t: a credential that only the service can read is a warning */
    bool sealed;  /* no file that may hold a secret is opened: *** stands for ${file:…} and
                     ${credential:…}, and what `tls` names is not read */
};

void config_report_init(struct config_report *report);
void config_report_done(struct config_report *report);

/* Reads the file and all that it includes, with all checks. Returns a snapshot with one reference,
 * or NULL with all errors found in `report`. (libconfig has a config_read() and a
 * config_read_file() of its own.) */
struct config *config_read_path(const char *path, const struct config_read_options *options,
                                struct config_report *report) MUST_CHECK;

/* As config_read_path(), from text; `name` stands for the file in messages, and its folder is
 * where includes are looked for. */
struct config *config_read_text(const char *name, struct str text,
                                const struct config_read_options *options,
                                struct config_report *report) MUST_CHECK;

/* `--show-config`: the settings in force as a configuration file, each with its origin in a
 * comment, secrets hidden. */
void config_print(const struct config *config, struct buf *to);

/* The same of one upstream alone. */
void config_print_upstream(const struct upstream_config *upstream, struct buf *to);

/* The same of an entry of its `methods`. */
void config_print_method_rule(const struct method_rule_config *rule, struct buf *to);

/* The sample file etc/rpcgate.conf, and docs/reference/configuration.md, made from the lists. */
void config_print_sample(struct buf *to);
void config_print_reference(struct buf *to);

#endif
