/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/listeners.h"

#include "base/alloc.h"
#include "base/log.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What one configuration wants, while it is being opened. */
struct opening {
    struct listeners *all;
    const struct config *config;
    struct listener_set found;
    size_t *handed_out; /* unix sockets whose mode or group has changed */
    size_t n_handed_out;
};

static void add(struct opening *o, struct listener_state *state, const struct listen_config *entry)
{
    o->found.items = xreallocarray(o->found.items, o->found.n + 1, sizeof *o->found.items);
    o->found.items[o->found.n++] = (struct open_listener){ state, entry };
}

static size_t count_current(const struct listeners *l)
{
    return l->current != NULL ? l->current->listeners.n : 0;
}

/* Is it one of the newest generation? Then this is its entry. */
static const struct listen_config *entry_of(const struct listeners *l,
                                            const struct listener_state *state)
{
    for (size_t i = 0; i < count_current(l); i++)
        if (l->current->listeners.items[i].state == state)
            return l->current->listeners.items[i].config;
    return NULL;
}

static bool is_taken(const struct opening *o, const struct listener_state *state)
{
    for (size_t i = 0; i < o->found.n; i++)
        if (o->found.items[i].state == state)
            return true;
    return false;
}

/* An open listener that can stand for the entry, or NULL. */
static struct listener_state *find_open(const struct opening *o, const char *key)
{
    for (size_t i = 0; i < count_current(o->all); i++) {
        struct listener_state *state = o->all->current->listeners.items[i].state;
        if (strcmp(state->listener.key, key) == 0 && !is_taken(o, state))
            return state;
    }
    for (size_t i = 0; i < o->all->n_retired; i++) {
        struct listener_state *state = o->all->retired[i].state;
        if (strcmp(state->listener.key, key) == 0 && !is_taken(o, state))
            return state;
    }
    return NULL;
}

static bool may_listen(const struct opening *o, const struct listener *listener,
                       const struct listen_config *entry)
{
    if (!listener->faces_network || config_may_face_network(o->config, entry))
        return true;
    log_error("the socket \"%s\" (%s) is not on a loopback address, and whoever reaches it could "
              "read and make calls: set `tls` there and `callers`, or `insecure = true;` if the "
              "network is trusted",
              origin_told(&entry->origins[LISTEN_systemd], entry->systemd), listener->name);
    return false;
}

/* Another listener of ours that goes, and so may share its port for a moment. */
static bool shares_port(const struct opening *o, const struct listen_config *entry)
{
    for (size_t i = 0; i < count_current(o->all); i++) {
        const struct listener *other = &o->all->current->listeners.items[i].state->listener;
        bool stays = false;
        if (other->is_unix || other->is_given || (int64_t)other->port != entry->port)
            continue;
        for (size_t k = 0; k < o->config->n_listen && !stays; k++) {
            char key[LISTENER_KEY];
            listener_key(&o->config->listen[k], key);
            stays = strcmp(key, other->key) == 0;
        }
        if (!stays)
            return true;
    }
    return false;
}

static bool open_one(struct opening *o, const struct listen_config *entry)
{
    CLEANUP(free_charp) char *why = NULL;
    struct listener opened;
    const struct listener_options options = {
        .config = entry,
        .n_workers = o->all->n_workers,
        .shares_port = entry->unix == NULL && shares_port(o, entry),
    };
    if (!listener_open(&options, &opened, &why)) {
        log_error("%s", why);
        return false;
    }
    if (opened.is_early)
        log_warn("no interface of this machine has the address of %s yet: callers reach it once "
                 "one has",
                 opened.name);
    add(o, listener_state_new(&opened, o->all->n_workers), entry);
    return true;
}

static bool take_one(struct opening *o, const struct listen_config *entry, int fd)
{
    CLEANUP(free_charp) char *why = NULL;
    struct listener taken;
    const struct listener_options options = { .config = entry, .n_workers = o->all->n_workers };
    if (!listener_take(&options, fd, &taken, &why)) {
        log_error("%s", why);
        return false;
    }
    add(o, listener_state_new(&taken, o->all->n_workers), entry);
    return may_listen(o, &taken, entry);
}

static bool take_given(struct opening *o, const struct listen_config *entry)
{
    const struct activation *given = &o->all->given;
    size_t n_before = o->found.n;
    for (size_t i = 0; i < given->n; i++)
        if (strcmp(given->sockets[i].name, entry->systemd) == 0 &&
            !take_one(o, entry, given->sockets[i].fd))
            return false;
    const char *told = origin_told(&entry->origins[LISTEN_systemd], entry->systemd);
    if (o->found.n == n_before)
        log_error("no socket named \"%s\" was given to rpcgated: start it by systemd with a socket "
                  "unit that has FileDescriptorName=%s, or set `unix` or `address` there",
                  told, told);
    return o->found.n > n_before;
}

/* Of a socket that was given several may have one name. */
static bool find_or_open(struct opening *o, const struct listen_config *entry)
{
    char key[LISTENER_KEY];
    struct listener_state *state;
    bool is_found = false;
    listener_key(entry, key);
    while ((!is_found || entry->systemd != NULL) && (state = find_open(o, key)) != NULL) {
        add(o, listener_state_ref(state), entry);
        is_found = true;
        if (!may_listen(o, &state->listener, entry))
            return false;
    }
    if (is_found)
        return true;
    return entry->systemd != NULL ? take_given(o, entry) : open_one(o, entry);
}

