/* SPDX-License-Identifier: Apache-2.0 */
/* `rpcgate init`: what it was told, the configuration that it makes of that, and its files. */
#ifndef RPCGATE_TOOL_INIT_H
#define RPCGATE_TOOL_INIT_H

#include "base/buf.h"
#include "base/macros.h"
#include "base/str.h"
#include "config/profiles.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* X(NAME, name, is it a secret?): the credentials that profiles use. */
#define CREDENTIAL_LIST(X)                                                                         \
    X(DATABASE, database, false)                                                                   \
    X(USERNAME, username, false)                                                                   \
    X(PASSWORD, password, true)                                                                    \
    X(KEY, key, true)

enum init_credential {
#define X(NAME, name, secret) CREDENTIAL_##NAME,
    CREDENTIAL_LIST(X)
#undef X
        N_CREDENTIALS
};

struct init_listen {
    struct str address; /* or, beginning with '/', the path of a unix socket */
    struct str port;
};

struct init_choices {
    const char *config, *url, *name, *caller;
    const char *listen_text;
    struct init_listen listen;
    const char *cert_file, *key_file; /* TLS of the listener; NULL: none */
    const char *password_file;        /* NULL: one is made, to be filled in; "-": standard input */
    const struct profile_text *profile; /* NULL: none */
    const char *given[N_CREDENTIALS];   /* those that are no secrets; NULL: not given */
    bool service;                       /* secrets are systemd's credentials */
};

/* Does the server want it? By the profile, or without one what was given. */
bool init_wants(const struct init_choices *c, enum init_credential credential) MUST_CHECK;

/* Its name in `credentials`, and as the name of a file behind the upstream's. */
const char *init_credential_name(enum init_credential credential);

bool init_is_secret(enum init_credential credential);

/* The secret that --password-file is for, the first that the server wants; N_CREDENTIALS: none. */
enum init_credential init_main_secret(const struct init_choices *c) MUST_CHECK;

/* Appends the configuration. `files` names for each secret that the server wants its file. */
void init_write(const struct init_choices *c, const char *const files[N_CREDENTIALS],
                struct buf *to);

/* Files that were made, so that they can be taken away again. */
struct init_files {
    char *paths[2 + N_CREDENTIALS];
    size_t n;
};

/* True: it must not be made, which is told on stderr. */
bool init_is_there(const char *path) MUST_CHECK;

/* Makes a file that is not there yet. False: told on stderr. */
bool init_make(struct init_files *files, const char *path, mode_t mode, struct str text) MUST_CHECK;
void init_undo(struct init_files *files);
void init_files_done(struct init_files *files);

/* Appends a new token: 256 bits by chance in URL-safe Base64 (RFC 4648 section 5), and a newline.
 */
bool init_token(struct buf *to) MUST_CHECK;

#endif
