/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: a snapshot that never changes once it is made. Any thread may read it; who
 * keeps it holds a reference, and a request ends on the snapshot that it began with. */
#ifndef RPCGATE_CONFIG_CONFIG_H
#define RPCGATE_CONFIG_CONFIG_H

#include "base/buf.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/str.h"
#include "codec/options.h"
#include "config/option_list.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum auth_scheme { AUTH_SCHEME_NONE, AUTH_SCHEME_BASIC };

/* A list of strings; owned by the snapshot. */
struct texts {
    char **items;
    size_t n;
};

typedef bool OPTION_C_flag;
typedef int64_t OPTION_C_count;
typedef size_t OPTION_C_size;      /* [bytes] */
typedef int64_t OPTION_C_duration; /* [ms] */
typedef char *OPTION_C_text;       /* NULL: not set */
typedef char *OPTION_C_secret;     /* NULL: not set */
typedef unsigned OPTION_C_mode;
typedef struct texts OPTION_C_texts;
typedef unsigned OPTION_C_words; /* set of enum extension */
typedef enum log_level OPTION_C_log_level;
typedef enum log_format OPTION_C_log_format;
typedef enum types_form OPTION_C_types_form;
typedef enum integers_form OPTION_C_integers_form;
typedef enum text_policy OPTION_C_text_policy;
typedef enum auth_scheme OPTION_C_auth_scheme;

#define OPTION_MEMBER(kind, name, standard, least, greatest, reload, help) OPTION_C_##kind name;
#define GROUP_MEMBER(group, name, help) struct group##_config name;

struct anonymous_config {
    bool present; /* is the group in the file at all? */
    ANONYMOUS_OPTIONS(OPTION_MEMBER)
};

struct limits_config {
    LIMITS_OPTIONS(OPTION_MEMBER)
};

struct log_config {
    LOG_OPTIONS(OPTION_MEMBER)
};

struct auth_config {
    AUTH_OPTIONS(OPTION_MEMBER)
};

struct timeouts_config {
    TIMEOUTS_OPTIONS(OPTION_MEMBER)
};

struct upstream_limits_config {
    UPSTREAM_LIMITS_OPTIONS(OPTION_MEMBER)
};

struct listen_config {
    LISTEN_OPTIONS(OPTION_MEMBER)
    unsigned line; /* where in the file; 0: a default */
};

/* The parts of an upstream's URL, checked and decoded when the file is read. */
struct upstream_target {
    char *url;         /* http or https, without user and password, with a path: for curl, the log
                          and problems. Of http+unix: http://localhost/PATH */
    char *unix_socket; /* path of the socket; NULL: none */
    char *username;    /* from the URL or `auth`; NULL: none */
    char *password;    /* NULL: none; secret */
};

struct upstream_config {
    char *name;
    size_t index; /* place in config.upstreams: an upstream's number within the snapshot */
    UPSTREAM_OPTIONS(OPTION_MEMBER)
    UPSTREAM_GROUPS(GROUP_MEMBER)
    struct upstream_target target;
    unsigned line;
};

struct config {
    MAIN_OPTIONS(OPTION_MEMBER)
    MAIN_GROUPS(GROUP_MEMBER)
    struct listen_config *listen;
    size_t n_listen;
    struct upstream_config *upstreams;
    size_t n_upstreams;
    atomic_uint references;
};

/* What is wrong with a file: complete lines, `FILE:LINE: message`, in the order of the file. */
struct config_report {
    struct buf errors;   /* each line ends with '\n' */
    struct buf warnings; /* as `errors` */
    size_t n_errors;
    bool missing; /* the main file cannot be opened */
};

struct config_read_options {
    bool testing; /* -t: a ${credential:…} without $CREDENTIALS_DIRECTORY is a warning only */
};

void config_report_init(struct config_report *report);
void config_report_done(struct config_report *report);

/* Reads the file and all that it includes, with all checks. Returns a snapshot with one reference,
 * or NULL with all errors found in `report`. */
struct config *config_read(const char *path, const struct config_read_options *options,
                           struct config_report *report);

/* As config_read(), from text; `name` stands for the file in messages. */
struct config *config_read_text(const char *name, struct str text,
                                const struct config_read_options *options,
                                struct config_report *report);

struct config *config_ref(struct config *config);

/* Gives a reference back; the last one frees the snapshot and wipes its secrets. NULL is fine.
 * Returns NULL. */
struct config *config_unref(struct config *config);

/* The upstream of that name, or NULL. */
const struct upstream_config *config_upstream(const struct config *config, struct str name);

/* `--show-config`: the settings in force as a configuration file, each with its origin in a
 * comment, secrets hidden. */
void config_print(const struct config *config, struct buf *to);

/* The sample file, and the reference in Markdown and as man page, made from the option lists. */
void config_print_sample(struct buf *to);
void config_print_reference(struct buf *to);

#endif
