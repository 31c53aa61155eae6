/* SPDX-License-Identifier: Apache-2.0 */
/* `rpcgate init`: a first configuration, from what it is told. */
#include "tool/init.h"

#include "base/alloc.h"
#include "config/config.h"
#include "config/read_file.h"
#include "tool/command.h"
#include "tool/input.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum {
    URL,
    PROFILE,
    USERNAME,
    DATABASE,
    PASSWORD_FILE,
    LISTEN,
    CERT_FILE,
    KEY_FILE,
    NAME,
    CALLER,
    SERVICE,
    CONFIG,
    HELP
};

static const struct command_option options[] = {
    [URL] = { 'u', "url", "URL", "where the XML-RPC server is; wanted" },
    [PROFILE] = { 'p', "profile", "NAME", "its kind, where `rpcgate profiles` lists it" },
    [USERNAME] = { 0, "username", "NAME", "the gateway's user there" },
    [DATABASE] = { 0, "database", "NAME", "the database there, where its kind wants one" },
    [PASSWORD_FILE] = { 0, "password-file", "FILE",
                        "where the password or key is; -: standard input" },
    [LISTEN] = { 'l', "listen", "ADDRESS",
                 "ADDRESS:PORT or a unix socket's path (127.0.0.1:8080)" },
    [CERT_FILE] = { 0, "cert-file", "FILE", "speak TLS there, with this certificate" },
    [KEY_FILE] = { 0, "key-file", "FILE", "the certificate's key" },
    [NAME] = { 0, "name", "NAME", "what programs call the server (the profile's, or server)" },
    [CALLER] = { 0, "caller", "NAME", "the program that may call it (app)" },
    [SERVICE] = { 0, "service", NULL,
                  "for the service of systemd: secrets come as its credentials" },
    [CONFIG] = { 'c', "config", "FILE", "the file to write (rpcgate.conf)" },
    [HELP] = { 'h', "help", NULL, "print this" },
};

const struct command_info command_init_info = {
    .usage = "rpcgate init --url URL [--profile NAME] [OPTION…]",
    .about =
        "Writes a first configuration, with comments, and beside it the files of its secrets\n"
        "with mode 0600: a new token for one caller, and the server's password (an empty file\n"
        "to be filled in, unless --password-file names one). Then it checks what it wrote and\n"
        "says which commands come next. It asks nothing, sends nothing, and overwrites\n"
        "nothing: after a failure nothing is left.",
    .examples =
        "  rpcgate init --url http://127.0.0.1:9001/RPC2\n"
        "  rpcgate init --profile odoo --url https://erp.example/xmlrpc/2 \\\n"
        "      --database prod --username api@example --password-file odoo.key\n"
        "  rpcgate init --service -c /etc/rpcgate/rpcgate.conf --url http://127.0.0.1:9001/RPC2\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
};

struct words {
    struct init_choices choices;
    const char *profile;
};

static bool apply(void *context, size_t row, const char *argument)
{
    struct words *w = context;
    struct init_choices *c = &w->choices;
    const char **to[] = {
        [URL] = &c->url,
        [PROFILE] = &w->profile,
        [USERNAME] = &c->given[CREDENTIAL_USERNAME],
        [DATABASE] = &c->given[CREDENTIAL_DATABASE],
        [PASSWORD_FILE] = &c->password_file,
        [LISTEN] = &c->listen_text,
        [CERT_FILE] = &c->cert_file,
        [KEY_FILE] = &c->key_file,
        [NAME] = &c->name,
        [CALLER] = &c->caller,
        [CONFIG] = &c->config,
    };
    if (row == SERVICE)
        c->service = true;
    else
        *to[row] = argument;
    return true;
}

/* ---- What it is told ---- */

/* The names that the configuration takes; here they become names of files, too. */
static bool is_name(const char *text)
{
    size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    return isalpha((unsigned char)text[0]) && text[len] == '\0' && len <= 64;
}

/* ADDRESS:PORT with an IPv6 address in brackets, or a path. */
static bool take_listen(const char *text, struct init_listen *ret)
{
    uint64_t port;
    ret->address = str_of(text);
    if (text[0] == '/')
        return true;
    const char *colon = strrchr(text, ':');
    if (colon == NULL)
        return false;
    ret->address.len = (size_t)(colon - text);
    ret->port = str_of(colon + 1);
    struct str *a = &ret->address;
    if (a->len > 2 && a->data[0] == '[' && a->data[a->len - 1] == ']')
        *a = str_slice(*a, 1, a->len - 1);
    return a->len > 0 && str_to_uint(ret->port, 65535, &port);
}

static bool has_user(const char *url)
{
    const char *host = strstr(url, "://");
    host = host != NULL ? host + 3 : url;
    return memchr(host, '@', strcspn(host, "/?#")) != NULL;
}

