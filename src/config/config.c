/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "config/checks.h"
#include "config/config_file.h"
#include "config/findings.h"
#include "config/indexes.h"
#include "config/reader.h"
#include "config/source.h"
#include "config/syntax.h"
#include "settings/redact.h"
#include "settings/sections.h"
#include "settings/store.h"

#include <assert.h>
#include <stdint.h>

/* What a reading needs from its first to its last step. */
struct reading {
    struct store *store; /* taken by the snapshot */
    struct findings findings;
    struct source source;
};

/* Without `listen`: the unix socket that the service's RuntimeDirectory is for. */
static void default_listen(struct config *config)
{
    struct listen_config *l = store_alloc(config->store, 1, sizeof *l);
    reader_defaults(&section_listen, l);
    l->unix = store_text(config->store, STR("/run/rpcgate/rpcgate.sock"));
    l->group = store_text(config->store, STR("rpcgate"));
    check_default_listen(l);
    l->origins[LISTEN_unix].shown = "\"/run/rpcgate/rpcgate.sock\"";
    l->origins[LISTEN_group].shown = "\"rpcgate\"";
    config->listen = l;
    config->n_listen = 1;
}

/* `text` without secrets. One that is too short to be found in it hides all of it. */
static char *shown_text(const struct config *config, const char *text, const struct origin *origin)
{
    CLEANUP(buf_done) struct buf shown;
    buf_init(&shown, SIZE_MAX - 1, NULL);
    redact(config->redactor, str_of(text), &shown);
    bool whole = origin->hidden && str_eq_c(buf_str(&shown), text);
    return store_text(config->store, whole ? STR("***") : buf_str(&shown));
}

/* Of scgi:// the URL is kept as if it were http:// (settings/snapshot.h). */
static char *shown_url(const struct config *config, const struct upstream_target *target,
                       const struct origin *origin)
{
    CLEANUP(buf_done) struct buf url;
    struct str kept = str_of(target->url);
    buf_init(&url, SIZE_MAX - 1, NULL);
    buf_append(&url, target->scgi ? STR("scgi") : str_slice(kept, 0, str_find(kept, ':')));
    buf_append(&url, str_slice(kept, str_find(kept, ':'), kept.len));
    return shown_text(config, buf_c(&url), origin);
}

/* A path may have a secret in it, too. */
static void show_urls(struct config *config)
{
    struct traces_config *traces = &config->traces;
    if (traces->target.url != NULL)
        traces->target.shown = shown_text(config, traces->target.url, &traces->origins[TRACES_url]);
    for (size_t i = 0; i < config->n_upstreams; i++) {
        struct upstream_config *u = &config->upstreams[i];
        const struct origin *url = &u->origins[UPSTREAM_url], *urls = &u->origins[UPSTREAM_urls];
        struct proxy_target *proxy = &u->proxy_target;
        for (size_t k = 0; k < u->n_targets; k++) {
            struct upstream_target *target = &u->targets[k];
            const struct origin *origin = urls->place.file != NULL ? urls : url;
            target->shown = target->url != NULL ? shown_url(config, target, origin)
                                                : store_text(config->store, STR(""));
            if (target->unix_socket != NULL)
                target->socket_shown = shown_text(config, target->unix_socket, origin);
        }
        if (proxy->url != NULL)
            proxy->shown = shown_text(config, proxy->url, &u->proxy.origins[PROXY_url]);
    }
}

static struct config *make(struct reading *reading, const struct config_read_options *options)
{
    struct marks marks = { 0 };
    struct setting *root = NULL;
    if (syntax_check(&reading->source, &reading->findings, &marks))
        root = config_file_parse(&reading->source, &marks, &reading->findings);
    marks_done(&marks);
    if (root == NULL)
        return NULL;
    struct config *config = store_alloc(reading->store, 1, sizeof *config);
    config->store = reading->store;
    atomic_init(&config->references, 1);
    struct secret_list secrets;
    secret_list_init(&secrets, reading->store, &reading->findings);
    struct reader reader = { .store = reading->store,
                             .secrets = &secrets,
                             .findings = &reading->findings,
                             .substitution = { .folder = reading->source.folder,
                                               .testing = options->testing,
                                               .sealed = options->sealed } };
    buf_init(&reader.path, 512, NULL);
    reader_defaults(&section_main, config);
    reader.profiles = reader_profiles(root, reading->store);
    reader_read(&reader, &section_main, root, config);
    if (config->n_listen == 0)
        default_listen(config);
    buf_done(&reader.path);
    setting_free(root);
    checks_run(&(struct checking){ .config = config,
                                   .findings = &reading->findings,
                                   .secrets = &secrets,
                                   .folder = reading->source.folder,
                                   .testing = options->testing,
                                   .sealed = options->sealed });
    config->secrets = secret_list_take(&secrets, &config->n_secrets);
    secret_list_done(&secrets);
    config->redactor = redactor_new(config->store, config->secrets, config->n_secrets);
    show_urls(config);
    return config;
}

/* Ends a reading: the snapshot, if there is one and nothing is wrong with it. */
static struct config *finish(struct reading *reading, struct config *config,
                             struct config_report *report)
{
    if (reading->findings.n_errors > 0)
        config = NULL;
    findings_report(&reading->findings, report);
    findings_done(&reading->findings);
    source_done(&reading->source);
    if (config == NULL)
        store_free(reading->store);
    return config;
}

static void begin(struct reading *reading)
{
    *reading = (struct reading){ .store = store_new() };
    source_init(&reading->source, reading->store, &reading->findings);
}

struct config *config_read_path(const char *path, const struct config_read_options *options,
                                struct config_report *report)
{
    struct reading reading;
    begin(&reading);
    struct config *config = NULL;
    if (source_read(&reading.source, path, &report->missing))
        config = make(&reading, options);
    return finish(&reading, config, report);
}

struct config *config_read_text(const char *name, struct str text,
                                const struct config_read_options *options,
                                struct config_report *report)
{
    struct reading reading;
    begin(&reading);
    struct config *config = NULL;
    if (source_take(&reading.source, name, text))
        config = make(&reading, options);
    return finish(&reading, config, report);
}
