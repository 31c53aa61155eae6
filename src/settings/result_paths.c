/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/result_paths.h"

#include "base/buf.h"
#include "codec/json/pointer.h"
#include "settings/method_rule.h"

#define POINTER_MAX ((size_t)64 * 1024) /* [bytes] */

/* The list that is being made. */
struct list {
    struct store *store;
    struct json_path *items;
    size_t n, n_max;
    bool ok;
};

/* `within` stands before the pointer; NULL is the whole, both times. */
static void add(struct list *l, const char *within, const char *pointer)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, POINTER_MAX, NULL);
    if (!l->ok || l->n == l->n_max) {
        l->ok = false;
        return;
    }
    buf_append_c(&text, within != NULL ? within : "");
    buf_append_c(&text, pointer != NULL ? pointer : "");
    struct str whole = { buf_c(&text), text.len };
    size_t size = json_path_size(whole);
    void *memory = size > 0 ? store_alloc(l->store, 1, size) : NULL;
    struct json_path *path = &l->items[l->n];
    if (!json_path_read(whole, memory, path))
        *path = (struct json_path){ NULL, 0 };
    l->ok = buf_ok(&text) && path->n <= DECODE_WATCH_DEPTH_MAX;
    l->n++;
}

static void add_test(struct list *l, const struct value_test_config *test)
{
    add(l, NULL, test->at);
    for (size_t i = 0; i < test->has.n; i++)
        add(l, test->at, test->has.items[i]);
}

static struct list begin(struct store *store)
{
    return (struct list){ store, store_alloc(store, DECODE_WATCH_MAX, sizeof(struct json_path)), 0,
                          DECODE_WATCH_MAX, true };
}

static void add_envelope(struct list *l, const struct envelope_rule_config *rule)
{
    add(l, NULL, rule->value);
    add(l, NULL, rule->code);
    add(l, NULL, rule->text);
    add_test(l, rule->good.present ? &rule->good : &rule->bad);
}

bool result_paths_of_route(struct store *store, struct route_config *route)
{
    const struct envelope_rule_config *envelope =
        method_envelope(route->upstream, str_of(route->method));
    struct list l = begin(store);
    if (envelope != NULL)
        add_envelope(&l, envelope);
    add(&l, envelope != NULL ? envelope->value : NULL, route->result.at);
    struct decode_watch *watch = store_alloc(store, 1, sizeof *watch);
    *watch = (struct decode_watch){ l.items, l.n };
    route->watch = watch;
    return l.ok;
}

bool result_paths_of_envelope(struct store *store, struct envelope_rule_config *rule)
{
    struct list l = begin(store);
    add_envelope(&l, rule);
    rule->watch = (struct decode_watch){ l.items, l.n };
    return l.ok;
}

bool result_paths_of_login(struct store *store, struct login_config *login)
{
    struct list l = begin(store);
    for (size_t i = 0; i < login->keep.n; i++)
        add(&l, NULL, login->keep.items[i].text);
    add_test(&l, &login->good);
    login->watch = (struct decode_watch){ l.items, l.n };
    return l.ok;
}