/* What a credential that is no secret is given by, and whether it is wanted. */
static int check_credentials(const struct init_choices *c)
{
    const char *kind = c->profile != NULL ? c->profile->name : "a server without a profile";
    for (enum init_credential i = 0; i < CREDENTIAL_PASSWORD; i++) {
        const char *name = init_credential_name(i);
        if (init_wants(c, i) && c->given[i] == NULL)
            return command_misuse("init", "the profile %s wants --%s", kind, name);
        if (!init_wants(c, i) && c->given[i] != NULL)
            return command_misuse("init", "%s takes no --%s", kind, name);
    }
    if (c->password_file != NULL && init_main_secret(c) == N_CREDENTIALS)
        return command_misuse("init", "%s takes no --password-file%s", kind,
                              c->profile == NULL ? " without --username" : "");
    return EX_OK;
}

static int complete(struct words *w)
{
    struct init_choices *c = &w->choices;
    if (c->url == NULL)
        return command_misuse("init", "it wants --url: where is the XML-RPC server?");
    if (has_user(c->url))
        return command_misuse("init", "no user and password in --url, please: others can see it; "
                                      "there are --username and --password-file");
    c->profile = w->profile != NULL ? profile_find(str_of(w->profile)) : NULL;
    if (w->profile != NULL && c->profile == NULL)
        return command_no_profile("init", w->profile);
    if (c->name == NULL)
        c->name = c->profile != NULL ? c->profile->name : "server";
    if (!is_name(c->name) || !is_name(c->caller))
        return command_misuse("init", "--name and --caller begin with a letter, and go on with at "
                                      "most 63 letters, digits, _ and -");
    if (!take_listen(c->listen_text, &c->listen))
        return command_misuse("init", "--listen takes ADDRESS:PORT, as 127.0.0.1:8080 or "
                                      "[::1]:8080, or a path that begins with /");
    if ((c->cert_file == NULL) != (c->key_file == NULL))
        return command_misuse("init", "--cert-file and --key-file want each other");
    if (c->cert_file != NULL && c->listen_text[0] == '/')
        return command_misuse("init", "a unix socket has no TLS: leave --cert-file out");
    return check_credentials(c);
}

/* ---- What it writes ---- */

/* A secret of the server. */
struct made_secret {
    char *name; /* of its file, or of the service's credential; NULL: there is no such secret */
    char *path;
    bool to_fill_in;
};

struct made {
    struct init_files files;
    char *folder; /* of the configuration; "" is where we are */
    char *token_path;
    struct made_secret secrets[N_CREDENTIALS];
};

static void made_done(struct made *m)
{
    init_files_done(&m->files);
    for (size_t i = 0; i < N_CREDENTIALS; i++) {
        free(m->secrets[i].name);
        free(m->secrets[i].path);
    }
    free(m->folder);
    free(m->token_path);
}

static char *joined(const char *name, const char *suffix)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, 4096, NULL);
    buf_printf(&text, "%s.%s", name, suffix);
    return buf_take(&text);
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = xstrdup(path);
    folder[slash != NULL ? slash - path + 1 : 0] = '\0';
    return folder;
}

static bool make_token(struct made *m)
{
    struct buf token;
    buf_init(&token, 256, NULL);
    bool good = init_token(&token) && init_make(&m->files, m->token_path, 0600, buf_str(&token));
    buf_wipe(&token);
    return good;
}

/* The whole of standard input. */
static bool read_secret(struct buf *to)
{
    struct input in;
    bool good = input_open(&in, NULL) && input_all(&in, to);
    input_close(&in);
    return good;
}

/* A file that is there is used where it is. */
static bool find_secret(const struct init_choices *c, struct made_secret *secret)
{
    secret->path = realpath(c->password_file, NULL);
    if (secret->path == NULL) {
        fprintf(stderr, "rpcgate: cannot read %s: %s\n", c->password_file, strerror(errno));
        return false;
    }
    if (!c->service) {
        free(secret->name);
        secret->name = xstrdup(secret->path);
    }
    return true;
}

static bool make_secret(const struct init_choices *c, struct made *m, enum init_credential which)
{
    struct made_secret *secret = &m->secrets[which];
    bool is_told = c->password_file != NULL && which == init_main_secret(c);
    secret->name = joined(c->name, init_credential_name(which));
    if (is_told && strcmp(c->password_file, "-") != 0)
        return find_secret(c, secret);
    struct buf text;
    buf_init(&text, SIZE_MAX - 1, NULL);
    secret->path = file_beside(m->folder, str_of(secret->name));
    secret->to_fill_in = !is_told;
    bool good = (!is_told || read_secret(&text)) &&
                init_make(&m->files, secret->path, 0600, buf_str(&text));
    buf_wipe(&text);
    return good;
}

static bool make_secrets(const struct init_choices *c, struct made *m)
{
    CLEANUP(free_charp) char *token = joined(c->caller, "token");
    m->token_path = file_beside(m->folder, str_of(token));
    if (!make_token(m))
        return false;
    for (enum init_credential i = 0; i < N_CREDENTIALS; i++) {
        if (init_is_secret(i) && init_wants(c, i) && !make_secret(c, m, i))
            return false;
    }
    return true;
}

