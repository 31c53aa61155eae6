/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that `rpcgate init` makes. */
#include "tool/init.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    bool secret;
} credentials[] = {
#define X(NAME, name, secret) { #name, secret },
    CREDENTIAL_LIST(X)
#undef X
};

/* The rest of `text` behind the first `words`, up to the end of that line; empty: there is none. */
static struct str line_behind(const char *text, const char *words)
{
    const char *at = strstr(text, words);
    if (at == NULL)
        return STR("");
    at += strlen(words);
    return (struct str){ at, strcspn(at, "\n") };
}

/* What an upstream of that kind wants stands in the example at the end of the profile's comment. */
static bool profile_wants(const struct profile_text *profile, const char *name)
{
    struct str example = line_behind(profile->text, "credentials = {");
    char glob[32] = "* ";
    strncat(glob, name, sizeof glob - 8);
    strncat(glob, " = *", 5);
    return glob_match(str_of(glob), example);
}

bool init_wants(const struct init_choices *c, enum init_credential credential)
{
    if (c->profile != NULL)
        return profile_wants(c->profile, credentials[credential].name);
    return c->given[CREDENTIAL_USERNAME] != NULL &&
           (credential == CREDENTIAL_USERNAME || credential == CREDENTIAL_PASSWORD);
}

const char *init_credential_name(enum init_credential credential)
{
    return credentials[credential].name;
}

bool init_is_secret(enum init_credential credential)
{
    return credentials[credential].secret;
}

enum init_credential init_main_secret(const struct init_choices *c)
{
    for (enum init_credential i = 0; i < N_CREDENTIALS; i++) {
        if (credentials[i].secret && init_wants(c, i))
            return i;
    }
    return N_CREDENTIALS;
}

/* In quotes, as libconfig reads it, and with no `${` that would be replaced. */
static void append_quoted(struct buf *to, struct str text)
{
    buf_append_byte(to, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\')
            buf_append_byte(to, '\\');
        if (text.data[i] == '$' && i + 1 < text.len && text.data[i + 1] == '{')
            buf_append_byte(to, '$');
        buf_append_byte(to, text.data[i]);
    }
    buf_append_byte(to, '"');
}

static void append_setting(struct buf *to, const char *before, const char *value)
{
    buf_append_c(to, before);
    append_quoted(to, str_of(value));
    buf_append_c(to, ";");
}

static void append_secret(struct buf *to, const struct init_choices *c, const char *file)
{
    buf_printf(to, "\"${%s:%s}\"", c->service ? "credential" : "file", file);
}

static void append_listener(struct buf *to, const struct init_choices *c)
{
    const struct init_listen *l = &c->listen;
    buf_append_c(to, "# Where programs reach the gateway.\nlisten = (\n    { ");
    if (l->address.data[0] == '/') {
        buf_append_c(to, "unix = ");
        append_quoted(to, l->address);
        buf_append_c(to, "; mode = \"0660\"; }\n);\n\n");
        return;
    }
    buf_append_c(to, "address = ");
    append_quoted(to, l->address);
    buf_printf(to, "; port = %.*s;", STR_ARGS(l->port));
    if (c->cert_file != NULL) {
        append_setting(to, "\n      tls = { cert_file = ", c->cert_file);
        append_setting(to, " key_file = ", c->key_file);
        buf_append_c(to, " };");
    }
    buf_append_c(to, " }\n);\n\n");
}

static void append_caller(struct buf *to, const struct init_choices *c)
{
    buf_printf(
        to,
        "# Who may call what: nobody else may call anything. The program sends its token as\n"
        "# `Authorization: Bearer TOKEN`. An entry for each program lets each do what it\n"
        "# needs and no more: allow = [ \"%s/METHOD\" ], with * for any run of characters.\n"
        "callers = (\n    { ",
        c->name);
    append_setting(to, "name = ", c->caller);
    buf_append_c(to, " token = ");
    char file[128];
    snprintf(file, sizeof file, "%s.token", c->caller);
    append_secret(to, c, file);
    buf_printf(to, "; allow = [ \"%s/*\" ]; }\n);\n\n", c->name);
}

/* What the profile says of its kind of server: its comment without the title and the example. */
static void append_profile_comment(struct buf *to, const struct profile_text *profile)
{
    struct str title = profile_title(profile);
    buf_printf(to, "# %.*s. `rpcgate profiles %s` prints what the profile sets.\n#\n",
               STR_ARGS(title), profile->name);
    const char *line = profile->text + strcspn(profile->text, "\n") + 1;
    if (strncmp(line, "#\n", 2) == 0)
        line += 2;
    const char *end = strstr(line, "\n#\n#     upstreams");
    if (end != NULL)
        buf_append(to, (struct str){ line, (size_t)(end + 1 - line) });
}

static void append_credentials(struct buf *to, const struct init_choices *c,
                               const char *const files[N_CREDENTIALS])
{
    bool any = false;
    for (enum init_credential i = 0; i < N_CREDENTIALS; i++) {
        if (!init_wants(c, i))
            continue;
        if (!any)
            buf_append_c(to, "        credentials = {\n");
        any = true;
        buf_printf(to, "            %s = ", credentials[i].name);
        if (credentials[i].secret)
            append_secret(to, c, files[i]);
        else
            append_quoted(to, str_of(c->given[i]));
        buf_append_c(to, ";\n");
    }
    if (any)
        buf_append_c(to, "        };\n");
    if (any && c->profile == NULL)
        buf_append_c(to, "        auth = { scheme = \"basic\"; username = \"{username}\"; "
                         "password = \"{password}\"; };\n");
}

static void append_upstream(struct buf *to, const struct init_choices *c,
                            const char *const files[N_CREDENTIALS])
{
    if (c->profile != NULL)
        append_profile_comment(to, c->profile);
    else
        buf_append_c(to, "# The XML-RPC server.\n");
    buf_printf(to, "upstreams = {\n    %s = {\n", c->name);
    if (c->profile != NULL)
        buf_printf(to, "        profile = \"%s\";\n", c->profile->name);
    append_setting(to, "        url = ", c->url);
    buf_append_byte(to, '\n');
    append_credentials(to, c, files);
    buf_append_c(to,
                 "        # What is set most often, with its default:\n"
                 "        // timeouts = { connect = \"2s\"; total = \"30s\"; };\n"
                 "        // pool = { max_connections = 64; };    // calls at once\n"
                 "        // required = false;                    // does /readyz depend on it?\n");
    if (c->profile == NULL)
        buf_append_c(to,
                     "        // extensions = [ \"nil\", \"i8\" ];        // what it takes beyond "
                     "the specification\n");
    buf_append_c(to, "    };\n};\n");
}

void init_write(const struct init_choices *c, const char *const files[N_CREDENTIALS],
                struct buf *to)
{
    buf_append_c(
        to, "# Made by `rpcgate init`; all of it may be changed. `rpcgated --test --config FILE`\n"
            "# checks it, `rpcgated --show-config` shows what is in force, rpcgate.conf(5) has\n"
            "# every setting. After a change: `systemctl reload rpcgate`, or SIGHUP.\n\n");
    append_listener(to, c);
    append_caller(to, c);
    append_upstream(to, c, files);
}