static bool same_owners(const struct listen_config *a, const struct listen_config *b)
{
    return a->mode == b->mode &&
           (a->group == NULL || b->group == NULL ? a->group == b->group
                                                 : strcmp(a->group, b->group) == 0);
}

/* Unix sockets that stay get a changed mode and group. */
static bool hand_out_all(struct opening *o)
{
    o->handed_out = xcalloc(o->found.n, sizeof *o->handed_out);
    for (size_t i = 0; i < o->found.n; i++) {
        CLEANUP(free_charp) char *why = NULL;
        const struct listen_config *entry = o->found.items[i].config;
        const struct listen_config *before = entry_of(o->all, o->found.items[i].state);
        if (entry->unix == NULL || (before != NULL && same_owners(entry, before)))
            continue;
        o->handed_out[o->n_handed_out++] = i;
        if (!listener_hand_out(entry, &why)) {
            log_error("%s", why);
            return false;
        }
    }
    return true;
}

static void undo(struct opening *o)
{
    for (size_t i = 0; i < o->n_handed_out; i++) {
        CLEANUP(free_charp) char *why = NULL;
        const struct listen_config *before =
            entry_of(o->all, o->found.items[o->handed_out[i]].state);
        if (before != NULL && !listener_hand_out(before, &why))
            log_error("%s", why);
    }
    for (size_t i = 0; i < o->found.n; i++) {
        struct listener_state *state = o->found.items[i].state;
        if (atomic_load(&state->references) == 1)
            listener_close(&state->listener, /* unlink_path */ true);
        listener_state_unref(state);
    }
    free(o->found.items);
}

bool listeners_open(struct listeners *l, const struct config *config, struct listener_set *ret)
{
    struct opening o = { .all = l, .config = config };
    bool good = true;
    for (size_t i = 0; i < config->n_listen; i++)
        good = find_or_open(&o, &config->listen[i]) && good;
    good = good && hand_out_all(&o);
    if (good)
        *ret = o.found;
    else
        undo(&o);
    free(o.handed_out);
    return good;
}

static bool has(const struct generation *generation, const struct listener_state *state)
{
    for (size_t i = 0; i < generation->listeners.n; i++)
        if (generation->listeners.items[i].state == state)
            return true;
    return false;
}

/* Those that are wanted again are retired no more. */
static void bring_back(struct listeners *l, const struct generation *generation)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n_retired; i++) {
        if (has(generation, l->retired[i].state))
            listener_state_unref(l->retired[i].state);
        else
            l->retired[n++] = l->retired[i];
    }
    l->n_retired = n;
}

static void warn_of_unused(const struct listeners *l, const struct config *config)
{
    for (size_t i = 0; i < l->given.n; i++) {
        const char *name = l->given.sockets[i].name;
        bool is_used = false;
        for (size_t k = 0; k < config->n_listen; k++)
            is_used |=
                config->listen[k].systemd != NULL && strcmp(config->listen[k].systemd, name) == 0;
        if (!is_used)
            log_warn("the socket \"%s\" that was given to rpcgated is not used: no entry of "
                     "`listen` has systemd = \"%s\"",
                     name, name);
    }
}

/* At the start the service itself tells where it listens. */
static void log_new(const struct listeners *l, const struct generation *generation)
{
    for (size_t i = 0; l->current != NULL && i < generation->listeners.n; i++) {
        const struct listener_state *state = generation->listeners.items[i].state;
        if (entry_of(l, state) == NULL)
            LOG_EVENT(LOG_LEVEL_INFO, "new listener", LOG_TEXT("listen", state->listener.name));
    }
}

void listeners_follow(struct listeners *l, const struct generation *generation)
{
    warn_of_unused(l, generation->config);
    log_new(l, generation);
    bring_back(l, generation);
    for (size_t i = 0; i < count_current(l); i++) {
        struct listener_state *state = l->current->listeners.items[i].state;
        if (has(generation, state))
            continue;
        l->retired = xreallocarray(l->retired, l->n_retired + 1, sizeof *l->retired);
        l->retired[l->n_retired++] =
            (struct retired_listener){ listener_state_ref(state), generation->number };
        LOG_EVENT(LOG_LEVEL_INFO, "listener goes", LOG_TEXT("listen", state->listener.name));
    }
    l->current = generation;
}

void listeners_sweep(struct listeners *l, unsigned followed)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n_retired; i++) {
        struct retired_listener *at = &l->retired[i];
        if (at->generation > followed) {
            l->retired[n++] = *at;
            continue;
        }
        listener_close(&at->state->listener, /* unlink_path */ true);
        listener_state_unref(at->state);
    }
    l->n_retired = n;
}

/* The workers have their own descriptors of the sockets, and close them when they see the phase. */
void listeners_close(struct listeners *l)
{
    for (size_t i = 0; i < count_current(l); i++)
        listener_close(&l->current->listeners.items[i].state->listener, /* unlink_path */ true);
    listeners_sweep(l, UINT_MAX);
    activation_done(&l->given);
}

void listeners_init(struct listeners *l, size_t n_workers)
{
    *l = (struct listeners){ .n_workers = n_workers };
    activation_take(&l->given);
}

void listeners_done(struct listeners *l)
{
    listeners_close(l);
    free(l->retired);
}