/* As `rpcgated --test` does, from the text: what is wrong is told before the file is there. */
static bool check(const struct init_choices *c, struct str text)
{
    struct config_report report;
    config_report_init(&report);
    struct config *config = config_read_text(
        c->config, text, &(struct config_read_options){ .testing = true }, &report);
    bool good = config != NULL;
    /* That credentials are not there yet is as it should be. */
    if (!c->service)
        fputs(buf_c(&report.warnings), stderr);
    fputs(buf_c(&report.errors), stderr);
    config_unref(config);
    config_report_done(&report);
    return good;
}

static int make(const struct init_choices *c, struct made *m)
{
    CLEANUP(buf_done) struct buf text;
    const char *files[N_CREDENTIALS];
    buf_init(&text, 1 << 20, NULL);
    m->folder = folder_of(c->config);
    if (init_is_there(c->config) || !make_secrets(c, m))
        return EX_IOERR;
    for (size_t i = 0; i < N_CREDENTIALS; i++)
        files[i] = m->secrets[i].name;
    init_write(c, files, &text);
    if (!check(c, buf_str(&text))) {
        fputs("rpcgate: so nothing is written\n", stderr);
        return EX_CONFIG;
    }
    return init_make(&m->files, c->config, 0644, buf_str(&text)) ? EX_OK : EX_IOERR;
}

/* ---- What it says ---- */

static void tell_files(const struct init_choices *c, const struct made *m, struct buf *to)
{
    for (size_t i = 0; i < m->files.n; i++)
        buf_printf(to, "%s %s\n", i == 0 ? "wrote" : "  and", m->files.paths[i]);
    buf_append_byte(to, '\n');
    for (enum init_credential i = 0; i < N_CREDENTIALS; i++) {
        if (m->secrets[i].to_fill_in)
            buf_printf(to, "The %s for the server goes into %s, which is empty yet.\n\n",
                       init_credential_name(i), m->secrets[i].path);
    }
    /* The service alone gets at its credentials. */
    if (!c->service)
        buf_printf(to, "Is the server there%s?\n\n    rpcgate check --config %s\n\n",
                   init_main_secret(c) != N_CREDENTIALS ? ", and does it let the gateway in" : "",
                   c->config);
}

static void append_credential_line(struct buf *to, const char *name, const char *path)
{
    CLEANUP(free_charp) char *whole = realpath(path, NULL);
    buf_printf(to, "    LoadCredential=%s:%s\n", name, whole != NULL ? whole : path);
}

static void tell_service(const struct init_choices *c, const struct made *m, struct buf *to)
{
    CLEANUP(free_charp) char *token = joined(c->caller, "token");
    buf_append_c(to,
                 "Give the service its secrets by `systemctl edit rpcgate`:\n\n    [Service]\n");
    append_credential_line(to, token, m->token_path);
    for (size_t i = 0; i < N_CREDENTIALS; i++) {
        if (m->secrets[i].name != NULL)
            append_credential_line(to, m->secrets[i].name, m->secrets[i].path);
    }
    buf_append_c(to, "\nThen start it, and call it:\n\n    systemctl restart rpcgate\n");
}

static void tell_call(const struct init_choices *c, const struct made *m, struct buf *to)
{
    const struct init_listen *l = &c->listen;
    buf_append_c(to, "    rpcgate call --url ");
    if (l->address.data[0] == '/') {
        buf_append_c(to, "http+unix://");
        for (size_t i = 0; i < l->address.len; i++) {
            if (l->address.data[i] == '/')
                buf_append_c(to, "%2F");
            else
                buf_append_byte(to, l->address.data[i]);
        }
    } else {
        bool brackets = str_find(l->address, ':') < l->address.len;
        buf_printf(to, "%s://%s%.*s%s:%.*s", c->cert_file != NULL ? "https" : "http",
                   brackets ? "[" : "", STR_ARGS(l->address), brackets ? "]" : "",
                   STR_ARGS(l->port));
    }
    buf_printf(to, " --token-file %s \\\n        %s METHOD PARAM…\n", m->token_path, c->name);
}

static bool tell(const struct init_choices *c, const struct made *m)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, 65536, NULL);
    tell_files(c, m, &text);
    if (c->service)
        tell_service(c, m, &text);
    else
        buf_printf(&text, "Start the gateway, and call it:\n\n    rpcgated --config %s\n",
                   c->config);
    tell_call(c, m, &text);
    return command_write(buf_str(&text));
}

int command_init(int argc, char **argv)
{
    struct words w = {
        .choices = { .config = "rpcgate.conf", .caller = "app", .listen_text = "127.0.0.1:8080" }
    };
    struct made made = { 0 };
    int operand = command_options(argc, argv, &command_init_info, apply, &w);
    if (operand <= 0)
        return operand == 0 ? EX_OK : EX_USAGE;
    if (argc > operand)
        return command_misuse("init", "it takes options only");
    int status = complete(&w);
    if (status != EX_OK)
        return status;
    status = make(&w.choices, &made);
    if (status != EX_OK)
        init_undo(&made.files);
    else if (!tell(&w.choices, &made))
        status = EX_IOERR;
    made_done(&made);
    return status;
}
